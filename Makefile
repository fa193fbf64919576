# make demo    from nothing but Python 3.11 or newer and a package registry
# make test    everything; names the tools it misses
# make check   the quick gates, under a minute

SHELL := /bin/sh
PY := .venv/bin/python
STAMP := .venv/.installed
export UV_PYTHON_DOWNLOADS := never

QUICK := tests/unit tests/architecture tests/replay
SLOW := tests/workflows tests/integration tests/browser
# These play a whole day, kill who plays it, or fill a task to its limit: they have the machine to themselves.
ALONE := tests/faults tests/integration/test_demo.py tests/browser/test_flight_page.py \
	tests/workflows/test_continue_as_new.py
# A file stays in one process: its tests share what they start. More processes than cores gain nothing.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: install check gates test faults demo histories docs pictures bench clean
.DEFAULT_GOAL := install

# Seconds the second time: the stamp is newer than what it was made from.
$(STAMP): pyproject.toml uv.lock deploy/install.py
	@sh deploy/python.sh deploy/install.py

install: $(STAMP)
	@$(PY) -m workers.embedded.finding_temporal

gates: $(STAMP)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports

check: gates
	$(PY) -m pytest $(SIDE_BY_SIDE) $(QUICK)

test: install gates
	@$(PY) -m deploy.tools
	$(PY) -m pytest $(SIDE_BY_SIDE) $(SLOW) $(QUICK) $(addprefix --ignore=,$(ALONE))
	$(PY) -m pytest $(ALONE)

faults: install
	$(PY) -m pytest tests/faults -m faults_full -s

# Not `install`: the demo gets Temporal itself, and has something to show meanwhile.
demo: $(STAMP)
	@.venv/bin/clew demo flights

# After a release, or when a story was added: what every later build must replay.
histories: install
	$(PY) -m tests.replay.record

# docs/language, from the models and the examples beside.
docs: $(STAMP)
	@$(PY) -m deploy.language_docs

# What it finds is reported; nothing passes or fails by it. benchmarks/README.md says how to read it.
bench: $(STAMP)
	@$(PY) -m benchmarks.machine --json

pictures: install
	$(PY) -m pytest tests/browser -m pictures

clean:
	rm -rf .venv .cache .clew .pytest_cache .ruff_cache .hypothesis .import_linter_cache
