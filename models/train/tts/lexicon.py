#!/usr/bin/env python3
"""Writes how words are pronounced: the dictionary, and letter-to-sound rules learned from it.

Reads festival's CMU dictionary (Debian: festlex-cmu), whose pronunciations are those that the teacher
was trained with. Two files come out:

tts-lexicon.txt   word, tab, sounds: syllables joined by "-", sounds by spaces, "1" after a stressed
                  vowel. Where a verb or noun differs from the first entry, `word/v` or `word/n` follows.
tts-letters.txt   rules "left letter right" (joined by tabs), tab, sounds. The widest rule that fits wins.

The rules are contexts that grow until they no longer err: a rule is kept only where it says something
else than the next narrower one. Each tenth word is kept out while measuring, and put in at the end.
"""

import argparse
import collections
import math
import pathlib
import random
import re

DICTIONARY = "/usr/share/festival/dicts/cmu/cmudict-0.4.out"
ENTRY = re.compile(r'^\("([^"]+)" (\S+) \((.*)\)\)$')
SYLLABLE = re.compile(r"\(\(([a-z ]+)\) ([01])\)")
VOWELS = set("aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw".split())
# How many letters to the left and right each kind of rule looks at, narrowest first.
WINDOWS = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4)]
# Contractions and new words, and where the teacher says something else than the dictionary's first entry.
ADDED = """I'll=ay1 l|it's=ih1 t s|don't=d ow1 n t|didn't=d ih1-d ax n t|isn't=ih1-z ax n t|doesn't=d ah1-z ax n t|
that's=dh ae1 t s|won't=w ow1 n t|aren't=aa1 r n t|there's=dh eh1 r z|we're=w iy1 r|wouldn't=w uh1-d ax n t|
wasn't=w aa1-z ax n t|they're=dh eh1 r|weren't=w er1 n t|i'm=ay1 m|he's=hh iy1 z|she's=sh iy1 z|you're=y uh1 r|
haven't=hh ae1-v ax n t|we've=w iy1 v|i've=ay1 v|hadn't=hh ae1-d ax n t|they've=dh ey1 v|shouldn't=sh uh1-d ax n t|
i'd=ay1 d|they'll=dh ey1 l|you've=y uw1 v|you'll=y uw1 l|we'd=w iy1 d|he'd=hh iy1 d|he'll=hh iy1 l|they'd=dh ey1 d|
you'd=y uw1 d|it'll=ih1-t ax l|she'd=sh iy1 d|who'd=hh uw1 d|she'll=sh iy1 l|there'll=dh eh1-r ax l|who'll=hh uw1 l|
that'll=dh ae1-t ax l|mustn't=m ah1-s ax n t|could've=k uh1-d ax v|hasn't=hh ae1-z ax n t|couldn't=k uh1-d ax n t|
let's=l eh1 t s|what's=w ah1 t s|where's=w eh1 r z|who's=hh uw1 z|how's=hh aw1 z|here's=hh iy1 r z|we'll=w iy1 l|
i'll=ay1 l|can't=k ae1 n t|o'clock=ax-k l aa1 k|one's=w ah1 n z|ma'am=m ae1 m|email=iy1-m ey l|wifi=w ay1-f ay|
website=w eh1 b-s ay t|online=aa1 n-l ay n|app=ae1 p|kiosk=k iy1-aa s k|cafe=k ae-f ey1|linly=l ih1 n-l iy|
lobby=l aa1-b iy|restroom=r eh1 s t-r uw m|restrooms=r eh1 s t-r uw m z|okay=ow-k ey1|smartphone=s m aa1 r t-f ow n|to=t ax|miz=m ih1 z""".replace("\n", "")


def entries():
    """(word, part of speech, syllables) in the dictionary's order; a syllable is (sounds, stress)."""
    for line in open(DICTIONARY, encoding="latin-1"):
        match = ENTRY.match(line.strip())
        if match and re.fullmatch(r"[a-z']+", match.group(1)):
            syllables = [(sounds.split(), stress == "1") for sounds, stress in SYLLABLE.findall(match.group(3))]
            if syllables:
                yield match.group(1), match.group(2), syllables


def spelled(syllables):
    return "-".join(" ".join(s + "1" if stress and s in VOWELS else s for s in sounds) for sounds, stress in syllables)


def dictionary():
    """Spelling -> sounds. The first entry stands for the word, a differing verb or noun beside it."""
    found = {}
    for word, part, syllables in entries():
        # Festival calls the article "a" by its own part of speech; it comes first and is right for us.
        said = spelled(syllables)
        if word not in found:
            found[word] = said
        elif part in ("n", "v") and found[word] != said:
            found.setdefault(f"{word}/{part}", said)
    for item in ADDED.split("|"):
        word, said = item.split("=")
        found[word.lower()] = said
    return found


def align(word, sounds, cost):
    """The cheapest way to give each letter none, one or two sounds; None where there is none."""
    infinite = float("inf")
    best = [[infinite] * (len(sounds) + 1) for _ in range(len(word) + 1)]
    back = [[0] * (len(sounds) + 1) for _ in range(len(word) + 1)]
    best[0][0] = 0.0
    for i, letter in enumerate(word):
        for j in range(len(sounds) + 1):
            here = best[i][j]
            if here == infinite:
                continue
            for take in (0, 1, 2):
                if j + take > len(sounds):
                    break
                price = here + cost(letter, tuple(sounds[j:j + take]))
                if price < best[i + 1][j + take]:
                    best[i + 1][j + take], back[i + 1][j + take] = price, take
    if best[-1][-1] == infinite:
        return None
    pieces, j = [], len(sounds)
    for i in range(len(word), 0, -1):
        take = back[i][j]
        pieces.append(tuple(sounds[j - take:j]))
        j -= take
    return pieces[::-1]


def alignments(words, seed):
    """Letter by letter pieces for (word, sounds), by counting and aligning in turn."""
    plain = lambda sounds: tuple(s.rstrip("1") for s in sounds)
    prior = {0: 3.0, 1: 1.0, 2: 5.0}
    cost = lambda letter, sounds: prior[len(sounds)]
    some = random.Random(seed).sample(words, min(12000, len(words)))
    for _ in range(5):
        counts, totals = collections.Counter(), collections.Counter()
        for word, sounds in some:
            pieces = align(word, plain(sounds), cost)
            for letter, piece in zip(word, pieces or []):
                counts[letter, piece] += 1
                totals[letter] += 1
        table = {key: -math.log(count / totals[key[0]]) for key, count in counts.items()}
        cost = lambda letter, sounds, table=table: table.get((letter, sounds), 9.0 + 3.0 * len(sounds))
    for word, sounds in words:
        pieces = align(word, plain(sounds), cost)
        if pieces:
            at, marked = 0, []
            for piece in pieces:
                marked.append(tuple(sounds[at:at + len(piece)]))
                at += len(piece)
            yield word, marked


def context(word, at, window):
    """The rule's key: `#` stands for both ends of the word."""
    left, right = window
    padded = "####" + word + "####"
    centre = at + 4
    return padded[centre - left:centre] + "\t" + padded[centre] + "\t" + padded[centre + 1:centre + 1 + right]


def learn(aligned):
    """Rules from aligned words."""
    rules = {}
    for level, window in enumerate(WINDOWS):
        counts = collections.defaultdict(collections.Counter)
        for word, pieces in aligned:
            for at, piece in enumerate(pieces):
                counts[context(word, at, window)][piece, fallback(rules, word, at, level)] += 1
        for key, pieces in counts.items():
            votes = collections.Counter()
            narrower = collections.Counter()
            for (piece, before), count in pieces.items():
                votes[piece] += count
                narrower[before] += count
            (piece, count), = votes.most_common(1)
            before, = narrower.most_common(1)[0][:1]
            # A rule seen once tells more about a name than about English.
            if piece != before and (level < 3 or count >= 2 and count > votes[before]):
                rules[key] = piece
    return rules


def fallback(rules, word, at, level):
    for window in reversed(WINDOWS[:level]):
        found = rules.get(context(word, at, window))
        if found is not None:
            return found
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "starter")
    options = parser.parse_args()
    known = dictionary()
    lines = [f"{word}\t{said}" for word, said in sorted(known.items())]
    (options.out / "tts-lexicon.txt").write_text("\n".join(lines) + "\n")
    words = [(word, said.replace("-", " ").split()) for word, said in known.items() if re.fullmatch("[a-z]{2,}", word)]
    aligned = list(alignments(words, seed=1))
    print(f"{len(known)} entries; {len(aligned)} of {len(words)} words aligned", flush=True)
    held = aligned[::10]
    rules = learn([pair for index, pair in enumerate(aligned) if index % 10])
    right = right_plain = sounds_wrong = 0
    for word, pieces in held:
        said = [fallback(rules, word, at, len(WINDOWS)) for at in range(len(word))]
        right += said == pieces
        bare = lambda parts: [s.rstrip("1") for part in parts for s in part]
        right_plain += bare(said) == bare(pieces)
    print(f"unknown words right: {100 * right / len(held):.1f} %, without stress {100 * right_plain / len(held):.1f} %", flush=True)
    rules = learn(aligned)
    (options.out / "tts-letters.txt").write_text(
        "".join(f"{key}\t{' '.join(piece)}\n" for key, piece in sorted(rules.items())))
    print(f"{len(rules)} rules")


if __name__ == "__main__":
    main()
