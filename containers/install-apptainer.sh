#!/usr/bin/env bash
# containers/install-apptainer.sh
#
# A working `apptainer` on Debian 12, for continuous integration; run it as root. Elsewhere take it
# from the distribution (Debian 13, Ubuntu's PPA, EPEL) or use the one of the cluster.
#
# Debian 12 has no package of it, and that of Debian's sid needs a newer libc: both are taken from
# sid, unpacked below PREFIX and patched to each other. The system's libc stays as it is. Nothing
# there is setuid: Apptainer runs with unprivileged user namespaces.
set -euo pipefail
if command -v apptainer > /dev/null; then apptainer --version; exit; fi
[ "$(id -u)" = 0 ] || { echo "run this as root, or install apptainer otherwise: https://apptainer.org" >&2; exit 2; }
grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release \
    || { echo "this is not Debian 12: install apptainer from the distribution, or https://apptainer.org" >&2; exit 2; }
PREFIX=${PREFIX:-/opt/apptainer}
SUITE=${SUITE:-sid}
APPTAINER_VERSION=${APPTAINER_VERSION:-}      # empty = the suite's candidate
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 'debian/*$')}
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
chmod 755 "$W"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends \
    patchelf libseccomp2 libsqlite3-0 squashfs-tools squashfuse fuse3 mmdebstrap \
    fuse-overlayfs fuse2fs uidmap ca-certificates

# a private apt state: the system's sources, lists and pins stay as they are
mkdir -p "$W"/{lists/partial,debs,x}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR $SUITE main" >"$W/s.list"
APT=(apt-get -q -o Dir::Etc::sourcelist="$W/s.list" -o Dir::Etc::sourceparts=-
     -o Dir::State::Lists="$W/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
     -o APT::Sandbox::User=root)
"${APT[@]}" update
( cd "$W/debs" && "${APT[@]}" download "apptainer${APPTAINER_VERSION:+=$APPTAINER_VERSION}" libc6 )
for d in "$W"/debs/*.deb; do sha256sum "$d"; dpkg-deb -x "$d" "$W/x"; done

# Layout: apptainer finds itself by /proc/self/exe and, when not at its compiled
# place (/usr/bin), takes its own directory's parent as PREFIX:
#   PREFIX/bin  PREFIX/etc/apptainer  PREFIX/lib/x86_64-linux-gnu/apptainer/bin/starter
case $PREFIX in /opt/?*) rm -rf -- "$PREFIX" ;; *) echo "PREFIX must be under /opt" >&2; exit 2 ;; esac
mkdir -p "$PREFIX"/{bin,etc,glibc,lib/x86_64-linux-gnu,var/lib/apptainer/mnt/session}
X=$W/x; M=lib/x86_64-linux-gnu
# private glibc: the loader and libc itself are all that the binaries need from it
for l in ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 libresolv.so.2; do
    cp -L "$(find "$X" -name "$l" -print -quit)" "$PREFIX/glibc/$l"
done
cp -a "$X/usr/bin/apptainer" "$PREFIX/bin/"
cp -a "$X/etc/apptainer" "$PREFIX/etc/"
cp -a "$X/usr/$M/apptainer" "$PREFIX/$M/"
for b in "$PREFIX/bin/apptainer" "$PREFIX/$M/apptainer/bin/starter"; do
    patchelf --set-interpreter "$PREFIX/glibc/ld-linux-x86-64.so.2" \
             --force-rpath --set-rpath "$PREFIX/glibc:/usr/$M" "$b"
done
# `starter` strips a fixed "libexec/apptainer/bin" from its own path, one level too
# few for Debian's multiarch lib/x86_64-linux-gnu: give it etc and var there as well
ln -s ../etc ../var "$PREFIX/lib/"
ln -sf apptainer "$PREFIX/bin/singularity"
ln -sf "$PREFIX/bin/apptainer" "$PREFIX/bin/singularity" /usr/local/bin/
# what a system with udev has anyway: unprivileged squashfuse/fuse-overlayfs need it
if [ -c /dev/fuse ]; then chmod 0666 /dev/fuse; fi
# A root without CAP_SYS_RESOURCE cannot be given the default "full"
# capability set: `exec` as root then dies with "Requesting capability set 0x1ffffffffff
# while permitted ..."; and `build` as root needs --fakeroot, which needs a subuid range
sed -i 's/^root default capabilities = .*/root default capabilities = file/' "$PREFIX/etc/apptainer/apptainer.conf"
for f in /etc/subuid /etc/subgid; do grep -q '^root:' $f 2>/dev/null || echo root:200000:65536 >>$f; done
apptainer --version
