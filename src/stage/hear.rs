//! Microphone → chunks. Sound does not wait: what the next stage cannot take is lost and counted.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use crate::{
    device::{DeviceError, Microphone},
    flow::{Outbox, Pulse, Switch},
    media::{Chunk, Device, Event},
    metrics::{Link, Metrics},
};

/// Runs until `stop` is set, or the microphone is gone.
pub fn run(
    pulse: &Pulse,
    mut microphone: Box<dyn Microphone>,
    chunks: &Outbox<Chunk>,
    events: &Outbox<Event>,
    muted: &Switch,
    stop: &AtomicBool,
    metrics: &Metrics,
) -> Result<()> {
    let mut works = true;
    while !stop.load(Ordering::Acquire) {
        let read = {
            let _waiting = pulse.waiting();
            microphone.read()
        };
        match read {
            Ok(mut chunk) => {
                metrics.microphone_chunks.fetch_add(1, Ordering::Relaxed);
                tell(events, &mut works, true);
                if muted.is_on() {
                    // Nothing of what is said reaches anybody; the room is silent for them.
                    chunk.silence();
                }
                if chunks.offer(chunk).is_err() {
                    metrics.dropped(Link::Chunks);
                }
            }
            Err(DeviceError::Xrun) => metrics.microphone_overruns.inc(),
            Err(DeviceError::Away) => tell(events, &mut works, false),
            Err(DeviceError::Gone) => bail!("the microphone is gone: is it plugged in?"),
            Err(DeviceError::Other(error)) => {
                return Err(error.context("failed to read the microphone"));
            }
        }
    }
    Ok(())
}

/// Says once that the microphone was lost, or is back.
fn tell(events: &Outbox<Event>, works: &mut bool, now: bool) {
    if *works != now {
        // When `converse` is too busy for the news, the next chunk brings them.
        let event = Event::Device { device: Device::Microphone, works: now };
        *works = if events.offer(event).is_ok() { now } else { *works };
    }
}
