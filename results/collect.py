"""Gather the reports of finished runs into one small JSON file, from which a page makes its table.

    python results/collect.py results/mnist_iwae5.json runs/mnist_iwae5_iwae runs/mnist_iwae5_aiwae ...
"""
import json, platform, statistics, sys
from pathlib import Path

import numpy as np
import torch

from aiwae_nb.train import read_metrics


def nvlb(bounds): return dict(nvlb=round(-bounds.mean(), 4), nvlb_error_over_images=round(bounds.std(ddof=1)/len(bounds)**.5, 4), images=len(bounds))


def command(c):
    flags = dict(dataset=c['dataset'], objective=c['objective'], samples=c['samples'], batch=c['batch'], schedule=c['schedule'], epochs=c['epochs'],
                 model=c['model'], precision=c['precision'], seed=c['seed'])
    return 'aiwae_train ' + ' '.join(f'--{k} {v}' for k, v in flags.items()) + ' --compile'*c['compile']


def summary(run):
    report, metrics = json.loads((run/'report.json').read_text()), read_metrics(run)
    bounds = np.genfromtxt(run/'bounds.csv', delimiter=',', names=True)['bound']
    return dict(label=f"{report['model']}, {report['precision']}", train=command(report['config']), evaluate=f"aiwae_evaluate {run} --samples {report['n_samples']}",
                first_1000=nvlb(bounds[:1000]), all=nvlb(bounds) | dict(active_units=report['active_units']),
                train_bound=round(report['train_bound'], 4), seconds_per_epoch=round(statistics.median(m['seconds'] for m in metrics), 2))


if __name__ == '__main__':
    target, *runs = map(Path, sys.argv[1:])
    machine = dict(cpu_threads=torch.get_num_threads(), machine=platform.machine(), torch=torch.__version__)
    target.write_text(json.dumps(dict(machine=machine, runs=[summary(r) for r in runs]), indent=1) + '\n')
