//! How the last update of this device ended, as the updater left it.

use std::{fs, path::Path};

/// Where the updater of packages leaves it; an image's updater writes the same.
pub const LAST: &str = "/var/lib/linly-edge-update/last";

/// What an update can end in.
const RESULTS: [&str; 4] = ["installed", "rolled-back", "refused", "failed"];

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

/// The last update, if there was one.
pub fn last(path: &Path) -> Option<Update> {
    // A few lines; whoever puts something else there is not read to its end.
    let text = fs::read_to_string(path).ok().filter(|text| text.len() < 1024)?;
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
    use super::*;

    #[test]
    fn what_the_updater_left_is_read_and_nonsense_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last");
        assert_eq!(last(&file), None);
        fs::write(&file, "result=rolled-back\nversion=0.2.0\ntime=1764219000\n").unwrap();
        let update = last(&file).unwrap();
        assert_eq!((update.result, update.unix_s), ("rolled-back", 1_764_219_000));
        assert_eq!(update.version, "0.2.0");
        for text in ["", "result=fine\nversion=1\ntime=1", "result=installed\nversion=1\ntime=soon"]
        {
            fs::write(&file, text).unwrap();
            assert_eq!(last(&file), None, "{text:?}");
        }
    }
}
