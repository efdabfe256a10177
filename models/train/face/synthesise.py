"""Speaks the training sentences; stores features and mouth shapes.

    python synthesise.py --work ../work/face

Writes `train.npz` and, with voices that are not in it, `held-out.npz`. Each has
`power` (float32 [steps, 40], band power every 10 ms), `shape` (float32 [steps, 6]),
`starts` (first step of each utterance) and `voices` (its voice).
"""

import argparse
import random
from pathlib import Path

import numpy as np

import features
from sentences import sentences
from speakers import ESPEAK, FLITE, Espeak, flite
from visemes import SHAPE, shapes

HELD_OUT = ("flite rms", "espeak en-us+linda")
DICTIONARY = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict"


def loudness(power):
    """0 to 1, one a step: how loud the sound is within its utterance, as slowly as jaws move."""
    level = 10 * np.log10(np.convolve(power.sum(1), np.hanning(11) / np.hanning(11).sum(), "same") + 1e-12)
    return np.clip((level - np.percentile(level, 95)) / 25 + 1, 0, 1)


def utterances(voices, texts, rng, espeak):
    for text in texts:
        engine, voice = rng.choice(voices).split(" ", 1)
        if engine == "flite":
            sound, sounds = flite(voice, text, stretch=rng.uniform(0.85, 1.3))
        else:
            sound, sounds = espeak.speak(voice, text, speed=rng.uniform(130, 190), pitch=rng.uniform(25, 75))
        # Some silence around, also to see it from both sides.
        before, after = rng.uniform(0, 0.4), rng.uniform(0.1, 0.6)
        sound = np.pad(sound, (int(before * features.RATE), int(after * features.RATE)))
        sounds = [(name, start + before, end + before) for name, start, end in sounds]
        power = features.band_power(sound)
        # Bring all voices to one level; training varies it.
        power *= 0.01 / np.percentile(power.sum(1), 95)
        yield f"{engine} {voice}", power.astype(np.float32), shapes(sounds, len(power), loudness(power))


def write(path, items):
    voices, powers, targets = zip(*items)
    starts = np.cumsum([0] + [len(p) for p in powers])
    np.savez(path, power=np.concatenate(powers), shape=np.concatenate(targets), starts=starts, voices=np.array(voices))
    print(f"{path}: {len(voices)} utterances, {starts[-1] * features.STEP / 60:.1f} minutes")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, default=Path(__file__).parent.parent / "work" / "face")
    arguments.add_argument("--dictionary", default=DICTIONARY, help="pronunciation dictionary to take words from")
    arguments.add_argument("--utterances", type=int, default=5000)
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    # flite's voices are the more natural ones: half of the speech is theirs.
    voices = [f"flite {v}" for v in FLITE] * 5 + [f"espeak {v}" for v in ESPEAK]
    espeak = Espeak()
    assert len(SHAPE) == 6
    held_out = list(sentences(options.dictionary, options.utterances // 25, seed=2))
    write(options.work / "held-out.npz", utterances(HELD_OUT, held_out, random.Random(2), espeak))
    train = [s for s in sentences(options.dictionary, options.utterances, seed=1)]
    known = [v for v in voices if v not in HELD_OUT]
    write(options.work / "train.npz", utterances(known, train, random.Random(1), espeak))


if __name__ == "__main__":
    main()
