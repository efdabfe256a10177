//! AEC3, WebRTC's echo canceller, set for a kiosk: a room's tail is longer than a telephone's, and what the
//! recogniser needs of a visitor who talks over the kiosk is more than a caller does.

use std::{collections::VecDeque, fmt};

use sonora_aec3::{block::Block, block_processor::BlockProcessor, config::EchoCanceller3Config};

use crate::media::SAMPLE_RATE;

/// Samples that AEC3 works on at a time: 4 ms.
const BLOCK: usize = 64;

/// AEC3 works with 16-bit numbers.
const SCALE: f32 = 32_768.0;

/// Blocks that the adaptive filter spans: 160 ms of the room.
const SPAN: usize = 40;

/// The part of what only the adaptive filter has worked on, in what comes out. The filter leaves a tenth of
/// the echo and all of a visitor; what follows it takes the rest of the echo and much of a visitor who
/// talks at the same time. Mixed, the echo stays 30 dB down and the recogniser has something to go by.
const LINEAR: f32 = 0.3;

/// The filter has learnt the room when it takes out 10 dB.
const LEARNT: f32 = 10.0;

/// How fast the powers before and after the filter are forgotten: in half a second.
const FORGET: f32 = 1.0 / 125.0;

/// Less power than this tells nothing: −60 dB under full scale.
const SOFT: f32 = 1e-6;

/// Takes an echo out of frames of any size, 4 ms later.
pub struct Remover {
    processor: BlockProcessor,
    played: Vec<f32>,
    heard: Vec<f32>,
    done: VecDeque<f32>,
    block: Block,
    linear: Block,
    /// Mean power before and after the filter while something is played.
    before: f32,
    after: f32,
    /// The part of the filter's own output at the moment.
    share: f32,
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32
}

impl fmt::Debug for Remover {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Remover").finish_non_exhaustive()
    }
}

/// What differs from WebRTC's own settings.
fn settings() -> EchoCanceller3Config {
    let mut config = EchoCanceller3Config::default();
    let filter = &mut config.filter;
    filter.refined.length_blocks = SPAN;
    filter.refined_initial.length_blocks = SPAN;
    filter.coarse.length_blocks = SPAN;
    filter.coarse_initial.length_blocks = SPAN;
    filter.export_linear_aec_output = true;
    // A filter that spans the room takes out 20 dB, and not 6: what it leaves is less than WebRTC fears.
    config.erle.max_l = 100.0;
    config.erle.max_h = 30.0;
    config.validate();
    config
}

impl Default for Remover {
    fn default() -> Self {
        Self {
            processor: BlockProcessor::new(&settings(), SAMPLE_RATE as usize, 1, 1),
            played: Vec::new(),
            heard: Vec::new(),
            // So that there is always a whole frame.
            done: VecDeque::from(vec![0.0; BLOCK]),
            block: Block::new(1, 1),
            linear: Block::new(1, 1),
            before: 0.0,
            after: 0.0,
            share: 0.0,
        }
    }
}

impl Remover {
    /// Takes the echo of `played` out of `heard`, in which what comes out lies; both have one length.
    pub fn remove(&mut self, played: &[f32], heard: &mut [f32]) {
        self.played.extend_from_slice(played);
        self.heard.extend_from_slice(heard);
        let whole = self.heard.len().min(self.played.len()) / BLOCK * BLOCK;
        for (played, heard) in
            self.played[..whole].chunks_exact(BLOCK).zip(self.heard[..whole].chunks_exact(BLOCK))
        {
            for (to, from) in self.block.view_mut(0, 0).iter_mut().zip(played) {
                *to = from * SCALE;
            }
            self.processor.buffer_render(&self.block);
            for (to, from) in self.block.view_mut(0, 0).iter_mut().zip(heard) {
                *to = from * SCALE;
            }
            let clipped = heard.iter().any(|sample| sample.abs() > 0.99);
            self.processor.process_capture(false, clipped, Some(&mut self.linear), &mut self.block);
            let (linear, both) = (self.linear.view(0, 0), self.block.view(0, 0));
            if power(played) > SOFT && power(heard) > SOFT {
                self.before += FORGET * (power(heard) - self.before);
                self.after += FORGET * (power(linear) / (SCALE * SCALE) - self.after);
            }
            let learnt = self.before > LEARNT * self.after;
            let share = if learnt { LINEAR } else { 0.0 };
            self.share += 0.05 * (share - self.share);
            let mixed =
                linear.iter().zip(both).map(|(a, b)| self.share * a + (1.0 - self.share) * b);
            self.done.extend(mixed.map(|sample| sample / SCALE));
        }
        self.played.drain(..whole);
        self.heard.drain(..whole);
        for sample in heard {
            *sample = self.done.pop_front().unwrap_or(0.0);
        }
    }
}
