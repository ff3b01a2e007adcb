"""log p(x) with more temperatures than a report has, paired image by image. Prints one JSON line.

    aiwae_evaluate runs/mnist_iwae5 --images 500 --chains 16 --temperatures 1000 --precision bfloat16 --compile
    python benchmarks/temperatures.py runs/mnist_iwae5 --temperatures 2000

The images, the chains of each and their leapfrog steps are those of the report. What is done is kept in the run's
folder, and a second call goes on from there.
"""
import json
from pathlib import Path

import torch
from fastcore.script import call_parse

from aiwae_nb.evaluate import evaluate_ais, paired_difference, test_images
from aiwae_nb.files import load_json, load_table
from aiwae_nb.runs import Run


@call_parse
def main(
    run:str, # the folder of a run that aiwae_evaluate has annealed, as runs/mnist_iwae5
    temperatures:int=2000, # T of the longer chains
    data:str='', # a folder to look for the data in, before $AIWAE_NB_DATA and the cache
):
    "Compare the log-likelihoods of a report with those by longer chains; print one JSON line."
    folder, loaded = Path(run), Run(run).load(data or None)
    report, known = load_json(folder/'report.json'), load_table(folder/'likelihoods.csv')
    value, error = (torch.as_tensor(known[name]) for name in ('value', 'std_error'))
    x = test_images(loaded.dataset.test, report['images'])
    found = evaluate_ais(loaded.model, x, n_chains=report['chains'], n_temperatures=temperatures,
                         n_leapfrog=report.get('leapfrog'), start=report.get('start'), half_T=False,
                         mass=None if report.get('mass') == 'identity' else 'q', compile=True, seed=2, progress=True,
                         precision=report['force_precision'], out=folder/f'ais-{temperatures}')
    pair = paired_difference(found.value, value, found.std_error, error)
    command = f'python benchmarks/temperatures.py {run} --temperatures {temperatures}'
    print(json.dumps(dict(benchmark='temperatures', command=command, chains=report['chains'],
                          temperatures=[report['temperatures'], temperatures],
                          nll=round(-found.value.mean().item(), 4), **pair._asdict(),
                          median_ess=round(found.ess.median().item(), 2))))
