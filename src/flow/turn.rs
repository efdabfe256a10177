//! What is still wanted: one number says which turn lives, and everything older is stale.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

#[derive(Debug)]
struct Live {
    number: AtomicU64,
    /// When the number last changed: from then on the older turn is not wanted.
    changed: Mutex<Instant>,
}

impl Live {
    fn advance(&self) -> u64 {
        let number = self.number.fetch_add(1, Ordering::AcqRel) + 1;
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        number
    }
}

/// The one place that begins and cancels turns.
#[derive(Clone, Debug)]
pub struct Turns {
    live: Arc<Live>,
}

impl Default for Turns {
    fn default() -> Self {
        let live = Live { number: AtomicU64::new(0), changed: Mutex::new(Instant::now()) };
        Self { live: Arc::new(live) }
    }
}

impl Turns {
    /// Begins the turn that answers what was asked until `asked`; whatever was in flight for an
    /// earlier one is dropped where it stands.
    pub fn begin(&self, asked: Instant) -> Turn {
        let number = self.live.advance();
        Turn { number, asked, live: Arc::clone(&self.live), times: Arc::default() }
    }

    /// Ends the current turn without beginning another.
    pub fn cancel(&self) {
        self.live.advance();
    }
}

/// One exchange: something heard and its answer.
#[derive(Clone, Debug)]
pub struct Turn {
    number: u64,
    asked: Instant,
    live: Arc<Live>,
    times: Arc<Times>,
}

impl Turn {
    /// Whether the work is still wanted.
    pub fn is_live(&self) -> bool {
        self.live.number.load(Ordering::Acquire) == self.number
    }

    /// Since when a newer turn, or a cancellation, has made this one stale; for a live turn, when
    /// it began.
    pub fn stale_since(&self) -> Instant {
        *self.live.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which turn since the start this is.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When the visitor had finished asking.
    pub fn asked(&self) -> Instant {
        self.asked
    }

    /// What each step took; the stages fill it in as the turn passes them.
    pub fn times(&self) -> &Times {
        &self.times
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Turn {}

/// What the steps of a turn took.
#[derive(Debug, Default)]
pub struct Times {
    /// End of speech → the end of speech was decided.
    pub pause: Time,
    /// End of speech decided → its text.
    pub asr: Time,
    /// Request → first token.
    pub llm_first_token: Time,
    /// Request → last token.
    pub llm: Time,
    /// First sentence → its first sound.
    pub tts_first: Time,
    /// All work of the voice.
    pub tts: Time,
    /// All work of the mouth.
    pub face: Time,
    /// End of speech → first sound.
    pub first_sound: Time,
}

impl Times {
    /// Name and value of every step that has happened, in the order of the flow.
    pub fn steps(&self) -> Vec<(&'static str, Duration)> {
        [
            ("pause", &self.pause),
            ("asr", &self.asr),
            ("llm_first_token", &self.llm_first_token),
            ("llm", &self.llm),
            ("tts_first", &self.tts_first),
            ("tts", &self.tts),
            ("face", &self.face),
        ]
        .into_iter()
        .filter_map(|(name, time)| time.get().map(|time| (name, time)))
        .collect()
    }
}

/// A duration that one thread adds to and another reads, to the microsecond.
#[derive(Debug, Default)]
pub struct Time(AtomicU64);

impl Time {
    /// Adds to it.
    pub fn add(&self, time: Duration) {
        // One more, so that a step that took no time is told from one that has not happened.
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 2);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |so_far| {
            Some(so_far.max(1).saturating_add(micros))
        });
    }

    /// What has been added; `None` if nothing ever was.
    pub fn get(&self) -> Option<Duration> {
        self.0.load(Ordering::Acquire).checked_sub(1).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_turn_lives() {
        let turns = Turns::default();
        let first = turns.begin(Instant::now());
        assert!(first.is_live());
        let second = turns.begin(Instant::now());
        assert!(!first.is_live());
        assert!(second.is_live());
        turns.cancel();
        assert!(!second.is_live());
        assert_ne!(first, second);
        assert!(second.stale_since() >= second.asked());
    }

    #[test]
    fn a_step_that_took_no_time_has_happened() {
        let time = Time::default();
        assert_eq!(time.get(), None);
        time.add(Duration::ZERO);
        assert_eq!(time.get(), Some(Duration::ZERO));
        time.add(Duration::from_millis(2));
        time.add(Duration::from_millis(3));
        assert_eq!(time.get(), Some(Duration::from_millis(5)));
    }
}
