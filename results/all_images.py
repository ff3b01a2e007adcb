"""NLL of all test images for columns of the recipe's grid, and its difference from that of IWAE, image by image.

The grid keeps its own evaluation, of 1,000 images, in the folder of a run, so a copy is evaluated, for each column:

    cp -r runs/aiwae-recipe/table-mnist-iwae-K5-trial0 runs/all_images/
    aiwae_evaluate runs/all_images/table-mnist-iwae-K5-trial0 --samples 500 --chains 16 --temperatures 201 \\
        --leapfrog 2 --compile --no_half --training 0 --simulated 0
    python results/all_images.py results/all_images.json runs/all_images/table-mnist-*
"""
import torch
from fastcore.script import Param, call_parse

from aiwae_nb.evaluate import paired_difference
from aiwae_nb.files import load_json, load_table, round_floats
from migrate import as_text, json_file, run_folder

KEPT = ('images', 'nll', 'nll_error_over_images', 'expected_shortfall', 'nvlb', 'active_units', 'temperatures_run',
        'chains', 'ais_seconds')


def estimates(run):
    "log p(x) of each image."
    return torch.as_tensor(load_table(run/'likelihoods.csv')['value']).double()


def column(run):
    "(K, temperatures, None: IWAE, seed) of a run."
    config = load_json(run/'config.json')
    annealed = config['objective'] == 'aiwae'
    return config['samples'], (config['objective_options']['temperatures'] if annealed else None), config['seed']


def beside_iwae(run, iwae):
    "What is kept of a run; with the run of IWAE that has the same K and seed, the difference of NLL."
    report, (K, T, seed) = load_json(run/'report.json'), column(run)
    if 'nll' not in report: raise SystemExit(f"{run} was evaluated without chains, or they are not done yet")
    found = {name: report[name] for name in KEPT} | dict(K=K, T=T, seed=seed)
    if T is None or iwae is None: return found
    p = paired_difference(estimates(iwae), estimates(run))
    return found | dict(less_iwae=p.mean, error_over_images=p.std_error)


@call_parse
def main(
    target:json_file, # the JSON that is written
    runs:Param("folders of evaluated runs", run_folder, nargs='+'),
):
    "Gather the NLL of all test images of some columns, with their differences from IWAE."
    by_column = {column(run): run for run in runs}
    found = {run.name: beside_iwae(run, by_column.get((K, None, seed))) for (K, _, seed), run in by_column.items()}
    target.write_text(as_text(round_floats(found, 5)))
