"""Gather what runs by the recipe reached, with their commands and minutes, in one JSON file.

    python results/recipes.py results/recipes.json --machine 'one core of a CPU' runs/recipe_aiwae5-0 ...

Runs that the file has already are replaced; the others stay. `minutes.py` then adds their minutes of one thread.
"""
import argparse

import torch

from aiwae_nb.files import load_json, load_table, read_lines, round_floats
from aiwae_nb.pretrained import train_command
from aiwae_nb.runs import Run
from migrate import as_text, json_file, run_folder

KEPT = ('images', 'n_samples', 'nvlb', 'nvlb_error_over_images', 'nll', 'nll_error_over_images', 'nll_error_monte_carlo',
        'half_temperatures_gap', 'expected_shortfall', 'converged_fraction', 'forces', 'active_units', 'n_latent',
        'train_images', 'train_bound', 'train_nll', 'train_nll_error_over_images', 'generalisation_gap',
        'generalisation_gap_error_over_images', 'ais_seconds')


def summary(folder, machine):
    "What is kept of a run."
    run, report = Run(folder), load_json(folder/'report.json')
    config = run.config
    seconds = [line['seconds'] for line in read_lines(folder/'metrics.jsonl')]
    found = {name: report[name] for name in KEPT if name in report}
    chains = load_table(folder/'likelihoods.csv')
    found['log_p'] = round_floats(torch.as_tensor(chains['value'])[:1000].tolist()) # of the first images
    return dict(train=train_command(config), objective=config.objective, task=config.task, samples=config.samples,
                temperatures=config.objective_options.get('temperatures'), epochs=len(seconds), seed=config.seed,
                train_minutes=round(sum(seconds)/60, 2), machine=machine) | found


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('target', type=json_file)
    parser.add_argument('runs', nargs='+', type=run_folder)
    parser.add_argument('--machine', required=True, help='where they were trained')
    asked = parser.parse_args()
    found = load_json(asked.target, {}) | {run.name: summary(run, asked.machine) for run in asked.runs}
    asked.target.write_text(as_text(found))
