//! The lips and what is seen between them.

use super::{
    points,
    portrait::Still,
    warp::{Edges, MouthMap, Side, step},
};
use crate::media::Mouth;

/// Pixels between two nodes: lips need a finer grid than the rest.
const CELL: usize = 4;

/// A place of the new picture: where it is in the mouth, and where it comes from if it belongs to
/// the upper or to the lower lip.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    place: [f32; 2],
    upper: [f32; 2],
    lower: [f32; 2],
}

impl Node {
    fn between(a: &Self, b: &Self, t: f32) -> Self {
        let mix = |a: [f32; 2], b: [f32; 2]| [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
        Self {
            place: mix(a.place, b.place),
            upper: mix(a.upper, b.upper),
            lower: mix(a.lower, b.lower),
        }
    }
}

/// Draws the part of the picture where lips part.
#[derive(Debug)]
pub(super) struct Lips {
    pub(super) map: MouthMap,
    teeth: [f32; 3],
    tongue: [f32; 3],
    inside: [f32; 3],
    /// The upper left pixel of the grid, and nodes a row.
    origin: [usize; 2],
    columns: usize,
    nodes: Vec<Node>,
    /// The edges for whole `u` from −`reach` on.
    edges: Vec<Edges>,
    reach: f32,
    tip: f32,
    /// How far the lips stand away from the teeth.
    ahead: f32,
}

impl Lips {
    pub(super) fn new(map: MouthMap, colour: &points::Colour) -> Self {
        let [left, _, _, _] = map.lips();
        Self {
            teeth: colour.teeth.map(f32::from),
            tongue: colour.tongue.map(f32::from),
            inside: colour.inside.map(f32::from),
            origin: [0; 2],
            columns: 0,
            nodes: Vec::new(),
            edges: Vec::new(),
            reach: (-left).ceil() + 16.0,
            tip: 0.0,
            ahead: 0.0,
            map,
        }
    }

    /// A rectangle of the face that holds all that this draws: left, top, right, bottom.
    pub(super) fn bounds(&self) -> [f32; 4] {
        let [left, top, right, bottom] = self.map.lips();
        let corners = [[left, top], [right, top], [left, bottom], [right, bottom]]
            .map(|corner| self.map.global(corner));
        let least = |k: usize| corners.iter().map(|corner| corner[k]).fold(f32::MAX, f32::min);
        let most = |k: usize| corners.iter().map(|corner| corner[k]).fold(f32::MIN, f32::max);
        [least(0), least(1), most(0), most(1)]
    }

    /// A rectangle of the picture in which an opening is seen, at any turn of the head.
    pub(super) fn range(&self) -> [f32; 4] {
        let half = self.map.half;
        let [x, y] = self.map.global([0.0, self.map.line(0.0)]);
        [x - 0.6 * half, y - 0.3 * half, x + 0.6 * half, y + 0.9 * half].map(|at| at.max(0.0))
    }

    /// Prepares a rectangle of the new picture for `colour`. `face` tells where a pixel lies in
    /// the face that looks straight on, `skin` how much of the jaw's movement it takes part in.
    pub(super) fn arrange(
        &mut self,
        origin: [usize; 2],
        [width, height]: [usize; 2],
        face: &dyn Fn([f32; 2]) -> [f32; 2],
        skin: &dyn Fn([f32; 2]) -> f32,
    ) {
        self.nodes.clear();
        if width == 0 || height == 0 {
            return;
        }
        self.origin = origin;
        self.columns = width / CELL + 1;
        for row in 0..=height / CELL {
            for column in 0..self.columns {
                let at = [origin[0] + column * CELL, origin[1] + row * CELL];
                let face = face(at.map(|part| part as f32));
                let place = self.map.local(face);
                let skin = skin(face);
                let from = |side| self.map.global(self.map.source(place, side, skin));
                self.nodes.push(Node { place, upper: from(Side::Upper), lower: from(Side::Lower) });
            }
        }
    }

    /// Sets the shape to draw.
    pub(super) fn set(&mut self, mouth: &Mouth) {
        self.map.set(mouth);
        self.tip = mouth.tongue;
        self.ahead = mouth.round;
        let count = 2 * self.reach as usize + 1;
        self.edges.clear();
        self.edges.extend((0..count).map(|i| self.map.edges(i as f32 - self.reach)));
    }

    /// The colour of a pixel of the new picture.
    pub(super) fn colour(&self, still: &Still, [x, y]: [usize; 2]) -> [f32; 3] {
        let (a, b) = (x - self.origin[0], y - self.origin[1]);
        let i = b / CELL * self.columns + a / CELL;
        let (s, t) = ((a % CELL) as f32 / CELL as f32, (b % CELL) as f32 / CELL as f32);
        let top = Node::between(&self.nodes[i], &self.nodes[i + 1], s);
        let below = i + self.columns;
        let bottom = Node::between(&self.nodes[below], &self.nodes[below + 1], s);
        let node = Node::between(&top, &bottom, t);
        let [u, v] = node.place;
        let edges = self.edges_at(u);
        // How much of the pixel each lip covers; at rest the two make one.
        let upper = (edges.upper - v + 0.5).clamp(0.0, 1.0);
        let lower = (v - edges.lower + 0.5).clamp(0.0, 1.0);
        let gap = (1.0 - upper - lower).max(0.0);
        let mut colour = [0.0; 3];
        let mut add = |part: [f32; 3], share: f32| {
            for (to, from) in colour.iter_mut().zip(part) {
                *to += from * share;
            }
        };
        if upper > 0.0 {
            add(still.colour(node.upper), upper);
        }
        if lower > 0.0 {
            add(still.colour(node.lower), lower);
        }
        if gap > 0.0 {
            add(self.between_lips(u, v, &edges), gap);
        }
        colour
    }

    /// The height at which the upper lip's part of the face ends and the lower lip's begins.
    pub(super) fn middle(&self, u: f32) -> f32 {
        let edges = self.edges_at(u);
        f32::midpoint(edges.upper, edges.lower)
    }

    fn edges_at(&self, u: f32) -> Edges {
        let at = (u + self.reach).clamp(0.0, (self.edges.len() - 2) as f32);
        let (i, t) = (at as usize, at.fract());
        let (a, b) = (&self.edges[i], &self.edges[i + 1]);
        let mix = |a: f32, b: f32| a + (b - a) * t;
        Edges {
            upper: mix(a.upper, b.upper),
            lower: mix(a.lower, b.lower),
            across: mix(a.across, b.across),
        }
    }

    /// Teeth, tongue, and the dark behind them.
    fn between_lips(&self, u: f32, v: f32, edges: &Edges) -> [f32; 3] {
        let half = self.map.half;
        let x = u / half;
        let rest = self.map.line(0.0);
        let jaw = self.map.jaw();
        let mix = |a: [f32; 3], b: [f32; 3], t: f32| {
            [0, 1, 2].map(|k| a[k] + (b[k] - a[k]) * t.clamp(0.0, 1.0))
        };
        // Darker towards the corners and into the depth.
        let side = 1.0 - step(0.35, 1.0, edges.across.abs());
        let mut colour = self.inside.map(|part| part * (0.65 + 0.35 * side));

        // The tongue lies on the floor of the mouth; its tip may rise to the teeth.
        let arch = 1.0 - (x / 0.78) * (x / 0.78);
        let lies = rest + jaw + half * (0.10 - 0.30 * jaw / half);
        let raised = rest + half * 0.05;
        let top = lies + (raised - lies) * self.tip * arch.max(0.0) - half * 0.12 * (arch - 1.0);
        let on = step(-2.0, 2.5, v - top) * step(0.0, 0.25, arch);
        let light = 0.72 + 0.36 * (-((v - top) / (0.22 * half)).powi(2)).exp() * side;
        let furrow = 1.0 - 0.10 * (-(x / 0.06).powi(2)).exp() * (1.0 - self.tip);
        colour = mix(colour, self.tongue.map(|part| (part * light * furrow).min(255.0)), on);

        // Lower teeth go with the jaw, the upper ones stay.
        let seam = |pitch: f32| {
            let phase = (x / pitch).rem_euclid(1.0);
            1.0 - 0.055 * (-((phase.min(1.0 - phase)) / 0.05).powi(2)).exp()
        };
        let row = 1.0 - step(0.56, 0.84, x.abs());
        let low_edge = rest + jaw + half * (0.11 + 0.05 * x * x);
        let low = step(-0.8, 0.8, v - low_edge) * row;
        let shade = (0.70 + 0.12 * side) * seam(0.15);
        colour = mix(colour, self.teeth.map(|part| part * shade), low);

        let high = 0.05 * self.tip + 0.07 * self.ahead;
        let edge = rest + half * (0.115 - high - 0.07 * x * x + 0.004 * (x / 0.1).cos());
        let up = step(-0.8, 0.8, edge - v) * row;
        let shade = (0.80 + 0.18 * side) * seam(0.19) * (1.0 - 0.10 * step(-3.0, 0.0, v - edge));
        colour = mix(colour, self.teeth.map(|part| part * shade), up);

        // The upper lip throws a shadow on all of it.
        let under = ((v - edges.upper) / (0.10 * half)).max(0.0);
        let shadow = 1.0 - 0.42 * (-under).exp();
        let above = ((edges.lower - v) / (0.05 * half)).max(0.0);
        let shadow = shadow * (1.0 - 0.25 * (-above).exp());
        let deep = 1.0 - 0.45 * self.ahead;
        colour.map(|part| part * shadow * deep)
    }
}
