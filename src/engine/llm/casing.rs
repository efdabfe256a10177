//! Capitals for the words of a model that knows only small letters, as the site writes them.

use std::collections::HashMap;

/// After these a full stop ends no sentence.
const TITLES: [&str; 6] = ["dr", "mr", "mrs", "ms", "prof", "st"];

/// How the site writes its words.
#[derive(Debug, Default)]
pub(super) struct Casing {
    /// By the word, and by the word with the one before it, which decides first.
    known: HashMap<(Option<String>, String), String>,
}

impl Casing {
    /// Learns from sentences and names.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut known = HashMap::new();
        known.insert((None, "i".to_owned()), "I".to_owned());
        for text in texts {
            let mut writer = Writer::default();
            for (word, starts) in writer.words(text) {
                let lower = word.to_lowercase();
                // A capital at the start of a sentence says nothing about the word.
                if !starts {
                    known.insert((writer.before(), lower.clone()), word.clone());
                    if word != lower {
                        known.entry((None, lower.clone())).or_insert(word);
                    }
                }
                writer.last = lower;
            }
        }
        Self { known }
    }

    fn write(&self, before: Option<String>, word: &str, starts: bool) -> String {
        let lower = word.to_lowercase();
        let any = |before| self.known.get(&(before, lower.clone()));
        let written = if before.is_some() { any(before) } else { None };
        let written = written.or_else(|| any(None)).map_or(word, String::as_str);
        let mut letters = written.chars();
        match letters.next() {
            Some(first) if starts => first.to_uppercase().chain(letters).collect(),
            _ => written.to_owned(),
        }
    }
}

/// Writes a stream of text with capitals, a word at a time.
#[derive(Debug, Default)]
pub(super) struct Writer {
    word: String,
    last: String,
    /// Marks since the last word.
    between: String,
}

impl Writer {
    /// Takes the next text; returns what is certain.
    pub(super) fn push(&mut self, casing: &Casing, text: &str) -> String {
        let mut written = String::new();
        for c in text.chars() {
            if c.is_alphanumeric() {
                self.word.push(c);
            } else {
                self.end_word(casing, &mut written);
                self.between.push(c);
                written.push(c);
            }
        }
        written
    }

    /// Returns what was held back.
    pub(super) fn finish(&mut self, casing: &Casing) -> String {
        let mut written = String::new();
        self.end_word(casing, &mut written);
        written
    }

    fn end_word(&mut self, casing: &Casing, written: &mut String) {
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        written.push_str(&casing.write(self.before(), &word, self.starts()));
        self.last = word.to_lowercase();
        self.between.clear();
    }

    fn before(&self) -> Option<String> {
        Some(self.last.clone()).filter(|last| !last.is_empty())
    }

    /// Whether the next word begins a sentence.
    fn starts(&self) -> bool {
        if self.last.is_empty() {
            return true;
        }
        let marks = self.between.trim_end();
        let stop =
            marks.ends_with('.') && !TITLES.contains(&self.last.as_str()) && self.last.len() > 1;
        (stop || marks.ends_with(['!', '?'])) && marks.len() < self.between.len()
    }

    /// The words of a finished text, and whether each begins a sentence.
    fn words(&mut self, text: &str) -> Vec<(String, bool)> {
        let mut reader = Self::default();
        let mut words = Vec::new();
        for c in text.chars().chain(std::iter::once(' ')) {
            if c.is_alphanumeric() {
                reader.word.push(c);
                continue;
            }
            if !reader.word.is_empty() {
                let word = std::mem::take(&mut reader.word);
                let starts = reader.starts();
                reader.last = word.to_lowercase();
                reader.between.clear();
                words.push((word, starts));
            }
            reader.between.push(c);
        }
        self.last.clear();
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> String {
        let site = [
            "The Training Room is on the second floor, left of the lift.",
            "ask Dr. Anna Berg for the WiFi.",
            "visit the Linden Museum",
            "You may read in the Reading Room.",
        ];
        let casing = Casing::of(site.into_iter());
        let mut writer = Writer::default();
        let mut written = String::new();
        for c in text.chars() {
            written.push_str(&writer.push(&casing, &c.to_string()));
        }
        written + &writer.finish(&casing)
    }

    #[test]
    fn words_are_written_as_the_site_writes_them() {
        for text in [
            "Dr. Anna Berg knows the WiFi. The Linden Museum is on the second floor.",
            "Is it in the Reading Room? I read there, 3.5 hours at 9 a.m. or so.",
            "The Training Room is left of the lift.",
            "I'm sorry, I do not know that.",
        ] {
            assert_eq!(write(&text.to_lowercase()), text);
        }
    }
}
