"""Rewrite what `results/*.json` keep of commands, flags and names to those of today; numbers stay as they are.

    python results/migrate.py            # writes the files that change, and names them
    python results/migrate.py --check    # writes nothing; exit code 1 where a file would change

A cell of a grid gets a `key`, a flat dict from which its name is made, in place of a group and a name to be parsed.
"""
import argparse, json, re, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLAGS = {'variance': 'variance_every', 'test': 'test_every', 'save': 'save_every', 'phi': 'inference_loss',
         'still': 'gate_init', 'nohalf': 'no_half'}
GROUPS = {'seen': 'latent2d', 'again': 'seeds', 'more': 'from_checkpoint', 'longer': 'equal_time', 'names': 'smoke',
          'frozen': 'frozen_decoder'}
CERTIFICATE = {'chains': 'n_chains', 'leapfrog': 'n_leapfrog'}
METHODS = {'elbo': 'vae', 'flow_iaf': 'iaf', 'flow_planar': 'planar', 'flow_householder': 'householder'}


def word(name, value):
    "A field of a key, as it stands in the name of a cell."
    if isinstance(value, str): return value
    return f'{name}{value:g}' if isinstance(value, float) else f'{name}{value}'


def name_of(key): return '-'.join(word(*field) for field in key.items())
def renamed(d, names): return {names.get(k, k): v for k, v in d.items()}


def plain(text):
    "A word of a command as the value it stands for."
    for kind in int, float:
        try: return kind(text)
        except ValueError: pass
    return text


def flags_of(command):
    "Flag -> value of a command; a flag without a value is True."
    found, words = {}, command.split()[1:]
    for this, after in zip(words, [*words[1:], '--']):
        if not this.startswith('--'): continue
        name = FLAGS.get(this[2:], this[2:])
        found[name] = True if after.startswith('--') else plain(after)
    return found


def key_of_dreg(group, f):
    "A cell of paper 2."
    key = dict(group=GROUPS.get(group, group), dataset=f['dataset'], task=f['task'])
    if group == 'start': return key
    if group == 'names': return key | dict(objective=f['objective'])
    if group == 'frozen': return key | dict(objective=f['objective'], trial=f['seed'])
    alpha = dict(alpha=f['alpha']) if 'alpha' in f else {}
    return key | dict(group='figures', objective=f['objective']) | alpha | dict(K=f['samples'], trial=f['seed'])


def key_of_aiwae(group, f):
    "A cell of paper 1."
    key = dict(group=GROUPS.get(group, group), dataset=f['dataset'])
    annealed = f['objective'] == 'aiwae'
    key |= dict(method='aiwae' if annealed else 'iwae', K=f['samples'])
    if annealed: key['T'] = f['temperatures']
    if 'inference_loss' in f: key['inference_loss'] = f['inference_loss']
    return key | dict(trial=f['seed'])


def key_of_avo(group, f):
    "A cell of paper 3."
    key = dict(group=group)
    if group == 'toys': return key | dict(method=f['method'], trial=f['seed'])
    if group == 'length': return key | dict(method=f['method'], anneal=f['anneal'], trial=f['seed'])
    key['method'] = METHODS.get(f['objective'], f['objective'])
    if 'gate_init' in f: key['gate_init'] = f['gate_init']
    warm_up = round((1 - f['beta'])/f['rate']) if 'beta' in f else 0
    return key | dict(warm_up=warm_up, trial=f['seed'])


KEYS = {'dreg': key_of_dreg, 'aiwae': key_of_aiwae, 'avo': key_of_avo}


def new_text(text, names):
    "A command with the flags and cell names of today."
    for old, new in FLAGS.items(): text = re.sub(rf'--{old}(?=\s|$)', f'--{new}', text)
    return re.sub(r'[\w.-]+', lambda m: names.get(m[0], m[0]), text)


def is_command(text): return isinstance(text, str) and text.startswith(('aiwae_', 'python '))


def walked(value, names):
    "Every command and dict of flags in what a file keeps, as of today."
    if isinstance(value, list): return [walked(v, names) for v in value]
    if isinstance(value, dict):
        of_flags = {k: renamed(v, FLAGS) for k, v in value.items()
                    if k in ('flags', 'effort') and isinstance(v, dict)}
        return {k: of_flags[k] if k in of_flags else walked(v, names) for k, v in value.items()}
    return new_text(value, names) if is_command(value) else value


def keyed(cell, paper):
    "A cell with a key in front, in place of its group."
    if 'key' in cell: return cell
    key = KEYS[paper](cell['group'], flags_of(cell['command']))
    return dict(key=key) | {k: v for k, v in cell.items() if k != 'group'}


def new_cells(grid):
    "A grid whose cells have keys, and names made of them."
    cells = {name: keyed(cell, grid.get('paper')) for name, cell in grid['cells'].items()}
    names = {name: name_of(cell['key']) for name, cell in cells.items()}
    if len(set(names.values())) < len(names): raise ValueError("two cells have one name")
    return walked(grid | dict(cells={names[name]: cell for name, cell in cells.items()}), names)


def new_evidence(found):
    "Evidence with the fields of today: a convergence run is `half_T`, a certificate has `Certificate`'s fields."
    images = renamed(found['images'], {'half': 'half_T'})
    return walked(found, {}) | dict(images=images, certificate=dict(mass=None) | renamed(found['certificate'], CERTIFICATE))


def migrated(found):
    "What a file keeps, as of today."
    if 'cells' in found: return new_cells(found)
    return new_evidence(found) if isinstance(found.get('images'), dict) else walked(found, {})


def numbers(value):
    "Every number in what a file keeps, in order, without the keys."
    if isinstance(value, dict): return [n for k, v in value.items() if k != 'key' for n in numbers(v)]
    if isinstance(value, list): return [n for v in value for n in numbers(v)]
    return [value] if isinstance(value, (int, float)) else []


def json_file(text):
    "The path of a JSON file that can be written, from a command; its folder is there."
    path = Path(text)
    if path.suffix != '.json': raise argparse.ArgumentTypeError(f"{text} is not the name of a JSON file")
    if path.is_dir(): raise argparse.ArgumentTypeError(f"{text} is a folder")
    if not path.parent.is_dir(): raise argparse.ArgumentTypeError(f"{path.parent} is not a folder")
    return path


def known_file(text):
    "The path of a JSON file that is there, from a command."
    path = json_file(text)
    if not path.exists(): raise argparse.ArgumentTypeError(f"there is no {text}")
    return path


def run_folder(text):
    "The folder of a finished run, from a command; its report is there."
    if (Path(text)/'report.json').exists(): return Path(text)
    raise argparse.ArgumentTypeError(f"{text} has no report.json: evaluate it first")


def as_text(found):
    "JSON, compact; each cell of a grid on a line of its own, so that two versions can be compared."
    def compact(value): return json.dumps(value, separators=(',', ':'))
    if 'cells' not in found: return compact(found) + '\n'
    head = compact({k: v for k, v in found.items() if k != 'cells'})
    cells = ',\n'.join(f'{compact(name)}:{compact(cell)}' for name, cell in found['cells'].items())
    return head[:-1] + ',"cells":{\n' + cells + '\n}}\n'


def main(is_check):
    changed = []
    for path in sorted(HERE.glob('*.json')):
        before = json.loads(path.read_text())
        after = migrated(before)
        if after == before: continue
        if numbers(after) != numbers(before): raise ValueError(f'{path.name}: a number would change')
        changed.append(path.name)
        if not is_check: path.write_text(as_text(after))
    print('\n'.join(changed) or 'nothing to change')
    return bool(changed) and is_check


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--check', action='store_true', help='write nothing; exit code 1 where a file would change')
    sys.exit(main(parser.parse_args().check))
