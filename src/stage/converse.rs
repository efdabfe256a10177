//! Events → requests: whose turn it is, what has been said, and who may interrupt.

use std::time::{Duration, Instant};

use anyhow::Result;

pub use super::{
    conversation::{Conversation, Reaction},
    manners::Manners,
};
use crate::{
    flow::{Inbox, Polled, Pulse, Seat, SlotWriter, Switch, Volume},
    journal::{Activity, Journal, Report},
    media::{Event, Part, Request},
    metrics::Metrics,
    scene::Scene,
};

/// How loud an answer is while somebody may be speaking: 12 dB less.
const DUCKED: f32 = 0.251;

/// The longest wait between two looks at the time.
const LOOK: Duration = Duration::from_secs(1);

/// What the conversation steers.
#[derive(Debug)]
pub struct Out {
    /// What `think` is asked for.
    pub requests: SlotWriter<Part<Request>>,
    /// What `show` shows beside the face.
    pub scenes: SlotWriter<Scene>,
    /// How loud `play` plays.
    pub volume: Volume,
    /// Whether `hear` lets nothing through.
    pub muted: Switch,
}

/// Runs until somebody sends [`Event::Stop`].
pub fn run(
    pulse: &Pulse,
    mut conversation: Conversation,
    mut manners: Seat<Manners>,
    events: &Inbox<Event>,
    out: &Out,
    journal: &Journal,
    metrics: &Metrics,
) -> Result<()> {
    let mut before = conversation.activity();
    let mut shown = None;
    loop {
        let now = Instant::now();
        if manners.relieve() {
            conversation.learn(manners.now().clone());
        }
        show(&conversation, &mut shown, out, now);
        let wait = conversation
            .deadline()
            .map_or(LOOK, |deadline| deadline.saturating_duration_since(now).min(LOOK));
        let polled = events.poll(pulse, wait);
        let stop = matches!(polled, Polled::Closed | Polled::Item(Event::Stop));
        let reaction = match polled {
            Polled::Closed => conversation.on(Event::Stop, Instant::now()),
            Polled::Item(event) => {
                if let Event::Device { device, works } = event {
                    metrics.device_works(device, works);
                }
                conversation.on(event, Instant::now())
            }
            Polled::Empty => conversation.quiet(Instant::now()),
        };
        count(&reaction, metrics);
        if let Some(report) = reaction.ended {
            metrics.turn_ended(&report);
            log(&report, journal.turns().0 + 1);
            journal.ended(report);
        }
        let activity = conversation.activity();
        metrics.concurrent_sessions.set(i64::from(activity != Activity::Alone));
        if before == Activity::Alone && activity != Activity::Alone {
            metrics.sessions.inc();
        }
        before = activity;
        if stop {
            conversation.turns.cancel();
            return Ok(());
        }
        journal.is(activity);
        if let Some(request) = reaction.request {
            out.requests.put(request);
        }
    }
}

/// Tells the other stages what has changed.
fn show(conversation: &Conversation, shown: &mut Option<Scene>, out: &Out, now: Instant) {
    let loudness = conversation.loudness();
    out.volume.set(loudness * if conversation.is_ducked() { DUCKED } else { 1.0 });
    out.muted.set(conversation.is_muted());
    let scene = conversation.scene(now);
    if shown.as_ref() != Some(&scene) {
        out.scenes.put(scene.clone());
        *shown = Some(scene);
    }
}

/// How an exchange went, without what was said in it.
fn log(report: &Report, turn: u64) {
    let end = report.end.name();
    // 0 where nothing sounded.
    let first_sound_ms = report.first_sound.unwrap_or_default().as_millis() as u64;
    tracing::info!(turn, end, first_sound_ms, "the turn has ended");
}

fn count(reaction: &Reaction, metrics: &Metrics) {
    if reaction.false_interruption {
        metrics.false_interruptions.inc();
    }
    if reaction.greeted {
        metrics.greetings.inc();
    }
    if let Some(parting) = reaction.parting {
        metrics.sessions_ended.of(parting).inc();
    }
}
