#!/usr/bin/env bash
# containers/kernels/renew.sh WORK [SCENARIO...]
#
# Add to the lists of kernels that images are built with: simulate scenarios in WORK, run every stage
# on them from the environments of this machine, and write down which kernels were called with which
# types. Then the same with options that are off by default. Delete a list first to write it anew.
set -uo pipefail
lists=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$lists/../.." && pwd)
work=$(mkdir -p "${1:?usage: containers/kernels/renew.sh WORK [SCENARIO...]}" && cd "$1" && pwd)
shift
scenarios=("$@")
[ $# -gt 0 ] || scenarios=(tiny averaged background fgs-image miri miri-image moving-target niriss
    niriss-image nirspec-subarray persistence time-series two-filters)
export PATH=$root/.env/bin:$PATH PYTHONPATH=$root/containers
export NUMBA_CACHE_LOCATOR_CLASSES=list_kernels.Recorder,InTreeCacheLocator
export CRDS_SERVER_URL=https://jwst-serverless-mode.stsci.edu CRDS_CONTEXT=jwst_0001.pmap

# listing STAGE COMMAND...: run a command; what one cannot take is no matter
listing() {
    local stage=$1
    shift
    CALWEBB_KERNEL_LIST=$lists/$stage.txt "$@" -q || echo "not taken: $*" >&2
}

# stages SCENARIO: raw exposures to mosaics
stages() {
    local data=$work/$1 raw root
    [ -e "$data/crds_cache" ] || listing simulator calwebb-simulate run --scenario "$1" --output-dir "$data"
    export CRDS_PATH=$data/crds_cache
    for raw in "$data"/uncal/*_uncal.fits; do
        root=$data/$(basename "$raw" _uncal.fits)
        calwebb-references "$raw" -o "$root.json" -q --with clean_flicker_noise --with emicorr --with persistence
        listing detector1 calwebb-detector1 run "$raw" --references "$root.json" --output-dir "$data"
        listing image2 calwebb-image2 run "${root}_rate.fits" --references "$root.json" --output-dir "$data"
    done
    calwebb-associate "$data/uncal" --level 3 --output-dir "$data" -q
    for association in "$data"/*_image3_*_asn.json; do
        [ ! -e "$association" ] || listing level3 calwebb-image3 run "$association" --output-dir "$data"
    done
}

# with SCENARIO OPTIONS...: one exposure through detector1
with() {
    local data=$work/$1 raw
    shift
    [ -e "$data/crds_cache" ] || return 0
    export CRDS_PATH=$data/crds_cache
    raw=$(find "$data/uncal" -name '*_uncal.fits' | sort | head -1)
    listing detector1 calwebb-detector1 run "$raw" --output-dir "$data/with" "$@" \
        --references "$data/$(basename "$raw" _uncal.fits).json"
}

for scenario in "${scenarios[@]}"; do stages "$scenario"; done
for scenario in tiny averaged; do with "$scenario" --set ramp_fit.algorithm=LIKELY; done
with tiny --set ipc.skip=false --set charge_migration.skip=false --set ramp_fit.save_opt=true
for method in median fft; do
    with tiny --set clean_flicker_noise.skip=false --set clean_flicker_noise.fit_method=$method
done
with tiny --set jump.expand_large_events=true
with tiny --set persistence.skip=false --set persistence.method=traps
with tiny --set persistence.skip=false --set persistence.method=window --set persistence.persistence_time=1000
with miri --set emicorr.skip=false --set rscd.correct_decay=true
with miri --set emicorr.skip=false --set emicorr.algorithm=sequential --set jump.find_showers=true
wc -l "$lists"/*.txt
