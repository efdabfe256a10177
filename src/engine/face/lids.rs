//! The eyelids when the eyes blink.

use super::{
    points,
    portrait::Still,
    warp::{height, step},
};

/// Draws the lids of one eye.
#[derive(Debug)]
pub(super) struct Lids {
    upper: Vec<[f32; 2]>,
    lower: Vec<[f32; 2]>,
    /// How far the fold is above the upper lid, in the middle.
    fold: f32,
    /// Whether the outer corner is on the left.
    left: bool,
    lashes: [f32; 3],
    shut: f32,
}

impl Lids {
    pub(super) fn new(eye: &points::Eye, colour: &points::Colour, left: bool) -> Self {
        let (upper, lower) = (eye.upper.clone(), eye.lower.clone());
        let fold = height(&upper, eye.fold[0]) - eye.fold[1];
        Self { upper, lower, fold, left, lashes: colour.lashes.map(f32::from), shut: 0.0 }
    }

    /// Sets how far the eye is shut, 0 to 1.
    pub(super) fn set(&mut self, shut: f32) {
        self.shut = shut;
    }

    /// A rectangle of the face that holds all that this draws: left, top, right, bottom.
    pub(super) fn bounds(&self) -> [f32; 4] {
        let all = || self.upper.iter().chain(&self.lower);
        let least = |k: usize| all().map(|place| place[k]).fold(f32::MAX, f32::min);
        let most = |k: usize| all().map(|place| place[k]).fold(f32::MIN, f32::max);
        let aside = 0.22 * (most(0) - least(0));
        [least(0) - aside, least(1) - self.fold - 4.0, most(0) + aside, most(1) + 6.0]
    }

    /// The colour at a place of the face, if a lid covers it; `under` is what was there.
    pub(super) fn colour(
        &self,
        still: &Still,
        [x, y]: [f32; 2],
        under: [f32; 3],
    ) -> Option<[f32; 3]> {
        let (first, last) = (self.upper[0][0], self.upper[self.upper.len() - 1][0]);
        let along = (x - first) / (last - first);
        // Lashes stand out beyond the corner.
        let outer = if self.left { 1.0 - along } else { along };
        let beside = 1.0 - step(0.12, 0.22, outer - 1.0).max(step(0.0, 0.08, -outer));
        if beside <= 0.0 {
            return None;
        }
        let scale = (last - first) / 70.0;
        let open = height(&self.upper, x);
        let closed = height(&self.lower, x) - scale;
        // The fold comes down towards the corners.
        let round = (1.0 - (2.0 * along - 1.0).powi(2)).max(0.0);
        let fold = open - self.fold * round.max(0.35).powf(0.25);
        let edge = open + (closed - open) * self.shut;
        if y < fold || y > edge + 4.0 * scale {
            return None;
        }
        let mix = |a: [f32; 3], b: [f32; 3], t: f32| [0, 1, 2].map(|k| a[k] + (b[k] - a[k]) * t);
        // Skin from above the fold, stretched over the lid.
        let down = ((y - fold) / (edge - fold).max(1.0)).clamp(0.0, 1.0);
        let skin = still.colour([x, fold - 6.0 * scale * (1.0 - down) - scale]);
        let light = 0.97 + 0.05 * (1.0 - (2.0 * down - 0.9).powi(2)) - 0.13 * down.powi(3);
        let skin = skin.map(|part| (part * light).min(255.0));
        let covers = (edge - y + 0.5).clamp(0.0, 1.0)
            * step(0.0, 3.0 * scale, y - fold)
            * step(0.0, 0.3, self.shut).max(step(0.0, 1.5, y - open))
            * beside;
        let mut colour = mix(under, skin, covers);
        let thick = scale * (1.1 + 2.4 * outer) * (round * 4.0).min(1.0);
        let lash = (thick / 2.0 - (y - edge).abs() + 0.6).clamp(0.0, thick.min(1.0))
            * step(0.0, 0.2, self.shut);
        colour = mix(colour, self.lashes, 0.9 * lash);
        // The lid's shadow on the eye below.
        let below = (y - edge) / (3.0 * scale);
        if (0.0..=1.0).contains(&along) && below > 0.0 && self.shut < 0.97 {
            let shadow = 1.0 - 0.35 * (1.0 - below).max(0.0) * step(0.0, 0.2, self.shut);
            colour = colour.map(|part| part * shadow);
        }
        Some(colour)
    }
}
