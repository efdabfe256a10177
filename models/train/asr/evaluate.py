"""Word error rate on voices and sentences that training never saw; needs Python and Debian packages only.

    python3 models/train/asr/evaluate.py [--program target/release/linly-edge] [--rival] [--json]

Speaks `evaluation.txt` with flite's `rms`, festival's `ked_diphone` and espeak-ng's `en-us+f5`, lets
`linly-edge try asr` (and with --rival also pocketsphinx with its general English model) write down what it
hears, and prints a table: engine and voice, words, errors, rate.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VOICES = ["flite rms", "festival ked_diphone", "espeak-ng en-us+f5"]


def sentences() -> list[str]:
    """The held-out sentences."""
    lines = (HERE / "evaluation.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def run(command, text=None) -> str:
    done = subprocess.run(command, check=True, input=text, capture_output=True, text=True)
    return done.stdout


def speak(folder: Path) -> dict[str, list[Path]]:
    """One WAV a sentence for each voice; what is already in `folder` is kept."""
    waves: dict[str, list[Path]] = {}
    script = ["(voice_ked_diphone)"]
    for voice in VOICES:
        place = folder / voice.replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        waves[voice] = []
        for number, sentence in enumerate(sentences()):
            target = place / f"{number:02}.wav"
            waves[voice].append(target)
            if target.exists():
                continue
            if voice.startswith("flite"):
                run(["flite", "-voice", "rms", "-t", sentence, "-o", str(target)])
            elif voice.startswith("espeak"):
                run(["espeak-ng", "-v", "en-us+f5", "-s", "150", "-w", str(target), sentence])
            else:
                script.append(f'(utt.save.wave (utt.synth (Utterance Text "{sentence}")) "{target}" \'riff)')
    if len(script) > 1:
        run(["festival", "--pipe"], "\n".join(script))
    return waves


def plain(text: str) -> list[str]:
    """Words without punctuation and capitals; British spellings count as the American ones."""
    same = {"centre": "center", "harbour": "harbor", "theatre": "theater", "mr": "mister", "dr": "doctor"}
    return [same.get(word, word) for word in re.sub(r"[^a-z' ]", " ", text.lower()).split()]


def word_errors(heard: list[str], said: list[str]) -> int:
    """Least number of words to change, add or remove."""
    row = list(range(len(said) + 1))
    for count, word in enumerate(heard, 1):
        previous, row[0] = row[0], count
        for index, other in enumerate(said, 1):
            previous, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, previous + (word != other))
    return row[-1]


def ours(program: str, extra: list[str], files: list[Path]) -> list[str]:
    lines = run([program, "try", "asr", *extra, *map(str, files)]).splitlines()
    heard = dict(line.split("\t", 1) for line in lines if "\t" in line)
    return [heard.get(str(file), "") for file in files]


def pocketsphinx(files: list[Path]) -> list[str]:
    heard = []
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            raw = Path(folder) / "speech.wav"
            run(["sox", str(file), "-r", "16000", "-c", "1", "-b", "16", str(raw), "pad", "0.2", "0.3"])
            done = subprocess.run(
                ["pocketsphinx_continuous", "-infile", str(raw), "-logfn", "/dev/null"], capture_output=True, text=True
            )
            heard.append(" ".join(done.stdout.split()))
    return heard


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/linly-edge")
    parser.add_argument("--work", type=Path, help="where to keep the spoken sentences (default: nowhere)")
    parser.add_argument("--rival", action="store_true", help="also score pocketsphinx")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", action="store_true", help="print every sentence that was misheard")
    parser.add_argument("extra", nargs="*", help="more arguments for `linly-edge try asr`, after --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as fleeting:
        waves = speak(options.work or Path(fleeting))
        listeners = {"linly-edge": lambda files: ours(options.program, options.extra, files)}
        if options.rival:
            listeners["pocketsphinx"] = pocketsphinx
        rows = []
        for listener, listen in listeners.items():
            for voice, files in waves.items():
                began = time.monotonic()
                heard = listen(files)
                seconds = time.monotonic() - began
                errors = words = 0
                for text, said in zip(heard, sentences()):
                    mistakes = word_errors(plain(text), plain(said))
                    errors, words = errors + mistakes, words + len(plain(said))
                    if mistakes and options.errors and listener == "linly-edge":
                        print(f"{voice}\t{mistakes}\t{said}\t{text}", file=sys.stderr)
                rows.append({"listener": listener, "voice": voice, "words": words, "errors": errors,
                             "rate": round(errors / words, 4), "seconds": round(seconds, 1)})  # fmt: skip
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(f"{row['listener']:14}{row['voice']:24}{row['errors']:4} of {row['words']} words {100 * row['rate']:6.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
