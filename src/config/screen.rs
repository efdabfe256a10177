//! What the screen is like, and what it shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The size of the picture, in pixels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Screen {
    /// Pixels a row; an even number.
    #[schemars(range(min = 64, max = 3840))]
    pub width: u32,
    /// Rows; an even number.
    #[schemars(range(min = 64, max = 3840))]
    pub height: u32,
}

impl Default for Screen {
    fn default() -> Self {
        Self { width: 720, height: 1280 }
    }
}
