//! Guided answers: the model chooses among sentences that the site's facts support, and says nothing else.
//!
//! A model of two million parameters that was trained for an hour cannot be trusted to copy a name or a
//! time. So its answer is held to complete sentences: those of the facts that fit the question, the polite
//! ones below, or that it does not know. A larger model speaks freely (engine `decoder`).

use super::{retrieve::Found, site::Site};

/// What is said when no fact fits.
pub(super) const DECLINE: &str = "I am sorry, I do not know that.";

/// What a question must share with a fact, as a part of what it says, for the fact to be an answer.
const COVERED: f32 = 0.6;

/// Words that may stand around a greeting or a question without changing it.
const FILLERS: &str =
    "um uh er well so okay please oh excuse me sorry there now then very much a lot so";

/// Questions that need no fact, and their answers; `{assistant}` and `{site}` stand for names.
const COURTESIES: &[(&str, &str)] = &[
    (
        "hello|hi|hey|good morning|good afternoon|good evening|greetings|morning|good day|hello hello",
        "Hello, welcome to {site}. How can I help you?",
    ),
    ("thanks|thank you|many thanks|great thank you|perfect thanks|cheers", "You are welcome."),
    (
        "goodbye|bye|bye bye|see you|see you later|good night|have a nice day|take care",
        "Goodbye, have a nice day.",
    ),
    (
        "who are you|what are you|introduce yourself|who am i talking to",
        "I am {assistant}, the digital receptionist of {site}.",
    ),
    ("what is your name|what's your name|your name|what are you called", "My name is {assistant}."),
    (
        "are you a robot|are you human|are you real|are you a person|are you a computer",
        "I am a digital receptionist, not a person.",
    ),
    ("how are you|how are you today|how do you do", "I am fine, thank you. How can I help you?"),
    (
        "stop|stop it|be quiet|stop talking|enough|that is enough|never mind|forget it|cancel|wait",
        "Okay.",
    ),
    (
        "what can you do|can you help me|help|i need help|what can i ask you|i have a question",
        "You can ask me about rooms, people and opening hours.",
    ),
];

/// Ways to ask for the last answer again.
const REPEATS: &str = "repeat that|can you repeat that|say that again|what did you say|pardon|come again|\
    please repeat|once more|could you say that again|i did not hear you|i did not understand|again|what was that";

/// Everything that may be said to a question, likeliest first, with how well it fits (0 to 1).
pub(super) fn candidates(
    site: &Site,
    question: &str,
    last_answer: &str,
    found: &[Found<'_>],
) -> Vec<(String, f32)> {
    let plain = plain(question);
    let is = |list: &str| list.split('|').any(|phrase| phrase == plain);
    if is(REPEATS) && !last_answer.is_empty() {
        return vec![(last_answer.to_owned(), 1.0)];
    }
    if let Some((_, answer)) = COURTESIES.iter().find(|(phrases, _)| is(phrases)) {
        let answer = answer.replace("{assistant}", &site.assistant).replace("{site}", &site.name);
        return vec![(answer, 1.0)];
    }
    // Hours differ from day to day, so all of them are said.
    let hours: Vec<&str> =
        found.iter().filter(|found| found.hours).map(|found| found.fact.say.as_str()).collect();
    if !hours.is_empty() && found.first().is_some_and(|first| first.hours) {
        return vec![(hours.join(" "), 1.0)];
    }
    let fitting =
        found.iter().filter(|found| found.kind && found.named && found.covered >= COVERED);
    let mut sentences: Vec<(String, f32)> =
        fitting.map(|found| (found.fact.say.clone(), found.score)).collect();
    if sentences.is_empty() {
        sentences.push((DECLINE.to_owned(), 1.0));
    }
    sentences
}

/// The question in lower case without punctuation and without fillers at its ends.
fn plain(question: &str) -> String {
    let text = question.to_lowercase();
    let mut words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .collect();
    let whole = words.join(" ");
    let known = COURTESIES.iter().map(|(phrases, _)| *phrases).chain([REPEATS]);
    if known.flat_map(|phrases| phrases.split('|')).any(|phrase| phrase == whole) {
        return whole;
    }
    let filler = |word: &&str| FILLERS.split(' ').any(|filler| filler == *word);
    while words.last().is_some_and(filler) {
        words.pop();
    }
    let start = words.iter().position(|word| !filler(word)).unwrap_or(words.len());
    words[start..].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::llm::Retrieval;

    fn answer(question: &str) -> String {
        let site = Site::sample().expect("a site");
        let retrieval = Retrieval::new(site.facts());
        candidates(&site, question, "We close at six.", &retrieval.search(question, ""))[0]
            .0
            .clone()
    }

    #[test]
    fn courtesies_need_no_fact() {
        assert!(answer("hello").starts_with("Hello, welcome to "));
        assert!(answer("Um, hi there!").starts_with("Hello, welcome to "));
        assert_eq!(answer("Thank you very much."), "You are welcome.");
        assert_eq!(answer("stop"), "Okay.");
        assert_eq!(answer("can you repeat that please"), "We close at six.");
    }

    #[test]
    fn what_the_site_does_not_say_is_not_invented() {
        for question in ["do you have a swimming pool", "what is the capital of france", ""] {
            assert_eq!(answer(question), DECLINE, "{question}");
        }
    }

    #[test]
    fn a_fact_is_said_as_the_site_says_it() {
        let answer = answer("where is the training room");
        assert!(answer.starts_with("The Training Room is "), "{answer}");
    }
}
