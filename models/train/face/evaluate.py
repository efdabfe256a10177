"""Measures the exported network on voices it never heard.

    python evaluate.py --work ../work/face --model ../../starter/face.onnx [speech.wav ...]

Prints the mean error of each number of a shape, how often lips that must meet or
part do so, and the offset between the mouth's opening and the loudness of the sound,
where they agree best: positive when the mouth is late. The same for WAV files, of
which only the offset is known.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

import features
from model import AHEAD, CONTEXT
from train import load, per_picture
from visemes import SHAPE

BEFORE = CONTEXT - AHEAD - 4


def mouths(session, power):
    """Shapes for all pictures of an utterance, from power [steps, BANDS]: [pictures, 6]."""
    mel = np.log(power + features.FLOOR).astype(np.float32)
    pictures = len(mel) // 4
    quiet = np.float32(np.log(features.FLOOR))
    mel = np.pad(mel, ((BEFORE, CONTEXT), (0, 0)), constant_values=quiet)
    return np.stack([session.run(None, {"mel": mel[None, 4 * n:4 * n + CONTEXT]})[0][0, 0] for n in range(pictures)])


def offset(opening, power):
    """(seconds by which the opening is late, correlation there); both at 100 a second inside."""
    loud = np.convolve(power.sum(1), np.hanning(9) / np.hanning(9).sum(), "same")
    loud = np.maximum(10 * np.log10(loud + 1e-12), 10 * np.log10(np.percentile(loud, 95)) - 40)
    # A picture is shown for 40 ms: its middle is what counts.
    smooth = np.interp(np.arange(len(loud)), 4 * np.arange(len(opening)) + 1.5, opening)
    x, y = smooth - smooth.mean(), loud - loud.mean()
    lags = np.arange(-20, 21)
    found = [np.sum(x[20:-20] * y[20 - lag:len(y) - 20 - lag]) for lag in lags]
    best = int(np.argmax(found))
    shift = lags[best]
    if 0 < best < len(lags) - 1:
        a, b, c = found[best - 1:best + 2]
        shift = shift + 0.5 * (a - c) / (a - 2 * b + c)
    scale = np.sqrt(np.sum(x[20:-20] ** 2) * np.sum(y**2)) or 1
    return shift * features.STEP, found[best] / scale


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, default=Path(__file__).parent.parent / "work" / "face")
    arguments.add_argument("--model", type=Path, default=Path(__file__).parent.parent.parent / "starter" / "face.onnx")
    arguments.add_argument("wav", nargs="*", type=Path)
    options = arguments.parse_args()
    session = onnxruntime.InferenceSession(str(options.model))
    rows = {}
    held_out = options.work / "held-out.npz"
    if held_out.exists():
        power, shape, starts, voices = load(held_out)
        errors, pairs = [], []
        for start, end, voice in zip(starts, starts[1:], voices):
            own = power[start:end]
            is_, should = mouths(session, own), per_picture(shape[start:end])
            errors.append(np.abs(is_ - should).mean(0))
            pairs.append((is_, should))
            rows.setdefault(str(voice), []).append((*offset(is_[:, 0], own), *offset(should[:, 0], own)))
            for gain in (0.01, 10):
                errors_at = np.abs(mouths(session, own * gain) - should).mean() if len(errors) <= 10 else None
                if errors_at is not None:
                    rows.setdefault(f"level {10 * np.log10(gain):+.0f} dB: mean error", []).append(errors_at)
        print("mean error:", " ".join(f"{n} {e:.3f}" for n, e in zip(SHAPE, np.mean(errors, 0))))
        is_, should = (np.concatenate(side) for side in zip(*pairs))
        for name, i in (("press", 4), ("teeth", 3), ("round", 2)):
            wanted, found = should[:, i] > 0.5, is_[:, i] > 0.4
            print(f"{name}: seen in {np.mean(found[wanted]):.0%} of the pictures that need it, in {np.mean(found[~wanted & (should[:, i] < 0.2)]):.1%} of others")
        r = np.corrcoef(is_[:, 0], should[:, 0])[0, 1]
        print(f"opening: correlation with its target {r:.2f}")
    else:
        print(f"{held_out} is missing: held-out voices are not measured", file=sys.stderr)
    for path in options.wav:
        sound, rate = soundfile.read(path)
        sound = sound if sound.ndim == 1 else sound.mean(1)
        own = features.band_power(sound, rate)
        rows.setdefault(path.parent.name, []).append(offset(mouths(session, own)[:, 0], own))
    for name, found in rows.items():
        found = np.array(found)
        if found.ndim == 1:
            print(f"{name} {found.mean():.3f}")
            continue
        late, spread = np.median(found[:, 0]), np.abs(found[:, 0])
        print(f"{name}: {len(found)} utterances, opening late by {late * 1000:+.0f} ms (median), within 40 ms {np.mean(spread <= 0.04):.0%}, correlation {found[:, 1].mean():.2f}"
              + (f"; targets {np.median(found[:, 2]) * 1000:+.0f} ms {found[:, 3].mean():.2f}" if found.shape[1] > 2 else ""))


if __name__ == "__main__":
    main()
