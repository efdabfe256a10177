//! The models. An engine computes: it owns no thread, no channel and no clock.

pub mod asr;
pub mod face;
pub mod llm;
pub mod load;
pub mod mel;
pub mod onnx;
pub mod pack;
pub mod tts;
pub mod vad;
pub mod vision;

use std::{ops::ControlFlow, time::Duration};

use anyhow::Result;

use crate::media::{Chunk, Message, Mouth, Picture};

/// Tells speech from other sound.
pub trait Vad: Send {
    /// How likely it is that `chunk` holds speech, 0 to 1.
    fn probability(&mut self, chunk: &Chunk) -> Result<f32>;
    /// Forgets the sound it has heard.
    fn reset(&mut self);
}

/// Turns speech into text while it is being spoken.
pub trait Asr: Send {
    /// Takes the next piece of speech; returns what was said so far, as far as it can tell.
    fn accept(&mut self, chunk: &Chunk) -> Result<&str>;
    /// Ends the utterance and returns all of it. The work was done meanwhile, so this is quick.
    fn finish(&mut self) -> Result<String>;
    /// Forgets the utterance.
    fn reset(&mut self);
}

/// Answers.
pub trait Llm: Send {
    /// Replies token by token until the reply ends or `token` breaks.
    fn reply(
        &mut self,
        history: &[Message],
        token: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<()>;
}

/// Turns text into sound.
pub trait Tts: Send {
    /// Samples a second of what `speak` makes.
    fn sample_rate(&self) -> u32;
    /// Speaks `text` piece by piece until it ends or `piece` breaks.
    fn speak(&mut self, text: &str, piece: &mut dyn FnMut(&[f32]) -> ControlFlow<()>)
    -> Result<()>;
}

/// Turns sound into the movement of a mouth.
pub trait Face: Send {
    /// Shapes a second.
    fn rate(&self) -> u32;
    /// Takes one beat's worth of sound; hands out, oldest first, the shapes that are now certain.
    fn accept(&mut self, sound: &[f32], mouth: &mut dyn FnMut(Mouth)) -> Result<()>;
    /// Ends the utterance: hands out the shapes still owed, exactly one for each beat accepted.
    fn finish(&mut self, mouth: &mut dyn FnMut(Mouth)) -> Result<()>;
    /// Forgets the sound it has heard.
    fn reset(&mut self);
}

/// Draws the face.
pub trait Portrait: Send {
    /// How many key points its drawing follows.
    fn key_points(&self) -> usize;
    /// The picture of the face at `at`, counted from the start of the machine, with `mouth`; blinks
    /// and the sway of the head follow from `at`.
    fn draw(&mut self, at: Duration, mouth: Mouth) -> Picture;
}
