#!/usr/bin/env bash
# Written by envs/conda.py: the core and the stage, from the repository whose workflow runs.
set -euo pipefail
sources=${CALWEBB_SOURCES:?is set by the workflow to the folder of the repository}
pip install --quiet --no-deps --editable "$sources/stages/core" --editable "$sources/stages/spec2"
sha256sum "$sources/envs/spec2.lock" | cut -c1-64 > "$CONDA_PREFIX/calwebb-lock.sha256"
