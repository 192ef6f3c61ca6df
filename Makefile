# `make` explains the targets. ARGS goes to the command: make up ARGS="--port 9000 --data /srv/ngonden"

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Tests mostly wait: for servers, for limits that must run out. Four at a time fill two cores.
TEST_WORKERS ?= 4

# A change in any of these means: install again. Python files are not here, the installation is editable.
PARTS := pyproject.toml $(wildcard hatch_build.py) \
	$(shell find dashboards/web/frontend -name node_modules -prune -o -type f -print 2>/dev/null)

.PHONY: help setup up test lint format bench soak clean
.DEFAULT_GOAL := help

help:
	@echo "Ngọn Đèn: community security lighting"
	@echo
	@echo "  make up       run everything here with a simulated commune of 219 poles; Ctrl-C stops it"
	@echo "                (make up ARGS=\"--port 9000 --data DIR\"; make up ARGS=--help lists all)"
	@echo "  make setup    virtual environment, front end, mosquitto, and the tools for developing"
	@echo "  make test     set up, then lint, import contracts, types and all tests"
	@echo "  make lint     style, import contracts and types alone"
	@echo "  make format   put the code into the project's style"
	@echo "  make bench    measure throughput and footprint on this machine"
	@echo "  make soak     the long campaigns: a thousand kills under load"
	@echo "  make clean    remove the virtual environment and built files; data directories stay"

$(VENV)/.set-up-for-run: $(PARTS)
	@VENV=$(VENV) scripts/setup.sh run

$(VENV)/.set-up-for-dev: $(PARTS)
	@VENV=$(VENV) scripts/setup.sh dev

setup: $(VENV)/.set-up-for-dev

up: $(VENV)/.set-up-for-run
	@exec $(BIN)/ngonden up $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -m "not soak" -n $(TEST_WORKERS) --dist loadfile $(ARGS)

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/ngonden bench ingest $(ARGS)
	$(BIN)/ngonden bench footprint

soak: setup
	$(BIN)/pytest -m soak --timeout=0 $(ARGS)

clean:
	rm -rf $(VENV) dashboards/web/static/dist .mypy_cache .ruff_cache .pytest_cache
