//! `try camera`: what a camera is like; `try faces`: the detectors of faces on pictures in files.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    config::{Config, DetectorKind},
    engine::{
        load,
        vision::{Detector, Seeta},
    },
    machine,
    media::Frame,
    report,
};

/// The largest picture that is looked at, in pixels a side.
const LARGEST: u32 = 8_192;

/// Looks through the camera of a configuration for twice `seconds`, and says what it is like.
pub(super) fn camera(config: &Config, seconds: f32, json: bool) -> Result<ExitCode> {
    let each = Duration::from_secs_f32(seconds.clamp(0.1, 3_600.0));
    let Some(sight) = machine::camera::try_out(config, each)? else {
        report::print(if json { "null" } else { "there is no camera" });
        return Ok(ExitCode::FAILURE);
    };
    let complaints = sight.complaints();
    if json {
        report::print(&sight.to_json().to_string());
    } else {
        report::print(&sight.to_string());
        for complaint in &complaints {
            report::print(&format!("PROBLEM  {complaint}"));
        }
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks for faces in each of `files`; prints one line for each face, or JSON for each picture.
pub(super) fn faces(
    files: &[PathBuf],
    config: &Config,
    times: u32,
    json: bool,
) -> Result<ExitCode> {
    let mut detector: Box<dyn Detector> = match config.watch.detector {
        DetectorKind::Rustface => Box::new(Seeta::new()?),
        DetectorKind::Pack => load::detector(config)?,
        DetectorKind::Motion => {
            anyhow::bail!("watch.detector is \"motion\", which finds no faces in single pictures")
        }
    };
    let mut failed = false;
    for file in files {
        let frame = match picture(file) {
            Ok(frame) => frame,
            Err(error) => {
                report::error(&error);
                failed = true;
                continue;
            }
        };
        let smallest = config.watch.smallest * frame.height as f32;
        let mut spots = detector.detect(&frame, smallest)?;
        let began = Instant::now();
        for _ in 0..times {
            spots = detector.detect(&frame, smallest)?;
        }
        let took = mean_ms(began, times);
        spots.retain(|spot| spot.height >= smallest);
        if json {
            let faces: Vec<_> = spots
                .iter()
                .map(|spot| {
                    json!({
                        "left": spot.left, "top": spot.top, "width": spot.width,
                        "height": spot.height, "score": spot.score, "looking": spot.frontal(),
                    })
                })
                .collect();
            let name = file.display().to_string();
            // What a look costs when this picture does not change: faces that are known are only followed.
            let mut eyes = machine::camera::watcher(config)?;
            let mut taken = frame.taken;
            let began = Instant::now();
            for _ in 0..times * 5 {
                taken += Duration::from_millis(200);
                eyes.look(&Frame { taken, ..frame.clone() })?;
            }
            let look = mean_ms(began, times * 5);
            report::print(
                &json!({ "file": name, "took_ms": took, "look_ms": look, "faces": faces })
                    .to_string(),
            );
        } else {
            report::print(&format!("{}\t{} faces in {took:.1} ms", file.display(), spots.len()));
            for spot in spots {
                let looking = match spot.frontal() {
                    Some(true) => ", looks here",
                    Some(false) => ", looks away",
                    None => "",
                };
                report::print(&format!(
                    "\t{:.0}×{:.0} pixels at {:.0}, {:.0}{looking}",
                    spot.width, spot.height, spot.left, spot.top
                ));
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn mean_ms(began: Instant, times: u32) -> f64 {
    began.elapsed().as_secs_f64() * 1e3 / f64::from(times.max(1))
}

/// The brightness of a JPEG or PNG file.
fn picture(file: &Path) -> Result<Frame> {
    let read = || -> Result<Frame> {
        let mut reader = image::ImageReader::open(file)?.with_guessed_format()?;
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(LARGEST);
        limits.max_image_height = Some(LARGEST);
        reader.limits(limits);
        let grey = reader.decode()?.into_luma8();
        let (width, height) = grey.dimensions();
        ensure!(width > 0 && height > 0, "it is empty");
        Ok(Frame { width, height, luma: grey.into_raw(), taken: Instant::now() })
    };
    read().with_context(|| format!("failed to read the picture {}", file.display()))
}
