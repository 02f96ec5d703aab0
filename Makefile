# `make` alone shows what there is. Every target makes the environments first where it needs them.

PYTHON ?= python3
# PYTHON=python3.12 make env: the environments are made with that one, also when others are there already.
this_python := $(if $(filter file default,$(origin PYTHON)),,--this-python)
bin := .venv/bin
# What is given as ARGS goes to the program, such as `make demo ARGS=--once` or `make bench ARGS=--help`.
ARGS ?=
DAG ?= checks
export CONF ?= {}
# Tests at a time, each with servers of its own where it needs them. They wait for servers more than they compute.
TEST_PROCESSES ?= 2
# Set by many a container: Airflow would start 3 s slower every time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env demo up bot dryrun run_postgre run_airflow test check format render build push update test-deploy chaos bench audit lock clean

help: ## Show this list
	@grep -E '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z_-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

env: ## Make .venv (the bot) and .venv-airflow, or see that they are up to date
	@$(PYTHON) deploy/local/env.py $(this_python)

demo: env ## Watch two pull requests being tested: everything runs here, GitHub is a stand-in
	@$(bin)/python -m deploy.local demo --with-parent $(ARGS)

up: env ## Run the same for a real GitHub, set up by .env (see .env.example)
	@$(bin)/python -m deploy.local up --with-parent $(ARGS)

bot: env ## Run a command of the bot in the stack that `make up` or `make demo` started, such as ARGS=doctor
	@$(bin)/python -m deploy.local bot $(ARGS)

dryrun: env ## Print what each step of a pipeline would run, such as DAG=tf_k8s_tests CONF='{...}'
	@.venv-airflow/bin/python -m deploy.local.dryrun "$(DAG)" --conf "$$CONF" $(ARGS)

run_postgre: env ## Run a PostgreSQL for Airflow alone: a container, or without an engine PyPI's
	@$(bin)/python -m deploy.local run_postgre --with-parent $(ARGS)

run_airflow: env ## Run Airflow alone, with this checkout's DAGs, on http://localhost:8080
	@$(bin)/python -m deploy.local run_airflow --with-parent --image preflight-airflow:$(VERSION) $(ARGS)

test: env check ## Run all checks and tests
	@$(PYTHON) deploy/local/env.py --for-tests $(this_python)
	$(bin)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

check: env ## Lint, format, types and the layers of the code
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/mypy --python-executable .venv-airflow/bin/python dags tests/adapters/airflow_dags/*.py
	$(bin)/lint-imports

format: env ## Format the code, and fix what ruff can fix
	$(bin)/ruff check --fix
	$(bin)/ruff format

render: env ## Write deployment.yaml from deploy/kustomize/base
	@$(bin)/python -m deploy.kustomize.render

# The images. VERSION is their tag; what more `docker build` is to be given goes into ARGS. For example:
# make build push REGISTRY=registry.example.com/acme TOOLS="kubectl helm gcloud"
VERSION ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)
REGISTRY ?=
TOOLS ?=
DEBIAN ?=
ENGINE ?=
AIRFLOW_REQUIREMENTS ?=
OVERLAY ?=
images = $(PYTHON) -m deploy.images
build: ## Build the images preflight-bot and preflight-airflow with docker, podman or buildah
	@$(images) build --engine "$(ENGINE)" --version "$(VERSION)" --revision "$(REVISION)" --debian "$(DEBIAN)" \
		--tools "$(TOOLS)" --airflow-requirements "$(AIRFLOW_REQUIREMENTS)" --options "$(ARGS)"

push: ## Send them to REGISTRY
	@$(images) push --engine "$(ENGINE)" --version "$(VERSION)" --registry "$(REGISTRY)"

update: ## Have them rolled out where kubectl points at, and wait for it
	@$(images) update --version "$(VERSION)" --registry "$(REGISTRY)" --overlay "$(OVERLAY)" $(ARGS)

test-deploy: env ## Build the images and try out deployment.yaml with podman: needs root and apt-get, or podman
	@$(bin)/python -m tests.images.prepare
	$(bin)/python -m pytest tests/images -o timeout=900 $(ARGS)

chaos: env ## Live through pull requests while everything fails, and count what went wrong (ARGS='--lives N --seed S')
	@$(bin)/python -m tests.chaos $(ARGS)

bench: env ## Print the figures, each beside its baseline
	$(bin)/python -m tests.bench $(ARGS)

audit: env ## Look for known vulnerabilities in the pinned requirements (needs the network)
	@$(bin)/python -m deploy.local.audit $(ARGS)

# Upgrade with: make lock ARGS=--upgrade
uv := $(or $(wildcard .preflight/uv/bin/uv),uv)
compile := $(uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(ARGS)
lock: env ## Pin all requirements, with hashes
	$(compile) requirements.in -o requirements.txt
	$(compile) requirements-dev.in -o requirements-dev.txt
	$(compile) requirements-airflow.in -o requirements-airflow.txt
	$(compile) requirements-bot-image.in -o requirements-bot-image.txt
	$(compile) requirements-airflow-image.in -o requirements-airflow-image.txt
	$(compile) requirements-checks-image.in -o requirements-checks-image.txt
	$(compile) requirements-manifests.in -o requirements-manifests.txt
	$(compile) deploy/local/requirements-uv.in -o deploy/local/requirements-uv.txt

clean: ## Delete the environments and everything that the stack keeps, secrets and databases too
	@if [ -x $(bin)/python ]; then $(bin)/python -m deploy.local clean; fi
	rm -rf .venv .venv-airflow .venv-manifests .preflight .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
