//! `run`: the daemon.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Result;

use crate::{
    admin::{self, Admin},
    config::Config,
    front::Desk,
    kiosk::Kiosk,
    machine::{self, Assembly},
    metrics::Metrics,
    sensors::Sensors,
    sound::Wav,
};

/// The longest recording that `POST /talk` takes.
const LONGEST: Duration = Duration::from_mins(1);

pub(super) fn run(config: &Config) -> Result<ExitCode> {
    // Before the models, which take their time.
    let (problems, warnings) = admin::check(&config.admin);
    if !problems.0.is_empty() {
        return Err(problems.into());
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let metrics = Arc::new(Metrics::default());
    // First of all, so that the device is seen while the models load.
    let enabled = config.sensors.enabled;
    let sensors = enabled.then(|| Sensors::start(&config.sensors, &metrics)).transpose()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "loading the models");
    let Assembly { engines, devices, recording, models } = machine::assemble(config, &metrics)?;
    let mut kiosk = Kiosk::start(machine::settings(config), engines, devices, &metrics)?;
    if let Some(sensors) = &sensors {
        kiosk.pulses.add(sensors.pulses());
    }
    let desk = Desk::new(&kiosk, recording, models, machine::device_kinds(config));
    let admin = match Admin::start(&config.admin, Arc::new(desk), metrics, decode) {
        Ok(admin) => admin,
        Err(error) => {
            let _ = kiosk.stop(machine::grace(config));
            return Err(error);
        }
    };
    tracing::info!(address = %admin.address(), "ready");
    if !config.converse.greeting.is_empty() {
        // Nothing sees who comes yet: the greeting is for whoever has started the machine.
        kiosk.tell().came();
    }
    let ended = kiosk.wait(&admin.stop_asked());
    tracing::info!("stopping");
    let stopped = kiosk.stop(machine::grace(config));
    let closed = admin.stop();
    let rested = sensors.map_or(Ok(()), |sensors| sensors.stop(machine::grace(config)));
    ended.and(stopped).and(closed).and(rested)?;
    Ok(ExitCode::SUCCESS)
}

/// A body of `POST /talk` as 16 kHz mono.
fn decode(body: &[u8]) -> Result<Vec<f32>, String> {
    let wav = Wav::from_bytes("the body", body, LONGEST).map_err(|error| error.to_string())?;
    if wav.is_silent() {
        return Err("the body is a silent recording; record louder, or closer".into());
    }
    Ok(wav.samples)
}
