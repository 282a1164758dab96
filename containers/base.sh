#!/usr/bin/env bash
# containers/base.sh
#
# Make the base of all images in containers/.build/base: Debian 13 with bash, coreutils and Python,
# by mmdebstrap from the mirror that this machine's apt uses (or MIRROR). The same packages give the
# same bytes; whether they are those of containers/base.lock is said, for mirrors move on.
set -euo pipefail
cd "$(dirname "$0")"
suite=trixie
export SOURCE_DATE_EPOCH=1735689600
umask 022
command -v mmdebstrap > /dev/null || { echo "mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 2; }

mkdir -p .build
if [ ! -s .build/base.tar ] || [ base.sh -nt .build/base.tar ]; then
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -1)}
    [ -n "$mirror" ] || { echo "apt knows no mirror of Debian to make the base of images from: set MIRROR to one" >&2; exit 2; }
    # device nodes cannot be unpacked by a plain user; manuals and translations are not read;
    # nothing may say where the image was built; byte code differs between root and a plain user
    make_base() {
        mmdebstrap --quiet --variant=minbase --include=python3 \
            --aptopt='APT::Install-Recommends "false"' \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
            --dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/gconv/*' \
            --customize-hook=': > "$1/etc/hostname"; : > "$1/etc/resolv.conf"' \
            --customize-hook=': > "$1/etc/apt/sources.list"' \
            --customize-hook='rm -rf "$1"/var/log/* "$1"/var/cache/*' \
            "$suite" - "$mirror" | tar --delete --wildcards ./dev '*/__pycache__' > .build/base.tar.part
    }
    # a mirror that is busy is asked once more
    make_base || make_base
    mv .build/base.tar.part .build/base.tar
    rm -rf .build/base
fi
if [ ! -d .build/base ]; then
    mkdir -p .build/base.part
    tar -C .build/base.part --no-same-owner --same-permissions -xf .build/base.tar
    # nothing in a container gains rights, and a plain user's tar leaves these bits out
    find .build/base.part -perm /6000 -exec chmod ug-s {} +
    mkdir -p .build/base.part/dev
    mv .build/base.part .build/base
fi
found=$(sha256sum < .build/base.tar | cut -d ' ' -f 1)
if [ "$found" != "$(cat base.lock 2> /dev/null)" ]; then
    echo "base: $found is not that of containers/base.lock: the mirror has other packages now" >&2
fi
