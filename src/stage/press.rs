//! Keys and touches → events.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Result;

use crate::{
    device::{DeviceError, Keys},
    flow::{Outbox, Pulse},
    media::Event,
};

/// How long a look for a press takes, and so the longest that a stop waits.
const LOOK: Duration = Duration::from_millis(200);

/// Runs until `stop` is set.
pub fn run(
    pulse: &Pulse,
    mut keys: Box<dyn Keys>,
    events: &Outbox<Event>,
    stop: &AtomicBool,
) -> Result<()> {
    while !stop.load(Ordering::Acquire) {
        let read = {
            let _waiting = pulse.waiting();
            keys.read(LOOK)
        };
        match read {
            Ok(Some(press)) => {
                if events.send(pulse, Event::Pressed(press)).is_break() {
                    return Ok(());
                }
            }
            Ok(None) | Err(DeviceError::Xrun | DeviceError::Away) => {}
            // A kiosk without keys is still a kiosk.
            Err(DeviceError::Gone) => return stop_asked(pulse, stop),
            Err(DeviceError::Other(error)) => return Err(error.context("failed to read the keys")),
        }
    }
    Ok(())
}

/// A stage that ends by itself is a fault, so this one waits for the others.
fn stop_asked(pulse: &Pulse, stop: &AtomicBool) -> Result<()> {
    let _waiting = pulse.waiting();
    while !stop.load(Ordering::Acquire) {
        std::thread::park_timeout(LOOK);
    }
    Ok(())
}
