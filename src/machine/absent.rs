//! Devices that were not there when the kiosk started: some cameras and sound cards take longer than the program.

use std::path::Path;

use crate::{
    config::{CameraKind, Config, DisplayKind, SoundKind},
    device::{
        alsa::{Cards, Way},
        drm,
        v4l::V4lCamera,
    },
    media::Device,
};

/// Devices of a configuration that would have been used had they been there, and that nothing looks for since.
#[derive(Clone, Debug, Default)]
pub struct Absent(Vec<(Device, String)>);

impl Absent {
    /// Those that are not there now; to be asked before the devices are opened.
    pub fn of(config: &Config) -> Self {
        let (devices, sound) = (&config.devices, &config.sound);
        let card = config.screen.card.to_string_lossy().into_owned();
        let wished = [
            (Device::Camera, devices.camera == CameraKind::Auto, &config.watch.camera),
            (Device::Microphone, devices.microphone == SoundKind::Auto, &sound.microphone),
            (Device::Speaker, devices.speaker == SoundKind::Auto, &sound.speaker),
            (Device::Display, devices.display == DisplayKind::Auto, &card),
        ];
        let absent =
            wished.into_iter().filter(|(device, auto, name)| *auto && !exists(*device, name));
        Self(absent.map(|(device, _, name)| (device, name.clone())).collect())
    }

    /// One of them that is there by now.
    pub fn arrived(&self) -> Option<Device> {
        self.0.iter().find(|(device, name)| exists(*device, name)).map(|(device, _)| *device)
    }
}

/// Whether there is such a device, whoever may use it.
fn exists(device: Device, name: &str) -> bool {
    match device {
        Device::Camera => V4lCamera::exists(name),
        Device::Microphone => Cards::default().find(name, Way::In).is_ok(),
        Device::Speaker => Cards::default().find(name, Way::Out).is_ok(),
        Device::Display => drm::exists(Path::new(name)),
    }
}
