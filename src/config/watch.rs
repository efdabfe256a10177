//! The camera, and when somebody counts as being there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The camera, and when somebody counts as being there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {}
