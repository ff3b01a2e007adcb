"""Each rule of `house` refuses a tree that breaks it and accepts one that does not: `python .ci/wrong.py`."""
import json, sys, tempfile
from pathlib import Path

import house

GOOD = ['#| exports\ndef a(\n    x, # one\n)->int: # two\n    return x', 'a(1)']
LONG_SIGNATURE = '#| exports\ndef a(\n' + ''.join(f'    x{i}=0, # one\n' for i in range(80)) + '): return 1'
LONG_BODY = '    x = 1\n'*70
LONG_CLASS = f'#| exports\nclass A:\n  def f(self):\n{LONG_BODY}'
PATCHES = ''.join(f'@patch\ndef f{i}(self:A): return 1\n' for i in range(9))


def definitions(n): return '#| exports\n' + ''.join(f'def f{i}(): return 1\n' for i in range(n))


# what is wrong: (rule, cells of 10_low, cells of 20_high, cells of 50_top, `__all__` of each module); None: nothing
CASES = {
    'nothing': (None, GOOD, ['from aiwae_nb.low import a'], ['import aiwae_nb.low as l\nl.a(2)'], ([], [], [])),
    'private of its own': (None, [], ['from aiwae_nb.high import _x'], [], ([], [], [])),
    'a long signature': (None, [LONG_SIGNATURE], [], [], ([], [], [])),
    'a long class': (None, [LONG_CLASS], ['#| exports\n' + PATCHES], [], ([], [], [])),
    'a long caption': (None, ['#| fig-alt: "' + 'a '*70 + '"\nx = 1'], [], [], ([], [], [])),
    'a long exported line': ('lines_fit', ['#| exports\nx = ' + '1'*120], [], [], ([], [], [])),
    'a long line of a lesson': ('lines_fit', ['x = ' + '1'*117], [], [], ([], [], [])),
    'three definitions': ('cells_small', [definitions(3)], [], [], ([], [], [])),
    'a long function': ('cells_small', [f'#| exports\ndef f():\n{LONG_BODY}'], [], [], ([], [], [])),
    'a long class beside a function': ('cells_small', [LONG_CLASS + 'def g(): return 1'], [], [], ([], [], [])),
    'an import from above': ('imports_look_down', ['from aiwae_nb.high import a'], [], [], ([], [], [])),
    'an application in mathematics': ('imports_look_down', [], ['from aiwae_nb import top'], [], ([], [], [])),
    'a star': ('imports_look_down', [], ['from aiwae_nb.low import *'], [], ([], [], [])),
    'a module that is not there': ('imports_look_down', [], ['from aiwae_nb.none import a'], [], ([], [], [])),
    'a private import': ('none_private', [], ['from aiwae_nb.low import _a'], [], ([], [], [])),
    'a private attribute': ('none_private', [], ['from aiwae_nb import low', 'low._a(1)'], [], ([], [], [])),
    'a private attribute of a path': ('none_private', [], [], ['import aiwae_nb.low', 'aiwae_nb.low._a'], ([], [], [])),
    'a name twice': ('names_unique', [], [], [], (['A'], [], ['A'])),
}
WIDGETS = '{"cells": [], "metadata": {"widgets": 1}}'
WARNED = json.dumps({'cells': [{'cell_type': 'code', 'source': 'f()', 'outputs': [
    {'output_type': 'stream', 'name': 'stderr', 'text': ['a warning']}]}], 'metadata': {}})
PLACED = WARNED.replace('stderr', 'stdout').replace('a warning', 'saved in /tmp/x')
SUBCLASS = 'class A:\n    def f(self): return B()\nclass B(A): pass\n'


def make(root, pages, names):
    "A tree of three modules with these cells and public names."
    for folder in ('nbs', 'aiwae_nb'): (root/folder).mkdir()
    for module, sources, public in zip(('10_low', '20_high', '50_top'), pages, names):
        title = f'#| default_exp {module[3:]}'
        cells = [{'cell_type': 'code', 'source': s} for s in (title, *sources)]
        (root/'nbs'/f'{module}.ipynb').write_text(json.dumps({'cells': cells, 'metadata': {}}))
        (root/'aiwae_nb'/f'{module[3:]}.py').write_text(f'__all__ = {public}\n')


def broken(root): return {rule.__name__ for rule in house.RULES if list(rule(root))}


def faults():
    "What the rules say that they should not, or do not say."
    for title, (rule, *pages, names) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), pages, names)
            found, expected = broken(Path(folder)), {rule} if rule else set()
        if found != expected: yield f'{title}: {sorted(found)} said, expected {sorted(expected)}'
    edits:list = [('modules_numbered', lambda root: (root/'nbs/10_low.ipynb').rename(root/'nbs/10_other.ipynb')),
                  ('bases_alone', lambda root: (root/'aiwae_nb/low.py').write_text(SUBCLASS)),
                  ('notebooks_light', lambda root: (root/'nbs/index.ipynb').write_text(WIDGETS)),
                  ('outputs_clean', lambda root: (root/'nbs/index.ipynb').write_text(WARNED)),
                  ('outputs_clean', lambda root: (root/'nbs/index.ipynb').write_text(PLACED))]
    for rule, edit in edits:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), ([], [], []), ([], [], []))
            edit(Path(folder))
            if broken(Path(folder)) != {rule}: yield f'{rule}: {sorted(broken(Path(folder)))} said'


if __name__ == '__main__':
    found = list(faults())
    print('\n'.join(found) or f'{len(CASES) + 5} cases hold')
    sys.exit(bool(found))
