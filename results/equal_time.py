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
from aiwae_nb.core import seeded
from aiwae_nb.data import load_dataset
from aiwae_nb.evaluate import paired_difference
from aiwae_nb.files import align_table, load_json, round_floats
from aiwae_nb.grid import Cell, run_cells
from aiwae_nb.models import make_model
from aiwae_nb.objectives import make_objective
from aiwae_nb.paper_aiwae import aiwae_summary
from collect import machine
from migrate import as_text

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
HEAD = ['difference of NLL, nats', 'of each seed', 'mean', 'error over seeds', 'z over seeds', 'error over images',
        'Monte Carlo error']


def step_seconds(dataset, flags, turns=15):
    "CPU seconds of a training step of each arm: the median of steps in turns."
    digits = load_dataset(dataset)
    compiled = flags['compile']
    with seeded(0): x = torch.bernoulli(digits.train[:flags['batch']].float()/255)
    def stepper(arm):
        "A step of training."
        own = dict(ARMS[arm])
        family = {k: own.pop(k) for k in ('family', 'transitions') if k in own}
        size = dict(hidden=(int(flags['hidden']),), n_latent=flags['latent']) if 'hidden' in flags else {}
        with seeded(0): model = make_model(flags['model'], digits.train_mean(), **family, **size)
        objective = make_objective(model, own.pop('objective'), own.pop('samples'), flags['precision'], **own)
        optimizer = torch.optim.Adam(objective.parameters(), fused=True)
        forward = objective.train().compiled(x) if compiled else objective
        def step():
            optimizer.zero_grad(set_to_none=True)
            forward(x).backward()
            optimizer.step()
            objective.after_step(optimizer)
        return step
    steppers = {arm: stepper(arm) for arm in ARMS}
    found = {arm: [] for arm in ARMS}
    for turn in range(turns + 3):
        for arm, step in steppers.items():
            began = time.process_time()
            step()
            if turn >= 3: found[arm].append(time.process_time() - began)
    return {arm: round(statistics.median(values), 5) for arm, values in found.items()}


def cell_of(group, arm, lr, steps, budget, images, more, seed=0, **effort):
    "A run of so many steps, and its evaluation."
    key = dict(group=group, arm=arm.replace(', ', '_').replace(' ', '_'), lr=lr, trial=seed)
    flags = TRAIN | ARMS[arm] | dict(dataset=budget['dataset'], lr=lr, steps=steps, seed=seed) | more
    return Cell(key, flags, '', EVALUATE | dict(images=images, compile=flags['compile']) | effort)


def done(one, folder):
    "What is kept of a cell; it is run if it was not."
    if failed := run_cells([one], folder, progress=False): raise SystemExit(f"{failed[0]} failed: see its log.txt")
    found = aiwae_summary(one, folder)
    print(time.strftime('%H:%M:%S'), one.name, found['report']['nll'], flush=True)
    return found


def difference(arms, arm, other):
    "NLL of an arm minus another's, over seeds, and over images of their mean."
    def values(name, what): return torch.tensor([found[what] for found in arms[name]]).double()
    a, b = values(arm, 'log_p'), values(other, 'log_p')
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    of_seeds = paired_difference(b.mean(1), a.mean(1)) if n > 1 else None
    errors = [values(name, 'log_p_error')[:n].square().sum(0).sqrt()/n for name in (arm, other)]
    of_images = paired_difference(b.mean(0), a.mean(0), *errors)
    seeds = dict(error_over_seeds=of_seeds.std_error, z_over_seeds=of_seeds.z) if of_seeds else {}
    return dict(arm=arm, other=other) | round_floats(dict(
        seeds=(b - a).mean(1).tolist(), mean=of_images.mean, error_over_images=of_images.std_error,
        monte_carlo=of_images.monte_carlo, **seeds))


def table_rows(result):
    "The differences as lines of text: a head, then a line each."
    def line(d):
        each = ' '.join(f'{v:+.2f}' for v in d['seeds'])
        error, z = (d.get(k, float('nan')) for k in ('error_over_seeds', 'z_over_seeds'))
        return [f"{d['arm']} minus {d['other']}", each, f"{d['mean']:+.3f}", f'{error:.3f}', f'{z:.1f}',
                f"{d['error_over_images']:.3f}", f"{d['monte_carlo']:.3f}"]
    return [HEAD, *map(line, result['differences'])]


@call_parse
def main(
    target:Path, # the JSON that is written
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
    result |= dict(command=f'OMP_NUM_THREADS=1 python results/equal_time.py results/{target.name} {flags}',
                   machine=machine(), budget=budget, arms=ARMS)
    def kept(name, compute):
        if name not in result:
            result[name] = compute()
            target.write_text(as_text(result))
        return result[name]
    times = kept('step_seconds', lambda: step_seconds(budget['dataset'], TRAIN | more))
    def steps(arm, of): return max(2, round(budget[of]/times[arm]))
    def pilot(arm, lr):
        one = cell_of('pilot', arm, lr, steps(arm, 'pilot_seconds'), budget, budget['pilot_images'],
                      more | dict(compile=False), tolerance=.2, validation=True)
        return done(one, folder)['report']['nll']
    for arm in ARMS: kept(f'pilot {arm}', lambda: {str(lr): pilot(arm, lr) for lr in RATES})
    arms = {arm: [] for arm in ARMS}
    for seed, arm in product(range(first, budget['seeds']), ARMS):
        tried = result[f'pilot {arm}']
        lr = float(min(tried, key=tried.get))
        one = cell_of('run', arm, lr, steps(arm, 'seconds'), budget, budget['images'], more, seed)
        arms[arm].append(done(one, folder))
        pairs = [(arm, 'iwae') for arm in list(ARMS)[1:]] + [('aiwae, mass of q', 'aiwae'), ('uha', 'aiwae')]
        pairs = [(a, b) for a, b in pairs if arms[a] and arms[b]]
        result['differences'] = [difference(arms, *pair) for pair in pairs]
        result['runs'] = arms
        target.write_text(as_text(result))
    print(align_table(table_rows(result)))
