//! A room in which a loudspeaker and a microphone stand, for measuring: what is played in it, what is
//! heard, and two sound cards that tell the time as inexactly as real ones.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{Ear, Figures, Timeline, Treatment, lock, shifted};
use crate::media::SAMPLE_RATE;

const RATE: f64 = SAMPLE_RATE as f64;

/// Samples that the loudspeaker is given, and that the microphone gives, at once.
const WRITTEN: usize = 160;
const READ: usize = 512;

/// How far ahead of the sound the loudspeaker is written.
const BUFFER: f64 = 0.06;

/// Random numbers that are the same each time.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// Between 0 and 1.
    fn roll(&mut self) -> f64 {
        // Xorshift: G. Marsaglia, Journal of Statistical Software 8 (14), 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What a room and its devices are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Chooses the room among those that are like it.
    pub seed: u64,
    /// How long an echo takes to fall by 60 dB, in seconds.
    pub decay_s: f64,
    /// What arrives directly and by the walls, instead of the one that `seed` makes.
    pub response: Option<Vec<f32>>,
    /// How loud the kiosk's own voice is in the microphone, in decibels under full scale while it sounds.
    pub echo_db: f32,
    /// How loud the visitor is there.
    pub visitor_db: f32,
    /// How loud the room is by itself.
    pub noise_db: f32,
    /// How hard the loudspeaker is driven; 0 is none, 2 squashes the peaks to half.
    pub drive: f32,
    /// How much faster the loudspeaker's clock runs.
    pub drift: f64,
    /// What the cards do not tell of their delays, in seconds.
    pub latency_s: f64,
    /// How inexactly they tell the rest, in seconds.
    pub jitter_s: f64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            seed: 1,
            decay_s: 0.35,
            response: None,
            echo_db: -26.0,
            visitor_db: -26.0,
            noise_db: -65.0,
            drive: 1.0,
            drift: 100e-6,
            latency_s: 0.012,
            jitter_s: 0.001,
        }
    }
}

/// What the microphone hears, in parts that add up.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Of the kiosk's own voice.
    pub echo: Vec<f32>,
    /// Of the visitor and the room.
    pub others: Vec<f32>,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// What the microphone hears after treatment, as far as it goes.
    pub treated: Vec<f32>,
    /// What the recogniser hears of it.
    pub spoken: Vec<f32>,
    /// What was told meanwhile.
    pub figures: Arc<Figures>,
}

impl Room {
    /// What the microphone hears while `played` sounds and a visitor says `visitor`; as long as `played`.
    pub fn hear(&self, played: &[f32], visitor: &[f32]) -> Scene {
        let mut dice =
            Dice(0x9e37_79b9_7f4a_7c15 ^ self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
        let response = self.response.clone().unwrap_or_else(|| self.walls(&mut dice));
        let sounding = convolved(&self.driven(played), &response);
        let mut echo = self.as_recorded(&sounding);
        to_level(&mut echo, self.echo_db);
        let mut others = visitor.to_vec();
        to_level(&mut others, self.visitor_db);
        others.resize(echo.len(), 0.0);
        let noise = f64::from(10.0_f32.powf(self.noise_db / 20.0)) * 12.0_f64.sqrt();
        for sample in &mut others {
            *sample += (noise * (dice.roll() - 0.5)) as f32;
        }
        Scene { echo, others }
    }

    /// The direct sound, six early reflections, and a tail of noise that decays.
    fn walls(&self, dice: &mut Dice) -> Vec<f32> {
        let length = (self.decay_s * RATE) as usize;
        let mut response = vec![0.0_f32; length.max(400)];
        // Half a metre from loudspeaker to microphone: 1.5 ms.
        response[24] = 1.0;
        for _ in 0..6 {
            let at = 40 + (dice.roll() * 340.0) as usize;
            response[at] += (0.6 * (dice.roll() - 0.5) * 24.0 / at as f64 * 4.0) as f32;
        }
        for (at, sample) in response.iter_mut().enumerate().skip(100) {
            let decayed = 10.0_f64.powf(-3.0 * at as f64 / (self.decay_s * RATE));
            *sample += (0.12 * decayed * (dice.roll() + dice.roll() - 1.0)) as f32;
        }
        response
    }

    /// What a small loudspeaker makes of it: peaks are squashed, one side more than the other.
    fn driven(&self, played: &[f32]) -> Vec<f32> {
        let peak = played.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())).max(1e-6);
        let (drive, lean) = (self.drive, 0.15 * self.drive);
        if drive <= 0.0 {
            return played.to_vec();
        }
        let squash =
            |sample: &f32| ((drive * sample / peak + lean).tanh() - lean.tanh()) / drive * peak;
        played.iter().map(squash).collect()
    }

    /// The same on the microphone's clock, after what the cards do not tell.
    fn as_recorded(&self, sounding: &[f32]) -> Vec<f32> {
        const HALF: i64 = 32;
        let value = |at: f64| {
            let whole = at.floor();
            let between = at - whole;
            // sin π(x − n) differs only in its sign from tap to tap.
            let sine = (std::f64::consts::PI * between).sin();
            let mut sum = 0.0;
            for tap in 1 - HALF..=HALF {
                let Some(sample) =
                    usize::try_from(whole as i64 + tap).ok().and_then(|at| sounding.get(at))
                else {
                    continue;
                };
                let x = tap as f64 - between;
                let sign = if tap % 2 == 0 { -1.0 } else { 1.0 };
                let sinc =
                    if x.abs() < 1e-9 { 1.0 } else { sign * sine / (std::f64::consts::PI * x) };
                // A Welch window, which needs no cosine.
                let edge = x / (HALF as f64 + 1.0);
                sum += f64::from(*sample) * sinc * (1.0 - edge * edge);
            }
            sum as f32
        };
        let late = self.latency_s * RATE;
        (0..sounding.len()).map(|at| value((at as f64 - late) * (1.0 + self.drift))).collect()
    }

    /// Lets a kiosk play `played` and hear `heard`, and treats what it hears.
    ///
    /// # Errors
    /// The canceller refuses its frames, which their size rules out.
    pub fn rehearse(&self, played: &[f32], heard: &[f32], treatment: Treatment) -> Result<Outcome> {
        let timeline = Arc::new(Mutex::new(Timeline::new(self.drift == 0.0)));
        let figures = Arc::new(Figures::default());
        let mut ear = Ear::new(timeline.clone(), treatment, figures.clone());
        let mut dice = Dice(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let zero = Instant::now() + Duration::from_secs(1);
        let mut treated = Vec::with_capacity(heard.len());
        let mut spoken = Vec::with_capacity(heard.len());
        let mut pieces = played.chunks(WRITTEN).enumerate().peekable();
        for (number, chunk) in heard.chunks(READ).enumerate() {
            let recorded = (number * READ + chunk.len()) as f64 / RATE;
            // What was written by then.
            while let Some((piece, samples)) = pieces.peek() {
                let end = (piece * WRITTEN + samples.len()) as f64;
                let heard_at = end / (RATE * (1.0 + self.drift));
                let written_at = heard_at - BUFFER + self.jitter_s * dice.roll();
                if written_at > recorded {
                    break;
                }
                let told = heard_at - written_at + self.jitter_s * (dice.roll() - 0.5);
                let now = shifted(zero, written_at);
                let delay = Duration::from_secs_f64(told.max(0.0));
                lock(&timeline).played(now, delay, Some(end), samples);
                pieces.next();
            }
            let told = recorded + self.jitter_s * (dice.roll() - 0.5);
            let chunk = ear.hear(shifted(zero, told), chunk)?;
            spoken.extend_from_slice(chunk.words());
            treated.extend(chunk.samples);
        }
        Ok(Outcome { treated, spoken, figures })
    }
}

/// `samples` as `response` makes them sound; as long as they were.
fn convolved(samples: &[f32], response: &[f32]) -> Vec<f32> {
    /// Small enough for the processor's nearest memory.
    const BLOCK: usize = 2_048;
    let mut out = vec![0.0_f32; samples.len()];
    for begin in (0..samples.len()).step_by(BLOCK) {
        let end = (begin + BLOCK).min(samples.len());
        for (late, factor) in response.iter().enumerate().filter(|(_, factor)| **factor != 0.0) {
            let from = begin.max(late);
            if from >= end {
                break;
            }
            let sounding = &samples[from - late..end - late];
            for (out, sample) in out[from..end].iter_mut().zip(sounding) {
                *out += factor * sample;
            }
        }
    }
    out
}

/// Makes the mean power of all that is not silence `decibels` under full scale.
fn to_level(samples: &mut [f32], decibels: f32) {
    let power = active_power(samples);
    if power > 0.0 {
        let factor = 10.0_f32.powf(decibels / 20.0) / (power as f32).sqrt();
        for sample in samples {
            *sample *= factor;
        }
    }
}

/// Mean power of the tenths of a second that are within 25 dB of the loudest.
fn active_power(samples: &[f32]) -> f64 {
    let powers: Vec<f64> = samples.chunks(SAMPLE_RATE as usize / 10).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let active: Vec<f64> = powers.into_iter().filter(|power| *power > loudest / 316.0).collect();
    active.iter().sum::<f64>() / active.len().max(1) as f64
}

/// Mean power.
pub fn power(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(sample * sample)).sum();
    sum / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something like a voice: noise that swells and fades, with pauses.
    fn voice(seconds: usize) -> Vec<f32> {
        let mut dice = Dice(99);
        let mut last = 0.0;
        let sample = |number: usize| {
            let time = number as f64 / RATE;
            let swell = (time * 9.0).sin().max(0.0) * f64::from((time * 0.4).fract() < 0.8);
            last = 0.8 * last + dice.roll() - 0.5;
            (0.2 * swell * last) as f32
        };
        (0..seconds * SAMPLE_RATE as usize).map(sample).collect()
    }

    fn reduction(room: &Room, seconds: usize) -> (f64, Outcome) {
        let played = voice(seconds);
        let scene = room.hear(&played, &[]);
        let heard: Vec<f32> = scene.echo.iter().zip(&scene.others).map(|(a, b)| a + b).collect();
        let treatment = Treatment { echo: true, noise: None, gain: false };
        let outcome = room.rehearse(&played, &heard, treatment).unwrap();
        let from = 3 * SAMPLE_RATE as usize;
        let end = outcome.treated.len();
        let before = power(&heard[from..end]);
        (10.0 * (before / power(&outcome.treated[from..])).log10(), outcome)
    }

    #[test]
    fn echo_is_gone_after_three_seconds_in_several_rooms() {
        for seed in 1..4 {
            let room = Room { seed, ..Room::default() };
            let (reduction, outcome) = reduction(&room, 10);
            assert!(reduction > 25.0, "{reduction:.1} dB in room {seed}");
            assert_eq!(outcome.figures.resynchronised(), 0);
        }
    }

    #[test]
    fn the_drift_of_two_cards_is_found() {
        let room = Room { drift: -200e-6, ..Room::default() };
        let (reduction, outcome) = reduction(&room, 20);
        assert!(reduction > 25.0, "{reduction:.1} dB");
        let off = outcome.figures.drift() + 200e-6;
        assert!(off.abs() < 20e-6, "{off}");
    }
}
