"""Everything that `make test` checks, in order. Ends with one line, 'N passed, N failed'."""
import ast, hashlib, json, os, re, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'.ci'))
BIN, NBS, LIB = Path(sys.executable).parent, ROOT/'nbs', ROOT/'aiwae_nb'
TIMEOUT = 3600                                                    # seconds; nbdev_test itself has none


def run(*cmd, **kwargs):
    "Run a tool of this environment; returns (exit code, its output)."
    env = os.environ | {'MPLBACKEND': 'agg'} | kwargs.pop('env', {})
    done = subprocess.run([str(BIN/cmd[0]), *cmd[1:]], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=TIMEOUT, **kwargs)
    return done.returncode, done.stdout


def notebooks(): return sorted(NBS.glob('*.ipynb'))
def source(cell): return ''.join(cell['source'])
def cells(path, kind): return [source(c) for c in json.loads(path.read_text())['cells'] if c['cell_type'] == kind]
def digests(): return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in [*notebooks(), *LIB.glob('*.py')]}


def exports():
    "Module name -> the notebooks that export it."
    found = {}
    for path in notebooks():
        for cell in cells(path, 'code'):
            for name in re.findall(r'^#\|\s*default_exp\s+(\S+)', cell, re.M): found.setdefault(name, []).append(path)
    return found


def library_in_step():
    "nbdev_clean and nbdev_export change nothing"
    before = digests()
    for tool in ('nbdev_clean', 'nbdev_export'):
        code, out = run(tool)
        assert code == 0, out
    after = digests()
    changed = sorted(p.name for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    assert not changed, f"changed by nbdev_clean or nbdev_export (now as they should be; commit them): {', '.join(changed)}"


def imports(tree):
    "The modules of this package that a parsed file imports."
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('aiwae_nb.'): yield node.module.split('.')[1], node
        if isinstance(node, ast.Import): yield from ((a.name.split('.')[1], node) for a in node.names if a.name.startswith('aiwae_nb.'))


def rooms_look_down():
    "each module has exactly one notebook, named alike, and imports only downward"
    rooms, modules = exports(), {p.stem for p in LIB.glob('*.py')} - {'__init__', '_modidx'}
    assert set(rooms) == modules, f"modules and notebooks differ: {sorted(set(rooms) ^ modules)}"
    number = {}
    for name, paths in rooms.items():
        assert len(paths) == 1 and re.fullmatch(rf'\d\d_{name}', paths[0].stem), f"module {name} is exported by {[p.name for p in paths]}"
        number[name] = int(paths[0].stem[:2])
    for name, (path,) in rooms.items():
        code = '\n'.join(re.sub(r'^[%!].*$', '', c, flags=re.M) for c in cells(path, 'code'))
        for other, node in imports(ast.parse(code)):
            if other == name: continue
            assert other in number, f"{path.name} imports aiwae_nb.{other}, which no notebook exports"
            assert number[other] < number[name], f"{path.name} imports {other}, which lies above it"
            assert number[name] >= 50 or number[other] < 50, f"{path.name} is mathematics and imports {other}"
            assert not any(a.name == '*' for a in node.names), f"{path.name} imports * from {other}"


def pages_render():
    "every page renders: formulas, links, images, equations, references; and fits, where there is a browser to ask"
    import render
    listed = re.findall(r'\S+\.ipynb', (NBS/'sidebar.yml').read_text())
    assert sorted(listed) == [p.name for p in notebooks()], "nbs/sidebar.yml does not list every notebook once"
    found, said = render.main()
    print(f'       {said}', flush=True)
    assert not found, '\n'.join(found)


def api_complete():
    "every public name has its docstring, arguments with shapes, errors and source"
    code, out = run('python', '.ci/api.py', '-q')
    assert code == 0, '\n'.join(line for line in out.splitlines() if 'MISSING' in line or 'public names' in line or 'Error' in line)


def types_hold():
    "mypy accepts the package, and the contract as a user writes it; the contract runs"
    for cmd in (('mypy', 'aiwae_nb'), ('mypy', '--strict', '--follow-imports=silent', '.ci/contract.py'), ('python', '.ci/contract.py')):
        code, out = run(*cmd)
        assert code == 0, out


def readme_fresh():
    "README.md is fresh from nbs/index.ipynb"
    from readme import figures, readme
    kept = {f'nbs/figures/{p.name}': p.read_bytes() for p in (NBS/'figures').glob('index-*')}
    assert (ROOT/'README.md').read_text() == readme() and kept == figures(), "README.md or nbs/figures is not what nbs/index.ipynb makes: run `make readme`"


def notebooks_light():
    "notebooks are light: under 400 kB each, without the state of widgets"
    large = [f'{p.name} {p.stat().st_size:,}' for p in notebooks() if p.stat().st_size > 400_000]
    stateful = [p.name for p in notebooks() if 'widgets' in json.loads(p.read_text())['metadata']]
    assert not large and not stateful, f"over 400,000 bytes: {', '.join(large) or 'none'}; with metadata.widgets, to be removed: {', '.join(stateful) or 'none'}"


def report(name, ok, detail=''):
    print(f"{'ok    ' if ok else 'FAILED'} {name}" + (f"\n{detail}" if detail and not ok else ''), flush=True)
    return ok


def check(fn):
    try: fn()
    except Exception as e: return report(fn.__doc__, False, str(e) or repr(e))
    return report(fn.__doc__, True)


def run_notebooks():
    "Run all notebooks with nbdev_test: (passed, failed). One that was not run counts as failed."
    flags = 'data' if os.environ.get('AIWAE_NB_DATA') else ''
    print(f"{'with' if flags else 'AIWAE_NB_DATA is not set: skipping'} the cells that need full data sets", flush=True)
    try: code, out = run('nbdev_test', '--do_print', '--n_workers', '2', '--flags', flags, '--timing', env={'OMP_NUM_THREADS': '1'})
    except subprocess.TimeoutExpired as e: code, out = 124, f"{(e.stdout or b'').decode()}\nnbdev_test ran past {TIMEOUT} s"
    expected, completed = len(notebooks()), len(re.findall(r'^- Completed', out, re.M))
    tail = out.partition('Tests Failed On The Following Notebooks:')[2]
    failed = len(re.findall(r'^\s+\S+\.ipynb', tail, re.M))
    print(out if code else out[out.find('Success'):], flush=True)
    failed = max(failed + expected - completed, int(code != 0))
    report(f"nbdev_test: {expected} notebooks", failed == 0, f"{completed} of {expected} completed, {failed} failed")
    return expected - min(failed, expected), failed


if __name__ == '__main__':
    results = [check(f) for f in (library_in_step, rooms_look_down, api_complete, types_hold, readme_fresh, notebooks_light, pages_render)]
    passed, failed = run_notebooks()
    passed, failed = passed + sum(results), failed + results.count(False)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed <= len(results))
