//! Sound cards, and what is done to sound.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sound cards, and what is done to the microphone's sound.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sound {}
