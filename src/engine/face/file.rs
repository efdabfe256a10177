//! A portrait's pictures: from their files, in the size of the screen.

use std::path::Path;

use anyhow::{Context, Result};
use image::{
    RgbaImage,
    imageops::{self, FilterType},
};

/// Reads a picture.
pub(super) fn open(file: &Path) -> Result<RgbaImage> {
    let image = image::open(file)
        .with_context(|| format!("failed to read the picture {}", file.display()))?;
    Ok(image.to_rgba8())
}

/// Scales a picture until it covers the size, and cuts off what hangs over evenly.
pub(super) fn fit(image: RgbaImage, width: u32, height: u32) -> RgbaImage {
    if image.dimensions() == (width, height) {
        return image;
    }
    let scale = (f64::from(width) / f64::from(image.width()))
        .max(f64::from(height) / f64::from(image.height()));
    let size = |length: u32, least: u32| ((f64::from(length) * scale).round() as u32).max(least);
    let (wide, high) = (size(image.width(), width), size(image.height(), height));
    let image = imageops::resize(&image, wide, high, FilterType::CatmullRom);
    imageops::crop_imm(&image, (wide - width) / 2, (high - height) / 2, width, height).to_image()
}
