//! Which word follows which: a word model in the ARPA text form, and the words of the site.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, ensure};

/// Number of a word in the model.
type Word = u32;

/// The two words before, older first.
pub(super) type History = [Word; 2];

/// The letters of a word so far: a place in the tree of spellings and their count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spelling {
    node: u32,
    letters: u32,
}

const NOWHERE: u32 = u32::MAX;

/// A word that is nowhere in the model, before its first letter. Visitors say few of them, and most that seem
/// to be one are a known word heard badly; found with the search's weights on speech that training never saw.
const UNKNOWN: f32 = -20.0;
/// What every letter of an unknown word costs.
const UNKNOWN_LETTER: f32 = -4.0;
/// A word of the site is at least this likely anywhere: once in 2,000 words.
const SITE: f32 = -7.6;
/// Names shorter than this are too easily found in other words.
const SITE_LETTERS: usize = 4;

/// Probabilities of words, given up to two words before. All are natural logarithms.
#[derive(Clone, Debug)]
pub struct Words {
    /// All spellings by their beginnings; the first node is the empty one.
    tree: Vec<Node>,
    single: Vec<Entry>,
    pairs: HashMap<[Word; 2], Entry>,
    triples: HashMap<[Word; 3], f32>,
    start: Word,
    end: Word,
    /// Words of the site that are long enough to be recognised by most of their letters.
    site: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    letter: char,
    child: u32,
    sibling: u32,
    /// The word that ends here.
    word: Word,
    /// Probability of the likeliest word that begins like this.
    best: f32,
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
        let mut words = Self {
            tree: vec![Node::new(' ')],
            single: Vec::new(),
            pairs: HashMap::new(),
            triples: HashMap::new(),
            start: NOWHERE,
            end: NOWHERE,
            site: Vec::new(),
        };
        let mut order = 0;
        for (index, line) in text.lines().enumerate() {
            if let Some(section) = line.strip_prefix('\\') {
                order = section.strip_suffix("-grams:").and_then(|n| n.parse().ok()).unwrap_or(0);
            } else if order > 0 && !line.is_empty() {
                words.line(line, order).with_context(|| format!("line {}", index + 1))?;
            }
        }
        words.start = words.find("<s>").context("it lacks <s>")?;
        words.end = words.find("</s>").context("it lacks </s>")?;
        Ok(words)
    }

    fn line(&mut self, line: &str, order: usize) -> Result<()> {
        let mut fields = line.split_ascii_whitespace();
        let probability = natural(fields.next().context("it is empty")?)?;
        if order == 1 {
            let word = fields.next().context("a word is missing")?;
            let backoff = fields.next().map_or(Ok(0.0), natural)?;
            self.add(word, Entry { probability, backoff });
            return Ok(());
        }
        let mut key = [0; 3];
        ensure!(order <= key.len(), "it has groups of {order} words; three are supported");
        for place in &mut key[..order] {
            let word = fields.next().context("a word is missing")?;
            *place = self.find(word).with_context(|| format!("{word} is no single word"))?;
        }
        if order == 2 {
            let backoff = fields.next().map_or(Ok(0.0), natural)?;
            self.pairs.insert([key[0], key[1]], Entry { probability, backoff });
        } else {
            self.triples.insert(key, probability);
        }
        Ok(())
    }

    /// Adds a word, or makes a known one at least as likely as `entry` says.
    fn add(&mut self, word: &str, entry: Entry) {
        let mut node = 0;
        for letter in word.chars() {
            let known = self.child(node, letter);
            if known == NOWHERE {
                let sibling = self.tree[node as usize].child;
                self.tree[node as usize].child = self.tree.len() as u32;
                self.tree.push(Node { sibling, ..Node::new(letter) });
                node = self.tree.len() as u32 - 1;
            } else {
                node = known;
            }
            let best = &mut self.tree[node as usize].best;
            *best = best.max(entry.probability);
        }
        match &mut self.tree[node as usize].word {
            new if *new == NOWHERE => {
                *new = self.single.len() as Word;
                self.single.push(entry);
            }
            known => {
                let known = &mut self.single[*known as usize];
                known.probability = known.probability.max(entry.probability);
            }
        }
    }

    fn child(&self, node: u32, letter: char) -> u32 {
        let mut child = self.tree[node as usize].child;
        while child != NOWHERE && self.tree[child as usize].letter != letter {
            child = self.tree[child as usize].sibling;
        }
        child
    }

    fn find(&self, word: &str) -> Option<Word> {
        let spelling = word.chars().fold(Spelling::default(), |s, letter| self.spell(s, letter));
        self.word(spelling)
    }

    fn word(&self, spelling: Spelling) -> Option<Word> {
        let word = self.tree.get(spelling.node as usize)?.word;
        (word != NOWHERE).then_some(word)
    }

    /// Whether the model has the word spelled.
    pub(super) fn is_word(&self, spelling: Spelling) -> bool {
        self.word(spelling).is_some()
    }

    /// Makes the words of `phrases` (names, rooms) likely enough to be written as they are spelled here.
    pub fn add_site(&mut self, phrases: &[String]) {
        for phrase in phrases {
            for word in phrase.split(|c: char| !c.is_alphabetic() && c != '\'') {
                let word = word.to_lowercase();
                if word.is_empty() {
                    continue;
                }
                self.add(&word, Entry { probability: SITE, backoff: 0.0 });
                if word.chars().count() >= SITE_LETTERS && !self.site.contains(&word) {
                    self.site.push(word);
                }
            }
        }
    }

    /// Replaces each word that the model does not have by the word of the site that is spelled nearly
    /// so: a name is rarely heard letter by letter.
    pub(super) fn mend(&self, text: &str) -> String {
        let mended = text.split(' ').map(|word| {
            if self.find(word).is_some() {
                return word;
            }
            let near = self.site.iter().map(|site| (strsim::levenshtein(word, site), site));
            match near.min_by_key(|(differences, _)| *differences) {
                Some((differences, site)) if 3 * differences <= site.chars().count() => site,
                _ => word,
            }
        });
        mended.collect::<Vec<_>>().join(" ")
    }

    /// What stands before the first word of an utterance.
    pub(super) fn start(&self) -> History {
        [self.start; 2]
    }

    /// A spelling with one more letter.
    pub(super) fn spell(&self, spelling: Spelling, letter: char) -> Spelling {
        let node = match spelling.node {
            NOWHERE => NOWHERE,
            node => self.child(node, letter),
        };
        Spelling { node, letters: spelling.letters + 1 }
    }

    /// Logarithm of the highest probability that a word beginning like this may have.
    pub(super) fn promise(&self, spelling: Spelling) -> f32 {
        let known = self.tree.get(spelling.node as usize).map_or(f32::MIN, |node| node.best);
        known.max(unknown(spelling))
    }

    /// Logarithm of the probability of the word spelled, and what stands before the next one.
    pub(super) fn next(&self, history: History, spelling: Spelling) -> (f32, History) {
        match self.word(spelling) {
            Some(word) => (self.probability(history, word), [history[1], word]),
            None => (unknown(spelling), [history[1], NOWHERE]),
        }
    }

    /// Logarithm of the probability that the utterance ends here.
    pub(super) fn end(&self, history: History) -> f32 {
        self.probability(history, self.end)
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

impl Spelling {
    /// Whether it has no letter yet.
    pub(super) fn is_empty(self) -> bool {
        self.letters == 0
    }
}

impl Node {
    fn new(letter: char) -> Self {
        Self { letter, child: NOWHERE, sibling: NOWHERE, word: NOWHERE, best: f32::MIN }
    }
}

fn unknown(spelling: Spelling) -> f32 {
    UNKNOWN + UNKNOWN_LETTER * spelling.letters as f32
}

/// A natural logarithm from the decimal one that ARPA files have.
fn natural(field: &str) -> Result<f32> {
    let decimal: f32 = field.parse().with_context(|| format!("{field} is no number"))?;
    Ok(decimal * std::f32::consts::LN_10)
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

    fn next(words: &Words, history: History, word: &str) -> (f32, History) {
        words.next(history, word.chars().fold(Spelling::default(), |s, l| words.spell(s, l)))
    }

    fn log10(natural: f32) -> f32 {
        (natural / std::f32::consts::LN_10 * 100.0).round() / 100.0
    }

    #[test]
    fn probabilities_back_off() {
        let words = Words::parse(SAMPLE).unwrap();
        let (first, history) = next(&words, words.start(), "where");
        let (second, history) = next(&words, history, "is");
        let (third, history) = next(&words, history, "the");
        let (unseen, _) = next(&words, history, "where");
        assert_eq!([first, second, third].map(log10), [-0.3, -0.3, -0.1]);
        assert_eq!(log10(unseen), -1.4);
    }

    #[test]
    fn the_beginning_of_a_word_promises_its_likeliest_end() {
        let words = Words::parse(SAMPLE).unwrap();
        let t = words.spell(Spelling::default(), 't');
        let tz = words.spell(t, 'z');
        assert_eq!(log10(words.promise(t)), -1.5);
        assert!(words.promise(tz) < UNKNOWN && words.promise(words.spell(tz, 'e')) < UNKNOWN);
    }

    #[test]
    fn site_words_become_known() {
        let mut words = Words::parse(SAMPLE).unwrap();
        let (unknown, _) = next(&words, words.start(), "okonkwo");
        words.add_site(&["Doctor Okonkwo".into(), "the lift".into()]);
        let (known, _) = next(&words, words.start(), "okonkwo");
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
