//! From the probabilities of characters to a sentence: prefix beam search with a word model.
//!
//! Connectionist temporal classification leaves many paths of characters and blanks for one text; their
//! probabilities are added up (Hannun et al. 2014, "First-pass large vocabulary continuous speech
//! recognition using bi-directional recurrent DNNs"). No lexicon: a word that the model does not have is
//! spelled as it was heard.

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
    /// What it costs to part two words between which no space was heard, if the first is a word.
    pub space: f32,
}

impl Default for Search {
    fn default() -> Self {
        Self { beam: 128, floor: -10.0, words: 0.9, word: 2.0, space: -3.0 }
    }
}

/// A text under consideration; texts form a tree.
#[derive(Clone, Copy, Debug)]
struct Text {
    parent: usize,
    token: usize,
    /// One text longer than this one, and the next that has the same parent as this one.
    child: usize,
    sibling: usize,
    /// The letters since the last space.
    word: Spelling,
    history: History,
    /// Score of the complete words.
    score: f32,
    /// The most that the word in progress may add.
    promise: f32,
    /// The last frame in which it was considered, and its place among the texts considered there.
    frame: usize,
    place: usize,
}

const NONE: usize = usize::MAX;

/// Probabilities (natural logarithms) that a text is what was said so far.
#[derive(Clone, Copy, Debug)]
struct Odds {
    text: usize,
    /// … and the last frame was blank.
    blank: f32,
    /// … and the last frame was the text's last token.
    token: f32,
}

impl Odds {
    fn both(self) -> f32 {
        add(self.blank, self.token)
    }
}

/// Logarithm of the sum of two probabilities.
fn add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// The most likely text and the words it ends with. `frames` are log-probabilities of `tokens` and, last,
/// of the blank; `before` is what stands before the first word; `ended` says that nothing will follow.
pub(super) fn search(
    frames: &[f32],
    tokens: &[String],
    words: &Words,
    before: History,
    ended: bool,
    how: &Search,
) -> (String, History) {
    let mut texts = Texts { tree: vec![Text::root(before)], tokens, words, how };
    let space = tokens.iter().position(|token| token == " ");
    let mut beam = vec![Odds { text: 0, blank: 0.0, token: f32::NEG_INFINITY }];
    let mut next: Vec<Odds> = Vec::new();
    let mut tried = Vec::new();
    for (number, frame) in frames.chunks_exact(tokens.len() + 1).enumerate() {
        let blank = frame[tokens.len()];
        next.clear();
        tried.clear();
        tried.extend((0..tokens.len()).filter(|&token| frame[token] > how.floor));
        for &odds in &beam {
            let both = odds.both();
            let Text { token: last, word, .. } = texts.tree[odds.text];
            let same = texts.odds(odds.text, number, &mut next);
            same.blank = add(same.blank, both + blank);
            if last != NONE {
                same.token = add(same.token, odds.token + frame[last]);
            }
            let parts = space.filter(|_| words.is_word(word));
            for &token in &tried {
                // The same token again is a new one only after a blank.
                let from = if token == last { odds.blank } else { both } + frame[token];
                if from == f32::NEG_INFINITY {
                    continue;
                }
                let longer = texts.longer(odds.text, token);
                let longer = texts.odds(longer, number, &mut next);
                longer.token = add(longer.token, from);
                if let Some(space) = parts.filter(|&space| space != token) {
                    let parted = texts.longer(odds.text, space);
                    let parted = texts.longer(parted, token);
                    let parted = texts.odds(parted, number, &mut next);
                    parted.token = add(parted.token, from + how.space);
                }
            }
        }
        let rank = |odds: &Odds| {
            let text = &texts.tree[odds.text];
            odds.both() + text.score + text.promise
        };
        let mut ranked: Vec<(f32, Odds)> = next.iter().map(|odds| (rank(odds), *odds)).collect();
        if ranked.len() > how.beam {
            ranked.select_nth_unstable_by(how.beam, |a, b| b.0.total_cmp(&a.0));
            ranked.truncate(how.beam);
        }
        beam.clear();
        beam.extend(ranked.into_iter().map(|(_, odds)| odds));
    }
    let complete = |odds: &Odds| {
        let (score, history) = texts.close(&texts.tree[odds.text]);
        let end = if ended { how.words * words.end(history) } else { 0.0 };
        odds.both() + score + end
    };
    let best = beam.iter().max_by(|a, b| complete(a).total_cmp(&complete(b)));
    let best = best.map_or(0, |odds| odds.text);
    let (_, history) = texts.close(&texts.tree[best]);
    (texts.spell(best), history)
}

/// All texts that were ever considered.
struct Texts<'a> {
    tree: Vec<Text>,
    tokens: &'a [String],
    words: &'a Words,
    how: &'a Search,
}

impl Text {
    fn root(before: History) -> Self {
        Self {
            parent: 0,
            token: NONE,
            child: NONE,
            sibling: NONE,
            word: Spelling::default(),
            history: before,
            score: 0.0,
            promise: 0.0,
            frame: NONE,
            place: 0,
        }
    }
}

impl Texts<'_> {
    /// The odds of a text in this frame, for more to be added.
    fn odds<'n>(&mut self, text: usize, frame: usize, next: &'n mut Vec<Odds>) -> &'n mut Odds {
        let known = &mut self.tree[text];
        if known.frame != frame {
            known.frame = frame;
            known.place = next.len();
            next.push(Odds { text, blank: f32::NEG_INFINITY, token: f32::NEG_INFINITY });
        }
        &mut next[known.place]
    }

    /// The text that is longer by one token.
    fn longer(&mut self, text: usize, token: usize) -> usize {
        let mut child = self.tree[text].child;
        while child != NONE && self.tree[child].token != token {
            child = self.tree[child].sibling;
        }
        if child != NONE {
            return child;
        }
        let parent = self.tree[text];
        let mut new =
            Text { parent: text, token, child: NONE, sibling: parent.child, frame: NONE, ..parent };
        for letter in self.tokens[token].chars() {
            if letter == ' ' {
                (new.score, new.history) = self.close(&new);
                new.word = Spelling::default();
            } else {
                new.word = self.words.spell(new.word, letter);
            }
        }
        new.promise = if new.word.is_empty() {
            0.0
        } else {
            self.how.words * self.words.promise(new.word) + self.how.word
        };
        self.tree.push(new);
        self.tree[text].child = self.tree.len() - 1;
        self.tree.len() - 1
    }

    /// Score and history of a text once its last word is complete.
    fn close(&self, text: &Text) -> (f32, History) {
        if text.word.is_empty() {
            return (text.score, text.history);
        }
        let (probability, history) = self.words.next(text.history, text.word);
        (text.score + self.how.words * probability + self.how.word, history)
    }

    fn spell(&self, mut text: usize) -> String {
        let mut reversed = Vec::new();
        while text != 0 {
            reversed.push(self.tokens[self.tree[text].token].as_str());
            text = self.tree[text].parent;
        }
        let spelled: String = reversed.into_iter().rev().collect();
        // Spaces at the ends or in a row say nothing.
        spelled.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
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
        assert_eq!(
            heard(&["l", "l", "_", "l", "i", "f", "t"]),
            "lift",
            "what is no word is misheard"
        );
        assert_eq!(heard(&["i", "s", " ", "z", "o", "o", "_", "o", "r"]), "is zoor");
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
    fn words_run_together_are_parted() {
        assert_eq!(
            heard(&["w", "h", "e", "r", "e", "i", "s", "t", "h", "e", "l", "i", "f", "t"]),
            "where is the lift"
        );
    }

    #[test]
    fn an_unknown_word_is_spelled_as_heard() {
        assert_eq!(heard(&["i", "s", " ", "z", "o", "r", "b", "a"]), "is zorba");
    }
}
