#!/usr/bin/env python3
"""How well a listener understands our voice, beside the voices it learned from.

Speaks the sentences of heldout.tsv (text, tab, the words a listener should hear) with our voice and
with the teachers, lets pocketsphinx with its general English model write down what it hears, and
prints the word error rates and their difference. Needs nothing beyond Python and the Debian
packages flite, festival, festvox-us-slt-hts, pocketsphinx, pocketsphinx-en-us and sox.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODEL = pathlib.Path("/usr/share/pocketsphinx/model/en-us")


def sentences(path):
    """The pairs (text, words expected) of a tab-separated file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if line.strip()]


def speak_flite(text, wav):
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", wav], check=True)


def speak_festival(text, wav):
    subprocess.run(
        ["text2wave", "-eval", "(voice_cmu_us_slt_arctic_hts)", "-o", wav],
        input=text.encode(), check=True, stderr=subprocess.DEVNULL,
    )


def speaker_of(command):
    """A speaker made of a command line in which {text} and {wav} stand for what they say."""
    def speak(text, wav):
        parts = [part.format(text=text, wav=wav) for part in command]
        subprocess.run(parts, check=True, stdout=subprocess.DEVNULL)
    return speak


def listen(folder, names):
    """What pocketsphinx hears in folder/name.wav, by name; everything becomes 16 kHz mono first."""
    for name in names:
        raw = folder / f"{name}.raw"
        # A little silence around a sentence is what a recogniser expects and every voice gets alike.
        subprocess.run(
            ["sox", "-D", folder / f"{name}.wav", "-r", "16000", "-c", "1", "-b", "16", "-e", "signed", raw,
             "gain", "-n", "-3", "pad", "0.25", "0.25"], check=True)
    control = folder / "control"
    control.write_text("\n".join(names) + "\n")
    heard = folder / "heard"
    subprocess.run(
        ["pocketsphinx_batch", "-hmm", MODEL / "en-us", "-lm", MODEL / "en-us.lm.bin",
         "-dict", MODEL / "cmudict-en-us.dict", "-cepdir", folder, "-cepext", ".raw", "-adcin", "yes",
         "-ctl", control, "-hyp", heard, "-logfn", "/dev/null"], check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {}
    for line in heard.read_text().splitlines():
        words, _, tail = line.rpartition("(")
        found[tail.split()[0]] = words.strip()
    return found


def words_of(text):
    """Lower-case words; spellings that sound the same are made one."""
    same = {"mrs": "missus", "mr": "mister", "dr": "doctor", "center": "centre", "harbor": "harbour",
            "theater": "theatre", "ok": "okay", "am": "a m", "pm": "p m", "lili": "lily"}
    text = re.sub(r"\(\d+\)", "", text.lower()).replace(".", "").replace("-", " ")
    text = re.sub(r"[^a-z' ]", " ", text)
    return " ".join(same.get(word, word) for word in text.split()).split()


def errors(wanted, heard):
    """The fewest substitutions, insertions and deletions that turn one list of words into the other."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def word_error_rate(speak, pairs, keep=None, verbose=False):
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        names = [f"s{index:03}" for index in range(len(pairs))]
        for name, (text, _) in zip(names, pairs):
            speak(text, str(folder / f"{name}.wav"))
        found = listen(folder, names)
        wrong = total = 0
        for name, (_, expected) in zip(names, pairs):
            wanted, heard = words_of(expected), words_of(found.get(name, ""))
            missed = errors(wanted, heard)
            wrong, total = wrong + missed, total + len(wanted)
            if verbose and missed:
                print(f"  {missed}  {' '.join(wanted)}\n     {' '.join(heard)}")
        if keep:
            shutil.copytree(folder, keep, dirs_exist_ok=True)
    return 100.0 * wrong / total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=pathlib.Path, default=HERE / "heldout.tsv")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the recordings here")
    parser.add_argument("--verbose", action="store_true", help="print the sentences that were misheard")
    parser.add_argument("--teachers", action="store_true", help="only the teachers")
    parser.add_argument(
        "command", nargs="*",
        help="how to speak; default: linly-edge try tts --text {text} --out {wav}",
        default=["linly-edge", "try", "tts", "--text", "{text}", "--out", "{wav}"])
    options = parser.parse_args()
    pairs = sentences(options.sentences)
    voices = {"flite slt": speak_flite, "festival slt_hts": speak_festival}
    if not options.teachers:
        voices["ours"] = speaker_of(options.command)
    rates = {}
    for name, speak in voices.items():
        keep = options.keep / name.replace(" ", "-") if options.keep else None
        if options.verbose:
            print(name)
        rates[name] = word_error_rate(speak, pairs, keep, options.verbose)
        print(f"{name}: {rates[name]:.1f} % of words wrong", flush=True)
    for name in [] if options.teachers else ["flite slt", "festival slt_hts"]:
        print(f"ours - {name}: {rates['ours'] - rates[name]:+.1f} points")


if __name__ == "__main__":
    main()
