#!/usr/bin/env python3
"""The camera on the emulated computer: every kind of picture, and everything that can happen to a camera.

    tests/devices/camera.py [--program target/release/linly-edge] [STEP…]

The kernel's driver `vivid` is the camera. What programs see of it is asked of `linly-edge try camera`.
"""

import argparse
import json
import pathlib

from vm import ROOT, Vm, expect, take, tell, until

# One of each way in which brightness lies in a picture.
FORMATS = ["YUYV", "UYVY", "NV12", "YU12", "422P", "GREY", "Y16", "RGB3", "BGR3", "XR24"]


def configure(vm, **keys):
    """Writes a configuration: keys of the table `watch`."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    text = '[devices]\ncamera = "v4l"\n[watch]\n' + "\n".join(lines) + "\n"
    path = vm.folder / "camera.toml"
    path.write_text(text)
    vm.push(path, "/tmp/camera.toml")


def command(seconds):
    return f"linly-edge --log info try camera --config /tmp/camera.toml --seconds {seconds} --json"


def seen(output):
    """What `try camera` prints; its log is around it."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    expect(lines, f"nothing is told: {output}")
    return json.loads(lines[-1])


def look(vm, seconds=1):
    _, output = vm.run(command(seconds), 120)
    return seen(output), output


def filming(vm):
    """Waits until `try camera` films: the driver's thread that makes the pictures runs."""
    until("nothing is filmed", lambda: vm.run("grep -q 'vivid.*vid-c' /proc/[0-9]*/comm")[0] == 0, 60)


def formats(vm):
    """Every format is read, at the size that was asked for."""
    vm.show_nothing()
    for name in FORMATS:
        configure(vm, format=name)
        sight, output = look(vm)
        expect(sight["negotiated"] and sight["negotiated"]["format"] == name, f"{name}: {output}")
        expect((sight["width"], sight["height"]) == (640, 480), f"{name}: {sight}")
        expect(sight["frames"] > 2 and sight["bad"] == 0, f"{name}: {sight}")
        expect(sight["contrast"] > 6, f"{name} shows nothing: {sight}")
        print(f"{name}: {sight['rate']:.1f} pictures a second, brightness {sight['brightness']:.0f}")
    configure(vm, turn=90)
    sight, _ = look(vm)
    expect((sight["width"], sight["height"]) == (480, 640), f"turned: {sight}")
    configure(vm, format="MJPG")
    _, output = vm.run(command(1))
    expect("MJPG, which watch.format asks for" in output, f"a format that it does not have: {output}")


def face(vm):
    """A face is counted, an empty room is not."""
    if not vm.has_face():
        print("skipped: the face, because ../shared/data/images/astronaut.png is not there")
        return
    configure(vm, format="YUYV")
    vm.show_face()
    sight, _ = look(vm, 8)
    expect(sight["people"] == 1, f"a face is in the picture: {sight}")
    print(f"a face: {sight['rate']:.1f} pictures a second, {sight['people']} person")
    vm.show_nothing()
    sight, _ = look(vm, 8)
    expect(sight["people"] == 0, f"the room is empty: {sight}")


def busy(vm):
    """A camera that another program uses is waited for, and the program is named."""
    configure(vm, format="YUYV")
    user = vm.spawn("exec v4l2-ctl -d $(linly-camera find cap) --stream-mmap --stream-to=/tmp/frames --stream-count=9000")
    until("nobody films", lambda: vm.run("test -s /tmp/frames")[0] == 0, 20)
    waiting = vm.spawn("exec " + command(15))
    waiting.wait_line("is used by v4l2-ctl", 60)
    user.stop()
    waiting.wait_line("the camera is back", 60)
    waiting.wait(120)
    expect(seen(waiting.output())["frames"] > 2, f"it comes when it is free: {waiting.output()}")


def forbidden(vm):
    """Who may not open the camera is told which group to join."""
    configure(vm)
    vm.must("chgrp video /dev/video*; chmod 660 /dev/video*")
    code, output = vm.run(f"setpriv --reuid 65534 --regid 65534 --clear-groups {command(1)}")
    expect(code != 0 and "must be in the group video" in output, f"permission: {output}")


def absent(vm):
    """A camera that is not there is waited for, with one warning."""
    configure(vm, camera="/dev/v4l/by-id/nothing")
    sight, output = look(vm, 2)
    expect(sight["frames"] == 0 and output.count("is it plugged in?") == 1, f"absent: {output}")


def stalls(vm):
    """A camera that sends nothing is given up and opened again; when it sends, all is well."""
    configure(vm, format="YUYV")
    control = "v4l2-ctl -d $(linly-camera find cap) -c percentage_of_dropped_buffers="
    film = vm.spawn("exec " + command(20))
    filming(vm)
    vm.must(control + "100")
    film.wait_line("sends no pictures", 60)
    vm.must(control + "0")
    film.wait(180)
    sight = seen(film.output())
    expect(sight["frames"] > 2 and "the camera is back" in film.output(), f"after a stall: {film.output()}")


def fails(vm):
    """A driver that reports an error is opened again."""
    configure(vm, format="YUYV")
    film = vm.spawn("exec " + command(12))
    filming(vm)
    vm.must("v4l2-ctl -d $(linly-camera find cap) -c inject_fatal_streaming_error=1")
    film.wait_line("the camera is back", 60)
    film.wait(180)
    expect(seen(film.output())["frames"] > 2, f"after an error: {film.output()}")


def unplugged(vm):
    """A camera that is pulled out is missed, and used again when it is back."""
    configure(vm, camera="vivid", format="YUYV")
    film = vm.spawn("exec " + command(40))
    filming(vm)
    removed = vm.unplug("camera")
    film.wait_line("the camera is away", 60)
    expect(removed.wait(30) == 0, f"it is not closed: {removed.output()}")
    vm.must("linly-plug plug camera")
    film.wait_line("the camera is back", 60)
    film.wait(300)
    sight = seen(film.output())
    expect(sight["frames"] > 2 and sight["people"] == 0, f"after replugging: {film.output()}")


STEPS = [formats, face, busy, forbidden, absent, stalls, fails, unplugged]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "target/release/linly-edge", type=pathlib.Path)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(step.__name__ for step in STEPS))
    options = parser.parse_args()
    with Vm("camera", limit=3600) as vm:
        vm.push(options.program, "/usr/bin/linly-edge", mode="755")
        take(STEPS, options.steps, vm)


if __name__ == "__main__":
    tell(main, "camera")
