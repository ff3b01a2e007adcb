"""log p(x) with more temperatures than a report has, paired image by image. Prints one JSON line.

    aiwae_evaluate runs/mnist_iwae5 --images 500 --chains 16 --temperatures 1000 --precision bfloat16 --compile
    python benchmarks/temperatures.py runs/mnist_iwae5 --temperatures 2000

The images, the chains of each and their leapfrog steps are those of the report; what is done is kept in the run's folder, and goes on from there.
"""
import json
from pathlib import Path

import numpy as np
import torch
from fastcore.script import call_parse

from aiwae_nb.evaluate import evaluate_ais, load_run, paired_difference, test_images


@call_parse
def main(
    run:str, # the folder of a run that aiwae_evaluate has annealed, as runs/mnist_iwae5
    temperatures:int=2000, # T of the longer chains
    data:str='', # a folder to look for the data in, before $AIWAE_NB_DATA and the cache
):
    "Compare the log-likelihoods of a report with those by longer chains; print one JSON line."
    folder = Path(run)
    net, digits, config = load_run(folder, data or None)
    report = json.loads((folder/'report.json').read_text())
    known = {name: torch.from_numpy(column) for name, column in zip(('value', 'std_error'), np.loadtxt(folder/'likelihoods.csv', delimiter=',', skiprows=1).T)}
    found = evaluate_ais(net, test_images(digits.test, report['images']), n_chains=report['chains'], n_temperatures=temperatures, n_leapfrog=report['leapfrog'], half=False, compile=True,
                         precision=None if report['force_precision'] == 'float32' else report['force_precision'], seed=2, out=folder/f"ais-{temperatures}", progress=True)
    pair = paired_difference(found.value, known['value'], found.std_error, known['std_error'])
    print(json.dumps(dict(benchmark='temperatures', command=f'python benchmarks/temperatures.py {run} --temperatures {temperatures}', chains=report['chains'],
                          temperatures=[report['temperatures'], temperatures], nll=round(-found.value.mean().item(), 4), **pair,
                          median_ess=round(found.ess.median().item(), 2))))
