//! When to look for a card that is away, and how time passes meanwhile.

use std::time::{Duration, Instant};

/// Between two looks: short for a person with a plug in the hand, long for a processor.
const LOOK: Duration = Duration::from_millis(500);

/// Paces a device that is away.
#[derive(Debug, Default)]
pub(super) struct Seek {
    next: Option<Instant>,
    /// When what was asked for last would have been done.
    due: Option<Instant>,
}

impl Seek {
    /// The card was lost just now; the kernel needs a moment to see that it is gone.
    pub(super) fn begin(&mut self, now: Instant) {
        self.next = Some(now + LOOK);
        self.due = Some(now);
    }

    /// Whether it is time to look for it.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        let is_time = self.next.is_none_or(|next| now >= next);
        if is_time {
            self.next = Some(now + LOOK);
        }
        is_time
    }

    /// When work of this length, begun now, would be done; work that is already late is not waited for.
    pub(super) fn until(&mut self, now: Instant, length: Duration) -> Instant {
        let begun = self.due.filter(|due| *due + LOOK > now).unwrap_or(now).min(now + LOOK);
        let due = begun + length;
        self.due = Some(due);
        due
    }

    /// Lets the time pass that the work would have taken.
    pub(super) fn pass(&mut self, length: Duration) {
        let now = Instant::now();
        // Stands in for waiting on hardware, which only devices do.
        std::thread::sleep(self.until(now, length).saturating_duration_since(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_looked_for_twice_a_second() {
        let now = Instant::now();
        let mut seek = Seek::default();
        seek.begin(now);
        let looks = (0..100).filter(|step| seek.look(now + Duration::from_millis(32) * *step));
        assert_eq!(looks.count(), 6);
    }

    #[test]
    fn work_takes_its_time_though_nothing_is_done() {
        let (now, ms) = (Instant::now(), Duration::from_millis);
        let mut seek = Seek::default();
        seek.begin(now);
        assert_eq!(seek.until(now, ms(10)), now + ms(10));
        assert_eq!(seek.until(now + ms(3), ms(10)), now + ms(20));
        // Whoever comes late goes on from there, and whoever comes very late does not hurry.
        assert_eq!(seek.until(now + ms(40), ms(10)), now + ms(30));
        assert_eq!(seek.until(now + ms(4_000), ms(10)), now + ms(4_010));
    }
}
