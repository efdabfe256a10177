//! How far the lips are ahead of the sound or behind it.

use crate::media::PICTURE_RATE;

/// Steps a second in which sound and mouth are compared, and how many steps apart at most.
const STEPS: usize = 100;
const FARTHEST: usize = 20;

/// Seconds by which a mouth is late against the sound, found where its opening and the loudness
/// agree best; negative when it is early. `openings` are one a picture, of any unit, the first
/// picture beginning with the first sample.
///
/// `None` when there is less than a second, or when mouth or sound never change.
pub fn lateness(openings: &[f32], sound: &[f32], sample_rate: u32) -> Option<f32> {
    let loudness = loudness(sound, sample_rate);
    let each = STEPS / PICTURE_RATE as usize;
    let steps = loudness.len().min(openings.len() * each);
    if steps < STEPS || steps <= 4 * FARTHEST {
        return None;
    }
    let mouth: Vec<f32> = (0..steps)
        .map(|step| {
            // A picture stands for the middle of its time; between pictures the mouth glides.
            let at = (step as f32 + 0.5) / each as f32 - 0.5;
            let at = at.clamp(0.0, (openings.len() - 1) as f32);
            let (i, t) = (at as usize, at.fract());
            openings[i] + (openings[(i + 1).min(openings.len() - 1)] - openings[i]) * t
        })
        .collect();
    let (mouth, loudness) = (centred(&mouth)?, centred(&loudness[..steps])?);
    let inner = FARTHEST..steps - FARTHEST;
    let agreement: Vec<f32> = (0..=2 * FARTHEST)
        .map(|lag| inner.clone().map(|i| mouth[i] * loudness[i + FARTHEST - lag]).sum())
        .collect();
    let best = (0..agreement.len()).max_by(|&a, &b| agreement[a].total_cmp(&agreement[b]))?;
    let mut lag = best as f32 - FARTHEST as f32;
    if let [a, b, c] = agreement[best.saturating_sub(1)..(best + 2).min(agreement.len())] {
        // The peak of the parabola through the three.
        lag += 0.5 * (a - c) / (a - 2.0 * b + c).min(-f32::EPSILON);
    }
    Some(lag / STEPS as f32)
}

/// Decibels over time, smoothed over about 50 ms; what is 40 dB below the loud parts is silence.
fn loudness(sound: &[f32], sample_rate: u32) -> Vec<f32> {
    let count = sound.len() * STEPS / sample_rate as usize;
    let edge = |step: usize| step * sample_rate as usize / STEPS;
    let power: Vec<f32> = (0..count)
        .map(|step| {
            let piece = &sound[edge(step)..edge(step + 1)];
            piece.iter().map(|s| s * s).sum::<f32>() / piece.len().max(1) as f32
        })
        .collect();
    let smooth: Vec<f32> = (0..count)
        .map(|step| {
            let near = step.saturating_sub(2)..(step + 3).min(count);
            power[near.clone()].iter().sum::<f32>() / near.len() as f32
        })
        .collect();
    let mut sorted = smooth.clone();
    sorted.sort_by(f32::total_cmp);
    let loud = sorted.get(count * 95 / 100).copied().unwrap_or_default();
    smooth.iter().map(|power| 10.0 * power.max(loud * 1e-4).max(1e-12).log10()).collect()
}

/// The values less their mean; `None` if they are all the same.
fn centred(values: &[f32]) -> Option<Vec<f32>> {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let centred: Vec<f32> = values.iter().map(|value| value - mean).collect();
    centred.iter().any(|value| value.abs() > 1e-6).then_some(centred)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bursts of a tone, and an opening that follows them `late` pictures behind.
    fn bursts(late: usize) -> (Vec<f32>, Vec<f32>) {
        let on = |picture: usize| (picture * picture / 7) % 5 < 2;
        let sound = (0..100 * 640)
            .map(|i| if on(i / 640) { 0.3 * (i as f32 * 0.3).sin() } else { 0.0 })
            .collect();
        let openings = (0..100).map(|i| f32::from(u8::from(i >= late && on(i - late)))).collect();
        (openings, sound)
    }

    #[test]
    fn a_late_mouth_is_found() {
        for late in 0..4 {
            let (openings, sound) = bursts(late);
            let found = lateness(&openings, &sound, 16_000).unwrap();
            assert!((found - 0.04 * late as f32).abs() < 0.012, "{late}: {found}");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_moves() {
        let (openings, sound) = bursts(0);
        assert_eq!(lateness(&[0.5; 100], &sound, 16_000), None);
        assert_eq!(lateness(&openings, &vec![0.0; 64_000], 16_000), None);
        assert_eq!(lateness(&openings[..10], &sound[..6400], 16_000), None);
        assert_eq!(lateness(&[], &[], 16_000), None);
    }
}
