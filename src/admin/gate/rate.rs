//! How often requests may come: a token bucket.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A bucket that holds `burst` tokens and gets one each `interval`.
#[derive(Debug)]
pub(super) struct Rate {
    interval: Duration,
    burst: f64,
    /// Tokens, and when they were counted.
    state: Mutex<(f64, Instant)>,
}

impl Rate {
    pub(super) fn new(interval: Duration, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self { interval, burst, state: Mutex::new((burst, Instant::now())) }
    }

    /// Takes a token; `false` if there is none.
    pub(super) fn takes(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(state.1).as_secs_f64();
        let tokens = (state.0 + since / self.interval.as_secs_f64()).min(self.burst);
        let takes = tokens >= 1.0;
        *state = (if takes { tokens - 1.0 } else { tokens }, now);
        takes
    }

    /// When it is worth asking again, in whole seconds.
    pub(super) fn retry_after_s(&self) -> u64 {
        self.interval.as_secs().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let rate = Rate::new(Duration::from_secs(1), 3);
        let begin = Instant::now();
        let taken = (0..5).filter(|_| rate.takes(begin)).count();
        assert_eq!(taken, 3);
        assert!(!rate.takes(begin + Duration::from_millis(900)));
        assert!(rate.takes(begin + Duration::from_millis(1_100)));
        assert!(!rate.takes(begin + Duration::from_millis(1_200)));
        let late = begin + Duration::from_mins(1);
        assert_eq!((0..9).filter(|_| rate.takes(late)).count(), 3);
    }
}
