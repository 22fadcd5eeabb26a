# What there is to do with a copy of LLMAgentOS; `make` alone prints it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

SETUP := image-build/setup
BIN := .venv/bin
KITS ?= ../shared/kits
PYTHON ?= $(eval PYTHON := $(shell $(SETUP)/python.sh))$(PYTHON)
SCRIPTS = $(shell git ls-files '*.sh') .ci/run
UNITS = $(wildcard systemd/*.service)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Each step of set-up leaves a stamp, so that the next call has nothing to do. A copy that was
# moved gets a new venv: the old one's scripts name the old place.
ifneq ($(shell cat .venv/.place 2>/dev/null),$(CURDIR))
.venv/.place: .FORCE
endif

##@ Every day

.PHONY: run
run: setup ## start the whole box with a simulated board, in the foreground
	@exec $(BIN)/agentctl dev

.PHONY: test
test: setup build/packages-test ## run all tests
	@$(BIN)/pytest

.PHONY: check
check: setup build/packages-test ## format, lint, types, import rules, units, scripts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --scripts-are-modules $(wildcard $(SETUP)/*.py)
	@$(BIN)/pytest -q tests/test_imports.py
	@shellcheck $(SCRIPTS)
	@[ -z "$(UNITS)" ] || $(SETUP)/verify_units.sh $(UNITS)

.PHONY: format
format: setup ## put the code into shape
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format .

##@ Measure

.PHONY: score
score: setup ## understand the kit's sentences by rules alone (KITS=../shared/kits)
	@mkdir -p build/score
	@$(BIN)/agentctl interpret --no-model --homes $(KITS)/nlu/homes --cases $(KITS)/nlu/dev \
		--out build/score/rules.jsonl
	@$(BIN)/python $(KITS)/nlu/score.py $(KITS)/nlu/dev build/score/rules.jsonl

.PHONY: score-model
score-model: setup ## the same with the language model (MODEL=smollm2-135m)
	@mkdir -p build/score
	@$(BIN)/agentctl interpret --model $(or $(MODEL),smollm2-135m) --homes $(KITS)/nlu/homes \
		--cases $(KITS)/nlu/dev --out build/score/model.jsonl
	@$(BIN)/python $(KITS)/nlu/score.py $(KITS)/nlu/dev build/score/model.jsonl

.PHONY: bench
bench: setup ## latency from command to pin, speed of the language model
	@PYTHONPATH=. $(BIN)/python -P -m tests.bench

##@ Set up

.PHONY: setup
setup: .venv/.installed models ## Debian packages, venv, llama.cpp, models; then nothing to do

.PHONY: models
models: .venv/.installed ## fetch the models that set-up needs
	@$(BIN)/python -P -m models pull --set-up

.PHONY: clean
clean: ## remove .venv and all results; ~/.cache/llmagentos stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## print this
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build/packages-%: $(SETUP)/packages.sh
	@[ -n '$(PYTHON)' ] # its script said why not
	@PYTHON='$(PYTHON)' $(SETUP)/packages.sh $*
	@mkdir -p build && touch $@

.venv/.place: | build/packages-run
	@echo "set-up: making .venv with $(PYTHON)"
	@'$(PYTHON)' -m venv --clear .venv
	@echo '$(CURDIR)' >$@

.venv/.llama: .venv/.place $(SETUP)/llama_wheel.py pyproject.toml
	@$(BIN)/python -P $(SETUP)/llama_wheel.py
	@touch $@

.venv/.installed: .venv/.llama pyproject.toml image-build/constraints.txt
	@echo "set-up: installing the Python packages"
	@$(BIN)/pip install --use-pep517 --constraint image-build/constraints.txt \
		--editable '.[box,dev]' | $(SETUP)/one_line.sh
	@touch $@

.PHONY: .FORCE
.FORCE:
