//! From written text to what is said: words in small letters, and pauses.

use super::numbers::{cardinal, digits, ordinal, pair, read};

/// How the melody goes at a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// The sentence goes on, as at a comma.
    Hold,
    /// The sentence ends.
    Fall,
    /// A question that wants a yes or a no ends.
    Rise,
}

/// A part of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A word of small letters and apostrophes.
    Word(String),
    /// The name of a letter of the alphabet.
    Letter(char),
    Pause(Tone),
}

/// What is said, and how many characters could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Sentences; each ends with a pause and has at least one word.
    pub(super) sentences: Vec<Vec<Item>>,
    /// Characters of scripts that this voice does not speak.
    pub(super) skipped: usize,
}

const ABBREVIATIONS: [(&str, &str); 31] = [
    ("dr.", "doctor"),
    ("mr.", "mister"),
    ("mrs.", "missus"),
    ("ms.", "miz"),
    ("prof.", "professor"),
    ("st.", "saint"),
    ("dept.", "department"),
    ("approx.", "approximately"),
    ("etc.", "et cetera"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("vs.", "versus"),
    ("tel.", "telephone"),
    ("ext.", "extension"),
    ("mon.", "monday"),
    ("tue.", "tuesday"),
    ("wed.", "wednesday"),
    ("thu.", "thursday"),
    ("fri.", "friday"),
    ("jan.", "january"),
    ("feb.", "february"),
    ("aug.", "august"),
    ("sept.", "september"),
    ("oct.", "october"),
    ("nov.", "november"),
    ("dec.", "december"),
    ("dr", "doctor"),
    ("mr", "mister"),
    ("mrs", "missus"),
    ("wi-fi", "wifi"),
    ("e-mail", "email"),
];
const UNITS: [(&str, &str, &str); 14] = [
    ("min", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("m", "meter", "meters"),
    ("km", "kilometer", "kilometers"),
    ("cm", "centimeter", "centimeters"),
    ("kg", "kilogram", "kilograms"),
    ("mb", "megabyte", "megabytes"),
    ("gb", "gigabyte", "gigabytes"),
    ("%", "percent", "percent"),
    ("°c", "degree celsius", "degrees celsius"),
    ("°f", "degree fahrenheit", "degrees fahrenheit"),
    ("°", "degree", "degrees"),
    ("s", "second", "seconds"),
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Questions that begin with one of these want more than yes or no, and fall.
const ASKING: [&str; 9] = ["who", "what", "where", "when", "why", "how", "which", "whose", "whom"];
/// A sentence longer than this is cut, so that its first sound does not wait for all of it.
const LONGEST: usize = 40;

/// Reads `text`.
pub(super) fn normalise(text: &str) -> Said {
    let mut reading = Reading::default();
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            reading.pause(Tone::Fall);
        }
        for token in line.split_whitespace() {
            reading.token(&fold(token));
        }
    }
    reading.end(Tone::Hold);
    Said { sentences: reading.sentences, skipped: reading.skipped }
}

/// Writes other forms of letters and signs in the way that the rest expects.
fn fold(token: &str) -> String {
    let mut plain = String::with_capacity(token.len());
    for c in token.chars() {
        match c {
            '’' | '‘' | 'ʼ' | '`' => plain.push('\''),
            '–' | '—' | '−' => plain.push('–'),
            '“' | '”' | '«' | '»' | '„' => plain.push('"'),
            '…' => plain.push('.'),
            '，' | '、' => plain.push(','),
            '。' => plain.push('.'),
            '？' => plain.push('?'),
            '！' => plain.push('!'),
            '：' => plain.push(':'),
            '；' => plain.push(';'),
            'à'..='å' | 'ā' | 'ą' => plain.push('a'),
            'À'..='Å' => plain.push('A'),
            'æ' => plain.push_str("ae"),
            'ç' | 'ć' | 'č' => plain.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => plain.push('e'),
            'È'..='Ë' => plain.push('E'),
            'ì'..='ï' | 'ī' => plain.push('i'),
            'ł' => plain.push('l'),
            'ñ' | 'ń' | 'ň' => plain.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => plain.push('o'),
            'Ö' | 'Ø' | 'Ó' => plain.push('O'),
            'œ' => plain.push_str("oe"),
            'ř' => plain.push('r'),
            'ß' => plain.push_str("ss"),
            'ś' | 'š' => plain.push('s'),
            'Š' => plain.push('S'),
            'ù'..='ü' | 'ū' | 'ű' => plain.push('u'),
            'Ü' => plain.push('U'),
            'ý' | 'ÿ' => plain.push('y'),
            'ź' | 'ż' | 'ž' => plain.push('z'),
            'Ž' => plain.push('Z'),
            _ => plain.push(c),
        }
    }
    plain
}

#[derive(Default)]
struct Reading {
    sentences: Vec<Vec<Item>>,
    current: Vec<Item>,
    skipped: usize,
}

impl Reading {
    fn word(&mut self, word: &str) {
        self.current.push(Item::Word(word.to_owned()));
        let words = self.current.len();
        if words >= LONGEST {
            self.end(Tone::Hold);
        }
    }

    fn words<T: AsRef<str>>(&mut self, words: impl IntoIterator<Item = T>) {
        for word in words {
            self.word(word.as_ref());
        }
    }

    fn phrase(&mut self, words: &str) {
        self.words(words.split(' '));
    }

    fn letter(&mut self, letter: char) {
        self.current.push(Item::Letter(letter.to_ascii_lowercase()));
    }

    fn last_word(&self) -> Option<&str> {
        match self.current.last() {
            Some(Item::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn pause(&mut self, tone: Tone) {
        match (tone, self.current.last()) {
            (_, None) => {}
            (Tone::Hold, Some(Item::Pause(_))) => {}
            (Tone::Hold, Some(_)) => self.current.push(Item::Pause(Tone::Hold)),
            _ => self.end(tone),
        }
    }

    /// Ends the sentence, if it has begun.
    fn end(&mut self, tone: Tone) {
        if let Some(Item::Pause(_)) = self.current.last() {
            self.current.pop();
        }
        if self.current.is_empty() {
            return;
        }
        let asking = |item: Option<&Item>| matches!(item, Some(Item::Word(word)) if ASKING.contains(&word.as_str()));
        let tone =
            if tone == Tone::Rise && asking(self.current.first()) { Tone::Fall } else { tone };
        self.current.push(Item::Pause(tone));
        self.sentences.push(std::mem::take(&mut self.current));
    }

    /// Reads one token: what stands between two spaces.
    fn token(&mut self, token: &str) {
        let token = token.trim_start_matches(['"', '\'', '(', '[', '{', '*', '_', '<', '#']);
        let mut core = token.trim_end_matches(['"', ')', ']', '}', '*', '_', '>']);
        let mut tone =
            (core.len() < token.len() && token.ends_with([')', ']'])).then_some(Tone::Hold);
        let lower = core.to_lowercase();
        if self.abbreviation(&lower, &mut tone) {
            return self.after(tone);
        }
        while let Some(sign) = core.chars().last().filter(|c| ",.;:!?\"')".contains(*c)) {
            // "9 a.m." ends with its own point.
            if sign == '.' && is_initials(core) {
                break;
            }
            tone = match (sign, tone) {
                ('?', _) => Some(Tone::Rise),
                ('.' | '!', None | Some(Tone::Hold)) => Some(Tone::Fall),
                (',' | ';' | ':', None) => Some(Tone::Hold),
                (_, tone) => tone,
            };
            core = &core[..core.len() - 1];
        }
        let lower = core.to_lowercase();
        if !self.abbreviation(&lower, &mut tone) {
            self.core(core);
        }
        self.after(tone);
    }

    fn after(&mut self, tone: Option<Tone>) {
        if let Some(tone) = tone {
            self.pause(tone);
        }
    }

    fn abbreviation(&mut self, lower: &str, tone: &mut Option<Tone>) -> bool {
        let bare = lower.trim_end_matches([',', ';', ':']);
        let Some((_, said)) = ABBREVIATIONS.iter().find(|(short, _)| *short == bare) else {
            return false;
        };
        if bare.len() < lower.len() {
            *tone = Some(Tone::Hold);
        }
        self.phrase(said);
        true
    }

    /// Reads a token without the punctuation around it.
    fn core(&mut self, core: &str) {
        match core {
            "" => {}
            "&" | "+" => self.word(if core == "&" { "and" } else { "plus" }),
            "=" => self.word("equals"),
            "–" | "-" | "--" | "/" | "|" => self.pause(Tone::Hold),
            _ if core.contains('@') && core.len() > 1 => self.address(core),
            _ if is_initials(core) => {
                core.chars().filter(|c| *c != '.').for_each(|c| self.letter(c));
            }
            _ if core.starts_with(|c: char| c.is_ascii_digit() || "$€£+-–.".contains(c))
                && core.contains(|c: char| c.is_ascii_digit()) =>
            {
                self.numeric(core);
            }
            _ => self.pieces(core),
        }
    }

    /// A mail address: the dots are said.
    fn address(&mut self, core: &str) {
        for (index, side) in core.split('@').enumerate() {
            if index > 0 {
                self.word("at");
            }
            for (index, part) in side.split('.').enumerate() {
                if index > 0 {
                    self.word("dot");
                }
                self.pieces(part);
            }
        }
    }

    /// Something that begins with a number or the sign of a currency.
    fn numeric(&mut self, core: &str) {
        let lower = core.to_lowercase();
        if self.date(&lower) || self.clock(&lower) || self.money(&lower) {
            return;
        }
        // 9-17 and 9:00–17:30 are ranges; 555-0123 and 030-1234567 are telephone numbers.
        if let Some((from, to)) = lower.split_once(['-', '–']).filter(|(from, _)| !from.is_empty())
        {
            let number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
            if number(from)
                && lower[from.len()..].chars().all(|c| c.is_ascii_digit() || c == '-')
                && (from.len() >= 3 && to.len() >= 4 || lower.matches('-').count() > 1)
            {
                for (index, group) in lower.split('-').enumerate() {
                    if index > 0 {
                        self.pause(Tone::Hold);
                    }
                    self.words(digits(group));
                }
            } else {
                self.numeric(from);
                if to.starts_with(|c: char| c.is_ascii_digit()) {
                    self.word("to");
                }
                self.core(to);
            }
            return;
        }
        let (sign, rest) = match lower.strip_prefix(['-', '–']) {
            Some(rest) => ("minus", rest),
            None => lower.strip_prefix('+').map_or(("", lower.as_str()), |rest| ("plus", rest)),
        };
        if !sign.is_empty() {
            self.word(sign);
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.'))
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        if number.len() > 4 && !number.contains([',', '.']) || sign == "plus" && number.len() > 3 {
            self.words(digits(number));
        } else if matches!(tail, "st" | "nd" | "rd" | "th") {
            self.words(ordinal(number.parse().unwrap_or(0)));
            return;
        } else {
            self.number(number);
        }
        if let Some((_, one, many)) = UNITS.iter().find(|(short, ..)| *short == tail) {
            self.phrase(if number == "1" { one } else { many });
        } else {
            self.core(tail.trim_start_matches('/'));
        }
    }

    /// Digits with thousands (1,500) or a fraction (3.25).
    fn number(&mut self, number: &str) {
        let number = number.trim_end_matches([',', '.']);
        match number.rsplit_once('.') {
            Some((whole, fraction)) => {
                self.words(if whole.is_empty() { vec!["zero"] } else { read(whole) });
                self.word("point");
                self.words(digits(fraction));
            }
            // Rooms and years are said in pairs; so is any other number of four digits.
            None => self.words(read(number)),
        }
    }

    /// 9:30, 9:30pm, 9am, 14.00 h is not known; a range is tried part by part.
    fn clock(&mut self, lower: &str) -> bool {
        let bare = lower.replace('.', "");
        let (time, half) = match bare.strip_suffix("am") {
            Some(time) => (time, Some('a')),
            None => bare.strip_suffix("pm").map_or((lower, None), |time| (time, Some('p'))),
        };
        let (hour, minute) = match time.split_once(':') {
            Some((hour, minute)) if minute.len() == 2 => (hour, minute),
            None if half.is_some() => (time, "00"),
            _ => return false,
        };
        let (Ok(hour), Ok(minute)) = (hour.parse::<u64>(), minute.parse::<u64>()) else {
            return false;
        };
        if hour > 24 || minute > 59 {
            return false;
        }
        self.words(cardinal(hour));
        match (minute, half) {
            (0, None) if hour <= 12 => self.word("o'clock"),
            (0, None) => self.word("hundred"),
            (0, Some(_)) => {}
            _ => self.words(pair(minute)),
        }
        if let Some(half) = half {
            self.letter(half);
            self.letter('m');
        }
        true
    }

    /// $4, €2.50, £1,200.
    fn money(&mut self, lower: &str) -> bool {
        let mut signs = lower.chars();
        let (one, many, part) = match signs.next() {
            Some('$') => ("dollar", "dollars", "cents"),
            Some('€') => ("euro", "euros", "cents"),
            Some('£') => ("pound", "pounds", "pence"),
            _ => return false,
        };
        let amount = signs.as_str();
        if amount.is_empty() || !amount.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        {
            return false;
        }
        let (whole, cents) = amount.split_once('.').unwrap_or((amount, ""));
        let plain: String = whole.chars().filter(char::is_ascii_digit).collect();
        let number = plain.parse().unwrap_or(0);
        self.words(cardinal(number));
        self.word(if number == 1 { one } else { many });
        match cents.parse::<u64>() {
            Ok(cents) if cents > 0 => {
                self.word("and");
                self.words(cardinal(cents));
                self.word(part);
            }
            _ => {}
        }
        true
    }

    /// 2026-11-24 and 11/24/2026.
    fn date(&mut self, lower: &str) -> bool {
        let parts: Vec<u64> = lower.split(['-', '/']).map_while(|part| part.parse().ok()).collect();
        let (year, month, day) = match parts[..] {
            [year, month, day] if year > 999 && lower.contains('-') => (year, month, day),
            [month, day, year] if year > 999 && lower.contains('/') => (year, month, day),
            _ => return false,
        };
        if lower.split(['-', '/']).count() != 3 || !(1..=31).contains(&day) {
            return false;
        }
        let Some(name) = (month as usize).checked_sub(1).and_then(|month| MONTHS.get(month)) else {
            return false;
        };
        self.word(name);
        self.words(ordinal(day));
        self.words(super::numbers::year(year));
        true
    }

    /// Letters and digits in turn, as in B12, don't, ground-floor, and/or.
    fn pieces(&mut self, core: &str) {
        let mut rest = core;
        while let Some(first) = rest.chars().next() {
            let alike: fn(char) -> bool = if first.is_ascii_alphabetic() {
                |c| c.is_ascii_alphabetic() || c == '\''
            } else if first.is_ascii_digit() {
                |c| c.is_ascii_digit()
            } else {
                |_| false
            };
            let end = rest.find(|c| !alike(c)).unwrap_or(rest.len());
            if end == 0 {
                self.sign(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let (piece, tail) = rest.split_at(end);
            if first.is_ascii_digit() {
                self.number(piece);
            } else {
                self.written_word(piece, core != piece);
            }
            rest = tail;
        }
    }

    fn sign(&mut self, sign: char) {
        match sign {
            '.' if !self.current.is_empty() => self.word("dot"),
            '&' => self.word("and"),
            '+' => self.word("plus"),
            '%' => self.word("percent"),
            ',' | ';' | ':' | '–' => self.pause(Tone::Hold),
            c if c.is_alphanumeric() || u32::from(c) > 0x2000 => self.skipped += 1,
            _ => {}
        }
    }

    /// A word as it is written; `joined` if it touches digits or signs.
    fn written_word(&mut self, word: &str, joined: bool) {
        let bare = word.trim_matches('\'');
        let capitals = bare.chars().all(|c| c.is_ascii_uppercase());
        let lower = bare.to_lowercase();
        let vowels = lower.chars().filter(|c| "aeiouy".contains(*c)).count();
        if bare.is_empty() {
        } else if bare.len() == 1
            && (joined || !"aI".contains(bare))
            && !(bare == "A" && self.current.is_empty())
        {
            lower.chars().for_each(|c| self.letter(c));
        } else if let Some((_, one, many)) = UNITS
            .iter()
            .find(|(short, ..)| *short == lower && short.len() > 1)
            .filter(|_| self.last_word().is_some_and(is_number_word))
        {
            self.phrase(if self.last_word() == Some("one") { one } else { many });
        } else if (lower == "am" || lower == "pm") && self.last_word().is_some_and(is_number_word) {
            lower.chars().for_each(|c| self.letter(c));
        } else if (2..=5).contains(&bare.len())
            && !lower.contains('\'')
            && (vowels == 0 || capitals && bare.len() <= 3 && !joined_word(&lower))
        {
            lower.chars().for_each(|c| self.letter(c));
        } else {
            self.word(&lower);
        }
    }
}

/// Short words that people write in capitals to be loud, not as initials.
fn joined_word(lower: &str) -> bool {
    [
        "no", "not", "yes", "the", "and", "all", "you", "now", "new", "free", "is", "are", "we",
        "out", "in", "one", "two",
    ]
    .contains(&lower)
}

/// "a.m.", "U.S.", "p.m".
fn is_initials(core: &str) -> bool {
    let mut parts = core.split('.').peekable();
    let mut count = 0;
    while let Some(part) = parts.next() {
        if part.is_empty() && parts.peek().is_none() && count > 1 {
            return true;
        }
        if part.len() != 1 || !part.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return false;
        }
        count += 1;
    }
    count > 1
}

fn is_number_word(word: &str) -> bool {
    word == "oh" || word.ends_with("ty") || (0..20).any(|number| cardinal(number) == [word])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let mut out = Vec::new();
        for item in normalise(text).sentences.into_iter().flatten() {
            out.push(match item {
                Item::Word(word) => word,
                Item::Letter(letter) => letter.to_uppercase().to_string(),
                Item::Pause(Tone::Hold) => ",".into(),
                Item::Pause(Tone::Fall) => ".".into(),
                Item::Pause(Tone::Rise) => "?".into(),
            });
        }
        out.join(" ")
    }

    #[test]
    fn text_is_said_as_people_say_it() {
        for (text, words) in [
            ("Hello, I'm here.", "hello , i'm here ."),
            ("It opens at 9:30.", "it opens at nine thirty ."),
            ("From 9 am to 5:30 p.m., daily", "from nine A M to five thirty P M , daily ,"),
            ("Open 9am–5pm", "open nine A M to five P M ,"),
            ("9:00-17:30", "nine o'clock to seventeen thirty ,"),
            ("Room B12 is free.", "room B twelve is free ."),
            ("Room 1203, Dr. Lee", "room twelve oh three , doctor lee ,"),
            ("It costs $4.50 or €12.", "it costs four dollars and fifty cents or twelve euros ."),
            ("On the 3rd, 24th and 1st.", "on the third , twenty fourth and first ."),
            ("2026-11-24", "november twenty fourth twenty twenty six ,"),
            ("11/24/2026!", "november twenty fourth twenty twenty six ."),
            (
                "About 3.25 km, 50% of it",
                "about three point two five kilometers , fifty percent of it ,",
            ),
            ("Call 555-0123.", "call five five five , zero one two three ."),
            ("Mail info@museum.org", "mail info at museum dot org ,"),
            ("The USB and the WC", "the U S B and the W C ,"),
            ("Are you sure? What is it?", "are you sure ? what is it ."),
            ("the well-known café (upstairs) is open", "the well known cafe upstairs , is open ,"),
            ("A guide, a map", "a guide , a map ,"),
            ("No. It isn't.", "no . it isn't ."),
            (
                "1,500 people since 1987",
                "one thousand five hundred people since nineteen eighty seven ,",
            ),
            ("\"Yes,\" she said…", "yes , she said ."),
            ("-5 degrees", "minus five degrees ,"),
            ("24/7", "twenty four seven ,"),
            ("wi-fi & e-mail", "wifi and email ,"),
        ] {
            assert_eq!(said(text), words, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_counted_and_left_out() {
        assert_eq!(normalise(""), Said::default());
        assert_eq!(normalise(" … ,, !? -- ").sentences, Vec::<Vec<Item>>::new());
        let chinese = normalise("你好 room 5 😀");
        assert_eq!((chinese.sentences.len(), chinese.skipped), (1, 3));
        assert_eq!(said("你好，room 5。"), "room five .");
    }

    #[test]
    fn nothing_is_too_strange() {
        for text in [
            "$",
            "+",
            "-",
            "--5",
            "9:",
            ":30",
            "1.2.3.4",
            "$1.2.3",
            "99:99",
            "a.b",
            "'",
            "@",
            "@@",
            "5-",
            "–7–8–",
            "1/2/3/4",
            "°",
            "0000-00-00",
            "12/0/2000",
            "’’’",
            "#",
            "5th5th",
            "1:1:1am",
            "am",
            "٣٤",
            "½",
        ] {
            normalise(text);
        }
    }

    #[test]
    fn a_sentence_without_end_is_cut() {
        let said = normalise(&"word ".repeat(2000));
        assert!(said.sentences.len() >= 50);
    }
}
