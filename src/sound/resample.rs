//! The change of sample rate.

use anyhow::{Result, ensure};
use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

use super::RATES;

/// Changes the sample rate of mono sound that comes piece by piece.
///
/// A windowed sinc of at least 128 taps. What comes out is as long as what went in, and shifted by
/// less than a sample.
pub struct Resampler {
    /// `None` when there is nothing to change.
    sinc: Option<Async<f32>>,
    from: f64,
    ratio: f64,
    waiting: Vec<f32>,
    block: Vec<f32>,
    /// The filter's delay, in samples that come out.
    delay: usize,
    /// How much of the delay is still to be dropped.
    late: usize,
    taken: u64,
    given: u64,
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler").field("ratio", &self.ratio).finish_non_exhaustive()
    }
}

impl Resampler {
    /// From `from` to `to` samples a second, each 1,000 to 768,000.
    pub fn new(from: u32, to: u32) -> Result<Self> {
        ensure!(RATES.contains(&from), "{from} samples a second");
        ensure!(RATES.contains(&to), "{to} samples a second");
        let ratio = f64::from(to) / f64::from(from);
        let mut delay = 0;
        let sinc = if from == to {
            None
        } else {
            // The filter must be as steep after the change as before, so it grows with the factor.
            let length = ((128.0 / ratio.min(1.0)).min(2_048.0) as usize).next_multiple_of(8);
            // The first sample that comes out lies one step after the filter's middle meets the
            // first one that goes in.
            delay = (length as f64 / 2.0 * ratio - 1.0).round() as usize;
            let filter = SincInterpolationParameters::new(length, WindowFunction::BlackmanHarris2);
            let chunk = (from as usize / 100).clamp(64, 4_096);
            Some(Async::new_sinc(ratio, 1.0, &filter, chunk, 1, FixedAsync::Input)?)
        };
        let block = vec![0.0; sinc.as_ref().map_or(0, rubato::Resampler::output_frames_max)];
        Ok(Self {
            sinc,
            from: f64::from(from),
            ratio,
            waiting: Vec::new(),
            block,
            delay,
            late: delay,
            taken: 0,
            given: 0,
        })
    }

    /// Takes sound and appends to `out` what is ready; up to 10 ms and the filter's half stay inside.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let Some(chunk) = self.sinc.as_ref().map(rubato::Resampler::input_frames_next) else {
            out.extend_from_slice(samples);
            return;
        };
        self.taken += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        let mut waiting = std::mem::take(&mut self.waiting);
        let whole = waiting.len() / chunk * chunk;
        for piece in waiting[..whole].chunks_exact(chunk) {
            self.step(piece, None, u64::MAX, out);
        }
        waiting.drain(..whole);
        self.waiting = waiting;
    }

    /// Ends the sound: appends the rest, and is ready for another one.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let due = (self.taken as f64 * self.ratio).round() as u64;
        let mut rest = std::mem::take(&mut self.waiting);
        while self.given < due {
            let Some(chunk) = self.sinc.as_ref().map(rubato::Resampler::input_frames_next) else {
                break;
            };
            let real = rest.len();
            rest.resize(chunk, 0.0);
            if !self.step(&rest, Some(real), due, out) {
                break;
            }
            rest.clear();
        }
        if let Some(sinc) = &mut self.sinc {
            sinc.reset();
        }
        (self.late, self.taken, self.given) = (self.delay, 0, 0);
    }

    /// How much of what went in has not come out yet, in seconds.
    pub fn inside(&self) -> f64 {
        let rates = (self.from.max(1.0), self.ratio.max(f64::MIN_POSITIVE));
        ((self.taken as f64 - self.given as f64 / rates.1) / rates.0).max(0.0)
    }

    /// Feeds one block; false when the filter refuses, which its fixed sizes rule out.
    fn step(&mut self, piece: &[f32], real: Option<usize>, due: u64, out: &mut Vec<f32>) -> bool {
        let room = self.block.len();
        let Some(sinc) = &mut self.sinc else { return false };
        let indexing = Indexing { partial_len: real, ..Indexing::default() };
        let (Ok(input), Ok(mut output)) = (
            InterleavedSlice::new(piece, 1, piece.len()),
            InterleavedSlice::new_mut(&mut self.block, 1, room),
        ) else {
            return false;
        };
        let Ok((_, made)) = sinc.process_into_buffer(&input, &mut output, Some(&indexing)) else {
            return false;
        };
        let late = self.late.min(made);
        self.late -= late;
        let wanted = (due - self.given).min((made - late) as u64) as usize;
        out.extend_from_slice(&self.block[late..late + wanted]);
        self.given += wanted as u64;
        true
    }
}
