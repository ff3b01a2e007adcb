"""Figures of style of a tree, or of two side by side: `python .ci/style.py [--base GIT_REF_OR_FOLDER]`.

Long lines are those over 120 characters, of exported cells and of lessons (all other code cells). The content of code
is counted over every function of `aiwae_nb/*.py`, nested ones included: the nodes that `ast.walk` finds in the body,
without the docstring (decorators, arguments and annotations are not in the body); and the lines of that body which are
neither blank nor a comment. Nodes per function and nodes per body line are medians over functions. An exported cell
counts its public functions and classes, and its lines that are neither blank, nor a directive, nor part of a signature
after its first line. `--package FOLDER` gives the content of any other package, as an installed fastcore.
"""
import argparse, ast, json, re, subprocess, sys, tarfile, tempfile
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT, LIMIT = Path(__file__).resolve().parent.parent, 120
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


class Cell(NamedTuple):
    "A code cell of a notebook."
    page:str # name of the notebook
    number:int # among all its cells, from 0
    source:str
    is_exported:bool
    is_followed:bool # at once by a code cell that is not exported


def is_exported(source): return bool(re.search(r'^#\|\s*export', source, re.M))


def code_cells(path):
    "The code cells of a notebook."
    cells = json.loads(path.read_text())['cells']
    sources = [''.join(c['source']) for c in cells]
    code = [i for i, c in enumerate(cells) if c['cell_type'] == 'code']
    for i, after in zip(code, [*code[1:], None]):
        followed = after is not None and not is_exported(sources[after])
        yield Cell(path.name, i, sources[i], is_exported(sources[i]), followed)


def all_cells(root): return [cell for path in sorted((root/'nbs').glob('*.ipynb')) for cell in code_cells(path)]
def without_magics(source): return re.sub(r'^[%!].*$', 'pass', source, flags=re.M)


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def body(node):
    "The statements of a definition, without its docstring."
    return node.body[1:] if is_docstring(node.body[0]) else node.body


def counted(source):
    "Numbers of the lines that are neither blank nor a comment, from 1."
    return {i for i, line in enumerate(source.splitlines(), 1) if line.strip() and not line.strip().startswith('#')}


def content(source):
    "(nodes, lines) of each function of a file."
    code = counted(source)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, FUNCTIONS) or not body(node): continue
        nodes = sum(1 for part in body(node) for _ in ast.walk(part))
        lines = {i for part in body(node) for i in range(part.lineno, part.end_lineno + 1)}
        yield nodes, len(lines & code)


def signature_lines(tree):
    "Lines that only document arguments: those of a signature, after its first one."
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS): yield from range(node.lineno + 1, node.body[0].lineno)


def cell_lines(source):
    "How many lines of an exported cell count."
    tree = ast.parse(without_magics(source))
    return len(counted(source) - set(signature_lines(tree)))


def is_patch(node): return any(ast.unparse(d).startswith('patch') for d in node.decorator_list)


def public_definitions(source):
    "The public functions and classes of a cell; methods added by `@patch` are of their class."
    found = []
    for node in ast.parse(without_magics(source)).body:
        if not isinstance(node, DEFINITIONS) or node.name.startswith('_'): continue
        name = ast.unparse(node.args.args[0].annotation) if is_patch(node) else node.name
        if name not in found: found.append(name)
    return found


def is_of_a_class(source):
    "Whether all public definitions of a cell are one class, or methods of one."
    nodes = [n for n in ast.parse(without_magics(source)).body if isinstance(n, DEFINITIONS)]
    if len(nodes) == 1 and isinstance(nodes[0], ast.ClassDef): return True # a private class too
    nodes = [n for n in nodes if not n.name.startswith('_')]
    return len(public_definitions(source)) == 1 and all(isinstance(n, ast.ClassDef) or is_patch(n) for n in nodes)


def is_caption(line): return line.startswith(('#| fig-cap:', '#| fig-alt:')) # which YAML wants on one line


def long_lines(cells):
    lines = ((c, line) for c in cells for line in c.source.splitlines())
    return [(c, line) for c, line in lines if len(line) > LIMIT and not is_caption(line)]


def defines(cell): return cell.is_exported and bool(public_definitions(cell.source))
def percent(part, whole): return f'{100*part/max(whole, 1):.1f} %'


def package_figures(folder):
    "What is said of a package: name -> figure."
    sources = [path.read_text() for path in sorted(folder.glob('*.py')) if path.stem != '_modidx']
    each = [pair for source in sources for pair in content(source)]
    nodes, lines = map(sum, zip(*each))
    every_line = [line for source in sources for line in source.splitlines()]
    return {'functions': len(each), 'nodes per body line': f'{median(n/k for n, k in each):.1f}',
            'nodes per body line, of all': f'{nodes/lines:.1f}',
            'nodes per function': f'{median(n for n, _ in each):.0f}',
            'body lines per function': f'{median(k for _, k in each):.0f}',
            'lines over 120 of modules': percent(sum(len(line) > LIMIT for line in every_line), len(every_line))}


def notebook_figures(root):
    "What is said of the notebooks: name -> figure."
    cells, found = all_cells(root), {}
    for name, exported in ('exported', True), ('lesson', False):
        of = [c for c in cells if c.is_exported == exported]
        total = sum(len(c.source.splitlines()) for c in of)
        found[f'lines over 120, {name}'] = f'{len(long_lines(of))} of {total}'
    cells = [c for c in cells if defines(c)]
    many, lines = [len(public_definitions(c.source)) for c in cells], [cell_lines(c.source) for c in cells]
    found |= {'exported cells that define': len(cells), 'definitions per cell, mean': f'{sum(many)/len(many):.2f}',
              'definitions per cell, most': max(many), 'lines per cell, median': f'{median(lines):g}',
              'lines per cell, most': max(lines)}
    return found | {'cells followed by a lesson': percent(sum(c.is_followed for c in cells), len(cells))}


def module_figures(root):
    "Lines of each module, the longest first."
    sizes = {p.name: len(p.read_text().splitlines()) for p in (root/'aiwae_nb').glob('*.py') if p.stem != '_modidx'}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def figures(root): return package_figures(root/'aiwae_nb') | notebook_figures(root) | module_figures(root)


def tree(name, folder):
    "The tree of a folder, or of a git reference unpacked in `folder`."
    if Path(name).is_dir(): return Path(name).resolve()
    done = subprocess.run(['git', 'archive', name, 'nbs', 'aiwae_nb'], cwd=ROOT, capture_output=True)
    if done.returncode: sys.exit(f"{name!r} is neither a folder nor a git reference: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive: archive.extractall(folder)
    return Path(folder)


def show(columns):
    "A table: one row for each figure, one column for each tree."
    names = list(dict.fromkeys(name for _, found in columns for name in found))
    print(f"{'':34}" + ''.join(f'{title[-16:]:>18}' for title, _ in columns))
    for name in names: print(f'{name:34}' + ''.join(f"{found.get(name, ''):>18}" for _, found in columns))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--base', help='a git reference or a folder, shown first')
    parser.add_argument('--package', type=Path, help='the folder of any package: its content alone')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        columns = [(args.base, figures(tree(args.base, folder)))] if args.base else []
        columns.append(('this tree', figures(ROOT)))
        if args.package: columns.append((args.package.name, package_figures(args.package)))
        show(columns)
