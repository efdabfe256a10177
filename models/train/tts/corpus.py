"""Sentences to learn the voice from: a receptionist's answers, everyday remarks, and words from the
dictionary in plain carriers so that every sound meets every neighbour. All are generated here."""

import random

ROOMS = """library,cafe,reception desk,conference room,main entrance,gift shop,lecture hall,meeting room,
children's corner,reading room,exhibition hall,cloakroom,laboratory,workshop,auditorium,gallery,garden,
parking garage,bicycle stand,waiting area,first aid room,information desk,ticket office,archive,
server room,kitchen,canteen,elevator,staircase,toilets,prayer room,quiet room,gymnasium,swimming pool,
studio,post room,roof terrace,boardroom,training centre,visitor centre,planetarium,cinema,town hall,
registry office,pharmacy,dentist,clinic,emergency room,nursery,music school""".replace("\n", "").split(",")
FIRST = """Alice Robert Sarah James Emma Oliver Fatima Wei Maria John Laura Peter Julia Kevin Amy Thomas
Nina Victor Grace Ahmed Hannah Daniel Sophie Mark Olivia George Linda Paul Ruth Simon Clara Henry Zoe
Brian Kate Philip Monica Joseph Helen Eric Angela Charles Susan Walter Yvonne Adam Rachel""".split()
LAST = """Smith Miller Chen Garcia Brown Wilson Taylor Khan Lee Anderson Martin Clark Lewis Walker Hall
Young King Wright Scott Adams Baker Nelson Carter Mitchell Turner Phillips Campbell Parker Evans Edwards
Collins Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper Richardson Cox Howard""".split()
TITLES = "Doctor,Professor,Mister,Missus,Miss".split(",")
JOBS = """director,manager,librarian,curator,nurse,engineer,teacher,accountant,receptionist,caretaker,
head of research,security officer,lawyer,secretary,technician,assistant,guide,doctor,designer,
chief executive,sales manager,human resources manager""".replace("\n", "").split(",")
PLACES = """on the ground floor|on the first floor|on the second floor|on the third floor|on the fourth floor|
in the basement|at the end of the corridor|next to the elevator|behind the reception desk|across the hall|
in the east wing|in the west wing|in the north building|opposite the cafe|on your left|on your right|
just around the corner|past the glass doors|up the stairs|down the hallway|beside the main entrance|
near the fountain|under the big clock|on the other side of the street|between the lobby and the garden""".replace("\n", "").split("|")
MOVES = """go straight ahead|turn left at the stairs|turn right after the elevator|take the lift to the sixth floor|
walk past the statue|follow the green signs|cross the courtyard|go through the double doors|
take the second door on the right|go down one floor|walk to the end of the hall|follow the yellow line|
keep to the left|use the revolving door|take the escalator|go back to the lobby""".replace("\n", "").split("|")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
NUMBERS = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty""".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
fifteenth twentieth twenty first thirtieth""".split()
THINGS = """badge,ticket,passport,key card,umbrella,parcel,form,map,letter,laptop,phone,bag,coat,brochure,
invoice,certificate,password,receipt,headset,wheelchair,locker,charger,printer,newspaper,book,sandwich,
cup of tea,glass of water,bottle of juice,visitor pass,reservation,application,contract,photograph""".replace("\n", "").split(",")
ADJECTIVES = """large small old new quiet beautiful modern famous bright narrow heavy green blue yellow red
white wooden empty busy early late friendly careful serious simple strange useful wonderful cheap expensive
warm cold fresh public private local foreign short long""".split()
SUBJECTS = """the boy|my neighbour|our teacher|the children|a young woman|the old man|the visitors|her brother|
the engineer|his daughter|the whole team|a stranger|the committee|the driver|our guest|the musicians|
the farmer|their uncle|the judge|a few students|the painter|your colleague|the captain|the choir""".replace("\n", "").split("|")
VERBS = """found,carried,opened,watched,repaired,forgot,measured,painted,described,bought,returned,
moved,dropped,cleaned,finished,shared,noticed,recognised,chose,borrowed,photographed,answered,pushed,
covered,joined,enjoyed,caught,threw,brought,taught,showed,explained,ignored,imagined,washed""".replace("\n", "").split(",")
OBJECTS = """the bridge,a wooden box,the yellow house,seven oranges,the road to the village,an unusual stone,
the measure of the garden,a bright picture,the third chapter,the judge's chair,her favourite song,
the old treasure,a thick blanket,the church tower,a pair of shoes,the garage,the television,the vision,
fresh vegetables,both windows,the weather,a small boat,the youngest horse,the kitchen table,the whole story,
a cheap watch,the jungle,the loud machine,a cup of coffee,the purple flowers,his father's business""".replace("\n", "").split(",")
TIMES = """in the morning|yesterday|last week|before breakfast|after the storm|every evening|at noon|
in the autumn|without a word|for the first time|as usual|during the holiday|on the way home|
because it was raining|while the others were sleeping|although nobody had asked|when the bell rang|
until the sun went down|if the weather was good|again and again""".replace("\n", "").split("|")
PLAIN = """Hello, how can I help you?|Good morning, how may I help you?|Good afternoon, welcome.|Good evening.|
Welcome to the museum.|Hello there, nice to see you.|Goodbye, have a nice day.|You are welcome.|
Thank you very much.|I am sorry, I don't know that.|I am afraid I cannot help with that.|Please ask at the desk.|
Could you say that again, please?|I did not understand you.|One moment, please.|Yes, of course.|No, I am sorry.|
Is there anything else I can do for you?|What is your name, please?|Whom would you like to see?|
Do you have an appointment?|Please wait here.|Please take a seat.|Somebody will come and get you.|
Mind the step.|Have a pleasant stay.|My pleasure.|See you soon.|That is a good question.|Let me think.|
I only know about this building.|I am the receptionist of this house.|I am a computer, not a person.|
Sure.|Certainly.|All right.|Okay.|Yes.|No.|Maybe.|Thanks.|Hi!|Hello!|Bye.|Of course.|Excuse me.|Please speak up.|
It's free.|It's closed.|It's open.|That's right.|That's not possible.|You're right.|I'm sorry about that.|
We're open today.|They're upstairs.|I'll call them.|You'll find it easily.|Don't worry.|It doesn't matter.|
There's no lift.|There isn't any parking.|You can't miss it.|I wouldn't know.|What's your name?|Who's there?""".replace("\n", "").split("|")


def number(random_):
    kind = random_.random()
    if kind < 0.5:
        return random_.choice(NUMBERS)
    tens = random_.choice(TENS) + random_.choice(["", " " + random_.choice(NUMBERS[:9])])
    if kind < 0.8:
        return tens
    hundred = random_.choice(NUMBERS[:9]) + " hundred"
    return hundred + random_.choice(["", " " + tens, " and " + tens])


def time(random_):
    hour = random_.choice(NUMBERS[:12])
    return random_.choice([
        hour, f"{hour} thirty", f"half past {hour}", f"quarter to {hour}", f"quarter past {hour}",
        f"{hour} o'clock", f"{hour} a m", f"{hour} p m", f"{hour} fifteen", f"{hour} forty five",
        f"{hour} in the morning", f"{hour} in the evening"])


def room_code(random_):
    return random_.choice("abcdefghijklmnopqrstuvwxyz").upper() + " " + number(random_)


def person(random_):
    first, last = random_.choice(FIRST), random_.choice(LAST)
    return random_.choice([f"{first} {last}", f"{random_.choice(TITLES)} {last}", f"{random_.choice(TITLES)} {first} {last}"])


def receptionist(random_):
    """One sentence of the trade."""
    pick = random_.choice
    room, other = pick(ROOMS), pick(ROOMS)
    place, move, then = pick(PLACES), pick(MOVES), pick(MOVES)
    day, until = pick(DAYS), pick(DAYS)
    return pick([
        lambda: f"The {room} is {place}.",
        lambda: f"The {room} is {place}, {pick(PLACES)}.",
        lambda: f"To get to the {room}, {move}, then {then}.",
        lambda: f"For the {room}, please {move} and {then}.",
        lambda: f"You will find the {room} {place}, near the {other}.",
        lambda: f"The {room} is open from {time(random_)} to {time(random_)}.",
        lambda: f"We are open from {time(random_)} until {time(random_)}, {day} to {until}.",
        lambda: f"On {day} the {room} closes at {time(random_)}.",
        lambda: f"The {room} is closed on {day} and {until}.",
        lambda: f"{person(random_)} is in room {room_code(random_)}.",
        lambda: f"{person(random_)} is our {pick(JOBS)}, and works in room {number(random_)}.",
        lambda: f"The {pick(JOBS)} is {person(random_)}.",
        lambda: f"You can reach {person(random_)} in office {room_code(random_)}, {place}.",
        lambda: f"Room {room_code(random_)} is {place}.",
        lambda: f"Your {pick(THINGS)} is {place}.",
        lambda: f"Please bring your {pick(THINGS)} to the {room}.",
        lambda: f"Do you need a {pick(THINGS)}?",
        lambda: f"Would you like to visit the {room}?",
        lambda: f"Are you looking for the {room}?",
        lambda: f"Where would you like to go, to the {room} or the {other}?",
        lambda: f"Have you seen the {pick(ADJECTIVES)} {pick(THINGS)}?",
        lambda: f"The tour starts at {time(random_)} and takes {number(random_)} minutes.",
        lambda: f"A ticket costs {number(random_)} dollars, children pay {number(random_)}.",
        lambda: f"The entrance fee is {number(random_)} pounds and {number(random_)} pence.",
        lambda: f"The next event is on {pick(MONTHS)} {pick(ORDINALS)} at {time(random_)}.",
        lambda: f"Your appointment is on {day}, the {pick(ORDINALS)} of {pick(MONTHS)}.",
        lambda: f"The {room} was built in nineteen {number(random_)}.",
        lambda: f"The number is {' '.join(pick(NUMBERS[:9] + ['zero']) for _ in range(pick([3, 4, 6])))}.",
        lambda: f"Hello {pick(FIRST)}, welcome to the {room}.",
        lambda: f"I am sorry, the {room} is {pick(['closed', 'full', 'not open yet', 'not in this building'])}.",
        lambda: f"There {pick(['is a', 'is no'])} {pick(THINGS)} in the {room}.",
        lambda: f"There are {number(random_)} {pick(['rooms', 'seats', 'people', 'computers', 'books', 'lifts'])} {place}.",
        lambda: f"You may {pick(['leave', 'pick up', 'borrow', 'return'])} your {pick(THINGS)} at the {room}.",
        lambda: f"Can you see the {pick(ADJECTIVES)} {pick(['door', 'sign', 'wall', 'arrow', 'lamp'])} {place}?",
        lambda: f"The wireless network is called {pick(ADJECTIVES)} {pick(['guest', 'house', 'river', 'visitor'])}.",
        lambda: pick(PLAIN),
    ])()


def everyday(random_):
    """One remark about nothing in particular."""
    pick = random_.choice
    text = pick([
        lambda: f"{pick(SUBJECTS)} {pick(VERBS)} {pick(OBJECTS)} {pick(TIMES)}.",
        lambda: f"{pick(SUBJECTS)} {pick(VERBS)} {pick(OBJECTS)}, and {pick(SUBJECTS)} {pick(VERBS)} {pick(OBJECTS)}.",
        lambda: f"the {pick(ADJECTIVES)} {pick(THINGS)} belongs to {pick(FIRST)}.",
        lambda: f"{pick(OBJECTS)} was {pick(ADJECTIVES)}, but {pick(OBJECTS)} was {pick(ADJECTIVES)}.",
        lambda: f"did {pick(SUBJECTS)} say that {pick(OBJECTS)} looked {pick(ADJECTIVES)}?",
        lambda: f"I think {pick(SUBJECTS)} would rather have {pick(OBJECTS)}.",
        lambda: f"she usually goes there with {pick(FIRST)}, {pick(FIRST)} and {pick(FIRST)}.",
        lambda: f"how often do you use the {pick(THINGS)}?",
    ])()
    return text[0].upper() + text[1:]


def spelling(random_, words):
    """Dictionary words in plain carriers."""
    some = random_.sample(words, 5)
    return random_.choice([
        "{0}, {1}, {2}.", "The {0} of {1} is {2}.", "{0} and {1}.", "We said {0} {1}, not {2}.",
        "Is it {0} or {1}?", "{0} {1} {2} {3}.", "A {0} with {1}, and {2} {3}.", "They call it {0}.",
        "My {0} was {1} by {2}."]).format(*some)


def sentences(count, words, seed):
    """`count` different sentences, the same ones for the same seed."""
    random_ = random.Random(seed)
    found = dict.fromkeys(text for text in PLAIN)
    while len(found) < count:
        kind = random_.random()
        if kind < 0.5:
            text = receptionist(random_)
        elif kind < 0.7:
            text = everyday(random_)
        else:
            text = spelling(random_, words)
        found.setdefault(text)
    texts = list(found)
    random_.shuffle(texts)
    return texts
