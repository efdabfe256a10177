"""Invents visitor sites: facts about rooms, people, hours, prices and rules.

Every name, place and number is drawn at random, so that a model cannot answer
from memory and has to read the facts in its prompt.
"""

import random
from dataclasses import dataclass, field

SYLLABLES = (
    "bar bel ben ber bor bran bren cal car cas cor dal dan del der dor el em er fal fen fin "
    "gar gil gor hal han har hel hol is jan jor kal kel ken kir lan lar len lin lor mal mar mel "
    "mer mil mon mor nar nel nor ol or pal per quin ral ran rel ren ros sal san sel sil sol tal "
    "tam tan tel tor ul ur val van ver vin vor wal wen wil win yor zan zel"
).split()
ENDINGS = "a ab ac an ard as berg by dale den der do el en er ev ford ia ik in is ley low man mere o off on os ov sen shaw son stein ston ton us wick wood y".split()
FIRST_NAMES = (
    "anna adam alice amir amy andrew angela ben boris carla carlos chen clara daniel david diana elena emma eric eva "
    "fatima felix frank george grace hana helen henry ida ingrid ivan jack james jane jin john julia karen kate kofi "
    "laura leo li lily linda lucas lucy maria mark martin mary maya mei michael mina mohamed nadia nina noah nora oliver "
    "omar oscar paul peter priya rachel ravi rita robert rosa ruth sam sara simon sofia stefan susan tara tom tina victor wei yuki zoe"
).split()
ROLES = (
    "director|head of security|accountant|office manager|chief engineer|curator|head curator|librarian|archivist|head of sales|"
    "head of marketing|personnel manager|human resources manager|project manager|technician|network administrator|caretaker|"
    "housekeeper|press officer|event manager|head of research|lab manager|head teacher|nurse|doctor|lawyer|designer|"
    "head of finance|founder|president|vice president|secretary|assistant|guide|tour guide|restorer|head of education|"
    "volunteer coordinator|shop manager|chef|gardener|professor|student adviser|safety officer|data protection officer|"
    "buyer|warehouse manager|quality manager|product manager|software developer|support engineer|trainer|translator"
).split("|")
ROOM_FIRST = (
    "training|meeting|conference|board|reading|board|press|music|dance|art|main|small|large|great|east|west|north|south|"
    "blue|green|red|yellow|white|black|golden|silver|upper|lower|old|new|garden|river|harbour|sun|moon|star|stone|glass|"
    "iron|copper|marble|oak|maple|cedar|rose|lily|lotus|eagle|falcon|lion|dolphin|whale|history|science|nature|space|ocean|"
    "map|print|photo|film|sound|computer|robot|energy|water|fire|family|children's|visitor|staff|student|teacher|research|"
    "design|craft|pottery|textile|fossil|mineral|insect|bird|plant|egypt|roman|viking|medieval|modern|asian|african|summer|winter"
).split("|")
ROOM_LAST = (
    "room|room|room|room|hall|hall|gallery|gallery|lab|laboratory|studio|office|library|theatre|auditorium|workshop|lounge|"
    "archive|collection|exhibition|court|wing|pavilion|chapel|tower|cellar|terrace|centre|classroom|suite|chamber|kitchen"
).split("|")
PLACES = (
    "cafe|restaurant|canteen|coffee bar|snack bar|shop|gift shop|bookshop|museum shop|ticket desk|information desk|cloakroom|"
    "first aid room|post room|mail room|print room|server room|storage room|waiting room|prayer room|quiet room|baby room|"
    "nursery|playground|gym|swimming pool|sauna|roof terrace|roof garden|garden|courtyard|library|archive|auditorium|lecture hall|"
    "cinema|planetarium|chapel|loading dock|garage|bike shed|smoking area|picnic area|vending machines|cash machine|"
    "lost property office|security office|accounts office|staff kitchen|lockers|pharmacy|clinic|bank|hairdresser|meeting point|"
    "bus stop|taxi stand|emergency exit|water fountain|photocopier|printer|phone booth|elevator|lift|main entrance|side entrance|"
    "changing room|shower|toilets|restrooms|laundry|greenhouse|aquarium|observatory|help desk|copy shop|reading corner|fitting room"
).split("|")
#: Words visitors use for a place that the site file calls otherwise.
SYNONYMS = {
    "toilets": ["bathroom", "restroom", "washroom", "loo", "toilet", "ladies room", "men's room"],
    "restrooms": ["bathroom", "toilet", "toilets", "washroom", "restroom"],
    "lift": ["elevator", "lifts"],
    "elevator": ["lift", "elevators"],
    "cafe": ["coffee shop", "cafeteria", "coffee place"],
    "canteen": ["cafeteria", "lunch room", "place to eat"],
    "restaurant": ["place to eat", "dining room"],
    "shop": ["store", "gift shop"],
    "gift shop": ["souvenir shop", "shop", "store"],
    "cloakroom": ["coat check", "place for my coat", "wardrobe"],
    "garage": ["car park", "parking garage"],
    "cash machine": ["a t m", "cash point"],
    "gym": ["fitness room"],
    "help desk": ["i t support"],
    "lost property office": ["lost and found"],
    "print room": ["printer", "copier"],
    "auditorium": ["lecture theatre"],
    "main entrance": ["entrance", "front door"],
    "emergency exit": ["fire exit"],
}
FLOORS = (
    "on the ground floor|on the first floor|on the second floor|on the third floor|on the fourth floor|on the fifth floor|"
    "on the sixth floor|on the seventh floor|on the eighth floor|on the ninth floor|on the top floor|in the basement|on level 2|"
    "on level 3|on level 4|on floor 5|on floor 11|on floor 12|in the north building|in the annex|outside|upstairs|downstairs"
).split("|")
LANDMARKS = (
    "the lift|the lifts|the stairs|the main stairs|the main entrance|the entrance|the reception|the reception desk|the fountain|"
    "the courtyard|the big clock|the statue|the glass doors|the blue door|the red door|the escalator|the cafe|the shop|"
    "the coffee machine|the toilets|the ticket desk|the information desk|the cloakroom|the library|the emergency exit|the garden|"
    "the long corridor|the corridor|the window|the piano|the aquarium|the wooden door|the bridge|the security desk|the mail boxes"
).split("|")
NOUNS = (
    "time year people way day man thing woman life child world school state family student group country problem hand part place case week "
    "company system program question work number night point home water room mother area money story fact month lot right study book eye job "
    "word business issue side kind head house service friend father power hour game line end member law car city community name team minute "
    "idea body information back parent face others level office door health person art war history party result change morning reason "
    "research girl guy moment air teacher force education foot boy age policy music market sense nation plan college interest death course "
    "experience effect use class control field development role effort rate heart drug show leader light voice wife police mind price "
    "report decision son view relationship town road arm difference value building action season society tax director position player record "
    "paper space ground form event official matter center couple site project activity star table need court oil situation cost industry "
    "figure street image phone data picture practice piece land product doctor wall patient worker news test movie north love step blood "
    "letter key card badge ticket coat bag umbrella box chair desk lamp clock machine engine train ship bridge tower tree flower stone river "
    "lake mountain island beach forest bird fish horse dog cat lion snake spider butterfly whale bear mouse apple bread cheese soup salad tea "
    "coffee milk sugar juice cake pizza rice egg meat glass cup plate spoon knife fork bottle"
).split()
VERBS = "shows keeps holds covers opens carries guards feeds cleans moves meets follows checks calls stores sends prints sells repairs paints teaches builds".split()
ADJECTIVES = (
    "big small old new red blue green yellow white black round square quiet loud bright dark warm cold fast slow heavy light soft hard "
    "clean wet dry free busy open modern ancient famous rare wooden golden silver plastic local foreign public private special secret"
).split()
STREETS = "street|road|avenue|lane|square|place|way|park".split("|")
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = "january february march april may june july august september october november december".split()


@dataclass
class Fact:
    """One thing a site knows: the sentence to say and the ways to ask for it."""

    say: str
    asks: list
    #: Facts of one group answer each other's questions, so they are held out together.
    group: str
    #: The thing it is about, for follow-up questions; empty for the site itself.
    about: str = ""
    follow: list = field(default_factory=list)
    #: The question under which the site file lists the answer, if it does.
    title: str = ""
    #: More words by which retrieval finds it.
    keys: str = ""

    @property
    def asked(self):
        """A question that it answers, by which retrieval knows its kind."""
        return self.title or (self.asks[0] if self.asks else "")

    @property
    def line(self):
        """The fact as the prompt shows it."""
        return f"{self.title} {self.say}".strip()


def invented(rng):
    """A made-up name of two or three syllables."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((1, 1, 1, 2)))) + rng.choice(ENDINGS)


def person(rng):
    first = rng.choice(FIRST_NAMES) if rng.random() < 0.7 else invented(rng)
    name = f"{first} {invented(rng)}"
    if rng.random() < 0.15:
        name = f"{rng.choice(['dr.', 'mr.', 'mrs.', 'ms.', 'professor'])} {name.split()[1]}"
    return name


def clock(rng, low=6, high=22):
    hour = rng.randint(low, high)
    half = "am" if hour < 12 else "pm"
    minute = rng.choice(["", "", "", ":30", ":30", ":15", ":45", f":{rng.randint(1, 11) * 5:02d}"])
    if hour == 12 and not minute and rng.random() < 0.5:
        return "noon"
    return f"{(hour - 1) % 12 + 1}{minute} {half}"


def span(rng):
    style = rng.random()
    a, b = clock(rng, 6, 11), clock(rng, 12, 22)
    if style < 0.75:
        return f"from {a} to {b}"
    if style < 0.85:
        return f"between {a} and {b}"
    return f"from {a} until {b}"


def days(rng):
    style = rng.random()
    if style < 0.45:
        i = rng.randrange(0, 5)
        j = rng.randrange(i + 1, 7)
        return f"{DAYS[i]} to {DAYS[j]}", DAYS[i : j + 1]
    if style < 0.6:
        day = rng.choice(DAYS)
        return f"on {day}", [day]
    if style < 0.75:
        i = rng.randrange(0, 6)
        return f"on {DAYS[i]} and {DAYS[i + 1]}", DAYS[i : i + 2]
    if style < 0.87:
        return rng.choice(["every day", "daily"]), list(DAYS)
    return rng.choice([("on weekends", DAYS[5:]), ("on weekdays", DAYS[:5]), ("at the weekend", DAYS[5:])])


def number(rng):
    return str(rng.choice([rng.randint(1, 12), rng.randint(1, 99), rng.randint(100, 999)]))


def where(rng):
    """Directions of one or two parts."""
    floor = rng.choice(FLOORS)
    mark = rng.choice(LANDMARKS) if rng.random() < 0.8 else f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    relation = rng.choice(
        "next to|left of|to the left of|right of|to the right of|behind|opposite|across from|beside|near|past|in front of|just after|under|above|between the stairs and".split("|")
    )
    near = f"{relation} {mark}"
    turn = rng.choice(["turn left", "turn right", "go straight on", "walk straight ahead", "keep left", "keep right"])
    style = rng.random()
    if style < 0.34:
        return f"{floor}, {near}"
    if style < 0.46:
        return f"{floor} {near}"
    if style < 0.56:
        return near
    if style < 0.64:
        return floor
    if style < 0.74:
        return f"{floor}, {rng.choice(['the first', 'the second', 'the third', 'the last', 'the fourth'])} door {rng.choice(['on the left', 'on the right', 'on your left', 'on your right'])}"
    if style < 0.8:
        return f"{floor}, in room {number(rng)}"
    if style < 0.86:
        return f"in room {number(rng)}, {rng.choice([floor, near])}"
    if style < 0.93:
        return f"{floor}, at the end of {rng.choice(['the corridor', 'the hall', 'the hallway', 'the left corridor'])}"
    return f"{floor}; {turn} at {mark}"


def room(rng):
    """A room's name as spoken in a sentence, with its article."""
    style = rng.random()
    if style < 0.4:
        name = f"{rng.choice(ROOM_FIRST)} {rng.choice(ROOM_LAST)}"
    elif style < 0.5:
        name = f"{rng.choice(ADJECTIVES + NOUNS)} {rng.choice(ROOM_LAST)}"
    elif style < 0.65:
        name = f"{invented(rng)} {rng.choice(ROOM_LAST)}"
    elif style < 0.7:
        return f"room {number(rng)}"
    else:
        name = rng.choice(PLACES)
    return "the " + name


def be(name):
    return "are" if name.endswith(("toilets", "restrooms", "lockers", "machines")) else "is"


def room_facts(rng):
    name = room(rng)
    bare = name.removeprefix("the ")
    called = [name] * 5 + [bare]
    for word in SYNONYMS.get(bare, []):
        called += ["the " + word, "a " + word]
    call = lambda: rng.choice(called)  # noqa: E731
    is_ = be(name)
    place = where(rng)
    opening = rng.choice([f"{name} {is_} {place}.", f"{name} {is_} {place}.", f"{name} {is_} {place}.", f"you will find {name} {place}."])
    asks = [
        f"where is {call()}", f"where is {call()}", f"where's {call()}", f"where can i find {call()}", f"how do i get to {call()}",
        f"how can i get to {call()}", f"i am looking for {call()}", f"i'm looking for {call()}", f"can you tell me where {call()} is",
        f"can you tell me the way to {call()}", f"which floor is {call()} on", f"what floor is {call()} on", f"where do i find {call()}",
        f"i need to go to {call()}", f"i want to go to {call()}", f"how do i find {call()}", f"show me the way to {call()}",
        f"is there a {bare} here", f"do you have a {bare}", f"where are {call()}", f"{bare} please", f"is {call()} on this floor", f"could you help me find {call()}",
        f"{call()} where is it", f"where would i find {call()}", f"what is the way to {call()}", f"i have a meeting in {call()}", f"do you know where {call()} is",
    ]
    follow = ["where is it", "and where is that", "where is that", "how do i get there", "and how do i get there", "which floor is it on", "where can i find it", "and where is it"]
    facts = [Fact(opening, asks, f"{name} where", bare, follow)]
    if rng.random() < 0.5:
        text, covered = days(rng)
        hours = span(rng)
        say = rng.choice([f"{name} {is_} open {text} {hours}.", f"{name} {is_} open {hours}, {text}.", f"{name} {is_} open {hours}."])
        day = rng.choice(covered)
        asks = [
            f"when is {call()} open", f"when does {call()} open", f"what time does {call()} open", f"what time does {call()} close",
            f"when does {call()} close", f"is {call()} open on {day}", f"until when is {call()} open", f"what are the opening hours of {call()}",
            f"how long is {call()} open", f"can i go to {call()} on {day}", f"is {call()} open now", f"is {call()} open today", f"at what time does {call()} open",
        ]
        follow = ["when does it open", "and when does it open", "when is it open", "when does it close", "and what time does it close", "is it open today", f"is it open on {day}", "what are the hours", "until when"]
        facts.append(Fact(say, asks, f"{name} hours", bare, follow, keys="opening hours closed " + " ".join(covered)))
    if rng.random() < 0.25:
        who = person(rng)
        say = rng.choice([f"{who} looks after {name}.", f"{who} runs {name}.", f"{name} {is_} run by {who}.", f"{who} is in charge of {name}."])
        asks = [f"who runs {call()}", f"who is in charge of {call()}", f"who looks after {call()}", f"who is responsible for {call()}"]
        facts.append(Fact(say, asks, f"{name} who", bare, ["who runs it", "who is in charge of it", "and who looks after it"], keys="responsible charge"))
    if rng.random() < 0.2:
        count = number(rng)
        say = rng.choice([f"{name} has {count} seats.", f"{name} holds up to {count} people.", f"there is room for {count} people in {name}."])
        asks = [f"how many people fit in {call()}", f"how big is {call()}", f"how many seats does {call()} have", f"how large is {call()}"]
        facts.append(Fact(say, asks, f"{name} size", bare, ["how big is it", "how many people fit in", "how many seats does it have"], keys="big large fit"))
    if rng.random() < 0.15:
        act = rng.choice([f"book it with {person(rng)}", f"ask at {rng.choice(LANDMARKS)} for the key", f"call extension {number(rng)} to book it", "book it online", "book it one day ahead"])
        say = rng.choice([f"to use {name}, {act}.", f"if you want to use {name}, {act}."])
        asks = [f"how do i book {call()}", f"can i book {call()}", f"can i use {call()}", f"how can i reserve {call()}", f"may i use {call()}"]
        facts.append(Fact(say, asks, f"{name} book", bare, ["how do i book it", "can i book it", "can i use it"], keys="reserve booking"))
    return facts


def person_facts(rng, used):
    name, role = person(rng), rng.choice([r for r in ROLES if r not in used] or ROLES)
    used.add(role)
    place = where(rng)
    last = name.split()[-1]
    first = name.split()[0]
    call = lambda: rng.choice([name, name, name, name, f"mr. {last}", f"mrs. {last}", f"ms. {last}", last, first if "." not in first else name])  # noqa: E731
    facts = []
    who = [f"who is the {role}", f"who is your {role}", f"who's the {role}", f"what is the name of the {role}", f"who is {call()}", f"what does {call()} do",
           f"do you know {call()}", f"who works as {role}", f"tell me about {call()}", f"what is the {role} called"]
    find = [
        f"where is {call()}", f"where can i find {call()}", f"i have an appointment with {call()}", f"i am here to see {call()}",
        f"i'm here to see {call()}", f"where is the {role}", f"where can i find the {role}", f"i have a meeting with {call()}",
        f"i want to see {call()}", f"where is {call()}'s office", f"can i speak to {call()}", f"i would like to talk to the {role}",
        f"i am looking for {call()}", f"i'm looking for the {role}", f"which room is {call()} in", f"how do i find {call()}", f"i need to see the {role}",
        f"which office is {call()} in", f"i'd like to meet {call()}",
    ]
    he = rng.choice(["he", "she"])
    found = [f"where is {he}", f"where can i find {'him' if he == 'he' else 'her'}", f"and where is {he}", "where is that", "where is the office", f"which room is {he} in", f"how do i get to {'him' if he == 'he' else 'her'}"]
    style = rng.random()
    if style < 0.55:
        say = rng.choice([f"{name}, the {role}, is {place}.", f"{name} is the {role} and sits {place}.", f"{name} is our {role}, {place}."])
        facts.append(Fact(say, who + find + find, f"{name} all", name, found))
    else:
        if style < 0.9:
            say = rng.choice([f"{name} is the {role}.", f"our {role} is {name}.", f"the {role} is {name}.", f"{name} is our {role}."])
            facts.append(Fact(say, who + [f"i want to know who the {role} is"], f"{name} role", name, [f"what does {he} do", f"who is {he}"]))
        if style > 0.65:
            say = rng.choice([f"{name} is {place}.", f"{name}'s office is {place}.", f"you can find {name} {place}.", f"{name} sits {place}."])
            facts.append(Fact(say, [f for f in find if role not in f], f"{name} where", name, found, keys="office appointment meeting"))
    if rng.random() < 0.25:
        digits = " ".join(number(rng)) if rng.random() < 0.5 else number(rng)
        say = rng.choice([f"you can reach {name} on extension {digits}.", f"{name}'s phone number is {digits}.", f"{name}'s extension is {digits}."])
        asks = [f"what is the phone number of {call()}", f"how can i call {call()}", f"what is {call()}'s extension", f"how do i reach {call()}",
                f"can i have {call()}'s number", f"how can i phone {call()}", f"what's {call()}'s phone number"]
        facts.append(Fact(say, asks, f"{name} phone", name, [f"what is {'his' if he == 'he' else 'her'} number", f"how can i call {'him' if he == 'he' else 'her'}"], keys="call phone number reach extension telephone"))
    if rng.random() < 0.15:
        say = rng.choice([f"{name} is on holiday until {rng.choice(DAYS + MONTHS)}.", f"{name} is here {days(rng)[0]}.", f"{name} is in {days(rng)[0]} {span(rng)}."])
        asks = [f"when is {call()} here", f"is {call()} in today", f"is {call()} here", f"when can i see {call()}", f"when is {call()} in"]
        facts.append(Fact(say, asks, f"{name} when", name, [f"is {he} here today", f"when is {he} here", f"and when is {he} in"], keys="here today in when"))
    return facts


def hours_facts(rng):
    text, covered = days(rng)
    hours = span(rng)
    say = rng.choice([f"we are open {text} {hours}.", f"we are open {hours}, {text}."])
    day = rng.choice(covered)
    asks = [
        "when are you open", "what are your opening hours", "what time do you open", "what time do you close", "when do you close", "when do you open",
        f"are you open on {day}", f"when are you open on {day}", f"what time do you close on {day}", f"until when are you open on {day}", "opening hours",
        "how long are you open today", f"can i come on {day}", "what are the opening times", "when can i come", "when can i visit", "are you open today", f"what are the hours on {day}",
        f"what time do you open on {day}", f"do you open on {day}",
    ]
    follow = ["and when are you open", f"and on {day}", f"what about {day}"]
    facts = [Fact(say, asks, "site hours", "", follow, keys="opening hours times close closed come visit " + " ".join(covered))]
    rest = [d for d in DAYS if d not in covered]
    if rest and rng.random() < 0.6:
        off = rng.choice(rest)
        others = [d for d in rest if d != off]
        if others and rng.random() < 0.5:
            other = rng.choice(others)
            more = f"on {other} we are open {span(rng)}."
            asks = [f"are you open on {other}", f"when are you open on {other}", f"what time do you close on {other}", f"what are your hours on {other}", f"can i come on {other}", f"what time do you open on {other}"]
            facts.append(Fact(more, asks, f"site hours", "", [f"and on {other}", f"what about {other}"], keys="opening hours times close come visit"))
        say = rng.choice([f"we are closed on {off}.", f"on {off} we are closed."])
        asks = [f"are you open on {off}", f"are you closed on {off}", "which day are you closed", "when are you closed", f"can i come on {off}", f"what time do you open on {off}"]
        facts.append(Fact(say, asks, f"site hours", "", [f"and on {off}", f"what about {off}"], keys="opening hours open come visit"))
    return facts


def price_facts(rng):
    unit = rng.choice("euros|dollars|pounds|francs|crowns".split("|"))
    a, b = number(rng), number(rng)
    thing = rng.choice("ticket|day ticket|guided tour|family ticket|annual pass|audio guide|workshop|concert|parking ticket|locker|catalogue|lunch|coffee|poster|membership".split("|"))
    say = rng.choice([
        f"a {thing} costs {a} {unit}.", f"a {thing} is {a} {unit}, and {b} {unit} for {rng.choice(['children', 'students', 'groups', 'members'])}.",
        f"the {thing} costs {a} {unit}.", f"a {thing} costs {a} {unit} for adults and {b} {unit} for children.", f"the {thing} is free.", f"a {thing} is {a} {unit}.",
    ])
    asks = [f"how much is a {thing}", f"how much does a {thing} cost", f"what does a {thing} cost", f"what is the price of a {thing}", f"is the {thing} free", f"how much is the {thing}", f"how much do i pay for a {thing}",
            f"how expensive is a {thing}", f"do i have to pay for the {thing}"]
    return [Fact(say, asks, f"{thing} price", thing, ["how much is it", "what does it cost", "and how much is that", "is it free"], keys="price cost much pay free fee expensive")]


def event_facts(rng):
    name = f"{rng.choice(ADJECTIVES + NOUNS + ROOM_FIRST)} {rng.choice('tour|talk|lecture|concert|workshop|show|exhibition|class|course|meeting|conference|party|market|film|training|fair|reading|game'.split('|'))}"
    place = rng.choice([f"in {room(rng)}", where(rng)])
    when = f"at {clock(rng)}"
    if rng.random() < 0.4:
        when = f"{days(rng)[0]} {when}"
    asks_when = [f"when is the {name}", f"when does the {name} start", f"what time is the {name}", f"what time does the {name} begin", f"when does the {name} begin"]
    asks_where = [f"where is the {name}", f"where does the {name} take place", f"which room is the {name} in", f"where do i go for the {name}", f"i am here for the {name}"]
    if rng.random() < 0.5:
        say = rng.choice([f"the {name} starts {when} {place}.", f"the {name} is {when} {place}.", f"the {name} begins {when}, {place}."])
        return [Fact(say, asks_when + asks_where, f"{name} all", name, ["when is it", "when does it start", "where is it", "and where is it"])]
    facts = [Fact(f"the {name} {rng.choice(['starts', 'begins', 'is'])} {when}.", asks_when, f"{name} when", name, ["when is it", "when does it start", "and when does it begin"], keys="time start begin")]
    if rng.random() < 0.6:
        facts.append(Fact(f"the {name} {rng.choice(['is', 'takes place', 'meets'])} {place}.", asks_where, f"{name} where", name, ["where is it", "and where is it", "which room is it in"]))
    return facts


def exhibit_facts(rng):
    name = f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}" if rng.random() < 0.6 else f"the {rng.choice(NOUNS)} of {invented(rng)}"
    facts = []
    year = rng.randint(1100, 2024)
    verb = rng.choice("made built painted found written bought given".split())
    if rng.random() < 0.7:
        who = person(rng)
        say = rng.choice([f"{name} was {verb} by {who} in {year}.", f"{who} {'made' if verb != 'painted' else verb} {name} in {year}."])
        asks = [f"who {'made' if verb != 'painted' else verb} {name}", f"when was {name} {verb}", f"tell me about {name}", f"what is {name}", f"how old is {name}", f"what do you know about {name}", f"can you tell me something about {name}"]
        facts.append(Fact(say, asks, f"{name} who", name.removeprefix("the "), ["who made it", "how old is it", "tell me more about it"], keys="made old who painted built"))
    if rng.random() < 0.5 or not facts:
        say = f"{name} is {rng.choice([where(rng), 'in ' + room(rng)])}."
        asks = [f"where is {name}", f"where can i see {name}", f"where can i find {name}", f"how do i get to {name}"]
        facts.append(Fact(say, asks, f"{name} where", name.removeprefix("the "), ["where is it", "where can i see it", "and where is it"]))
    return facts


def odd_fact(rng):
    """A sentence of random words, so that copying does not lean on meaning."""
    a, b, c = (rng.choice(NOUNS) for _ in range(3))
    adj, adj2, verb = rng.choice(ADJECTIVES), rng.choice(ADJECTIVES), rng.choice(VERBS)
    say = rng.choice([
        f"the {adj} {a} {verb} the {adj2} {b}.", f"the {a} of the {b} is {adj}.", f"our {adj} {a} {verb} every {b} {days(rng)[0]}.",
        f"the {a} {b} {verb} {number(rng)} {c}s.", f"{invented(rng)} {verb} the {a} {b}.", f"for the {a} you need a {adj} {b}.", f"the {a} is {adj}, the {b} is {adj2}.",
    ])
    key = next((w for w in (a, b) if f" {w}" in say), a)
    asks = [f"what about the {key}", f"tell me about the {key}", f"what is with the {key}", f"what do you know about the {key}", f"do you know something about the {key}", f"i have a question about the {key}"]
    return [Fact(say, asks, f"odd {key}", key, ["tell me more"])]


def question_facts(rng):
    """Answers to common questions, as a site file lists them."""
    place, mark, n, name = where(rng), rng.choice(LANDMARKS), number(rng), person(rng)
    unit = rng.choice(["euros", "dollars", "pounds"])
    yes = rng.choice(["yes, ", "yes, ", "of course, ", ""])
    no = rng.choice(["no, ", "sorry, ", "no, sorry, ", ""])
    made = invented(rng)
    topics = {
        "parking": ([f"you can park {place}.", f"{yes}the car park is {place}.", f"parking is {place} and costs {n} {unit}.", f"{no}there is no parking here.", f"visitors park {place}."],
                    ["is there parking", "where can i park", "where can i park my car", "do you have parking", "is there a car park", "can i park here", "where do i leave my car"], "park car parking"),
        "wifi": ([f"the wifi is called {made} and the password is {rng.choice(NOUNS)} {n}.", f"{yes}the network is {made} and needs no password.", f"{no}we have no wifi for guests.", f"{yes}choose the network {made}."],
                 ["is there wifi", "what is the wifi password", "do you have wifi", "how do i get on the internet", "can i use the wifi", "what is the wireless password", "is there internet"], "wifi internet wireless password network wi fi"),
        "photos": ([f"{yes}you may take photos without flash.", f"{no}photos are not allowed in {room(rng)}.", f"photos are allowed everywhere except {place}.", f"{no}photography is not allowed."],
                   ["may i take photos", "can i take pictures", "is photography allowed", "am i allowed to take photos", "can i use my camera"], "photo photos picture pictures camera photography"),
        "dogs": ([f"{no}only guide dogs are allowed.", f"{yes}dogs are welcome {place}.", f"dogs must wait {place}.", f"{no}no pets are allowed inside."],
                 ["can i bring my dog", "are dogs allowed", "are pets allowed", "may i bring my dog", "can my dog come in"], "dog dogs pet pets animal"),
        "food": ([f"you may eat {place}.", f"{no}please do not eat or drink in {room(rng)}.", f"you can buy food {place}.", f"there is hot food {place} until {clock(rng, 12, 22)}.", f"you can eat in {room(rng)}."],
                 ["can i eat here", "where can i eat", "where can i get something to eat", "is there food", "where can i get lunch", "i am hungry", "where can i have a coffee", "can i get a drink somewhere"], "eat food lunch drink coffee hungry restaurant cafe breakfast dinner"),
        "wheelchair": ([f"{yes}use the ramp {place}.", f"{yes}all floors can be reached by lift.", f"wheelchairs are {place}.", f"{yes}the step free entrance is {place}.", f"{no}{room(rng)} has stairs only."],
                       ["is it accessible for wheelchairs", "is there wheelchair access", "can i come with a wheelchair", "do you have wheelchairs", "is there a ramp", "i am in a wheelchair how do i get in"], "wheelchair wheelchairs ramp accessible access disabled step"),
        "bags": ([f"please leave bags {place}.", f"large bags go in the lockers {place}.", f"lockers are {place} and need a {rng.choice(['coin', 'one euro coin', 'code', 'card'])}.", f"you can leave your coat {place}."],
                 ["where can i leave my bag", "where can i leave my luggage", "are there lockers", "can i leave my coat somewhere", "where do i put my suitcase", "can i take my bag inside"], "bag bags locker lockers luggage coat suitcase cloakroom backpack"),
        "lost": ([f"lost things are kept {place}.", f"please ask {name} about lost things.", f"lost property is {place}."],
                 ["i lost my phone", "where is lost and found", "i lost my wallet", "i have lost my umbrella", "i found a bag where do i bring it", "where is the lost property"], "lost found property"),
        "bus": ([f"take bus {n} from {mark}.", f"bus {n} stops {place}.", f"the nearest bus stop is {place}.", f"bus {n} goes to the station every {rng.randint(5, 30)} minutes."],
                ["which bus goes to the station", "where is the bus stop", "how do i get to the station", "is there a bus", "how do i get to town", "how can i get to the city centre"], "bus station town city train public transport"),
        "taxi": ([f"taxis wait {place}.", f"you can call a taxi on {n} {number(rng)}.", f"i cannot call one, but taxis stop {place}."],
                 ["can you call me a taxi", "where can i get a taxi", "i need a taxi", "is there a taxi stand", "where are the taxis"], "taxi cab taxis"),
        "cards": ([f"{yes}we take cards and cash.", f"{no}we take cash only.", f"{yes}cards are accepted {place}.", f"{no}we take cards only."],
                  ["can i pay by card", "do you take credit cards", "do you accept cash", "how can i pay", "can i pay with my phone"], "pay card cards cash credit payment"),
        "smoking": ([f"you may smoke {place}.", f"{no}smoking is not allowed anywhere.", f"the smoking area is {place}."],
                    ["where can i smoke", "is smoking allowed", "can i smoke here", "where is the smoking area"], "smoke smoking cigarette"),
        "badge": ([f"you get your badge {place}.", f"please sign in {place} and take a badge.", f"{name} will give you a badge.", f"give your badge back {place}."],
                  ["where do i get a visitor badge", "do i need a badge", "where do i sign in", "how do i register", "where do i get my badge", "i need a badge"], "badge sign register pass visitor"),
        "delivery": ([f"deliveries go to {room(rng)}.", f"please leave parcels {place}.", f"{name} takes deliveries {place}.", f"ring the bell {place} for deliveries."],
                     ["i have a delivery", "where do i bring this parcel", "i have a package", "where can i drop off a package", "who takes deliveries", "i am here to deliver something"], "delivery deliveries parcel package deliver packages"),
        "children": ([f"children under {rng.randint(3, 18)} get in free.", f"{yes}there is a play corner {place}.", f"children must stay with an adult.", f"strollers can be left {place}."],
                     ["is there something for children", "do children pay", "can i bring my kids", "what is there for kids", "where can i leave the stroller", "are children allowed"], "children kids child stroller pram play"),
        "tours": ([f"tours start {place} at {clock(rng)}.", f"guided tours are {days(rng)[0]} at {clock(rng)}.", f"a tour takes {rng.randint(20, 120)} minutes and starts at {clock(rng)}.", f"{no}there are no tours today.", f"{name} leads the tours."],
                  ["are there guided tours", "when is the next tour", "when do tours start", "can i join a tour", "where do tours start", "is there a tour", "do you have a guided tour"], "tour tours guided guide"),
        "audio guide": ([f"audio guides are {place} and cost {n} {unit}.", f"you get the audio guide {place}.", f"{yes}the audio guide is in {rng.randint(2, 12)} languages."],
                        ["do you have an audio guide", "where can i get an audio guide", "is there an audio guide", "which languages is the audio guide in"], "audio guide headphones languages"),
        "water": ([f"there is a water fountain {place}.", f"you can get water {place}."], ["where can i get water", "is there drinking water", "i am thirsty", "can i fill my bottle"], "water drink thirsty bottle fountain"),
        "doctor": ([f"the first aid kit is {place}.", f"please call {n} for help.", f"{name} gives first aid {place}."],
                   ["i feel sick", "i need a doctor", "where is first aid", "someone is hurt", "i need a plaster", "who can give first aid"], "first aid doctor sick hurt plaster ill emergency"),
        "fire": ([f"leave by {mark} and meet {place}.", f"the meeting point is {place}.", f"use the stairs and go to {mark}."],
                 ["what do i do if there is a fire", "where is the emergency exit", "where is the meeting point", "where do i go in an emergency"], "fire emergency exit alarm"),
        "printing": ([f"you can print {place}.", f"the printer is {place} and the code is {n}.", f"ask {name} to print for you."],
                     ["where can i print", "can i print something", "is there a printer", "where can i make copies", "i need to print a document"], "print printer copy copies copier"),
        "address": ([f"our address is {n} {invented(rng)} {rng.choice(STREETS)}.", f"we are at {n} {invented(rng)} {rng.choice(STREETS)}."],
                    ["what is the address", "what is your address", "what street is this", "where are you located", "what is the address here"], "address street located location"),
        "phone": ([f"our phone number is {' '.join(number(rng) + number(rng))}.", f"you can call us on {number(rng)} {number(rng)}."],
                  ["what is your phone number", "how can i call you", "can i have your number", "what number can i call"], "phone number call telephone contact"),
        "website": ([f"our website is {invented(rng)} dot {rng.choice(['org', 'com', 'net'])}.", f"you can write to info at {invented(rng)} dot {rng.choice(['org', 'com', 'net'])}."],
                    ["what is your website", "do you have a website", "how can i write to you", "what is your email address", "where can i find you online"], "website web email mail online internet"),
        "booking": ([f"you can book online or {place}.", f"groups book with {name}.", f"call {number(rng)} to book.", f"tickets are sold {place}.", f"you can buy tickets {place}."],
                    ["where can i buy tickets", "how do i book", "where do i get a ticket", "do i need to book", "can i book for a group", "where are tickets sold"], "book tickets buy group groups sold"),
        "age": ([f"the building is {number(rng)} years old.", f"it was built in {rng.randint(1400, 2020)} by {name}.", f"{name} built it in {rng.randint(1400, 2020)}."],
                ["how old is the building", "when was this built", "who built this building", "tell me about the building", "who was the architect", "when was the building built"], "building old built architect history"),
        "visitors": ([f"about {number(rng)} people come every day.", f"we had {number(rng)} thousand visitors last year.", f"{number(rng)} people work here."],
                     ["how many people come here", "how many visitors do you have", "how many people work here"], "many people visitors work"),
        "jobs": ([f"please send your papers to {name}.", f"open jobs are listed {place}.", f"{name} can tell you about jobs."],
                 ["i am looking for a job", "do you have any jobs", "how do i apply", "who do i ask about a job", "i have a job interview"], "job jobs apply interview work"),
        "bikes": ([f"bikes go {place}.", f"you can lock your bike {place}."], ["where can i leave my bike", "where do i park my bicycle", "is there a place for bikes"], "bike bikes bicycle"),
        "charging": ([f"you can charge your phone {place}.", f"there are sockets {place}."], ["where can i charge my phone", "is there a socket", "my battery is empty"], "charge charging phone battery socket plug"),
        "quiet": ([f"please be quiet {place}.", f"phones must be off in {room(rng)}."], ["do i have to be quiet", "can i use my phone", "can i make a phone call", "may i talk on the phone"], "quiet phone phones call talk"),
        "last": ([f"last entry is at {clock(rng, 12, 22)}.", f"the last entry is {rng.randint(15, 90)} minutes before closing."], ["when is last entry", "what is the latest i can come in", "how late can i come in"], "last entry latest late"),
        "length": ([f"a visit takes about {rng.randint(1, 5)} hours.", f"most visitors stay {rng.randint(20, 90)} minutes."], ["how long does a visit take", "how much time do i need", "how long do people stay"], "long time take visit stay"),
        "seats": ([f"you can sit down {place}.", f"please wait {place}.", f"the waiting area is {place}."], ["where can i sit down", "where can i wait", "where should i wait", "is there somewhere to sit"], "sit wait seat waiting chair"),
        "exhibition": ([f"now we show {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}s from {invented(rng)}.", f"the new exhibition is about {rng.choice(NOUNS)}s and {rng.choice(NOUNS)}s.", f"this month you can see the {rng.choice(NOUNS)}s of {invented(rng)}."],
                       ["what can i see", "what is on today", "what is new", "which exhibition is on", "what is the current exhibition", "what is there to see"], "see exhibition new current show today"),
        "discount": ([f"students get {n} percent off.", f"{yes}groups of {rng.randint(5, 30)} pay half.", f"{no}there is no discount.", f"members get in free."],
                     ["is there a discount", "do students get a discount", "is it cheaper for students", "is there a group price", "do seniors pay less"], "discount cheaper students price reduced less seniors group"),
        "free day": ([f"entry is free {days(rng)[0]}.", f"entry is free after {clock(rng, 12, 22)}."], ["when is entry free", "is there a free day", "can i get in for free"], "free entry admission"),
        "language": ([f"{yes}{name} speaks {rng.choice(['french', 'german', 'chinese', 'spanish', 'italian', 'polish'])}.", f"we speak english and {rng.choice(['french', 'german', 'chinese', 'spanish'])}."],
                     ["does anyone speak french", "which languages do you speak", "do you speak german", "does somebody speak chinese"], "speak language french german chinese spanish"),
    }
    return topics


QUESTION_TOPICS = list(question_facts(random.Random(0)))


def question_fact(rng, topic):
    says, asks, keys = question_facts(rng)[topic]
    title = ""
    if rng.random() < 0.6:
        title = rng.choice(asks) + "?"
    return [Fact(rng.choice(says), asks, f"topic {topic}", topic, [], title, keys)]


@dataclass
class Site:
    name: str
    assistant: str
    facts: list
    #: Facts that the site does not have; asking for them must be declined.
    missing: list


def site_name(rng):
    kind = rng.choice("museum|gallery|library|institute|university|hospital|hotel|town hall|theatre|company|school|science centre|garden|office|laboratory|clinic|archive|station|college|foundation|house".split("|"))
    made = invented(rng)
    style = rng.random()
    if style < 0.5:
        return f"the {made} {kind}"
    if style < 0.65:
        return f"the {kind} of {made}"
    if style < 0.8:
        return f"{made} {rng.choice(['labs', 'systems', 'works', 'group', 'tower', 'house', 'and sons', 'college'])}"
    return f"the {rng.choice(ADJECTIVES + NOUNS)} {kind}"


def about_fact(rng, name):
    say = rng.choice([
        f"{name} shows {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}s from {invented(rng)}.", f"{name} is a place for {rng.choice(NOUNS)}s and {rng.choice(NOUNS)}s.",
        f"{name} makes {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}s.", f"{name} was founded in {rng.randint(1600, 2020)} by {person(rng)}.", f"this is {name}, home of the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}.",
        f"{name} collects {rng.choice(NOUNS)}s and {rng.choice(NOUNS)}s.", f"{name} teaches {rng.choice(NOUNS)} and {rng.choice(NOUNS)}.",
    ])
    asks = ["what is this place", "where am i", "what do you do here", f"what is {name}", "tell me about this place", "what is this building", "what kind of place is this", f"tell me about {name}"]
    return [Fact(say, asks, "about", "", [], "", "place building here what")]


def site(rng):
    """Draws a site with 10 to 25 facts and some more that it lacks."""
    name = site_name(rng)
    facts, used = [], set()
    if rng.random() < 0.7:
        facts += hours_facts(rng)
    if rng.random() < 0.6:
        facts += about_fact(rng, name)
    for _ in range(rng.randint(3, 7)):
        facts += room_facts(rng)
    for _ in range(rng.randint(1, 4)):
        facts += person_facts(rng, used)
    for topic in rng.sample(QUESTION_TOPICS, rng.randint(3, 9)):
        facts += question_fact(rng, topic)
    for _ in range(rng.randint(0, 2)):
        facts += price_facts(rng)
    for _ in range(rng.randint(0, 2)):
        facts += event_facts(rng)
    for _ in range(rng.randint(0, 2)):
        facts += exhibit_facts(rng)
    for _ in range(rng.randint(0, 2)):
        facts += odd_fact(rng)
    groups = sorted({f.group for f in facts})
    # A second fact with the same words would make the right answer a matter of luck.
    abouts = {}
    for f in facts:
        abouts.setdefault(f.about, set()).add(f.group)
    held = set(rng.sample(groups, max(2, len(groups) // 4)))
    kept, missing = [], []
    for f in facts:
        (missing if f.group in held else kept).append(f)
    rng.shuffle(kept)
    return Site(name, (rng.choice(FIRST_NAMES) if rng.random() < 0.7 else invented(rng)), kept, missing)
