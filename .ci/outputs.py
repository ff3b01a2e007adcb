"""Run notebooks and store their outputs: `python .ci/outputs.py 21_dreg 22_snr`, or `make outputs PAGES="21_dreg"`.

Each runs from top to bottom in a fresh process, in its folder, as `nbdev_test` runs it: without cells that are slow,
want a GPU, full data sets or other libraries, whose stored outputs stay. Figures have twice the resolution at the size
that they are shown at, and a palette of 64 colours, which keeps them below 60 kB. Each figure records the height of
its smallest text in pixels, `text`, from which .ci/render.py knows whether a phone shows it legibly.
"""
import base64, io, os, re, sys
from functools import wraps

from fork import ROOT, forked

SKIPPED = r'^#\|\s*(slow|gpu|data|others)\b|nbdev_export\(\)'


def is_skipped(cell): return cell.cell_type == 'code' and bool(re.search(SKIPPED, cell.source, re.M))


def smallest_text(figure):
    "The size of a figure's smallest text, in pixels of its picture."
    from matplotlib.text import Text
    sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return min(sizes, default=72)*figure.dpi/72


def record_text():
    "Let matplotlib write the size of the smallest text into each PNG."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    def recording(draw):
        @wraps(draw)
        def drawn(canvas, *args, metadata=None, **how):
            return draw(canvas, *args, metadata={'text': f'{smallest_text(canvas.figure):.1f}'} | (metadata or {}), **how)
        return drawn
    FigureCanvasAgg.print_png = recording(FigureCanvasAgg.print_png)


def shrunk(png):
    "A picture with a palette, or as it is where that is smaller."
    from PIL import Image, PngImagePlugin
    kept, picture, notes = io.BytesIO(), Image.open(io.BytesIO(png)), PngImagePlugin.PngInfo()
    if 'text' in picture.info: notes.add_text('text', picture.info['text'])
    picture.convert('RGB').quantize(64, dither=Image.Dither.NONE).save(kept, format='png', optimize=True, pnginfo=notes)
    return min(png, kept.getvalue(), key=len)


def shrink(cell):
    for output in cell.get('outputs', []):
        if 'image/png' not in output.get('data', {}): continue
        png = base64.b64decode(''.join(output['data']['image/png']))
        output['data']['image/png'] = base64.b64encode(shrunk(png)).decode() + '\n'


def run(path):
    os.chdir(path.parent) # before matplotlib is imported, which reads matplotlibrc here
    os.environ['MPLBACKEND'] = 'module://matplotlib_inline.backend_inline'
    from execnb.nbio import read_nb, write_nb
    from execnb.shell import CaptureShell
    nb = read_nb(path)
    kept = {cell.id: cell.get('outputs') for cell in nb.cells if is_skipped(cell)}
    for cell in nb.cells: # a cell without an output would keep its old one
        if cell.cell_type == 'code': cell.outputs = []
    record_text()
    CaptureShell(path, mpl_format='retina').run_all(nb, exc_stop=True, preproc=is_skipped)
    for cell in nb.cells:
        if cell.get('id') in kept: cell.outputs = kept[cell.id] or []
        shrink(cell)
    write_nb(nb, path)


if __name__ == '__main__':
    for name in sys.argv[1:]: forked(run, ROOT/'nbs'/f'{name}.ipynb')
