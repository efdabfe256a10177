//! What time it is in the answer: sound is the clock, pictures follow.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Turn;

/// How much of the sounding turn has been heard.
#[derive(Clone, Debug, Default)]
pub struct AudioClock {
    mark: Arc<Mutex<Option<Mark>>>,
}

#[derive(Clone, Debug)]
struct Mark {
    turn: u64,
    /// Heard at `taken`, counted from the first sound of the turn.
    heard: Duration,
    /// Written so far: the clock cannot be later than this.
    written: Duration,
    taken: Instant,
}

impl AudioClock {
    /// Says that of `written` all but `delay` has been heard at `now`.
    pub fn set(&self, turn: &Turn, written: Duration, delay: Duration, now: Instant) {
        let heard = written.saturating_sub(delay);
        let mark = Mark { turn: turn.number(), heard, written, taken: now };
        *self.mark.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
    }

    /// Says that nothing sounds.
    pub fn stop(&self) {
        *self.mark.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How much of `turn` has been heard at `now`, extrapolated from the last mark, also to shortly
    /// before it; `None` while another turn, or nothing, sounds.
    pub fn heard(&self, turn: &Turn, now: Instant) -> Option<Duration> {
        let mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let heard = match now.checked_duration_since(mark.taken) {
            Some(later) => mark.heard + later,
            None => mark.heard.saturating_sub(mark.taken.saturating_duration_since(now)),
        };
        (mark.turn == turn.number()).then(|| heard.min(mark.written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Turns;

    #[test]
    fn the_clock_runs_between_marks_and_never_past_what_was_written() {
        let (clock, turns, now) = (AudioClock::default(), Turns::default(), Instant::now());
        let turn = turns.begin(now);
        let ms = Duration::from_millis;
        assert_eq!(clock.heard(&turn, now), None);
        clock.set(&turn, ms(100), ms(80), now);
        assert_eq!(clock.heard(&turn, now), Some(ms(20)));
        assert_eq!(clock.heard(&turn, now + ms(30)), Some(ms(50)));
        assert_eq!(clock.heard(&turn, now + ms(500)), Some(ms(100)));
        clock.set(&turn, ms(200), ms(80), now + ms(100));
        assert_eq!(clock.heard(&turn, now + ms(90)), Some(ms(110)));
        assert_eq!(clock.heard(&turn, now), Some(ms(20)));
        assert_eq!(clock.heard(&turns.begin(now), now), None);
        clock.stop();
        assert_eq!(clock.heard(&turn, now), None);
    }
}
