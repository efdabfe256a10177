#!/usr/bin/env python3
"""An image boots into the kiosk, which survives what happens to kiosks.

    tests/appliance/boot.py [--image out/image] [--package out/packages/linly-edge_0.1.0_amd64.deb] [--power-loss N] [STEP…]

The image is Debian with its own kernel and our package (`make image-qemu`), booted by systemd in QEMU with a camera,
sound cards and a screen whose other ends this test holds. An emulated processor is many times slower than a kiosk's:
times are told, but limits are generous.
"""

import argparse
import http.client
import json
import pathlib
import random
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/devices"), str(ROOT / "tests/monitoring")]

import whole  # noqa: E402
from board import Tree  # noqa: E402
from vm import Failure, Vm, architecture, expect, take, tell, until  # noqa: E402

UNIT = "linly-edge.service"
# What the kernel gets: systemd as the first process.
APPEND = "linly.init=/sbin/init"
BOOT_S = 120
MESSAGE_READY = "6d1a3f0c2b5e4c57a1f58e0d7c9b4a01"


class Appliance(whole.Kiosk):
    """The kiosk of an image: systemd starts it."""

    def __init__(self, vm, package):
        self.vm, self.without, self.package = vm, (), package

    def show(self, *properties, unit=UNIT):
        """Properties of a unit, as systemd tells them."""
        names = ",".join(properties)
        lines = self.vm.must(f"systemctl show --property={names} {unit}").splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        return [values.get(name, "") for name in properties]

    def alive(self):
        """Fails if the unit has failed."""
        state, result = self.show("ActiveState", "Result")
        expect(state != "failed", f"{UNIT} has failed ({result}):\n{self.log(20)}")

    def log(self, lines=40):
        return self.vm.run(f"journalctl --no-pager --unit={UNIT} --lines={lines}")[1]

    def wait_active(self, limit=BOOT_S):
        """Waits until the unit is active: how long that took."""
        began = time.monotonic()
        until(f"{UNIT} is not active:\n{self.log()}", lambda: self.show("ActiveState") == ["active"], limit, 0.5)
        return time.monotonic() - began

    def configure(self, text):
        """Writes a layer of the configuration."""
        path = self.vm.folder / "test.toml"
        path.write_text(text)
        self.vm.push(path, "/etc/linly-edge/config.d/test.toml", mode="644")

    def wait_told(self, result, version):
        """Waits until the operator is told how the update to that version ended."""
        self.wait(f'update_timestamp_seconds{{result="{result}",version="{version}"}}', lambda value: (value or 0) > 0, 90)

    def journal(self, *matches):
        """Entries of this boot, with all fields."""
        output = self.vm.must(f"journalctl --boot --output=json --unit={UNIT} {' '.join(matches)}", 120)
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def boots(vm, kiosk):
    """The unit becomes active, and the avatar is on the screen."""
    kiosk.wait_active()
    kiosk.alive()
    whole.shows(vm, kiosk)
    usec = int(kiosk.show("ActiveEnterTimestampMonotonic")[0])
    status, = kiosk.show("StatusText")
    expect(status, "systemctl status says nothing")
    print(f"    active {usec / 1e6:.0f} s after the kernel's start; status: {status}", flush=True)
    vm.screenshot("booted.png")


def is_scraped(vm, kiosk):
    """Prometheus reaches it from outside, and no unit has failed."""
    metrics = vm.metrics()
    expect(any(name.startswith("linly_talker_build_info") for name in metrics), f"{len(metrics)} metrics")
    failed = vm.must("systemctl list-units --failed --plain --no-legend").strip()
    expect(not failed, f"units have failed: {failed}")


def tells(vm, kiosk):
    """Each line of the journal has its fields, and the catalogue explains it."""
    ready = kiosk.journal(f"MESSAGE_ID={MESSAGE_READY}")
    expect(ready and ready[-1].get("ADDRESS"), f"no line says that it is ready: {kiosk.log()}")
    models = [entry for entry in kiosk.journal() if "MODEL" in entry]
    expect(len(models) >= 4 and all(entry.get("STEP") and entry.get("STAGE") for entry in models), f"models: {models}")
    explained = vm.must(f"journalctl --boot --catalog --no-pager MESSAGE_ID={MESSAGE_READY}")
    expect("visitors" in explained, f"the catalogue explains nothing: {explained}")


def answers(vm, kiosk):
    """A question that is asked into the microphone is answered audibly, and its turn is in the journal."""
    whole.greets(vm, kiosk)
    whole.answers(vm, kiosk)
    until("no turn is in the journal", lambda: [entry for entry in kiosk.journal() if entry.get("END") == "finished"], 60, 1)


def is_confined(vm, kiosk):
    """It may do little: no capability, no way to write outside its folders."""
    pid, = kiosk.show("MainPID")
    status = vm.must(f"cat /proc/{pid}/status")
    effective = [line for line in status.splitlines() if line.startswith(("CapEff", "NoNewPrivs", "Seccomp:"))]
    expect("CapEff:\t0000000000000000" in effective and "NoNewPrivs:\t1" in effective, f"{effective}")
    told = vm.must(f"systemd-analyze security --no-pager {UNIT} | tail -n 1")
    print(f"    {told.strip()}", flush=True)


def is_healthy(vm, kiosk):
    """After a minute without a restart the boot counts as good."""
    # The file of systemd-boot-complete; nothing else wants the target in this image.
    vm.must("systemctl start --no-block boot-complete.target")
    until("boot-complete.target is not reached",
          lambda: kiosk.show("ActiveState", unit="boot-complete.target") == ["active"], 120, 2)


def reloads(vm, kiosk):
    """A reload takes over another greeting without a restart; a wrong configuration keeps the old one."""
    pid, = kiosk.show("MainPID")
    kiosk.configure('[converse]\ngreeting = "Welcome to the other house."\n')
    vm.must(f"systemctl reload {UNIT}", 120)
    until("the configuration is not read", lambda: "converse.greeting" in kiosk.log(), 120, 1)
    kiosk.configure("[converse]\ngreting = 1\n")
    vm.must(f"systemctl reload {UNIT}", 120)
    kiosk.wait("config_last_reload_successful", lambda value: value == 0, 120)
    expect("test.toml" in kiosk.log() and "greting" in kiosk.log(), f"the error names no place: {kiosk.log(10)}")
    expect(kiosk.show("MainPID") == [pid], "it was restarted")


def keeps_secrets(vm, kiosk):
    """It serves TLS with a key that only root may read and systemd hands to it."""
    key, certificate = vm.folder / "tls.key", vm.folder / "tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=kiosk", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    vm.push(key, "/etc/linly-edge/tls.key", mode="600")
    vm.push(certificate, "/etc/linly-edge/tls.crt", mode="644")
    web = vm.folder / "web-config.yml"
    web.write_text("tls_server_config:\n  cert_file: /etc/linly-edge/tls.crt\n"
                   "  key_file: /run/credentials/linly-edge.service/tls.key\n")
    vm.push(web, "/etc/linly-edge/web-config.yml", mode="644")
    unit = vm.folder / "tls.conf"
    unit.write_text("[Service]\nLoadCredential=tls.key:/etc/linly-edge/tls.key\n")
    drop_in = f"/etc/systemd/system/{UNIT}.d/tls.conf"
    vm.push(unit, drop_in, mode="644")
    kiosk.configure('[admin]\nweb_config = "/etc/linly-edge/web-config.yml"\n')
    vm.must(f"systemctl daemon-reload && systemctl restart {UNIT}", 400)
    kiosk.wait_active()
    trusted = ssl.create_default_context(cafile=certificate)

    def answered(scheme):
        try:
            with urllib.request.urlopen(f"{scheme}://localhost:{vm.port}/metrics", timeout=30, context=trusted) as answer:
                return "linly_talker_build_info" in answer.read().decode()
        except (OSError, http.client.HTTPException):
            return False

    until(f"nobody answers with TLS: {kiosk.log(20)}", lambda: answered("https"), 60, 1)
    expect(not answered("http"), "it answers without TLS, too")
    readable, _ = vm.run("setpriv --reuid=linly-edge --regid=linly-edge --clear-groups cat /etc/linly-edge/tls.key")
    expect(readable != 0, "whoever is the kiosk's user may read the key where it lies")
    # The steps that follow start it anew.
    vm.must(f"rm {drop_in} /etc/linly-edge/config.d/test.toml && systemctl daemon-reload")


def feels(vm, kiosk):
    """It reads the sensors of an Orin Nano, which are files here, and tells when that becomes hot."""
    board = Tree(vm.folder / "board", Tree.FIXTURE.with_name("t234-nano-r36.4.tree"))
    subprocess.run(["tar", "-C", board.folder, "-cf", vm.folder / "board.tar", "."], check=True)
    vm.push(vm.folder / "board.tar", "/root/board.tar")
    vm.must("mkdir -p /usr/share/board && tar -C /usr/share/board -xf /root/board.tar && chmod -R a+rX /usr/share/board")
    kiosk.configure('[sensors]\nroot = "/usr/share/board"\n')
    vm.must(f"systemctl restart {UNIT}", 400)
    kiosk.wait_active()
    cpu = 'temperature_celsius{sensor="cpu"}'
    kiosk.wait(cpu, lambda value: value == 47.5)
    kiosk.wait('thermal_sensor_readable{sensor="gpu"}', lambda value: value == 0)
    vm.must("echo 99500 >/usr/share/board/sys/class/thermal/thermal_zone0/temp")
    kiosk.wait(cpu, lambda value: value == 99.5)
    until("systemctl status does not tell that it is hot", lambda: "°C" in kiosk.show("StatusText")[0], 60, 1)
    print(f"    status: {kiosk.show('StatusText')[0]}", flush=True)


def waits(vm, kiosk):
    """A camera that appears after the start is taken into use without a hand."""
    camera = 'device_up{device="camera"}'
    kiosk.configure('[devices]\ncamera = "auto"\n[converse]\nforget_s = 5\n')
    vm.must(f"systemctl stop {UNIT}", 120)
    vm.unplug("camera").wait()
    vm.must(f"systemctl start {UNIT}", 400)
    kiosk.wait_active()
    expect(vm.metrics().get(f"linly_talker_{camera}") is None, "it has a camera already")
    vm.plug("camera")
    kiosk.wait(camera, lambda value: value == 1, 90)
    expect("a device has appeared" in kiosk.log(60), f"the journal does not say why: {kiosk.log(60)}")


def does_not_loop(vm, kiosk):
    """A wrong configuration is told on the screen and in the journal, and is not tried again and again."""
    kiosk.configure("[converse]\ngreting = 1\n")
    vm.run(f"systemctl restart {UNIT}", 120)
    until("it does not fail", lambda: kiosk.show("ActiveState") == ["failed"], 120, 1)
    code, restarts = kiosk.show("ExecMainStatus", "NRestarts")
    expect((code, restarts) == ("78", "0"), f"exit {code} after {restarts} restarts")
    out_of_order = "linly-edge-out-of-order@78.service"
    until("nobody says that it is out of order",
          lambda: kiosk.show("ActiveState", unit=out_of_order) == ["active"], 60, 1)

    def amber():
        """The sign is somewhere in the middle of the screen."""
        picture = vm.screen_picture("out-of-order.png")
        colours = (picture.at(x, y) for x in range(0, picture.width, 4) for y in range(320, 480, 4))
        return any(colour[0] > 220 and colour[2] < 120 for colour in colours)

    until("the screen does not say so", amber, 60, 2)
    vm.must("rm /etc/linly-edge/config.d/test.toml")
    vm.must(f"systemctl reset-failed && systemctl start {UNIT}", 400)
    kiosk.wait_active()


def is_restarted(vm, kiosk, signal, result):
    """Sends a signal and waits for what comes after it: how long until there are pictures again."""
    pid, = kiosk.show("MainPID")
    began = time.monotonic()
    vm.must(f"kill -{signal} {pid}")
    until(f"it is not started again after {signal}", lambda: kiosk.show("MainPID")[0] not in ("0", pid), 90, 0.5)
    noticed = time.monotonic() - began
    kiosk.wait_active()
    kiosk.wait("pictures_shown_total", lambda value: (value or 0) > 0)
    expect(result in kiosk.log(60), f"the journal does not say {result!r}: {kiosk.log(60)}")
    print(f"    started again after {noticed:.1f} s, a picture after {time.monotonic() - began:.1f} s", flush=True)


def hangs(vm, kiosk):
    """A process that hangs is ended by the watchdog and started again."""
    is_restarted(vm, kiosk, "STOP", "Watchdog timeout")


def dies(vm, kiosk):
    """A process that is killed is started again."""
    is_restarted(vm, kiosk, "KILL", "status=9/KILL")


def fills_up(vm, kiosk):
    """A full disk and a /var that cannot be written do not stop it."""
    vm.run("dd if=/dev/zero of=/filler bs=1M 2>/dev/null; sync", 400)
    free = vm.must("df --output=avail / | tail -n 1").strip()
    expect(free == "0", f"the disk has {free} KB left")
    vm.must(f"systemctl restart {UNIT}", 400)
    kiosk.wait_active()
    vm.must("rm /filler; mount --bind /var /var && mount -o remount,bind,ro /var")
    vm.must(f"systemctl restart {UNIT}", 400)
    kiosk.wait_active()
    whole.shows(vm, kiosk)
    vm.must("umount -l /var")


def other_version(kiosk, revision, program=None):
    """Our package once more, as another version; `program` is put in place of ours."""
    folder = kiosk.vm.folder / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-R", kiosk.package, folder], check=True)
    control = folder / "DEBIAN/control"
    version = kiosk.package.name.split("_")[1] + revision
    lines = [f"Version: {version}" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    if program:
        (folder / "usr/bin/linly-edge").write_text(program)
    package = kiosk.vm.folder / f"linly-edge_{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", folder, package], check=True, capture_output=True)
    return version, package


def installed(vm):
    return vm.must("dpkg-query --show --showformat '${Version}' linly-edge").strip()


def update(vm, package):
    """Calls the updater: its exit code and what it wrote."""
    vm.push(package, "/root/linly-edge.deb")
    return vm.run("/usr/lib/linly-edge/update /root/linly-edge.deb 2>&1", 900)


def upgrades(vm, kiosk):
    """An update keeps the configuration, one that does not work is taken back, and the older package may come again."""
    vm.must("echo '# ours' >> /etc/linly-edge/config.toml")
    version, package = other_version(kiosk, "+next")
    code, said = update(vm, package)
    expect(code == 0 and installed(vm) == version, f"the updater says {code}, {installed(vm)} is installed: {said}")
    broken, package = other_version(kiosk, "+worse", program="#!/bin/sh\nexit 1\n")
    code, said = update(vm, package)
    expect(code == 1 and installed(vm) == version, f"the updater says {code}, {installed(vm)} is installed: {said}")
    kiosk.wait_active()
    kiosk.wait_told("rolled-back", broken)
    vm.push(kiosk.package, "/root/linly-edge.deb")
    vm.must("dpkg --force-confold --force-downgrade --install /root/linly-edge.deb", 400)
    kiosk.wait_active()
    expect(installed(vm) == kiosk.package.name.split("_")[1], f"{installed(vm)} is installed")
    expect(vm.must("tail -n 1 /etc/linly-edge/config.toml").strip() == "# ours", "the configuration was replaced")


STEPS = [boots, is_scraped, tells, is_confined, answers, reloads, keeps_secrets, feels, waits, does_not_loop, is_healthy, hangs, dies, fills_up, upgrades]


def mends(vm, kiosk):
    """Waits until what was cut off has been ended: the version that is there then."""
    resume = "linly-edge-resume.service"
    until("the update is not ended", lambda: int(kiosk.show("ExecMainExitTimestampMonotonic", unit=resume)[0] or 0) > 0, 900, 1)
    audit, said = vm.must("dpkg --audit"), vm.run(f"journalctl --no-pager --boot --output=cat --unit={resume}")[1]
    expect(not audit.strip(), f"packages are broken: {audit}\n{said}")
    print("".join(f"    {line}\n" for line in said.splitlines() if line.startswith(("linly-edge ", "an update"))), end="", flush=True)
    kiosk.wait_active()
    whole.shows(vm, kiosk)
    return installed(vm)


def power_loss(options):
    """Takes the power away while an update is installed or resumed and while files are written, and boots again each time."""
    disk = options.image / "power-loss.qcow2"
    if not options.go_on:
        disk.unlink(missing_ok=True)
    dice = random.Random(options.seed)
    mended = 0
    for number in range(options.power_loss + 1):
        last = number == options.power_loss
        with Vm("power-loss", limit=3000, memory=1536, files=options.image, append=APPEND, disk=disk) as vm:
            kiosk = Appliance(vm, options.package)
            # What was cut off must not keep it from working, nor from being mended.
            took = kiosk.wait_active()
            whole.shows(vm, kiosk)
            told = f"active {took:.0f} s after systemd"
            # Every other time the mending is cut off too.
            if last or dice.random() < 0.5:
                told += f", {mends(vm, kiosk)} is installed"
                mended += number > 0
                if not last:
                    _, package = other_version(kiosk, f"+{number}")
                    vm.push(package, "/root/linly-edge.deb")
                    vm.spawn("/usr/lib/linly-edge/update /root/linly-edge.deb 2>&1")
            if number:
                print(f"ok  power loss {number}: {told}", flush=True)
            if last:
                break
            vm.spawn("while :; do dd if=/dev/urandom of=/var/lib/linly-edge/written bs=64k count=40 conv=fsync 2>/dev/null; done")
            # At any moment of the update, which takes a minute or two on an emulated processor, most of it for dpkg.
            time.sleep(dice.uniform(0.2, 60))
            vm.qemu.kill()
            vm.qemu.wait()
    print(f"ok  {options.power_loss} losses of power, after {mended} of them what was cut off was ended", flush=True)
    disk.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=pathlib.Path, default=ROOT / "out/image")
    parser.add_argument("--package", type=pathlib.Path, help="default: the one in out/packages")
    parser.add_argument("--power-loss", type=int, default=0, metavar="N", help="instead: take the power away so often")
    parser.add_argument("--go-on", action="store_true", help="with the disk of a series that was broken off")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which it is taken")
    parser.add_argument("steps", nargs="*", help="only these: " + " ".join(step.__name__ for step in STEPS))
    options = parser.parse_args()
    kind = architecture(options.image)
    options.package = options.package or next((ROOT / "out/packages").glob(f"*_{kind}.deb"), None)
    expect(options.package and options.image.exists(), "there is no image: make image-qemu")
    if options.power_loss:
        power_loss(options)
        return
    with Vm(f"appliance-{kind}", limit=3600, memory=1536, files=options.image, append=APPEND) as vm:
        print(f"systemd runs after {vm.boot_s:.0f} s", flush=True)
        vm.show_nothing()
        kiosk = Appliance(vm, options.package)
        take(STEPS, options.steps and ["boots", *options.steps], vm, kiosk)


if __name__ == "__main__":
    tell(main, "appliance-*")
