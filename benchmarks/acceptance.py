"""Acceptance with forces in float32 and in bfloat16, at equal step sizes, on a trained model. Prints one JSON line.

    python benchmarks/acceptance.py runs/mnist_iwae5

Both chains anneal from q(z|x) over the same test images, temperatures, step sizes and random numbers; energies and weights are float32 in both.
"""
import json

import torch
from fastcore.script import call_parse

from aiwae_nb.ais import ais, linear_schedule
from aiwae_nb.core import log_mean_exp, std_error
from aiwae_nb.evaluate import load_run, test_images


def compare(net, x, chains, temperatures, leapfrog, step_size):
    "Acceptance of both, their difference, and that of log p(x), paired by image."
    found = {p: ais(lambda z: net.log_joint(x, z), net.posterior(x), chains, linear_schedule(temperatures), step_size=step_size, n_leapfrog=leapfrog,
                    score=lambda z: net.score(x, z), precision=p, generator=torch.Generator().manual_seed(0)) for p in (None, 'bfloat16')}
    rates, values = [a.accept_rate for a in found.values()], [log_mean_exp(a.log_w) for a in found.values()]
    shift = values[1] - values[0]
    return dict(step_size=step_size, float32=round(rates[0].mean().item(), 4), bfloat16=round(rates[1].mean().item(), 4), difference=round((rates[1] - rates[0]).mean().item(), 4),
                largest_at_one_temperature=round((rates[1] - rates[0]).abs().max().item(), 4), log_px_shift=round(shift.mean().item(), 4), log_px_shift_error=round(std_error(shift).item(), 4))


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
    net, digits, config = load_run(run, data or None)
    x = test_images(digits.test, images)
    rows = [compare(net.requires_grad_(False), x, chains, temperatures, leapfrog, step) for step in (.05, .1, .15, .2, .25)]
    print(json.dumps(dict(benchmark='acceptance', command=f'python benchmarks/acceptance.py {run} --images {images} --chains {chains} --temperatures {temperatures} --leapfrog {leapfrog}',
                          dataset=config['dataset'], images=len(x), chains=chains, temperatures=temperatures, leapfrog=leapfrog, rows=rows)))
