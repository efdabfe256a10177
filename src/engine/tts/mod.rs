//! The voice: text becomes sound.
//!
//! A family of voices is one file that implements [`Tts`](crate::engine::Tts). What families share is
//! here too: reading numbers, times and abbreviations (`normalise`), and the sounds of words
//! (`pronounce`). A family whose sounds have other names (Piper's, say) maps them in its own file.

mod normalise;
mod numbers;
mod pronounce;
pub mod source_filter;
mod synthesiser;

pub use source_filter::SourceFilter;
