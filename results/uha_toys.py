"""Fit the energies of the plane by uncorrected Hamiltonian annealing, and by chains and flows of as many parameters.

    python results/uha_toys.py runs/uha-toys results/uha_toys.json

Each fit is an `aiwae_toy` command; what is there already is not run again, and the JSON is written after each.
"""
import itertools, sys, time
from pathlib import Path

from aiwae_nb.files import round_floats
from aiwae_nb.toys import ToyConfig, run_toys, toy_reports
from collect import machine
from migrate import as_text

COMMON = dict(target='all', steps=2000, lr=.01)
ARMS = { # name -> what differs
    'uha8': dict(method='uha', transitions=8), 'hvi1': dict(method='hvi', transitions=1, hidden=1),
    'avo1': dict(method='avo', transitions=1, hidden=1), 'flow1': dict(method='flow', transitions=1, hidden=3),
    'uha16': dict(method='uha', transitions=16), 'hvi4': dict(method='hvi', transitions=4, hidden=1),
    'avo4': dict(method='avo', transitions=4, hidden=1), 'flow4': dict(method='flow', transitions=4, hidden=3)}
SEEDS = range(3)
KEPT = ('kl', 'bound', 'log_z', 'log_z_gap', 'masses', 'truth', 'least_share', 'inside', 'parameters', 'seconds')


def fit(folder, name, seed):
    "The reports of an arm, made where they are not there."
    config = ToyConfig(**COMMON | ARMS[name] | dict(seed=seed))
    place = folder/f'{name}-{seed}'
    return toy_reports(config, place) or run_toys(config, place, progress=False)


def kept(report, draws):
    found = {k: round_floats(report[k]) for k in KEPT}
    return found | (dict(draws=report['draws'][:250]) if draws else {})


def command(name, seed, folder):
    flags = COMMON | ARMS[name] | dict(seed=seed, name=f'{name}-{seed}', out=folder)
    return 'aiwae_toy ' + ' '.join(f'--{k}' if v is True else f'--{k} {v}' for k, v in flags.items())


if __name__ == '__main__':
    folder, target = map(Path, sys.argv[1:])
    cells = {}
    for names in (list(ARMS)[:4], list(ARMS)[4:]):
        for name, seed in itertools.product(names, SEEDS):
            fits = {letter: kept(r, seed == 0) for letter, r in fit(folder, name, seed).items()}
            cells[f'{name}-{seed}'] = dict(arm=name, seed=seed, command=command(name, seed, 'runs/uha-toys'), fits=fits)
            target.write_text(as_text(dict(command=f'python results/uha_toys.py {folder} {target}', machine=machine(),
                                           cells=cells)))
            print(time.strftime('%H:%M'), name, seed, {k: (f['kl'], f['log_z_gap'], f['parameters'], round(f['seconds'])) for k, f in fits.items()}, flush=True)
