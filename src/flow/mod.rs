//! How things travel: what is still wanted, over which links, on which threads, at what time.

mod turn;

pub use turn::{Turn, Turns};
