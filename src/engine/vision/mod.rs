//! Who is in front of the box.

use anyhow::Result;

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
}
