"""A million data with an exact answer, streamed from a file that is mapped into memory: results/million.json.

    python benchmarks/million.py results/million.json --pieces 8

x = W z + noise with two latents and 16 observed numbers, so that log p(x) is a normal density. A file of a million
rows is written in a temporary folder and mapped; `log_likelihood` scores pieces of 4,096 rows, spread evenly over the
file, and of each piece its mean, its error and the exact mean are kept. The posteriors start far from the exact ones,
in q itself. `private_mb` is the memory that is the process's own (RssAnon of Linux), seen every 20 ms; pages of the
file that the system holds for it, and may drop, are no part of it. `one_call` scores `whole` rows in one call, which
returns its log weights and more for each datum: it grows by what it returns.
"""
import platform, tempfile, threading, time
from pathlib import Path

import numpy as np
import torch
from fastcore.script import call_parse
from torch.distributions import Independent, Normal

from aiwae_nb.core import seeded
from aiwae_nb.evidence import log_likelihood
from aiwae_nb.files import save_json
from aiwae_nb.targets import LinearGaussian

N, P, PIECE, BLOCK = 1_000_000, 16, 4096, 50_000
SETTINGS = dict(n_temperatures=9, n_leapfrog=2, n_chains=8, start='q', batch=1024, half_T=False)


def model_of():
    with seeded(0): return LinearGaussian(torch.randn(P, 2)/2, torch.zeros(P), 1.)


def write(model, path):
    "A million rows, in blocks."
    file = np.lib.format.open_memmap(path, 'w+', np.float32, (N, P))
    generator = torch.Generator().manual_seed(1)
    for start in range(0, N, BLOCK): file[start:start + BLOCK] = model.sample(BLOCK, generator)[0].numpy()
    file.flush()


def private_mb():
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('RssAnon'))/1024


class Watch:
    "The highest private memory since the last look, MB."
    def __enter__(self):
        self.highest, self.ends = 0., threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        while not self.ends.wait(.02): self.highest = max(self.highest, private_mb())

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()

    def look(self):
        found, self.highest = max(self.highest, private_mb()), 0.
        return round(found, 1)


def score(model, x, seed=0):
    def posterior(x):
        q = model.posterior(x)
        return Independent(Normal(q.mean + .3, 1.5*q.stddev), 1)
    return log_likelihood(x, posterior, model.log_joint, seed=seed, **SETTINGS)


def piece(model, file, start, seed):
    "One piece of the file: its mean, its error, the exact mean."
    x = file[start:start + PIECE]
    found, exact = score(model, x, seed), model.log_evidence(torch.tensor(x)).double()
    z = ((found.value - exact)/found.std_error).abs()
    of = found.summary()
    return dict(mean=of.mean, error=of.monte_carlo, exact=exact.mean().item(), beyond_4=(z > 4).double().mean().item())


@call_parse
def main(
    out:Path, # a JSON file
    pieces:int=8, # of 4,096 rows, spread evenly over the million
    whole:int=16_384, # rows of one call; 0: none
):
    "Stream, and watch the memory."
    model, rows, one_call = model_of(), [], []
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        path = Path(folder)/'million.npy'
        write(model, path)
        file = np.load(path, mmap_mode='r')
        score(model, file[:PIECE]) # what is loaded and cached once
        before = watch.look()
        started = time.process_time()
        for i, start in enumerate(np.linspace(0, N - PIECE, pieces).astype(int)):
            of_piece = piece(model, file, start, i)
            rows.append(of_piece | dict(first_row=int(start), private_mb=watch.look()))
        seconds = time.process_time() - started
        for n in [m for m in (4096, 8192, 16_384, 32_768) if m <= whole]:
            found = score(model, file[:n])
            one_call.append(dict(rows=n, private_mb=watch.look(), mean=found.summary().mean))
            del found
    save_json(dict(benchmark='million', command=f'python benchmarks/million.py {out} --pieces {pieces} --whole {whole}',
                   rows_in_file=N, file_mb=N*P*4/2**20, piece=PIECE, before_mb=before, pieces=rows,
                   cpu_seconds=round(seconds, 1), settings=SETTINGS, one_call=one_call, torch=torch.__version__,
                   threads=torch.get_num_threads(), machine=platform.machine()), out)
