//! Chooses the facts that a question is about, so that a small model needs to read only those.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::site::Fact;

/// Facts shown to the model at most.
const MOST: usize = 3;
/// A fact stays when it scores at least this part of the best one's score.
const LEAST: f32 = 0.5;
/// Words of what was said before count this much in a question that leans on it.
const BEFORE: f32 = 0.4;
/// What a word of the same group is worth beside the same word.
const KIN: f32 = 0.7;
/// What the beginning of a word is worth where the whole was not said: "lab".
const PREFIX: f32 = 0.8;
/// Words this alike may be one word, misheard.
const ALIKE: f32 = 0.5;
/// What a word is worth more where it names the subject of the fact.
const SUBJECT: f32 = 1.25;
/// What a fact of the kind that is asked for is worth more, …
const INTENDED: f32 = 1.3;
/// … and the hours of the whole place where nothing else is named.
const HOURS: f32 = 2.0;

/// A word that no fact has counts this much more than its rarity, because it tells that none is meant.
const UNKNOWN: f32 = 1.5;
/// Letters of a word that says nothing when no fact has it.
const SHORT: usize = 2;

/// The words by which questions and facts are compared; said there.
const WORDS: &str = include_str!("retrieve.toml");

/// What kind of fact a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Call,
    Price,
    Count,
    Time,
    /// The hours of the whole place.
    Hours,
    Who,
    Where,
    /// What the place is.
    About,
    Other,
}

impl Intent {
    /// Whether a fact can answer a question of this kind.
    fn takes(self, entry: &Entry) -> bool {
        let fact = entry.intent;
        let is = |one: Self, other: Self| self == one && fact == other;
        let has_place =
            || [" in ", " on ", " at "].iter().any(|word| entry.fact.line.contains(word));
        let told = match self {
            Self::Time | Self::Hours => entry.when,
            Self::Price | Self::Count => entry.number,
            _ => true,
        };
        let kin = self == fact
            || self == Self::Other
            || is(Self::About, Self::Other)
            || fact == Self::Other
            || is(Self::Hours, Self::Time)
            || is(Self::Time, Self::Hours)
            // "How long" asks for a time that others ask for with "when".
            || is(Self::Count, Self::Time) && entry.when
            // What is told of a thing may tell its price.
            || is(Self::Price, Self::Where) && entry.price
            // Who somebody is often comes with where they are.
            || is(Self::Where, Self::Who) && has_place();
        kin && told
    }
}

/// A word in the form in which words are compared.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    text: String,
    groups: Vec<usize>,
    trigrams: BTreeSet<[char; 3]>,
}

/// A fact that fits a question.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The fact.
    pub fact: &'a Fact,
    /// How well it fits beside the best one, 0 to 1.
    pub score: f32,
    /// Which part of the question's words it has, weighted by how rare they are, 0 to 1.
    pub covered: f32,
    /// Whether it is of the kind that is asked for: a time where a time is asked for, and so on.
    pub kind: bool,
    /// Whether the question names what the fact is about, and not only something that it mentions.
    pub named: bool,
    /// Whether the question is for the hours of the whole place, and this is one of them.
    pub hours: bool,
}

/// The facts of a site, ready to be searched.
#[derive(Debug)]
pub struct Retrieval {
    facts: Vec<Entry>,
    vocabulary: Vocabulary,
    mean_length: f32,
}

#[derive(Debug)]
struct Entry {
    fact: Fact,
    /// Words of the line and the keys.
    terms: Vec<Term>,
    /// Words of the question that it answers.
    subject: Vec<Term>,
    /// Words of that question and the keys: what it is about.
    named: Vec<Term>,
    /// Words of the line alone.
    length: f32,
    intent: Intent,
    /// Whether it tells a time.
    when: bool,
    /// Whether it tells a number.
    number: bool,
    /// Whether it tells a sum of money.
    price: bool,
}

/// What `retrieve.toml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    stop: String,
    pronouns: String,
    times: String,
    when: String,
    numbers: String,
    groups: Vec<String>,
}

#[derive(Debug)]
struct Vocabulary {
    stop: BTreeSet<String>,
    times: BTreeSet<String>,
    pronouns: BTreeSet<String>,
    when: BTreeSet<String>,
    numbers: BTreeSet<String>,
    groups: HashMap<String, Vec<usize>>,
}

impl Retrieval {
    /// Prepares `facts` for searching.
    pub fn new(facts: Vec<Fact>) -> Self {
        let vocabulary = Vocabulary::new();
        let entry = |fact: Fact| Entry {
            terms: vocabulary.terms(&format!("{} {}", fact.line, fact.keys)),
            subject: vocabulary.terms(&fact.asked),
            named: vocabulary.terms(&format!("{} {}", fact.asked, fact.keys)),
            length: vocabulary.terms(&fact.line).len() as f32,
            when: tells(&fact.line, &vocabulary.when),
            price: tells_price(&fact.line),
            number: tells(&fact.line, &vocabulary.numbers),
            intent: vocabulary.intent(&fact.asked),
            fact,
        };
        let facts: Vec<Entry> = facts.into_iter().map(entry).collect();
        let total: f32 = facts.iter().map(|entry| entry.length).sum();
        let mean_length = (total / facts.len().max(1) as f32).max(1.0);
        Self { facts, vocabulary, mean_length }
    }

    /// The facts for `question`, best first; `before` is what was said just before it.
    pub fn choose(&self, question: &str, before: &str) -> Vec<&Fact> {
        self.search(question, before).into_iter().map(|found| found.fact).collect()
    }

    /// Like [`Self::choose`], with how well each fact fits.
    pub fn search(&self, question: &str, before: &str) -> Vec<Found<'_>> {
        let intent = self.vocabulary.intent(question);
        let mut asked: Vec<(Term, f32)> = Vec::new();
        for term in self.vocabulary.terms(question) {
            // "Phone number" asks for one thing, not for two.
            let kin = |known: &Term| known.groups.iter().any(|group| term.groups.contains(group));
            if !asked.iter().any(|(known, _)| kin(known)) {
                asked.push((term, 1.0));
            }
        }
        if intent != Intent::Hours && (asked.len() <= 1 || self.vocabulary.leans(question)) {
            for term in self.vocabulary.terms(before) {
                if !asked.iter().any(|(known, _)| known.text == term.text) {
                    asked.push((term, BEFORE));
                }
            }
        }
        let mut scores = vec![0.0_f32; self.facts.len()];
        let mut covered = vec![0.0_f32; self.facts.len()];
        let mut named = vec![false; self.facts.len()];
        let mut all = 0.0_f32;
        for (term, weight) in &asked {
            let mut hits = self.hits(term, false);
            let missed = hits.iter().all(|hit| *hit == 0.0);
            if missed {
                hits = self.hits(term, true);
            }
            for (named, entry) in named.iter_mut().zip(&self.facts) {
                *named |= entry.named.iter().any(|other| likeness(term, other, missed) > 0.0);
            }
            let frequency = hits.iter().filter(|hit| **hit > 0.0).count();
            let rarity = (1.0 + self.facts.len() as f32 / frequency.max(1) as f32).ln();
            // A word that no fact has says that none of them is meant, unless it is so short that it is
            // more likely a word misheard.
            all += match frequency {
                0 if term.text.chars().count() <= SHORT
                    || self.vocabulary.times.contains(&term.text) =>
                {
                    0.0
                }
                0 => UNKNOWN * weight * rarity,
                _ => weight * rarity,
            };
            for ((score, covered), hit) in scores.iter_mut().zip(&mut covered).zip(hits) {
                *score += weight * hit * rarity;
                *covered += weight * hit.min(1.0) * rarity;
            }
        }
        for (score, entry) in scores.iter_mut().zip(&self.facts) {
            *score /= 0.8 + 0.2 * entry.length / self.mean_length;
            if intent != Intent::Other && entry.intent == intent {
                *score *= if intent == Intent::Hours { HOURS } else { INTENDED };
            }
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let most = order.first().map_or(0.0, |first| scores[*first]);
        let good = |index: &usize| scores[*index] > 0.0 && scores[*index] >= LEAST * most;
        let found = |index: usize| Found {
            fact: &self.facts[index].fact,
            score: scores[index] / most,
            covered: covered[index] / all,
            kind: intent.takes(&self.facts[index]),
            named: named[index],
            hours: intent == Intent::Hours && self.facts[index].intent == Intent::Hours,
        };
        order.into_iter().filter(good).take(MOST).map(found).collect()
    }

    /// How well each fact fits `term`.
    fn hits(&self, term: &Term, misheard: bool) -> Vec<f32> {
        let best = |terms: &[Term]| {
            terms.iter().map(|other| likeness(term, other, misheard)).fold(0.0, f32::max)
        };
        let hit = |entry: &Entry| best(&entry.terms).max(SUBJECT * best(&entry.subject));
        self.facts.iter().map(hit).collect()
    }
}

/// 1 for the same word, less for kin and, where allowed, for words misheard, else 0.
fn likeness(a: &Term, b: &Term, misheard: bool) -> f32 {
    if a.text == b.text {
        return 1.0;
    }
    if a.groups.iter().any(|group| b.groups.contains(group)) {
        return KIN;
    }
    if !misheard || a.text.chars().count() <= SHORT || b.text.chars().count() <= SHORT {
        return 0.0;
    }
    if b.text.starts_with(&a.text) {
        return PREFIX;
    }
    if a.text.chars().count() == 3 || b.text.chars().count() == 3 {
        return 0.0;
    }
    let common = a.trigrams.intersection(&b.trigrams).count();
    let dice = 2.0 * common as f32 / (a.trigrams.len() + b.trigrams.len()) as f32;
    if dice >= ALIKE { 0.8 * dice } else { 0.0 }
}

impl Vocabulary {
    fn new() -> Self {
        let lists: Lists = toml::from_str(WORDS).expect("a test reads it");
        let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, group) in lists.groups.iter().enumerate() {
            for word in group.split(' ') {
                let known = groups.entry(stem(word)).or_default();
                if !known.contains(&number) {
                    known.push(number);
                }
            }
        }
        let set = |words: &str| words.split_whitespace().map(str::to_owned).collect();
        Self {
            stop: set(&lists.stop),
            times: set(&lists.times),
            pronouns: set(&lists.pronouns),
            when: set(&lists.when),
            numbers: set(&lists.numbers),
            groups,
        }
    }

    /// The words of `text` that say something, each once.
    fn terms(&self, text: &str) -> Vec<Term> {
        let mut terms: Vec<Term> = Vec::new();
        for word in words(text) {
            if self.stop.contains(word.as_str()) {
                continue;
            }
            let text = stem(&word);
            if terms.iter().any(|term| term.text == text) {
                continue;
            }
            let groups = self.groups.get(&text).cloned().unwrap_or_default();
            let trigrams = trigrams(&text);
            terms.push(Term { text, groups, trigrams });
        }
        terms
    }

    fn intent(&self, question: &str) -> Intent {
        let words = words(question);
        let text = format!(" {} ", words.join(" "));
        let has = |some: &[&str]| words.iter().any(|word| some.contains(&word.as_str()));
        if [" what is this ", " what is this building "].contains(&&*text) {
            return Intent::About;
        }
        if text.starts_with(" what does ") && text.ends_with(" do ") {
            return Intent::Who;
        }
        let expected = |what: &str| text.contains(&format!(" {what} with "));
        if ["appointment", "meeting", "interview"].into_iter().any(expected) {
            return Intent::Where;
        }
        let first = words.iter().find(|word| ["where", "when", "who"].contains(&word.as_str()));
        let many = ["many", "big", "large", "old", "long", "tall", "high", "far"];
        let how = |some: &[&str]| some.iter().any(|word| text.contains(&format!(" how {word} ")));
        if first.is_some_and(|word| word == "where") {
            Intent::Where
        } else if has(&["phone", "telephone", "call", "extension", "number"]) {
            Intent::Call
        } else if how(&["much"]) || has(&["cost", "costs", "price", "expensive"]) {
            Intent::Price
        } else if how(&many) {
            Intent::Count
        } else if has(&[
            "when", "open", "opens", "close", "closes", "closed", "hours", "until", "opening",
        ]) || text.contains(" what time ")
            || how(&["late", "early"])
        {
            let is_known = |word: &String| {
                // The hours of the building are those of the whole place.
                word == "building" || [&self.stop, &self.times].iter().any(|set| set.contains(word))
            };
            if words.iter().all(is_known) { Intent::Hours } else { Intent::Time }
        } else if has(&["who", "whose"]) {
            Intent::Who
        } else if has(&["where", "floor", "find", "way"])
            || [" get to ", " looking for ", " go to "].iter().any(|part| text.contains(part))
        {
            Intent::Where
        } else {
            Intent::Other
        }
    }

    fn leans(&self, question: &str) -> bool {
        words(question).iter().any(|word| self.pronouns.contains(word.as_str()))
    }
}

/// Whether `text` has a digit or one of `list`.
fn tells(text: &str, list: &BTreeSet<String>) -> bool {
    let tells = |word: &String| word.contains(|c: char| c.is_ascii_digit()) || list.contains(word);
    words(text).iter().any(tells)
}

/// Whether `text` names a currency beside a number, or says that something is free.
fn tells_price(text: &str) -> bool {
    const MONEY: [&str; 9] =
        ["euro", "euros", "dollar", "dollars", "pound", "pounds", "yuan", "cents", "free"];
    text.contains(['€', '$', '£', '¥'])
        || words(text).iter().any(|word| MONEY.contains(&word.as_str()))
}

/// Lower-case words; Chinese characters one by one, because nothing else separates them.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("'s", "").replace("’s", "");
    let mut words = vec![String::new()];
    for c in text.chars() {
        let han = ('\u{3400}'..='\u{9fff}').contains(&c);
        if han || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("it starts with one").push(c);
        }
        if han {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Cuts the endings that questions and facts most often differ in.
fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    let endings = [("ies", 5, "y"), ("ing", 6, ""), ("ed", 5, ""), ("es", 5, ""), ("s", 4, "")];
    if !word.ends_with("ss") {
        for (ending, least, instead) in endings {
            if let Some(start) = word.strip_suffix(ending).filter(|_| word.len() >= least) {
                stem = format!("{start}{instead}");
                break;
            }
        }
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

fn trigrams(word: &str) -> BTreeSet<[char; 3]> {
    let letters: Vec<char> =
        std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
    letters.windows(3).map(|three| [three[0], three[1], three[2]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrieval() -> Retrieval {
        let lines = [
            ("The Training Room is on the second floor, left of the lift.", ""),
            ("The lift is behind the stairs.", ""),
            ("The cafe is on the ground floor.", ""),
            ("The cafe is open daily from 9 am to 5 pm.", "monday tuesday sunday opening hours"),
            ("Anna Berg, the director, is in room 204.", ""),
            (
                "We are open Monday to Friday from 8 am to 6 pm.",
                "opening hours times monday friday",
            ),
            ("培训室在二楼。", ""),
        ];
        let fact = |(line, keys): (&str, &str)| {
            let asked = match line.contains(" open ") {
                true if line.starts_with("We") => "When open?",
                true => "When is the cafe open?",
                false if line.starts_with("The") => "Where is it?",
                false => "",
            };
            let [line, keys, asked, say] = [line, keys, asked, line].map(str::to_owned);
            Fact { line, keys, asked, say }
        };
        Retrieval::new(lines.map(fact).to_vec())
    }

    fn first(question: &str, before: &str) -> String {
        retrieval().choose(question, before).first().map_or_else(String::new, |f| f.line.clone())
    }

    #[test]
    fn questions_find_their_facts() {
        for (question, start) in [
            ("where is the training room", "The Training Room"),
            ("where is the trainin rom", "The Training Room"),
            ("I am here to see Anna Berg's team", "Anna Berg"),
            ("where can i eat", "The cafe is on"),
            ("where is the elevator", "The lift"),
            ("when is the cafe open", "The cafe is open"),
            ("when are you open on monday", "We are open"),
            ("培训室在哪里", "培训室"),
        ] {
            assert!(first(question, "").starts_with(start), "{question}: {}", first(question, ""));
        }
    }

    #[test]
    fn questions_lean_on_what_was_said() {
        let before = "where is the cafe The cafe is on the ground floor.";
        let retrieval = retrieval();
        let chosen = retrieval.choose("and when does it open", before);
        assert!(chosen.iter().any(|fact| fact.line.starts_with("The cafe is open")));
        assert!(chosen.iter().all(|fact| !fact.line.starts_with("Anna")));
    }

    #[test]
    fn unknown_things_find_nothing() {
        assert!(retrieval().choose("do you sell umbrellas", "").is_empty());
        assert!(retrieval().choose("", "").is_empty());
        assert!(Retrieval::new(Vec::new()).choose("where is the cafe", "").is_empty());
    }

    #[test]
    fn endings_are_cut() {
        for (word, expected) in [
            ("tickets", "ticket"),
            ("parking", "park"),
            ("glass", "glass"),
            ("cafe", "caf"),
            ("as", "as"),
        ] {
            assert_eq!(stem(word), expected);
        }
    }
}
