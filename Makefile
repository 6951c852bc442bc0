# `make run` starts everything; `make test` checks everything. Both set up what they need.
SHELL := /bin/bash
PY3 := $(shell for p in python3 python3.12 python3.11 python; do $$p -c 'import sys; assert sys.version_info >= (3, 8)' 2>/dev/null && echo $$p && break; done)
CARE := .venv/care/bin/python
BOT := .venv/bot/bin/python
export PYTHONPATH := $(CURDIR)
export RASA_TELEMETRY_ENABLED := false

.PHONY: run test shell train lint evaluate evaluate-safety bench check-channel setup setup-dev lock clean
.DEFAULT_GOAL := run

setup:
	@$(or $(PY3),$(error No Python 3 was found. Install Python 3.12 and Python 3.10, then run this again)) scripts/setup.py

setup-dev:
	@$(or $(PY3),$(error No Python 3 was found. Install Python 3.12 and Python 3.10, then run this again)) scripts/setup.py --dev

run: setup          ## everything, in the foreground; Ctrl-C stops it
	@$(CARE) scripts/run.py

shell: setup        ## talk to the assistant in the terminal
	@$(CARE) scripts/run.py --shell

train: setup        ## train the model if anything it is made from changed
	@$(CARE) scripts/train.py

test: setup-dev     ## lint, types and all tests of both runtimes
	@scripts/test.sh

lint: setup-dev     ## ruff and mypy
	@scripts/lint.sh

evaluate: setup-dev train
	@$(BOT) scripts/evaluate.py $(ARGS)

evaluate-safety: setup-dev
	@$(BOT) scripts/evaluate_safety.py $(ARGS)

bench: setup-dev    ## the case desk at 10,000 cases, the gateway under load
	@$(CARE) scripts/bench_casedesk.py $(ARGS)
	@$(CARE) scripts/bench_gateway.py $(ARGS)

check-channel: setup
	@$(BOT) scripts/check_channel.py $(CHANNEL)

lock:               ## new exact versions and hashes from the *.in files (needs uv)
	@scripts/lock.sh

clean:              ## remove what was made here: environments, models, databases, logs
	rm -rf .venv models var results .rasa
