//! Recognition: speech becomes text.

mod beam;
mod level;
mod nemo_ctc;
mod words;

pub use beam::Search;
pub use nemo_ctc::NemoCtc;
pub use words::Words;
