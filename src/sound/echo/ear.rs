//! What the microphone hears, without what is played: chunks in, treated chunks out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use anyhow::Result;

use super::{Canceller, FRAME, Figures, Timeline, Treatment};
use crate::media::Chunk;

/// The timeline of two threads.
pub(crate) fn lock(timeline: &Mutex<Timeline>) -> MutexGuard<'_, Timeline> {
    // What a thread that panicked left is still a timeline.
    timeline.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Treats the microphone's sound.
#[derive(Debug)]
pub struct Ear {
    timeline: Arc<Mutex<Timeline>>,
    canceller: Canceller,
    figures: Arc<Figures>,
    /// What does not fill a frame yet.
    waiting: Vec<f32>,
    /// The position of its first sample.
    at: f64,
    reference: [f32; FRAME],
}

impl Ear {
    /// Hears what `timeline` says is played, and tells `figures` how well it does.
    pub fn new(
        timeline: Arc<Mutex<Timeline>>,
        treatment: Treatment,
        figures: Arc<Figures>,
    ) -> Self {
        Self {
            timeline,
            canceller: Canceller::new(treatment),
            figures,
            waiting: Vec::new(),
            at: 0.0,
            reference: [0.0; FRAME],
        }
    }

    /// Takes a chunk whose last sample was recorded at `end`; all whole frames of 10 ms, treated.
    ///
    /// # Errors
    /// The canceller refuses its frames, which their size rules out.
    pub fn hear(&mut self, end: Instant, heard: &[f32]) -> Result<Chunk> {
        let began = Instant::now();
        let at = lock(&self.timeline).chunk(end, heard.len());
        if self.waiting.is_empty() || (self.at + self.waiting.len() as f64 - at).abs() > 0.5 {
            // After a gap what waits belongs to another time.
            self.waiting.clear();
            self.at = at;
        }
        self.waiting.extend_from_slice(heard);
        let mut waiting = std::mem::take(&mut self.waiting);
        let whole = waiting.len() / FRAME * FRAME;
        let mut spoken = Vec::new();
        for frame in waiting[..whole].as_chunks_mut::<FRAME>().0 {
            let speaks = lock(&self.timeline).heard(self.at, &mut self.reference);
            let words = self.canceller.treat(&self.reference, frame, speaks)?;
            spoken.extend(words.into_iter().flatten());
            self.at += FRAME as f64;
        }
        self.waiting = waiting.split_off(whole);
        self.figures.add_work(began.elapsed());
        self.figures.set_reduction_db(self.canceller.reduction_db());
        lock(&self.timeline).tell(&self.figures);
        Ok(Chunk { samples: waiting, spoken: (!spoken.is_empty()).then_some(spoken) })
    }

    /// Sound was lost before it came here.
    pub fn lost(&self) {
        lock(&self.timeline).lost();
    }

    /// Samples that wait for the rest of their frame.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
