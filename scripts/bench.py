#!/usr/bin/env python3
"""Measures what docs/benchmarks.md tells, and writes it there.

    scripts/bench.py [--program target/release/linly-edge] [--only asr,llm,…] [--turns 20]

Needs Python and the Debian packages that `scripts/setup.sh bench` installs. Both backends are measured
where out/onnxruntime/libonnxruntime.so is there (`scripts/onnxruntime.sh` fetches it).
"""

import argparse
import array
import datetime
import hashlib
import json
import math
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
import wave

from bench_echo import echo

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "benchmarks.md"
LIBRARY = ROOT / "out" / "onnxruntime" / "libonnxruntime.so"
QUESTIONS = [
    "Where is the training room?",
    "When do you open?",
    "Where can I park my car?",
    "Who is the director?",
    "Where are the toilets?",
]
ADDRESS = "127.0.0.1:19090"


class Bench:
    """Runs the program and collects rows."""

    def __init__(self, options, work):
        self.program, self.options, self.work, self.rows = options.program, options, work, []
        self.backends = ["tract"] + (["ort"] if LIBRARY.exists() else [])

    def row(self, what, bar, results):
        """Adds a row; `results` has a text for each backend, or one text for both."""
        cells = [results.get(backend, "–") for backend in ("tract", "ort")] if isinstance(results, dict) else [results, ""]
        print(f"{what}: {', '.join(filter(None, cells))} (bar: {bar})", flush=True)
        self.rows.append([what, bar, *cells])

    def flags(self, backend):
        return ["--backend", backend, "--threads", "1"] + (["--library", str(LIBRARY)] if backend == "ort" else [])

    def lines(self, arguments, text=None):
        """What the program prints under --json, parsed; on one core."""
        command = ["taskset", "-c", "0", self.program, *arguments, "--json"]
        done = subprocess.run(command, input=text, text=True, check=True, capture_output=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def flite(self, text, voice="rms"):
        path = self.work / (re.sub(r"\W+", "-", f"{voice} {text}") + ".wav")
        if not path.exists():
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True)
        return path


def percent(part, whole):
    return f"{100 * part / max(1, whole):.1f} %"


def asr(bench):
    script = ROOT / "models/train/asr/evaluate.py"
    rates, rivals, speed = {}, None, {}
    for backend in bench.backends:
        extra = ["--rival"] if backend == "tract" and bench.options.rival else []
        done = subprocess.run(
            [sys.executable, script, "--program", bench.program, "--json", *extra, "--", *bench.flags(backend)],
            text=True, check=True, capture_output=True)
        found = json.loads(done.stdout)
        ours = [row for row in found if row["listener"] == "linly-edge"]
        rates[backend] = "; ".join(f"{row['voice']} {100 * row['rate']:.1f} %" for row in ours)
        theirs = [row for row in found if row["listener"] == "pocketsphinx"]
        rivals = rivals or "; ".join(f"{row['voice']} {100 * row['rate']:.1f} %" for row in theirs)
        files = [str(bench.flite(question)) for question in QUESTIONS]
        timed = bench.lines(["try", "asr", *files, *bench.flags(backend)])
        factor = sum(line["took_ms"] for line in timed) / 1000 / sum(line["seconds"] for line in timed)
        slowest = max(line["finish_ms"] for line in timed)
        speed[backend] = f"{factor:.3f} (text {slowest:.0f} ms after the end at most)"
    bench.row("ASR word error rate, voices never trained on", "≤ 15 % each", rates)
    if rivals:
        bench.row("the same, pocketsphinx with its general model", "to compare", rivals)
    bench.row("ASR real-time factor, one core", "≤ 0.1", speed)


def free_pack(bench):
    """The starter pack with a language model that speaks freely."""
    folder = bench.work / "free"
    if not folder.exists():
        shutil.copytree(ROOT / "models/starter", folder)
        text = (folder / "pack.toml").read_text()
        (folder / "pack.toml").write_text(text.replace('"guided-decoder"', '"decoder"'))
    return folder


def llm(bench):
    script = ROOT / "models/train/llm/evaluate.py"
    right, speed = {}, {}
    for backend in bench.backends:
        told, sums = [], [0, 0, 0, 0]
        runs = [(number, []) for number in ("", "second-", "third-", "fourth-", "fifth-")]
        for number, extra in [*runs, ("", ["--pack", str(free_pack(bench))])]:
            site = [f"--{what}={script.parent}/eval/{number}{what}.{kind}" for what, kind in (("site", "toml"), ("questions", "tsv"))]
            done = subprocess.run(
                [sys.executable, script, "--binary", bench.program, *site, "--", *bench.flags(backend), *extra],
                text=True, check=True, capture_output=True)
            counts = [int(count) for pair in re.findall(r": (\d+) of (\d+)", done.stdout) for count in pair]
            told.append("right {} of {}, invented {} of {}".format(*counts))
            if not extra:
                sums = [total + count for total, count in zip(sums, counts)]
        share = f"{100 * sums[0] / sums[1]:.1f} %, {100 * sums[2] / sums[3]:.1f} %"
        right[backend] = f"guided, five sites: {share} ({'; '.join(told[:-1])}); writing freely, first site: {told[-1]}"
        asked = "\n".join(QUESTIONS * 4) + "\n"
        timed = bench.lines(["try", "llm", *bench.flags(backend)], asked)
        first = statistics.median(line["first_token_ms"] for line in timed)
        # Guided answers are chosen and not written, so the pace of writing is that of the free model.
        free = bench.lines(["try", "llm", "--pack", str(free_pack(bench)), *bench.flags(backend)], asked)
        rates = [line["tokens_per_second"] for line in free if line["tokens"] > 3]
        speed[backend] = f"{first:.0f} ms / {statistics.median(rates):.0f}"
    bench.row("LLM on unseen sites: facts right, absent facts answered all the same", "≥ 80 %, ≤ 5 %", right)
    bench.row("LLM first token / tokens per second, one core", "≤ 150 ms / ≥ 30", speed)


def tts(bench):
    speed = {}
    for backend in bench.backends:
        out = bench.work / "tts.wav"
        timed = [
            bench.lines(["try", "tts", "--text", text, "--out", str(out), *bench.flags(backend)])[0]
            for text in ("The training room is on the second floor, left of the lift.", "We open at nine.")
        ]
        factor = sum(line["took_ms"] for line in timed) / 1000 / sum(line["seconds"] for line in timed)
        speed[backend] = f"{factor:.3f}"
    bench.row("TTS real-time factor, one core", "≤ 0.3", speed)
    done = subprocess.run(
        [sys.executable, ROOT / "models/train/tts/evaluate.py", "--",
         bench.program, "try", "tts", "--text", "{text}", "--out", "{wav}"],
        text=True, check=True, capture_output=True)
    bench.row("TTS words that pocketsphinx gets wrong, ours against the teachers", "≤ 8 points more",
              "; ".join(done.stdout.splitlines()))


def envelope(path, step=0.005):
    """Loudness of a WAV every `step` seconds."""
    with wave.open(str(path)) as file:
        rate, samples = file.getframerate(), array.array("h", file.readframes(file.getnframes()))
    size = int(rate * step)
    return [math.sqrt(sum(s * s for s in samples[i:i + size]) / size) for i in range(0, len(samples) - size, size)]


def offset(video, work):
    """By how many seconds the mouth in a video opens after its sound; where the two agree best."""
    sound = work / "lips.wav"
    quiet = ["ffmpeg", "-v", "error", "-y", "-i", video]
    subprocess.run([*quiet, "-ac", "1", "-c:a", "pcm_s16le", sound], check=True)
    points = tomllib.loads((ROOT / "avatar/portrait.toml").read_text())
    line = points["mouth"]["line"]
    left, right = min(x for x, _ in line), max(x for x, _ in line)
    middle = max(y for _, y in line)
    # The part of the mouth that turns dark when it opens: the middle third, below where the lips meet.
    box = [round((right - left) / 3), round((right - left) / 4)]
    crop = f"fps=100,crop={box[0]}:{box[1]}:{round((left + right - box[0]) / 2)}:{round(middle)},format=gray"
    pixels = subprocess.run([*quiet, "-vf", crop, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    size = box[0] * box[1]
    dark = [-sum(pixels[i:i + size]) / size for i in range(0, len(pixels) - size + 1, size)]
    loud = envelope(sound)[::2]
    length = min(len(dark), len(loud))
    # Loudness is followed as a jaw follows it: not faster than syllables.
    loud = [math.log1p(sum(loud[max(0, i - 4):i + 5]) / 9) for i in range(length)]
    dark = dark[:length]

    def agreement(lag):
        pairs = [(loud[i], dark[i + lag]) for i in range(max(0, -lag), min(length, length - lag))]
        return statistics.correlation([a for a, _ in pairs], [b for _, b in pairs])

    best = max(range(-30, 31), key=agreement)
    return best / 100, agreement(best)


def face(bench):
    question = bench.flite("Good morning. You are welcome to look around. Please ask me anything. Goodbye.", "slt")
    speed = {}
    for backend in bench.backends:
        out = bench.work / "face.mp4"
        found = bench.lines(["try", "face", str(question), "--out", str(out), *bench.flags(backend)])[0]
        every = (found["mouths_ms"] + found["drawing_ms"]) / found["pictures"]
        speed[backend] = f"{found['pictures_per_second']:.0f} (mouth and drawing {every:.1f} ms each)"
    bench.row("face: pictures per second drawn at 720×1280, one core", "≥ 60", speed)


def screen(bench):
    """What composing a whole screen costs, in processor time of one core."""
    test = ["cargo", "test", "--release", "--locked", "--quiet", "--lib", "--", "--ignored", "--nocapture",
            "composer::tests::pictures_per_second"]
    done = subprocess.run(test, text=True, check=True, capture_output=True, cwd=ROOT)
    found = re.findall(r"(\d+x\d+), (.*): (\d+) pictures", done.stdout + done.stderr)
    for size in dict.fromkeys(size for size, _, _ in found):
        told = "; ".join(f"{what} {rate}" for its, what, rate in found if its == size)
        bench.row(f"screen: pictures composed in a second of one core at {size.replace('x', '×')}", "≥ 60", told)


def lips(bench):
    out = bench.work / "lips"
    subprocess.run([bench.program, "talk", "--text", "Who are you?", "--out", out], check=True, capture_output=True)
    seconds, agreement = offset(out / "reply.mp4", bench.work)
    bench.row("lips: opening after loudness in the finished MP4", "within ±40 ms",
              f"{1000 * seconds:+.0f} ms (correlation {agreement:.2f})")


def latency(bench):
    found = []
    for number in range(bench.options.turns):
        question = bench.flite(QUESTIONS[number % len(QUESTIONS)])
        done = subprocess.run([bench.program, "talk", "--wav", question, "--out", bench.work / "turn", "--json"],
                              text=True, check=True, capture_output=True)
        found.append(json.loads(done.stdout))
    first = sorted(turn["first_sound_ms"] for turn in found)
    steps = {name: statistics.median(turn["steps_ms"][name] for turn in found if name in turn["steps_ms"])
             for name in found[0]["steps_ms"]}
    told = ", ".join(f"{name} {value:.0f}" for name, value in steps.items())
    bench.row(f"end of speech → first sound, median of {len(first)} turns", "≤ 900 ms",
              f"{statistics.median(first):.0f} ms ({first[0]:.0f} to {first[-1]:.0f}; medians in ms: {told})")


class Daemon:
    """The daemon on a configuration, ready."""

    def __init__(self, bench, text):
        config = bench.work / "bench.toml"
        config.write_text(text + f'\n[admin]\naddress = "{ADDRESS}"\n')
        self.process = subprocess.Popen([bench.program, "--log", "warn", "run", "--headless", "--config", config])

    def __enter__(self):
        until = time.monotonic() + 60
        while True:
            try:
                return self.get("/readyz") and self
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def get(self, path):
        return urllib.request.urlopen(f"http://{ADDRESS}{path}", timeout=10).read().decode()

    def talk(self, text):
        body = json.dumps({"text": text}).encode()
        request = urllib.request.Request(f"http://{ADDRESS}/talk", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=120))

    def metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics"), re.M)
        return float(found.group(1)) if found else 0.0

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def hush(bench):
    """A recording in which somebody speaks into every answer."""
    script, wanted = bench.work / "hush.wav", bench.options.turns
    question, stop = bench.flite("Who are you?"), bench.flite("Stop please, stop it now.")
    with wave.open(str(script), "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(16000)
        for _ in range(wanted + 8):
            for path, pause in ((question, 2.2), (stop, 3.0)):
                with wave.open(str(path)) as file:
                    out.writeframes(file.readframes(file.getnframes()))
                out.writeframes(bytes(int(32000 * pause) // 2 * 2))
    text = f'[devices]\nmicrophone = "file"\n[devices.file]\nmicrophone = "{script}"\nrepeat = true\n'
    name = "linly_talker_hush_seconds"
    with Daemon(bench, text) as daemon:
        until = time.monotonic() + 400
        while daemon.metric(f"{name}_count") < wanted and time.monotonic() < until:
            time.sleep(0.5)
        count, total = daemon.metric(f"{name}_count"), daemon.metric(f"{name}_sum")
        buckets = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\d+)$', daemon.get("/metrics"), re.M)
    inside = next((le for le, below in buckets if float(below) >= 0.95 * count), "?")
    bench.row(f"interruption → silence, 95th percentile of {count:.0f}", "≤ 100 ms",
              f"≤ {1000 * float(inside):.0f} ms (bucket), mean {1000 * total / max(1, count):.1f} ms")


def memory(bench):
    with Daemon(bench, "") as daemon:
        sizes = []
        for number in range(bench.options.turns):
            daemon.talk(QUESTIONS[number % len(QUESTIONS)])
            sizes.append(daemon.memory())
    fifth = sizes[min(4, len(sizes) - 1)]
    bench.row(f"memory of the daemon after {len(sizes)} turns (VmRSS)", "≤ 400 MB, flat from turn 5",
              f"{sizes[-1]:.0f} MB; turn 1 {sizes[0]:.0f}, turn 5 {fifth:.0f} MB")


def board(bench):
    """A folder with the files of the richest board that there is a copy of."""
    copy = bench.work / "agx"
    if not copy.exists():
        fixture = ROOT / "crates/jetson-stats-rs/tests/fixtures/t234-agx-r36.4.tree"
        subprocess.run(["cargo", "run", "--release", "--quiet", "-p", "jetson-stats-rs", "--features", "fixtures",
                        "--example", "unpack", "--", fixture, copy], check=True, cwd=ROOT)
    return copy


def reply(stream, request):
    """Asks, and gives the head and the body of the reply, read to the last byte and no further."""
    stream.sendall(request)
    came = b""
    while b"\r\n\r\n" not in came:
        came += stream.recv(65536)
    head, body = came.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"(?i)\ncontent-length: (\d+)", head)[1])
    while len(body) < length:
        body += stream.recv(65536)
    return head, body


def scrape(bench, times=1000):
    """Scrapes as Prometheus makes them: OpenMetrics, gzipped; over one connection that is kept, and over one for each."""
    host, port = ADDRESS.split(":")
    lines = ["GET /metrics HTTP/1.1", f"Host: {ADDRESS}", "User-Agent: Prometheus/2.42.0",
             "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
             "X-Prometheus-Scrape-Timeout-Seconds: 10"]
    plain, packed = ("\r\n".join([*lines, *more, "", ""]).encode() for more in ((), ("Accept-Encoding: gzip",)))
    connect = lambda: socket.create_connection((host, int(port)), 10)

    def timed(ask):
        took = []
        for _ in range(times):
            began = time.perf_counter()
            ask()
            took.append(1000 * (time.perf_counter() - began))
        took.sort()
        return f"{took[times // 2]:.1f} / {took[times * 99 // 100]:.1f} ms"

    def alone():
        with connect() as stream:
            reply(stream, packed)

    with Daemon(bench, f'[sensors]\nroot = "{board(bench)}"\n') as daemon:
        daemon.talk(QUESTIONS[0])
        with connect() as kept:
            text, small = reply(kept, plain)[1], reply(kept, packed)[1]
            over_one = timed(lambda: reply(kept, packed))
        over_many = timed(alone)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    bench.row(f"scrape of {series} series over HTTP, {times:,} times: p50 / p99", "p99 ≤ 5 ms at 300 series",
              f"over a kept connection {over_one}, over a connection each {over_many}")
    bench.row("the same: size plain / gzipped", "≤ 40 KB / ≤ 8 KB", f"{len(text) / 1024:.1f} / {len(small) / 1024:.1f} KB")


def sampler_seconds(process):
    """Processor time of the threads that read the sensors, in seconds."""
    total = 0
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        if (task / "comm").read_text().startswith("sense"):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def sensors(bench, seconds=30):
    """What the sampler costs beside the daemon, on this machine and on a copy of the richest board."""
    for name, root in (("this machine", "/"), ("a copy of an AGX Orin", board(bench))):
        with Daemon(bench, f'[sensors]\nroot = "{root}"\n') as daemon:
            time.sleep(3)
            began, before = time.monotonic(), sampler_seconds(daemon.process.pid)
            time.sleep(seconds)
            share = (sampler_seconds(daemon.process.pid) - before) / (time.monotonic() - began)
            series = len(re.findall(r"^linly_talker_(?!.*_bucket)", daemon.get("/metrics"), re.M))
        # The readers alone, in a program of their own: everything in it counts as theirs.
        command = [bench.program, "sensors", "--watch", "--json", "--root", root]
        alone = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(5)
        status = pathlib.Path(f"/proc/{alone.pid}/status").read_text()
        alone.terminate()
        alone.wait(10)
        size = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
        own = int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024
        bench.row(f"sensors once a second, {name}: share of one core / memory", "≤ 0.5 % / ≤ 20 MB",
                  f"{100 * share:.2f} % / {size:.1f} MB as a program of its own, {own:.1f} MB of it not the program's file; "
                  f"{series} series of all kinds")


def vision_pack(bench, name, engine, file):
    """A pack with nothing but a detector of faces."""
    folder = bench.work / f"vision-{name}"
    folder.mkdir(exist_ok=True)
    shutil.copy(file, folder / file.name)
    data = file.read_bytes()
    (folder / "pack.toml").write_text(
        f'[[model]]\nkind = "vision"\nname = "{name}"\nengine = "{engine}"\nquantisation = "float32"\nlicence = "MIT"\n'
        f'files = [{{ path = "{file.name}", sha256 = "{hashlib.sha256(data).hexdigest()}", bytes = {len(data)} }}]\n')
    return folder


def eyes(bench):
    """Detectors on pictures of 640×480 pixels: two portraits and the avatar's own, and three without a face."""
    data = next((path for path in (ROOT.parent / "shared/data", ROOT.parent.parent / "shared/data") if path.exists()), None)
    portraits = [ROOT / "avatar/portrait.png"]
    if data:
        portraits += [data / "images/astronaut.png", data / "images/grace_hopper.jpg"]
    ffmpeg = ["ffmpeg", "-v", "error", "-y"]
    with_face, without = [], []
    for number, path in enumerate(portraits):
        out = bench.work / f"face-{number}.png"
        fit = "scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:(ow-iw)/2:(oh-ih)/2:gray"
        subprocess.run([*ffmpeg, "-i", path, "-vf", fit, "-frames:v", "1", out], check=True)
        with_face.append(out)
    for name, source in (("noise", "color=gray,noise=alls=90"), ("test", "testsrc"), ("fractal", "mandelbrot")):
        out = bench.work / f"none-{name}.png"
        first, *rest = source.split(",")
        glue = ":" if "=" in first else "="
        subprocess.run([*ffmpeg, "-f", "lavfi", "-i", ",".join([f"{first}{glue}s=640x480", *rest]), "-frames:v", "1", out], check=True)
        without.append(out)
    detectors = [("rustface", None, None)]
    if data:
        vision = data / "models/vision"
        detectors += [("YuNet 320", "yunet", vision / "yunet_n_320_320.onnx"),
                      ("Ultra-Light RFB-320", "ultraface", vision / "version-RFB-320.onnx"),
                      ("Ultra-Light slim-320", "ultraface-raw", vision / "version-slim-320_without_postprocessing.onnx")]
    for name, engine, file in detectors:
        config = bench.work / "eyes.toml"
        config.write_text(f'[watch]\ndetector = "{"pack" if file else "rustface"}"\n')
        pack = ["--pack", str(vision_pack(bench, name.split()[-1], engine, file))] if file else []
        cells = {}
        for backend in bench.backends if file else ["tract"]:
            told = bench.lines(["try", "faces", *map(str, with_face + without), "--times", "20", "--config", str(config),
                                *pack, *bench.flags(backend)])
            found = sum(len(line["faces"]) == 1 for line in told[: len(with_face)])
            false = sum(len(line["faces"]) for line in told[len(with_face):])
            search = statistics.median(line["took_ms"] for line in told)
            look = statistics.median(line["look_ms"] for line in told[: len(with_face)])
            cells[backend] = (f"{search:.0f} ms; {5 * look / 10:.0f} % of a core; {found} of {len(with_face)} faces, "
                              f"{false} found in {len(without)} pictures without one")
        bench.row(f"eyes, {name}, 640×480, one core: a search of the whole picture; five looks a second at somebody; pictures",
                  "≤ 25 % of a core", cells if file else cells["tract"])


PARTS = {
    f.__name__: f
    for f in (asr, llm, tts, face, screen, lips, latency, hush, memory, scrape, sensors, echo, eyes)
}


def write(bench):
    processor = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    machine = f"{processor.group(1) if processor else platform.machine()}, {os.cpu_count()} cores, {platform.machine()}"
    lines = [f"Measured on {datetime.date.today()} by `make bench` on: {machine}.", "",
             "| what | at least | tract | ONNX Runtime |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(cells) + " |" for cells in bench.rows]
    begin, end = "<!-- measured: begin -->", "<!-- measured: end -->"
    text = TABLE.read_text() if TABLE.exists() else f"# Benchmarks\n\n{begin}\n{end}\n"
    before, rest = text.split(begin)
    TABLE.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1])
    print(f"written to {TABLE.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/linly-edge", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--only", help="parts, separated by commas, into a table of their own: " + ", ".join(PARTS))
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--no-rival", dest="rival", action="store_false", help="leave out pocketsphinx's own errors")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else list(PARTS)
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(options, pathlib.Path(work))
        for part in parts:
            try:
                PARTS[part](bench)
            except (subprocess.CalledProcessError, OSError, ValueError, KeyError) as error:
                bench.row(part, "", f"not measured: {error} {getattr(error, 'stderr', '') or ''}".strip()[:300])
    if not options.only:
        write(bench)


if __name__ == "__main__":
    main()
