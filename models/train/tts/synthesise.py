#!/usr/bin/env python3
"""Makes the training material: what the teacher would do for each sentence, exactly.

The teacher is the HTS voice of CMU ARCTIC's speaker slt (Debian: festival, festvox-us-slt-hts). Its
front end (festival) writes full-context labels; its back end (hts_engine, Debian: htsengine) writes
durations, mel-cepstra and pitch every 5 ms. So nothing has to be aligned or analysed.
"""

import argparse
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import corpus
from sounds import FUNCTION, PHONES, mark

VOICE = "/usr/share/festival/voices/us/cmu_us_slt_arctic_hts/hts/cmu_us_slt_arctic_hts.htsvoice"
DICTIONARY = "/usr/share/festival/dicts/cmu/cmudict-0.4.out"
ORDER = 45
LABEL = re.compile(r"\^[^-]*-([a-z]+)\+[^=]*=[^@]*@([0-9x]+)_.*/B:([0-9x]+)-.*?@([0-9x]+)-.*/E:([a-z]+)\+.*/H:.*\|([^/]*)/")


def dictionary_words():
    """Ordinary words of the dictionary, for the carriers."""
    found = set()
    for line in open(DICTIONARY, encoding="latin-1"):
        match = re.match(r'\("([a-z]{3,10})"', line)
        if match:
            found.add(match.group(1))
    return sorted(found)


def write_labels(texts, folder):
    """Lets one festival process write N.lab for every text."""
    script = folder / "labels.scm"
    quoted = [text.replace("\\", " ").replace('"', " ") for text in texts]
    lines = ["(voice_cmu_us_slt_arctic_hts)", "(define (label text file)",
             "  (let ((utt (eval (list 'Utterance 'Text text))))",
             "    (Initialize utt) (Text utt) (Token_POS utt) (Token utt) (POS utt) (Phrasify utt) (Word utt)",
             "    (Pauses utt) (Intonation utt) (PostLex utt) (Duration utt) (Int_Targets utt)",
             "    (hts_dump_feats utt hts_feats_list file)))"]
    lines += [f'(label "{text}" "{folder}/{index:05}.lab")' for index, text in enumerate(quoted)]
    script.write_text("\n".join(lines))
    subprocess.run(["festival", "-b", str(script)], check=True)


def generate(label):
    """Runs the back end; leaves N.dur, N.mgc, N.lf0."""
    stem = label.with_suffix("")
    subprocess.run(["hts_engine", "-m", VOICE, "-od", f"{stem}.dur", "-om", f"{stem}.mgc", "-of", f"{stem}.lf0", label],
                   check=True, stdout=subprocess.DEVNULL)


def read(label):
    """One utterance: phone ids, marks, durations in 5 ms frames, cepstra [n, 45], log pitch [n] (NaN = unvoiced)."""
    stem = label.with_suffix("")
    phones, marks, lengths, voices = [], [], [], []
    rows = stem.with_suffix(".dur").read_text().splitlines()
    tones = [LABEL.search(row.split()[2]).group(6) for row in rows]
    for index, row in enumerate(rows):
        start, end, context = row.split()
        name, place, stress, syllable, kind, _ = LABEL.search(context).groups()
        if name == "pau":
            # A pause is named by the melody that led to it, because that is what punctuation decides.
            name = "begin" if index == 0 else {"H-H%": "rise", "L-H%": "hold"}.get(tones[index - 1], "fall")
            phones.append(PHONES[name])
            marks.append(0)
        else:
            phones.append(PHONES[name + ("1" if stress == "1" and name + "1" in PHONES else "")])
            marks.append(mark(place == "1", place == "1" and syllable == "1", kind in FUNCTION))
        lengths.append(round((int(end) - int(start)) / 50000))
    cepstra = np.fromfile(stem.with_suffix(".mgc"), np.float32).reshape(-1, ORDER)
    pitch = np.fromfile(stem.with_suffix(".lf0"), np.float32)
    pitch = np.where(pitch > 0, pitch, np.nan)
    assert len(pitch) == len(cepstra) == sum(lengths), (label, len(pitch), sum(lengths))
    return phones, marks, lengths, cepstra, pitch


def collect(labels, file):
    """Puts all utterances one after another into `file`; `ends` and `frame_ends` tell where each one stops."""
    columns = {"phones": [], "marks": [], "lengths": [], "cepstra": [], "pitch": [], "ends": [], "frame_ends": []}
    spoken = frames = 0
    for label in labels:
        try:
            phones, marks, lengths, cepstra, pitch = read(label)
        except (AssertionError, AttributeError, KeyError, OSError) as error:
            print(f"left out {label.name}: {error!r}", file=sys.stderr)
            continue
        spoken, frames = spoken + len(phones), frames + len(cepstra)
        for name, values in [("phones", phones), ("marks", marks), ("lengths", lengths), ("cepstra", cepstra),
                             ("pitch", pitch), ("ends", [spoken]), ("frame_ends", [frames])]:
            columns[name].append(np.asarray(values))
    np.savez(file, **{name: np.concatenate(parts) for name, parts in columns.items()})
    print(f"{len(columns['ends'])} sentences, {spoken} sounds, {frames * 0.005 / 60:.1f} minutes")



def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[1] / "work" / "tts")
    parser.add_argument("--count", type=int, default=2400, help="sentences")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    folder = options.work / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    texts = corpus.sentences(options.count, dictionary_words(), options.seed)
    (options.work / "texts.txt").write_text("\n".join(texts) + "\n")
    write_labels(texts, folder)
    labels = [folder / f"{index:05}.lab" for index in range(len(texts))]
    with ThreadPoolExecutor(options.processes) as pool:
        list(pool.map(generate, labels))
    collect(labels, options.work / "material.npz")

if __name__ == "__main__":
    main()
