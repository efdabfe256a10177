//! The microphone and the loudspeaker of a configuration.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{
    config::{Config, SoundKind},
    device::{
        Microphone, Speaker,
        file::{After, FileMicrophone, FileSpeaker},
        headless::{HeadlessMicrophone, HeadlessSpeaker},
    },
};

/// Silence before a recording is played, so that the speech detector has heard the room.
const BEFORE: Duration = Duration::from_millis(500);

/// Buffer of the simulated sound card: about what a real one has.
const BUFFER: Duration = Duration::from_millis(80);

/// Opens both, because what one plays the other hears; the loudspeaker takes `sample_rate`.
///
/// # Errors
/// One of them cannot be opened; the message names it.
pub(super) fn open(
    config: &Config,
    sample_rate: u32,
) -> Result<(Box<dyn Microphone>, Box<dyn Speaker>)> {
    let files = &config.devices.file;
    let microphone: Box<dyn Microphone> = match config.devices.microphone {
        SoundKind::Auto | SoundKind::Alsa | SoundKind::Headless => {
            Box::new(HeadlessMicrophone::default())
        }
        SoundKind::File => {
            let pause = Duration::from_millis(files.pause_ms.into());
            let after = if files.repeat { After::Again(pause) } else { After::Silence };
            let opened = FileMicrophone::open(&files.microphone, super::LONGEST, BEFORE, after);
            Box::new(opened.context("the microphone cannot be opened")?)
        }
    };
    let speaker: Box<dyn Speaker> = match config.devices.speaker {
        SoundKind::Auto | SoundKind::Alsa | SoundKind::Headless => {
            Box::new(HeadlessSpeaker::open(sample_rate, BUFFER)?)
        }
        SoundKind::File => {
            let opened = FileSpeaker::open(&files.speaker, sample_rate, BUFFER, super::LONGEST);
            Box::new(opened.context("the loudspeaker cannot be opened")?)
        }
    };
    Ok((microphone, speaker))
}
