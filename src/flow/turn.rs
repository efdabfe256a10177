//! What is still wanted: one number says which turn lives, and everything older is stale.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The one place that begins and cancels turns.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    live: Arc<AtomicU64>,
}

impl Turns {
    /// Begins a turn; whatever was in flight for an earlier one is dropped where it stands.
    pub fn begin(&self) -> Turn {
        let number = self.live.fetch_add(1, Ordering::AcqRel) + 1;
        Turn { number, live: Arc::clone(&self.live) }
    }

    /// Ends the current turn without beginning another.
    pub fn cancel(&self) {
        self.live.fetch_add(1, Ordering::AcqRel);
    }
}

/// One exchange: something heard and its answer.
#[derive(Clone, Debug)]
pub struct Turn {
    number: u64,
    live: Arc<AtomicU64>,
}

impl Turn {
    /// Whether the work is still wanted.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire) == self.number
    }

    /// Which turn since the start this is.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Turn {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_turn_lives() {
        let turns = Turns::default();
        let first = turns.begin();
        assert!(first.is_live());
        let second = turns.begin();
        assert!(!first.is_live());
        assert!(second.is_live());
        turns.cancel();
        assert!(!second.is_live());
        assert_ne!(first, second);
    }
}
