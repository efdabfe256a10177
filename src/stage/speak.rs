//! Sentences → voice.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::think::{PATIENCE, outcome};
use crate::{
    engine::Tts,
    flow::{Inbox, Outbox, Pulse, Seat},
    media::{Event, Part, Sentence, Step, Voice},
    metrics::{Metrics, Outcome},
};

/// Runs until there are no more sentences.
pub fn run(
    pulse: &Pulse,
    mut tts: Seat<Box<dyn Tts>>,
    sentences: &Inbox<Part<Sentence>>,
    voices: &Outbox<Part<Voice>>,
    events: &Outbox<Event>,
    metrics: &Metrics,
) -> Result<()> {
    let mut failed = 0;
    while let Some(Part { turn, body }) = sentences.next(pulse) {
        let send = |voice| voices.send(pulse, Part::of(&turn, voice));
        let Some(sentence) = body else {
            let _ = voices.send(pulse, Part::end(&turn));
            tts.relieve();
            continue;
        };
        let began = Instant::now();
        // Waiting for room behind us is no work of the voice.
        let mut waited = Duration::ZERO;
        let mut begins = Some(sentence.clone());
        let spoken = tts.now().speak(&sentence.0, &mut |piece| {
            if turn.times().tts_first.get().is_none() {
                turn.times().tts_first.add(began.elapsed());
            }
            let sending = Instant::now();
            let samples = piece.to_vec();
            let sent = send(Voice { samples, begins: begins.take(), completes: None });
            waited += sending.elapsed();
            sent
        });
        if let Err(error) = spoken {
            metrics.request(Step::Tts, Outcome::Failed);
            tracing::warn!(error = format!("{error:#}"), "the voice failed");
            failed += 1;
            if failed == PATIENCE {
                return Err(error.context("the voice failed three times in a row"));
            }
            let _ = events.send(pulse, Event::Failed { turn, step: Step::Tts });
            continue;
        }
        failed = 0;
        metrics.request(Step::Tts, outcome(&turn));
        let took = began.elapsed().saturating_sub(waited);
        turn.times().tts.add(took);
        metrics.tts_duration.observe(took.as_secs_f64());
        let _ = send(Voice { samples: Vec::new(), begins, completes: Some(sentence) });
    }
    Ok(())
}
