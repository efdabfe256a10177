//! One answer while it is being made and heard.

use std::time::{Duration, Instant};

use super::words::is_echo;
use crate::{
    flow::Turn,
    journal::{End, Report},
    media::Request,
};

/// One answer while it is being made and heard.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) turn: Turn,
    pub(super) request: Request,
    pub(super) heard: String,
    pub(super) said: String,
    /// The sentences that were heard to their end.
    pub(super) sentences: Vec<String>,
    /// The sentence that is sounding, or has sounded last.
    pub(super) saying: String,
    /// Whether this answer is itself an apology, for which nobody apologises.
    pub(super) apology: bool,
    /// Since when it is quieter, because somebody may be speaking.
    pub(super) ducked: Option<Instant>,
}

impl Exchange {
    /// Whether `text` may be this answer's own sound that has come back through the microphone.
    pub(super) fn is_echo(&self, text: &str) -> bool {
        let before = self.sentences.last().map(String::as_str).unwrap_or_default();
        is_echo(text, &format!("{before} {}", self.saying))
    }

    /// How long this answer has been sounding.
    pub(super) fn sounding_for(&self, now: Instant) -> Option<Duration> {
        let first = self.turn.asked() + self.turn.times().first_sound.get()?;
        Some(now.saturating_duration_since(first))
    }

    pub(super) fn report(self, end: End) -> Report {
        let times = self.turn.times();
        Report {
            heard: self.heard,
            answer: self.said,
            end,
            steps: times.steps(),
            first_sound: times.first_sound.get(),
            apology: self.apology,
        }
    }
}
