//! Takes what the loudspeaker plays out of what the microphone hears.
//!
//! What is played is kept by its position on the loudspeaker's clock ([`Reference`]). Where on that clock
//! each sample of the microphone belongs is learnt from what both devices tell of their delays
//! ([`Alignment`]), also where they are two cards whose clocks run apart. WebRTC's echo canceller gets
//! both, sample by sample, for the detector of speech; what the recogniser hears goes through a filter that leaves
//! a visitor who talks at the same time as they are ([`Canceller`], [`Adaptive`]).

mod adapt;
mod align;
mod cancel;
mod ear;
mod reference;
pub mod room;

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant},
};

pub use self::{
    adapt::Adaptive,
    align::Alignment,
    cancel::{Canceller, FRAME, Treatment},
    ear::Ear,
    reference::Reference,
};
use crate::media::SAMPLE_RATE;
pub(crate) use ear::lock;

/// The machine's rate.
const RATE: f64 = SAMPLE_RATE as f64;

/// So much of what is played is given to the canceller before it is heard, in samples (10 ms): cards are
/// wrong about their delays, and the canceller cannot look back.
pub const AHEAD: f64 = 160.0;

/// How much a chunk's time corrects the microphone's clock.
const CLOCK_GAIN: f64 = 0.05;

/// A chunk that is further off its time, in samples (20 ms), follows a gap.
const GAP: f64 = 320.0;

/// What is told of an echo canceller; read by metrics.
#[derive(Debug, Default)]
pub struct Figures {
    /// How much softer the kiosk's own voice is after the canceller, in thousandths of a decibel, over the
    /// last seconds in which it spoke and nobody else did.
    reduction: AtomicI64,
    /// How much faster the loudspeaker's clock runs than the microphone's, in parts per billion.
    drift: AtomicI64,
    /// Times that what was played had to be found anew in what is heard.
    resynchronised: AtomicU64,
    /// Computing time, in nanoseconds.
    worked: AtomicU64,
}

impl Figures {
    /// How much softer the kiosk's own voice is after the canceller, in decibels.
    pub fn reduction_db(&self) -> f64 {
        self.reduction.load(Ordering::Relaxed) as f64 / 1e3
    }

    /// How much faster the loudspeaker's clock runs than the microphone's, as a part.
    pub fn drift(&self) -> f64 {
        self.drift.load(Ordering::Relaxed) as f64 / 1e9
    }

    /// Times that what was played had to be found anew in what is heard.
    pub fn resynchronised(&self) -> u64 {
        self.resynchronised.load(Ordering::Relaxed)
    }

    /// Computing time.
    pub fn worked(&self) -> Duration {
        Duration::from_nanos(self.worked.load(Ordering::Relaxed))
    }

    /// Adds computing time.
    pub fn add_work(&self, time: Duration) {
        self.worked.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Tells the latest reduction.
    pub fn set_reduction_db(&self, decibels: f64) {
        self.reduction.store((decibels * 1e3) as i64, Ordering::Relaxed);
    }
}

/// What both devices have told: what is played, and when it is heard.
#[derive(Debug)]
pub struct Timeline {
    reference: Reference,
    alignment: Alignment,
    /// When the sample at a position of the microphone was recorded.
    microphone: Option<(Instant, f64)>,
    /// Whether the next chunk follows a gap.
    gap: bool,
    /// Where what was played ends on the loudspeaker's clock, and when that is heard.
    end: Option<(f64, Instant)>,
}

impl Timeline {
    /// Nothing was played or heard; `one_clock` says that both devices are one card.
    pub fn new(one_clock: bool) -> Self {
        Self {
            reference: Reference::default(),
            alignment: Alignment::new(one_clock),
            microphone: None,
            gap: false,
            end: None,
        }
    }

    /// `samples` were written; all but `delay` had been heard at `now`. `position` is where they end on
    /// the loudspeaker's clock, in samples, if it has one.
    pub fn played(
        &mut self,
        now: Instant,
        delay: Duration,
        position: Option<f64>,
        samples: &[f32],
    ) {
        let delay_samples = delay.as_secs_f64() * RATE;
        let microphone = self.recorded(now);
        let length = samples.len() as f64;
        let end = position.unwrap_or_else(|| match self.end {
            // What follows at once follows without a gap.
            Some((end, heard)) if heard + Duration::from_millis(1) > now => end + length,
            // This loudspeaker's clock stops between answers: the microphone's stands in.
            _ => {
                let guess = microphone.unwrap_or(0.0);
                guess + self.alignment.offset(guess) + delay_samples
            }
        });
        self.reference.write((end - length).round() as i64, samples);
        self.end = Some((end, now + delay));
        if let Some(microphone) = microphone {
            self.alignment.observe(microphone, end - delay_samples - microphone);
        }
    }

    /// What was to be heard after `delay` never is.
    pub fn dropped(&mut self, now: Instant, delay: Duration) {
        if let Some((end, _)) = self.end {
            let heard = end - delay.as_secs_f64() * RATE;
            self.reference.cut(heard.round() as i64);
            self.end = Some((heard, now));
        }
    }

    /// Sound of the microphone was lost.
    pub fn lost(&mut self) {
        self.gap = true;
    }

    /// A chunk of `count` samples was recorded, the last of them at `end`; the position of the first.
    pub fn chunk(&mut self, end: Instant, count: usize) -> f64 {
        let length = count as f64;
        let position = match self.microphone {
            None => length,
            Some((last, position)) => {
                let due = position + length;
                let seen = position + signed(end, last) * RATE;
                if self.gap || (seen - due).abs() > GAP { seen.round() } else { due }
            }
        };
        self.gap = false;
        let time = match self.microphone {
            Some((last, before)) => {
                let due = last + Duration::from_secs_f64(((position - before) / RATE).max(0.0));
                shifted(due, CLOCK_GAIN * signed(end, due).clamp(-GAP / RATE, GAP / RATE))
            }
            None => end,
        };
        self.microphone = Some((time, position));
        position - length
    }

    /// What was being heard, from the microphone's position `at` on, as many samples as `out` holds;
    /// whether there was anything.
    pub fn heard(&mut self, at: f64, out: &mut [f32]) -> bool {
        let (offset, drift) = self.alignment.follow(at);
        self.reference.read(at + offset + AHEAD, 1.0 + drift, out)
    }

    /// Tells `figures` how the clocks run.
    pub fn tell(&self, figures: &Figures) {
        figures.drift.store((self.alignment.drift() * 1e9) as i64, Ordering::Relaxed);
        figures.resynchronised.store(self.alignment.resynchronised(), Ordering::Relaxed);
    }

    /// The position of the microphone at a time, in samples.
    fn recorded(&self, at: Instant) -> Option<f64> {
        self.microphone.map(|(time, position)| position + signed(at, time) * RATE)
    }
}

/// Seconds from `from` to `to`, negative where it is earlier.
fn signed(to: Instant, from: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
        - from.saturating_duration_since(to).as_secs_f64()
}

/// A time so many seconds later, or earlier.
fn shifted(time: Instant, seconds: f64) -> Instant {
    let by = Duration::from_secs_f64(seconds.abs());
    if seconds < 0.0 { time.checked_sub(by).unwrap_or(time) } else { time + by }
}
