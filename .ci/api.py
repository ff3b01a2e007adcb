"""Print every public name of the package with its docstring, its arguments and its source; exit code 1 if one is without.

Public is what a module's `__all__` names. A function or class needs a docstring; each of its arguments (for a
NamedTuple or dataclass, each field) and what a function returns need a comment, with the shape where it is a tensor;
one that raises says so (a command, its exit code). A class of this package, as a type, explains itself; a method that
overrides one of the package's has its arguments explained there. A constant needs a comment, on its line or
above it, or a word on its page. Public methods are as functions are. `-q` prints the names alone.
"""
import ast, dataclasses, importlib, inspect, json, re, sys, textwrap
from pathlib import Path

from fastcore.docments import docments

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def pages(): return {p.stem[3:]: p for p in sorted((ROOT/'nbs').glob('[0-9]*.ipynb'))}


def arguments(obj):
    "Name -> its comment (or None) of each argument; 'return' too where a function gives something back."
    if getattr(obj, '_is_protocol', False): return {} # its calls are annotations
    if inspect.isclass(obj):
        fields = getattr(obj, '_fields', None) or ([f.name for f in dataclasses.fields(obj)] if dataclasses.is_dataclass(obj) else None)
        if fields: return {name: comment(obj, name) for name in fields}
        if not inspect.isfunction(obj.__init__): return {}
        explained = {k: v for base in obj.__mro__ if base.__module__.startswith('aiwae_nb') and '__init__' in vars(base)
                     for k, v in arguments(vars(base)['__init__']).items() if v}
        return {k: v or explained.get(k) for k, v in arguments(obj.__init__).items()}
    try: found = docments(obj, full=True, args_kwargs=True)
    except (TypeError, ValueError): return {}
    return {k: v.docment or ours(v.anno) for k, v in found.items() if k != 'self' and (k != 'return' or v.anno is not None and gives_back(obj))}


def inherited(cls, key):
    "What the package's own bases of a class say of a method that it overrides."
    theirs = [vars(base)[key] for base in cls.__mro__[:0:-1] if base.__module__.startswith('aiwae_nb') and key in vars(base)]
    return {k: v for f in theirs for k, v in (arguments(f) | {'return': docments(f)['return']}).items() if v}


def ours(anno): return f'{anno.__name__}, of {anno.__module__}' if getattr(anno, '__module__', '').startswith('aiwae_nb') else None


def gives_back(fn):
    "Whether a function returns or yields a value of its own."
    nodes, tree = [], ast.parse(textwrap.dedent(inspect.getsource(fn)))
    def walk(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef)): continue
            nodes.append(child); walk(child)
    walk(tree.body[0])
    return any(isinstance(n, (ast.Return, ast.Yield)) and n.value is not None for n in nodes)


def comment(cls, name):
    "On the line of a field, above it, or in the help of a configuration's option."
    source = inspect.getsource(cls)
    hit = re.search(rf'^\s+{name}\s*:.*?#\s*(.+)$', source, re.M) or re.search(rf'^\s+# (.+)\n\s+{name}\s*:', source, re.M)
    if hit: return hit[1]
    fields = {f.name: f for f in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else {}
    if name in fields and 'help' in fields[name].metadata: return fields[name].metadata['help']
    return ours(getattr(cls, '__annotations__', {}).get(name))


def line_of(module, name):
    hit = re.search(rf'^(?:def |class |async def )?{name}\b', inspect.getsource(module), re.M)
    return inspect.getsource(module)[:hit.start()].count('\n') + 1 if hit else 0


def said_of(module, name):
    "The comment on a constant's line, or above it."
    hit = re.search(rf'^(?:# (?!%%|AUTO)(.+)\n)?{name}(?:\s*:.+?)?\s*=.*?(?:#\s*(.+))?$', inspect.getsource(module), re.M)
    return (hit[2] or hit[1] or '') if hit else ''


def entry(module, name, text):
    "What there is of one public name: (kind, first line, arguments, where, what is missing)."
    obj = getattr(module, name)
    where = f"{module.__name__.replace('.', '/')}.py:{line_of(module, name)}"
    if not (inspect.isfunction(obj) or inspect.isclass(obj)):
        return 'constant', said_of(module, name), {}, where, [] if said_of(module, name) or f'`{name}' in text else ['comment']
    doc, args = inspect.getdoc(obj) if '__doc__' in vars(obj) or inspect.isfunction(obj) else None, arguments(obj)
    missing = [] if doc and not doc.startswith(f'{name}(') else ['docstring']
    missing += [f'{k}' for k, v in args.items() if not v]
    if inspect.isfunction(obj):
        if re.search(r'^\s+.*\braise \w', inspect.getsource(obj), re.M) and not re.search(r'\b[Rr]aise|Error|exit code', doc or ''): missing.append('raises')
    else:
        for key, f in vars(obj).items():
            if not inspect.isfunction(f) or key.startswith('_'): continue
            if not inspect.getdoc(getattr(obj, key)): missing.append(f'{key}()')
            missing += [f'{key}.{k}' for k, v in (arguments(f) | inherited(obj, key)).items() if not v]
    return 'class' if inspect.isclass(obj) else 'function', (doc or '').split('\n')[0], args, where, missing


def main():
    bad = n = 0
    for stem, path in pages().items():
        if not (ROOT/'aiwae_nb'/f'{stem}.py').exists(): continue
        module = importlib.import_module(f'aiwae_nb.{stem}')
        text = '\n'.join(''.join(c['source']) for c in json.loads(path.read_text())['cells'])
        for name in module.__all__:
            kind, doc, args, where, missing = entry(module, name, text)
            n += 1; bad += bool(missing)
            print(f"{stem}.{name}  [{kind}, {where}]" + (f"  MISSING {', '.join(missing)}" if missing else ''))
            if '-q' not in sys.argv:
                if doc: print(f'    {doc}')
                for k, v in args.items(): print(f'      {k}: {v}')
    print(f"{n} public names, {bad} incomplete")
    return bad > 0


if __name__ == '__main__': sys.exit(main())
