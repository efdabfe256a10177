#!/bin/sh
# Builds the guest: `build.sh FOLDER` leaves `vmlinux`, `initrd`, `root.ext4` and `arch` in FOLDER. Debian 12 with the
# distribution's own kernel and only those of its modules that the devices need. Needs no root where mmdebstrap
# may use user namespaces. LINLY_GUEST_ARCH is another kind of processor than this machine's, by Debian's name.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# mmdebstrap's own user must be able to pass.
chmod 755 "$work"

export LINLY_GUEST_ARCH="${LINLY_GUEST_ARCH:-$(dpkg --print-architecture)}"
# Programs of another processor are run by an emulator, of which the kernel must know.
if [ "$LINLY_GUEST_ARCH" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then
    formats=/proc/sys/fs/binfmt_misc
    [ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
    [ -e $formats/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$formats/register
fi

# A Debian 12 host may be set up for a mirror of its own; others get the public one. What is found here is used for
# this build and does not become part of the guest.
sources=""
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && grep -qE '^(deb |Suites:).*bookworm' "$file" && grep -qE '/debian( |$)' "$file" || continue
    cp "$file" "$work/"
    sources="$sources $work/$(basename "$file")"
done
if [ -z "$sources" ]; then
    sources=$work/sources.list
    echo "deb http://deb.debian.org/debian bookworm main" > "$sources"
fi
apt-config dump | grep -E '^Acquire::(http|https|Check)[:-].*' > "$work/apt.conf" || true

# What others add: packages, a program that is called with the root, the disk's size; kernel modules and, if
# LINLY_GUEST_BOOT is set, the kernel itself, for a disk that boots itself.
packages=kmod,busybox-static,alsa-utils,libasound2,v4l-utils,libstdc++6,fonts-dejavu-core,fonts-droid-fallback${LINLY_GUEST_EXTRA:-}
# shellcheck disable=SC2086 # one file or several
mmdebstrap --quiet --variant=minbase --format=null --architectures="$LINLY_GUEST_ARCH" --include="$packages" \
    --aptopt="$work/apt.conf" \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/sounds/*' \
    --customize-hook="\"${LINLY_GUEST_HOOK:-true}\" \"\$1\"" \
    --customize-hook="\"$here/finish.sh\" \"\$1\" \"$folder\"" \
    bookworm "$work/nothing" $sources
