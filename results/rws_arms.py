"""Train from one checkpoint the model by importance sampling (IS) or annealing (AIS), and q by each of three losses.

    OMP_NUM_THREADS=1 python results/rws_arms.py results/rws_arms.json

The six arms have one objective, `aiwae`: with --leapfrog 0 its chains do not move, and the model learns as by IWAE.
Runs that are done are kept in the folder of runs, and not done again; the file is written after each. --small: a
quick try.
"""
import time
from itertools import product
from pathlib import Path

from fastcore.script import call_parse, store_true

from aiwae_nb.checks import check_count
from aiwae_nb.files import align_table
from aiwae_nb.grid import LONG_CHAINS, Cell, run_cells
from aiwae_nb.paper_aiwae import aiwae_summary
from collect import DIFFERENCE, difference, difference_cells, machine
from migrate import as_text, json_file

THETA = dict(IS=dict(temperatures=2, leapfrog=0), AIS=dict(temperatures=5)) # how the model is trained
PHI = ('elbo', 'rws', 'dreg') # how q is
KS = (1, 5)
NOISE = (1, 'IS', 'rws') # one sample that does not move: the wake gradient of q has mean zero
TRAIN = dict(dataset='mnist', model='aiwae', batch=20, epochs=10**4, schedule='constant') # steps end it
FAST = dict(precision='float32', compile=True)
EVALUATE = LONG_CHAINS | dict(samples=500, training=0, no_half=True, precision='float32')
SMALL = dict(steps=4, start_steps=8, images=10, temperatures=10, seeds=2)
FEW = dict(dataset='mnist5k', hidden='20', latent=5, compile=False)


def start_cell(steps, **more):
    "The run from which all begin."
    return Cell(dict(group='start'), TRAIN | dict(objective='iwae', samples=1, lr=1e-3, steps=steps, seed=0) | more)


def arm_cells(first, steps, seeds, effort, **more):
    "The arms of each K, a seed after the other."
    def cell(seed, K, theta, phi):
        key = dict(group='arm', dataset='mnist', K=K, theta=theta, inference_loss=phi, trial=seed)
        method = dict(objective='aiwae', samples=K, inference_loss=phi) | THETA[theta]
        settings = TRAIN | method | FAST | dict(lr=3.7e-4, steps=steps, seed=seed)
        return Cell(key, settings | more, first, EVALUATE | effort)
    return [cell(*choices) for choices in product(range(seeds), KS, THETA, PHI) if choices[1:] != NOISE]


def differences(cells):
    "Of theta at the same phi, and of phi at the same theta."
    arms, rows = {}, [] # (K, theta, phi) -> seed -> what is kept
    for cell in cells:
        key = cell['key']
        arms.setdefault((key['K'], key['theta'], key['inference_loss']), {})[key['trial']] = cell
    pairs = [(('AIS', phi), ('IS', phi)) for phi in PHI]
    pairs += [((theta, phi), (theta, 'elbo')) for theta in THETA for phi in PHI[1:]]
    for K, (arm, other) in product(KS, pairs):
        found = difference(arms.get((K, *arm), {}), arms.get((K, *other), {}))
        if found: rows.append(dict(K=K, arm=arm, other=other) | found)
    return rows


def table_rows(result):
    "The differences as lines of text: a head, then a line each."
    rows = [[str(d['K']), *difference_cells(f"{', '.join(d['arm'])} minus {', '.join(d['other'])}", d)]
            for d in result['differences']]
    return [['K', *DIFFERENCE], *rows]


@call_parse
def main(
    target:json_file, # the JSON that is written
    folder:Path=Path('runs/rws_arms'), # of the runs
    steps:int=3000, # of each arm: an epoch
    start_steps:int=9000, # of the run from which all begin
    images:int=200, # test images of NLL
    temperatures:int=300, # of their chains
    seeds:int=3, # of each arm
    small:store_true=False, # a quick try, with few steps of a small model
):
    "Train, evaluate and compare the arms. The same command goes on where the last one stopped."
    check_count(steps=steps, start_steps=start_steps, images=images, seeds=seeds)
    check_count(least=2, temperatures=temperatures)
    budget = dict(steps=steps, start_steps=start_steps, images=images, temperatures=temperatures, seeds=seeds)
    if small: budget = SMALL
    more = FEW if small else {}
    start = start_cell(budget['start_steps'], **more)
    effort = dict(images=budget['images'], temperatures=budget['temperatures'], compile=not small)
    cells = arm_cells(start.name, budget['steps'], budget['seeds'], effort, **more)
    flags = '--small' if small else ' '.join(f'--{name} {value}' for name, value in budget.items())
    about = dict(command=f'OMP_NUM_THREADS=1 python results/rws_arms.py results/{target.name} {flags}',
                 machine=machine(), budget=budget)
    done = {}
    for cell in (start, *cells):
        if failed := run_cells([cell], folder, progress=False): raise SystemExit(f"{failed[0]} failed: see its log.txt")
        if cell is start: continue
        done[cell.name] = aiwae_summary(cell, folder)
        counts = dict(done=len(done), of=len(cells))
        result = about | counts | dict(differences=differences(done.values()), cells=done)
        target.write_text(as_text(result))
        print(time.strftime('%H:%M:%S'), cell.name, done[cell.name]['report']['nll'], flush=True)
    print(align_table(table_rows(result)))
