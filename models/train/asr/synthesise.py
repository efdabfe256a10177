"""Makes training speech: the grammar spoken by free engines, with the time of every phoneme.

    python synthesise.py --work DIR --first 0 --count 10 [--utterances 1000]

writes `DIR/asr/shard-NNN.npz` (log-mel as float16 before normalisation, a phoneme for each frame, frame counts,
texts, engines), about 0.8 hours of speech each. `train.py` adds noise, rooms and other throats anew in each pass.
A shard depends on its number only, so several processes may make different shards at the same time.
Engines (Debian packages): espeak-ng, flite, festival with festvox-kallpc16k and festvox-us-slt-hts. Never
used here, because they are kept for the evaluation: flite's `rms`, festival's `ked_diphone`, espeak-ng's `+f5`.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

import features
from neural import Kokoro
from sentences import Grammar

# As the library names them; `en` is British.
ACCENTS = ["en-us"] * 5 + ["en"] * 2 + ["en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbclan", "en-us-nyc"]
VARIANTS = (
    "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 adam Alex Alicia Andrea Andy Annie anika announcer antonio aunty belinda "
    "benjamin boris caleb david Denis Diogo ed edward edward2 Gene Gene2 grandma grandpa gustave Henrique Hugo iven "
    "iven2 Jacky john kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 Lee linda marcelo Marco Mario max Michael "
    "michel miguel Mike norbert pablo paul pedro quincy rob robert sandro shelby steph steph2 steph3 travis victor zac"
).split()
# How often each engine speaks. The recorded voices get more than their number, they sound less like a machine.
ENGINES = {"espeak": 0.28, "slt": 0.15, "awb": 0.17, "kal16": 0.09, "kal": 0.03, "kal_diphone": 0.11, "slt_hts": 0.17}
HTS = "/usr/share/festival/voices/us/cmu_us_slt_arctic_hts/hts/cmu_us_slt_arctic_hts.htsvoice"
# Lowest and highest mean pitch of flite's voices in Hz, and the least of its deviation as a share of it.
PITCH = {"slt": (100, 260, 0.04), "awb": (75, 190, 0.04), "kal16": (70, 170, 0.04), "kal": (75, 160, 0.04)}
# A frame whose phoneme is not known.
UNKNOWN = 255


def run(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options).stdout


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h; `name` holds the phoneme's mnemonic where `kind` is 7."""

    _fields_ = [
        ("kind", ctypes.c_int), ("message", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("name", ctypes.c_char * 8),
    ]  # fmt: skip


class Espeak:
    """espeak-ng as a library: the command line does not tell the phonemes' times."""

    PHONEME, RATE, PITCH, RANGE = 7, 1, 3, 4

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        # Synchronous retrieval; phonemes are reported by mnemonic.
        self.rate = self.library.espeak_Initialize(2, 200, None, 1)
        self.parts, self.phones = [], []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self.callback = kind(self._take)
        self.library.espeak_SetSynthCallback(self.callback)

    def _take(self, wave, count, events):
        if wave and count > 0:
            self.parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].kind:
            if events[index].kind == self.PHONEME:
                self.phones.append((events[index].milliseconds / 1000, events[index].name.decode("latin-1")))
            index += 1
        return 0

    def say(self, text, voice, speed, pitch, span):
        """Samples, their rate and [(end in seconds, phoneme)]."""
        self.parts, self.phones = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((self.RATE, speed), (self.PITCH, pitch), (self.RANGE, span)):
            self.library.espeak_SetParameter(parameter, value, 0)
        encoded = text.encode() + b"\0"
        self.library.espeak_Synth(encoded, len(encoded), 0, 1, 0, 1, None, None)
        self.library.espeak_Synchronize()
        samples = np.concatenate(self.parts).astype(np.float32) / 32768
        starts = [start for start, _ in self.phones[1:]] + [len(samples) / self.rate]
        phones = [(end, name or "_") for end, (_, name) in zip(starts, self.phones)]
        return samples, self.rate, phones


_espeak: Espeak | None = None


def espeak(text, draw):
    global _espeak
    _espeak = _espeak or Espeak()
    voice = f"{draw.choice(ACCENTS)}+{draw.choice(VARIANTS)}"
    return _espeak.say(text, voice, int(draw.integers(115, 200)), int(draw.integers(15, 85)), int(draw.integers(20, 80)))


def flite(voice, text, draw):
    stretch = draw.uniform(0.8, 1.25)
    low, high, least = PITCH[voice]
    mean = draw.uniform(low, high)
    settings = ["--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={mean:.0f}"]
    # From a monotone to a lively speaker.
    settings += ["--setf", f"int_f0_target_stddev={mean * draw.uniform(least, 0.22):.0f}"]
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        told = run(["flite", "-voice", voice, *settings, "-psdur", "-t", text, "-o", file.name]).decode()
        samples, rate = soundfile.read(file.name, dtype="float32")
    pairs = [part.rsplit(":", 1) for part in told.split()]
    return samples, rate, [(float(end), name) for name, end in pairs]


def festival(texts, draw):
    """festival's `kal_diphone`; all `texts` in one process, because festival takes long to start."""
    with tempfile.TemporaryDirectory() as folder:
        script = ["(voice_kal_diphone)"]
        for number, text in enumerate(texts):
            script.append(f"(Parameter.set 'Duration_Stretch {draw.uniform(0.8, 1.25):.2f})")
            mean = draw.uniform(80, 170)
            span = mean * draw.uniform(0.05, 0.25)
            script.append(f"(set! int_lr_params '((target_f0_mean {mean:.0f}) (target_f0_std {span:.0f}) (model_f0_mean 170) (model_f0_std 34)))")
            script.append(f'(set! u (utt.synth (Utterance Text "{text}")))')
            script.append(f'(utt.save.wave u "{folder}/{number}.wav" \'riff)(utt.save.segs u "{folder}/{number}.segs")')
        run(["festival", "--pipe"], input="\n".join(script).encode())
        results = []
        for number in range(len(texts)):
            samples, rate = soundfile.read(f"{folder}/{number}.wav", dtype="float32")
            lines = [line.split() for line in Path(f"{folder}/{number}.segs").read_text().splitlines()[1:]]
            results.append((samples, rate, [(float(line[0]), line[2]) for line in lines if len(line) == 3]))
        return results


def statistical(texts, draw):
    """The HTS voice slt through its own program, which can make a man or a child of her."""
    with tempfile.TemporaryDirectory() as folder:
        script = [
            "(voice_cmu_us_slt_arctic_hts)", "(define (label text file) (let ((utt (eval (list 'Utterance 'Text text))))",
            "(Initialize utt) (Text utt) (Token_POS utt) (Token utt) (POS utt) (Phrasify utt) (Word utt) (Pauses utt)",
            "(Intonation utt) (PostLex utt) (Duration utt) (Int_Targets utt) (hts_dump_feats utt hts_feats_list file)))",
        ]  # fmt: skip
        script += [f'(label "{text}" "{folder}/{number}.lab")' for number, text in enumerate(texts)]
        run(["festival", "--pipe"], input="\n".join(script).encode())
        results = []
        for number in range(len(texts)):
            stem = f"{folder}/{number}"
            # All-pass constant (0.45 is her own), pitch in semitones, its liveliness, speed, formants' sharpness, smoothness.
            lower = draw.random() < 0.6
            settings = ["-a", draw.uniform(0.38, 0.5), "-fm", draw.uniform(-14, -5) if lower else draw.uniform(-5, 3)]
            settings += ["-jf", draw.uniform(0.2, 1.2), "-r", draw.uniform(0.8, 1.25), "-b", draw.uniform(0, 0.4), "-jm", draw.uniform(0.5, 1.1)]
            run(["hts_engine", "-m", HTS, *map(str, settings), "-od", f"{stem}.dur", "-ow", f"{stem}.wav", f"{stem}.lab"])
            samples, rate = soundfile.read(f"{stem}.wav", dtype="float32")
            lines = [line.split() for line in Path(f"{stem}.dur").read_text().splitlines()]
            phones = [(int(line[1]) / 1e7, line[2].split("-", 1)[1].split("+", 1)[0]) for line in lines]
            results.append((samples, rate, phones))
        return results


def resample(samples, ratio):
    """Resamples by a rough fraction of `ratio`."""
    down = 160
    return scipy.signal.resample_poly(samples, max(1, round(ratio * down)), down).astype(np.float32)


def labels(phones, frames, stretch, shift, inventory):
    """The phoneme at the middle of each 10 ms frame, as an index into `inventory`, which grows."""
    out = np.full(frames, UNKNOWN, np.uint8)
    start = 0
    for end, name in phones:
        end = int(round((end * stretch + shift) * 100))
        if end > start:
            out[max(start, 0) : max(end, 0)] = inventory.setdefault(name, len(inventory))
        start = max(start, end)
    return out


def prepare(wave, draw, inventory):
    """Log-mel and phonemes of an utterance at 16 kHz, sometimes of a larger or smaller speaker, in some silence."""
    samples, rate, phones = wave
    ratio = draw.uniform(0.8, 1.25) if draw.random() < 0.65 else 1.0
    samples = resample(samples, ratio * features.RATE / rate)
    edges = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    if len(edges) < 1600:
        return None
    first, last = edges[0], edges[-1] + 1
    before, after = (int(draw.uniform(0.03, 0.6) * features.RATE) for _ in range(2))
    samples = np.pad(samples[first:last], (before, after))
    samples = samples / (np.abs(samples).max() + 1e-9) * 0.5
    # Digital silence would be far below anything that a microphone hears.
    samples += draw.normal(size=len(samples)).astype(np.float32) * 10 ** (-draw.uniform(70, 95) / 20)
    mel = features.log_mel(samples)
    return mel.astype(np.float16), labels(phones, len(mel), ratio, (before - first) / features.RATE, inventory)


def shard(number, utterances):
    """The arrays of one shard."""
    draw = np.random.default_rng(7000 + number)
    grammar = Grammar(9000 + number)
    names, weights = list(ENGINES), np.array(list(ENGINES.values()))
    jobs = [(names[draw.choice(len(names), p=weights / weights.sum())], grammar.sentence()) for _ in range(utterances)]
    waves = {}
    for voice, speak in (("kal_diphone", festival), ("slt_hts", statistical)):
        chosen = [index for index, (engine, _) in enumerate(jobs) if engine == voice]
        waves.update(zip(chosen, speak([jobs[index][1] for index in chosen], draw)))
    # espeak-ng and the festival family write different alphabets.
    inventories = {"espeak": {}, "festival": {}}
    mels, phones, texts, engines = [], [], [], []
    for index, (engine, text) in enumerate(jobs):
        wave = waves.get(index)
        if wave is None:
            wave = espeak(text, draw) if engine == "espeak" else flite(engine, text, draw)
        made = prepare(wave, draw, inventories["espeak" if engine == "espeak" else "festival"])
        if made is None:
            continue
        mels.append(made[0])
        phones.append(made[1])
        texts.append(text)
        engines.append(engine)
    return {
        "mel": np.concatenate(mels), "phones": np.concatenate(phones), "frames": [len(mel) for mel in mels],
        "texts": np.array(texts), "engines": np.array(engines),
        "espeak": np.array(list(inventories["espeak"])), "festival": np.array(list(inventories["festival"])),
    }  # fmt: skip


def many_speakers(number, utterances, voices):
    """The arrays of one shard that Kokoro speaks; the times of its phonemes are not known."""
    draw = np.random.default_rng(7000 + number)
    grammar = Grammar(9000 + number)
    kokoro = Kokoro(voices)
    mels, texts, engines = [], [], []
    for _ in range(utterances):
        text = grammar.sentence()
        samples, rate, name = kokoro(text, draw)
        made = prepare((samples, rate, []), draw, {})
        if made is None:
            continue
        mels.append(made[0])
        texts.append(text)
        engines.append(name)
    frames = [len(mel) for mel in mels]
    return {
        "mel": np.concatenate(mels), "phones": np.full(sum(frames), UNKNOWN, np.uint8), "frames": frames,
        "texts": np.array(texts), "engines": np.array(engines), "espeak": np.array([], str), "festival": np.array([], str),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("models/train/work"))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--step", type=int, default=1, help="every how many-th shard this process makes")
    parser.add_argument("--utterances", type=int, default=1000)
    parser.add_argument("--voices", type=Path, help="let Kokoro speak, with its voices in this folder")
    options = parser.parse_args()
    folder = options.work / "asr"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.count * options.step, options.step):
        target = folder / f"shard-{number:03}.npz"
        if target.exists():
            continue
        arrays = many_speakers(number, options.utterances, options.voices) if options.voices else shard(number, options.utterances)
        partial = folder / f".shard-{number:03}.npz"
        np.savez(partial, **arrays)
        os.replace(partial, target)
        print(f"{target}: {len(arrays['texts'])} utterances, {len(arrays['mel']) / 360000:.2f} h", flush=True)


if __name__ == "__main__":
    main()
