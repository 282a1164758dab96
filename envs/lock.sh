#!/usr/bin/env bash
# Renew envs/*.lock from envs/*.in: one resolution (test.lock) decides the version of every
# library, and the other lock files are cut out of it, so that all environments agree.
set -euo pipefail
cd "$(dirname "$0")"
uv=../.env/bootstrap/bin/uv
compile=("$uv" pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest
    --generate-hashes --no-emit-index-url --no-annotate --no-header)
"${compile[@]}" --output-file test.lock test.in
for name in detector1 image2 spec2 level3 associate simulator workflow; do
    "${compile[@]}" --constraint test.lock --output-file "$name.lock" "$name.in"
done
for name in bootstrap peer validate; do
    "${compile[@]}" --output-file "$name.lock" "$name.in"
done
../.env/test/bin/python conda.py
