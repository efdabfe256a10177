"""What is left of the kiosk's own voice, in simulated rooms: a part of `scripts/bench.py`.

The voice is the kiosk's own. `linly-edge try echo` lets it sound in a room (made, or recorded), through a loudspeaker
that distorts and two sound cards whose clocks are 100 ppm apart and which tell their delays to a millisecond, and takes
it out again with the same code as the daemon.
"""

import array
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import wave

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Rooms as they were recorded; not everybody has them.
RECORDED = next((folder for folder in (ROOT.parent / "shared/data/speech/rir", ROOT.parent.parent / "shared/data/speech/rir")
                 if folder.exists()), None)
RATE = 16_000
# The canceller has learnt the room before the visitor speaks; between two sentences it is silent for so long.
BEFORE_S, BETWEEN_S = 6.0, 1.5
ROOMS = 5

THINGS = ["training room", "library", "coffee bar", "cloakroom", "lecture hall", "ticket desk", "garden", "first aid room"]
FLOORS = ["ground", "first", "second", "third", "top"]
PLACES = ["left of the lift", "right of the stairs", "behind the plants", "at the end of the corridor", "opposite the entrance"]
PATTERNS = [
    "The {thing} is on the {floor} floor, {place}.",
    "We open at nine in the morning and close at six in the evening.",
    "You will find the {thing} {place}. Please take the stairs to the {floor} floor.",
    "I am sorry, I do not know that. Please ask at the front desk, they will gladly help you.",
    "Mrs Miller is expecting you in the {thing}, which is {place}.",
    "Parking is free for the first hour, and the ticket machine stands {place}.",
    "The next tour begins at half past two in the {thing}, and takes about forty minutes.",
    "Welcome! My name is Lin. How can I help you?",
    "There is a telephone on the {floor} floor, {place}. The password of the network is on your card.",
]


def sayings():
    """Sentences of a receptionist without end, the same each time."""
    dice = random.Random(7)
    for number in itertools.count():
        yield PATTERNS[number % len(PATTERNS)].format(
            thing=dice.choice(THINGS), floor=dice.choice(FLOORS), place=dice.choice(PLACES))


def read(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), path
        return file.readframes(file.getnframes())


def write(path, data):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(data)
    return path


def voice(bench, seconds):
    """The kiosk talks for so long, with the pauses of its answers."""
    path = bench.work / f"voice-{seconds}.wav"
    data = b""
    for saying in sayings():
        if path.exists() or len(data) >= 2 * RATE * seconds:
            break
        one = bench.work / "saying.wav"
        subprocess.run([bench.program, "try", "tts", "--text", saying, "--out", one], check=True, capture_output=True)
        data += read(one) + bytes(2 * RATE // 4)
    return path if path.exists() else write(path, data[:2 * RATE * seconds])


def rehearse(bench, *arguments):
    done = subprocess.run(["taskset", "-c", "0", bench.program, "try", "echo", *map(str, arguments)],
                          text=True, check=True, capture_output=True)
    return json.loads(done.stdout)


def reductions(bench):
    """How much softer the kiosk's own voice becomes, after three seconds."""
    played = voice(bench, 60)
    made = [rehearse(bench, played, "--room", room, "--decay", 0.2 + 0.3 * room / ROOMS) for room in range(1, ROOMS + 1)]
    found = [one["reduction_db"] for one in made]
    told = f"{min(found):.1f} to {max(found):.1f} dB in {ROOMS} made rooms of 0.26 to 0.5 s"
    if RECORDED:
        rooms = sorted(RECORDED.glob("*.wav"))
        real = ", ".join(f"{rehearse(bench, played, '--response', room)['reduction_db']:.1f}" for room in rooms)
        told += f"; {real} dB in {len(rooms)} recorded ones"
    one = rehearse(bench, played, "--drift", 0)
    told += f"; with one clock {one['reduction_db']:.1f} dB in the first"
    bench.row("echo: own voice in the microphone, before and after, from 3 s on; loudspeaker distorts, clocks 100 ppm apart",
              "≥ 25 dB", told)
    share = max(one["share_of_a_core"] for one in made)
    drift = [one["told_drift_ppm"] for one in made]
    bench.row("echo cancellation and noise suppression at 16 kHz: share of one core; drift found of 100 ppm", "≤ 10 %",
              f"{100 * share:.1f} %; {min(drift):.1f} to {max(drift):.1f} ppm")


def yielding(bench, played, places):
    """What is played by a kiosk that hears that somebody speaks: after half a second, which the detector takes in its own
    voice (median of 30), it is 12 dB quieter, and after another half it is silent until the visitor has ended."""
    samples = array.array("h", read(played))
    for begin, end in places:
        for at in range(begin // 2 + RATE // 2, min(end // 2, len(samples))):
            samples[at] = samples[at] // 4 if at < begin // 2 + RATE else 0
    return write(bench.work / "yielding.wav", samples.tobytes())


def double_talk(bench):
    """Words that the recogniser gets wrong while the kiosk talks over the visitor, and without."""
    sys.path.insert(0, str(ROOT / "models/train/asr"))
    import evaluate

    sentences = evaluate.sentences()
    folder = bench.work / "visitors"
    told = []
    for name, files in evaluate.speak(folder).items():
        data, places = bytes(int(2 * RATE * BEFORE_S)), []
        for number, file in enumerate(files):
            plain = bench.work / "visitor.wav"
            subprocess.run(["sox", file, "-r", str(RATE), "-c", "1", "-b", "16", plain, "norm", "-3"], check=True)
            said = read(plain)
            places.append((len(data), len(data) + len(said)))
            data += said + bytes(int(2 * RATE * BETWEEN_S))
        visitor = write(bench.work / "visitors.wav", data)
        played = voice(bench, len(data) // (2 * RATE) + 1)
        yields = yielding(bench, played, places)
        rates = {}
        for kind, (sound, *arguments) in {
            "alone": [played, "--quiet", "--untreated"],
            "as loud as a kiosk that never yields": [played],
            "the same, and the kiosk yields as it does": [yields],
            "6 dB softer than the echo": [played, "--visitor-db", -32],
            "not treated": [played, "--untreated"],
        }.items():
            out = bench.work / "spoken.wav"
            rehearse(bench, sound, "--visitor", visitor, "--spoken", out, *arguments)
            spoken = read(out)
            cut = []
            for number, (begin, end) in enumerate(places):
                # With what the endpointer would add before and after.
                part = spoken[max(0, begin - 2 * RATE * 3 // 10):end + 2 * RATE // 2]
                cut.append(write(bench.work / f"part-{number:02}.wav", part))
            heard = evaluate.ours(bench.program, [], cut)
            wrong = sum(evaluate.word_errors(evaluate.plain(text), evaluate.plain(sentence))
                        for text, sentence in zip(heard, sentences))
            rates[kind] = 100 * wrong / sum(len(evaluate.plain(sentence)) for sentence in sentences)
            print(f"{name}, {kind}: {rates[kind]:.1f} %", flush=True)
        told.append(f"{name}: " + ", ".join(f"{kind} {rate:.1f} %" for kind, rate in rates.items()))
    bench.row("a visitor talks while the kiosk does: words that the recogniser gets wrong", "≤ 5 points more than alone",
              "; ".join(told))


def false_interruptions(bench, minutes=10):
    """What the kiosk takes for a visitor in its own voice."""
    seconds = 60 * minutes
    found = rehearse(bench, voice(bench, seconds), "--listen", "--echo-db", -20)
    words = sum(len(text.split()) for text in found["texts"])
    bench.row(f"the kiosk talks to itself for {minutes} minutes at −20 dB in its microphone: speech began, words", "0, 0",
              f"{len(found['speech_began'])}, {words} (reduced by {found['reduction_db']:.1f} dB)")


def echo(bench):
    """All of it."""
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    reductions(bench)
    false_interruptions(bench)
    double_talk(bench)
