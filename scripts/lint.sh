#!/usr/bin/env bash
# Style, imports and types of both runtimes' code.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/care/bin/python
$python -m ruff check .
$python -m ruff format --check .
$python -m mypy runtime knowledge actions gateway casedesk
# Rasa's runtime is Python 3.10 and its libraries are not installed here: what we wrote is checked, not what it calls.
$python -m mypy --python-version 3.10 --no-warn-return-any safety bot
