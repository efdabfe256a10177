//! The hardware, and what stands in for it.

pub mod alsa;
pub mod drm;
pub mod echo;
pub mod evdev;
pub mod file;
pub mod headless;
pub mod mp4;
pub mod recording;

use std::time::{Duration, Instant};

use thiserror::Error;

use crate::media::{Chunk, Frame, Picture, Press};

/// What can be wrong with a device; the variants are what a stage does about it.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// Sound was lost or came too late; go on.
    #[error("sound was lost")]
    Xrun,
    /// It is unplugged or does not answer, and the device itself looks for it to come back: go on
    /// asking. Whoever returns this has taken about the time that the work would have taken, so that a
    /// loop around it keeps the machine's pace.
    #[error("the device is away")]
    Away,
    /// It has ended and will not come back.
    #[error("the device is gone")]
    Gone,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Where sound comes from.
pub trait Microphone: Send {
    /// Waits for the next chunk.
    fn read(&mut self) -> Result<Chunk, DeviceError>;
    /// How long ago the last sample of the chunk was recorded that `read` has just returned.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

/// Where sound goes.
pub trait Speaker: Send {
    /// Samples a second that `write` takes.
    fn sample_rate(&self) -> u32;
    /// Writes mono samples, −1 to 1; waits while the device's buffer is full.
    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError>;
    /// How much sound is written but not yet heard.
    fn delay(&self) -> Result<Duration, DeviceError>;
    /// Drops what is not yet heard.
    fn flush(&mut self) -> Result<(), DeviceError>;
    /// Where what was written ends on the device's own clock, which silence advances too; `None` where
    /// that clock stops between answers. Sound is heard when the clock gets there, in [`Self::delay`].
    fn position(&self) -> Option<Duration> {
        None
    }
}

/// Where pictures go.
pub trait Display: Send {
    /// Shows the picture; returns when it became visible.
    fn show(&mut self, picture: &Picture) -> Result<Instant, DeviceError>;
    /// Waits for the next moment at which a picture can be shown.
    fn wait(&mut self) -> Result<(), DeviceError>;
}

/// What sees who is there.
pub trait Camera: Send {
    /// Waits for the newest picture and puts it into `frame`, whose memory is used again.
    fn read(&mut self, frame: &mut Frame) -> Result<(), DeviceError>;
    /// How many pictures a second are wanted from now on; the camera may give fewer.
    fn pace(&mut self, rate: f32);
}

/// Keys, buttons and places on the touch screen.
pub trait Keys: Send {
    /// Waits up to `wait` for the next press.
    fn read(&mut self, wait: Duration) -> Result<Option<Press>, DeviceError>;
}
