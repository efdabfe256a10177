//! Sound cards, and what is done to sound.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sound cards, and what is done to the microphone's sound. `docs/hardware.md` says which to choose.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sound {
    /// The card that hears: `auto`, a card's id or a part of its name (`Jabra`), or what ALSA calls a
    /// device (`hw:CARD=Device,DEV=0`, `default`). `linly-edge check` lists the cards.
    pub microphone: String,
    /// The card that speaks, named likewise; a card that also hears is best, because both then have one
    /// clock.
    pub speaker: String,
    /// The channel of the microphone that is heard, from 1; 0 takes the mean of all. Arrays that clean
    /// their sound themselves put it into the first.
    #[schemars(range(max = 32))]
    pub channel: u32,
    /// Sound that waits in the loudspeaker's buffer, in milliseconds: so long an interruption may take,
    /// and so long the program may be late.
    #[schemars(range(min = 30, max = 500))]
    pub buffer_ms: u32,
    /// Makes the microphone's sound louder, in decibels.
    #[schemars(range(min = -40.0, max = 40.0))]
    pub microphone_gain_db: f32,
    /// Makes the voice louder or softer, in decibels; what is too loud is clipped.
    #[schemars(range(min = -60.0, max = 20.0))]
    pub speaker_gain_db: f32,
    /// What the card's own mixer is set to for recording, in percent; -1 leaves it as it is.
    #[schemars(range(min = -1, max = 100))]
    pub microphone_mixer_percent: i32,
    /// What the card's own mixer is set to for playing, in percent; -1 leaves it as it is.
    #[schemars(range(min = -1, max = 100))]
    pub speaker_mixer_percent: i32,
    /// Takes what the loudspeaker plays out of what the microphone hears. Off for headsets, and for
    /// speakerphones that do it themselves.
    pub echo_cancellation: bool,
    /// How much steady noise is taken out.
    pub noise_suppression: NoiseSuppression,
    /// Brings soft and loud visitors to the same level.
    pub gain_control: bool,
}

impl Default for Sound {
    fn default() -> Self {
        Self {
            microphone: "auto".into(),
            speaker: "auto".into(),
            channel: 0,
            buffer_ms: 60,
            microphone_gain_db: 0.0,
            speaker_gain_db: 0.0,
            microphone_mixer_percent: -1,
            speaker_mixer_percent: -1,
            echo_cancellation: true,
            noise_suppression: NoiseSuppression::default(),
            gain_control: false,
        }
    }
}

/// How much steady noise is taken out of the microphone's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoiseSuppression {
    /// None.
    Off,
    /// About 6 dB.
    #[default]
    Low,
    /// About 12 dB.
    Moderate,
    /// About 18 dB; words begin to suffer.
    High,
}
