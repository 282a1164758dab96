#!/usr/bin/env bash
# A time series: simulate a transit in three segments with their reference files, run the workflow to
# the light curve, and say what was found of the transit. Twice: nothing to do.
# demo/run_tso.sh [CORES]
set -euo pipefail
cd "$(dirname "$0")/.."
cores=${1:-$(nproc)}
export PATH="$PWD/.env/bin:$PATH"
results=results/demo-tso

if [ ! -e $results/simulation/complete ]; then
    rm -rf $results/simulation
    calwebb-simulate run --scenario lrs-slitless --output-dir $results/simulation
    touch $results/simulation/complete
fi

snakemake --cores "$cores" --configfile demo/tso.yaml

calwebb-simulate score --truth $results/simulation/truth --results $results --json $results/score.json
echo
echo "The light curve, the spectra of all integrations and their pictures are here:"
find $results -path '*tso3*' \( -name '*_whtlt.*' -o -name '*_x1dints.*' \) | grep -v /logs/ | sort | sed 's/^/  /'
echo "The summary, a page for a browser:"
find $results -name '*_summary.html' | sort | sed 's/^/  /'
