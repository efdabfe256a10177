//! A microphone and a loudspeaker that know of each other: what the one plays the other does not hear.
//!
//! Any two devices are wrapped. The loudspeaker's thread only leaves its samples here; all work is done in
//! the microphone's calls.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{DeviceError, Microphone, Speaker};
use crate::{
    media::{Chunk, SAMPLE_RATE},
    sound::{
        Resampler,
        echo::{Ear, Figures, Timeline, Treatment, lock},
    },
};

/// Wraps both; `one_clock` says that they are one card.
///
/// # Errors
/// The loudspeaker's rate is none.
pub fn wrap(
    microphone: Box<dyn Microphone>,
    speaker: Box<dyn Speaker>,
    treatment: Treatment,
    one_clock: bool,
) -> Result<(EchoMicrophone, EchoSpeaker, Arc<Figures>)> {
    let timeline = Arc::new(Mutex::new(Timeline::new(one_clock)));
    let figures = Arc::new(Figures::default());
    let resampler = Resampler::new(speaker.sample_rate(), SAMPLE_RATE)?;
    let speaker =
        EchoSpeaker { speaker, resampler, timeline: timeline.clone(), samples: Vec::new() };
    let microphone =
        EchoMicrophone { microphone, ear: Ear::new(timeline, treatment, figures.clone()) };
    Ok((microphone, speaker, figures))
}

/// A loudspeaker whose sound is known to the microphone.
pub struct EchoSpeaker {
    speaker: Box<dyn Speaker>,
    resampler: Resampler,
    timeline: Arc<Mutex<Timeline>>,
    /// What was written, at the machine's rate.
    samples: Vec<f32>,
}

impl fmt::Debug for EchoSpeaker {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("EchoSpeaker").field("timeline", &self.timeline).finish_non_exhaustive()
    }
}

impl Speaker for EchoSpeaker {
    fn sample_rate(&self) -> u32 {
        self.speaker.sample_rate()
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        let written = self.speaker.write(samples);
        if !matches!(written, Ok(()) | Err(DeviceError::Xrun)) {
            return written;
        }
        self.samples.clear();
        self.resampler.process(samples, &mut self.samples);
        // Told afterwards, when the wait for room is over and the device knows where the end is.
        let delay = self.speaker.delay()?;
        let now = Instant::now();
        let inside = self.resampler.inside();
        let position = self
            .speaker
            .position()
            .map(|end| (end.as_secs_f64() - inside) * f64::from(SAMPLE_RATE));
        let delay = delay.saturating_sub(Duration::from_secs_f64(inside));
        lock(&self.timeline).played(now, delay, position, &self.samples);
        written
    }

    fn delay(&self) -> Result<Duration, DeviceError> {
        self.speaker.delay()
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        let delay = self.speaker.delay()?;
        self.speaker.flush()?;
        self.samples.clear();
        self.resampler.finish(&mut self.samples);
        lock(&self.timeline).dropped(Instant::now(), delay);
        Ok(())
    }

    fn position(&self) -> Option<Duration> {
        self.speaker.position()
    }
}

/// A microphone that does not hear the loudspeaker.
pub struct EchoMicrophone {
    microphone: Box<dyn Microphone>,
    ear: Ear,
}

impl fmt::Debug for EchoMicrophone {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("EchoMicrophone").field("ear", &self.ear).finish_non_exhaustive()
    }
}

impl Microphone for EchoMicrophone {
    fn read(&mut self) -> Result<Chunk, DeviceError> {
        loop {
            let heard = match self.microphone.read() {
                Ok(chunk) => chunk,
                Err(error) => {
                    self.ear.lost();
                    return Err(error);
                }
            };
            let now = Instant::now();
            let end = now.checked_sub(self.microphone.delay()).unwrap_or(now);
            let treated = self.ear.hear(end, &heard.samples)?;
            if !treated.samples.is_empty() {
                return Ok(treated);
            }
        }
    }

    fn delay(&self) -> Duration {
        let waiting = self.ear.waiting() as f64 / f64::from(SAMPLE_RATE);
        self.microphone.delay() + Duration::from_secs_f64(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{
        file::{After, FileMicrophone},
        headless::HeadlessSpeaker,
    };

    /// A loudspeaker and a microphone that hears nothing but it, half as loud and 20 ms later.
    #[test]
    fn the_kiosks_own_voice_is_not_heard_and_a_flush_is_survived() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        };
        let voice: Vec<f32> = (0..16_000 * 4).map(|_| 0.5 * random()).collect();
        let speaker = HeadlessSpeaker::open(16_000, Duration::from_millis(80)).unwrap();
        let echo: Vec<f32> = voice.iter().map(|sample| 0.5 * sample).collect();
        let microphone =
            FileMicrophone::new(echo.clone(), Duration::from_millis(20), After::Silence);
        let treatment = Treatment { echo: true, noise: None, gain: false };
        let (mut microphone, mut speaker, figures) =
            wrap(Box::new(microphone), Box::new(speaker), treatment, true).unwrap();
        // In turns, 32 ms each, as the two threads would.
        let mut heard = Vec::new();
        for piece in voice.chunks(512) {
            speaker.write(piece).unwrap();
            heard.extend(microphone.read().unwrap().samples);
        }
        let power = |samples: &[f32]| samples.iter().map(|x| x * x).sum::<f32>();
        let last = heard.len() - 16_000;
        let reduction = 10.0 * (power(&echo[last..]) / power(&heard[last..])).log10();
        assert!(reduction > 20.0, "{reduction} dB");
        assert!(figures.reduction_db() > 10.0 && figures.worked() > Duration::ZERO);
        assert_eq!(figures.resynchronised(), 0);
        speaker.flush().unwrap();
        assert!(microphone.read().is_ok());
    }
}
