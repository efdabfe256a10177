#!/usr/bin/env python3
"""Writes linly-edge-crates.inc from Cargo.lock, which holds the same checksums that bitbake asks for.

    yocto/crates.py            writes it
    yocto/crates.py --check    fails when it is not what Cargo.lock says
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "yocto/meta-linly-edge/recipes-kiosk/linly-edge/linly-edge-crates.inc"
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def inc(lock: dict) -> str:
    crates = [package for package in lock["package"] if "source" in package]
    elsewhere = [f"{c['name']} from {c['source']}" for c in crates if c["source"] != REGISTRY]
    if elsewhere:
        sys.exit("only crates of crates.io are known here: " + ", ".join(elsewhere))
    # Windows' and the tests' crates are listed too: cargo wants to see every crate of the lock before it begins.
    crates.sort(key=lambda crate: (crate["name"], crate["version"]))
    lines = ["# Made from Cargo.lock by yocto/crates.py; edits are lost.", "", 'SRC_URI += " \\']
    lines += [f"    crate://crates.io/{c['name']}/{c['version']} \\" for c in crates]
    lines += ['"', ""]
    lines += [f'SRC_URI[{c["name"]}-{c["version"]}.sha256sum] = "{c["checksum"]}"' for c in crates]
    return "\n".join(lines) + "\n"


def main() -> None:
    wanted = inc(tomllib.loads((ROOT / "Cargo.lock").read_text()))
    if sys.argv[1:] == ["--check"]:
        if not OUT.exists() or OUT.read_text() != wanted:
            sys.exit(f"{OUT.relative_to(ROOT)} is not what Cargo.lock says: run yocto/crates.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        OUT.write_text(wanted)


if __name__ == "__main__":
    main()
