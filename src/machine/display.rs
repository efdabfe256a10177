//! The screen of a configuration.

use anyhow::Result;

use crate::{
    config::{Config, DisplayKind},
    device::{Display, headless::HeadlessDisplay},
    media::PICTURE_RATE,
};

/// Opens it. A film of it is made elsewhere.
///
/// # Errors
/// It cannot be opened.
pub(super) fn open(config: &Config) -> Result<Box<dyn Display>> {
    match config.devices.display {
        DisplayKind::Auto | DisplayKind::Drm | DisplayKind::File | DisplayKind::Headless => {
            Ok(Box::new(HeadlessDisplay::open(PICTURE_RATE)?))
        }
    }
}
