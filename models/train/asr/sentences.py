"""Sentences a visitor may say to a receptionist, as a grammar of our own.

`Grammar(seed).sentence()` draws one lower-case sentence made of letters, apostrophes and spaces; numbers are
words. The same grammar trains the acoustic model (through the speech engines) and the word language model.
Sentences, people and companies of `evaluation.txt` are kept out by `held_out()`.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Debian package wamerican-small (SCOWL): the words the acoustic model learns to spell without context.
DICTIONARY = Path("/usr/share/dict/american-english-small")

# People of evaluation.txt, which no training sentence may contain.
HELD_OUT_NAMES = set(
    "priya okafor lindqvist theodore hargreaves fatima pemberton castellano abernathy brighton".split()
)


def words(text: str) -> list[str]:
    """The comma-separated phrases of `text`."""
    return [phrase.strip() for phrase in text.replace("\n", " ").split(",") if phrase.strip()]


FIRST = words("""
anna, maria, john, peter, susan, linda, david, michael, sarah, emma, oliver, harry, george, jack, jacob, noah,
charlie, thomas, oscar, william, james, amelia, olivia, isla, emily, poppy, ava, isabella, jessica, lily, sophie,
grace, evelyn, daniel, robert, mary, patricia, jennifer, elizabeth, barbara, margaret, karen, nancy, betty, helen,
sandra, donna, carol, ruth, sharon, michelle, laura, kimberly, deborah, joseph, charles, christopher, mark, donald,
steven, paul, andrew, joshua, kenneth, kevin, brian, edward, ronald, timothy, jason, jeffrey, ryan, gary, nicholas,
eric, stephen, jonathan, larry, justin, scott, brandon, frank, benjamin, gregory, samuel, raymond, patrick,
alexander, dennis, jerry, tyler, aaron, henry, adam, nathan, walter, kyle, carl, arthur, albert, louis, alice,
diana, clara, martha, julia, nina, eva, lena, hannah, rachel, rebecca, victoria, natalie, monica, angela, teresa,
carmen, rosa, elena, sofia, lucia, pablo, carlos, diego, miguel, antonio, marco, luca, giovanni, pierre, jean, claire,
camille, amelie, hans, klaus, greta, ingrid, lars, sven, astrid, erik, olga, ivan, natasha, dmitri, boris, ahmed,
omar, ali, hassan, layla, aisha, yusuf, amir, ravi, anita, arjun, deepa, sanjay, sunita, raj, mei, li, wei, chen,
ming, yuki, kenji, hiro, sakura, kofi, ama, chidi, ngozi, zoe, chloe, leo, max, ben, tom, tim, sam, joe, jim, bill,
bob, dan, matt, nick, tony, kate, jane, amy, lucy, molly, holly, ellie, katie, maggie, vera, simon, martin, philip,
graham, keith, trevor, nigel, ian, neil, stuart, hugo, felix, victor, vincent, ralph, roger, wendy, heather, fiona,
gemma, naomi, miriam, esther, abigail, bruno, rosie, daisy, violet, ethan, mason, logan, lucas, jasper, dylan
""")
LAST = words("""
smith, jones, taylor, brown, williams, wilson, johnson, davies, robinson, wright, thompson, evans, walker, white,
roberts, green, hall, wood, jackson, clarke, clark, harris, lewis, young, king, baker, turner, hill, moore, morris,
cooper, ward, watson, morgan, harrison, edwards, collins, stewart, murphy, cook, rogers, reed, bailey, bell, gomez,
kelly, howard, cox, richardson, wood, brooks, gray, bennett, hughes, price, myers, long, foster, sanders, ross,
morales, powell, sullivan, russell, ortiz, jenkins, gutierrez, perry, butler, barnes, fisher, henderson, coleman,
simmons, patterson, jordan, reynolds, hamilton, graham, wallace, woods, cole, west, owens, gibson, ellis, harper,
ford, marshall, mendez, cruz, hunter, tucker, porter, hicks, crawford, boyd, mason, kennedy, warren, dixon, ramos,
burns, gordon, shaw, holmes, rice, robertson, hunt, black, daniels, palmer, mills, nichols, grant, knight, ferguson,
stone, hawkins, dunn, perkins, hudson, spencer, gardner, stephens, payne, pierce, berry, matthews, arnold, wagner,
willis, watkins, olson, carroll, duncan, snyder, hart, cunningham, bradley, lane, andrews, ruiz, fox, riley,
armstrong, carpenter, weaver, greene, lawrence, elliott, chavez, sims, austin, peters, franklin, lawson, garcia,
martinez, lopez, gonzalez, fernandez, rossi, ferrari, bianchi, muller, schmidt, schneider, fischer, weber, meyer,
hoffmann, becker, schulz, dubois, moreau, laurent, lefevre, petrov, ivanov, novak, kowalski, nowak, horvath, nagy,
jensen, nielsen, hansen, andersen, larsen, johansson, karlsson, nilsson, virtanen, singh, kumar, sharma, gupta, patel,
shah, khan, ahmed, hussain, rahman, chowdhury, wong, chan, lee, tan, lim, nguyen, tran, pham, kim, park, choi, tanaka,
suzuki, sato, watanabe, yamamoto, nakamura, okoye, mensah, adeyemi, diallo, silva, santos, oliveira, costa, pereira,
mcdonald, macleod, o'brien, o'connor, o'neill, fitzgerald, mackenzie, donaldson, blackwood, ashworth, whitfield,
winterbourne, fairchild, goldberg, rosenthal, feldman, stein, katz, levy, cohen, marchetti, delgado, herrera, vargas
""")
TITLE = words("mister, missus, miss, doctor, professor, mister, doctor, captain, nurse, judge, sir")
COMPANY = words("""
northwind, blue harbor, acme, sunrise energy, silver lake, green valley foods, atlas shipping, orion systems,
pioneer bank, maple leaf travel, redstone, crystal water, summit insurance, golden gate, riverside clinic,
evergreen, star logistics, delta works, vertex, nova design, oak street partners, high tower, bright future,
the city council, the university, the hospital, the post office, the bank, the energy company, the newspaper
""")
ROOM = words("""
conference room, meeting room, board room, training room, waiting room, server room, mail room, break room,
prayer room, first aid room, lecture hall, main hall, auditorium, library, gallery, exhibition hall, laboratory,
workshop, studio, archive, reception, front desk, help desk, information desk, ticket office, box office, gift shop,
bookshop, coffee shop, cafe, cafeteria, canteen, restaurant, bar, kitchen, terrace, roof garden, garden, courtyard,
lobby, entrance, main entrance, side entrance, back entrance, exit, emergency exit, fire exit, fire escape,
staircase, stairs, lift, lifts, elevator, elevators, escalator, toilet, toilets, bathroom, restroom, ladies room,
mens room, changing room, showers, lockers, locker room, gym, sauna, pool, car park, parking lot, parking garage,
underground parking, bike rack, loading bay, taxi stand, bus stop, metro station, train station, cash machine, atm,
vending machine, water fountain, coffee machine, printer, copy machine, photocopier, phone, charging station,
wheelchair ramp, baby changing room, nursery, playground, kindergarten, classroom, theater, cinema, concert hall, stage,
ballroom, banquet hall, chapel, museum, planetarium, visitor center, security office, lost and found, coat check,
wardrobe, luggage storage, left luggage, storage room, basement, attic, penthouse, helipad, east wing, west wing,
north wing, south wing, annex, old building, new building, main building, tower, bridge, fountain, statue, clinic,
pharmacy, dentist, x ray department, emergency room, operating theater, maternity ward, intensive care, blood test,
swimming hall, reading corner, press room, control room, director's office, manager's office, principal's office,
dean's office, student office, registration desk, checkout, check in desk, cloak room, smoking area, quiet room,
phone booth, computer room, language school, music room, art room, sports hall, tennis court, football field
""")
DEPARTMENT = words("""
human resources, accounts, finance, marketing, sales, purchasing, procurement, engineering, research, development,
support, customer service, technical support, legal, security, facilities, maintenance, cleaning, logistics,
shipping, receiving, production, quality, design, communications, public relations, press, it, information technology,
administration, management, the board, planning, training, recruitment, payroll, billing, insurance, radiology,
cardiology, surgery, pediatrics, admissions, student services, housing, tourism, education, health and safety
""")
JOB = words("""
manager, director, receptionist, secretary, assistant, accountant, engineer, technician, caretaker, janitor, cleaner,
guard, security guard, cook, chef, waiter, librarian, teacher, professor, doctor, nurse, lawyer, electrician, plumber,
driver, courier, head of department, team leader, project manager, personnel manager, office manager, president,
chairman, chief executive, boss, owner, curator, guide, tour guide, intern, consultant, inspector, officer, supervisor
""")
WEEKDAY = words("monday, tuesday, wednesday, thursday, friday, saturday, sunday")
MONTH = words("""january, february, march, april, may, june, july, august, september, october, november, december""")
DAY = words("""
today, tomorrow, tonight, this morning, this afternoon, this evening, next week, this week, on the weekend,
at the weekend, on weekends, on holidays, on public holidays, next month, every day, right now, yesterday, later today,
the day after tomorrow, at lunch time, at night, in the evening, in the morning, in the afternoon, at christmas,
at easter, during the summer, in winter, before noon, after work, all week
""")
CITY = words("""
london, paris, berlin, madrid, rome, vienna, prague, warsaw, dublin, edinburgh, glasgow, manchester, birmingham,
oxford, cambridge, bristol, leeds, liverpool, new york, boston, chicago, seattle, denver, houston, miami, atlanta,
toronto, vancouver, montreal, sydney, melbourne, auckland, tokyo, beijing, shanghai, hong kong, singapore, bangkok,
delhi, mumbai, dubai, cairo, nairobi, lagos, johannesburg, lisbon, barcelona, amsterdam, brussels, copenhagen, oslo,
stockholm, helsinki, athens, istanbul, moscow, zurich, geneva, munich, hamburg, milan, naples, mexico city, san francisco
""")
PLACE = words("""
airport, station, railway station, train station, bus station, city center, town center, downtown, old town, harbor,
port, beach, river, lake, park, zoo, castle, cathedral, church, mosque, temple, market, supermarket, shopping center,
mall, hospital, police station, fire station, post office, bank, hotel, hostel, museum, theater, opera, cinema,
stadium, university, school, city hall, town hall, court house, embassy, ferry, subway, underground, tram stop,
gas station, petrol station, car rental, highway, motorway, campus, bakery, drugstore, pharmacy, doctor, dentist, gym
""")
THING = words("""
umbrella, bag, handbag, backpack, suitcase, wallet, purse, phone, mobile phone, charger, laptop, tablet, camera, keys,
car keys, key card, badge, visitor badge, name tag, passport, id card, ticket, coat, jacket, hat, scarf, gloves,
glasses, sunglasses, watch, ring, necklace, book, notebook, folder, documents, papers, package, parcel, letter, envelope,
box, bottle, lunch box, headphones, bicycle, helmet, stroller, wheelchair, walking stick, map, brochure, pen, pencil,
form, contract, receipt, invoice, newspaper, magazine, gift, flowers, coffee, tea, water, sandwich, medicine, credit card
""")
LENDABLE = words("""pen, pencil, charger, phone, umbrella, wheelchair, map, locker key, chair, blanket, cable, adapter,
laptop, projector, microphone, marker, stapler, pair of scissors, piece of paper, glass of water, towel, stroller""")
FOOD = words("""
coffee, tea, water, breakfast, lunch, dinner, snacks, sandwiches, pizza, soup, salad, cake, ice cream, sushi, burgers,
vegetarian food, vegan food, gluten free food, halal food, kosher food, fruit, juice, beer, wine, hot chocolate, milk,
something to eat, something to drink, a hot meal, bread, pasta, chicken, fish, dessert, cookies, espresso, cappuccino
""")
EVENT = words("""
meeting, conference, interview, job interview, presentation, seminar, workshop, lecture, training, course, concert,
exhibition, tour, guided tour, wedding, party, reception, dinner, lunch, ceremony, graduation, opening, show, film, play,
press conference, board meeting, team meeting, appointment, examination, test, checkup, hearing, trial, auction, fair,
open day, webinar, talk, keynote, demo, product launch, christmas party, birthday party, parents evening, match
""")
SERVICE = words("""
wifi, internet, wireless network, free wifi, guest wifi, parking, free parking, a cloakroom, lockers, a cash machine,
a phone, a fax machine, a printer, a scanner, a computer, a shuttle, a taxi, room service, laundry, air conditioning,
heating, a lift, an elevator, wheelchair access, a ramp, a baby changing table, a playground, a smoking area, a garden,
a restaurant, a cafe, a coffee machine, a vending machine, a water fountain, a gym, a sauna, a pool, a prayer room,
a first aid kit, a defibrillator, a doctor, a nurse, a pharmacy, a shop, a gift shop, a library, a meeting room,
a map, a floor plan, a brochure, an audio guide, a guide, a visitor program, a newsletter, a loyalty card, discounts
""")
PROBLEM = words("""
the door is locked, the door does not open, the lift is not working, the elevator is out of order, the light is off,
the toilet is blocked, the wifi is very slow, the internet is down, the printer is out of paper, the coffee is cold,
there is no toilet paper, there is no soap, there is no hot water, it is too cold in here, it is too warm in here,
it is very loud, somebody is ill, somebody fell down the stairs, my friend needs a doctor, i feel sick, i feel dizzy,
i am lost, i lost my ticket, my card does not work, my badge is not working, i can not find my car, my car is blocked,
my phone is dead, the screen is black, the machine took my money, the parking meter is broken, there is water on the floor,
there is a strange smell, i smell smoke, there is a fire, the window is broken, the key does not fit, the tap is dripping,
the projector does not work, the microphone is too quiet, the alarm is ringing, the heating is broken, nobody is answering
""")
ADJECTIVE = words("""big, small, old, new, nice, beautiful, interesting, important, difficult, easy, cheap, expensive, long,
short, good, bad, better, best, busy, free, open, closed, ready, late, early, tired, hungry, thirsty, happy, sad, sorry,
lost, alone, safe, dangerous, clean, dirty, warm, cold, hot, wet, dry, quiet, loud, famous, modern, historic, tall, heavy""")
ONES = words("one, two, three, four, five, six, seven, eight, nine")
TEENS = words("ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen, eighteen, nineteen")
TENS = words("twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety")
ORDINAL = words("first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth, top, ground, lower, upper, same, next, last, other")

# {slot} draws from a list below; (a|b|) chooses; both nest.
TEMPLATES = words("""
{ask} where the {room} is, where is the {room}, where is {person}, where is {person}'s office, where are the {room},
where can i find {person}, where can i find the {room}, where can i find a {room}, where do i find {department},
how do i get to the {room}, how can i get to the {room}, which way is the {room}, i am looking for the {room},
i am looking for {person}, i am trying to find the {room}, we are looking for {person} from {company},
{please} show me the way to the {room}, {please} tell me how to get to the {room}, i need to go to the {room},
i need to get to the {ordinal} floor, which floor is the {room} on, on which floor is {person}'s office,
what floor is {department} on, is the {room} on the {ordinal} floor, is there a {room} on this floor,
is there a {room} nearby, is there a {room} in this building, is the {room} upstairs or downstairs,
do i turn left or right at the {room}, is it far to the {room}, how far is it to the {room}, is this the way to the {room},
where is room {number}, where is room number {number}, how do i find room {number}, i can not find room {number},
can you show me room {number} on the map, where is hall {number}, where is gate {number}, where is building {letter},
i was told to go to room {number}, i have to be in room {number} at {time}, my room is {number}, take me to the {room},
when do you open, when do you close, what time do you open {day}, what time do you close {day}, are you open {day},
are you open on {weekday}, are you open on {weekday} {daypart}, what are your opening hours, what are the opening hours,
what are the opening hours of the {room}, when is the {room} open, when does the {room} open, when does the {room} close,
what time does the {room} open on {weekday}, what time does the {room} close {day}, is the {room} open {day},
is the {room} open on {weekday}, is the {room} closed on {weekday}, how long is the {room} open, until when is the {room} open,
until what time are you open on {weekday}, do you close at {time}, do you open at {time}, are you closed on public holidays,
is there a late opening on {weekday}, what time is it, what time is it now, what day is it today, what is the date today,
what time does the {event} start, when does the {event} begin, when does the {event} end, how long does the {event} take,
where is the {event}, where does the {event} take place, which room is the {event} in, is the {event} still on,
who is {person}, who is the {job}, who is the {job} of {department}, who is responsible for {department},
who is in charge of {department}, who works in {department}, who can help me with my {thing}, who do i talk to about {department},
is {person} here, is {person} here today, is {person} in, is {person} in the building, is {person} available,
is {person} free {day}, is {person} at work {day}, when will {person} be back, when is {person} back, has {person} arrived,
has {person} left already, can i speak to {person}, can i talk to {person}, can i see {person}, may i speak to {person},
could i speak with {person} {please}, i would like to speak to {person}, i would like to see {person}, i want to talk to {person},
i want to talk to the {job}, i need to speak to somebody from {department}, i need to see the {job}, i need {person},
i am here to see {person}, i am here to meet {person}, i am here for {person}, i am visiting {person}, i came to visit {person},
i have a meeting with {person}, i have a meeting with {person} at {time}, i have an appointment with {person},
i have an appointment at {time}, i have an appointment with {person} at {time}, i have an appointment with {person} {day},
i have an appointment on {weekday} at {time}, we have a meeting at {time} in the {room}, i am expected by {person},
{person} is expecting me, {person} invited me, please tell {person} that i am here, please tell {person} i have arrived,
please let {person} know that i am here, please call {person}, please call {person} for me, can you call {person},
could you call {person} {please}, can you ring {person}, can you let {person} know i am waiting, can you tell {person} i am late,
can you send a message to {person}, can i leave a message for {person}, can i leave this {thing} for {person},
i have a {thing} for {person}, i have a delivery for {person}, i have a delivery for {department}, i have a parcel for {company},
i have a package for {person} from {company}, where do i leave the {thing}, i am bringing the {thing} for {person},
can you sign for this {thing}, i am here to pick up a {thing}, i am here to collect a {thing}, i want to pick up my {thing},
i am from {company}, i am {person} from {company}, my name is {person}, my name is {person} from {company}, this is {person},
i am {person}, i am {person} and i have an appointment, hello my name is {person}, hello i am {person}, hi i am {person},
good morning my name is {person}, good afternoon i am here to see {person}, good evening i am looking for the {room},
hello i have a meeting with {person}, hello can you help me, excuse me where is the {room}, excuse me is {person} in,
excuse me what time is it, excuse me can you help me, sorry where is the {room}, sorry i am late, sorry i did not hear that,
i am a bit late, i am early, i am too early for my {event}, i am late for the {event}, i am here for the {event},
i am here for the {event} at {time}, we are here for the {event}, we came for the {event}, i am here for an interview,
i have an interview with {person} at {time}, i have a reservation, i have a reservation for {count} people,
i would like to book a {room}, i would like to book a table for {count} {day}, can i book a {room} for {time},
can i book the {room} for {weekday}, can i reserve the {room} {day}, is the {room} free at {time}, is the {room} free {day},
i want to make an appointment, i would like to make an appointment with {person}, can i make an appointment for {weekday},
i would like to cancel my appointment, i want to change my appointment, i need to move my {event} to {weekday},
can we meet at {time}, can i come back at {time}, can i come back {day}, could you book me a {room} for {count} people,
can i have a visitor badge, i need a visitor badge, where do i get a visitor badge, how do i get a {thing}, do i need a {thing},
do i need a badge, do i have to sign in, where do i sign in, do i have to register, where can i register, where do i check in,
i would like to check in, i would like to check out, can i check in here, i lost my {thing}, i have lost my {thing},
i left my {thing} in the {room}, i forgot my {thing} in the {room}, i found a {thing} in the {room}, did anybody find a {thing},
has anyone found my {thing}, where is the lost and found, i can not find my {thing}, can i leave my {thing} here,
where can i leave my {thing}, where can i put my {thing}, can i take my {thing} with me, can i bring my {thing},
may i borrow a {lend}, can i borrow a {lend}, could i have a {lend} {please}, do you have a {lend}, could you lend me a {lend},
i need a {lend}, can i have a {thing}, may i have a {thing} {please}, do you have {service}, is there {service}, is there {service} here,
is there {service} in the building, do you offer {service}, where can i find {service}, does the {room} have {service},
how does the {service} work, i need {service}, can i use the {room}, may i use the {room}, can i use the wifi,
what is the wifi password, what is the password for the wifi, what is the name of the wifi, how do i connect to the wifi,
can i get the wifi password {please}, how do i get online, is the wifi free, is there free wifi in the {room},
where can i charge my {thing}, can i charge my phone here, where can i print a document, can you print this for me,
where can i park, where can i park my car, where can i park my bike, is parking free, how much is parking,
how much does parking cost, how much does it cost, how much is it, how much is the {event}, how much is a ticket,
how much is a ticket for {count}, do i have to pay, can i pay by card, can i pay in cash, where can i pay, where do i pay for parking,
can i get a receipt, do children pay, is there a discount for students, are tickets still available for the {event},
i would like two tickets {please}, i would like {count} tickets for {weekday}, can i buy tickets here, where can i buy a {thing},
can you call me a taxi, could you call a taxi for me {please}, please call me a taxi to the {place}, i need a taxi,
i need a taxi to the {place} at {time}, where can i get a taxi, how do i get to the {place}, how can i get to the {place} from here,
how far is the {place}, which bus goes to the {place}, when does the next bus leave, when is the next train to {city},
where is the nearest {place}, is there a {place} near here, is there a {place} close to here, what is the best way to the {place},
can i walk to the {place}, how long does it take to the {place}, i am going to {city} {day}, i come from {city}, i just arrived from {city},
i am from {city}, we are from {city}, we drove from {city}, what is the weather like, what is the weather like in {city},
is it going to rain {day}, is it cold outside, where can i get {food}, where can i get some {food}, can i get {food} here,
can i have some {food} {please}, i would like {food}, i would like some {food} {please}, do you have {food}, do you serve {food},
what is for lunch {day}, what is on the menu, is there {food} in the {room}, when is lunch, when is dinner served, what time is breakfast,
where can we eat, where can i eat something, is the {food} free, i am hungry, i am thirsty, can i smoke here, where can i smoke,
are pets allowed, can i bring my dog, are children allowed in the {room}, is it allowed to take pictures, can i take photos in the {room},
is the {room} accessible by wheelchair, is there wheelchair access, i am in a wheelchair, is there a lift for wheelchairs,
my mother can not climb stairs, where are the nearest toilets, where is the nearest toilet, where is the ladies toilet, where is the mens room,
where is the disabled toilet, i need to wash my hands, where is the emergency exit, where is the fire exit, where is the nearest fire exit,
what do i do in case of fire, where is the assembly point, where is the fire extinguisher, where is the first aid kit, i need a doctor,
i need help, help, help me {please}, please help me, can you help me, can somebody help me, please call an ambulance, please call the police,
please call security, call the fire department, this is an emergency, {problem}, excuse me {problem}, i think {problem}, hello {problem},
what can you do, what can i ask you, what can i do here, who are you, what are you, what is your name, how are you, how are you today,
are you a robot, are you real, are you a person, how old are you, who made you, do you speak english, do you speak other languages,
can you hear me, can you see me, do you understand me, are you listening, where are we, what is this place, what is this building,
what does this company do, what do you do here, tell me about this place, tell me about the {room}, tell me more about the {event},
tell me more, what can i see here, what is there to see in the {room}, what is on {day}, what is happening {day}, what is new, tell me a joke,
how old is this building, when was this building built, how big is the {room}, how many people work here, how many floors does the building have,
how many rooms are there, how many seats does the {room} have, how tall is the {room}, who is the architect, who owns this building,
what is the address, what is the address here, what is the phone number, what is the phone number of {department}, what is your email address,
what is {person}'s phone number, what is {person}'s email, my phone number is {digits}, my number is {digits}, the code is {digits},
my badge number is {digits}, my booking number is {digits}, extension {digits}, call {digits}, is there a guided tour, when is the next guided tour,
when does the tour start, where does the tour start, can i join the tour, can i look around, can i have a look at the {room}, may i come in,
may i sit here, can i wait here, where can i wait, how long do i have to wait, how much longer, i will wait here, i will wait in the {room},
i will come back later, i will be back at {time}, we will meet at the {room}, see you {day}, see you later, see you on {weekday}, goodbye, bye,
bye bye, good night, have a nice day, have a good weekend, have a nice evening, thank you, thanks, thank you very much, thanks a lot, many thanks,
thank you for your help, thanks for your help, thank you goodbye, thank you that is all, that is all, that is all thank you, no thank you,
yes please, yes, no, okay, ok, all right, sure, maybe, great, wonderful, perfect, very good, that is right, that is correct, that is wrong, never mind,
it does not matter, no problem, you are welcome, i see, i understand, i do not understand, i do not know, i am not sure, what did you say, pardon,
say that again, can you say that again, could you repeat that, could you repeat that {please}, please repeat, please repeat that slowly,
once more {please}, not so fast, slower {please}, speak slower, speak up, louder {please}, can you speak louder, you are too loud, be quiet,
stop, please stop, stop it, stop that, wait, wait a moment, wait a minute, just a moment, one moment {please}, hold on, cancel, cancel that, forget it,
start again, go on, continue, go back, hello, hi, hello there, hi there, hey, good morning, good afternoon, good evening, good day, welcome, nice to meet you,
pleased to meet you, i am fine, i am fine thanks, not bad, i have a question, i have another question, one more question, i need some information,
i need information about the {event}, can i ask you something, can you explain that, what does that mean, what do you mean, why, why not, how, when,
where, who, which one, really, are you sure, is that true, is it {adjective}, it is {adjective}, that is {adjective}, the {room} is {adjective},
is the {room} {adjective}, the {thing} is {adjective}, i am {adjective}, we are {adjective}, this is a {adjective} {room}, what a {adjective} {room},
where is the {adjective} {room}, is the {event} {adjective}, my {thing} is {adjective}, he is the {job}, she is the {job}, i am the {job},
i am a {job}, i am the new {job}, i work in {department}, i work for {company}, i work with {person}, we work for {company}, he works in {department},
my {job} is {person}, my friend is in the {room}, my husband is waiting in the {room}, my wife is at the {room}, my son is {count} years old,
our daughter is {count} years old, my children are in the {room}, there are {count} of us, we are {count} people, we are a group of {count},
we are {count} adults and {count} children, a table for {count} {please}, {count} coffees {please}, i need {count} copies, i have {count} bags,
in {count} minutes, in {count} hours, it takes {count} minutes, at {time}, at {time} on {weekday}, on {weekday}, on {date}, on {weekday} the {date},
my birthday is on {date}, i was here on {date}, i arrive on {date}, we leave on {weekday} at {time}, from {time} to {time}, between {time} and {time},
is it open from {time} until {time}, the {event} is on {weekday}, the {event} starts at {time}, the {event} was moved to {time},
the {event} has been cancelled, is the {event} full, has the {event} started, did i miss the {event}, where do i go for the {event},
where is the {event} with {person}, who is speaking at the {event}, who is organizing the {event}, i want to register for the {event},
i signed up for the {event}, can i still join the {event}, i would like to attend the {event} on {weekday}, where is {company},
which floor is {company} on, where is the office of {company}, does {company} have an office here, is {company} in this building,
i have a meeting at {company}, i am here to visit {company}, i am here to repair the {room}, i am here to fix the {thing},
i am here to clean the {room}, i am the electrician for the {room}, who has the key to the {room}, can you open the {room},
could you open the door {please}, please open the door, the {room} is locked, the {room} is closed, the {room} is full, the {room} is broken,
can you turn on the light in the {room}, can you switch off the {thing}, is somebody in the {room}, is anyone in the {room}, nobody is in the {room},
is the {job} here, is the {job} in today, can i see the {job}, can i speak to the {job} {please}, can you call the {job}, where is the {job}'s desk,
i want to complain, i want to complain about the {room}, i have a problem, i have a problem with my {thing}, there is a problem with the {room},
something is wrong with the {thing}, can you check if {person} is in, do you know where {person} is, do you know when {person} comes back,
do you know how to get to the {room}, do you know if the {room} is open, could you tell me where {person} is, could you tell me where i can get {food},
can you tell me when the {event} starts, can you tell me who the {job} is, can you tell me the way to the {place}, can you give me directions to the {place},
can you give me the number of {person}, can you recommend a {place}, what do you recommend, are there any {place} around here, show me a map,
show me the {room}, is there anything else i should see, what else is there, does the {room} have a view, are there seats in the {room},
next to the {room}, behind the {room}, opposite the {room}, in front of the {room}, between the {room} and the {room}, across from the {room},
is it next to the {room}, is it behind the {room}, the {room} or the {room}, not the {room} the {room}, from the {room} to the {room},
i mean the {room}, i meant {person}, no i mean {person}, no not {person}, i said {person}, i said room {number}, is this the {room}, is this {company},
are you {person}, is that you {person}, how do you spell {person}, does {person} still work here, has {person} called, {person} sent me,
{person} and {person} are with me, is {person} related to {person}, where do {person} and {person} sit, when can i see {person} and {person},
where should i wait for {person}, what is {person} doing, what does {person} do, is {person} on holiday, is {person} in a meeting, is {person} sick {day}
""")

# Everyday frames, so that the model also hears grammar that is not about reception.
SUBJECT = words("""i, you, we, they, he, she, it, my brother, your sister, the teacher, the children, a friend, somebody,
everybody, the old man, the young woman, our neighbor, the dog, the cat, people, the students, the company, the government""")
VERB = words("""saw, found, heard, bought, sold, wanted, needed, forgot, remembered, brought, took, left, opened, closed, liked,
loved, hated, lost, made, built, broke, wrote, read, told, asked, followed, watched, visited, missed, carried, kept, gave away,
will see, will find, would like, can hear, could find, should bring, must not forget, might need, has seen, had known,
is looking at, was waiting for, were talking about, is thinking about, did not see, does not know, never liked, always wanted""")
OBJECT = words("""the house, a book, the picture, some bread, the river, a long letter, the red car, the last train, an old song,
the green door, many birds, the music, a bottle of milk, the whole story, two horses, the mountains, his father, her mother,
the answer, nothing, something new, a little money, the yellow flowers, a strange noise, the evening news, the broken chair,
the kitchen table, a glass of water, the north wind, the cold winter, a happy family, the shop window, the blue sky, them, us, him, her""")
TAIL = words("""yesterday, last year, in the morning, at home, near the station, before dinner, after school, with a smile,
for the first time, every summer, in the middle of the night, without any help, on the way to work, under the bridge,
because it was raining, when the sun came up, while we were sleeping, as soon as possible, once in a while, again and again""")

# The everyday core of English: words that any sentence may hold, whatever it is about.
COMMON = words("""
the, be, to, of, and, a, in, that, have, i, it, for, not, on, with, he, as, you, do, at, this, but, his, by, from, they,
we, say, her, she, or, an, will, my, one, all, would, there, their, what, so, up, out, if, about, who, get, which, go, me,
when, make, can, like, time, no, just, him, know, take, people, into, year, your, good, some, could, them, see, other,
than, then, now, look, only, come, its, over, think, also, back, after, use, two, how, our, work, first, well, way, even,
new, want, because, any, these, give, day, most, us, is, are, was, were, been, being, has, had, does, did, doing, am, may,
might, must, shall, should, here, where, why, while, until, since, before, during, without, within, between, through,
under, above, below, near, around, against, along, across, behind, beside, inside, outside, upon, toward, very, too,
much, many, more, less, least, few, little, lot, enough, several, both, each, every, either, neither, another, such,
own, same, different, certain, able, possible, whole, half, quite, rather, almost, already, always, never, often,
sometimes, usually, again, once, ever, still, yet, soon, later, early, late, ago, away, together, apart, perhaps, maybe,
really, actually, probably, certainly, however, though, although, whether, unless, something, anything, nothing,
everything, someone, anyone, everyone, somebody, anybody, nobody, somewhere, anywhere, nowhere, everywhere, myself,
yourself, himself, herself, themselves, man, woman, child, boy, girl, men, women, children, person, friend, family,
mother, father, parents, brother, sister, son, daughter, wife, husband, baby, name, house, home, room, door, window, wall,
floor, roof, street, road, city, town, country, world, water, fire, air, earth, sun, moon, light, dark, night, morning,
evening, week, month, hour, minute, second, today, tomorrow, yesterday, life, hand, head, eye, eyes, face, foot, feet,
body, heart, voice, word, words, question, answer, story, history, book, page, letter, number, part, place, side, end,
top, bottom, middle, front, left, right, point, line, case, fact, idea, thing, things, kind, sort, matter, problem, reason,
group, company, business, money, price, job, office, school, student, teacher, class, food, drink, table, chair, bed, car,
bus, train, plane, boat, bag, box, key, phone, call, said, told, asked, went, gone, came, made, took, taken, given, gave,
got, found, left, lost, kept, held, brought, bought, sold, sent, put, set, cut, let, run, ran, walk, walked, stand, stood,
sit, sat, live, lived, stay, stayed, leave, arrive, arrived, move, moved, turn, turned, open, opens, opened, close, closes,
closed, start, starts, started, begin, begins, stop, stops, stopped, finish, keep, hold, bring, buy, sell, send, show,
tell, ask, talk, talking, speak, speaking, listen, hear, heard, read, write, written, learn, teach, help, need, needs,
wait, waiting, meet, meeting, try, feel, felt, seem, seems, become, became, happen, happens, happened, believe, hope, love,
care, mean, means, remember, forget, forgot, understand, change, play, eat, sleep, wear, carry, pay, cost, spend, win,
lose, break, broke, broken, fix, build, built, drive, ride, fly, travel, visit, visitor, visitors, follow, lead, pass,
reach, return, enter, fall, fell, rise, grow, big, small, large, long, short, high, low, old, young, great, best, better,
bad, worse, nice, fine, easy, hard, free, full, empty, clean, clear, hot, cold, warm, cool, dry, wet, fast, slow, quick,
quiet, loud, strong, weak, heavy, rich, poor, happy, sad, afraid, ready, busy, sure, sorry, true, false, wrong, real,
important, special, public, private, local, general, red, blue, green, white, black, yellow, brown, gray, zero, hundred,
thousand, million, first, second, third, last, next, please, thank, thanks, hello, welcome, goodbye, yes, okay
""")


class Grammar:
    """Draws sentences; equal seeds draw equal sentences."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.lexicon = dictionary()

    def one(self, phrases: list[str]) -> str:
        return self.random.choice(phrases)

    def person(self) -> str:
        first, last = self.one(FIRST), self.one(LAST)
        return self.random.choices(
            [first, f"{first} {last}", f"{self.one(TITLE)} {last}", f"{self.one(TITLE)} {first} {last}"],
            [3, 5, 4, 0.3],
        )[0]

    def number(self) -> str:
        """A room number, the ways people say one."""
        draw = self.random.random()
        if draw < 0.35:
            return self.count()
        if draw < 0.6:
            return f"{self.one(ONES)} {self.one(['oh', 'zero', self.one(ONES)])} {self.one(ONES)}"
        if draw < 0.8:
            return f"{self.one(ONES)} {self.one(TENS)} {self.one(ONES)}".strip()
        if draw < 0.9:
            return f"{self.one(ONES)} hundred and {self.count()}"
        return f"{self.one(list('abcdefgh'))} {self.one(ONES)}"

    def count(self) -> str:
        draw = self.random.random()
        if draw < 0.5:
            return self.one(ONES)
        if draw < 0.7:
            return self.one(TEENS)
        if draw < 0.8:
            return self.one(TENS)
        return f"{self.one(TENS)} {self.one(ONES)}"

    def time(self) -> str:
        hour = self.one(ONES + ["ten", "eleven", "twelve"])
        forms = [
            hour,
            f"{hour} o'clock",
            f"half past {hour}",
            f"{self.one(['a quarter', 'quarter', 'ten', 'five', 'twenty'])} {self.one(['past', 'to'])} {hour}",
            f"{hour} {self.one(['thirty', 'fifteen', 'forty five', 'oh five', 'twenty', 'ten'])}",
            f"{hour} {self.one(['a m', 'p m', 'in the morning', 'in the afternoon', 'in the evening'])}",
            self.one(["noon", "midnight", "lunch time"]),
        ]
        return self.random.choices(forms, [3, 4, 3, 3, 3, 2, 1])[0]

    def slot(self, name: str) -> str:
        draw = {
            "person": self.person,
            "number": self.number,
            "count": self.count,
            "time": self.time,
            "digits": lambda: " ".join(self.one(ONES + ["zero", "oh"]) for _ in range(self.random.randint(3, 7))),
            "date": lambda: self.one([f"{self.one(MONTH)} the {self.one(ORDINAL[:12])}", f"the {self.one(ORDINAL[:12])} of {self.one(MONTH)}"]),
            "letter": lambda: self.one(list("abcdefghijklmnopqrstuvwxyz")),
            "daypart": lambda: self.one(["morning", "afternoon", "evening", "night"]),
            "please": lambda: self.one(["please", "please", "could you", "can you", "please can you"]),
            "ask": lambda: self.one(["can you tell me", "could you tell me", "do you know", "please tell me", "i wonder"]),
        }.get(name)
        if draw:
            return draw()
        lists = {
            "room": ROOM, "department": DEPARTMENT, "job": JOB, "weekday": WEEKDAY, "day": DAY, "city": CITY,
            "place": PLACE, "thing": THING, "lend": LENDABLE, "food": FOOD, "event": EVENT, "service": SERVICE,
            "problem": PROBLEM, "adjective": ADJECTIVE, "ordinal": ORDINAL, "company": COMPANY,
        }  # fmt: skip
        return self.one(lists[name])

    def domain(self) -> str:
        """A sentence from the receptionist's templates."""
        return re.sub(r"\{(\w+)\}", lambda found: self.slot(found[1]), self.one(TEMPLATES))

    def everyday(self) -> str:
        """A sentence of simple general English."""
        parts = [self.one(SUBJECT), self.one(VERB), self.one(OBJECT)]
        if self.random.random() < 0.6:
            parts.append(self.one(TAIL))
        return " ".join(parts)

    def word_list(self) -> str:
        """Words without sense: teaches spelling, so that unknown names come out roughly right."""
        return " ".join(self.word() for _ in range(self.random.randint(2, 6)))

    def word(self) -> str:
        """Any word: as often a common one as one from anywhere in the dictionary."""
        return self.one(COMMON if self.random.random() < 0.5 else self.lexicon)

    def mixed(self) -> str:
        """A domain sentence in which a dictionary word or two have strayed: context does not tell everything."""
        tokens = self.domain().split()
        for _ in range(self.random.randint(1, 2)):
            tokens.insert(self.random.randint(0, len(tokens)), self.word())
        return " ".join(tokens)

    def sentence(self, shares=(0.56, 0.1, 0.22, 0.12)) -> str:
        """A sentence for the acoustic model; `shares` of domain, everyday, word list, mixed."""
        kind = self.random.choices([self.domain, self.everyday, self.word_list, self.mixed], shares)[0]
        while True:
            text = kind()
            if text not in held_out() and not HELD_OUT_NAMES & set(text.replace("'s", "").split()):
                return text


_held_out: set[str] | None = None


def held_out() -> set[str]:
    """The evaluation sentences, normalised."""
    global _held_out
    if _held_out is None:
        _held_out = set(evaluation())
    return _held_out


def evaluation() -> list[str]:
    """The held-out sentences of `evaluation.txt`, in order."""
    lines = (HERE / "evaluation.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def dictionary() -> list[str]:
    """Plain words of Debian's small American word list, without the held-out names."""
    entries = (entry.strip().lower() for entry in DICTIONARY.read_text().splitlines())
    plain = {entry for entry in entries if re.fullmatch(r"[a-z]{2,13}", entry)}
    return sorted(plain - HELD_OUT_NAMES)


if __name__ == "__main__":
    grammar = Grammar(1)
    for _ in range(30):
        print(grammar.sentence())
