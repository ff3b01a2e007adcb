"""How the site shows a public name: its signature as the source has it, with all comments; fields, methods and flags.

nbdev takes `Entry` for each entry, and `tidied` for each page, where this folder is on PYTHONPATH (settings.ini).
"""
import ast, dataclasses, inspect, re, textwrap
from functools import cache
from pathlib import Path

import yaml
from fastcore.docments import ShowDocRenderer
from nbdev.doclinks import NbdevLookup
from nbdev.process import Processor

ROOT, KINDS = Path(__file__).resolve().parent.parent, (ast.FunctionDef, ast.ClassDef)


@cache
def definitions():
    "Name -> (lines of its module, node) of each function, class and method; of a patched one, 'Class.method'."
    found = {}
    for path in sorted((ROOT/'aiwae_nb').glob('*.py')):
        lines, tree = path.read_text().splitlines(), ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, KINDS): found[owner(node) + node.name] = lines, node
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, KINDS): found[f'{node.name}.{inner.name}'] = lines, inner
    return found


def owner(node):
    "'Class.' of a patched method, '' of any other definition."
    patched = any(ast.unparse(d) == 'patch' for d in node.decorator_list)
    return f'{ast.unparse(node.args.args[0].annotation)}.' if patched else ''


def head(lines, node):
    "A definition up to its body, with the comments on its arguments."
    body = node.body[0]
    last = lines[body.lineno - 1].encode()[:body.col_offset].decode()
    return textwrap.dedent('\n'.join([*lines[node.lineno - 1:body.lineno - 1], last])).rstrip()


def field(lines, node):
    "A field of a class, with the comments on its line and above it."
    first = node.lineno - 1
    while lines[first - 1].strip().startswith('#'): first -= 1
    return '\n'.join(lines[first:node.end_lineno])


def fields(lines, node):
    found = [n for n in node.body if isinstance(n, ast.AnnAssign) and not n.target.id.startswith('_')]
    return [field(lines, n) for n in found]


def initializer(cls):
    "The head of the `__init__` that the package gives a class, or nothing."
    of = next(base for base in cls.__mro__ if '__init__' in vars(base))
    if f'{of.__name__}.__init__' not in definitions(): return []
    return [textwrap.indent(head(*definitions()[f'{of.__name__}.__init__']), '    ')]


def class_text(cls):
    lines, node = definitions()[cls.__name__]
    is_record = hasattr(cls, '_fields') or dataclasses.is_dataclass(cls)
    inside = fields(lines, node) if is_record else initializer(cls)
    top = head(lines, node).split('\n')[0]
    return '\n'.join([top if inside else top.rstrip(':'), *inside])


def signature(obj, name):
    "What an entry shows first. Backticks are left out: in code they would become links."
    text = class_text(obj) if inspect.isclass(obj) else head(*definitions()[name])
    return text.replace('`', '')


def in_cell(text):
    "Text for a cell of a table: on one line, its pipes escaped, which in code are no borders."
    return re.sub(r'`[^`]*`|\|', lambda hit: r'\|' if hit[0] == '|' else hit[0], str(text).replace('\n', ' '))


def table(heads, rows):
    def line(cells): return '| ' + ' | '.join(map(in_cell, cells)) + ' |'
    return '\n'.join(map(line, [heads, ['---']*len(heads), *rows]))


def sentence(text):
    "The first paragraph of a docstring, on one line."
    return ' '.join((text or '').partition('\n\n')[0].split())


def coded(text):
    "Text with its commands and flags as code: Markdown makes a dash of two hyphens."
    command = r'\b(?:torchrun|aiwae_\w+)(?: (?:--[\w-]*|\d+|aiwae_\w+|\.\.\.))+'
    flag = r'(?<![\w-])--(?:\w[\w-]*|(?= ))'
    parts = re.split(r'(```.*?```|`[^`]*`)', text, flags=re.S)
    return ''.join(part if part.startswith('`') else re.sub(f'{command}|{flag}', r'`\g<0>`', part) for part in parts)


def methods(cls):
    "A table of a class's public methods, without those that have entries of their own."
    own = [(k, f) for k, f in vars(cls).items() if not k.startswith('_') and inspect.isfunction(f) and f.__doc__]
    return table(['method', 'what it does'], [[f'`.{k}`', sentence(f.__doc__)] for k, f in own]) if own else ''


def options(cls):
    "A table of the fields of a configuration: each has a help of its own."
    found = [f for f in dataclasses.fields(cls) if f.metadata.get('flag', True)]
    return table(['field', 'default', 'meaning'], [[f'`{f.name}`', f'`{default(f)!r}`', coded(f.metadata['help'])] for f in found])


def default(f):
    made = f.default_factory
    return made() if made is not dataclasses.MISSING else f.default


def is_configuration(obj):
    return dataclasses.is_dataclass(obj) and any('help' in f.metadata for f in dataclasses.fields(obj))


def flag(action):
    "(flag, default, help) of one argument of a parser; the default stands at the end of its help."
    name = action.option_strings[-1] if action.option_strings else action.dest.upper()
    about, _, default = (action.help or '').partition(' (default: ')
    return f'`{name}`', f'`{default[:-1]}`' if default else '', coded(about)


def flags(parser):
    "The flags of a command, a table for each group."
    for group in parser._action_groups:
        rows = [flag(a) for a in group._group_actions if a.dest != 'help']
        if rows: yield f'**{group.title}**\n\n' + table(['flag', 'default', 'meaning'], rows)


def parser_of(obj):
    "The parser of a command, or None."
    if not inspect.isfunction(obj) or not hasattr(obj, '__wrapped__'): return None
    inside = inspect.getclosurevars(obj).nonlocals
    if not {'fn', 'parser'} <= inside.keys(): return None
    from aiwae_nb.cli import parser_of
    return (inside['parser'] or (lambda: parser_of(inside['fn'])))()


class Entry(ShowDocRenderer):
    "An entry of the site."
    def __init__(self, sym, name=None, title_level=3):
        super().__init__(sym, name=name, title_level=title_level)
        self.shown, self.parser = sym, parser_of(sym)

    def parts(self):
        if source := NbdevLookup().code(self.fn): yield f'[source]({source}){{target="_blank" .entry-source}}'
        yield f"{'#'*self.title_level} {self.nm}"
        if self.parser: yield f'```sh\n{self.nm} --help\n```'
        elif not is_configuration(self.shown): yield f'```python\n{signature(self.shown, self.nm)}\n```'
        yield coded(inspect.getdoc(self.shown) or '')
        if self.parser: yield from flags(self.parser)
        elif is_configuration(self.shown): yield options(self.shown)
        if inspect.isclass(self.shown): yield methods(self.shown)

    def _repr_markdown_(self): return '\n\n'.join(['---', *filter(None, self.parts())])


@cache
def places():
    "Name of a definition, or id of an exported cell -> its line."
    marks = {}
    for path in (ROOT/'aiwae_nb').glob('*.py'):
        for n, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith('# %% ') and '#' in line[1:]: marks[line.rpartition('#')[2]] = n
    return marks | {name: node.lineno for name, (_, node) in definitions().items()}


def documents(cell):
    "The name that a cell shows the entry of, or None."
    hit = cell.cell_type == 'code' and re.search(r'^show_doc\(([\w.]+)', cell.source, re.M)
    return hit[1] if hit else None


def is_source(cell): return cell.cell_type == 'code' and 'exports' in cell.directives_


def defined(cell): return [owner(n) + n.name for n in ast.parse(cell.source).body if isinstance(n, KINDS)]


def in_order(cells, place):
    "Cells with the entries of each run in the order of the source, and each exported source after its entries."
    def key(cell):
        names = [documents(cell)] if documents(cell) else [cell.get('id'), *defined(cell)]
        return max(place.get(name, 0) for name in names), is_source(cell)
    found, run = [], []
    for cell in cells:
        if documents(cell) or run and is_source(cell): run.append(cell)
        else: found, run = [*found, *sorted(run, key=key), cell], []
    return [*found, *sorted(run, key=key)]


def folded(cell, title):
    cell.source = re.sub(r'^#\| code-(fold|summary):.*\n', '', cell.source, flags=re.M)
    cell.source = f'#| code-fold: true\n#| code-summary: "{title}"\n{cell.source}'


def fold(cells):
    "Fold exported source, misuse and what runs once a week."
    after_misuse = False
    for cell in cells:
        if cell.cell_type == 'markdown': after_misuse = cell.source.startswith('*Misuse')
        if cell.cell_type != 'code' or 'echo: false' in cell.source: continue
        if 'exports' in cell.directives_:
            if any(isinstance(n, KINDS) for n in ast.parse(cell.source).body): folded(cell, 'Source') # a table stays open
        elif {'slow', 'gpu', 'data', 'others'} & cell.directives_.keys(): folded(cell, 'Check that runs once a week')
        elif after_misuse: folded(cell, 'What raises')


def with_module(front, stem):
    "The front matter of a page, its description with the name of the module that the notebook exports."
    if not (ROOT/f'aiwae_nb/{stem[3:]}.py').exists(): return front
    meta = yaml.safe_load(front.strip().strip('-'))
    meta['description'] += f' Module: `aiwae_nb.{stem[3:]}`.'
    return f'---\n{yaml.safe_dump(meta)}---\n\n'


class tidied(Processor):
    "The last processor of a page: entries in the order of the source; source, misuse and slow checks folded; its module named."
    def end(self):
        self.nb.cells[0].source = with_module(self.nb.cells[0].source, Path(self.nb.path_).stem)
        self.nb.cells = in_order([c for c in self.nb.cells if getattr(c, 'source', None) is not None], places())
        fold(self.nb.cells)
