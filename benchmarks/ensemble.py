"""The time of a step of an ensemble, as a ratio to as many single steps. Prints one JSON line.

    python benchmarks/ensemble.py --members 5 --batch 20

One process with one thread trains the members one by one, and as one batched model, in turns; each ratio is a median
over the turns with the smallest and the largest: on a busy machine it says how busy the machine was.
"""
import json, time
from statistics import median

import torch
from fastcore.script import call_parse

from aiwae_nb.core import seeded
from aiwae_nb.data import load_dataset
from aiwae_nb.models import Ensemble, make_model
from aiwae_nb.objectives import make_objective
from aiwae_nb.train import train


def step_seconds(model, digits, objective, samples, batch, steps, device):
    "CPU seconds of a step, without the first five; on CUDA, seconds."
    clock, times = time.process_time if device == 'cpu' else time.perf_counter, []
    def inputs(x):
        if device != 'cpu': torch.cuda.synchronize()
        times.append(clock())
        return (x,)
    trained = make_objective(model, objective, samples).to(device)
    train(trained, digits.train, epochs=10**6, steps=steps + 6, batch=batch, inputs=inputs, progress=False)
    return (times[-1] - times[-1 - steps])/steps


def spread(a): return dict(median=round(median(a), 3), smallest=round(min(a), 3), largest=round(max(a), 3))


@call_parse
def main(
    members:int=5, # seeds of the ensemble
    batch:int=20, # images in a step, of each member
    model:str='iwae', # the preset
    objective:str='iwae_dreg',
    samples:int=8, # K
    steps:int=40, # timed in each turn
    turns:int=5,
    device:str='cpu', # or cuda
):
    "Compare a step of an ensemble with a step of each member alone; print one JSON line."
    torch.set_num_threads(1)
    digits, rows = load_dataset('mnist5k'), []
    def one(seed):
        with seeded(seed): return make_model(model, digits.train_mean())
    def seconds(made): return step_seconds(made, digits, objective, samples, batch, steps, device)
    for _ in range(turns):
        rows.append((members*seconds(one(0)), seconds(Ensemble([one(s) for s in range(members)], range(members)))))
    command = (f'python benchmarks/ensemble.py --members {members} --batch {batch} --model {model} '
               f'--objective {objective} --samples {samples} --steps {steps} --turns {turns} --device {device}')
    print(json.dumps(dict(command=command, ratio=spread([whole/alone for alone, whole in rows]),
                          alone_ms=spread([1e3*alone for alone, _ in rows]), threads=1)))
