//! How the kiosk answers, and who may interrupt it.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scene::Language;

/// How the kiosk answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Converse {
    /// What the kiosk says to somebody who has come, as its camera sees it; without a camera, when it is
    /// ready. Empty says nothing.
    pub greeting: String,
    /// Who was greeted less than so many seconds ago, and is back, is not greeted again.
    #[schemars(range(max = 3_600))]
    pub regreet_s: u32,
    /// Let visitors speak into an answer.
    pub barge_in: bool,
    /// In this first part of an answer only words interrupt it, and not sound that is merely like
    /// speech; in milliseconds.
    #[schemars(range(max = 10_000))]
    pub guard_ms: u32,
    /// Speech that has lasted so long interrupts an answer even while no word of it is known, in
    /// milliseconds.
    #[schemars(range(min = 100, max = 10_000))]
    pub persist_ms: u32,
    /// An answer that was made quieter for sound in which nobody said anything is loud again after this,
    /// in milliseconds.
    #[schemars(range(min = 100, max = 10_000))]
    pub duck_ms: u32,
    /// What always silences the kiosk, and is not answered.
    pub stop_words: Vec<String>,
    /// With a wake word nobody is answered who has not said it in this visit; empty answers everybody.
    pub wake_word: String,
    /// After so many seconds without a word, and nobody in sight, what was said is forgotten.
    #[schemars(range(min = 5, max = 3_600))]
    pub forget_s: u32,
    /// After so many seconds without anybody the screen gets darker.
    #[schemars(range(max = 86_400))]
    pub dim_s: u32,
    /// The language of the words that the screen has of its own; a key or a touch changes it.
    pub language: ScreenLanguage,
    /// How many earlier messages the language model is reminded of; 0 makes each question the first.
    #[schemars(range(max = 50))]
    pub history: usize,
    /// The facts of the place (`site.toml`); empty takes the sample that is built in.
    pub site: PathBuf,
    /// Who the kiosk is, in the words that open every prompt; empty takes those that the language
    /// model was trained with.
    pub persona: String,
}

impl Default for Converse {
    fn default() -> Self {
        Self {
            greeting: String::new(),
            regreet_s: 60,
            barge_in: true,
            guard_ms: 2_000,
            persist_ms: 400,
            duck_ms: 1_500,
            stop_words: [
                "stop",
                "stop it",
                "stop talking",
                "be quiet",
                "停",
                "停下",
                "别说了",
                "安静",
            ]
            .map(str::to_owned)
            .into(),
            wake_word: String::new(),
            forget_s: 60,
            dim_s: 120,
            language: ScreenLanguage::default(),
            history: 6,
            site: PathBuf::new(),
            persona: String::new(),
        }
    }
}

/// The language of the words that the screen has of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ScreenLanguage {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh")]
    Chinese,
}

impl From<ScreenLanguage> for Language {
    fn from(language: ScreenLanguage) -> Self {
        match language {
            ScreenLanguage::English => Self::English,
            ScreenLanguage::Chinese => Self::Chinese,
        }
    }
}
