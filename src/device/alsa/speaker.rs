//! A loudspeaker of a sound card.

use std::{
    cell::RefCell,
    fmt,
    time::{Duration, Instant},
};

use alsa::pcm::{Frames, PCM};
use anyhow::Result;

use super::{
    card::{Opened, Wish, open, revive, wait},
    cards::Way,
    format::{Choice, Negotiated, from_mono},
    seek::Seek,
    trouble::{Cure, cure},
};
use crate::{
    device::{DeviceError, Speaker},
    sound::Resampler,
};

/// Whoever has written nothing for so long has nothing to write: the answer has ended, or is late.
const LATE: Duration = Duration::from_millis(15);

/// A sound card that speaks.
///
/// A card that belongs to the program alone runs on in silence between two answers: its delay stays the
/// same, its clock can be followed by the echo canceller, and no amplifier clicks. No thread writes that
/// silence. While an answer sounds, whoever asks for the [`delay`](Speaker::delay) keeps the buffer from
/// running dry; when the answer has been heard, the whole buffer is filled with silence once and the card
/// is told to go round in it for ever. The next answer begins just ahead of where the card plays then.
/// Cards that are shared through a sound server stop when they have nothing to play.
///
/// Should the program be late by more than the buffer in the middle of an answer, the card stops, which
/// is heard as silence and told as [`DeviceError::Xrun`].
///
/// A card that is unplugged is looked for until it is back; meanwhile time passes as if it played.
pub struct AlsaSpeaker {
    wish: Wish,
    state: RefCell<State>,
}

struct State {
    /// `None` while the card is away.
    running: Option<Running>,
    seek: Seek,
    told: Negotiated,
}

/// What a card that is there needs. Positions count frames since it was opened, silence included.
struct Running {
    pcm: PCM,
    choice: Choice,
    resampler: Resampler,
    period: u64,
    buffer: u64,
    continuous: bool,
    /// What the card calls a distance that it never reaches.
    boundary: Frames,
    phase: Phase,
    /// Where what was written ends.
    written: u64,
    /// Where the answer ends in it.
    answer: u64,
    /// When it was last given sound.
    fed: Instant,
    /// When the card stopped, and where.
    stopped: (Instant, u64),
    mono: Vec<f32>,
    bytes: Vec<u8>,
}

/// What the card does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing.
    Stopped,
    /// It plays an answer, and stops if nothing more comes.
    Plays,
    /// It goes round in silence.
    Rests,
}

impl fmt::Debug for AlsaSpeaker {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("AlsaSpeaker").field("wish", &self.wish).finish_non_exhaustive()
    }
}

impl Running {
    fn start(opened: Opened, rate: u32) -> Result<Self> {
        let Opened { pcm, choice, told } = opened;
        let boundary = {
            let soft = pcm.sw_params_current()?;
            // It begins with what it is given.
            soft.set_start_threshold(1)?;
            soft.set_avail_min(Frames::from(told.period))?;
            pcm.sw_params(&soft)?;
            soft.get_boundary()?
        };
        Ok(Self {
            resampler: Resampler::new(rate, choice.rate)?,
            period: u64::from(told.period.max(1)),
            buffer: u64::from(told.buffer.max(1)),
            continuous: told.continuous,
            boundary,
            phase: Phase::Stopped,
            written: 0,
            answer: 0,
            fed: Instant::now(),
            stopped: (Instant::now(), 0),
            mono: Vec::new(),
            bytes: Vec::new(),
            pcm,
            choice,
        })
    }

    /// Whether the card stops when it has nothing to play.
    fn stops(&self, stops: bool) -> alsa::Result<()> {
        let soft = self.pcm.sw_params_current()?;
        soft.set_stop_threshold(if stops { self.buffer as Frames } else { self.boundary })?;
        self.pcm.sw_params(&soft)
    }

    /// Gets the card to where the next sound can be written, after a little silence so that there is time
    /// to write it.
    fn begin(&mut self) -> alsa::Result<()> {
        match self.phase {
            Phase::Plays => return Ok(()),
            Phase::Stopped => {
                self.stops(true)?;
                self.pcm.prepare()?;
                let (since, at) = self.stopped;
                // Its clock stood still, but that of the microphone has not.
                self.written =
                    at + (since.elapsed().as_secs_f64() * f64::from(self.choice.rate)) as u64;
                self.silence(2 * self.period)?;
            }
            Phase::Rests => {
                // Negative: so far has it run past what was written.
                let waiting = self.pcm.delay()?;
                self.pcm.reset()?;
                self.written = self.written.saturating_add_signed(-waiting);
                self.silence(self.period)?;
                self.stops(true)?;
            }
        }
        self.answer = self.written;
        self.phase = Phase::Plays;
        Ok(())
    }

    fn write(&mut self, samples: &[f32], gain: f32) -> alsa::Result<bool> {
        self.mono.clear();
        self.resampler.process(samples, &mut self.mono);
        self.begin()?;
        self.fed = Instant::now();
        self.frames(gain)
    }

    /// Writes what is in `mono`; false when the card is stuck.
    fn frames(&mut self, gain: f32) -> alsa::Result<bool> {
        self.bytes.clear();
        from_mono(&self.mono, self.choice, gain, &mut self.bytes);
        let frame = self.choice.sample.bytes() * self.choice.channels as usize;
        let mut rest = &self.bytes[..];
        while !rest.is_empty() {
            match self.pcm.io_bytes().writei(rest) {
                Ok(frames) => {
                    self.written += frames as u64;
                    rest = &rest[(frames * frame).min(rest.len())..];
                }
                Err(error) if cure(error) == Cure::Wait => {
                    if !wait(&self.pcm)? {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
            self.answer = self.written;
        }
        Ok(true)
    }

    /// Writes so much silence, as far as there is room.
    fn silence(&mut self, frames: u64) -> alsa::Result<()> {
        self.bytes.clear();
        let samples = frames * u64::from(self.choice.channels);
        // Zero in all formats.
        self.bytes.resize(samples as usize * self.choice.sample.bytes(), 0);
        match self.pcm.io_bytes().writei(&self.bytes) {
            Ok(frames) => self.written += frames as u64,
            Err(error) if cure(error) == Cure::Wait => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// How much of the answer is not heard yet, in seconds; sees to it that the card has something to play.
    fn delay(&mut self, gain: f32) -> alsa::Result<f64> {
        if self.phase != Phase::Plays {
            return Ok(0.0);
        }
        let waiting = self.pcm.delay()?.max(0) as u64;
        let heard = self.written.saturating_sub(waiting);
        let left = self.answer.saturating_sub(heard);
        let inside = self.resampler.inside();
        if left == 0 && inside == 0.0 {
            if self.continuous {
                self.rest()?;
            } else {
                self.pcm.drop()?;
                self.stop();
            }
            return Ok(0.0);
        }
        // Sound that is in time comes at once, until the buffer is full.
        if self.fed.elapsed() > LATE && waiting < 3 * self.period {
            if inside > 0.0 {
                // The answer has ended or is late: out with what the filter still holds.
                self.mono.clear();
                self.resampler.finish(&mut self.mono);
                self.frames(gain)?;
            } else if self.continuous {
                self.silence(self.period)?;
            }
        }
        let waiting = self.pcm.delay()?.max(0) as u64;
        let left = self.answer.saturating_sub(self.written.saturating_sub(waiting));
        Ok(left as f64 / f64::from(self.choice.rate) + self.resampler.inside())
    }

    /// Fills the buffer with silence, in which the card goes round from now on.
    fn rest(&mut self) -> alsa::Result<()> {
        self.stops(false)?;
        self.silence(self.buffer)?;
        self.phase = Phase::Rests;
        Ok(())
    }

    fn flush(&mut self) -> alsa::Result<()> {
        self.mono.clear();
        // What the filter holds is dropped, too.
        self.resampler.finish(&mut self.mono);
        if self.phase != Phase::Plays {
            return Ok(());
        }
        let waiting = self.pcm.delay()?.max(0) as u64;
        self.written = self.written.saturating_sub(waiting);
        self.answer = self.written;
        if self.continuous {
            self.stops(false)?;
            // From here on everything is written anew.
            self.pcm.reset()?;
            self.rest()
        } else {
            self.pcm.drop()?;
            self.stop();
            Ok(())
        }
    }

    fn stop(&mut self) {
        self.phase = Phase::Stopped;
        self.stopped = (Instant::now(), self.written);
    }

    fn position(&self) -> Duration {
        let seconds = self.answer as f64 / f64::from(self.choice.rate) + self.resampler.inside();
        Duration::from_secs_f64(seconds)
    }
}

impl AlsaSpeaker {
    /// Opens the card that `wish` names; it begins to run with the first sound.
    ///
    /// # Errors
    /// It is not there, may not be opened, is in use, or offers nothing that is of use.
    pub fn open(wish: Wish) -> Result<Self> {
        let opened = open(&wish, Way::Out)?;
        let told = opened.told.clone();
        let running = Some(Running::start(opened, wish.rate)?);
        Ok(Self { state: RefCell::new(State { running, seek: Seek::default(), told }), wish })
    }

    /// What was agreed on with the card.
    pub fn negotiated(&self) -> Negotiated {
        self.state.borrow().told.clone()
    }
}

impl State {
    /// Says once that the card is away, and looks for it now and then; `length` passes.
    fn away(&mut self, wish: &Wish, length: Duration) -> DeviceError {
        if self.seek.look(Instant::now()) {
            match open(wish, Way::Out).and_then(|opened| {
                self.told = opened.told.clone();
                Running::start(opened, wish.rate)
            }) {
                Ok(running) => {
                    tracing::info!("the loudspeaker is back: {}", self.told);
                    self.running = Some(running);
                    self.seek = Seek::default();
                }
                Err(error) => tracing::debug!("the loudspeaker is still away: {error:#}"),
            }
        }
        self.seek.pass(length);
        DeviceError::Away
    }

    /// What an error means: the card has stopped and begins anew with the next sound, or it is lost.
    fn failed(&mut self, error: Option<alsa::Error>) -> DeviceError {
        if let Some(error) = error.filter(|error| cure(*error) != Cure::Lost)
            && let Some(running) = &mut self.running
            && revive(&running.pcm, error).is_ok()
        {
            running.stop();
            return DeviceError::Xrun;
        }
        let why = error.map_or_else(|| "it takes no sound".to_owned(), |error| error.to_string());
        tracing::warn!(card = self.told.card, "the loudspeaker is lost: {why}");
        self.running = None;
        self.seek.begin(Instant::now());
        DeviceError::Away
    }
}

impl Speaker for AlsaSpeaker {
    fn sample_rate(&self) -> u32 {
        self.wish.rate
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        let state = self.state.get_mut();
        let length = Duration::from_secs_f64(samples.len() as f64 / f64::from(self.wish.rate));
        let Some(running) = &mut state.running else { return Err(state.away(&self.wish, length)) };
        let error = match running.write(samples, self.wish.gain) {
            Ok(true) => return Ok(()),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        let told = state.failed(error);
        // After an underrun the sound that came too late is heard all the same.
        if let (DeviceError::Xrun, Some(running)) = (&told, &mut state.running) {
            let again = running.begin().and_then(|()| running.frames(self.wish.gain));
            return match again {
                Ok(true) => Err(told),
                Ok(false) => Err(state.failed(None)),
                Err(error) => Err(state.failed(Some(error))),
            };
        }
        Err(told)
    }

    fn delay(&self) -> Result<Duration, DeviceError> {
        let mut state = self.state.borrow_mut();
        let Some(running) = &mut state.running else { return Ok(Duration::ZERO) };
        match running.delay(self.wish.gain) {
            Ok(seconds) => Ok(Duration::from_secs_f64(seconds)),
            Err(error) => {
                // Whoever waits for the end of an answer need not wait any more; the next sound tells
                // what is wrong.
                state.failed(Some(error));
                Ok(Duration::ZERO)
            }
        }
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        let state = self.state.get_mut();
        let Some(running) = &mut state.running else { return Ok(()) };
        if let Err(error) = running.flush() {
            // Either way nothing is heard any more.
            state.failed(Some(error));
        }
        Ok(())
    }

    fn position(&self) -> Option<Duration> {
        let state = self.state.borrow();
        let running = state.running.as_ref()?;
        running.continuous.then(|| running.position())
    }
}
