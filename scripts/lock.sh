#!/usr/bin/env bash
# Turn the *.in files into lock files: exact versions, every hash, no registry address. Needs uv; `make lock`.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-uv}"
compile() { "$uv" pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header "$@"; }
compile --python-version 3.12 requirements.in -o requirements.txt
compile --python-version 3.12 requirements-dev.in -o requirements-dev.txt
compile --python-version 3.10 bot/requirements.in -o bot/requirements.txt
compile --python-version 3.10 bot/requirements-dev.in -o bot/requirements-dev.txt
if grep -nE 'https?://|--index|--find-links' requirements*.txt bot/requirements*.txt; then
  echo "A lock file names an address; it must not." >&2
  exit 1
fi
