//! What the kiosk knows about the place it stands in: `site.toml`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The sample that is used where no file is given.
const SAMPLE: &str = include_str!("../../../config/site.toml");
/// A longer fact does not fit the prompt of a small model.
const LONGEST_FACT: usize = 280;
const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A place with its facts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What the place is called within a sentence: "the Linden Museum".
    pub name: String,
    /// What the receptionist is called.
    #[serde(default = "default_assistant")]
    pub assistant: String,
    /// A sentence that says what the place is.
    #[serde(default)]
    pub about: String,
    /// When it is open.
    #[serde(default)]
    pub hours: Vec<Hours>,
    /// Where things are.
    #[serde(default)]
    pub rooms: Vec<Room>,
    /// Who works there.
    #[serde(default)]
    pub people: Vec<Person>,
    /// What else visitors ask.
    #[serde(default)]
    pub answers: Vec<Answer>,
}

/// Opening hours of the whole place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// "Tuesday to Friday", "Saturday and Sunday", "every day".
    pub days: String,
    /// "10 am"; without it the place is closed on these days.
    pub open: Option<String>,
    /// "6 pm".
    pub close: Option<String>,
}

/// A room or a thing that has a place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// As within a sentence, with its article: "the Training Room".
    pub name: String,
    /// What follows "is": "on the second floor, left of the lift".
    pub place: String,
    /// Whether "are" follows the name: "the toilets".
    #[serde(default)]
    pub plural: bool,
    /// What follows "is open": "daily from 10 am to 5 pm".
    pub hours: Option<String>,
    /// More sentences about it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Other words for it; only used to find it.
    #[serde(default)]
    pub also: Vec<String>,
}

/// Somebody who works there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// First and last name.
    pub name: String,
    /// What follows "is the": "head curator".
    pub role: Option<String>,
    /// What follows "is": "in room 12 on the first floor".
    pub place: Option<String>,
    /// A number or an extension.
    pub phone: Option<String>,
    /// More sentences about this person.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Other words for this person; only used to find the facts.
    #[serde(default)]
    pub also: Vec<String>,
}

/// The answer to a common question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// "Is there parking?"
    pub question: String,
    /// "You can park behind the house."
    pub answer: String,
    /// Other words with which it is asked; only used to find it.
    #[serde(default)]
    pub also: Vec<String>,
}

/// One thing that can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The line in the prompt.
    pub line: String,
    /// More words by which it is found.
    pub keys: String,
    /// A question that it answers.
    pub asked: String,
    /// How it is said to somebody who asked for it.
    pub say: String,
}

fn default_assistant() -> String {
    "Mira".to_owned()
}

impl Site {
    /// Reads a `site.toml`.
    ///
    /// # Errors
    /// The file cannot be read, or a key is unknown, missing or of the wrong kind; says where.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read the site file {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no site file", path.display()))
    }

    /// Reads the text of a `site.toml`.
    ///
    /// # Errors
    /// A key is unknown, missing, empty or of the wrong kind; says in which line.
    pub fn parse(text: &str) -> Result<Self> {
        let site: Self = toml::from_str(text)?;
        let empty = site.empty_keys();
        ensure!(empty.is_empty(), "these keys must not be empty: {}", empty.join(", "));
        for fact in site.facts() {
            let length = fact.line.chars().count();
            ensure!(
                length <= LONGEST_FACT,
                "a fact may have {LONGEST_FACT} characters, this one has {length}; split it: {}",
                fact.line
            );
        }
        Ok(site)
    }

    /// The sample that is used where no file is given.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn sample() -> Result<Self> {
        Self::parse(SAMPLE).context("the built-in sample is no site file")
    }

    fn empty_keys(&self) -> Vec<String> {
        let mut keys = vec![("name".to_owned(), &self.name)];
        keys.push(("assistant".to_owned(), &self.assistant));
        for (i, hours) in self.hours.iter().enumerate() {
            keys.push((format!("hours {} days", i + 1), &hours.days));
        }
        for (i, room) in self.rooms.iter().enumerate() {
            keys.push((format!("rooms {} name", i + 1), &room.name));
            keys.push((format!("rooms {} place", i + 1), &room.place));
        }
        for (i, person) in self.people.iter().enumerate() {
            keys.push((format!("people {} name", i + 1), &person.name));
        }
        for (i, answer) in self.answers.iter().enumerate() {
            keys.push((format!("answers {} question", i + 1), &answer.question));
            keys.push((format!("answers {} answer", i + 1), &answer.answer));
        }
        keys.into_iter().filter(|(_, text)| text.trim().is_empty()).map(|(key, _)| key).collect()
    }

    /// Names that a recogniser should expect.
    pub fn phrases(&self) -> Vec<String> {
        let bare = |name: &str| name.strip_prefix("the ").unwrap_or(name).to_owned();
        let mut phrases = vec![bare(&self.name), self.assistant.clone()];
        phrases.extend(
            self.rooms.iter().flat_map(|room| {
                std::iter::once(bare(&room.name)).chain(room.also.iter().cloned())
            }),
        );
        phrases.extend(self.people.iter().map(|person| person.name.clone()));
        phrases
    }

    /// Everything that can be said, a sentence each where possible.
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if !self.about.trim().is_empty() {
            let keys = format!("place building this here tell about {}", self.name);
            facts.push(fact(&self.about, &keys, "What is this?"));
        }
        facts.extend(self.hours.iter().map(Hours::fact));
        self.rooms.iter().for_each(|room| room.facts(&mut facts));
        self.people.iter().for_each(|person| person.facts(&mut facts));
        for answer in &self.answers {
            let line = format!("{} {}", answer.question.trim(), answer.answer.trim());
            let mut fact = fact(&line, &answer.also.join(" "), &answer.question);
            answer.answer.trim().clone_into(&mut fact.say);
            facts.push(fact);
        }
        facts
    }
}

impl Hours {
    fn fact(&self) -> Fact {
        let keys = format!("opening hours times come visit {}", days_in(&self.days));
        let days = on(&self.days);
        match (&self.open, &self.close) {
            (Some(open), Some(close)) => {
                let keys = format!("{keys} close closed");
                let days = if self.days.contains(" to ") { &self.days } else { &days };
                fact(&format!("We are open {days} from {open} to {close}."), &keys, "When open?")
            }
            (Some(open), None) => fact(&format!("We open at {open} {days}."), &keys, "When open?"),
            (None, Some(close)) => {
                fact(&format!("We close at {close} {days}."), &keys, "When open?")
            }
            // Found by its day; who asks for the hours wants to know when it is open.
            (None, None) => fact(&format!("We are closed {days}."), &format!("{keys} open"), ""),
        }
    }
}

impl Room {
    fn facts(&self, facts: &mut Vec<Fact>) {
        let (name, also) = (&self.name, self.also.join(" "));
        let is = if self.plural { "are" } else { "is" };
        let place = format!("{name} {is} {}.", end(&self.place));
        facts.push(fact(&place, &also, &format!("Where {is} {name}?")));
        if let Some(hours) = &self.hours {
            let keys = format!("opening hours close closed {also} {}", days_in(hours));
            let open = format!("{name} {is} open {}.", end(hours));
            facts.push(fact(&open, &keys, &format!("When {is} {name} open?")));
        }
        let keys = format!("{name} {also}");
        facts.extend(self.notes.iter().map(|note| fact(note, &keys, "")));
    }
}

impl Person {
    fn facts(&self, facts: &mut Vec<Fact>) {
        let (name, also) = (&self.name, self.also.join(" "));
        let role = self.role.as_deref().unwrap_or_default();
        let asked = format!("Who is {name}, {role}?");
        match (&self.role, &self.place) {
            (Some(role), Some(place)) => {
                facts.push(fact(&format!("{name}, the {role}, is {}.", end(place)), &also, &asked));
            }
            (Some(role), None) => {
                facts.push(fact(&format!("{name} is the {role}."), &also, &asked));
            }
            (None, Some(place)) => {
                facts.push(fact(&format!("{name} is {}.", end(place)), &also, &asked));
            }
            (None, None) => {}
        }
        if let Some(phone) = &self.phone {
            let keys = format!("call reach telephone extension {also}");
            let line = format!("{name}'s phone number is {}.", end(phone));
            facts.push(fact(&line, &keys, &format!("What is the phone number of {name}, {role}?")));
        }
        let keys = format!("{name} {role} {also}");
        facts.extend(self.notes.iter().map(|note| fact(note, &keys, "")));
    }
}

/// A sentence with a capital, as a fact.
fn fact(text: &str, keys: &str, asked: &str) -> Fact {
    let mut letters = text.trim().chars();
    let line = letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
    Fact { say: line.clone(), line, keys: keys.to_owned(), asked: asked.to_owned() }
}

/// Without the full stop that the template adds.
fn end(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

fn on(days: &str) -> String {
    let lower = days.to_lowercase();
    if lower.starts_with("on ") || lower.starts_with("every") || lower.starts_with("daily") {
        days.to_owned()
    } else {
        format!("on {days}")
    }
}

/// The days that a text such as "Tuesday to Friday" speaks of, one by one.
fn days_in(text: &str) -> String {
    let text = text.to_lowercase();
    if text.contains("every day") || text.contains("daily") {
        return DAYS.join(" ");
    }
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
    let number = |word: &str| DAYS.iter().position(|day| word.trim_end_matches('s') == *day);
    let mut days: Vec<&str> = Vec::new();
    for (i, word) in words.iter().enumerate() {
        if word.starts_with("weekday") {
            days.extend(&DAYS[..5]);
        } else if word.starts_with("weekend") {
            days.extend(&DAYS[5..]);
        } else if let Some(first) = number(word) {
            let until =
                words.get(i + 1).filter(|next| matches!(**next, "to" | "until" | "through"));
            let last = until.and_then(|_| words.get(i + 2)).and_then(|word| number(word));
            let last = last.filter(|last| *last >= first).unwrap_or(first);
            days.extend(&DAYS[first..=last]);
        }
    }
    days.dedup();
    days.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_a_site_with_facts() {
        let site = Site::sample().unwrap();
        assert!(site.facts().len() > 15);
        assert!(site.facts().iter().all(|fact| fact.line.ends_with(['.', '!', '?'])));
    }

    #[test]
    fn facts_are_sentences() {
        let site = Site::parse(
            r#"
            name = "the Test House"
            hours = [
                { days = "Tuesday to Friday", open = "10 am", close = "6 pm" },
                { days = "Sunday", open = "noon", close = "4 pm" },
                { days = "Monday" },
            ]
            [[rooms]]
            name = "the toilets"
            place = "in the basement"
            plural = true
            also = ["bathroom"]
            [[people]]
            name = "Anna Berg"
            role = "director"
            place = "in room 4"
            phone = "512"
            [[answers]]
            question = "May I smoke?"
            answer = "Only in the garden."
            "#,
        )
        .unwrap();
        let lines: Vec<String> = site.facts().into_iter().map(|fact| fact.line).collect();
        assert_eq!(
            lines,
            [
                "We are open Tuesday to Friday from 10 am to 6 pm.",
                "We are open on Sunday from noon to 4 pm.",
                "We are closed on Monday.",
                "The toilets are in the basement.",
                "Anna Berg, the director, is in room 4.",
                "Anna Berg's phone number is 512.",
                "May I smoke? Only in the garden.",
            ]
        );
        assert!(site.facts()[0].keys.contains("wednesday"));
        assert_eq!(site.facts()[3].keys, "bathroom");
        assert!(site.phrases().contains(&"Anna Berg".to_owned()));
    }

    #[test]
    fn errors_say_where() {
        let error = format!("{:#}", Site::parse("name = \"a\"\nroms = []\n").unwrap_err());
        assert!(error.contains("line 2") && error.contains("roms"), "{error}");
        let error = format!("{:#}", Site::parse("name = \" \"\n").unwrap_err());
        assert!(error.contains("name"), "{error}");
        let long = format!("name = \"a\"\nabout = \"{}\"\n", "very ".repeat(100));
        assert!(format!("{:#}", Site::parse(&long).unwrap_err()).contains("split it"));
    }

    #[test]
    fn days_are_told_one_by_one() {
        assert_eq!(days_in("Tuesday to Thursday"), "tuesday wednesday thursday");
        assert_eq!(days_in("on Saturdays and Sunday"), "saturday sunday");
        assert_eq!(days_in("weekends"), "saturday sunday");
        assert_eq!(days_in("daily").split(' ').count(), 7);
        assert_eq!(days_in("in spring"), "");
    }
}
