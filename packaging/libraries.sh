#!/bin/sh
# The Debian packages whose libraries a program is linked with: `libraries.sh PROGRAM ARCH`.
set -eu
readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
    case $library in
        libasound.so.2) echo "libasound2 (>= 1.2.4) | libasound2t64" ;;
        # What Ubuntu 22.04, and so JetPack 6, has; it was tried with 252.
        libsystemd.so.0) echo "libsystemd0 (>= 249)" ;;
        libfontconfig.so.1) echo "libfontconfig1" ;;
        libstdc++.so.6) echo "libstdc++6 (>= 12)" ;;
        libgcc_s.so.1) echo "libgcc-s1 (>= 4.2)" ;;
        libc.so.6 | libm.so.6 | ld-linux*) echo "libc6 (>= $(
            readelf -V "$1" | grep -o 'GLIBC_2\.[0-9]*' | sed 's/GLIBC_//' | sort -uV | tail -n1
        ))" ;;
        *) echo "packaging/libraries.sh does not know the package of $library" >&2; exit 1 ;;
    esac
done | sort -u | paste -sd, | sed 's/,/, /g'
