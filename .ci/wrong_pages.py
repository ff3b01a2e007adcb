"""Each check of a rendered page finds what is wrong with a page, and nothing in a page that is right: a page a check.

`python .ci/wrong_pages.py`; without a browser only the checks that need none.
"""
import sys, tempfile
from pathlib import Path

import render

WIDE = '<math display="block"><mrow>' + '<mi>w</mi><mo>+</mo>'*24 + '</mrow></math>'
FORMULA = f'<p><span class="math display">{WIDE}</span></p>'
INLINE = f'<p>a formula <span class="math inline">{WIDE.replace("block", "inline")}</span> in a line</p>'
OUTPUT = '<div class="cell-output"><pre><code>' + 'word '*60 + '</code></pre></div>'
CODE = '<p>a <code>name</code> in a line</p>'
TABLE = '<table><tr>' + '<td>a_long_entry</td>'*20 + '</tr></table>'
CELLS = '<table><tr><td><code>--{}</code></td><td>0.123 ± 0.004</td><td>{}</td></tr></table>'.format('flag_'*3, 'word '*99)
DEEP = '<pre><code class="sourceCode"><span>' + ' '*34 + 'x = f(a_long_name, another_long_name)</span>\n<span>x</span></code></pre>'
LONG = '<table><tr>' + '<td>an entry of words</td>'*5 + '<td><code>aiwae_train' + ' --flag value'*30 + '</code></td></tr></table>'
PAGE = FORMULA + INLINE + OUTPUT + CODE + TABLE + CELLS + DEEP + LONG

# what is wrong: (what is taken out of the site's own style, what is on the page, what is found)
CASES = {
    'nothing': ('', PAGE, None),
    'a formula in a line': ('main p, main ul', INLINE, 'pans sideways'),
    'an output line': ('.cell-output pre,', OUTPUT, 'output line overflows'),
    'inline code by night': ('main :not(pre) > code', CODE, 'light ground by night'),
    'pale text by night': ('', '<p style="color: #777">text</p>', 'contrast'),
    'a wide table': ('main table', TABLE, 'pans sideways'),
    'a table that goes on': ('main .goes-on', TABLE, 'it goes on without a sign: table'),
    'a formula that goes on': ('const fade', FORMULA, 'it goes on without a sign: span'),
    'a number and its error': ('cell.style.whiteSpace', CELLS, 'a short cell on two lines: td 0.123'),
    'a long cell': ('cell.style.minWidth', LONG, 'a cell is squeezed: td aiwae_train'),
    'a flag': ('cell.style.whiteSpace', CELLS, 'a short cell on two lines: td --flag'),
    'deep code': ('40vw', DEEP, 'squeezed code'),
    'a broken image': ('', '<p><img src="none.png" alt="none"></p>', 'broken image'),
}


def entry(text): return {'source': 'show_doc(f)', 'outputs': [{'output_type': 'x', 'data': {'text/markdown': text}}]}


ENTRIES = {
    'def f(\n    x:Tensor, # (K,)\n)': False,
    'def f(\n    *c:Tensor, # (N, ...) context\n)': False,
    'def Row(\n    *args, **kwargs\n):': True,
    'def f(\n    ax:NoneType=None\n)': True,
    'def f(\n    on_move:Callable=<lambda>\n)': True,
}


CITED = 'see [@neal2001, sec. 2] and @none1999, with `@patch` and a@b.org' # the second is in no bibliography
TITLES = {'DReG estimators': False, 'dreg': True} # of 21_dreg.ipynb


def without(file, rule):
    "A file of the site's own style without the lines that hold a rule."
    lines = (render.NBS/file).read_text().splitlines()
    return '\n'.join(line for line in lines if not rule or rule not in line)


def faults():
    for text, is_bad in ENTRIES.items():
        if bool(render.bad_entry(entry(text))) != is_bad: yield f'an entry is {"not " if is_bad else ""}refused: {text!r}'
    if render.cited(CITED) != ['neal2001', 'none1999'] or {'neal2001', 'none1999'} & render.known_works() != {'neal2001'}:
        yield f'works cited in {CITED!r}: {render.cited(CITED)}'
    maps = [{'source': f'{first}\nax.imshow(a)', 'outputs': [{'data': {'image/png': ''}}]} for first in ('#| classes: natural', '')]
    if [bool(render.bad_heat_map(cell)) for cell in maps] != [False, True]: yield 'heat maps are judged wrongly'
    if render.dashes('with –validation, or 1–5, a–b, x – y') != ['–validation']: yield 'a flag with a dash is not refused, or a range is'
    for title, is_bad in TITLES.items():
        if bool(render.title_faults({'21_dreg.ipynb': ({'title': title}, [])})) != is_bad: yield f'a title is {"not " if is_bad else ""}refused: {title!r}'
    if not render.chromium(): return
    with tempfile.TemporaryDirectory() as folder:
        files = {title: Path(folder)/f'{i}.html' for i, title in enumerate(CASES)}
        for title, (rule, body, _) in CASES.items():
            files[title].write_text(render.template(title, body, *(without(file, rule) for file in ('styles.css', 'wrap.html'))))
        found = render.pictures(files.values(), False)
    for title, (_, _, expected) in CASES.items():
        said = [line for line in found if line.startswith(files[title].name + ' ')]
        is_right = not said if expected is None else any(expected in line for line in said)
        if not is_right: yield f'{title}: {said} said, expected {expected}'


if __name__ == '__main__':
    found = list(faults())
    print('\n'.join(found) or f'{len(CASES) + len(ENTRIES) + len(TITLES)} pages, entries and titles are judged rightly')
    sys.exit(bool(found))
