//! Brightness out of a camera's pictures: the only part of them that is kept.

use anyhow::{Result, anyhow, ensure};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use crate::media::Frame;

/// Where the brightness lies in a picture. The names of the formats are those of the kernel's
/// documentation, "Image Formats" of the Video for Linux API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One byte a pixel, first of all planes: grey, and all planar formats.
    Plane,
    /// Every second byte, from this one on.
    Packed(usize),
    /// Words of 16 bits, lower byte first, of which so many low bits are too fine.
    Words(u32),
    /// Red, green and blue: bytes a pixel, and the places of the three.
    Colours(usize, [usize; 3]),
    /// A JPEG picture.
    Jpeg,
}

/// Formats that can be read, with the bits a pixel that pass the bus.
const FORMATS: [(&[u8; 4], Layout, u32); 21] = [
    (b"GREY", Layout::Plane, 8),
    (b"NV12", Layout::Plane, 12),
    (b"NV21", Layout::Plane, 12),
    (b"YU12", Layout::Plane, 12),
    (b"YV12", Layout::Plane, 12),
    (b"NV16", Layout::Plane, 16),
    (b"NV61", Layout::Plane, 16),
    (b"422P", Layout::Plane, 16),
    (b"YUYV", Layout::Packed(0), 16),
    (b"YVYU", Layout::Packed(0), 16),
    (b"UYVY", Layout::Packed(1), 16),
    (b"VYUY", Layout::Packed(1), 16),
    (b"Y10 ", Layout::Words(2), 16),
    (b"Y12 ", Layout::Words(4), 16),
    (b"Y16 ", Layout::Words(8), 16),
    (b"RGB3", Layout::Colours(3, [0, 1, 2]), 24),
    (b"BGR3", Layout::Colours(3, [2, 1, 0]), 24),
    (b"XR24", Layout::Colours(4, [2, 1, 0]), 32),
    (b"BGR4", Layout::Colours(4, [2, 1, 0]), 32),
    // About a quarter of a byte a pixel, at the quality that webcams choose.
    (b"MJPG", Layout::Jpeg, 2),
    (b"JPEG", Layout::Jpeg, 2),
];

impl Layout {
    /// How a format is read, and about how many bits a pixel it has; `None` if it cannot be read.
    pub(super) fn of(format: [u8; 4]) -> Option<(Self, u32)> {
        let known = FORMATS.iter().find(|(name, ..)| **name == format);
        known.map(|(_, layout, bits)| (*layout, *bits))
    }

    /// The formats that can be read, for messages.
    pub(super) fn names() -> String {
        let names: Vec<_> =
            FORMATS.iter().map(|(name, ..)| String::from_utf8_lossy(*name)).collect();
        names.join(", ")
    }

    /// What one row needs at least, in bytes; 0 for JPEG.
    pub(super) fn row(self, width: u32) -> usize {
        let width = width as usize;
        match self {
            Self::Plane => width,
            Self::Packed(_) | Self::Words(_) => 2 * width,
            Self::Colours(step, _) => step * width,
            Self::Jpeg => 0,
        }
    }
}

/// What the camera was made to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) layout: Layout,
    /// Pixels a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
    /// From one row to the next, in bytes; 0 if rows follow one another without a gap.
    pub(super) stride: usize,
}

impl Shape {
    /// Puts the brightness of a picture into `frame`, whose memory is used again; its time is left.
    ///
    /// # Errors
    /// The picture is cut short or is no JPEG.
    pub(super) fn read(self, picture: &[u8], frame: &mut Frame) -> Result<()> {
        let Self { layout, width, height, .. } = self;
        (frame.width, frame.height) = (width, height);
        if layout == Layout::Jpeg {
            return jpeg(picture, frame);
        }
        let row = layout.row(width);
        let stride = self.stride.max(row);
        let needed = stride * (height as usize).saturating_sub(1) + row;
        ensure!(picture.len() >= needed, "{} bytes instead of {needed}", picture.len());
        let luma = &mut frame.luma;
        luma.clear();
        luma.reserve((width * height) as usize);
        for line in picture.chunks(stride).take(height as usize) {
            let line = &line[..row];
            match layout {
                Layout::Plane => luma.extend_from_slice(line),
                Layout::Packed(first) => luma.extend(line.chunks_exact(2).map(|two| two[first])),
                Layout::Words(fine) => luma.extend(line.chunks_exact(2).map(|two| {
                    let word = u16::from_le_bytes([two[0], two[1]]) >> fine;
                    u8::try_from(word).unwrap_or(u8::MAX)
                })),
                Layout::Colours(step, places) => {
                    luma.extend(line.chunks_exact(step).map(|pixel| grey(pixel, places)));
                }
                Layout::Jpeg => {}
            }
        }
        Ok(())
    }
}

/// Brightness of a colour, with the weights of ITU-R BT.601 in 256ths.
fn grey(pixel: &[u8], [red, green, blue]: [usize; 3]) -> u8 {
    let of = |place: usize| u32::from(pixel[place]);
    ((77 * of(red) + 150 * of(green) + 29 * of(blue)) >> 8) as u8
}

/// Start of image, of its data, and end of image (ITU-T T.81, table B.1).
const BEGIN: [u8; 2] = [0xff, 0xd8];
const SCAN: u8 = 0xda;
const TABLES: u8 = 0xc4;
const END: [u8; 2] = [0xff, 0xd9];

/// The mark of a picture without Huffman tables: the decoder then takes those of the standard.
const AVI: [u8; 9] = [0xff, 0xe0, 0, 7, b'A', b'V', b'I', b'1', 0];

/// Decodes the brightness of a JPEG picture of exactly the size that `frame` has.
fn jpeg(picture: &[u8], frame: &mut Frame) -> Result<()> {
    ensure!(picture.starts_with(&BEGIN), "no JPEG picture");
    // Some cameras fill the rest of the buffer; a picture without an end has lost a part on its way.
    let end = picture.windows(2).rposition(|two| two == END).map(|at| at + 2);
    let picture = &picture[..end.ok_or_else(|| anyhow!("a JPEG picture without an end"))?];
    let marked;
    let picture = if has_tables(picture) {
        picture
    } else {
        marked = [&BEGIN[..], &AVI, &picture[BEGIN.len()..]].concat();
        &marked
    };
    let (width, height) = (frame.width as usize, frame.height as usize);
    let options = DecoderOptions::default()
        .set_max_width(width)
        .set_max_height(height)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(picture), options);
    decoder.decode_headers().map_err(|error| anyhow!("{error:?}"))?;
    let size = decoder.dimensions();
    ensure!(size == Some((width, height)), "a JPEG picture of another size");
    frame.luma.resize(width * height, 0);
    decoder.decode_into(&mut frame.luma).map_err(|error| anyhow!("{error:?}"))
}

/// Whether Huffman tables stand in front of the picture's data: many cameras leave them out.
fn has_tables(picture: &[u8]) -> bool {
    let mut at = BEGIN.len();
    while let Some([0xff, marker, high, low]) = picture.get(at..at + 4) {
        match *marker {
            TABLES => return true,
            SCAN => return false,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    // Something odd; the decoder will say what.
    true
}

/// Turns a picture clockwise by so many quarters; `spare` is memory that is used again.
pub(super) fn turn(frame: &mut Frame, quarters: u8, spare: &mut Vec<u8>) {
    let (width, height) = (frame.width as usize, frame.height as usize);
    match quarters % 4 {
        1 | 3 => {
            spare.clear();
            spare.reserve(width * height);
            for column in 0..width {
                let column = if quarters % 4 == 1 { column } else { width - 1 - column };
                let pixels = frame.luma.iter().skip(column).step_by(width);
                if quarters % 4 == 1 {
                    spare.extend(pixels.rev());
                } else {
                    spare.extend(pixels);
                }
            }
            std::mem::swap(&mut frame.luma, spare);
            (frame.width, frame.height) = (frame.height, frame.width);
        }
        2 => frame.luma.reverse(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
    use proptest::prelude::*;

    use super::*;

    fn frame() -> Frame {
        Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() }
    }

    fn shape(format: &[u8; 4], width: u32, height: u32, stride: usize) -> Shape {
        Shape { layout: Layout::of(*format).expect("a format").0, width, height, stride }
    }

    fn luma(shape: Shape, picture: &[u8]) -> Result<Vec<u8>> {
        let mut frame = frame();
        shape.read(picture, &mut frame)?;
        assert_eq!(frame.luma.len(), (frame.width * frame.height) as usize);
        Ok(frame.luma)
    }

    #[test]
    fn brightness_is_found_in_every_layout() {
        // Two by two pixels of brightness 10, 20, 30, 40; 200 is colour, 99 is the gap after a row.
        for (format, stride, picture) in [
            (b"GREY", 0, &[10, 20, 30, 40][..]),
            (b"GREY", 3, &[10, 20, 99, 30, 40]),
            (b"NV12", 2, &[10, 20, 30, 40, 200, 200]),
            (b"YUYV", 4, &[10, 200, 20, 200, 30, 200, 40, 200]),
            (b"UYVY", 5, &[200, 10, 200, 20, 99, 200, 30, 200, 40]),
            (b"Y10 ", 0, &[40, 0, 80, 0, 120, 0, 160, 0]),
            (b"Y16 ", 0, &[0, 10, 0, 20, 0, 30, 0, 40]),
            (b"RGB3", 0, &[10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40]),
            (b"XR24", 0, &[10, 10, 10, 0, 20, 20, 20, 0, 30, 30, 30, 0, 40, 40, 40, 0]),
        ] {
            let found = luma(shape(format, 2, 2, stride), picture).expect("a picture");
            assert_eq!(found, [10, 20, 30, 40], "{}", String::from_utf8_lossy(format));
            let cut = &picture[..picture.len() - 3];
            assert!(luma(shape(format, 2, 2, stride), cut).is_err() || format == b"NV12");
        }
        assert_eq!(grey(&[255, 255, 255], [0, 1, 2]), 255);
        assert_eq!(Layout::of(*b"RG10"), None, "raw sensors need an image processor");
    }

    /// A slope from dark to bright, as a JPEG picture.
    fn slope(width: u32, height: u32) -> Vec<u8> {
        let pixels: Vec<u8> = (0..height)
            .flat_map(|_| (0..width).flat_map(move |x| [(x * 255 / width) as u8; 3]))
            .collect();
        let mut picture = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut picture, 90);
        encoder.encode(&pixels, width, height, ExtendedColorType::Rgb8).expect("encoded");
        picture
    }

    fn is_slope(luma: &[u8], width: u32) -> bool {
        let row = &luma[..width as usize];
        let off = |(x, y): (usize, &u8)| (f32::from(*y) - x as f32 * 255.0 / width as f32).abs();
        row.iter().enumerate().map(off).all(|off| off < 8.0)
    }

    /// Takes the Huffman tables out, as many cameras do.
    fn without_tables(picture: &[u8]) -> Vec<u8> {
        let (mut out, mut at) = (BEGIN.to_vec(), 2);
        loop {
            let length = usize::from(u16::from_be_bytes([picture[at + 2], picture[at + 3]])) + 2;
            match picture[at + 1] {
                SCAN => break out.extend_from_slice(&picture[at..]),
                TABLES => {}
                _ => out.extend_from_slice(&picture[at..at + length]),
            }
            at += length;
        }
        out
    }

    #[test]
    fn jpeg_is_read_with_and_without_its_tables() {
        let whole = slope(64, 48);
        let shape = shape(b"MJPG", 64, 48, 0);
        assert!(is_slope(&luma(shape, &whole).expect("whole"), 64));
        let bare = without_tables(&whole);
        assert!(!has_tables(&bare) && has_tables(&whole));
        assert!(is_slope(&luma(shape, &bare).expect("the standard's tables"), 64));
        let filled = [&whole[..], &[0; 100]].concat();
        assert!(is_slope(&luma(shape, &filled).expect("filled up"), 64));
    }

    #[test]
    fn half_a_jpeg_and_one_of_another_size_are_no_good() {
        let whole = slope(64, 48);
        assert!(luma(shape(b"MJPG", 64, 48, 0), &whole[..whole.len() / 2]).is_err());
        assert!(luma(shape(b"MJPG", 64, 64, 0), &whole).is_err());
        assert!(luma(shape(b"MJPG", 32, 32, 0), &whole).is_err());
        assert!(luma(shape(b"MJPG", 64, 48, 0), b"").is_err());
    }

    #[test]
    fn a_picture_is_turned_clockwise() {
        let upright = Frame { width: 3, height: 2, luma: vec![1, 2, 3, 4, 5, 6], ..frame() };
        for (quarters, width, luma) in [
            (0, 3, [1, 2, 3, 4, 5, 6]),
            (1, 2, [4, 1, 5, 2, 6, 3]),
            (2, 3, [6, 5, 4, 3, 2, 1]),
            (3, 2, [3, 6, 2, 5, 1, 4]),
        ] {
            let mut turned = upright.clone();
            turn(&mut turned, quarters, &mut Vec::new());
            assert_eq!((turned.width, turned.height), (width, 6 / width));
            assert_eq!(turned.luma, luma, "{quarters} quarters");
        }
    }

    proptest! {
        #[test]
        fn garbage_is_an_error_and_no_panic(
            mut picture in proptest::collection::vec(any::<u8>(), 0..600),
            kind in 0..FORMATS.len(),
            altered in 0_usize..1_000,
            with in any::<u8>(),
        ) {
            let shape = shape(FORMATS[kind].0, 16, 16, 0);
            let _ = luma(shape, &picture);
            // A real picture with one byte altered.
            let mut real = slope(16, 16);
            let at = altered % real.len();
            real[at] = with;
            let _ = luma(Shape { layout: Layout::Jpeg, ..shape }, &real);
            picture.splice(0..0, BEGIN);
            picture.extend(END);
            let _ = luma(Shape { layout: Layout::Jpeg, ..shape }, &picture);
        }
    }
}
