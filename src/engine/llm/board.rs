//! What is better read than heard: directions, names, times. Found by what a sentence says, so that the
//! screen never shows anything that is not being said.

use super::{Hours, Person, Room, Site};
use crate::scene::{Board, Boards};

/// Whether `sentence` has `part`, whatever its capitals; nothing is in every sentence.
fn says(sentence: &str, part: &str) -> bool {
    !part.is_empty() && sentence.contains(&part.to_lowercase())
}

/// `text` as the beginning of a line.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The name without its article.
fn bare(name: &str) -> &str {
    ["the ", "a ", "an "].iter().find_map(|article| name.strip_prefix(article)).unwrap_or(name)
}

fn room(room: &Room) -> Board {
    let hours = room.hours.as_deref().map(|hours| format!("Open {hours}"));
    let lines = std::iter::once(capital(&room.place)).chain(hours);
    Board { title: capital(bare(&room.name)), lines: lines.collect() }
}

fn person(person: &Person) -> Board {
    let phone = person.phone.as_deref().map(|phone| format!("☎ {phone}"));
    let lines = [person.role.as_deref().map(capital), person.place.as_deref().map(capital), phone];
    Board { title: person.name.clone(), lines: lines.into_iter().flatten().collect() }
}

fn hours(hours: &[Hours]) -> Board {
    let line = |hours: &Hours| match (&hours.open, &hours.close) {
        (Some(open), Some(close)) => format!("{}  {open} – {close}", capital(&hours.days)),
        (Some(time), None) => format!("{}  {time} –", capital(&hours.days)),
        (None, Some(time)) => format!("{}  – {time}", capital(&hours.days)),
        (None, None) => format!("{}  ×", capital(&hours.days)),
    };
    Board { title: String::new(), lines: hours.iter().map(line).collect() }
}

impl Boards for Site {
    fn board(&self, sentence: &str) -> Option<Board> {
        let sentence = sentence.to_lowercase();
        if let Some(found) = self.people.iter().find(|person| says(&sentence, &person.name)) {
            return Some(person(found));
        }
        // The first piece of an answer is short: it may end where the directions have their first comma.
        let near = |room: &Room| room.place.split(',').next().unwrap_or_default().to_owned();
        let told = |room: &&Room| says(&sentence, bare(&room.name)) && says(&sentence, &near(room));
        if let Some(found) = self.rooms.iter().find(told) {
            return Some(room(found));
        }
        let open = |hours: &Hours| {
            says(&sentence, &hours.days)
                || [&hours.open, &hours.close]
                    .into_iter()
                    .flatten()
                    .all(|time| says(&sentence, time))
                    && hours.open.is_some()
        };
        if (sentence.contains("open") || sentence.contains("close")) && self.hours.iter().any(open)
        {
            return Some(hours(&self.hours));
        }
        // Numbers are hard to keep in mind: prices, telephones, addresses.
        let answer = self.answers.iter().find(|answer| {
            answer.answer.contains(|character: char| character.is_ascii_digit())
                && says(&answer.answer.to_lowercase(), &sentence)
        })?;
        Some(Board { title: String::new(), lines: vec![answer.answer.clone()] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(sentence: &str) -> Option<Board> {
        Site::sample().expect("a site").board(sentence)
    }

    #[test]
    fn directions_names_and_times_are_shown() {
        let shown =
            board("The Training Room is on the second floor, left of the lift.").expect("a board");
        assert_eq!(shown.title, "Training Room");
        assert_eq!(
            shown.lines,
            ["On the second floor, left of the lift", "Open on weekdays from 9 am to 4 pm"]
        );
        assert_eq!(board("The Training Room is on the second floor,"), Some(shown));
        let shown = board("Tomas Okoro is in room 305 on the third floor.").expect("a board");
        assert_eq!((shown.title.as_str(), shown.lines.len()), ("Tomas Okoro", 3));
        let shown = board("We are open Tuesday to Friday from 10 am to 6 pm.").expect("a board");
        assert_eq!(shown.lines.len(), 3);
        assert_eq!(shown.lines[2], "Monday  ×");
        let shown = board("You can call us on 555 0172.").expect("a board");
        assert_eq!(shown.lines, ["You can call us on 555 0172."]);
    }

    #[test]
    fn what_is_easily_heard_is_not_shown() {
        for sentence in ["", "Hello!", "I do not know that.", "Only guide dogs are allowed inside."]
        {
            assert_eq!(board(sentence), None, "{sentence}");
        }
    }
}
