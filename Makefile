# What there is to do with a copy of LLMAgentOS; `make` alone prints it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

SETUP := image-build/setup
BIN := .venv/bin
IMAGE_BUILD := image-build/image
KITS ?= ../shared/kits
PYTHON ?= $(eval PYTHON := $(shell $(SETUP)/python.sh))$(PYTHON)
SCRIPTS = $(shell git ls-files '*.sh') .ci/run
UNITS = $(wildcard systemd/*.service systemd/*.slice systemd/*.target image-build/first-boot/*.service)

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
	@MYPYPATH=image-build/first-boot $(BIN)/mypy --strict -p first_boot
	@$(BIN)/mypy --scripts-are-modules $(wildcard $(SETUP)/*.py)
	@MYPYPATH=$(IMAGE_BUILD) $(BIN)/mypy --scripts-are-modules $(IMAGE_BUILD)/build.py
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

.PHONY: soak-kills
soak-kills: setup build/packages-test ## kill agentd 1,000 times while people command it (KILLS=1000)
	@KILLS=$(or $(KILLS),1000) $(BIN)/pytest -q -rs tests/system/test_kills.py

.PHONY: mutate-gate
mutate-gate: setup ## drop each rule of the gate in turn, and show which test turns red
	@PYTHONPATH=. $(BIN)/python -P -m tests.mutate_gate

##@ Install

# Command-line variables reach the script through the environment.
.PHONY: install
install: .venv/.installed ## onto a system with systemd (DESTDIR= PREFIX=/usr PYTHON= MODELS=0 APPLIANCE=1)
	@image-build/install.sh install

.PHONY: uninstall
uninstall: ## off it again; /etc/agentd and /var/lib/agentd stay, unless PURGE=1
	@image-build/install.sh uninstall

.PHONY: unit-test
unit-test: setup build/packages-test ## the installed units under a real systemd, as root (LONG=1)
	@UNIT_TEST=1 $(BIN)/pytest -q -rs -m units $(UNIT_TEST_OPTIONS)

##@ Image

.PHONY: image
image: ## the card image for Pi 4 and 5, in build/image (as root)
	@'$(PYTHON)' $(IMAGE_BUILD)/build.py

.PHONY: image-test
image-test: setup build/packages-test ## look into the image, then boot it in an emulator (as root)
	@$(SETUP)/packages.sh install $$(sed 's/#.*//' $(IMAGE_BUILD)/tools-test)
	@IMAGE_TEST=1 $(BIN)/pytest -q -rs tests/image/test_image_{files,boot,home,speech}.py \
		$(IMAGE_TEST_OPTIONS)

.PHONY: image-idle
image-idle: setup build/packages-test ## what an idle box writes to its card (IMAGE_IDLE=20 minutes)
	@$(SETUP)/packages.sh install $$(sed 's/#.*//' $(IMAGE_BUILD)/tools-test)
	@IMAGE_TEST=1 IMAGE_IDLE=$(or $(IMAGE_IDLE),20) $(BIN)/pytest -q -rs \
		tests/image/test_image_idle.py

.PHONY: image-cuts
image-cuts: setup build/packages-test ## cut its power 20 times while it writes (IMAGE_CUTS=20)
	@$(SETUP)/packages.sh install $$(sed 's/#.*//' $(IMAGE_BUILD)/tools-test)
	@IMAGE_TEST=1 IMAGE_CUTS=$(or $(IMAGE_CUTS),20) $(BIN)/pytest -q -rs \
		tests/image/test_image_cuts.py

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
