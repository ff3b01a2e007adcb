"""Gather the reports of finished runs into one small JSON file, from which a page makes its table; compare arms.

    python results/collect.py results/mnist_iwae5.json runs/mnist_iwae5_iwae runs/mnist_iwae5_aiwae ...
"""
import platform, statistics

import torch
from fastcore.script import Param, call_parse

from aiwae_nb.evaluate import paired_difference
from aiwae_nb.files import load_json, load_table, read_lines, round_floats
from migrate import as_text, json_file, run_folder

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


# of two arms
DIFFERENCE = ['difference of NLL, nats', 'of each seed', 'mean', 'error over seeds', 'z over seeds',
              'error over images', 'Monte Carlo error']


def difference(arm, other): # seed -> what `aiwae_summary` keeps
    "NLL of an arm minus another's, over the seeds that both have, and over images of their mean; {} below two seeds."
    seeds = sorted(arm.keys() & other.keys())
    if len(seeds) < 2: return {}
    def values(of, what): return torch.tensor([of[seed][what] for seed in seeds]).double() # (seeds, images)
    a, b = values(arm, 'log_p'), values(other, 'log_p')
    errors = [values(of, 'log_p_error').square().sum(0).sqrt()/len(seeds) for of in (arm, other)]
    of_seeds = paired_difference(b.mean(1), a.mean(1))
    of_images = paired_difference(b.mean(0), a.mean(0), *errors)
    return round_floats(dict(
        seeds=(b - a).mean(1).tolist(), mean=of_seeds.mean, error_over_seeds=of_seeds.std_error,
        z_over_seeds=of_seeds.z, error_over_images=of_images.std_error, monte_carlo=of_images.monte_carlo))


def difference_cells(label, d):
    "A difference as the cells of a line of text."
    each = ' '.join(f'{v:+.2f}' for v in d['seeds'])
    return [label, each, f"{d['mean']:+.3f}", f"{d['error_over_seeds']:.3f}", f"{d['z_over_seeds']:.1f}",
            *(f'{d[k]:.3f}' for k in ('error_over_images', 'monte_carlo'))]


@call_parse
def main(
    target:json_file, # the JSON that is written
    runs:Param("folders of finished runs", run_folder, nargs='+'),
):
    "Gather the reports of finished runs into one small JSON file."
    target.write_text(as_text(dict(machine=machine(), runs=[summary(run) for run in runs])))
