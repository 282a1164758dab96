#!/usr/bin/env bash
# The demonstration again, every job in the image of its stage, and whether each file has the bytes
# that `make demo` made without. Needs apptainer; builds the images that are missing.
# demo/in_containers.sh [CORES]
set -euo pipefail
cd "$(dirname "$0")/.."
cores=${1:-$(nproc)}
export PATH="$PWD/.env/bin:$PATH"
bare=results/demo contained=results/demo_containers

containers/build.sh associate detector1 image2 level3
snakemake --cores "$cores" --profile profiles/apptainer --configfile demo/config.yaml \
    --config results=$contained logs=$contained/logs

# All but the pages and records that tell of the run itself: when, where, how long.
(cd $bare && find [0-9]* -type f ! -path '*/report/*' ! -name 'ro-crate*' ! -name '*.html' | sort \
    | xargs -d '\n' sha256sum) > $contained/without_containers.sha256
(cd $contained && sha256sum --quiet --check without_containers.sha256) \
    || { echo "files in $contained that differ from those in $bare are named above" >&2; exit 1; }
echo "$(wc -l < $contained/without_containers.sha256) files have the same bytes in containers and without:" \
    "$contained/without_containers.sha256"
