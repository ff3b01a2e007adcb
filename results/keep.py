"""Keep the report of a grid as small JSON, from which a page is made.

    python results/keep.py runs/aiwae-small/report.json results/aiwae_small.json
"""
import json, sys
from pathlib import Path

from migrate import as_text

if __name__ == '__main__':
    source, target = map(Path, sys.argv[1:])
    target.write_text(as_text(json.loads(source.read_text())))
