//! Learns what the loudspeaker's sound becomes on its way into the microphone, and takes that out: a Kalman
//! filter in the frequency domain, in partitions, so that a long room costs little.
//!
//! F. Kuech, E. Mabande, G. Enzner: "State-space architecture of the partitioned-block-based acoustic echo
//! controller", ICASSP 2014. Other than a filter that learns from errors alone it knows how sure it is of
//! each part of the room, and so learns little while somebody else talks. It hears the squares and the cubes
//! of what is played as well, because small loudspeakers distort.

use std::{fmt, sync::Arc};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

use super::FRAME;

/// Partitions for what is played: 200 ms of the room.
const LONG: usize = 20;

/// Partitions for its squares and cubes: 80 ms.
const SHORT: usize = 8;

/// Squares and cubes of a voice are made about as loud as itself. This and the next three were chosen by the
/// words that the recogniser gets wrong (`scripts/bench_echo.py`) on thirty sentences of one voice.
const POWERS: f32 = 8.0;

/// How much of what is known of the room is still true after a frame: half of it after
/// half a minute.
const TRUE: f32 = 0.9998;

/// How much of what is known of other sounds is still true after a frame.
const OTHERS: f32 = 0.8;

/// Other sounds count for more than they seem to be, so that a visitor who begins to speak is not learnt.
const CAUTION: f32 = 3.0;

/// Complex numbers of a frame's spectrum; transforms take two frames, of which one is new.
const BINS: usize = FRAME + 1;

/// How many partitions each of the three has: the sound, its cubes, its squares.
const PARTITIONS: [usize; 3] = [LONG, SHORT, SHORT];

/// A part of the room: what was played so long ago, what becomes of it, and how unsure that is.
#[derive(Clone)]
struct Partition {
    played: Vec<Complex32>,
    path: Vec<Complex32>,
    unsure: Vec<f32>,
}

/// The filter.
pub struct Adaptive {
    partitions: Vec<Partition>,
    /// Power of everything but what is played, and of what is not explained yet.
    others: Vec<f32>,
    /// The frame before of each of the three.
    before: [[f32; FRAME]; 3],
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// Work space of the transforms.
    time: Vec<f32>,
    spectrum: Vec<Complex32>,
    rest: Vec<Complex32>,
    divisor: Vec<f32>,
    scratch: Vec<Complex32>,
}

impl fmt::Debug for Adaptive {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Adaptive").finish_non_exhaustive()
    }
}

impl Default for Adaptive {
    fn default() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(2 * FRAME);
        let inverse = planner.plan_fft_inverse(2 * FRAME);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let silent = vec![Complex32::default(); BINS];
        let partition =
            Partition { played: silent.clone(), path: silent.clone(), unsure: vec![1.0; BINS] };
        Self {
            partitions: vec![partition; PARTITIONS.iter().sum()],
            others: vec![0.0; BINS],
            before: [[0.0; FRAME]; 3],
            forward,
            inverse,
            time: vec![0.0; 2 * FRAME],
            spectrum: silent.clone(),
            rest: silent,
            divisor: vec![0.0; BINS],
            scratch: vec![Complex32::default(); scratch],
        }
    }
}

impl Adaptive {
    /// Takes what `played` has become out of `heard`, and learns from what is left.
    pub fn take_out(&mut self, played: &[f32; FRAME], heard: &mut [f32; FRAME]) {
        self.remember(played);
        self.spectrum.fill(Complex32::default());
        for partition in &self.partitions {
            let parts = partition.played.iter().zip(&partition.path);
            for (sum, (played, path)) in self.spectrum.iter_mut().zip(parts) {
                *sum += played * path;
            }
        }
        self.invert();
        for (heard, echo) in heard.iter_mut().zip(&self.time[FRAME..]) {
            *heard -= echo;
        }
        if !heard.iter().all(|sample| sample.is_finite()) {
            // Numbers that have grown beyond all bounds: begin anew.
            *self = Self::default();
            heard.fill(0.0);
            return;
        }
        self.learn(heard);
    }

    /// Moves each partition's sound on by a frame, and transforms the new one.
    fn remember(&mut self, played: &[f32; FRAME]) {
        let mut first = 0;
        for (power, count) in PARTITIONS.into_iter().enumerate() {
            let now = played.map(|sample| match power {
                0 => sample,
                1 => POWERS * sample * sample * sample,
                _ => POWERS * sample * sample,
            });
            self.time[..FRAME].copy_from_slice(&self.before[power]);
            self.time[FRAME..].copy_from_slice(&now);
            self.before[power] = now;
            let of_power = &mut self.partitions[first..first + count];
            // The oldest one's memory takes the newest.
            for later in (1..count).rev() {
                let (older, newer) = of_power.split_at_mut(later);
                std::mem::swap(&mut older[later - 1].played, &mut newer[0].played);
            }
            transform(&*self.forward, &mut self.time, &mut of_power[0].played, &mut self.scratch);
            first += count;
        }
    }

    /// Corrects the paths by what is `left` in the microphone.
    fn learn(&mut self, left: &[f32; FRAME]) {
        /// The share of the transforms' samples that is new.
        const NEW: f32 = 0.5;
        self.time[..FRAME].fill(0.0);
        self.time[FRAME..].copy_from_slice(left);
        transform(&*self.forward, &mut self.time, &mut self.rest, &mut self.scratch);
        for (others, left) in self.others.iter_mut().zip(&self.rest) {
            *others = OTHERS * *others + (1.0 - OTHERS) * left.norm_sqr();
        }
        for (divisor, others) in self.divisor.iter_mut().zip(&self.others) {
            *divisor = CAUTION * others + 1e-9;
        }
        for partition in &self.partitions {
            let parts = partition.unsure.iter().zip(&partition.played);
            for (divisor, (unsure, played)) in self.divisor.iter_mut().zip(parts) {
                *divisor += NEW * unsure * played.norm_sqr();
            }
        }
        for number in 0..self.partitions.len() {
            let Partition { played, path, unsure } = &mut self.partitions[number];
            for bin in 0..BINS {
                let step = unsure[bin] / self.divisor[bin];
                self.spectrum[bin] = played[bin].conj() * self.rest[bin] * step;
                let sure = (1.0 - NEW * step * played[bin].norm_sqr()).max(0.0);
                unsure[bin] =
                    TRUE * TRUE * sure * unsure[bin] + (1.0 - TRUE * TRUE) * path[bin].norm_sqr();
            }
            self.invert();
            // A partition's path is a frame long; the rest is the circle's other half.
            self.time[FRAME..].fill(0.0);
            transform(&*self.forward, &mut self.time, &mut self.spectrum, &mut self.scratch);
            let path = &mut self.partitions[number].path;
            for (path, change) in path.iter_mut().zip(&self.spectrum) {
                *path += change;
            }
        }
    }

    /// Transforms `spectrum` back into `time`.
    fn invert(&mut self) {
        // The first and the last are real; what rounding has left there would be refused.
        self.spectrum[0].im = 0.0;
        self.spectrum[BINS - 1].im = 0.0;
        let done = self.inverse.process_with_scratch(
            &mut self.spectrum,
            &mut self.time,
            &mut self.scratch,
        );
        debug_assert!(done.is_ok(), "{done:?}");
        for sample in &mut self.time {
            *sample /= (2 * FRAME) as f32;
        }
    }
}

fn transform(
    forward: &dyn RealToComplex<f32>,
    time: &mut [f32],
    spectrum: &mut [Complex32],
    scratch: &mut [Complex32],
) {
    let done = forward.process_with_scratch(time, spectrum, scratch);
    debug_assert!(done.is_ok(), "{done:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(state: &mut u32) -> f32 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    /// The kiosk's voice by two ways, and with the cubes of an overdriven loudspeaker.
    fn echo(played: &[f32], at: usize) -> f32 {
        let late = |by: usize| at.checked_sub(by).map_or(0.0, |at| played[at]);
        let sound = 0.5 * late(30) + 0.2 * late(2_000);
        sound + 0.5 * late(30).powi(3)
    }

    #[test]
    fn the_kiosks_voice_goes_and_the_visitors_stays() {
        let mut dice = 1;
        let length = 800 * FRAME;
        let played: Vec<f32> = (0..length).map(|_| 0.3 * noise(&mut dice)).collect();
        let mut adaptive = Adaptive::default();
        let mut power = |frames: std::ops::Range<usize>, visitor: f32| {
            let (mut echoes, mut rests) = (0.0, 0.0);
            for frame in frames {
                let from = frame * FRAME;
                let playing: [f32; FRAME] = played[from..from + FRAME].try_into().unwrap();
                let others: [f32; FRAME] = std::array::from_fn(|_| visitor * noise(&mut dice));
                let echo: [f32; FRAME] = std::array::from_fn(|at| echo(&played, from + at));
                let mut heard: [f32; FRAME] = std::array::from_fn(|at| echo[at] + others[at]);
                adaptive.take_out(&playing, &mut heard);
                for at in 0..FRAME {
                    echoes += echo[at].powi(2);
                    rests += (heard[at] - others[at]).powi(2);
                }
            }
            10.0 * (echoes / rests).log10()
        };
        power(0..300, 0.001);
        let alone = power(300..400, 0.001);
        let both = power(400..600, 0.1);
        let after = power(700..800, 0.001);
        assert!(alone > 15.0, "{alone:.1} dB");
        assert!(both > 10.0, "{both:.1} dB while somebody else talks");
        assert!(after > 12.0, "{after:.1} dB afterwards");
    }

    #[test]
    fn silence_stays_silence_and_nonsense_is_forgotten() {
        let mut adaptive = Adaptive::default();
        let mut heard = [0.0; FRAME];
        adaptive.take_out(&[0.0; FRAME], &mut heard);
        assert_eq!(heard, [0.0; FRAME]);
        for value in [1e30, f32::NAN, 1.0] {
            let mut heard = [value; FRAME];
            adaptive.take_out(&[value; FRAME], &mut heard);
            assert!(heard.iter().all(|sample| sample.is_finite()));
        }
        let mut heard = [0.25; FRAME];
        for _ in 0..LONG {
            heard = [0.25; FRAME];
            adaptive.take_out(&[0.0; FRAME], &mut heard);
        }
        assert!(heard.iter().all(|sample| (sample - 0.25).abs() < 0.25), "{heard:?}");
    }
}
