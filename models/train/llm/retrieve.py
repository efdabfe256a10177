"""Chooses the facts for a question much as the engine's `retrieve.rs` does at run time.

Training uses it only to put the facts before the model in the company in which
it will meet them; the engine's own rules are stricter and decide in the product.
"""

import math
import re
import tomllib
from pathlib import Path

WORDS = tomllib.loads((Path(__file__).resolve().parents[3] / "src/engine/llm/retrieve.toml").read_text())
STOP = set(WORDS["stop"].split())
PRONOUNS = set(WORDS["pronouns"].split())
GROUPS = WORDS["groups"]
TIMES = set(WORDS["times"].split())


def stem(word):
    """Cuts the endings that questions and facts most often differ in."""
    for end, least in (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(end) and len(word) >= least and not word.endswith("ss"):
            word = word[: -len(end)] + ("y" if end == "ies" else "")
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


ALIKE = {}
for _number, _group in enumerate(GROUPS):
    for _word in _group.split():
        ALIKE.setdefault(stem(_word), set()).add(_number)


def terms(text):
    return [stem(w) for w in re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.lower().replace("'s", "")) if w not in STOP]


def trigrams(word):
    padded = f"^{word}$"
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def likeness(a, b, misheard):
    """1 for the same word, less for kin and, where allowed, for words misheard, else 0."""
    if a == b:
        return 1.0
    if ALIKE.get(a, set()) & ALIKE.get(b, set()):
        return 0.7
    if misheard and len(a) >= 4 and len(b) >= 4:
        x, y = trigrams(a), trigrams(b)
        dice = 2 * len(x & y) / (len(x) + len(y))
        if dice >= 0.5:
            return 0.8 * dice
    return 0.0


def intent(text):
    """What kind of fact a question asks for; "hours" are those of the whole place."""
    words = re.findall(r"[a-z]+", text.lower())
    has = lambda *some: any(w in words for w in some)  # noqa: E731
    if has("phone", "telephone", "call", "extension", "number"):
        return "call"
    if "how much" in text or has("cost", "costs", "price", "pay", "free"):
        return "price"
    if has("when", "open", "opens", "close", "closes", "closed", "hours", "until", "opening") or "what time" in text:
        rest = [w for w in words if w not in STOP and w not in TIMES]
        return "time" if rest else "hours"
    if has("who", "whose"):
        return "who"
    if has("where", "floor", "find", "way") or "get to" in text or "looking for" in text or "go to" in text:
        return "where"
    return ""


def choose(question, before, facts, most=3):
    """The facts (objects with `line`, `keys` and `asked`) for `question`, best first.

    `before` is what was said just before, used when the question leans on it.
    """
    asked = {t: 1.0 for t in terms(question)}
    words = set(re.findall(r"[a-z]+", question.lower()))
    wanted = intent(question.lower())
    if wanted != "hours" and (len(asked) <= 1 or words & PRONOUNS):
        for t in terms(before):
            asked.setdefault(t, 0.4)
    bags = [set(terms(f.line + " " + f.keys)) for f in facts]
    subjects = [set(terms(f.asked)) for f in facts]
    lengths = [len(terms(f.line)) for f in facts]
    mean = max(1.0, sum(lengths) / max(1, len(lengths)))
    scores = [0.0] * len(facts)
    for t, weight in asked.items():
        for misheard in (False, True):
            hits = [max((likeness(t, w, misheard) for w in bag), default=0.0) for bag in bags]
            hits = [max([h] + [1.25 * likeness(t, w, misheard) for w in subject]) for h, subject in zip(hits, subjects)]
            frequency = sum(h > 0 for h in hits)
            if frequency:
                break
        for i, hit in enumerate(hits):
            scores[i] += weight * hit * math.log(1 + len(bags) / max(1, frequency))
    for i, fact in enumerate(facts):
        scores[i] /= 0.8 + 0.2 * lengths[i] / mean
        if wanted and intent(fact.asked.lower()) == wanted:
            scores[i] *= 2.0 if wanted == "hours" else 1.3
    order = sorted(range(len(facts)), key=lambda i: -scores[i])
    best = scores[order[0]] if order else 0.0
    return [facts[i] for i in order[:most] if scores[i] > 0.0 and scores[i] >= 0.5 * best]
