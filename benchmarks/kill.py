"""Kill runs by SIGKILL at random moments, resume them, and compare all that they leave with a run that was not killed.

Seven kinds of `aiwae_train`, `aiwae_toy`, and `aiwae_reproduce` of each paper, at small sizes:

    python benchmarks/kill.py [--kills 3] [--only WORD] [--seed 0]

Prints a line for each kind: how often it was killed, how far it was (steps and files), and whether weights, optimizer,
objective, state and reports are the same bit for bit. Ends with exit code 1 where one is not. A process is forked for each attempt, so this
needs Linux or macOS.
"""
import argparse, json, os, random, shutil, signal, sys, tempfile, time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import torch

from aiwae_nb.cli import aiwae_toy, aiwae_train
from aiwae_nb.data import DATASETS, load_dataset
from aiwae_nb.files import load_checkpoint
from aiwae_nb.reproduce import aiwae_reproduce

SMALL = dict(hidden='20', latent=5, batch=20, steps=150, save_every=0., samples=2)
SMOKE = dict(budget='smoke', trials=1)

# name -> (command, flags): what is killed
KINDS = {
    'iwae demo': (aiwae_train, SMALL | dict(samples=8, objective='iwae_dreg')),
    'aiwae': (aiwae_train, SMALL | dict(objective='aiwae', temperatures=3, leapfrog=2)),
    'avo chain': (aiwae_train, SMALL | dict(objective='avo', model='avo', samples=1, width=8, beta=.2)),
    'dreg alpha auto': (aiwae_train, SMALL | dict(objective='dreg', alpha='auto', variance_every=20,
                                                  estimators='dreg,iwae', test_every=50)),
    'batch norm': (aiwae_train, SMALL | dict(model='avo', samples=20, objective='iwae_dreg')), # K = B
    'structured': (aiwae_train, SMALL | dict(task='structured', model='dreg')),
    'flow_iaf': (aiwae_train, SMALL | dict(objective='flow_iaf', samples=1, width=20)),
    'toy': (aiwae_toy, dict(target='A,C', steps=60, hidden=8, transitions=2)),
    'reproduce aiwae': (aiwae_reproduce, SMOKE | dict(paper='aiwae', only='mnist-iwae-K1')),
    'reproduce dreg': (aiwae_reproduce, SMOKE | dict(paper='dreg', only='smoke-mnist-generative', workers=2)),
    'reproduce avo': (aiwae_reproduce, SMOKE | dict(paper='avo', only='mnist-avo-warm')),
}


def start(command, flags, out):
    "The id of a process that runs a command; what it says goes to OUT/said.txt."
    out.mkdir(parents=True, exist_ok=True)
    pid = os.fork()
    if pid: return pid
    os.setsid()
    said = os.open(out/'said.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for fd in (1, 2): os.dup2(said, fd)
    try: code = command(**flags, out=str(out)) or 0
    except SystemExit as e: code = e.code or 0
    except BaseException as e: # a traceback is a failure too
        print(repr(e), flush=True)
        code = 70
    os._exit(code)


def finish(command, flags, out):
    "Run a command to its end. Raises `RuntimeError` where it fails."
    _, status = os.waitpid(start(command, flags, out), 0)
    if status: raise RuntimeError(f"{command.__name__} failed in {out}:\n{(out/'said.txt').read_text()[-2000:]}")


def progress(out):
    "The steps of all checkpoints under a folder, and its number of files: it rises as a command works."
    steps = [load_checkpoint(path)['state']['step'] for path in out.rglob('checkpoint.pt')]
    return sum(steps) + sum(p.suffix != '.part' for p in out.rglob('*'))


def kill_often(command, flags, out, moments):
    "Kill a command at each moment, a progress, and a little later by chance; the progress after each kill."
    done = []
    while len(done) < len(moments):
        pid, ended = start(command, flags, out), 0
        while not ended and progress(out) < moments[len(done)]:
            time.sleep(.002)
            ended, _ = os.waitpid(pid, os.WNOHANG)
        time.sleep(random.uniform(0, .1))
        if ended or os.waitpid(pid, os.WNOHANG)[0]: # it came to its end: begin anew
            shutil.rmtree(out)
            continue
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        done.append(progress(out))
    return done


def timeless(found):
    "JSON without seconds."
    if isinstance(found, dict): return {k: timeless(v) for k, v in found.items() if 'seconds' not in k}
    return [timeless(v) for v in found] if isinstance(found, list) else found


def read(path):
    "What must be the same."
    if path.suffix == '.pt': return load_checkpoint(path)
    text = path.read_text()
    lines = text.splitlines() if path.suffix == '.jsonl' else [text]
    return [timeless(json.loads(line)) for line in lines] if path.suffix in ('.json', '.jsonl') else text


def differences(one, other):
    "Names of the files that are not the same in two folders."
    def kept(out): return {p.relative_to(out) for kind in ('pt', 'json', 'jsonl', 'csv') for p in out.rglob(f'*.{kind}')}
    missing = {str(p) for p in kept(one) ^ kept(other)}
    both = kept(one) & kept(other)
    return sorted(missing | {str(p) for p in both if not same(read(one/p), read(other/p))})


def same(a, b):
    "Whether two nests of tensors and plain values are equal, bit for bit."
    if isinstance(a, torch.Tensor): return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict): return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(same, a, b))
    return a == b or a != a and b != b # NaN


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--kills', type=int, default=3, help='of each kind')
    parser.add_argument('--only', default='', help='a part of the name of a kind')
    parser.add_argument('--seed', type=int, default=0, help='decides the moments')
    asked = parser.parse_args()
    random.seed(asked.seed)
    digits = load_dataset('mnist5k')
    DATASETS['mnist5k'] = lambda folders: digits # read once
    failed, total = [], 0
    for kind, (command, flags) in KINDS.items():
        if asked.only not in kind: continue
        named = flags if command is aiwae_reproduce else flags | dict(name='run')
        with tempfile.TemporaryDirectory() as folder:
            whole, killed = Path(folder)/'whole'/'runs', Path(folder)/'killed'/'runs'
            finish(command, named, whole)
            moments = sorted(random.uniform(0, .95)*progress(whole) for _ in range(asked.kills))
            done = kill_often(command, named, killed, moments)
            finish(command, named, killed)
            found, of = differences(whole, killed), progress(whole)
        total += len(done)
        failed += [kind]*bool(found)
        print(f"{kind:16} {len(done)} kills, at {done} of {of}: {', '.join(found) or 'the same bit for bit'}", flush=True)
    print(json.dumps(dict(kills=total, failed=failed)))
    sys.exit(bool(failed))


if __name__ == '__main__': main()
