"""Everything that `make test` checks. Two processes share the checks and the notebooks, the longest first.

Each notebook and each script of .ci runs in a process of its own, forked from one that has imported the libraries: to
import torch, its compiler and matplotlib takes longer than most notebooks do. Each line shows seconds, and seconds of
CPU. Ends with one line, 'N passed, N failed'. `--only WORD` runs the checks and notebooks whose names contain the word.
"""
import argparse, hashlib, importlib.util, multiprocessing, os, resource, subprocess, sys, tempfile, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import house, wrong
from fork import FORK, ROOT, TIMEOUT, forked, script

BIN, NBS, LIB = Path(sys.executable).parent, ROOT/'nbs', ROOT/'aiwae_nb'
WORKERS = 2 # processes
LONGEST = ('34_evidence', '53_train', '60_cli', '55_evaluate', '81_likelihood', '56_runs', '80_own_model', 'index',
           '82_which_estimator', '83_gpu', '22_snr', '31_ais', '85_other_libraries', '40_aiwae', '30_hmc', '21_dreg',
           '58_adapters', '66_pretrained', '65_reproduce', '42_avo', '52_models', '33_variational', '35_bdmc') # these first
LIBRARIES = ('torch', 'torch._dynamo', 'matplotlib.pyplot', 'nbdev.test', # a first optimizer imports torch._dynamo
             'scipy.stats')


OTHERS = 'pyro', 'pythae', 'normflows', 'torchmetrics', 'lightning' # of the extra `others`


def run(*cmd):
    "Run a tool of this environment; raises with its output where it fails."
    done = subprocess.run([str(BIN/cmd[0]), *cmd[1:]], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT)
    if done.returncode: raise AssertionError(done.stdout)
    return done.stdout


def digests():
    files = [*house.notebooks(ROOT), *LIB.glob('*.py')]
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def library_in_step():
    "nbdev_clean and nbdev_export change nothing"
    before = digests()
    for tool in ('nbdev_clean', 'nbdev_export'): run(tool)
    after = digests()
    changed = sorted(p.name for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    if changed: raise AssertionError(f"changed by nbdev_clean or nbdev_export; commit them: {', '.join(changed)}")


def pages_render():
    "every page renders: formulas, links, images, equations, references; and fits, where there is a browser to ask"
    import re, render
    listed = re.findall(r'\S+\.ipynb', (NBS/'sidebar.yml').read_text())
    if sorted(listed) != [p.name for p in house.notebooks(ROOT)]:
        raise AssertionError("nbs/sidebar.yml does not list every notebook once")
    found, said = render.main(shots=False)
    if found: raise AssertionError('\n'.join(found))
    return said


def api_complete():
    "every public name has its docstring, arguments with shapes, errors and source"
    script('.ci/api.py', '-q')


def package_typed():
    "mypy accepts the package"
    run('mypy', 'aiwae_nb')


def contract_holds():
    "mypy --strict accepts the contract as a user writes it, and the contract runs"
    strictly = '--strict', '--follow-imports=silent', '--cache-dir=.mypy_cache/strict' # other options, another cache
    run('mypy', *strictly, '.ci/contract.py')
    script('.ci/contract.py')


def bad_inputs_named():
    "bad arguments of the public functions raise one clear error: none is silent"
    return script('.ci/bad_inputs.py').splitlines()[-1]


def readme_fresh():
    "README.md is fresh from nbs/index.ipynb"
    from readme import figures, readme
    kept = {f'nbs/figures/{p.name}': p.read_bytes() for p in (NBS/'figures').glob('index-*')}
    if (ROOT/'README.md').read_text() != readme() or kept != figures():
        raise AssertionError("README.md or nbs/figures is not what nbs/index.ipynb makes: run `make readme`")


def results_migrated():
    "every file of results/ has the names of today"
    script('results/migrate.py', '--check')


def gpu_script_runs():
    "benchmarks/gpu.sh runs, in its small form on a CPU"
    with tempfile.TemporaryDirectory() as out:
        small = ['bash', 'benchmarks/gpu.sh', '--small', '--out', out, '--run', f'{out}/run']
        done = subprocess.run(small, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT,
                              env=os.environ | dict(PYTHON=sys.executable))
        kept = {path.stem for path in Path(out).glob('*.json')}
    if done.returncode or kept != {'same', 'graph', 'cells', 'train', 'ais', 'aiwae', 'run'}:
        raise AssertionError(done.stdout)


def single_precision_suffices():
    "training and log p(x) make no float64 tensor on a device without float64"
    return script('.ci/single.py').strip()


def rules_bite():
    "each rule of the house refuses what breaks it, and nothing else"
    if found := list(wrong.faults()): raise AssertionError('\n'.join(found))


def page_checks_bite():
    "each check of a rendered page finds what is wrong with a page, and nothing else"
    return script('.ci/wrong_pages.py').strip()


def keep(rule):
    "A rule of the house, over this tree: raises with the list of what breaks it."
    if found := list(rule(ROOT)): raise AssertionError('\n'.join(found))


def has_others(): return all(map(importlib.util.find_spec, OTHERS))


def _test(path):
    from nbdev.config import get_config
    from nbdev.test import test_nb
    force = ['data']*bool(os.environ.get('AIWAE_NB_DATA')) + ['others']*has_others()
    os.chdir(NBS)
    ok, _ = test_nb(path, get_config().tst_flags.split(), force, basepath=ROOT)
    return not ok


def notebook(path):
    "Run a notebook as nbdev_test does."
    forked(_test, path)


def jobs():
    "(name, function) of all that two processes do, the longest first."
    checks = (package_typed, api_complete, pages_render, contract_holds, bad_inputs_named, readme_fresh, results_migrated,
              rules_bite, page_checks_bite, gpu_script_runs, single_precision_suffices)
    yield from ((f.__doc__, f) for f in checks)
    yield from ((rule.__doc__, partial(keep, rule)) for rule in house.RULES)
    rank = {name: i for i, name in enumerate(LONGEST)}
    for path in sorted(house.notebooks(ROOT), key=lambda path: rank.get(path.stem, len(rank))):
        yield path.name, partial(notebook, path)


def cpu_seconds():
    "Of this process, and of those that it started and that have ended."
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def timed(job):
    "(whether it passed, what it says, seconds, seconds of CPU)."
    start, cpu = time.time(), cpu_seconds()
    try: ok, said = True, job() or ''
    except Exception as e: ok, said = False, str(e) or repr(e)
    return ok, said, time.time() - start, cpu_seconds() - cpu


def report(name, ok, said, seconds, cpu):
    "One line, and below it what was said."
    head = f"{'ok    ' if ok else 'FAILED'} {seconds:4.0f} s {cpu:4.0f} s  {name}"
    print(head + (f'\n{said}' if said else ''), flush=True)
    return ok


def run_all(todo):
    "The jobs over two processes: a list of whether each passed. One that was not run counts as failed."
    results, pool = [], ProcessPoolExecutor(WORKERS, mp_context=FORK)
    waiting = {pool.submit(timed, job): name for name, job in todo}
    try:
        for future in as_completed(list(waiting), timeout=TIMEOUT):
            failed = future.exception()
            results.append(report(waiting.pop(future), *((False, repr(failed), 0., 0.) if failed else future.result())))
    except TimeoutError:
        for process in multiprocessing.active_children(): process.kill()
        results += [report(name, False, f'not done after {TIMEOUT} s', 0., 0.) for name in waiting.values()]
    pool.shutdown(cancel_futures=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--only', default='', help='a part of the name of a check or notebook')
    only = parser.parse_args().only
    os.environ.update(OMP_NUM_THREADS='1', MPLBACKEND='agg')
    if not os.environ.get('AIWAE_NB_DATA'): print('AIWAE_NB_DATA is not set: skipping cells that need full data sets')
    if not has_others(): print("the extra 'others' is not installed: skipping cells that need one of its libraries")
    start, first = time.time(), [(library_in_step.__doc__, library_in_step)]
    with ThreadPoolExecutor(1) as beside: # before all others: it may write what they read
        done = [(name, beside.submit(timed, job)) for name, job in first if only in name]
        for name in LIBRARIES: importlib.import_module(name)
    results = [report(name, *future.result()) for name, future in done]
    results += run_all([(name, job) for name, job in jobs() if only in name])
    print(f'{time.time() - start:.0f} s, {cpu_seconds():.0f} s of CPU')
    print(f"{sum(results)} passed, {results.count(False)} failed")
    sys.exit(not results or not all(results))


if __name__ == '__main__': main()
