"""Phonemes to mouth shapes: what a mouth should look like while a sound is made.

A shape has six numbers between 0 and 1 (all 0 is the mouth at rest, closed):

    open    how far the jaw is down
    wide    corners pulled apart, as in "see"
    round   corners drawn together and lips pushed forward, as in "who"
    teeth   lower lip under the upper teeth, as in "f" and "v"
    press   lips pressed on each other, as in "m", "b" and "p"
    tongue  tip of the tongue at the upper teeth, as in "th" and "l"
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

SHAPE = ("open", "wide", "round", "teeth", "press", "tongue")

# (weight, open, wide, round, teeth, press, tongue). The weight says how much a
# sound insists on its shape: lips must meet for "m", the "h" of "who" is
# already round. Sounds are named as in the ARPABET.
_TABLE = {
    "pau": (0.9, 0.00, 0.00, 0.00, 0, 0, 0.0),
    "aa": (1.0, 0.90, 0.10, 0.05, 0, 0, 0.0),
    "ae": (1.0, 0.82, 0.45, 0.00, 0, 0, 0.0),
    "ah": (0.9, 0.62, 0.15, 0.00, 0, 0, 0.0),
    "ax": (0.5, 0.42, 0.12, 0.00, 0, 0, 0.0),
    "ao": (1.0, 0.70, 0.00, 0.50, 0, 0, 0.0),
    "eh": (1.0, 0.60, 0.45, 0.00, 0, 0, 0.0),
    "er": (0.9, 0.40, 0.00, 0.35, 0, 0, 0.0),
    "ih": (0.8, 0.40, 0.45, 0.00, 0, 0, 0.0),
    "iy": (1.0, 0.30, 0.85, 0.00, 0, 0, 0.0),
    "uh": (0.9, 0.40, 0.00, 0.50, 0, 0, 0.0),
    "uw": (1.2, 0.28, 0.00, 0.90, 0, 0, 0.0),
    "oh": (1.0, 0.55, 0.00, 0.65, 0, 0, 0.0),
    "w": (1.6, 0.14, 0.00, 1.00, 0, 0, 0.0),
    "r": (0.9, 0.24, 0.00, 0.45, 0, 0, 0.0),
    "l": (0.9, 0.36, 0.15, 0.00, 0, 0, 0.8),
    "y": (1.0, 0.22, 0.60, 0.00, 0, 0, 0.0),
    "hh": (0.2, 0.40, 0.10, 0.00, 0, 0, 0.0),
    "m": (5.0, 0.00, 0.05, 0.00, 0, 1, 0.0),
    "b": (5.0, 0.00, 0.05, 0.00, 0, 1, 0.0),
    "p": (5.0, 0.00, 0.05, 0.00, 0, 1, 0.0),
    "f": (4.0, 0.06, 0.10, 0.00, 1, 0, 0.0),
    "v": (3.5, 0.06, 0.10, 0.00, 1, 0, 0.0),
    "th": (1.8, 0.22, 0.20, 0.00, 0, 0, 1.0),
    "dh": (1.4, 0.22, 0.15, 0.00, 0, 0, 0.9),
    "s": (1.6, 0.12, 0.50, 0.00, 0, 0, 0.0),
    "z": (1.4, 0.12, 0.45, 0.00, 0, 0, 0.0),
    "sh": (1.8, 0.14, 0.00, 0.60, 0, 0, 0.0),
    "t": (0.9, 0.18, 0.20, 0.00, 0, 0, 0.3),
    "d": (0.9, 0.18, 0.20, 0.00, 0, 0, 0.4),
    "n": (0.9, 0.20, 0.18, 0.00, 0, 0, 0.4),
    "k": (0.5, 0.26, 0.12, 0.00, 0, 0, 0.0),
}
_SAME = {"zh": "sh", "g": "k", "ng": "k", "nx": "n", "el": "l", "em": "m", "en": "n", "axr": "er", "dx": "d", "hv": "hh"}
# Sounds during which the mouth travels: each is spoken as two or three.
_TRAVEL = {
    "ay": (("aa", 0.55), ("ih", 0.45)),
    "aw": (("aa", 0.55), ("uw", 0.45)),
    "ey": (("eh", 0.55), ("iy", 0.45)),
    "oy": (("ao", 0.55), ("ih", 0.45)),
    "ow": (("oh", 0.55), ("uw", 0.45)),
    "ch": (("t", 0.30), ("sh", 0.70)),
    "jh": (("d", 0.30), ("sh", 0.70)),
}
# How long each number takes to change: sigma of a Gaussian, in seconds. Jaw and
# corners are heavy, the meeting of the lips is quick.
_SLUGGISHNESS = (0.030, 0.042, 0.045, 0.022, 0.018, 0.024)

# espeak-ng's names for English sounds, longest first where one begins another.
_ESPEAK = {
    "aI@": ["ay", "ax"], "aI3": ["ay", "ax"], "aU@": ["aw", "ax"], "i@3": ["iy", "ax"],
    "aI": ["ay"], "aU": ["aw"], "eI": ["ey"], "OI": ["oy"], "oU": ["ow"],
    "A:": ["aa"], "A@": ["aa"], "a:": ["aa"], "O:": ["ao"], "O@": ["ao"], "o@": ["ao"], "3:": ["er"],
    "i:": ["iy"], "i@": ["iy", "ax"], "e@": ["eh"], "u:": ["uw"], "U@": ["uh", "ax"], "I#": ["ih"], "I2": ["ih"],
    "a#": ["ax"], "@2": ["ax"], "@5": ["ax"], "@L": ["ax", "l"], "@-": ["ax"], "aa": ["ae"], "02": ["ah"], "O2": ["ao"],
    "tS": ["ch"], "dZ": ["jh"], "r-": ["r"], "t#": ["t"], "t2": ["t"], "d#": ["d"], "z#": ["z"], "l#": ["l"], "n-": ["n"], "w#": ["w"],
    "a": ["ae"], "A": ["aa"], "0": ["aa"], "V": ["ah"], "@": ["ax"], "3": ["er"], "E": ["eh"], "e": ["eh"],
    "I": ["ih"], "i": ["iy"], "O": ["ao"], "o": ["ao"], "U": ["uh"], "u": ["uw"],
    "p": ["p"], "b": ["b"], "m": ["m"], "f": ["f"], "v": ["v"], "T": ["th"], "D": ["dh"], "s": ["s"], "z": ["z"],
    "S": ["sh"], "Z": ["zh"], "t": ["t"], "d": ["d"], "n": ["n"], "N": ["ng"], "k": ["k"], "g": ["g"], "x": ["k"], "C": ["hh"],
    "l": ["l"], "r": ["r"], "R": ["r"], "w": ["w"], "j": ["y"], "h": ["hh"], "?": ["hh"], "*": ["d"], "L": ["l"],
}


def from_espeak(name):
    """Turns one of espeak-ng's phoneme names into sounds of the table; None if it is not known."""
    name = name.strip("';,%=_:|!-") if name.strip("_:;|!-,'%=") else ""
    if not name:
        return ["pau"]
    for length in (3, 2, 1):
        if name[:length] in _ESPEAK:
            return _ESPEAK[name[:length]]
    return None


def simple(sounds):
    """Splits travelling sounds: [(name, start, end)] in seconds to the same with names of the table only."""
    for name, start, end in sounds:
        name = _SAME.get(name, name)
        if name in _TRAVEL:
            for part, share in _TRAVEL[name]:
                middle = start + share * (end - start)
                yield part, start, min(middle, end)
                start = middle
        elif name in _TABLE:
            yield name, start, end
        else:
            raise KeyError(f"no mouth shape is known for the sound {name!r}")


def shapes(sounds, steps, loudness=None, step=0.01):
    """Mouth shapes over time.

    `sounds` is [(name, start, end)] in seconds, `steps` the number of time steps
    of `step` seconds. `loudness` (0 to 1, one a step) makes stressed vowels open
    further. Returns float32 [steps, 6] in the order of SHAPE.
    """
    target = np.zeros((steps, len(SHAPE)))
    weight = np.full(steps, _TABLE["pau"][0])
    for name, start, end in simple(sounds):
        first, last = (int(round(t / step)) for t in (start, end))
        row = _TABLE[name]
        target[first:last] = row[1:]
        weight[first:last] = row[0]
    if loudness is not None:
        target[:, 0] *= 0.75 + 0.35 * loudness
    smooth = np.empty_like(target)
    for i, sigma in enumerate(_SLUGGISHNESS):
        # A weighted mean over the neighbourhood: sounds that insist win.
        above = gaussian_filter1d(target[:, i] * weight, sigma / step, mode="nearest")
        smooth[:, i] = above / gaussian_filter1d(weight, sigma / step, mode="nearest")
    return np.clip(smooth, 0, 1).astype(np.float32)
