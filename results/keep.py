"""Keep the report of a grid as small JSON, from which a page is made.

    python results/keep.py runs/aiwae-small/report.json results/aiwae_small.json

Where the target holds a report of the same grid, its cells that the source lacks are kept: the runs of one grid may be
made in several folders, on several machines. The command and the machine stay those of the first report; a cell from
another machine says which.
"""
import json

from fastcore.script import call_parse

from migrate import as_text, json_file, known_file


def report_of(path):
    "The report of a grid."
    found = json.loads(path.read_text())
    if {'paper', 'budget', 'machine', 'of', 'cells'} <= found.keys(): return found
    raise SystemExit(f"{path} is no report of a grid")


def joined(before, found):
    "The cells of two reports of one grid: those of `found` where both have them. Numbers stay as they are."
    here = {} if before['machine'] == found['machine'] else dict(machine=found['machine'])
    cells = before['cells'] | {name: cell | here for name, cell in found['cells'].items()}
    first = {name: before[name] for name in ('command', 'machine')}
    return found | first | dict(cells=cells, done=len(cells), of=max(before['of'], found['of']))


@call_parse
def main(
    source:known_file, # report.json of a grid
    target:json_file, # the JSON that is written, or to which the cells are added
):
    "Keep the report of a grid as small JSON."
    found = report_of(source)
    before = report_of(target) if target.exists() else found
    grids = [(each['paper'], each['budget']) for each in (before, found)]
    if grids[0] != grids[1]: raise SystemExit(f"{target} holds runs of {grids[0]}, and {source} of {grids[1]}")
    kept = joined(before, found)
    target.write_text(as_text(kept))
    print(f"{target}: {kept['done']} runs, {len(found['cells'])} of them from {source}")
