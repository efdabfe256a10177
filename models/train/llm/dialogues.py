"""Conversations at a reception, as the language model is trained on them.

Each sample is a list of (role, text, learn) with role system, user or
assistant; `learn` marks the answers whose facts really stand in the prompt.
"""

import random
import re

from retrieve import choose
from sites import Fact, invented, site

PERSONA = "You are {assistant}, the digital receptionist of {site}. Answer only from the facts, in one or two short sentences."
DECLINE = "i am sorry, i do not know that."

GREETINGS = "hello|hi|hey|good morning|good afternoon|good evening|hello there|hi there|greetings|hey there|morning|good day".split("|")
THANKS = "thanks|thank you|thank you very much|thanks a lot|many thanks|great thank you|okay thanks|perfect thanks|cheers|thank you so much|that is all thank you|that helped thank you|ok thank you".split("|")
GOODBYES = "goodbye|bye|bye bye|see you|see you later|good night|have a nice day|i have to go|that is all bye|see you tomorrow|take care".split("|")
WHO = "who are you|what are you|introduce yourself|tell me about yourself|who am i talking to|who are you please|who is speaking|and who are you".split("|")
NAME = "what is your name|what's your name|do you have a name|your name please|what are you called|what do i call you".split("|")
ROBOT = "are you a robot|are you human|are you real|are you a person|are you a computer|are you alive|is there a real person".split("|")
HOW = "how are you|how are you today|how is it going|how do you do|are you well|how are you doing".split("|")
STOPS = "stop|stop it|be quiet|okay stop|stop talking|enough|that is enough|never mind|forget it|wait|hold on|shut up|cancel|no stop".split("|")
REPEATS = "repeat that|can you repeat that|say that again|what did you say|pardon|sorry what|come again|please repeat|once more please|could you say that again|i did not hear you|i didn't understand|again please|what was that|excuse me what did you say".split("|")
HELPS = "what can you do|can you help me|help|i need help|what can i ask you|how can you help me|what do you know|can i ask you something|i have a question".split("|")
YESSES = "yes|no|okay|ok|good|i see|alright|all right|great|fine|nice|cool|oh|hm|yes please|no thank you|perfect|sure".split("|")
NONSENSE = (
    "what is the weather|will it rain tomorrow|tell me a joke|what is two plus two|who won the football match|what is the capital of france|sing a song|"
    "what do you think about politics|do you love me|what is the meaning of life|how tall is the eiffel tower|who is the president|what time is it|what day is it|"
    "play some music|order a pizza|what is the news|how old are you|can you dance|write a poem|how do i cook rice|what is the stock price|call my mother|"
    "do you like cats|what is the best phone|how far is the moon|who wrote hamlet|turn on the light|book me a flight|what is my name|where do i live|"
    "how do i become rich|what is your favourite colour|how many stars are there|tell me a story|what did i eat yesterday|translate this for me|who invented the telephone"
).split("|")
INTRODUCTIONS = "my name is {n}|i am {n}|i'm {n}|this is {n} speaking|hello i am {n}|my name's {n}".split("|")


def small_talk(rng, place, said):
    """A question that needs no fact, and its answer."""
    kinds = [
        (GREETINGS, f"hello, welcome to {place.name}. how can i help you?", 4),
        (THANKS, "you are welcome.", 3),
        (GOODBYES, "goodbye, have a nice day.", 3),
        (WHO, f"i am {place.assistant}, the digital receptionist of {place.name}.", 4),
        (NAME, f"my name is {place.assistant}.", 2),
        (ROBOT, "i am a digital receptionist, not a person.", 2),
        (HOW, "i am fine, thank you. how can i help you?", 2),
        (STOPS, "okay.", 3),
        (REPEATS, said or "i have not said anything yet.", 5),
        (HELPS, "you can ask me about rooms, people and opening hours.", 2),
        (YESSES, "how can i help you?", 2),
        (INTRODUCTIONS, "nice to meet you. how can i help you?", 2),
        (NONSENSE, DECLINE, 4),
    ]
    asks, answer, _ = rng.choices(kinds, [k[2] for k in kinds])[0]
    return rng.choice(asks).replace("{n}", rng.choice([invented(rng), "tom", "anna", f"mr. {invented(rng)}"])), answer


FILLERS = "um|uh|er|hello|hi|excuse me|sorry|hey|please|so|okay|well|good morning|yes|hi there|oh".split("|")
LEADS = "can you tell me|could you tell me|please tell me|do you know|i would like to know|i want to know|tell me|may i ask".split("|")
MISHEARD = {"where": "were wear there", "is": "as his it's", "the": "a the the", "when": "win then", "who": "how", "for": "four", "to": "two", "are": "our", "do": "to", "floor": "flaw", "open": "opened", "can": "could", "i": "a", "find": "fine", "an": "and", "office": "of us", "does": "dust", "there": "their"}


def worded(rng, ask):
    """The question as a recogniser might write it down, or as somebody might type it."""
    text = ask
    style = rng.random()
    if style < 0.08 and re.match(r"(where|when|who|how|what|which) ", text):
        text = f"{rng.choice(LEADS)} {text}"
    if rng.random() < 0.12:
        text = f"{rng.choice(FILLERS)} {text}"
    if rng.random() < 0.08:
        text = f"{text} {rng.choice(['please', 'please', 'thanks', 'then', 'exactly', 'today', 'again'])}"
    if rng.random() < 0.25:
        words = []
        for word in text.split():
            chance = rng.random()
            if word in MISHEARD and chance < 0.1:
                word = rng.choice(MISHEARD[word].split(" ")) if word != "office" else MISHEARD[word]
            elif word in ("the", "a", "is", "of", "to", "you", "can") and chance < 0.15:
                continue
            elif len(word) > 4 and chance < 0.08:
                i = rng.randrange(1, len(word))
                word = word[:i] + rng.choice(["", rng.choice("aeiourstlnm")]) + word[i + rng.choice((0, 1)) :]
            words.append(word)
        text = " ".join(words) or text
    style = rng.random()
    if style < 0.5:
        text = re.sub(r"[.,?']s?(?= |$)", lambda m: m.group(0) if m.group(0) == "'s" else "", text) if rng.random() < 0.5 else text
    elif style < 0.8:
        text += "?"
    return text


def system(place, facts):
    lines = PERSONA.format(assistant=place.assistant, site=place.name)
    if not facts:
        return lines + "\nFacts: none"
    return lines + "\nFacts:\n" + "\n".join("- " + f.line for f in facts)


def one_question(rng, place, history):
    """A question, its answer, and the facts that retrieval would put before it."""
    said = history[-1][1] if history else ""
    before = " ".join(t for _, t in history[-2:])
    roll = rng.random()
    if roll < 0.2:
        ask, answer = small_talk(rng, place, said)
        facts = choose(ask, before, place.facts)
        if answer == DECLINE and any(f.group in ("about", "site hours") for f in facts):
            facts = []
        if rng.random() < 0.3:
            facts = rng.sample(place.facts, min(3, len(place.facts)))
        return worded(rng, ask), answer, facts, None
    if roll < 0.45 and place.missing:
        fact = rng.choice(place.missing)
        ask = rng.choice(fact.asks)
        facts = choose(ask, before, place.facts)
        if rng.random() < 0.1:
            facts = rng.sample(place.facts, min(3, len(place.facts)))
        facts = [f for f in facts if f.group != fact.group]
        if rng.random() < 0.15:
            facts = []
        return worded(rng, ask), DECLINE, facts, None
    fact = rng.choice(place.facts)
    ask = rng.choice(fact.asks)
    answer = fact.say
    facts = choose(ask, before, place.facts)
    if rng.random() < 0.15 and facts:
        fact = facts[0]
        ask, answer = rng.choice(fact.asks), fact.say
        facts = choose(ask, before, place.facts)
    if fact not in facts:
        facts = facts[:3]
        facts.insert(rng.randint(0, len(facts)), fact)
    return worded(rng, ask), answer, facts, fact


def follow_up(rng, place, fact):
    """A question that only makes sense after one about `fact`."""
    others = [f for f in place.facts if f.about == fact.about and f.follow and f is not fact]
    if not fact.about or not others:
        absent = [f for f in place.missing if f.about == fact.about and f.follow]
        if fact.about and absent:
            return rng.choice(rng.choice(absent).follow), DECLINE, None
        return None
    target = rng.choice(others)
    ask = rng.choice(target.follow)
    # Two facts that answer the same follow-up would make it a guess.
    if sum(ask in f.follow for f in others) > 1:
        return None
    return ask, target.say, target


def engine_like(rng):
    """One conversation as the engine prompts it: facts for the last question only."""
    place = site(rng)
    turns, history, fact = [], [], None
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        ask, answer, _, fact = one_question(rng, place, history)
        history += [("user", ask), ("assistant", answer)]
    ask = None
    if fact is not None and rng.random() < 0.6:
        found = follow_up(rng, place, fact)
        if found:
            ask, answer, target = found
            before = " ".join(t for _, t in history[-2:])
            facts = choose(ask, before, place.facts)
            if target is not None and target not in facts:
                facts = facts[:3]
                facts.insert(rng.randint(0, len(facts)), target)
            ask = worded(rng, ask)
    if ask is None:
        ask, answer, facts, _ = one_question(rng, place, history)
    if rng.random() < 0.25:
        rng.shuffle(facts)
    turns = [("system", system(place, facts), False)]
    turns += [(role, text, False) for role, text in history[-4:]]
    return turns + [("user", ask, False), ("assistant", answer, True)]


def many_questions(rng):
    """Several questions over one set of facts: more to learn from each prompt."""
    place = site(rng)
    facts = rng.sample(place.facts, min(len(place.facts), rng.randint(3, 5)))
    shown = {f.group for f in facts}
    place.missing = [f for f in place.missing + place.facts if f.group not in shown and f not in facts]
    place.facts = facts
    turns, history, fact = [("system", system(place, facts), False)], [], None
    for _ in range(rng.randint(3, 5)):
        found = follow_up(rng, place, fact) if fact is not None and rng.random() < 0.5 else None
        if found:
            ask, answer, fact = found
            ask = worded(rng, ask)
        else:
            ask, answer, _, fact = one_question(rng, place, history)
        turns += [("user", ask, False), ("assistant", answer, True)]
        history += [("user", ask), ("assistant", answer)]
    return turns


def sample(rng, many=0.5):
    return many_questions(rng) if rng.random() < many else engine_like(rng)


def chat(turns):
    """The ChatML text of a conversation in pieces (text, learn)."""
    pieces = []
    for role, text, learn in turns:
        pieces.append((f"<|im_start|>{role}\n", False))
        pieces.append((f" {text}" if role == "assistant" else text, learn))
        pieces.append(("<|im_end|>", learn))
        pieces.append(("\n", False))
    return pieces


if __name__ == "__main__":
    rng = random.Random(5)
    for _ in range(6):
        print("".join(p + ("⟦L⟧" if l else "") for p, l in chat(sample(rng))), "\n")
