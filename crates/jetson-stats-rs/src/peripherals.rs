//! With what the machine sees, hears, speaks and shows, as far as the kernel lists it: so that something
//! that was unplugged is missed. No device is opened.

use crate::{Collector, Files, reading::Reading};

/// The most entries of a folder, or lines of a list, that are looked at; a board has some tens.
const MOST_ENTRIES: usize = 256;

/// How many devices the kernel lists with which a machine meets people. A kind whose driver is not there
/// has none; what the kernel does not let be read is failed.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Peripherals {
    /// Video devices that take pictures.
    pub cameras: Reading<u64>,
    /// Sound devices that record.
    pub microphones: Reading<u64>,
    /// Sound devices that play.
    pub loudspeakers: Reading<u64>,
    /// Connectors with a screen at their end.
    pub displays: Reading<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Plugged;

impl Collector for Plugged {
    type Part = Peripherals;
    const NAME: &'static str = "peripherals";

    fn read(&mut self, files: &Files) -> Peripherals {
        // Lines such as `00-00: USB Audio : USB Audio : playback 1 : capture 1`.
        let sound = files.text("proc/asound/pcm");
        let going = |direction: &str| {
            let goes = |line: &&str| {
                let mut parts = line.split(" : ").skip(2);
                parts.any(|part| part.split_whitespace().next() == Some(direction))
            };
            listed(
                sound
                    .clone()
                    .map(|text| text.lines().take(MOST_ENTRIES).filter(goes).count() as u64),
            )
        };
        Peripherals {
            // A camera has further nodes, for metadata; the first has index 0.
            cameras: those(files, "sys/class/video4linux", "index", "0"),
            microphones: going("capture"),
            loudspeakers: going("playback"),
            displays: those(files, "sys/class/drm", "status", "connected"),
        }
    }
}

/// The entries of a folder whose file says a word. One that cannot be read is no such device: it is
/// of another kind, or was unplugged a moment ago.
fn those(files: &Files, folder: &str, file: &str, word: &str) -> Reading<u64> {
    listed(files.folder(folder).map(|names| {
        let is_one = |name: &&String| {
            files.text(&format!("{folder}/{name}/{file}")).value().as_deref() == Some(word)
        };
        names.iter().take(MOST_ENTRIES).filter(is_one).count() as u64
    }))
}

/// What is not there at all lists nothing.
fn listed(count: Reading<u64>) -> Reading<u64> {
    match count {
        Reading::Absent | Reading::Offline => Reading::Value(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::reading::Failure;

    fn counts(root: &Path) -> [Reading<u64>; 4] {
        let told = Plugged.read(&Files::new(root));
        [told.cameras, told.microphones, told.loudspeakers, told.displays]
    }

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_kiosk_has_what_the_kernel_lists() {
        let root = machine(&[
            ("sys/class/video4linux/video0/index", "0\n"),
            ("sys/class/video4linux/video1/index", "1\n"),
            ("sys/class/drm/card0-HDMI-A-1/status", "connected\n"),
            ("sys/class/drm/card0-DP-1/status", "disconnected\n"),
            ("sys/class/drm/version", "drm 1.1.0\n"),
            (
                "proc/asound/pcm",
                "00-00: USB Audio : USB Audio : playback 1 : capture 1\n01-03: HDMI 0 : capture 9 : playback 1\n",
            ),
        ]);
        assert_eq!(counts(root.path()), [1, 1, 2, 1].map(Reading::Value));
        fs::remove_dir_all(root.path().join("sys/class/video4linux/video0")).unwrap();
        assert_eq!(counts(root.path()), [0, 1, 2, 1].map(Reading::Value));
    }

    #[test]
    fn without_drivers_there_is_nothing_and_that_is_told() {
        assert_eq!(counts(machine(&[("proc/asound/pcm", "")]).path()), [0; 4].map(Reading::Value));
        assert_eq!(counts(machine(&[]).path()), [0; 4].map(Reading::Value));
    }

    #[test]
    fn what_cannot_be_read_is_failed_and_not_none() {
        let root = machine(&[("sys/class/drm.errno", "EIO"), ("proc/asound/pcm.errno", "EACCES")]);
        let [cameras, microphones, loudspeakers, displays] = counts(root.path());
        assert_eq!(cameras, Reading::Value(0));
        for denied in [microphones, loudspeakers] {
            assert_eq!(denied, Reading::Failed(Failure::Denied));
        }
        assert!(matches!(displays, Reading::Failed(Failure::System(_))));
    }
}
