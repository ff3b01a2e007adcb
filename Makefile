# Two doors. `make run` trains, evaluates and reports on real digits; `make test` checks everything.
# Both do their own set-up, once.
PYTHON ?= python3
BIN = .venv/bin
DEMO = --dataset mnist5k --objective iwae_dreg --samples 8 --epochs 20 --batch 20 --name demo --out runs

.PHONY: run test readme pages docs outputs api style clean

run: .venv/.run
	$(BIN)/aiwae_train $(DEMO)
	$(BIN)/aiwae_evaluate runs/demo

test: .venv/.dev
	$(BIN)/python .ci/check.py

readme: .venv/.dev
	$(BIN)/python .ci/readme.py > README.md

# the site's pages, rendered well enough to look at: _pages/index.html
pages: .venv/.dev
	$(BIN)/python .ci/render.py

# the site itself, by Quarto, in _docs. README.md is made first: nbdev leaves one that is newer than index.ipynb as it is
docs: readme
	PYTHONPATH=$(CURDIR)/.ci $(BIN)/nbdev_docs

# run notebooks for their stored outputs: make outputs PAGES="21_dreg 22_snr"
outputs: .venv/.dev
	$(BIN)/python .ci/outputs.py $(PAGES)

# every public name with its docstring, arguments and source
api: .venv/.dev
	$(BIN)/python .ci/api.py

# long lines, syntax nodes a line, sizes of cells and modules; beside another tree with BASE=a git reference or a folder
style: .venv/.dev
	$(BIN)/python .ci/style.py $(if $(BASE),--base $(BASE))

clean:
	rm -rf .venv runs _proc _docs _pages build dist *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

# each stamp remembers which extras were installed; an edit of either file installs again
.venv/.%: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$*]"
	@touch $@
