# `make run` starts everything; `make test` checks everything. Both set up what they need.
SHELL := /bin/bash
PY3 := $(shell for p in python3 python3.12 python3.11 python; do $$p -c 'import sys; assert sys.version_info >= (3, 8)' 2>/dev/null && echo $$p && break; done)
CARE := .venv/care/bin/python
BOT := .venv/bot/bin/python
export PYTHONPATH := $(CURDIR)
export RASA_TELEMETRY_ENABLED := false

.PHONY: run test shell train lint evaluate evaluate-safety evaluate-letters train-letters bench bench-scale bench-understanding soak check-channel backup restore review sbom audit setup setup-dev lock clean
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

bench-understanding: setup-dev  ## ours beside Rasa's default pipeline on the same data; takes many minutes
	@$(BOT) scripts/bench_understanding.py $(ARGS)

evaluate-letters: setup-dev   ## how well sample letters are read
	@$(CARE) scripts/evaluate_letters.py $(ARGS)

train-letters: setup-dev   ## learn again from knowledge/en/letter_sentences.yml which sentence tells what
	@$(BOT) -m scripts.train_letter_signal $(ARGS)
	@$(BOT) -m scripts.train_advice_signal

bench: setup-dev train  ## turns beside Rasa's default bots, the case desk at 10,000 cases, the gateway under load
	@$(CARE) -m scripts.bench_turns
	@$(CARE) scripts/bench_casedesk.py $(ARGS)
	@$(CARE) scripts/bench_gateway.py $(ARGS)

bench-scale: setup-dev train  ## what a turn costs as messages, topics, conversations, cases and replicas grow
	@$(CARE) -m scripts.bench_scale $(ARGS)

soak: setup-dev train   ## 10,000 messages through everything: errors and growth of memory
	@$(CARE) -m scripts.bench_turns --soak $(or $(MESSAGES),10000)

check-channel: setup
	@$(BOT) scripts/check_channel.py $(CHANNEL)

backup: setup       ## copy every database into a new folder under TO
	@$(CARE) -m runtime.backup save $(or $(TO),backups)

restore: setup      ## put the copies in FROM back; stop everything first (REPLACE=1 overwrites what is there)
	@$(CARE) -m runtime.backup restore $(FROM) $(if $(REPLACE),--replace)

review: setup       ## questions that patients let staff read: list, learn, drop (ARGS="learn 2 cost")
	@$(CARE) -m scripts.review_questions $(ARGS)

sbom: setup         ## the bill of materials of both runtimes, CycloneDX, to results/sbom.json
	@mkdir -p results && $(CARE) scripts/sbom.py > results/sbom.json && echo results/sbom.json

audit: setup        ## known weaknesses of the locked packages; needs the package index
	@$(CARE) scripts/audit.py

lock:               ## new exact versions and hashes from the *.in files (needs uv)
	@scripts/lock.sh

clean:              ## remove what was made here: environments, models, databases, logs
	rm -rf .venv models var results .rasa
