# `make` alone shows what there is. Every target makes the environments first where it needs them.

PYTHON ?= python3
# PYTHON=python3.12 make env: the environments are made with that one, also when others are there already.
this_python := $(if $(filter file default,$(origin PYTHON)),,--this-python)
bin := .venv/bin
# What is given as ARGS goes to the program, such as `make demo ARGS=--once` or `make bench ARGS=--help`.
ARGS ?=
# Set by many a container: Airflow would start 3 s slower every time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env demo up test check format bench lock clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

env: ## Make .venv (the bot) and .venv-airflow, or see that they are up to date
	@$(PYTHON) deploy/local/env.py $(this_python)

demo: env ## Watch two pull requests being tested: everything runs here, GitHub is a stand-in
	@$(bin)/python -m deploy.local demo --with-parent $(ARGS)

up: env ## Run the same for a real GitHub, set up by .env (see .env.example)
	@$(bin)/python -m deploy.local up --with-parent $(ARGS)

test: env check ## Run all checks and tests
	$(bin)/python -m pytest $(ARGS)

check: env ## Lint, format, types and the layers of the code
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/mypy --python-executable .venv-airflow/bin/python dags tests/adapters/airflow_dags/*.py
	$(bin)/lint-imports

format: env ## Format the code, and fix what ruff can fix
	$(bin)/ruff check --fix
	$(bin)/ruff format

bench: env ## Print the figures, each beside its baseline
	$(bin)/python -m tests.bench $(ARGS)

# Upgrade with: make lock ARGS=--upgrade
uv := $(or $(wildcard .preflight/uv/bin/uv),uv)
compile := $(uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(ARGS)
lock: env ## Pin all requirements, with hashes
	$(compile) requirements.in -o requirements.txt
	$(compile) requirements-dev.in -o requirements-dev.txt
	$(compile) requirements-airflow.in -o requirements-airflow.txt
	$(compile) deploy/local/requirements-uv.in -o deploy/local/requirements-uv.txt

clean: ## Delete the environments and everything that the stack keeps, secrets and databases too
	@if [ -x $(bin)/python ]; then $(bin)/python -m deploy.local clean; fi
	rm -rf .venv .venv-airflow .preflight .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
