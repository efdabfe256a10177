//! The microphone and the loudspeaker of a configuration.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use sonora::config::NoiseSuppressionLevel;

use crate::{
    config::{Config, NoiseSuppression, Sound, SoundKind},
    device::{
        Microphone, Speaker,
        alsa::{AlsaMicrophone, AlsaSpeaker, Cards, Wish, factor},
        echo,
        file::{After, FileMicrophone, FileSpeaker},
        headless::{HeadlessMicrophone, HeadlessSpeaker},
    },
    media::SAMPLE_RATE,
    sound::echo::{Figures, Treatment},
};

/// Silence before a recording is played, so that the speech detector has heard the room.
const BEFORE: Duration = Duration::from_millis(500);

/// Buffer of the simulated sound card: about what a real one has.
const BUFFER: Duration = Duration::from_millis(80);

/// What hears and what speaks.
pub(super) struct Opened {
    pub(super) microphone: Box<dyn Microphone>,
    pub(super) speaker: Box<dyn Speaker>,
    /// How the echo canceller does, where there is one.
    pub(super) figures: Option<Arc<Figures>>,
}

/// Opens both, because what one plays the other hears; the loudspeaker takes `sample_rate`.
///
/// # Errors
/// One of them cannot be opened; the message names it.
pub(super) fn open(config: &Config, sample_rate: u32) -> Result<Opened> {
    let (microphone, ear) = microphone(config)?;
    let (speaker, voice) = speaker(config, sample_rate)?;
    let treatment = treatment(&config.sound);
    // Recordings and silence are heard as they are.
    let Some(ear) = ear.filter(|_| treatment.is_any()) else {
        return Ok(Opened { microphone, speaker, figures: None });
    };
    let one_clock = voice.is_some_and(|voice| voice == ear);
    let (microphone, speaker, figures) = echo::wrap(microphone, speaker, treatment, one_clock)?;
    let on = |works: bool| if works { "on" } else { "off" };
    tracing::info!(
        "echo cancellation {}, noise suppression {}, gain control {}{}",
        on(treatment.echo),
        on(treatment.noise.is_some()),
        on(treatment.gain),
        if one_clock { "; both devices have one clock" } else { "" }
    );
    Ok(Opened {
        microphone: Box::new(microphone),
        speaker: Box::new(speaker),
        figures: Some(figures),
    })
}

/// The microphone, and the sound card that it is.
fn microphone(config: &Config) -> Result<(Box<dyn Microphone>, Option<String>)> {
    const FAILED: &str = "the microphone cannot be opened";
    let files = &config.devices.file;
    let kind = config.devices.microphone;
    Ok(match kind {
        SoundKind::Auto | SoundKind::Alsa => match AlsaMicrophone::open(hearing(&config.sound)) {
            Ok(microphone) => {
                let negotiated = microphone.negotiated().clone();
                tracing::info!("microphone: {negotiated}");
                (Box::new(microphone), Some(negotiated.card))
            }
            Err(error) => {
                let silent = HeadlessMicrophone::default();
                (instead(kind, "microphone", Box::new(silent), error.context(FAILED))?, None)
            }
        },
        SoundKind::Headless => (Box::new(HeadlessMicrophone::default()), None),
        SoundKind::File => {
            let pause = Duration::from_millis(files.pause_ms.into());
            let after = if files.repeat { After::Again(pause) } else { After::Silence };
            let opened = FileMicrophone::open(&files.microphone, super::LONGEST, BEFORE, after);
            (Box::new(opened.context(FAILED)?), None)
        }
    })
}

/// The loudspeaker, and the sound card that it is.
fn speaker(config: &Config, sample_rate: u32) -> Result<(Box<dyn Speaker>, Option<String>)> {
    const FAILED: &str = "the loudspeaker cannot be opened";
    let files = &config.devices.file;
    let kind = config.devices.speaker;
    Ok(match kind {
        SoundKind::Auto | SoundKind::Alsa => {
            // How loud it speaks is the conversation's affair, which may change it meanwhile.
            let wish = Wish { gain: 1.0, ..speaking(&config.sound, sample_rate) };
            match AlsaSpeaker::open(wish) {
                Ok(speaker) => {
                    let negotiated = speaker.negotiated();
                    tracing::info!("loudspeaker: {negotiated}");
                    (Box::new(speaker), Some(negotiated.card))
                }
                Err(error) => {
                    let silent = HeadlessSpeaker::open(sample_rate, BUFFER)?;
                    (instead(kind, "loudspeaker", Box::new(silent), error.context(FAILED))?, None)
                }
            }
        }
        SoundKind::Headless => (Box::new(HeadlessSpeaker::open(sample_rate, BUFFER)?), None),
        SoundKind::File => {
            let opened = FileSpeaker::open(&files.speaker, sample_rate, BUFFER, super::LONGEST);
            (Box::new(opened.context(FAILED)?), None)
        }
    })
}

/// What takes the place of a card that was not asked for by name.
fn instead<T>(kind: SoundKind, what: &str, other: T, error: anyhow::Error) -> Result<T> {
    if kind != SoundKind::Auto {
        return Err(error);
    }
    tracing::info!("{what}: none ({error:#})");
    Ok(other)
}

/// What is wanted of the card that hears.
pub fn hearing(sound: &Sound) -> Wish {
    Wish {
        cards: Cards::default(),
        name: sound.microphone.clone(),
        rate: SAMPLE_RATE,
        channel: sound.channel,
        buffer: Duration::from_millis(sound.buffer_ms.into()),
        gain: factor(sound.microphone_gain_db),
        mixer_percent: u8::try_from(sound.microphone_mixer_percent).ok(),
    }
}

/// What is wanted of the card that speaks `sample_rate` samples a second.
pub fn speaking(sound: &Sound, sample_rate: u32) -> Wish {
    Wish {
        cards: Cards::default(),
        name: sound.speaker.clone(),
        rate: sample_rate,
        channel: 0,
        buffer: Duration::from_millis(sound.buffer_ms.into()),
        gain: factor(sound.speaker_gain_db),
        mixer_percent: u8::try_from(sound.speaker_mixer_percent).ok(),
    }
}

/// What is done to the microphone's sound.
pub fn treatment(sound: &Sound) -> Treatment {
    Treatment {
        echo: sound.echo_cancellation,
        noise: match sound.noise_suppression {
            NoiseSuppression::Off => None,
            NoiseSuppression::Low => Some(NoiseSuppressionLevel::Low),
            NoiseSuppression::Moderate => Some(NoiseSuppressionLevel::Moderate),
            NoiseSuppression::High => Some(NoiseSuppressionLevel::High),
        },
        gain: sound.gain_control,
    }
}
