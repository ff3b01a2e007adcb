"""Run notebooks and store their outputs: `python .ci/outputs.py 21_dreg 22_snr`, or `make outputs PAGES="21_dreg"`.

Each runs from top to bottom in a fresh process, in its folder, as `nbdev_test` runs it: without cells that are slow,
want a GPU, full data sets or other libraries, whose stored outputs stay. Figures have twice the resolution at the size
that they are shown at, and a palette of 128 colours, which keeps them below 60 kB.
"""
import base64, io, os, re, sys

from fork import ROOT, forked

SKIPPED = r'^#\|\s*(slow|gpu|data|others)\b|nbdev_export\(\)'


def is_skipped(cell): return cell.cell_type == 'code' and bool(re.search(SKIPPED, cell.source, re.M))


def shrunk(png):
    "A picture with a palette, or as it is where that is smaller."
    from PIL import Image
    kept, picture = io.BytesIO(), Image.open(io.BytesIO(png)).convert('RGB')
    picture.quantize(128, dither=Image.Dither.NONE).save(kept, format='png', optimize=True)
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
    CaptureShell(path, mpl_format='retina').run_all(nb, exc_stop=True, preproc=is_skipped)
    for cell in nb.cells:
        if cell.get('id') in kept: cell.outputs = kept[cell.id] or []
        shrink(cell)
    write_nb(nb, path)


if __name__ == '__main__':
    for name in sys.argv[1:]: forked(run, ROOT/'nbs'/f'{name}.ipynb')
