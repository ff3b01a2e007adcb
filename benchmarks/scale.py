"""The times that the page `scale` is made from: of forces by the number of rows, of training steps and of annealing on
one process and on two, of the sum of gradients between them. Prints JSON:

    python benchmarks/scale.py > results/scale.json

Two processes of one thread each, joined by gloo. What is compared takes turns: first one process has the whole batch
while the other waits, then each has half. `s` are medians over turns, `least_s` the shortest, which other work on the
machine disturbs least.

`rows`: seconds of a core, as the system accounts for them, in a leapfrog step of annealing (momenta, forces, energies,
Metropolis, weights: L = 10), and in its six products, on N chains of the papers' decoder in float32. `counts`:
operations in such a step that are no views, and the bytes that they read and write. `all_reduce`: of so many numbers.
`steps`: of training, B = 128, the gradients of each optimizer step summed in one flat call. `annealing`: of a leapfrog
step on N chains.
"""
import json, os, platform, statistics, tempfile, time
from functools import partial

import torch
from torch import distributed, multiprocessing
from torch.distributions import Independent, Normal
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from aiwae_nb.models import VAE
from aiwae_nb.objectives import make_objective
from aiwae_nb.train import adam
from speed import LEAPFROG, MOVES, annealing, force_products

ROWS, B, TURNS = (16, 64, 256, 1024, 4096), 128, 9
KINDS = {'iwae_dreg, K = 64': dict(objective='iwae_dreg', n_samples=64),
         'aiwae, K = 5, T = 5, L = 5': dict(objective='aiwae', n_samples=5, temperatures=5, leapfrog=5)}


def timed(run, clock=time.perf_counter):
    start = clock()
    run()
    return clock() - start


def told(times, per=1):
    return dict(s=round(statistics.median(times)/per, 7), least_s=round(min(times)/per, 7))


def chains(n, K=16):
    "Two temperatures of an annealing run on n chains."
    torch.manual_seed(0)
    model, x = VAE().eval(), torch.rand(n//K, 784).round()
    with torch.no_grad(): q = Independent(Normal(*model.encode(x)), 1)
    return annealing(partial(model.log_joint, x), q, q.sample((K,)), None, False)


class Counted(TorchDispatchMode):
    "Counts operations that are no views, and the bytes of what they read and write."
    def __init__(self):
        super().__init__()
        self.operations = self.bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = [a for a in tree_leaves((args, kwargs, made)) if isinstance(a, torch.Tensor)]
            self.operations += 1
            self.bytes += sum(a.numel()*a.element_size() for a in tensors)
        return made


def counted(n):
    "Of a leapfrog step on n chains."
    run, count = chains(n), Counted()
    with count: run()
    return dict(operations=count.operations/(MOVES*LEAPFROG), bytes=count.bytes/(MOVES*LEAPFROG))


def by_rows(turns):
    "N -> seconds of a leapfrog step, and of its products."
    found, per = {}, MOVES*LEAPFROG
    for n in ROWS:
        step, floor = chains(n), force_products(n, 'cpu', torch.float32)
        for run in (step, floor): run()
        times = [(timed(step, time.process_time), timed(floor, time.process_time)) for _ in range(turns)]
        found[n] = dict(step=told([a for a, _ in times], per), products=told([b for _, b in times], per))
    return found


def share(objective):
    "Replace gradients by their mean over processes."
    grads = [p.grad for p in objective.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    distributed.all_reduce(flat)
    for g, part in zip(grads, flat.split([g.numel() for g in grads])): g.copy_(part.view_as(g)/2)


def learner(rows, together, objective, **choices):
    "One step of training on some rows, each process with its own where `together`."
    torch.manual_seed(0)
    loss_fn, x = make_objective(VAE(), objective, **choices).train(), torch.rand(rows, 784).round()
    optimizer = adam(loss_fn.parameters())
    if together: optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: share(loss_fn))
    def run():
        optimizer.zero_grad(set_to_none=True)
        loss_fn(x).backward()
        optimizer.step()
        loss_fn.after_step(optimizer) # of `aiwae`: the inference network's own step
    return run


def in_turns(rank, whole, half, turns):
    "Rank 0: times of the whole on one process, and of half on each, the slower counted."
    alone, both = [], []
    for _ in range(turns + 2):
        distributed.barrier()
        if not rank: alone.append(timed(whole))
        distributed.barrier()
        start = time.perf_counter()
        half()
        distributed.barrier()
        both.append(time.perf_counter() - start)
    return alone[2:], both[2:]


def compared(rank, whole, half, turns, per=1):
    alone, both = in_turns(rank, whole, half, turns)
    if rank: return
    ratios = [b/a for a, b in zip(alone, both)]
    return dict(one=told(alone, per), two=told(both, per), two_over_one=round(statistics.median(ratios), 3))


def sums(n_parameters, turns):
    flat = torch.zeros(n_parameters)
    distributed.all_reduce(flat)
    return told([timed(lambda: distributed.all_reduce(flat)) for _ in range(turns)])


def measure(rank, meeting):
    torch.set_num_threads(1)
    distributed.init_process_group('gloo', init_method=f'file://{meeting}', rank=rank, world_size=2)
    n_parameters = sum(p.numel() for p in VAE().parameters())
    found = dict(n_parameters=n_parameters)
    if not rank: found |= dict(counts={n: counted(n) for n in (256, 1024)}, rows=by_rows(TURNS))
    distributed.barrier()
    found['all_reduce'] = {n: sums(n, 5*TURNS) for n in (1, n_parameters, 10*n_parameters)}
    found['steps'] = {}
    for name, choices in KINDS.items():
        whole, half = learner(B, False, **choices), learner(B//2, True, **choices)
        found['steps'][name] = compared(rank, whole, half, TURNS)
    found['annealing'] = {n: compared(rank, chains(n), chains(n//2), TURNS, MOVES*LEAPFROG) for n in (64, 4096)}
    if not rank:
        machine = dict(machine=platform.machine(), cores=2, threads=1, torch=torch.__version__, turns=TURNS,
                       load=round(os.getloadavg()[0], 1))
        print(json.dumps(dict(command='python benchmarks/scale.py') | machine | found, indent=1))
    distributed.destroy_process_group()


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder: multiprocessing.spawn(measure, (f'{folder}/meeting',), nprocs=2)
