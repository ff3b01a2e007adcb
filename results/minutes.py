"""Minutes that each run on MNIST with K = 5 takes on one thread: its steps times the CPU time of a step of its kind.

    OMP_NUM_THREADS=1 python results/minutes.py results/minutes.json

The runs were made on different machines, some of them shared, so their own clocks cannot be compared. This script times
a step of each kind in one process, in turns, on one thread in float32, also of runs that used bfloat16. To the minutes
of a run that starts from another one it adds that one's. Times in the file stay, unless a run is of a kind that they
lack: after `recipes.py` has added a run, the same command adds its minutes. --again: time all kinds anew.
"""
from dataclasses import replace
from pathlib import Path

import torch
from fastcore.script import call_parse, store_true

from aiwae_nb.data import binarize, count_batches, load_dataset
from aiwae_nb.files import load_json
from aiwae_nb.runs import RunConfig
from collect import machine
from equal_time import step_seconds, training_step
from migrate import as_text, flags_of, json_file

HERE = Path(__file__).resolve().parent
CURVE = dict(dataset=('mnist',), task=('generative',), model=('iwae', 'aiwae'), family=('normal',), samples=(5,),
             objective=('iwae', 'iwae_dreg', 'aiwae')) # the settings of its runs
ANNEALING = dict(leapfrog=5, mass='identity', inference_loss='elbo')
IN_A_ROW = 5 # steps of a kind in each turn: in training, too, a step finds its weights in the caches
OF_KIND = ('dataset', 'model', 'objective', 'samples', 'batch', 'compile') # what decides the time of a step, with T


def on_curve(config):
    "Whether a run is IWAE or annealing of the paper's network, on whole images of MNIST with K = 5."
    options = {k: config.objective_options.get(k, v) for k, v in ANNEALING.items()} # IWAE has none of them
    return all(getattr(config, name) in known for name, known in CURVE.items()) and options == ANNEALING


def run_name(file, name):
    "A cell of the recipe's grid with its file, since cells of the small one have the same names."
    return f'{file}/{name}' if file == 'aiwae_recipe' else name


def all_runs():
    "Name -> file and settings of each run of the four files."
    def commands_of(grid, *groups):
        return [c['command'] for c in load_json(HERE/f'{grid}.json')['cells'].values() if c['key']['group'] in groups]
    timed = load_json(HERE/'equal_time.json')['runs'].values()
    commands = dict(
        aiwae_small=commands_of('aiwae_small', 'table', 'equal_time'),
        aiwae_recipe=commands_of('aiwae_recipe', 'start', 'table'),
        recipes=[run['train'] for run in load_json(HERE/'recipes.json').values()],
        equal_time=[run['command'] for arm in timed for run in arm])
    flags = [(file, flags_of(command)) for file, of in commands.items() for command in of]
    return {run_name(file, of['name']): (file, RunConfig.from_flags(**of).resolved()) for file, of in flags}


def kind_of(config):
    "The name of what decides the time of a step."
    T = config.objective_options.get('temperatures')
    words = [config.objective, T and f'T={T}', f'batch={config.batch}', 'compiled' if config.compile else 'eager']
    return ' '.join(filter(None, words))


def kind_flags(config):
    "Flags of a run of this kind, in float32."
    options = {k: v for k, v in config.objective_options.items() if k in ('temperatures', 'leapfrog')}
    return {name: getattr(config, name) for name in OF_KIND} | options | dict(precision='float32')


def steps_in_a_row(flags, pixels):
    "Training steps with these flags, with the drawing of their bits."
    step, index = training_step(flags), torch.arange(flags['batch'])
    def steps():
        for _ in range(IN_A_ROW):
            binarize(pixels[index], index, seed=0, epoch=0)
            step()
    return steps


def milliseconds(kinds, pixels):
    "Kind -> CPU milliseconds of a training step, from `kinds`: kind -> flags."
    seconds = step_seconds({kind: steps_in_a_row(flags, pixels) for kind, flags in kinds.items()})
    return {kind: round(1000*of/IN_A_ROW, 2) for kind, of in seconds.items()}


def n_steps(config, n_images):
    "The steps of a run."
    of_epochs = config.epochs*count_batches(n_images - config.validation, config.batch)
    return min(of_epochs, config.steps or of_epochs)


def minutes_of(name, runs, ms, n_images):
    "The steps of a run, and its minutes with those of the run that it starts from."
    file, config = runs[name]
    kind, steps = kind_of(config), n_steps(config, n_images)
    minutes = round(steps*ms[kind]/60_000, 3)
    found = dict(file=file, objective=config.objective, temperatures=config.objective_options.get('temperatures'),
                 schedule=config.schedule, rate=config.lr, seed=config.seed, kind=kind, steps=steps, start=None,
                 minutes=minutes)
    if not config.start: return found
    start = run_name(file, Path(config.start).name)
    if start not in runs: raise SystemExit(f"{name} starts from {start}, which results/ lacks: add that run first")
    return found | dict(start=start, minutes=round(minutes + minutes_of(start, runs, ms, n_images)['minutes'], 3))


@call_parse
def main(
    target:json_file, # the JSON that is written
    again:store_true=False, # time the steps anew
):
    "Count the steps of each run, and time a step of each kind where the file lacks one."
    torch.set_num_threads(1)
    every, pixels = all_runs(), load_dataset('mnist').train
    runs = {name: (file, config) for name, (file, config) in every.items() if on_curve(config)}
    configs = [config for _, config in runs.values()]
    configs += [replace(config, compile=True) for config in configs] # what compilation would save of an eager run
    kinds = {kind_of(config): kind_flags(config) for config in configs}
    found = load_json(target) if target.exists() and not again else {}
    if not kinds.keys() <= found.get('ms', {}).keys():
        found = dict(command=f'OMP_NUM_THREADS=1 python results/minutes.py results/{target.name}', machine=machine(),
                     kinds=kinds, ms=milliseconds(kinds, pixels))
    target.write_text(as_text(found | dict(
        runs={name: minutes_of(name, runs, found['ms'], len(pixels)) for name in runs},
        left_out=[name for name in every if name not in runs])))
    for kind, ms in found['ms'].items(): print(f'{ms:8.2f} ms  {kind}')
    print(len(runs), 'runs')
