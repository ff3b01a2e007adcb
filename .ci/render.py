"""Render every page of the site to _pages/ without Quarto, well enough to look at, and say what is wrong with it.

Wrong is: raw LaTeX in the text, or a flag whose hyphens became a dash; a link inside the project that leads nowhere
(pages, their sections, files of the repository), an image that is missing, empty or without alt text, an equation or a
reference that no page defines, a work that is not in the bibliography, an entry that failed or hides its arguments, a
figure that night spoils (`figures.py`), a title without the page's name in the sidebar, a link of the top bar that is a
page of the sidebar. Where Chromium is, each page is also opened there at 1400 and 390 pixels: wrong is a page that pans
sideways, what does not fit its width, what scrolls and does not show it, an output line that overflows, code squeezed
by its indentation, text of a figure below 8 pixels, a cell of a table squeezed by the others, a flag or a number with
its error on two lines and, by night, text whose contrast is below 4.5. Run as a program, this also keeps a picture of
each page, at both widths, light and dark. The stylesheet is the site's own, over the faults that Quarto has.
"""
import ast, html, json, re, shutil, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pypandoc, yaml
from bs4 import BeautifulSoup

from figures import bad_figure, png_of, text_size
from fork import ROOT, forked

OUT, NBS, SITE, REPO = ROOT/'_pages', ROOT/'nbs', 'https://aiwae-nb.github.io/aiwae_nb', 'https://github.com/aiwae-nb/aiwae_nb'
WIDTHS = 1400, 390 # of the window, pixels


def text_of(parts): return ''.join(parts)


def front(nb): return yaml.safe_load(text_of(nb['cells'][0]['source']).strip().strip('-'))


def _process():
    sys.path.insert(0, str(ROOT/'.ci')) # of entries, which settings.ini names
    from nbdev.serve import proc_nbs
    ast.parse = cache(ast.parse) # nbdev parses a cell anew at each of its steps
    proc_nbs(force=True, n_workers=0)


def processed():
    "The notebooks as nbdev gives them to Quarto: file name -> (front matter, cells)."
    forked(_process)
    found = {p.name: json.loads(p.read_text()) for p in sorted((ROOT/'_proc').glob('*.ipynb'))}
    return {name: (front(nb), nb['cells'][1:]) for name, nb in found.items()}


def picture(output, options, file):
    "A figure: as wide as the notebook says, with its alt text and caption, and the size of its text in its own pixels."
    text = f' data-text="{text_size(output)}"' if text_size(output) else ''
    size = output.get('metadata', {}).get('image/png', {})
    wide = f' width="{size["width"]}"' if 'width' in size else ''
    alt = html.escape(str(options.get('fig-alt', '')))
    caption = f"\n\n::: {{.figure-caption}}\n{options['fig-cap']}\n:::\n" if 'fig-cap' in options else ''
    return f'```{{=html}}\n<p><img src="{file}" alt="{alt}"{wide}{text}></p>\n```{caption}'


def shown(output, options, stem, n):
    "One output of a cell, as Markdown; pictures become files."
    data = output.get('data', {})
    if output.get('output_type') == 'error': return f"~~~~\n{output['ename']}: {output['evalue']}\n~~~~"
    if 'image/png' in data:
        (OUT/'img'/f'{stem}-{n}.png').write_bytes(png_of(output))
        text = picture(output, options, f'img/{stem}-{n}.png')
    elif 'text/markdown' in data:
        text = text_of(data['text/markdown'])
        if options.get('output') == 'asis': return text
    elif 'text/html' in data: text = f"```{{=html}}\n{text_of(data['text/html'])}\n```"
    else:
        plain = text_of(data.get('text/plain', output.get('text', ''))).rstrip()
        text = f'~~~~\n{plain}\n~~~~' if plain else ''
    return f'::: {{.cell-output .cell-output-display}}\n{text}\n:::' if text else ''


def source_of(body, options):
    "The code of a cell, folded where it says so."
    code = f'~~~~python\n{body}\n~~~~'
    if not options.get('code-fold') or options['code-fold'] == 'show': return code
    open, close = f"<details><summary>{options.get('code-summary', 'Code')}</summary>", '</details>'
    return f'```{{=html}}\n{open}\n```\n\n{code}\n\n```{{=html}}\n{close}\n```'


def settings(source):
    "The options of a cell: name -> value."
    return yaml.safe_load('\n'.join(re.findall(r'^#\|\s*(\S+:.*)', source, re.M))) or {}


def markdown(stem, cells):
    "A page's cells as one Markdown text."
    parts = []
    for n, cell in enumerate(cells):
        source = text_of(cell['source'])
        if cell['cell_type'] == 'markdown': parts.append(source)
        if cell['cell_type'] != 'code': continue
        options, body = settings(source), re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip()
        within = [source_of(body, options)] if options.get('echo') is not False and body else []
        within += [shown(o, options, stem, f'{n}-{i}') for i, o in enumerate(cell.get('outputs', []))]
        names = ' .'.join(['cell', *str(options.get('classes', '')).split()])
        parts.append('\n\n'.join([f':::: {{.{names}}}', *within, '::::']) if any(within) else '')
    return numbered('\n\n'.join(parts))


def numbered(text):
    r"Equations with their numbers beside them, which MathJax takes from \tag and MathML does not."
    return re.sub(r'^[ ]*\$\$((?:(?!\$\$).)+?)\\tag\{(\w+)\}\s*\$\$', r'\n::: {.equation}\n$$\1$$\n\n[(\2)]{.number}\n:::\n', text, flags=re.M|re.S)


def listed():
    "Of the sidebar: (section or None, [(page, text)])."
    for entry in yaml.safe_load((NBS/'sidebar.yml').read_text())['website']['sidebar']['contents']:
        inside = entry.get('contents', [entry])
        yield entry.get('section'), [(link['href'], link['text']) for link in inside]


def sidebar(pages):
    def link(name, text): return f'<a href="{pages[name][0]["output-file"]}">{html.escape(text)}</a>'
    sections = ((f'<b>{section}</b>' if section else '', links) for section, links in listed())
    return ''.join(title + ''.join(link(*entry) for entry in links) for title, links in sections)


def boxed(page):
    "Formulas in the boxes that Quarto puts around them."
    def box(hit): return f'<span class="math {dict(block="display").get(hit[1], hit[1])}">{hit[0]}</span>'
    return re.sub(r'<math display="(\w+)".*?</math>', box, page, flags=re.S)


def cited(text):
    "The keys of the works that a text cites."
    return re.findall(r'(?<![\w.])@(\w[\w:-]*)', re.sub(r'```.*?```|`[^`]*`', '', text, flags=re.S))


@cache
def known_works(): return set(re.findall(r'@\w+\{([^,]+),', (NBS/'references.bib').read_text()))


def render(name, pages, side, finished=True):
    "One page to HTML, with or without colours of code and references; returns pandoc's complaint about formulas, if any."
    meta, cells = pages[name]
    text = re.sub(r'\]\((\w+\.ipynb)', lambda m: f"]({pages[m[1]][0]['output-file']}" if m[1] in pages else m[0], markdown(Path(name).stem, cells))
    text = text.replace(f'({SITE}/', '(')
    head = yaml.safe_dump({k: meta[k] for k in ('title', 'description') if k in meta} | {'sidebar': side, 'reference-section-title': 'References'})
    own = [f'--variable=styles={(NBS/"styles.css").read_text()}', f'--variable=after={(NBS/"wrap.html").read_text()}']
    works = ['--citeproc', '--bibliography', str(NBS/'references.bib')]
    style = works if finished else ['--no-highlight'] # colours and works take pandoc longer than all the rest
    done = subprocess.run([pypandoc.get_pandoc_path(), *style, *own, '-f', 'markdown-raw_tex', '-t', 'html5', '--standalone', '--mathml', '--toc', '--toc-depth=3',
                           '--template', str(ROOT/'.ci/page.html'), '--fail-if-warnings',
                           '-o', str(OUT/meta['output-file'])], input=f'---\n{head}---\n\n{text}', text=True, capture_output=True)
    if done.returncode: return [f'{name}: {done.stderr.strip()}']
    page = OUT/meta['output-file']
    page.write_text(boxed(page.read_text()))
    return []


def dashes(text):
    "Flags in a text whose two hyphens became a dash."
    return re.findall(r'(?<![\w–])–[a-z]\w+', text)


def targets(soup): return {t['id'] for t in soup.find_all(id=True)}


def equations(text): return re.findall(r'\\tag\{([^}]+)\}', text)


def bad_numbers(text):
    "What is wrong with the numbers of a page's equations, or None: they count from 1 in order of appearance."
    numbers = equations(text)
    return None if numbers == [str(i + 1) for i in range(len(numbers))] else f'equations are numbered {", ".join(numbers)}'


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
            if not img.get('alt'): found.append(f"{name}: image {img['src']} has no alt text: give its cell a fig-alt")
        prose = '\n'.join(text_of(c['source']) for c in cells if c['cell_type'] == 'markdown')
        found += [f'{name}: @{key} is not in the bibliography' for key in cited(prose) if key not in known_works()]
        if why := bad_numbers(prose): found.append(f'{name}: {why}')
        for n in re.findall(r'(?<!\w)eqs?\. \((\d+)\)|(?<=and )\((\d+)\)', re.sub(r'\[\w[^]]*\]\([^)]*\), eqs?\. \(\d+\)( and \(\d+\))?', '', prose)):
            if (n := n[0] or n[1]) not in equations(source): found.append(f'{name}: eq. ({n}) is not on the page')
        for other, n in re.findall(r'\]\((\w+\.ipynb)\), eqs?\. \((\d+)\)', prose):
            if other in pages and n not in equations('\n'.join(text_of(c['source']) for c in pages[other][1])): found.append(f'{name}: {other} has no eq. ({n})')
        for code in main.find_all('pre'):
            if raw := re.search(r'\[`\w+`\]\(', code.get_text()): found.append(f"{name}: a link shown raw in code, near {raw.string[max(0, raw.start() - 40):raw.end() + 20]!r}: no backticks there")
        for cell in cells:
            if cell['cell_type'] == 'markdown' and (why := bad_text(cell)): found.append(f'{name}: {why}')
            if cell['cell_type'] == 'code' and (why := bad_entry(cell) or bad_figure(cell)): found.append(f'{name}: {why}')
            body = re.sub(r'^#\|.*\n?', '', text_of(cell['source']), flags=re.M).strip()
            if cell['cell_type'] == 'code' and '#| echo: false' in text_of(cell['source']) and not cell.get('outputs') and not re.match(r'import |from ', body):
                found.append(f'{name}: a cell without source has no output either: run the page. {body[:60]!r}')
        for part in main.find_all(['pre', 'code', 'math', 'annotation']): part.decompose()
        for raw in dashes(main.get_text()): found.append(f'{name}: {raw!r} in the text: write a flag as code')
        for raw in re.findall(r'\$\$|\$[^$\n]*\\|\\(?:frac|tag|mathbb|sum|log|begin)\b|\(\?\?\)|:::', main.get_text()): found.append(f'{name}: raw {raw!r} in the text')
    return found


def bad_text(cell):
    "What is wrong with the paragraphs of a cell, or None."
    lone = re.search(r'(?:^|\n\n) *(\$\\square\$|\*\w+\.\*) *(?=\n\n|$)', text_of(cell['source']).strip())
    return f'{lone[1]} is alone in its paragraph' if lone else None


def bad_entry(cell):
    "What is wrong with a cell that shows an entry, or None."
    shown = re.search(r'^show_doc\((.+)\)', text_of(cell['source']), re.M)
    if not shown: return None
    outputs = cell.get('outputs', [])
    if any(o['output_type'] == 'error' for o in outputs): return f"the entry of {shown[1]} failed: {outputs[-1]['evalue']}"
    text = '\n'.join(text_of(o.get('data', {}).get('text/markdown', '')) for o in outputs)
    hit = re.search(r'\*args, \*\*kwargs\n|NoneType|<lambda>|<\w+ object|^\| .*\|  \|(?=\n\| ---)|torchrun `', text, re.M)
    return f'the entry of {shown[1]} says {hit[0].strip()!r}' if hit else None


def bar_faults():
    "Links of the top bar that lead to a page of the sidebar: Quarto marks them as active on every page."
    bar = yaml.safe_load((NBS/'_quarto.yml').read_text())['website']['navbar']
    hrefs = [entry['href'] for side in ('left', 'right') for entry in bar.get(side, [])]
    pages = {page for _, links in listed() for page, _ in links}
    return [f'_quarto.yml: {href} is a page of the sidebar: give its full address' for href in hrefs if href in pages]


def title_faults(pages):
    "Pages whose title does not have the name that the sidebar gives them."
    texts = [entry for _, links in listed() for entry in links if entry[0] in pages and entry[0] != 'index.ipynb']
    def has(name, text): return text.lower() in pages[name][0]['title'].lower()
    return [f"{name}: the title {pages[name][0]['title']!r} lacks the sidebar's {text!r}" for name, text in texts if not has(name, text)]


def readme_faults():
    "Links of README.md that lead nowhere."
    links = re.findall(r'\]\(([^)\s]+)\)', (ROOT/'README.md').read_text())
    def lost(href): return bad_link(href, '', {}) if href.startswith(REPO) else not re.match(r'[a-z]+:|#', href) and not (ROOT/href.partition('#')[0]).exists()
    return [f'README.md: link {href} leads nowhere' for href in links if lost(href)]


def chromium(): return next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)


MEASURE = """() => { const main = document.querySelector('main'), right = main.getBoundingClientRect().right + 2, found = [];
  const about = e => e.tagName.toLowerCase() + ' ' + e.textContent.trim().replace(/\\s+/g, ' ').slice(0, 60);
  const held = e => { for (let p = e; p !== main; p = p.parentElement) if (getComputedStyle(p).overflowX != 'visible') return true };
  const beyond = [...main.querySelectorAll(':not(math *, pre *)')].filter(e => e.getBoundingClientRect().right > right && !held(e.parentElement));
  const first = beyond.filter(e => !beyond.includes(e.parentElement));
  for (const e of first) if (getComputedStyle(e).overflowX == 'visible') found.push('too wide: ' + about(e));
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('the page pans sideways');
  const folded = e => { const all = document.createRange(); all.selectNodeContents(e);
    return all.getBoundingClientRect().height > 1.7*Math.min(...[...all.getClientRects()].map(b => b.height)) };
  const whole = /^(--\\w+|[-+\\d.]+ ± [\\d.]+)$/; // a flag; a number and its error
  for (const e of main.querySelectorAll('td')) if (whole.test(e.textContent.trim()) && folded(e)) found.push('a short cell on two lines: ' + about(e));
  for (const e of main.querySelectorAll('td')) if (e.offsetHeight > 500) found.push('a cell is squeezed: ' + about(e));
  const room = e => e.offsetWidth - Math.max(parseFloat(getComputedStyle(e).paddingLeft), e.querySelector('.lead-space')?.offsetWidth ?? 0);
  for (const e of main.querySelectorAll('code.sourceCode > span')) if (room(e) < 100 && folded(e)) found.push('squeezed code: ' + about(e));
  const height = e => { const all = document.createRange(); all.selectNodeContents(e); return all.getBoundingClientRect().height };
  for (const t of main.querySelectorAll('table')) { const heads = t.rows[0].cells.length, scrolls = t.scrollWidth > t.clientWidth + 2;
    const prose = [...t.querySelectorAll('td')].some(c => c.textContent.trim().length > 30 && !c.querySelector('.math'));
    if (heads < 4 && prose && scrolls && innerWidth < 500) found.push('a table of ' + heads + ' columns scrolls: ' + about(t));
    if (t.nextElementSibling?.tagName == 'TABLE' && t.nextElementSibling.offsetTop - t.offsetTop - t.offsetHeight < 8) found.push('a table touches the next: ' + about(t));
    for (const row of t.tBodies[0]?.rows ?? []) { const seen = [...row.cells].filter(c => c.offsetLeft - t.offsetLeft < t.clientWidth - 30);
      if (scrolls && row.offsetHeight - Math.max(...seen.map(height)) > 50) found.push('a row is empty where it begins: ' + about(row)) } }
  for (const e of main.querySelectorAll('.cell-output pre')) {
    const lines = e.textContent.trimEnd().split('\\n'), aligned = lines.filter(line => /\\S {2,}\\S/.test(line)).length > 1;
    if (aligned && height(e) > parseFloat(getComputedStyle(e).lineHeight)*(lines.length + .7)) found.push('an output in columns wraps: ' + about(e)) }
  for (const e of main.querySelectorAll('.cell-output pre:not(.aligned)')) if (e.scrollWidth > e.clientWidth + 2) found.push('an output line overflows: ' + about(e));
  dispatchEvent(new Event('resize')); // its own comes later
  for (const e of main.querySelectorAll('table, .math.display, .cell-output-display p, pre.aligned')) if (e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).maskImage == 'none') found.push('it goes on without a sign: ' + about(e));
  for (const i of main.querySelectorAll('img[data-text]')) { const px = i.dataset.text*i.offsetWidth/i.naturalWidth;
    if (px < 8) found.push('text of a figure is ' + px.toFixed(1) + ' pixels: ' + i.alt.slice(0, 60)) }
  for (const i of document.images) if (!i.naturalWidth && !i.src.startsWith('http')) found.push('broken image ' + i.src);
  return found }"""

CONTRAST = """() => { const main = document.querySelector('main'), found = new Set();
  const rgba = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1] };
  const over = (top, below) => [0, 1, 2].map(i => top[i]*top[3] + below[i]*(1 - top[3]));
  const known = new Map(), found_below = e => { const own = rgba(getComputedStyle(e).backgroundColor);
    return own[3] == 1 || !e.parentElement ? own : own[3] ? over(own, ground(e.parentElement)) : ground(e.parentElement) };
  const ground = e => { if (!known.has(e)) known.set(e, found_below(e)); return known.get(e) };
  const light = c => { const [r, g, b] = c.map(v => v/255).map(v => v <= .04045 ? v/12.92 : ((v + .055)/1.055)**2.4); return .2126*r + .7152*g + .0722*b };
  for (const e of main.querySelectorAll('p, li, td, th, a, summary, code')) { const behind = ground(e);
    const [low, high] = [light(behind), light(over(rgba(getComputedStyle(e).color), behind))].sort((a, b) => a - b);
    const ratio = (high + .05)/(low + .05);
    if (light(behind) > .3) found.add(`${e.tagName.toLowerCase()} in a ${e.parentElement.tagName.toLowerCase()}: a light ground by night`);
    if (ratio < 4.5) found.add(`${e.tagName.toLowerCase()} in a ${e.parentElement.tagName.toLowerCase()}: contrast ${ratio.toFixed(1)} by night`) }
  return [...found] }"""


FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync']


def opened(browser):
    tab = browser.new_page()
    tab.route('http*://**', lambda route: route.abort()) # nothing from outside
    tab.set_default_timeout(180_000) # ms: a busy machine draws a long page slowly
    return tab


def look(tab, file, width, scheme, shots):
    "What is wrong with the open page, at a width, by day or by night; keeps its picture."
    tab.set_viewport_size({'width': width, 'height': 900})
    tab.emulate_media(color_scheme=scheme)
    tab.evaluate('dress()') # its event comes later
    if shots: tab.screenshot(path=OUT/'shots'/f'{file.stem}-{width}-{scheme}.png', full_page=True)
    found = tab.evaluate(MEASURE if scheme == 'light' else CONTRAST)
    return [f'{file.name} at {width} pixels: {what}' for what in found]


def pictures(files, shots):
    "What a browser finds wrong with pages; with `shots`, keep pictures of each in _pages/shots."
    from playwright.sync_api import sync_playwright
    found = []
    wanted = [(WIDTHS[0], 'light'), (WIDTHS[0], 'dark'), (WIDTHS[1], 'light'), (WIDTHS[1], 'dark')]
    wanted = wanted if shots else wanted[:3]
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=FLAGS)
        tab = opened(browser)
        for file in files:
            tab.goto(file.as_uri())
            for width, scheme in wanted: found += look(tab, file, width, scheme, shots)
            wanted.reverse() # the next page opens at the width at which this one was left: one layout less
        browser.close()
    return found


def template(title, body, styles, after):
    "A page of its own, without a sidebar: for tests of what a browser finds."
    page = re.sub(r'\$if.*\$endif\$|\$(highlighting-css|sidebar|toc)\$', '', (ROOT/'.ci/page.html').read_text())
    return page.replace('$title$', title).replace('$styles$', styles).replace('$body$', body).replace('$after$', after)


def seen_by_browser(pages, shots):
    return pictures([OUT/meta['output-file'] for meta, _ in pages.values()], shots) if chromium() else []


def main(shots=True):
    shutil.rmtree(OUT, ignore_errors=True)
    for folder in ('img', 'shots'): (OUT/folder).mkdir(parents=True)
    for file in NBS.glob('*.gif'): shutil.copy(file, OUT)
    pages = processed()
    missing = {p.name for p in NBS.glob('*.ipynb')} - pages.keys()
    side = sidebar(pages)
    found = [f'{name} was not processed' for name in missing]
    found += sum(ThreadPoolExecutor().map(lambda name: render(name, pages, side, finished=shots), pages), [])
    if not found: found = faults(pages) + title_faults(pages) + readme_faults() + bar_faults() + seen_by_browser(pages, shots)
    seen = 'no Chromium here: none was opened' if not chromium() else f'pictures in {OUT.name}/shots' if shots else 'all opened'
    return found, f'{len(pages)} pages in {OUT.name}/, {seen}'


if __name__ == '__main__':
    found, said = main()
    print('\n'.join([*found, said]))
    sys.exit(bool(found))
