"""The decoder: Llama-style, with query and key biases as in Qwen2.5."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocabulary: int = 2048
    width: int = 192
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    #: Numbers of a head that turn with the position; the others compare contents alone.
    rotary: int = 16
    hidden: int = 384
    theta: float = 1e4


def rotation(shape, length):
    """Cosines and sines [length, rotary] of the rotary embedding (rotate-half form)."""
    pace = shape.theta ** (-torch.arange(0, shape.rotary, 2).float() / shape.rotary)
    angle = torch.arange(length).float()[:, None] * pace[None]
    return torch.cat([angle, angle], 1).cos(), torch.cat([angle, angle], 1).sin()


def rotate(x, cos, sin):
    turning, still = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    a, b = turning.chunk(2, -1)
    return torch.cat([turning * cos + torch.cat([-b, a], -1) * sin, still], -1)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        width, head = shape.width, shape.head
        self.norm_attention, self.norm_feed = Norm(width), Norm(width)
        self.query = nn.Linear(width, shape.heads * head)
        self.key = nn.Linear(width, shape.kv_heads * head)
        self.value = nn.Linear(width, shape.kv_heads * head, bias=False)
        self.out = nn.Linear(shape.heads * head, width, bias=False)
        self.gate = nn.Linear(width, shape.hidden, bias=False)
        self.up = nn.Linear(width, shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, width, bias=False)
        for linear in (self.query, self.key, self.value, self.gate, self.up):
            nn.init.normal_(linear.weight, std=0.6 / math.sqrt(width))
        for linear in (self.out, self.down):
            nn.init.normal_(linear.weight, std=0.15 / math.sqrt(linear.in_features))
        nn.init.zeros_(self.query.bias)
        nn.init.zeros_(self.key.bias)

    def forward(self, x, cos, sin):
        """[batch, time, width] → the same."""
        s = self.shape
        batch, time, _ = x.shape
        h = self.norm_attention(x)
        q = self.query(h).view(batch, time, s.heads, s.head).transpose(1, 2)
        k = self.key(h).view(batch, time, s.kv_heads, s.head).transpose(1, 2)
        v = self.value(h).view(batch, time, s.kv_heads, s.head).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        repeat = s.heads // s.kv_heads
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(batch, time, -1))
        h = self.norm_feed(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Decoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embed.weight, std=0.08)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)
        cos, sin = rotation(shape, 1024)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def hidden(self, ids):
        x = self.embed(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)

    def logits(self, hidden):
        return hidden @ self.embed.weight.T

    def forward(self, ids):
        return self.logits(self.hidden(ids))

    @torch.no_grad()
    def start_with_copying(self):
        """Sets some heads so that the model copies before it has learned anything.

        Answers are mostly copied from the prompt, and from a random start the
        circuit for that takes longer to form than all the rest, so it is put
        there and training keeps what it can use. The residual stream starts in
        three parts: the token, the token before it, and the one before that.
        Two heads of layer 0 look one and two positions back and fill the second
        and third part; one head in each of the next layers looks for the place
        where the last two tokens stood before, and repeats what followed.
        """
        s = self.shape
        own = s.width // 2
        rest = (s.width - own) // 2
        basis = torch.linalg.qr(torch.randn(s.width, s.width))[0].T
        here, before, earlier = basis[:own], basis[own : own + rest], basis[own + rest :]
        size = 1.0
        self.embed.weight.copy_(torch.randn(s.vocabulary, own) @ here * size / math.sqrt(own))
        # A token is recognised by a projection of its embedding; the rows are orthonormal.
        code = torch.linalg.qr(torch.randn(own, rest))[0].T @ here

        turning = s.rotary // 2
        pace = s.theta ** (-torch.arange(turning).float() / turning)
        first = self.layers[0]
        group = slice(0, s.head)
        strength = 5.5
        first.key.weight[group] *= 0.02
        first.key.bias[:turning] = strength
        first.value.weight[group] = 0.0
        first.value.weight[: min(rest, s.head)] = code[: s.head]
        for head, back, place in ((0, 1, before), (1, 2, earlier)):
            rows = slice(head * s.head, (head + 1) * s.head)
            first.query.weight[rows] *= 0.02
            # A query turned back by `back` positions meets the key there in phase.
            first.query.bias[rows][:turning] = strength * torch.cos(pace * back)
            first.query.bias[rows][turning : 2 * turning] = -strength * torch.sin(pace * back)
            first.out.weight[:, rows] = 0.0
            n = min(rest, s.head)
            first.out.weight[:, rows][:, :n] = 0.1 * place[:n].T

        content = s.head - s.rotary
        nearer = content * 6 // 10
        for layer in list(self.layers)[1:3]:
            rows = slice(0, s.head)
            for weight in (layer.query.weight, layer.key.weight):
                weight[rows] *= 0.1
            mix = torch.linalg.qr(torch.randn(rest, rest))[0]
            at, middle = s.rotary, s.rotary + nearer
            layer.query.weight[at:middle] = 1.85 * (mix @ code)[:nearer]
            layer.key.weight[at:middle] = 1.85 * (mix @ before)[:nearer]
            layer.query.weight[middle : s.head] = 1.35 * (mix @ before)[: content - nearer]
            layer.key.weight[middle : s.head] = 1.35 * (mix @ earlier)[: content - nearer]
            say = torch.linalg.qr(torch.randn(own, s.head))[0].T @ here
            layer.value.weight[rows] = say
            layer.out.weight[:, rows] = 0.6 * say.T
