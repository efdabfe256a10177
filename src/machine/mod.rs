//! From a configuration to the parts of a machine: models loaded, devices open.

mod absent;
pub mod camera;
mod display;
mod keys;
mod reload;
mod sound;

pub use self::{
    absent::Absent,
    display::{Screen, open as screen, wish as screen_wish},
    keys::wish as keys_wish,
    reload::{Reloaded, reload},
    sound::{hearing, speaking, treatment},
};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};

use crate::{
    admin::ModelStatus,
    config::{Config, DisplayKind},
    device::{
        Camera, Keys, Microphone, Speaker,
        alsa::factor,
        evdev::EvdevKeys,
        mp4::Format,
        recording::{Limit, Recording},
    },
    engine::{
        load::{self, Loader},
        pack::Kind,
        vad::Earshot,
        vision::Watcher,
    },
    kiosk::{Devices, Engines, Settings},
    media::{Device, PICTURE_RATE, Rect, Step},
    metrics::{Metrics, Model},
    scene::Boards,
    screen::{Bare, Composer, Layout, Look, Painter, Shown},
    stage::{converse::Manners, endpoint::Limits},
};

/// The longest recording that is played, and the longest that is made.
const LONGEST: Duration = Duration::from_hours(1);

/// Smaller screens have no room for anything but the face.
const SMALLEST: u32 = 240;

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
    let screen = screen(config)?;
    Parts::load(config, metrics, (screen.size, screen.real), &|_| ())?.assemble(screen, config)
}

/// Everything but the screen, which may be in use meanwhile.
#[expect(missing_debug_implementations, reason = "engines and devices have none")]
pub struct Parts {
    engines: Engines,
    models: Vec<ModelStatus>,
    boards: Arc<dyn Boards>,
    others: Others,
}

/// The devices but the screen.
struct Others {
    microphone: Box<dyn Microphone>,
    speaker: Box<dyn Speaker>,
    watch: Option<(Box<dyn Camera>, Box<dyn Watcher>)>,
    keys: Option<Box<dyn Keys>>,
    sample_rate: u32,
}

impl Parts {
    /// Loads the models and opens all devices but the screen, for one of that size that people see or
    /// do not see; tells how much of it is done, 0 to 1.
    ///
    /// # Errors
    /// A model is missing, altered or does not fit; a device cannot be opened.
    pub fn load(
        config: &Config,
        metrics: &Metrics,
        (size, real): ((u32, u32), bool),
        done: &dyn Fn(f32),
    ) -> Result<Self> {
        let (layout, keys) = keys_on(config, size, real)?;
        let painter = painter(config, layout, keys::buttons(config, keys.as_ref()))?;
        done(0.1);
        let loader = Loader::new(config)?;
        let tts = loader.tts()?;
        done(0.3);
        let sample_rate = tts.sample_rate();
        let asr = loader.asr()?;
        done(0.5);
        let llm = loader.llm()?;
        done(0.75);
        let face = loader.face(sample_rate)?;
        done(0.85);
        let vad = Box::new(Earshot::default());
        let engines = Engines { vad, asr, llm, tts, face, painter };
        let models = status(&loader, metrics)?;
        let keys = keys.map(|keys| Box::new(keys) as Box<dyn Keys>);
        let others = Others::open(config, sample_rate, keys, metrics)?;
        done(1.0);
        Ok(Self { engines, models, boards: Arc::new(loader.site.clone()), others })
    }

    /// The whole, with the screen.
    ///
    /// # Errors
    /// What records it cannot be opened.
    pub fn assemble(self, screen: Screen, config: &Config) -> Result<Assembly> {
        let Self { engines, models, boards, others } = self;
        let (devices, recording) = others.with(screen, config)?;
        Ok(Assembly { engines, devices, recording, models, boards })
    }
}

/// What is where on a screen of that size, and the keys and touches that go with it.
fn keys_on(config: &Config, size: (u32, u32), real: bool) -> Result<(Layout, Option<EvdevKeys>)> {
    let layout = Layout::new(size.0, size.1, config.screen.text_size);
    let keys = keys::open(config, real.then_some(&layout))?;
    Ok((layout, keys))
}

/// What paints the screen: the whole of it, or on a very small one the face alone.
fn painter(config: &Config, layout: Layout, buttons: bool) -> Result<Box<dyn Painter>> {
    let (width, height) = (layout.all.width, layout.all.height);
    if width.min(height) < SMALLEST {
        let all = Rect::new(0, 0, width, height);
        return Ok(Box::new(Bare(load::portrait_part(config, (width, height), all)?)));
    }
    let portrait = load::portrait_part(config, layout.portrait, layout.part)?;
    let look = Look::new(&config.screen)?;
    let shown = Shown { captions: config.screen.captions, buttons };
    Ok(Box::new(Composer::new(layout, portrait, look, shown)))
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
    let screen = screen(config)?;
    let (_, keys) = keys_on(config, screen.size, screen.real)?;
    let keys = keys.map(|keys| Box::new(keys) as Box<dyn Keys>);
    Others::open(config, sample_rate, keys, metrics)?.with(screen, config)
}

impl Others {
    fn open(
        config: &Config,
        sample_rate: u32,
        keys: Option<Box<dyn Keys>>,
        metrics: &Metrics,
    ) -> Result<Self> {
        let sound::Opened { microphone, speaker, figures } = sound::open(config, sample_rate)?;
        if let Some(figures) = figures {
            metrics.watch_echo(figures);
        }
        let watch = camera::open(config)?;
        Ok(Self { microphone, speaker, watch, keys, sample_rate })
    }

    fn with(self, screen: Screen, config: &Config) -> Result<(Devices, Recording)> {
        let Self { microphone, speaker, watch, keys, sample_rate } = self;
        // Films show what the screen shows, in its size.
        let (width, height) = screen.size;
        let format = Format { width, height, picture_rate: PICTURE_RATE, sample_rate };
        let limit = Limit { time: ANSWER, bytes: config.admin.video_limit_bytes as u64 };
        let recording = Recording::to_memory(format, limit);
        let mut devices = Devices {
            microphone,
            speaker: Box::new(recording.speaker(speaker)?),
            display: Box::new(recording.display(screen.display)),
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
}

fn status(loader: &Loader, metrics: &Metrics) -> Result<Vec<ModelStatus>> {
    let backend = loader.options.backend().to_string();
    let mut models = Vec::new();
    metrics.unloaded();
    for step in Step::ALL {
        let entry = loader.pack.model(Kind::from(step))?;
        metrics.loaded(Model::from(step), &entry.name, &entry.quantisation, &backend);
        tracing::info!(model = %entry.name, step = step.name(), %backend, "the model is loaded");
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
            loudness: factor(config.sound.speaker_gain_db),
            forget: s(converse.forget_s),
            dim: s(converse.dim_s),
            language: converse.language.into(),
            boards,
        },
        lead: ms(config.screen.lead_ms),
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
