//! Copies of machines as text, for tests: one line a file, so that a review shows what a board says.
//!
//! ```text
//! # A comment.
//! sys/class/thermal/thermal_zone0/temp = 47500
//! sys/class/thermal/thermal_zone2/temp ! EAGAIN
//! sys/class/devfreq/17000000.gpu/device -> ../../../devices/platform/17000000.gpu
//! proc/device-tree/model = NVIDIA Jetson AGX Orin Developer Kit\0
//! proc/meminfo:
//!     MemTotal:        7650336 kB
//!     MemAvailable:    5012345 kB
//! ```
//!
//! After `=`, `\0`, `\n`, `\\` and `\xff` stand for bytes, and a line end follows unless the content
//! ends with `\0` or `\c`. `!` makes the side file that names an error, `->` a symbolic link.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// Writes the files that `text` describes below `folder`.
///
/// # Errors
/// A line that cannot be understood, with its number, or what the system says.
pub fn unpack(text: &str, folder: &Path) -> io::Result<()> {
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let wrong = |why: &str| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {why}", number + 1))
        };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((path, content)) = line.split_once(" = ") {
            write(folder, path, &bytes(content).ok_or_else(|| wrong("an escape is unknown"))?)?;
        } else if let Some((path, error)) = line.split_once(" ! ") {
            write(folder, &format!("{path}.errno"), error.as_bytes())?;
        } else if let Some((path, target)) = line.split_once(" -> ") {
            let path = place(folder, path)?;
            std::os::unix::fs::symlink(target, path)?;
        } else if let Some(path) = line.strip_suffix(':') {
            let mut content = String::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("    ")) {
                content.push_str(&line[4..]);
                content.push('\n');
            }
            write(folder, path, content.as_bytes())?;
        } else {
            return Err(wrong(
                "neither `path = content`, `path ! error`, `path -> target` nor `path:`",
            ));
        }
    }
    Ok(())
}

fn write(folder: &Path, path: &str, content: &[u8]) -> io::Result<()> {
    fs::write(place(folder, path)?, content)
}

/// The place of a file, whose folders are made.
fn place(folder: &Path, path: &str) -> io::Result<PathBuf> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        let why = format!("{path:?} leads out of the folder");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(path)
}

fn bytes(content: &str) -> Option<Vec<u8>> {
    let (content, open) =
        content.strip_suffix("\\c").map_or((content, false), |content| (content, true));
    let mut bytes = Vec::new();
    let mut rest = content;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let mut left = after.chars();
        match left.next()? {
            '0' => bytes.push(0),
            'n' => bytes.push(b'\n'),
            '\\' => bytes.push(b'\\'),
            'x' => {
                bytes.push(u8::from_str_radix(after.get(1..3)?, 16).ok()?);
                left = after.get(3..)?.chars();
            }
            _ => return None,
        }
        rest = left.as_str();
    }
    bytes.extend_from_slice(rest.as_bytes());
    if !open && bytes.last() != Some(&0) {
        bytes.push(b'\n');
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# x\na/b = 5\na/c ! EAGAIN\na/d -> b\na/e:\n    one\n    two\na/f = x\\0y\\xff\\0\na/g = \\c\n";
        unpack(text, folder.path()).unwrap();
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("a/b"), b"5\n");
        assert_eq!(read("a/c.errno"), b"EAGAIN");
        assert_eq!(read("a/d"), b"5\n");
        assert_eq!(read("a/e"), b"one\ntwo\n");
        assert_eq!(read("a/f"), b"x\0y\xff\0");
        assert_eq!(read("a/g"), b"");
    }

    #[test]
    fn nothing_is_written_outside() {
        let folder = tempfile::tempdir().unwrap();
        assert!(unpack("../x = 1", folder.path()).is_err());
        assert!(unpack("/etc/x = 1", folder.path()).is_err());
        assert!(unpack("what is this", folder.path()).is_err());
    }
}
