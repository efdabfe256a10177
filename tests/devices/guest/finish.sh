#!/bin/sh
# Called by mmdebstrap when the packages are installed: `finish.sh ROOT FOLDER` adds kernel, modules and what runs
# first, and makes the files of which the guest boots. It runs as the guest's root, be it real or of a namespace.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$1
folder=$2
PATH=$PATH:/usr/sbin:/sbin

# What the initrd loads, in this order, and what the guest loads later.
disk="virtio_pci virtio_blk crc32c_generic ext4 9pnet_virtio 9p"
rest="virtio_console virtio_net virtio_gpu evdev virtio_input xhci_pci usbhid
    snd_hda_intel snd_hda_codec_generic snd_usb_audio snd_aloop vivid dummy_hcd usb_f_uvc overlay ${LINLY_GUEST_MODULES:-}"

# The kernel's package, unpacked and not installed: its own initramfs would take minutes and is not wanted.
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
package=$(apt-cache depends "linux-image-$LINLY_GUEST_ARCH" | sed -n 's/.*Depends: *//p' | head -n 1)
kernel=$root/tmp/kernel
mkdir -p "$kernel"
(cd "$kernel" && apt-get -o APT::Sandbox::User=root download -qq "$package" && dpkg-deb -x ./*.deb .)
version=$(ls "$kernel/lib/modules")
ln -s lib "$kernel/usr" 2>/dev/null || true
depmod -b "$kernel" "$version"

# with_needed MODULE… prints their files and those of what they need, in the order in which they must be loaded.
with_needed() {
    for module in "$@"; do
        modprobe -d "$kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++'
}

# shellcheck disable=SC2086 # lists of words
with_needed $disk $rest | while read -r file; do
    target=$root/usr/lib/modules/${file#"$kernel/lib/modules/"}
    mkdir -p "$(dirname "$target")"
    cp "$file" "$target"
done
cp "$kernel/lib/modules/$version"/modules.builtin* "$kernel/lib/modules/$version/modules.order" "$root/usr/lib/modules/$version/"
depmod -b "$root" "$version"

# The initrd: a shell, the modules for the disk, and the switch to it.
initrd=$root/tmp/initrd
mkdir -p "$initrd/bin" "$initrd/modules" "$initrd/root" "$initrd/dev" "$initrd/proc"
cp "$root/bin/busybox" "$initrd/bin/"
cp "$here/initrd" "$initrd/init"
# shellcheck disable=SC2086
with_needed $disk | while read -r file; do
    cp "$file" "$initrd/modules/"
    echo "$(basename "$file")" >> "$initrd/modules/order"
done
chroot "$root" sh -c 'cd /tmp/initrd && find . | busybox cpio -o -H newc' > "$folder/initrd"

# Unpacked, because the emulated processor would need many seconds for it; QEMU starts it by its PVH entry. That of
# arm64 is not packed.
if [ "$LINLY_GUEST_ARCH" = amd64 ]; then
    python3 "$here/vmlinux.py" "$kernel/boot/vmlinuz-$version" "$folder/vmlinux"
else
    cp "$kernel/boot/vmlinuz-$version" "$folder/vmlinux"
fi
echo "$LINLY_GUEST_ARCH" >"$folder/arch"
# A disk that boots itself has both within.
if [ -n "${LINLY_GUEST_BOOT:-}" ]; then
    cp "$kernel/boot/vmlinuz-$version" "$root/boot/Image"
    cp "$folder/initrd" "$root/boot/initrd"
fi

rm -rf "$kernel" "$initrd"
echo linly > "$root/etc/hostname"
mkdir -p "$root/share"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/etc/apt/sources.list* "$root"/etc/apt/apt.conf.d/99mmdebstrap
# A copy without what is mounted into it just now.
copy=$(mktemp -d)
cp -a -x "$root/." "$copy"
for mounted in dev proc sys; do mkdir -p "$copy/$mounted"; done
rm -f "$folder/root.ext4"
# Without a journal, unless what is written is kept, and with room to push programs.
# shellcheck disable=SC2086 # a list of words
mkfs.ext4 -q ${LINLY_GUEST_EXT4:--O ^has_journal} -E lazy_itable_init=1 -d "$copy" "$folder/root.ext4" "${LINLY_GUEST_SIZE:-1G}"
rm -rf "$copy"
