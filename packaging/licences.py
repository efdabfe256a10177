"""The licences of all crates that are in the program, with their texts: each text once, above it who has it.

    packaging/licences.py --target amd64|arm64
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

TARGETS = {"amd64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
TEXT = re.compile(r"^(licen[cs]e|copying|notice|unlicense)", re.IGNORECASE)
# What must not be linked into an Apache-2.0 program. The binding of systemd may be: its exception says so.
FORBIDDEN = re.compile(r"\bA?GPL-")
MAY = {"systemd", "libsystemd-sys"}


def crates(target):
    """Every crate that is linked for a target."""
    told = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={TARGETS[target]}"],
        check=True, capture_output=True, text=True)
    data = json.loads(told.stdout)
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    root = data["resolve"]["root"]
    found, waiting = set(), [root]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        if any("proc-macro" in kind for target in packages[one]["targets"] for kind in target["kind"]):
            continue
        for dependency in nodes[one]["deps"]:
            # Not what only tests and build scripts use.
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    found.discard(root)
    return sorted((packages[one] for one in found), key=lambda package: (package["name"], package["version"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=TARGETS, default="amd64")
    options = parser.parse_args()
    owners, lines, wrong = collections.defaultdict(list), [], []
    for package in crates(options.target):
        name, licence = f"{package['name']} {package['version']}", package["license"] or "see its text"
        lines.append(f"{name}: {licence}")
        alternatives = re.split(r"\bOR\b|/", licence)
        if package["name"] not in MAY and all(FORBIDDEN.search(alternative) for alternative in alternatives):
            wrong.append(lines[-1])
        folder = pathlib.Path(package["manifest_path"]).parent
        for file in sorted(folder.iterdir()):
            if file.is_file() and TEXT.match(file.name):
                owners[file.read_text(errors="replace").strip()].append(name)
    if wrong:
        sys.exit("these crates may not be linked:\n" + "\n".join(wrong))
    print("Crates in linly-edge, and their licences\n")
    print("\n".join(lines))
    for text, names in sorted(owners.items(), key=lambda item: item[1]):
        print(f"\n{'=' * 78}\n{', '.join(names)}\n{'-' * 78}\n{text}")


if __name__ == "__main__":
    main()
