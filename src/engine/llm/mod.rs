//! The language model and what it knows.

mod board;
mod casing;
mod chat;
mod decoder;
mod guide;
mod retrieve;
mod site;
mod splitter;
mod words;

pub use chat::{Chat, Pace};
pub use decoder::Decoder;
pub use retrieve::{Found, Retrieval};
pub use site::{Answer, Fact, Hours, Person, Room, Site};
pub use splitter::Splitter;
pub use words::Words;
