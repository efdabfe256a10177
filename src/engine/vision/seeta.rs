//! The face detector that is built in: `SeetaFace`'s funnel of cascades, for faces seen from the front.
//!
//! S. Wu, M. Kan, Z. He, S. Shan, X. Chen: Funnel-structured cascade for multi-view face detection with
//! alignment-awareness, Neurocomputing 221 (2017). Its weights come with the crate `rustface`.

use anyhow::{Context, Result};
use rustface::{ImageData, Model};

use super::{Detector, Spot, picture};
use crate::media::Frame;

/// The weights, 1.2 MB: `build.rs` says where they come from.
const WEIGHTS: &[u8] = include_bytes!(env!("LINLY_FACE_WEIGHTS"));

/// The licence of code and weights, which goes with every copy of the program.
pub fn notice() -> &'static str {
    include_str!(env!("LINLY_FACE_NOTICE"))
}

/// The smallest face that the cascade sees, in pixels: its window.
const WINDOW: f32 = 40.0;

/// Size of the copy in which it looks, in rows: enough for its largest windows, and as much as one core
/// can do a few times a second.
const ROWS: std::ops::RangeInclusive<f32> = 120.0..=480.0;

/// Smaller scores are noise; the authors name 0.95, 2.8 and 4.5 as typical.
const SCORE: f64 = 2.8;

/// Finds faces that are at least a given share of the picture's height.
pub struct Seeta {
    model: Model,
    smallest: f32,
    copy: Vec<u8>,
}

impl std::fmt::Debug for Seeta {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Seeta").field("smallest", &self.smallest).finish_non_exhaustive()
    }
}

impl Seeta {
    /// A detector for faces of at least `smallest` of the picture's height, 0 to 1. The smaller they
    /// are, the longer it takes.
    ///
    /// # Errors
    /// The weights were damaged when the program was built.
    pub fn new(smallest: f32) -> Result<Self> {
        let model = rustface::read_model(WEIGHTS).context("the face detector's weights")?;
        Ok(Self { model, smallest, copy: Vec::new() })
    }
}

impl Detector for Seeta {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Spot>> {
        let (from_width, from_height) = (frame.width as f32, frame.height as f32);
        let rows = (WINDOW / self.smallest.max(0.01)).clamp(*ROWS.start(), *ROWS.end());
        // The smaller side must hold a window, whatever the picture's shape; a larger copy than the
        // picture shows nothing more.
        let least = (ROWS.start() / from_width.max(1.0)).max(ROWS.start() / from_height.max(1.0));
        let factor = (rows / from_height.max(1.0)).min(1.0).max(least);
        let (width, height) = ((from_width * factor) as usize, (from_height * factor) as usize);
        if width < 64 || height < 64 || width > 4 * height || height > 4 * width {
            return Ok(Vec::new());
        }
        picture::scale(frame, width, height, &mut self.copy);
        // The crate's detector cannot be sent to a thread, but its weights can; copying them is a small
        // part of the work.
        let mut detector = rustface::create_detector_with_model(self.model.clone());
        detector.set_score_thresh(SCORE);
        detector.set_slide_window_step(4, 4);
        detector.set_pyramid_scale_factor(0.8);
        let found = detector.detect(&ImageData::new(&self.copy, width as u32, height as u32));
        let back = from_height / height as f32;
        Ok(found
            .iter()
            .map(|face| {
                let place = face.bbox();
                Spot {
                    left: place.x() as f32 * back,
                    top: place.y() as f32 * back,
                    width: place.width() as f32 * back,
                    height: place.height() as f32 * back,
                    score: face.score() as f32,
                    marks: None,
                }
            })
            .collect())
    }
}
