//! What the screen shows beside the face: plain data, from the conversation to the painter.

use crate::flow::Item;

/// Everything that the screen shows beside the face.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// What the kiosk is doing; shown without words.
    pub mood: Mood,
    /// What the visitor has said, or is saying; empty when there is nothing to show.
    pub heard: String,
    /// The sentence of ours that is sounding, or has sounded last; empty when there is nothing to show.
    pub said: String,
    /// What is better read than heard.
    pub board: Option<Board>,
    /// Whether the microphone is switched off.
    pub muted: bool,
    /// Devices that the visitor would miss: the screen says what does not work.
    pub missing: Missing,
    /// Whether nobody has been here for a while: the screen may be darker.
    pub dimmed: bool,
    /// The language of the few words that the screen has of its own.
    pub language: Language,
}

impl Item for Scene {}

/// What the kiosk is doing, as far as a visitor can see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mood {
    /// Nobody is there.
    #[default]
    Alone,
    /// Somebody is there; the kiosk would hear them.
    Listening,
    /// Somebody speaks.
    Hearing,
    /// The answer is on its way.
    Thinking,
    /// The answer sounds.
    Speaking,
}

/// What is better read than heard: directions, names, times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// What it is about: a room, a person.
    pub title: String,
    /// What there is to know, a line each.
    pub lines: Vec<String>,
}

/// Knows what is better read than heard.
pub trait Boards: std::fmt::Debug + Send + Sync {
    /// What belongs on the screen while `sentence` is said; `None` where hearing it is enough.
    fn board(&self, sentence: &str) -> Option<Board>;
}

/// Devices that do not work at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The kiosk hears nothing.
    pub microphone: bool,
    /// The kiosk is silent.
    pub speaker: bool,
    /// The kiosk sees nothing.
    pub camera: bool,
}

/// The language of the words on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }
}
