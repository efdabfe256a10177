//! Which word follows which: a word model in the ARPA text form, and the words of the site.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};

/// Number of a word in the model.
pub(super) type Word = u32;

/// The two words before, older first.
pub(super) type History = [Word; 2];

/// A word that is nowhere in the model, at its first letter: about one in a hundred thousand words.
const UNKNOWN: f32 = -11.5;
/// What every letter of an unknown word costs; English spelling leaves about this much to guess once
/// the sound is known.
const UNKNOWN_LETTER: f32 = -0.6;
/// A word of the site is at least this likely anywhere: once in 2,000 words.
const SITE: f32 = -7.6;

/// Probabilities of words, given up to two words before. All are natural logarithms.
#[derive(Clone, Debug, Default)]
pub struct Words {
    numbers: HashMap<Box<str>, Word>,
    single: Vec<Entry>,
    pairs: HashMap<[Word; 2], Entry>,
    triples: HashMap<[Word; 3], f32>,
    /// Words of the site that are long enough to be recognised by most of their letters.
    site: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    probability: f32,
    /// Added when the words after it were never seen together with it.
    backoff: f32,
}

impl Words {
    /// Reads a model of up to three words from an ARPA file.
    ///
    /// # Errors
    /// The file cannot be read or has a line that is not ARPA.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no ARPA file", path.display()))
    }

    /// Reads a model of up to three words in the ARPA form.
    ///
    /// # Errors
    /// A line is not ARPA; the message has its number.
    pub fn parse(text: &str) -> Result<Self> {
        let mut words = Self::default();
        let mut order = 0;
        for (index, line) in text.lines().enumerate() {
            if let Some(section) = line.strip_prefix('\\') {
                order = section.strip_suffix("-grams:").and_then(|n| n.parse().ok()).unwrap_or(0);
            } else if order > 0 && !line.is_empty() {
                words.line(line, order).with_context(|| format!("line {}", index + 1))?;
            }
        }
        for needed in ["<s>", "</s>"] {
            if !words.numbers.contains_key(needed) {
                bail!("it lacks {needed}");
            }
        }
        Ok(words)
    }

    fn line(&mut self, line: &str, order: usize) -> Result<()> {
        let mut fields = line.split_ascii_whitespace();
        let mut number = |what| -> Result<f32> {
            let field = fields.next().context(what)?;
            let log10: f32 = field.parse().with_context(|| format!("{field} is no number"))?;
            Ok(log10 * std::f32::consts::LN_10)
        };
        let probability = number("it is empty")?;
        let mut key = [0; 3];
        for place in &mut key[..order.min(3)] {
            let word = fields.next().context("a word is missing")?;
            *place = match self.numbers.get(word) {
                Some(&known) => known,
                None if order == 1 => {
                    let new = Word::try_from(self.single.len()).context("too many words")?;
                    self.numbers.insert(word.into(), new);
                    new
                }
                None => bail!("{word} is not among the single words"),
            };
        }
        let backoff = match fields.next() {
            Some(field) => field.parse::<f32>().with_context(|| format!("{field} is no number"))?,
            None => 0.0,
        };
        let entry = Entry { probability, backoff: backoff * std::f32::consts::LN_10 };
        match order {
            1 => self.single.push(entry),
            2 => drop(self.pairs.insert([key[0], key[1]], entry)),
            3 => drop(self.triples.insert(key, probability)),
            other => bail!("it has groups of {other} words; three are supported"),
        }
        Ok(())
    }

    /// Makes the words of `phrases` (names, rooms) likely enough to be written as they are spelled here.
    pub fn add_site(&mut self, phrases: &[String]) {
        for phrase in phrases {
            for word in phrase.split(|c: char| !c.is_alphabetic() && c != '\'') {
                let word = word.to_lowercase();
                if word.is_empty() {
                    continue;
                }
                if word.chars().count() >= 4 && !self.site.contains(&word) {
                    self.site.push(word.clone());
                }
                match self.numbers.get(word.as_str()) {
                    Some(&known) => {
                        let entry = &mut self.single[known as usize];
                        entry.probability = entry.probability.max(SITE);
                    }
                    None => {
                        self.numbers.insert(word.into(), self.single.len() as Word);
                        self.single.push(Entry { probability: SITE, backoff: 0.0 });
                    }
                }
            }
        }
    }

    /// What stands before the first word of an utterance.
    pub(super) fn start(&self) -> History {
        let start = self.numbers.get("<s>").copied().unwrap_or(Word::MAX);
        [start, start]
    }

    /// Replaces each word that the model does not have by the word of the site that is spelled nearly
    /// so: a name is rarely heard letter by letter.
    pub(super) fn mend(&self, text: &str) -> String {
        let mended = text.split(' ').map(|word| {
            if self.numbers.contains_key(word) {
                return word;
            }
            let near = self.site.iter().map(|site| (differences(word, site), site));
            match near.min_by_key(|(differences, _)| *differences) {
                Some((differences, site)) if 3 * differences <= site.chars().count() => site,
                _ => word,
            }
        });
        mended.collect::<Vec<_>>().join(" ")
    }

    /// Logarithm of the probability of `word`, and what stands before the next one.
    pub(super) fn next(&self, history: History, word: &str) -> (f32, History) {
        match self.numbers.get(word) {
            Some(&known) => (self.probability(history, known), [history[1], known]),
            None => {
                let letters = word.chars().count() as f32;
                (UNKNOWN + UNKNOWN_LETTER * letters, [history[1], Word::MAX])
            }
        }
    }

    /// Logarithm of the probability that the utterance ends here.
    pub(super) fn end(&self, history: History) -> f32 {
        self.numbers.get("</s>").map_or(0.0, |&end| self.probability(history, end))
    }

    fn probability(&self, [older, newer]: History, word: Word) -> f32 {
        if let Some(&probability) = self.triples.get(&[older, newer, word]) {
            return probability;
        }
        let skipped = self.pairs.get(&[older, newer]).map_or(0.0, |pair| pair.backoff);
        if let Some(pair) = self.pairs.get(&[newer, word]) {
            return skipped + pair.probability;
        }
        let before = self.single.get(newer as usize).map_or(0.0, |entry| entry.backoff);
        let single = self.single.get(word as usize).map_or(UNKNOWN, |entry| entry.probability);
        skipped + before + single
    }
}

/// Least number of letters to change, add or remove.
fn differences(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
pub(super) const SAMPLE: &str = "\\data\\\nngram 1=6\nngram 2=4\nngram 3=1\n
\\1-grams:
-99 <s> -0.3
-1.0 </s>
-1.0 where -0.3
-1.0 is -0.3
-1.5 the -0.3
-2.0 lift

\\2-grams:
-0.3 <s> where -0.1
-0.2 where is -0.1
-0.3 is the -0.1
-0.5 the lift

\\3-grams:
-0.1 where is the

\\end\\
";

#[cfg(test)]
mod tests {
    use super::*;

    fn log10(natural: f32) -> f32 {
        (natural / std::f32::consts::LN_10 * 100.0).round() / 100.0
    }

    #[test]
    fn probabilities_back_off() {
        let words = Words::parse(SAMPLE).unwrap();
        let (first, history) = words.next(words.start(), "where");
        let (second, history) = words.next(history, "is");
        let (third, history) = words.next(history, "the");
        let (unseen, _) = words.next(history, "where");
        assert_eq!([first, second, third].map(log10), [-0.3, -0.3, -0.1]);
        assert_eq!(log10(unseen), -1.4);
    }

    #[test]
    fn site_words_become_known() {
        let mut words = Words::parse(SAMPLE).unwrap();
        let (unknown, _) = words.next(words.start(), "okonkwo");
        words.add_site(&["Doctor Okonkwo".into(), "the lift".into()]);
        let (known, _) = words.next(words.start(), "okonkwo");
        assert!(known > unknown + 3.0);
        assert_eq!(
            words.mend("where is docter oconkwo the zoo"),
            "where is doctor okonkwo the zoo"
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = Words::parse("\\1-grams:\n-1 <s>\nx </s>\n").unwrap_err();
        assert!(format!("{error:#}").starts_with("line 3: x is no number"));
        assert!(Words::parse("").is_err());
    }
}
