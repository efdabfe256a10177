"""Trains the recogniser on the shards of `synthesise.py`, within a given time.

    python train.py --work DIR --minutes 90

Uses every shard that is there when a pass begins, so synthesis may still be running; fewer than some thirty
hours of speech are soon learned by heart, which shows as a loss that falls while the error on held-back sentences
does not. The learning rate stays constant and falls to nothing over the last part of the time (`--fall`); an
average of the weights is kept and is what `export.py` takes. `DIR/asr/checkpoint.pt` holds weights, average and
optimiser: a second call goes on.
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

from network import BLANK, Recogniser, encode, greedy, word_errors
from sentences import Grammar


def load(path: Path):
    """The utterances of a shard: (mel float16 (frames, 80), text, engine)."""
    data = np.load(path)
    parts = np.split(data["mel"], np.cumsum(data["frames"])[:-1])
    return list(zip(parts, data["texts"].tolist(), data["engines"].tolist()))


def feasible(mel, text, engine):
    """CTC needs a frame for each character and one more between equal neighbours."""
    repeats = sum(a == b for a, b in zip(text, text[1:]))
    return 30 <= len(mel) <= 1500 and len(text) + repeats < len(mel) // 4


def in_domain(text, vocabulary):
    """Whether most of its words are a receptionist's daily ones; lists of dictionary words are not."""
    words = text.split()
    return 2 * sum(word in vocabulary for word in words) >= len(words)


def batches(utterances, frames: int, draw: random.Random):
    """Batches of about `frames` frames, similar lengths together, in random order."""
    ordered = sorted(utterances, key=lambda item: len(item[0]) * draw.uniform(0.9, 1.1))
    groups, group = [], []
    for item in ordered:
        group.append(item)
        if max(len(mel) for mel, *_ in group) * (len(group) + 1) > frames:
            groups.append(group)
            group = []
    if group:
        groups.append(group)
    draw.shuffle(groups)
    return groups


def vary(mel, draw: random.Random, amount: float):
    """Another tempo and another size of throat: the features stretched over time and warped over bands."""
    frames, bands = mel.shape
    tempo = 1 + amount * draw.uniform(-0.15, 0.2)
    mel = mel[np.minimum((np.arange(int(frames * tempo)) / tempo).astype(int), frames - 1)].astype(np.float32)
    place = np.clip(np.arange(bands) * (1 + amount * draw.uniform(-0.12, 0.12)) + amount * draw.uniform(-2, 2), 0, bands - 1.001)
    low = place.astype(int)
    mel = mel[:, low] * (1 - (place - low)) + mel[:, low + 1] * (place - low)
    mel += amount * draw.uniform(0, 0.25) * np.random.standard_normal(mel.shape).astype(np.float32)
    return (mel - mel.mean(0)) / (mel.std(0) + 1e-5)


def collate(group, draw: random.Random | None, mask: float = 0):
    """mel (batch, 80, frames), lengths, targets, target lengths; `mask` is how much is varied and hidden."""
    if mask:
        group = [(vary(mel, draw, mask), *rest) for mel, *rest in group]
    longest = max(len(mel) for mel, *_ in group)
    longest += -longest % 8
    mel = torch.zeros(len(group), 80, longest)
    for index, (item, *_) in enumerate(group):
        mel[index, :, : len(item)] = torch.from_numpy(item.astype(np.float32)).T
        if mask:
            for _ in range(2):
                width, first = draw.randint(0, round(15 * mask)), draw.randint(0, 79)
                mel[index, first : first + width] = 0
            for _ in range(max(1, len(item) // 120)):
                width, first = draw.randint(0, round(12 * mask)), draw.randint(0, len(item))
                mel[index, :, first : first + width] = 0
    lengths = torch.tensor([len(item) for item, *_ in group])
    codes = [encode(text) for _, text, _ in group]
    return mel, lengths, torch.tensor(sum(codes, []), dtype=torch.long), torch.tensor([len(code) for code in codes])


def evaluate(model, utterances):
    """Word error rate of greedy decoding."""
    model.eval()
    errors = total = 0
    with torch.no_grad():
        for start in range(0, len(utterances), 16):
            group = utterances[start : start + 16]
            mel, lengths, _, _ = collate(group, None)
            for logprobs, length, (_, text, _) in zip(model(mel, lengths), lengths, group):
                errors += word_errors(greedy(logprobs[: (length + 3) // 4]), text)
                total += len(text.split())
    model.train()
    return errors / max(total, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("models/train/work"))
    parser.add_argument("--minutes", type=float, default=90, help="of wall clock")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--frames", type=int, default=2400, help="10 ms frames in a batch")
    parser.add_argument("--espeak", type=float, default=0.5, help="share of espeak-ng's utterances heard in a pass")
    parser.add_argument("--lists", type=float, default=1.0, help="share of the word lists heard in a pass")
    parser.add_argument("--vary", type=float, default=1.0, help="how much tempo, throat and loudness are varied, 0 to 1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--fall", type=float, default=0.35, help="share of the time in which the rate falls")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = options.work / "asr"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Recogniser().to(device)
    average = Recogniser().to(device)
    average.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    ctc = torch.nn.CTCLoss(blank=BLANK, reduction="sum", zero_infinity=True)
    step = 0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
    torch.manual_seed(step)
    draw = random.Random(step)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, from step {step}", flush=True)
    grammar = Grammar(1)
    vocabulary = {word for _ in range(20_000) for word in grammar.domain().split()}
    shards: dict[Path, list] = {}
    # Stopped from outside, it ends as if the time were over.
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    began = reported = time.monotonic()
    seconds, losses, heard = options.minutes * 60, [], 0
    while time.monotonic() - began < seconds and not stopped:
        for path in sorted(folder.glob("shard-*.npz")):
            if path not in shards:
                shards[path] = [item for item in load(path) if feasible(*item)]
        everything = [item for items in shards.values() for item in items]
        held_back, everything = everything[:96], everything[96:]
        everything = [
            item for item in everything
            if (item[2] != "espeak" or draw.random() < options.espeak)
            and (in_domain(item[1], vocabulary) or draw.random() < options.lists)
        ]
        for group in batches(everything, options.frames, draw):
            passed = (time.monotonic() - began) / seconds
            if passed >= 1 or stopped:
                break
            rate = options.rate * min(1, (step + 1) / 300, max(0.01, (1 - passed) / options.fall))
            for parameters in optimiser.param_groups:
                parameters["lr"] = rate
            mel, lengths, targets, target_lengths = collate(group, draw, options.vary)
            logprobs = model(mel.to(device), lengths.to(device))
            frames = (lengths + 3) // 4
            loss = ctc(logprobs.transpose(0, 1).cpu(), targets, frames, target_lengths) / max(1, int(target_lengths.sum()))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            step += 1
            decay = min(0.998, (step + 1) / (step + 50))
            with torch.no_grad():
                for slow, fast in zip(average.parameters(), model.parameters()):
                    slow.lerp_(fast, 1 - decay)
            losses.append(loss.item())
            heard += int(lengths.sum())
            if step % 200 == 0:
                error = evaluate(average, held_back)
                now = time.monotonic()
                print(
                    f"step {step} hours {heard / 360000:.2f} shards {len(shards)} rate {rate:.1e} "
                    f"loss {np.mean(losses):.3f} heard voices, greedy: {100 * error:.1f} % "
                    f"{now - began:.0f} s (+{now - reported:.0f})",
                    flush=True,
                )
                losses, reported = [], now
                save(checkpoint, model, average, optimiser, step)
    save(checkpoint, model, average, optimiser, step)


def save(path: Path, model, average, optimiser, step: int):
    """Writes a checkpoint whole or not at all."""
    partial = path.with_suffix(".part")
    state = {"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({**state, "step": step}, partial)
    os.replace(partial, path)


if __name__ == "__main__":
    main()
