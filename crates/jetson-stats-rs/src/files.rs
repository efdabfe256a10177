//! Reads the kernel's files below a root, within limits.

use std::{
    cell::{Cell, RefCell},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    reading::{Failure, Reading},
    text,
};

/// The most that is read of a file. The largest that matters, `/proc/stat` of a machine with hundreds
/// of interrupts and cores, stays below.
const LONGEST: u64 = 256 << 10;
/// The most entries of a folder that are looked at.
const MOST: usize = 4096;

/// The files of a machine, or of a copy of one.
///
/// Below a root other than `/`, two kinds of side files say what a copy cannot: `temp.errno` holds
/// the name of the error that reading `temp` gives, `data.statvfs` the size and the free space of
/// the file system at `data`, in bytes.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    copy: bool,
    /// When the reading of this round must have ended.
    until: Cell<Option<Instant>>,
    buffer: RefCell<Vec<u8>>,
    /// Whether a file that was there is there no more.
    vanished: Cell<bool>,
    first_fault: RefCell<Option<String>>,
}

impl Files {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            copy: root != Path::new("/"),
            until: Cell::default(),
            buffer: RefCell::default(),
            vanished: Cell::default(),
            first_fault: RefCell::default(),
        }
    }

    /// Begins a round, after whose end nothing more is read.
    pub(crate) fn begin(&self, budget: Duration) {
        self.until.set(Some(Instant::now() + budget));
        self.vanished.set(false);
        self.first_fault.take();
    }

    /// Whether this is not the machine itself.
    pub(crate) fn is_copy(&self) -> bool {
        self.copy
    }

    /// The first thing that went wrong in this round.
    pub(crate) fn first_fault(&self) -> Option<String> {
        self.first_fault.borrow().clone()
    }

    /// Whether a file that [`Files::must`] should have found was gone in this round.
    pub(crate) fn vanished(&self) -> bool {
        self.vanished.get()
    }

    /// Where a path of the machine is.
    pub(crate) fn locate(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Notes a reading that is a fault; the first of a round is kept.
    pub(crate) fn judge<T>(&self, path: &str, reading: Reading<T>) -> Reading<T> {
        if let Reading::Failed(failure) = &reading
            && *failure != Failure::Denied
        {
            self.first_fault.borrow_mut().get_or_insert_with(|| format!("{path}: {failure}"));
        }
        reading
    }

    /// The bytes of a file, handed to `parse`.
    fn with<T>(&self, path: &str, parse: impl FnOnce(&[u8]) -> Reading<T>) -> Reading<T> {
        if self.until.get().is_some_and(|until| Instant::now() >= until) {
            return self.judge(path, Reading::Failed(Failure::Late));
        }
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        let reading = match self.fill(path, &mut buffer) {
            // What is switched off says nothing on some releases.
            Ok(()) if buffer.iter().all(u8::is_ascii_whitespace) => Reading::Offline,
            Ok(()) => parse(&buffer),
            Err(error) => unread(&error),
        };
        self.judge(path, reading)
    }

    fn fill(&self, path: &str, buffer: &mut Vec<u8>) -> io::Result<()> {
        let path = self.locate(path);
        if self.copy
            && let Ok(name) = fs::read_to_string(side(&path, "errno"))
        {
            return Err(text::errno(name.trim()));
        }
        let file = File::open(path)?;
        // A plain blocking read: what waits for a sensor here waits in the kernel and nowhere else.
        file.take(LONGEST).read_to_end(buffer)?;
        Ok(())
    }

    /// A file as text without what surrounds it. Bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self, path: &str) -> Reading<String> {
        self.with(path, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
            if text.is_empty() { Reading::Offline } else { Reading::Value(text.to_owned()) }
        })
    }

    /// What a reading means, where not every value means something: then it is noted as a fault.
    pub(crate) fn check<T, U>(
        &self,
        path: &str,
        reading: Reading<T>,
        meaning: impl FnOnce(T) -> Result<U, String>,
    ) -> Reading<U> {
        let was_value = reading.is_value();
        let checked = reading.try_map(meaning);
        if was_value { self.judge(path, checked) } else { checked }
    }

    /// A file as text, and what it means.
    pub(crate) fn parse<T>(
        &self,
        path: &str,
        meaning: impl FnOnce(&str) -> Option<T>,
    ) -> Reading<T> {
        self.check(path, self.text(path), |text| {
            meaning(&text).ok_or_else(|| format!("{:?}", text::name(&text)))
        })
    }

    /// A file as a short name for people and labels; see [`text::name`].
    pub(crate) fn name(&self, path: &str) -> Reading<String> {
        self.text(path).map(|text| text::name(&text))
    }

    /// A file that holds one whole number, perhaps followed by its unit.
    pub(crate) fn number(&self, path: &str) -> Reading<i64> {
        self.with(path, |bytes| {
            let nonsense = || {
                let text = text::name(&String::from_utf8_lossy(bytes));
                Reading::Failed(Failure::Malformed(format!("{text:?} is no number")))
            };
            text::number(bytes).map_or_else(nonsense, Reading::Value)
        })
    }

    /// Like [`Files::number`], for what is never negative.
    pub(crate) fn count(&self, path: &str) -> Reading<u64> {
        self.check(path, self.number(path), |number| {
            u64::try_from(number).map_err(|_| format!("{number} is negative"))
        })
    }

    /// A variable of the firmware: four bytes of attributes, then up to four of a number.
    pub(crate) fn word(&self, path: &str) -> Reading<u32> {
        self.with(path, |bytes| match bytes.get(4..) {
            Some(value @ ([_] | [_, _] | [_, _, _, _])) => {
                let digits = value.iter().rev();
                Reading::Value(digits.fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
            }
            _ => Reading::Failed(Failure::Malformed(format!("{} bytes", bytes.len()))),
        })
    }

    /// A number that was there when the machine was looked over: that it is gone is noted.
    pub(crate) fn must(&self, path: &str) -> Reading<i64> {
        let reading = self.number(path);
        if reading.is_absent() {
            self.vanished.set(true);
        }
        reading
    }

    /// Whether the file is there, or says why it cannot be read.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let path = self.locate(path);
        path.exists() || (self.copy && side(&path, "errno").exists())
    }

    /// The names in a folder, in the order of their numbers; a side file stands for its file. None where
    /// there is no such folder, or it cannot be read.
    pub(crate) fn list(&self, path: &str) -> Vec<String> {
        self.names(path).unwrap_or_default()
    }

    /// Like [`Files::list`], and says why there is nothing.
    pub(crate) fn folder(&self, path: &str) -> Reading<Vec<String>> {
        if self.copy
            && let Ok(name) = fs::read_to_string(side(&self.locate(path), "errno"))
        {
            return self.judge(path, unread(&text::errno(name.trim())));
        }
        let names = self.names(path).map_or_else(|error| unread(&error), Reading::Value);
        self.judge(path, names)
    }

    fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = fs::read_dir(self.locate(path))?
            .take(MOST)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .map(|name| match name.strip_suffix(".errno") {
                Some(file) if self.copy => file.to_owned(),
                _ => name,
            })
            .collect();
        names.sort_by(|a, b| text::by_number(a).cmp(&text::by_number(b)));
        Ok(names)
    }

    /// Paths of the entries of `folder` whose names begin with `prefix`.
    pub(crate) fn entries(&self, folder: &str, prefix: &str) -> Vec<String> {
        let names = self.list(folder).into_iter().filter(|name| name.starts_with(prefix));
        names.map(|name| format!("{folder}/{name}")).collect()
    }

    /// A path without links, so that the same device found twice is known as one.
    pub(crate) fn canonical(&self, path: &str) -> PathBuf {
        let path = self.locate(path);
        path.canonicalize().unwrap_or(path)
    }

    /// Size of the file system at `mount` and what programs may still write there, in bytes.
    pub(crate) fn space(&self, mount: &str) -> Reading<(u64, u64)> {
        if self.copy {
            let given = self.text(&format!("{mount}.statvfs"));
            return given.try_map(|text| match text::numbers(&text)[..] {
                [size, free] => Ok((size, free)),
                _ => Err("a statvfs side file holds two numbers".to_owned()),
            });
        }
        match rustix::fs::statvfs(mount) {
            Ok(about) => {
                let of = |blocks: u64| blocks.saturating_mul(about.f_frsize);
                Reading::Value((of(about.f_blocks), of(about.f_bavail)))
            }
            Err(error) => self.judge(mount, unread(&error.into())),
        }
    }
}

/// `temp` → `temp.errno`.
fn side(path: &Path, kind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    PathBuf::from(name)
}

/// What an error of the system says about a sensor.
fn unread<T>(error: &io::Error) -> Reading<T> {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::NODEV
            | Errno::NXIO
            | Errno::OPNOTSUPP
            | Errno::LOOP,
        ) => Reading::Absent,
        Some(Errno::AGAIN | Errno::INVAL | Errno::NODATA) => Reading::Offline,
        Some(Errno::ACCESS | Errno::PERM) => Reading::Failed(Failure::Denied),
        _ => Reading::Failed(Failure::System(error.to_string())),
    }
}
