//! Speech detection by earshot, whose weights are inside the crate.

use std::fmt;

use anyhow::Result;

use super::Vad;
use crate::media::Chunk;

/// Samples that the detector takes at a time: 16 ms.
const FRAME: usize = 256;

/// The detector, and the samples that do not fill a frame yet.
pub struct Earshot {
    detector: Box<earshot::Detector>,
    rest: Vec<f32>,
    last: f32,
}

impl fmt::Debug for Earshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earshot").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Default for Earshot {
    fn default() -> Self {
        let detector = earshot::Detector::default_boxed();
        Self { detector, rest: Vec::with_capacity(2 * FRAME), last: 0.0 }
    }
}

impl Vad for Earshot {
    fn probability(&mut self, chunk: &Chunk) -> Result<f32> {
        self.rest.extend_from_slice(&chunk.samples);
        let mut highest: Option<f32> = None;
        let whole = self.rest.len() / FRAME * FRAME;
        for frame in self.rest[..whole].chunks_exact(FRAME) {
            let score = self.detector.predict_f32(frame);
            highest = Some(highest.map_or(score, |so_far| so_far.max(score)));
        }
        self.rest.drain(..whole);
        self.last = highest.unwrap_or(self.last);
        Ok(self.last)
    }

    fn reset(&mut self) {
        self.detector.reset();
        self.rest.clear();
        self.last = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_speech_whatever_the_size_of_the_chunks() {
        let mut vad = Earshot::default();
        for length in [512, 160, 100, 0, 700] {
            let probability =
                vad.probability(&Chunk::of(vec![0.0; length])).expect("a probability");
            assert!(probability < 0.5, "{probability} for {length} samples of silence");
        }
    }
}
