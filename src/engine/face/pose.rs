//! How a face is held: what the voice makes of it, and what it does by itself because it lives.

use std::time::Duration;

use crate::media::Mouth;

/// How a face is held in one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// The shape of the mouth.
    pub mouth: Mouth,
    /// How far the eyes are closed, 0 to 1.
    pub blink: f32,
    /// Where the head is turned.
    pub head: Head,
    /// How far the chest is filled, 0 to 1.
    pub breath: f32,
}

/// Small turns of the head, in radians; a portrait bears about a twentieth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Head {
    /// To the viewer's right.
    pub yaw: f32,
    /// Down.
    pub pitch: f32,
    /// Clockwise, as the viewer sees it.
    pub roll: f32,
}

/// A blink: shut, then open again, in seconds.
const SHUT: f32 = 0.06;
const OPEN: f32 = 0.09;

/// Every so many seconds there is one blink, at some moment of the first half: so blinks are two
/// to six seconds apart.
const BETWEEN: f64 = 4.0;

/// What a face does that neither speaks nor listens, `at` some time: breathes, blinks, sways.
///
/// The same time gives the same pose.
pub fn idle(at: Duration) -> Pose {
    let t = at.as_secs_f64();
    // Periods without a common multiple: the movement does not repeat to the eye.
    let wave =
        |period: f64, phase: f64| (std::f64::consts::TAU * (t / period + phase)).sin() as f32;
    Pose {
        mouth: Mouth::default(),
        blink: blink(t),
        head: Head {
            yaw: 0.020 * wave(7.3, 0.0) + 0.012 * wave(4.1, 0.3),
            pitch: 0.008 * wave(5.7, 0.1) + 0.005 * wave(3.3, 0.6),
            roll: 0.006 * wave(8.9, 0.4),
        },
        breath: 0.5 - 0.5 * wave(4.2, 0.25),
    }
}

fn blink(t: f64) -> f32 {
    let slot = (t / BETWEEN).floor();
    let begins = slot * BETWEEN + BETWEEN / 2.0 * chance(slot as u64);
    let since = (t - begins) as f32;
    if (0.0..SHUT).contains(&since) {
        ease(since / SHUT)
    } else if (SHUT..SHUT + OPEN).contains(&since) {
        ease(1.0 - (since - SHUT) / OPEN)
    } else {
        0.0
    }
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// A number from 0 to 1 that looks random and depends on `n` alone (the finaliser of `SplitMix64`).
fn chance(n: u64) -> f64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Adds to the idle face what speaking does to the rest of it: the head nods with the voice.
#[derive(Clone, Debug, Default)]
pub struct Liveliness {
    effort: f32,
    stress: f32,
    before: Option<Duration>,
}

impl Liveliness {
    /// The pose `at` some time while the mouth has this shape. Times must not go back.
    pub fn pose(&mut self, at: Duration, mouth: Mouth) -> Pose {
        let passed = at.saturating_sub(self.before.unwrap_or(at)).as_secs_f32();
        self.before = Some(at);
        let follow = |value: &mut f32, target: f32, seconds: f32| {
            *value += (target - *value) * (1.0 - (-passed / seconds).exp());
        };
        follow(&mut self.effort, mouth.open, 0.8);
        follow(&mut self.stress, mouth.open, 0.16);
        let mut pose = idle(at);
        pose.mouth = mouth;
        pose.head.pitch += 0.045 * (self.stress - self.effort) - 0.01 * self.effort;
        pose.head.roll += 0.012 * self.effort * (at.as_secs_f32() * 1.7).sin();
        pose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> impl Iterator<Item = Duration> {
        (0..25 * 120).map(|i| Duration::from_millis(40 * i))
    }

    #[test]
    fn blinks_are_short_and_two_to_six_seconds_apart() {
        let shut: Vec<f64> =
            (0..200 * 120).map(|i| f64::from(i) / 200.0).filter(|&t| blink(t) > 0.0).collect();
        let mut begins = vec![shut[0]];
        for pair in shut.windows(2) {
            if pair[1] - pair[0] > 0.1 {
                begins.push(pair[1]);
            }
        }
        assert!(begins.len() >= 20, "{}", begins.len());
        for pair in begins.windows(2) {
            assert!((1.9..6.1).contains(&(pair[1] - pair[0])), "{pair:?}");
        }
        assert!(shut.len() <= begins.len() * 31, "a blink takes 150 ms");
    }

    #[test]
    fn an_idle_head_moves_little_and_smoothly() {
        let poses: Vec<Pose> = times().map(idle).collect();
        for pair in poses.windows(2) {
            let (a, b) = (pair[0].head, pair[1].head);
            assert!(b.yaw.abs() < 0.05 && b.pitch.abs() < 0.05 && b.roll.abs() < 0.05);
            assert!((a.yaw - b.yaw).abs() < 0.003 && (a.pitch - b.pitch).abs() < 0.003);
        }
        assert_eq!(idle(Duration::from_secs(3)), idle(Duration::from_secs(3)));
    }

    #[test]
    fn speech_makes_the_head_nod() {
        let mut lively = Liveliness::default();
        let mut most = 0.0_f32;
        for (i, at) in times().take(100).enumerate() {
            let open = if i / 6 % 2 == 0 { 0.9 } else { 0.0 };
            let pose = lively.pose(at, Mouth { open, ..Mouth::default() });
            most = most.max((pose.head.pitch - idle(at).head.pitch).abs());
        }
        assert!((0.004..0.04).contains(&most), "{most}");
    }
}
