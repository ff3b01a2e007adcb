"""Models of other libraries, scored through their adapters, beside each library's own estimator. Prints one JSON line.

    python benchmarks/adapters.py pyro
    python benchmarks/adapters.py pythae
    python benchmarks/adapters.py scvi

Each model is trained here for some seconds: Pyro's and pythae's on the 4,000 digits of mnist5k, 16 latents; scVI's on
400 synthetic cells, 10 latents, the size of the library latent. `ours` is `log_likelihood(until='converged')`; `theirs`
the library's estimator with 1,000 samples from the encoder's q. `reference` is a run with more temperatures, where they
are given. Values are means over the data, nats; `seconds` is the time of the call alone, `cpu_seconds` that of the
processor.
"""
import importlib.metadata, json, platform, time, warnings

import torch
from fastcore.script import call_parse
from torch import nn

from aiwae_nb.adapters import from_pyro, from_pythae, from_scvi
from aiwae_nb.core import seeded
from aiwae_nb.data import load_dataset
from aiwae_nb.evidence import log_likelihood

N_SAMPLES = 1000 # of the libraries' own estimators


def digits(): return (load_dataset('mnist5k').train.float()/255).round()


def pyro_model(n_data):
    "A VAE of Pyro; the estimator is the importance-weighted bound, datum by datum."
    import pyro, pyro.distributions as dist
    from pyro.infer import RenyiELBO, SVI, Trace_ELBO
    encoder = nn.Sequential(nn.Linear(784, 200), nn.Tanh(), nn.Linear(200, 32))
    decoder = nn.Sequential(nn.Linear(16, 200), nn.Tanh(), nn.Linear(200, 784))
    def model(x):
        pyro.module('decoder', decoder)
        with pyro.plate('data', len(x)):
            z = pyro.sample('z', dist.Normal(torch.zeros(len(x), 16), 1.).to_event(1))
            pyro.sample('x', dist.Bernoulli(logits=decoder(z)).to_event(1), obs=x)
    def guide(x):
        pyro.module('encoder', encoder)
        with pyro.plate('data', len(x)):
            loc, log_scale = encoder(x).chunk(2, -1)
            pyro.sample('z', dist.Normal(loc, log_scale.exp()).to_event(1))
    x, svi = digits(), SVI(model, guide, pyro.optim.Adam(dict(lr=2e-3)), Trace_ELBO())
    for _ in range(1200): svi.step(x[torch.randint(len(x), (64,))])
    bound = RenyiELBO(alpha=0, num_particles=N_SAMPLES, vectorize_particles=True)
    def theirs():
        with torch.no_grad(): return -sum(bound.loss(model, guide, one[None]) for one in x[:n_data])/n_data
    return from_pyro(model, guide, x[:n_data]), theirs, 'RenyiELBO(alpha=0), datum by datum'


def pythae_model(n_data):
    "A VAE of pythae, with the parts that it has by default."
    from pythae.models import VAE, VAEConfig
    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=16, reconstruction_loss='bce'))
    x, optimizer = digits().reshape(-1, 1, 28, 28), torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(800):
        optimizer.zero_grad()
        model(dict(data=x[torch.randint(len(x), (64,))])).loss.backward()
        optimizer.step()
    model.eval()
    def theirs():
        with torch.no_grad(): return float(model.get_nll(x[:n_data], n_samples=N_SAMPLES))
    return dict(x=x[:n_data]) | from_pythae(model), theirs, 'get_nll'


def scvi_model(n_data):
    "An scVI model of synthetic cells."
    import scvi
    scvi.settings.seed = 0
    cells = scvi.data.synthetic_iid(batch_size=200, n_genes=100)
    scvi.model.SCVI.setup_anndata(cells, batch_key='batch')
    model = scvi.model.SCVI(cells, n_latent=10, use_observed_lib_size=False)
    model.train(max_epochs=100, accelerator='cpu', enable_progress_bar=False, logger=False)
    def theirs():
        return model.get_marginal_ll(indices=list(range(n_data)), n_mc_samples=N_SAMPLES, n_mc_samples_per_pass=25,
                                     return_mean=True)
    return from_scvi(model, range(n_data)), theirs, 'get_marginal_ll'


# name -> (its model, the packages whose versions count)
MODELS = dict(pyro=(pyro_model, ['pyro']), pythae=(pythae_model, ['pythae']), scvi=(scvi_model, ['scvi']))
DISTRIBUTIONS = dict(pyro='pyro-ppl', scvi='scvi-tools')


def timed(f):
    wall, cpu = time.perf_counter(), time.process_time()
    return f(), dict(seconds=round(time.perf_counter() - wall, 1), cpu_seconds=round(time.process_time() - cpu, 1))


def said(found, seconds):
    of = found.summary()
    return dict(log_p=round(of.mean, 3), monte_carlo=round(of.monte_carlo, 4), converged=round(of.converged, 3),
                temperatures=len(found.betas), forces=of.forces) | seconds


@call_parse
def main(
    model:str, # pyro, pythae or scvi
    n_data:int=20, # that are scored
    reference:int=0, # temperatures of a long run; 0: none
):
    "Score a model of another library."
    warnings.filterwarnings('ignore')
    make, packages = MODELS[model]
    with seeded(0):
        arguments, theirs, name = make(n_data)
        value, seconds = timed(theirs)
    ours = said(*timed(lambda: log_likelihood(**arguments, until='converged')))
    long = said(*timed(lambda: log_likelihood(**arguments, n_temperatures=reference))) if reference else None
    version = importlib.metadata.version(DISTRIBUTIONS.get(model, model))
    print(json.dumps(dict(
        benchmark='adapters', command=f'python benchmarks/adapters.py {model} --n_data {n_data}'
        + f' --reference {reference}'*bool(reference), n_data=n_data, ours=ours,
        theirs=dict(estimator=name, n_samples=N_SAMPLES, log_p=round(value, 3)) | seconds,
        ratio=round(ours['cpu_seconds']/seconds['cpu_seconds'], 2), version=version, torch=torch.__version__,
        threads=torch.get_num_threads(), machine=platform.machine()) | (dict(reference=long) if long else {})))
