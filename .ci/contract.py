"""The contract as a user writes it: `mypy --strict` checks this file against the installed package, and it also runs.

Each variable states the type that its name is documented with; `wrong` is never called, and each of its lines must be
refused.
"""
import math
from typing import Any, Callable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from aiwae_nb.ais import AISResult, ais, linear_schedule, sigmoid_schedule
from aiwae_nb.aiwae import aiwae_loss, aiwae_losses
from aiwae_nb.avo import avo_loss
from aiwae_nb.bdmc import Certificate, Sandwich, bdmc, certify
from aiwae_nb.bounds import elbo, iwae_bound, jackknife_bound
from aiwae_nb.dreg import (ESTIMATORS, Row, Weights, dreg_loss, elbo_loss, iwae_dreg_loss, iwae_loss, jvi_dreg_loss,
                           jvi_loss, loss_of, rws_dreg_loss, rws_loss, score_loss, stl_loss)
from aiwae_nb.evidence import Evidence, log_evidence, log_likelihood
from aiwae_nb.hvi import HierarchicalPosterior, hvi_loss
from aiwae_nb.objectives import all_objectives
from aiwae_nb.weights import Draws, ess, fold, importance_draws, pareto_k

K, B, D = 4, 10, 2
torch.manual_seed(0)


class Model(nn.Module):
    "A user's own: nothing of the package in it."
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(3, 2*D), nn.Linear(D, 3)

    def prior(self) -> Distribution: return Independent(Normal(torch.zeros(D), 1.), 1)

    def posterior(self, x: Tensor) -> Distribution:
        loc, raw = self.encoder(x).chunk(2, -1)
        return Independent(Normal(loc, raw.exp()), 1)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        decode: Callable[[Tensor], Tensor] = fold(self.decoder)
        likelihood: Tensor = Independent(Normal(decode(z), 1.), 1).log_prob(x)
        return likelihood + self.prior().log_prob(z)


model, x = Model(), torch.randn(B, 3)
def log_joint(z: Tensor) -> Tensor: return model.log_joint(x, z)
def q() -> Distribution: return model.posterior(x)
def step(z: Tensor) -> Distribution: return Independent(Normal(z, 1.), 1)


def estimators() -> None:
    for f in (elbo_loss, iwae_loss, stl_loss, iwae_dreg_loss, rws_loss, rws_dreg_loss, score_loss):
        f(log_joint, q(), n_samples=K).backward()
        f(log_joint, q(), K, beta=.5, prior=model.prior(), reduction='sum').backward()
    dreg_loss(log_joint, q(), K, alpha=.5).backward()
    jvi_loss(log_joint, q(), K, order=2).backward()
    jvi_dreg_loss(log_joint, q(), K, order=2).backward()
    each: Tensor = iwae_dreg_loss(log_joint, q(), n_samples=8, reduction='none')
    loss, draws = iwae_dreg_loss(log_joint, q(), n_samples=8, return_draws=True)
    both: tuple[Tensor, Draws] = (loss, draws)
    by_name: Tensor = ESTIMATORS['rws'](log_joint, q(), K)
    of_name: tuple[Tensor, Draws] = ESTIMATORS['rws'](log_joint, q(), K, return_draws=True)
    assert each.shape == (B,) and both[0].isfinite() and by_name.isfinite() and of_name[1].z.shape == (K, B, D)
    assert ESTIMATORS.keys() <= all_objectives().keys()


def sticking(log_w: Tensor, beta: Any) -> Weights:
    "A user's own estimator, as three weights."
    return Weights(model=log_w.softmax(0), path_scale=1., score=0.)


def own_estimator() -> None:
    row = Row(sticking, label='sticking', min_samples=2)
    own: Tensor = loss_of(row)(log_joint, q(), K)
    as_row: Tensor = row(log_joint, q(), K)
    loss, draws = loss_of(row)(log_joint, q(), K, return_draws=True)
    (own + as_row + loss).backward()
    assert draws.log_w.shape == (K, B)


def weights() -> None:
    draws: Draws = importance_draws(log_joint, q(), n_samples=K)
    log_w: Tensor = draws.log_w
    assert draws.z.shape == (K, B, D) and draws.log_p.shape == draws.log_q.shape == (K, B)
    bounds = elbo(log_w), iwae_bound(log_w), jackknife_bound(log_w, order=1)
    diagnostics = ess(log_w), pareto_k(log_w)
    for of_data in (*bounds, *diagnostics): assert of_data.shape == (B,)


def annealing() -> None:
    betas: Tensor = linear_schedule(5)
    curved: Tensor = sigmoid_schedule(5, rad=4.)
    found: AISResult = ais(log_joint, q(), K, betas, step_size=.1, n_leapfrog=2, precision='float32', compile=False,
                           z0=None, generator=torch.Generator())
    again: AISResult = ais(log_joint, q(), K, [0., .5, 1.], step_size=torch.full((2, B), .1))
    value: Evidence = log_evidence(log_joint, q(), n_chains=K, n_temperatures=8, n_leapfrog=2)
    chunks: Evidence = log_likelihood(x, model.posterior, model.log_joint, batch=5, n_temperatures=8, n_chains=K)
    sides: Sandwich = bdmc(log_joint, q(), torch.randn(B, D), K, curved, step_size=.1)
    limit: float = sides.gap_limit
    assert found.z.shape == again.z.shape == (K, B, D) and found.log_w.shape == (K, B)
    assert found.accept_rate.shape == (4,) and not math.isnan(limit)
    for of_data in (value.value, value.std_error, value.ess, value.pareto_k, value.converged, value.half_T):
        assert of_data.shape == (B,)
    for of_data in (chunks.value, sides.lower, sides.upper): assert of_data.shape == (B,)
    said: Certificate = certify(x, torch.randn(B, D), model.posterior, model.log_joint, temperatures=(4,), n_leapfrog=2)
    sentence: str = said.sentence
    assert sentence and said.data == B


def annealed_training() -> None:
    betas: Tensor = linear_schedule(5)
    model_loss, inference, info = aiwae_losses(log_joint, q(), K, betas, step_size=.1, n_leapfrog=2,
                                               inference_loss='elbo', prior=model.prior())
    model_loss.backward()
    inference().backward()
    chain: Tensor = info.log_w
    one: Tensor = aiwae_loss(log_joint, q(), K, betas, step_size=.1)
    one.backward()
    other, seen = aiwae_loss(log_joint, q(), K, betas, step_size=.1, return_info=True)
    assert chain.shape == (K, B) and other.isfinite() and seen.accept_rate.shape == (4,)


def chains() -> None:
    posterior: HierarchicalPosterior = HierarchicalPosterior(q(), [(step, step)])
    path: Distribution = posterior.path()
    lifted: Callable[[Tensor], Tensor] = posterior.lift(log_joint)
    whole: Tensor = iwae_dreg_loss(lifted, path, n_samples=K)
    mean: Tensor = hvi_loss(log_joint, posterior)
    loss, draws = hvi_loss(log_joint, posterior, K, return_draws=True)
    two: HierarchicalPosterior = HierarchicalPosterior(q(), [(step, step)]*2)
    annealed: Tensor = avo_loss(log_joint, two, K, [.5, 1.], log_f0=None)
    (whole + mean).backward()
    assert loss.isfinite() and draws.log_w.shape == (K, B) and annealed.isfinite()


def wrong() -> None:
    anything: Any = None
    iwae_dreg_loss(log_joint, q(), n_samples='8')                                     # type: ignore[call-overload]
    iwae_dreg_loss(log_joint, q(), n_sample=8)                                        # type: ignore[call-overload]
    iwae_dreg_loss(log_joint, q(), alpha=.5)                                          # type: ignore[call-overload]
    iwae_dreg_loss(log_joint, x)                                                      # type: ignore[call-overload]
    iwae_dreg_loss(log_joint, q()).log_w                                              # type: ignore[attr-defined]
    iwae_dreg_loss(log_joint, q(), return_draws=True).backward()                      # type: ignore[attr-defined]
    importance_draws(log_joint, q(), n_samples='8')                                   # type: ignore[arg-type]
    ais(log_joint, q(), K, .5, step_size=.1)                                          # type: ignore[arg-type]
    ais(log_joint, q(), K, linear_schedule(5))                                        # type: ignore[call-arg]
    bdmc(log_joint, q(), anything, K, linear_schedule(5), step_size=.1).gap           # type: ignore[attr-defined]
    aiwae_loss(log_joint, q(), K, linear_schedule(5), step_size=.1).log_w             # type: ignore[attr-defined]
    hvi_loss(log_joint, q())                                                          # type: ignore[call-overload]
    HierarchicalPosterior(q(), [step])                                                # type: ignore[list-item]


for part in (estimators, own_estimator, weights, annealing, annealed_training, chains): part()
