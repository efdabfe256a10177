#!/bin/sh
# Runs cargo for aarch64 with Debian's cross compiler, without containers: `scripts/cross.sh build --profile dist`.
#
# The target's standard library comes from rustup where it can be had, and else is built from Debian's package
# `rust-src` of the compiler's version. `scripts/cross.sh prepare` only sees to that.
set -eu
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu
triplet=aarch64-linux-gnu

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$triplet-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64-static
export CC_aarch64_unknown_linux_gnu=$triplet-gcc CXX_aarch64_unknown_linux_gnu=$triplet-g++
export AR_aarch64_unknown_linux_gnu=$triplet-ar
export PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_SYSROOT_DIR=/ PKG_CONFIG_PATH=
export PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig
# The kernel's header of cameras, as it is on that machine.
export BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu="--target=$triplet -isystem /usr/$triplet/include"

library=$(rustc --print sysroot)/lib/rustlib/$target/lib
extra=""
if [ ! -d "$library" ] && ! rustup target add "$target" >&2; then
    source=/usr/lib/rustlib/src/rust/library
    if [ ! -d "$source" ]; then
        echo "the standard library for $target is missing: rustup target add $target, or apt-get install rust-src" >&2
        exit 1
    fi
    version=$(rustc --version | cut -d" " -f2)
    case $(realpath "$source") in
        *"-$version/"*) ;;
        *) echo "$(realpath "$source") is not the library of rustc $version: rustup target add $target" >&2; exit 1 ;;
    esac
    # Building it is a feature that is not stable; it is the compiler's own source.
    export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$source
    extra="-Zbuild-std=std,panic_abort"
fi
command=$1
[ "$command" != prepare ] || exit 0
shift
exec cargo "$command" --target "$target" --locked $extra "$@"
