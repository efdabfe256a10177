//! Beats → sound, and the clock that pictures follow.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    device::{DeviceError, Speaker},
    flow::{AudioClock, Inbox, Outbox, Polled, Pulse, Turn, Volume},
    media::{Beat, Device, Event, Part, Sentence},
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
    /// How loud the answer is to be.
    pub volume: &'a Volume,
    /// Whether the loudspeaker works, as far as `converse` was told.
    pub works: bool,
    /// The factor of the last sample, and the samples with it; kept for its memory.
    pub gain: Gain,
    /// Counted here.
    pub metrics: &'a Metrics,
}

/// Samples made quieter, without a click where the factor changes.
#[derive(Debug)]
pub struct Gain {
    factor: f32,
    samples: Vec<f32>,
}

impl Default for Gain {
    fn default() -> Self {
        Self { factor: 1.0, samples: Vec::new() }
    }
}

impl Gain {
    /// `samples` as loud as `target` asks, after a ramp over all of them if that has just changed.
    fn apply<'a>(&'a mut self, samples: &'a [f32], target: f32) -> &'a [f32] {
        if self.factor == target && target == 1.0 {
            return samples;
        }
        let step = (target - self.factor) / samples.len().max(1) as f32;
        let from = self.factor;
        self.samples.clear();
        let factors = (1..=samples.len()).map(|number| from + step * number as f32);
        self.samples.extend(samples.iter().zip(factors).map(|(sample, factor)| sample * factor));
        self.factor = target;
        &self.samples
    }
}

/// What sounds at the moment.
struct Sounding {
    turn: Turn,
    written: Duration,
    /// Sentences whose beginning or end has not been heard, and when it will be.
    sentences: VecDeque<(Duration, Edge, Sentence)>,
    /// Whether everything has been written.
    ended: bool,
}

/// The two ends of a sentence.
#[derive(Clone, Copy, PartialEq)]
enum Edge {
    Begins,
    Ends,
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
        if let Some(sentence) = beat.begins.clone() {
            sounding.sentences.push_back((sounding.written, Edge::Begins, sentence));
        }
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
                self.speaker.write(self.gain.apply(part, self.volume.get()))
            };
            match written {
                Ok(()) => self.now_works(true),
                Err(DeviceError::Xrun) => self.metrics.speaker_underruns.inc(),
                // The answer goes on: it can still be read.
                Err(DeviceError::Away) => self.now_works(false),
                Err(error) => return Err(gone(error)),
            }
            sounding.written += Duration::from_secs(1) * part.len() as u32 / rate;
            self.tell(sounding, self.delay()?);
        }
        if let Some(sentence) = completes {
            sounding.sentences.push_back((sounding.written, Edge::Ends, sentence));
        }
        Ok(())
    }

    fn now_works(&mut self, works: bool) {
        if self.works != works {
            self.works = works;
            let event = Event::Device { device: Device::Speaker, works };
            let _ = self.events.send(&Pulse::default(), event);
        }
    }

    fn first_sound(&mut self, sounding: &Sounding) -> Result<()> {
        let latency = sounding.turn.asked().elapsed() + self.delay()?;
        sounding.turn.times().first_sound.add(latency);
        self.metrics.first_sound(latency);
        Ok(())
    }

    /// Sets the clock and reports the sentences that have been heard.
    fn tell(&self, sounding: &mut Sounding, delay: Duration) {
        self.clock.set(&sounding.turn, sounding.written, delay, Instant::now());
        let heard = sounding.written.saturating_sub(delay);
        while let Some((_, edge, Sentence(text))) =
            sounding.sentences.pop_front_if(|(at, ..)| *at <= heard)
        {
            let turn = sounding.turn.clone();
            let event = match edge {
                Edge::Begins => Event::Saying { turn, text },
                Edge::Ends => Event::Said { turn, text },
            };
            // `converse` never waits for us, so this cannot either for long.
            let _ = self.events.send(&Pulse::default(), event);
        }
    }

    /// Ends what has sounded to its end, or must make room for a newer turn.
    fn settle(&self, sounding: Option<Sounding>, now: bool) -> Result<Option<Sounding>> {
        let Some(mut sounding) = sounding else { return Ok(None) };
        // Asked once: what ends between two looks would be over without having been told.
        let delay = self.delay()?;
        self.tell(&mut sounding, delay);
        if !now && (!sounding.ended || !delay.is_zero()) {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::flow::{Turns, queue};

    /// Whatever was written is still to be heard at the first look, and heard at the next.
    #[derive(Default)]
    struct Quick(AtomicBool);

    impl Speaker for Quick {
        fn sample_rate(&self) -> u32 {
            16_000
        }

        fn write(&mut self, _samples: &[f32]) -> Result<(), DeviceError> {
            self.0.store(true, Ordering::Relaxed);
            Ok(())
        }

        fn delay(&self) -> Result<Duration, DeviceError> {
            let left = self.0.swap(false, Ordering::Relaxed);
            Ok(if left { Duration::from_millis(10) } else { Duration::ZERO })
        }

        fn flush(&mut self) -> Result<(), DeviceError> {
            Ok(())
        }
    }

    #[test]
    fn a_sentence_is_told_even_if_it_ends_between_two_looks() {
        let (clock, volume, metrics) =
            (AudioClock::default(), Volume::default(), Metrics::default());
        let (events_out, events) = queue(8);
        let (faces, _shown) = queue(8);
        let mut stage = Stage {
            speaker: Box::new(Quick::default()),
            clock: &clock,
            faces: &faces,
            events: &events_out,
            volume: &volume,
            works: true,
            gain: Gain::default(),
            metrics: &metrics,
        };
        let turn = Turns::default().begin(Instant::now());
        let sounding = Sounding {
            turn: turn.clone(),
            written: Duration::from_millis(10),
            sentences: VecDeque::from([(
                Duration::from_millis(10),
                Edge::Ends,
                Sentence("Hello.".into()),
            )]),
            ended: true,
        };
        // Not heard yet at the first look, so not over either.
        stage.speaker.write(&[0.0; 160]).unwrap();
        let sounding = stage.settle(Some(sounding), false).unwrap();
        assert!(sounding.is_some(), "it is over before its sentence was told");
        assert!(stage.settle(sounding, false).unwrap().is_none());
        let told = || match events.look() {
            Polled::Item(event) => event,
            _ => panic!("nothing is told"),
        };
        assert!(matches!(told(), Event::Said { text, .. } if text == "Hello."));
        assert!(matches!(told(), Event::Finished { turn: over } if over == turn));
    }

    #[test]
    fn the_volume_changes_without_a_click() {
        let mut gain = Gain::default();
        let near = |heard: &[f32], expected: &[f32]| {
            assert!(heard.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{heard:?}");
        };
        near(gain.apply(&[1.0; 4], 1.0), &[1.0; 4]);
        near(gain.apply(&[1.0; 4], 0.2), &[0.8, 0.6, 0.4, 0.2]);
        near(gain.apply(&[1.0; 2], 0.2), &[0.2; 2]);
        near(gain.apply(&[1.0; 2], 1.0), &[0.6, 1.0]);
    }
}
