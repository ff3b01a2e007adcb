"""What the gradient of a two-layer posterior, page any_bound, eq. (5), is worth to the network of the IWAE study.

    OMP_NUM_THREADS=1 python results/two_layers.py results/two_layers.json [--weights runs/two_layers.pt]

Three gradients of the IWAE bound: `iwae`, the standard one; `naive`, doubly reparameterized with each layer's parameters
detached, which drops the indirect score; `iwae_dreg`, which keeps it. First `--model iwae2` is trained on mnist5k; then
the gradients by the two layers of q are drawn on one batch, at several K. What is done is kept in the file, and not done
again.
"""
import time
from functools import partial
from itertools import product
from pathlib import Path

import torch
from fastcore.script import call_parse

from aiwae_nb.any_bound import LayeredPosterior
from aiwae_nb.core import seeded
from aiwae_nb.data import load_dataset
from aiwae_nb.dreg import ESTIMATORS
from aiwae_nb.files import load_checkpoint, load_json, save_checkpoint
from aiwae_nb.models import make_model
from aiwae_nb.objectives import make_objective
from aiwae_nb.snr import gradient_report
from aiwae_nb.train import train
from collect import machine
from migrate import as_text, json_file

START = dict(steps=2000, batch=50, n_samples=5, lr=1e-3, seed=0)
GRADIENTS = dict(n_samples=(2, 5, 16, 64), batch=32, n_draws=100, seed=0)
ARMS = {'iwae': 'iwae', 'naive': 'iwae_dreg', 'iwae_dreg': 'iwae_dreg'} # arm -> estimator


class Naive(LayeredPosterior):
    "Each layer's parameters are detached from the layer below: the same density, and another gradient."
    def log_prob(self, value):
        parts = value.split(self.sizes, -1)
        log_q = self.first.log_prob(parts[0])
        for l in range(1, len(parts)): log_q = log_q + self._layer(l, parts[l-1].detach()).log_prob(parts[l])
        return log_q


def parts_of(model):
    "The parameters of the two layers of q."
    first = [*model.encoder.parameters(), *model.loc.parameters(), *model.raw_scale.parameters()]
    return dict(first=first, second=list(model.up.parameters()))


def started(digits, path):
    "The model from which all begins."
    with seeded(START['seed']): model = make_model('iwae2', digits.train_mean())
    if path.exists(): model.load_state_dict(load_checkpoint(path))
    else:
        objective = make_objective(model, 'iwae_dreg', START['n_samples'])
        train(objective, digits.train, epochs=10**4, steps=START['steps'], batch=START['batch'], lr=START['lr'],
              schedule='constant', seed=START['seed'])
        save_checkpoint(model.state_dict(), path)
    return model.eval()


def gradients(model, x, K, part):
    "The report on the gradients of one layer at one K."
    def loss(arm):
        def drawn():
            q = model.posterior(x)
            if arm == 'naive': q = Naive(q.first, q.layers, q.sizes)
            return ESTIMATORS[ARMS[arm]](partial(model.log_joint, x), q, K)
        return drawn
    found = gradient_report({arm: loss(arm) for arm in ARMS}, parts_of(model)[part], GRADIENTS['n_draws'], 'iwae_dreg',
                            seed=GRADIENTS['seed'], mean_from={'iwae': 'iwae_dreg'})
    return {arm: row._asdict() for arm, row in found.estimators.items()} | dict(n_tests=found.n_tests)


@call_parse
def main(
    target:json_file, # the JSON that is written
    weights:Path=Path('runs/two_layers.pt'), # of the model that is measured; trained if it is not there
):
    "Train the model, and measure its gradients. The same command goes on where the last one stopped."
    result = load_json(target) if target.exists() else {}
    minutes = result.setdefault('minutes', {})
    result |= dict(command=f'OMP_NUM_THREADS=1 python results/two_layers.py results/{target.name}', machine=machine(),
                   start=START, gradient_settings=GRADIENTS)
    def kept(table, name, compute):
        found = result.setdefault(table, {})
        if name in found: return
        began = time.process_time()
        found[name] = compute()
        minutes[table] = round(minutes.get(table, 0) + (time.process_time() - began)/60, 3)
        target.write_text(as_text(result))
        print(table, name, flush=True)
    digits = load_dataset('mnist5k')
    weights.parent.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    start = started(digits, weights)
    minutes.setdefault('start', round((time.process_time() - began)/60, 3))
    with seeded(1): x = torch.bernoulli(digits.train[:GRADIENTS['batch']].float()/255)
    for K, part in product(GRADIENTS['n_samples'], ('first', 'second')):
        kept('gradients', f'K{K}-{part}', lambda: gradients(start, x, K, part))
