//! What words mean to the conversation before any model has thought about them: stop, our own voice,
//! and the word that wakes us.

/// The words of `text` without punctuation, in lower case; each Chinese character is one.
pub fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if is_ideograph(character) {
            found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            found.push(character.to_string());
        } else if character.is_alphanumeric() || (character == '\'' && !word.is_empty()) {
            word.extend(character.to_lowercase());
        } else if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
    }
    found.extend((!word.is_empty()).then_some(word));
    found
}

/// Whether this is a character of Chinese: one that is a word of its own.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Words that people put around a request without changing it.
const POLITE: &[&str] =
    &["please", "ok", "okay", "now", "just", "oh", "hey", "and", "you", "请", "吧", "了"];

/// Whether `text` asks for silence: one of `stops`, with nothing around it but what is polite.
pub fn is_stop(text: &str, stops: &[String]) -> bool {
    let plain = |text: &str| {
        let mut words = words(text);
        words.retain(|word| !POLITE.contains(&word.as_str()));
        words
    };
    let said = plain(text);
    // "stop stop stop" is one word often.
    !said.is_empty()
        && stops.iter().any(|stop| {
            let stop = plain(stop);
            !stop.is_empty() && said.chunks(stop.len()).all(|chunk| chunk == stop)
        })
}

/// Whether `text` may be our own voice that has come back through the microphone: all of its words
/// occur, in this order, in what we are saying.
pub fn is_echo(text: &str, ours: &str) -> bool {
    let ours = words(ours);
    let mut rest = ours.iter();
    let said = words(text);
    !said.is_empty() && said.iter().all(|word| rest.any(|own| own == word))
}

/// What follows the wake word in `text`; `None` without it. One letter in four may be misheard.
pub fn after_wake_word(text: &str, wake: &str) -> Option<String> {
    let (said, wake) = (words(text), words(wake));
    if wake.is_empty() {
        return Some(text.to_owned());
    }
    let near = |heard: &[String]| {
        let (heard, wake) = (heard.concat(), wake.concat());
        strsim::levenshtein(&heard, &wake) * 4 <= wake.chars().count()
    };
    let place = said.windows(wake.len()).position(near)?;
    Some(said[place + wake.len()..].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_in_both_languages() {
        assert_eq!(words("Don't stop, Mira!"), ["don't", "stop", "mira"]);
        assert_eq!(words("请停 OK。"), ["请", "停", "ok"]);
        assert!(words(" … ").is_empty());
    }

    #[test]
    fn stop_means_stop_and_a_question_about_the_bus_stop_does_not() {
        let stops: Vec<String> = ["stop", "be quiet", "停", "别说了"].map(str::to_owned).into();
        for text in ["stop", "Stop, please!", "stop stop", "okay be quiet now", "停！", "别说了"]
        {
            assert!(is_stop(text, &stops), "{text}");
        }
        for text in ["", "where is the bus stop", "be", "don't stop", "几点停车"] {
            assert!(!is_stop(text, &stops), "{text}");
        }
    }

    #[test]
    fn our_own_voice_is_told_from_a_visitor() {
        let ours = "The Training Room is on the second floor, left of the lift.";
        assert!(is_echo("the training", ours));
        assert!(is_echo("room is on second", ours));
        assert!(!is_echo("where is the training room", ours));
        assert!(!is_echo("floor second", ours), "in another order");
        assert!(!is_echo("", ours));
    }

    #[test]
    fn the_wake_word_may_be_misheard_a_little() {
        let rest = |text| after_wake_word(text, "hello mira");
        assert_eq!(rest("hello mira where is the lift"), Some("where is the lift".into()));
        assert_eq!(rest("um hello mera"), Some(String::new()));
        assert_eq!(rest("where is the lift"), None);
        assert_eq!(after_wake_word("anything", ""), Some("anything".into()));
    }
}
