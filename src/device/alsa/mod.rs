//! Sound cards through ALSA, without a sound server.
//!
//! The crate `alsa` and not `cpal`, because it tells a card's true delay, lets a buffer be dropped, and
//! needs no thread. A card that is named directly (`hw:`) belongs to the program alone, and its
//! loudspeaker goes on running in silence between two answers: see [`AlsaSpeaker`].

mod card;
mod cards;
mod format;
mod microphone;
mod mixer;
pub mod probe;
mod seek;
mod speaker;
mod trouble;

pub use self::{
    card::Wish,
    cards::{Card, Cards, Found, Way},
    format::{Negotiated, Sample, factor},
    microphone::AlsaMicrophone,
    speaker::AlsaSpeaker,
};
