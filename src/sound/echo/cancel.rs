//! WebRTC's audio processing (the port `sonora`): echo canceller, noise suppressor, gain control.
//!
//! At 16 kHz, which is what the recogniser hears: at 48 kHz it would cost more than twice as much, for
//! sound that is thrown away afterwards.

use std::fmt;

use anyhow::{Result, anyhow};
use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{
        AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression,
        NoiseSuppressionLevel,
    },
};

use super::{AHEAD, Adaptive};
use crate::media::SAMPLE_RATE;

/// Samples that are treated at once: 10 ms.
pub const FRAME: usize = SAMPLE_RATE as usize / 100;

/// How fast the levels before and after are forgotten: three seconds of the kiosk's own voice.
const FORGET: f64 = 1.0 / 300.0;

/// Frames in which the microphone's level, after or before, is below this are not the echo of anything:
/// −60 dB under full scale.
const SOFT: f64 = 1e-6;

/// What is done to the microphone's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// What is played is taken out.
    pub echo: bool,
    /// Steady noise is taken out.
    pub noise: Option<NoiseSuppressionLevel>,
    /// Soft and loud voices are brought to one level.
    pub gain: bool,
}

impl Treatment {
    /// Whether anything is done.
    pub fn is_any(&self) -> bool {
        self.echo || self.noise.is_some() || self.gain
    }
}

/// Treats the microphone's sound, 10 ms at a time.
///
/// Twice, where the echo is taken out: for whoever tells speech from other sound WebRTC's canceller, whose
/// suppressor leaves nothing of the kiosk's own voice but also little of a visitor's who talks at the same
/// time; and for the recogniser the adaptive filter alone, which leaves the visitor as they are.
pub struct Canceller {
    processing: AudioProcessing,
    words: Option<Words>,
    treatment: Treatment,
    scratch: [f32; FRAME],
    /// Mean power before and after, while the kiosk speaks.
    before: f64,
    after: f64,
}

impl fmt::Debug for Canceller {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Canceller").field("treatment", &self.treatment).finish_non_exhaustive()
    }
}

impl Canceller {
    /// Nothing was heard yet.
    pub fn new(treatment: Treatment) -> Self {
        let words = treatment.echo.then(|| Words {
            adaptive: Adaptive::default(),
            processing: processing(Treatment { echo: false, ..treatment }),
        });
        let processing = processing(treatment);
        Self { processing, words, treatment, scratch: [0.0; FRAME], before: 0.0, after: 0.0 }
    }

    /// Treats `heard`, recorded while `played` sounded, `AHEAD` later than it says; `speaks` tells
    /// whether there was anything in it. Returns what the recogniser hears, where that is something else.
    ///
    /// # Errors
    /// The processing refuses the frame, which its size rules out.
    pub fn treat(
        &mut self,
        played: &[f32; FRAME],
        heard: &mut [f32; FRAME],
        speaks: bool,
    ) -> Result<Option<[f32; FRAME]>> {
        for sample in &mut *heard {
            // Devices keep to this; the canceller would not forget it for minutes.
            *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
        let spoken = match &mut self.words {
            Some(words) => {
                let mut spoken = *heard;
                words.adaptive.take_out(played, &mut spoken);
                let done =
                    words.processing.process_capture_f32(&[&spoken], &mut [&mut self.scratch]);
                done.map_err(failed)?;
                Some(self.scratch)
            }
            None => None,
        };
        let before = power(heard);
        if self.treatment.echo {
            let delay = (AHEAD / f64::from(SAMPLE_RATE) * 1e3) as i32;
            self.processing
                .process_render_f32(&[played], &mut [&mut self.scratch])
                .map_err(failed)?;
            self.processing.set_stream_delay_ms(delay).map_err(failed)?;
        }
        self.processing
            .process_capture_f32(&[&*heard], &mut [&mut self.scratch])
            .map_err(failed)?;
        *heard = self.scratch;
        if speaks && before > SOFT {
            self.before += FORGET * (before - self.before);
            self.after += FORGET * (power(heard) - self.after);
        }
        Ok(spoken)
    }

    /// How much softer the kiosk's own voice is now than without the canceller, in decibels; 0 before it
    /// has spoken.
    pub fn reduction_db(&self) -> f64 {
        if self.before <= 0.0 {
            return 0.0;
        }
        10.0 * (self.before / self.after.max(1e-12)).log10()
    }
}

/// What the recogniser hears.
struct Words {
    adaptive: Adaptive,
    processing: AudioProcessing,
}

/// WebRTC's part of a treatment.
fn processing(treatment: Treatment) -> AudioProcessing {
    let config = Config {
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: treatment.echo.then(EchoCanceller::default),
        noise_suppression: treatment
            .noise
            .map(|level| NoiseSuppression { level, ..NoiseSuppression::default() }),
        gain_controller2: treatment.gain.then(|| GainController2 {
            adaptive_digital: Some(AdaptiveDigital::default()),
            ..GainController2::default()
        }),
        ..Config::default()
    };
    let stream = StreamConfig::new(SAMPLE_RATE, 1);
    let built = AudioProcessing::builder().config(config);
    built.capture_config(stream).render_config(stream).build()
}

fn failed(error: sonora::Error) -> anyhow::Error {
    anyhow!("sound cannot be treated: {error}")
}

/// Mean power of a frame.
fn power(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(sample * sample)).sum();
    sum / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_stays_silence_and_nothing_breaks_on_nonsense() {
        let treatment =
            Treatment { echo: true, noise: Some(NoiseSuppressionLevel::Low), gain: true };
        let mut canceller = Canceller::new(treatment);
        for value in [0.0, 1.0, -1.0, 1e9, f32::NAN, 0.0] {
            let mut frame = [value; FRAME];
            let spoken = canceller.treat(&[0.0; FRAME], &mut frame, true).unwrap().unwrap();
            assert!(frame.iter().chain(&spoken).all(|sample| sample.is_finite()));
        }
        let mut loudest = 0.0;
        for _ in 0..300 {
            let mut frame = [0.0; FRAME];
            canceller.treat(&[0.0; FRAME], &mut frame, false).unwrap();
            loudest = frame.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        }
        assert!(loudest < 1e-3, "{loudest}");
    }
}
