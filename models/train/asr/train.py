"""Trains the recogniser on the shards of `synthesise.py`, within a given time.

    python train.py --work DIR --minutes 120

Uses every shard that is there when a pass begins, so synthesis may still be running; fewer than some twenty
hours of speech are soon learned by heart. Two teachers: CTC on the text, and at first as much the phoneme of each
20 ms, which the speech engines tell: with it the lower half learns in minutes what CTC alone takes hours to find.
The learning rate stays constant and falls to nothing over the last part of the time (`--fall`); an average of the
weights is kept and is what `export.py` takes. `DIR/asr/checkpoint.pt` holds all of it: a second call goes on.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from augment import Augment
from network import BLANK, Phonetician, Recogniser, encode, greedy, word_errors
from sentences import Grammar
from synthesise import UNKNOWN

FAMILIES = ("festival", "espeak")


class Shards:
    """The utterances read so far: (mel (frames, 80), phonemes (frames,), text, engine, family)."""

    def __init__(self, folder: Path, inventories=None):
        self.folder, self.read = folder, {}
        self.inventories = inventories or {family: {} for family in FAMILIES}

    def refresh(self):
        """Reads what is new; all utterances."""
        for path in sorted(self.folder.glob("shard-*.npz")):
            if path not in self.read:
                self.read[path] = [item for item in self.load(path) if feasible(item)]
        return [item for items in self.read.values() for item in items]

    def load(self, path: Path):
        data = np.load(path)
        cuts = np.cumsum(data["frames"])[:-1]
        tables = []
        for family in FAMILIES:
            table = np.full(256, UNKNOWN, np.uint8)
            for index, name in enumerate(data[family].tolist()):
                table[index] = self.inventories[family].setdefault(name, len(self.inventories[family]))
            tables.append(table)
        parts = zip(np.split(data["mel"], cuts), np.split(data["phones"], cuts), data["texts"].tolist(), data["engines"].tolist())
        for mel, phones, text, engine in parts:
            family = int(engine == "espeak")
            yield mel, tables[family][phones], text, engine, family


def feasible(item):
    """CTC needs a frame for each character and one more between equal neighbours."""
    mel, _, text, *_ = item
    repeats = sum(a == b for a, b in zip(text, text[1:]))
    return 30 <= len(mel) <= 1500 and len(text) + repeats < 0.85 * len(mel) // 4


def in_domain(text, vocabulary):
    """Whether most of its words are a receptionist's daily ones; lists of dictionary words are not."""
    words = text.split()
    return 2 * sum(word in vocabulary for word in words) >= len(words)


def batches(utterances, frames: int, draw: random.Random):
    """Batches of about `frames` frames of one family, similar lengths together, in random order."""
    groups = []
    for family in range(len(FAMILIES)):
        mine = [item for item in utterances if item[4] == family]
        mine.sort(key=lambda item: len(item[0]) * draw.uniform(0.9, 1.1))
        group, longest = [], 0
        for item in mine:
            longest = max(longest, len(item[0]))
            if group and longest * (len(group) + 1) > frames:
                groups.append(group)
                group, longest = [], len(item[0])
            group.append(item)
        if group:
            groups.append(group)
    draw.shuffle(groups)
    return groups


def collate(group, augment: Augment, amount: float):
    """mel (batch, 80, frames), lengths, phonemes (batch, frames / 2), targets, target lengths."""
    heard, codes = [], []
    for mel, phones, text, *_ in group:
        mel, phones = augment(mel, phones, amount)
        heard.append((augment.hide(mel, amount) if amount else mel, phones))
        codes.append(encode(text))
    if amount and augment.draw.random() < 0.2:
        mel = augment.silence()
        heard.append((mel, np.full(len(mel), UNKNOWN, np.uint8)))
        codes.append([])
    longest = max(len(mel) for mel, _ in heard)
    longest += -longest % 8
    mels = np.zeros((len(heard), 80, longest), np.float32)
    phonemes = np.full((len(heard), longest // 2), UNKNOWN, np.int64)
    for index, (mel, phones) in enumerate(heard):
        mels[index, :, : len(mel)] = mel.T
        # An 80 ms step of the network looks at frames 8 j and around; its four answers are for -3, -1, 1 and 3.
        shifted = np.concatenate([np.full(3, UNKNOWN, np.uint8), phones])[:longest:2]
        phonemes[index, : len(shifted)] = shifted
    lengths = torch.tensor([len(mel) for mel, _ in heard])
    targets = torch.tensor(sum(codes, []), dtype=torch.long)
    return torch.from_numpy(mels), lengths, torch.from_numpy(phonemes), targets, torch.tensor([len(code) for code in codes])


def evaluate(model, utterances, augment):
    """Word error rate of greedy decoding, nothing added to the sound."""
    model.eval()
    errors = total = 0
    with torch.no_grad():
        for start in range(0, len(utterances), 16):
            group = utterances[start : start + 16]
            mel, lengths, *_ = collate(group, augment, 0)
            for logprobs, length, (_, _, text, *_) in zip(model(mel, lengths), lengths, group):
                errors += word_errors(greedy(logprobs[: (length + 3) // 4]), text)
                total += len(text.split())
    model.train()
    return errors / max(total, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("models/train/work"))
    parser.add_argument("--minutes", type=float, default=120, help="of wall clock")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--frames", type=int, default=2400, help="10 ms frames in a batch")
    parser.add_argument("--vary", type=float, default=0.6, help="how much the sound is damaged at the end, 0 to 1")
    parser.add_argument("--lists", type=float, default=0.4, help="share of the lists of dictionary words heard in a pass")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--phonemes", type=float, default=0.1, help="what the teacher's word weighs at the end")
    parser.add_argument("--repeat", type=int, default=3, help="how often a pass hears what Kokoro speaks")
    parser.add_argument("--fall", type=float, default=0.35, help="share of the time in which the rate falls")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = options.work / "asr"
    model, average, teacher = Recogniser(), Recogniser(), Phonetician()
    average.load_state_dict(model.state_dict())
    weights = [*model.parameters(), *teacher.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    ctc = torch.nn.CTCLoss(blank=BLANK, reduction="sum", zero_infinity=True)
    step, checkpoint, shards = 0, folder / "checkpoint.pt", Shards(folder)
    parts = {"model": model, "average": average, "teacher": teacher, "optimiser": optimiser}
    if checkpoint.exists():
        state = torch.load(checkpoint)
        # What `warm.py` makes has only the network.
        for name in parts.keys() & state.keys():
            parts[name].load_state_dict(state[name])
        step, shards.inventories = state["step"], state.get("inventories", shards.inventories)
    torch.manual_seed(step)
    draw, augment = random.Random(step), Augment(step)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, from step {step}", flush=True)
    grammar = Grammar(1)
    vocabulary = {word for _ in range(20_000) for word in grammar.domain().split()}
    stopped = []
    # Stopped from outside, it ends as if the time were over.
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    began = reported = time.monotonic()
    seconds, losses, heard = options.minutes * 60, [], 0
    first = step
    while time.monotonic() - began < seconds and not stopped:
        everything = shards.refresh()
        held_back, everything = everything[:120], everything[120:]
        everything = [item for item in everything if in_domain(item[2], vocabulary) or draw.random() < options.lists]
        # Kokoro's voices are named, like am_adam+bf_lily: few sentences, but many speakers.
        everything += (options.repeat - 1) * [item for item in everything if item[3][2:3] == "_"]
        for group in batches(everything, options.frames, draw):
            passed = (time.monotonic() - began) / seconds
            if passed >= 1 or stopped:
                break
            rate = options.rate * min(1, (step - first + 1) / 300, max(0.005, (1 - passed) / options.fall))
            for parameters in optimiser.param_groups:
                parameters["lr"] = rate
            # Clean speech first: what is to be heard through noise has to be known.
            amount = options.vary * min(1, 0.2 + step / 6000)
            mel, lengths, phonemes, targets, target_lengths = collate(group, augment, amount)
            logprobs, halfway = model.both(mel, lengths)
            spelled = ctc(logprobs.transpose(0, 1), targets, (lengths + 3) // 4, target_lengths) / max(1, int(target_lengths.sum()))
            guesses = teacher(halfway, group[0][4])
            sounded = functional.cross_entropy(guesses.flatten(0, 1), phonemes.flatten(), ignore_index=UNKNOWN, reduction="sum")
            # Kokoro does not tell its phonemes.
            sounded = sounded / max(1, int((phonemes != UNKNOWN).sum()))
            optimiser.zero_grad()
            (spelled + max(options.phonemes, 1 - step / 8000) * sounded).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            step += 1
            decay = min(0.999, (step + 1) / (step + 50))
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
            losses.append((spelled.item(), sounded.item()))
            heard += int(lengths.sum())
            if step % 500 == 0:
                recorded = evaluate(average, [item for item in held_back if item[4] == 0], augment)
                formant = evaluate(average, [item for item in held_back if item[4] == 1], augment)
                now, (text, phones) = time.monotonic(), np.mean(losses, axis=0)
                print(
                    f"step {step} hours {heard / 360000:.1f} shards {len(shards.read)} rate {rate:.1e} "
                    f"spelling {text:.3f} phonemes {phones:.3f}, held back, greedy: {100 * recorded:.1f} % "
                    f"espeak {100 * formant:.1f} % {now - began:.0f} s (+{now - reported:.0f})",
                    flush=True,
                )
                losses, reported = [], now
                save(checkpoint, parts, step, shards.inventories)
    save(checkpoint, parts, step, shards.inventories)


def save(path: Path, parts, step: int, inventories):
    """Writes a checkpoint whole or not at all."""
    partial = path.with_suffix(".part")
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, "step": step, "inventories": inventories}, partial)
    os.replace(partial, path)


if __name__ == "__main__":
    main()
