"""Train a sigmoid belief network of 200 bits by annealing, RWS and VIMCO for equal CPU time; NLL by annealing.

    OMP_NUM_THREADS=1 python results/discrete.py results/discrete.json [--folder runs/discrete]

The images are binarized MNIST. First each arm chooses its learning rate, by the bound of validation images after a
short run. Then each arm is trained with three seeds. The first model is annealed at several lengths and with both
moves of page discrete. What the file holds is not computed again, and it is written after each part. The folder keeps
the weights, and a model that it holds is not trained again.
"""
import itertools, time
from functools import partial
from pathlib import Path

import torch
from fastcore.script import call_parse
from torch import nn
from torch.distributions import Bernoulli, Independent

from aiwae_nb.ais import linear_schedule
from aiwae_nb.bernoulli import bernoulli_log_prob
from aiwae_nb.core import log_mean_exp, seeded
from aiwae_nb.data import batches, load_dataset
from aiwae_nb.discrete import discrete_ais, discrete_log_evidence, discrete_losses, gibbs_move, informed_move
from aiwae_nb.dreg import rws_loss, score_loss
from aiwae_nb.evaluate import evaluate_bound
from aiwae_nb.files import load_checkpoint, load_json, round_floats, save_checkpoint
from collect import machine
from migrate import as_text, json_file

SECONDS, SEEDS, IMAGES = 30, 3, 50 # of CPU time for each run; of each arm; of the test set
PILOT = dict(seconds=5, rates=(3e-3, 1e-2), images=200, samples=100) # for the learning rate of each arm
MODEL = dict(bits=200, batch=20)
K, T, FLIPS = 5, 5, 8
CHAINS = dict(n_chains=16, n_temperatures=400) # of the NLL
LADDER = dict(informed=(5, 20, 80, 320, 1280), gibbs=(5, 20)) # temperatures for one model
MOVES = dict(informed=partial(informed_move, n_flips=FLIPS), gibbs=gibbs_move)
LADDER_IMAGES = 10


class Belief(nn.Module):
    "A sigmoid belief network with one layer of bits, and a linear encoder."
    def __init__(self, mean):
        super().__init__()
        self.register_buffer('mean', mean)
        self.logits = nn.Parameter(torch.zeros(MODEL['bits']))
        self.encoder, self.decoder = nn.Linear(len(mean), MODEL['bits']), nn.Linear(MODEL['bits'], len(mean))
        with torch.no_grad(): self.decoder.bias.copy_(mean.clamp(.001, .999).logit())

    def posterior(self, x):
        return Independent(Bernoulli(logits=self.encoder(x - self.mean).clamp(-12, 12), validate_args=False), 1)

    def log_joint(self, x, z):
        prior = (z*self.logits).sum(-1) - nn.functional.softplus(self.logits).sum()
        return prior + bernoulli_log_prob(self.decoder(z), x)


def annealed_loss(log_joint, q):
    "AIWAE with discrete chains: the model and q learn from their end points."
    model, inference, _ = discrete_losses(log_joint, q, K, linear_schedule(T), move=MOVES['informed'], check=False)
    return model + inference()


RWS, SCORE = partial(rws_loss, n_samples=K), partial(score_loss, n_samples=K)
ARMS = { # name -> the losses, each for an equal share of the time
    'rws': (RWS,), 'aiwae': (annealed_loss,), 'score': (SCORE,), 'rws, then aiwae': (RWS, annealed_loss)}
RATE_OF = {'rws, then aiwae': 'rws'} # the others choose their own


def bits(pixels): return pixels.float()/255


def trained(pixels, arm, lr, seconds, seed):
    "A model after so much CPU time at a rate that falls to zero with it, and the number of its steps."
    with seeded(seed):
        model = Belief(bits(pixels).mean(0))
        optimizer = torch.optim.Adam(model.parameters(), lr, fused=True)
        start, steps = time.process_time(), 0
        for epoch in itertools.count():
            for index in batches(len(pixels), MODEL['batch'], seed, epoch):
                used = (time.process_time() - start)/seconds
                if used >= 1: return model.eval(), steps
                optimizer.param_groups[0]['lr'] = lr*(1 - used)
                loss, x = ARMS[arm][int(used*len(ARMS[arm]))], bits(pixels[index])
                optimizer.zero_grad(set_to_none=True)
                loss(partial(model.log_joint, x), model.posterior(x)).backward()
                optimizer.step()
                steps += 1


def restored(path):
    "A trained model, and the number of its steps."
    kept = load_checkpoint(path)
    model = Belief(kept['model']['mean'])
    model.load_state_dict(kept['model'])
    return model.eval(), kept['steps']


def bound(model, x, samples): return evaluate_bound(model, x, n_samples=samples, seed=0)


def pilot(data, arm):
    "Rate -> the bound of validation images after a short run, nats."
    x = bits(data.valid[:PILOT['images']])
    def found(lr): return bound(trained(data.train, arm, lr, PILOT['seconds'], 0)[0], x, PILOT['samples'])
    return {str(lr): round(found(lr).value.mean().item(), 3) for lr in PILOT['rates']}


def measured(model, x):
    "The bound and log p(x) of each image, and the checks of the second."
    of_q = bound(model, x, 5000)
    annealed = discrete_log_evidence(partial(model.log_joint, x), model.posterior(x), **CHAINS, move=MOVES['informed'],
                                     generator=torch.Generator().manual_seed(0))
    return dict(
        elbo=round_floats(of_q.elbo.mean().item()), bound_5000=round_floats(of_q.value.mean().item()),
        nll=round_floats(-annealed.value.mean().item()), nll_half_T=round_floats(-annealed.half_T.mean().item()),
        converged=int(annealed.converged.sum()), accept_rate=round_floats(annealed.accept_rate.mean().item()),
        bounds=[round(v, 3) for v in of_q.value.tolist()], log_p=[round(v, 3) for v in annealed.value.tolist()],
        errors=[round(v, 3) for v in annealed.std_error.tolist()])


def rung(model, x, move, n_temperatures):
    "One length of the chains: the estimate, one chain's mean and its spread, and CPU seconds."
    began = time.process_time()
    done = discrete_ais(partial(model.log_joint, x), model.posterior(x), CHAINS['n_chains'],
                        linear_schedule(n_temperatures), move=MOVES[move], generator=torch.Generator().manual_seed(1))
    return round_floats(dict(
        move=move, T=n_temperatures, log_p=log_mean_exp(done.log_w).mean().item(), mean_log_w=done.log_w.mean().item(),
        sd_log_w=done.log_w.std(0).mean().item(), accept_rate=done.accept_rate.mean().item(),
        seconds=time.process_time() - began))


def about(target):
    arms = {name: [getattr(loss, 'func', loss).__name__ for loss in losses] for name, losses in ARMS.items()}
    return dict(
        command=f'OMP_NUM_THREADS=1 python results/discrete.py results/{target.name}', machine=machine(),
        seconds=SECONDS, images=IMAGES, pilot=PILOT | dict(rates=list(PILOT['rates'])), model=MODEL, arms=arms,
        training=dict(K=K, T=T, flips=FLIPS), chains=CHAINS, ladder_images=LADDER_IMAGES)


@call_parse
def main(
    target:json_file, # the JSON that is written
    folder:Path=Path('runs/discrete'), # of the trained models
):
    "Train, measure and compare the arms. The same command goes on where the last one stopped."
    torch.set_num_threads(1)
    data, result = load_dataset('binary_mnist'), load_json(target) if target.exists() else {}
    folder.mkdir(parents=True, exist_ok=True)
    x = bits(data.test[::len(data.test)//IMAGES]) # from the whole of it
    def kept(table, name, compute):
        found = result.setdefault(table, {})
        if name in found: return
        found[name] = compute()
        target.write_text(as_text(about(target) | {k: result[k] for k in ('rates', 'runs', 'ladder') if k in result}))
        print(time.strftime('%H:%M:%S'), table, name, {k: v for k, v in found[name].items() if not isinstance(v, list)},
              flush=True)
    def run(arm, seed):
        rates, path = result['rates'][RATE_OF.get(arm, arm)], folder/f'{arm}-{seed}.pt'
        lr = float(max(rates, key=rates.get))
        if not path.exists():
            model, steps = trained(data.train, arm, lr, SECONDS, seed)
            save_checkpoint(dict(model=model.state_dict(), steps=steps), path)
        model, steps = restored(path)
        return dict(arm=arm, seed=seed, lr=lr, steps=steps) | measured(model, x)
    def climb(move, n): return rung(restored(folder/'rws-0.pt')[0], x[::IMAGES//LADDER_IMAGES], move, n)
    own = [arm for arm in ARMS if arm not in RATE_OF]
    for arm in own: kept('rates', arm, partial(pilot, data, arm))
    kept('runs', 'rws 0', partial(run, 'rws', 0))
    for move, lengths in LADDER.items():
        for n in lengths: kept('ladder', f'{move} {n}', partial(climb, move, n))
    for seed, arm in itertools.product(range(SEEDS), own): kept('runs', f'{arm} {seed}', partial(run, arm, seed))
    for seed, arm in itertools.product(range(SEEDS), RATE_OF): kept('runs', f'{arm} {seed}', partial(run, arm, seed))
