"""Builds the word model of the recogniser: words, pairs and triples of what visitors say, as an ARPA file.

    python lm.py --out models/starter/asr-lm.arpa [--sentences 200000]

The sentences come from the grammar that the recogniser is trained on, and from the questions that the language
model is trained to answer, as far as all of their words are known. Interpolated Kneser-Ney smoothing with one discount; groups seen only once are dropped and their share goes to
the shorter context. A free model of general English (`general.py`) is mixed in, as far as it has the same words: visitors
say much that no grammar has. Words of Debian's small word list that the grammar lacks get a small equal share, so that
they are preferred to letters that are no word.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

import general
from sentences import COMMON, HELD_OUT_NAMES, Grammar, dictionary, held_out

sys.path.append(str(Path(__file__).resolve().parents[1] / "llm"))
from sites import site  # noqa: E402

DISCOUNT = 0.75
# Every how many-th sentence is a question about a site.
QUESTIONS = 3
# Share of the words that the grammar does not have.
DICTIONARY_SHARE = 0.05
# Share of the everyday words, known to the grammar or not, on top of what the grammar gives them.
COMMON_SHARE = 0.05


def questions(seed: int, known: set[str]):
    """Endless questions about invented sites, of known words only."""
    draw = random.Random(seed)
    while True:
        for fact in site(draw).facts:
            ask = re.sub(r"[^a-z' ]", " ", draw.choice(fact.asks).lower())
            tokens = ask.split()
            if tokens and known.issuperset(tokens) and " ".join(tokens) not in held_out():
                yield " ".join(tokens)


def count(sentences: int, seed: int):
    """Counts of single words, pairs and triples, with <s> and </s> around every sentence."""
    grammar = Grammar(seed)
    pairs, triples = Counter(), Counter()
    known = set(dictionary()) | {word for _ in range(50_000) for word in grammar.domain().split()}
    known |= {f"{word}'s" for word in known} - HELD_OUT_NAMES
    asked = questions(seed, known)
    for number in range(sentences):
        text = next(asked) if number % QUESTIONS == 0 else grammar.sentence(shares=(0.93, 0.07, 0, 0))
        tokens = ["<s>", "<s>", *text.split(), "</s>"]
        for place in range(2, len(tokens)):
            triples[tuple(tokens[place - 2 : place + 1])] += 1
            pairs[tuple(tokens[place - 1 : place + 1])] += 1
    return pairs, triples


def model(pairs, triples, least):
    """Natural probabilities and what is left for unseen followers: ({group: p}, {context: left}) for 1 to 3 words."""
    # A word is as likely as the number of different words it follows (Kneser and Ney 1995).
    follows = Counter(word for _, word in pairs)
    total = sum(follows.values())
    lexicon = [word for word in dictionary() if word not in follows]
    single = {word: (1 - DICTIONARY_SHARE - COMMON_SHARE) * n / total for word, n in follows.items()}
    single.update({word: DICTIONARY_SHARE / len(lexicon) for word in lexicon})
    for word in set(COMMON):
        single[word] = single.get(word, 0) + COMMON_SHARE / len(set(COMMON))
    single["<s>"] = 1e-99

    def higher(counts, lower):
        contexts, kept = Counter(), defaultdict(float)
        for group, n in counts.items():
            contexts[group[:-1]] += n
        chosen = {group: n for group, n in counts.items() if n >= least}
        for group, n in chosen.items():
            kept[group[:-1]] += n - DISCOUNT
        left = {context: 1 - kept[context] / n for context, n in contexts.items() if context in kept}
        return {
            group: (n - DISCOUNT) / contexts[group[:-1]] + left[group[:-1]] * lower(group[1:])
            for group, n in chosen.items()
        }, left

    double, left_one = higher(pairs, lambda group: single[group[0]])

    def of_pair(group):
        return double.get(group) or left_one.get(group[:1], 1.0) * single[group[1]]

    triple, left_two = higher(triples, of_pair)
    # Contexts of two words must stand among the pairs.
    left_two = {context: left for context, left in left_two.items() if context in double}
    triple = {group: p for group, p in triple.items() if group[:2] in left_two}
    return single, double, triple, left_one, left_two


def joined(domain, share: float, pairs_kept: int, triples_kept: int):
    """`domain` and, with `share`, general English mixed; of the latter the groups that tell most are kept."""
    single_d, double_d, triple_d, left_one, left_two = domain
    words, (p_one, _), (pairs, p_two, left_general), (triples, p_three) = general.read()
    mine = np.array([word in single_d and word not in HELD_OUT_NAMES for word in words])
    p_one, p_two, p_three = (np.exp(p) for p in (p_one, p_two, p_three))
    known = p_one[mine].sum()
    floor = DICTIONARY_SHARE / len(single_d)
    single_g = {words[w]: p_one[w] / known for w in np.flatnonzero(mine)}
    single = {word: (1 - share) * p + share * max(single_g.get(word, 0), floor) for word, p in single_d.items()}
    total = sum(single.values())
    single = {word: p / total for word, p in single.items()}
    single["<s>"] = 1e-99

    def of_pair(group):
        return double_d.get(group) or left_one.get(group[:1], 1.0) * single_d[group[1]]

    def of_triple(group):
        return triple_d.get(group) or left_two.get(group[:2], 1.0) * of_pair(group[1:])

    # A context is as likely as in the mixture; `<s>` begins everything.
    often = single | {"<s>": 0.1}
    inside = mine[pairs].all(1)
    general_pairs = {(words[a], words[b]): p for (a, b), p in zip(pairs[inside].tolist(), p_two[inside].tolist())}
    general_left = {(words[a], words[b]): np.exp(p) for (a, b), p in zip(pairs[inside].tolist(), left_general[inside].tolist())}

    def worth(weight, p, instead):
        return weight * p * abs(math.log(p / instead))

    double, gains = {}, []
    for group in double_d.keys() | general_pairs.keys():
        p = (1 - share) * of_pair(group) + share * general_pairs.get(group, single_g.get(group[1], floor) * 0.5)
        double[group] = p
        if group not in double_d:
            gains.append((worth(often[group[0]], p, single[group[1]]), group))
    gains.sort(reverse=True)
    for _, group in gains[pairs_kept:]:
        del double[group]
    inside = mine[triples].all(1)
    general_triples = {
        (words[a], words[b], words[c]): p for (a, b, c), p in zip(triples[inside].tolist(), p_three[inside].tolist())
    }
    triple, gains = {}, []
    for group in triple_d.keys() | general_triples.keys():
        if group[:2] not in double:
            continue
        lower = general_pairs.get(group[1:], single_g.get(group[2], floor) * 0.5) * general_left.get(group[:2], 1.0)
        triple[group] = (1 - share) * of_triple(group) + share * general_triples.get(group, lower)
        if group not in triple_d:
            instead = double.get(group[1:], single[group[2]])
            gains.append((worth(often[group[0]] * double[group[:2]], triple[group], instead), group))
    gains.sort(reverse=True)
    for _, group in gains[triples_kept:]:
        del triple[group]
    return single, double, triple, shares(double, single, 1), shares(triple, {**double}, 2, single)


def shares(groups, lower, cut, single=None):
    """What each context leaves for followers that were not seen with it, over what those have without it."""
    seen, other = defaultdict(float), defaultdict(float)
    for group, p in groups.items():
        seen[group[:cut]] += p
        tail = group[1:] if cut == 2 else group[1]
        other[group[:cut]] += lower.get(tail) or single[group[2]]
    return {context: max(1e-4, 1 - seen[context]) / max(1e-3, 1 - other[context]) for context in seen}


def write(path: Path, single, double, triple, left_one, left_two, notice=""):
    log = lambda p: f"{math.log10(max(p, 1e-99)):.2f}".rstrip("0").rstrip(".")  # noqa: E731
    with path.open("w") as file:
        # What stands before the data is not read.
        file.write(notice + "\n" if notice else "")
        file.write(f"\\data\\\nngram 1={len(single)}\nngram 2={len(double)}\nngram 3={len(triple)}\n\n\\1-grams:\n")
        for word, p in sorted(single.items()):
            file.write(f"{log(p)}\t{word}" + (f"\t{log(left_one[word,])}" if (word,) in left_one else "") + "\n")
        file.write("\n\\2-grams:\n")
        for group, p in sorted(double.items()):
            file.write(f"{log(p)}\t{' '.join(group)}" + (f"\t{log(left_two[group])}" if group in left_two else "") + "\n")
        file.write("\n\\3-grams:\n")
        for group, p in sorted(triple.items()):
            file.write(f"{log(p)}\t{' '.join(group)}\n")
        file.write("\n\\end\\\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("models/starter/asr-lm.arpa"))
    parser.add_argument("--sentences", type=int, default=300_000)
    parser.add_argument("--least", type=int, default=3, help="groups seen less often are dropped")
    parser.add_argument("--general", type=float, default=0.3, help="how much general English counts")
    parser.add_argument("--pairs", type=int, default=80_000, help="pairs of general English that are kept")
    parser.add_argument("--triples", type=int, default=60_000, help="triples of general English that are kept")
    parser.add_argument("--seed", type=int, default=4711)
    options = parser.parse_args()
    pairs, triples = count(options.sentences, options.seed)
    made = model(pairs, triples, options.least)
    if options.general:
        made = joined(made, options.general, options.pairs, options.triples)
    write(options.out, *made, notice=general.NOTICE if options.general else "")
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
