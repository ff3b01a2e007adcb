"""The time of an epoch in several processes, as a ratio to one process. Prints one JSON line.

    python benchmarks/ranks.py --batches 128,64 --objective iwae_dreg

Every process has one thread, and trains the network of `--model` on the 4,000 embedded digits. One process and several
take turns, and each ratio is a median over the turns with the smallest and the largest: on a busy machine it says how
busy the machine was. Processes are forked, so this needs Linux or macOS. `floor` is the time of one process on its
share of each batch, as a ratio to the whole: what several processes would take if exchanging cost nothing.
"""
import json, time
from statistics import median

import torch
from fastcore.script import call_parse

from aiwae_nb.core import seeded
from aiwae_nb.data import load_dataset
from aiwae_nb.models import make_model
from aiwae_nb.objectives import make_objective
from aiwae_nb.parallel import run_ranks
from aiwae_nb.train import train


def epoch_seconds(digits, model, objective, samples, batch, ranks, steps):
    "Seconds of a step, without the first five."
    def f():
        torch.set_num_threads(1)
        with seeded(0): trained = make_objective(make_model(model, digits.train_mean()), objective, samples)
        times = []
        def inputs(x):
            times.append(time.perf_counter())
            return (x,)
        train(trained, digits.train, epochs=10**6, steps=steps + 6, batch=batch, inputs=inputs, progress=False)
        return (times[-1] - times[-1 - steps])/steps
    return max(run_ranks(f, ranks))


def spread(a): return dict(median=round(median(a), 3), smallest=round(min(a), 3), largest=round(max(a), 3))


@call_parse
def main(
    batches:str='128,64', # images in a step, of all processes together
    model:str='iwae', # the preset
    objective:str='iwae_dreg',
    samples:int=8, # K
    ranks:int=2, # processes
    steps:int=60, # timed in each turn
    turns:int=5,
):
    "Compare the time of a step in several processes with one process; print one JSON line."
    digits, found = load_dataset('mnist5k'), {}
    for batch in map(int, batches.split(',')):
        def seconds(size, n): return epoch_seconds(digits, model, objective, samples, size, n, steps)
        rows = [(seconds(batch, 1), seconds(batch, ranks), seconds(batch//ranks, 1)) for _ in range(turns)]
        found[batch] = dict(ratio=spread([many/one for one, many, _ in rows]),
                            floor=spread([part/one for one, _, part in rows]),
                            step_ms=spread([1e3*one for one, _, _ in rows]))
    command = (f'python benchmarks/ranks.py --batches {batches} --model {model} --objective {objective} '
               f'--samples {samples} --ranks {ranks} --steps {steps} --turns {turns}')
    print(json.dumps(dict(benchmark='ranks', command=command, ranks=ranks, batches=found)))
