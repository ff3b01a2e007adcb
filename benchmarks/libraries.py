"""The page 'from other libraries', run and timed: results/libraries.json.

    python benchmarks/libraries.py results/libraries.json

Each snippet of the page puts two functions into a table, ours and the library's own; each is called by the page, and
again with a clock. `seconds` is the time of the processor, of this process alone; of DDP, whose two processes work
beside it, the time on the wall. A library that is not installed leaves its row out. The slow cells of accelerate run,
those of scVI do not: the page has its row from benchmarks/adapters.py.
"""
import importlib.metadata, os, platform, time, warnings
from pathlib import Path

import torch
from execnb.nbio import read_nb
from execnb.shell import CaptureShell
from fastcore.script import call_parse

from aiwae_nb.core import seeded
from aiwae_nb.files import save_json

PAGE = Path(__file__).parent.parent/'nbs'/'85_other_libraries.ipynb'
# row -> (the estimator that a user of the library takes, its package)
ESTIMATORS = dict(
    torch=('mean of 1,000 weights', 'torch'), Pyro=('RenyiELBO(alpha=0)', 'pyro-ppl'), pythae=('get_nll', 'pythae'),
    Lightning=('the ELBO, logged', 'lightning'), DDP=('mean of 1,000 weights', 'torch'),
    accelerate=('mean of 1,000 weights', 'accelerate'))


def run_page():
    "The names of the page up to its table, whose numbers this script makes."
    page = read_nb(PAGE)
    end = next(i for i, cell in enumerate(page.cells) if 'libraries.json' in cell.source)
    page.cells = page.cells[:end]
    shell = CaptureShell(PAGE)
    def is_skipped(cell): return cell.source.startswith('#| hide') or '#| slow' in cell.source and 'scvi' in cell.source
    shell.run_all(page, preproc=is_skipped)
    return shell.user_ns


def timed(f, clock):
    with seeded(1):
        started = clock()
        return f(), round(clock() - started, 2)


def ours_of(found): # mean and Monte Carlo error; the callback logs them by name
    if isinstance(found, dict): return found['log_p_x'], found['log_p_x_error']
    of = found.summary()
    return of.mean, of.monte_carlo


def row(name, page):
    clock = time.perf_counter if name == 'DDP' else time.process_time
    found, seconds = timed(page['OURS'][name], clock)
    theirs, their_seconds = timed(page['THEIRS'][name], clock)
    ours, error = ours_of(found)
    exact = round(page['exact'].mean().item(), 3)
    estimator, package = ESTIMATORS[name]
    return dict(exact=exact, ours=round(ours, 3), error=round(error, 4), seconds=seconds,
                theirs=round(float(theirs), 3), their_seconds=their_seconds, estimator=estimator,
                version=importlib.metadata.version(package))


@call_parse
def main(
    out:Path, # a JSON file
):
    "Run the page, time its functions, write the table."
    warnings.filterwarnings('ignore')
    os.chdir(PAGE.parent.parent)
    page = run_page()
    rows = {name: row(name, page) for name in ESTIMATORS if name in page['OURS']}
    save_json(dict(benchmark='libraries', command=f'python benchmarks/libraries.py {out}', n_data=len(page['x']),
                   rows=rows, threads=torch.get_num_threads(), machine=platform.machine()), Path(out))
