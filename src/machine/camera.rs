//! The camera of a configuration, and what looks at its pictures.

use anyhow::Result;

use crate::{
    config::{CameraKind, Config},
    device::Camera,
    engine::vision::Watcher,
};

/// Opens it; `None` where there is none and none is asked for.
///
/// # Errors
/// It cannot be opened, or what looks at its pictures cannot be loaded.
pub(super) fn open(config: &Config) -> Result<Option<(Box<dyn Camera>, Box<dyn Watcher>)>> {
    match config.devices.camera {
        CameraKind::Auto | CameraKind::V4l | CameraKind::Off => Ok(None),
    }
}
