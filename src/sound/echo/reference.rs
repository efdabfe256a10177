//! What was played, by its position on the loudspeaker's clock, and read between its samples.

use std::collections::VecDeque;

use crate::media::SAMPLE_RATE;

/// Samples that are kept: two seconds.
const KEPT: usize = 2 * SAMPLE_RATE as usize;

/// Samples on each side that a value between two samples is made of.
const HALF: i64 = 16;

/// Places between two samples that have a filter of their own.
const PLACES: usize = 128;

/// What was played, with silence where nothing was.
#[derive(Debug)]
pub struct Reference {
    samples: VecDeque<f32>,
    /// The position of the first of them.
    start: i64,
    /// `PLACES + 1` filters of `2 * HALF` taps.
    filters: Vec<f32>,
}

impl Default for Reference {
    fn default() -> Self {
        Self { samples: VecDeque::with_capacity(KEPT), start: 0, filters: filters() }
    }
}

/// Windowed sincs, one for each place between two samples, and the last for the next sample itself.
fn filters() -> Vec<f32> {
    let mut filters = Vec::with_capacity((PLACES + 1) * 2 * HALF as usize);
    for place in 0..=PLACES {
        let between = place as f64 / PLACES as f64;
        for tap in 1 - HALF..=HALF {
            let x = tap as f64 - between;
            let sinc = if x.abs() < 1e-9 {
                1.0
            } else {
                (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
            };
            // A Blackman window as wide as the filter.
            let turn = std::f64::consts::PI * x / HALF as f64;
            let window = 0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
            filters.push((sinc * window) as f32);
        }
    }
    filters
}

impl Reference {
    fn end(&self) -> i64 {
        self.start + self.samples.len() as i64
    }

    /// `samples` are played from position `at` on, in place of what was there.
    pub fn write(&mut self, at: i64, samples: &[f32]) {
        if self.samples.is_empty() || at > self.end() + KEPT as i64 || at < self.start {
            // Nothing of what is kept is of use beside it.
            self.samples.clear();
            self.start = at;
        }
        self.samples.truncate((at - self.start) as usize);
        self.samples.resize((at - self.start) as usize, 0.0);
        self.samples.extend(samples);
        let old = self.samples.len().saturating_sub(KEPT);
        self.samples.drain(..old);
        self.start += old as i64;
    }

    /// What would be heard from position `at` on is not.
    pub fn cut(&mut self, at: i64) {
        self.samples.truncate((at - self.start).max(0) as usize);
    }

    /// Reads from `position` on in steps of `step`; whether there was anything but silence.
    pub fn read(&self, position: f64, step: f64, out: &mut [f32]) -> bool {
        let mut any = false;
        for (number, sample) in out.iter_mut().enumerate() {
            *sample = self.between(position + step * number as f64);
            any |= *sample != 0.0;
        }
        any
    }

    fn between(&self, position: f64) -> f32 {
        let whole = position.floor();
        let first = whole as i64 + 1 - HALF - self.start;
        let taps = 2 * HALF;
        if first + taps <= 0 || first >= self.samples.len() as i64 {
            return 0.0;
        }
        let place = (position - whole) * PLACES as f64;
        let (low, share) = (place.floor() as usize, place.fract() as f32);
        let taps = taps as usize;
        let filter = &self.filters[low * taps..(low + 2).min(PLACES + 1) * taps];
        let (one, other) = filter.split_at(taps);
        let other = if other.is_empty() { one } else { other };
        let mut sum = 0.0;
        for tap in 0..taps {
            let at = first + tap as i64;
            let Some(sample) = usize::try_from(at).ok().and_then(|at| self.samples.get(at)) else {
                continue;
            };
            sum += sample * (one[tap] + share * (other[tap] - one[tap]));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(position: f64) -> f32 {
        (position * 0.7).sin() as f32
    }

    fn playing(from: i64, count: i64) -> Reference {
        let mut reference = Reference::default();
        let samples: Vec<f32> = (from..from + count).map(|at| sine(at as f64)).collect();
        for (number, piece) in samples.chunks(160).enumerate() {
            reference.write(from + 160 * number as i64, piece);
        }
        reference
    }

    #[test]
    fn what_lies_between_samples_is_found() {
        let reference = playing(-1_000, 4_000);
        let mut out = [0.0; 160];
        for (position, step) in [(100.0, 1.0), (100.37, 1.0), (-500.9, 1.000_1)] {
            assert!(reference.read(position, step, &mut out));
            for (number, sample) in out.iter().enumerate() {
                let expected = sine(position + step * number as f64);
                assert!((sample - expected).abs() < 2e-3, "{sample} is not {expected}");
            }
        }
    }

    #[test]
    fn silence_is_where_nothing_is_played() {
        let mut reference = playing(0, 320);
        reference.write(480, &[1.0; 160]);
        let mut out = [1.0; 100];
        assert!(!reference.read(-1_000.5, 1.0, &mut out) && out == [0.0; 100]);
        assert!(!reference.read(5_000.0, 1.0, &mut out));
        assert!(!reference.read(350.0, 1.0, &mut out[..80]), "the gap");
        assert!(reference.read(500.0, 1.0, &mut out));
        assert!((out[50] - 1.0).abs() < 0.01);
    }

    #[test]
    fn what_was_dropped_is_not_heard() {
        let mut reference = playing(0, 1_600);
        reference.cut(800);
        let mut out = [0.0; 160];
        assert!(reference.read(600.0, 1.0, &mut out));
        assert!(!reference.read(820.0, 1.0, &mut out));
        reference.cut(-5);
        assert!(!reference.read(600.0, 1.0, &mut out));
        reference.write(700, &[1.0; 160]);
        assert!(reference.read(710.0, 1.0, &mut out));
    }

    #[test]
    fn a_long_run_takes_no_more_memory() {
        let reference = playing(0, 200_000);
        assert_eq!(reference.samples.len(), KEPT);
        let mut out = [0.0; 160];
        assert!(reference.read(199_000.0, 1.0, &mut out));
        assert!(!reference.read(1_000.0, 1.0, &mut out));
    }
}
