.DEFAULT_GOAL := help
.PHONY: help run test test-slow coverage test-postgres15 test-pythons test-browser test-system fuzz check bench migration up down

# The Dockerfile pins the same version.
UV_VERSION := 0.13.8

# Each one is run, not looked up: a version manager can put a name on PATH that refuses to start.
# 3.15 is left out because the embedded PostgreSQL has no build for it.
PYTHON = $(shell for python in python3 python3.13 python3.14 python3.12; do \
	path=$$($$python -c 'import sys; print(sys.executable); sys.exit(not (3, 12) <= sys.version_info < (3, 15))' \
	2>/dev/null) && echo "$$path" && break; done)

# `uv sync` removes what is not in the lock, so a uv of our own cannot live in .venv.
UV := $(or $(shell uv --version >/dev/null 2>&1 && echo uv),.venv-uv/bin/uv)

# Whatever the caller has activated or configured, the project's environment is .venv.
unexport VIRTUAL_ENV
# Compiled modules make the second start three times as fast.
unexport PYTHONDONTWRITEBYTECODE
export UV_PROJECT_ENVIRONMENT := .venv

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' Makefile

run: .venv/.synced ## Make the environment, migrate the database and serve the API
	@.venv/bin/gatehouse migrate
	@.venv/bin/gatehouse serve

fuzz: .venv/.synced ## Fuzz the HTTP interface from its OpenAPI document, at length
	@.venv/bin/pytest -n 0 tests/fuzz $(or $(ARGS),--fuzz-examples=200)

test: .venv/.synced ## Run the tests but those of test-slow; ARGS="..." runs a part of them
	@.venv/bin/pytest $(or $(ARGS),-m "not slow" tests/unit tests/http tests/integration)
	@echo "Further: make test-slow, and make test-browser for the pages in a browser."

test-slow: .venv/.synced ## Run those that migrate, start servers, fail commands at each step, wait, or try all of many cases
	@.venv/bin/pytest -m slow $(ARGS)

coverage: .venv/.synced ## See that the unit tests alone reach every branch of domain and application
	@.venv/bin/pytest -n 0 tests/unit --cov --cov-report=term:skip-covered

test-postgres15: .venv/.synced ## Run the tests that need a database on Debian's PostgreSQL 15
	@scripts/test_postgres.sh 15

test-pythons: .venv/.synced | $(filter .venv-uv/%,$(UV)) ## Run the unit tests on the other Pythons that are installed
	@scripts/test_pythons.sh $(UV)

test-browser: .venv/.synced | $(filter .venv-uv/%,$(UV)) ## Run the tests of the pages, in Chromium
	@UV_PROJECT_ENVIRONMENT=.venv-browser $(UV) sync --quiet --locked --extra testing --extra otel --group browser \
		--python .venv/bin/python
	@.venv/bin/python tests/browser/find_browser.py
	@.venv-browser/bin/pytest -n 2 tests/browser

test-system: .venv/.synced | $(filter .venv-uv/%,$(UV)) ## Run the tests with proxies, PgBouncer, Debian's PostgreSQL and the image
	@UV_PROJECT_ENVIRONMENT=.venv-kubernetes $(UV) sync --quiet --locked --only-group kubernetes --python .venv/bin/python
	@scripts/test_system.sh $(ARGS)

check: .venv/.synced | $(filter .venv-uv/%,$(UV)) ## Check formatting, lint, types, layering, dependencies and coverage
	@echo "== ruff format"
	@.venv/bin/ruff format --check
	@echo "== ruff check"
	@.venv/bin/ruff check
	@echo "== mypy"
	@.venv/bin/mypy
	@cd examples/lending && ../../.venv/bin/mypy
	@echo "== lint-imports"
	@.venv/bin/lint-imports
	@echo "== known vulnerabilities"
	@scripts/audit.sh $(UV)
	@echo "== architecture tests"
	@.venv/bin/pytest -n 0 tests/architecture
	@echo "== coverage by the unit tests"
	@$(MAKE) --no-print-directory coverage

bench: .venv/.synced ## Measure speed and memory against the reference; ROWS=10000000 for the full size
	@.venv/bin/python -m benchmarks.run

migration: .venv/.synced ## Write a migration from the tables: make migration m="add users"
	$(if $(m),,$(error Say what changes: make migration m="add users"))
	@.venv/bin/python scripts/new_migration.py "$$m"

up: ## Build and start everything in containers, and wait until it is healthy
	@scripts/make_secrets.sh
	@docker compose up --build --wait

down: ## Stop the containers; the database volume and the secrets stay
	@docker compose down

.venv/.synced: pyproject.toml uv.lock .python-version | $(filter .venv-uv/%,$(UV))
	@echo "Making the environment in .venv"
	@$(UV) sync --quiet --locked --extra testing --extra otel $(if $(PYTHON),--python "$(PYTHON)")
	@touch $@

.venv-uv/bin/uv:
	$(if $(PYTHON),,$(error Found neither uv nor Python 3.12, 3.13 or 3.14 on PATH: install one of them and run make again))
	@"$(PYTHON)" -m venv .venv-uv
	@.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
