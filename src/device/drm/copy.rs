//! From a picture to a panel's memory: turned, in the panel's format, and only what has changed.

use crate::media::{Picture, Rect};

/// How a picture is turned on its way to the panel, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// As it is.
    #[default]
    None,
    /// By 90 degrees.
    Right,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    Left,
}

/// Pixels turned at once: so many rows of the picture stay in the cache.
const TILE: u32 = 16;

impl Turn {
    /// The turn by so many degrees, if it is one of 0, 90, 180 and 270.
    pub fn by(degrees: u32) -> Option<Self> {
        match degrees {
            0 => Some(Self::None),
            90 => Some(Self::Right),
            180 => Some(Self::Half),
            270 => Some(Self::Left),
            _ => None,
        }
    }

    /// In degrees.
    pub fn degrees(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Right => 90,
            Self::Half => 180,
            Self::Left => 270,
        }
    }

    /// The size of a picture on the panel, and of the panel in the picture.
    pub fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Right | Self::Left => (height, width),
        }
    }

    /// Where a part of a picture of `size` lies on the panel.
    pub fn rect(self, rect: Rect, (width, height): (u32, u32)) -> Rect {
        let Rect { x, y, width: w, height: h } = rect;
        match self {
            Self::None => rect,
            Self::Right => Rect::new(height - rect.bottom(), x, h, w),
            Self::Half => Rect::new(width - rect.right(), height - rect.bottom(), w, h),
            Self::Left => Rect::new(y, width - rect.right(), h, w),
        }
    }

    /// Where on the upright picture a place of the panel lies; both from 0 to 1.
    pub fn back(self, (x, y): (f32, f32)) -> (f32, f32) {
        match self {
            Self::None => (x, y),
            Self::Right => (y, 1.0 - x),
            Self::Half => (1.0 - x, 1.0 - y),
            Self::Left => (1.0 - y, x),
        }
    }
}

/// How a panel's memory holds a pixel; both as little-endian numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Four bytes: blue, green, red, nothing.
    Xrgb8888,
    /// Two bytes: 5 bits of red, 6 of green, 5 of blue.
    Rgb565,
}

impl Format {
    /// Bytes a pixel.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Xrgb8888 => 4,
            Self::Rgb565 => 2,
        }
    }

    /// Copies pixels side by side.
    fn row(self, from: &[u8], to: &mut [u8]) {
        match self {
            Self::Xrgb8888 => {
                for (from, to) in from.chunks_exact(4).zip(to.chunks_exact_mut(4)) {
                    to.copy_from_slice(&[from[2], from[1], from[0], 0]);
                }
            }
            Self::Rgb565 => {
                for (from, to) in from.chunks_exact(4).zip(to.chunks_exact_mut(2)) {
                    to.copy_from_slice(&packed(from).to_le_bytes());
                }
            }
        }
    }
}

fn packed(pixel: &[u8]) -> u16 {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u16::from);
    (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
}

/// A panel's memory: `pitch` bytes a row.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The bytes; rows that are not there are not written.
    pub(super) bytes: &'a mut [u8],
    /// Bytes from one row to the next.
    pub(super) pitch: usize,
    /// How a pixel is held.
    pub(super) format: Format,
}

/// Copies `area` of a picture to its place in the panel's memory.
pub(super) fn copy(picture: &Picture, area: Rect, turn: Turn, target: &mut Target<'_>) {
    let (width, height) = (picture.width, picture.height);
    let area = area.intersection(Rect::new(0, 0, width, height));
    let size = target.format.bytes();
    let stride = 4 * width as usize;
    if turn == Turn::None {
        let (left, right) = (area.x as usize, area.right() as usize);
        for y in area.y as usize..area.bottom() as usize {
            let from = &picture.pixels[y * stride + 4 * left..y * stride + 4 * right];
            let begin = y * target.pitch + size * left;
            let end = begin + size * (right - left);
            if let Some(to) = target.bytes.get_mut(begin..end) {
                target.format.row(from, to);
            }
        }
        return;
    }
    // The panel is written in rows, because its memory may be slow to reach; the picture is read in
    // tiles, because its columns would otherwise leave the cache before they are needed again.
    let place = turn.rect(area, (width, height));
    let mut line = [0_u8; 4 * TILE as usize];
    for top in (place.y..place.bottom()).step_by(TILE as usize) {
        for left in (place.x..place.right()).step_by(TILE as usize) {
            let count = TILE.min(place.right() - left) as usize;
            for row in top..(top + TILE).min(place.bottom()) {
                for (i, pixel) in line[..4 * count].chunks_exact_mut(4).enumerate() {
                    let column = left + i as u32;
                    let (x, y) = match turn {
                        Turn::None => (column, row),
                        Turn::Right => (row, height - 1 - column),
                        Turn::Half => (width - 1 - column, height - 1 - row),
                        Turn::Left => (width - 1 - row, column),
                    };
                    let from = y as usize * stride + 4 * x as usize;
                    pixel.copy_from_slice(&picture.pixels[from..from + 4]);
                }
                let begin = row as usize * target.pitch + size * left as usize;
                if let Some(to) = target.bytes.get_mut(begin..begin + size * count) {
                    target.format.row(&line[..4 * count], to);
                }
            }
        }
    }
}

/// What each of several buffers has missed since it was last written: only that is copied to it.
#[derive(Debug)]
pub(super) struct Missed<const COUNT: usize> {
    all: Rect,
    missed: [Rect; COUNT],
}

impl<const COUNT: usize> Missed<COUNT> {
    /// Buffers for pictures of this size, of which nothing was written yet.
    pub(super) fn new((width, height): (u32, u32)) -> Self {
        let all = Rect::new(0, 0, width, height);
        Self { all, missed: [all; COUNT] }
    }

    /// A picture has come in which `changed` differs from the one before.
    pub(super) fn note(&mut self, changed: Rect) {
        for missed in &mut self.missed {
            *missed = missed.union(changed.intersection(self.all));
        }
    }

    /// What is to be written to a buffer to make it whole; then it is.
    pub(super) fn take(&mut self, buffer: usize) -> Rect {
        std::mem::take(&mut self.missed[buffer])
    }

    /// Nothing is known of the buffers any more.
    pub(super) fn forget(&mut self) {
        self.missed = [self.all; COUNT];
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        // Each pixel tells where it is.
        let pixels = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 7, 255]))
            .collect();
        let changed = Rect::new(0, 0, width, height);
        Picture { width, height, pixels: Arc::new(pixels), changed }
    }

    const TURNS: [Turn; 4] = [Turn::None, Turn::Right, Turn::Half, Turn::Left];

    #[test]
    fn the_corners_go_where_a_turned_panel_has_them() {
        let (width, height) = (37, 21);
        let picture = picture(width, height);
        for turn in TURNS {
            let (wide, high) = turn.size((width, height));
            let pitch = 4 * wide as usize + 64;
            let mut bytes = vec![0xee; pitch * high as usize];
            let mut target = Target { bytes: &mut bytes, pitch, format: Format::Xrgb8888 };
            copy(&picture, picture.changed, turn, &mut target);
            let at = |x: u32, y: u32| {
                let i = y as usize * pitch + 4 * x as usize;
                // Blue first.
                (u32::from(bytes[i + 2]), u32::from(bytes[i + 1]))
            };
            let corners = [at(0, 0), at(wide - 1, 0), at(wide - 1, high - 1), at(0, high - 1)];
            let (right, low) = (width - 1, height - 1);
            let mut wanted = [(0, 0), (right, 0), (right, low), (0, low)];
            // A turn to the right brings the lower left corner to the upper left.
            wanted.rotate_right(turn.degrees() as usize / 90);
            assert_eq!(corners, wanted, "{turn:?}");
            let gaps = bytes.chunks(pitch).all(|row| row[pitch - 64..] == [0xee; 64]);
            assert!(gaps, "nothing is written between the rows");
        }
    }

    #[test]
    fn a_part_that_is_copied_alone_lies_where_the_whole_has_it() {
        let picture = picture(50, 70);
        let area = Rect::new(3, 40, 33, 21);
        for turn in TURNS {
            let (wide, high) = turn.size((50, 70));
            let pitch = 4 * wide as usize;
            let mut whole = vec![0; pitch * high as usize];
            let mut part = vec![0; pitch * high as usize];
            let copy_to = |bytes: &mut Vec<u8>, area| {
                let mut target = Target { bytes, pitch, format: Format::Xrgb8888 };
                copy(&picture, area, turn, &mut target);
            };
            copy_to(&mut whole, picture.changed);
            copy_to(&mut part, area);
            let place = turn.rect(area, (50, 70));
            for y in 0..high {
                for x in 0..wide {
                    let i = y as usize * pitch + 4 * x as usize;
                    let wanted = if place.contains(x, y) { &whole[i..i + 4] } else { &[0; 4] };
                    assert_eq!(&part[i..i + 4], wanted, "{turn:?} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_touch_finds_its_way_back_through_every_turn() {
        for turn in TURNS {
            let size = (400, 700);
            let place = turn.rect(Rect::new(100, 200, 1, 1), size);
            let (wide, high) = turn.size(size);
            let middle = |at: u32, length: u32| (at as f32 + 0.5) / length as f32;
            let (x, y) = turn.back((middle(place.x, wide), middle(place.y, high)));
            assert!((x - middle(100, 400)).abs() < 1e-6, "{turn:?} {x}");
            assert!((y - middle(200, 700)).abs() < 1e-6, "{turn:?} {y}");
        }
    }

    #[test]
    fn small_pixels_keep_their_colours() {
        assert_eq!(packed(&[255, 0, 0, 255]), 0xf800);
        assert_eq!(packed(&[0, 255, 0, 255]), 0x07e0);
        assert_eq!(packed(&[0, 0, 255, 255]), 0x001f);
        let picture = picture(20, 4);
        let mut bytes = vec![0; 2 * 20 * 4];
        let mut target = Target { bytes: &mut bytes, pitch: 40, format: Format::Rgb565 };
        copy(&picture, picture.changed, Turn::None, &mut target);
        assert_eq!(bytes[40 + 2 * 16..][..2], packed(&[16, 1, 7, 255]).to_le_bytes());
    }

    #[test]
    fn memory_that_is_too_small_is_filled_as_far_as_it_goes() {
        let picture = picture(20, 20);
        for turn in TURNS {
            let mut bytes = vec![0; 4 * 20 * 7];
            let mut target = Target { bytes: &mut bytes, pitch: 80, format: Format::Xrgb8888 };
            copy(&picture, picture.changed, turn, &mut target);
        }
    }

    /// Two buffers take turns; each gets what it has missed, and no more.
    #[test]
    fn two_buffers_in_turn_both_show_everything() {
        let (width, height) = (64, 48);
        let mut pixels = vec![0_u8; 4 * 64 * 48];
        let mut missed = Missed::<2>::new((width, height));
        let mut panels = [vec![0xee_u8; 4 * 64 * 48], vec![0xee_u8; 4 * 64 * 48]];
        let mut copied = Vec::new();
        for step in 0..40_u32 {
            let changed = match step {
                0 => Rect::new(0, 0, width, height),
                _ if step % 7 == 3 => Rect::default(),
                _ => Rect::new(step * 5 % 50, step * 11 % 40, 9, 6),
            };
            for y in changed.y..changed.bottom() {
                for x in changed.x..changed.right() {
                    pixels[4 * (y * width + x) as usize] = step as u8 + 1;
                }
            }
            let picture = Picture { width, height, pixels: Arc::new(pixels.clone()), changed };
            missed.note(changed);
            let back = step as usize % 2;
            let area = missed.take(back);
            copied.push(area.width * area.height);
            let mut target =
                Target { bytes: &mut panels[back], pitch: 256, format: Format::Xrgb8888 };
            copy(&picture, area, Turn::None, &mut target);
            let shown: Vec<u8> =
                panels[back].chunks_exact(4).flat_map(|p| [p[2], p[1], p[0], 0]).collect();
            assert!(shown == pixels, "picture {step}");
        }
        assert!(copied[2..].iter().all(|&count| count < 64 * 48), "{copied:?}");
        missed.forget();
        assert_eq!(missed.take(1), Rect::new(0, 0, width, height));
    }
}
