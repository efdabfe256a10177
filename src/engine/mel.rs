//! Log-mel energies: how much sound there is in each band of pitch, as the speech models take it.

use std::f32::consts::PI;

/// How the energies are computed. Everything that two models may want differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Samples a second.
    pub rate: u32,
    /// Samples in a window.
    pub window: usize,
    /// Samples from one window to the next.
    pub hop: usize,
    /// Points of the Fourier transform; a power of two, at least `window`.
    pub points: usize,
    /// Bands.
    pub bands: usize,
    /// How much of the previous sample is taken off each, inside the window.
    pub emphasis: f32,
}

impl Recipe {
    /// What `NeMo`'s CTC models expect of sherpa-onnx: 25 ms every 10 ms, 80 bands up to 8 kHz.
    pub const NEMO: Self =
        Self { rate: 16_000, window: 400, hop: 160, points: 512, bands: 80, emphasis: 0.97 };
}

/// Computes log-mel energies, one window at a time.
///
/// Periodic Hann window, power spectrum, triangular bands from 0 Hz to half the rate that are equally
/// wide on Slaney's scale (linear below 1 kHz, logarithmic above) and have equal area, natural logarithm.
#[derive(Clone, Debug)]
pub struct LogMel {
    recipe: Recipe,
    hann: Vec<f32>,
    transform: Transform,
    bands: Vec<Band>,
}

/// A triangular filter: weights of neighbouring points of the spectrum.
#[derive(Clone, Debug)]
struct Band {
    first: usize,
    weights: Vec<f32>,
}

impl LogMel {
    /// # Panics
    /// `points` is no power of two or less than `window`: recipes are constants of this program.
    pub fn new(recipe: Recipe) -> Self {
        assert!(recipe.points.is_power_of_two() && recipe.points >= recipe.window);
        let turn = 2.0 * PI / recipe.window as f32;
        let hann = (0..recipe.window).map(|i| 0.5 - 0.5 * (turn * i as f32).cos()).collect();
        Self { recipe, hann, transform: Transform::new(recipe.points), bands: bands(&recipe) }
    }

    /// How it computes.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Appends the energies of one `window` of samples to `energies`.
    pub fn window(&mut self, window: &[f32], energies: &mut Vec<f32>) {
        let spectrum = &mut self.transform;
        spectrum.clear();
        // The first sample has no predecessor in the window and stands in for it.
        let mut previous = window.first().copied().unwrap_or(0.0);
        for ((point, &sample), weight) in spectrum.real.iter_mut().zip(window).zip(&self.hann) {
            *point = (sample - self.recipe.emphasis * previous) * weight;
            previous = sample;
        }
        spectrum.run();
        energies.extend(self.bands.iter().map(|band| {
            let points = band.first..band.first + band.weights.len();
            let energy: f32 = (spectrum.real[points.clone()].iter())
                .zip(&spectrum.imaginary[points])
                .zip(&band.weights)
                .map(|((real, imaginary), weight)| (real * real + imaginary * imaginary) * weight)
                .sum();
            energy.max(f32::EPSILON).ln()
        }));
    }

    /// How many windows there are in `samples` samples when the sound is mirrored at both ends.
    pub fn count(&self, samples: usize) -> usize {
        (samples + self.recipe.hop / 2) / self.recipe.hop
    }

    /// Appends to `energies` the windows numbered `from` to the last of a whole recording, of which
    /// window i is centred on sample (i + ½) · hop; beyond its ends the sound is mirrored.
    pub fn windows(&mut self, samples: &[f32], from: usize, energies: &mut Vec<f32>) {
        let mut window = vec![0.0; self.recipe.window];
        let back = self.recipe.window / 2;
        for number in from..self.count(samples.len()) {
            let centre = number * self.recipe.hop + self.recipe.hop / 2;
            if centre >= back && centre + back <= samples.len() {
                self.window(&samples[centre - back..centre + back], energies);
                continue;
            }
            for (i, sample) in window.iter_mut().enumerate() {
                *sample = samples[mirror(centre + i, back, samples.len())];
            }
            self.window(&window, energies);
        }
    }
}

/// Index `position - back` into `length` samples, mirrored at both ends as often as need be.
fn mirror(position: usize, back: usize, length: usize) -> usize {
    let period = 2 * length;
    let index = (position + back.div_ceil(period) * period - back) % period;
    if index < length { index } else { period - 1 - index }
}

fn bands(recipe: &Recipe) -> Vec<Band> {
    let rate = f64::from(recipe.rate);
    let top = mel(rate / 2.0);
    let edges: Vec<f64> =
        (0..recipe.bands + 2).map(|i| hertz(top * i as f64 / (recipe.bands + 1) as f64)).collect();
    let step = rate / recipe.points as f64;
    (edges.windows(3))
        .map(|edge| {
            let (low, centre, high) = (edge[0], edge[1], edge[2]);
            let first = (low / step).floor() as usize;
            let last = ((high / step).ceil() as usize).min(recipe.points / 2);
            let weight = |point: usize| {
                let at = point as f64 * step;
                let slope = ((at - low) / (centre - low)).min((high - at) / (high - centre));
                (slope.max(0.0) * 2.0 / (high - low)) as f32
            };
            Band { first, weights: (first..=last).map(weight).collect() }
        })
        .collect()
}

/// Slaney's scale: 15 steps up to 1 kHz, then 27 steps for every factor of 6.4.
fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 { hertz * 0.015 } else { 15.0 + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln() }
}

fn hertz(mel: f64) -> f64 {
    if mel < 15.0 { mel / 0.015 } else { 1000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp() }
}

/// A Fourier transform in place, by halves (Cooley and Tukey 1965).
#[derive(Clone, Debug)]
struct Transform {
    real: Vec<f32>,
    imaginary: Vec<f32>,
    /// Cosine and sine of every point's angle, for the first half of the circle.
    circle: Vec<(f32, f32)>,
}

impl Transform {
    fn new(points: usize) -> Self {
        let angle = |i: usize| -2.0 * std::f64::consts::PI * i as f64 / points as f64;
        let circle =
            (0..points / 2).map(|i| (angle(i).cos() as f32, angle(i).sin() as f32)).collect();
        Self { real: vec![0.0; points], imaginary: vec![0.0; points], circle }
    }

    fn clear(&mut self) {
        self.real.fill(0.0);
        self.imaginary.fill(0.0);
    }

    fn run(&mut self) {
        let points = self.real.len();
        let shift = usize::BITS - points.trailing_zeros();
        for i in 0..points {
            let swapped = i.reverse_bits() >> shift;
            if i < swapped {
                self.real.swap(i, swapped);
                self.imaginary.swap(i, swapped);
            }
        }
        let mut half = 1;
        while half < points {
            let stride = points / (2 * half);
            for start in (0..points).step_by(2 * half) {
                for i in 0..half {
                    let (cosine, sine) = self.circle[i * stride];
                    let (upper, lower) = (start + i, start + i + half);
                    let real = self.real[lower] * cosine - self.imaginary[lower] * sine;
                    let imaginary = self.real[lower] * sine + self.imaginary[lower] * cosine;
                    self.real[lower] = self.real[upper] - real;
                    self.imaginary[lower] = self.imaginary[upper] - imaginary;
                    self.real[upper] += real;
                    self.imaginary[upper] += imaginary;
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_sounds_in_its_own_band() {
        let mut mel = LogMel::new(Recipe::NEMO);
        let tone: Vec<f32> =
            (0..16_000).map(|i| (2.0 * PI * 1000.0 * i as f32 / 16_000.0).sin()).collect();
        let mut energies = Vec::new();
        mel.windows(&tone, 0, &mut energies);
        assert_eq!(energies.len(), 100 * 80);
        let middle = &energies[50 * 80..51 * 80];
        let loudest = (0..80).max_by(|a, b| middle[*a].total_cmp(&middle[*b])).unwrap();
        // 1 kHz is 15 of 45.2 steps of Slaney's scale.
        assert!((26..=27).contains(&loudest), "band {loudest}");
    }

    #[test]
    fn transform_of_an_impulse_is_flat_and_of_a_wave_is_a_line() {
        let mut transform = Transform::new(16);
        transform.real[0] = 1.0;
        transform.run();
        assert!(transform.real.iter().all(|real| (real - 1.0).abs() < 1e-6));
        transform.clear();
        for i in 0..16 {
            transform.real[i] = (2.0 * PI * 3.0 * i as f32 / 16.0).cos();
        }
        transform.run();
        assert!((transform.real[3] - 8.0).abs() < 1e-5 && transform.real[4].abs() < 1e-5);
    }

    #[test]
    fn energies_are_those_of_sherpa_onnx() {
        let mut mel = LogMel::new(Recipe::NEMO);
        let sound: Vec<f32> = (0..4000).map(|i| ((i * i) % 71) as f32 / 71.0 - 0.5).collect();
        let mut energies = Vec::new();
        mel.windows(&sound, 0, &mut energies);
        // Computed by kaldi-native-fbank 1.23 with sherpa-onnx's options for NeMo models.
        for (window, expected) in [
            (0, [-5.507_102, -3.146_08, -0.034_523]),
            (12, [-5.502_229, -3.334_498, -0.157_922]),
            (24, [-5.432_788, -2.558_26, -0.005_412]),
        ] {
            for (band, expected) in [0, 40, 79].into_iter().zip(expected) {
                let energy: f32 = energies[window * 80 + band];
                assert!((energy - expected).abs() < 1e-3, "window {window}, band {band}: {energy}");
            }
        }
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let mut mel = LogMel::new(Recipe::NEMO);
        let sound: Vec<f32> = (0..4000).map(|i| ((i * i) % 71) as f32 / 71.0 - 0.5).collect();
        let (mut whole, mut tail) = (Vec::new(), Vec::new());
        mel.windows(&sound, 0, &mut whole);
        mel.windows(&sound, 7, &mut tail);
        assert_eq!(whole[7 * 80..], tail);
    }

    #[test]
    fn short_sound_is_mirrored_until_it_fills_a_window() {
        let mut mel = LogMel::new(Recipe::NEMO);
        let mut energies = Vec::new();
        mel.windows(&[0.1; 90], 0, &mut energies);
        assert_eq!(energies.len(), 80);
        mel.windows(&[], 0, &mut energies);
        assert_eq!(energies.len(), 80);
        assert_eq!([0, 1, 2].map(|i| mirror(i, 2, 3)), [1, 0, 0]);
    }
}
