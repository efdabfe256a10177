//! From words to sounds: a dictionary, and rules for the words that it lacks.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};

use super::normalise::{Item, Tone};

/// A sound as the model takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    /// Its number in the voice's list of sounds.
    pub(super) id: i64,
    /// Where it stands: 0 inside a syllable, 1 begins one, 2 begins a word; 3 more in a function word.
    pub(super) mark: i64,
}

/// Words that carry no accent.
const FUNCTION: &str = " in of for on that with by at from as if against about before because under \
    after over into while without through new between among until per up down to the a an no some \
    this each another those every all any these both neither many will may would can could should \
    must ought might and but or plus yet nor who what where how when her his their its our mine is \
    am are was were has have had be ";
/// After these a word that is both noun and verb is a verb.
const BEFORE_VERBS: &str = " to can could will would may might must should please not i we you they don't can't cannot won't ";
/// How many letters to the left and right each kind of rule looks at, widest first.
const WINDOWS: [(usize, usize); 9] =
    [(4, 4), (3, 4), (3, 3), (2, 3), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0)];
/// Groups of consonants that can begin an English syllable, besides single ones.
const ONSETS: &str = "|p l|p r|b l|b r|t r|t w|d r|d w|k l|k r|k w|g l|g r|g w|f l|f r|th r|sh r|\
    s p|s t|s k|s m|s n|s l|s w|p y|b y|k y|m y|f y|hh y|v y|s p l|s p r|s t r|s k r|s k w|";
const VOWELS: &str = " aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw ";

/// Knows how words sound.
pub(super) struct Pronouncer {
    ids: HashMap<String, i64>,
    /// Lines `word<TAB>sounds` in the order of their bytes.
    lexicon: String,
    /// Where each line begins.
    lines: Vec<u32>,
    rules: HashMap<String, String>,
}

impl Pronouncer {
    /// Reads the dictionary and the rules; `names` are the voice's sounds in their order.
    pub(super) fn load(lexicon: &Path, letters: &Path, names: &[String]) -> Result<Self> {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
        };
        Self::new(read(lexicon)?, &read(letters)?, names)
            .with_context(|| format!("{} or {}", lexicon.display(), letters.display()))
    }

    fn new(lexicon: String, letters: &str, names: &[String]) -> Result<Self> {
        let ids: HashMap<String, i64> =
            names.iter().zip(0..).map(|(name, id)| (name.clone(), id)).collect();
        let mut lines: Vec<u32> = Vec::new();
        let mut at = 0;
        let mut last = "";
        for line in lexicon.split_inclusive('\n') {
            let (word, _) = line.split_once('\t').context("a line without a tab in the lexicon")?;
            ensure!(last < word, "the lexicon is not sorted at {word:?}");
            last = word;
            lines.push(u32::try_from(at).context("the lexicon is too large")?);
            at += line.len();
        }
        let mut rules = HashMap::new();
        for line in letters.lines() {
            let Some((key, sounds)) = line.rsplit_once('\t') else {
                bail!("a line without a tab in the letter rules");
            };
            rules.insert(key.to_owned(), sounds.to_owned());
        }
        Ok(Self { ids, lexicon, lines, rules })
    }

    /// The sounds of a sentence, with the pause before it.
    pub(super) fn sounds(&self, items: &[Item]) -> Vec<Sound> {
        let mut sounds = Vec::new();
        self.push(&mut sounds, "begin", 0);
        let mut before = "";
        for (index, item) in items.iter().enumerate() {
            match item {
                Item::Pause(tone) => {
                    let name = match tone {
                        Tone::Hold => "hold",
                        Tone::Fall => "fall",
                        Tone::Rise => "rise",
                    };
                    self.push(&mut sounds, name, 0);
                    before = "";
                }
                Item::Letter(letter) => {
                    let name = letter.to_string();
                    let spoken = self.find(&format!("{name}/n")).or_else(|| self.find(&name));
                    self.spell(&mut sounds, spoken.unwrap_or(""), false);
                    before = "";
                }
                Item::Word(word) => {
                    let padded = format!(" {word} ");
                    let verb = BEFORE_VERBS.contains(&format!(" {before} ")) && !before.is_empty();
                    let mut spoken = self.word(word, verb);
                    if word == "the" && self.begins_with_vowel(items.get(index + 1)) {
                        "dh iy".clone_into(&mut spoken);
                    }
                    self.spell(&mut sounds, &spoken, FUNCTION.contains(&padded));
                    before = word;
                }
            }
        }
        sounds
    }

    /// A word's syllables: sounds parted by spaces, syllables by hyphens.
    fn word(&self, word: &str, verb: bool) -> String {
        let special = self.find(&format!("{word}/{}", if verb { "v" } else { "n" }));
        // The dictionary's first entry of "a" is the article; its noun is the letter.
        let special = special.filter(|_| verb && word.len() > 1);
        if let Some(found) = special.or_else(|| self.find(word)) {
            return found.to_owned();
        }
        if let Some(owner) = word.strip_suffix("'s").or_else(|| word.strip_suffix("s'")) {
            return with_s(self.word(owner, false));
        }
        // Plurals and past tenses of known words are safer than rules.
        if let Some(found) = word.strip_suffix('s').and_then(|stem| self.find(stem)) {
            return with_s(found.to_owned());
        }
        self.by_letters(word)
    }

    fn begins_with_vowel(&self, item: Option<&Item>) -> bool {
        match item {
            Some(Item::Word(word)) => {
                self.word(word, false).split([' ', '-']).next().is_some_and(is_vowel)
            }
            Some(Item::Letter(letter)) => "aefhilmnorsx".contains(*letter),
            _ => false,
        }
    }

    fn find(&self, word: &str) -> Option<&str> {
        let line = |&start: &u32| {
            let rest = &self.lexicon[start as usize..];
            rest.split_once('\n').map_or(rest, |(line, _)| line)
        };
        let key = |start: &u32| line(start).split_once('\t').map_or("", |(word, _)| word);
        let index = self.lines.binary_search_by(|start| key(start).cmp(word)).ok()?;
        line(&self.lines[index]).split_once('\t').map(|(_, sounds)| sounds)
    }

    /// The sounds that the letters of a word suggest.
    fn by_letters(&self, word: &str) -> String {
        let letters: String = word.chars().filter(char::is_ascii_lowercase).collect();
        let padded = format!("####{letters}####");
        let mut sounds: Vec<&str> = Vec::new();
        for centre in 4..4 + letters.len() {
            let rule = WINDOWS.iter().find_map(|&(left, right)| {
                let before = &padded[centre - left..centre];
                let after = &padded[centre + 1..=centre + right];
                self.rules.get(&format!("{before}\t{}\t{after}", &padded[centre..=centre]))
            });
            for sound in rule.map_or("", String::as_str).split_whitespace() {
                // A doubled letter is one sound.
                if sounds.last() != Some(&sound) || is_vowel(sound) {
                    sounds.push(sound);
                }
            }
        }
        syllables(&sounds)
    }

    fn spell(&self, sounds: &mut Vec<Sound>, spoken: &str, function: bool) {
        let offset = if function { 3 } else { 0 };
        for (index, syllable) in spoken.split('-').enumerate() {
            for (place, name) in syllable.split_whitespace().enumerate() {
                let mark = match (index, place) {
                    (0, 0) => 2,
                    (_, 0) => 1,
                    _ => 0,
                };
                self.push(sounds, name, mark + offset);
            }
        }
    }

    fn push(&self, sounds: &mut Vec<Sound>, name: &str, mark: i64) {
        if let Some(&id) = self.ids.get(name) {
            sounds.push(Sound { id, mark });
        }
    }
}

fn is_vowel(sound: &str) -> bool {
    VOWELS.contains(&format!(" {} ", sound.trim_end_matches('1')))
}

/// The plural or possessive of a pronunciation.
fn with_s(mut spoken: String) -> String {
    let last = spoken.rsplit([' ', '-']).next().unwrap_or("");
    let ending = match last {
        "s" | "z" | "sh" | "zh" | "ch" | "jh" => " ax z",
        "p" | "t" | "k" | "f" | "th" => " s",
        _ => " z",
    };
    spoken.push_str(ending);
    spoken
}

/// Cuts sounds into syllables, each beginning with as many consonants as it can, and sees to it that
/// one of them is stressed.
fn syllables(sounds: &[&str]) -> String {
    let vowels: Vec<usize> = (0..sounds.len()).filter(|&i| is_vowel(sounds[i])).collect();
    let stressed = sounds.iter().any(|sound| sound.ends_with('1'));
    let to_stress = vowels
        .iter()
        .copied()
        .find(|&i| !stressed && sounds[i] != "ax")
        .or_else(|| vowels.first().copied().filter(|_| !stressed));
    let mut begins = Vec::new();
    for pair in vowels.windows(2) {
        let begin = (pair[0] + 1..pair[1])
            .find(|&i| {
                let onset = &sounds[i..pair[1]];
                onset.len() == 1 && onset[0] != "ng"
                    || ONSETS.contains(&format!("|{}|", onset.join(" ")))
            })
            .unwrap_or(pair[1]);
        begins.push(begin);
    }
    let mut spoken = String::new();
    for (i, sound) in sounds.iter().enumerate() {
        if i > 0 {
            spoken.push(if begins.contains(&i) { '-' } else { ' ' });
        }
        spoken.push_str(sound);
        if to_stress == Some(i) {
            spoken.push('1');
        }
    }
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pronouncer() -> Pronouncer {
        let lexicon = "a\tax\na/n\tey1\nb\tb iy1\nroom\tr uw1 m\nuse\ty uw1 s\nuse/v\ty uw1 z\n";
        let letters = "\ta\t\tae1\n\tb\t\tb\n\tn\t\tn\n\tt\t\tt\n\tc\t\tk\nc\th\t\t\n\tc\th\tch\n";
        let names = [
            "begin", "fall", "hold", "rise", "b", "r", "m", "uw1", "y", "s", "z", "ax", "ey1",
            "iy1",
        ];
        Pronouncer::new(lexicon.into(), letters, &names.map(String::from))
            .expect("it is well-formed")
    }

    #[test]
    fn words_come_from_the_dictionary_first() {
        let pronouncer = pronouncer();
        assert_eq!(pronouncer.word("room", false), "r uw1 m");
        assert_eq!(pronouncer.word("rooms", false), "r uw1 m z");
        assert_eq!(pronouncer.word("room's", false), "r uw1 m z");
        assert_eq!(pronouncer.word("use", false), "y uw1 s");
        assert_eq!(pronouncer.word("use", true), "y uw1 z");
    }

    #[test]
    fn unknown_words_are_read_letter_by_letter() {
        assert_eq!(pronouncer().word("banatch", false), "b ae1-n ae1 t ch");
        assert_eq!(pronouncer().word("xyz", false), "");
    }

    #[test]
    fn sentences_become_numbers() {
        let items = [
            Item::Word("a".into()),
            Item::Word("room".into()),
            Item::Letter('b'),
            Item::Pause(Tone::Fall),
        ];
        let sounds: Vec<(i64, i64)> =
            pronouncer().sounds(&items).iter().map(|sound| (sound.id, sound.mark)).collect();
        assert_eq!(sounds, [(0, 0), (11, 5), (5, 2), (7, 0), (6, 0), (4, 2), (13, 0), (1, 0)]);
    }

    #[test]
    fn syllables_begin_with_what_can_begin_a_word() {
        assert_eq!(syllables(&["eh", "k", "s", "t", "r", "ax"]), "eh1 k-s t r ax");
        assert_eq!(syllables(&["s", "ih", "ng", "er"]), "s ih1 ng-er");
        assert_eq!(syllables(&[]), "");
    }

    #[test]
    fn a_bad_dictionary_is_refused() {
        let load = |text: &str| Pronouncer::new(text.into(), "", &[]);
        assert!(load("b\tb\na\ta\n").is_err());
        assert!(load("b b\n").is_err());
    }
}
