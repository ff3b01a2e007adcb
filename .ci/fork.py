"""Functions in a process of their own, forked from this one: what this one has imported they need not import again."""
import multiprocessing, os, runpy, sys, tempfile
from pathlib import Path

ROOT, TIMEOUT = Path(__file__).resolve().parent.parent, 3600 # seconds
FORK = multiprocessing.get_context('fork')


def _alone(log, f, *args):
    for stream in 1, 2: os.dup2(log.fileno(), stream)
    os.chdir(ROOT)
    sys.path[0] = '' # the working folder, as `python -c` has it
    sys.exit(f(*args))


def forked(f, *args):
    "Call a function, which may do anything to its process. Returns what it printed; raises with that if it gives no 0."
    with tempfile.TemporaryFile('w+') as log:
        child = FORK.Process(target=_alone, args=(log, f, *args))
        child.start()
        child.join(TIMEOUT)
        if child.is_alive(): child.kill()
        log.seek(0)
        if child.exitcode != 0: raise AssertionError(log.read() or f'exit code {child.exitcode}')
        return log.read()


def _program(path, *args):
    sys.argv, sys.path[0] = [path, *args], str((ROOT/path).parent)
    runpy.run_path(path, run_name='__main__')


def script(path, *args):
    "Run a program of the repository, by its path from the root."
    return forked(_program, path, *args)
