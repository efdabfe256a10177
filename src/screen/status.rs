//! What the kiosk is doing, told by a few bars and without words.

use std::time::Duration;

use crate::{media::Mouth, scene::Mood};

/// How many bars.
pub(super) const BARS: usize = 5;

/// Height and alpha of each bar, in steps: what looks the same is the same.
pub(super) type Bars = [(u8, u8); BARS];

/// Steps from 0 to 1.
const STEPS: f32 = 40.0;

/// The bars at a time; `None` shows nothing.
///
/// They breathe while the kiosk listens, sway with a voice that it hears, run while it thinks, and follow
/// its own mouth while it speaks.
pub(super) fn bars(mood: Mood, at: Duration, mouth: &Mouth) -> Option<Bars> {
    let t = at.as_secs_f32() % 3_600.0;
    let one = |i: usize| {
        let place = i as f32;
        match mood {
            Mood::Alone => (0.0, 0.0),
            Mood::Listening => {
                let breath = 0.5 - 0.5 * (t * std::f32::consts::TAU / 3.2 - 0.25 * place).cos();
                (0.0, 0.35 + 0.55 * breath)
            }
            Mood::Hearing => {
                let sway = (t * 7.1 + 1.4 * place).sin() * (t * 4.3 + 0.6 * place).cos();
                (0.30 + 0.60 * sway.abs(), 1.0)
            }
            Mood::Thinking => {
                let run = (t * 5.2 - 0.8 * place).sin().max(0.0);
                (0.34 * run * run, 0.35 + 0.65 * run)
            }
            Mood::Speaking => {
                let shape = [0.45, 0.80, 1.0, 0.80, 0.45][i.min(BARS - 1)];
                let wobble = 0.8 + 0.2 * (t * 11.0 + 2.1 * place).sin();
                let loud = (1.5 * mouth.open + 0.3 * mouth.wide + 0.25 * mouth.round).min(1.0);
                (0.06 + 0.94 * shape * loud * wobble, 1.0)
            }
        }
    };
    let step = |part: f32| (part.clamp(0.0, 1.0) * STEPS).round() as u8;
    (mood != Mood::Alone).then(|| {
        std::array::from_fn(|i| {
            let (height, alpha) = one(i);
            (step(height), step(alpha))
        })
    })
}

/// Steps as shares.
pub(super) fn shares(bars: &Bars) -> [(f32, f32); BARS] {
    bars.map(|(height, alpha)| (f32::from(height) / STEPS, f32::from(alpha) / STEPS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mood: Mood, ms: u64, open: f32) -> Option<Bars> {
        bars(mood, Duration::from_millis(ms), &Mouth { open, ..Mouth::default() })
    }

    #[test]
    fn each_mood_looks_its_own_and_moves() {
        assert_eq!(at(Mood::Alone, 500, 0.0), None);
        let moods = [Mood::Listening, Mood::Hearing, Mood::Thinking, Mood::Speaking];
        for (i, &mood) in moods.iter().enumerate() {
            assert_ne!(at(mood, 400, 0.3), at(mood, 800, 0.3), "{mood:?}");
            for &other in &moods[..i] {
                assert_ne!(at(mood, 400, 0.3), at(other, 400, 0.3), "{mood:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_bars_follow_the_mouth() {
        let height = |open| {
            at(Mood::Speaking, 100, open).unwrap().iter().map(|bar| u32::from(bar.0)).sum::<u32>()
        };
        assert!(height(0.0) < height(0.3) && height(0.3) < height(0.8));
    }
}
