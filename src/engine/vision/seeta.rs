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

/// The shorter side of the copy in which it looks, in pixels: enough for a few sizes of its window, and
/// no more than one core can do a few times a second.
const LEAST: f32 = 120.0;
const MOST: f32 = 480.0;

/// Smaller scores are noise; the authors name 0.95, 2.8 and 4.5 as typical.
const SCORE: f64 = 2.8;

/// Finds faces that look this way.
pub struct Seeta {
    model: Model,
    copy: Vec<u8>,
}

impl std::fmt::Debug for Seeta {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Seeta").finish_non_exhaustive()
    }
}

impl Seeta {
    /// A detector.
    ///
    /// # Errors
    /// The weights were damaged when the program was built.
    pub fn new() -> Result<Self> {
        let model = rustface::read_model(WEIGHTS).context("the face detector's weights")?;
        Ok(Self { model, copy: Vec::new() })
    }
}

impl Detector for Seeta {
    /// The smaller the faces are, the longer it takes.
    fn detect(&mut self, frame: &Frame, smallest: f32) -> Result<Vec<Spot>> {
        let (from_width, from_height) = (frame.width as f32, frame.height as f32);
        // A copy larger than the picture shows nothing more; one whose sides hold no window is no use.
        let short = from_width.min(from_height).max(1.0);
        let factor = (WINDOW / smallest.max(1.0)).max(LEAST / short).min(MOST / short).min(1.0);
        let (width, height) = ((from_width * factor) as usize, (from_height * factor) as usize);
        if width.min(height) < LEAST as usize / 2 || width.max(height) > 4 * width.min(height) {
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
