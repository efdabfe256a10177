//! Small pictures that lie over others: shapes with soft edges, and how they are laid on.

use super::colour::Colour;
use crate::media::Rect;

/// A picture that lies over others.
#[derive(Clone, Debug, Default)]
pub struct Sprite {
    /// Where it lies.
    pub place: Rect,
    /// RGBA, 8 bits each; colours are weighed with their alpha already.
    pub pixels: Vec<u8>,
}

/// Something to draw; lengths in pixels of the whole picture.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A rectangle with round corners: left, top, right, bottom, radius.
    Round([f32; 4], f32),
    /// A circle: middle, radius, half the width of its line.
    Ring([f32; 2], f32, f32),
    /// The lower half of one.
    Bowl([f32; 2], f32, f32),
    /// A line with round ends: from, to, half its width.
    Line([f32; 2], [f32; 2], f32),
}

impl Shape {
    /// How far outside of it a place is; below 0 inside.
    ///
    /// These are the usual signed distances of simple shapes.
    fn distance(self, x: f32, y: f32) -> f32 {
        match self {
            Self::Round([left, top, right, bottom], radius) => {
                let (half_x, half_y) = ((right - left) / 2.0, (bottom - top) / 2.0);
                let radius = radius.min(half_x).min(half_y);
                let out_x = (x - left - half_x).abs() - half_x + radius;
                let out_y = (y - top - half_y).abs() - half_y + radius;
                out_x.max(0.0).hypot(out_y.max(0.0)) + out_x.max(out_y).min(0.0) - radius
            }
            Self::Ring([cx, cy], radius, half) => ((x - cx).hypot(y - cy) - radius).abs() - half,
            Self::Bowl([cx, cy], radius, half) => {
                if y >= cy {
                    ((x - cx).hypot(y - cy) - radius).abs() - half
                } else {
                    ((x - cx).abs() - radius).hypot(y - cy) - half
                }
            }
            Self::Line([ax, ay], [bx, by], half) => {
                let (dx, dy) = (bx - ax, by - ay);
                let along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).max(1e-6);
                let along = along.clamp(0.0, 1.0);
                (x - ax - dx * along).hypot(y - ay - dy * along) - half
            }
        }
    }

    fn bounds(self) -> [f32; 4] {
        match self {
            Self::Round(bounds, _) => bounds,
            Self::Ring([x, y], radius, half) | Self::Bowl([x, y], radius, half) => {
                let reach = radius + half;
                [x - reach, y - reach, x + reach, y + reach]
            }
            Self::Line([ax, ay], [bx, by], half) => {
                [ax.min(bx) - half, ay.min(by) - half, ax.max(bx) + half, ay.max(by) + half]
            }
        }
    }
}

impl Sprite {
    /// One in which nothing is drawn yet.
    pub fn clear(place: Rect) -> Self {
        Self { place, pixels: vec![0; 4 * (place.width * place.height) as usize] }
    }

    /// Draws a shape; `alpha` from 0 to 1.
    pub fn draw(&mut self, shape: Shape, colour: Colour, alpha: f32) {
        let Rect { x: left, y: top, width, height } = self.place;
        let [x0, y0, x1, y1] = shape.bounds();
        let range = |from: f32, to: f32, start: u32, length: u32| {
            let from = (from - 1.0 - start as f32).max(0.0) as u32;
            let to = ((to + 2.0 - start as f32).max(0.0) as u32).min(length);
            from.min(to)..to
        };
        for y in range(y0, y1, top, height) {
            for x in range(x0, x1, left, width) {
                let (px, py) = ((left + x) as f32 + 0.5, (top + y) as f32 + 0.5);
                let cover = (0.5 - shape.distance(px, py)).clamp(0.0, 1.0) * alpha;
                if cover > 0.0 {
                    self.over(x, y, colour, (cover * 255.0).round() as u8);
                }
            }
        }
    }

    /// Lays a colour on a pixel, both in the sprite.
    pub fn over(&mut self, x: u32, y: u32, colour: Colour, alpha: u8) {
        if x >= self.place.width || y >= self.place.height {
            return;
        }
        let at = 4 * (y * self.place.width + x) as usize;
        let rest = 255 - u32::from(alpha);
        for (i, part) in colour.into_iter().chain([255]).enumerate() {
            let old = u32::from(self.pixels[at + i]);
            self.pixels[at + i] =
                (div255(u32::from(part) * u32::from(alpha)) + div255(old * rest)) as u8;
        }
    }

    /// Lays another sprite on this one.
    pub fn lay(&mut self, other: &Self) {
        let area = self.place.intersection(other.place);
        for y in area.y..area.bottom() {
            let at = |sprite: &Self| {
                let row = (y - sprite.place.y) * sprite.place.width;
                4 * (row + area.x - sprite.place.x) as usize
            };
            let (to, from) = (at(self), at(other));
            let length = 4 * area.width as usize;
            blend(&mut self.pixels[to..to + length], &other.pixels[from..from + length]);
        }
    }

    /// Lays what of it is in `area` on an opaque picture of rows of `width` pixels.
    pub fn lay_on(&self, pixels: &mut [u8], width: u32, area: Rect) {
        let area = area.intersection(self.place);
        for y in area.y..area.bottom() {
            let to = 4 * (y * width + area.x) as usize;
            let from = 4 * ((y - self.place.y) * self.place.width + area.x - self.place.x) as usize;
            let length = 4 * area.width as usize;
            let (Some(to), Some(from)) =
                (pixels.get_mut(to..to + length), self.pixels.get(from..from + length))
            else {
                return;
            };
            blend(to, from);
        }
    }

    /// Without the empty columns and rows around what was drawn.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let Rect { x, y, width, height } = self.place;
        let alpha = |column: u32, row: u32| self.pixels[4 * (row * width + column) as usize + 3];
        let full = |row: &u32| (0..width).any(|column| alpha(column, *row) > 0);
        let (Some(top), Some(bottom)) =
            ((0..height).find(full), (0..height).rev().find(full).map(|row| row + 1))
        else {
            return Self::default();
        };
        let full = |column: &u32| (top..bottom).any(|row| alpha(*column, row) > 0);
        let left = (0..width).find(full).unwrap_or(0);
        let right = (0..width).rev().find(full).map_or(width, |column| column + 1);
        let place = Rect::new(x + left, y + top, right - left, bottom - top);
        let mut pixels = Vec::with_capacity(4 * (place.width * place.height) as usize);
        for row in top..bottom {
            let begin = 4 * (row * width + left) as usize;
            pixels.extend_from_slice(&self.pixels[begin..begin + 4 * place.width as usize]);
        }
        Self { place, pixels }
    }
}

/// A product of two bytes, divided by 255 and rounded. No product of bytes overflows here; `wrapping`
/// spares the checks.
#[inline]
fn div255(product: u32) -> u32 {
    let product = product.wrapping_add(128);
    product.wrapping_add(product >> 8) >> 8
}

/// Lays weighed pixels on others.
fn blend(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.chunks_exact_mut(4).zip(from.chunks_exact(4)) {
        match from[3] {
            0 => {}
            255 => to.copy_from_slice(from),
            alpha => {
                let rest = u32::from(255 - alpha);
                for (to, from) in to.iter_mut().zip(from) {
                    let sum =
                        u32::from(*from).wrapping_add(div255(u32::from(*to).wrapping_mul(rest)));
                    *to = sum.min(255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_drawn_where_they_are() {
        let mut sprite = Sprite::clear(Rect::new(10, 20, 40, 30));
        sprite.draw(Shape::Round([15.0, 25.0, 35.0, 40.0], 4.0), [255, 0, 0], 1.0);
        let at = |sprite: &Sprite, x: u32, y: u32| {
            let i = 4 * ((y - sprite.place.y) * sprite.place.width + x - sprite.place.x) as usize;
            sprite.pixels[i..i + 4].to_vec()
        };
        assert_eq!(at(&sprite, 25, 30), [255, 0, 0, 255]);
        assert_eq!(at(&sprite, 12, 30), [0; 4]);
        assert_eq!(at(&sprite, 15, 25)[3], 0, "the corner is round");
        let trimmed = sprite.clone().trimmed();
        assert_eq!(trimmed.place, Rect::new(15, 25, 20, 15));
        assert_eq!(at(&trimmed, 25, 30), [255, 0, 0, 255]);
        assert!(Sprite::clear(Rect::new(1, 1, 5, 5)).trimmed().place.is_empty());
    }

    #[test]
    fn what_is_laid_on_covers_by_its_alpha_and_stays_in_its_area() {
        let mut sprite = Sprite::clear(Rect::new(2, 2, 4, 4));
        for y in 0..4 {
            for x in 0..4 {
                sprite.over(x, y, [200, 100, 0], 128);
            }
        }
        let mut picture = [0, 0, 100, 255].repeat(64);
        sprite.lay_on(&mut picture, 8, Rect::new(3, 0, 2, 8));
        let at = |x: usize, y: usize| picture[4 * (8 * y + x)..][..4].to_vec();
        assert_eq!(at(2, 3), [0, 0, 100, 255]);
        assert_eq!(at(5, 3), [0, 0, 100, 255]);
        assert_eq!(at(3, 3), [100, 50, 50, 255]);
        assert_eq!(at(3, 6), [0, 0, 100, 255]);
    }
}
