"""The two networks of the voice.

`Reader` turns the sounds of a phrase into durations and, for each sound, a short path through a
feature space (five knots). `Mouth` turns the paths, sampled every 10 ms, into the parameters of a
source-filter synthesiser every 5 ms. Between them stands only arithmetic that the engine does itself
(see `frames`), so neither graph has a shape that depends on values.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sounds import NAMES

MARKS = 6
KNOTS = 5
PATH = 96  # features of a knot
PLACE = 4  # features that tell where in its sound a frame is
WIDTH = 160
ORDER = 45  # mel-cepstral coefficients
OUTPUTS = ORDER + 2  # and log pitch, and the logit of being voiced
STEP = 2  # synthesiser frames (5 ms) in a step of Mouth


class Norm(nn.Module):
    """Normalises the channels of [batch, channel, time]."""

    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, width, 1))
        self.bias = nn.Parameter(torch.zeros(1, width, 1))

    def forward(self, x):
        centred = x - x.mean(1, keepdim=True)
        spread = (centred * centred).mean(1, keepdim=True)
        return centred * torch.rsqrt(spread + 1e-5) * self.gain + self.bias


class Block(nn.Module):
    def __init__(self, width, reach, dilation):
        super().__init__()
        self.norm = Norm(width)
        self.wide = nn.Conv1d(width, width, reach, padding=(reach // 2) * dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x, mask):
        return x + self.mix(F.relu(self.wide(self.norm(x) * mask)))


class Reader(nn.Module):
    """input, marks: int64 [batch, sounds] -> knots [batch, sounds, KNOTS * PATH], durations [batch, sounds] in 5 ms."""

    def __init__(self):
        super().__init__()
        self.sound = nn.Embedding(len(NAMES), WIDTH)
        self.mark = nn.Embedding(MARKS, WIDTH)
        self.blocks = nn.ModuleList(Block(WIDTH, 5, dilation) for dilation in (1, 2, 4, 1, 2, 4))
        self.norm = Norm(WIDTH)
        self.knots = nn.Conv1d(WIDTH, KNOTS * PATH, 1)
        self.length = nn.Sequential(nn.Conv1d(WIDTH, 96, 3, padding=1), nn.ReLU(), nn.Conv1d(96, 1, 1))
        nn.init.constant_(self.length[2].bias, float(np.log(16)))

    def forward(self, sounds, marks, mask=None):
        mask = torch.ones(1, 1, 1) if mask is None else mask
        x = (self.sound(sounds) + self.mark(marks)).transpose(1, 2)
        for block in self.blocks:
            x = block(x, mask)
        x = self.norm(x) * mask
        durations = self.length(x).squeeze(1).clamp(0.0, 5.0).exp()
        return self.knots(x).transpose(1, 2), durations


class Mouth(nn.Module):
    """path: float [batch, PATH + PLACE, steps] -> [batch, steps, STEP * OUTPUTS]."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Conv1d(PATH + PLACE, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(Block(WIDTH, 3, dilation) for dilation in (1, 2, 4, 2))
        self.norm = Norm(WIDTH)
        self.leave = nn.Conv1d(WIDTH, STEP * OUTPUTS, 1)
        self.register_buffer("mean", torch.zeros(1, 1, STEP * OUTPUTS))
        self.register_buffer("spread", torch.ones(1, 1, STEP * OUTPUTS))

    def forward(self, path, mask=None):
        mask = torch.ones(1, 1, 1) if mask is None else mask
        x = self.enter(path * mask)
        for block in self.blocks:
            x = block(x, mask)
        return self.leave(self.norm(x)).transpose(1, 2) * self.spread + self.mean


def frames(lengths):
    """Which sound, and where in it, each 10 ms step is. `lengths` in 5 ms (any positive floats).

    Returns sound [steps] int64, weights [steps, KNOTS] of the knots, place [steps, PLACE].
    """
    ends = np.cumsum(lengths, dtype=np.float64)
    steps = max(1, int(np.ceil(ends[-1] / STEP - 1e-6)))
    at = (np.arange(steps) + 0.5) * STEP
    sound = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
    length = np.asarray(lengths, np.float64)[sound]
    since = np.clip(at - (ends[sound] - length), 0.0, length)
    fraction = since / length
    knot = fraction * (KNOTS - 1)
    weights = np.maximum(0.0, 1.0 - np.abs(knot[:, None] - np.arange(KNOTS)[None]))
    place = np.stack([fraction, np.log(length) - 2.7, since / 20.0, (length - since) / 20.0], 1)
    return sound.astype(np.int64), weights.astype(np.float32), place.astype(np.float32)


def paths(knots, sound, weights, place):
    """The input of Mouth, [batch, PATH + PLACE, steps], from the knots and the batch's `frames`."""
    batch, steps = sound.shape
    chosen = torch.gather(knots, 1, sound[:, :, None].expand(-1, -1, knots.shape[2]))
    path = (chosen.view(batch, steps, KNOTS, PATH) * weights[..., None]).sum(2)
    return torch.cat([path, place], 2).transpose(1, 2)
