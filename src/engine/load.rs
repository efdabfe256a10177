//! From a pack to warm engines: one `match` a kind chooses who reads a model.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use super::{
    Asr, Face, Llm, Portrait, Tts,
    asr::NemoCtc,
    face::{self, MouthShapes},
    llm::{Chat, Site},
    onnx::{Backend, Library, Options},
    pack::{self, Entry, Kind, Pack},
    tts::SourceFilter,
    vision::{self, Detector},
};
use crate::{
    config::{BackendKind, Config},
    media::{Chunk, Frame, Message, Rect, Role},
};

/// The models of a configuration, found and checked but not loaded.
#[derive(Clone, Debug)]
pub struct Loader {
    /// Where the models are.
    pub pack: Pack,
    /// What computes them.
    pub options: Options,
    /// What the kiosk knows.
    pub site: Site,
    persona: String,
}

impl Loader {
    /// Finds the pack, the runtime and the site's facts.
    ///
    /// # Errors
    /// One of them is missing or wrong.
    pub fn new(config: &Config) -> Result<Self> {
        let pack = pack_of(config)?;
        let site = if config.converse.site.as_os_str().is_empty() {
            Site::sample()?
        } else {
            Site::load(&config.converse.site)?
        };
        let options = options(config)?;
        Ok(Self { pack, options, site, persona: config.converse.persona.clone() })
    }

    /// The checked entry for a kind.
    fn entry(&self, kind: Kind) -> Result<&Entry> {
        let entry = self.pack.model(kind)?;
        entry.verify(&self.pack.folder)?;
        Ok(entry)
    }

    fn file(&self, entry: &Entry, ending: &str) -> Result<PathBuf> {
        entry.file(&self.pack.folder, ending)
    }

    /// The recogniser, warm.
    ///
    /// # Errors
    /// Its files are missing, altered, or do not fit.
    pub fn asr(&self) -> Result<Box<dyn Asr>> {
        let entry = self.entry(Kind::Asr)?;
        let mut asr = match entry.engine.as_str() {
            "nemo-ctc" => NemoCtc::load(
                &self.file(entry, ".onnx")?,
                &self.file(entry, "tokens.txt")?,
                &self.file(entry, ".arpa")?,
                &self.options,
            )?
            .with_words(&self.site.phrases()),
            other => return unknown(entry, other),
        };
        asr.accept(&Chunk::of(vec![0.0; 8000])).context("the recogniser failed to warm up")?;
        asr.finish().context("the recogniser failed to warm up")?;
        asr.reset();
        Ok(Box::new(asr))
    }

    /// The language model, warm.
    ///
    /// # Errors
    /// Its files are missing, altered, or do not fit.
    pub fn llm(&self) -> Result<Box<dyn Llm>> {
        let entry = self.entry(Kind::Llm)?;
        let mut llm = match entry.engine.as_str() {
            kind @ ("decoder" | "guided-decoder") => {
                let chat = Chat::load(
                    &self.file(entry, ".onnx")?,
                    &self.file(entry, "tokenizer.json")?,
                    &self.site,
                    &self.persona,
                    &self.options,
                )?;
                if kind == "guided-decoder" { chat.guided(&self.site) } else { chat }
            }
            other => return unknown(entry, other),
        };
        let hello = [Message { role: Role::Visitor, text: "hello".into() }];
        llm.reply(&hello, &mut |_| std::ops::ControlFlow::Continue(()))
            .context("the language model failed to warm up")?;
        Ok(Box::new(llm))
    }

    /// The voice, warm.
    ///
    /// # Errors
    /// Its files are missing, altered, or do not fit.
    pub fn tts(&self) -> Result<Box<dyn Tts>> {
        let entry = self.entry(Kind::Tts)?;
        let mut tts = match entry.engine.as_str() {
            "source-filter" => SourceFilter::load(&self.pack.folder, &self.options)?,
            other => return unknown(entry, other),
        };
        tts.speak("hello", &mut |_| std::ops::ControlFlow::Continue(()))
            .context("the voice failed to warm up")?;
        Ok(Box::new(tts))
    }

    /// The face for sound of `sample_rate`, warm.
    ///
    /// # Errors
    /// Its files are missing, altered, or do not fit.
    pub fn face(&self, sample_rate: u32) -> Result<Box<dyn Face>> {
        let entry = self.entry(Kind::Face)?;
        let mut face = match entry.engine.as_str() {
            "mouth-shapes" => {
                MouthShapes::load(&self.file(entry, ".onnx")?, sample_rate, &self.options)?
            }
            other => return unknown(entry, other),
        };
        let beat = vec![0.0; (sample_rate / face.rate()) as usize];
        for _ in 0..5 {
            face.accept(&beat, &mut |_| ()).context("the face failed to warm up")?;
        }
        face.finish(&mut |_| ()).context("the face failed to warm up")?;
        face.reset();
        Ok(Box::new(face))
    }
}

/// The detector of faces in the pack of a configuration, warm.
///
/// # Errors
/// The pack has none, or its files are missing, altered, or do not fit.
pub fn detector(config: &Config) -> Result<Box<dyn Detector>> {
    let pack = pack_of(config)?;
    let entry = pack.model(Kind::Vision).context(
        "watch.detector is \"pack\"; take \"rustface\", which is built in, or a pack that has one",
    )?;
    entry.verify(&pack.folder)?;
    let (file, options) = (entry.file(&pack.folder, ".onnx")?, options(config)?);
    let mut detector: Box<dyn Detector> = match entry.engine.as_str() {
        "yunet" => Box::new(vision::Yunet::load(&file, &options)?),
        "ultraface" => Box::new(vision::Ultra::load(&file, vision::Boxes::Finished, &options)?),
        "ultraface-raw" => Box::new(vision::Ultra::load(&file, vision::Boxes::Raw, &options)?),
        other => return unknown(entry, other),
    };
    let (width, height, luma) = (320, 240, vec![0; 320 * 240]);
    let nothing = Frame { width, height, luma, taken: Instant::now() };
    detector.detect(&nothing, 40.0).context("the face detector failed to warm up")?;
    Ok(detector)
}

fn pack_of(config: &Config) -> Result<Pack> {
    if config.models.pack.as_os_str().is_empty() {
        Pack::starter()
    } else {
        Pack::open(&config.models.pack)
    }
}

fn unknown<T>(entry: &Entry, engine: &str) -> Result<T> {
    bail!("the model {} is for the engine {engine:?}, which this version does not have", entry.name)
}

/// The portrait of a configuration.
///
/// # Errors
/// Its files are missing or wrong.
pub fn portrait(config: &Config) -> Result<Box<dyn Portrait>> {
    let (width, height) = (config.screen.width, config.screen.height);
    portrait_part(config, (width, height), Rect::new(0, 0, width, height))
}

/// A part of the portrait of a configuration, whose whole would have `size`.
///
/// # Errors
/// Its files are missing or wrong.
pub fn portrait_part(config: &Config, size: (u32, u32), part: Rect) -> Result<Box<dyn Portrait>> {
    let folder = if config.avatar.path.as_os_str().is_empty() {
        pack::find("avatar", "portrait.toml")?
    } else {
        config.avatar.path.clone()
    };
    let portrait = face::Portrait::load_part(&folder, size, part)
        .with_context(|| format!("the portrait in {} cannot be used", folder.display()))?;
    Ok(Box::new(face::Living::new(portrait)))
}

/// What computes the models, according to the configuration and to what this machine has.
fn options(config: &Config) -> Result<Options> {
    let configured = &config.models.library;
    let threads = config.models.threads.get();
    let library = || -> Result<Option<Library>> {
        let found = if configured.as_os_str().is_empty() {
            Library::find()
        } else {
            Some(configured.clone())
        };
        found.as_deref().map(Library::open).transpose()
    };
    match config.models.backend {
        BackendKind::Tract => Ok(Options::tract()),
        BackendKind::Ort => {
            if let Some(library) = library()? {
                Ok(Options::ort(library, threads))
            } else {
                let places: String = Library::places()
                    .iter()
                    .map(|place| format!("\n  {}", place.display()))
                    .collect();
                bail!(
                    "the backend ort needs libonnxruntime.so (1.24 or newer), which was not found; set \
                 models.library or put it in one of:{places}"
                )
            }
        }
        BackendKind::Auto => match library() {
            Ok(Some(library)) => Ok(Options::ort(library, threads)),
            Ok(None) => Ok(Options::tract()),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, backend = %Backend::Tract, "ONNX Runtime cannot be used");
                Ok(Options::tract())
            }
        },
    }
}

/// Where the portrait is looked for.
pub fn avatar_places() -> Vec<PathBuf> {
    pack::places("avatar")
}

/// Whether a folder holds a portrait.
pub fn is_avatar(folder: &Path) -> bool {
    folder.join("portrait.toml").is_file()
}
