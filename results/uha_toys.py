"""Fit the energies of the plane by uncorrected Hamiltonian annealing, and by chains and flows of about as many parameters.

    python results/uha_toys.py results/uha_toys.json

Fits that the file holds are not run again; it is written after each.
"""
import itertools, time

from fastcore.script import call_parse

from aiwae_nb.files import load_json, round_floats
from aiwae_nb.targets import ENERGIES
from aiwae_nb.toys import draw, fit_toy, toy_report
from collect import machine
from migrate import as_text, json_file

COMMON = dict(steps=500, lr=.04, batch=128)
ARMS = { # name -> the method and its size; one step of AVO is one of HVI, so AVO has two
    'uha': dict(method='uha', transitions=8), 'hvi': dict(method='hvi', transitions=1, hidden=1),
    'avo': dict(method='avo', transitions=2, hidden=1), 'flow': dict(method='flow', transitions=1, hidden=3)}
GRID = dict(n=200, n_draws=40_000) # of a report
KEPT = ('kl', 'bound', 'log_z', 'log_z_gap', 'masses', 'truth', 'least_share', 'inside', 'parameters')


def fitted(arm, letter, seed):
    "What is kept of one fit."
    start, target = time.perf_counter(), ENERGIES[letter]
    toy = fit_toy(target, **COMMON | ARMS[arm] | dict(seed=seed))
    seconds = time.perf_counter() - start
    try: found = toy_report(toy, target, **GRID, seed=seed)._asdict()
    except ValueError as e: found = dict.fromkeys(KEPT) | dict(note=str(e)) # q left the grid
    draws = [[round(v, 2) for v in z] for z in draw(toy, 120, seed).tolist()] if seed == 0 else []
    learned = {name: round_floats(p.tolist()) for name, p in toy.named_parameters()} if arm == 'uha' else {}
    return {k: round_floats(v) for k, v in found.items() if k in (*KEPT, 'note')} | dict(
        seconds=round(seconds, 1), draws=draws, learned=learned)


@call_parse
def main(
    target:json_file, # the JSON that is written
):
    "Fit the arms to the six energies. The same command goes on where the last one stopped."
    fits = load_json(target)['fits'] if target.exists() else {}
    for seed, letter, arm in itertools.product(range(3), ENERGIES, ARMS):
        name = f'{arm}-{letter}-{seed}'
        if name in fits: continue
        fits[name] = dict(arm=arm, target=letter, seed=seed) | fitted(arm, letter, seed)
        about = dict(command='python results/uha_toys.py results/uha_toys.json', machine=machine())
        target.write_text(as_text(about | dict(common=COMMON, arms=ARMS, grid=GRID, fits=fits)))
        shown = (fits[name].get(k) for k in ('parameters', 'kl', 'log_z_gap', 'least_share', 'seconds'))
        print(time.strftime('%H:%M:%S'), name, *shown, flush=True)
