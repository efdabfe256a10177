//! What never changes on the screen: the background and the logo.

use image::{RgbaImage, imageops};

use super::{
    colour::mix,
    layout::Layout,
    look::{Look, cover, out_of_focus},
};
use crate::media::{Picture, Rect};

/// Paints it; `face` is the portrait at rest, whose surroundings are taken where there is no background.
pub(super) fn paint(layout: &Layout, face: &Picture, look: &mut Look) -> Vec<u8> {
    let Rect { width, height, .. } = layout.all;
    let image = look.background.take().map_or_else(
        || {
            let bytes = face.pixels.as_ref().clone();
            let portrait = RgbaImage::from_raw(face.width, face.height, bytes).unwrap_or_default();
            // The upper part: below are clothes.
            let high = (face.height / 2).max(1);
            let upper = imageops::crop_imm(&portrait, 0, 0, face.width, high).to_image();
            out_of_focus(&upper, width, height)
        },
        |image| cover(&image, width, height),
    );
    let mut pixels = image.into_raw();
    // From the window's fade on downwards the writing's ground takes over.
    let begin = layout.avatar.bottom().saturating_sub(layout.fade) as f32;
    let end = layout.avatar.bottom() as f32;
    let deep = mix(look.ground, [0, 0, 0], 0.35);
    for y in 0..height {
        let at = y as f32;
        let t = ((at - begin) / (end - begin).max(1.0)).clamp(0.0, 1.0);
        let share = 0.38 + 0.62 * t * t * (3.0 - 2.0 * t);
        let below = ((at - end) / (height as f32 - end).max(1.0)).clamp(0.0, 1.0);
        let ground = mix(look.ground, deep, below);
        let row = 4 * (y * width) as usize..4 * ((y + 1) * width) as usize;
        for pixel in pixels[row].chunks_exact_mut(4) {
            let mixed = mix([pixel[0], pixel[1], pixel[2]], ground, share);
            pixel.copy_from_slice(&[mixed[0], mixed[1], mixed[2], 255]);
        }
    }
    pixels
}

/// The logo as a sprite that fits its place.
pub(super) fn logo(layout: &Layout, look: &mut Look) -> super::sprite::Sprite {
    let Some(logo) = look.logo.take() else { return super::sprite::Sprite::default() };
    let place = layout.logo;
    if place.is_empty() || logo.width() == 0 || logo.height() == 0 {
        return super::sprite::Sprite::default();
    }
    let scale = (f64::from(place.width) / f64::from(logo.width()))
        .min(f64::from(place.height) / f64::from(logo.height()));
    let whole = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    let (wide, high) =
        (whole(logo.width()).min(place.width), whole(logo.height()).min(place.height));
    let small = imageops::resize(&logo, wide, high, imageops::FilterType::Lanczos3);
    let mut sprite = super::sprite::Sprite::clear(Rect::new(place.x, place.y, wide, high));
    for (x, y, pixel) in small.enumerate_pixels() {
        let [red, green, blue, alpha] = pixel.0;
        sprite.over(x, y, [red, green, blue], alpha);
    }
    sprite
}
