//! Camera → who is there.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

use crate::{
    device::{Camera, DeviceError},
    engine::vision::{Sight, Watcher},
    flow::{Outbox, Pulse},
    media::{Device, Event, Frame},
    metrics::Metrics,
};

/// Looks that may fail one after the other; then something is wrong with more than a picture.
const FAILURES: u32 = 10;

/// Runs until `stop` is set.
pub fn run(
    pulse: &Pulse,
    mut camera: Box<dyn Camera>,
    watcher: Box<dyn Watcher>,
    events: &Outbox<Event>,
    stop: &AtomicBool,
    metrics: &Metrics,
) -> Result<()> {
    let mut frame = Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() };
    let mut guard = Guard { watcher, metrics, pace: 0.0, failures: 0 };
    let mut works = None;
    let mut present = false;
    while !stop.load(Ordering::Acquire) {
        let read = {
            let _waiting = pulse.waiting();
            camera.read(&mut frame)
        };
        let works_now = match read {
            Ok(()) => true,
            Err(DeviceError::Xrun) => {
                metrics.camera_bad_frames.inc();
                continue;
            }
            Err(DeviceError::Away) => false,
            Err(DeviceError::Gone) => bail!("the camera is gone: is it plugged in?"),
            Err(DeviceError::Other(error)) => return Err(error.context("the camera failed")),
        };
        if works != Some(works_now) {
            works = Some(works_now);
            let event = Event::Device { device: Device::Camera, works: works_now };
            if events.send(pulse, event).is_break() {
                return Ok(());
            }
        }
        if !works_now {
            // Whether somebody stays meanwhile is not known; who is there afterwards has come.
            present = false;
            metrics.people_in_view.set(0);
            continue;
        }
        let Some(sight) = guard.look(&frame)? else { continue };
        if sight.pace > 0.0 && sight.pace != guard.pace {
            guard.pace = sight.pace;
            camera.pace(sight.pace);
        }
        if present != sight.present {
            present = sight.present;
            let event = if present { Event::VisitorCame } else { Event::VisitorLeft };
            if events.send(pulse, event).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Looks, and counts what that took.
struct Guard<'a> {
    watcher: Box<dyn Watcher>,
    metrics: &'a Metrics,
    /// Pictures a second that were asked for last.
    pace: f32,
    failures: u32,
}

impl Guard<'_> {
    /// What is seen; `None` if this look has failed.
    fn look(&mut self, frame: &Frame) -> Result<Option<Sight>> {
        let metrics = self.metrics;
        metrics.camera_frames.inc();
        // A clock that stands before 1970 has not been set yet.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        metrics.camera_last_frame.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        let began = Instant::now();
        match self.watcher.look(frame) {
            Ok(sight) => {
                self.failures = 0;
                if sight.searched {
                    metrics.face_detection.inc_by(began.elapsed().as_secs_f64());
                }
                metrics.people_in_view.set(i64::from(sight.people));
                Ok(Some(sight))
            }
            Err(error) => {
                self.failures += 1;
                if self.failures >= FAILURES {
                    return Err(error).context("failed to look for faces");
                }
                let error = format!("{error:#}");
                tracing::warn!(error, "failed to look for faces in a picture");
                Ok(None)
            }
        }
    }
}
