#!/usr/bin/env bash
# The demonstration: simulate four dithered NIRCam exposures with their reference files, run the
# workflow to the mosaic and the catalog, and compare with the truth. Twice: nothing to do.
# demo/run.sh [CORES]
set -euo pipefail
cd "$(dirname "$0")/.."
cores=${1:-$(nproc)}
export PATH="$PWD/.env/bin:$PATH"
results=results/demo

if [ ! -e $results/simulation/complete ]; then
    rm -rf $results/simulation
    calwebb-simulate run --scenario demo --output-dir $results/simulation
    touch $results/simulation/complete
fi

snakemake --cores "$cores" --configfile demo/config.yaml

calwebb-simulate score --truth $results/simulation/truth --results $results --json $results/score.json
echo
echo "The mosaic, the catalog and the pictures are here:"
find $results -path '*image3*' \( -name '*_i2d.fits' -o -name '*_cat.ecsv' -o -name '*_i2d.png' \) | sort | sed 's/^/  /'
echo "The summary, a page for a browser:"
find $results -name '*_summary.html' | sort | sed 's/^/  /'
