//! From source-filter parameters to sound: pulses and noise through the filter of a mouth.
//!
//! Each event of the source (a pulse of the voice with the breath around it, or a burst of noise) is
//! shaped in the frequency domain. A mel-cepstrum c gives the filter exp(Σ cₘ·z̃⁻ᵐ), where z̃ is z on a
//! warped frequency axis (Fukada et al. 1992); its magnitude and its minimum phase are the cosine and the
//! sine sum over the same numbers, so no filter with feedback has to be kept stable.

use std::f32::consts::PI;

/// Mel-cepstral coefficients in a frame.
pub(super) const ORDER: usize = 45;
/// Samples of the response to one event; 64 ms at 16 kHz, by then every resonance has died away.
const LENGTH: usize = 1024;
const BINS: usize = LENGTH / 2 + 1;
/// Bursts of unvoiced sound follow each other at this distance, in seconds.
const BURST: f32 = 0.005;
/// How much breath there is below the edge, as a share of the amplitude.
const BREATH: f32 = 0.06;
/// Over how many Hz voice turns into breath around the edge.
const EDGE_WIDTH: f32 = 700.0;
/// Rumble and offset below this many Hz are left out.
const LOWEST: f32 = 70.0;
/// The uppermost Hz fade out: the filter's phase does not end at half the rate, which would ring.
const TOP_FADE: f32 = 400.0;

/// What sounds for 5 ms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// Mel-cepstrum, natural logarithm, loudness first.
    pub(super) cepstrum: [f32; ORDER],
    /// Pitch in Hz; `None` where the vocal folds rest.
    pub(super) pitch: Option<f32>,
    /// Above this frequency in Hz the voice is breath.
    pub(super) edge: f32,
}

/// How frames are to be understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    /// Samples a second to make.
    pub(super) rate: u32,
    /// Samples a second of the speech that the cepstra describe; at least `rate`.
    pub(super) described_rate: u32,
    /// The frequency axis of the cepstra, as the coefficient of an all-pass filter.
    pub(super) warp: f32,
    /// By what share formants are made sharper than described.
    pub(super) sharpen: f32,
}

/// Renders frames one after another; what a frame still echoes sounds in the next ones.
pub(super) struct Synthesiser {
    tuning: Tuning,
    hop: usize,
    fourier: Fourier,
    /// Rows of cos(m·w) and sin(m·w) over the bins, for each coefficient m.
    cosines: Vec<f32>,
    sines: Vec<f32>,
    /// What the events so far will still sound, from the beginning of the next frame on.
    coming: Vec<f32>,
    /// The next event, in samples from the beginning of the next frame.
    next_event: f32,
    before: Option<Frame>,
    noise: Noise,
    magnitude: Vec<f32>,
    phase: Vec<f32>,
    spectrum: Vec<Complex>,
}

impl Synthesiser {
    pub(super) fn new(tuning: Tuning) -> Self {
        let mut cosines = vec![0.0; ORDER * BINS];
        let mut sines = vec![0.0; ORDER * BINS];
        for bin in 0..BINS {
            let hertz = bin as f32 * tuning.rate as f32 / LENGTH as f32;
            let plain = 2.0 * PI * hertz / tuning.described_rate as f32;
            let warped = plain
                + 2.0 * (tuning.warp * plain.sin() / (1.0 - tuning.warp * plain.cos())).atan();
            for m in 0..ORDER {
                cosines[m * BINS + bin] = (m as f32 * warped).cos();
                sines[m * BINS + bin] = (m as f32 * warped).sin();
            }
        }
        let hop = tuning.rate as usize / 200;
        Self {
            tuning,
            hop,
            fourier: Fourier::new(LENGTH),
            cosines,
            sines,
            coming: vec![0.0; LENGTH + 2 * hop],
            next_event: 0.0,
            before: None,
            noise: Noise::new(),
            magnitude: vec![0.0; BINS],
            phase: vec![0.0; BINS],
            spectrum: vec![Complex::default(); LENGTH],
        }
    }

    /// Forgets what was said; the same frames then sound the same again, noise included.
    pub(super) fn reset(&mut self) {
        self.coming.fill(0.0);
        self.next_event = 0.0;
        self.before = None;
        self.noise = Noise::new();
    }

    /// Appends the 5 ms of `frame` to `sound`.
    pub(super) fn render(&mut self, frame: &Frame, sound: &mut Vec<f32>) {
        let before = self.before.take().unwrap_or_else(|| frame.clone());
        while self.next_event < self.hop as f32 {
            let share = self.next_event / self.hop as f32;
            self.next_event += self.event(&before, frame, share);
        }
        self.next_event -= self.hop as f32;
        sound.extend_from_slice(&self.coming[..self.hop]);
        self.coming.copy_within(self.hop.., 0);
        let end = self.coming.len() - self.hop;
        self.coming[end..].fill(0.0);
        self.before = Some(frame.clone());
    }

    /// Sounds one event `share` of the way from one frame to the next; returns the samples until the
    /// event after it.
    fn event(&mut self, from: &Frame, to: &Frame, share: f32) -> f32 {
        let rate = self.tuning.rate as f32;
        let pitch = match (from.pitch, to.pitch) {
            (Some(a), Some(b)) => Some(a + (b - a) * share),
            (a, b) => {
                if share < 0.5 {
                    a
                } else {
                    b
                }
            }
        };
        let period = pitch.map_or(rate * BURST, |pitch| rate / pitch.clamp(50.0, 500.0));
        let start = self.next_event.floor();
        let late = self.next_event - start;
        let burst = ((self.next_event + period).floor() - start) as usize;

        self.filter(from, to, share);
        self.spectrum.fill(Complex::default());
        for value in &mut self.spectrum[..burst.min(LENGTH)] {
            value.re = self.noise.next();
        }
        self.fourier.forward(&mut self.spectrum);

        let edge = from.edge + (to.edge - from.edge) * share;
        let strength = period.sqrt();
        for bin in 0..BINS {
            let hertz = bin as f32 * rate / LENGTH as f32;
            let breath = if pitch.is_some() { breath_at(hertz, edge) } else { 1.0 };
            let voice = (1.0 - breath * breath).max(0.0).sqrt() * strength;
            let lag = Complex::turn(-2.0 * PI * bin as f32 / LENGTH as f32 * late);
            let source = self.spectrum[bin].times(breath).plus(lag.times(voice));
            let low = (hertz / LOWEST).min(1.0);
            let high = ((rate / 2.0 - hertz) / TOP_FADE).min(1.0);
            let band = low * low * high * high * (3.0 - 2.0 * high);
            let filter = Complex::turn(self.phase[bin]).times(self.magnitude[bin] * band);
            self.spectrum[bin] = source.by(filter);
        }
        for bin in 1..LENGTH / 2 {
            self.spectrum[LENGTH - bin] = self.spectrum[bin].conjugate();
        }
        self.fourier.backward(&mut self.spectrum);
        let start = start as usize;
        for (sample, value) in self.coming[start..start + LENGTH].iter_mut().zip(&self.spectrum) {
            *sample += value.re;
        }
        period
    }

    /// Magnitude and phase of the mouth between two frames.
    fn filter(&mut self, from: &Frame, to: &Frame, share: f32) {
        self.magnitude.fill(0.0);
        self.phase.fill(0.0);
        let sharpen = self.tuning.sharpen;
        for m in 0..ORDER {
            let mut value = from.cepstrum[m] + (to.cepstrum[m] - from.cepstrum[m]) * share;
            if m >= 2 {
                value *= 1.0 + sharpen;
            }
            let row = m * BINS..(m + 1) * BINS;
            for (sum, cosine) in self.magnitude.iter_mut().zip(&self.cosines[row.clone()]) {
                *sum += value * cosine;
            }
            for (sum, sine) in self.phase.iter_mut().zip(&self.sines[row]) {
                *sum -= value * sine;
            }
        }
        for value in &mut self.magnitude {
            *value = value.clamp(-30.0, 20.0).exp();
        }
    }
}

/// The amplitude of breath at a frequency in voiced sound, 0 to 1.
fn breath_at(hertz: f32, edge: f32) -> f32 {
    let beyond = (hertz - edge) / EDGE_WIDTH;
    BREATH + (0.85 - BREATH) / (1.0 + (-3.0 * beyond).exp())
}

/// White noise of unit power that is the same on every machine.
struct Noise(u64);

impl Noise {
    fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    /// Evenly distributed, mean 0, variance 1. (The generator is Marsaglia's xorshift64.)
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 40) as f32 / (1 << 24) as f32 - 0.5) * 12f32.sqrt()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Complex {
    re: f32,
    im: f32,
}

impl Complex {
    fn turn(angle: f32) -> Self {
        Self { re: angle.cos(), im: angle.sin() }
    }

    fn times(self, factor: f32) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    fn by(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }
}

/// The fast Fourier transform of one length, a power of two (Cooley and Tukey 1965).
struct Fourier {
    turns: Vec<Complex>,
    order: Vec<usize>,
}

impl Fourier {
    fn new(length: usize) -> Self {
        let bits = length.trailing_zeros();
        let turn = |k: usize| Complex::turn(-2.0 * PI * k as f32 / length as f32);
        Self {
            turns: (0..length / 2).map(turn).collect(),
            order: (0..length).map(|i| i.reverse_bits() >> (usize::BITS - bits)).collect(),
        }
    }

    fn forward(&self, values: &mut [Complex]) {
        for (i, &j) in self.order.iter().enumerate() {
            if i < j {
                values.swap(i, j);
            }
        }
        let length = values.len();
        let mut half = 1;
        while half < length {
            let stride = length / (2 * half);
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let turned = b.by(self.turns[k * stride]);
                    *b = a.plus(turned.times(-1.0));
                    *a = a.plus(turned);
                }
            }
            half *= 2;
        }
    }

    /// The inverse, scaled so that it undoes `forward`.
    fn backward(&self, values: &mut [Complex]) {
        let scale = 1.0 / values.len() as f32;
        for value in values.iter_mut() {
            *value = value.conjugate();
        }
        self.forward(values);
        for value in values.iter_mut() {
            *value = value.conjugate().times(scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUNING: Tuning =
        Tuning { rate: 16_000, described_rate: 32_000, warp: 0.45, sharpen: 0.0 };

    fn flat(pitch: Option<f32>) -> Frame {
        Frame { cepstrum: [0.0; ORDER], pitch, edge: 5000.0 }
    }

    fn sound_of(frames: &[Frame]) -> Vec<f32> {
        let mut synthesiser = Synthesiser::new(TUNING);
        let mut sound = Vec::new();
        for frame in frames {
            synthesiser.render(frame, &mut sound);
        }
        sound
    }

    #[test]
    fn a_frame_is_five_milliseconds() {
        assert_eq!(sound_of(&vec![flat(None); 40]).len(), 40 * 80);
    }

    #[test]
    fn voice_and_noise_are_equally_strong() {
        let power = |sound: &[f32]| sound.iter().map(|x| x * x).sum::<f32>() / sound.len() as f32;
        let voice = power(&sound_of(&vec![flat(Some(200.0)); 200]));
        let noise = power(&sound_of(&vec![flat(None); 200]));
        assert!((voice - 1.0).abs() < 0.15 && (noise - 1.0).abs() < 0.15, "{voice} {noise}");
    }

    #[test]
    fn pitch_is_what_was_asked() {
        let sound = sound_of(&vec![flat(Some(200.0)); 100]);
        let alike = |lag: usize| -> f32 {
            sound[2000..6000].iter().zip(&sound[2000 + lag..]).map(|(a, b)| a * b).sum()
        };
        let best = (40..160).max_by(|&a, &b| alike(a).total_cmp(&alike(b)));
        assert_eq!(best, Some(80));
    }

    #[test]
    fn the_same_frames_sound_the_same() {
        let frames = [flat(None), flat(Some(180.0)), flat(Some(190.0)), flat(None)];
        let mut synthesiser = Synthesiser::new(TUNING);
        let mut twice = [Vec::new(), Vec::new()];
        for sound in &mut twice {
            synthesiser.reset();
            for frame in &frames {
                synthesiser.render(frame, sound);
            }
        }
        assert_eq!(twice[0], twice[1]);
    }

    #[test]
    fn nothing_rumbles() {
        let sound = sound_of(&vec![flat(Some(150.0)); 400]);
        let mean = sound.iter().sum::<f32>() / sound.len() as f32;
        assert!(mean.abs() < 0.01, "{mean}");
    }
}
