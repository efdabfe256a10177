//! From a configuration to the parts of a machine: models loaded, devices open.

pub mod camera;
mod display;
mod keys;
mod sound;

pub use self::sound::{hearing, speaking, treatment};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};

use crate::{
    admin::ModelStatus,
    config::{Config, DisplayKind, Screen},
    device::{
        mp4::Format,
        recording::{Limit, Recording},
    },
    engine::{
        load::{self, Loader},
        pack::Kind,
        vad::Earshot,
    },
    kiosk::{Devices, Engines, Settings},
    media::{Device, PICTURE_RATE, Step},
    metrics::{Metrics, Model},
    scene::Boards,
    screen::Bare,
    stage::{converse::Manners, endpoint::Limits},
};

/// The longest recording that is played, and the longest that is made.
const LONGEST: Duration = Duration::from_hours(1);

/// The longest film of one answer.
const ANSWER: Duration = Duration::from_mins(2);

/// Everything that a machine is made of.
#[expect(missing_debug_implementations, reason = "engines and devices have none")]
pub struct Assembly {
    /// The models, warm.
    pub engines: Engines,
    /// The devices, open.
    pub devices: Devices,
    /// Records what they play and show.
    pub recording: Recording,
    /// What was loaded.
    pub models: Vec<ModelStatus>,
    /// What is better read than heard.
    pub boards: Arc<dyn Boards>,
}

/// Loads the models and opens the devices.
///
/// # Errors
/// A model is missing, altered or does not fit; a device cannot be opened.
pub fn assemble(config: &Config, metrics: &Metrics) -> Result<Assembly> {
    let loader = Loader::new(config)?;
    let tts = loader.tts()?;
    let sample_rate = tts.sample_rate();
    let engines = Engines {
        vad: Box::new(Earshot::default()),
        asr: loader.asr()?,
        llm: loader.llm()?,
        tts,
        face: loader.face(sample_rate)?,
        painter: Box::new(Bare(load::portrait(config)?)),
    };
    let models = status(&loader, metrics)?;
    let (devices, recording) = devices(config, sample_rate, metrics)?;
    let boards = Arc::new(loader.site.clone());
    Ok(Assembly { engines, devices, recording, models, boards })
}

/// Opens the devices; also returns what records them. `metrics` will tell how they do.
///
/// # Errors
/// One of them cannot be opened; the message names it.
pub fn devices(
    config: &Config,
    sample_rate: u32,
    metrics: &Metrics,
) -> Result<(Devices, Recording)> {
    let sound::Opened { microphone, speaker, figures } = sound::open(config, sample_rate)?;
    if let Some(figures) = figures {
        metrics.watch_echo(figures);
    }
    let display = display::open(config)?;
    let keys = keys::open(config)?;
    let watch = camera::open(config)?;
    let Screen { width, height } = config.screen;
    let format = Format { width, height, picture_rate: PICTURE_RATE, sample_rate };
    let limit = Limit { time: ANSWER, bytes: config.admin.video_limit_bytes as u64 };
    let recording = Recording::to_memory(format, limit);
    let mut devices = Devices {
        microphone,
        speaker: Box::new(recording.speaker(speaker)?),
        display: Box::new(recording.display(display)),
        watch,
        keys,
    };
    if config.devices.display == DisplayKind::File {
        // Sound and pictures of the whole run, in one film.
        let limit = Limit { time: LONGEST, bytes: u64::MAX };
        let film = Recording::to_file(&config.devices.file.display, format, limit)
            .context("the display cannot be opened")?;
        devices.speaker = Box::new(film.speaker(devices.speaker)?);
        devices.display = Box::new(film.display(devices.display));
    }
    Ok((devices, recording))
}

fn status(loader: &Loader, metrics: &Metrics) -> Result<Vec<ModelStatus>> {
    let backend = loader.options.backend().to_string();
    let mut models = Vec::new();
    for step in Step::ALL {
        let entry = loader.pack.model(Kind::from(step))?;
        metrics.loaded(Model::from(step), &entry.name, &entry.quantisation, &backend);
        if let Some(bytes) = loader.options.gpu_memory_bytes() {
            metrics.gpu_memory(Model::from(step), bytes);
        }
        models.push(ModelStatus {
            kind: step.name().into(),
            name: entry.name.clone(),
            quantisation: entry.quantisation.clone(),
            backend: backend.clone(),
        });
    }
    Ok(models)
}

/// How a machine of this configuration behaves; `boards` knows what is better read than heard.
pub fn settings(config: &Config, boards: Option<Arc<dyn Boards>>) -> Settings {
    let ms = |ms: u32| Duration::from_millis(ms.into());
    let s = |s: u32| Duration::from_secs(s.into());
    let listen = &config.listen;
    let converse = &config.converse;
    Settings {
        limits: Limits {
            threshold: listen.threshold,
            onset: ms(listen.onset_ms),
            preroll: ms(listen.preroll_ms),
            pause: ms(listen.pause_ms.get()),
            short_pause: ms(listen.short_pause_ms.get()),
            longest: s(listen.longest_s.get()),
            persist: ms(converse.persist_ms),
        },
        manners: Manners {
            greeting: converse.greeting.clone(),
            regreet: s(converse.regreet_s),
            apology: "I am sorry, something went wrong. Please ask again.".into(),
            barge_in: converse.barge_in,
            guard: ms(converse.guard_ms),
            persist: ms(converse.persist_ms),
            duck: ms(converse.duck_ms),
            stop_words: converse.stop_words.clone(),
            wake_word: converse.wake_word.clone(),
            push_to_talk: listen.push_to_talk,
            muted: listen.muted,
            history: converse.history,
            forget: s(converse.forget_s),
            dim: s(converse.dim_s),
            language: converse.language.into(),
            boards,
        },
        lead: Duration::ZERO,
    }
}

/// Which device is which kind, in the words of the configuration.
pub fn device_kinds(config: &Config) -> BTreeMap<String, String> {
    let written = serde_json::to_value(&config.devices).unwrap_or_default();
    Device::ALL
        .into_iter()
        .map(|device| {
            let kind = written[device.name()].as_str().unwrap_or_default().to_owned();
            (device.name().to_owned(), kind)
        })
        .collect()
}

/// How long the threads may take to end.
pub fn grace(config: &Config) -> Duration {
    Duration::from_millis(config.stop_grace_ms.into())
}
