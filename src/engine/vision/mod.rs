//! Who is in front of the box.

mod eyes;
mod motion;
mod picture;
mod seeta;
mod tracker;
mod ultra;
mod yunet;

use anyhow::Result;

pub use self::{
    eyes::{Eyes, Habits},
    motion::Motion,
    seeta::{Seeta, notice},
    tracker::{Patience, Tracker},
    ultra::{Boxes, Ultra},
    yunet::Yunet,
};
use crate::media::Frame;

/// Looks at the camera's pictures one after the other.
pub trait Watcher: Send {
    /// What is known after having seen `frame` too.
    fn look(&mut self, frame: &Frame) -> Result<Sight>;
}

/// What is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sight {
    /// Whether somebody is here, with some patience in both directions.
    pub present: bool,
    /// People in view.
    pub people: u32,
    /// Whether the nearest of them looks at the screen; `None` where that cannot be told.
    pub looking: Option<bool>,
    /// Whether faces were looked for in this picture, which is what takes time.
    pub searched: bool,
    /// How many pictures a second are worth looking at from now on.
    pub pace: f32,
}

/// Finds faces in one picture.
pub trait Detector: Send {
    /// The faces in `frame` that are at least `smallest` pixels high, in its pixels and in any order;
    /// smaller ones may be among them, but nobody has to take the time to look for them.
    fn detect(&mut self, frame: &Frame, smallest: f32) -> Result<Vec<Spot>>;
}

/// A face in a picture, in pixels from the left upper corner; parts of it may lie outside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spot {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// From the left edge to the right one.
    pub width: f32,
    /// From the upper edge to the lower one.
    pub height: f32,
    /// How sure the detector is, on its own scale.
    pub score: f32,
    /// Where eyes, nose and mouth are, if the detector tells.
    pub marks: Option<Marks>,
}

/// Points of a face in the picture, x and y in pixels; left and right as the picture shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Marks {
    /// The middle of both eyes.
    pub eyes: [[f32; 2]; 2],
    /// The tip of the nose.
    pub nose: [f32; 2],
    /// Both corners of the mouth.
    pub mouth: [[f32; 2]; 2],
}

impl Spot {
    /// Its middle.
    pub fn centre(&self) -> [f32; 2] {
        [self.left + self.width / 2.0, self.top + self.height / 2.0]
    }

    /// Moves it by so many pixels.
    fn shift(&mut self, right: f32, down: f32) {
        self.left += right;
        self.top += down;
        if let Some(marks) = &mut self.marks {
            let points = marks.eyes.iter_mut().chain(&mut marks.mouth);
            for [x, y] in points.chain([&mut marks.nose]) {
                *x += right;
                *y += down;
            }
        }
    }

    /// The part of both areas together that belongs to both: 0 for strangers, 1 for the same.
    pub fn overlap(&self, other: &Self) -> f32 {
        let side = |a: f32, a_long: f32, b: f32, b_long: f32| {
            ((a + a_long).min(b + b_long) - a.max(b)).max(0.0)
        };
        let both = side(self.left, self.width, other.left, other.width)
            * side(self.top, self.height, other.top, other.height);
        let all = self.width * self.height + other.width * other.height - both;
        if all > 0.0 { both / all } else { 0.0 }
    }

    /// Whether the face is turned towards the camera, as far as its marks tell: the nose of a face
    /// that looks here lies between the eyes, and below them but above the mouth.
    ///
    /// How far the nose may be off comes from the shape of a head: its tip stands out from the eyes'
    /// plane by about 0.6 of their distance, so that turning the head by an angle moves it by 0.6
    /// times the sine; 0.27 is about 27°.
    pub fn frontal(&self) -> Option<bool> {
        let Marks { eyes, nose, mouth } = self.marks?;
        let middle = |two: [[f32; 2]; 2]| {
            [f32::midpoint(two[0][0], two[1][0]), f32::midpoint(two[0][1], two[1][1])]
        };
        let (between, mouth) = (middle(eyes), middle(mouth));
        let across = [eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]];
        let apart = across[0].hypot(across[1]);
        // Eyes behind one another belong to a face from the side.
        if apart < 0.2 * self.width {
            return Some(false);
        }
        let along = [across[0] / apart, across[1] / apart];
        // Seen in the direction of the eyes and at a right angle to it, so that a tilted head is as good.
        let seen = |point: [f32; 2]| {
            let from = [point[0] - between[0], point[1] - between[1]];
            [
                (from[0] * along[0] + from[1] * along[1]) / apart,
                (from[1] * along[0] - from[0] * along[1]) / apart,
            ]
        };
        let ([aside, below], [_, down]) = (seen(nose), seen(mouth));
        Some(aside.abs() < 0.27 && down > 0.3 && (0.2..0.85).contains(&(below / down)))
    }
}

/// Keeps the surest of spots that overlap by more than `most`, and only those of at least `score`.
fn thin(mut spots: Vec<Spot>, score: f32, most: f32) -> Vec<Spot> {
    spots.retain(|spot| spot.score >= score && spot.width > 0.0 && spot.height > 0.0);
    spots.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<Spot> = Vec::new();
    for spot in spots {
        if kept.iter().all(|other| other.overlap(&spot) <= most) {
            kept.push(spot);
        }
    }
    kept
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A face whose nose is `aside` of the middle, in distances of the eyes.
    fn face(aside: f32, tilt: f32) -> Spot {
        let turned = |x: f32, y: f32| {
            let (sine, cosine) = tilt.to_radians().sin_cos();
            [50.0 + x * cosine - y * sine, 50.0 + x * sine + y * cosine]
        };
        let marks = Marks {
            eyes: [turned(-20.0, -10.0), turned(20.0, -10.0)],
            nose: turned(aside * 40.0, 10.0),
            mouth: [turned(-15.0, 30.0), turned(15.0, 30.0)],
        };
        let (left, top, width, height) = (0.0, 0.0, 100.0, 100.0);
        Spot { left, top, width, height, score: 1.0, marks: Some(marks) }
    }

    #[test]
    fn a_face_that_looks_here_is_symmetrical_however_it_is_tilted() {
        for tilt in [-30.0, 0.0, 30.0] {
            assert_eq!(face(0.0, tilt).frontal(), Some(true), "{tilt}");
            assert_eq!(face(0.15, tilt).frontal(), Some(true), "{tilt}");
            assert_eq!(face(0.4, tilt).frontal(), Some(false), "{tilt}");
            assert_eq!(face(-0.4, tilt).frontal(), Some(false), "{tilt}");
        }
        assert_eq!(Spot::default().frontal(), None);
        let mut down = face(0.0, 0.0);
        down.marks.as_mut().expect("marks").nose = [50.0, 79.0];
        assert_eq!(down.frontal(), Some(false), "the nose is at the mouth of who looks down");
    }

    #[test]
    fn of_spots_at_one_place_the_surest_stays() {
        let spot = |left: f32, score: f32| Spot {
            left,
            width: 10.0,
            height: 10.0,
            score,
            ..Spot::default()
        };
        let kept =
            thin(vec![spot(0.0, 0.8), spot(2.0, 0.9), spot(40.0, 0.7), spot(80.0, 0.1)], 0.5, 0.3);
        assert_eq!(kept, [spot(2.0, 0.9), spot(40.0, 0.7)]);
        assert!((spot(0.0, 1.0).overlap(&spot(5.0, 1.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(spot(0.0, 1.0).overlap(&spot(10.0, 1.0)), 0.0);
    }
}
