"""Sentences to be spoken: made up from a word list and from what a receptionist says."""

import random

_NAMES = "Anna Becker|Tom Miller|Priya Shah|Victor Moreau|Grace Foster|Yusuf Khan|Phoebe Brown|Matthew Webb|Julia Sharp|Owen Fox|Zoe Baptiste|Leo Whitman".split("|")
_PLACES = "the meeting room|the cafeteria|the lift|the front desk|room forty two|the library|the west wing|the toilets|the parking garage|the first aid room|the auditorium|the archive|the bicycle shed|the museum shop|the post room|the conference hall".split("|")
_WAYS = "on the second floor|behind the glass door|on your left|past the stairs|at the end of the corridor|opposite the lobby|one level below|beside the fountain|through the blue gate|just around the corner".split("|")
_TIMES = "nine in the morning|half past five|noon|six o'clock|a quarter to eight|twelve thirty|ten forty five|four fifteen|three in the afternoon".split("|")
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|weekdays|public holidays".split("|")
_FORMS = [
    "You will find {place} {way}.", "{Place} is {way}.", "We open at {time} and close at {time}.", "{name} is expecting you in {place}.",
    "Please take a seat, {name} will be with you shortly.", "I am afraid {place} is closed on {day}.", "On {day} we open at {time}.",
    "Could you tell me your name, please?", "Good morning, and welcome! How may I help you?", "I do not know that, but {name} at {place} can help.",
    "The visitor badge must be worn at all times.", "Photography is not allowed in {place}.", "Your appointment with {name} is at {time}.",
    "Go {way}, then follow the signs to {place}.", "Thank you very much for your visit, have a lovely day!", "The wireless password is printed on your badge.",
    "Children under twelve pay nothing; everybody else pays {number} euros.", "The next tour begins at {time}, and lasts {number} minutes.",
    "Sorry, I did not catch that. Would you say it again?", "You can call {name} on extension {number}.", "Bus number {number} stops {way}.",
]
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty ninety".split()
_LINKS = "the of and with from above while for about that was we you very some every would before they like over".split()


def words(path):
    """The words of a pronunciation dictionary that are all letters, three to ten of them."""
    with open(path, encoding="utf-8", errors="ignore") as lines:
        found = {line.split()[0] for line in lines if line.strip()}
    return sorted(w for w in found if w.isalpha() and w.isascii() and 3 <= len(w) <= 10)


def sentences(dictionary, count, seed):
    """`count` sentences: one half of receptionist's phrases, one half of words in any order, for every sound beside every other."""
    rng = random.Random(seed)
    vocabulary = words(dictionary)
    for _ in range(count):
        if rng.random() < 0.5:
            place = rng.choice(_PLACES)
            form = rng.choice(_FORMS)
            while "{time}" in form or "{number}" in form or "{" in form:
                values = {"place": place, "Place": place.capitalize(), "way": rng.choice(_WAYS), "time": rng.choice(_TIMES),
                          "day": rng.choice(_DAYS), "name": rng.choice(_NAMES), "number": rng.choice(_NUMBERS)}
                form = form.format(**values)
            yield form
        else:
            picked = []
            for _ in range(rng.randint(3, 8)):
                if rng.random() < 0.4:
                    picked.append(rng.choice(_LINKS))
                picked.append(rng.choice(vocabulary) + ("," if rng.random() < 0.08 else ""))
            yield " ".join(picked).rstrip(",") + rng.choice("..?!")
