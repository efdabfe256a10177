//! Whether something moves, without knowing what: cheap enough for every picture.

use anyhow::Result;

use super::{Detector, Spot, picture};
use crate::media::Frame;

/// Columns and rows of the coarse copy that is compared: a head some metres away still covers a field.
const GRID: (usize, usize) = (32, 24);

/// A field has changed when its brightness (0 to 255) differs by more than this. The mean of hundreds of
/// pixels has hardly any noise left.
const CHANGE: i32 = 5;

/// Part of the fields that must change; smaller things are flies and leaves.
const PART: f32 = 0.01;

/// When more fields change than this, somebody has switched a lamp, or the camera its exposure.
const ALL: f32 = 0.9;

/// Compares each picture with the one before.
#[derive(Debug, Default)]
pub struct Motion {
    before: Vec<u8>,
    now: Vec<u8>,
}

impl Motion {
    /// Whether something has moved since the last picture; not in the first one.
    pub fn moved(&mut self, frame: &Frame) -> bool {
        picture::scale(frame, GRID.0, GRID.1, &mut self.now);
        let moved = !self.before.is_empty() && {
            let part = changed(&self.before, &self.now);
            (PART..ALL).contains(&part)
        };
        std::mem::swap(&mut self.before, &mut self.now);
        moved
    }
}

/// The part of the fields whose brightness has changed otherwise than that of the whole picture.
fn changed(before: &[u8], now: &[u8]) -> f32 {
    // What makes all fields brighter by the same factor is the light, or the exposure, and not a visitor.
    let (dark, light) = (middle(before).max(1), middle(now).max(1));
    let other = |(before, now): (&u8, &u8)| {
        (i32::from(*now) - i32::from(*before) * light / dark).abs()
            > CHANGE.max(CHANGE * light / dark)
    };
    let count = before.iter().zip(now).filter(|pair| other(*pair)).count();
    count as f32 / before.len().max(1) as f32
}

/// The brightness that half of the fields do not reach.
fn middle(fields: &[u8]) -> i32 {
    let mut fields = fields.to_vec();
    let half = fields.len() / 2;
    if fields.is_empty() { 0 } else { i32::from(*fields.select_nth_unstable(half).1) }
}

/// As a detector, it finds "somebody" in the whole picture when something moves.
impl Detector for Motion {
    fn detect(&mut self, frame: &Frame, _: f32) -> Result<Vec<Spot>> {
        let whole = Spot {
            width: frame.width as f32,
            height: frame.height as f32,
            score: 1.0,
            ..Spot::default()
        };
        Ok(if self.moved(frame) { vec![whole] } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn frame(pixel: impl Fn(u32, u32) -> u8) -> Frame {
        let (width, height) = (160, 120);
        let luma = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let luma = luma.map(|(x, y)| pixel(x, y)).collect();
        Frame { width, height, luma, taken: Instant::now() }
    }

    /// A room with noise of ±12, and a person of 20 by 60 pixels at `at`.
    fn room(light: u8, at: u32, noise: u32) -> Frame {
        frame(|x, y| {
            let grain = (x * 7 + y * 13 + noise * 31).wrapping_mul(2_654_435_761) >> 16;
            let body = (at..at + 20).contains(&x) && y > 60;
            let base = if body { light / 3 } else { light };
            base.saturating_add((grain % 25) as u8).saturating_sub(12)
        })
    }

    #[test]
    fn only_what_moves_is_noticed() {
        let mut motion = Motion::default();
        assert!(!motion.moved(&room(120, 40, 1)), "nothing to compare with");
        assert!(!motion.moved(&room(120, 40, 2)), "noise");
        assert!(motion.moved(&room(120, 50, 3)), "a step aside");
        assert!(!motion.moved(&room(120, 50, 4)), "standing");
        assert!(!motion.moved(&room(160, 50, 5)), "a lamp");
        assert!(!motion.moved(&frame(|_, _| 0)) || motion.moved(&frame(|_, _| 0)), "dark");
    }

    #[test]
    fn nothing_to_see_is_no_motion() {
        let mut motion = Motion::default();
        let nothing = Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() };
        assert!(!motion.moved(&nothing) && !motion.moved(&nothing));
    }
}
