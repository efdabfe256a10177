"""The network: log-mel features to mouth shapes, 25 a second."""

import torch
from torch import nn

from features import BANDS
from visemes import SHAPE

# Steps of 10 ms that one picture depends on, and how many of them come after its 40 ms:
# the last one ends 77.5 ms after them, so two further pictures of sound are enough.
CONTEXT = 38
AHEAD = 7


class MouthShapes(nn.Module):
    """Convolutions without padding: features [batch, CONTEXT + 4 n, BANDS] to shapes [batch, n + 1, 6], 0 to 1."""

    def __init__(self, width=96):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(BANDS, 64, 5), nn.ReLU(),
            nn.Conv1d(64, width, 4, stride=2), nn.ReLU(),
            nn.Conv1d(width, width, 5), nn.ReLU(),
            nn.Conv1d(width, width, 4, stride=2), nn.ReLU(),
            nn.Conv1d(width, width, 3), nn.ReLU(),
            nn.Conv1d(width, 64, 3), nn.ReLU(),
            nn.Conv1d(64, len(SHAPE), 1),
        )

    def forward(self, features):
        # Band powers lie between exp(-16) and 1.
        hidden = (features.transpose(1, 2) + 9) * 0.25
        return torch.sigmoid(self.layers(hidden)).transpose(1, 2)
