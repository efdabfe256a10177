#!/bin/sh
# Boots the image that `make image-qemu` has made, in a window; its page is at http://127.0.0.1:9090/.
#
#     packaging/image/run.sh [out/image]
#
# What it writes is kept in disk.qcow2 beside it. LINLY_IMAGE_AUDIO is QEMU's name of a sound system (pa, pipewire).
set -eu
files=${1:-out/image}
[ -e "$files/root.ext4" ] || { echo "$files has no image: make image-qemu" >&2; exit 1; }
[ -e "$files/disk.qcow2" ] || qemu-img create -q -f qcow2 -F raw -b root.ext4 "$files/disk.qcow2"
case $(cat "$files/arch") in
    arm64) emulator=qemu-system-aarch64 board=virt machine=aarch64 processor=cortex-a76 ;;
    *) emulator=qemu-system-x86_64 board=pc machine=x86_64 processor=max ;;
esac
accel=tcg,thread=multi
[ -w /dev/kvm ] && [ "$(uname -m)" = $machine ] && accel=kvm processor=host
exec $emulator -M $board -accel "$accel" -cpu $processor -smp 2 -m 2048 \
    -kernel "$files/vmlinux" -initrd "$files/initrd" -append "linly.init=/sbin/init quiet" \
    -drive "if=virtio,file=$files/disk.qcow2" \
    -vga none -device virtio-gpu-pci,xres=720,yres=1280 -device virtio-keyboard-pci -device virtio-tablet-pci \
    -audiodev "${LINLY_IMAGE_AUDIO:-none},id=speaker" -device intel-hda -device hda-output,audiodev=speaker \
    -netdev user,id=net,hostfwd=tcp:127.0.0.1:9090-:9090 -device virtio-net-pci,netdev=net
