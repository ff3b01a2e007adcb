"""Draw nbs/annealing.gif, chains that anneal from q to a posterior of two modes: `python nbs/figures/annealing.py`.

The picture is made of what a run needs: log densities between q and the posterior, and four HMC
transitions at each temperature; the dots are their samples.
"""
from io import BytesIO
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch.distributions import Normal

from aiwae_nb.core import seeded
from aiwae_nb.hmc import as_target, hmc_step

PATH = Path(__file__).parent.parent/'annealing.gif'
N_CHAINS, N_FRAMES, MOVES = 220, 28, 4 # MOVES transitions at each temperature
BLUE, ORANGE = '#0072b2', '#d55e00'
GRID = torch.stack(torch.meshgrid(torch.linspace(-4, 4, 121), torch.linspace(-2.5, 2.5, 76), indexing='xy'), -1)


Q = Normal(torch.tensor([0., -.4]), torch.tensor([.8, .6]))


def log_q(z): return Q.log_prob(z).sum(-1)


def log_posterior(z): # two curved ridges, up to a constant
    along, across = z.unbind(-1)
    modes = [Normal(m, .45).log_prob(along) + Normal(.25*along**2 - 1, .22).log_prob(across) for m in (-2.3, 2.3)]
    return torch.logsumexp(torch.stack(modes), 0)


def between(beta): return lambda z: (1 - beta)*log_q(z) + beta*log_posterior(z)


def frame(z, beta):
    figure = Figure((6.4, 4.3), dpi=100, layout='constrained', facecolor='white')
    ax = figure.subplots()
    density = between(beta)(GRID).exp()
    levels = density.max()*torch.tensor([.02, .1, .3, .6, .9])
    ax.contour(*GRID.unbind(-1), density, levels, colors=BLUE, linewidths=1.4)
    ax.plot(*z.T, 'o', ms=3.2, color=ORANGE, mew=0)
    ax.plot([-3.8, -3.8 + 7.6*beta], [-2.35, -2.35], color=BLUE, lw=5, solid_capstyle='butt')
    ax.set(xlim=(-4, 4), ylim=(-2.5, 2.5), xlabel='$z_1$', ylabel='$z_2$', aspect='equal',
           title=rf'$q^{{1-\beta}}\, p(x, z)^\beta$,  $\beta$ = {beta:.2f}')
    kept = BytesIO()
    figure.savefig(kept, format='png')
    return Image.open(kept).convert('RGB')


def chains():
    "The frames: chains that start as draws of q, at a temperature each."
    with seeded(0): z = Q.sample((N_CHAINS,))
    yield frame(z, 0.)
    with seeded(1):
        for t in range(1, N_FRAMES):
            beta = t/(N_FRAMES - 1)
            target = as_target(between(beta))
            state = target(z)
            for _ in range(MOVES): state, _ = hmc_step(state, target, .12)
            z = state.z
            yield frame(z, beta)


if __name__ == '__main__':
    frames = list(chains())
    palette = frames[-1].quantize(12)
    small = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    times = [1200] + [140]*(len(small) - 2) + [2500] # milliseconds
    small[0].save(PATH, save_all=True, append_images=small[1:], duration=times, loop=0, optimize=True)
    print(f'{PATH.name}: {len(small)} frames, {PATH.stat().st_size:,} bytes')
