//! The looks of the screen: colours, pictures and the writer, from the configuration.

use std::path::Path;

use anyhow::{Context, Result};
use image::{RgbaImage, imageops};

use super::{
    colour::{self, Colour},
    text::Writer,
};
use crate::config::Screen;

/// What the screen looks like.
#[derive(Debug)]
pub struct Look {
    /// Behind the writing.
    pub ground: Colour,
    /// What the kiosk says.
    pub said: Colour,
    /// What the visitor says.
    pub heard: Colour,
    /// What moves.
    pub accent: Colour,
    /// What does not work.
    pub warning: Colour,
    /// Writes.
    pub writer: Writer,
    /// In the upper corner.
    pub logo: Option<RgbaImage>,
    /// Behind everything.
    pub background: Option<RgbaImage>,
}

impl Look {
    /// The looks of a configuration.
    ///
    /// # Errors
    /// A colour is none, or a picture cannot be read; the message names the key.
    pub fn new(screen: &Screen) -> Result<Self> {
        Self::with(screen, Writer::new(&screen.font))
    }

    /// The looks of a configuration, with a writer.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub fn with(screen: &Screen, writer: Writer) -> Result<Self> {
        let colours = &screen.colours;
        let read = |key: &str, text: &str| {
            colour::parse(text).with_context(|| format!("screen.colours.{key} cannot be used"))
        };
        Ok(Self {
            ground: read("ground", &colours.ground)?,
            said: read("said", &colours.said)?,
            heard: read("heard", &colours.heard)?,
            accent: read("accent", &colours.accent)?,
            warning: read("warning", &colours.warning)?,
            writer,
            logo: open("logo", &screen.logo)?,
            background: open("background", &screen.background)?,
        })
    }
}

fn open(key: &str, path: &Path) -> Result<Option<RgbaImage>> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let opened = image::open(path)
        .with_context(|| format!("screen.{key}: the picture {} cannot be read", path.display()))?;
    Ok(Some(opened.to_rgba8()))
}

/// A picture that covers a size, cut off evenly.
pub(super) fn cover(image: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    let scale = (f64::from(width) / f64::from(image.width().max(1)))
        .max(f64::from(height) / f64::from(image.height().max(1)));
    let whole = |length: u32, least: u32| ((f64::from(length) * scale).round() as u32).max(least);
    let (wide, high) = (whole(image.width(), width), whole(image.height(), height));
    let large = imageops::resize(image, wide, high, imageops::FilterType::Triangle);
    imageops::crop_imm(&large, (wide - width) / 2, (high - height) / 2, width, height).to_image()
}

/// A picture out of focus, of any size: what is left when only a few pixels of it are kept.
pub(super) fn out_of_focus(image: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    let tiny = imageops::resize(image, 9, 9, imageops::FilterType::Triangle);
    // Twice, so that the corners between the few pixels go.
    let small = imageops::resize(&tiny, 48, 48, imageops::FilterType::CatmullRom);
    let soft = imageops::blur(&small, 2.5);
    cover(&imageops::resize(&soft, 96, 96, imageops::FilterType::CatmullRom), width, height)
}
