"""Why the annealed objective is farther from the energies E and F: where along the chain, and what closes the gap.

    python results/avo_ef.py results/avo_ef.json
    python results/avo_ef.py results/avo_ef.json annealed-E last-E
    python results/avo_ef.py /tmp/avo_ef.json --small

Chains are trained by the annealed objective, and continued in several ways. The chains of all seeds are trained side
by side, as the data of a batch, which takes less time. The second line runs some arms only; those that continue a chain
need `annealed` of their target before. Arms that the file holds are not run again; it is written after each. `--small`
is a quick try: two seeds, few steps.
"""
import argparse, itertools, time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal
from torch.func import stack_module_state

from aiwae_nb.avo import avo_loss, linear_alphas
from aiwae_nb.core import seeded
from aiwae_nb.files import load_checkpoint, load_json, round_floats, save_checkpoint
from aiwae_nb.hvi import GatedTransition, HierarchicalPosterior, hvi_loss
from aiwae_nb.targets import ENERGIES, annealed_target, standard_normal
from aiwae_nb.toys import AnnealedToy, ChainToy, log_density, make_toy
from collect import machine
from migrate import as_text, json_file

COMMON = dict(seeds=3, steps=10_000, more=5_000, batch=128, lr=1e-3, transitions=4, hidden=32) # more: of a continuation
GRID = dict(n=200, n_draws=20_000) # of a report
POOL = 200_000 # draws from which a last step alone starts
SMALL = dict(seeds=2, steps=30, more=30)


class Arm(NamedTuple):
    "A way to train, from nothing or from the chains of the arm 'annealed'."
    words:str
    loss:str='annealed'       # annealed, or the bound
    # None: from nothing; all: every step goes on; chain, exact: the last step alone, from draws of q_{T-1}, f_{T-1}
    start:str|None='all'
    new:int=0                 # the width of a new last step; 0: the trained one
    gate_init:float=0.        # of the steps that begin from nothing; larger: nearer the identity
    steps:int=0               # 0: as in COMMON
    transitions:int=0         # 0: as in COMMON
    is_even:bool=False        # whether the alphas divide the path into parts of equal length


ARMS = {
    'annealed': Arm('the annealed objective', start=None),
    'last': Arm('then the last step alone', start='chain'),
    'exact': Arm('a last step alone, from exact draws', start='exact', new=32),
    'exact_near': Arm('a last step alone, from exact draws, begun near the identity', start='exact', new=32,
                      gate_init=5.),
    'near': Arm('the annealed objective, begun near the identity, half the steps', start=None, gate_init=5.,
                steps=5_000),
    'exact_wide': Arm('a last step alone, four times as wide, from exact draws', start='exact', new=128),
    'wide': Arm('then a new last step alone, four times as wide', start='chain', new=128),
    'bound': Arm('then the bound', 'bound'),
    'fresh': Arm('then a new last step alone', start='chain', new=32),
    'longer': Arm('then the annealed objective'),
    'even': Arm('the annealed objective, even alphas', start=None, is_even=True),
    'steps10': Arm('the annealed objective, 10 steps', start=None, transitions=10)}


@cache
def between(letter, alpha):
    "The target of a step as an Energy, whose divergences a grid gives."
    target = ENERGIES[letter]
    return target._replace(energy=lambda z: -annealed_target(target.log_f, alpha)(z))


def even_alphas(letter, T, n=100):
    "Alphas that divide the path from N(0, I) to the target into T parts of equal length. Its speed: sd of log f/f0."
    grid = torch.linspace(0, 1, n + 1, dtype=torch.float64)
    z, _ = ENERGIES[letter].grid(GRID['n'])
    change = ENERGIES[letter].log_f(z) - standard_normal(z)
    def speed(alpha):
        p = between(letter, alpha).log_f(z).softmax(0)
        return (p @ change.square() - (p @ change).square()).sqrt()
    speeds = torch.stack([speed(a) for a in grid.tolist()])
    length = torch.cat([torch.zeros(1), ((speeds[1:] + speeds[:-1])/2).cumsum(0)/n])
    at = torch.searchsorted(length, length[-1]*torch.arange(1, T, dtype=torch.float64)/T)
    return [*grid[at].tolist(), 1.]


def spread(log_p, z):
    "The standard deviation of the first coordinate of a density on a grid."
    p = log_p.softmax(0)
    return (p @ z[:, 0].square() - (p @ z[:, 0]).square()).sqrt().item()


def path_of(letter, alphas):
    "How far each target is from the one before, and how wide it is."
    z, _ = ENERGIES[letter].grid(GRID['n'])
    steps = []
    for low, high in zip([0., *alphas], alphas):
        before, after = between(letter, low), between(letter, high)
        kl = after.kl_from(lambda z: before.log_f(z) - before.log_z(GRID['n']), GRID['n'])
        steps.append(dict(alpha=high, kl=kl, spread=spread(after.log_f(z), z)))
    return steps


class Pool(Distribution):
    "Draws from a finite set. Its density is unknown."
    arg_constraints, has_rsample = {}, True

    def __init__(self,
        points, # (N, B, 2)
    ):
        self.points = points
        super().__init__(points.shape[1:2], torch.Size([2]), validate_args=False)

    def rsample(self, sample_shape=torch.Size()): return self.points[torch.randint(len(self.points), sample_shape)]

    def log_prob(self, value): return value.new_full(value.shape[:-1], torch.nan)


class LastStep(AnnealedToy):
    "A chain of one step that starts from a set of draws: its annealed objective is the last term of a longer chain's."
    def __init__(self, pair, points, log_q0=None):
        super().__init__(1, 1)
        # log_q0: the mean log density of the points, if it is known
        self.layers, self.points, self.log_q0 = nn.ModuleList([pair]), points, log_q0

    def posterior(self, n):
        return HierarchicalPosterior(Pool(self.points[:, None].expand(-1, n, 2)), [tuple(pair) for pair in self.layers])


class SideBySide(nn.Module):
    "The same transition of B chains: the distribution of the next z, for z (K, B, 2)."
    def __init__(self, transitions):
        super().__init__()
        self.transitions = transitions # a tuple, so that their own parameters are not registered
        weights, _ = stack_module_state(transitions)
        self.weights = nn.ParameterDict({name.replace('.', '_'): w.detach() for name, w in weights.items()})
        z = torch.randn(3, len(transitions), 2)
        both = self(z).mean, torch.stack([t(z[:, i]).mean for i, t in enumerate(transitions)], 1)
        torch.testing.assert_close(*both)

    def linear(self, name, x):
        return torch.einsum('kbi,boi->kbo', x, self.weights[f'{name}_weight']) + self.weights[f'{name}_bias']

    def forward(self, z):
        h = self.linear('h', z).relu()
        mean, gate, raw_scale = (self.linear(name, h) for name in ('mean', 'gate', 'raw_scale'))
        g = gate.sigmoid()
        normal = Normal(g*mean + (1 - g)*z, nn.functional.softplus(raw_scale) + 1e-6, validate_args=False)
        return Independent(normal, 1, validate_args=False)

    def write_back(self):
        "Give the chains their weights."
        for i, transition in enumerate(self.transitions):
            own = dict(transition.named_parameters())
            with torch.no_grad():
                for name, p in own.items(): p.copy_(self.weights[name.replace('.', '_')][i])


def first_steps(toy, n):
    "The chain of the first n steps."
    part = ChainToy(1, 1)
    part.layers = toy.layers[:n]
    return part


def begin_near(transition, gate_init):
    "What gate_init does to the biases of a transition."
    with torch.no_grad():
        transition.gate.bias.sub_(gate_init)
        transition.raw_scale.bias.sub_(gate_init/2)


def new_chain(arm, letter, seed):
    "A chain that is not trained."
    T = arm.transitions or COMMON['transitions']
    with seeded(seed): toy = make_toy('avo', T, COMMON['hidden'])
    if arm.is_even: toy.alphas = even_alphas(letter, T)
    for pair in toy.layers:
        for transition in pair: begin_near(transition, arm.gate_init)
    return toy


def last_step(arm, letter, chain):
    "The last step of a chain, or a new one, alone."
    log_q0 = None
    if arm.start == 'exact':
        before = between(letter, chain.alphas[-2])
        points = before.sample(POOL).float()
        log_q0 = (before.log_f(points).mean() - before.log_z(GRID['n'])).item()
    else:
        with torch.no_grad(): points = first_steps(chain, len(chain.layers) - 1).draw(POOL)
    pair = [GatedTransition(2, arm.new, gate_init=arm.gate_init) for _ in range(2)] if arm.new else chain.layers[-1]
    return LastStep(nn.ModuleList(pair), points, log_q0)


def trained(toys, letter, loss, steps):
    "Move all parameters of some chains, in place."
    layers = nn.ModuleList(nn.ModuleList(SideBySide(each) for each in zip(*pairs)) for pairs in
                           zip(*(toy.layers for toy in toys)))
    if isinstance(toys[0], LastStep): q0 = Pool(torch.stack([toy.points for toy in toys], 1))
    else: q0 = Independent(Normal(torch.zeros(len(toys), 2), 1.), 1)
    log_f, K, alphas = ENERGIES[letter].log_f, COMMON['batch'], toys[0].alphas
    def loss_now():
        q = HierarchicalPosterior(q0, [tuple(pair) for pair in layers])
        if loss == 'bound': return hvi_loss(log_f, q, K, reduction='none')
        return avo_loss(log_f, q, K, alphas, log_f0=standard_normal, reduction='none')
    torch.compiler.reset()
    losses = torch.compile(loss_now, dynamic=False)
    optimizer = torch.optim.Adam(layers.parameters(), COMMON['lr'], fused=True)
    for step in range(steps):
        optimizer.zero_grad(set_to_none=True)
        found = losses()
        if not found.isfinite().all(): raise ValueError(f"the losses are {found.tolist()} at step {step}")
        found.sum().backward()
        optimizer.step()
    for pair in layers:
        for each in pair: each.write_back()
    return toys


def made(name, letter, weights):
    "Train an arm for all seeds, from the weights of chains."
    arm, seeds = ARMS[name], range(COMMON['seeds'])
    chains = [new_chain(arm, letter, seed) for seed in seeds]
    with seeded(0):
        steps = min(arm.steps or COMMON['steps'], COMMON['steps'])
        if arm.start is None: return trained(chains, letter, arm.loss, steps)
        for seed, chain in enumerate(chains if weights else ()): chain.load_state_dict(weights[str(seed)])
        if arm.start != 'all': chains = [last_step(arm, letter, chain) for chain in chains]
        return trained(chains, letter, arm.loss, COMMON['more'])


def along(toy, letter, seed):
    "Each marginal of a chain: its divergence from its own target, and its width."
    z, _ = ENERGIES[letter].grid(GRID['n'])
    found = []
    for t, alpha in enumerate(toy.alphas, 1):
        log_q = log_density(first_steps(toy, t), z, GRID['n_draws'], seed)
        found.append(dict(kl=between(letter, alpha).kl_from(lambda z: log_q, GRID['n']), spread=spread(log_q, z)))
    return found


@torch.no_grad()
def gap_of(toy, letter, seed):
    "log Z minus the bound of a last step from draws of known density: its divergence, and the error of its reverse."
    with seeded(seed):
        loss = avo_loss(ENERGIES[letter].log_f, toy.posterior(1), POOL, [1.], log_f0=standard_normal).item()
    return loss + toy.log_q0 + ENERGIES[letter].log_z(GRID['n'])


def measured(toy, letter, seed):
    "What is kept of a chain."
    if isinstance(toy, LastStep):
        # a step near the identity has a small scale, and the mean over draws makes its divergence too large
        if toy.log_q0 is not None: return dict(log_z_gap=gap_of(toy, letter, seed))
        z, _ = ENERGIES[letter].grid(GRID['n'])
        log_q = log_density(toy, z, GRID['n_draws'], seed)
        return dict(kl=ENERGIES[letter].kl_from(lambda z: log_q, GRID['n']))
    steps = along(toy, letter, seed)
    with torch.no_grad(), seeded(seed): bound = -toy.bound_loss(ENERGIES[letter].log_f, GRID['n_draws']).item()
    return dict(kl=steps[-1]['kl'], log_z_gap=ENERGIES[letter].log_z(GRID['n']) - bound, along=steps)


def run(target, asked, is_small):
    "Run what the file lacks of some pairs of an arm and a target, and write it after each."
    fits = load_json(target)['fits'] if target.exists() else {}
    T = COMMON['transitions']
    paths = {f'{letter}-{kind}': round_floats(path_of(letter, alphas)) for letter in 'EF' for kind, alphas in
             dict(linear=linear_alphas(T).tolist(), even=even_alphas(letter, T)).items()}
    about = dict(command='python results/avo_ef.py results/avo_ef.json', machine=machine(), common=COMMON, grid=GRID,
                 arms={k: a._asdict() for k, a in ARMS.items()}, paths=paths)
    for name, letter in asked:
        weights = Path(f"runs/avo_ef{'_small'*is_small}/{letter}.pt") # of the chains that other arms continue
        weights.parent.mkdir(parents=True, exist_ok=True)
        if f'{name}-{letter}-0' in fits: continue
        goes_on = ARMS[name].start in ('all', 'chain')
        if goes_on and not weights.exists(): raise SystemExit(f"{name} goes on from {weights}: run annealed-{letter} first")
        toys = made(name, letter, load_checkpoint(weights) if goes_on else None)
        if name == 'annealed': save_checkpoint({str(seed): toy.state_dict() for seed, toy in enumerate(toys)}, weights)
        found = {f'{name}-{letter}-{seed}': dict(arm=name, target=letter, seed=seed) |
                 round_floats(measured(toy, letter, seed)) for seed, toy in enumerate(toys)}
        fits |= found
        target.write_text(as_text(about | dict(fits=fits)))
        print(time.strftime('%H:%M:%S'), letter, name, *(f.get('kl', f.get('log_z_gap')) for f in found.values()),
              f'{time.process_time():.0f} s of CPU', flush=True)


def arm_of(text):
    "The arm and the energy of a name such as last-E."
    name, _, letter = text.partition('-')
    if name not in ARMS or letter not in ('E', 'F'):
        raise argparse.ArgumentTypeError(f"{text!r} is no run, expected ARM-E or ARM-F with an arm of {', '.join(ARMS)}")
    return name, letter


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('target', type=json_file, help='the JSON that is written')
    parser.add_argument('arms', nargs='*', type=arm_of, help='such as last-E; all if not given')
    parser.add_argument('--small', action='store_true', help='a quick try')
    asked = parser.parse_args()
    if asked.small: COMMON |= SMALL
    run(asked.target, asked.arms or list(itertools.product(ARMS, 'EF')), asked.small)
