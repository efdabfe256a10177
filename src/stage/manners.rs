//! How the kiosk behaves.

use std::{sync::Arc, time::Duration};

use crate::scene::{Boards, Language};

/// How the kiosk behaves.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Said to somebody who has just come; empty says nothing.
    pub greeting: String,
    /// Who was greeted less than this ago, and is back, is not greeted again.
    pub regreet: Duration,
    /// Said when the machine could not answer.
    pub apology: String,
    /// Whether speech may interrupt an answer at all.
    pub barge_in: bool,
    /// In this first part of an answer only words interrupt it, and not mere speech.
    pub guard: Duration,
    /// Speech that has lasted so long interrupts an answer even while no word of it is known.
    pub persist: Duration,
    /// An answer that was made quieter for sound in which nobody said anything is loud again after this.
    pub duck: Duration,
    /// What always silences the kiosk, and is not answered.
    pub stop_words: Vec<String>,
    /// Without this nobody who was silent so far is answered; empty means that everybody is.
    pub wake_word: String,
    /// Whether the microphone is on only while the talk key is held.
    pub push_to_talk: bool,
    /// Whether the microphone is off at first.
    pub muted: bool,
    /// Messages that are remembered.
    pub history: usize,
    /// After this long without a word the visitor has left, and what was said is forgotten.
    pub forget: Duration,
    /// After this long without anybody the screen gets darker.
    pub dim: Duration,
    /// The language of the words that the screen has of its own.
    pub language: Language,
    /// How loud the voice is, as a factor of its samples.
    pub loudness: f32,
    /// What is better read than heard.
    pub boards: Option<Arc<dyn Boards>>,
}

impl Default for Manners {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            greeting: String::new(),
            regreet: s(60),
            apology: String::new(),
            barge_in: true,
            guard: s(2),
            persist: Duration::from_millis(400),
            duck: Duration::from_millis(1500),
            stop_words: Vec::new(),
            wake_word: String::new(),
            push_to_talk: false,
            muted: false,
            history: 6,
            loudness: 1.0,
            forget: s(60),
            dim: s(120),
            language: Language::English,
            boards: None,
        }
    }
}
