//! Chunks → what was said. Recognition runs while the visitor still speaks.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::endpoint::{Endpointer, Limits, Verdict, is_complete};
use crate::{
    engine::{Asr, Vad},
    flow::{Inbox, Outbox, Polled, Pulse, Seat},
    media::{Chunk, Event, Recording, SAMPLE_RATE, Step, Utterance},
    metrics::{Metrics, Outcome},
};

/// Everything that listening needs.
#[expect(missing_debug_implementations, reason = "engines have none")]
pub struct Ear {
    /// Tells speech from other sound.
    pub vad: Box<dyn Vad>,
    /// Turns speech into text.
    pub asr: Seat<Box<dyn Asr>>,
    /// When speech begins and ends.
    pub limits: Seat<Limits>,
    /// Computing time of the recogniser for the current utterance.
    pub worked: Duration,
    /// Whether the recogniser has failed in the current utterance.
    pub failed: bool,
}

/// Runs until the microphone's link is closed.
pub fn run(
    pulse: &Pulse,
    mut ear: Ear,
    chunks: &Inbox<Chunk>,
    recordings: &Inbox<Recording>,
    events: &Outbox<Event>,
    metrics: &Metrics,
) -> Result<()> {
    let mut endpointer = Endpointer::new(*ear.limits.now());
    let mut complete = false;
    let mut told = Told::default();
    loop {
        if let Polled::Item(Recording(samples)) = recordings.look() {
            endpointer.reset();
            let utterance = ear.hear_recording(&samples, metrics);
            if events.send(pulse, Event::Heard(utterance)).is_break() {
                return Ok(());
            }
        }
        let chunk = match chunks.poll(pulse, Duration::from_millis(100)) {
            Polled::Closed => return Ok(()),
            Polled::Empty => continue,
            Polled::Item(chunk) => chunk,
        };
        let probability = ear.vad.probability(&chunk)?;
        let heard = match endpointer.take(&chunk, probability, complete) {
            Verdict::Silence => {
                // Nobody speaks: a new configuration may take effect.
                ear.asr.relieve();
                if ear.limits.relieve() {
                    endpointer = Endpointer::new(*ear.limits.now());
                }
                continue;
            }
            Verdict::Began(chunks) => {
                told = Told::default();
                if events.send(pulse, Event::SpeechBegan).is_break() {
                    return Ok(());
                }
                ear.accept_all(&chunks, metrics)
            }
            Verdict::Continues => ear.accept_all(std::slice::from_ref(&chunk), metrics),
            Verdict::Ended { ago } => {
                complete = false;
                let utterance = ear.finish(Instant::now(), ago, metrics);
                if events.send(pulse, Event::Heard(utterance)).is_break() {
                    return Ok(());
                }
                continue;
            }
        };
        complete = heard.as_deref().is_some_and(is_complete);
        if let Some(event) = told.news(heard, endpointer.lasted(), ear.limits.now().persist) {
            // When the conversation is busy, the next chunk brings newer news.
            let _ = events.offer(event);
        }
    }
}

/// What the conversation knows of the utterance.
#[derive(Default)]
struct Told {
    text: String,
    lasted: bool,
}

impl Told {
    /// What is new: other words, or that the speech has lasted for `persist`.
    fn news(&mut self, text: Option<String>, lasted: Duration, persist: Duration) -> Option<Event> {
        let text = text.unwrap_or_default();
        let words = !text.is_empty() && text != self.text;
        let long = !self.lasted && lasted >= persist;
        if !words && !long {
            return None;
        }
        self.lasted |= long;
        if words {
            self.text.clone_from(&text);
        }
        Some(Event::Speaking { text, lasted })
    }
}

impl Ear {
    /// The text so far; `None` when recognition failed, which is counted and ends the utterance empty.
    fn accept_all(&mut self, chunks: &[Chunk], metrics: &Metrics) -> Option<String> {
        let began = Instant::now();
        let mut text = None;
        for chunk in chunks {
            match self.asr.now().accept(chunk) {
                Ok(heard) => text = Some(heard.to_owned()),
                Err(error) => {
                    metrics.request(Step::Asr, Outcome::Failed);
                    tracing::warn!(error = format!("{error:#}"), "recognition failed");
                    self.asr.now().reset();
                    self.failed = true;
                    return None;
                }
            }
        }
        self.worked += began.elapsed();
        text
    }

    fn finish(&mut self, decided: Instant, ago: Duration, metrics: &Metrics) -> Utterance {
        let text = match self.asr.now().finish() {
            Ok(text) => {
                metrics.request(Step::Asr, Outcome::Done);
                text
            }
            Err(error) => {
                metrics.request(Step::Asr, Outcome::Failed);
                tracing::warn!(error = format!("{error:#}"), "recognition failed");
                self.failed = true;
                String::new()
            }
        };
        self.asr.now().reset();
        let took = decided.elapsed();
        metrics.asr_finish.observe(took.as_secs_f64());
        metrics.asr_duration.observe((std::mem::take(&mut self.worked) + took).as_secs_f64());
        Utterance {
            text,
            ended: decided.checked_sub(ago).unwrap_or(decided),
            pause: ago,
            asr: took,
            failed: std::mem::take(&mut self.failed),
        }
    }

    /// Recognises a whole recording at once, as if it had just been spoken.
    fn hear_recording(&mut self, samples: &[f32], metrics: &Metrics) -> Utterance {
        let ended = Instant::now();
        self.vad.reset();
        self.asr.now().reset();
        for chunk in samples.chunks(SAMPLE_RATE as usize / 50) {
            if self.accept_all(&[Chunk::of(chunk.to_vec())], metrics).is_none() {
                break;
            }
        }
        self.finish(ended, Duration::ZERO, metrics)
    }
}
