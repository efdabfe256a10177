//! Microphone → chunks. Sound does not wait: what the next stage cannot take is lost and counted.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use crate::{
    device::{DeviceError, Microphone},
    flow::{Outbox, Pulse},
    media::Chunk,
    metrics::{Link, Metrics},
};

/// Runs until `stop` is set, or the microphone is gone.
pub fn run(
    pulse: &Pulse,
    mut microphone: Box<dyn Microphone>,
    chunks: &Outbox<Chunk>,
    stop: &AtomicBool,
    metrics: &Metrics,
) -> Result<()> {
    while !stop.load(Ordering::Acquire) {
        let read = {
            let _waiting = pulse.waiting();
            microphone.read()
        };
        match read {
            Ok(chunk) => {
                if chunks.offer(chunk).is_err() {
                    metrics.dropped(Link::Chunks);
                }
            }
            Err(DeviceError::Xrun) => metrics.microphone_overruns.inc(),
            Err(DeviceError::Gone) => bail!("the microphone is gone: is it plugged in?"),
            Err(DeviceError::Other(error)) => {
                return Err(error.context("failed to read the microphone"));
            }
        }
    }
    Ok(())
}
