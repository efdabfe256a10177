//! Requests → sentences.

use std::{ops::ControlFlow, time::Instant};

use anyhow::Result;

use crate::{
    engine::{Llm, llm::Splitter},
    flow::{Inbox, Outbox, Pulse, Seat, Turn},
    media::{Event, Part, Request, Sentence, Step},
    metrics::{Metrics, Outcome},
};

/// Turns in a row that may fail before the engine is given up.
pub(super) const PATIENCE: u32 = 3;

/// How a request that did not fail ended.
pub(super) fn outcome(turn: &Turn) -> Outcome {
    if turn.is_live() { Outcome::Done } else { Outcome::Stale }
}

/// Runs until nobody asks any more.
pub fn run(
    pulse: &Pulse,
    mut llm: Seat<Box<dyn Llm>>,
    requests: &Inbox<Part<Request>>,
    sentences: &Outbox<Part<Sentence>>,
    events: &Outbox<Event>,
    metrics: &Metrics,
) -> Result<()> {
    let mut failed = 0;
    while let Some(Part { turn, body: Some(request) }) = requests.next(pulse) {
        llm.relieve();
        let mut splitter = Splitter::default();
        let (request, heard) = match request {
            Request::Resume { request, heard } => (*request, heard),
            request => (request, Vec::new()),
        };
        let mut heard = heard.into_iter().peekable();
        let mut send = |text: String| {
            // What has been heard before the interruption is not said again.
            if heard.next_if(|old| *old == text).is_some() {
                return ControlFlow::Continue(());
            }
            sentences.send(pulse, Part::of(&turn, Sentence(text)))
        };
        match request {
            Request::Say(text) => {
                let _ =
                    splitter.push(&text).into_iter().chain(splitter.finish()).try_for_each(send);
            }
            // What is resumed is never itself a resumption.
            Request::Resume { .. } => {}
            Request::Answer(history) => {
                let began = Instant::now();
                let mut first = true;
                let reply = llm.now().reply(&history, &mut |token| {
                    metrics.llm_tokens.inc();
                    if std::mem::take(&mut first) {
                        turn.times().llm_first_token.add(began.elapsed());
                        metrics.llm_first_token.observe(began.elapsed().as_secs_f64());
                    }
                    // The next token is not wanted either once the turn has ended.
                    if !turn.is_live() {
                        return ControlFlow::Break(());
                    }
                    splitter.push(token).into_iter().try_for_each(&mut send)
                });
                if let Err(error) = reply {
                    metrics.request(Step::Llm, Outcome::Failed);
                    tracing::warn!(error = format!("{error:#}"), "the language model failed");
                    failed += 1;
                    if failed == PATIENCE {
                        return Err(error.context("the language model failed three times in a row"));
                    }
                    let _ = events.send(pulse, Event::Failed { turn, step: Step::Llm });
                    continue;
                }
                failed = 0;
                metrics.request(Step::Llm, outcome(&turn));
                turn.times().llm.add(began.elapsed());
                metrics.llm_duration.observe(began.elapsed().as_secs_f64());
                let _ = splitter.finish().into_iter().try_for_each(send);
            }
        }
        let _ = sentences.send(pulse, Part::end(&turn));
    }
    Ok(())
}
