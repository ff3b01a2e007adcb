"""Speed, as ratios to matrix products timed in the same run. Prints one JSON line.

    python benchmarks/speed.py train
    python benchmarks/speed.py estimators
    python benchmarks/speed.py ais
    python benchmarks/speed.py aiwae

`train`: a step is loss, backward pass and Adam, on the papers' network (784-200-200-50). The floor is the nine matrix products of the decoder
(forward, by its input, by its weight, for each of three layers) on N = K*B rows in float32. All variants take turns, and each figure
is the median over turns of a variant's time over that of the floor in the same turn: the machine's noise is shared.

`estimators`: a step with each estimator over one with `iwae`, at B = 128, K = 64; and, for an inverse autoregressive flow of 50 dimensions
(zuko), its log_prob of a given z and the losses that do without it over its `rsample_and_log_prob`.

`ais`: a leapfrog step on N = K*B chains of the papers' decoder, the mean over two temperatures of an annealing run with L = 10: momenta, forces,
energies, Metropolis, log weights. The floor is the six matrix products of a force (forward and by input, for each of three layers) in float32.
A second table has what is in bfloat16 over the same six products in bfloat16, which are faster by a factor that differs between machines:
none of them can come below 1, nor, over float32, below `products bfloat16`, and the energy in float32, three products for L steps, adds 0.05 to that.
`closed form`: with the model's `score`. `callable`: a decoder that is known only as a callable log joint.

`aiwae`: a training step by annealing, everything included: the chain, theta's step, phi's, step sizes. The floor is the products of its forces and of
theta's gradient in float32, (T-1) L times six and once nine, on N = K*B rows; energies, the encoder and phi's products are not in it. Beside it the
time of IWAE's step at the same K and B, eager in float32, over that of the same floor: the quotient is what annealing costs, T*L in the paper's estimate.
`epoch_s`: seconds for an epoch of MNIST, 60,000 images in batches of B.
"""
import json, platform, statistics, time, warnings
from functools import partial

import torch
from fastcore.script import call_parse
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from aiwae_nb.ais import _log_ratio, _mix, annealed_path
from aiwae_nb.dreg import ESTIMATORS
from aiwae_nb.hmc import compiled_step, hmc_step, leapfrog_step
from aiwae_nb.models import VAE
from aiwae_nb.train import AnnealedObjective, Objective, adam

LAYERS = ((50, 200), (200, 200), (200, 784))


def products(n_rows, device, dtype=torch.float32, by_weight=True):
    "The nine matrix products of the decoder's forward and backward pass, or the six without those by its weights."
    def normal(*shape): return torch.randn(*shape, device=device).to(dtype)
    sides = [(normal(n_rows, i), normal(i, o), normal(n_rows, o)) for i, o in LAYERS]
    def run():
        for x, w, g in sides: x @ w, g @ w.t(), by_weight and x.t() @ g
    return run


def training_step(objective, n_samples, x, precision, compile):
    loss_fn = Objective(VAE().to(x.device), objective, n_samples, precision)
    optimizer, forward = adam(loss_fn.parameters()), torch.compile(loss_fn, dynamic=False) if compile else loss_fn
    def run():
        optimizer.zero_grad(set_to_none=True)
        forward(x).backward()
        optimizer.step()
    return run


def synchronized(run, device):
    run()
    if device == 'cuda': torch.cuda.synchronize()


def timed(run, device):
    start = time.perf_counter()
    synchronized(run, device)
    return time.perf_counter() - start


def ratios(variants, floor, turns, device):
    "Median over turns of each variant's time over the floor's; and the floor's median, in ms."
    for run in (floor, *variants.values()):
        for _ in range(3): synchronized(run, device)
    seen, floors = {name: [] for name in variants}, []
    for _ in range(turns):
        floors.append(timed(floor, device))
        for name, run in variants.items(): seen[name].append(timed(run, device)/floors[-1])
    return {name: round(statistics.median(r), 3) for name, r in seen.items()} | {'floor_ms': round(1e3*statistics.median(floors), 3)}


def train(turns, device, compile):
    report = {}
    for B, K in ((20, 50), (128, 64)):
        torch.compiler.reset() # each size is compiled as a run of its own would be
        x = torch.rand(B, 784, device=device).round()
        variants = {f"{objective} {'compiled' if c else 'eager'} {precision}": training_step(objective, K, x, precision, c)
                    for precision in ('float32', 'bfloat16') for c in (False, True)[:1 + compile] for objective in ('iwae', 'iwae_dreg')}
        variants['products bfloat16'] = products(B*K, device, torch.bfloat16)
        report[f'B={B} K={K}'] = ratios(variants, products(B*K, device), turns, device)
    return report


def inverse_flow(turns, device, D=50, K=64):
    "What a flow whose log_prob is slow costs, over one draw with its log density."
    import zuko
    forth = zuko.flows.MAF(D, transforms=1).to(device)
    q = zuko.distributions.NormalizingFlow(forth().transform.inv, forth().base).expand((4,))
    z = q.rsample((K,)).detach()
    def loss(name): return lambda: ESTIMATORS[name](lambda z: -z.square().sum(-1), q, K)
    variants = {'log_prob': lambda: q.log_prob(z)} | {name: loss(name) for name in ('elbo', 'iwae', 'iwae_dreg')}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore') # iwae_dreg says that it is slow
        return ratios(variants, lambda: q.rsample_and_log_prob((K,)), turns, device)


def estimators(turns, device, compile):
    report, x = {}, torch.rand(128, 784, device=device).round()
    torch._dynamo.config.recompile_limit = 2*len(ESTIMATORS) # each is a variant of one function, and none may fall back
    for c in (False, True)[:1 + compile]:
        torch.compiler.reset()
        steps = {name: training_step(name, 64, x, 'float32', c) for name in ESTIMATORS if name != 'iwae'}
        report['compiled' if c else 'eager'] = ratios(steps, training_step('iwae', 64, x, 'float32', c), turns, device)
    return report | {'inverse flow': inverse_flow(turns, device)}


MOVES, LEAPFROG = 2, 10


@torch.no_grad()
def annealing(log_joint, q, z, precision, compile, score=None):
    "Two temperatures in the middle of an annealing run: the loop of `anneal`."
    path, beta, step_size = annealed_path(log_joint, q, score, precision), torch.tensor(.5, device=z.device), torch.tensor(.1, device=z.device)
    state, step = path(beta, z), compiled_step() if compile else leapfrog_step
    log_w = torch.zeros_like(_log_ratio(state))
    @torch.no_grad()
    def run():
        nonlocal state, log_w
        for _ in range(MOVES):
            log_w = log_w + 1e-3*_log_ratio(state)
            state, info = hmc_step(_mix(state.z, beta, *state.terms), partial(path, beta), step_size, LEAPFROG, step=step)
            info.accept_prob.mean()
    return run


def repeated(run, times):
    def runs():
        for _ in range(times): run()
    return runs


def ais(turns, device, compile, K=16):
    report = {}
    torch._dynamo.config.recompile_limit = 16 # each variant takes two compiled forms of one function, and none may fall back
    warnings.filterwarnings('error', message='going on without compilation')
    for N in (4096, 640):
        torch.compiler.reset()
        model, decoder = VAE().to(device).eval(), nn.Sequential(nn.Linear(50, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 784)).to(device)
        x = torch.rand(N//K, 784, device=device).round()
        with torch.no_grad(): q = Independent(Normal(*model.encode(x)), 1)
        def generic(z): return Normal(0., 1., validate_args=False).log_prob(z).sum(-1) + Bernoulli(logits=decoder(z), validate_args=False).log_prob(x).sum(-1)
        own, closed = partial(model.log_joint, x), partial(model.score, x)
        kinds = {'float32 {}': (own, None), 'bfloat16 {}': (own, 'bfloat16'), 'bfloat16 {}, closed form': (own, 'bfloat16', closed), 'callable bfloat16 {}': (generic, 'bfloat16')}
        variants = {name.format('compiled' if c else 'eager'): annealing(f, q, q.sample((K,)), precision, c, *score)
                    for name, (f, precision, *score) in kinds.items() for c in (False, True)[:1 + compile]}
        floor, variants['products bfloat16'] = (repeated(products(N, device, dtype, by_weight=False), MOVES*LEAPFROG) for dtype in (torch.float32, torch.bfloat16))
        found = ratios(variants, floor, turns, device)
        report[f'N={N}'] = found | {'floor_ms': round(found['floor_ms']/(MOVES*LEAPFROG), 3)}
        report[f'N={N} over bfloat16 products'] = {name: round(r/found['products bfloat16'], 3) for name, r in found.items() if 'bfloat16' in name and name != 'products bfloat16'}
    return report


def annealed_step(x, K, T, precision, compile):
    loss_fn = AnnealedObjective(VAE().to(x.device), n_samples=K, precision=precision, temperatures=T, leapfrog=5)
    loss_fn.chain_compiled, optimizer = compile, adam(loss_fn.parameters())
    def run():
        optimizer.zero_grad(set_to_none=True)
        loss_fn(x).backward()
        optimizer.step()
        loss_fn.follow(optimizer)
    return run


def aiwae(turns, device, compile, B=128, L=5):
    report, x = {}, torch.rand(B, 784, device=device).round()
    torch._dynamo.config.recompile_limit = 16 # each variant is a compiled form of one function, and none may fall back
    warnings.filterwarnings('error', message='going on without compilation')
    for T, K in ((5, 5), (11, 50)):
        variants = {f"{'compiled' if c else 'eager'} {precision}": annealed_step(x, K, T, precision, c) for precision in ('float32', 'bfloat16') for c in (False, True)[:1 + compile]}
        variants['iwae eager float32'] = training_step('iwae', K, x, 'float32', False)
        forces, rest = products(K*B, device, by_weight=False), products(K*B, device)
        def floor():
            for _ in range((T - 1)*L): forces()
            rest()
        found = ratios(variants, floor, turns if K < 50 else max(3, turns//5), device)
        over_iwae = {f'{name} over iwae': round(r/found['iwae eager float32'], 1) for name, r in found.items() if name in variants and 'iwae' not in name}
        epochs = {f'{name} epoch_s': round(r*found['floor_ms']*60_000/B/1e3, 1) for name, r in found.items() if name in variants}
        report[f'T={T} K={K}'] = found | over_iwae | epochs | {'floor epoch_s': round(found['floor_ms']*60_000/B/1e3, 1), 'T*L': T*L}
    return report


@call_parse
def main(
    what:str, # train: a training step; estimators: each estimator's over that of iwae; ais: a leapfrog step of annealing; aiwae: a training step by annealing
    turns:int=31, # how many times all variants take turns
    device:str='cpu', # cpu or cuda
    eager:bool=False, # leave out torch.compile
):
    "Time this library against the matrix products that it cannot do without; print one JSON line of ratios."
    benchmarks = {'train': train, 'estimators': estimators, 'ais': ais, 'aiwae': aiwae}
    if what not in benchmarks: raise SystemExit(f"unknown benchmark {what!r}, expected one of {', '.join(benchmarks)}")
    report = benchmarks[what](turns, device, not eager)
    print(json.dumps({'benchmark': what, 'device': device, 'threads': torch.get_num_threads(), 'torch': torch.__version__, 'machine': platform.machine(), **report}))
