"""Writes models/starter/pack.toml and MODEL_CARD.md from the files that lie there.

    python3 models/train/pack.py

Sizes and hashes come from the files, the rest from the table below; the card is the cards of the four
parts behind one another. Needs nothing but Python.
"""

import hashlib
import pathlib

STARTER = pathlib.Path(__file__).resolve().parent.parent / "starter"

MODELS = [
    {"kind": "asr", "name": "starter-asr-en", "engine": "nemo-ctc", "language": ["en"], "sample_rate": 16000,
     "quantisation": "int8", "files": ["asr.onnx", "asr-tokens.txt", "asr-lm.arpa"]},
    {"kind": "llm", "name": "starter-llm-en", "engine": "guided-decoder", "language": ["en"], "sample_rate": 0,
     "quantisation": "int8", "files": ["llm.onnx", "llm-tokenizer.json"]},
    {"kind": "tts", "name": "starter-tts-en", "engine": "source-filter", "language": ["en"], "sample_rate": 16000,
     "quantisation": "int8",
     "files": ["tts-reader.onnx", "tts-mouth.onnx", "tts.json", "tts-lexicon.txt", "tts-letters.txt", "tts-notice.txt"]},
    {"kind": "face", "name": "starter-face", "engine": "mouth-shapes", "language": [], "sample_rate": 16000,
     "quantisation": "int8", "files": ["face.onnx"]},
]  # fmt: skip

CARD = """# Model card of the starter pack

Four small models, made by the recipes in `models/train` from speech that free engines synthesised and from
dialogues that we wrote. Nothing was recorded from a person, and no network of others is inside; the word model
of the recogniser has probabilities of a free one in it. They show that the machine works and are enough for a
quiet lobby with clear questions; they have hardly heard a human being. Larger public models fit the same
contracts.

`make starter` makes them anew. `linly-edge models list` prints this pack, `linly-edge models verify` compares
its files with their hashes.
"""


def entry(model):
    """The TOML of one model."""
    lines = ["[[model]]"]
    for key in ("kind", "name", "engine"):
        lines.append(f'{key} = "{model[key]}"')
    languages = ", ".join(f'"{language}"' for language in model["language"])
    lines.append(f"language = [{languages}]")
    lines.append(f"sample_rate = {model['sample_rate']}")
    lines.append(f'quantisation = "{model["quantisation"]}"')
    lines.append('licence = "Apache-2.0"')
    lines.append("files = [")
    for name in model["files"]:
        path = STARTER / name
        if not path.exists():
            print(f"left out: {name} is not there")
            continue
        data = path.read_bytes()
        lines.append(f'    {{ path = "{name}", sha256 = "{hashlib.sha256(data).hexdigest()}", bytes = {len(data)} }},')
    lines.append("]")
    return "\n".join(lines)


def main():
    head = "# The models that ship; written by models/train/pack.py.\n\n"
    (STARTER / "pack.toml").write_text(head + "\n\n".join(map(entry, MODELS)) + "\n")
    cards = [STARTER / "card" / f"{model['kind']}.md" for model in MODELS]
    texts = [card.read_text().strip() for card in cards if card.exists()]
    (STARTER / "MODEL_CARD.md").write_text(CARD + "\n" + "\n\n".join(texts) + "\n")


if __name__ == "__main__":
    main()
