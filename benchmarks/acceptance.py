"""Acceptance with matrix products in float32 and in bfloat16, at equal step sizes, on a trained model. Prints one JSON line.

    python benchmarks/acceptance.py runs/mnist_iwae5

Both chains anneal from q(z|x) over the same test images, temperatures, step sizes and random numbers; the last
factor of a weight is in float32 in both, and sums always are.
"""
import json
from functools import partial

import torch
from fastcore.script import call_parse

from aiwae_nb.ais import ais, linear_schedule
from aiwae_nb.core import log_mean_exp, std_error
from aiwae_nb.evaluate import test_images
from aiwae_nb.runs import Run


def annealed(model, x, n_chains, T, n_leapfrog, step_size, precision):
    "Chains over the test images, always with the same random numbers."
    return ais(partial(model.log_joint, x), model.posterior(x), n_chains, linear_schedule(T), step_size=step_size,
               n_leapfrog=n_leapfrog, grad_log_joint=partial(model.grad_log_joint, x), precision=precision,
               generator=torch.Generator().manual_seed(0))


def compare(model, x, n_chains, T, n_leapfrog, step_size):
    "Acceptance of both, their difference, and that of log p(x), paired by image."
    found = [annealed(model, x, n_chains, T, n_leapfrog, step_size, p) for p in ('float32', 'bfloat16')]
    full, coarse = (a.accept_rate for a in found)
    values = [log_mean_exp(a.log_w) for a in found]
    shift = values[1] - values[0]
    row = dict(float32=full.mean(), bfloat16=coarse.mean(), difference=(coarse - full).mean(),
               largest_at_one_temperature=(coarse - full).abs().max(),
               log_px_shift=shift.mean(), log_px_shift_error=std_error(shift))
    return dict(step_size=step_size) | {name: round(value.item(), 4) for name, value in row.items()}


@call_parse
def main(
    run:str, # the folder of a run, as runs/mnist_iwae5
    images:int=128, # test images, the first
    chains:int=16, # K
    temperatures:int=100, # T
    leapfrog:int=10, # L
    data:str='', # a folder to look for the data in, before $AIWAE_NB_DATA and the cache
):
    "Compare the acceptance of float32 and bfloat16 forces on a trained model; print one JSON line."
    loaded = Run(run).load(data or None)
    x, model = test_images(loaded.dataset.test, images), loaded.model.requires_grad_(False)
    rows = [compare(model, x, chains, temperatures, leapfrog, step) for step in (.05, .1, .15, .2, .25)]
    flags = dict(images=images, chains=chains, temperatures=temperatures, leapfrog=leapfrog)
    command = f'python benchmarks/acceptance.py {run} ' + ' '.join(f'--{k} {v}' for k, v in flags.items())
    print(json.dumps(dict(benchmark='acceptance', command=command, dataset=loaded.config.dataset, images=len(x),
                          chains=chains, temperatures=temperatures, leapfrog=leapfrog, rows=rows)))
