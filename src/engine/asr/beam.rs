//! From the probabilities of characters to a sentence: prefix beam search with a word model.
//!
//! Connectionist temporal classification leaves many paths of characters and blanks for one text; their
//! probabilities are added up (Hannun et al. 2014, "First-pass large vocabulary continuous speech
//! recognition using bi-directional recurrent DNNs"). No lexicon: a word that the model does not have is
//! spelled as it was heard.

use std::collections::HashMap;

use super::words::{History, Spelling, Words};

/// How the search weighs and how much it keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Texts kept from frame to frame.
    pub beam: usize,
    /// Tokens less likely than this (natural logarithm) are not tried.
    pub floor: f32,
    /// How much the word model counts beside the sound.
    pub words: f32,
    /// Reward for every word, against the word model's liking for few words.
    pub word: f32,
}

impl Default for Search {
    fn default() -> Self {
        Self { beam: 32, floor: -8.0, words: 0.6, word: 1.2 }
    }
}

/// A text under consideration; texts form a tree.
#[derive(Clone, Debug)]
struct Text {
    parent: usize,
    token: usize,
    /// The letters since the last space.
    word: Spelling,
    history: History,
    /// Score of the complete words.
    score: f32,
    /// The most that the word in progress may add.
    promise: f32,
}

/// Probabilities (natural logarithms) that a text is what was said so far.
#[derive(Clone, Copy, Debug)]
struct Odds {
    /// … and the last frame was blank.
    blank: f32,
    /// … and the last frame was the text's last token.
    token: f32,
}

impl Odds {
    const NONE: Self = Self { blank: f32::NEG_INFINITY, token: f32::NEG_INFINITY };

    fn both(self) -> f32 {
        add(self.blank, self.token)
    }
}

/// Logarithm of the sum of two probabilities.
fn add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// The most likely text. `frames` are log-probabilities of `tokens` and, last, of the blank; `before` is what
/// stands before the first word; `ended` says that nothing will follow.
pub(super) fn search(
    frames: &[f32],
    tokens: &[String],
    words: &Words,
    before: History,
    ended: bool,
    how: &Search,
) -> (String, History) {
    let mut tree = vec![Text {
        parent: 0,
        token: usize::MAX,
        word: Spelling::default(),
        history: before,
        score: 0.0,
        promise: 0.0,
    }];
    let mut children: HashMap<(usize, usize), usize> = HashMap::new();
    let mut beam = vec![(0, Odds { blank: 0.0, token: f32::NEG_INFINITY })];
    let mut next: HashMap<usize, Odds> = HashMap::new();
    for frame in frames.chunks_exact(tokens.len() + 1) {
        let blank = frame[tokens.len()];
        next.clear();
        let tried: Vec<usize> = (0..tokens.len()).filter(|&t| frame[t] > how.floor).collect();
        for &(text, odds) in &beam {
            let both = odds.both();
            let last = tree[text].token;
            let same = next.entry(text).or_insert(Odds::NONE);
            same.blank = add(same.blank, both + blank);
            if last != usize::MAX {
                same.token = add(same.token, odds.token + frame[last]);
            }
            for &token in &tried {
                // The same token again is a new one only after a blank.
                let from = if token == last { odds.blank } else { both };
                if from == f32::NEG_INFINITY {
                    continue;
                }
                let child = *children.entry((text, token)).or_insert_with(|| {
                    tree.push(extend(&tree[text], text, token, &tokens[token], words, how));
                    tree.len() - 1
                });
                let longer = next.entry(child).or_insert(Odds::NONE);
                longer.token = add(longer.token, from + frame[token]);
            }
        }
        beam.clear();
        beam.extend(next.iter().map(|(&text, &odds)| (text, odds)));
        // Equal scores are ordered by age, so that the same sound always gives the same text.
        let rank =
            |(text, odds): &(usize, Odds)| odds.both() + tree[*text].score + tree[*text].promise;
        beam.sort_unstable_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.0.cmp(&b.0)));
        beam.truncate(how.beam);
    }
    let complete = |&(text, odds): &(usize, Odds)| {
        let text = &tree[text];
        let (score, history) = close(text, words, how);
        let end = if ended { how.words * words.end(history) } else { 0.0 };
        odds.both() + score + end
    };
    let best = beam.iter().max_by(|a, b| complete(a).total_cmp(&complete(b)));
    let best = best.map_or(0, |(text, _)| *text);
    let (_, history) = close(&tree[best], words, how);
    (spell(&tree, best, tokens), history)
}

fn extend(
    from: &Text,
    parent: usize,
    token: usize,
    letters: &str,
    words: &Words,
    how: &Search,
) -> Text {
    let mut text = Text { parent, token, ..from.clone() };
    for letter in letters.chars() {
        if letter == ' ' {
            (text.score, text.history) = close(&text, words, how);
            text.word = Spelling::default();
        } else {
            text.word = words.spell(text.word, letter);
        }
    }
    text.promise =
        if text.word.is_empty() { 0.0 } else { how.words * words.promise(text.word) + how.word };
    text
}

/// Score and history of a text once its last word is complete.
fn close(text: &Text, words: &Words, how: &Search) -> (f32, History) {
    if text.word.is_empty() {
        return (text.score, text.history);
    }
    let (probability, history) = words.next(text.history, text.word);
    (text.score + how.words * probability + how.word, history)
}

fn spell(tree: &[Text], mut text: usize, tokens: &[String]) -> String {
    let mut reversed = Vec::new();
    while text != 0 {
        reversed.push(tokens[tree[text].token].as_str());
        text = tree[text].parent;
    }
    let spelled: String = reversed.into_iter().rev().collect();
    // Spaces at the ends or in a row say nothing.
    spelled.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::asr::words::SAMPLE;

    const LETTERS: &str = " abcdefghijklmnopqrstuvwxyz";

    fn tokens() -> Vec<String> {
        LETTERS.chars().map(String::from).collect()
    }

    /// Frames in which each of `path` has nearly all the probability; `_` is blank. A pair "a/b" shares it.
    fn frames(path: &[&str]) -> Vec<f32> {
        let count = LETTERS.len() + 1;
        let mut frames = vec![-12.0; path.len() * count];
        for (frame, letters) in frames.chunks_exact_mut(count).zip(path) {
            let shares: Vec<char> = letters.chars().filter(|c| *c != '/').collect();
            for share in &shares {
                let place = LETTERS.find(*share).unwrap_or(count - 1);
                frame[place] = -(shares.len() as f32).ln();
            }
        }
        frames
    }

    fn heard(path: &[&str]) -> String {
        let words = Words::parse(SAMPLE).unwrap();
        search(&frames(path), &tokens(), &words, words.start(), true, &Search::default()).0
    }

    #[test]
    fn repeats_collapse_unless_a_blank_parts_them() {
        assert_eq!(heard(&["l", "l", "_", "l", "i", "f", "t"]), "llift");
        assert_eq!(heard(&[" ", "l", "i", "i", "f", "_", "t", " ", " "]), "lift");
        assert_eq!(heard(&["_", "_", "_"]), "");
        assert_eq!(heard(&[]), "");
    }

    #[test]
    fn the_word_model_decides_between_sounds_alike() {
        assert_eq!(heard(&["t", "h", "e", " ", "l", "e/i", "f", "t"]), "the lift");
        assert_eq!(heard(&["i", "z/s", " ", "t", "h", "e/a"]), "is the");
    }

    #[test]
    fn an_unknown_word_is_spelled_as_heard() {
        assert_eq!(heard(&["i", "s", " ", "z", "o", "r", "b", "a"]), "is zorba");
    }
}
