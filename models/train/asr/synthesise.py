"""Makes training speech: the grammar spoken by free engines, damaged like a kiosk's microphone would.

    python synthesise.py --work DIR --first 0 --count 10 [--utterances 1000]

writes `DIR/asr/shard-NNN.npz` (normalised log-mel as float16, frame counts, texts, engines), about an hour of speech
each. A shard depends on its number only, so several processes may make different shards at the same time.
Engines (Debian packages): espeak-ng, flite, festival with festvox-kallpc16k and festvox-us-slt-hts. Never
used here, because they are kept for the evaluation: flite's `rms`, festival's `ked_diphone`, espeak-ng's `+f5`.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

import features
from sentences import Grammar

ACCENTS = ["en-us"] * 5 + ["en-gb"] * 2 + ["en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbclan", "en-us-nyc"]
VARIANTS = (
    "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 adam Alex Alicia Andrea Andy Annie anika announcer antonio aunty belinda "
    "benjamin boris caleb david Denis Diogo ed edward edward2 Gene Gene2 grandma grandpa gustave Henrique Hugo iven "
    "iven2 Jacky john kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 Lee linda marcelo Marco Mario max Michael "
    "michel miguel Mike norbert pablo paul pedro quincy rob robert sandro shelby steph steph2 steph3 travis victor zac"
).split()
# How often each engine speaks. The recorded voices get more than their number, they sound less like a machine.
ENGINES = {"espeak": 0.40, "slt": 0.17, "awb": 0.15, "kal16": 0.08, "kal": 0.02, "kal_diphone": 0.08, "slt_hts": 0.10}
FESTIVAL = {"kal_diphone": "voice_kal_diphone", "slt_hts": "voice_cmu_us_slt_arctic_hts"}


def run(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options).stdout


def espeak(text, draw):
    voice = f"{draw.choice(ACCENTS)}+{draw.choice(VARIANTS)}"
    speed, pitch = int(draw.integers(115, 200)), int(draw.integers(15, 85))
    return run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text])


def flite(voice, text, draw):
    stretch = draw.uniform(0.8, 1.25)
    settings = ["--setf", f"duration_stretch={stretch:.2f}"]
    if voice.startswith("kal"):
        settings += ["--setf", f"int_f0_target_mean={draw.uniform(75, 160):.0f}"]
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        run(["flite", "-voice", voice, *settings, "-t", text, "-o", file.name])
        return Path(file.name).read_bytes()


def festival(voice, texts):
    """All `texts` in one process, because festival takes seconds to start."""
    with tempfile.TemporaryDirectory() as folder:
        script = [f"({FESTIVAL[voice]})"]
        for number, text in enumerate(texts):
            script.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{number}.wav" \'riff)')
        run(["festival", "--pipe"], input="\n".join(script).encode())
        return [Path(f"{folder}/{number}.wav").read_bytes() for number in range(len(texts))]


def decode(wave):
    """Samples at 16 kHz of a WAV in memory; espeak-ng writes a length of nonsense into a pipe."""
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32")
    return resample(samples, features.RATE / rate) if rate != features.RATE else samples


def resample(samples, ratio):
    """Resamples by a rough fraction of `ratio`."""
    down = 160
    return scipy.signal.resample_poly(samples, max(1, round(ratio * down)), down).astype(np.float32)


def noise(length, draw, colour=None):
    """Noise of deviation 1: white, pink, brown, hum, or a slow mixture."""
    colour = draw.integers(0, 5) if colour is None else colour
    size = 1 << int(np.ceil(np.log2(max(length, 1024))))
    spectrum = np.fft.rfft(draw.normal(size=size))
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / features.RATE), 20)
    if colour < 3:
        spectrum /= frequency ** (colour * 0.5)
    elif colour == 3:  # ventilation: a broad bump and a floor
        centre, width = draw.uniform(100, 2500), draw.uniform(100, 1000)
        spectrum *= np.exp(-(((frequency - centre) / width) ** 2)) + 0.05
    sound = np.fft.irfft(spectrum)[:length]
    if colour == 4:  # mains hum with its harmonics
        time = np.arange(length) / features.RATE
        base = draw.choice([50, 60])
        sound = 0.3 * sound / (sound.std() + 1e-9)
        for harmonic in range(1, 8):
            sound = sound + draw.uniform(0, 1) / harmonic * np.sin(2 * np.pi * base * harmonic * time + draw.uniform(0, 6))
    if draw.random() < 0.3:  # it comes and goes
        time = np.arange(length) / features.RATE
        sound = sound * (1.1 + np.sin(2 * np.pi * draw.uniform(0.2, 3) * time + draw.uniform(0, 6)))
    return (sound / (sound.std() + 1e-9)).astype(np.float32)


def room(samples, draw):
    """Reverberation of 0.1 to 0.6 s made of decaying noise."""
    seconds = draw.uniform(0.1, 0.6)
    length = int(seconds * features.RATE)
    tail = draw.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
    tail[: int(draw.uniform(0.001, 0.01) * features.RATE)] = 0
    impulse = np.concatenate([[1.0], tail / np.sqrt((tail**2).sum() + 1e-9) * draw.uniform(0.15, 0.9)])
    size = 1 << int(np.ceil(np.log2(len(samples) + len(impulse))))
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(impulse, size))
    return wet[: len(samples) + length // 3].astype(np.float32)


def microphone(samples, draw):
    """A smooth random frequency response, sometimes a telephone's band."""
    size = 1 << int(np.ceil(np.log2(len(samples) + 512)))
    frequency = np.fft.rfftfreq(size, 1 / features.RATE)
    knots = np.array([0, 150, 400, 1000, 2000, 3500, 5500, 8000])
    decibels = np.cumsum(draw.normal(scale=2.5, size=len(knots)))
    gain = 10 ** (np.interp(frequency, knots, decibels - decibels.mean()) / 20)
    if draw.random() < 0.15:
        gain *= 1 / (1 + (draw.uniform(150, 350) / np.maximum(frequency, 1)) ** 4)
        gain *= 1 / (1 + (frequency / draw.uniform(3000, 4500)) ** 8)
    return np.fft.irfft(np.fft.rfft(samples, size) * gain)[: len(samples)].astype(np.float32)


def damage(samples, draw, others):
    """Pauses around the speech, then another size of speaker, room, microphone, noise, loudness, clipping."""
    if draw.random() < 0.7:
        samples = resample(samples, draw.uniform(0.85, 1.18))
    voiced = np.abs(samples) > 0.01 * np.abs(samples).max()
    edges = np.flatnonzero(voiced)
    samples = samples[edges[0] : edges[-1] + 1] if len(edges) else samples
    before, after = (int(draw.uniform(0.03, 0.6) * features.RATE) for _ in range(2))
    samples = np.pad(samples, (before, after))
    if draw.random() < 0.45:
        samples = room(samples, draw)
    if draw.random() < 0.6:
        samples = microphone(samples, draw)
    samples = samples / (np.sqrt((samples**2).mean()) + 1e-9)
    if draw.random() < 0.75:
        decibels = draw.uniform(5, 40)
        samples = samples + noise(len(samples), draw) * 10 ** (-decibels / 20)
    else:
        samples = samples + noise(len(samples), draw, 0) * 10 ** (-draw.uniform(40, 80) / 20)
    if others and draw.random() < 0.08:  # somebody else talks far away
        other = others[draw.integers(len(others))]
        other = np.resize(other, len(samples)) / (other.std() + 1e-9)
        samples = samples + other * 10 ** (-draw.uniform(12, 25) / 20)
    samples = samples * 10 ** (draw.uniform(-40, -12) / 20)
    if draw.random() < 0.05:
        limit = np.abs(samples).max() * draw.uniform(0.2, 0.7)
        samples = np.clip(samples, -limit, limit)
    # What an integer sound card leaves of it.
    return np.round(np.clip(samples, -1, 1) * 32767).astype(np.float32) / 32768


def nothing(draw):
    """Sound without a word: noise, clicks, a tone or digital silence."""
    length = int(draw.uniform(0.4, 4) * features.RATE)
    kind = draw.integers(0, 8)
    samples = noise(length, draw) if kind else np.zeros(length, np.float32)
    if kind == 1:
        for _ in range(draw.integers(1, 6)):
            at = draw.integers(0, length - 400)
            samples[at : at + 400] += draw.normal(size=400) * np.exp(-np.arange(400) / 60) * draw.uniform(5, 50)
    if kind == 2:
        samples = samples + 10 * np.sin(2 * np.pi * draw.uniform(200, 3000) * np.arange(length) / features.RATE)
    if kind > 4 and draw.random() < 0.5:
        samples = microphone(samples, draw)
    samples = samples * 10 ** (draw.uniform(-80, -30) / 20)
    return np.round(np.clip(samples, -1, 1) * 32767).astype(np.float32) / 32768


def shard(number, utterances):
    """Features, texts and engines of one shard."""
    draw = np.random.default_rng(7000 + number)
    grammar = Grammar(9000 + number)
    names, weights = list(ENGINES), np.array(list(ENGINES.values()))
    jobs = [(names[draw.choice(len(names), p=weights / weights.sum())], grammar.sentence()) for _ in range(utterances)]
    waves = {}
    for voice in FESTIVAL:
        chosen = [index for index, (engine, _) in enumerate(jobs) if engine == voice]
        waves.update(zip(chosen, festival(voice, [jobs[index][1] for index in chosen])))
    inputs, texts, engines, others = [], [], [], []
    for index, (engine, text) in enumerate(jobs):
        wave = waves.get(index)
        if wave is None:
            wave = espeak(text, draw) if engine == "espeak" else flite(engine, text, draw)
        samples = decode(wave)
        if len(samples) < 1600:
            continue
        others = [*others[-20:], samples]
        inputs.append(damage(samples, draw, others[:-1]))
        texts.append(text)
        engines.append(engine)
        if draw.random() < 0.03:
            inputs.append(nothing(draw))
            texts.append("")
            engines.append("none")
    mels = [features.normalise(features.log_mel(samples)).astype(np.float16) for samples in inputs]
    return mels, texts, engines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("models/train/work"))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--step", type=int, default=1, help="every how many-th shard this process makes")
    parser.add_argument("--utterances", type=int, default=1000)
    options = parser.parse_args()
    folder = options.work / "asr"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.count * options.step, options.step):
        target = folder / f"shard-{number:03}.npz"
        if target.exists():
            continue
        mels, texts, engines = shard(number, options.utterances)
        partial = folder / f".shard-{number:03}.npz"
        frames = [len(mel) for mel in mels]
        np.savez(partial, mel=np.concatenate(mels), frames=frames, texts=np.array(texts), engines=np.array(engines))
        os.replace(partial, target)
        print(f"{target}: {len(texts)} utterances, {sum(map(len, mels)) / 360000:.2f} h", flush=True)


if __name__ == "__main__":
    main()
