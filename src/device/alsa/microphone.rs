//! A microphone of a sound card.

use std::{
    fmt,
    time::{Duration, Instant},
};

use alsa::pcm::PCM;
use anyhow::Result;

use super::{
    card::{Opened, Wish, open, revive, wait},
    cards::Way,
    format::{Choice, Negotiated, to_mono},
    seek::Seek,
    trouble::{Cure, cure},
};
use crate::{
    device::{DeviceError, Microphone, headless::CHUNK},
    media::{Chunk, SAMPLE_RATE},
    sound::Resampler,
};

/// A sound card that hears, as 16 kHz mono in chunks of 32 ms.
///
/// A card that is unplugged is looked for until it is back.
pub struct AlsaMicrophone {
    wish: Wish,
    /// `None` while the card is away.
    running: Option<Running>,
    seek: Seek,
    told: Negotiated,
    /// Sound of the machine's rate that does not fill a chunk yet.
    ready: Vec<f32>,
}

/// What a card that is there needs.
struct Running {
    pcm: PCM,
    choice: Choice,
    resampler: Resampler,
    bytes: Vec<u8>,
    mono: Vec<f32>,
}

impl fmt::Debug for AlsaMicrophone {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("AlsaMicrophone").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Running {
    fn start(opened: Opened) -> Result<Self> {
        let Opened { pcm, choice, told } = opened;
        let resampler = Resampler::new(choice.rate, SAMPLE_RATE)?;
        let frame = choice.sample.bytes() * choice.channels as usize;
        let bytes = vec![0; frame * told.period.max(1) as usize];
        pcm.start()?;
        Ok(Self { pcm, choice, resampler, bytes, mono: Vec::new() })
    }

    /// Waits for a period and appends it to `ready`; false when the card is stuck.
    fn period(&mut self, channel: u32, gain: f32, ready: &mut Vec<f32>) -> alsa::Result<bool> {
        let read = self.pcm.io_bytes().readi(&mut self.bytes);
        let frames = match read {
            Err(error) if cure(error) == Cure::Wait => return wait(&self.pcm),
            frames => frames?,
        };
        let bytes = frames * self.choice.sample.bytes() * self.choice.channels as usize;
        self.mono.clear();
        to_mono(&self.bytes[..bytes], self.choice, channel, gain, &mut self.mono);
        self.resampler.process(&self.mono, ready);
        Ok(true)
    }

    fn delay(&self) -> f64 {
        let waiting = self.pcm.delay().unwrap_or(0).max(0) as f64;
        waiting / f64::from(self.choice.rate) + self.resampler.inside()
    }
}

impl AlsaMicrophone {
    /// Opens the card that `wish` names and starts it.
    ///
    /// # Errors
    /// It is not there, may not be opened, is in use, or offers nothing that is of use.
    pub fn open(wish: Wish) -> Result<Self> {
        let opened = open(&wish, Way::In)?;
        let told = opened.told.clone();
        let running = Some(Running::start(opened)?);
        Ok(Self { wish, running, seek: Seek::default(), told, ready: Vec::new() })
    }

    /// What was agreed on with the card.
    pub fn negotiated(&self) -> &Negotiated {
        &self.told
    }

    /// Says once that the card is away, and looks for it now and then at the pace of a chunk.
    fn away(&mut self) -> DeviceError {
        let chunk = Duration::from_secs(1) * CHUNK as u32 / SAMPLE_RATE;
        self.ready.clear();
        if self.seek.look(Instant::now()) {
            match open(&self.wish, Way::In).and_then(|opened| {
                self.told = opened.told.clone();
                Running::start(opened)
            }) {
                Ok(running) => {
                    tracing::info!("the microphone is back: {}", self.told);
                    self.running = Some(running);
                    self.seek = Seek::default();
                }
                Err(error) => tracing::debug!("the microphone is still away: {error:#}"),
            }
        }
        self.seek.pass(chunk);
        DeviceError::Away
    }
}

impl Microphone for AlsaMicrophone {
    fn read(&mut self) -> Result<Chunk, DeviceError> {
        while self.ready.len() < CHUNK {
            let Some(running) = &mut self.running else { return Err(self.away()) };
            let error = match running.period(self.wish.channel, self.wish.gain, &mut self.ready) {
                Ok(true) => continue,
                Ok(false) => None,
                Err(error) => Some(error),
            };
            if let Some(error) = error.filter(|error| cure(*error) != Cure::Lost)
                && revive(&running.pcm, error).and_then(|()| running.pcm.start()).is_ok()
            {
                self.ready.clear();
                return Err(DeviceError::Xrun);
            }
            let why = error.map_or_else(|| "it gives no sound".to_owned(), |e| e.to_string());
            tracing::warn!(card = self.told.card, "the microphone is lost: {why}");
            self.running = None;
            self.seek.begin(Instant::now());
        }
        Ok(Chunk::of(self.ready.drain(..CHUNK).collect()))
    }

    fn delay(&self) -> Duration {
        let inside = self.running.as_ref().map_or(0.0, Running::delay);
        Duration::from_secs_f64(inside + self.ready.len() as f64 / f64::from(SAMPLE_RATE))
    }
}
