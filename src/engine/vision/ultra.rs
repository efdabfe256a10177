//! The detectors Ultra-Light RFB-320 and slim-320, from a pack.
//!
//! `Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB`: a single-shot detector. Some of its files hand
//! out finished boxes, others what must first be put onto the boxes that the network starts from.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{Detector, Spot, picture, thin};
use crate::{
    engine::onnx::{Contract, Kind, Model, Options, Tensor, port},
    media::Frame,
};

/// Pixels from one cell to the next, and the sizes of the boxes that begin there.
const GRIDS: [(usize, &[f32]); 4] = [
    (8, &[10.0, 16.0, 24.0]),
    (16, &[32.0, 48.0]),
    (32, &[64.0, 96.0]),
    (64, &[128.0, 192.0, 256.0]),
];

/// The least that counts as a face.
const SCORE: f32 = 0.7;

/// Overlap above which two finds are the same face.
const SAME: f32 = 0.3;

/// What the file hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boxes {
    /// Edges, as parts of the picture.
    Finished,
    /// Offsets from the boxes that the network starts from.
    Raw,
}

/// Finds faces.
#[derive(Debug)]
pub struct Ultra {
    model: Model,
    width: usize,
    height: usize,
    boxes: Boxes,
    /// The boxes that the network starts from: middle and size, as parts of the picture.
    starts: Vec<[f32; 4]>,
    copy: Vec<u8>,
}

impl Ultra {
    /// Loads the detector at `path`.
    ///
    /// # Errors
    /// The file is missing or does not fit.
    pub fn load(path: &Path, boxes: Boxes, options: &Options) -> Result<Self> {
        let offers = Contract::of_file(path)?;
        let input = offers.inputs.iter().find(|input| input.name == "input");
        let input = input.with_context(|| format!("{} has no input", path.display()))?;
        let axis =
            |index: usize, open: usize| input.shape.get(index).copied().flatten().unwrap_or(open);
        let [width, height] = [axis(3, 320), axis(2, 240)];
        let sound = |size: usize| (64..=2_048).contains(&size);
        ensure!(sound(width) && sound(height), "{} takes {width}×{height} pixels", path.display());
        let starts = starts(width, height);
        let some = |sizes: &[usize]| sizes.iter().copied().map(Some).collect::<Vec<_>>();
        let output = |name: &str, values| port(name, Kind::F32, &some(&[1, starts.len(), values]));
        let contract = Contract {
            inputs: vec![port("input", Kind::F32, &some(&[1, 3, height, width]))],
            outputs: vec![output("scores", 2), output("boxes", 4)],
        };
        let model = Model::load(path, &contract, options)?;
        Ok(Self { model, width, height, boxes, starts, copy: Vec::new() })
    }
}

/// The boxes that the network starts from, in the order of its outputs.
fn starts(width: usize, height: usize) -> Vec<[f32; 4]> {
    let mut starts = Vec::new();
    for (stride, sizes) in GRIDS {
        let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
        for row in 0..rows {
            for column in 0..columns {
                let x = (column as f32 + 0.5) * stride as f32 / width as f32;
                let y = (row as f32 + 0.5) * stride as f32 / height as f32;
                let size = |size: &f32| [x, y, size / width as f32, size / height as f32];
                starts.extend(sizes.iter().map(size));
            }
        }
    }
    starts
}

impl Detector for Ultra {
    fn detect(&mut self, frame: &Frame, _: f32) -> Result<Vec<Spot>> {
        let Self { width, height, .. } = *self;
        // Squeezed to the shape of the input, as it was trained.
        picture::scale(frame, width, height, &mut self.copy);
        let grey = self.copy.iter().map(|pixel| (f32::from(*pixel) - 127.0) / 128.0);
        let mut input: Vec<f32> = Vec::with_capacity(3 * width * height);
        input.extend(grey);
        input.extend_from_within(..);
        input.extend_from_within(..width * height);
        let outputs =
            self.model.run(vec![("input", Tensor::f32(&[1, 3, height, width], input))])?;
        let [scores, boxes] = [outputs[0].as_f32()?, outputs[1].as_f32()?];
        let (wide, high) = (frame.width as f32, frame.height as f32);
        let mut spots = Vec::new();
        for (number, score) in scores.chunks_exact(2).map(|two| two[1]).enumerate() {
            if score < SCORE {
                continue;
            }
            let Some([b0, b1, b2, b3]) = boxes.get(number * 4..number * 4 + 4) else { continue };
            let [left, top, right, bottom] = match self.boxes {
                Boxes::Finished => [*b0, *b1, *b2, *b3],
                Boxes::Raw => {
                    // Variances of the training code: 0.1 for the middle, 0.2 for the size.
                    let [x, y, width, height] = self.starts[number];
                    let (x, y) = (x + b0 * 0.1 * width, y + b1 * 0.1 * height);
                    let (width, height) = (width * (b2 * 0.2).exp(), height * (b3 * 0.2).exp());
                    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
                }
            };
            spots.push(Spot {
                left: left * wide,
                top: top * high,
                width: (right - left) * wide,
                height: (bottom - top) * high,
                score,
                marks: None,
            });
        }
        Ok(thin(spots, SCORE, SAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_starts_from_as_many_boxes_as_it_hands_out() {
        // The numbers that its files declare for 320×240 and 640×480.
        assert_eq!(starts(320, 240).len(), 4_420);
        assert_eq!(starts(640, 480).len(), 17_640);
    }
}
