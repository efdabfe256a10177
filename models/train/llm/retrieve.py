"""Chooses the facts for a question, as the engine's `retrieve.rs` does at run time.

Training uses it only to put the facts before the model in the company in which
it will meet them; the engine's own copy decides in the product.
"""

import math
import re

STOP = set(
    "a an the is are was were be am do does did can could may might shall should will would i you he she it we they me my your his her its our their "
    "him them us this that these those there here of in on at to for from by with about and or but if so as not no yes please tell want need like have has had get "
    "got where when what which who whom whose why how much many long find looking look go going know any some just now hello hi hey excuse um uh er okay well really thing "
    "way s t m re ve ll d today help say said again".split()
)
PRONOUNS = set("it its there that he she him her his they them their this those these one".split())
GROUPS = [
    "toilet restroom bathroom washroom loo lavatory wc",
    "lift elevator",
    "cafe coffee cafeteria restaurant canteen eat food lunch hungry dinner breakfast meal snack drink",
    "parking park car garage",
    "wifi wireless internet network",
    "price cost fee pay expensive charge euro dollar pound admission entry",
    "ticket admission",
    "open opening hour close closing closed time",
    "phone telephone call number extension",
    "photo picture photograph photography camera",
    "shop store souvenir",
    "luggage bag suitcase locker coat cloakroom backpack",
    "child kid children baby",
    "dog pet animal",
    "doctor aid sick hurt ill emergency",
    "bus station train",
    "taxi cab",
    "delivery parcel package deliver",
    "boss director head manager",
    "wheelchair ramp accessible disabled stroller",
    "tour guide guided",
    "lost found",
    "print printer copy copier",
    "start begin",
    "made make built build painted",
]


def stem(word):
    """Cuts the endings that questions and facts most often differ in."""
    for end, least in (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(end) and len(word) >= least and not word.endswith("ss"):
            word = word[: -len(end)] + ("y" if end == "ies" else "")
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


STOPPED = STOP
ALIKE = {}
for _number, _group in enumerate(GROUPS):
    for _word in _group.split():
        ALIKE.setdefault(stem(_word), set()).add(_number)


def terms(text):
    return [stem(w) for w in re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.lower().replace("'s", "")) if w not in STOPPED]


def trigrams(word):
    padded = f"^{word}$"
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def likeness(a, b):
    """1 for the same word, less for kin and for words misheard, else 0."""
    if a == b:
        return 1.0
    if ALIKE.get(a, set()) & ALIKE.get(b, set()):
        return 0.7
    if len(a) >= 4 and len(b) >= 4:
        x, y = trigrams(a), trigrams(b)
        dice = 2 * len(x & y) / (len(x) + len(y))
        if dice >= 0.5:
            return 0.8 * dice
    return 0.0


def choose(question, before, facts, most=4):
    """The facts (objects with `line` and `keys`) for `question`, best first.

    `before` is what was said just before, used when the question leans on it.
    """
    asked = {t: 1.0 for t in terms(question)}
    words = set(re.findall(r"[a-z]+", question.lower()))
    if len(asked) <= 1 or words & PRONOUNS:
        for t in terms(before):
            asked.setdefault(t, 0.4)
    bags = [set(terms(f.line + " " + f.keys)) for f in facts]
    seen = {}
    for bag in bags:
        for t in bag:
            seen[t] = seen.get(t, 0) + 1
    scored = []
    mean = sum(map(len, bags)) / max(1, len(bags))
    hits = {t: [max((likeness(t, w) for w in bag), default=0.0) for bag in bags] for t in asked}
    for i, bag in enumerate(bags):
        score = 0.0
        for t, weight in asked.items():
            if hits[t][i]:
                frequency = sum(h > 0 for h in hits[t])
                score += weight * hits[t][i] * math.log(1 + len(bags) / frequency)
        score /= 0.7 + 0.3 * len(bag) / mean
        scored.append((score, -i))
    scored.sort(reverse=True)
    best = scored[0][0] if scored else 0.0
    return [facts[-i] for s, i in scored[:most] if s > 0.0 and s >= 0.35 * best]
