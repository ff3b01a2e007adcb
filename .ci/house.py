"""The rules of the house that notebooks must keep: each is a generator of what breaks it, in the tree `root`."""
import ast, json, re

from style import LIMIT, all_cells, cell_lines, is_of_a_class, long_lines, public_definitions, without_magics

MOST_DEFINITIONS, MOST_LINES, MOST_BYTES = 2, 60, 400_000


def notebooks(root): return sorted((root/'nbs').glob('*.ipynb'))


def modules(root):
    "Module name -> the notebooks that export it."
    found = {}
    for cell in all_cells(root):
        names = re.findall(r'^#\|\s*default_exp\s+(\S+)', cell.source, re.M)
        for name in names: found.setdefault(name, []).append(cell.page)
    return found


def trees(root):
    "Each code cell, with what it parses to."
    for cell in all_cells(root): yield cell, ast.parse(without_magics(cell.source))


def imports(tree):
    "(module of this package, node) of each import in a parsed cell."
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if (node.module or '').startswith('aiwae_nb.'): yield node.module.split('.')[1], node
            if node.module == 'aiwae_nb':
                yield from ((a.name, node) for a in node.names if not a.name.startswith('__'))
        if isinstance(node, ast.Import):
            yield from ((a.name.split('.')[1], node) for a in node.names if a.name.startswith('aiwae_nb.'))


def lines_fit(root):
    "code lines of notebooks are at most 120 characters; the sentences of results pages (70-79) may be longer"
    for cell, line in long_lines(all_cells(root)):
        if not cell.page.startswith('7'): yield f'{cell.page}, cell {cell.number}: {len(line)} > {LIMIT}: {line[:60]}'


def cells_small(root):
    "an exported cell has at most two public definitions and 60 lines; a class may have a longer cell of its own"
    for cell in all_cells(root):
        if not cell.is_exported: continue
        names, lines = public_definitions(cell.source), cell_lines(cell.source)
        where = f'{cell.page}, cell {cell.number}'
        if len(names) > MOST_DEFINITIONS: yield f"{where}: {len(names)} public definitions: {', '.join(names)}"
        if lines > MOST_LINES and not is_of_a_class(cell.source): yield f"{where}: {lines} lines: {', '.join(names)}"


def modules_numbered(root):
    "each module has exactly one notebook, named alike"
    there = {p.stem for p in (root/'aiwae_nb').glob('*.py')} - {'__init__', '_modidx'}
    for name in sorted(there ^ modules(root).keys()): yield f'module {name} has no notebook, or its notebook no module'
    for name, pages in modules(root).items():
        if len(pages) > 1 or not re.fullmatch(rf'\d\d_{name}\.ipynb', pages[0]):
            yield f"module {name} is exported by {', '.join(pages)}"


def imports_look_down(root):
    "a notebook imports only from smaller numbers, by name; below 50 nothing from 50 and up"
    number = {name: int(pages[0][:2]) for name, pages in modules(root).items() if pages[0][:2].isdigit()}
    for cell, tree in trees(root):
        if not cell.page[:2].isdigit(): continue
        own = int(cell.page[:2])
        for other, node in imports(tree):
            where = f'{cell.page}, cell {cell.number}: {ast.unparse(node)}'
            if other not in number: yield f'{where}: no notebook exports {other}'
            elif number[other] > own: yield f'{where}: {other} has a larger number'
            if number.get(other, 0) >= 50 > own: yield f'{where}: mathematics imports an application'
            is_star = any(a.name == '*' for a in node.names)
            if is_star and other != cell.page[3:-6]: yield f'{where}: names are not given'


def is_private(name): return name.startswith('_') and not name.startswith('__')


def module_names(tree):
    "What a cell calls the modules of this package that it imports as such: as written in the code -> the module."
    for other, node in imports(tree):
        if isinstance(node, ast.Import): yield from ((a.asname or a.name, a.name.split('.')[-1]) for a in node.names)
        elif node.module == 'aiwae_nb': yield from ((a.asname or a.name, a.name) for a in node.names)


def none_private(root):
    "no private name is taken from another module"
    known = {} # page -> its names for modules, from all its cells so far
    for cell, tree in trees(root):
        own, aliases = cell.page[3:-6], known.setdefault(cell.page, {})
        aliases.update(module_names(tree))
        where = f'{cell.page}, cell {cell.number}'
        for other, node in imports(tree):
            taken = [a.name for a in node.names if is_private(a.name)] if isinstance(node, ast.ImportFrom) else []
            if taken and other != own: yield f"{where}: {', '.join(taken)} from {other}"
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not is_private(node.attr): continue
            other = aliases.get(ast.unparse(node.value))
            if other and other != own: yield f'{where}: {ast.unparse(node)}'


def public_names(path):
    "The `__all__` of a module."
    for node in ast.parse(path.read_text()).body:
        is_it = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '__all__'
        if is_it: return ast.literal_eval(node.value)
    return []


def names_unique(root):
    "no public name is defined in two modules"
    found = {}
    for path in sorted((root/'aiwae_nb').glob('*.py')):
        for name in public_names(path): found.setdefault(name, []).append(path.stem)
    for name, of in found.items():
        if len(of) > 1: yield f"{name} is public in {', '.join(of)}"


def bases_alone(root):
    "no base class names its subclasses"
    for path in sorted((root/'aiwae_nb').glob('*.py')):
        classes = {n.name: n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)}
        for name, node in classes.items():
            for base in filter(None, (classes.get(ast.unparse(b)) for b in node.bases)):
                used = {n.id for n in ast.walk(base) if isinstance(n, ast.Name)}
                if name in used: yield f'{path.name}: {base.name} names its subclass {name}'


def notebooks_light(root):
    "notebooks are light: under 400 kB each, without the state of widgets"
    for path in notebooks(root):
        if path.stat().st_size > MOST_BYTES: yield f'{path.name}: {path.stat().st_size:,} bytes'
        if 'widgets' in json.loads(path.read_text())['metadata']: yield f'{path.name}: remove metadata.widgets'


def outputs_clean(root):
    "stored outputs hold no warnings and no paths of a machine"
    for path in notebooks(root):
        for i, cell in enumerate(json.loads(path.read_text())['cells'], 1):
            for output in cell.get('outputs', []):
                texts = [output.get('text', ''), *(t for k, t in output.get('data', {}).items() if k.startswith('text'))]
                text = '\n'.join(''.join(t) for t in texts)
                if output.get('name') == 'stderr': yield f'{path.name}, cell {i}: a stored warning: {text[:80]}'
                elif found := re.search(r'/(tmp|home|root|work|Users)/\S*', text):
                    yield f'{path.name}, cell {i}: a stored path: {found[0][:80]}'


RULES = (lines_fit, cells_small, modules_numbered, imports_look_down, none_private, names_unique, bases_alone,
         notebooks_light, outputs_clean)
