"""An accuracy asked for, beside the papers' protocol: time, error, convergence. Prints one JSON line.

    python benchmarks/tolerance.py runs/mnist_iwae5 --images 500

Test images of a run are estimated by `log_likelihood` with `tolerance`, and by 16 chains from q with the identity as
mass, 1,000 temperatures and 10 leapfrog steps; both with a convergence run of half the temperatures, compiled, matrix
products in --precision. `seconds` is the time of the whole call, start, plan and pilots included, after short calls that
compile; `cpu_seconds` that of all threads, which other jobs of the machine change less; `ratio` is of those.
`error` is the mean distance from a long run; `two_thirds`: the share of images whose effective sample size is at
least two thirds of the chains and whose runs agree, `converged` as it was for the papers' protocol.
"""
import json, platform, time

import torch
from fastcore.script import call_parse

from aiwae_nb.evaluate import evaluate_ais, test_images
from aiwae_nb.runs import Run


LEVELS = torch.tensor([.05, .5, .95], dtype=torch.float64) # of the images' temperatures


def measured(model, x, reference, fast, **how):
    "One call, after short ones that compile."
    short = {name: value for name, value in how.items() if name != 'tolerance'} | dict(n_temperatures=3)
    for L in (2, 4) if 'tolerance' in how else (10,): evaluate_ais(model, x, **short | dict(n_leapfrog=L), **fast)
    started, of_cpu = time.perf_counter(), time.process_time()
    found = evaluate_ais(model, x, **how, **fast)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - of_cpu
    said = found.summary()
    light = (found.ess >= 2*len(found.log_w)/3) & found.converged
    below = reference - found.value
    return dict(seconds=round(seconds, 1), cpu_seconds=round(cpu_seconds, 1), forces=said.forces,
                temperatures=found.n_temperatures.double().quantile(LEVELS).tolist(), nll=round(-said.mean, 4),
                error=round(below.abs().mean().item(), 4), below=round(below.mean().item(), 4),
                below_error=round((below.std()/len(x)**.5).item(), 4), shortfall=round(said.shortfall, 4),
                converged=said.converged, two_thirds=light.double().mean().item(),
                ess=round(found.ess.mean().item(), 2))


@call_parse
def main(
    run:str, # the folder of a run, as runs/mnist_iwae5
    images:int=500, # test images, from the first
    tolerance:float=.05, # nats
    reference:int=4000, # temperatures of the long run
    precision:str='bfloat16', # of matrix products: bfloat16 or float32, whichever is faster on the machine
    data:str=None, # a folder to look for the data in first
):
    "Compare a tolerance with the papers' protocol on one model."
    model, dataset, _ = Run(run).load(data)
    x = test_images(dataset.test, images)
    fast = dict(compile=True, precision=precision)
    long = evaluate_ais(model, x, n_temperatures=reference, half_T=False, seed=7, **fast).value
    asked = measured(model, x, long, fast, tolerance=tolerance)
    papers = measured(model, x, long, fast, start='q', mass=None, n_leapfrog=10, n_temperatures=1000)
    print(json.dumps(dict(
        benchmark='tolerance', images=images, command=f'python benchmarks/tolerance.py {run} --images {images}'
        + f' --reference {reference}'*(reference != 4000) + f' --precision {precision}'*(precision != 'bfloat16'),
        precision=precision,
        tolerance=tolerance, reference=dict(temperatures=reference, nll=round(-long.mean().item(), 4)), asked=asked,
        papers=papers, ratio=round(asked['cpu_seconds']/papers['cpu_seconds'], 3), threads=torch.get_num_threads(),
        machine=platform.machine(), torch=torch.__version__)))
