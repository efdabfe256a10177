//! The camera, and when somebody counts as being there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The camera, and when somebody counts as being there. Pictures are looked at and forgotten: none is
/// stored or leaves the process.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// The camera: a path, best one below `/dev/v4l/by-id` that stays the same when it is plugged in
    /// again, or a part of its name; empty takes the first that will do.
    pub camera: String,
    /// Pixels a row that are asked of the camera; it gives what is nearest.
    #[schemars(range(min = 160, max = 3_840))]
    pub width: u32,
    /// Rows that are asked of the camera.
    #[schemars(range(min = 120, max = 3_840))]
    pub height: u32,
    /// Pictures a second that are asked of the camera; more than `looks` are passed over.
    #[schemars(range(min = 1.0, max = 120.0))]
    pub rate: f32,
    /// The kernel's name of the format that is asked of the camera, such as `MJPG`; empty takes the
    /// cheapest.
    pub format: String,
    /// Degrees by which its pictures are turned clockwise until people stand upright: 0, 90, 180 or 270.
    #[schemars(range(max = 270))]
    pub turn: u16,
    /// What finds people.
    pub detector: DetectorKind,
    /// Faces smaller than this part of the picture's height are ignored; smaller ones take more time.
    #[schemars(range(min = 0.05, max = 0.9))]
    pub smallest: f32,
    /// Looks a second while somebody is here, or something moves.
    #[schemars(range(min = 1.0, max = 15.0))]
    pub looks: f32,
    /// Looks a second when nobody was here and nothing moved for `idle_after_s`.
    #[schemars(range(min = 1.0, max = 15.0))]
    pub idle_looks: f32,
    /// See `idle_looks`; in seconds.
    #[schemars(range(max = 86_400))]
    pub idle_after_s: u32,
    /// Somebody is here once a face has been seen for so long, in milliseconds.
    #[schemars(range(max = 60_000))]
    pub arrive_ms: u32,
    /// Somebody is gone once the face was not seen for so long, in milliseconds.
    #[schemars(range(min = 200, max = 600_000))]
    pub leave_ms: u32,
    /// The same with the detector `motion`, where nothing has moved for so long.
    #[schemars(range(min = 200, max = 600_000))]
    pub still_ms: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            camera: String::new(),
            width: 640,
            height: 480,
            rate: 10.0,
            format: String::new(),
            turn: 0,
            detector: DetectorKind::default(),
            smallest: 0.15,
            looks: 4.0,
            idle_looks: 2.0,
            idle_after_s: 30,
            arrive_ms: 1_000,
            leave_ms: 2_000,
            still_ms: 15_000,
        }
    }
}

/// What finds people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DetectorKind {
    /// The face detector that is built in.
    #[default]
    Rustface,
    /// The face detector of the model pack, kind `vision`.
    Pack,
    /// None: whatever moves is somebody.
    Motion,
}
