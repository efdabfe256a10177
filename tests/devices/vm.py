"""A small computer with a camera, a microphone, a loudspeaker, a screen, a keyboard and a touch screen: QEMU with the
distribution's own kernel, so that what a program does with devices is tried on real drivers. See README.md.

    with Vm("try") as vm:
        vm.push("target/release/linly-edge", "/usr/bin/linly-edge")
        print(vm.run("linly-edge check"))
        vm.screenshot()
"""

import array
import atexit
import ctypes
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import typing
import urllib.request

from pictures import Picture, empty_room, read_png
from qmp import Qmp

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "out" / "devices"
# What may be used for tests but not be shipped lies beside the checkout, or beside that of which it is a worktree.
DATA = next((path for path in (parent / "shared/data" for parent in ROOT.parents) if path.exists()), ROOT / "absent")
CACHE = pathlib.Path(os.environ.get("LINLY_VM_CACHE", pathlib.Path.home() / ".cache/linly-edge/vm"))
# What the camera sends, and what the loudspeaker's WAV holds.
CAMERA = (640, 480)
RATE, CHANNELS = 48_000, 2
# What counts as something that is heard: this amplitude in 10 ms.
LOUDNESS, WINDOW = 600, RATE // 100
# An emulated processor is slow, and slower where others compute, too; all limits are multiplied by this.
PATIENCE = float(os.environ.get("LINLY_VM_PATIENCE", 3))
# What a disk is booted by that boots itself; Debian's package ovmf.
UEFI = "/usr/share/ovmf/OVMF.fd"
# Touches are told to QEMU in this range, whatever the screen's size is.
TOUCH_RANGE = 32_767


class Failure(Exception):
    """What did not happen, in words."""


class Gone(Failure):
    """The guest has ended: it was killed, shut down, or wanted to start anew."""


def expect(holds, what):
    """Fails with `what` unless it holds."""
    if not holds:
        raise Failure(what)


def take(steps, chosen, *parts):
    """Takes the steps whose names are `chosen`, all if none is, and tells each one's time; a step gets `parts`.

    What would begin after LINLY_VM_UNTIL, in seconds since 1970, is left out and named.
    """
    end = float(os.environ.get("LINLY_VM_UNTIL", "inf"))
    for step in steps:
        if chosen and step.__name__ not in chosen:
            continue
        if time.time() > end:
            print(f"left out, because the time is over: {step.__name__}: {step.__doc__}", flush=True)
            continue
        began = time.monotonic()
        step(*parts)
        print(f"ok  {step.__name__} ({time.monotonic() - began:.0f} s): {step.__doc__}", flush=True)


def tell(main, name):
    """Runs a test's `main`; a failure becomes a message that says where its traces lie."""
    try:
        main()
    except Failure as failure:
        sys.exit(f"failed: {failure}\nlogs and pictures are in {OUT.relative_to(ROOT)}/{name}")


def image():
    """The folder of the guest's files; builds them if their recipe has changed."""
    recipe = hashlib.sha256()
    for file in sorted(path for path in (HERE / "guest").iterdir() if path.is_file()):
        recipe.update(file.name.encode() + b"\0" + file.read_bytes())
    folder = CACHE / recipe.hexdigest()[:16]
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        print(f"building the guest in {folder}; once, and it takes minutes", flush=True)
        # In a folder of its own, so that two builds at a time do not mix; the first one wins.
        with tempfile.TemporaryDirectory(dir=CACHE, ignore_cleanup_errors=True) as building:
            result = pathlib.Path(building) / "guest"
            subprocess.run([HERE / "guest" / "build.sh", result], check=True)
            try:
                result.rename(folder)
            except OSError:
                pass
    return folder


def architecture(files):
    """Debian's name of the processor that a guest's files are for."""
    path = files / "arch"
    return path.read_text().strip() if path.exists() else "amd64"


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, holds, limit, pause=0.1):
    """Waits until `holds()` is true, and gives its value; fails with `what` after `limit` seconds."""
    end = time.monotonic() + limit * PATIENCE
    while not (value := holds()):
        if time.monotonic() > end:
            raise Failure(f"{what} (waited {limit * PATIENCE:.0f} s)")
        time.sleep(pause)
    return value


def peak(samples):
    """How loud samples are at most, 0 to 32768."""
    return max(max(samples), -min(samples)) if samples else 0


def _loud(samples):
    """For each 10 ms, whether something is to be heard."""
    return [peak(samples[start : start + WINDOW]) > LOUDNESS for start in range(0, len(samples), WINDOW)]


class Machine(typing.NamedTuple):
    """What QEMU needs to know about a kind of processor."""

    emulator: str
    board: str
    processor: str
    append: str


MACHINES = {
    "amd64": Machine("qemu-system-x86_64", "pc", "max", "console=ttyS0 tsc=reliable"),
    # The nearest to the cores of Orin (Cortex-A78AE) that this QEMU knows.
    "arm64": Machine("qemu-system-aarch64", "virt", "cortex-a76", "console=ttyAMA0"),
}


class Job:
    """A command that runs in the guest."""

    def __init__(self, vm, number, command):
        self.vm, self.number, self.command, self.code = vm, number, command, None
        self.path = vm.share / "jobs" / f"{number}.out"

    def output(self):
        """What it has written so far."""
        return self.path.read_text(errors="replace") if self.path.exists() else ""

    def ended(self):
        return self.code is not None

    def wait(self, limit=60):
        """Waits for its end: its exit code."""
        with self.vm.changed:
            if not self.vm.changed.wait_for(lambda: self.ended() or self.vm.gone, limit * PATIENCE):
                raise Failure(f"`{self.command}` has not ended in {limit * PATIENCE:.0f} s:\n{self.output()[-2000:]}")
        if not self.ended():
            raise Gone(f"the guest has gone before `{self.command}` ended")
        return self.code

    def wait_line(self, pattern, limit=60):
        """Waits for a line that the regular expression finds something in: the match."""
        regex = re.compile(pattern, re.MULTILINE)

        def found():
            # What has ended has written all that it will.
            ended = self.ended()
            if not (match := regex.search(self.output())) and ended:
                raise Failure(f"`{self.command}` ended ({self.code}) without a line {pattern!r}:\n{self.output()[-2000:]}")
            self.vm.check()
            return match

        return until(f"`{self.command}` has not written {pattern!r}", found, limit)

    def signal(self, name="TERM"):
        """Sends a signal to all of its processes."""
        if not self.ended():
            self.vm.tell(f"signal {self.number} {name}")

    def stop(self, limit=20):
        """Ends it, politely and then not."""
        self.signal("TERM")
        try:
            return self.wait(limit)
        except Failure:
            self.signal("KILL")
            return self.wait(limit)


class Vm:
    """The computer; a context manager, so that it ends whatever happens.

    `limit` bounds its whole life in seconds. Logs and pictures lie in `out/devices/NAME`.
    """

    def __init__(self, name="vm", limit=900, screen=(720, 1280), memory=1024, files=None, append="", disk=None, stick=None):
        """`files` is another guest than the one of these tests, `append` goes to its kernel; what it writes to its
        disk is kept in `disk`, if that is given. A guest with `disk.raw` boots itself. `stick` is plugged in."""
        self.name, self.limit, self.screen, self.memory = name, limit, screen, memory
        self.files, self.append, self.disk, self.stick = files, append, disk, stick
        self.folder = OUT / name
        self.changed, self.gone, self.jobs, self.number, self.ready = threading.Condition(), False, {}, 0, False
        self.port, self.qemu, self.qmp, self.channel = free_port(), None, None, None
        self.feeder, self.picture, self.crashed = None, 0, None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.keep_log()
        self.stop()

    # Life

    def start(self):
        """Boots, and waits until the guest listens."""
        try:
            return self._start()
        except Gone:
            # The emulator of Debian 12 has been seen to crash as a kernel began.
            if self.crashed is None:
                raise
            print(f"QEMU has crashed ({self.crashed}) and is started again", file=sys.stderr, flush=True)
            return self._start()

    def _start(self):
        files, self.gone, self.crashed = self.files or image(), False, None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # Names of sockets must be short.
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="linly-vm-"))
        atexit.register(self.stop)
        # So that what is ended from outside tidies up, too.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        self.share = self.work / "share"
        (self.share / "jobs").mkdir(parents=True)
        shutil.copytree(HERE / "guest" / "bin", self.share / "bin")
        began = time.monotonic()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.work / "channel"))
        listener.listen(1)
        with open(self.folder / "qemu.log", "wb") as log:
            self.qemu = subprocess.Popen(
                self._arguments(files), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent
            )
        # Bounded in time even if this program hangs.
        self.alarm = threading.Timer(self.limit, self._expire)
        self.alarm.daemon = True
        self.alarm.start()
        until("QEMU's control socket is not there", lambda: self._alive() and (self.work / "qmp").exists(), 20, 0.02)
        try:
            self.qmp = Qmp(self.work / "qmp")
        except (RuntimeError, OSError):
            self.qemu.wait(20)
            self._alive()
            raise
        listener.settimeout(20)
        self.channel, _ = listener.accept()
        listener.close()
        threading.Thread(target=self._listen, name="channel", daemon=True).start()
        with self.changed:
            self.changed.wait_for(lambda: self.ready or self.gone, 60 * PATIENCE)
        if not self.ready:
            self.keep_log()
            tail = "\n".join(self.console().splitlines()[-15:])
            kind = Gone if self.gone else Failure
            try:
                code = self.qemu.wait(5)
                self.crashed = signal.Signals(-code).name if -code in (signal.SIGSEGV, signal.SIGABRT) else None
            except subprocess.TimeoutExpired:
                pass
            self.stop()
            raise kind(f"the guest did not start:\n{tail}")
        self.boot_s = time.monotonic() - began
        return self

    def _arguments(self, files):
        accel = os.environ.get("LINLY_VM_ACCEL", "tcg,thread=multi")
        machine = MACHINES[architecture(files)]
        processor = os.environ.get("LINLY_VM_CPU", machine.processor)
        width, height = self.screen
        kernel = (
            f"{machine.append} quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on cryptomgr.notests "
            + self.append
        )
        boot, order = ["-kernel", f"{files}/vmlinux", "-initrd", f"{files}/initrd", "-append", kernel], ""
        content = files / "root.ext4"
        if (files / "disk.raw").exists():
            boot, order = ["-bios", UEFI, "-device", "qemu-xhci,id=usb"], ",bootindex=0"
            content = files / "disk.raw"
        disk = f"file={content},format=raw,snapshot=on"
        if self.disk:
            if not self.disk.exists():
                base = ["-f", "qcow2", "-F", "raw", "-b", content.resolve()]
                subprocess.run(["qemu-img", "create", "-q", *base, self.disk], check=True)
            disk = f"file={self.disk},format=qcow2"
        if self.stick:
            boot += ["-blockdev", f"driver=raw,node-name=stick,read-only=on,file.driver=file,file.filename={self.stick}"]
            boot += ["-device", "usb-storage,id=stick,drive=stick,bus=usb.0"]
        return f"""
            {machine.emulator} -M {machine.board} -accel {accel} -cpu {processor} -smp 2 -m {self.memory} -nodefaults -no-user-config
            -display none -no-reboot -qmp unix:{self.work}/qmp,server=on,wait=off
            -drive if=none,id=root,{disk}
            -device virtio-blk-pci,drive=root{order}
            -device virtio-gpu-pci,xres={width},yres={height}
            -device virtio-keyboard-pci -device virtio-tablet-pci
            -device virtio-serial-pci -chardev socket,id=channel,path={self.work}/channel
            -device virtserialport,chardev=channel,name=channel
            -serial file:{self.work}/console.log
            -audiodev wav,id=speaker,path={self.work}/speaker.wav,out.frequency={RATE},out.channels={CHANNELS}
            -device intel-hda -device hda-output,audiodev=speaker
            -fsdev local,id=share,path={self.share},security_model=none
            -device virtio-9p-pci,fsdev=share,mount_tag=share
            -netdev user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:9090
            -device virtio-net-pci,netdev=net,romfile=
        """.split() + boot

    def stop(self):
        """Ends the guest and removes what it needed. Nothing that it wrote to its disk remains."""
        atexit.unregister(self.stop)
        if self.qemu is None:
            return
        self.alarm.cancel()
        try:
            # So that the loudspeaker's file is finished.
            self.qmp.execute("quit", limit=5)
            self.qemu.wait(10)
        except Exception:  # whatever is wrong with it, it must go
            pass
        self.qemu.kill()
        self.qemu.wait()
        for connection in (self.qmp, self.channel):
            if connection:
                connection.close()
        if (self.work / "speaker.wav").exists():
            shutil.copy(self.work / "speaker.wav", self.folder)
        shutil.rmtree(self.work, ignore_errors=True)
        self.qemu = None

    def _alive(self):
        if self.qemu.poll() is not None:
            raise Failure(f"QEMU ended: {(self.folder / 'qemu.log').read_text(errors='replace').strip()}")
        return True

    def _expire(self):
        print(f"{self.name}: the guest has lived for {self.limit} s and is ended", file=sys.stderr, flush=True)
        self.qemu.kill()

    def check(self):
        """Fails if the guest has gone."""
        if self.gone:
            self.keep_log()
            raise Gone("the guest has gone:\n" + "\n".join(self.console().splitlines()[-15:]))

    def console(self):
        """What the kernel has said."""
        path = self.work / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def keep_log(self):
        """Keeps what would explain a failure: the kernel's words and the output of every command."""
        (self.folder / "console.log").write_text(self.console())
        with open(self.folder / "commands.log", "w") as log:
            for job in self.jobs.values():
                log.write(f"## {job.command}\n{job.output()}\n## {job.code}\n\n")

    # Commands

    def _listen(self):
        with self.channel.makefile(errors="replace") as lines:
            try:
                for line in lines:
                    words = line.split()
                    with self.changed:
                        if words == ["ready"]:
                            self.ready = True
                        elif len(words) == 3 and words[0] == "done":
                            self.jobs[int(words[1])].code = int(words[2])
                        self.changed.notify_all()
            except OSError:
                pass
        with self.changed:
            self.gone = True
            self.changed.notify_all()

    def tell(self, line):
        self.channel.sendall(line.encode() + b"\n")

    def spawn(self, command):
        """Starts a shell command: a Job."""
        self.check()
        with self.changed:
            self.number += 1
            job = self.jobs[self.number] = Job(self, self.number, command)
        script = self.share / "jobs" / f"{job.number}.sh"
        script.write_text(f"echo $$ > /share/jobs/{job.number}.pid\n{command}\n")
        self.tell(f"run {job.number}")
        return job

    def run(self, command, timeout=60):
        """Runs a shell command: its exit code and what it wrote."""
        job = self.spawn(command)
        try:
            code = job.wait(timeout)
        except Failure:
            job.signal("KILL")
            raise
        return code, job.output()

    def must(self, command, timeout=60):
        """What a command wrote that must succeed."""
        code, output = self.run(command, timeout)
        if code != 0:
            raise Failure(f"`{command}` failed ({code}): {output.strip()[-2000:]}")
        return output

    # Files

    def push(self, path, to, mode=None):
        """Copies a file or a folder of the host into the guest, with its rights or with `mode`."""
        source = pathlib.Path(path)
        passing = self.share / "push" / source.name
        shutil.rmtree(passing.parent, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, passing)
        else:
            passing.parent.mkdir()
            shutil.copy(source, passing)
        if mode:
            passing.chmod(int(mode, 8))
        # -T: what is copied gets the name `to`, even where a folder of that name exists.
        self.must(f"mkdir -p \"$(dirname '{to}')\" && cp -r -T '/share/push/{source.name}' '{to}'", 120)

    def pull(self, path, to=None):
        """Copies a file of the guest: its place on the host."""
        target = pathlib.Path(to) if to else self.folder / pathlib.Path(path).name
        self.must(f"cp '{path}' /share/pull", 120)
        shutil.move(self.share / "pull", target)
        return target

    # Screen, keyboard, touch

    def screenshot(self, name=None):
        """What the screen shows, as a PNG: its place. A name without a folder is one in `out/devices`."""
        self.picture += 1
        path = self.folder / (name or f"screen-{self.picture:02}.png")
        self.qmp.execute("screendump", filename=str(path), format="png")
        return path

    def screen_picture(self, name=None):
        """What the screen shows, as a Picture."""
        return read_png(self.screenshot(name))

    def press(self, key):
        """Presses and releases a key, by QEMU's name: `a`, `ret`, `spc`, `esc`, `f1`."""
        for down in (True, False):
            pressed = {"down": down, "key": {"type": "qcode", "data": key}}
            self.qmp.execute("input-send-event", events=[{"type": "key", "data": pressed}])

    def touch(self, x, y):
        """Touches a pixel of the screen and lets go."""
        place = zip(("x", "y"), (x, y), self.screen)
        moved = [
            {"type": "abs", "data": {"axis": axis, "value": value * TOUCH_RANGE // (size - 1)}}
            for axis, value, size in place
        ]
        self.qmp.execute("input-send-event", events=moved)
        for down in (True, False):
            self.qmp.execute("input-send-event", events=[{"type": "btn", "data": {"down": down, "button": "left"}}])

    # Sound

    def audio(self, after=0):
        """What the loudspeaker has played so far: samples of the left channel, from sample `after` on. Time in which
        no program had the loudspeaker open is left out."""
        size = 2 * CHANNELS
        try:
            with open(self.work / "speaker.wav", "rb") as file:
                file.seek(44 + after * size)
                data = file.read()
        except FileNotFoundError:
            data = b""
        return array.array("h", data[: len(data) // size * size])[::CHANNELS]

    def wait_audible(self, after=0, limit=60, seconds=0.3):
        """Waits until so many seconds of sound have been heard after sample `after`: the sample where it began."""

        def heard():
            self.check()
            loud = _loud(self.audio(after))
            return after + loud.index(True) * WINDOW + 1 if sum(loud) * WINDOW >= seconds * RATE else None

        return until("nothing is to be heard", heard, limit)

    def wait_quiet(self, seconds=1.0, limit=60):
        """Waits until the loudspeaker has been silent for so long: the sample where it became silent."""
        since, place = time.monotonic(), len(self.audio())

        def quiet():
            nonlocal since, place
            self.check()
            loud = _loud(self.audio(place))
            if any(loud):
                since, place = time.monotonic(), place + len(loud) * WINDOW
            return time.monotonic() - since > seconds

        until("it does not become quiet", quiet, limit)
        return place + 1

    def play_into_microphone(self, wav):
        """Plays a WAV of the host into the microphone: a Job that ends with it."""
        name = f"/tmp/{pathlib.Path(wav).name}"
        self.push(wav, name)
        return self.spawn(f"exec aplay -q -D plughw:Loopback,1,0 '{name}'")

    # Camera

    def show(self, picture):
        """Shows a Picture to the camera, from now on."""
        fitted = picture if (picture.width, picture.height) == CAMERA else picture.fitted(*CAMERA)
        passing = self.share / "camera.yuyv"
        passing.write_bytes(fitted.yuyv())
        # In place, because the program that feeds the camera reads this file again and again.
        self.must("dd if=/share/camera.yuyv of=/run/camera.yuyv bs=1M conv=notrunc status=none")
        if self.feeder is None or self.feeder.ended():
            self.feeder = self.spawn("exec linly-camera feed")
            self.feeder.wait_line("feeding")

    def show_face(self, path=None):
        """Shows a face to the camera: a PNG, or the one of the test data."""
        self.show(read_png(path or DATA / "images" / "astronaut.png"))

    def show_nothing(self):
        """Shows an empty room to the camera."""
        self.show(empty_room(*CAMERA))

    def has_face(self):
        """Whether the picture of a face is there, which may not be shipped."""
        return (DATA / "images" / "astronaut.png").exists()

    def camera(self):
        """The camera's device file, which may be another one after it was unplugged."""
        return self.must("linly-camera find cap").strip()

    def camera_picture(self):
        """What a program gets from the camera while nobody else uses it: a frame, as bytes."""
        width, height = CAMERA
        self.must(
            f"v4l2-ctl -d $(linly-camera find cap) --set-fmt-video=width={width},height={height},pixelformat=YUYV"
            " --stream-mmap --stream-skip=2 --stream-count=1 --stream-to=/share/frame >/dev/null"
        )
        return (self.share / "frame").read_bytes()

    # Plugging

    def unplug(self, device):
        """Takes `camera`, `speaker` or `microphone` away from its driver, as if its cable were pulled: programs that use
        it get errors. The kernel waits until they have closed it; so does the Job that is returned."""
        if device == "camera" and self.feeder is not None:
            self.feeder.stop()
        return self.spawn(f"exec linly-plug unplug {device}")

    def plug(self, device, limit=60):
        """Gives it back, and waits for it; the camera sees an empty room."""
        self.must(f"linly-plug plug {device}", limit)
        if device == "camera":
            self.show_nothing()

    def plug_stick(self, image):
        """Plugs a USB stick in, which has the content of the file `image` and cannot be written."""
        file = {"driver": "file", "filename": str(image)}
        self.qmp.execute("blockdev-add", driver="raw", **{"node-name": "stick", "read-only": True, "file": file})
        self.qmp.execute("device_add", driver="usb-storage", id="stick", drive="stick", bus="usb.0")

    def wait_gone(self, limit=60):
        """Waits until the guest ends by itself, which is also what becomes of a restart."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.gone, limit * PATIENCE):
                raise Failure(f"the guest has not ended in {limit * PATIENCE:.0f} s")

    # The daemon's administration

    def get(self, path, limit=10):
        """What the daemon answers on port 9090: text, or None as long as nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=limit * PATIENCE) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def metrics(self):
        """The daemon's metrics: the values by name with labels."""
        values = {}
        for line in (self.get("/metrics") or "").splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.partition("} ") if "{" in line else line.partition(" ")
                values[series + ("}" if "{" in line else "")] = float(value.split()[0])
        return values

    def wait_metric(self, series, holds, limit=60):
        """Waits until a metric's value, or None where it is not there, is as it should be: the value."""
        seen = []

        def value():
            self.check()
            seen[:] = [self.metrics().get(series)]
            return holds(seen[0])

        try:
            until("", value, limit, 0.3)
        except Failure:
            raise Failure(f"{series} is {seen[0]} (waited {limit * PATIENCE:.0f} s)") from None
        return seen[0]


def _die_with_parent():
    """So that no QEMU is left when the test is killed."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


__all__ = ["CAMERA", "DATA", "Failure", "Gone", "Job", "OUT", "Picture", "RATE", "ROOT", "Vm", "peak", "until"]
