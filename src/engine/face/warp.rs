//! Where each place of a moved face comes from in the still picture.
//!
//! Everything is smooth functions of a handful of lengths, evaluated at the nodes of a grid; the
//! portrait interpolates between them.

use super::{points, pose::Head};
use crate::media::Mouth;

/// 1 in the middle, 0 from |t| = 1 on, smooth everywhere.
fn bump(t: f32) -> f32 {
    let rest = (1.0 - t * t).max(0.0);
    rest * rest
}

/// 0 up to `from`, 1 from `to` on, smooth between.
pub(super) fn step(from: f32, to: f32, t: f32) -> f32 {
    let t = ((t - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Which side of the lips' meeting line a place belongs to: they part there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Upper,
    Lower,
}

/// The mouth of a portrait in coordinates of its own: `u` to the right and `v` down from the
/// middle between the corners, in pixels, turned with the mouth.
#[derive(Clone, Debug)]
pub(super) struct MouthMap {
    origin: [f32; 2],
    right: [f32; 2],
    /// Half the distance of the corners; the unit of the constants below.
    pub(super) half: f32,
    /// `v` where the lips meet, for whole `u` from −half on.
    line: Vec<f32>,
    /// Thickness of the lips and distance of the chin from the line, in units of `half`.
    upper: f32,
    lower: f32,
    chin: f32,
    now: Opening,
}

/// How the mouth is now, in units of `MouthMap::half`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Opening {
    /// How much wider than at rest.
    widen: f32,
    /// How much thicker the lips are.
    thicken: f32,
    /// How far the upper lip is up, the lower lip down, the jaw down, the corners up.
    rise: f32,
    fall: f32,
    jaw: f32,
    smile: f32,
    /// How the opening narrows towards the corners.
    taper: f32,
}

/// The edges of the lips at one `u`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edges {
    pub(super) upper: f32,
    pub(super) lower: f32,
    /// Distance from the middle of the opening, 1 in the corners.
    pub(super) across: f32,
}

impl MouthMap {
    pub(super) fn new(mouth: &points::Mouth) -> Self {
        let (first, last) = (mouth.line[0], mouth.line[mouth.line.len() - 1]);
        let origin = [f32::midpoint(first[0], last[0]), f32::midpoint(first[1], last[1])];
        let length = (last[0] - first[0]).hypot(last[1] - first[1]);
        let right = [(last[0] - first[0]) / length, (last[1] - first[1]) / length];
        let mut map = Self {
            origin,
            right,
            half: length / 2.0,
            line: Vec::new(),
            upper: 0.0,
            lower: 0.0,
            chin: 0.0,
            now: Opening::default(),
        };
        let places: Vec<_> = mouth.line.iter().map(|&place| map.local(place)).collect();
        let steps = length.ceil() as usize + 1;
        map.line = (0..steps).map(|i| height(&places, i as f32 - map.half)).collect();
        let middle = map.line[steps / 2];
        map.upper = (middle - map.local(mouth.top)[1]) / map.half;
        map.lower = (map.local(mouth.bottom)[1] - middle) / map.half;
        map.chin = (map.local(mouth.chin)[1] - middle) / map.half;
        map
    }

    /// Sets the shape that the functions below are about.
    pub(super) fn set(&mut self, mouth: &Mouth) {
        let open = mouth.open * (1.0 - mouth.press) * (1.0 - 0.8 * mouth.teeth);
        self.now = Opening {
            widen: 0.15 * mouth.wide - 0.34 * mouth.round - 0.07 * open,
            thicken: 0.22 * mouth.round - 0.16 * mouth.wide - 0.42 * mouth.press,
            rise: 0.09 * open
                + 0.07 * mouth.teeth
                + 0.06 * mouth.round * (1.0 - mouth.press)
                + 0.03 * mouth.wide * open.min(0.2) * 5.0,
            fall: 0.68 * open
                + 0.02 * mouth.teeth
                + 0.05 * mouth.tongue * (1.0 - mouth.press)
                + 0.05 * mouth.round * (1.0 - mouth.press),
            jaw: 0.52 * open,
            smile: 0.05 * mouth.wide - 0.04 * open,
            taper: 0.8 * mouth.round,
        };
    }

    /// How far the lower teeth are down, in pixels.
    pub(super) fn jaw(&self) -> f32 {
        self.now.jaw * self.half
    }

    pub(super) fn local(&self, place: [f32; 2]) -> [f32; 2] {
        let (x, y) = (place[0] - self.origin[0], place[1] - self.origin[1]);
        [x * self.right[0] + y * self.right[1], y * self.right[0] - x * self.right[1]]
    }

    pub(super) fn global(&self, [u, v]: [f32; 2]) -> [f32; 2] {
        [
            self.origin[0] + u * self.right[0] - v * self.right[1],
            self.origin[1] + u * self.right[1] + v * self.right[0],
        ]
    }

    /// `v` where the lips meet at rest.
    pub(super) fn line(&self, u: f32) -> f32 {
        let at = (u + self.half).clamp(0.0, (self.line.len() - 1) as f32);
        let (i, t) = (at as usize, at.fract());
        let next = self.line[(i + 1).min(self.line.len() - 1)];
        self.line[i] + (next - self.line[i]) * t
    }

    /// How far a place of the still picture moves; `skin` is the mask there, 0 to 1.
    fn shift(&self, u: f32, v: f32, side: Side, skin: f32) -> [f32; 2] {
        let now = &self.now;
        let x = u / self.half;
        let y = (v - self.line(u)) / self.half;
        let near = bump(x / 2.4) * bump(y / 1.6) * skin;
        let du = u * now.widen * near;
        // What moves on both sides of the line alike: jaw, thickness, corners.
        let drop = now.jaw * step(-0.5, self.lower + 0.6, y) * (1.0 - step(0.8, 2.9, x.abs()));
        let under = 1.0 - step(self.chin + 0.1, self.chin + 1.3, y);
        let both = drop * under * skin + now.thicken * y * bump(y / 0.9) * bump(x / 1.7)
            - now.smile * x * x * bump(x / 2.0) * bump(y / 1.3) * skin;
        // What parts the lips, nothing in the corners.
        let part = (1.0 - x * x).max(0.0).powf(0.72 + now.taper);
        let (target, reach) = match side {
            Side::Upper => (-now.rise, step(-self.upper - 0.7, -self.upper, y)),
            Side::Lower => (now.fall, 1.0 - step(self.lower, self.chin * 0.85, y)),
        };
        let own = now.thicken * y * bump(y / 0.9) * bump(x / 1.7);
        [du, (both + (target + own - both) * part * reach) * self.half]
    }

    /// Where a place `[u, v]` of the moved face comes from.
    pub(super) fn source(&self, [u, v]: [f32; 2], side: Side, skin: f32) -> [f32; 2] {
        let (mut a, mut b) = (u, v);
        // The field is stretched by at most 1.6, so damped steps close in quickly.
        for _ in 0..5 {
            let [du, dv] = self.shift(a, b, side, skin);
            a += 0.8 * (u - a - du);
            b += 0.8 * (v - b - dv);
        }
        [a, b]
    }

    /// Whether the mouth differs from rest at all.
    pub(super) fn is_at_rest(&self) -> bool {
        self.now == Opening::default()
    }

    /// The lips' edges in the moved face at `u`.
    pub(super) fn edges(&self, u: f32) -> Edges {
        let mut a = u;
        for _ in 0..5 {
            let [du, _] = self.shift(a, self.line(a), Side::Lower, 1.0);
            a += 0.8 * (u - a - du);
        }
        let line = self.line(a);
        Edges {
            upper: line + self.shift(a, line, Side::Upper, 1.0)[1],
            lower: line + self.shift(a, line, Side::Lower, 1.0)[1],
            across: a / self.half,
        }
    }

    /// How far from the middle, in pixels, the face can be moved by a mouth: left and right, up, down.
    pub(super) fn reach(&self) -> [f32; 3] {
        [2.9 * self.half, (self.upper + 1.6) * self.half, (self.chin + 1.4) * self.half]
    }

    /// A rectangle around the lips' edges as they are now, in `u` and `v`: left, top, right, bottom.
    pub(super) fn lips(&self) -> [f32; 4] {
        let least = self.line.iter().copied().fold(0.0, f32::min);
        let most = self.line.iter().copied().fold(0.0, f32::max);
        let wide = 1.22 * self.half;
        let (rise, fall) = (self.now.rise.max(0.0), self.now.fall.max(0.0));
        [-wide, least - (rise + 0.12) * self.half, wide, most + (fall + 0.12) * self.half]
    }
}

/// The height of a line of places at `u`: straight between them, its corners rounded off.
pub(super) fn height(places: &[[f32; 2]], u: f32) -> f32 {
    let last = places.len() - 1;
    let u = u.clamp(places[0][0], places[last][0]);
    let i = places.partition_point(|place| place[0] <= u).clamp(1, last);
    let (a, b) = (places[i - 1], places[i]);
    // Catmull–Rom in the height alone: places are roughly evenly spread.
    let t = ((u - a[0]) / (b[0] - a[0]).max(1e-3)).clamp(0.0, 1.0);
    let before = places[i.saturating_sub(2)][1];
    let after = places[(i + 1).min(last)][1];
    let (m0, m1) = ((b[1] - before) / 2.0, (after - a[1]) / 2.0);
    let (t2, t3) = (t * t, t * t * t);
    (2.0 * t3 - 3.0 * t2 + 1.0) * a[1]
        + (t3 - 2.0 * t2 + t) * m0
        + (3.0 * t2 - 2.0 * t3) * b[1]
        + (t3 - t2) * m1
}

/// Turns and moves the head as if it were round.
#[derive(Clone, Debug)]
pub(super) struct HeadMap {
    middle: [f32; 2],
    radius: [f32; 2],
    pivot: [f32; 2],
    bottom: f32,
}

impl HeadMap {
    pub(super) fn new(head: &points::Head, height: f32) -> Self {
        Self { middle: head.middle, radius: head.radius, pivot: head.pivot, bottom: height }
    }

    /// Where a place of the moved picture comes from in the face that looks straight on.
    pub(super) fn source(&self, [x, y]: [f32; 2], head: &Head, breath: f32) -> [f32; 2] {
        let a = (x - self.middle[0]) / self.radius[0];
        let b = (y - self.middle[1]) / self.radius[1];
        let far = (a * a + b * b).sqrt();
        // The neck gives way; behind the head nothing moves.
        let held = 1.0 - step(0.95, 1.75, far);
        // What is nearer to the viewer moves further.
        let near = 0.35 + 0.65 * bump(far / 1.5);
        let mut dx = head.yaw * self.radius[0] * near - head.roll * (y - self.pivot[1]);
        let mut dy = head.pitch * self.radius[1] * near + head.roll * (x - self.pivot[0]);
        dx *= held;
        dy *= held;
        // The chest rises with a breath and carries the head a little.
        let chest = step(self.middle[1], self.pivot[1] + 40.0, y)
            * (1.0 - step(self.pivot[1] + 60.0, self.bottom, y));
        let rise = chest * (1.0 - step(1.6, 2.6, a.abs())) + 0.45 * held * (1.0 - chest);
        dy -= breath * 0.012 * self.radius[1] * rise;
        [x - dx, y - dy]
    }
}
