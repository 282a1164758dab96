#!/usr/bin/env bash
# Style checks: ruff, mypy, import-linter, snakefmt, snakemake --lint. With a name, that one only.
set -euo pipefail
cd "$(dirname "$0")/.."
only=${1:-all}
wanted() { [ "$only" = all ] || [ "$only" = "$1" ]; }
packages=(stages/*/src simulator/src)
if wanted ruff; then .env/bin/ruff check . && .env/bin/ruff format --check .; fi
if wanted mypy; then
    for package in "${packages[@]}"; do (cd "$package" && ../../../.env/bin/mypy --config-file "$OLDPWD/pyproject.toml" .) ; done
fi
if wanted imports; then .env/bin/lint-imports --no-cache; fi
if wanted snakefmt; then .env/bin/snakefmt --check Snakefile rules; fi
if wanted snakemake; then .env/bin/snakemake --lint --configfile tests/workflow/lint.yaml; fi
