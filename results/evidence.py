"""Gather what `aiwae_evaluate --chains` found of a run into one small JSON file, from which a page makes its tables.

    python results/evidence.py results/evidence.json runs/mnist_iwae5
"""
import torch
from fastcore.script import call_parse

from aiwae_nb.files import load_json, load_table
from collect import command, machine
from migrate import as_text, json_file, run_folder

LEFT_OUT = ('config', 'checkpoint', 'note') # of a report
FLAGS = dict(samples='n_samples', images='first', chains='chains', temperatures='temperatures', leapfrog='leapfrog',
             precision='force_precision', simulated='simulated') # flag -> what a report calls it


def column(table, name): return [round(v, 4) for v in torch.as_tensor(table[name]).tolist()]


def evaluated(run, report):
    "The command of a report."
    flags = {flag: report[name] for flag, name in FLAGS.items()}
    flags['precision'] = flags['precision'] or 'float32'
    return f'aiwae_evaluate {run} ' + ' '.join(f'--{k} {v}' for k, v in flags.items()) + ' --compile'


def of_images(run):
    "The columns that the page draws."
    bounds, chains = load_table(run/'bounds.csv'), load_table(run/'likelihoods.csv')
    found = dict(bound=column(bounds, 'bound'), bound_ess=column(bounds, 'ess'))
    return found | {name: column(chains, name) for name in ('value', 'std_error', 'half_T')}


@call_parse
def main(
    target:json_file, # the JSON that is written
    run:run_folder, # folder of a finished run with a certificate
):
    "Keep the evidence of a run as small JSON."
    report = load_json(run/'report.json')
    kept = {k: v for k, v in report.items() if k not in LEFT_OUT}
    found = dict(machine=machine(), train=command(load_json(run/'config.json')), evaluate=evaluated(run, report),
                 report=kept, certificate=load_json(run/'certificate.json'), images=of_images(run))
    target.write_text(as_text(found))
