//! Camera → who is there.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use anyhow::Result;

use crate::{
    device::{Camera, DeviceError},
    engine::vision::Watcher,
    flow::{Outbox, Pulse},
    media::{Device, Event, Frame},
    metrics::Metrics,
};

/// Runs until `stop` is set.
pub fn run(
    pulse: &Pulse,
    mut camera: Box<dyn Camera>,
    mut watcher: Box<dyn Watcher>,
    events: &Outbox<Event>,
    stop: &AtomicBool,
    _metrics: &Metrics,
) -> Result<()> {
    let mut frame = Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() };
    let mut works = true;
    let mut present = false;
    camera.pace(5.0);
    while !stop.load(Ordering::Acquire) {
        let read = {
            let _waiting = pulse.waiting();
            camera.read(&mut frame)
        };
        let away = match read {
            Ok(()) => false,
            Err(DeviceError::Xrun) => continue,
            Err(DeviceError::Away) => true,
            Err(error) => return Err(anyhow::Error::new(error).context("the camera failed")),
        };
        if works == away {
            works = !away;
            let event = Event::Device { device: Device::Camera, works };
            if events.send(pulse, event).is_break() {
                return Ok(());
            }
        }
        if away {
            continue;
        }
        let sight = watcher.look(&frame)?;
        let event = match (present, sight.present) {
            (false, true) => Event::VisitorCame,
            (true, false) => Event::VisitorLeft,
            _ => continue,
        };
        present = sight.present;
        if events.send(pulse, event).is_break() {
            return Ok(());
        }
    }
    Ok(())
}
