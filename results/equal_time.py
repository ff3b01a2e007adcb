"""Train on MNIST for equal CPU time: IWAE, annealing with two masses, and Hamiltonian annealing; NLL by annealing.

    OMP_NUM_THREADS=1 python results/equal_time.py results/equal_time.json

First the arms take turns in one process, and the time of a step of each sets its number of steps. Each arm chooses its
learning rate by the NLL of images that are held out, after a short run. Then it is trained with several seeds by the
recipe (a cosine in batches of 128). Runs that are done are kept in the folder of runs, and not done again; the file is
written after each. --small: a quick try. --first 2: the last seeds alone, for a second process.
"""
import statistics, time
from itertools import product
from pathlib import Path

import torch
from fastcore.script import call_parse, store_true

from aiwae_nb.checks import check_count
from aiwae_nb.evaluate import test_images
from aiwae_nb.files import align_table, load_json
from aiwae_nb.grid import Cell, run_cells
from aiwae_nb.paper_aiwae import aiwae_summary
from aiwae_nb.runs import RunConfig, build_run
from aiwae_nb.train import adam
from collect import DIFFERENCE, difference, difference_cells, machine
from migrate import as_text, json_file

ARMS = { # name -> flags
    'iwae': dict(objective='iwae_dreg', samples=5),
    'aiwae': dict(objective='aiwae', samples=5, temperatures=5),
    'aiwae, mass of q': dict(objective='aiwae', samples=5, temperatures=5, mass='q'),
    'uha': dict(objective='uha', family='uha', transitions=5, samples=1)}
RATES = (1e-3, 4e-3)
TRAIN = dict(model='iwae', batch=128, eps=1e-6, schedule='cosine', epochs=10**4, validation=5000,
             precision='float32', compile=True)
EVALUATE = dict(samples=500, chains=16, tolerance=.05, precision='float32', compile=True, training=0, simulated=0)
FULL = dict(dataset='mnist', seconds=100, pilot_seconds=20, images=200, pilot_images=50, seeds=3)
SMALL = dict(dataset='mnist5k', seconds=2, pilot_seconds=1, images=10, pilot_images=10, seeds=2)
FEW = dict(hidden='20', latent=5, compile=False, validation=20)


def flags_of(arm, budget, more): return TRAIN | ARMS[arm] | dict(dataset=budget['dataset']) | more


def training_step(flags):
    "A step of `aiwae_train` with these flags, again and again on its first images."
    built = build_run(RunConfig.from_flags(**flags))
    objective, x = built.objective, test_images(built.dataset.train, flags['batch'])
    optimizer = adam(objective.parameters())
    forward = objective.train().compiled(x) if flags['compile'] else objective
    def step():
        optimizer.zero_grad(set_to_none=True)
        forward(x).backward()
        optimizer.step()
        objective.after_step(optimizer)
    return step


def step_seconds(steps, turns=15):
    "Name -> CPU seconds of a call of `steps[name]`: the median of calls in turns."
    found = {name: [] for name in steps}
    for turn in range(turns + 3):
        for name, step in steps.items():
            began = time.process_time()
            step()
            if turn >= 3: found[name].append(time.process_time() - began)
    return {name: round(statistics.median(values), 5) for name, values in found.items()}


def arm_seconds(budget, more):
    "CPU seconds of a training step of each arm."
    return step_seconds({arm: training_step(flags_of(arm, budget, more)) for arm in ARMS})


def cell_of(group, arm, lr, steps, budget, images, more, seed=0, **effort):
    "A run of so many steps, and its evaluation."
    key = dict(group=group, arm=arm.replace(', ', '_').replace(' ', '_'), lr=lr, trial=seed)
    flags = flags_of(arm, budget, dict(lr=lr, steps=steps, seed=seed) | more)
    return Cell(key, flags, '', EVALUATE | dict(images=images, compile=flags['compile']) | effort)


def done(one, folder):
    "What is kept of a cell; it is run if it was not."
    if failed := run_cells([one], folder, progress=False): raise SystemExit(f"{failed[0]} failed: see its log.txt")
    found = aiwae_summary(one, folder)
    print(time.strftime('%H:%M:%S'), one.name, found['report']['nll'], flush=True)
    return found


def differences(arms): # arm -> seed -> what is kept
    "Of each arm and IWAE, and of the other chains and annealing with the identity."
    pairs = [(arm, 'iwae') for arm in list(ARMS)[1:]] + [('aiwae, mass of q', 'aiwae'), ('uha', 'aiwae')]
    rows = [dict(arm=arm, other=other) | difference(arms[arm], arms[other]) for arm, other in pairs]
    return [row for row in rows if 'mean' in row]


def table_rows(result):
    "The differences as lines of text: a head, then a line each."
    return [DIFFERENCE, *[difference_cells(f"{d['arm']} minus {d['other']}", d) for d in result['differences']]]


@call_parse
def main(
    target:json_file, # the JSON that is written
    folder:Path=Path('runs/equal_time'), # of the runs
    seconds:int=100, # CPU seconds of training of each run
    images:int=200, # test images of NLL
    seeds:int=3, # of each arm
    first:int=0, # the seed to begin with
    small:store_true=False, # a quick try, with few steps of a small model
):
    "Train, evaluate and compare the arms. The same command goes on where the last one stopped."
    torch.set_num_threads(1)
    check_count(seconds=seconds, images=images, seeds=seeds)
    check_count(least=0, first=first)
    budget = SMALL if small else FULL | dict(seconds=seconds, images=images, seeds=seeds)
    more = FEW if small else {}
    flags = '--small' if small else f'--seconds {seconds} --images {images} --seeds {seeds}'
    result = load_json(target) if target.exists() else {}
    known = result.get('budget', budget)['dataset']
    if known != budget['dataset']: raise SystemExit(f"{target} holds runs on {known}: give another file")
    result |= dict(command=f'OMP_NUM_THREADS=1 python results/equal_time.py results/{target.name} {flags}',
                   machine=machine(), budget=budget, arms=ARMS)
    def kept(name, compute):
        if name not in result:
            result[name] = compute()
            target.write_text(as_text(result))
        return result[name]
    times = kept('step_seconds', lambda: arm_seconds(budget, more))
    def steps(arm, of): return max(2, round(budget[of]/times[arm]))
    def pilot(arm, lr):
        one = cell_of('pilot', arm, lr, steps(arm, 'pilot_seconds'), budget, budget['pilot_images'],
                      more | dict(compile=False), tolerance=.2, validation=True)
        return done(one, folder)['report']['nll']
    for arm in ARMS: kept(f'pilot {arm}', lambda: {str(lr): pilot(arm, lr) for lr in RATES})
    arms = {arm: {} for arm in ARMS}
    for seed, arm in product(range(first, budget['seeds']), ARMS):
        tried = result[f'pilot {arm}']
        lr = float(min(tried, key=tried.get))
        one = cell_of('run', arm, lr, steps(arm, 'seconds'), budget, budget['images'], more, seed)
        arms[arm][seed] = done(one, folder)
        result |= dict(differences=differences(arms), runs={name: list(of.values()) for name, of in arms.items()})
        target.write_text(as_text(result))
    print(align_table(table_rows(result)))
