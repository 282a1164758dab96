#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")/.."
only=${1:-all}
wanted() { [ "$only" = all ] || [ "$only" = "$1" ]; }
if wanted ruff; then
    .env/bin/ruff check --quiet .
    .env/bin/ruff format --check --quiet .
fi
if wanted mypy; then
    for source in stages/*/src simulator/src; do .env/bin/mypy --no-error-summary "$source"; done
fi
if wanted imports; then .env/bin/lint-imports --no-cache; fi
if wanted snakefmt; then .env/bin/snakefmt --check Snakefile rules; fi
echo "style checks passed"
