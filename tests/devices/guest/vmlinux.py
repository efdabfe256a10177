"""Takes the ELF file out of a compressed Linux kernel: `vmlinux.py VMLINUZ VMLINUX`."""

import lzma
import pathlib
import struct
import sys

XZ = b"\xfd7zXZ\x00"


def unpacked(image):
    """The kernel in `image`, a bzImage whose payload was compressed with xz, as Debian's is."""
    # Documentation/arch/x86/boot.rst: number of real-mode sectors, then offset and length of the payload.
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    payload = image[start : start + length]
    if not payload.startswith(XZ):
        raise SystemExit(f"the kernel is not compressed with xz but begins with {payload[:6].hex()}")
    # The last four bytes tell the length of what was compressed, and are not part of it.
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(payload)


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_bytes(unpacked(pathlib.Path(sys.argv[1]).read_bytes()))
