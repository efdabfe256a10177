//! The detector `YuNet`, from a pack: faces with five points each.
//!
//! W. Wu, H. Peng, S. Yu: `YuNet`: a tiny millisecond-level face detector, Machine Intelligence Research 20
//! (2023). Its outputs are decoded as in the training code (`ShiqiYu/libfacedetection.train`).

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{Detector, Marks, Spot, picture, thin};
use crate::{
    engine::onnx::{Contract, Kind, Model, Options, Tensor, port},
    media::Frame,
};

/// Pixels from one cell to the next, for each of the three grids.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Size of the input where the file leaves it open: width and height.
const SIZE: [usize; 2] = [320, 256];

/// The least that counts as a face; sure ones have 0.9.
const SCORE: f32 = 0.6;

/// Overlap above which two finds are the same face.
const SAME: f32 = 0.3;

/// Finds faces and their points.
#[derive(Debug)]
pub struct Yunet {
    model: Model,
    width: usize,
    height: usize,
    copy: Vec<u8>,
}

impl Yunet {
    /// Loads the detector at `path`; its input may have any size in multiples of 32, or none of its own.
    ///
    /// # Errors
    /// The file is missing or does not fit.
    pub fn load(path: &Path, options: &Options) -> Result<Self> {
        let offers = Contract::of_file(path)?;
        let input = offers.inputs.iter().find(|input| input.name == "input");
        let input = input.with_context(|| format!("{} has no input", path.display()))?;
        let axis =
            |index: usize, open: usize| input.shape.get(index).copied().flatten().unwrap_or(open);
        let [width, height] = [axis(3, SIZE[0]), axis(2, SIZE[1])];
        let sound = |size: usize| (64..=2_048).contains(&size) && size.is_multiple_of(32);
        ensure!(sound(width) && sound(height), "{} takes {width}×{height} pixels", path.display());
        let some = |sizes: &[usize]| sizes.iter().copied().map(Some).collect::<Vec<_>>();
        let mut contract = Contract {
            inputs: vec![port("input", Kind::F32, &some(&[1, 3, height, width]))],
            outputs: Vec::new(),
        };
        for (name, values) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
            for stride in STRIDES {
                let cells = width / stride * (height / stride);
                let shape = some(&[1, cells, values]);
                contract.outputs.push(port(&format!("{name}_{stride}"), Kind::F32, &shape));
            }
        }
        let model = Model::load(path, &contract, options)?;
        Ok(Self { model, width, height, copy: Vec::new() })
    }
}

impl Detector for Yunet {
    fn detect(&mut self, frame: &Frame, _: f32) -> Result<Vec<Spot>> {
        let Self { width, height, .. } = *self;
        let placed = Placed::of(frame, width, height);
        picture::scale(frame, placed.width, placed.height, &mut self.copy);
        // Blue, green and red from 0 to 255: grey three times.
        let mut input = vec![0.0; 3 * width * height];
        for plane in input.chunks_exact_mut(width * height) {
            let rows = plane.chunks_exact_mut(width).zip(self.copy.chunks_exact(placed.width));
            for (row, copy) in rows {
                for (value, pixel) in row.iter_mut().zip(copy) {
                    *value = f32::from(*pixel);
                }
            }
        }
        let outputs =
            self.model.run(vec![("input", Tensor::f32(&[1, 3, height, width], input))])?;
        let numbers: Vec<&[f32]> = outputs.iter().map(Tensor::as_f32).collect::<Result<_>>()?;
        let mut spots = Vec::new();
        for (grid, stride) in STRIDES.into_iter().enumerate() {
            let [classes, objects, boxes, points] =
                [numbers[grid], numbers[3 + grid], numbers[6 + grid], numbers[9 + grid]];
            let columns = width / stride;
            for (cell, (class, object)) in classes.iter().zip(objects).enumerate() {
                let score = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
                if score < SCORE {
                    continue;
                }
                let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
                let stride = stride as f32;
                let at = |x: f32, y: f32| [(column + x) * stride, (row + y) * stride];
                let [b0, b1, b2, b3] = boxes[cell * 4..][..4] else { continue };
                let ([x, y], wide, high) = (at(b0, b1), b2.exp() * stride, b3.exp() * stride);
                let point = |number: usize| {
                    let place = cell * 10 + 2 * number;
                    placed.point(at(points[place], points[place + 1]))
                };
                let [left, top] = placed.point([x - wide / 2.0, y - high / 2.0]);
                spots.push(Spot {
                    left,
                    top,
                    width: wide * placed.back,
                    height: high * placed.back,
                    score,
                    marks: Some(Marks {
                        eyes: [point(0), point(1)],
                        nose: point(2),
                        mouth: [point(3), point(4)],
                    }),
                });
            }
        }
        Ok(thin(spots, SCORE, SAME))
    }
}

/// How a picture lies in the left upper corner of a model's input, as large as it goes.
struct Placed {
    width: usize,
    height: usize,
    /// From pixels of the input to pixels of the picture.
    back: f32,
}

impl Placed {
    fn of(frame: &Frame, width: usize, height: usize) -> Self {
        let (from_width, from_height) = (frame.width.max(1) as f32, frame.height.max(1) as f32);
        let factor = (width as f32 / from_width).min(height as f32 / from_height);
        let fit = |size: f32, most: usize| ((size * factor).round() as usize).clamp(1, most);
        Self { width: fit(from_width, width), height: fit(from_height, height), back: 1.0 / factor }
    }

    fn point(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [x * self.back, y * self.back]
    }
}
