"""Print README.md, made from nbs/index.ipynb: its text, its code and the tables that its cells made."""
import json, re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def parts(cell):
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': yield source
    elif '#| hide' not in source and '#| echo: false' not in source: yield f"```python\n{source}\n```"
    for output in cell.get('outputs', []):
        if 'text/markdown' in output.get('data', {}): yield ''.join(output['data']['text/markdown'])


def readme():
    cells = json.loads((ROOT/'nbs/index.ipynb').read_text())['cells']
    text = '\n\n'.join(part for cell in cells for part in parts(cell))
    text = re.sub(r'\]\((\w+\.ipynb)\)', r'](nbs/\1)', text)          # pages lie in nbs/
    return f'<!-- Made from nbs/index.ipynb by `make readme`; edit that. -->\n\n{text}\n'


if __name__ == '__main__': print(readme(), end='')
