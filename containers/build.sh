#!/usr/bin/env bash
# containers/build.sh [--again] [--docker] STAGE...|all
#
# Build the images of stages as containers/STAGE-HASH.sif, where HASH covers what they are made of.
# An image that is there is not built again, unless --again: then both must have the same bytes.
# Nothing is fetched but Debian packages from apt's mirror and wheels from pip's, checked by hash;
# with --docker, the base is the image of Docker Hub that the definitions name.
set -euo pipefail
cd "$(dirname "$0")"
stages="associate detector1 image2 level3 simulator"
again='' docker=''
while [ $# -gt 0 ]; do
    case $1 in --again) again=yes ;; --docker) docker=yes ;; *) break ;; esac
    shift
done
[ $# -gt 0 ] || { echo "usage: containers/build.sh [--again] [--docker] STAGE...|all; stages: $stages" >&2; exit 2; }
if [ "$*" = all ]; then set -- $stages; fi
python=../.env/associate/bin/python uv=../.env/bootstrap/bin/uv
[ -x $python ] && [ -x $uv ] || { echo "the environments are missing: run 'make env'" >&2; exit 2; }
command -v apptainer > /dev/null \
    || { echo "apptainer is missing: see containers/install-apptainer.sh, or https://apptainer.org" >&2; exit 2; }
export SOURCE_DATE_EPOCH=1735689600
mkdir -p .build
exec 9> .build/lock
flock 9  # one build at a time in this tree: they share the folders below .build

# name STAGE: the image's name by what it is made of
name_of() { basename "$(cd .. && .env/associate/bin/python -m calwebb_associate.images "$1")" .sif; }

# Platforms whose wheels run on the base.
platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014 manylinux_2_5 manylinux1; do
    platforms+=(--platform "${tag}_x86_64")
done

# lay_out STAGE PROJECT: what the definition copies into the image
lay_out() {
    local stage=$1 project=$2 folder=.build/$1 wheel
    rm -rf "$folder"
    mkdir -p "$folder/wheels" ".build/wheels/$stage"
    cp inside/* "$folder"
    cp "../envs/$stage.lock" "$folder/requirements.lock"
    [ ! -e "kernels/$stage.txt" ] || cp "kernels/$stage.txt" "$folder/kernels.txt"
    for lock in pip.lock "../envs/$stage.lock"; do
        ../.env/bootstrap/bin/pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary=:all: --python-version 3.13 "${platforms[@]}" \
            --dest ".build/wheels/$stage" --requirement "$lock" 2> .build/pip.log \
            || { cat .build/pip.log >&2; exit 1; }
    done
    cp -l ".build/wheels/$stage"/*.whl "$folder/wheels/"
    for source in ../stages/core "../$project"; do
        $uv build --quiet --wheel --out-dir "$folder/wheels" "$source"
    done
    for wheel in "$folder"/wheels/calwebb_*.whl; do
        basename "$wheel" | sed -E 's/^([a-z0-9_]+)-([^-]+)-.*/\1==\2/' | tr -d '\n'
        echo " --hash=sha256:$(sha256sum < "$wheel" | cut -d ' ' -f 1)"
    done > "$folder/own.lock"
    rm -f "$folder/wheels/.gitignore"
}

# pack STAGE IMAGE NAME
pack() {
    local stage=$1 image=$2 name=$3 fake=() base=()
    # root of a container of its own lacks what Apptainer gives root by default
    if [ "$(id -u)" = 0 ] && ! capsh --has-p=cap_sys_resource 2> /dev/null; then fake=(--fakeroot); fi
    [ -n "$docker" ] || base=(--build-arg BOOTSTRAP=localimage --build-arg FROM="$PWD/.build/base")
    apptainer --quiet build --force "${fake[@]}" \
        --mksquashfs-args "-comp zstd -Xcompression-level 9" \
        "${base[@]}" --build-arg INPUT="$name" --build-arg EPOCH="$SOURCE_DATE_EPOCH" \
        "$image" "$stage.def" > ".build/$stage.log" 2>&1 || { tail -30 ".build/$stage.log" >&2; exit 1; }
    python3 sif_normalize.py "$image" "$SOURCE_DATE_EPOCH"
}

{ # read as a whole, for a script that is edited while it runs would go on with the new text
for stage; do
    name=$(name_of "$stage")
    if [ -e "$name.sif" ] && [ -z "$again" ]; then echo "containers/$name.sif is there"; continue; fi
    begun=$SECONDS
    [ -n "$docker" ] || ./base.sh
    case $stage in simulator) project=simulator ;; *) project=stages/$stage ;; esac
    lay_out "$stage" "$project"
    [ "$name" = "$(name_of "$stage")" ] || { echo "$stage: sources changed during the build: build again" >&2; exit 1; }
    pack "$stage" ".build/$name.sif" "$name"
    rm -rf ".build/$stage"
    sha256=$(sha256sum < ".build/$name.sif" | cut -d ' ' -f 1)
    if [ -e "$name.sif" ] && [ "$sha256" != "$(sha256sum < "$name.sif" | cut -d ' ' -f 1)" ]; then
        echo "containers/$name.sif: built again as .build/$name.sif, and the bytes differ" >&2
        exit 1
    fi
    mv ".build/$name.sif" "$name.sif"
    grep -v "^$stage-" images.lock > .build/images.lock 2> /dev/null || true
    echo "$name $sha256" >> .build/images.lock
    sort .build/images.lock > images.lock
    echo "containers/$name.sif: $(stat -c %s "$name.sif") bytes, $((SECONDS - begun)) s, sha256 $sha256"
done
exit
}
