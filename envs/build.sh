#!/usr/bin/env bash
# envs/build.sh [peer]
#
# Build one virtual environment a stage under .env/ from its lock file (hashes checked), install
# the core and the stage in it, and link the programs into .env/bin/. With `peer`, build only the official package's environment.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(command -v "${PYTHON:-python3}") || { echo "python3 is missing: install python3 (3.11 or newer) with venv" >&2; exit 2; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || { echo "$python is $("$python" --version 2>&1); Python 3.11 or newer is needed" >&2; exit 2; }

[ "${1:-}" = peer ] || rm -f .env/ready
mkdir -p .env/bin
if [ ! -x .env/bootstrap/bin/uv ]; then
    "$python" -m venv .env/bootstrap \
        || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 2; }
    .env/bootstrap/bin/pip install --quiet --disable-pip-version-check --require-hashes -r envs/bootstrap.lock
fi
uv=.env/bootstrap/bin/uv

# build NAME "PROJECTS" "PROGRAMS"
build() {
    local name=$1 projects=$2 programs=$3 editable=()
    [ -x ".env/$name/bin/python" ] || "$uv" venv --quiet --python "$python" ".env/$name"
    "$uv" pip sync --quiet --require-hashes --python ".env/$name" "envs/$name.lock"
    for project in $projects; do editable+=(-e "$project"); done
    [ -z "$projects" ] || "$uv" pip install --quiet --no-deps --python ".env/$name" "${editable[@]}"
    # what products say about the environment that made them
    sha256sum "envs/$name.lock" | cut -c1-64 > ".env/$name/calwebb-lock.sha256"
    for program in $programs; do ln -sfn "../$name/bin/$program" ".env/bin/$program"; done
    echo "env: $name"
}

if [ "${1:-}" = peer ]; then
    build peer "" ""
    exit
fi

build detector1 "stages/core stages/detector1" \
    "calwebb-detector1 calwebb-dark calwebb-guider"
build image2 "stages/core stages/image2" "calwebb-image2"
build spec2 "stages/core stages/spec2" "calwebb-spec2"
build level3 "stages/core stages/level3" \
    "calwebb-image3 calwebb-spec3 calwebb-tso3 calwebb-quicklook calwebb-verify"
build associate "stages/core stages/associate" \
    "calwebb-pool calwebb-associate calwebb-references calwebb-report calwebb-crate"
build simulator "stages/core simulator" "calwebb-simulate"
build workflow "stages/core stages/associate" "snakemake"
build test "stages/core stages/detector1 stages/image2 stages/spec2 stages/level3 stages/associate simulator" \
    "pytest ruff mypy lint-imports snakefmt"
build validate "" "rocrate-validator"
touch .env/ready
