//! Log-mel features of sound at any rate, one vector every 10 ms; the twin of
//! `models/train/face/features.py`.

use std::f32::consts::TAU;

/// Numbers in a vector.
pub(super) const BANDS: usize = 40;

/// Vectors a second.
pub(super) const STEPS: u32 = 100;

/// Length of sound that a vector looks at, in seconds.
const WINDOW: f32 = 0.025;

/// Edges of the lowest and of the highest band, in hertz.
const LOW: f32 = 60.0;
const HIGH: f32 = 7600.0;

/// Added to a band's power before the logarithm: what counts as silence (full scale is 1).
const FLOOR: f32 = 1e-7;

/// The vector of silence.
pub(super) fn silence() -> [f32; BANDS] {
    [FLOOR.ln(); BANDS]
}

/// Turns a stream of sound into features. Vector k is centred on 10 k + 5 ms.
#[derive(Debug)]
pub(super) struct Mel {
    rate: u32,
    window: Vec<f32>,
    fourier: Fourier,
    /// Of each band: its first frequency, and the weights from there.
    filters: Vec<(usize, Vec<f32>)>,
    /// Makes power independent of the rate and of the transform's length.
    gain: f32,
    /// Sound that is still needed; it begins at sample `begins`, before the stream is silence.
    sound: Vec<f32>,
    begins: i64,
    /// Vectors handed out so far.
    count: u64,
}

impl Mel {
    pub(super) fn new(rate: u32) -> Self {
        let size = (WINDOW * rate as f32).round() as usize;
        let length = size.next_power_of_two();
        let window: Vec<f32> =
            (0..size).map(|i| 0.5 - 0.5 * (TAU * i as f32 / size as f32).cos()).collect();
        let gain = 2.0 / (length as f32 * window.iter().map(|w| w * w).sum::<f32>());
        let mel = |hertz: f32| 2595.0 * (1.0 + hertz / 700.0).log10();
        let hertz = |mel: f32| 700.0 * (10.0_f32.powf(mel / 2595.0) - 1.0);
        let edge = |i: usize| {
            let share = i as f32 / (BANDS + 1) as f32;
            hertz(mel(LOW) + (mel(HIGH) - mel(LOW)) * share)
        };
        let filters = (0..BANDS).map(|band| {
            let (low, middle, high) = (edge(band), edge(band + 1), edge(band + 2));
            let weight = |bin: usize| {
                let at = bin as f32 * rate as f32 / length as f32;
                ((at - low) / (middle - low)).min((high - at) / (high - middle)).max(0.0)
            };
            let first = (0..=length / 2).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            let weights = (first..=length / 2).map(weight).take_while(|&w| w > 0.0).collect();
            (first, weights)
        });
        let mut mel = Self {
            rate,
            fourier: Fourier::new(length),
            filters: filters.collect(),
            gain,
            window,
            sound: Vec::new(),
            begins: 0,
            count: 0,
        };
        mel.reset();
        mel
    }

    pub(super) fn reset(&mut self) {
        self.sound.clear();
        self.sound.resize(self.window.len(), 0.0);
        self.begins = -(self.window.len() as i64);
        self.count = 0;
    }

    /// Takes more sound; hands out the vectors that are now complete.
    pub(super) fn accept(&mut self, sound: &[f32], vector: &mut dyn FnMut([f32; BANDS])) {
        self.sound.extend_from_slice(sound);
        let size = self.window.len();
        loop {
            let middle = (self.count as f64 + 0.5) * f64::from(self.rate) / f64::from(STEPS);
            let start = middle.round() as i64 - (size / 2) as i64 - self.begins;
            let start = usize::try_from(start).unwrap_or(0);
            if start + size > self.sound.len() {
                // What lies before the next vector is not needed any more.
                let old = start.min(self.sound.len());
                self.sound.drain(..old);
                self.begins += old as i64;
                return;
            }
            let frame = &self.sound[start..start + size];
            let power = self.fourier.power(frame.iter().zip(&self.window).map(|(s, w)| s * w));
            let mut bands = [0.0; BANDS];
            for (band, (first, weights)) in bands.iter_mut().zip(&self.filters) {
                let sum: f32 = weights.iter().zip(&power[*first..]).map(|(w, p)| w * p).sum();
                *band = (sum * self.gain + FLOOR).ln();
            }
            self.count += 1;
            vector(bands);
        }
    }
}

/// The fast Fourier transform of Cooley and Tukey, for lengths that are powers of two.
#[derive(Debug)]
struct Fourier {
    turns: Vec<[f32; 2]>,
    values: Vec<[f32; 2]>,
    power: Vec<f32>,
}

impl Fourier {
    fn new(length: usize) -> Self {
        let turn = |i: usize| -TAU * i as f32 / length as f32;
        Self {
            turns: (0..length / 2).map(|i| [turn(i).cos(), turn(i).sin()]).collect(),
            values: vec![[0.0; 2]; length],
            power: vec![0.0; length / 2 + 1],
        }
    }

    /// Squared magnitudes of the lower half; what is missing at the end is silence.
    fn power(&mut self, signal: impl Iterator<Item = f32>) -> &[f32] {
        let length = self.values.len();
        let shift = usize::BITS - length.trailing_zeros();
        self.values.fill([0.0; 2]);
        for (i, sample) in signal.take(length).enumerate() {
            self.values[i.reverse_bits() >> shift] = [sample, 0.0];
        }
        let mut half = 1;
        while half < length {
            for block in self.values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                let turns = self.turns.iter().step_by(length / 2 / half);
                for ((a, b), [cos, sin]) in low.iter_mut().zip(high).zip(turns) {
                    let [x, y] = [b[0] * cos - b[1] * sin, b[0] * sin + b[1] * cos];
                    *b = [a[0] - x, a[1] - y];
                    *a = [a[0] + x, a[1] + y];
                }
            }
            half *= 2;
        }
        for (power, [re, im]) in self.power.iter_mut().zip(&self.values) {
            *power = re * re + im * im;
        }
        &self.power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(rate: u32, sound: &[f32], piece: usize) -> Vec<[f32; BANDS]> {
        let mut mel = Mel::new(rate);
        let mut all = Vec::new();
        sound.chunks(piece).for_each(|piece| mel.accept(piece, &mut |vector| all.push(vector)));
        all
    }

    fn tone(rate: u32, hertz: f32) -> Vec<f32> {
        (0..rate).map(|i| 0.1 * (TAU * hertz * i as f32 / rate as f32).sin()).collect()
    }

    #[test]
    fn a_tone_lands_in_its_band_with_its_power() {
        let vector = vectors(16_000, &tone(16_000, 1000.0), 640)[50];
        let loudest = (0..BANDS).max_by(|&a, &b| vector[a].total_cmp(&vector[b])).unwrap();
        assert!((12..16).contains(&loudest), "{loudest}");
        // A sine of amplitude 0.1 has power 0.005; the triangles share it.
        let power: f32 = vector.iter().map(|v| v.exp()).sum();
        assert!((0.004..0.006).contains(&power), "{power}");
    }

    #[test]
    fn pieces_and_rates_do_not_matter() {
        let whole = vectors(16_000, &tone(16_000, 700.0), 16_000);
        assert_eq!(whole, vectors(16_000, &tone(16_000, 700.0), 123));
        let other = vectors(22_050, &tone(22_050, 700.0), 882);
        assert_eq!(whole.len(), other.len());
        for (a, b) in whole[50].iter().zip(&other[50]) {
            if *a > -9.0 {
                assert!((a - b).abs() < 0.5, "{a} {b}");
            }
        }
    }

    #[test]
    fn silence_is_the_floor() {
        assert_eq!(vectors(16_000, &[0.0; 1600], 160)[3], silence());
    }
}
