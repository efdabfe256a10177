//! Which cameras, microphones, loudspeakers and displays the device has, from what the kernel lists: so that
//! one that was unplugged is missed. Read at each scrape, which costs a few small files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use prometheus::{
    IntGaugeVec, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::metrics::Label;

/// The most entries of a folder that are looked at; a board has some tens.
const MOST_ENTRIES: usize = 256;

/// What a kiosk needs to meet people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A video device that takes pictures.
    Camera,
    /// A sound device that records.
    Microphone,
    /// A sound device that plays.
    Loudspeaker,
    /// A connector with a screen at its end.
    Display,
}

impl Label for Kind {
    const NAME: &'static str = "kind";
    const ALL: &'static [Self] =
        &[Self::Camera, Self::Microphone, Self::Loudspeaker, Self::Display];
    fn value(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Loudspeaker => "loudspeaker",
            Self::Display => "display",
        }
    }
}

/// Counts them for each scrape.
#[derive(Debug)]
pub struct Peripherals {
    root: PathBuf,
    family: IntGaugeVec,
}

impl Peripherals {
    /// Those of the machine whose `/proc` and `/sys` are below `root`: `/`, or a copy of a device.
    ///
    /// # Panics
    /// Never: the name and the labels of its family are valid.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        let options = Opts::new(
            "linly_talker_peripherals",
            "Cameras, microphones, loudspeakers and connected displays that the kernel lists.",
        );
        let family = IntGaugeVec::new(options, &[Kind::NAME]).expect("name and label are valid");
        Self { root: root.into(), family }
    }

    /// How many there are of a kind.
    ///
    /// # Errors
    /// What the kernel lists cannot be read. That it lists nothing is no error: its driver is not loaded.
    pub fn count(&self, kind: Kind) -> io::Result<usize> {
        let counted = match kind {
            // A camera has further nodes, for metadata; the first has index 0.
            Kind::Camera => self.entries("sys/class/video4linux", |folder| {
                word(&folder.join("index")).is_some_and(|index| index == "0")
            }),
            Kind::Display => self.entries("sys/class/drm", |connector| {
                word(&connector.join("status")).is_some_and(|status| status == "connected")
            }),
            Kind::Microphone => self.sound("capture"),
            Kind::Loudspeaker => self.sound("playback"),
        };
        match counted {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            counted => counted,
        }
    }

    fn entries(&self, folder: &str, is_one: impl Fn(&Path) -> bool) -> io::Result<usize> {
        let entries = fs::read_dir(self.root.join(folder))?.take(MOST_ENTRIES);
        Ok(entries.flatten().filter(|entry| is_one(&entry.path())).count())
    }

    /// Sound devices that go in a direction: lines like `00-00: id : name : playback 1 : capture 1`.
    fn sound(&self, direction: &str) -> io::Result<usize> {
        let text = fs::read_to_string(self.root.join("proc/asound/pcm"))?;
        let goes = |line: &&str| {
            line.split(" : ")
                .skip(2)
                .any(|part| part.trim().split_once(' ').is_some_and(|(word, _)| word == direction))
        };
        Ok(text.lines().take(MOST_ENTRIES).filter(goes).count())
    }
}

/// The only word of a small file, if it can be read.
fn word(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

impl Collector for Peripherals {
    fn desc(&self) -> Vec<&Desc> {
        self.family.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for kind in Kind::ALL {
            // What cannot be read is absent, and not 0.
            match self.count(*kind) {
                Ok(count) => {
                    let count = i64::try_from(count).unwrap_or(i64::MAX);
                    self.family.with_label_values(&[kind.value()]).set(count);
                }
                Err(_) => drop(self.family.remove_label_values(&[kind.value()])),
            }
        }
        self.family.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(files: &[(&str, &str)]) -> (tempfile::TempDir, Peripherals) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let peripherals = Peripherals::below(root.path());
        (root, peripherals)
    }

    fn counts(peripherals: &Peripherals) -> Vec<usize> {
        Kind::ALL.iter().map(|kind| peripherals.count(*kind).unwrap()).collect()
    }

    #[test]
    fn a_kiosk_has_what_the_kernel_lists() {
        let (root, peripherals) = device(&[
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
        assert_eq!(counts(&peripherals), [1, 1, 2, 1]);
        fs::remove_dir_all(root.path().join("sys/class/video4linux/video0")).unwrap();
        assert_eq!(counts(&peripherals), [0, 1, 2, 1]);
    }

    #[test]
    fn without_drivers_there_is_nothing_and_that_is_told() {
        let (_root, peripherals) = device(&[]);
        assert_eq!(counts(&peripherals), [0; 4]);
        assert_eq!(peripherals.collect()[0].get_metric().len(), 4);
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_not_none() {
        let (_root, peripherals) = device(&[("sys/class/drm", "no folder")]);
        assert!(peripherals.count(Kind::Display).is_err());
        assert_eq!(peripherals.collect()[0].get_metric().len(), 3);
    }
}
