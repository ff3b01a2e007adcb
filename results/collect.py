"""Gather the reports of finished runs into one small JSON file, from which a page makes its table.

    python results/collect.py results/mnist_iwae5.json runs/mnist_iwae5_iwae runs/mnist_iwae5_aiwae ...
"""
import platform, statistics, sys
from pathlib import Path

import torch

from aiwae_nb.files import load_json, load_table, read_lines
from migrate import as_text

NAMES = ('dataset', 'objective', 'samples', 'batch', 'schedule', 'epochs', 'model', 'precision', 'seed')


def machine(): return dict(cpu_threads=torch.get_num_threads(), machine=platform.machine(), torch=torch.__version__)


def command(config):
    "The command of a run, from its config.json."
    flags = {name: config[name] for name in NAMES} | dict(precision=config['precision'] or 'float32')
    return 'aiwae_train ' + ' '.join(f'--{k} {v}' for k, v in flags.items()) + ' --compile'*config['compile']


def nvlb(bounds):
    "Minus the mean bound, its error over images, and how many there are."
    error = bounds.std()/len(bounds)**.5
    return dict(nvlb=round(-bounds.mean().item(), 4), nvlb_error_over_images=round(error.item(), 4), images=len(bounds))


def summary(run):
    "What is kept of a run."
    report, config = load_json(run/'report.json'), load_json(run/'config.json')
    bounds = torch.as_tensor(load_table(run/'bounds.csv')['bound']).double()
    seconds = statistics.median(m['seconds'] for m in read_lines(run/'metrics.jsonl'))
    return dict(label=f"{config['model']}, {config['precision'] or 'float32'}", train=command(config),
                evaluate=f"aiwae_evaluate {run} --samples {report['n_samples']}", first_1000=nvlb(bounds[:1000]),
                all=nvlb(bounds) | dict(active_units=report['active_units']),
                train_bound=round(report['train_bound'], 4), seconds_per_epoch=round(seconds, 2))


if __name__ == '__main__':
    target, *runs = map(Path, sys.argv[1:])
    target.write_text(as_text(dict(machine=machine(), runs=[summary(run) for run in runs])))
