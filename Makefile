# Commands for people and for CI. Everything is set up from requirements.lock; nothing else has to be installed.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
# Distributions build Python with profiles, and turns cost that a fifth less; what pyenv builds is so only if it was told.
PYTHON ?= $(shell \
	python3 -c 'import sys, sysconfig; sys.exit("--enable-optimizations" not in sysconfig.get_config_var("CONFIG_ARGS"))' \
		2>/dev/null && echo python3 && exit; \
	/usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
		2>/dev/null && echo /usr/bin/python3 && exit; \
	echo python3)
PORT ?= 8080
export PORT

.PHONY: setup run test cover check types bench faults lock clean

setup: $(VENV)/.ready

# uv when it is present, else plain pip: the lock is complete, so nothing has to be resolved, and what is never imported need
# not be compiled. The stamp is newer than the lock when the environment is complete.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(PY) --require-hashes --requirement requirements.lock && \
		uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable . ; \
	else \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes --requirement requirements.lock && \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $@

run: setup
	@$(VENV)/bin/frontdesk serve

# The official AG-UI client, for the tests that read our stream with it; without npm they are skipped and say so.
tests/clients/node_modules/.ready: tests/clients/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
		(cd tests/clients && npm ci --silent --no-audit --no-fund) && touch $@ || echo "npm ci failed: the AG-UI client tests will be skipped"; \
	fi

# Two processes for each core, because tests mostly wait; the tests of a module stay together, because they share servers.
test: setup tests/clients/node_modules/.ready
	@$(PY) -m pytest --numprocesses $$((2 * $$(nproc))) --dist loadscope --no-loadscope-reorder

# The same in one process, with the lines and branches that no test runs.
cover: setup tests/clients/node_modules/.ready
	@$(PY) -m coverage run -m pytest
	@$(PY) -m coverage report

# What takes seconds first; then the types beside the tests, which leave a core free now and then.
check: setup
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(VENV)/bin/lint-imports
	@$(MAKE) --no-print-directory --jobs types test

types: setup
	@$(PY) -m mypy .

bench: setup
	@$(PY) -m bench

# The fault table: the tests that are marked with its rows, the long ones too. ROWS=P2,D3 runs only those; SIZE=full is
# the size "full" of docs/reliability.md; its long kill test on PostgreSQL alone takes up to an hour.
ROWS ?=
SIZE ?= lab
faults: setup
	@$(PY) -m pytest --faults --size $(SIZE) --rows "$(ROWS)" --numprocesses 3 --dist loadscope --no-loadscope-reorder

# Needs uv. Hashes for all platforms, no index address. The server's lock is the part that a server needs.
COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
lock:
	$(COMPILE) --extra dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra embeddings --constraint requirements.lock --output-file requirements-server.lock pyproject.toml

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .coverage
