"""Mean and variance of the gradients of particle filters against T and K, and three fits of stochastic volatility.

    OMP_NUM_THREADS=1 python results/sequential.py results/sequential.json

The linear Gaussian model of page sequential has Kalman's exact log p and its gradient. The model of stochastic
volatility is learned by each gradient from three seeds. What the file holds is not computed again, and it is written
after each part.
"""
import itertools, math, time
from functools import partial

import torch
from fastcore.script import call_parse
from torch.distributions import Independent, Normal

from aiwae_nb.core import log_mean_exp, seeded
from aiwae_nb.files import load_json, round_floats
from aiwae_nb.sequential import marginal_smc_loss, particle_filter, smc_loss
from collect import machine
from migrate import as_text, json_file

FORMS = { # of the gradient
    'standard': partial(smc_loss, doubly=False), 'doubly': smc_loss,
    'standard, with score': partial(smc_loss, doubly=False, resampling_score=True),
    'doubly, with score': partial(smc_loss, resampling_score=True),
    'marginal, standard': partial(marginal_smc_loss, doubly=False), 'marginal, doubly': marginal_smc_loss}
LINEAR = dict(T=(2, 5, 20, 50), K=(2, 4, 8, 16), replicates=4000, marginal_to=8) # K^2 transitions a step: not at 16
S, R = .6, .5 # standard deviations of the state's noise and of the observation's
START = (.8, .5, .4, math.log(.6)) # a; the proposal N(b y + c x, s^2): b, c, log s
VOLATILITY = dict(T=25, sequences=16, K=8, steps=60, lr=.05, seeds=3, replicates=120, test_K=1000)
LEARNERS = ('standard', 'doubly', 'standard, with score', 'marginal, doubly')
TRUE = (math.atanh(.95), 0., 0., 0.) # of the persistence, log of the state's noise; the proposal's multiple, log scale


def normal(loc, scale): return Independent(Normal(loc, scale), 1)


def linear(params): # (4, B): own parameters for each sequence
    a, b, c, log_s = params[..., None]
    def transition(t, z): return normal(torch.zeros_like(a), 1.) if t == 0 else normal(a*z, S)
    def emission(t, z): return normal(z, R)
    def proposal(t, z, x): return normal(c*x if t == 0 else b*z + c*x, log_s.exp())
    return transition, emission, proposal


def volatility(params): # (4, B): x_t ~ N(0, exp z_t)
    raw_a, log_sigma, multiple, log_s = params[..., None]
    a, sigma = raw_a.tanh(), log_sigma.exp()
    def prior(t, z): return (torch.zeros_like(a), torch.ones_like(a)) if t == 0 else (a*z, sigma)
    def transition(t, z): return normal(*prior(t, z))
    def emission(t, z): return normal(torch.zeros_like(z), (.5*z).exp())
    def proposal(t, z, x):
        m, s = prior(t, z)
        return normal(m + multiple*(x.square()*(-m).exp() - 1).clamp_max(3.), s*log_s.exp())
    return transition, emission, proposal


def simulate(model, T, n, seed): # (T, n, 1)
    transition, emission, _ = model
    with seeded(seed):
        z, xs = transition(0, None).sample(), []
        for t in range(T):
            if t: z = transition(t, z).sample()
            xs.append(emission(t, z).sample())
    return torch.stack(xs)


def kalman(a, xs): # (T,)
    mean, var, log_p = 0., 1., 0.
    for x in xs:
        log_p = log_p + Normal(mean, (var + R**2)**.5).log_prob(x)
        gain = var/(var + R**2)
        mean, var = mean + gain*(x - mean), (1 - gain)*var
        mean, var = a*mean, a**2*var + S**2
    return log_p


def exact(xs):
    "Kalman's log p, and its derivative by a."
    a = torch.tensor(START[0], dtype=torch.float64, requires_grad=True)
    log_p = kalman(a, xs)
    return dict(log_p=log_p.item(), by_a=torch.autograd.grad(log_p, a)[0].item())


def part(loss, model, point, xs, K, n):
    "The bound (n,) and its gradient (n, 4) for n replicates of each of B sequences, averaged over these."
    B = xs.shape[1]
    params = torch.tensor(point, dtype=xs.dtype)[:, None].repeat(1, n*B).requires_grad_()
    values = -loss(*model(params), xs.repeat(1, n, 1), K, reduction='none')
    grads = torch.autograd.grad(values.sum(), params)[0].T
    return values.detach().view(n, B).mean(1), grads.view(n, B, 4).mean(1)


def summary(loss, model, point, xs, K, n, seed):
    "Mean, error and variance over n replicates, as many at a time as fit in memory; CPU seconds."
    began, size = time.process_time(), 1000//xs.shape[1]
    with seeded(seed): parts = [part(loss, model, point, xs, K, min(size, n - i)) for i in range(0, n, size)]
    (values, grads), seconds = map(torch.cat, zip(*parts)), time.process_time() - began
    error = (grads.var(0)/len(grads)).sqrt()
    return dict(bound=values.mean().item(), bound_error=(values.std()/len(values)**.5).item(),
                mean=grads.mean(0).tolist(), error=error.tolist(), variance=grads.var(0).tolist(), seconds=seconds)


def on_linear(T, K):
    "Every form at one T and K."
    xs = simulate(linear(torch.tensor(START)[:, None].double()), max(LINEAR['T']), 1, 0)[:T]
    forms = [f for f in FORMS if K <= LINEAR['marginal_to'] or 'marginal' not in f]
    found = {f: summary(FORMS[f], linear, START, xs, K, LINEAR['replicates'], i) for i, f in enumerate(forms)}
    return exact(xs[:, 0, 0]) | dict(T=T, K=K, forms=found)


def learned(form, seed):
    "Parameters after training, and what they are worth on other sequences."
    v, began = VOLATILITY, time.process_time()
    model = volatility(torch.tensor(TRUE)[:, None].expand(4, v['sequences']))
    train, test = (simulate(model, v['T'], v['sequences'], 10*seed + i) for i in range(2))
    params = torch.tensor((math.atanh(.5), -.5, 0., 0.), requires_grad=True)
    optimizer = torch.optim.Adam([params], v['lr'])
    with seeded(seed):
        for _ in range(v['steps']):
            optimizer.zero_grad()
            FORMS[form](*volatility(params[:, None].expand(4, v['sequences'])), train, v['K']).backward()
            optimizer.step()
    seconds, point = time.process_time() - began, params.detach()
    def filtered(xs, K, n):
        given = volatility(point[:, None].expand(4, n*xs.shape[1]))
        with seeded(1): return particle_filter(*given, xs.repeat(1, n, 1), K).log_z.view(n, -1)
    bound, log_p = filtered(test, v['K'], 50).mean(1), log_mean_exp(filtered(test, v['test_K'], 4)).mean()
    return dict(form=form, seed=seed, params=point.tolist(), bound=bound.mean().item(),
                bound_error=(bound.std()/len(bound)**.5).item(), log_p=log_p.item(), seconds=seconds)


def compared(seed, point):
    "The forms at the parameters that the doubly reparameterized gradient has found."
    v = VOLATILITY
    xs = simulate(volatility(torch.tensor(TRUE)[:, None].expand(4, v['sequences'])), v['T'], v['sequences'], 10*seed)
    found = {f: summary(loss, volatility, point, xs, v['K'], v['replicates'], i)
             for i, (f, loss) in enumerate(FORMS.items())}
    return dict(seed=seed, forms=found)


@call_parse
def main(
    target:json_file, # the JSON that is written
):
    "Measure and learn. The same command goes on where the last one stopped."
    torch.set_num_threads(1)
    result = load_json(target) if target.exists() else {}
    about = dict(command=f'OMP_NUM_THREADS=1 python results/sequential.py results/{target.name}', machine=machine(),
                 linear_settings=LINEAR, volatility_settings=VOLATILITY, start=START)
    def kept(table, name, compute):
        found = result.setdefault(table, {})
        if name in found: return found[name]
        found[name] = round_floats(compute())
        target.write_text(as_text(about | {k: result[k] for k in ('linear', 'learned', 'compared') if k in result}))
        print(time.strftime('%H:%M:%S'), table, name, flush=True)
        return found[name]
    for T, K in itertools.product(LINEAR['T'], LINEAR['K']): kept('linear', f'T{T}-K{K}', partial(on_linear, T, K))
    for seed in range(VOLATILITY['seeds']):
        for form in LEARNERS: kept('learned', f'{form} {seed}', partial(learned, form, seed))
        point = result['learned'][f'doubly {seed}']['params']
        kept('compared', str(seed), partial(compared, seed, point))
