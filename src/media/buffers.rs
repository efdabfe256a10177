//! Memory of pictures that is used again once nobody shows them any more.

use std::sync::Arc;

/// Pixels that others may still look at, and what their painter knows of them.
#[derive(Debug)]
pub struct Buffer<T> {
    /// Bytes of a whole picture.
    pub pixels: Arc<Vec<u8>>,
    /// The painter's knowledge.
    pub state: T,
}

/// At most `N` buffers, so that nothing is allocated as long as fewer than `N` pictures are held.
#[derive(Debug)]
pub struct Buffers<T, const N: usize> {
    held: Vec<Buffer<T>>,
    latest: usize,
}

impl<T, const N: usize> Default for Buffers<T, N> {
    fn default() -> Self {
        Self { held: Vec::new(), latest: 0 }
    }
}

impl<T, const N: usize> Buffers<T, N> {
    /// Whether nothing has been drawn yet.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What the painter knows of each buffer.
    pub fn states(&mut self) -> impl Iterator<Item = &mut T> {
        self.held.iter_mut().map(|buffer| &mut buffer.state)
    }

    /// A buffer that nobody else holds, to draw the next picture into: the latest one if possible, as it
    /// needs the fewest changes, or a `fresh` one.
    pub fn next(&mut self, fresh: impl FnOnce() -> Buffer<T>) -> &mut Buffer<T> {
        let free = |buffer: &mut Buffer<T>| Arc::get_mut(&mut buffer.pixels).is_some();
        if !self.held.get_mut(self.latest).is_some_and(free) {
            self.latest = match self.held.iter_mut().position(free) {
                Some(index) => index,
                None if self.held.len() < N => {
                    self.held.push(fresh());
                    self.held.len() - 1
                }
                None => {
                    // Somebody keeps them all: let go of one.
                    let index = (self.latest + 1) % N;
                    self.held[index] = fresh();
                    index
                }
            };
        }
        &mut self.held[self.latest]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Buffer<u32> {
        Buffer { pixels: Arc::new(vec![0; 4]), state: 0 }
    }

    #[test]
    fn a_buffer_is_used_again_only_when_nobody_looks_at_it() {
        let mut buffers = Buffers::<u32, 2>::default();
        assert!(buffers.is_empty());
        let first = Arc::clone(&buffers.next(fresh).pixels);
        let second = Arc::clone(&buffers.next(fresh).pixels);
        assert!(!Arc::ptr_eq(&first, &second));
        // Both are held: a third takes the place of one of them, and what is held stays as it is.
        assert!(!Arc::ptr_eq(&buffers.next(fresh).pixels, &first));
        assert_eq!(buffers.states().count(), 2);
        drop(second);
        let third = Arc::as_ptr(&buffers.next(fresh).pixels);
        assert_eq!(third, Arc::as_ptr(&buffers.next(fresh).pixels), "the latest is free");
    }
}
