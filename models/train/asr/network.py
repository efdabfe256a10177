"""The recogniser: log-mel → characters, a stack of separable convolutions without any recurrence.

Three strided convolutions bring 10 ms frames to 80 ms, where nearly all the work is done; the head gives two
predictions for each of those, so that characters have 40 ms each. Shapes: (batch, 80, frames) → (batch,
frames / 4, characters + blank).
"""

import torch
from torch import nn
from torch.nn import functional

# Index = token; the blank is the last one, as NeMo has it.
CHARACTERS = [" ", "'"] + [chr(code) for code in range(ord("a"), ord("z") + 1)]
BLANK = len(CHARACTERS)
SUBSAMPLING = 4
# The block whose output is also asked for phonemes while training.
HALFWAY = 3
PHONES = 128


class Phonetician(nn.Module):
    """Phonemes, each 20 ms, from half way up: a teacher for training only. One alphabet an engine family."""

    def __init__(self, width=224, families=2):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(nn.Linear(width, 4 * PHONES) for _ in range(families))

    def forward(self, halfway, family: int):
        """(batch, frames / 8, width) → (batch, frames / 2, PHONES), unnormalised."""
        y = self.heads[family](self.norm(halfway))
        return y.reshape(y.shape[0], -1, PHONES)


class Block(nn.Module):
    """Depthwise convolution over time, then two dense layers over channels, added to the input."""

    def __init__(self, width: int, kernel: int, growth: int):
        super().__init__()
        self.mix = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.grow = nn.Linear(width, growth * width)
        self.shrink = nn.Linear(growth * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    def forward(self, x, mask):
        y = self.mix((x * mask).transpose(1, 2)).transpose(1, 2)
        y = self.shrink(functional.relu(self.grow(self.norm(y))))
        return x + self.scale * y


class Recogniser(nn.Module):
    def __init__(self, width=224, blocks=7, kernel=11, growth=3):
        super().__init__()
        self.first = nn.Conv1d(80, 160, 5, stride=2, padding=2)
        self.second = nn.Conv1d(160, 192, 5, stride=2, padding=2)
        self.early = Block(192, 7, 2)
        self.third = nn.Conv1d(192, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block(width, kernel, growth) for _ in range(blocks))
        # Between layers the padding of a batch has to be silenced; a single utterance has none.
        self.batched = True
        self.norm = nn.LayerNorm(width)
        self.split = nn.Linear(width, 2 * 160)
        self.head = nn.Conv1d(160, BLANK + 1, 3, padding=1)

    def forward(self, mel, length):
        """mel (batch, 80, frames) normalised, length (batch,) in frames → log-probabilities."""
        return self.both(mel, length)[0]

    def both(self, mel, length):
        """The log-probabilities, and what the network knows half way, (batch, frames / 8, width)."""
        # A running count instead of a range: it needs no symbolic arithmetic in any runtime.
        count = torch.cumsum(mel[:, :1] * 0 + 1, dim=2)
        mask = (count <= length.to(mel.dtype).view(-1, 1, 1)).to(mel.dtype)
        x = functional.relu(self.first(mel * mask))
        if not self.batched:
            mask = torch.ones(1, 1, 1)
        x = functional.relu(self.second(x * mask[:, :, ::2])).transpose(1, 2)
        mask = mask[:, :, ::4].transpose(1, 2)
        x = self.early(x, mask)
        x = functional.relu(self.third((x * mask).transpose(1, 2))).transpose(1, 2)
        mask = mask[:, ::2]
        halfway = x
        for number, block in enumerate(self.blocks):
            x = block(x, mask)
            if number == HALFWAY:
                halfway = x
        x = functional.relu(self.split(self.norm(x)) * mask)
        x = x.reshape(x.shape[0], -1, 160)
        return functional.log_softmax(self.head(x.transpose(1, 2)).transpose(1, 2), dim=2), halfway


def encode(text: str) -> list[int]:
    """Token indices of a lower-case sentence."""
    return [CHARACTERS.index(character) for character in text]


def greedy(logprobs) -> str:
    """Best path of (frames, tokens), repeats and blanks removed."""
    best = logprobs.argmax(-1).tolist()
    kept = [token for index, token in enumerate(best) if token != BLANK and (index == 0 or token != best[index - 1])]
    return "".join(CHARACTERS[token] for token in kept)


def word_errors(heard: str, said: str) -> int:
    """Least number of words to change, add or remove."""
    heard, said = heard.split(), said.split()
    row = list(range(len(said) + 1))
    for count, word in enumerate(heard, 1):
        previous, row[0] = row[0], count
        for index, other in enumerate(said, 1):
            previous, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, previous + (word != other))
    return row[-1]
