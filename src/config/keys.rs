//! Keys, buttons and the touch screen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keys, buttons and the touch screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {}
