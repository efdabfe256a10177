#!/usr/bin/env python3
"""Bundles on sticks update a kiosk with two slots, and what does not hold is taken back, by RAUC, GRUB and UEFI.

    tests/appliance/slots.py [--image out/slots] [--go-on] [STEP…]

The disk stands in for the Yocto image: its layout, boot loader and scripts are the layer's, its roots are Debian
(`make image-slots`). It keeps what is written to it from step to step. QEMU ends where the machine starts anew, so
that each boot is seen.
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/appliance"))

from boot import Appliance, whole  # noqa: E402
from vm import Gone, Vm, expect, take, tell, until  # noqa: E402

# A minute without a restart, after which a boot counts as good, and what an emulated processor needs before it.
HEALTHY_S = 150
INSTALL_S = 300


class Machine:
    """The kiosk's computer: it is switched on again and again."""

    def __init__(self, image, go_on):
        self.image, self.disk = image, image / "kept.qcow2"
        if not go_on:
            self.disk.unlink(missing_ok=True)

    def on(self, stick=None):
        """Switches it on: a context manager."""
        return Vm("slots", limit=3000, memory=1536, files=self.image, disk=self.disk, stick=stick and self.stick(stick))

    def stick(self, version):
        """The stick with that bundle."""
        return self.image / f"stick-{version}.img"


def running(vm):
    """Slot and release that run."""
    slot = vm.must("sed 's/.*rauc.slot=\\([AB]\\).*/\\1/' /proc/cmdline").strip()
    return slot, vm.must("cat /etc/linly-edge/release").strip()


def is_good(vm, kiosk, slot, release):
    """That slot runs with that release, shows the avatar, and is marked as good."""
    found = running(vm)
    expect(found == (slot, release), f"{found} runs instead of {(slot, release)}")
    kiosk.wait_active()
    whole.shows(vm, kiosk)
    until("the slot is not marked as good",
          lambda: kiosk.show("ActiveState", unit="rauc-mark-good.service") == ["active"], HEALTHY_S, 2)
    until("what became of the bundle is not told",
          lambda: vm.run("/usr/lib/linly-kiosk/update --result")[0] == 0
          and not vm.must("ls /var/lib/linly-edge-update | grep -x pending || true").strip(), 60, 2)
    kiosk.wait(f'boot_slot_info{{slot="{slot.lower()}",state="unknown"}}', lambda value: value == 1)


def wait_stick(vm, *words, pause=1):
    """Waits until what handles the stick says one of that."""
    journal = "journalctl --no-pager --boot --output=cat --unit='linly-kiosk-stick@*'"

    def said():
        text = vm.run(journal)[1]
        return any(word in text for word in words)

    until(f"nobody says {' or '.join(words)} of the stick", said, INSTALL_S, pause)


def boots(machine):
    """A new disk boots slot A, makes its data partition and its identity, and counts as good."""
    with machine.on() as vm:
        kiosk = Appliance(vm, None)
        is_good(vm, kiosk, "A", "0.1.0")
        vm.screenshot("booted.png")
        failed = vm.must("systemctl list-units --failed --plain --no-legend").strip()
        expect(not failed, f"units have failed: {failed}")
        name = vm.must("cat /data/device/name").strip()
        expect(name.startswith("kiosk-") and vm.must("openssl req -noout -subject -in /data/device/tls/server.csr").strip().endswith(name),
               f"the device is called {name!r}")
        code, said = vm.run("touch /usr/written /etc/written")
        expect(code != 0, f"the root can be written: {said}")


def refuses(machine):
    """A stick with a bundle that somebody else has signed changes nothing."""
    with machine.on() as vm:
        kiosk = Appliance(vm, None)
        kiosk.wait_active()
        vm.plug_stick(machine.stick("0.2.1"))
        wait_stick(vm, "no bundle that is trusted")
        kiosk.wait_told("refused", "none")


def loses_power(machine):
    """The power fails while a slot is written: the other one still runs."""
    with machine.on() as vm:
        Appliance(vm, None).wait_active()
        vm.plug_stick(machine.stick("0.2.0"))
        wait_stick(vm, "Updating slots", "Copying image to rootfs", pause=0.2)
        vm.qemu.kill()
        vm.qemu.wait()
    with machine.on() as vm:
        is_good(vm, Appliance(vm, None), "A", "0.1.0")


def updates(machine):
    """A stick is plugged in, and the kiosk starts anew with what it brings, while the stick is still there."""
    with machine.on() as vm:
        kiosk = Appliance(vm, None)
        kiosk.wait_active()
        vm.must("echo kept >/data/device/kept; echo kept >/var/lib/linly-edge/kept")
        vm.plug_stick(machine.stick("0.2.0"))
        vm.wait_gone(INSTALL_S)
    with machine.on(stick="0.2.0") as vm:
        kiosk = Appliance(vm, None)
        is_good(vm, kiosk, "B", "0.2.0")
        kiosk.wait_told("installed", "0.2.0")
        wait_stick(vm, "0.2.0 is still on trial", "0.2.0 is installed")
        expect(vm.must("cat /data/device/kept /var/lib/linly-edge/kept").split() == ["kept", "kept"], "something is lost")


def tries(machine):
    """What has no kernel is tried three times; then the slot before runs, and its stick is not taken again."""
    with machine.on() as vm:
        Appliance(vm, None).wait_active()
        vm.plug_stick(machine.stick("0.3.0"))
        vm.wait_gone(INSTALL_S)
    for _ in range(3):
        try:
            with machine.on(stick="0.3.0"):
                expect(False, "it starts without a kernel")
        except Gone:
            pass
    with machine.on(stick="0.3.0") as vm:
        kiosk = Appliance(vm, None)
        wait_stick(vm, "0.3.0 did not hold here before")
        is_good(vm, kiosk, "B", "0.2.0")
        kiosk.wait_told("rolled-back", "0.3.0")


def goes_back(machine):
    """What starts but whose kiosk does not is taken back when its time is over."""
    with machine.on() as vm:
        Appliance(vm, None).wait_active()
        vm.plug_stick(machine.stick("0.4.0"))
        vm.wait_gone(INSTALL_S)
    # It fails five times, and the machine starts anew once.
    with machine.on() as vm:
        expect(running(vm) == ("A", "0.4.0"), f"{running(vm)} runs")
        vm.wait_gone(300)
    with machine.on() as vm:
        kiosk = Appliance(vm, None)
        until("nobody says that it is out of order",
              lambda: "out of order" in vm.run("journalctl --no-pager --boot --unit=linly-edge-failed.service")[1], 300, 2)
        expect(kiosk.show("ActiveState", unit="boot-complete.target") == ["inactive"], "the boot counts as good")
        # What its timer does after half an hour.
        vm.must("systemctl start --no-block linly-kiosk-trial.service")
        vm.wait_gone(120)
    with machine.on() as vm:
        kiosk = Appliance(vm, None)
        is_good(vm, kiosk, "B", "0.2.0")
        kiosk.wait_told("rolled-back", "0.4.0")


STEPS = [boots, refuses, loses_power, updates, tries, goes_back]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=pathlib.Path, default=ROOT / "out/slots")
    parser.add_argument("--go-on", action="store_true", help="with the disk as the last step left it")
    parser.add_argument("steps", nargs="*", help="only these: " + " ".join(step.__name__ for step in STEPS))
    options = parser.parse_args()
    expect((options.image / "disk.raw").exists(), "there is no disk: make image-slots")
    take(STEPS, options.steps, Machine(options.image.resolve(), options.go_on))


if __name__ == "__main__":
    tell(main, "slots")
