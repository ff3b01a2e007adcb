"""Render every page of the site to _pages/ without Quarto, well enough to look at, and say what is wrong with it.

Wrong is: raw LaTeX in the text, a link inside the project that leads nowhere (pages, their sections, files of the
repository), an image that is missing or empty, an equation or a reference that no page defines. Where Chromium is,
each page is also opened there, and what does not fit the page's width is wrong; run as a program, this also keeps a
picture of each page, light and dark.
"""
import base64, json, re, shutil, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypandoc, yaml
from bs4 import BeautifulSoup

from fork import ROOT, forked

OUT, NBS, SITE, REPO = ROOT/'_pages', ROOT/'nbs', 'https://aiwae-nb.github.io/aiwae_nb', 'https://github.com/aiwae-nb/aiwae_nb'
WIDTH = 1240                                                      # of the window, pixels


def text_of(parts): return ''.join(parts)


def front(nb): return yaml.safe_load(text_of(nb['cells'][0]['source']).strip().strip('-'))


def _process():
    from nbdev.serve import proc_nbs
    proc_nbs(force=True, n_workers=0)


def processed():
    "The notebooks as nbdev gives them to Quarto: file name -> (front matter, cells)."
    forked(_process)
    found = {p.name: json.loads(p.read_text()) for p in sorted((ROOT/'_proc').glob('*.ipynb'))}
    return {name: (front(nb), nb['cells'][1:]) for name, nb in found.items()}


def shown(output, stem, n):
    "One output of a cell, as Markdown; pictures become files."
    data = output.get('data', {})
    if 'image/png' in data:
        (OUT/'img'/f'{stem}-{n}.png').write_bytes(base64.b64decode(text_of(data['image/png'])))
        return f'![](img/{stem}-{n}.png)'
    if 'text/markdown' in data: return text_of(data['text/markdown'])
    if 'text/html' in data: return f"```{{=html}}\n{text_of(data['text/html'])}\n```"
    text = text_of(data.get('text/plain', output.get('text', ''))).rstrip()
    return f'::: output\n~~~~\n{text}\n~~~~\n:::' if text else ''


def markdown(stem, cells):
    "A page's cells as one Markdown text."
    parts = []
    for n, cell in enumerate(cells):
        source = text_of(cell['source'])
        if cell['cell_type'] == 'markdown': parts.append(source)
        if cell['cell_type'] != 'code': continue
        options = re.findall(r'^#\|\s*(\S+):\s*(\S+)', source, re.M)
        body = re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip()
        if ('echo', 'false') not in options and body: parts.append(f'~~~~python\n{body}\n~~~~')
        parts += [shown(o, stem, f'{n}-{i}') for i, o in enumerate(cell.get('outputs', []))]
    return numbered('\n\n'.join(parts))


def numbered(text):
    r"Equations with their numbers beside them, which MathJax takes from \tag and MathML does not."
    return re.sub(r'^[ ]*\$\$((?:(?!\$\$).)+?)\\tag\{(\w+)\}\s*\$\$', r'\n::: {.equation}\n$$\1$$\n\n[(\2)]{.number}\n:::\n', text, flags=re.M|re.S)


def sidebar(pages):
    def link(name): return f'<a href="{pages[name][0]["output-file"]}">{pages[name][0]["title"]}</a>'
    contents = yaml.safe_load((NBS/'sidebar.yml').read_text())['website']['sidebar']['contents']
    return ''.join(link(c) if isinstance(c, str) else f'<b>{c["section"]}</b>' + ''.join(map(link, c['contents'])) for c in contents)


def render(name, pages, side, coloured=True):
    "One page to HTML, its code in colours or not; returns pandoc's complaint, if any: formulas that do not parse, citations that are not in the bibliography."
    meta, cells = pages[name]
    text = re.sub(r'\]\((\w+\.ipynb)', lambda m: f"]({pages[m[1]][0]['output-file']}" if m[1] in pages else m[0], markdown(Path(name).stem, cells))
    text = text.replace(f'({SITE}/', '(')
    head = yaml.safe_dump({k: meta[k] for k in ('title', 'description') if k in meta} | {'sidebar': side, 'reference-section-title': 'References'})
    colours = [] if coloured else ['--no-highlight'] # which take pandoc as long as all the rest
    done = subprocess.run([pypandoc.get_pandoc_path(), *colours, '-f', 'markdown-raw_tex', '-t', 'html5', '--standalone', '--mathml', '--toc', '--toc-depth=3', '--citeproc',
                           '--bibliography', str(NBS/'references.bib'), '--template', str(ROOT/'.ci/page.html'), '--fail-if-warnings',
                           '-o', str(OUT/meta['output-file'])], input=f'---\n{head}---\n\n{text}', text=True, capture_output=True)
    return [f'{name}: {done.stderr.strip()}'] if done.returncode else []


def targets(soup): return {t['id'] for t in soup.find_all(id=True)}


def equations(text): return set(re.findall(r'\\tag\{([^}]+)\}', text))


def bad_link(href, own, ids):
    "Why a link of page `own` leads nowhere, or None. `ids`: page -> its anchors."
    if href.startswith(f'{REPO}/blob/main/'):
        path, _, line = href.removeprefix(f'{REPO}/blob/main/').partition('#L')
        if not (ROOT/path).is_file(): return 'no such file in the repository'
        return 'no such line' if line and int(line) > len((ROOT/path).read_text().splitlines()) else None
    if re.match(r'[a-z]+:', href): return None                    # outside the project
    page, _, anchor = href.partition('#')
    page = page or own
    if page not in ids: return None if (OUT/page).is_file() else 'no such page'
    return None if not anchor or anchor in ids[page] else 'no such section'


def faults(pages):
    "What is wrong with the rendered pages, a line each."
    soups = {meta['output-file']: BeautifulSoup((OUT/meta['output-file']).read_text(), 'html.parser') for meta, _ in pages.values()}
    ids, found = {page: targets(soup) for page, soup in soups.items()}, []
    for name, (meta, cells) in pages.items():
        page, source = meta['output-file'], '\n'.join(text_of(c['source']) for c in cells)
        main = soups[page].main
        for link in main.find_all('a', href=True):
            if why := bad_link(link['href'], page, ids): found.append(f"{name}: link {link['href']}: {why}")
        for img in main.find_all('img'):
            if img['src'].startswith('http'): continue                # a badge
            file = OUT/img['src']
            if not file.is_file() or not file.stat().st_size: found.append(f"{name}: image {img['src']} is missing")
        prose = '\n'.join(text_of(c['source']) for c in cells if c['cell_type'] == 'markdown')
        for n in re.findall(r'(?<!\w)eqs?\. \((\d+)\)|(?<=and )\((\d+)\)', re.sub(r'\[\w[^]]*\]\([^)]*\), eqs?\. \(\d+\)( and \(\d+\))?', '', prose)):
            if (n := n[0] or n[1]) not in equations(source): found.append(f'{name}: eq. ({n}) is not on the page')
        for other, n in re.findall(r'\]\((\w+\.ipynb)\), eqs?\. \((\d+)\)', prose):
            if other in pages and n not in equations('\n'.join(text_of(c['source']) for c in pages[other][1])): found.append(f'{name}: {other} has no eq. ({n})')
        for code in main.find_all('pre'):
            if raw := re.search(r'\[`\w+`\]\(', code.get_text()): found.append(f"{name}: a link shown raw in code, near {raw.string[max(0, raw.start() - 40):raw.end() + 20]!r}: no backticks there")
        for cell in cells:
            body = re.sub(r'^#\|.*\n?', '', text_of(cell['source']), flags=re.M).strip()
            if cell['cell_type'] == 'code' and '#| echo: false' in text_of(cell['source']) and not cell.get('outputs') and not re.match(r'import |from ', body):
                found.append(f'{name}: a cell without source has no output either: run the page. {body[:60]!r}')
        for part in main.find_all(['pre', 'code', 'math', 'annotation']): part.decompose()
        for raw in re.findall(r'\$\$|\$[^$\n]*\\|\\(?:frac|tag|mathbb|sum|log|begin)\b|\(\?\?\)|:::', main.get_text()): found.append(f'{name}: raw {raw!r} in the text')
    return found


def readme_faults():
    "Links of README.md that lead nowhere."
    links = re.findall(r'\]\(([^)\s]+)\)', (ROOT/'README.md').read_text())
    def lost(href): return bad_link(href, '', {}) if href.startswith(REPO) else not re.match(r'[a-z]+:|#', href) and not (ROOT/href.partition('#')[0]).exists()
    return [f'README.md: link {href} leads nowhere' for href in links if lost(href)]


def chromium(): return next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)


MEASURE = """() => { const main = document.querySelector('main'), right = main.getBoundingClientRect().right + 2;
  const wide = [...main.querySelectorAll('p, li, table, img, pre, math')].filter(e => e.getBoundingClientRect().right > right ||
    e.matches('table, math') && e.scrollWidth > e.clientWidth + 2);
  return {wide: wide.map(e => e.tagName + ' ' + e.textContent.trim().replace(/\\s+/g, ' ').slice(0, 60)),
    broken: [...document.images].filter(i => !i.naturalWidth && !i.src.startsWith('http')).map(i => i.src)} }"""


def pictures(pages, shots):
    "What a browser finds wrong; with `shots`, keep a picture of each page, light and dark, in _pages/shots."
    from playwright.sync_api import sync_playwright
    found, flags = [], ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync']
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=flags)
        for scheme in ('light', 'dark') if shots else ('light',):
            tab = browser.new_page(viewport={'width': WIDTH, 'height': 900}, color_scheme=scheme)
            tab.route('http*://**', lambda route: route.abort())  # nothing from outside
            for meta, _ in pages.values():
                page = meta['output-file']
                tab.goto((OUT/page).as_uri())
                if shots: tab.screenshot(path=OUT/'shots'/f'{Path(page).stem}-{scheme}.png', full_page=True)
                if scheme == 'dark': continue
                seen = tab.evaluate(MEASURE)
                found += [f'{page}: broken image {src}' for src in seen['broken']] + [f'{page}: too wide: {what}' for what in seen['wide']]
        browser.close()
    return found


def main(shots=True):
    shutil.rmtree(OUT, ignore_errors=True)
    for folder in ('img', 'shots'): (OUT/folder).mkdir(parents=True)
    pages = processed()
    missing = {p.name for p in NBS.glob('*.ipynb')} - pages.keys()
    side = sidebar(pages)
    found = [f'{name} was not processed' for name in missing] + sum(ThreadPoolExecutor().map(lambda name: render(name, pages, side, coloured=shots), pages), [])
    if not found: found = faults(pages) + readme_faults()
    seen = 'no Chromium here: none was opened' if not chromium() else f'pictures in {OUT.name}/shots' if shots else 'all opened'
    if chromium() and not found: found = pictures(pages, shots)
    return found, f'{len(pages)} pages in {OUT.name}/, {seen}'


if __name__ == '__main__':
    found, said = main()
    print('\n'.join([*found, said]))
    sys.exit(bool(found))
