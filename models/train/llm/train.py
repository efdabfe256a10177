"""Trains the decoder on the shards that prepare.py wrote.

    python train.py --work DIR --minutes 75

The learning rate follows the clock, so that the run ends well when it must.
DIR/model.pt always holds the newest averaged weights.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from model import Decoder, Shape


def read(path):
    data = np.load(path)
    ends = data["ends"]
    starts = np.concatenate([[0], ends[:-1]])
    return data["ids"], data["learn"], starts, ends


def batches(work, skip, size, rng):
    """Endless batches (ids, learn) of samples of like length; new shards are picked up as they appear."""
    while True:
        paths = [p for p in sorted(work.glob("shard-*.npz")) if p.name != skip]
        for i in rng.permutation(len(paths)):
            ids, learn, starts, ends = read(paths[i])
            order = rng.permutation(len(ends))
            groups = []
            for pool in np.array_split(order, max(1, len(order) // (size * 32))):
                pool = pool[np.argsort((ends - starts)[pool])]
                groups += [pool[j : j + size] for j in range(0, len(pool) - size + 1, size)]
            for g in rng.permutation(len(groups)):
                yield pad(ids, learn, starts, ends, groups[g])


def pad(ids, learn, starts, ends, group):
    length = int((ends - starts)[group].max())
    x = np.zeros((len(group), length), np.int64)
    y = np.zeros((len(group), length), bool)
    real = np.zeros((len(group), length), bool)
    for row, i in enumerate(group):
        n = ends[i] - starts[i]
        x[row, :n], y[row, :n], real[row, :n] = ids[starts[i] : ends[i]], learn[starts[i] : ends[i]], True
    return torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(real)


@torch.no_grad()
def examine(model, path, decline, limit=192):
    """Shares of held-out answers that greedy decoding gets right to the letter: facts, declined, wrongly declined."""
    ids, learn, starts, ends = read(path)
    right = {True: [], False: []}
    shy = []
    for j in range(0, min(limit, len(ends)) - 15, 16):
        x, y, _ = pad(ids, learn, starts, ends, np.arange(j, j + 16))
        best = model(x[:, :-1]).argmax(-1)
        for row in range(len(x)):
            where = y[row, 1:].nonzero()[:, 0].tolist()
            while where:
                n = 1
                while n < len(where) and where[n] == where[n - 1] + 1:
                    n += 1
                span, where = where[:n], where[n:]
                wanted, got = x[row, 1:][span].tolist(), best[row][span].tolist()
                is_decline = wanted[: len(decline)] == decline
                right[is_decline].append(wanted == got)
                if not is_decline:
                    shy.append(got[:4] == decline[:4])
    mean = lambda v: 100 * sum(v) / max(1, len(v))  # noqa: E731
    return mean(right[False]), mean(right[True]), mean(shy)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.01, help="of the matrices (Muon); the others (Adam) get a third of it")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--held-out", default="shard-1.npz")
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    from tokenizers import Tokenizer

    from dialogues import DECLINE

    tokenizer = Tokenizer.from_file(str(args.work / "tokenizer.json"))
    decline = tokenizer.encode(" " + DECLINE).ids
    shape = Shape(vocabulary=tokenizer.get_vocab_size())
    model = Decoder(shape).to(device)
    if args.resume:
        model.load_state_dict(torch.load(args.resume, weights_only=False)["weights"])
    else:
        model.start_with_copying()
    average = {k: v.detach().clone() for k, v in model.named_parameters()}
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and not n.startswith("embed")]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or n.startswith("embed")]
    muon = torch.optim.Muon(matrices, lr=args.rate, momentum=0.95, weight_decay=0.02, ns_steps=4, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(others, lr=args.rate / 3, betas=(0.9, 0.98), weight_decay=0.0)
    rng = np.random.default_rng(args.seed)
    began = last_saved = time.time()
    losses, tokens = [], 0

    def save():
        torch.save({"shape": asdict(shape), "weights": {k: v.cpu() for k, v in average.items()}}, args.work / "model.pt.new")
        (args.work / "model.pt.new").replace(args.work / "model.pt")

    for step, (x, y, real) in enumerate(batches(args.work, args.held_out, args.batch, rng)):
        done = (time.time() - began) / (60 * args.minutes)
        if done >= 1:
            break
        pace = min(1.0, (step + 1) / 40) * min(1.0, (1 - done) / 0.4 + 0.02)
        for group in muon.param_groups:
            group["lr"] = args.rate * pace
        for group in adam.param_groups:
            group["lr"] = args.rate / 3 * pace
        x, y, real = x.to(device), y.to(device), real.to(device)
        # A few of the other tokens are learned too: guessing the prompt teaches words early.
        share = 0.15 if done < 0.3 else 0.04
        extra = ~y[:, 1:] & real[:, 1:] & (torch.rand(y[:, 1:].shape, device=device) < share)
        hidden = model.hidden(x[:, :-1])
        wanted = y[:, 1:]
        loss = F.cross_entropy(model.logits(hidden[wanted]), x[:, 1:][wanted])
        side = F.cross_entropy(model.logits(hidden[extra]), x[:, 1:][extra])
        (loss + 0.15 * side).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in (muon, adam):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        keep = min(0.99, 1 - 1 / (step + 1) ** 0.7)
        with torch.no_grad():
            for name, value in model.named_parameters():
                average[name].lerp_(value, 1 - keep)
        losses.append(loss.item())
        tokens += int(real.sum())
        if step % 25 == 24:
            print(f"{(time.time() - began) / 60:6.1f} min step {step + 1} loss {np.mean(losses[-25:]):.3f} rest {side.item():.3f} tokens {tokens}", flush=True)
        if time.time() - last_saved > 240:
            save()
            present = {k: v.detach().clone() for k, v in model.named_parameters()}
            model.load_state_dict(average, strict=False)
            print("held out: facts %.1f %% right, declined %.1f %% of absent and %.1f %% of present" % examine(model, args.work / args.held_out, decline), flush=True)
            model.load_state_dict(present, strict=False)
            last_saved = time.time()
    save()
    model.load_state_dict(average, strict=False)
    print("held out: facts %.1f %% right, declined %.1f %% of absent and %.1f %% of present" % examine(model, args.work / args.held_out, decline, 10**9))


if __name__ == "__main__":
    main()
