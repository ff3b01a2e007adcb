"""What is wrong with a figure of a page, by its picture and by the code that draws it.

`.ci/outputs.py` records in each picture the size of its smallest text; `python .ci/outputs.py PAGE` draws the pictures
of a page again.
"""
import ast, base64, io, re

from PIL import Image

MATPLOTLIB = '1f77b4', 'ff7f0e', '2ca02c', 'd62728', '9467bd' # its first colours, which are not those of the pages
NIGHT = .133 # gray of the page by night, where white is 1
FAINTEST = 2.8 # contrast of a gray line with its ground; `gray` has 3.9 on both


def png_of(output): return base64.b64decode(''.join(output['data']['image/png']))


def text_size(output):
    "The size of the smallest text of a figure, in pixels of its picture, as a text; None where it is not recorded."
    return Image.open(io.BytesIO(png_of(output))).info.get('text')


def figures_of(cell):
    "The recorded figures of a cell."
    outputs = [o for o in cell.get('outputs', []) if 'image/png' in o.get('data', {})]
    return [Image.open(io.BytesIO(png_of(o))).convert('RGB') for o in outputs if text_size(o)]


def calls(source):
    "The calls in a cell: (node, its keywords that are constants)."
    for node in ast.walk(ast.parse(re.sub(r'^\s*[%!].*', '', source, flags=re.M))):
        if isinstance(node, ast.Call): yield node, {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}


def dark_maps(source):
    "The heat maps that a cell draws on a dark ground."
    from matplotlib import colormaps
    for node, given in calls(source):
        has_own = any(k.arg == 'colors' for k in node.keywords)
        if has_own or getattr(node.func, 'attr', '') not in ('imshow', 'contourf', 'pcolormesh'): continue
        if min(colormaps[given.get('cmap', 'viridis')](0)[:3]) < .9: yield ast.unparse(node.func)


def luminance(v): return v/12.92 if v <= .04045 else ((v + .055)/1.055)**2.4


def contrast(gray, share):
    "The smaller contrast, by day and by night, of a gray line that covers a share of its pixels."
    inverted = 1 - NIGHT + (2*NIGHT - 1)*gray
    pairs = [sorted((luminance(shade*share + ground*(1 - share)), luminance(ground)))
             for shade, ground in ((gray, 1), (inverted, NIGHT))]
    return min((high + .05)/(low + .05) for low, high in pairs)


def grays(source):
    "Of the lines and marks that a cell draws in gray: (their code, their contrast). Areas may be fainter."
    from matplotlib.colors import to_rgb
    for node, given in calls(source):
        if getattr(node.func, 'attr', '').startswith('fill'): continue
        name = next((given[k] for k in ('color', 'colors', 'c') if isinstance(given.get(k), str)), 'white')
        r, g, b = (1, 0, 0) if re.fullmatch(r'C\d|none', name) else to_rgb(name)
        width = next((given[k] for k in ('lw', 'linewidth', 'linewidths', 'mew') if given.get(k)), 1.5) # points
        if r == g == b < 1: yield ast.unparse(node), contrast(r, min(1, width*100/72)*(given.get('alpha') or 1))


def bad_picture(figure, source):
    "What is wrong with a picture, or None."
    seen = {f'{r:02x}{g:02x}{b:02x}': n for n, (r, g, b) in figure.getcolors(figure.width*figure.height)}
    if any(seen.get(colour, 0) > 99 for colour in MATPLOTLIB):
        return 'a figure in the colours of matplotlib: run the page by .ci/outputs.py'
    if 'natural' in source and min(figure.getpixel((0, 0))) > 200:
        return 'a figure stays white by night: draw it on white without `#| classes: natural`, or on a dark ground'
    return None


def bad_figure(cell):
    "What is wrong with the figures of a code cell, or None."
    source, figures = ''.join(cell['source']), figures_of(cell)
    if len(figures) < sum('image/png' in o.get('data', {}) for o in cell.get('outputs', [])):
        return 'a figure without the size of its text: run the page by .ci/outputs.py'
    found = list(filter(None, (bad_picture(figure, source) for figure in figures)))
    if figures and 'natural' not in source:
        found += [f"{name}: a heat map on a dark ground, which is light by night: cmap='Blues'" for name in dark_maps(source)]
    found += [f'a faint gray: {code}, contrast {ratio:.1f}' for code, ratio in grays(source) if ratio < FAINTEST]
    return next(iter(found), None)
