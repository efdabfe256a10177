//! The face: sound becomes the movement of a mouth, and a portrait moves.

mod file;
mod lids;
mod lips;
mod living;
mod measure;
mod mel;
mod points;
mod portrait;
mod pose;
mod shapes;
mod warp;

pub use living::Living;
pub use measure::lateness;
pub use portrait::Portrait;
pub use pose::{Head, Liveliness, Pose, idle};
pub use shapes::MouthShapes;
