#!/usr/bin/env python3
"""Trains the voice on what synthesise.py made; a checkpoint of averaged weights is always there to export."""

import argparse
import pathlib
import time

import numpy as np
import torch
from torch.nn import functional as F

from network import ORDER, OUTPUTS, STEP, Mouth, Reader, frames, paths


class Material:
    """Utterances with everything a batch needs, and the statistics of the parameters."""

    def __init__(self, file):
        data = np.load(file)
        spoken = np.concatenate([[0], data["ends"]])
        frame = np.concatenate([[0], data["frame_ends"]])
        cepstra, pitch = data["cepstra"], data["pitch"]
        self.mean = np.zeros(OUTPUTS, np.float32)
        self.spread = np.ones(OUTPUTS, np.float32)
        self.mean[:ORDER], self.spread[:ORDER] = cepstra.mean(0), cepstra.std(0)
        self.mean[ORDER], self.spread[ORDER] = np.nanmean(pitch), np.nanstd(pitch)
        self.utterances = []
        for index in range(len(data["ends"])):
            a, b, c, d = spoken[index], spoken[index + 1], frame[index], frame[index + 1]
            lengths = data["lengths"][a:b]
            sound, weights, place = frames(lengths)
            target = np.concatenate([cepstra[c:d], voiced_pitch(pitch[c:d], self.mean[ORDER])], 1)
            lack = len(sound) * STEP - len(target)
            target = np.concatenate([target, np.repeat(target[-1:], lack, 0)]) if lack else target
            self.utterances.append((data["phones"][a:b], data["marks"][a:b], lengths, sound, weights, place,
                                    target.reshape(len(sound), STEP * OUTPUTS).astype(np.float32)))


def voiced_pitch(pitch, fallback):
    """[n, 2]: log pitch with straight lines through the unvoiced parts, and 1 where voiced."""
    known = ~np.isnan(pitch)
    if not known.any():
        return np.stack([np.full(len(pitch), fallback), np.zeros(len(pitch))], 1)
    at = np.arange(len(pitch))
    return np.stack([np.interp(at, at[known], pitch[known]), known.astype(np.float64)], 1)


def batch_of(utterances):
    """Pads utterances to one length; the masks are 1 where there is something."""
    count = len(utterances)
    sounds, steps = max(len(u[0]) for u in utterances), max(len(u[3]) for u in utterances)
    out = [np.zeros((count, sounds), np.int64), np.zeros((count, sounds), np.int64), np.ones((count, sounds), np.float32),
           np.zeros((count, 1, sounds), np.float32), np.zeros((count, steps), np.int64),
           np.zeros((count, steps) + utterances[0][4].shape[1:], np.float32),
           np.zeros((count, steps) + utterances[0][5].shape[1:], np.float32),
           np.zeros((count, steps, STEP * OUTPUTS), np.float32), np.zeros((count, 1, steps), np.float32)]
    for row, (phones, marks, lengths, sound, weights, place, target) in enumerate(utterances):
        for slot, values in [(0, phones), (1, marks), (2, lengths)]:
            out[slot][row, :len(values)] = values
        out[3][row, 0, :len(phones)] = 1
        for slot, values in [(4, sound), (5, weights), (6, place), (7, target)]:
            out[slot][row, :len(values)] = values
        out[8][row, 0, :len(sound)] = 1
    return [torch.from_numpy(part) for part in out]


def losses(reader, mouth, batch, mean, spread, weight):
    """Errors of durations (log), cepstra, their change, pitch and voicing; each about 1 before learning."""
    phones, marks, lengths, mask, sound, weights, place, target, step_mask = batch
    knots, durations = reader(phones, marks, mask)
    said = mouth(paths(knots, sound, weights, place), step_mask)
    shape = (said.shape[0], said.shape[1] * STEP, OUTPUTS)
    said, target = said.reshape(shape), target.reshape(shape)
    there = step_mask.squeeze(1).repeat_interleave(STEP, 1)
    count = there.sum()
    difference = (said - target)[..., :ORDER] * weight
    cepstra = (difference.abs().mean(2) * there).sum() / count
    change = ((difference[:, 1:] - difference[:, :-1]).abs().mean(2) * there[:, 1:]).sum() / count
    voiced = target[..., ORDER + 1]
    pitch = ((said - target)[..., ORDER].abs() / spread[ORDER] * there * (0.1 + 0.9 * voiced)).sum() / count
    voicing = (F.binary_cross_entropy_with_logits(said[..., ORDER + 1], voiced, reduction="none") * there).sum() / count
    length = ((durations.log() - lengths.log()).abs() * mask.squeeze(1)).sum() / mask.sum()
    return torch.stack([length, cepstra, change, pitch, voicing])


HELD = 40  # sentences that are not learned from
NAMES_OF_LOSSES = ["length", "cepstra", "change", "pitch", "voicing"]
SHARE = torch.tensor([1.0, 2.0, 2.0, 1.0, 0.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[1] / "work" / "tts")
    parser.add_argument("--minutes", type=float, default=40, help="wall-clock time to train; the rate falls to zero over it")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="begin with the checkpoint's weights")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    material = Material(options.work / "material.npz")
    held, train = material.utterances[:HELD], material.utterances[HELD:]
    reader, mouth = Reader(), Mouth()
    mouth.mean.copy_(torch.from_numpy(np.tile(material.mean, STEP)))
    mouth.spread.copy_(torch.from_numpy(np.tile(material.spread, STEP)))
    checkpoint = options.work / "voice.pt"
    if options.resume:
        saved = torch.load(checkpoint)
        reader.load_state_dict(saved["reader"])
        mouth.load_state_dict(saved["mouth"])
    both = torch.nn.ModuleList([reader, mouth]).to(device)
    averaged = torch.optim.swa_utils.AveragedModel(both, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.997))
    mean, spread = (torch.from_numpy(x).to(device) for x in (material.mean, material.spread))
    # Between equal weights for all (which favours the fine structure) and none at all (which favours loudness).
    weight = spread[:ORDER] ** -0.6
    optimiser = torch.optim.AdamW(both.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=1e-3)
    begin, step, epoch = time.time(), 0, 0
    shares = SHARE.to(device)
    by_length = np.array([len(u[3]) for u in train])
    running = None
    while True:
        noisy = by_length * random.uniform(0.9, 1.1, len(train))
        order = np.argsort(noisy)
        batches = [order[i:i + options.batch] for i in range(0, len(order), options.batch)]
        random.shuffle(batches)
        for chosen in batches:
            done = (time.time() - begin) / 60 / options.minutes
            if done >= 1:
                break
            for group in optimiser.param_groups:
                group["lr"] = options.rate * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * done)) + 1e-6
            batch = [part.to(device) for part in batch_of([train[i] for i in chosen])]
            found = losses(reader, mouth, batch, mean, spread, weight)
            optimiser.zero_grad()
            (found * shares).sum().backward()
            torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
            optimiser.step()
            # Early weights are no part of the average.
            averaged.update_parameters(both) if step >= 100 else averaged.module.load_state_dict(both.state_dict())
            running = found.detach() if running is None else running * 0.98 + found.detach() * 0.02
            step += 1
            if step % 50 == 0:
                print(f"{(time.time() - begin) / 60:6.1f} min  epoch {epoch}  step {step}  "
                      + "  ".join(f"{n} {v:.3f}" for n, v in zip(NAMES_OF_LOSSES, running.tolist())), flush=True)
            if step % 200 == 0 or done >= 1:
                save(checkpoint, averaged.module, held, mean, spread, weight, device)
        epoch += 1
        if (time.time() - begin) / 60 >= options.minutes:
            break
    save(checkpoint, averaged.module, held, mean, spread, weight, device)


def save(checkpoint, both, held, mean, spread, weight, device):
    reader, mouth = both[0], both[1]
    with torch.no_grad():
        found = torch.stack([losses(reader, mouth, [p.to(device) for p in batch_of(held[i:i + 8])], mean, spread, weight)
                             for i in range(0, len(held), 8)]).mean(0)
    partial = checkpoint.with_suffix(".part")
    torch.save({"reader": reader.state_dict(), "mouth": mouth.state_dict()}, partial)
    partial.replace(checkpoint)
    print("  held out  " + "  ".join(f"{n} {v:.3f}" for n, v in zip(NAMES_OF_LOSSES, found.tolist())), flush=True)


if __name__ == "__main__":
    main()
