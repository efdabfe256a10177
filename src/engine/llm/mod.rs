//! The language model and what it knows.

mod splitter;

pub use splitter::Splitter;
