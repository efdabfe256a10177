//! What is wrong with a configuration, as data: all of it is shown at once.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{Config, DisplayKind, SoundKind};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, with its tables: `listen.pause_ms`; empty where a whole file is wrong.
    pub key: String,
    /// What is wrong with it and what to do.
    pub why: String,
    /// Where it is written, if it comes from a file.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1; 0 means the whole file.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(Place { file, line: 0, .. }) => write!(to, "{}: ", file.display())?,
            Some(Place { file, line, column }) => {
                write!(to, "{}:{line}:{column}: ", file.display())?;
            }
            None => {}
        }
        if !self.key.is_empty() {
            write!(to, "{}: ", self.key)?;
        }
        to.write_str(&self.why)
    }
}

/// Everything that is wrong, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        to.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// What the types cannot say: relations between keys, and files that must exist.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Found(Vec::new());
        self.check_devices(&mut found);
        for (key, size) in
            [("screen.width", self.screen.width), ("screen.height", self.screen.height)]
        {
            if size % 2 != 0 {
                found.add(key, format!("{size} is odd; videos need an even number"));
            }
        }
        if !self.watch.turn.is_multiple_of(90) {
            let turn = self.watch.turn;
            found
                .add("watch.turn", format!("{turn} is no quarter turn; make it 0, 90, 180 or 270"));
        }
        let listen = &self.listen;
        if listen.short_pause_ms > listen.pause_ms {
            let (short, long) = (listen.short_pause_ms, listen.pause_ms);
            found.add(
                "listen.short_pause_ms",
                format!("{short} is longer than listen.pause_ms = {long}; make it at most {long}"),
            );
        }
        found.file("converse.site", &self.converse.site);
        found.folder("models.pack", &self.models.pack);
        found.file("models.library", &self.models.library);
        found.folder("avatar.path", &self.avatar.path);
        found.folder("sensors.root", &self.sensors.root);
        found.0
    }

    fn check_devices(&self, found: &mut Found) {
        let Self { devices, .. } = self;
        let file = &devices.file;
        let uses = |kind| kind == SoundKind::File;
        if uses(devices.microphone) && found.given("devices.file.microphone", &file.microphone) {
            found.file("devices.file.microphone", &file.microphone);
        }
        if uses(devices.speaker) && found.given("devices.file.speaker", &file.speaker) {
            found.writable("devices.file.speaker", &file.speaker);
            if uses(devices.microphone) && file.speaker == file.microphone {
                let why = "is the microphone's file too, which it would overwrite; name another";
                found.add("devices.file.speaker", why.to_owned());
            }
        }
        if devices.display == DisplayKind::File
            && found.given("devices.file.display", &file.display)
        {
            found.writable("devices.file.display", &file.display);
            if uses(devices.speaker) && file.display == file.speaker {
                let why = "is the speaker's file too; name another";
                found.add("devices.file.display", why.to_owned());
            }
        }
    }
}

struct Found(Vec<Problem>);

impl Found {
    fn add(&mut self, key: &str, why: String) {
        self.0.push(Problem { key: key.to_owned(), why, place: None });
    }

    fn given(&mut self, key: &str, path: &Path) -> bool {
        let given = !path.as_os_str().is_empty();
        if !given {
            self.add(
                key,
                "is empty, but a device is of the kind \"file\"; name the file".to_owned(),
            );
        }
        given
    }

    fn file(&mut self, key: &str, path: &Path) {
        if !path.as_os_str().is_empty() && !path.is_file() {
            self.add(key, format!("there is no file {}", path.display()));
        }
    }

    fn folder(&mut self, key: &str, path: &Path) {
        if !path.as_os_str().is_empty() && !path.is_dir() {
            self.add(key, format!("there is no folder {}", path.display()));
        }
    }

    fn writable(&mut self, key: &str, path: &Path) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if path.is_dir() {
            self.add(key, format!("{} is a folder; name a file", path.display()));
        } else if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            self.add(key, format!("there is no folder {} to write to; make it", parent.display()));
        }
    }
}
