//! What is on the screen: the face, and beside it what is better shown than said.

pub mod colour;
pub mod composer;
mod ground;
mod icons;
mod layers;
pub mod layout;
pub mod look;
pub mod splash;
pub mod sprite;
mod status;
pub mod text;
mod words;

use std::time::Duration;

pub use composer::Composer;
pub use layers::Shown;
pub use layout::{Button, Layout};
pub use look::Look;
pub use words::Words;

use crate::{
    engine::Portrait,
    media::{Mouth, Picture},
    scene::Scene,
};

/// Paints all that the screen shows.
pub trait Painter: Send {
    /// How many key points the face's drawing follows.
    fn key_points(&self) -> usize;
    /// The whole picture at `at`, counted from the start of the machine.
    fn paint(&mut self, at: Duration, mouth: Mouth, scene: &Scene) -> Picture;
}

/// The face and nothing else.
#[expect(missing_debug_implementations, reason = "a portrait has none")]
pub struct Bare(pub Box<dyn Portrait>);

impl Painter for Bare {
    fn key_points(&self) -> usize {
        self.0.key_points()
    }

    fn paint(&mut self, at: Duration, mouth: Mouth, _scene: &Scene) -> Picture {
        self.0.draw(at, mouth)
    }
}
