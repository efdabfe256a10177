//! Cuts an answer into pieces that can be spoken, while it is still being written.

/// Words after which the first piece may end at a comma, so that the voice can start early.
const FIRST_WORDS: usize = 4;
/// The same in Chinese characters.
const FIRST_HAN: usize = 6;
/// Characters after which a piece ends where it can; Chinese ones count three times.
const LONGEST: usize = 200;

const ABBREVIATIONS: [&str; 24] = [
    "dr", "mr", "mrs", "ms", "prof", "st", "no", "nos", "vs", "etc", "e.g", "i.e", "approx",
    "dept", "tel", "ext", "jr", "sr", "fig", "ave", "rd", "inc", "ltd", "co",
];

/// Takes text as it comes and gives pieces: the first one short, then whole sentences.
#[derive(Debug, Default)]
pub struct Splitter {
    text: String,
    started: bool,
}

impl Splitter {
    /// Takes the next `text` and returns the pieces that are now certain.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.text.push_str(text);
        self.pieces(false)
    }

    /// Returns what is left; the next text begins a new answer.
    pub fn finish(&mut self) -> Vec<String> {
        let mut pieces = self.pieces(true);
        self.give(self.text.len(), &mut pieces);
        self.started = false;
        pieces
    }

    fn pieces(&mut self, ended: bool) -> Vec<String> {
        let mut pieces = Vec::new();
        while let Some(end) = self.boundary(ended) {
            self.give(end, &mut pieces);
        }
        pieces
    }

    fn give(&mut self, end: usize, pieces: &mut Vec<String>) {
        let piece = self.text[..end].trim().to_owned();
        self.text.drain(..end);
        if !piece.is_empty() {
            self.started = true;
            pieces.push(piece);
        }
    }

    /// Where the first piece of the text ends, if that is certain.
    fn boundary(&self, ended: bool) -> Option<usize> {
        let mut clause = None;
        let mut space = None;
        let mut width = 0;
        let text = self.text.trim_start();
        let offset = self.text.len() - text.len();
        let marks: Vec<(usize, char)> = text.char_indices().collect();
        for (i, &(at, c)) in marks.iter().enumerate() {
            if width > LONGEST {
                return Some(offset + clause.or(space).unwrap_or(at));
            }
            width += if is_han(c) { 3 } else { 1 };
            if c == '\n' && at > 0 {
                return Some(offset + at + 1);
            }
            if c.is_whitespace() {
                space = Some(at + 1);
                continue;
            }
            // Closing marks belong to the sentence before them.
            let after =
                marks[i + 1..].iter().position(|(_, next)| !is_closing(*next) && !is_end(*next));
            let after = after.map(|n| marks[i + 1 + n]);
            let end = after.map_or(text.len(), |(next, _)| next);
            let next = after.map(|(_, next)| next);
            if is_end(c) {
                // Nothing after it yet: the next token may show that it is none.
                let Some(next) = next else {
                    if ended {
                        return Some(offset + end);
                    }
                    break;
                };
                if "。！？；".contains(c) {
                    return Some(offset + end);
                }
                if next.is_whitespace() {
                    let follows = text[end..].trim_start().chars().next();
                    match ends_sentence(&text[..at], c, &text[at..end], follows) {
                        Some(true) => return Some(offset + end),
                        Some(false) => {}
                        None if ended => return Some(offset + end),
                        None => break,
                    }
                } else if is_han(next) {
                    return Some(offset + end);
                }
            } else if ",;:，、：—".contains(c) {
                let Some(next) = next else { break };
                if !next.is_whitespace() && !"，、：—".contains(c) {
                    continue;
                }
                clause = Some(end);
                if !self.started && long_enough(&text[..at]) {
                    return Some(offset + end);
                }
            }
        }
        None
    }
}

fn long_enough(text: &str) -> bool {
    text.split_whitespace().count() >= FIRST_WORDS
        || text.chars().filter(|c| is_han(*c)).count() >= FIRST_HAN
}

/// Whether the marks end a sentence; `None` when the next word must be seen first.
fn ends_sentence(before: &str, mark: char, marks: &str, follows: Option<char>) -> Option<bool> {
    if "!?".contains(mark) && !marks.contains('.') {
        return Some(true);
    }
    let word =
        before.rsplit(|c: char| c.is_whitespace() || "(\"“‘".contains(c)).next().unwrap_or("");
    let word = word.to_lowercase();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && word != "i";
    if marks.starts_with('.') && (ABBREVIATIONS.contains(&word.as_str()) || initial) {
        return Some(false);
    }
    // "9 a.m. on Monday", "well … yes": a small letter goes on with the sentence.
    Some(!follows?.is_lowercase())
}

fn is_end(c: char) -> bool {
    ".!?…。！？；".contains(c)
}

fn is_closing(c: char) -> bool {
    "\"')]”’»」』）】".contains(c)
}

fn is_han(c: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of a text that comes `step` characters at a time.
    fn split(text: &str, step: usize) -> Vec<String> {
        let mut splitter = Splitter::default();
        let letters: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        for part in letters.chunks(step) {
            pieces.extend(splitter.push(&part.iter().collect::<String>()));
        }
        pieces.extend(splitter.finish());
        pieces
    }

    #[test]
    fn answers_are_cut_into_speakable_pieces() {
        for pieces in [
            &["The Training Room is on the second floor,", "left of the lift.", "Anything else?"][..],
            &["Hello, Dr. Berg!", "It costs 3.5 euros, or 1,000 for all."],
            &["We open at 9 a.m. and close at 5 p.m. every day.", "Goodbye."],
            &["Well… yes.", "\"Really?\"", "He said so (or not.)", "Mr. J. Smith left."],
            &["It is on floor no. 3.", "See fig. 2!"],
            &["您好。", "博物馆在二楼，左边有电梯！", "“好的。”", "再见"],
            &["培训室在大楼的三层，", "电梯左边。"],
            &["One line", "another line"],
            &["Wait...", "What?!"],
        ] {
            let han = pieces[0].chars().any(is_han);
            for step in [1, 2, 3, 1000] {
                let joined = pieces.join(if han {
                    ""
                } else if pieces[0] == "One line" {
                    "\n"
                } else {
                    " "
                });
                assert_eq!(split(&joined, step), pieces, "{step} at a time");
            }
        }
    }

    #[test]
    fn endless_text_is_cut() {
        let pieces = split(&"word ".repeat(1000), 7);
        assert!(pieces.iter().all(|piece| piece.len() <= LONGEST + 1), "{pieces:?}");
        let pieces = split(&"x".repeat(1000), 7);
        assert!(pieces.len() >= 4);
        let pieces = split(&"字".repeat(1000), 7);
        assert!(pieces.iter().all(|piece| piece.chars().count() <= LONGEST / 3 + 1));
    }

    #[test]
    fn first_piece_comes_before_the_sentence_ends() {
        let mut splitter = Splitter::default();
        assert_eq!(
            splitter.push("You will find it on the left, "),
            ["You will find it on the left,"]
        );
        assert!(splitter.push("behind the door, near the lift").is_empty());
        assert_eq!(splitter.finish(), ["behind the door, near the lift"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-cA-C0-9 .,!?;:…。，！？字楼\"')(\n]{0,300}", step in 1_usize..9) {
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            let pieces = split(&text, step);
            prop_assert_eq!(bare(&pieces.concat()), bare(&text));
            prop_assert_eq!(&pieces, &split(&text, 1));
        }
    }
}
