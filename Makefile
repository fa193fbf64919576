# make demo    from nothing but Python 3.11 or newer and a package registry
# make test    everything; names the tools it misses
# make check   the quick gates, under a minute

SHELL := /bin/sh
PY := .venv/bin/python
STAMP := .venv/.installed
export UV_PYTHON_DOWNLOADS := never

QUICK := tests/unit tests/architecture tests/replay
SLOW := tests/workflows tests/integration tests/browser tests/security tests/simulation tests/benchmarks
# These play a whole day, kill who plays it, or fill a task to its limit: they have the machine to themselves.
ALONE := tests/faults tests/integration/test_demo.py tests/browser/test_flight_page.py \
	tests/workflows/test_continue_as_new.py tests/production
# A file stays in one process: its tests share what they start. More processes than cores gain nothing.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: install check gates test faults soak security simulate previous-release sbom demo histories docs pictures bench clean
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
	@$(PY) -m benchmarks.production.programs
	@$(PY) -m tests.faults.toxiproxy
	$(PY) -m pytest $(SIDE_BY_SIDE) $(SLOW) $(QUICK) $(addprefix --ignore=,$(ALONE))
	$(PY) -m pytest $(ALONE)

# Hours. What was found is kept in docs/reliability.json, and its page is written anew.
faults: install
	@$(PY) -m benchmarks.production.programs
	@$(PY) -m tests.faults.toxiproxy
	CLEW_SCORECARD=1 $(PY) -m pytest -s -m "faults_full or not pictures" tests/faults
	CLEW_SCORECARD=1 $(PY) -m pytest -s -m faults_full tests/production tests/simulation tests/replay
	@$(PY) -m tests.scorecard

# Two hours under load beside ten thousand open runs.
soak: install
	CLEW_SCORECARD=1 $(PY) -m tests.faults.soak --minutes 120 --open 10000
	@$(PY) -m tests.scorecard

# Hours, with 100,000 requests and 100,000 deeds.
security: install
	CLEW_SCORECARD=1 CLEW_FUZZ_REQUESTS=100000 CLEW_AUDIT_DEEDS=100000 \
		$(PY) -m pytest -s --timeout 7200 -m "faults_full or not pictures" tests/security
	@$(PY) -m tests.scorecard

# A night of seeds through the machine.
simulate: $(STAMP)
	@$(PY) -m tests.simulation --seeds 100000 --processes 2

# The commit before the last release's migrations, on the tables of this one.
previous-release: install
	$(PY) -m tests.production.previous_release

# Not `install`: the demo gets Temporal itself, and has something to show meanwhile.
demo: $(STAMP)
	@.venv/bin/clew demo flights

# After a release, or when a story was added: what every later build must replay.
histories: install
	$(PY) -m tests.replay.record

# docs/language, from the models and the examples beside.
docs: $(STAMP)
	@$(PY) -m deploy.language_docs

# What it finds is reported; nothing passes or fails by it. Hours; BENCH="--minutes 25" is one sitting (benchmarks/README.md).
bench: install
	@$(PY) -m benchmarks.production.programs
	@$(PY) -m benchmarks.side_by_side $(BENCH)

# What we are made of, from uv.lock: docs/security/sbom.cdx.json.
sbom: $(STAMP)
	@$(PY) -m deploy.software_bill

pictures: install
	$(PY) -m pytest tests/browser -m pictures

clean:
	rm -rf .venv .cache .clew .pytest_cache .ruff_cache .hypothesis .import_linter_cache
