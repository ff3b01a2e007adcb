"""Speed, as ratios to matrix products timed in the same run. Prints one JSON line for each benchmark.

    python benchmarks/speed.py train
    python benchmarks/speed.py estimators
    python benchmarks/speed.py ais
    python benchmarks/speed.py aiwae
    python benchmarks/speed.py train,ais,aiwae --device cuda

`train`: a step is loss, backward pass and Adam, on the papers' network (784-200-200-50). The floor is the nine matrix
products of the decoder (forward, by its input, by its weight, for each of three layers) on N = K*B rows in float32.
All variants take turns, and each figure is the median over turns of a variant's time over that of the floor in the
same turn: the machine's noise is shared.

`estimators`: a step with each estimator over one with `iwae`, at B = 128, K = 64; and, for an inverse autoregressive
flow of 50 dimensions (zuko), its log_prob of a given z and the losses that do without it over its
`rsample_and_log_prob`.

`ais`: a leapfrog step on N = K*B chains of the papers' decoder, the mean over two temperatures of an annealing run
with L = 10: momenta, forces, energies, Metropolis, log weights. The floor is the six matrix products of a force
(forward and by input, for each of three layers) in float32. A second table has what is in bfloat16 over the same six
products in bfloat16, which are faster by a factor that differs between machines: none of them can come below 1, nor,
over float32, below `products bfloat16`. Energies are in bfloat16 too, as in `ais`, which corrects the weights.
`closed form`: with the model's `grad_log_joint`. `callable`: a decoder that is known only as a callable log joint.

`aiwae`: a training step by annealing, everything included: the chain, theta's step, phi's, step sizes. The floor is
the products of its forces and of theta's gradient in float32, (T-1) L times six and once nine, on N = K*B rows;
energies, the encoder and phi's products are not in it. Beside it the time of IWAE's step at the same K and B, eager
in float32, over that of the same floor: the quotient is what annealing costs, T*L in the paper's estimate. `epoch_s`:
seconds for an epoch of MNIST, 60,000 images in batches of B.
"""
import itertools, json, platform, statistics, time, warnings
from functools import partial

import torch
from fastcore.script import call_parse
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from aiwae_nb.ais import annealed_path, log_ratio, mix_state
from aiwae_nb.dreg import ESTIMATORS
from aiwae_nb.hmc import compiled_transition, hmc_step, transition
from aiwae_nb.models import VAE
from aiwae_nb.objectives import make_objective
from aiwae_nb.train import adam

LAYERS = ((50, 200), (200, 200), (200, 784))
# sizes of `train` (B, K), of `ais` (N chains), of `aiwae` (B, and T with K); with --small, to see that all of it runs
SIZES = dict(train=((20, 50), (128, 64)), ais=(4096, 640), batch=128, aiwae=((5, 5), (11, 50)))
SMALL = dict(train=((2, 4),), ais=(32,), batch=4, aiwae=((3, 2),))
MODES = {False: 'eager', True: 'compiled'}


def compilations(compile): return (False, True) if compile else (False,)


def products(n_rows, device, dtype=torch.float32, by_weight=True):
    "The nine matrix products of the decoder's forward and backward pass, or the six without those by its weights."
    def normal(*shape): return torch.randn(*shape, device=device).to(dtype)
    sides = [(normal(n_rows, i), normal(i, o), normal(n_rows, o)) for i, o in LAYERS]
    def run():
        for x, w, g in sides: x @ w, g @ w.t(), by_weight and x.t() @ g
    return run


def training_step(objective, n_samples, x, precision, compile):
    loss_fn = make_objective(VAE().to(x.device), objective, n_samples, precision)
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
    found = {name: round(statistics.median(r), 3) for name, r in seen.items()}
    return found | {'floor_ms': round(1e3*statistics.median(floors), 3)}


def train(turns, device, compile, sizes):
    report = {}
    for B, K in sizes['train']:
        torch.compiler.reset() # each size is compiled as a run of its own would be
        x = torch.rand(B, 784, device=device).round()
        kinds = itertools.product(('float32', 'bfloat16'), compilations(compile), ('iwae', 'iwae_dreg'))
        variants = {f'{name} {MODES[c]} {precision}': training_step(name, K, x, precision, c)
                    for precision, c, name in kinds}
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


def estimators(turns, device, compile, sizes):
    report, x = {}, torch.rand(128, 784, device=device).round()
    torch._dynamo.config.recompile_limit = 2*len(ESTIMATORS) # each is a variant of one function, and none may fall back
    for c in compilations(compile):
        torch.compiler.reset()
        steps = {name: training_step(name, 64, x, 'float32', c) for name in ESTIMATORS if name != 'iwae'}
        report[MODES[c]] = ratios(steps, training_step('iwae', 64, x, 'float32', c), turns, device)
    return report | {'inverse flow': inverse_flow(turns, device)}


MOVES, LEAPFROG = 2, 10


@torch.no_grad()
def annealing(log_joint, q, z, precision, compile, grad_log_joint=None):
    "Two temperatures in the middle of an annealing run: the loop of `anneal`."
    path = annealed_path(log_joint, q, grad_log_joint, precision, coarse=True) # as `ais` does
    assert (path.exact is None) == (precision != 'bfloat16'), 'energies stayed in float32'
    beta, step_size = torch.tensor(.5, device=z.device), torch.tensor(.1, device=z.device)
    state, move = path(beta, z), compiled_transition() if compile else transition
    log_w = torch.zeros_like(log_ratio(state))
    @torch.no_grad()
    def run():
        nonlocal state, log_w
        for _ in range(MOVES):
            log_w = log_w + 1e-3*log_ratio(state)
            mixed = mix_state(state.z, beta, *state.terms)
            state, info = hmc_step(mixed, partial(path, beta), step_size, LEAPFROG, move=move)
            info.accept_prob.mean()
    return run


def repeated(run, times):
    def runs():
        for _ in range(times): run()
    return runs


def log_joint_of(decoder, x):
    "A decoder that is known only as a callable."
    def log_joint(z):
        log_prior = Normal(0., 1., validate_args=False).log_prob(z).sum(-1)
        return log_prior + Bernoulli(logits=decoder(z), validate_args=False).log_prob(x).sum(-1)
    return log_joint


def decoder_of(device):
    layers = nn.Linear(50, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 784)
    return nn.Sequential(*layers).to(device)


def force_products(N, device, dtype): return repeated(products(N, device, dtype, by_weight=False), MOVES*LEAPFROG)


def ais(turns, device, compile, sizes, K=16):
    report = {}
    torch._dynamo.config.recompile_limit = 16 # two compiled forms of one function each, and none may fall back
    warnings.filterwarnings('error', message='going on without compilation')
    for N in sizes['ais']:
        torch.compiler.reset()
        model, x = VAE().to(device).eval(), torch.rand(N//K, 784, device=device).round()
        generic = log_joint_of(decoder_of(device), x)
        with torch.no_grad(): q = Independent(Normal(*model.encode(x)), 1)
        own, closed = partial(model.log_joint, x), partial(model.grad_log_joint, x)
        kinds = {'float32 {}': (own, None), 'bfloat16 {}': (own, 'bfloat16'),
                 'bfloat16 {}, closed form': (own, 'bfloat16', closed), 'callable bfloat16 {}': (generic, 'bfloat16')}
        variants = {}
        for (name, (f, precision, *grad)), c in itertools.product(kinds.items(), compilations(compile)):
            variants[name.format(MODES[c])] = annealing(f, q, q.sample((K,)), precision, c, *grad)
        floor = force_products(N, device, torch.float32)
        variants['products bfloat16'] = force_products(N, device, torch.bfloat16)
        found = ratios(variants, floor, turns, device)
        report[f'N={N}'] = found | {'floor_ms': round(found['floor_ms']/(MOVES*LEAPFROG), 3)}
        coarse = {name: r for name, r in found.items() if 'bfloat16' in name}
        least = coarse.pop('products bfloat16')
        report[f'N={N} over bfloat16 products'] = {name: round(r/least, 3) for name, r in coarse.items()}
    return report


def annealed_step(x, K, T, precision, compile):
    loss_fn = make_objective(VAE().to(x.device), 'aiwae', K, precision, temperatures=T, leapfrog=5)
    loss_fn.compile_chain, optimizer = compile, adam(loss_fn.parameters())
    def run():
        optimizer.zero_grad(set_to_none=True)
        loss_fn(x).backward()
        optimizer.step()
        loss_fn.after_step(optimizer)
    return run


def aiwae(turns, device, compile, sizes, L=5):
    B = sizes['batch']
    report, x = {}, torch.rand(B, 784, device=device).round()
    torch._dynamo.config.recompile_limit = 16 # compiled forms of one function, and none may fall back
    warnings.filterwarnings('error', message='going on without compilation')
    for T, K in sizes['aiwae']:
        kinds = itertools.product(('float32', 'bfloat16'), compilations(compile))
        variants = {f'{MODES[c]} {precision}': annealed_step(x, K, T, precision, c) for precision, c in kinds}
        variants['iwae eager float32'] = training_step('iwae', K, x, 'float32', False)
        forces, rest = products(K*B, device, by_weight=False), products(K*B, device)
        def floor():
            for _ in range((T - 1)*L): forces()
            rest()
        found = ratios(variants, floor, turns if K < 50 else max(3, turns//5), device)
        iwae, floor_s = found['iwae eager float32'], found['floor_ms']*60_000/B/1e3
        over_iwae = {f'{name} over iwae': round(found[name]/iwae, 1) for name in variants if 'iwae' not in name}
        epochs = {f'{name} epoch_s': round(found[name]*floor_s, 1) for name in variants}
        report[f'T={T} K={K}'] = found | over_iwae | epochs | {'floor epoch_s': round(floor_s, 1), 'T*L': T*L}
    return report


@call_parse
def main(
    # train (a step), estimators (each over iwae), ais (a leapfrog step), aiwae (a training step by annealing); several
    # with commas
    what:str,
    turns:int=31, # how many times all variants take turns
    device:str='cpu', # cpu or cuda
    eager:bool=False, # leave out torch.compile
    small:bool=False, # a few rows, to see that it runs: the ratios mean nothing
):
    "Time this library against the matrix products that it cannot do without; print a JSON line of ratios for each."
    benchmarks = {'train': train, 'estimators': estimators, 'ais': ais, 'aiwae': aiwae}
    for name in what.split(','):
        if name not in benchmarks: raise SystemExit(f"unknown benchmark {name!r}, expected of {', '.join(benchmarks)}")
    machine = dict(threads=torch.get_num_threads(), torch=torch.__version__, machine=platform.machine())
    if device == 'cuda': machine['card'] = torch.cuda.get_device_name()
    for name in what.split(','):
        report = benchmarks[name](turns, device, not eager, SMALL if small else SIZES)
        print(json.dumps(dict(benchmark=name, device=device) | machine | report), flush=True)
