//! Pictures → H.264.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use openh264::{
    OpenH264API, Timestamp,
    encoder::{
        Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod,
        RateControlMode, UsageType, VuiConfig,
    },
    formats::YUVSource,
};
use shiguredo_mp4::{
    Uint,
    boxes::{Avc1Box, AvccBox, SampleEntry, VisualSampleEntryFields},
};

use super::check_size;
use crate::media::{Picture, Rect};

/// A player can jump to one picture in so many seconds.
const SECONDS_A_KEY: u32 = 10;

/// Encodes pictures of one size.
pub(super) struct Pictures {
    encoder: Encoder,
    width: u32,
    height: u32,
    planes: Planes,
    /// Sequence and picture parameters, once the encoder has told them.
    parameters: Option<(Vec<u8>, Vec<u8>)>,
}

impl Pictures {
    pub(super) fn new(width: u32, height: u32, rate: u32) -> Result<Self> {
        let (long, short) = (width.max(height), width.min(height));
        ensure!(
            (16..=2_160).contains(&short) && long <= 3_840,
            "pictures of {width}×{height} cannot be encoded: 16×16 to 3840×2160 can"
        );
        ensure!((1..=240).contains(&rate), "{rate} pictures a second: 1 to 240 can be encoded");
        // One core has to do: quick, on the caller's thread, and never a picture left out. Without
        // rate control every picture is equally good; where only a mouth moves that is 0.3 Mbit/s.
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            .num_threads(1)
            .max_frame_rate(FrameRate::from_hz(rate as f32))
            .rate_control_mode(RateControlMode::Off)
            .skip_frames(false)
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(true)
            .intra_frame_period(IntraFramePeriod::from_num_frames(rate * SECONDS_A_KEY))
            .vui(VuiConfig::bt709());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config)?;
        Ok(Self { encoder, width, height, planes: Planes::new(width, height), parameters: None })
    }

    /// Encodes a picture; the bytes, with lengths before the units as MP4 wants them, and whether a
    /// player can begin with it. `None` when the encoder has nothing to say about it.
    pub(super) fn encode(
        &mut self,
        picture: &Picture,
        at: Duration,
    ) -> Result<Option<(Vec<u8>, bool)>> {
        check_size(picture, self.width, self.height)?;
        let all = Rect { x: 0, y: 0, width: self.width, height: self.height };
        let first = self.parameters.is_none();
        self.planes.draw(&picture.pixels, if first { all } else { picture.changed });
        let time = Timestamp::from_millis(at.as_millis() as u64);
        let stream = self.encoder.encode_at(&self.planes, time)?;
        let key = stream.frame_type() == FrameType::IDR;
        let mut bytes = Vec::new();
        let (mut sequence, mut parameters) = (None, None);
        let layers = (0..stream.num_layers()).filter_map(|i| stream.layer(i));
        for layer in layers {
            for unit in (0..layer.nal_count()).filter_map(|i| layer.nal_unit(i)) {
                // Units begin with two or three zeros and a one.
                let begin = unit.iter().position(|&byte| byte != 0).map_or(0, |one| one + 1);
                let unit = &unit[begin.min(unit.len())..];
                match unit.first().map(|byte| byte & 31) {
                    Some(7) => sequence = Some(unit.to_vec()),
                    Some(8) => parameters = Some(unit.to_vec()),
                    Some(_) => {
                        bytes.extend((unit.len() as u32).to_be_bytes());
                        bytes.extend_from_slice(unit);
                    }
                    None => {}
                }
            }
        }
        if first {
            self.parameters = sequence.zip(parameters);
        }
        Ok((!bytes.is_empty()).then_some((bytes, key)))
    }

    /// How MP4 describes the pictures; `None` before the first one.
    pub(super) fn entry(&self) -> Result<Option<SampleEntry>> {
        let Some((sequence, parameters)) = &self.parameters else { return Ok(None) };
        let &[_, profile, compatibility, level, ..] = &sequence[..] else {
            bail!("the encoder's parameters are too short");
        };
        let visual = VisualSampleEntryFields {
            data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            width: self.planes.width as u16,
            height: self.planes.height as u16,
            horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
            vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
            frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
            compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
            depth: VisualSampleEntryFields::DEFAULT_DEPTH,
        };
        // Profiles above these describe their colours here too.
        let high = !matches!(profile, 66 | 77 | 88);
        let avcc_box = AvccBox {
            avc_profile_indication: profile,
            profile_compatibility: compatibility,
            avc_level_indication: level,
            length_size_minus_one: Uint::new(3),
            sps_list: vec![sequence.clone()],
            pps_list: vec![parameters.clone()],
            chroma_format: high.then_some(Uint::new(1)),
            bit_depth_luma_minus8: high.then_some(Uint::new(0)),
            bit_depth_chroma_minus8: high.then_some(Uint::new(0)),
            sps_ext_list: Vec::new(),
        };
        Ok(Some(SampleEntry::Avc1(Avc1Box { visual, avcc_box, unknown_boxes: Vec::new() })))
    }
}

/// A picture as the encoder wants it: brightness, and two colours at half the size (BT.709).
struct Planes {
    width: usize,
    height: usize,
    /// Pixels a row of the pictures that are drawn, which may be one more than `width`.
    pitch: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Planes {
    fn new(width: u32, height: u32) -> Self {
        let (pitch, width, height) = (width as usize, width as usize & !1, height as usize & !1);
        let quarter = width / 2 * (height / 2);
        Self {
            width,
            height,
            pitch,
            y: vec![16; width * height],
            u: vec![128; quarter],
            v: vec![128; quarter],
        }
    }

    /// Takes over a rectangle of RGBA pixels.
    fn draw(&mut self, pixels: &[u8], rect: Rect) {
        let edge = |at: u32, length: u32, limit: usize| {
            let end = (at as usize).saturating_add(length as usize);
            ((at as usize & !1).min(limit), end.next_multiple_of(2).min(limit))
        };
        let (left, right) = edge(rect.x, rect.width, self.width);
        let (top, bottom) = edge(rect.y, rect.height, self.height);
        if left >= right {
            return;
        }
        for row in (top..bottom).step_by(2) {
            let pixels_of =
                |row: usize| &pixels[4 * (row * self.pitch + left)..4 * (row * self.pitch + right)];
            let (upper, lower) = (pixels_of(row), pixels_of(row + 1));
            for (row, pixels) in [(row, upper), (row + 1, lower)] {
                let line = &mut self.y[row * self.width + left..row * self.width + right];
                for (y, pixel) in line.iter_mut().zip(pixels.chunks_exact(4)) {
                    *y = brightness(pixel);
                }
            }
            let colours = row / 2 * (self.width / 2);
            let u = &mut self.u[colours + left / 2..colours + right / 2];
            let v = &mut self.v[colours + left / 2..colours + right / 2];
            let pairs = upper.chunks_exact(8).zip(lower.chunks_exact(8));
            for ((u, v), (a, b)) in u.iter_mut().zip(v).zip(pairs) {
                let mean = |c: usize| {
                    (i16::from(a[c]) + i16::from(a[c + 4]) + i16::from(b[c]) + i16::from(b[c + 4]))
                        >> 2
                };
                let (red, green, blue) = (mean(0), mean(1), mean(2));
                *u = (128 + ((-26 * red - 86 * green + 112 * blue + 128) >> 8)) as u8;
                *v = (128 + ((112 * red - 102 * green - 10 * blue + 128) >> 8)) as u8;
            }
        }
    }
}

/// BT.709 in steps of 1/256; the sum stays within 16 bits, so that eight pixels go at once.
fn brightness(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u16::from);
    (16 + ((47 * red + 157 * green + 16 * blue + 128) >> 8)) as u8
}

impl YUVSource for Planes {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }
    fn y(&self) -> &[u8] {
        &self.y
    }
    fn u(&self) -> &[u8] {
        &self.u
    }
    fn v(&self) -> &[u8] {
        &self.v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_standard() {
        for (rgb, expected) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ] {
            let mut planes = Planes::new(4, 4);
            let pixels = [rgb[0], rgb[1], rgb[2], 255].repeat(16);
            planes.draw(&pixels, Rect { x: 1, y: 1, width: 2, height: 2 });
            for (got, expected) in [planes.y[5], planes.u[3], planes.v[3]].into_iter().zip(expected)
            {
                assert!(i32::from(got).abs_diff(expected) <= 2, "{rgb:?}: {got}, {expected}");
            }
        }
    }

    #[test]
    fn only_the_rectangle_is_drawn_wherever_it_lies() {
        let mut planes = Planes::new(8, 8);
        let white = vec![255; 256];
        planes.draw(&white, Rect { x: 6, y: 7, width: 99, height: u32::MAX });
        assert_eq!(planes.y.iter().filter(|&&y| y == 235).count(), 4);
        planes.draw(&white, Rect { x: 90, y: 90, width: 1, height: 1 });
        planes.draw(&white, Rect::default());
        assert_eq!(planes.y.iter().filter(|&&y| y == 235).count(), 4);
    }
}
