"""The sounds the voice knows and how they are numbered. The engine reads the same list from tts.json."""

VOWELS = "aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw".split()
CONSONANTS = "b ch d dh f g hh jh k l m n ng p r s sh t th v w y z zh".split()
# Pauses: before speech, and after a melody that falls (.), holds (,) or rises (?).
PAUSES = ["begin", "fall", "hold", "rise"]
NAMES = PAUSES + CONSONANTS + VOWELS + [vowel + "1" for vowel in VOWELS]
PHONES = {name: index for index, name in enumerate(NAMES)}

# Parts of speech (festival's guess) whose words carry no accent.
FUNCTION = {"in", "to", "det", "md", "cc", "wp", "pps", "aux"}


def mark(syllable_begins, word_begins, function):
    """Where a sound stands: 0 inside, 1 begins a syllable, 2 begins a word; 3 more in a function word."""
    return (2 if word_begins else 1 if syllable_begins else 0) + (3 if function else 0)
