#!/bin/sh
# Makes a disk image of Debian 12 with its own kernel that boots into the kiosk: the stand-in of a board's image for
# developers and tests.
#
#     packaging/image/build.sh out/packages/linly-edge_0.1.0_amd64.deb out/image
#
# The package's kind of processor is the image's. Leaves vmlinux, initrd, root.ext4 and arch; packaging/image/run.sh
# boots them in QEMU.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
package=$(realpath "$1")
out=$2
mkdir -p "$out"
LINLY_GUEST_ARCH=$(dpkg-deb --field "$package" Architecture)
export LINLY_GUEST_ARCH LINLY_IMAGE_PACKAGE="$package" LINLY_GUEST_HOOK="$here/install.sh" LINLY_GUEST_SIZE=1G LINLY_GUEST_EXT4="-O has_journal"
export LINLY_GUEST_EXTRA=,systemd,systemd-sysv,systemd-timesyncd,udev,dbus,init-system-helpers,libsystemd0,iproute2
exec "$here/../../tests/devices/guest/build.sh" "$out"
