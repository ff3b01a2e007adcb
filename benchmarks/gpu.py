"""The parts of `benchmarks/gpu.sh`. Each prints one JSON line:

    python benchmarks/gpu.py cells              run the pages that have cells for a GPU, those cells included
    python benchmarks/gpu.py same               compiled training against eager training, from the same draws
    python benchmarks/gpu.py graph              graphs of whole steps against eager training: weights, and times
    python benchmarks/gpu.py run FOLDER         how far a run is, and what an epoch took
    ... | python benchmarks/gpu.py keep OUT     keep each line as OUT/BENCHMARK.json, with the name of the card

`cells` needs no nbdev. `same`: the change of all weights in 20 steps, in units of the change itself, between compiled
and eager steps in float32; the control is another seed, whose draws are others. `graph`: the same for `train` with
compile=True, whose graph holds the compiled step, and for a graph of the eager step, with milliseconds of each. With
--small on a CPU: `cells` parses the pages, `same` compares two eager runs, and `graph` takes a stand-in that runs the
eager step again.
"""
import argparse, ast, json, os, re, sys, time, traceback
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

NBS = Path(__file__).resolve().parent.parent/'nbs'
GPU, SKIPPED = re.compile(r'^#\|\s*gpu\b', re.M), re.compile(r'^#\|\s*(slow|data)\b|nbdev_export\(\)', re.M)
KINDS = {'iwae_dreg': dict(n_samples=64), 'aiwae': dict(n_samples=5, temperatures=5, leapfrog=5)}


def sources(page): # a path -> the code of its cells
    cells = json.loads(page.read_text())['cells']
    return [''.join(cell['source']) for cell in cells if cell['cell_type'] == 'code']


def pages(): return [page for page in sorted(NBS.glob('*.ipynb')) if any(map(GPU.search, sources(page)))]


@contextmanager
def suppress_fork():
    "Leave out the rest of a cell that forks: with a GPU, autograd's threads do not survive that."
    try: yield
    except Exception as e:
        if 'fork-based multiprocessing' not in str(e): raise
        print(f"left out: {e}", file=sys.stderr)


def run_page(page):
    "None, or what a page raised in this process."
    os.chdir(NBS)
    os.environ['MPLBACKEND'] = 'agg'
    main = sys.modules['__main__'] = ModuleType('__main__') # where pickle looks for what a page defines
    try:
        for source in sources(page):
            code = '\n'.join(line for line in source.splitlines() if line[:1] not in '!%')
            if SKIPPED.search(source): continue
            with suppress_fork(): exec(compile(code, page.name, 'exec'), vars(main))
    except BaseException: return traceback.format_exc(limit=-3)


def cells(device, small):
    "Each page in a process of its own, all at once."
    if small:
        for source in [source for page in pages() for source in sources(page) if GPU.search(source)]: ast.parse(source)
        return dict(parsed=[page.stem for page in pages()])
    with ProcessPoolExecutor(len(pages()), get_context('spawn')) as pool: errors = [*pool.map(run_page, pages())]
    for error in filter(None, errors): print(error, file=sys.stderr)
    return dict(passed={page.stem: error is None for page, error in zip(pages(), errors)}, ok=not any(errors))


def trained(name, device, compile, seed, small, steps=20):
    "The weights before and after some steps."
    import torch
    from aiwae_nb.core import seeded
    from aiwae_nb.models import VAE
    from aiwae_nb.objectives import make_objective
    from aiwae_nb.train import adam
    rows, choices = (4, KINDS[name] | dict(n_samples=2)) if small else (128, KINDS[name])
    with seeded(0): model, x = VAE(), torch.rand(rows, 784).round().to(device)
    with seeded(seed, device):
        objective = make_objective(model, name, **choices).to(device).train()
        flat = lambda: torch.cat([p.detach().flatten() for p in objective.parameters()]).double().cpu()
        first, optimizer = flat(), adam(objective.parameters())
        forward = objective.compiled(x) if compile else objective
    with seeded(seed, device):
        for _ in range(2 if small else steps):
            optimizer.zero_grad(set_to_none=True)
            forward(x).backward()
            optimizer.step()
            objective.after_step(optimizer)
    return first, flat()


def same(device, small):
    "Compiled against eager: differences of weights over the change of weights."
    found = {}
    for name in KINDS:
        first, eager = trained(name, device, False, 1, small)
        change = (eager - first).norm()
        def off(compile, seed): return ((trained(name, device, compile, seed, small)[1] - eager).norm()/change).item()
        found[name] = dict(compiled=off(not small, 1), eager_again=off(False, 1), another_seed=off(False, 2))
    ok = all(of['compiled'] < .01 < of['another_seed'] for of in found.values())
    return dict(differences=found, steps=2 if small else 20, ok=ok)


class Again:
    "What stands in for a graph on a CPU: it runs the step again."
    def warm(self, f): f()
    def capture(self, f): self.f, self.outputs = f, f()
    def replay(self):
        for a, b in zip(self.outputs, self.f()):
            if a is not None: a.copy_(b)
        return self.outputs


def epochs_of(name, device, compile, seed, small):
    "The weights before and after two epochs of `train`, and milliseconds of a step of the second."
    import torch
    from aiwae_nb.core import seeded
    from aiwae_nb.models import VAE
    from aiwae_nb.objectives import make_objective
    from aiwae_nb.train import train
    batch, steps, choices = (4, 3, KINDS[name] | dict(n_samples=2)) if small else (128, 100, KINDS[name])
    with seeded(0):
        model, pixels = VAE(), torch.randint(0, 256, (batch*steps, 784), dtype=torch.uint8)
    objective = make_objective(model, name, **choices).to(device)
    flat = lambda: torch.cat([p.detach().flatten() for p in objective.parameters()]).double().cpu()
    first = flat()
    found = train(objective, pixels, epochs=2, batch=batch, seed=seed, compile=compile, look_every=50, progress=False)
    return first, flat(), 1e3*found.metrics[-1]['seconds']/steps


def without_compiler():
    "Within the block, what would be compiled stays as it is."
    import aiwae_nb.aiwae
    from aiwae_nb.hmc import transition
    stack = ExitStack()
    stack.enter_context(patch('torch.compile', lambda f, **options: f))
    stack.enter_context(patch.object(aiwae_nb.aiwae, 'compiled_transition', lambda in_graph: transition))
    return stack


def graph(device, small):
    "Graphs of whole steps, compiled and eager, against eager steps: differences over the change of weights, and times."
    import warnings
    from aiwae_nb.train import STEP_GRAPHS
    if small: STEP_GRAPHS[device] = Again
    found, failed = {}, []
    for name in KINDS:
        first, eager, eager_ms = epochs_of(name, device, False, 1, small)
        change, (_, other, _) = (eager - first).norm(), epochs_of(name, device, False, 2, small)
        def away(weights): return ((weights - eager).norm()/change).item()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter('always')
            with without_compiler(): _, of_eager, eager_graph_ms = epochs_of(name, device, True, 1, small)
            with without_compiler() if small else nullcontext(): _, held, graph_ms = epochs_of(name, device, True, 1, small)
        texts = [str(w.message) for w in said]
        failed += [text for text in texts if 'graph' in text]
        eager_only = [text for text in texts if 'without compilation' in text]
        found[name] = dict(graph=away(held), graph_of_eager=away(of_eager), another_seed=away(other), eager_ms=eager_ms,
                           graph_ms=graph_ms, graph_of_eager_ms=eager_graph_ms,
                           not_compiled=eager_only)
    ok = not failed and all(max(of['graph'], of['graph_of_eager']) < .01 < of['another_seed'] for of in found.values())
    return dict(differences=found, failed=failed, ok=ok)


def run(device, small, folder):
    "What a run has done."
    folder = Path(folder)
    log = folder/'metrics.jsonl'
    metrics = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    last, seconds = metrics[-1] if metrics else {}, sorted(m['seconds'] for m in metrics)
    return dict(epochs=last.get('epoch', 0), bound=last.get('bound'), median_epoch_s=seconds[len(seconds)//2] if seconds else None,
                saved=(folder/'checkpoint.pt').exists(), config=json.loads((folder/'config.json').read_text()))


def keep(device, small, out, card):
    "Lines of standard input that are JSON, as files; the others are passed on."
    for line in sys.stdin:
        try: found = json.loads(line)
        except ValueError: print(line, end='')
        else:
            Path(out).mkdir(parents=True, exist_ok=True)
            path = Path(out)/f"{found['benchmark']}.json"
            path.write_text(json.dumps(dict(card=card, small=small) | found, indent=1) + '\n')
            print(f"kept {path}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('what', choices=('cells', 'same', 'graph', 'run', 'keep'))
    parser.add_argument('folder', nargs='?', help='of a run, or to keep JSON in')
    parser.add_argument('--small', action='store_true', help='on a CPU, to see that it runs')
    parser.add_argument('--device', default='cuda', help='cuda or cpu')
    parser.add_argument('--card', help='its name, to keep with JSON')
    asked = parser.parse_args()
    start, more = time.time(), [given for given in (asked.folder, asked.card) if given]
    found = dict(cells=cells, same=same, graph=graph, run=run, keep=keep)[asked.what](asked.device, asked.small, *more)
    if found is None: return
    about = dict(benchmark=asked.what, device=asked.device, torch=version('torch'), seconds=round(time.time() - start, 1))
    print(json.dumps(about | found), flush=True)
    sys.exit(not found.get('ok', True))


if __name__ == '__main__': main()
