"""Gather what `aiwae_evaluate --chains` found of a run into one small JSON file, from which a page makes its tables.

    python results/evidence.py results/evidence.json runs/mnist_iwae5
"""
import json, platform, sys
from pathlib import Path

import numpy as np
import torch

from collect import command


def columns(path): return {name: np.round(column, 4).tolist() for name, column in zip(path.open().readline().strip().split(','), np.loadtxt(path, delimiter=',', skiprows=1).T)}


def evaluated(run, r):
    return (f"aiwae_evaluate {run} --samples {r['n_samples']} --images {r['first']} --chains {r['chains']} --temperatures {r['temperatures']} --leapfrog {r['leapfrog']} "
            f"--precision {r['force_precision']} --simulated {r['simulated']} --compile")


if __name__ == '__main__':
    target, run = map(Path, sys.argv[1:])
    report = json.loads((run/'report.json').read_text())
    of_images = {name: columns(run/f'{name}.csv') for name in ('bounds', 'likelihoods')}
    found = dict(machine=dict(cpu_threads=torch.get_num_threads(), machine=platform.machine(), torch=torch.__version__), train=command(report['config']), evaluate=evaluated(run, report),
                 report={k: v for k, v in report.items() if k not in ('config', 'checkpoint', 'note')}, certificate=json.loads((run/'certificate.json').read_text()),
                 images=dict(bound=of_images['bounds']['bound'], bound_ess=of_images['bounds']['ess'], **{k: of_images['likelihoods'][k] for k in ('value', 'std_error', 'half')}))
    target.write_text(json.dumps(found) + '\n')
