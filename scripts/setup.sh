#!/bin/sh
# Sees to it that the Debian packages for a purpose are there:
# `setup.sh build|test|devices|devices-arm64|slots|monitoring|bench|bench-fleet|train|ci|package|cross`.
# Installs what is missing where it may, and otherwise prints the one command that does.
set -eu

purpose=${1:-build}
# What a package is known by on the machine: a command, or a file.
missing=""
need() { # need COMMAND_OR_FILE PACKAGE
    case $1 in
        /*) [ -e "$1" ] || missing="$missing $2" ;;
        *) command -v "$1" >/dev/null 2>&1 || missing="$missing $2" ;;
    esac
}

need_one_of() { # need_one_of PACKAGE FILE…: a pattern that nothing fits comes as itself
    package=$1
    shift
    for file in "$@"; do [ -e "$file" ] && return 0; done
    missing="$missing $package"
}

case $purpose in
    monitoring | bench-fleet)
        need prometheus prometheus
        need prometheus-alertmanager prometheus-alertmanager
        need openssl openssl
        need /usr/lib/python3/dist-packages/yaml python3-yaml
        ;;
esac
case $purpose in
    devices | devices-arm64 | slots)
        # A small computer is emulated, with devices, and Debian is put into it.
        need qemu-system-x86_64 qemu-system-x86
        need qemu-img qemu-utils
        need mmdebstrap mmdebstrap
        need /sbin/depmod kmod
        need openssl openssl
        need /sbin/mkfs.ext4 e2fsprogs
        ;;
esac
case $purpose in
    devices-arm64)
        # The same as a computer with a processor of Jetson's kind.
        need qemu-system-aarch64 qemu-system-arm
        need qemu-aarch64-static qemu-user-static
        ;;
esac
case $purpose in
    slots)
        # A disk that UEFI and GRUB boot, and bundles for it.
        need /usr/share/ovmf/OVMF.fd ovmf
        need grub-mkimage grub-common
        need /usr/lib/grub/x86_64-efi/linux.mod grub-efi-amd64-bin
        need mcopy mtools
        need /sbin/mkfs.vfat dosfstools
        need /sbin/sfdisk fdisk
        need rauc rauc
        need mksquashfs squashfs-tools
        ;;
esac
case $purpose in
    bench-fleet) need prometheus-node-exporter prometheus-node-exporter ;;
esac
case $purpose in
    package | cross)
        need dpkg-deb dpkg
        need objcopy binutils
        need lintian lintian
        need systemd-analyze systemd
        ;;
esac
case $purpose in
    cross)
        # A compiler for Jetson's kind of processor, its libraries, and an emulator that runs what was built.
        need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
        need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
        need qemu-aarch64-static qemu-user-static
        need /usr/lib/aarch64-linux-gnu/libasound.so libasound2-dev:arm64
        need /usr/lib/aarch64-linux-gnu/libsystemd.so libsystemd-dev:arm64
        need /usr/lib/aarch64-linux-gnu/libstdc++.so.6 libstdc++6:arm64
        ;;
esac
need cc gcc
# Reads the kernel's header of cameras while the program is built.
need_one_of libclang-dev "${LIBCLANG_PATH:-/nowhere}"/libclang*.so* /usr/lib/llvm-*/lib/libclang*.so* /usr/lib*/libclang*.so* /usr/lib/*-linux-gnu/libclang*.so*
# The H.264 encoder is C++; with nasm it is several times as fast.
need c++ g++
case $(uname -m) in x86_64) need nasm nasm ;; esac
# Sound cards.
need pkg-config pkg-config
need /usr/include/alsa/asoundlib.h libasound2-dev
# What systemd is told.
need /usr/include/systemd/sd-daemon.h libsystemd-dev
case $purpose in
    test | bench | ci)
        need ffmpeg ffmpeg
        need curl curl
        need openssl openssl
        ;;
esac
case $purpose in
    ci)
        # What reads the metrics; without them those tests say that they were skipped. They are not among
        # the packages for `test`, because on a machine with systemd this one starts a server on port 9090.
        need promtool prometheus
        # Makes and reads bundles as an image's updater does.
        need rauc rauc
        need mksquashfs squashfs-tools
        need /usr/lib/python3/dist-packages/prometheus_client python3-prometheus-client
        ;;
esac
case $purpose in
    bench | train)
        need flite flite
        need pocketsphinx_continuous pocketsphinx
        need /usr/share/pocketsphinx/model/en-us/en-us pocketsphinx-en-us
        need espeak-ng espeak-ng
        need festival festival
        need /usr/share/festival/voices/english/ked_diphone festvox-kdlpc16k
        need /usr/share/festival/voices/us/cmu_us_slt_arctic_hts festvox-us-slt-hts
        need /usr/share/festival/voices/english/kal_diphone festvox-kallpc16k
        need sox sox
        ;;
esac
case $purpose in
    train)
        need hts_engine htsengine
        need /usr/share/festival/dicts/cmu festlex-cmu
        need /usr/share/dict/american-english-small wamerican-small
        need npm npm
        ;;
esac

if ! command -v cargo >/dev/null 2>&1; then
    echo "Rust is missing: install it from https://rustup.rs (1.94 or newer)" >&2
    exit 1
fi
[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then run=""; elif sudo -n true 2>/dev/null; then run="sudo"; else run=none; fi
    if [ "$run" != none ]; then
        echo "installing:$missing" >&2
        # Package lists may be missing on a fresh machine; stale ones are no reason to stop.
        case $missing in *:arm64*) $run dpkg --add-architecture arm64 ;; esac
        $run apt-get update -qq >&2 || true
        DEBIAN_FRONTEND=noninteractive $run $install -qq >&2 && exit 0
    fi
fi
echo "These Debian packages are missing; please run:" >&2
case $missing in *:arm64*) echo "    sudo dpkg --add-architecture arm64 && sudo apt-get update" >&2 ;; esac
echo "    sudo $install" >&2
exit 1
