//! Model packs that tests may alter.

use std::{fs, path::Path};

use tempfile::TempDir;

/// A copy of the starter pack.
pub(crate) fn copied() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter");
    for entry in fs::read_dir(from).expect("a pack").flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
        }
    }
    folder
}
