#!/usr/bin/env bash
# containers/install-apptainer.sh
#
# A working `apptainer`, and what containers/build.sh needs, on a bare Debian or Ubuntu (x86_64), for
# continuous integration; run it as root. Elsewhere take it from the distribution (Fedora, EPEL) or
# use the one of the cluster. It ends with code 0 if a container was run, else with a sentence why not.
#
# Where the distribution has no package of it (Debian 12 and 13, Ubuntu), that of Debian's sid is
# taken, with sid's libc if the system's is older: both are unpacked below PREFIX and patched to each
# other. The system's libc and sources stay as they are. Nothing there is setuid: Apptainer runs with
# unprivileged user namespaces. MIRROR: a mirror of Debian; by default that of apt, which Ubuntu has not.
set -euo pipefail
say() { echo "install-apptainer.sh: $*" >&2; exit 2; }
PREFIX=${PREFIX:-/opt/apptainer}
SUITE=${SUITE:-sid}
APPTAINER_VERSION=${APPTAINER_VERSION:-}      # empty = the suite's candidate
libs=lib/x86_64-linux-gnu
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
chmod 755 "$W"

# Run `true` of this system in a container: namespaces may be forbidden, whatever is installed.
try() {
    local file
    mkdir -p "$W"/try/{dev,etc,proc,root,sys,tmp,var/tmp}
    for file in /bin/sh /bin/true $(ldd /bin/sh /bin/true | grep -o '/[^ ]*[^ :]' | sort -u); do
        install -D "$file" "$W/try$file"
    done
    apptainer --quiet exec --containall --no-home "$W/try" /bin/true 2> "$W/said" \
        || say "apptainer is installed but cannot run a container here: $(grep -oE '(FATAL|ERROR).*' "$W/said" | head -1)"
}

if command -v apptainer > /dev/null; then try; apptainer --version; exit; fi
[ "$(id -u)" = 0 ] || say "run this as root, or install apptainer otherwise: https://apptainer.org"
grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release && [ "$(uname -m)" = x86_64 ] \
    || say "made for Debian and Ubuntu on x86_64: install apptainer from the distribution, or see https://apptainer.org"

export DEBIAN_FRONTEND=noninteractive
get() { apt-get install -y -qq --no-install-recommends "$@" > "$W/apt.log" 2>&1 || { tail -5 "$W/apt.log" >&2; return 1; }; }
apt-get update -qq || say "apt-get update failed: no mirror can be reached"
# Ubuntu does not know Debian's keys, which mmdebstrap needs as well
get debian-archive-keyring mmdebstrap squashfs-tools squashfuse fuse3 fuse-overlayfs fuse2fs uidmap \
    ca-certificates libseccomp2 libsqlite3-0 python3 \
    || say "packages that apptainer needs cannot be installed (above; on Ubuntu they are in 'universe')"
if apt-cache show apptainer > /dev/null 2>&1; then
    get apptainer || say "the distribution's apptainer cannot be installed"
    try
    apptainer --version
    exit
fi

# a private apt state: the system's sources, lists and pins stay as they are; a mirror may be a dated
# snapshot, whose lists are signed and have expired
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -1)}
[ -n "$MIRROR" ] || say "this distribution has no package of apptainer and apt knows no mirror of Debian to take it from: set MIRROR to one, or add Apptainer's own PPA (add-apt-repository ppa:apptainer/ppa; apt-get install apptainer)"
mkdir -p "$W"/{lists/partial,debs,x}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR $SUITE main" > "$W/s.list"
APT=(apt-get -qq -o "Dir::Etc::sourcelist=$W/s.list" -o Dir::Etc::sourceparts=-
     -o "Dir::State::Lists=$W/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
     -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false)
"${APT[@]}" update || say "$MIRROR cannot be read as a mirror of Debian's $SUITE"
(cd "$W/debs" && "${APT[@]}" download "apptainer${APPTAINER_VERSION:+=$APPTAINER_VERSION}" libc6) \
    || say "$MIRROR has no apptainer${APPTAINER_VERSION:+ $APPTAINER_VERSION} in $SUITE"
for deb in "$W"/debs/*.deb; do (cd "${deb%/*}" && sha256sum "${deb##*/}"); dpkg-deb -x "$deb" "$W/x"; done

# apptainer finds itself by /proc/self/exe and, when not at its compiled place (/usr/bin), takes its
# own folder's parent as PREFIX:
#   PREFIX/bin  PREFIX/etc/apptainer  PREFIX/lib/x86_64-linux-gnu/apptainer/bin/starter
case $PREFIX in /opt/?*) rm -rf -- "$PREFIX" ;; *) say "PREFIX must be under /opt" ;; esac
mkdir -p "$PREFIX"/{bin,etc,"$libs",var/lib/apptainer/mnt/session}
cp -a "$W/x/usr/bin/apptainer" "$PREFIX/bin/"
cp -a "$W/x/etc/apptainer" "$PREFIX/etc/"
cp -a "$W/x/usr/$libs/apptainer" "$PREFIX/$libs/"
binaries=("$PREFIX/bin/apptainer" "$PREFIX/$libs/apptainer/bin/starter")
needed=$(dpkg-deb -f "$W"/debs/apptainer_*.deb Depends | grep -oP 'libc6 \(>= \K[^)]*')
if ! dpkg --compare-versions "$(dpkg-query -W -f '${Version}' libc6)" ge "$needed"; then
    get patchelf || say "patchelf cannot be installed"
    mkdir -p "$PREFIX/glibc"
    # the loader and libc itself are all that the binaries need from it
    for name in ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 libresolv.so.2; do
        cp -L "$(find "$W/x" -name "$name" -print -quit)" "$PREFIX/glibc/$name"
    done
    for binary in "${binaries[@]}"; do
        patchelf --set-interpreter "$PREFIX/glibc/ld-linux-x86-64.so.2" \
                 --force-rpath --set-rpath "$PREFIX/glibc:/usr/$libs" "$binary"
    done
fi
if ldd "${binaries[@]}" 2>&1 | grep 'not found' >&2; then say "libraries of $SUITE's apptainer are missing here (above)"; fi
# `starter` strips a fixed "libexec/apptainer/bin" from its own path, one level too few for Debian's
# lib/x86_64-linux-gnu: give it etc and var there as well
ln -s ../etc ../var "$PREFIX/lib/"
ln -sf apptainer "$PREFIX/bin/singularity"
mkdir -p /usr/local/bin
ln -sf "$PREFIX/bin/apptainer" "$PREFIX/bin/singularity" /usr/local/bin/
# what any machine has that is more than an unpacked system; squashfuse of plain users needs the second
[ -e /etc/hosts ] || echo 127.0.0.1 localhost > /etc/hosts
if [ -c /dev/fuse ]; then chmod 0666 /dev/fuse; fi
# A root without CAP_SYS_RESOURCE cannot be given the default "full" set of capabilities ("Requesting
# capability set 0x1ffffffffff while permitted ..."), and its builds need --fakeroot and a range of ids.
sed -i 's/^root default capabilities = .*/root default capabilities = file/' "$PREFIX/etc/apptainer/apptainer.conf"
for file in /etc/subuid /etc/subgid; do grep -qs '^root:' $file || echo root:200000:65536 >> $file; done
hash -r
try
apptainer --version
