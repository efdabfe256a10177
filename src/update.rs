//! How the last update of this device ended, as the updater left it.

use std::{fs::File, io::Read, path::Path};

/// Where the updater of packages leaves it, below the root; an image's updater writes the same.
const LAST: &str = "var/lib/linly-edge-update/last";

/// What an update can end in.
const RESULTS: [&str; 4] = ["installed", "rolled-back", "refused", "failed"];

/// The most bytes that are read of it.
const MOST: u64 = 1024;

/// The longest version that is told.
const LONGEST: usize = 64;

/// The end of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// `installed`, `rolled-back`, `refused` or `failed`.
    pub result: &'static str,
    /// The version that was to be installed.
    pub version: String,
    /// When it ended, in seconds since 1970.
    pub unix_s: i64,
}

/// The last update of the device below `root`, if there was one.
pub fn last(root: &Path) -> Option<Update> {
    let mut text = String::new();
    File::open(root.join(LAST)).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(str::trim)
    };
    let told = value("result")?;
    let result = RESULTS.into_iter().find(|result| *result == told)?;
    let version = value("version")?.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    Some(Update { result, version, unix_s: value("time")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_the_updater_left_is_read_and_nonsense_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(LAST);
        assert_eq!(last(folder.path()), None);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "result=rolled-back\nversion=0.2.0\ntime=1764219000\n").unwrap();
        let update = last(folder.path()).unwrap();
        assert_eq!((update.result, update.unix_s), ("rolled-back", 1_764_219_000));
        assert_eq!(update.version, "0.2.0");
        for text in ["", "result=fine\nversion=1\ntime=1", "result=installed\nversion=1\ntime=soon"]
        {
            fs::write(&file, text).unwrap();
            assert_eq!(last(folder.path()), None, "{text:?}");
        }
    }
}
