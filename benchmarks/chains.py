"""Forces that an annealed estimate of log p(x) needs, by start, mass and length. Prints one JSON line.

    python benchmarks/chains.py runs/mnist_iwae5

Test images of a run are annealed from q, from the Gaussian at the mode ("laplace") and from that of the largest bound
("variational"), with the identity as mass,
with the scales of q, and in the coordinates in which the start is white ("laplace" from q: the mass that follows the
precision of the path). Rows are compared at equal forces for each chain: those of the start, shared by the chains of
an image, are counted; those of the pilot, which all rows have, are not. `papers`: from q, identity, L = 10, evenly
spaced temperatures, as in paper 1.

Each row: the deficit of one chain, mean log w below the reference; the shortfall of the estimate, the log of the mean
weight below it; the standard deviation of log w, the effective sample size, and the share of images that converge, by
a second run of half the temperatures. The reference is the mean of two long runs; `certificate` bounds how much too low
one of them is on images simulated from the model.
"""
import json, platform, sys, time

import torch
from fastcore.script import call_parse

from aiwae_nb.ais import ais
from aiwae_nb.bdmc import certify
from aiwae_nb.core import log_mean_exp
from aiwae_nb.evaluate import simulate, test_images
from aiwae_nb.evidence import (BETA_SCHEDULES, half_length, has_converged, interpolate_step_sizes, log_evidence,
                               log_mean_error, run_pilot)
from aiwae_nb.hmc import DenseMass, DiagonalMass
from aiwae_nb.laplace import laplace_posterior, tempered_precision
from aiwae_nb.runs import Run
from aiwae_nb.variational import variational_posterior
from aiwae_nb.weights import ess


def following(q, found):
    "The mass of the precision (1 - beta) Q + beta H of the path from q to the Gaussian's."
    path = tempered_precision(torch.diag_embed(q.variance**-1), found.q.precision_matrix)
    return lambda beta: DenseMass(*path.at(beta))


def rows(q, found, best, n_chains):
    "name -> (start, mass, L, schedule, forces of the start for each chain)."
    cost, scales = found.forces/n_chains, DiagonalMass(q.stddev)
    variational = {f'variational, {n} steps': (b.q, 'q', 2, 'tuned', b.forces/n_chains) for n, b in best.items()}
    return {
        'papers': (q, None, 10, 'linear', 0), 'q, identity': (q, None, 5, 'tuned', 0),
        'q, of q': (q, 'q', 2, 'tuned', 0), 'q, laplace': (q, following(q, found), 2, 'tuned', cost),
        'laplace, identity': (found.q, None, 5, 'tuned', cost), 'laplace, of q': (found.q, scales, 2, 'tuned', cost),
        'laplace, laplace': (found.q, 'q', 2, 'tuned', cost)} | variational


def measured(problem, row, n_forces, n_chains, pilot, reference, noise):
    "A run of so many forces, and one of half its temperatures."
    joint, grad = problem
    q, mass, L, schedule, cost = row
    T = max(2, round((n_forces - cost)/L) + 1)
    def run(T):
        betas = BETA_SCHEDULES[schedule](pilot, T)
        return ais(joint, q, n_chains, betas, step_size=interpolate_step_sizes(pilot, betas), n_leapfrog=L, mass=mass,
                   grad_log_joint=grad, generator=noise, check=False)
    full, half = run(T), run(half_length(T))
    log_w, value = full.log_w, log_mean_exp(full.log_w)
    sure = has_converged(log_w, log_mean_exp(half.log_w), log_mean_error(half.log_w), full.min_accept, full.diverged,
                         full.uneven)
    def rounded(a): return round(a.double().mean().item(), 4)
    return dict(T=T, L=L, deficit=rounded(reference - log_w), shortfall=rounded(reference - value),
                error=rounded((reference - value).abs()), sd=rounded(log_w.std(0)), ess=rounded(ess(log_w)),
                converged=rounded(sure), accept=rounded(full.accept_rate))


@call_parse
def main(
    run:str, # the folder of a run, as runs/mnist_iwae5
    images:int=32, # test images, from the first
    chains:int=16, # K
    forces:str='62,100,125,250,1000,1250,10000', # for each chain
    reference:int=5000, # temperatures of the long runs
    simulated:int=40, # images of the certificate
    data:str=None, # a folder to look for the data in first
):
    "Deficits of one model, by start, mass and number of forces."
    model, dataset, config = Run(run).load(data)
    inputs = dataset.inputs(config.task)(test_images(dataset.test, images))
    x, c = inputs[0], inputs[1:]
    started = time.perf_counter()
    with torch.no_grad():
        q = model.posterior(x, *c)
        joint, grad = (lambda z: model.log_joint(x, z, *c)), (lambda z: model.grad_log_joint(x, z, *c))
        bent = lambda z: model.curvature(x, z, *c)
        long = [log_evidence(joint, q, n_temperatures=reference, grad_log_joint=grad, curvature=bent, half_T=False,
                             n_chains=chains, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
        truth = (long[0].value + long[1].value)/2
        found = laplace_posterior(joint, q, grad_log_joint=grad, curvature=bent)
        best = {n: variational_posterior(joint, q, n_steps=n, grad_log_joint=grad, curvature=bent) for n in (4, 16)}
        table = {}
        for name, row in rows(q, found, best, chains).items():
            noise = torch.Generator().manual_seed(0)
            pilot = run_pilot(joint, row[0], mass=row[1], n_leapfrog=row[2], grad_log_joint=grad, generator=noise)
            table[name] = {n: measured((joint, grad), row, n, chains, pilot, truth, noise)
                           for n in map(int, forces.split(','))}
        x_model, z_model, c_model = simulate(model, simulated, *c, seed=3)
        said = certify(x_model, z_model, model.posterior, model.log_joint, *c_model, curvature=model.curvature,
                       grad_log_joint=model.grad_log_joint, temperatures=(reference,), n_chains=chains)
    print(json.dumps(dict(
        benchmark='chains', command=' '.join(['python benchmarks/chains.py', *sys.argv[1:]]),
        images=images, chains=chains,
        reference=dict(temperatures=reference, nll=-truth.mean().item(), sd=long[0].log_w.std(0).mean().item(),
                       between_runs=(long[0].value - long[1].value).abs().mean().item()),
        start=dict(forces_per_chain=found.forces/chains, converged=found.converged.double().mean().item(),
                   fallback=found.fallback.double().mean().item(),
                   variational={n: b.forces/chains for n, b in best.items()}),
        rows=table, certificate=said.results[-1] | dict(sentence=said.sentence),
        seconds=round(time.perf_counter() - started), machine=platform.machine(), threads=torch.get_num_threads(),
        torch=torch.__version__)))
