"""Call the public functions with bad arguments, and count how they answer: `python .ci/bad_inputs.py`.

A table states good calls. For each argument bad values are generated from the type of the good one: counts, numbers,
choices, tensors, functions, distributions, models. Each call is sorted into one of four classes:

    clear     the package raised a `ValueError` or `TypeError` whose message names the argument or the value
    accepted  a value came back, and `ACCEPTED` states why that is right; or the caller's own model raised on its data
    raw       another exception, a message that names neither, or no answer within `SECONDS`
    silent    a value came back

Exit code 1 where a call is silent, where more than `--limit` are raw, where a good call fails, and where a line of
`ACCEPTED` is out of date. `--list` prints the calls of the last two classes, `--all` every call; `--only WORD` takes
the functions whose name contains the word.
"""
import argparse, contextlib, dis, fnmatch, io, re, signal, sys, tempfile, time, warnings
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from aiwae_nb import (ais, aiwae, any_bound, avo, bdmc, bounds, coordinates, core, data, discrete, dreg, evaluate,
                      evidence, flows, gradients, hmc, hvi, laplace, likelihoods, models, objectives, parallel, plots, pretrained,
                      probes, runs, sequential, sites, snr, targets, toys, train, uha, variational, weights)

K, B, D, P, T = 4, 10, 2, 6, 3 # samples, data, latent dimensions, pixels, temperatures
SECONDS = 10 # of CPU time, for one call
LIMIT = 40 # raw answers
evidence.TEMPERATURES = 8 # the default, where n_temperatures is None: a thousand take seconds, and no other path


# --- what the calls are about ---

def normal_at(loc): return Independent(Normal(loc, torch.ones_like(loc), validate_args=False), 1)
def normal(size=D): return normal_at(torch.zeros(size))


class Model(nn.Module):
    "A small model of bits, with what a user's own model offers."
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(P, D), nn.Linear(D, P)

    def prior(self): return normal()
    def posterior(self, x): return normal_at(self.encoder(x))
    def likelihood(self, z): return Independent(Bernoulli(logits=self.decoder(z), validate_args=False), 1)
    def log_joint(self, x, z): return self.prior().log_prob(z) + self.likelihood(z).log_prob(x)


class Conditional(Model):
    "The same, given a context."
    def __init__(self):
        super().__init__()
        self.context = nn.Linear(4, D)

    def prior(self, c): return normal_at(self.context(c))
    def posterior(self, x, c): return normal_at(self.encoder(x) + self.context(c))
    def log_joint(self, x, z, c): return self.prior(c).log_prob(z) + self.likelihood(z).log_prob(x)


def bits(n=B, size=P): return (torch.rand(n, size) < .5).float()
def pixels(n=B, size=P): return torch.randint(0, 256, (n, size), dtype=torch.uint8)
def posterior(): return normal_at(torch.zeros(B, D, requires_grad=True))
def log_joint(z): return -(z - torch.ones(B, D)).square().sum(-1)
def to_bits(x): return Independent(Bernoulli(logits=x.flatten(1)[:, :D].float()), 1)
def of_bits(x, z): return -(z - x.flatten(1)[:, :D]).square().sum(-1)
def bit_posterior(): return Independent(Bernoulli(logits=torch.zeros(B, D, requires_grad=True)), 1)
def log_w(k=K): return torch.randn(k, B)
def step(z): return normal_at(z)
def chain(): return hvi.HierarchicalPosterior(posterior(), [(step, step)]*2)
def annealing_chain(): return uha.HamiltonianPosterior(posterior(), log_joint, torch.tensor([.5, 1.]), torch.ones(2))
def hamiltonian(q0, log_joint, **settings): return uha.HamiltonianSteps(**settings)(q0, log_joint).walk(K).log_w
def state(): return hmc.as_target(log_joint)(torch.zeros(K, B, D))
def pilot(): return evidence.Pilot(torch.linspace(0, 1, 4).double(), torch.full((4,), .1), torch.ones(4))
def vae(**choices): return models.VAE(P, D, (3,), **choices)
def objective(): return objectives.make_objective(Model(), 'iwae_dreg', K)
def folder(): return Path(tempfile.mkdtemp(dir=SCRATCH.name))


SCRATCH = tempfile.TemporaryDirectory()


# --- the table: name -> (function, good arguments); what is made anew for each call is a class `New` ---

class New(NamedTuple):
    make: Any


def loss(f, **more): return f, dict(log_joint=log_joint, q=New(posterior), n_samples=K) | more
def given(f): return partial(f, log_joint, posterior(), K) # a loss whose options alone are tried
def method(make, name): return lambda **given: getattr(make(), name)(**given)


def stepped(**settings): return hmc.StepSizes(settings.pop('shape'), **settings).update(torch.ones(2)) or True
def followed(accept_rate): return hmc.StepSizes(2).update(accept_rate) or True
def curvature(z): return 2*torch.eye(D).expand(*z.shape, D)
def newton(**settings): return laplace.gauss_newton(likelihood=laplace.BERNOULLI, **settings)(torch.zeros(K, B, D))
def annealed_losses(**settings):
    model, inference, _ = aiwae.aiwae_losses(**settings)
    return model, inference()


def lifted(log_f, reverse):
    q = hvi.HierarchicalPosterior(posterior(), [(step, reverse)])
    return q.lift(log_f)(q.path().rsample((K,)))


def layered(first, layers, sizes): return any_bound.LayeredPosterior(first, layers, sizes).rsample((K,))
def next_state(t, z): return normal_at(torch.zeros(B, D) if z is None else z)
def proposed(t, z, x): return next_state(t, z)
def emitted(t, z): return normal_at(z)
def filtered(**given): return sequential.particle_filter(**given).log_z
def path(q0, transition): return hvi.HierarchicalPosterior(q0, [(transition, step)]).path().rsample((K,))
def flow(n_latent, n_context, n_steps, q0, c):
    return flows.PlanarFlow(n_latent, n_context, n_steps)(q0, c).rsample_and_log_prob((K,))


def gated(c, **settings): return hvi.GatedTransition(**settings)(torch.zeros(K, B, D), c).mean
def annealed(log_f, alpha): return targets.annealed_target(log_f, alpha)(torch.zeros(K, B, D))
def learned(**settings): return objectives.make_objective(**settings)(bits())
def scored(x, context, **more): return evaluate.evaluate_bound(Conditional(), x, context, **more)
def likelihood(x, context, posterior, log_joint, **more):
    return evidence.log_likelihood(x, posterior, log_joint, context, **more)


def tested(**settings): return probes.TestBound(**settings).measure(objective(), (bits(),), None, 1)
def ready(**flags): return runs.RunConfig.from_flags(**flags).check() or True
def opened(**asked):
    with parallel.find_executor(**asked): return True
def linear(**of): return targets.LinearGaussian(**of).log_evidence(bits())


def one_site(q): return sites.SitePosterior({'a': q})
def energy(z): return -z.square().sum(-1)
CHAINS = dict(n_leapfrog=1, precision='float32')
MEAN = torch.full((8,), .5)
CALLS = {
    'importance_draws': loss(weights.importance_draws),
    'ess': (weights.ess, dict(log_w=log_w())),
    'pareto_k': (weights.pareto_k, dict(log_w=log_w(120))),
    'iwae_bound': (bounds.iwae_bound, dict(log_w=log_w())),
    'jackknife_bound': (bounds.jackknife_bound, dict(log_w=log_w(), order=1)),
    'reinforce': (gradients.reinforce, dict(f=log_joint, q=New(posterior), n_samples=K)),
    'reparameterize': (gradients.reparameterize, dict(f=log_joint, q=New(posterior), n_samples=K)),
    'iwae_dreg_loss': loss(dreg.iwae_dreg_loss, beta=.5, prior=New(normal), reduction='mean'),
    'elbo_loss': loss(dreg.elbo_loss, beta=.5, prior=New(normal)),
    'rws_loss': loss(dreg.rws_loss),
    'dreg_loss': (given(dreg.dreg_loss), dict(alpha=.5)),
    'jvi_loss': (given(dreg.jvi_loss), dict(order=1)),
    'rws_losses': loss(dreg.rws_losses),
    'BOUND': (lambda bound: dreg.BOUND(bound)(log_joint, posterior(), K), dict(bound=bounds.iwae_bound)),
    'bound_weights': (dreg.bound_weights, dict(bound=bounds.iwae_bound, log_w=log_w())),
    'renyi_bound': (any_bound.renyi_bound, dict(log_w=log_w(), alpha=.5)),
    'chi_bound': (any_bound.chi_bound, dict(log_w=log_w(), order=2.)),
    'LayeredPosterior': (layered, dict(first=New(posterior), layers=[step], sizes=[D, D])),
    'TunedAlpha': (dreg.TunedAlpha, dict(start=.5, decay=.9)),
    'TunedAlpha.update': (method(dreg.TunedAlpha, 'update'), dict(zero=torch.randn(2, 5), one=torch.randn(2, 5))),
    'HypergradientAlpha': (dreg.HypergradientAlpha, dict(start=.5, rate=.9)),
    'HypergradientAlpha.update': (
        method(dreg.HypergradientAlpha, 'update'), dict(zero=torch.randn(2, 5), one=torch.randn(2, 5))),
    'gradient_report': (snr.gradient_report, dict(
        loss_fns=New(lambda: {'one': lambda: PARAMETER.square()*torch.randn(())}), parameters=New(lambda: [PARAMETER]),
        n_draws=30, reference='one', seed=0, level=.05)),
    'gaussian_toy': (snr.gaussian_toy, dict(n_data=4, seed=0, n_latent=2, spread=.01)),
    'snr_experiment': (snr.snr_experiment, dict(
        Ks=(1, 2), estimators=('iwae',), n_data=2, n_trials=2, n_draws=2, seed=0)),
    'as_target': (partial(hmc.as_target, log_joint), dict(precision='float32')),
    'hmc_step': (hmc.hmc_step, dict(state=New(state), target=hmc.as_target(log_joint), step_size=.1, n_leapfrog=1)),
    'hmc_step.mass': (hmc.hmc_step, dict(state=New(state), target=hmc.as_target(log_joint), step_size=.1,
                                         mass=hmc.DiagonalMass(torch.ones(D)))),
    'DiagonalMass': (hmc.DiagonalMass, dict(scale=torch.ones(D))),
    'dense_mass': (hmc.dense_mass, dict(scale_tril=torch.eye(D))),
    'DenseMass': (hmc.DenseMass, dict(inverse=torch.eye(D), root=torch.eye(D))),
    'jitter_steps': (hmc.jitter_steps, dict(step_size=.1, shape=(2,), width=.2)),
    'WhiteCoordinates': (coordinates.WhiteCoordinates, dict(q=New(posterior))),
    'StepSizes': (stepped, dict(shape=2, start=.1, target=.6, factor=1.1, low=.01, high=.3)),
    'StepSizes.update': (followed, dict(accept_rate=torch.ones(2))),
    'linear_schedule': (ais.linear_schedule, dict(T=T)),
    'sigmoid_schedule': (ais.sigmoid_schedule, dict(T=T, rad=4.)),
    'ais': (ais.ais, dict(log_joint=log_joint, q=New(posterior), n_chains=K, betas=ais.linear_schedule(T), step_size=.1,
                          z0=torch.zeros(K, B, D), mass='q', **CHAINS)),
    'run_pilot': (evidence.run_pilot, dict(log_joint=log_joint, q=New(posterior), n_chains=K, n_stops=T, n_moves=1,
                                           target=.6, start=.1, **CHAINS)),
    'log_evidence': (partial(evidence.log_evidence, log_joint, posterior()), dict(
        n_chains=K, n_temperatures=T, schedule='tuned', start='q', mass='q', pilot=pilot(), **CHAINS)),
    'log_evidence.tolerance': (partial(evidence.log_evidence, log_joint, posterior()), dict(
        n_chains=K, tolerance=.5, max_forces=20, start='q')),
    'plan_run': (evidence.plan_run, dict(log_joint=log_joint, q=New(posterior), tolerance=.5, n_chains=K, max_forces=20,
                                         start='q', mass='q')),
    'log_mean_shortfall': (evidence.log_mean_shortfall, dict(variance=torch.ones(B), n_chains=K)),
    'finite_log_w': (laplace.finite_log_w, dict(log_joint=log_joint, q=New(posterior), z=torch.zeros(K, B, D))),
    'missed_mass': (laplace.missed_mass, dict(log_joint=log_joint, q=New(posterior), found=New(posterior), n_samples=4)),
    'log_likelihood': (likelihood, dict(
        x=bits(), context=bits(B, 4), posterior=Conditional().posterior, log_joint=Conditional().log_joint, batch=B,
        n_temperatures=T, pilot_data=B, seed=0, n_chains=K, n_leapfrog=1)),
    'SitePosterior': (one_site, dict(q=New(posterior))),
    'SitePosterior.log_joint': (sites.SitePosterior({'a': posterior()}).log_joint, dict(
        log_joint=lambda z: log_joint(z['a']))),
    'of_sites': (sites.of_sites, dict(posterior=Model().posterior, log_joint=log_joint)),
    'log_z': (sites.log_z, dict(target=energy, q=New(lambda: normal_at(torch.zeros(D))), n_replicates=2, n_chains=K,
                                n_temperatures=T, n_leapfrog=1)),
    'estimate_cost': (evidence.estimate_cost, dict(
        x=bits(), posterior=Model().posterior, log_joint=Model().log_joint, n_tried=2, n_temperatures=T, n_chains=K,
        n_leapfrog=1)),
    'bdmc': (bdmc.bdmc, dict(log_joint=log_joint, q=New(posterior), z_exact=torch.zeros(B, D), n_chains=K,
                             betas=ais.linear_schedule(T), step_size=.1, n_leapfrog=1)),
    'exact_start': (bdmc.exact_start, dict(z_exact=torch.zeros(B, D), n_chains=K, q=New(posterior), log_joint=log_joint)),
    'markov_lower': (bdmc.markov_lower, dict(log_w=log_w(), delta=.05)),
    'certify': (bdmc.certify, dict(
        x=bits(), z=torch.randn(B, D), posterior=Model().posterior, log_joint=Model().log_joint, temperatures=(T,),
        start='q', n_chains=K, schedule='linear', seed=0, n_leapfrog=1)),
    'neg_hessian': (laplace.neg_hessian, dict(log_f=log_joint, z=torch.zeros(B, D))),
    'moments': (laplace.moments, dict(q=New(posterior))),
    'laplace_posterior': (laplace.laplace_posterior, dict(
        log_joint=log_joint, q=New(posterior), n_steps=2, grad_log_joint=lambda z: -2*(z - 1), curvature=curvature,
        inflate=1.1, start=torch.zeros(B, D), tolerance=.1, max_dense=8)),
    'variational_posterior': (variational.variational_posterior, dict(
        log_joint=log_joint, q=New(posterior), n_steps=2, grad_log_joint=lambda z: -2*(z - 1), curvature=curvature,
        max_dense=8, seed=0)),
    'negative_binomial': (laplace.negative_binomial, dict(dispersion=torch.ones(P))),
    'zero_inflated': (laplace.zero_inflated, dict(dispersion=torch.ones(P))),
    'gaussian_noise': (likelihoods.gaussian_noise, dict(scale=torch.ones(P))),
    'discretized_logistic': (likelihoods.discretized_logistic, dict(scale=torch.ones(P))),
    'observe': (models.observe, dict(likelihood='gaussian', n_pixels=P, sigma=.5)),
    'draw_of': (runs.draw_of, dict(likelihood='poisson')),
    'model_card': (pretrained.model_card, dict(name='iwae-mnist-k5')),
    'load_pretrained': (pretrained.load_pretrained, dict(name='iwae-mnist-k5')),
    'pretrained_inputs': (pretrained.pretrained_inputs, dict(name='iwae-mnist-k5')),
    'gauss_newton': (newton, dict(natural=nn.Linear(D, P).forward, prior=normal(), rows=2, block=2)),
    'tempered_precision': (laplace.tempered_precision, dict(of_q=torch.ones(B, D), of_p=torch.full((B, D), 2.))),
    'aiwae_losses': (annealed_losses, dict(
        log_joint=log_joint, q=New(posterior), n_samples=K, betas=ais.linear_schedule(T), step_size=.1,
        inference_loss='elbo', prior=New(normal), reduction='mean', **CHAINS)),
    'HierarchicalPosterior': (path, dict(q0=New(posterior), transition=step)),
    'HierarchicalPosterior.lift': (lifted, dict(log_f=log_joint, reverse=step)),
    'GatedTransition': (gated, dict(n_latent=D, hidden=3, n_context=4, gate_init=0., c=torch.randn(B, 4))),
    'hvi_loss': (hvi.hvi_loss, dict(log_joint=log_joint, posterior=New(chain), n_samples=K, prior=New(normal))),
    'avo_loss': (avo.avo_loss, dict(log_joint=log_joint, posterior=New(chain), n_samples=K, alphas=avo.linear_alphas(2),
                                    reduction='mean')),
    'mixed_loss': (partial(avo.mixed_loss, log_joint, chain(), K, avo.linear_alphas(2)), dict(probability=.5)),
    'check_divides': (lambda batch: parallel.check_divides(batch) or True, dict(batch=4)),
    'shared_coin': (parallel.shared_coin, dict(probability=.5)),
    'run_ranks': (partial(parallel.run_ranks, lambda: 1), dict(n=1)),
    'find_executor': (opened, dict(engine='local', workers=1)),
    'local_executor': (lambda workers: parallel.local_executor(workers).shutdown() or True, dict(workers=1)),
    'HamiltonianPosterior': (lambda **given: uha.HamiltonianPosterior(**given).walk(K).log_w, dict(
        q0=New(posterior), log_joint=log_joint, betas=torch.tensor([.5, 1.]), step_sizes=torch.ones(2), damping=.5,
        scale=torch.ones(D))),
    'uha_loss': (uha.uha_loss, dict(posterior=New(annealing_chain), n_samples=K, reduction='mean')),
    'particle_filter': (filtered, dict(transition=next_state, emission=emitted, proposal=proposed,
                                       xs=torch.randn(T, B, D), n_particles=K)),
    'smc_loss': (sequential.smc_loss, dict(transition=next_state, emission=emitted, proposal=proposed,
                                           xs=torch.randn(T, B, D), n_particles=K, reduction='mean')),
    'marginal_smc_loss': (sequential.marginal_smc_loss, dict(
        transition=next_state, emission=emitted, proposal=proposed, xs=torch.randn(T, B, D), n_particles=K,
        reduction='mean')),
    'HamiltonianSteps': (hamiltonian, dict(q0=New(posterior), log_joint=log_joint, n_latent=D, n_steps=3, step_size=.1,
                                           damping=.5)),
    'InParts': (lambda n: objectives.InParts(objective(), n)(bits()), dict(n=2)),
    'site_values': (discrete.site_values, dict(q=New(bit_posterior))),
    'gibbs_move': (partial(discrete.gibbs_move, log_joint, bits(K*B, D).view(K, B, D), torch.tensor([0., 1.])), dict(
        n_sites=1)),
    'informed_move': (partial(discrete.informed_move, log_joint, bits(K*B, D).view(K, B, D), torch.tensor([0., 1.])),
                      dict(n_flips=1)),
    'discrete_ais': (discrete.discrete_ais, dict(log_joint=log_joint, q=New(bit_posterior), n_chains=K,
                                                 betas=ais.linear_schedule(T), n_moves=1)),
    'discrete_log_evidence': (discrete.discrete_log_evidence, dict(
        log_joint=log_joint, q=New(bit_posterior), n_chains=K, n_temperatures=T, n_moves=1)),
    'discrete_log_likelihood': (discrete.discrete_log_likelihood, dict(
        x=bits(), posterior=to_bits, log_joint=of_bits, batch=B, seed=0, n_chains=K, n_temperatures=T, n_moves=1)),
    'discrete_bdmc': (discrete.discrete_bdmc, dict(
        log_joint=log_joint, q=New(bit_posterior), z_exact=bits(B, D), n_chains=K, betas=ais.linear_schedule(T),
        n_moves=1)),
    'discrete_losses': (discrete.discrete_losses, dict(
        log_joint=log_joint, q=New(bit_posterior), n_samples=K, betas=ais.linear_schedule(T), reduction='mean')),
    'linear_alphas': (avo.linear_alphas, dict(T=T)),
    'warm_up': (avo.warm_up, dict(start=.2, rate=.1)),
    'cyclical': (avo.cyclical, dict(period=4, rising=.5, start=.1)),
    'PlanarFlow': (flow, dict(n_latent=D, n_context=4, n_steps=2, q0=New(posterior), c=torch.randn(B, 4))),
    'make_objective': (learned, dict(model=New(Model), name='dreg', n_samples=K, precision='float32', alpha=.5,
                                     beta=.5, rate=.1, cycle=3)),
    'make_objective(annealed)': (partial(learned, model=Model(), name='dreg'), dict(n_samples=K, anneal=3)),
    'make_objective(aiwae)': (partial(learned, model=Model(), name='aiwae'), dict(
        n_samples=K, temperatures=T, leapfrog=1, inference_loss='elbo')),
    'LinearGaussian': (linear, dict(weight=torch.ones(P, D), bias=torch.zeros(P), noise=1.)),
    'part_generator': (core.part_generator, dict(seed=0, part=1)),
    'pick_device': (runs.pick_device, dict(name='cpu')),
    'annealed_target': (annealed, dict(log_f=targets.standard_normal, alpha=.5)),
    'fit_slope': (plots.fit_slope, dict(x=torch.arange(1., 4), y=torch.arange(1., 4))),
    'show_images': (plots.show_images, dict(images=torch.rand(3, 4), n_cols=2)),
    'load_dataset': (data.load_dataset, dict(name='mnist5k')),
    'Dataset.train_mean': (lambda train: data.Dataset('own', train, train).train_mean(), dict(train=pixels())),
    'binarize': (data.binarize, dict(pixels=pixels(), index=torch.arange(B), seed=0, epoch=0)),
    'batches': (data.batches, dict(n=B, batch=4, seed=0, epoch=0, start=0)),
    'make_model': (models.make_model, dict(name='iwae', mean=MEAN, task='structured', shape=(1, 4, 2), n_latent=D,
                                           hidden=(3,), activation='tanh', scale='exp', init='glorot')),
    'make_model(chain)': (partial(models.make_model, 'iwae', MEAN, hidden=(3,)), dict(
        family='chain', transitions=2, width=3, gate_init=1.)),
    'TwoLayerVAE': (partial(models.TwoLayerVAE, n_pixels=P, hidden=(3,)), dict(
        n_latent=D, upper_latent=D, upper_hidden=(3,), family='normal')),
    'VAE.encode': (lambda x, context: vae(n_context=4).encode(x, context), dict(x=bits(), context=bits(B, 4))),
    'VAE.log_joint': (method(vae, 'log_joint'), dict(x=bits(), z=torch.randn(K, B, D))),
    'VAE.curvature': (method(vae, 'curvature'), dict(x=bits(), z=torch.randn(K, B, D))),
    'Ensemble': (models.Ensemble, dict(members=[vae()], seeds=[0])),
    'train': (train.train, dict(
        objective=New(objective), pixels=pixels(), epochs=1, steps=2, batch=5, lr=.001, schedule='cosine',
        warm_up=.1, ema=.9, optimizer=train.adam, inputs=lambda x: (x,), seed=0, out=New(folder), save_every=1.,
        look_every=2, progress=False, on_epoch=lambda metrics: None)),
    'GradientVariance': (probes.GradientVariance, dict(estimators=('iwae',), every=2, decay=.9)),
    'TestBound': (tested, dict(inputs=(bits(),), every=2, n_samples=K, rows=8, seed=0)),
    'evaluate_bound': (evaluate.evaluate_bound, dict(model=New(Model), x=bits(), n_samples=K, rows=8*B, batch=B,
                                                     seed=0)),
    'evaluate_bound(context)': (scored, dict(x=bits(), context=bits(B, 4), n_samples=K)),
    'active_units': (evaluate.active_units, dict(model=New(Model), x=bits(), threshold=.01, batch=B)),
    'evaluate_ais': (partial(evaluate.evaluate_ais, n_chains=K, n_temperatures=T, n_leapfrog=1), dict(
        model=New(Model), x=bits())),
    'test_images': (evaluate.test_images, dict(pixels=pixels(), n=3)),
    'simulate': (evaluate.simulate, dict(model=New(Model), n=3, seed=0)),
    'paired_difference': (evaluate.paired_difference, dict(a=torch.rand(B), b=torch.rand(B))),
    'RunConfig': (ready, dict(
        dataset='mnist5k', task='generative', model='iwae', latent=D, hidden='3,3', init='torch', scale='exp',
        family='normal', objective='dreg', samples=K, alpha=.5, epochs=1, steps=2, batch=5, lr=.1, eps=.1,
        beta1=.9, beta2=.9, schedule='cosine', warm_up=.1, ema=.9, validation=9, precision='float32',
        variance_every=2, estimators='iwae', test_every=2, seed=0, ensemble=2, device='cpu', save_every=1.,
        look_every=2)),
    'ToyConfig': (toys.ToyConfig, dict(target='A', method='avo', steps=1, transitions=1, hidden=2, batch=2, lr=.1,
                                       anneal=1, seed=0)),
    'fit_toy': (partial(toys.fit_toy, transitions=1, hidden=2, batch=2), dict(
        target=targets.ENERGIES['A'], method='avo', steps=1, lr=.1, seed=0)),
    'run_toys': (toys.run_toys, dict(config=New(lambda: toys.ToyConfig('A', 'gaussian', 1)), folder=New(folder),
                                     progress=False)),
}
PARAMETER = torch.ones((), requires_grad=True)


# --- bad values, by the type of the good one ---

NAN, INF = float('nan'), float('inf')
WHOLE = {'seed', 'epoch'} # integers of any sign
# what a model of the caller is given as it is, and may be the first to notice
DATA, OWN = {'x', 'context', 'z'}, {'an axis more', 'a column more', 'integers', 'float64', 'a NaN'}
FREE = {'log_w', 'pixels', 'images', 'train', 'accept_rate'} # tensors of any size


def of_count(good): return {repr(v): v for v in (0, -1, 1.5, NAN, True, '3', None)} | {'numpy integer': np.int64(good)}
def of_whole(good): return {repr(v): v for v in (1.5, NAN, '3', None)} | {'2**70': 2**70}
def of_number(good): return {repr(v): v for v in (NAN, INF, -INF, -1., '3', None)} | {'numpy number': np.float64(good)}
def of_choice(good): return {"'unknown'": 'unknown', '3': 3, 'a list': [good]}
def of_sequence(good): return {'empty': (), 'None': None, 'a number': 3, 'of text': ('unknown',)}


def of_tensor(good, rows):
    "`rows`: whether the number of rows, or of columns, is not free."
    found = {'numpy': good.numpy(), 'list': good.tolist(), 'None': None, 'empty': good[:0],
             'an axis more': good[..., None]}
    axis = 1 if good.dim() > 2 else 0 # of data
    if rows: found |= {'a row more': torch.cat([good, good.narrow(axis, 0, 1)], axis),
                       'a row less': good.narrow(axis, 1, good.shape[axis] - 1)}
    if rows and good.dim() > 1: found |= {'a column more': torch.cat([good, good[..., -1:]], -1)}
    if not good.is_floating_point(): return found | {'float': good.float()}
    hole = good.clone()
    hole.view(-1)[0] = NAN
    return found | {'integers': good.long(), 'a NaN': hole, 'float64': good.double()}


def of_distribution(good):
    batch, event = good.batch_shape, good.event_shape
    base = Normal(torch.zeros(*batch, *event), 1.)
    hole = Independent(Normal(base.loc*NAN, 1., validate_args=False), 1, validate_args=False)
    found = {'a tensor': base.loc, 'no event axis': Normal(torch.zeros(batch), 1.), 'not wrapped': base,
             'two batch axes': Independent(Normal(torch.zeros(2, *batch, *event), 1.), 1), 'of NaN': hole}
    if not batch: return found | {'another event': normal(size=event[0] + 1)} # a prior, which is drawn from nowhere
    return found | {'None': None, 'without rsample': Independent(Bernoulli(torch.full((*batch, *event), .5)), 1)}


def spoils(result):
    "How to spoil what a function gives, by the type of it: name -> a function of the result."
    if result is None: return {}
    if isinstance(result, Distribution):
        return {f'gives {name}': lambda q, bad=bad: bad for name, bad in of_distribution(result).items()}
    if not isinstance(result, Tensor): return {'gives None': lambda a: None}
    return {'gives an axis more': lambda a: a[..., None], 'gives crossed axes': lambda a: a.movedim(0, -1),
            'sums over data': lambda a: a.sum(-1), 'gives NaN': lambda a: a*NAN, 'gives a float': lambda a: 1.,
            'gives None': lambda a: None, 'has no gradient': lambda a: a.detach()}


def spoiled(good, spoil): return lambda *given, **more: spoil(good(*given, **more))
def of_function(good, result):
    return {'not callable': 3} | {name: spoiled(good, spoil) for name, spoil in spoils(result).items()}


METHODS = 'posterior', 'log_joint' # of a model, what most functions call


def of_model(results):
    "Models with one spoiled method: `results` holds what the called methods returned."
    found = {'no model': 3, 'without methods': nn.Linear(P, D)}
    for name, result in results.items():
        for how, spoil in spoils(result).items():
            bad = found[f'{name} {how}'] = Model()
            setattr(bad, name, spoiled(getattr(bad, name), spoil))
    return found


def bad_values(name, good, result, rows):
    "name of a case -> bad value, from the type of a good one. `result`: what a function, or a model's methods, gave."
    if isinstance(good, bool): return {}
    if isinstance(good, int): return of_whole(good) if name in WHOLE else of_count(good)
    if isinstance(good, Tensor): return of_tensor(good, rows)
    if isinstance(good, Model): return of_model(result)
    if callable(good) and not isinstance(good, nn.Module): return of_function(good, result)
    kinds = {float: of_number, str: of_choice, tuple: of_sequence, list: of_sequence}
    if type(good) in kinds: return kinds[type(good)](good)
    if isinstance(good, Distribution): return of_distribution(good)
    return {'None': None, 'a number': 3} # a class of the package, a path


# --- what is right though it looks bad: (function, argument, case), with wildcards, and the reason ---

NAN_FOR_NAN = "the answer is NaN where the argument is" # and it is looked at
DEFAULT, NONE_AT_ALL = "the default", "none of them is a choice"
ANY_SEQUENCE, PROMOTED = "any sequence of numbers is taken", "integers are numbers"
DRAWS_ALONE, FIXED_MODEL = "draws are enough", "q learns without the model's gradient"
ANY_FORCE, PASSED_ON = "the weights are exact for any force", "it is passed on as it is"
HASHED = "an integer of any size is hashed"
ANY_START, SAID = "any start is exact", "fallback says so"
ACCEPTED: dict[tuple, str] = {
    ('*', '*', 'numpy integer'): PROMOTED,
    ('*', '*', 'numpy number'): PROMOTED,
    ('*', '*', 'float64'): "any floating-point type is taken",
    ('*', '*leapfrog', '0'): "no leapfrog step is no move",
    ('j*', 'order', '0'): "the plain bound",
    ('make_objective', 'cycle', '0'): NONE_AT_ALL,
    ('train', 'epochs', '0'): NONE_AT_ALL,
    ('RunConfig', 'epochs', '0'): NONE_AT_ALL,
    ('RunConfig', 'validation', '0'): NONE_AT_ALL,
    ('*', 'anneal', '0'): NONE_AT_ALL,
    ('ToyConfig', 'steps', '0'): NONE_AT_ALL,
    ('fit_toy', 'steps', '0'): NONE_AT_ALL,
    ('batches', 'start', '0'): NONE_AT_ALL,
    ('ais', 'z0', 'None'): DEFAULT,
    ('HamiltonianPosterior', 'scale', 'None'): DEFAULT,
    ('gibbs_move', 'n_sites', 'None'): DEFAULT,
    ('log_*', 'n_temperatures', 'None'): DEFAULT,
    ('log_*', 'n_leapfrog', 'None'): DEFAULT,
    ('log_likelihood', 'batch', 'None'): DEFAULT,
    ('hmc_step*', 'mass', 'None'): DEFAULT,
    ('log_evidence*', 'tolerance', 'None'): DEFAULT,
    ('BOUND', 'bound', 'gives crossed axes'): "(B,) has one axis",
    ('bound_weights', 'bound', 'gives crossed axes'): "(B,) has one axis",
    ('renyi_bound', 'alpha', '-1.0'): "any order is one",
    ('LayeredPosterior', 'first', 'of NaN'): "weights are looked at",
    ('LayeredPosterior', 'first', 'two batch axes'): "a distribution may have any batch; losses look at it",
    ('TwoLayerVAE', 'upper_hidden', 'empty'): "without hidden layers it is linear",
    ('DiagonalMass', 'scale', 'an axis more'): "an event may have any number of axes",
    ('jitter_steps', 'shape', 'empty'): "one chain, without an axis",
    ('WhiteCoordinates', 'q', 'of NaN'): "draws are looked at where chains begin",
    ('plan_run', 'log_joint', 'has no gradient'): "a density that is flat has none",
    ('missed_mass', 'log_joint', '*'): "a density that is NaN, or flat, is not missed",
    ('missed_mass', '*', 'without rsample'): "draws alone are needed",
    ('log_evidence', 'pilot', 'None'): DEFAULT,
    ('train', 'out', 'None'): DEFAULT,
    ('train', 'steps', 'None'): DEFAULT,
    ('train', 'look_every', 'None'): DEFAULT,
    ('*', 'warm_up', 'None'): DEFAULT,
    ('*', 'ema', 'None'): DEFAULT,
    ('TestBound', 'n_samples', 'None'): DEFAULT,
    ('test_images', 'n', 'None'): DEFAULT,
    ('RunConfig', 'steps', 'None'): DEFAULT,
    ('RunConfig', 'latent', 'None'): DEFAULT,
    ('RunConfig', '*_every', 'None'): DEFAULT,
    ('*', 'betas', 'numpy'): ANY_SEQUENCE,
    ('*', 'betas', 'list'): ANY_SEQUENCE,
    ('*', 'betas', 'integers'): ANY_SEQUENCE, # 0, 0, 1
    ('*', 'alphas', 'numpy'): ANY_SEQUENCE,
    ('*', 'alphas', 'list'): ANY_SEQUENCE,
    ('fit_slope', '*', 'numpy'): ANY_SEQUENCE,
    ('fit_slope', '*', 'list'): ANY_SEQUENCE,
    ('fit_slope', '*', 'integers'): PROMOTED,
    ('show_images', 'images', 'numpy'): ANY_SEQUENCE,
    ('show_images', 'images', 'list'): ANY_SEQUENCE,
    ('show_images', 'images', 'integers'): PROMOTED,
    ('show_images', 'images', 'an axis more'): "images of one column",
    ('show_images', 'images', 'a NaN'): "it is left white",
    ('LinearGaussian', 'weight', 'a column more'): "a latent dimension more",
    ('hmc_step*', 'step_size', 'nan'): "the move is rejected",
    ('hmc_step*', 'step_size', 'inf'): "the move is rejected",
    ('hmc_step*', 'step_size', '-inf'): "the move is rejected",
    ('hmc_step*', 'step_size', '-1.0'): "backwards with one momentum is forwards with the other",
    ('StepSizes.update', 'accept_rate', 'integers'): PROMOTED,
    ('StepSizes.update', 'accept_rate', 'a NaN'): "a diverged chain counts as rejected",
    ('paired_difference', '*', 'integers'): PROMOTED,
    ('binarize', '*', '2[*][*]70'): HASHED,
    ('batches', '*', '2[*][*]70'): HASHED,
    ('snr_experiment', 'seed', '2[*][*]70'): HASHED,
    ('log_likelihood', 'seed', '2[*][*]70'): HASHED,
    ('importance_draws', 'q', 'without rsample'): DRAWS_ALONE,
    ('importance_draws', 'log_joint', 'has no gradient'): DRAWS_ALONE,
    ('reinforce', 'q', 'without rsample'): DRAWS_ALONE,
    ('site_values', 'q', 'without rsample'): DRAWS_ALONE,
    ('discrete_*', 'q', 'without rsample'): DRAWS_ALONE,
    ('discrete_*', 'log_joint', 'has no gradient'): DRAWS_ALONE,
    ('discrete_log_likelihood', 'posterior', 'gives without rsample'): DRAWS_ALONE,
    ('discrete_log_likelihood', 'x', 'integers'): PROMOTED,
    ('discrete_log_likelihood', 'x', 'an axis more'): "any axes of data",
    ('discrete_log_likelihood', 'seed', '2[*][*]70'): HASHED,
    ('reinforce', 'f', 'has no gradient'): DRAWS_ALONE,
    ('rws_loss*', 'q', 'without rsample'): DRAWS_ALONE,
    ('rws_loss*', 'log_joint', 'has no gradient'): FIXED_MODEL,
    ('evaluate_bound', 'model', 'log_joint has no gradient'): DRAWS_ALONE,
    ('active_units', 'model', 'posterior gives without rsample'): DRAWS_ALONE,
    ('evaluate_bound', 'model', 'posterior gives without rsample'): DRAWS_ALONE,
    ('ais', 'log_joint', 'has no gradient'): ANY_FORCE,
    ('run_pilot', 'log_joint', 'has no gradient'): ANY_FORCE,
    ('bdmc', 'log_joint', 'has no gradient'): ANY_FORCE,
    ('exact_start', 'log_joint', 'has no gradient'): "nothing moves yet",
    ('exact_start', 'q', 'without rsample'): "nothing is differentiated",
    ('part_generator', 'seed', '2[*][*]70'): HASHED,
    ('part_generator', 'part', '*'): "any name is taken",
    ('certify', 'log_joint', 'has no gradient'): ANY_FORCE,
    ('log_likelihood', 'log_joint', 'has no gradient'): ANY_FORCE,
    ('evaluate_ais', 'model', 'log_joint has no gradient'): ANY_FORCE,
    ('SitePosterior', 'q', 'of NaN'): "draws are looked at where chains begin",
    ('SitePosterior', 'q', '*'): "a site's event and batch may have any number of axes",
    ('SitePosterior.log_joint', 'log_joint', 'gives NaN'): PASSED_ON,
    ('SitePosterior.log_joint', 'log_joint', 'has no gradient'): PASSED_ON,
    ('log_z', 'target', 'gives crossed axes'): "one axis cannot be crossed",
    ('log_z', 'target', 'has no gradient'): ANY_FORCE,
    ('log_z', 'q', 'another event'): "an energy of any event",
    ('neg_hessian', 'log_f', 'gives NaN'): NAN_FOR_NAN,
    ('neg_hessian', 'log_f', 'has no gradient'): "it has no curvature",
    ('neg_hessian', 'z', 'a NaN'): PASSED_ON,
    ('finite_log_w', 'log_joint', 'gives NaN'): "it is the least weight",
    ('finite_log_w', 'log_joint', 'has no gradient'): "nor is one needed",
    ('finite_log_w', 'q', 'without rsample'): "its draws are given",
    ('finite_log_w', '*', '*NaN'): "its weights are the least",
    ('*a*_posterior', '*', 'gives NaN'): SAID, # laplace and variational
    ('*a*_posterior', 'log_joint', 'has no gradient'): ANY_START,
    ('*a*_posterior', 'grad_log_joint', 'has no gradient'): "it is a gradient",
    ('*a*_posterior', 'curvature', 'has no gradient'): "nor is one needed",
    ('*a*_posterior', 'n_steps', '0'): "the Gaussian at the mode, or its curvature at the start",
    ('laplace_posterior', 'start', 'None'): DEFAULT,
    ('*n*', 'dispersion', 'an axis more'): "whatever broadcasts with the counts",
    ('gaussian_noise', 'scale', 'an axis more'): "whatever broadcasts with the data",
    ('discretized_logistic', 'scale', 'an axis more'): "whatever broadcasts with the data",
    ('observe', 'sigma', 'None'): DEFAULT,
    ('log_likelihood', 'x', 'numpy'): "an array holds data as well as a tensor",
    ('estimate_cost', 'x', 'numpy'): "an array holds data as well as a tensor",
    ('estimate_cost', 'log_joint', 'has no gradient'): ANY_FORCE,
    ('estimate_cost', 'n_*', 'None'): DEFAULT,
    ('gauss_newton', 'natural', 'gives NaN'): NAN_FOR_NAN,
    ('gauss_newton', 'natural', 'has no gradient'): ANY_START,
    ('gauss_newton', 'prior', 'of NaN'): "the precision of a normal does not depend on its mean",
    ('annealed_target', 'log_f', 'has no gradient'): PASSED_ON,
    ('annealed_target', 'log_f', 'gives a float'): "a constant density",
    ('annealed_target', 'log_f', 'gives NaN'): NAN_FOR_NAN,
    ('HierarchicalPosterior*', '*', 'gives*NaN'): NAN_FOR_NAN,
    ('PlanarFlow', 'q0', 'of NaN'): NAN_FOR_NAN,
    ('HierarchicalPosterior', 'q0', 'of NaN'): NAN_FOR_NAN,
    ('re*', 'f', 'gives NaN'): NAN_FOR_NAN,
    ('re*', 'q', 'of NaN'): NAN_FOR_NAN,
    ('PlanarFlow', 'n_steps', '0'): "q_0 itself",
    ('linear_alphas', 'T', '0'): "no step, no alpha",
    ('VAE.*', 'x', 'integers'): PROMOTED,
    ('VAE.encode', 'context', 'integers'): PROMOTED,
    ('PlanarFlow', 'c', 'a NaN'): NAN_FOR_NAN,
    ('GatedTransition', 'c', 'a NaN'): NAN_FOR_NAN,
    ('VAE.*', '*', 'a NaN'): NAN_FOR_NAN,
    ('ess', 'log_w', 'a NaN'): NAN_FOR_NAN,
    ('pareto_k', 'log_w', 'a NaN'): NAN_FOR_NAN,
    ('ess', 'log_w', 'an axis more'): "any axes of data",
    ('*_bound', 'log_w', 'a NaN'): NAN_FOR_NAN,
    ('paired_difference', '*', 'a NaN'): NAN_FOR_NAN,
    ('GatedTransition', 'gate_init', '-1.0'): "a gate that is open at first",
    ('make_model(chain)', 'gate_init', '-1.0'): "a gate that is open at first",
    ('make_model', 'hidden', 'empty'): "a linear model",
    ('hvi_loss', 'prior', 'of NaN'): "a prior counts where beta is not 1",
}
# other names under which a message may speak of an argument
ALIASES: dict[str, tuple] = {
    'posterior': ('q',), 'target': ('log_joint',), 'model': ('q', 'posterior', 'log_joint'), 'prior': ('q',), 'x': ('datum', 'data', 'z_exact'),
    'c': ('context',), 'context': ('datum',), 'n_context': ('context',), 'inputs': ('x', 'test images'),
    'pixels': ('index',), 'lr': ('learning rate',), 'estimators': ('estimator', 'objective'),
    'betas': ('n_temperatures',), 'of_p': ('of_q',),
    'log_joint': ('log joint', 'log p', 'log f'), 'log_f': ('log f', 'log_joint'), 'log_w': ('log weight',),
    'target': ('log f',), 'transition': ('transition 1',), 'reverse': ('transition 1',), 'n_chains': ('chains',),
    'T': ('temperatures',), 'n_temperatures': ('temperatures',)}


# --- running a call ---

class TooLong(BaseException): pass


def _stop(*given): raise TooLong


class Outcome(NamedTuple):
    kind: str # clear, accepted, raw or silent
    said: str # what came back


def of_package(error):
    "Whether a `raise` of the package raised it."
    frame = error.__traceback__
    while frame.tb_next: frame = frame.tb_next
    inside = Path(frame.tb_frame.f_code.co_filename).parent == ROOT/'aiwae_nb'
    return inside and frame.tb_frame.f_code.co_code[frame.tb_lasti] == dis.opmap['RAISE_VARARGS']


def of_caller(error):
    "Whether the package called a model of the caller, and that raised."
    files, at = [], error.__traceback__
    while at:
        files.append(at.tb_frame.f_code.co_filename)
        at = at.tb_next
    inside = [i for i, file in enumerate(files) if Path(file).parent == ROOT/'aiwae_nb']
    return bool(inside) and __file__ in files[inside[-1]:]


def mentions(text, name, value):
    "Whether a message names the argument or the value."
    words = [name, name.replace('_', ' '), *ALIASES.get(name, ()), type(value).__name__]
    words += [str(tuple(value.shape)), str(value.dtype)] if isinstance(value, Tensor) else [repr(value), str(value)]
    return any(re.search(rf'(?<!\w){re.escape(word)}(?!\w)', text) for word in words)


def call(function, given):
    "What a call gives: (whether it returned, its value or its exception)."
    given = {name: value.make() if isinstance(value, New) else value for name, value in given.items()}
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            torch.manual_seed(0)
            return True, function(**given)
    except (Exception, TooLong) as error: return False, error
    finally: signal.setitimer(signal.ITIMER_PROF, 0)


def has_nan(found):
    if isinstance(found, Tensor): return found.is_floating_point() and bool(found.isnan().any())
    if isinstance(found, (tuple, list)): return any(map(has_nan, found))
    return isinstance(found, float) and found != found


def reason_of(place):
    "The line of `ACCEPTED` for a case, the most exact one first."
    fits = [line for line in ACCEPTED if all(map(fnmatch.fnmatchcase, place, line))]
    return min(fits, key=lambda line: sum('*' in word for word in line), default=None)


def outcome(place, function, given, value):
    done, found = call(function, given)
    if not done:
        text = str(found).strip()
        expected = isinstance(found, (ValueError, TypeError)) or type(found).__module__.startswith('aiwae_nb')
        if place[1] in DATA and place[2] in OWN and of_caller(found):
            return Outcome('accepted', "the caller's own model raises")
        kind = 'clear' if expected and of_package(found) and mentions(text, place[1], value) else 'raw'
        return Outcome(kind, f'{type(found).__name__}: {text}')
    line = reason_of(place)
    if line and ACCEPTED[line] is NAN_FOR_NAN and not has_nan(found): line = None
    if line is None: return Outcome('silent', 'NaN' if has_nan(found) else type(found).__name__)
    USED.add(line)
    return Outcome('accepted', ACCEPTED[line])


USED: set = set()


def recorded(good, results, name):
    "The function, which notes what it gave first."
    def f(*given, **more):
        result = good(*given, **more)
        results.setdefault(name, result)
        return result
    return f


def is_function(value): return callable(value) and not isinstance(value, nn.Module)


def results_of(name, function, good):
    "What functions and models gave in a good call, by argument. Raises `AssertionError` where it fails."
    results, watched = {}, dict(good)
    for argument, value in good.items():
        if is_function(value): watched[argument] = recorded(value, results, argument)
        if not isinstance(value, Model): continue
        results[argument] = {}
        for method in METHODS: setattr(value, method, recorded(getattr(value, method), results[argument], method))
    done, found = call(function, watched)
    if not done: raise AssertionError(f"the good call of {name} fails: {found!r}") from found
    return results


def length(value):
    "How many data an argument is about; None: that is not known."
    if isinstance(value, Tensor) and value.dim(): return value.shape[1 if value.dim() > 2 else 0]
    return value.batch_shape[0] if isinstance(value, Distribution) and value.batch_shape else None


def cases(name, function, good):
    "(argument, case, outcome) of each bad value."
    made = {k: v.make() if isinstance(v, New) else v for k, v in good.items()}
    results, lengths = results_of(name, function, made), {k: length(v) for k, v in made.items()}
    for argument, value in made.items():
        rows = argument not in FREE and any(n == lengths[argument] for k, n in lengths.items() if k != argument)
        for case, bad in bad_values(argument, value, results.get(argument), rows).items():
            yield argument, case, outcome((name, argument, case), function, good | {argument: bad}, bad)


# --- the report ---

def check_classes():
    "Each class is recognized: raises `AssertionError` where one is not."
    def named(T): return ais.linear_schedule(T) # raises by name
    def other(T): return torch.zeros(T) # raises as torch does
    def silent_one(T): return T
    kinds = [outcome((f.__name__, 'T', 'a bad one'), f, dict(T=-1), -1).kind for f in (named, other, silent_one)]
    kinds.append(outcome(('silent_one', 'T', 'numpy integer'), silent_one, dict(T=2), 2).kind)
    assert kinds == ['clear', 'raw', 'silent', 'accepted'], kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--list', action='store_true', help='print the silent and the raw calls')
    parser.add_argument('--all', action='store_true', help='print every call')
    parser.add_argument('--only', default='', help='a part of the name of a function')
    parser.add_argument('--limit', type=int, default=LIMIT, help='raw answers that are allowed')
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    signal.signal(signal.SIGPROF, _stop)
    start, counts, wrong = time.process_time(), Counter(), 0
    check_classes()
    USED.clear()
    tried = {name: of for name, of in CALLS.items() if args.only in name}
    for name, (function, good) in tried.items():
        try: found = list(cases(name, function, good))
        except AssertionError as e:
            found, wrong = [], wrong + 1
            print(e)
        for argument, case, (kind, said) in found:
            counts[kind] += 1
            if args.all or args.list and kind in ('silent', 'raw'):
                print(f"{kind:<8}  {name}: {argument} = {case}: {' '.join(said.split())[:160]}")
    stale = [] if args.only else [line for line in ACCEPTED if line not in USED]
    for line in stale: print(f"no case needs the line {line} of ACCEPTED: remove it")
    numbers = ', '.join(f"{counts[kind]} {kind}" for kind in ('clear', 'accepted', 'raw', 'silent'))
    print(f"{sum(counts.values())} bad calls of {len(tried)} functions: {numbers}")
    print(f"{time.process_time() - start:.0f} s of CPU time", file=sys.stderr)
    sys.exit(bool(counts['silent'] or counts['raw'] > args.limit or wrong or stale))


if __name__ == '__main__': main()
