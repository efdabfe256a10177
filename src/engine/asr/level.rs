//! Whether the visitor has just paused, by loudness alone: cheap enough for every chunk.

/// Decibels below full scale that are silence whatever came before.
const SILENCE: f32 = -65.0;
/// Where between the quietest and the loudest a pause ends and speech begins.
const SHARE: f32 = 0.35;
/// Decibels between quietest and loudest below which there is no telling.
const RANGE: f32 = 9.0;
/// Decibels a second by which the quietest and the loudest are forgotten.
const FORGET: f32 = 3.0;

/// Follows the loudness of an utterance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    quietest: f32,
    loudest: f32,
    /// Samples since the last that was not quiet.
    pause: usize,
}

impl Default for Level {
    fn default() -> Self {
        Self { quietest: f32::INFINITY, loudest: f32::NEG_INFINITY, pause: 0 }
    }
}

impl Level {
    /// Takes the next samples (16 kHz); returns for how many samples it has been quiet.
    pub(super) fn accept(&mut self, samples: &[f32]) -> usize {
        if samples.is_empty() {
            return self.pause;
        }
        let seconds = samples.len() as f32 / 16_000.0;
        let power = samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
        let decibels = 10.0 * power.max(1e-9).log10();
        self.quietest = (self.quietest + FORGET * seconds).min(decibels);
        self.loudest = (self.loudest - FORGET * seconds).max(decibels);
        let range = self.loudest - self.quietest;
        let quiet = decibels < SILENCE
            || range > RANGE && decibels < self.quietest.max(SILENCE) + SHARE * range;
        self.pause = if quiet { self.pause + samples.len() } else { 0 };
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(loudness: f32) -> Vec<f32> {
        (0..320).map(|i| loudness * (i as f32 * 0.3).sin()).collect()
    }

    #[test]
    fn a_pause_in_a_noisy_room_is_noticed() {
        let mut level = Level::default();
        for (loudness, pause) in
            [(0.02, 0), (0.2, 0), (0.15, 0), (0.02, 320), (0.02, 640), (0.2, 0)]
        {
            assert_eq!(level.accept(&sound(loudness)), pause, "after {loudness}");
        }
    }

    #[test]
    fn silence_is_a_pause_and_even_noise_is_not() {
        let mut level = Level::default();
        assert_eq!(level.accept(&[0.0; 320]), 320);
        let mut level = Level::default();
        assert_eq!((0..50).map(|_| level.accept(&sound(0.1))).sum::<usize>(), 0);
    }
}
