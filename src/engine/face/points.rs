//! `portrait.toml`: where the features of a portrait are.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// A place in the picture, in pixels from its upper left corner.
pub(crate) type Point = [f32; 2];

/// A portrait's picture, mask and key points, as its file gives them.
///
/// Left and right are the viewer's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Points {
    /// Who may use the picture, for people.
    #[expect(dead_code, reason = "for people; it must be there")]
    pub(crate) licence: String,
    /// File of the picture, beside this one: PNG or JPEG.
    pub(crate) picture: String,
    /// File of the mask, beside this one and of the picture's size: white where the jaw moves the
    /// skin, black where nothing of it does.
    pub(crate) mask: String,
    pub(crate) mouth: Mouth,
    /// Left out, the eyes do not blink: for a portrait with glasses.
    pub(crate) eyes: Option<Eyes>,
    pub(crate) head: Head,
    #[serde(default)]
    pub(crate) colour: Colour,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mouth {
    /// Where the lips meet, from the left corner to the right one: at least three places.
    pub(crate) line: Vec<Point>,
    /// Upper edge of the upper lip, in the middle.
    pub(crate) top: Point,
    /// Lower edge of the lower lip, in the middle.
    pub(crate) bottom: Point,
    /// Lowest place of the chin.
    pub(crate) chin: Point,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Eyes {
    pub(crate) left: Eye,
    pub(crate) right: Eye,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Eye {
    /// Edge of the upper lid from the left corner to the right one: at least three places.
    pub(crate) upper: Vec<Point>,
    /// Edge of the lower lid, likewise.
    pub(crate) lower: Vec<Point>,
    /// Just above the fold of the upper lid, in the middle: skin, no lashes.
    pub(crate) fold: Point,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// Middle of the head, hair included.
    pub(crate) middle: Point,
    /// Half its width and half its height.
    pub(crate) radius: Point,
    /// What it turns on: the middle of the neck's root.
    pub(crate) pivot: Point,
}

/// Colours that the picture does not show, red, green, blue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Colour {
    pub(crate) teeth: [u8; 3],
    pub(crate) tongue: [u8; 3],
    pub(crate) inside: [u8; 3],
    pub(crate) lashes: [u8; 3],
}

impl Default for Colour {
    fn default() -> Self {
        Self {
            teeth: [246, 238, 230],
            tongue: [184, 92, 92],
            inside: [70, 24, 28],
            lashes: [36, 22, 18],
        }
    }
}

impl Points {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// It cannot be read, lacks a point, or has points that no face has; the message names the key.
    pub(crate) fn load(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("failed to read the key points {}", file.display()))?;
        let points: Self = toml::from_str(&text)
            .with_context(|| format!("the key points {} are wrong", file.display()))?;
        points.check().with_context(|| format!("the key points {} are wrong", file.display()))?;
        Ok(points)
    }

    fn check(&self) -> Result<()> {
        let Mouth { line, top, bottom, chin } = &self.mouth;
        rising("mouth.line", line)?;
        let (left, right) = (line[0], line[line.len() - 1]);
        let height = |point: &Point| above(&left, &right, point);
        ensure!(height(top) > 0.0, "mouth.top must be above the line between the mouth's corners");
        let below = "must be below the mouth.line";
        ensure!(line.iter().all(|point| height(point) > height(bottom)), "mouth.bottom {below}");
        ensure!(height(chin) < height(bottom), "mouth.chin must be below mouth.bottom");
        let eyes = self.eyes.iter();
        for (name, eye) in
            eyes.flat_map(|eyes| [("eyes.left", &eyes.left), ("eyes.right", &eyes.right)])
        {
            rising(&format!("{name}.upper"), &eye.upper)?;
            rising(&format!("{name}.lower"), &eye.lower)?;
            let (first, last) = (&eye.upper[0], &eye.upper[eye.upper.len() - 1]);
            let lid = eye.upper.iter().map(|point| above(first, last, point)).fold(0.0, f32::max);
            ensure!(above(first, last, &eye.fold) > lid, "{name}.fold must be above {name}.upper");
        }
        let [width, height] = self.head.radius;
        ensure!(width >= 8.0 && height >= 8.0, "head.radius must be at least 8 pixels");
        Ok(())
    }

    /// Every place, to move them all.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Point> {
        let Self { mouth, eyes, head, .. } = self;
        let eyes = eyes
            .iter_mut()
            .flat_map(|eyes| [&mut eyes.left, &mut eyes.right])
            .flat_map(|eye| eye.upper.iter_mut().chain(&mut eye.lower).chain([&mut eye.fold]));
        mouth
            .line
            .iter_mut()
            .chain([&mut mouth.top, &mut mouth.bottom, &mut mouth.chin])
            .chain(eyes)
            .chain([&mut head.middle, &mut head.pivot])
    }
}

/// How far `point` is above the line from `left` to `right`, in pixels.
fn above(left: &Point, right: &Point, point: &Point) -> f32 {
    let (along, down) = (right[0] - left[0], right[1] - left[1]);
    let cross = along * (point[1] - left[1]) - down * (point[0] - left[0]);
    -cross / along.hypot(down).max(1e-3)
}

fn rising(key: &str, line: &[Point]) -> Result<()> {
    ensure!(line.len() >= 3, "{key} needs at least three places, it has {}", line.len());
    ensure!(
        line.windows(2).all(|pair| pair[0][0] < pair[1][0]),
        "{key} must go from the left to the right"
    );
    ensure!(line[line.len() - 1][0] - line[0][0] >= 12.0, "{key} must be at least 12 pixels long");
    Ok(())
}
