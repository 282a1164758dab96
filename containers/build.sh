#!/usr/bin/env bash
# containers/build.sh [-j N] [--again] [--docker] STAGE...|all
#
# Build the images of stages as containers/STAGE-HASH.sif, where HASH covers what they are made of,
# N stages side by side (as many as there are processors): each is mostly one process.
# An image that is there is not built again, unless --again: then both must have the same bytes.
# Nothing is fetched but Debian packages from apt's mirror and wheels from pip's, checked by hash;
# with --docker, the base is the image of Docker Hub that the definitions name.
set -euo pipefail
cd "$(dirname "$0")"
[ -x ../.env/associate/bin/python ] && [ -x ../.env/bootstrap/bin/uv ] \
    || { echo "the environments are missing: run 'make env'" >&2; exit 2; }

# images [STAGE]: the path of an image by what it is made of; without a stage, all stages and projects
images() { (cd .. && exec .env/associate/bin/python -m calwebb_associate.images "$@"); }

declare -A projects=()
known=()
while read -r stage project; do known+=("$stage"); projects[$stage]=$project; done < <(images)
usage() {
    echo "usage: containers/build.sh [-j N] [--again] [--docker] STAGE...|all; stages: ${known[*]}" >&2
    exit 2
}
jobs=$(nproc) again='' docker=''
while [ $# -gt 0 ]; do
    case $1 in
        -j) jobs=${2:-}; shift; [ $# -gt 0 ] || usage ;;
        -j*) jobs=${1#-j} ;;
        --again) again=yes ;;
        --docker) docker=yes ;;
        *) break ;;
    esac
    shift
done
[ $# -gt 0 ] && [[ $jobs =~ ^[1-9][0-9]*$ ]] || usage
if [ "$*" = all ]; then set -- "${known[@]}"; fi
for stage; do [ -n "${projects[$stage]:-}" ] || usage; done
command -v apptainer > /dev/null \
    || { echo "apptainer is missing: see containers/install-apptainer.sh, or https://apptainer.org" >&2; exit 2; }
export SOURCE_DATE_EPOCH=1735689600
umask 022
mkdir -p .build
exec 9> .build/lock
flock 9  # one call at a time in this tree: they share the folders below .build

# Platforms whose wheels run on the base.
platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014 manylinux_2_5 manylinux1; do
    platforms+=(--platform "${tag}_x86_64")
done

name_of() { basename "$(images "$1")" .sif; }
sum_of() { sha256sum < "$1" | cut -d ' ' -f 1; }

# lay_out STAGE: what the definition copies into the image
lay_out() {
    local stage=$1 folder=.build/$1 wheel lock source
    rm -rf "$folder"
    mkdir -p "$folder/wheels" ".build/wheels/$stage"
    cp inside/*.py inside/*.sh "$folder"
    cp "../envs/$stage.lock" "$folder/requirements.lock"
    [ ! -e "kernels/$stage.txt" ] || cp "kernels/$stage.txt" "$folder/kernels.txt"
    for lock in pip.lock "../envs/$stage.lock"; do
        ../.env/bootstrap/bin/pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary=:all: --python-version 3.13 "${platforms[@]}" \
            --dest ".build/wheels/$stage" --requirement "$lock" 2> ".build/$stage.log" \
            || { tail -30 ".build/$stage.log" >&2; return 1; }
    done
    cp -l ".build/wheels/$stage"/*.whl "$folder/wheels/"
    for source in ../stages/core "../${projects[$stage]}"; do
        ../.env/bootstrap/bin/uv build --quiet --wheel --out-dir "$folder/wheels" "$source"
    done
    for wheel in "$folder"/wheels/calwebb_*.whl; do
        basename "$wheel" | sed -E 's/^([a-z0-9_]+)-([^-]+)-.*/\1==\2/' | tr -d '\n'
        echo " --hash=sha256:$(sum_of "$wheel")"
    done > "$folder/own.lock"
    rm -f "$folder/wheels/.gitignore"
}

# pack STAGE IMAGE NAME
pack() {
    local stage=$1 image=$2 name=$3 fake=() base=()
    # root of a container of its own lacks what Apptainer gives root by default (CAP_SYS_RESOURCE)
    if [ "$(id -u)" = 0 ] && ! (((0x$(grep -oP '^CapPrm:\s*\K\w+' /proc/self/status) >> 24) & 1)); then fake=(--fakeroot); fi
    # the image holds this name: a path would tell where it was built
    [ -n "$docker" ] || base=(--build-arg BOOTSTRAP=localimage --build-arg FROM=.build/base)
    apptainer --quiet build --force "${fake[@]}" \
        --mksquashfs-args "-comp zstd -Xcompression-level 9" \
        "${base[@]}" --build-arg INPUT="$name" --build-arg EPOCH="$SOURCE_DATE_EPOCH" \
        "$image" "$stage.def" > ".build/$stage.log" 2>&1 || { tail -30 ".build/$stage.log" >&2; return 1; }
    python3 sif_normalize.py "$image" "$SOURCE_DATE_EPOCH"
}

# note STAGE NAME SHA256: in images.lock, which other stages write as well
note() {
    (
        flock 8
        if grep -q "^$2 " images.lock && ! grep -qx "$2 $3" images.lock; then
            echo "containers/$2.sif: not the bytes of images.lock: another base, Apptainer or squashfs-tools" >&2
        fi
        { grep -v "^$1-" images.lock || true; echo "$2 $3"; } | sort > .build/images.lock
        mv .build/images.lock images.lock
    ) 8> .build/noting
}

# build STAGE NAME
build() {
    local stage=$1 name=$2 begun=$SECONDS sha256
    lay_out "$stage"
    [ "$name" = "$(name_of "$stage")" ] || { echo "$stage: sources changed during the build: build again" >&2; return 1; }
    pack "$stage" ".build/$name.sif" "$name"
    rm -rf ".build/$stage"
    sha256=$(sum_of ".build/$name.sif")
    if [ -e "$name.sif" ] && [ "$sha256" != "$(sum_of "$name.sif")" ]; then
        echo "containers/$name.sif: built again as .build/$name.sif, and the bytes differ" >&2
        return 1
    fi
    mv ".build/$name.sif" "$name.sif"
    note "$stage" "$name" "$sha256"
    echo "containers/$name.sif: $(stat -c %s "$name.sif") bytes, $((SECONDS - begun)) s, sha256 $sha256"
}

# Those with most kernels take longest and go first.
mapfile -t ordered < <(for stage; do echo "$(cat "kernels/$stage.txt" 2> /dev/null | wc -l) $stage"; done | sort -rn | cut -d ' ' -f 2)
names=()
for stage in "${ordered[@]}"; do
    name=$(name_of "$stage")
    if [ -e "$name.sif" ] && [ -z "$again" ]; then echo "containers/$name.sif is there"; else names+=("$name"); fi
done
if [ ${#names[@]} -gt 0 ] && [ -z "$docker" ]; then ./base.sh; fi

{ # read as a whole, for a script that is edited while it runs would go on with the new text
set -m  # a build and what it started end together
trap 'for job in $(jobs -p); do kill -- "-$job" 2> /dev/null || true; done' EXIT
trap 'exit 130' INT TERM
failed=0 running=0
for name in "${names[@]}"; do
    if [ "$running" -ge "$jobs" ]; then wait -n || failed=1; running=$((running - 1)); fi
    (set -e; build "${name%-*}" "$name") &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do wait -n || failed=1; running=$((running - 1)); done
exit "$failed"
}
