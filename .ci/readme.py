"""Print README.md, made from nbs/index.ipynb: its text, its code, the tables and printed lines that its cells made; and keep its figures in nbs/figures."""
import base64, json, re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def figures():
    "File -> bytes of each figure of the page."
    found = [o['data']['image/png'] for c in page() for o in c.get('outputs', []) if 'image/png' in o.get('data', {})]
    return {f'nbs/figures/index-{i}.png': base64.b64decode(''.join(png)) for i, png in enumerate(found)}


def page(): return json.loads((ROOT/'nbs/index.ipynb').read_text())['cells']


def parts(cell, names):
    source = ''.join(cell['source'])
    alt = re.search(r'^#\| fig-alt: "?(.*?)"?$', source, re.M)
    if '#| hide' in source: return
    if cell['cell_type'] == 'markdown': yield source
    elif '#| echo: false' not in source: yield f"```python\n{source}\n```"
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        if 'text/markdown' in data: yield ''.join(data['text/markdown'])
        elif 'image/png' in data: yield f"![{alt[1] if alt else ''}]({next(names)})"
        elif text := ''.join(data.get('text/plain', output.get('text', ''))).strip(): yield f'```text\n{text}\n```'


def readme():
    names = iter(figures())
    text = '\n\n'.join(part for cell in page() for part in parts(cell, names))
    text = re.sub(r'\]\((\w+\.(?:ipynb|gif))\)', r'](nbs/\1)', text) # pages and the animation lie in nbs/
    return f'<!-- Made from nbs/index.ipynb by `make readme`; edit that. -->\n\n{text}\n'


if __name__ == '__main__':
    for name, data in figures().items():
        (ROOT/name).parent.mkdir(exist_ok=True)
        (ROOT/name).write_bytes(data)
    print(readme(), end='')
