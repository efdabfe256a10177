//! A portrait that moves: one still picture, warped and painted into each pose.
//!
//! A grid of nodes says where each place of the new picture comes from; between the nodes that is
//! interpolated. Only cells whose nodes moved since a buffer was last drawn are drawn again.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use image::{RgbaImage, imageops};

use super::{
    file::{fit, open},
    lids::Lids,
    lips::Lips,
    points::Points,
    pose::{Head, Pose},
    warp::{HeadMap, MouthMap, Side},
};
use crate::media::{Buffer, Buffers, Mouth, Picture, Rect};

/// Pixels between two nodes.
const CELL: usize = 8;

/// Steps of a pixel to which movement is rounded: smaller ones are not seen and not drawn.
const STEPS: f32 = 8.0;

/// Buffers kept for reuse: one on the screen, one on its way there, one to draw on, one in reserve.
const BUFFERS: usize = 4;

/// A portrait, ready to be drawn in any pose.
#[derive(Debug)]
pub struct Portrait {
    still: Still,
    lips: Lips,
    /// Of the left and of the right eye; none where the eyes do not blink.
    lids: Vec<Lids>,
    head: HeadMap,
    key_points: usize,
    /// Nodes a row, and rows of nodes.
    columns: usize,
    rows: usize,
    /// Where each node lies in the face that looks straight on, when the head is held so.
    faces: Vec<[f32; 2]>,
    held: Option<(Head, f32)>,
    state: State,
    shown: State,
    buffers: Buffers<State, BUFFERS>,
}

/// What a buffer shows.
#[derive(Clone, Debug)]
struct State {
    /// Where each node comes from, in steps.
    sources: Vec<[i32; 2]>,
    mouth: Mouth,
    mouth_cells: Cells,
    blink: f32,
    lid_cells: [Cells; 2],
}

/// A rectangle of cells, ends not included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cells {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Cells {
    fn contains(&self, column: usize, row: usize) -> bool {
        (self.left..self.right).contains(&column) && (self.top..self.bottom).contains(&row)
    }
}

impl Portrait {
    /// Loads the portrait whose `portrait.toml` is in `folder` and fits it into `width` by
    /// `height` pixels; what does not fit is cut off evenly.
    ///
    /// # Errors
    /// A file is missing or no picture, or the key points are not those of a face; the message
    /// names the file and the key.
    pub fn load(folder: &Path, width: u32, height: u32) -> Result<Self> {
        Self::load_part(folder, (width, height), Rect::new(0, 0, width, height))
    }

    /// Like [`Self::load`], but of the picture only `part` is drawn: what lies outside costs nothing.
    ///
    /// # Errors
    /// As there; or the part is not inside, or too small.
    pub fn load_part(folder: &Path, (width, height): (u32, u32), part: Rect) -> Result<Self> {
        ensure!(
            part.right() <= width && part.bottom() <= height && part.width.min(part.height) >= 16,
            "{part:?} is no part of a portrait of {width} by {height} pixels"
        );
        ensure!(
            (64..=8192).contains(&width) && (64..=8192).contains(&height),
            "a portrait cannot be drawn with {width} by {height} pixels"
        );
        let mut points = Points::load(&folder.join("portrait.toml"))?;
        let picture = open(&folder.join(&points.picture))?;
        let mask = open(&folder.join(&points.mask))?;
        ensure!(
            mask.dimensions() == picture.dimensions(),
            "the mask {} is not as large as the picture {}",
            points.mask,
            points.picture
        );
        let size = [picture.width() as f32, picture.height() as f32];
        for point in points.all() {
            ensure!(
                (0.0..size[0]).contains(&point[0]) && (0.0..size[1]).contains(&point[1]),
                "the key point {point:?} in {} is outside the picture",
                folder.join("portrait.toml").display()
            );
        }
        let scale = (width as f32 / size[0]).max(height as f32 / size[1]);
        let left = (size[0] * scale - width as f32) / 2.0 + part.x as f32;
        let top = (size[1] * scale - height as f32) / 2.0 + part.y as f32;
        for [x, y] in points.all() {
            // Pixels are areas: their middles are at one half.
            *x = (*x + 0.5) * scale - 0.5 - left;
            *y = (*y + 0.5) * scale - 0.5 - top;
        }
        points.head.radius.iter_mut().for_each(|radius| *radius *= scale);
        let fit = |image: RgbaImage| {
            let Rect { x, y, width: wide, height: high } = part;
            let image = fit(image, width, height);
            if (wide, high) == (width, height) {
                return image;
            }
            imageops::crop_imm(&image, x, y, wide, high).to_image()
        };
        let bottom = height as f32 - part.y as f32;
        Ok(Self::new(&points, &fit(picture), &fit(mask), bottom))
    }

    /// `bottom` is where the whole picture ends below the part that is drawn.
    fn new(points: &Points, picture: &RgbaImage, mask: &RgbaImage, bottom: f32) -> Self {
        let still = Still::new(picture, mask);
        let (columns, rows) = (still.width.div_ceil(CELL) + 1, still.height.div_ceil(CELL) + 1);
        let sources: Vec<_> = (0..columns * rows)
            .map(|i| still.source([(i % columns * CELL) as f32, (i / columns * CELL) as f32]))
            .collect();
        let state = State {
            sources,
            mouth: Mouth::default(),
            mouth_cells: Cells::default(),
            blink: 0.0,
            lid_cells: [Cells::default(); 2],
        };
        let key_points = {
            let mut points = points.clone();
            points.all().count()
        };
        Self {
            lips: Lips::new(MouthMap::new(&points.mouth), &points.colour),
            lids: (points.eyes.iter())
                .flat_map(|eyes| [(&eyes.left, true), (&eyes.right, false)])
                .map(|(eye, left)| Lids::new(eye, &points.colour, left))
                .collect(),
            head: HeadMap::new(&points.head, bottom),
            key_points,
            columns,
            rows,
            faces: vec![[0.0; 2]; columns * rows],
            held: None,
            shown: state.clone(),
            state,
            buffers: Buffers::default(),
            still,
        }
    }

    /// How many key points the portrait is moved by.
    pub fn key_points(&self) -> usize {
        self.key_points
    }

    /// Draws the portrait in a pose. `changed` of the picture is what differs from the picture
    /// drawn before; in the first one it is everything.
    ///
    /// A buffer is used again once the last copy of its picture is gone, so nothing is allocated as
    /// long as no more than three pictures are held.
    pub fn draw(&mut self, pose: &Pose) -> Picture {
        self.arrange(pose);
        let first = self.buffers.is_empty();
        let buffer = self.buffers.next(|| Buffer {
            pixels: Arc::new(self.still.bytes()),
            state: State {
                sources: identity(&self.still, self.columns, self.rows),
                mouth: Mouth::default(),
                mouth_cells: Cells::default(),
                blink: 0.0,
                lid_cells: [Cells::default(); 2],
            },
        });
        let changed = {
            let mut pixels = Arc::get_mut(&mut buffer.pixels);
            let mut changed: Option<[usize; 4]> = None;
            for row in 0..self.rows - 1 {
                for column in 0..self.columns - 1 {
                    if self.state.differs(&self.shown, self.columns, column, row) {
                        let [left, top, right, bottom] =
                            changed.unwrap_or([column, row, column, row]);
                        changed = Some([
                            left.min(column),
                            top.min(row),
                            right.max(column),
                            bottom.max(row),
                        ]);
                    }
                    if self.state.differs(&buffer.state, self.columns, column, row)
                        && let Some(pixels) = pixels.as_mut()
                    {
                        draw_cell(
                            &self.still,
                            &self.lips,
                            &self.lids,
                            &self.faces,
                            &self.state,
                            self.columns,
                            [column, row],
                            pixels,
                        );
                    }
                }
            }
            changed
        };
        buffer.state.clone_from(&self.state);
        self.shown.clone_from(&self.state);
        Picture {
            width: self.still.width as u32,
            height: self.still.height as u32,
            pixels: Arc::clone(&buffer.pixels),
            changed: if first { self.still.all() } else { self.still.rect(changed) },
        }
    }

    /// How far the mouth is open in a picture of this portrait, 0 for shut: the share of the mouth
    /// that is neither skin nor lip. For measuring what was really shown, head turned or not.
    ///
    /// # Errors
    /// The pixels are not a picture of this size.
    pub fn opening(&self, pixels: &[u8]) -> Result<f32> {
        let size = 4 * self.still.width * self.still.height;
        ensure!(pixels.len() == size, "a picture has {size} bytes, not {}", pixels.len());
        let [left, top, right, bottom] = self.lips.range();
        let mut inside = 0_usize;
        let mut all = 0_usize;
        for y in top as usize..(bottom as usize).min(self.still.height) {
            for x in left as usize..(right as usize).min(self.still.width) {
                let i = 4 * (y * self.still.width + x);
                // Teeth are grey and the inside is dark; skin and lips are reddish.
                inside += usize::from(pixels[i].saturating_sub(pixels[i + 2]) < 40);
                all += 1;
            }
        }
        Ok(inside as f32 / all.max(1) as f32)
    }

    /// Works out where everything comes from.
    fn arrange(&mut self, pose: &Pose) {
        let mouth = clamped(&pose.mouth);
        self.lips.set(&mouth);
        if self.held != Some((pose.head, pose.breath)) {
            self.held = Some((pose.head, pose.breath));
            for (i, face) in self.faces.iter_mut().enumerate() {
                let at = [i % self.columns * CELL, i / self.columns * CELL].map(|part| part as f32);
                *face = self.head.source(at, &pose.head, pose.breath);
            }
        }
        let still = self.lips.map.is_at_rest();
        let [aside, above, below] = self.lips.map.reach();
        for (face, source) in self.faces.iter().zip(&mut self.state.sources) {
            let mut place = *face;
            if !still {
                let [u, v] = self.lips.map.local(*face);
                if u.abs() < aside && v > -above && v < below {
                    let side = if v < self.lips.middle(u) { Side::Upper } else { Side::Lower };
                    let skin = self.still.skin(*face);
                    place = self.lips.map.global(self.lips.map.source([u, v], side, skin));
                }
            }
            *source = self.still.source(place);
        }
        let moved = |[x, y]: [f32; 2]| {
            let [a, b] = self.head.source([x, y], &pose.head, pose.breath);
            [x - a, y - b]
        };
        let cells = |[left, top, right, bottom]: [f32; 4]| {
            let [dx, dy] = moved([f32::midpoint(left, right), f32::midpoint(top, bottom)]);
            let cell = |at: f32, most: usize| ((at / CELL as f32).max(0.0) as usize).min(most);
            Cells {
                left: cell(left + dx - 4.0, self.columns - 1),
                top: cell(top + dy - 4.0, self.rows - 1),
                right: cell(right + dx + 4.0 + CELL as f32, self.columns - 1),
                bottom: cell(bottom + dy + 4.0 + CELL as f32, self.rows - 1),
            }
        };
        self.state.mouth = mouth;
        self.state.mouth_cells = if still { Cells::default() } else { cells(self.lips.bounds()) };
        self.state.blink = pose.blink.clamp(0.0, 1.0);
        self.state.lid_cells = [0, 1].map(|i| match self.lids.get(i) {
            Some(lids) if self.state.blink > 0.0 => cells(lids.bounds()),
            _ => Cells::default(),
        });
        self.lids.iter_mut().for_each(|lids| lids.set(self.state.blink));
        let Cells { left, top, right, bottom } = self.state.mouth_cells;
        let origin = [left * CELL, top * CELL];
        let size = [(right - left) * CELL, (bottom - top) * CELL];
        let (faces, columns, fine) = (&self.faces, self.columns, &self.still);
        self.lips.arrange(origin, size, &|at| between(faces, columns, at), &|face| fine.skin(face));
    }
}

impl State {
    /// Whether the cell looks different.
    fn differs(&self, other: &Self, columns: usize, column: usize, row: usize) -> bool {
        let above = row * columns + column;
        let below = above + columns;
        self.sources[above..above + 2] != other.sources[above..above + 2]
            || self.sources[below..below + 2] != other.sources[below..below + 2]
            || self.mouth != other.mouth
                && (self.mouth_cells.contains(column, row)
                    || other.mouth_cells.contains(column, row))
            || self.blink != other.blink
                && [self, other]
                    .iter()
                    .any(|state| state.lid_cells.iter().any(|cells| cells.contains(column, row)))
    }
}

/// The shape within its limits, in steps that can be told apart.
fn clamped(mouth: &Mouth) -> Mouth {
    let part = |part: f32| (part.clamp(0.0, 1.0) * 256.0).round() / 256.0;
    Mouth {
        open: part(mouth.open),
        wide: part(mouth.wide),
        round: part(mouth.round),
        teeth: part(mouth.teeth),
        press: part(mouth.press),
        tongue: part(mouth.tongue),
    }
}

fn identity(still: &Still, columns: usize, rows: usize) -> Vec<[i32; 2]> {
    (0..columns * rows)
        .map(|i| still.source([(i % columns * CELL) as f32, (i / columns * CELL) as f32]))
        .collect()
}

/// A value between four nodes.
fn between(nodes: &[[f32; 2]], columns: usize, [x, y]: [f32; 2]) -> [f32; 2] {
    let rows = nodes.len() / columns;
    let column = ((x / CELL as f32) as usize).min(columns - 2);
    let row = ((y / CELL as f32) as usize).min(rows - 2);
    let (s, t) = (x / CELL as f32 - column as f32, y / CELL as f32 - row as f32);
    let i = row * columns + column;
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    [0, 1].map(|k| {
        mix(
            mix(nodes[i][k], nodes[i + 1][k], s),
            mix(nodes[i + columns][k], nodes[i + columns + 1][k], s),
            t,
        )
    })
}

#[expect(clippy::too_many_arguments, reason = "they are borrowed apart from the buffers")]
fn draw_cell(
    still: &Still,
    lips: &Lips,
    lids: &[Lids],
    faces: &[[f32; 2]],
    state: &State,
    columns: usize,
    [column, row]: [usize; 2],
    pixels: &mut [u8],
) {
    let (left, top) = (column * CELL, row * CELL);
    let (right, bottom) = ((left + CELL).min(still.width), (top + CELL).min(still.height));
    if state.mouth_cells.contains(column, row) {
        for y in top..bottom {
            for x in left..right {
                put(pixels, still.width, [x, y], lips.colour(still, [x, y]));
            }
        }
        return;
    }
    let node = row * columns + column;
    let [a, b, c, d] = [node, node + 1, node + columns, node + columns + 1]
        .map(|i| state.sources[i].map(|part| part * (65536.0 / STEPS) as i32));
    let cell = CELL as i32;
    for y in top..bottom {
        let t = (y - top) as i32;
        let start = [0, 1].map(|k| a[k] + (c[k] - a[k]) / cell * t);
        let end = [0, 1].map(|k| b[k] + (d[k] - b[k]) / cell * t);
        let step = [0, 1].map(|k| (end[k] - start[k]) / cell);
        let begin = 4 * (y * still.width + left);
        let row = &mut pixels[begin..begin + 4 * (right - left)];
        // Most cells are hardly turned or stretched: an eighth of a pixel is not seen.
        if (step[0] - 65536).abs() <= 1024 && step[1].abs() <= 1024 {
            let middle =
                [start[0] + (step[0] - 65536) * (cell / 2), start[1] + step[1] * (cell / 2)];
            still.row(middle.map(|part| part.max(0)), row);
            continue;
        }
        let mut at = start;
        for pixel in row.chunks_exact_mut(4) {
            pixel.copy_from_slice(&still.fixed(at));
            at = [at[0].wrapping_add(step[0]), at[1].wrapping_add(step[1])];
        }
    }
    for (lids, cells) in lids.iter().zip(&state.lid_cells) {
        if cells.contains(column, row) {
            for y in top..bottom {
                for x in left..right {
                    let face = between(faces, columns, [x as f32, y as f32]);
                    let i = 4 * (y * still.width + x);
                    let under = [pixels[i], pixels[i + 1], pixels[i + 2]].map(f32::from);
                    if let Some(colour) = lids.colour(still, face, under) {
                        put(pixels, still.width, [x, y], colour);
                    }
                }
            }
        }
    }
}

fn put(pixels: &mut [u8], width: usize, [x, y]: [usize; 2], colour: [f32; 3]) {
    let i = 4 * (y * width + x);
    for (to, from) in pixels[i..i + 3].iter_mut().zip(colour) {
        *to = (from + 0.5) as u8;
    }
}

/// The portrait at rest.
#[derive(Debug)]
pub(super) struct Still {
    width: usize,
    height: usize,
    /// Pixels a row of `pixels`.
    stride: usize,
    /// RGBA, each in sixteen bits to be weighed there. The last column and row are repeated for the
    /// length of a cell, so that the cells on the edge are whole and every pixel has neighbours.
    pixels: Vec<u16>,
    mask: Vec<u8>,
}

impl Still {
    fn new(picture: &RgbaImage, mask: &RgbaImage) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let stride = width + CELL + 1;
        let mut pixels = Vec::with_capacity(4 * stride * (height + CELL + 1));
        for y in 0..=height + CELL {
            for x in 0..stride {
                let [r, g, b, _] =
                    picture.get_pixel(x.min(width - 1) as u32, y.min(height - 1) as u32).0;
                pixels.extend([r, g, b, 255].map(u16::from));
            }
        }
        Self {
            width,
            height,
            stride,
            pixels,
            mask: mask.pixels().map(|pixel| pixel.0[0]).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let rows = self.pixels.chunks_exact(4 * self.stride).take(self.height);
        rows.flat_map(|row| &row[..4 * self.width]).map(|&part| part as u8).collect()
    }

    fn all(&self) -> Rect {
        Rect { x: 0, y: 0, width: self.width as u32, height: self.height as u32 }
    }

    /// Pixels of a range of cells: first and last column and row.
    fn rect(&self, cells: Option<[usize; 4]>) -> Rect {
        let Some([left, top, right, bottom]) = cells else {
            return Rect::default();
        };
        let end = |cell: usize, most: usize| ((cell + 1) * CELL).min(most);
        Rect {
            x: (left * CELL) as u32,
            y: (top * CELL) as u32,
            width: (end(right, self.width) - left * CELL) as u32,
            height: (end(bottom, self.height) - top * CELL) as u32,
        }
    }

    /// A place inside the picture or on its repeated edge, in steps.
    fn source(&self, [x, y]: [f32; 2]) -> [i32; 2] {
        let inside = |at: f32, length: usize| {
            (at.clamp(0.0, (length - 1 + CELL) as f32) * STEPS).round() as i32
        };
        [inside(x, self.width), inside(y, self.height)]
    }

    /// How much of the jaw's movement the skin at a place takes part in, 0 to 1.
    fn skin(&self, [x, y]: [f32; 2]) -> f32 {
        let inside = |at: f32, length: usize| at.clamp(0.0, (length - 1) as f32) as usize;
        let i = inside(y, self.height) * self.width + inside(x, self.width);
        f32::from(self.mask[i]) / 255.0
    }

    /// Where the four neighbours of a place in 65536ths of a pixel begin, and their shares in
    /// 256ths: no weighed sum of channels leaves sixteen bits.
    #[inline]
    fn neighbours(&self, [x, y]: [i32; 2]) -> (usize, usize, [u16; 4]) {
        let (fx, fy) = (x >> 8 & 255, y >> 8 & 255);
        let both = (fx * fy) >> 8;
        let shares = [256 + both - fx - fy, fx - both, fy - both, both].map(|share| share as u16);
        let top = 4 * ((y >> 16) as usize * self.stride + (x >> 16) as usize);
        (top, top + 4 * self.stride, shares)
    }

    /// The picture at a place given in 65536ths of a pixel.
    #[inline]
    fn fixed(&self, at: [i32; 2]) -> [u8; 4] {
        let (top, bottom, [a, b, c, d]) = self.neighbours(at);
        let top: &[u16; 8] = self.pixels[top..].first_chunk().expect("the last row has neighbours");
        let bottom: &[u16; 8] =
            self.pixels[bottom..].first_chunk().expect("the last row has neighbours");
        let weigh = |part: u16, share: u16| part.wrapping_mul(share);
        std::array::from_fn(|k| {
            let above = weigh(top[k], a).wrapping_add(weigh(top[k + 4], b));
            let below = weigh(bottom[k], c).wrapping_add(weigh(bottom[k + 4], d));
            (above.wrapping_add(below) >> 8) as u8
        })
    }

    /// Pixels side by side, all as far from their places in the picture as the first.
    #[inline]
    fn row(&self, at: [i32; 2], row: &mut [u8]) {
        let (top, bottom, [a, b, c, d]) = self.neighbours(at);
        let count = row.len();
        let top = &self.pixels[top..top + count + 4];
        let bottom = &self.pixels[bottom..bottom + count + 4];
        let weigh = |part: u16, share: u16| part.wrapping_mul(share);
        let left = top[..count].iter().zip(&bottom[..count]);
        let right = top[4..].iter().zip(&bottom[4..]);
        for ((to, (p, r)), (q, s)) in row.iter_mut().zip(left).zip(right) {
            // Nothing here can overflow; `wrapping` spares the checks where most of a picture's
            // time goes.
            let above = weigh(*p, a).wrapping_add(weigh(*q, b));
            let below = weigh(*r, c).wrapping_add(weigh(*s, d));
            *to = (above.wrapping_add(below) >> 8) as u8;
        }
    }

    /// The picture at any place, red, green, blue from 0 to 255.
    pub(super) fn colour(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let inside = |at: f32, length: usize| (at.clamp(0.0, (length - 1) as f32) * 65536.0) as i32;
        let [r, g, b, _] = self.fixed([inside(x, self.width), inside(y, self.height)]);
        [r, g, b].map(f32::from)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::PathBuf, time::Duration, time::Instant};

    use super::*;
    use crate::engine::face::pose::{Liveliness, idle};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("avatar")
    }

    fn portrait() -> Portrait {
        Portrait::load(&folder(), 720, 1280).unwrap()
    }

    fn saying(mouth: Mouth) -> Pose {
        Pose { mouth, ..Pose::default() }
    }

    /// Poses that differ in everything.
    fn poses() -> Vec<Pose> {
        let mut lively = Liveliness::default();
        (0..20_u16)
            .map(|i| {
                let wave = |pace: f32| 0.5 + 0.5 * (f32::from(i) * pace).sin();
                let mouth = Mouth {
                    open: wave(0.7),
                    wide: wave(0.31),
                    round: wave(0.43).powi(4),
                    teeth: wave(0.57).powi(6),
                    press: wave(0.9).powi(6),
                    tongue: wave(0.23),
                };
                let mut pose = lively.pose(Duration::from_millis(40 * u64::from(i)), mouth);
                pose.blink = wave(0.8).powi(3);
                pose
            })
            .collect()
    }

    #[test]
    fn at_rest_it_is_the_picture_itself() {
        let picture = portrait().draw(&Pose::default());
        let file = image::open(folder().join("portrait.png")).unwrap().to_rgba8();
        assert_eq!((picture.width, picture.height), (720, 1280));
        assert_eq!(picture.changed, Rect { x: 0, y: 0, width: 720, height: 1280 });
        assert!(picture.pixels.as_slice() == file.as_raw().as_slice());
    }

    #[test]
    fn only_what_moves_is_drawn_again() {
        let mut portrait = portrait();
        let before = portrait.draw(&Pose::default());
        assert_eq!(portrait.draw(&Pose::default()).changed, Rect::default());
        let open = Mouth { open: 0.8, ..Mouth::default() };
        let after = portrait.draw(&saying(open));
        let Rect { x, y, width, height } = after.changed;
        assert!(width < 420 && height < 320 && y > 500, "{:?}", after.changed);
        let inside = |i: usize| {
            let (column, row) = (i % 720, i / 720);
            (x as usize..(x + width) as usize).contains(&column)
                && (y as usize..(y + height) as usize).contains(&row)
        };
        let pairs = before.pixels.chunks_exact(4).zip(after.pixels.chunks_exact(4));
        let changed: Vec<usize> =
            pairs.enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect();
        assert!(changed.len() > 5000, "{}", changed.len());
        assert!(changed.into_iter().all(inside));
    }

    #[test]
    fn drawing_on_what_was_there_gives_what_drawing_afresh_gives() {
        let mut portrait = portrait();
        for (i, pose) in poses().iter().enumerate() {
            let picture = portrait.draw(pose);
            if i % 9 == 7 {
                let afresh = self::portrait().draw(pose);
                assert!(picture.pixels == afresh.pixels, "picture {i}");
            }
        }
    }

    #[test]
    fn a_picture_that_is_held_is_left_alone_and_buffers_are_used_again() {
        let mut portrait = portrait();
        let mut held = Vec::new();
        let mut buffers = HashSet::new();
        for pose in poses() {
            let picture = portrait.draw(&pose);
            buffers.insert(Arc::as_ptr(&picture.pixels));
            held.push((picture.pixels.as_ref().clone(), picture));
            if held.len() > 3 {
                let (copy, picture) = held.remove(0);
                assert!(copy == *picture.pixels);
            }
        }
        assert!(buffers.len() <= BUFFERS, "{}", buffers.len());
    }

    #[test]
    fn every_pose_is_drawn_at_every_size() {
        for (width, height) in [(360, 640), (500, 403)] {
            let mut portrait = Portrait::load(&folder(), width, height).unwrap();
            let still = portrait.still.bytes();
            assert!(*portrait.draw(&Pose::default()).pixels == still);
            for pose in &poses()[..4] {
                let picture = portrait.draw(pose);
                assert_eq!(picture.pixels.len(), (4 * width * height) as usize);
            }
        }
    }

    #[test]
    fn a_part_shows_what_the_whole_shows_there() {
        let part = Rect::new(96, 48, 560, 800);
        let mut whole = portrait();
        let mut some = Portrait::load_part(&folder(), (720, 1280), part).unwrap();
        for pose in &poses()[..6] {
            let (whole, some) = (whole.draw(pose), some.draw(pose));
            let mut off = 0;
            // Near the edges the part repeats its last pixels.
            for y in 24..part.height - 24 {
                for x in 24..part.width - 24 {
                    let a = 4 * ((y + part.y) * 720 + x + part.x) as usize;
                    let b = 4 * (y * part.width + x) as usize;
                    let far = |k: usize| whole.pixels[a + k].abs_diff(some.pixels[b + k]) > 24;
                    off += usize::from((0..3).any(far));
                }
            }
            assert!(off < 400, "{off} pixels differ");
        }
        assert!(Portrait::load_part(&folder(), (720, 1280), Rect::new(0, 600, 720, 700)).is_err());
    }

    #[test]
    fn a_mouth_opens_and_shuts_where_the_lips_are() {
        let mut portrait = portrait();
        let at = |picture: &Picture, x: usize, y: usize| {
            let i = 4 * (y * 720 + x);
            picture.pixels[i..i + 3].iter().map(|&part| u32::from(part)).sum::<u32>()
        };
        let shut = portrait.draw(&Pose::default());
        let open = portrait.draw(&saying(Mouth { open: 0.9, ..Mouth::default() }));
        // Skin of the lower lip gives way to the dark inside.
        assert!(at(&shut, 360, 666) > 300 && at(&open, 360, 666) < 200);
        let pressed = portrait.draw(&saying(Mouth { open: 0.9, press: 1.0, ..Mouth::default() }));
        assert!(at(&pressed, 360, 666) > 300, "lips that are pressed do not open");
    }

    #[test]
    fn the_opening_is_seen_in_the_picture() {
        let mut portrait = portrait();
        let mut before = -1.0;
        for open in [0.0, 0.2, 0.5, 1.0] {
            let mut pose = idle(Duration::from_millis(500));
            pose.mouth.open = open;
            let picture = portrait.draw(&pose);
            let seen = portrait.opening(&picture.pixels).unwrap();
            assert!(seen > before + 0.02, "{open}: {seen} after {before}");
            before = if open == 0.0 { 0.0 } else { seen };
        }
        assert!(portrait.opening(&[0; 4]).is_err());
    }

    #[test]
    fn bad_files_are_named() {
        let copy = |change: &dyn Fn(&Path)| {
            let folder = tempfile::tempdir().unwrap();
            for name in ["portrait.toml", "portrait.png", "mask.png"] {
                fs::copy(self::folder().join(name), folder.path().join(name)).unwrap();
            }
            change(folder.path());
            let error = Portrait::load(folder.path(), 720, 1280).unwrap_err();
            format!("{error:#}")
        };
        let rewrite = |from: &'static str, to: &'static str| {
            move |folder: &Path| {
                let file = folder.join("portrait.toml");
                let text = fs::read_to_string(&file).unwrap();
                assert!(text.contains(from), "{from}");
                fs::write(file, text.replacen(from, to, 1)).unwrap();
            }
        };
        let said = copy(&|folder| fs::remove_file(folder.join("portrait.toml")).unwrap());
        assert!(said.contains("portrait.toml"), "{said}");
        let said = copy(&|folder| fs::remove_file(folder.join("mask.png")).unwrap());
        assert!(said.contains("mask.png"), "{said}");
        let said = copy(&|folder| fs::write(folder.join("portrait.png"), "no picture").unwrap());
        assert!(said.contains("portrait.png"), "{said}");
        let said = copy(&rewrite("[mouth]", "[mouth]\nwidth = 3"));
        assert!(said.contains("width"), "{said}");
        let said = copy(&rewrite("chin = [360, 734]", "chin = [360, 100]"));
        assert!(said.contains("mouth.chin must be below mouth.bottom"), "{said}");
        let said = copy(&rewrite("chin = [360, 734]", "chin = [360, 7340]"));
        assert!(said.contains("outside the picture"), "{said}");
        let said = copy(&rewrite("chin = [360, 734]", "chin = [360, nan]"));
        assert!(said.contains("mouth.chin"), "{said}");
        let said = copy(&rewrite("fold = [288, 471.5]", "fold = [288, 600]"));
        assert!(said.contains("eyes.left.fold"), "{said}");
        let said = copy(&rewrite("radius = [190", "radius = [0"));
        assert!(said.contains("head.radius"), "{said}");
        assert!(Portrait::load(&folder(), 0, 1280).is_err());
    }

    #[test]
    #[ignore = "measures; run it alone, in a release build, with --no-capture"]
    fn pictures_per_second() {
        let measure = |what: &str, pose: &mut dyn FnMut(u64) -> Pose| {
            let mut portrait = portrait();
            let begin = Instant::now();
            let count = 300;
            for i in 0..count {
                portrait.draw(&pose(i));
            }
            let rate = count as f64 / begin.elapsed().as_secs_f64();
            eprintln!("{what}: {rate:.0} pictures a second at 720x1280");
        };
        let mouths: Vec<Mouth> = poses().iter().map(|pose| pose.mouth).collect();
        let mouth = |i: u64| mouths[i as usize % mouths.len()];
        let at = |i: u64| Duration::from_millis(40 * i);
        let mut lively = Liveliness::default();
        measure("mouth alone", &mut |i| saying(mouth(i)));
        measure("idle", &mut |i| idle(at(i)));
        measure("talking", &mut |i| lively.pose(at(i), mouth(i)));
    }
}
