#!/usr/bin/env python3
"""A visitor meets the real daemon on real drivers: is greeted, asks, is answered, interrupts; cables are pulled.

    tests/devices/whole.py [--program target/release/linly-edge] [--without camera] [--without display] [STEP…]

An emulated processor is many times slower than a kiosk: what is checked here is that things happen, not how fast.
"""

import argparse
import json
import pathlib
import re

from vm import HERE, ROOT, Failure, Vm, expect, take, tell, until

VISITOR = ROOT / "tests" / "data" / "audio" / "visitor.wav"
# What a device is replaced by that the test goes without.
OFF = {"camera": "off", "display": "headless"}
# An answer is said more slowly than a visitor would wait for.
ANSWER_S = 180
UNDERSTOOD = 'requests_total{model="asr",status="ok"}'


class Kiosk:
    """The daemon in the guest."""

    def __init__(self, vm, program, without=()):
        self.vm, self.without = vm, without
        vm.push(program, "/usr/bin/linly-edge", mode="755")
        for folder in ("models/starter", "avatar"):
            vm.push(ROOT / folder, f"/usr/share/linly-edge/{folder}")
        config = vm.folder / "config.toml"
        text = (HERE / "kiosk.toml").read_text()
        for device in without:
            text = re.sub(rf'^{device} = ".*"', f'{device} = "{OFF[device]}"', text, flags=re.MULTILINE)
        config.write_text(text)
        vm.push(config, "/etc/linly-edge/config.toml")
        self.job = vm.spawn("exec linly-edge run")

    def alive(self):
        """Fails if the daemon has ended."""
        if self.job.ended():
            raise Failure(f"the daemon has ended ({self.job.code}):\n{self.job.output()[-3000:]}")

    def metric(self, name, absent=0):
        """A metric's value now, or `absent`."""
        return self.vm.metrics().get(f"linly_talker_{name}", absent)

    def wait(self, name, holds, limit=60):
        """Waits for a metric of the daemon while it lives."""

        def holding(value):
            self.alive()
            return holds(value)

        return self.vm.wait_metric(f"linly_talker_{name}", holding, limit)

    def wait_more(self, name, before, limit=60):
        """Waits until a counter has grown."""
        return self.wait(name, lambda value: (value or 0) > before, limit)

    def wait_idle(self):
        """Waits until it neither thinks nor speaks: what sounds later is the answer to what is asked later."""

        def idle():
            self.alive()
            return json.loads(self.vm.get("/status") or "{}").get("state") in ("idle", "listening")

        until("the daemon does not end its answer", idle, ANSWER_S)
        self.vm.wait_quiet()

    def ask(self):
        """A visitor asks, and is understood and answered: the sample where the answer begins to sound."""
        self.wait_idle()
        place, understood = len(self.vm.audio()), self.metric(UNDERSTOOD)
        expect(self.vm.play_into_microphone(VISITOR).wait(60) == 0, "the question cannot be played")
        self.wait_more(UNDERSTOOD, understood, ANSWER_S)
        return self.vm.wait_audible(place, limit=ANSWER_S)


def ready(vm, kiosk):
    """It becomes ready, and no device is away."""

    def answers():
        kiosk.alive()
        return vm.get("/readyz")

    until("the daemon does not become ready", answers, ANSWER_S)
    for device in ("microphone", "speaker", "camera"):
        # What has never been away may be told by no series.
        expect(kiosk.metric(f'device_up{{device="{device}"}}', 1) == 1, f"the {device} is away")


def shows(vm, kiosk):
    """The avatar is on the screen."""
    if "display" in kiosk.without:
        return
    kiosk.wait_more("pictures_shown_total", kiosk.metric("pictures_shown_total") + 3)
    picture = vm.screen_picture("avatar.png")
    colours = {picture.at(x, y) for x in range(0, picture.width, 8) for y in range(0, picture.height, 8)}
    expect(len(colours) > 500, f"the screen has only {len(colours)} colours, and no portrait")


def greets(vm, kiosk):
    """Who comes into the camera's sight is greeted, audibly."""
    if "camera" in kiosk.without:
        # Then it greets when it is ready.
        kiosk.wait_more("greetings_total", 0)
        vm.wait_audible(limit=ANSWER_S)
        return
    if not vm.has_face():
        print("skipped: greeting, because ../shared/data/images/astronaut.png is not there")
        return
    kiosk.wait_idle()
    place, before = len(vm.audio()), kiosk.metric("greetings_total")
    vm.show_face()
    kiosk.wait_more("greetings_total", before)
    vm.wait_audible(place, limit=ANSWER_S)
    vm.screenshot("greeting.png")


def answers(vm, kiosk):
    """A question that is asked into the microphone is answered audibly, with captions."""
    kiosk.wait_idle()
    silent = vm.screen_picture("before-answer.png")
    before = kiosk.metric('turns_total{end="finished"}')
    kiosk.ask()
    speaking = vm.screen_picture("answer.png")
    kiosk.wait_more('turns_total{end="finished"}', before, ANSWER_S)
    if "display" in kiosk.without:
        return
    # The captions are somewhere in the lower third.
    points = [(x, y) for x in range(0, silent.width, 2) for y in range(silent.height * 2 // 3, silent.height, 2)]
    changed = sum(silent.at(*point) != speaking.at(*point) for point in points) / len(points)
    expect(changed > 0.01, f"only {changed:.1%} of where captions should be has changed")


def interrupts(vm, kiosk):
    """Who speaks into an answer silences it."""
    before = kiosk.metric("barge_ins_total")
    kiosk.ask()
    # The first two seconds are protected from mere noise, not from words.
    vm.play_into_microphone(VISITOR)
    kiosk.wait_more("barge_ins_total", before)
    vm.screenshot("interrupted.png")
    vm.wait_quiet(limit=ANSWER_S)


def pulls(vm, kiosk, device):
    """Pulls a cable, sees that it is noticed, and puts it back."""
    removed = vm.unplug(device)
    kiosk.wait(f'device_up{{device="{device}"}}', lambda value: value == 0)
    expect(removed.wait() == 0, f"the {device} cannot be unplugged: {removed.output()}")
    vm.screenshot(f"without-{device}.png")
    vm.plug(device)
    kiosk.wait(f'device_up{{device="{device}"}}', lambda value: value == 1)


def loses_camera(vm, kiosk):
    """The camera is pulled and put back, and sees again."""
    if "camera" in kiosk.without:
        return
    # Whoever is there all the time is not greeted again.
    vm.show_nothing()
    kiosk.wait("people_in_view", lambda value: value == 0)
    pulls(vm, kiosk, "camera")
    greets(vm, kiosk)


def loses_sound(vm, kiosk):
    """Loudspeaker and microphone are pulled and put back, and it answers again."""
    pulls(vm, kiosk, "speaker")
    pulls(vm, kiosk, "microphone")
    kiosk.ask()


def is_left(vm, kiosk):
    """Who goes ends the visit."""
    if "camera" in kiosk.without or not vm.has_face():
        return
    before = kiosk.metric('sessions_ended_total{end="left"}')
    vm.show_nothing()
    kiosk.wait_more('sessions_ended_total{end="left"}', before, 120)


def stops(_, kiosk):
    """It ends when it is told to."""
    code = kiosk.job.stop()
    expect(code == 0, f"it ends with {code}:\n{kiosk.job.output()[-2000:]}")


STEPS = [ready, shows, greets, answers, interrupts, loses_camera, loses_sound, is_left, stops]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/linly-edge")
    parser.add_argument("--without", action="append", choices=OFF, default=[], help="a device that is not used")
    parser.add_argument("steps", nargs="*", help="only these: " + " ".join(step.__name__ for step in STEPS))
    options = parser.parse_args()
    with Vm("whole", limit=3600) as vm:
        vm.show_nothing()
        kiosk = Kiosk(vm, options.program, options.without)
        print(f"the guest is up after {vm.boot_s:.0f} s", flush=True)
        take(STEPS, options.steps and ["ready", *options.steps], vm, kiosk)


if __name__ == "__main__":
    tell(main, "whole")
