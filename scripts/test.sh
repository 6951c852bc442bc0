#!/usr/bin/env bash
# Lint, types, then every test: first the parts, each in its own runtime, then the whole thing running.
set -uo pipefail
cd "$(dirname "$0")/.."
care=.venv/care/bin/python
bot=.venv/bot/bin/python
failed=()
step() {
  local name="$1"; shift
  local begun=$SECONDS
  echo "=== $name"
  "$@" || failed+=("$name")
  echo "--- $name: $((SECONDS - begun)) s"
}
# Begins a step beside those that follow, on another core; "joined" waits for it and shows what it said.
beside() {
  beside_name="$1"; shift
  beside_said=$(mktemp)
  ( begun=$SECONDS; "$@"; code=$?; echo "--- $beside_name: $((SECONDS - begun)) s"; exit $code ) >"$beside_said" 2>&1 &
  beside_id=$!
}
joined() {
  wait "$beside_id" || failed+=("$beside_name")
  echo "=== $beside_name (beside the above)"
  cat "$beside_said"
  rm -f "$beside_said"
}
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# What some tests need from the system: a browser, and nginx to check its own file. Debian's, installed where we may.
missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]} for the tests ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >/dev/null 2>&1 || echo "Could not install ${missing[*]}; the tests that need them will say so."
fi

# Rasa prints much that nobody needs; what failed stands at the end.
stories() {
  local said
  said=$(TF_CPP_MIN_LOG_LEVEL=3 RASA_TELEMETRY_ENABLED=false $bot -W ignore -m rasa test core --e2e --fail-on-prediction-errors \
    --stories tests/rasa/test_stories.yml --model models --out results/rasa --no-plot 2>&1) || { tail -25 <<<"$said"; return 1; }
  grep -oE "(Correct): +[0-9]+ / [0-9]+" <<<"$said" | head -1
}

step "train" $care scripts/train.py
# The reading level of words is checked once, on the care side, where the library for it is.
beside "tests in Rasa's runtime" $bot -m pytest tests/bot tests/safety --ignore=tests/safety/test_words.py
step "lint and types" scripts/lint.sh
step "rasa data validate" $care scripts/validate.py
step "rasa test" stories
joined
step "tests on the care side" $care -m pytest tests --ignore=tests/bot --ignore=tests/rasa

if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
echo "All steps passed in $SECONDS s."
