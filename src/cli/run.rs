//! `run`: the daemon.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    ConfigFile,
    serve::Server,
    start::{self, Front},
};
use crate::{
    admin::{self, Admin},
    config::{CameraKind, Config, DisplayKind, SoundKind},
    front::Desk,
    kiosk::Kiosk,
    machine::{self, Absent, Assembly, Parts},
    metrics::Metrics,
    sensors::Sensors,
    sound::Wav,
    systemd,
};

/// So long loading may take: the first time a GPU's engines are built, which takes minutes each.
pub(super) const LOADING: Duration = Duration::from_mins(20);

/// The longest recording that `POST /talk` takes.
const LONGEST: Duration = Duration::from_mins(1);

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Run {
    #[command(flatten)]
    file: ConfigFile,
    /// Open no microphone, loudspeaker, camera or screen, even where there are some: for trials and tests.
    #[arg(long)]
    headless: bool,
}

impl Run {
    /// The configuration, without problems; on a screen that people see they are told if there are some.
    pub(super) fn config(&self) -> Result<Config> {
        let read = self.read();
        if let Err(error) = &read
            && !self.headless
        {
            start::wrong_configuration(super::code_of(error));
        }
        read
    }

    /// The configuration, without problems.
    pub(super) fn read(&self) -> Result<Config> {
        let mut config = self.file.load()?;
        if self.headless {
            let devices = &mut config.devices;
            for sound in [&mut devices.microphone, &mut devices.speaker] {
                if matches!(sound, SoundKind::Auto | SoundKind::Alsa) {
                    *sound = SoundKind::Headless;
                }
            }
            if matches!(devices.display, DisplayKind::Auto | DisplayKind::Drm) {
                devices.display = DisplayKind::Headless;
            }
            devices.camera = CameraKind::Off;
        }
        Ok(config)
    }
}

pub(super) fn run(run: &Run, config: &Config) -> Result<ExitCode> {
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
    systemd::status("loading the models");
    systemd::extend(LOADING);
    let absent = Absent::of(config);
    let Assembly { engines, devices, recording, models, boards } = assemble(config, &metrics)?;
    let sees = devices.watch.is_some();
    let settings = machine::settings(config, Some(boards));
    let mut kiosk = Kiosk::start(settings, engines, devices, &metrics)?;
    if let Some(sensors) = &sensors {
        kiosk.pulses.add(sensors.pulses());
    }
    let desk = Desk::new(&kiosk, recording, models, machine::device_kinds(config));
    let loaded = desk.models();
    let admin = match Admin::start(&config.admin, Arc::new(desk), metrics.clone(), decode) {
        Ok(admin) => admin,
        Err(error) => {
            let _ = kiosk.stop(machine::grace(config));
            return Err(error);
        }
    };
    if !sees && !config.converse.greeting.is_empty() {
        // Nothing sees who comes: the greeting is for whoever has started the machine.
        kiosk.tell().started();
    }
    let latest = sensors.as_ref().map(|sensors| sensors.latest.clone());
    let ended = Server::new(run, config, metrics, latest, loaded, absent).serve(&mut kiosk, &admin);
    tracing::info!("stopping");
    systemd::stopping();
    let stopped = kiosk.stop(machine::grace(config));
    let closed = admin.stop();
    let rested = sensors.map_or(Ok(()), |sensors| sensors.stop(machine::grace(config)));
    ended.and(stopped).and(closed).and(rested)?;
    Ok(ExitCode::SUCCESS)
}

/// Loads and opens everything; meanwhile the screen shows how far that is, and that it has failed.
fn assemble(config: &Config, metrics: &Metrics) -> Result<Assembly> {
    let screen = machine::screen(config)?;
    if !screen.real {
        let about = (screen.size, screen.real);
        return Parts::load(config, metrics, about, &|_| ())?.assemble(screen, config);
    }
    let about = (screen.size, screen.real);
    let front = Front::start(screen, &config.screen)?;
    match Parts::load(config, metrics, about, &|done| front.say(done)) {
        Ok(parts) => parts.assemble(front.hand_over()?, config),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the kiosk is out of order");
            let time = Duration::from_secs(config.screen.fault_s.into());
            front.out_of_order(super::code_of(&error), time);
            Err(error)
        }
    }
}

/// A body of `POST /talk` as 16 kHz mono.
fn decode(body: &[u8]) -> Result<Vec<f32>, String> {
    let wav = Wav::from_bytes("the body", body, LONGEST).map_err(|error| error.to_string())?;
    if wav.is_silent() {
        return Err("the body is a silent recording; record louder, or closer".into());
    }
    Ok(wav.samples)
}
