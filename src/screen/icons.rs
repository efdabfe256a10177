//! The few signs of the screen: no words, and no font either.

use super::{
    colour::Colour,
    sprite::{Shape, Sprite},
};
use crate::media::Rect;

/// The middle of a place, and half its shorter side.
fn middle(place: Rect) -> ([f32; 2], f32) {
    let Rect { x, y, width, height } = place;
    let half = width.min(height) as f32 / 2.0;
    ([x as f32 + width as f32 / 2.0, y as f32 + height as f32 / 2.0], half)
}

/// A disc to lay a sign on.
pub(super) fn disc(sprite: &mut Sprite, place: Rect, colour: Colour, alpha: f32) {
    let ([x, y], r) = middle(place);
    let r = r - 1.0;
    sprite.draw(Shape::Round([x - r, y - r, x + r, y + r], r), colour, alpha);
}

/// A microphone; crossed out when it is `off`.
pub(super) fn microphone(sprite: &mut Sprite, place: Rect, colour: Colour, off: bool) {
    let ([x, y], r) = middle(place);
    let line = 0.055 * r;
    let capsule = [x - 0.17 * r, y - 0.50 * r, x + 0.17 * r, y + 0.10 * r];
    sprite.draw(Shape::Round(capsule, 0.17 * r), colour, 1.0);
    sprite.draw(Shape::Bowl([x, y - 0.05 * r], 0.32 * r, line), colour, 1.0);
    sprite.draw(Shape::Line([x, y + 0.28 * r], [x, y + 0.46 * r], line), colour, 1.0);
    sprite.draw(
        Shape::Line([x - 0.17 * r, y + 0.48 * r], [x + 0.17 * r, y + 0.48 * r], line),
        colour,
        1.0,
    );
    if off {
        let (from, to) = ([x - 0.42 * r, y - 0.46 * r], [x + 0.42 * r, y + 0.46 * r]);
        sprite.draw(Shape::Line(from, to, 1.3 * line), colour, 1.0);
    }
}

/// A square: stop.
pub(super) fn square(sprite: &mut Sprite, place: Rect, colour: Colour) {
    let ([x, y], r) = middle(place);
    let half = 0.30 * r;
    sprite.draw(Shape::Round([x - half, y - half, x + half, y + half], 0.08 * r), colour, 1.0);
}

/// A globe: languages, where there is no font to name them.
pub(super) fn globe(sprite: &mut Sprite, place: Rect, colour: Colour) {
    let ([x, y], r) = middle(place);
    let line = 0.04 * r;
    sprite.draw(Shape::Ring([x, y], 0.46 * r, line), colour, 1.0);
    sprite.draw(Shape::Line([x - 0.46 * r, y], [x + 0.46 * r, y], line), colour, 1.0);
    sprite.draw(Shape::Line([x, y - 0.46 * r], [x, y + 0.46 * r], line), colour, 1.0);
}

/// An exclamation mark in a ring.
pub(super) fn alert(sprite: &mut Sprite, place: Rect, colour: Colour) {
    let ([x, y], r) = middle(place);
    sprite.draw(Shape::Ring([x, y], 0.9 * r, 0.045 * r), colour, 1.0);
    sprite.draw(Shape::Line([x, y - 0.42 * r], [x, y + 0.10 * r], 0.075 * r), colour, 1.0);
    sprite.draw(Shape::Line([x, y + 0.40 * r], [x, y + 0.401 * r], 0.085 * r), colour, 1.0);
}

/// Bars side by side; each has a height and an alpha, both from 0 to 1.
pub(super) fn bars(sprite: &mut Sprite, place: Rect, colour: Colour, bars: &[(f32, f32)]) {
    let Rect { x, y, width, height } = place;
    let pitch = width as f32 / bars.len().max(1) as f32;
    let thick = (0.42 * pitch).min(0.24 * height as f32);
    for (i, (tall, alpha)) in bars.iter().enumerate() {
        let cx = x as f32 + pitch * (i as f32 + 0.5);
        let cy = y as f32 + height as f32 / 2.0;
        let half = (thick / 2.0).max(tall * (height as f32 / 2.0 - 1.0));
        let bounds = [cx - thick / 2.0, cy - half, cx + thick / 2.0, cy + half];
        sprite.draw(Shape::Round(bounds, thick / 2.0), colour, *alpha);
    }
}
