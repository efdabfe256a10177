//! A portrait that lives: it breathes, blinks and sways by itself, and nods while it speaks.

use std::time::Duration;

use super::{Liveliness, Portrait};
use crate::{
    engine,
    media::{Mouth, Picture},
};

/// A portrait and how it moves.
#[derive(Debug)]
pub struct Living {
    portrait: Portrait,
    liveliness: Liveliness,
}

impl Living {
    /// Brings `portrait` to life.
    pub fn new(portrait: Portrait) -> Self {
        Self { portrait, liveliness: Liveliness::default() }
    }
}

impl engine::Portrait for Living {
    fn key_points(&self) -> usize {
        self.portrait.key_points()
    }

    fn draw(&mut self, at: Duration, mouth: Mouth) -> Picture {
        let pose = self.liveliness.pose(at, mouth);
        self.portrait.draw(&pose)
    }
}
