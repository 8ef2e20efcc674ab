# make run    serve on http://127.0.0.1:8080 (CDS_HOST, CDS_PORT)     make test   the tests
# make check  style, types, import rules, knowledge, dead code, dependencies, wheel
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
unexport PYTHONDONTWRITEBYTECODE  # without kept bytecode every start compiles everything anew
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location

.PHONY: help run test test-long test-integration test-browser test-privacy test-postgresql hospital soak fuzz mutation bench bench-pages bench-peers check golden docs lock audit clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/'

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(INSTALL) -e . >$(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }
	@touch $@

# By uv, which takes half a minute less; by pip where only pip is told of a mirror.
$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	@{ $(INSTALL) 'uv>=0.9' && $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -e '.[dev]' || $(INSTALL) -e '.[dev]'; } >$(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }
	@touch $@

# Written anew when the day, the chart or anything in the package has changed.
.run/request.json: $(VENV)/.installed fixtures/fhir/test-sweet-macrocytosis.json .run/day $(shell find cds_service -name '[!.]*' -type f ! -name '*.pyc' 2>/dev/null)
	@$(BIN)/cds-service request fixtures/fhir/test-sweet-macrocytosis.json > $@.new || { rm -f $@.new; exit 1; }
	@mv $@.new $@

.run/day: FORCE
	@mkdir -p .run
	@today="$$(date +%F) $(CDS_TIME_ZONE)"; test "$$(cat $@ 2>/dev/null)" = "$$today" || echo "$$today" > $@

FORCE:

run: $(VENV)/.installed .run/request.json ## Install into .venv and serve on http://127.0.0.1:8080 (SANDBOX=smart or hapi lets it ask that public FHIR server)
	@export CDS_DATABASE="$${CDS_DATABASE:-sqlite:///.run/cds-service.db}"; $(if $(SANDBOX),CDS_SANDBOX=$(SANDBOX)) exec $(BIN)/cds-service serve --try .run/request.json

test: $(VENV)/.installed-dev ## Install into .venv and run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not long"

test-long: $(VENV)/.installed-dev ## Run the tests that start and kill processes, sign in at servers, wait, make hundreds of charts or run all cases again and again
	@$(BIN)/python -m pytest -n auto --dist loadfile -m long

test-integration: $(VENV)/.installed-dev ## Fetch what others published (npm, PyPI, Maven Central), send charts through the service and run FHIR servers (UPDATE=1 writes docs/independent-input.md)
	@$(BIN)/python -m pytest -n auto --dist loadscope tests/integration $(if $(UPDATE),--update-figures)

test-privacy: $(VENV)/.installed-dev ## Send marked words down every path, and look for them in all that comes out
	@$(BIN)/python -m pytest -n auto --dist loadfile tests/privacy

test-browser: $(VENV)/.installed-dev ## Open the pages in Chromium (Debian's chromium): axe-core, widths, print, and SMART launches by an authorization server from npm (UPDATE=1 takes the pictures of docs/images anew)
	@$(BIN)/python -c "from tests.browser.window import AXE; from tests.integration.packages import fetch; fetch(AXE)"  # once, before several want it
	@$(BIN)/python -m pytest -n auto --dist loadfile tests/browser
	@$(if $(UPDATE),$(BIN)/python -m tests.browser.pictures)

test-postgresql: $(VENV)/.installed-dev ## Run the tests of storage on a PostgreSQL server that they start
	@$(BIN)/python -m tests.storage.postgresql

hospital: $(VENV)/.installed-dev ## Play half a year of a hospital through the service, on SQLite and PostgreSQL, and compare the report with a count of its own (PATIENTS=10000)
	@$(BIN)/python -m tests.hospital $(if $(PATIENTS),--patients $(PATIENTS))

soak: $(VENV)/.installed-dev ## Ten minutes of good, bad and hostile calls while processes, database and keys go away (MINUTES=10, RECORD=1 writes docs/soak.md)
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RECORD),--record)

# In an environment of its own: what Schemathesis brings along stays out of the one in which the service runs and is measured.
.venv-fuzz/.installed: pyproject.toml $(VENV)/.installed-dev
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-fuzz
	@$(BIN)/uv pip install --quiet --python .venv-fuzz/bin/python -e '.[fuzz]'
	@touch $@

fuzz: .venv-fuzz/.installed ## Send so many odd requests, made by Schemathesis and Hypothesis, and fail for any answer that is not as documented (FUZZ_CASES=100000, FUZZ_SEED, FUZZ_REPEAT=FILE)
	@.venv-fuzz/bin/python -m tests.fuzz $(if $(FUZZ_CASES),--cases $(FUZZ_CASES)) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED)) $(if $(FUZZ_REPEAT),--repeat $(FUZZ_REPEAT))

mutation: $(VENV)/.installed-dev ## Change reasoning in thousands of small ways; fails if the tests notice fewer than 90 % (MODULES="truth limits" takes only these)
	@$(INSTALL) -e '.[mutation]'
	@$(BIN)/python -m tests.mutation $(MODULES)

bench: $(VENV)/.installed-dev ## The service against a bare endpoint on the same server (SHORT=1 takes two minutes beside an earlier commit, RECORD=1 writes docs/performance.md)
	@$(BIN)/python -m benchmarks $(if $(SHORT),--short) $(if $(RECORD),--record)

bench-pages: $(VENV)/.installed-dev ## How long a browser waits for each kind of page, and how large it is (RECORD=1 writes docs/evidence.md)
	@$(BIN)/python -m benchmarks.pages $(if $(RECORD),--record)

bench-peers: $(VENV)/.installed-dev ## The same with HealthChain from PyPI (RECORD=1 writes docs/performance.md)
	@$(BIN)/python -m benchmarks.peers $(if $(RECORD),--record)

check: $(VENV)/.installed-dev ## Style, types, import rules, knowledge, dead code, dependencies, wheel
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cds-service check --fixtures fixtures
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/python -m tests.wheel

golden: $(VENV)/.installed-dev ## Write fixtures/requests and fixtures/cards anew (say in the commit what clinicians will see differently)
	@$(BIN)/python -m tests.golden

docs: $(VENV)/.installed-dev ## Write docs/reference, docs/conformance, docs/faults.md and what is written from the knowledge anew
	@$(BIN)/python -m tests.docs.reference
	@$(BIN)/python -m tests.conformance
	@$(BIN)/python -m tests.docs.generated
	@$(BIN)/python -m tests.faults.page

lock: $(VENV)/.installed-dev ## Write requirements.lock anew: every dependency that is installed in production, with hashes
	@$(BIN)/uv pip compile pyproject.toml --extra postgresql --generate-hashes --universal --python-version 3.11 --quiet --upgrade --custom-compile-command "make lock" -o requirements.lock

audit: $(VENV)/.installed-dev ## Look for known weaknesses of the locked dependencies (asks pypi.org)
	@$(BIN)/uv tool run pip-audit --strict --requirement requirements.lock --require-hashes --disable-pip

clean: ## Remove the environment and everything built
	rm -rf $(VENV) .venv-fuzz .run build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
