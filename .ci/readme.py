"""Print README.md, made from nbs/index.ipynb."""
import json
from pathlib import Path

import pypandoc

ROOT = Path(__file__).resolve().parent.parent


def shown(cell): return not ''.join(cell['source']).lstrip().startswith('#| hide')


def readme():
    nb = json.loads((ROOT/'nbs/index.ipynb').read_text())
    nb['cells'] = [c for c in nb['cells'] if shown(c)]
    text = pypandoc.convert_text(json.dumps(nb), 'gfm', format='ipynb', extra_args=['--wrap=none'])
    drop = ('<div class="cell', '<div class="output', '</div>')
    lines = [l for l in text.replace('\r', '').split('\n') if not l.startswith(drop)]
    return '<!-- Made from nbs/index.ipynb by `make readme`; edit that. -->\n\n' + '\n'.join(lines).replace('\n\n\n\n', '\n\n').replace('\n\n\n', '\n\n')


if __name__ == '__main__': print(readme(), end='')
