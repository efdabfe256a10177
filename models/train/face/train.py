"""Trains the network; `best.pt` is always the best so far.

    python train.py --work ../work/face --minutes 20
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from features import BANDS, FLOOR
from model import AHEAD, CONTEXT, MouthShapes
from visemes import SHAPE

PICTURES = 50  # a training window: 2 s
# Rare, short, and what one sees: lips that meet, lips under teeth.
IMPORTANCE = torch.tensor([2.0, 1.0, 1.2, 2.0, 2.0, 0.6])


def load(path):
    with np.load(path) as data:
        return data["power"], data["shape"], data["starts"], data["voices"]


def per_picture(shape):
    """Mouth shapes every 10 ms to one a picture: the mean of its 40 ms."""
    return shape[: len(shape) // 4 * 4].reshape(-1, 4, shape.shape[1]).mean(1)


def windows(power, shape, count, rng):
    """`count` random windows of sound at random levels, in random rooms and noise."""
    steps = CONTEXT + 4 * (PICTURES - 1)
    # The first picture's own 40 ms begin this many steps into its context.
    before = CONTEXT - AHEAD - 4
    starts = rng.integers(0, len(power) - steps, count)
    x = np.stack([power[s:s + steps] for s in starts])
    y = np.stack([per_picture(shape[s + before:s + before + 4 * PICTURES]) for s in starts])
    bands = np.linspace(0, 1, BANDS)

    def colour(spread):
        """Random smooth spectra, in nepers of power: [count, 1, BANDS]."""
        knots = rng.normal(0, spread, (count, 5))
        return np.stack([np.interp(bands, np.linspace(0, 1, 5), k) for k in knots])[:, None]

    x = x * np.exp(colour(0.7))
    # From a very clean signal to 12 dB between speech and noise.
    quiet = 10 ** (-rng.uniform(1.2, 8, (count, 1, 1)))
    noise = rng.gamma(3, 1 / 3, x.shape) * np.exp(colour(1.0)) * quiet * 0.01 / BANDS
    # Nobody speaks in some windows.
    still = rng.random(count) < 0.04
    x[still], y[still] = 0, 0
    gain = 10 ** rng.uniform(-2.0, 1.2, (count, 1, 1))
    x = np.log((x + noise) * gain + FLOOR)
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y.astype(np.float32))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, default=Path(__file__).parent.parent / "work" / "face")
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--resume", action="store_true", help="go on from best.pt, at a lower rate")
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.manual_seed(3)
    torch.set_num_threads(options.threads)
    power, shape, _, _ = load(options.work / "train.npz")
    held_power, held_shape, _, _ = load(options.work / "held-out.npz")
    test = windows(held_power, held_shape, 256, np.random.default_rng(4))

    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = MouthShapes().to(device)
    rate = 2e-3
    if options.resume:
        network.load_state_dict(torch.load(options.work / "best.pt", map_location=device))
        rate = 1e-3
    print(sum(p.numel() for p in network.parameters()), "parameters")
    importance = IMPORTANCE.to(device)

    def judge():
        """Weighted squared error and mean error of each number, on voices never trained on."""
        with torch.no_grad():
            out = network(test[0].to(device)).cpu()
        return float(((out - test[1]) ** 2 * IMPORTANCE).mean()), (out - test[1]).abs().mean((0, 1))

    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2)
    rng = np.random.default_rng(5)
    began, step = time.monotonic(), 0
    best = judge()[0] if options.resume else np.inf
    while True:
        share = (time.monotonic() - began) / (60 * options.minutes)
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5
        x, y = windows(power, shape, 32, rng)
        x, y = x.to(device), y.to(device)
        out = network(x)
        # Movement counts too, or the mouth would be right on average and dull.
        loss = ((out - y) ** 2 * importance).mean() + ((out.diff(dim=1) - y.diff(dim=1)) ** 2 * importance).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 250 == 0:
            total, error = judge()
            if total < best:
                best = total
                torch.save(network.state_dict(), options.work / "best.pt")
            numbers = " ".join(f"{n} {e:.3f}" for n, e in zip(SHAPE, error))
            print(f"step {step} loss {loss.item():.4f} held out {total:.4f} mean error: {numbers}", flush=True)


if __name__ == "__main__":
    main()
