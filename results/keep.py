"""Keep the report of a grid as small JSON, from which a page is made.

    python results/keep.py runs/aiwae-small/report.json results/aiwae_small.json
"""
import json

from fastcore.script import call_parse

from migrate import as_text, json_file, known_file


@call_parse
def main(
    source:known_file, # report.json of a grid
    target:json_file, # the JSON that is written
):
    "Keep the report of a grid as small JSON."
    target.write_text(as_text(json.loads(source.read_text())))
