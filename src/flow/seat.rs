//! What a stage uses and somebody else may replace while it runs: at the stage's next pause, not before.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// What is to take somebody's seat.
pub struct Successor<T>(Arc<Mutex<Option<T>>>);

impl<T> Successor<T> {
    /// Names the next one; an earlier one that has not sat down yet is dropped.
    pub fn put(&self, next: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
}

impl<T> Clone for Successor<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Successor<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Successor").finish_non_exhaustive()
    }
}

/// A place for something that can be replaced.
pub struct Seat<T> {
    sits: T,
    next: Successor<T>,
}

impl<T> From<T> for Seat<T> {
    fn from(sits: T) -> Self {
        Self { sits, next: Successor(Arc::default()) }
    }
}

impl<T> fmt::Debug for Seat<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Seat").finish_non_exhaustive()
    }
}

impl<T> Seat<T> {
    /// Who names the next one.
    pub fn successor(&self) -> Successor<T> {
        self.next.clone()
    }

    /// Lets the next one sit down, if there is one; for pauses. Whether one did.
    pub fn relieve(&mut self) -> bool {
        let next = self.next.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        next.map(|next| self.sits = next).is_some()
    }

    /// Who sits there.
    pub fn now(&mut self) -> &mut T {
        &mut self.sits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_sits_down_at_a_pause() {
        let mut seat = Seat::from(1);
        let successor = seat.successor();
        assert!(!seat.relieve());
        successor.put(2);
        successor.put(3);
        assert_eq!(*seat.now(), 1);
        assert!(seat.relieve());
        assert_eq!(*seat.now(), 3);
        assert!(!seat.relieve());
    }
}
