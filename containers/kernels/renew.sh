#!/usr/bin/env bash
# containers/kernels/renew.sh WORK [SCENARIO[:DITHERS[:SUBARRAY]]...]
#
# Add to the lists of kernels that images are built with: simulate scenarios in WORK, run every stage
# on them from the environments of this machine, and write down which kernels were called with which
# types. Then the same with options that are off by default, on those scenarios.
# Several run side by side, as many as there are processors; count rates in WORK are not made again.
# Delete a list first to write it anew.
set -uo pipefail
lists=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$lists/../.." && pwd)
work=$(mkdir -p "${1:?usage: containers/kernels/renew.sh WORK [SCENARIO[:DITHERS[:SUBARRAY]]...]}" && cd "$1" && pwd)
shift
scenarios=("$@")
[ $# -gt 0 ] || scenarios=(nirspec-irs2 fgs time-series tiny:2 averaged background:2 fgs-image:2 miri
    miri:1:FULL miri-image:2 moving-target:2 niriss niriss-image:2 nirspec-subarray persistence pointing:1 two-filters:2
    lrs-slit nirspec-slit lrs-slitless nirspec-bright nircam-grism)
spectra=(lrs-slit nirspec-slit)
series=(lrs-slitless nirspec-bright nircam-grism)
export PATH=$root/.env/bin:$PATH PYTHONPATH=$root/containers
export NUMBA_CACHE_LOCATOR_CLASSES=list_kernels.Recorder,InTreeCacheLocator
export CRDS_SERVER_URL=https://jwst-serverless-mode.stsci.edu CRDS_CONTEXT=jwst_0001.pmap

# listing STAGE COMMAND...: run a command; what one cannot take is no matter
listing() {
    local stage=$1
    shift
    CALWEBB_KERNEL_LIST=$lists/$stage.txt "$@" -q || echo "not taken: $*" >&2
}

# stages SCENARIO[:DITHERS[:SUBARRAY]]: raw exposures to mosaics, by the associations that the workflow makes
stages() {
    local scenario dithers subarray data raw association kind
    IFS=: read -r scenario dithers subarray <<< "$1"
    data=$work/$scenario${subarray:+-${subarray,,}}
    export CRDS_PATH=$data/crds_cache
    [ -e "$CRDS_PATH" ] || listing simulator calwebb-simulate run --scenario "$scenario" \
        ${dithers:+--exposures "$dithers"} ${subarray:+--subarray "$subarray"} --output-dir "$data"
    for raw in "$data"/uncal/*_uncal.fits; do
        [ -e "$data/$(basename "$raw" uncal.fits)rate.fits" ] \
            || listing detector1 calwebb-detector1 run "$raw" --output-dir "$data"
    done
    calwebb-associate "$data/uncal" --output-dir "$data" -q
    for association in "$data"/*image2_*_asn.json; do
        [ ! -e "$association" ] || listing image2 calwebb-image2 run "$association" --output-dir "$data"
    done
    for kind in image3 tso3; do
        for association in "$data"/*_"$kind"_*_asn.json; do
            [ ! -e "$association" ] || listing level3 "calwebb-$kind" run "$association" --output-dir "$data"
        done
    done
}

# spectra SCENARIO [OPTIONS...]: count rates straight from a true spectrum, through stages 2 and 3
spectra() {
    local data=$work/$1 kind association
    export CRDS_PATH=$data/crds_cache
    [ -e "$CRDS_PATH" ] || listing simulator calwebb-simulate rates --scenario "$@" --output-dir "$data"
    calwebb-associate "$data/rates" --output-dir "$data" -q
    for association in "$data"/*spec2_*_asn.json; do
        [ ! -e "$association" ] \
            || listing spec2 calwebb-spec2 run "$association" --input-dir "$data/rates" --output-dir "$data"
    done
    for kind in tso3 spec3; do
        for association in "$data"/*_"$kind"_*_asn.json; do
            [ ! -e "$association" ] || listing level3 "calwebb-$kind" run "$association" --output-dir "$data"
        done
    done
}

# with SCENARIO OPTIONS...: its first exposure through detector1
with() {
    local data=$work/$1 raw
    shift
    [ -e "$data/crds_cache" ] || return 0
    export CRDS_PATH=$data/crds_cache
    raw=$(find "$data/uncal" -name '*_uncal.fits' | sort | head -1)
    listing detector1 calwebb-detector1 run "$raw" --output-dir "$(mktemp -d "$data/with.XXXX")" "$@"
}

# with_own SCENARIO TYPE=FILE OPTIONS...: the same with a reference file of references.py or of another scenario
with_own() {
    local own
    [ -e "$work/$1/crds_cache" ] || return 0
    own=$(mktemp -d "$work/$1/own.XXXX")
    "$root/.env/test/bin/python" "$lists/references.py" "$work/$1" "$own"
    with "$1" --override "${2/OWN/$own}" "${@:3}"
}

# with_images STAGE PROGRAM SCENARIO OPTIONS...: its first association through another stage
with_images() {
    local stage=$1 program=$2 data=$work/$3 association
    shift 3
    association=$(find "$data" -maxdepth 1 -name "*[_-]${program#calwebb-}_*_asn.json" 2> /dev/null | sort | head -1)
    [ -n "$association" ] || return 0
    export CRDS_PATH=$data/crds_cache
    listing "$stage" "$program" run "$association" --output-dir "$(mktemp -d "$data/with.XXXX")" "$@"
}

# beside COMMAND...: run it beside others, each in a folder of its own
beside() {
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    "$@" &
}

{ # read as a whole, for a script that is edited while it runs would go on with the new text
for scenario in "${scenarios[@]}"; do
    case " ${spectra[*]} : ${series[*]} " in
        *" $scenario "*:*) beside spectra "$scenario" ;;
        *:*" $scenario "*) beside spectra "$scenario" --integrations 12 --segments 2 ;;
        *) beside stages "$scenario" ;;
    esac
done
wait

beside listing simulator calwebb-simulate run --scenario time-series --integrations 6 --segments 1 --distinct 2 \
    --output-dir "$(mktemp -d "$work/repeated.XXXX")"
for scenario in tiny averaged; do beside with "$scenario" --set ramp_fit.algorithm=LIKELY; done
beside with tiny --set charge_migration.skip=false --set ramp_fit.save_opt=true
beside with tiny --set ramp_fit.likelihood_jumps=true
beside with tiny --set dark_current.average_dark_current=0.1 --set saturation.n_pix_grow_sat=2 \
    --set jump.after_jump_flag_dn1=100 --set jump.after_jump_flag_time1=20
for scenario in tiny fgs; do
    for method in median fft; do
        beside with "$scenario" --set clean_flicker_noise.skip=false --set clean_flicker_noise.fit_method=$method
    done
done
beside with tiny --set clean_flicker_noise.skip=false --set clean_flicker_noise.background_method=model \
    --set clean_flicker_noise.fit_histogram=true
beside with time-series --set clean_flicker_noise.skip=false --set clean_flicker_noise.single_mask=false \
    --set clean_flicker_noise.background_method=median_image --set clean_flicker_noise.apply_flat_field=true
beside with time-series --set jump.minimum_sigclip_groups=10
beside with time-series --set jump.minimum_sigclip_groups=10 --set jump.only_use_ints=false
beside with fgs --set clean_flicker_noise.skip=false --set clean_flicker_noise.fit_by_channel=true
beside with tiny --set jump.expand_large_events=true
for scenario in tiny persistence; do
    beside with $scenario --set persistence.skip=false --set persistence.method=traps
    beside with $scenario --set persistence.skip=false --set persistence.method=window \
        --set persistence.persistence_time=1000
done
beside with nirspec-irs2 --set refpix.irs2_mean_subtraction=true --set picture_frame.skip=false \
    --set clean_flicker_noise.skip=false --set clean_flicker_noise.mask_science_regions=true
beside with miri --set emicorr.skip=false --set firstframe.skip=false
beside with miri --set emicorr.skip=false --set emicorr.algorithm=sequential --set jump.find_showers=true
beside with miri --set jump.find_showers=true --set jump.minimum_sigclip_groups=3
beside with miri-full --set refpix.skip=false
beside with_own miri rscd=OWN/rscd.fits --set rscd.correct_decay=true --set rscd.flag_groups=false
beside with_own tiny ipc=OWN/ipc.fits --set ipc.skip=false
beside with_own averaged linearity=OWN/linearity.fits
# no scenario has guide-star data: its tests make some
beside listing detector1 "$root/.env/test/bin/python" -m pytest "$root/stages/detector1/tests/detector1/test_guider.py"
# a dark of single reads for averaged groups, as the real ones are
dark=$(find "$work/tiny/crds_cache" -name '*_dark_0001.fits' 2> /dev/null)
[ -z "$dark" ] || beside with_own averaged "dark=$dark"

for kernel in gaussian point turbo lanczos2; do
    beside with_images image2 calwebb-image2 tiny --set resample.kernel=$kernel --set resample.pixfrac=0.8
    beside with_images level3 calwebb-image3 tiny --set resample.kernel=$kernel --set resample.weight_type=exptime \
        --set resample.propagate_dq=true
done
beside with_images level3 calwebb-image3 tiny --set resample.propagate_dq=true
beside with_images image2 calwebb-image2 tiny --set flat_field.inverse=true --set photom.inverse=true
for method in global global+match local; do
    beside with_images level3 calwebb-image3 pointing --set skymatch.skymethod=$method --set skymatch.skystat=mode
done
for finder in dao segmentation; do
    beside with_images level3 calwebb-image3 pointing --set tweakreg.starfinder=$finder --set tweakreg.fitgeometry=general
done
beside with_images level3 calwebb-image3 moving-target --set assign_mtwcs.motion=rotation
# with_spectra SCENARIO OPTIONS...: its first association of each kind through stage 2 and stage 3
with_spectra() {
    local scenario=$1 program
    shift
    beside with_images spec2 calwebb-spec2 "$scenario" --input-dir "$work/$scenario/rates" "$@"
    for program in calwebb-tso3 calwebb-spec3; do beside with_images level3 $program "$scenario" "$@"; done
}

for scenario in "${spectra[@]}" "${series[@]}"; do
    with_spectra "$scenario" --set pixel_replace.skip=false --set pixel_replace.algorithm=trace_model
    with_spectra "$scenario" --set pixel_replace.skip=false --set pixel_replace.algorithm=mingrad \
        --set extract_1d.lost_pixels=drop --set extract_1d.bkg_fit=median --set extract_1d.subtract_background=true
    with_spectra "$scenario" --set pixel_replace.skip=false --set pixel_replace.algorithm=fit_profile \
        --set extract_1d.bkg_fit=poly --set extract_1d.bkg_order=1 --set extract_1d.smoothing_length=3
    beside with_images spec2 calwebb-spec2 "$scenario" --input-dir "$work/$scenario/rates" \
        --set srctype.source_type=EXTENDED --set flat_field.inverse=true --set photom.inverse=true
done
for scenario in "${spectra[@]}"; do
    with_spectra "$scenario" --set resample_spec.kernel=point --set resample_spec.weight_type=ivm \
        --set extract_1d.extraction_type=optimal
    with_spectra "$scenario" --set resample_spec.weight_type=exptime --set resample_spec.lost_pixels=drop \
        --set extract_1d.bkg_fit=mean --set extract_1d.subtract_background=true
done
with_spectra lrs-slit --set extract_1d.extraction_type=optimal --set extract_1d.pixel_weights=uniform \
    --set extract_1d.optimize_psf_location=false --set extract_1d.subtract_background=true
for scenario in nirspec-slit nirspec-bright; do
    noise=(--input-dir "$work/$scenario/rates" --set clean_flicker_noise.skip=false)
    for method in median fft; do
        beside with_images spec2 calwebb-spec2 $scenario "${noise[@]}" --set clean_flicker_noise.fit_method=$method
    done
    beside with_images spec2 calwebb-spec2 $scenario "${noise[@]}" --set clean_flicker_noise.background_method=model \
        --set clean_flicker_noise.fit_histogram=true --set clean_flicker_noise.single_mask=false
    beside with_images spec2 calwebb-spec2 $scenario "${noise[@]}" --set clean_flicker_noise.mask_science_regions=true
done
for option in noise=err drift=false; do
    for scenario in lrs-slitless time-series; do
        beside with_images level3 calwebb-tso3 $scenario --set outlier_detection.$option
    done
done
beside with_images level3 calwebb-tso3 time-series --set tso_photometry.moving_centroid=true
beside with_images level3 calwebb-tso3 time-series --set tso_photometry.fill=false
for kernel in point turbo; do beside with_images level3 calwebb-image3 tiny --set outlier_detection.kernel=$kernel; done
beside with_images level3 calwebb-image3 tiny --set source_catalog.localbkg_width=10 --set source_catalog.deblend=false
wait
rm -f "$lists"/*.lock
wc -l "$lists"/*.txt
exit
}
