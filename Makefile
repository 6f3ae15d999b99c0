# Needs git, make and Python 3.11 or newer. `make help` lists the targets.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help venv demo serve test fuzz crash hapi bench pages lock clean

VENV      ?= .venv
PORT      ?= 8000
HAPI_PORT ?= 28081
BIN       := $(VENV)/bin
LOCKED    := $(VENV)/.locked
PROJECT   := $(VENV)/.project
PIP       := pip install --quiet --disable-pip-version-check

# The first interpreter that is new enough, or nothing. (A name on PATH can be a shim that does not run.)
IS_NEW    := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON    ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
                 if $$name -c '$(IS_NEW)' >/dev/null 2>&1; then echo $$name; break; fi; done)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

venv: $(PROJECT) ## make the environment in .venv from the lock file, with hashes

$(LOCKED): requirements-dev.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(IS_NEW)' || { \
	    echo 'Python 3.11 or newer is needed, and none was found as python3, python3.13, python3.12 or python3.11.' >&2; \
	    echo 'Install one, or name it: make PYTHON=/path/to/python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo '$(PYTHON) comes without its venv module. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@echo 'Making $(VENV) with $(PYTHON) from requirements-dev.txt (about a minute) ...'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@

$(PROJECT): $(LOCKED) pyproject.toml
	@$(BIN)/$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

demo: venv ## start the service on a free port, send it orders of fixture patients, print the cards
	@$(BIN)/cds demo

serve: venv ## run the service on http://127.0.0.1:PORT (PORT=8000)
	@$(BIN)/cds serve --port $(PORT)

test: venv ## linters, type check, import contracts, every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest --numprocesses 2 --dist loadscope -m 'not alone'
	$(BIN)/pytest -m alone tests

fuzz: venv ## send CASES (10000) broken, old and hostile requests to a service, others each time
	CDS_FUZZ_CASES=$(or $(CASES),10000) CDS_FUZZ_RANDOM=1 $(BIN)/pytest tests/fuzz

crash: venv ## what the record survives and what verifying it finds, the long way (20 minutes; needs strace)
	$(BIN)/pytest --capture=no tests/crash/long_run.py

hapi: ## run a real HAPI FHIR R4 server on http://127.0.0.1:HAPI_PORT/fhir (28081); needs Java 17 and Maven
	@command -v java >/dev/null && command -v mvn >/dev/null || { \
	    echo 'Java 17 and Maven are needed. On Debian and Ubuntu: apt install openjdk-17-jdk-headless maven' >&2; exit 1; }
	mvn -q -B -f deploy/hapi/pom.xml package
	cd deploy/hapi && exec java -Xmx1g -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
	    -cp 'target/classes:target/lib/*' hapi.TestServer --port $(HAPI_PORT)

bench: venv ## requests per second and CPU per request, beside a handler that answers a constant (PAIRS=10)
	@$(BIN)/python -m benchmarks.speed

pages: venv ## write docs/knowledge anew from cards/ and their cases, docs/conformance.md from its tests, tables of integrators.md
	@$(BIN)/python -m cds.knowledge.pages docs/knowledge
	@$(BIN)/python -m tests.conformance.page
	@$(BIN)/python -m tools.integrator_tables

lock: ## write the lock files anew from pyproject.toml (newest versions; read the difference before you commit it)
	@$(PYTHON) -m venv --clear .lock && .lock/bin/$(PIP) uv
	@for what in 'requirements.txt pyproject.toml' 'requirements-build.txt --group build' \
	    'requirements-dev.txt pyproject.toml --group dev'; do \
	    set -- $$what; out=$$1; shift; echo "$$out"; \
	    .lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	        --custom-compile-command 'make lock' "$$@" --output-file $$out || exit 1; done
	@rm -rf .lock

clean: ## remove what was made here: the environment, caches, builds
	rm -rf $(VENV) .lock .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist deploy/hapi/target
	find cds tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
