#!/usr/bin/env python3
"""The emulated computer itself, without the daemon: what goes into a device comes out at its other end.

    tests/devices/smoke.py [STEP…]
"""

import math
import struct
import sys
import wave

from pictures import empty_room
from vm import CAMERA, RATE, Vm, expect, peak, take, tell, until

TONE_HZ = 440


def tone(path, rate=16_000, seconds=2.0):
    """Writes a tone to a WAV."""
    samples = [int(9000 * math.sin(2 * math.pi * TONE_HZ * n / rate)) for n in range(int(rate * seconds))]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


def pitch(samples, rate):
    """The tone's frequency, from how often it rises through zero."""
    rises = sum(before < 0 <= after for before, after in zip(samples, samples[1:]))
    return rises * rate / max(1, len(samples))


def different(first, second):
    """Which share of the bytes of two pictures differ by more than rounding."""
    expect(len(first) == len(second), f"pictures of {len(first)} and {len(second)} bytes")
    return sum(abs(a - b) > 8 for a, b in zip(first, second)) / len(first)


def camera(vm):
    """What is shown to the camera is what programs get from it."""
    room = empty_room(*CAMERA).yuyv()
    vm.show_nothing()
    share = different(vm.camera_picture(), room)
    expect(share < 0.01, f"the camera's picture of an empty room differs from it in {share:.0%} of its bytes")
    if not vm.has_face():
        print("skipped: the face, because ../shared/data/images/astronaut.png is not there")
        return
    vm.show_face()
    share = different(vm.camera_picture(), room)
    expect(share > 0.5, f"the camera's picture of a face differs from the empty room in only {share:.0%} of its bytes")


def speaker(vm):
    """What a program plays reaches the host."""
    before = len(vm.audio())
    vm.push(tone(vm.folder / "tone.wav"), "/tmp/tone.wav")
    vm.must("aplay -q -D plughw:Speaker /tmp/tone.wav")
    start = vm.wait_audible(before)
    until("half a second is not to be heard", lambda: len(vm.audio(start)) >= RATE // 2, 10)
    heard = vm.audio(start)[: RATE // 2]
    heard = pitch(heard, RATE)
    expect(abs(heard - TONE_HZ) < 20, f"a tone of {TONE_HZ} Hz is heard as one of {heard:.0f} Hz")


def microphone(vm):
    """What the host plays into the microphone is recorded by a program."""
    recording = vm.spawn("exec arecord -q -D plughw:Loopback,0,0 -f S16_LE -r 16000 -c 1 -d 4 /share/heard.wav")
    until("nobody records", lambda: (vm.share / "heard.wav").exists(), 20)
    expect(vm.play_into_microphone(tone(vm.folder / "tone.wav")).wait() == 0, "aplay fails")
    expect(recording.wait() == 0, f"arecord fails: {recording.output()}")
    with wave.open(str(vm.share / "heard.wav")) as file:
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    windows = [samples[start : start + 800] for start in range(0, len(samples), 800)]
    loud = [window for window in windows if peak(window) > 3000]
    expect(len(loud) >= 20, f"only {len(loud) * 50} ms of the tone are heard")
    heard = sorted(pitch(window, 16_000) for window in loud)[len(loud) // 2]
    expect(abs(heard - TONE_HZ) < 25, f"a tone of {TONE_HZ} Hz is recorded as one of {heard:.0f} Hz")


def screen(vm):
    """What is written on the console is to be seen."""
    vm.must("printf '\\033[2J\\033[?25l' > /dev/tty1")
    before = vm.screen_picture("screen-empty.png")
    expect((before.width, before.height) == vm.screen, f"the screen has {before.width} times {before.height} pixels")
    vm.must("printf '\\033[47m\\033[2J' > /dev/tty1")

    def bright():
        return sum(vm.screen_picture("screen-white.png").at(vm.screen[0] // 2, vm.screen[1] // 2)) > 300

    until("the screen does not become bright", bright, 10)


def keys(vm):
    """Keys and touches arrive as the kernel's events."""
    for name, act in (("Keyboard", lambda: vm.press("a")), ("Tablet", lambda: vm.touch(100, 200))):
        event = vm.must(f"grep -l 'QEMU Virtio {name}' /sys/class/input/event*/device/name").split("/")[4]
        # One event of the kernel: two times of 8 bytes, type, code, value.
        reader = vm.spawn(f"exec dd if=/dev/input/{event} of=/share/event bs=24 count=1 2>/dev/null")
        # The file of its output exists once it runs; the device file is opened first.
        until(f"nobody reads {event}", lambda: (vm.share / "event").exists(), 10)
        act()
        expect(reader.wait() == 0, f"no event of the {name}")
        kind, code, value = struct.unpack("<16xHHi", (vm.share / "event").read_bytes())
        (vm.share / "event").unlink()
        if name == "Keyboard":
            expect((kind, code, value) == (1, 30, 1), f"the key A arrives as {kind}, {code}, {value}")
        else:
            place = 100 * 32_767 // (vm.screen[0] - 1)
            expect((kind, code) == (3, 0) and abs(value - place) < 50, f"a touch arrives as {kind}, {code}, {value}")


def unplug_camera(vm):
    """A program that uses the camera is told that it is gone; when it is back, it works."""
    vm.show_nothing()
    user = vm.spawn("rm -f /tmp/frames; exec v4l2-ctl -d $(linly-camera find cap) --stream-mmap --stream-to=/tmp/frames --stream-count=3000 > /dev/null 2>&1")
    until("nobody films", lambda: vm.run("test -s /tmp/frames")[0] == 0, 20)
    removed = vm.unplug("camera")
    user.wait(30)
    vm.must("rm /tmp/frames")
    expect(removed.wait(30) == 0, f"the camera cannot be unplugged: {removed.output()}")
    expect(vm.run("linly-camera find cap")[0] != 0, "the camera is still there")
    # Quicker than what feeds the camera, as a program that waits for it may be.
    vm.must("linly-plug plug camera")
    film = "v4l2-ctl -d $(linly-camera find cap) --set-fmt-video=width=640,height=480,pixelformat=YUYV --stream-mmap"
    user = vm.spawn(f"rm -f /tmp/frames; exec {film} --stream-to=/tmp/frames --stream-count=3000 > /dev/null 2>&1")
    until("nobody films", lambda: vm.run("test -s /tmp/frames")[0] == 0, 20)
    vm.show_nothing()
    vm.must("size=$(stat -c %s /tmp/frames); until [ $(stat -c %s /tmp/frames) -gt $((size + 614400 * 4)) ]; do :; done")
    user.stop()
    frame = vm.pull("/tmp/frames").read_bytes()
    frame = frame[: len(frame) // 614_400 * 614_400][-614_400:]
    share = different(frame, empty_room(*CAMERA).yuyv())
    expect(share < 0.01, f"who films from the first moment sees something else than what is shown, in {share:.0%}")
    camera(vm)


def unplug_sound(vm):
    """The same of loudspeaker and microphone."""
    for device, use in (
        ("speaker", "exec aplay -q -D plughw:Speaker -f S16_LE -r 48000 -c 2 /dev/zero"),
        ("microphone", "exec arecord -q -D plughw:Loopback,0,0 -f S16_LE -r 16000 -c 1 /dev/null"),
    ):
        card = "Speaker" if device == "speaker" else "Loopback"
        user = vm.spawn(use)
        until(f"nobody uses the {device}", lambda: "RUNNING" in vm.run(f"cat /proc/asound/{card}/pcm*/sub*/status")[1], 20)
        removed = vm.unplug(device)
        expect(user.wait(30) != 0, f"the program does not notice that the {device} is gone")
        expect(removed.wait(30) == 0, f"the {device} cannot be unplugged: {removed.output()}")
        expect(vm.run(f"test -e /proc/asound/{card}")[0] != 0, f"the {device} is still there")
        vm.plug(device)
    speaker(vm)
    microphone(vm)


STEPS = [screen, keys, speaker, microphone, camera, unplug_camera, unplug_sound]


def main():
    with Vm("smoke", limit=1800) as vm:
        print(f"booted in {vm.boot_s:.1f} s", flush=True)
        take(STEPS, sys.argv[1:], vm)


if __name__ == "__main__":
    tell(main, "smoke")
