//! The keys of a configuration.

use anyhow::Result;

use crate::{config::Config, device::Keys};

/// Opens them; `None` where there are none.
///
/// # Errors
/// They cannot be opened.
pub(super) fn open(_config: &Config) -> Result<Option<Box<dyn Keys>>> {
    Ok(None)
}
