"""Each check of a rendered page finds what is wrong with a page, and nothing in a page that is right: a page a check.

`python .ci/wrong_pages.py`; without a browser only the checks that need none.
"""
import base64, io, sys, tempfile
from pathlib import Path

from PIL import Image, PngImagePlugin

import figures, render

WIDE = '<math display="block"><mrow>' + '<mi>w</mi><mo>+</mo>'*24 + '</mrow></math>'
FORMULA = f'<p><span class="math display">{WIDE}</span></p>'
INLINE = f'<p>a formula <span class="math inline">{WIDE.replace("block", "inline")}</span> in a line</p>'
OUTPUT = '<div class="cell-output"><pre><code>' + 'word '*60 + '</code></pre></div>'
CODE = '<p>a <code>name</code> in a line</p>'
TABLE = '<table><tr>' + '<td>a_long_entry</td>'*20 + '</tr></table>'
CELLS = '<table><tr><td><code>--{}</code></td><td>0.123 ± 0.004</td><td>{}</td></tr></table>'.format('flag_'*2, 'word '*40)
DEEP = '<pre><code class="sourceCode"><span>' + ' '*34 + 'x = f(a_long_name, another_long_name)</span>\n<span>x</span></code></pre>'
HEADS = '<thead><tr>' + '<th>head</th>'*6 + '</tr></thead>'
LONG = f'<table>{HEADS}<tr>' + '<td>an entry of words</td>'*5 + '<td><code>aiwae_train' + ' --flag value'*30 + '</code></td></tr></table>'


def png(size=(1200, 500), colour='white', text='22.2'):
    "A picture in one colour, as a base64 text; with a record of the size of its text where one is given."
    notes, out = PngImagePlugin.PngInfo(), io.BytesIO()
    if text: notes.add_text('text', text)
    Image.new('RGB', size, colour).save(out, format='png', pnginfo=notes)
    return base64.b64encode(out.getvalue()).decode()


# a figure of 600 pixels, whose smallest text has 11
FIGURE = f'<div class="cell-output-display"><p><img alt="a figure" width="600" data-text="22.2" src="data:image/png;base64,{png()}"></p></div>'
FEW = '<table><tr><td>check_discrete_posterior</td><td>' + 'word '*30 + '</td></tr></table>'
COLUMNS = '<div class="cell-output"><pre><code>' + ('a name' + ' '*30 + '1.234' + ' '*20 + '5.678\n')*3 + '</code></pre></div>'
PAGE = FIGURE + FORMULA + INLINE + OUTPUT + CODE + TABLE + CELLS + CELLS + DEEP + LONG + FEW + COLUMNS

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
    'a figure on a phone': ('img.style.minWidth', FIGURE, 'text of a figure is 6.'),
    'a figure of small text': ('', FIGURE.replace('22.2', '20'), 'text of a figure is 7.5'),
    'a figure that goes on': ('const wide', FIGURE, 'it goes on without a sign: p'),
    'a number and its error': ('cell.style.whiteSpace', CELLS, 'a short cell on two lines: td 0.123'),
    'a long cell': ("'--least-phone'", LONG.replace(HEADS, ''), 'a cell is squeezed: td aiwae_train'),
    'a table of prose': ("classList.add('cards')", LONG, 'a row is empty where it begins'),
    'tables that touch': ('margin-bottom: 1rem; }', CELLS + CELLS, 'a table touches the next'),
    'a table of two columns': ('', FEW.replace('<td>word', '<td style="min-width: 22rem">word'), 'a table of 2 columns scrolls'),
    'an output in columns': ('.aligned', COLUMNS, 'an output in columns wraps'),
    'an output in columns that goes on': ('const wide', COLUMNS, 'it goes on without a sign: pre'),
    'a flag': ('cell.style.whiteSpace', CELLS, 'a short cell on two lines: td --flag'),
    'deep code': ('.lead-space {', DEEP, 'squeezed code'),
    'a broken image': ('', '<p><img src="none.png" alt="none"></p>', 'broken image'),
}


def entry(text): return {'source': 'show_doc(f)', 'outputs': [{'output_type': 'x', 'data': {'text/markdown': text}}]}


ENTRIES = {
    'def f(\n    x:Tensor, # (K,)\n)': False,
    'def f(\n    *c:Tensor, # (N, ...) context\n)': False,
    'def Row(\n    *args, **kwargs\n):': True,
    'def f(\n    ax:NoneType=None\n)': True,
    'def f(\n    on_move:Callable=<lambda>\n)': True,
    '| flag | default |  |\n| --- | --- | --- |': True,
    '| flag | default | meaning |\n| --- | --- | --- |\n| `--n` |  |  |': False,
    'start it by torchrun `--standalone` 2': True,
    'start it by `torchrun --standalone 2`, or with `--start`': False,
}


TEXTS = {'*Misuse.*': True, 'A proof.\n\n$\\square$\n\nMore.': True, '*Misuse.* A bad one. $\\square$\n\nMore.': False}

# code of a cell, colour and record of its figure: what is found
FIGURES = {
    ('ax.plot(x)', 'white', '22.2'): None,
    ('ax.plot(x)', '#1f77b4', '22.2'): 'the colours of matplotlib',
    ('ax.plot(x)', 'white', ''): 'without the size of its text',
    ('#| classes: natural\nax.imshow(a)', 'white', '22.2'): 'stays white by night',
    ('#| classes: natural\nax.imshow(a)', 'black', '22.2'): None,
    ('ax.imshow(a)', 'white', '22.2'): 'dark ground',
    ("ax.contourf(a,\n  cmap='magma')", 'white', '22.2'): 'dark ground',
    ("ax.contourf(a,\n  cmap='Blues')", 'white', '22.2'): None,
    ("ax.contourf(a, colors=['#e4e4e4', '#a0a0a0'])", 'white', '22.2'): None,
    ("ax.axhline(0, color='gray', lw=1)", 'white', '22.2'): None,
    ("ax.axhline(0, color='gray', lw=.5)", 'white', '22.2'): 'a faint gray',
    ("ax.plot(x, color='silver')", 'white', '22.2'): 'a faint gray',
    ("ax.plot(x, color='gray', alpha=.3)", 'white', '22.2'): 'a faint gray',
    ("ax.plot(x, color='C1', lw=.3)", 'white', '22.2'): None,
}


CITED = 'see [@neal2001, sec. 2] and @none1999, with `@patch` and a@b.org' # the second is in no bibliography
NUMBERS = {r'$$a \tag{1}$$ $$b \tag{2}$$': False, 'no equation': False, r'$$a \tag{2}$$ $$b \tag{1}$$': True, r'$$a \tag{2}$$': True}
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
    for text, is_bad in TEXTS.items():
        if bool(render.bad_text({'source': text})) != is_bad: yield f'a text is {"not " if is_bad else ""}refused: {text!r}'
    for text, is_bad in NUMBERS.items():
        if bool(render.bad_numbers(text)) != is_bad: yield f'numbers of equations are {"not " if is_bad else ""}refused: {text!r}'
    for (source, colour, text), expected in FIGURES.items():
        cell = {'source': source, 'outputs': [{'data': {'image/png': png(colour=colour, text=text)}}]}
        said = figures.bad_figure(cell)
        if (expected or '') not in (said or '') or (said and not expected): yield f'a figure by {source!r}: {said} said, expected {expected}'
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
    print('\n'.join(found) or f'{len(CASES) + len(ENTRIES) + len(TITLES) + len(FIGURES) + len(TEXTS) + len(NUMBERS)} pages, entries, titles, figures, texts and numbers are judged rightly')
    sys.exit(bool(found))
