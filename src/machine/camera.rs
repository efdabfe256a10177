//! The camera of a configuration, and what looks at its pictures.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;

use crate::{
    config::{CameraKind, Config, DetectorKind},
    device::{
        Camera, DeviceError,
        v4l::{Negotiated, V4lCamera, Wanted},
    },
    engine::{
        load,
        vision::{Detector, Eyes, Habits, Motion, Patience, Seeta, Watcher},
    },
    media::Frame,
};

/// A camera and what looks at its pictures.
type Watched = (Box<dyn Camera>, Box<dyn Watcher>);

/// Opens it; `None` where there is none and none is asked for.
///
/// # Errors
/// It cannot be opened, or what looks at its pictures cannot be loaded.
pub(super) fn open(config: &Config) -> Result<Option<Watched>> {
    let Some(camera) = camera(config)? else { return Ok(None) };
    Ok(Some((Box::new(camera), watcher(config)?)))
}

/// Opens the camera alone, and tells once what it is.
///
/// # Errors
/// It is asked for by name or kind and cannot be used. One that is merely not there is waited for.
fn camera(config: &Config) -> Result<Option<V4lCamera>> {
    let watch = &config.watch;
    let wanted = Wanted {
        name: watch.camera.clone(),
        width: watch.width,
        height: watch.height,
        rate: watch.rate,
        format: watch.format.clone(),
        quarters: (watch.turn / 90 % 4) as u8,
    };
    let camera = match config.devices.camera {
        CameraKind::Off => {
            tracing::info!("camera: off; whoever speaks is there");
            return Ok(None);
        }
        CameraKind::Auto if !V4lCamera::exists(&watch.camera) => {
            tracing::info!("camera: none is there; whoever speaks is there");
            return Ok(None);
        }
        CameraKind::Auto => match V4lCamera::open(wanted) {
            Ok(camera) => camera,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "camera: off, because it cannot be used");
                return Ok(None);
            }
        },
        CameraKind::V4l => V4lCamera::open(wanted)?,
    };
    if let Some(negotiated) = camera.negotiated() {
        tracing::info!("camera: {negotiated}");
    }
    Ok(Some(camera))
}

/// What looks at the camera's pictures.
///
/// # Errors
/// Its model cannot be loaded.
pub fn watcher(config: &Config) -> Result<Box<dyn Watcher>> {
    let watch = &config.watch;
    let ms = |ms: u32| Duration::from_millis(ms.into());
    let mut patience = Patience {
        arrive: ms(watch.arrive_ms),
        leave: ms(watch.leave_ms),
        smallest: watch.smallest,
    };
    let detector: Box<dyn Detector> = match watch.detector {
        DetectorKind::Rustface => Box::new(Seeta::new()?),
        DetectorKind::Pack => load::detector(config)?,
        DetectorKind::Motion => {
            // Who stands still is still there.
            patience.leave = ms(watch.still_ms);
            Box::new(Motion::default())
        }
    };
    let habits = Habits {
        rate: watch.looks,
        idle_rate: watch.idle_looks,
        idle_after: Duration::from_secs(watch.idle_after_s.into()),
        patience,
    };
    Ok(Box::new(Eyes::new(detector, habits)))
}

/// What a camera was found to be like: for whoever has just mounted it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Eyesight {
    /// What was negotiated with it; `None` where that is not known.
    pub negotiated: Option<Negotiated>,
    /// Pixels a row of its pictures, after they were turned.
    pub width: u32,
    /// Their rows.
    pub height: u32,
    /// Pictures that came.
    pub frames: u32,
    /// Pictures that were damaged or came too late.
    pub bad: u32,
    /// Pictures a second that came; 0 if fewer than two came.
    pub rate: f32,
    /// Mean brightness of the last picture, 0 (black) to 255.
    pub brightness: f32,
    /// How much the brightness varies in the last picture: its standard deviation.
    pub contrast: f32,
    /// The most people who were seen at once.
    pub people: u32,
    /// Whether the nearest of them looked at the screen at last, if that can be told.
    pub looking: Option<bool>,
}

impl Eyesight {
    /// What is wrong with it, in words for whoever can put it right; nothing if all is well.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.frames == 0 {
            complaints.push("no picture came; is the camera plugged in and free?".to_owned());
            return complaints;
        }
        if self.bad * 4 > self.frames {
            complaints.push(format!(
                "{} of {} pictures were damaged or late; try a shorter cable or another socket",
                self.bad,
                self.bad + self.frames
            ));
        }
        // The bounds are what SeetaFace and YuNet still find faces in, with some room.
        if self.contrast < 6.0 {
            complaints.push("the picture shows nothing: is the lens covered?".to_owned());
        } else if self.brightness < 35.0 {
            complaints.push("the picture is too dark; faces need more light".to_owned());
        } else if self.brightness > 220.0 {
            complaints
                .push("the picture is too bright; turn the camera away from the light".to_owned());
        }
        complaints
    }
}

impl Eyesight {
    /// All of it, for scripts.
    pub fn to_json(&self) -> serde_json::Value {
        let negotiated = self.negotiated.as_ref().map(|camera| {
            json!({
                "path": camera.path, "card": camera.card, "format": camera.format,
                "width": camera.width, "height": camera.height, "rate": camera.rate,
            })
        });
        json!({
            "negotiated": negotiated, "width": self.width, "height": self.height,
            "frames": self.frames, "bad": self.bad, "rate": self.rate,
            "brightness": self.brightness, "contrast": self.contrast,
            "people": self.people, "looking": self.looking, "complaints": self.complaints(),
        })
    }
}

impl fmt::Display for Eyesight {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.negotiated {
            Some(negotiated) => write!(to, "{negotiated}")?,
            None => to.write_str("no camera")?,
        }
        let Self { frames, bad, rate, brightness, people, .. } = self;
        write!(
            to,
            "; {frames} pictures came, {rate:.1} a second, {bad} damaged or late; brightness \
             {brightness:.0} of 255; {people} people seen"
        )?;
        match self.looking {
            Some(true) => to.write_str(", the nearest looks here"),
            Some(false) => to.write_str(", the nearest looks away"),
            None => Ok(()),
        }
    }
}

/// Looks through the camera of a configuration, `each` for how fast it is and again for who is there; `None`
/// where there is none.
///
/// # Errors
/// It cannot be opened or has failed for good, or its pictures cannot be looked at.
pub fn try_out(config: &Config, each: Duration) -> Result<Option<Eyesight>> {
    let Some(mut camera) = camera(config)? else { return Ok(None) };
    let mut sight = examine(&mut camera, &mut *watcher(config)?, each)?;
    sight.negotiated = camera.negotiated().cloned();
    Ok(Some(sight))
}

/// Looks through a camera: `each` for how fast it is, and again for who is there; the latter should be
/// well above `watch.arrive_ms`.
///
/// # Errors
/// The camera has failed for good, or its pictures cannot be looked at.
fn examine(camera: &mut dyn Camera, watcher: &mut dyn Watcher, each: Duration) -> Result<Eyesight> {
    let mut frame = Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() };
    let mut sight = Eyesight::default();
    camera.pace(240.0);
    let (mut first, mut last) = (None, None);
    pictures(camera, &mut frame, each, &mut sight, |frame, _| {
        first.get_or_insert(frame.taken);
        last = Some(frame.taken);
        Ok(())
    })?;
    if let (Some(first), Some(last)) = (first, last)
        && last > first
    {
        sight.rate = (sight.frames - 1) as f32 / last.duration_since(first).as_secs_f32();
    }
    camera.pace(5.0);
    pictures(camera, &mut frame, each, &mut sight, |frame, sight| {
        let seen = watcher.look(frame)?;
        sight.people = sight.people.max(seen.people);
        sight.looking = seen.looking;
        Ok(())
    })?;
    (sight.width, sight.height) = (frame.width, frame.height);
    (sight.brightness, sight.contrast) = light(&frame.luma);
    Ok(sight)
}

/// Hands out what a camera sends for a while, and counts it.
fn pictures(
    camera: &mut dyn Camera,
    frame: &mut Frame,
    time: Duration,
    sight: &mut Eyesight,
    mut each: impl FnMut(&Frame, &mut Eyesight) -> Result<()>,
) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < time {
        match camera.read(frame) {
            Ok(()) => {
                sight.frames += 1;
                each(frame, sight)?;
            }
            Err(DeviceError::Xrun) => sight.bad += 1,
            Err(DeviceError::Away) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Mean and standard deviation of the brightness.
fn light(luma: &[u8]) -> (f32, f32) {
    let count = luma.len().max(1) as f64;
    let (sum, squares) = luma.iter().fold((0_u64, 0_u64), |(sum, squares), pixel| {
        (sum + u64::from(*pixel), squares + u64::from(*pixel) * u64::from(*pixel))
    });
    let mean = sum as f64 / count;
    (mean as f32, (squares as f64 / count - mean * mean).max(0.0).sqrt() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::vision::Sight;

    /// A camera whose pictures have brightness `base`, and `base + swing` in every second pixel.
    struct Lamp {
        base: u8,
        swing: u8,
        read: u32,
    }

    impl Camera for Lamp {
        fn read(&mut self, frame: &mut Frame) -> Result<(), DeviceError> {
            self.read += 1;
            if self.read.is_multiple_of(8) {
                return Err(DeviceError::Xrun);
            }
            std::thread::sleep(Duration::from_millis(5));
            let luma = (0..64 * 48_u32).map(|at| self.base + (at % 2) as u8 * self.swing).collect();
            *frame = Frame { width: 64, height: 48, luma, taken: Instant::now() };
            Ok(())
        }
        fn pace(&mut self, _: f32) {}
    }

    struct One;

    impl Watcher for One {
        fn look(&mut self, _: &Frame) -> Result<Sight> {
            Ok(Sight { present: true, people: 1, looking: Some(true), ..Sight::default() })
        }
    }

    fn seen(base: u8, swing: u8) -> Eyesight {
        let mut lamp = Lamp { base, swing, read: 0 };
        examine(&mut lamp, &mut One, Duration::from_millis(200)).expect("a camera")
    }

    #[test]
    fn a_good_picture_has_no_complaint_and_a_bad_one_says_what_to_do() {
        let good = seen(90, 60);
        assert_eq!((good.width, good.height), (64, 48));
        assert!(good.frames > 7 && good.bad > 0 && good.rate > 10.0, "{good:?}");
        assert_eq!((good.people, good.looking), (1, Some(true)));
        assert!((good.brightness - 120.0).abs() < 0.1 && (good.contrast - 30.0).abs() < 0.1);
        assert_eq!(good.complaints(), [""; 0]);
        for (base, swing, told) in
            [(40, 0, "covered"), (5, 30, "too dark"), (225, 20, "too bright")]
        {
            let told_is = seen(base, swing).complaints();
            assert!(told_is.len() == 1 && told_is[0].contains(told), "{told_is:?}");
        }
    }

    #[test]
    fn a_camera_that_sends_nothing_is_not_waited_for() {
        struct Dead;
        impl Camera for Dead {
            fn read(&mut self, _: &mut Frame) -> Result<(), DeviceError> {
                std::thread::sleep(Duration::from_millis(10));
                Err(DeviceError::Away)
            }
            fn pace(&mut self, _: f32) {}
        }
        let sight = examine(&mut Dead, &mut One, Duration::from_millis(50)).expect("an end");
        assert_eq!((sight.frames, sight.rate), (0, 0.0));
        assert!(sight.complaints()[0].contains("no picture"));
    }
}
