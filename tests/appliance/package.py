"""The packages are what Debian expects, and the same input makes the same package.

    tests/appliance/package.py out/packages [--from target/release/linly-edge]
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/devices"))

from vm import Failure, expect  # noqa: E402

# What must be inside, whatever else is.
INSIDE = """
./usr/bin/linly-edge
./usr/lib/systemd/system/linly-edge.service
./usr/lib/systemd/system/linly-edge-resume.service
./usr/lib/systemd/system/linly-edge.target
./usr/lib/systemd/catalog/linly-edge.catalog
./usr/lib/sysusers.d/linly-edge.conf
./usr/lib/tmpfiles.d/linly-edge.conf
./usr/lib/udev/rules.d/70-linly-edge.rules
./usr/lib/linly-edge/healthy
./usr/lib/linly-edge/update
./etc/linly-edge/config.toml
./etc/linly-edge/site.toml
./usr/share/linly-edge/models/starter/pack.toml
./usr/share/linly-edge/models/starter/asr.onnx
./usr/share/linly-edge/avatar/portrait.png
./usr/share/man/man1/linly-edge.1.gz
./usr/share/man/man1/linly-edge-run.1.gz
./usr/share/bash-completion/completions/linly-edge
./usr/share/doc/linly-edge/copyright
./usr/share/doc/linly-edge/changelog.gz
./usr/share/doc/linly-edge/third-party.txt.gz
""".split()
# The program without its symbols, in megabytes, is not to be larger where it was built to be shipped.
LARGEST_MB = 40
FORBIDDEN = ("/shared/", "/train/", ".py")


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def check(package, trial):
    listed = run("dpkg-deb", "--contents", str(package), check=True).stdout.splitlines()
    files = {line.split()[5]: line for line in listed}
    for name in INSIDE:
        expect(name in files, f"{name} is missing")
    for name, line in files.items():
        expect(not any(word in name for word in FORBIDDEN), f"{name} does not belong into it")
        expect(" root/root " in line, f"{name} does not belong to root")
    program = int(files["./usr/bin/linly-edge"].split()[2]) / 1e6
    expect(trial or program <= LARGEST_MB, f"the program has {program:.1f} MB; {LARGEST_MB} are allowed")
    told = run("lintian", "--fail-on", "error", "--tag-display-limit=0", str(package))
    errors = [line for line in told.stdout.splitlines() if line.startswith("E:")]
    expect(told.returncode == 0 and not errors, "lintian: " + "\n".join(errors or [told.stdout, told.stderr]))
    return len(files), program, [line for line in told.stdout.splitlines() if line.startswith("W:")]


def again(package, trial):
    """Packs once more, from the program of which this package was made."""
    shipped = {"amd64": "target/dist", "arm64": "target/aarch64-unknown-linux-gnu/dist"}
    program = trial or f"{shipped[kind(package)]}/linly-edge"
    with tempfile.TemporaryDirectory() as folder:
        done = run("packaging/deb.sh", program, folder, cwd=ROOT)
        expect(done.returncode == 0, done.stderr)
        digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
        expect(digest(pathlib.Path(folder) / package.name) == digest(package), f"{package.name} is not the same twice")


def kind(package):
    """Debian's name of the processor that it is for."""
    return package.stem.rsplit("_", 1)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--from", dest="program", help="the program in that of this machine; default: what was built with the profile dist")
    options = parser.parse_args()
    packages = sorted(options.folder.glob("*.deb"))
    expect(packages, f"there is no package in {options.folder}: make deb")
    own = run("dpkg", "--print-architecture", check=True).stdout.strip()
    for package in packages:
        trial = options.program if kind(package) == own else None
        count, program, warnings = check(package, trial)
        again(package, trial)
        size = package.stat().st_size / 1e6
        print(f"ok  {package.name}: {size:.1f} MB, {count} files, the program {program:.1f} MB;"
              " lintian without errors, the same twice")
        for warning in warnings:
            print(f"    {warning}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"failed: {failure}")
