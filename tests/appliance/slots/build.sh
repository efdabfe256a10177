#!/bin/sh
# Makes what stands in for the Yocto image where Yocto cannot be built: a disk with the same layout, boot loader,
# configuration and scripts, whose two roots are Debian, and bundles for it.
#
#     tests/appliance/slots/build.sh out/packages/linly-edge_0.1.0_amd64.deb out/slots
#
# Leaves disk.raw, which UEFI boots, and stick-VERSION.img, sticks with a bundle each:
#
#     0.2.0     works
#     0.2.1     is signed by somebody else
#     0.3.0     has no kernel
#     0.4.0     has a program that ends at once
set -eu
here=$(cd "$(dirname "$0")" && pwd)
layer=$here/../../../yocto/meta-linly-edge
package=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
PATH=$PATH:/usr/sbin:/sbin
machine=qemuamd64
# In MiB: the slots, the data.
slot=512 data=256
work=$(mktemp -d -p "$out")
trap 'rm -rf "$work"' EXIT

for who in ours another; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$who" -keyout "$work/$who.key" -out "$work/$who.pem" 2>/dev/null
done

# The root. Debian's parts that recipes name otherwise come with it.
LINLY_GUEST_ARCH=$(dpkg-deb --field "$package" Architecture)
export LINLY_GUEST_ARCH LINLY_IMAGE_PACKAGE="$package" LINLY_GUEST_HOOK="$here/install.sh" LINLY_GUEST_BOOT=1
export LINLY_GUEST_SIZE=${slot}M LINLY_GUEST_EXT4="-O has_journal"
export LINLY_SLOTS_MACHINE=$machine LINLY_SLOTS_KEYRING="$work/ours.pem" LINLY_SLOTS_RELEASE=0.1.0
export LINLY_GUEST_MODULES="loop squashfs dm_verity vfat nls_cp437 nls_ascii nls_utf8 usb_storage sd_mod"
LINLY_GUEST_EXTRA=,systemd,systemd-sysv,udev,dbus,init-system-helpers,libsystemd0,iproute2
export LINLY_GUEST_EXTRA=$LINLY_GUEST_EXTRA,rauc,rauc-service,grub-common,openssl,e2fsprogs,curl,ca-certificates
"$here/../../devices/guest/build.sh" "$work/guest"
root=$work/guest/root.ext4

# The boot loader, with the modules that OE-core builds in and those that the distro adds, and the layer's
# configuration. Debian's kernel wants an initrd, and other words.
added=$(sed -n 's/^GRUB_BUILDIN:append.* = "\(.*\)"/\1/p' "$layer/conf/distro/include/linly-kiosk-qemu.inc")
# The file that the image names itself by is looked for as OE-core's built-in configuration does.
cat >"$work/built-in.cfg" <<'CFG'
search --file --set=root --hint-efi=$cmdpath /EFI/BOOT/grub.cfg
set prefix=($root)/EFI/BOOT
CFG
# shellcheck disable=SC2086 # a list of words
grub-mkimage -c "$work/built-in.cfg" -p /EFI/BOOT -O x86_64-efi -o "$work/bootx64.efi" \
    boot linux ext2 fat serial part_msdos part_gpt normal efi_gop iso9660 configfile search loadenv test $added
words="console=ttyS0 tsc=reliable mitigations=off random.trust_cpu=on linly.init=/sbin/init linly.rootflags=ro"
sed -e "s|console=ttyAMA0|$words|" -e 's|^        boot$|        initrd ($disk,gpt$number)/boot/initrd; boot|' \
    "$layer/files/wic/linly-kiosk-grub.cfg" >"$work/grub.cfg"
# As linly-kiosk-grubenv.bb fills it.
grub-editenv "$work/grubenv" create
grub-editenv "$work/grubenv" set "ORDER=A B" A_OK=1 A_TRY=0 B_OK=1 B_TRY=0

# The disk, as linly-kiosk-qemuarm64.wks lays it out. The data partition is empty: the first boot makes its file system.
truncate -s 64M "$work/efi.img"
mkfs.vfat -n EFI "$work/efi.img" >/dev/null
mmd -i "$work/efi.img" ::/EFI ::/EFI/BOOT
mcopy -i "$work/efi.img" "$work/bootx64.efi" "$work/grub.cfg" "$work/grubenv" ::/EFI/BOOT/
rm -f "$out/disk.raw"
truncate -s $((64 + 2 * slot + data + 2))M "$out/disk.raw"
sfdisk --quiet "$out/disk.raw" <<TABLE
label: gpt
size=64M, type=U, name=efi
size=${slot}M, name=rootfs-a
size=${slot}M, name=rootfs-b
size=${data}M, name=data
TABLE
into() { dd if="$1" of="$out/disk.raw" bs=1M seek="$2" conv=notrunc,sparse status=none; }
into "$work/efi.img" 1
into "$root" 65
into "$root" $((65 + slot))

# Bundles, as linly-kiosk-bundle.bb describes them, on sticks.
bundle() { # bundle VERSION KEY: of what is in $work/rootfs.ext4
    rm -rf "$work/content" "$work/stick.raucb"
    mkdir "$work/content"
    mv "$work/rootfs.ext4" "$work/content/rootfs.ext4"
    cat >"$work/content/manifest.raucm" <<MANIFEST
[update]
compatible=linly-kiosk-$machine
version=$1
[bundle]
format=verity
[image.rootfs]
filename=rootfs.ext4
adaptive=block-hash-index
MANIFEST
    rauc bundle --cert "$work/$2.pem" --key "$work/$2.key" --mksquashfs-args="-comp zstd -Xcompression-level 3" \
        "$work/content" "$work/stick.raucb" >/dev/null 2>"$work/rauc.log" || { cat "$work/rauc.log" >&2; exit 1; }
    rm -f "$out/stick-$1.img"
    truncate -s "$(($(stat -c %s "$work/stick.raucb") / 1048576 + 8))M" "$out/stick-$1.img"
    mkfs.vfat -n STICK "$out/stick-$1.img" >/dev/null
    mmd -i "$out/stick-$1.img" ::/linly-kiosk
    mcopy -i "$out/stick-$1.img" "$work/stick.raucb" "::/linly-kiosk/linly-kiosk-$machine-$1.raucb"
}
changed() { # changed VERSION DEBUGFS-COMMAND…: another root
    cp --sparse=always "$root" "$work/rootfs.ext4"
    echo "$1" >"$work/release"
    shift
    printf '%s\n' "rm /etc/linly-edge/release" "write $work/release /etc/linly-edge/release" "$@" >"$work/commands"
    debugfs -w -f "$work/commands" "$work/rootfs.ext4" >"$work/debugfs.log" 2>&1
}
printf '#!/bin/sh\nexit 1\n' >"$work/ends"
chmod 755 "$work/ends"
changed 0.2.0
bundle 0.2.0 ours
changed 0.2.1
bundle 0.2.1 another
changed 0.3.0 "rm /boot/Image"
bundle 0.3.0 ours
changed 0.4.0 "rm /usr/bin/linly-edge" "write $work/ends /usr/bin/linly-edge"
bundle 0.4.0 ours
echo "$LINLY_GUEST_ARCH" >"$out/arch"
