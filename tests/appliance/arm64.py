"""The program for Jetsons, emulated, says and shows what this machine's program does.

    tests/appliance/arm64.py [--program target/release/linly-edge] [--arm64 target/aarch64-unknown-linux-gnu/dist/linly-edge]
"""

import argparse
import array
import json
import os
import pathlib
import subprocess
import sys
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/devices"))

from vm import Failure, expect  # noqa: E402

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# The libraries of that machine are installed beside this one's (multiarch): the dynamic linker and libc of one build.
EMULATOR = ["qemu-aarch64-static"]
QUESTION = "Where is the lift?"
# Rounding differs between two kinds of processors; more than this, in parts of the loudest sample, would be heard.
TOLERANCE = 0.02


def samples(path):
    with wave.open(str(path)) as file:
        return array.array("h", file.readframes(file.getnframes()))


def turn(command, folder):
    """Asks one question in writing: what `turn.json` says, the voice, and how long it took."""
    began = time.monotonic()
    done = subprocess.run([*command, "talk", "--text", QUESTION, "--out", folder, "--json"],
                          cwd=ROOT, capture_output=True, text=True, timeout=1200)
    expect(done.returncode == 0, f"{' '.join(map(str, command))} fails: {done.stderr[-2000:]}")
    return json.loads((folder / "turn.json").read_text()), samples(folder / "reply.wav"), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=TARGET / "release/linly-edge")
    parser.add_argument("--arm64", type=pathlib.Path, default=TARGET / "aarch64-unknown-linux-gnu/dist/linly-edge")
    options = parser.parse_args()
    out = ROOT / "out/arm64"
    own, own_voice, _ = turn([options.program.resolve()], out / "own")
    other, other_voice, took = turn([*EMULATOR, options.arm64.resolve()], out / "arm64")
    expect(own["answer"] == other["answer"], f"the answers differ: {own['answer']!r}, {other['answer']!r}")
    expect(len(own_voice) == len(other_voice), f"the voices differ in length: {len(own_voice)}, {len(other_voice)}")
    loudest = max(max(own_voice), -min(own_voice))
    expect(loudest > 1000, "nothing is said")
    apart = max(abs(a - b) for a, b in zip(own_voice, other_voice)) / loudest
    expect(apart < TOLERANCE, f"the voices differ by {apart:.1%} of the loudest sample")
    said = subprocess.run([*EMULATOR, options.arm64.resolve(), "check"], cwd=ROOT, capture_output=True, text=True)
    expect(said.returncode == 0, f"check fails: {said.stdout[-2000:]}{said.stderr[-1000:]}")
    print(f"ok  the program for arm64 answers {other['answer']!r} as this machine's does,")
    print(f"    its voice within {apart:.2%} of the loudest sample, in {took:.0f} s under emulation")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"failed: {failure}")
