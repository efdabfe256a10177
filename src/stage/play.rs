//! Beats → sound, and the clock that pictures follow.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    device::{DeviceError, Speaker},
    flow::{AudioClock, Inbox, Outbox, Polled, Pulse, Turn},
    media::{Beat, Event, Part, Sentence},
    metrics::{Link, Metrics},
};

/// How much sound is written between two looks at whether it is still wanted.
const PERIOD: Duration = Duration::from_millis(10);

/// Where sound, pictures and news go.
#[expect(missing_debug_implementations, reason = "a speaker has none")]
pub struct Stage<'a> {
    /// The device.
    pub speaker: Box<dyn Speaker>,
    /// Told how much has been heard.
    pub clock: &'a AudioClock,
    /// Mouths for `show`.
    pub faces: &'a Outbox<Part<Beat>>,
    /// News for `converse`.
    pub events: &'a Outbox<Event>,
    /// Counted here.
    pub metrics: &'a Metrics,
}

/// What sounds at the moment.
struct Sounding {
    turn: Turn,
    written: Duration,
    /// Sentences that have not sounded to their end, and when they will have.
    sentences: VecDeque<(Duration, Sentence)>,
    /// Whether everything has been written.
    ended: bool,
}

/// Runs until there are no more beats.
pub fn run(pulse: &Pulse, mut stage: Stage<'_>, beats: &Inbox<Part<Beat>>) -> Result<()> {
    let mut sounding: Option<Sounding> = None;
    loop {
        // While something sounds, a look every period; else there is nothing to look after.
        let wait = if sounding.is_some() { PERIOD } else { Duration::from_millis(200) };
        let polled = beats.poll(pulse, wait);
        if let Some(old) = sounding.take_if(|sounding| !sounding.turn.is_live()) {
            stage.hush(&old)?;
        }
        match polled {
            Polled::Closed => return Ok(()),
            Polled::Empty => {}
            Polled::Item(Part { turn, body }) => {
                if sounding.as_ref().is_none_or(|sounding| sounding.turn != turn) {
                    stage.settle(sounding.take(), true)?;
                    sounding = Some(Sounding {
                        turn: turn.clone(),
                        written: Duration::ZERO,
                        sentences: VecDeque::new(),
                        ended: false,
                    });
                }
                if let Some(sounding) = &mut sounding {
                    match body {
                        Some(beat) => stage.play(pulse, sounding, beat)?,
                        None => sounding.ended = true,
                    }
                }
            }
        }
        sounding = stage.settle(sounding, false)?;
    }
}

impl Stage<'_> {
    /// Writes a beat in periods, and stops in the middle when its turn is not wanted any more.
    fn play(&mut self, pulse: &Pulse, sounding: &mut Sounding, beat: Beat) -> Result<()> {
        let rate = self.speaker.sample_rate();
        let period = (rate as usize / 100).max(1);
        let samples = beat.samples.clone();
        let completes = beat.completes.clone();
        if sounding.written.is_zero() {
            self.first_sound(sounding)?;
        } else if self.delay()?.is_zero() {
            self.metrics.speaker_underruns.inc();
        }
        if self.faces.offer(Part::of(&sounding.turn, beat)).is_err() {
            self.metrics.dropped(Link::Faces);
        }
        for part in samples.chunks(period) {
            if !sounding.turn.is_live() {
                return Ok(());
            }
            let written = {
                let _waiting = pulse.waiting();
                self.speaker.write(part)
            };
            match written {
                Ok(()) => {}
                Err(DeviceError::Xrun) => self.metrics.speaker_underruns.inc(),
                Err(error) => return Err(gone(error)),
            }
            sounding.written += Duration::from_secs(1) * part.len() as u32 / rate;
            self.tell(sounding)?;
        }
        if let Some(sentence) = completes {
            sounding.sentences.push_back((sounding.written, sentence));
        }
        Ok(())
    }

    fn first_sound(&mut self, sounding: &Sounding) -> Result<()> {
        let latency = sounding.turn.asked().elapsed() + self.delay()?;
        sounding.turn.times().first_sound.add(latency);
        self.metrics.first_sound(latency);
        Ok(())
    }

    /// Sets the clock and reports the sentences that have been heard.
    fn tell(&self, sounding: &mut Sounding) -> Result<()> {
        let delay = self.delay()?;
        self.clock.set(&sounding.turn, sounding.written, delay, Instant::now());
        let heard = sounding.written.saturating_sub(delay);
        while let Some((_, Sentence(text))) =
            sounding.sentences.pop_front_if(|(end, _)| *end <= heard)
        {
            // `converse` never waits for us, so this cannot either for long.
            let said = Event::Said { turn: sounding.turn.clone(), text };
            let _ = self.events.send(&Pulse::default(), said);
        }
        Ok(())
    }

    /// Ends what has sounded to its end, or must make room for a newer turn.
    fn settle(&self, sounding: Option<Sounding>, now: bool) -> Result<Option<Sounding>> {
        let Some(mut sounding) = sounding else { return Ok(None) };
        self.tell(&mut sounding)?;
        if !now && (!sounding.ended || !self.delay()?.is_zero()) {
            return Ok(Some(sounding));
        }
        self.clock.stop();
        let _ = self.events.send(&Pulse::default(), Event::Finished { turn: sounding.turn });
        Ok(None)
    }

    /// Silence, at once: what has been written of a stale turn is not heard.
    fn hush(&mut self, old: &Sounding) -> Result<()> {
        self.speaker.flush().map_err(gone)?;
        self.clock.stop();
        self.metrics.hush.observe(old.turn.stale_since().elapsed().as_secs_f64());
        Ok(())
    }

    fn delay(&self) -> Result<Duration> {
        self.speaker.delay().map_err(gone)
    }
}

fn gone(error: DeviceError) -> anyhow::Error {
    anyhow::Error::new(error).context("the loudspeaker failed: is it plugged in?")
}
