//! Which device nodes may be the camera that is meant, and who else has one open.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// The most cameras, links and processes that are looked at.
const MOST: usize = 4_096;

/// Where the system lists its devices; below `/`, or below a copy of a device.
#[derive(Clone, Debug)]
pub(super) struct System(pub(super) PathBuf);

impl System {
    /// The nodes that a configured name may mean, the best first. Empty means any camera; a path is
    /// taken as it is; anything else is a part of the name that the kernel or udev gives a camera,
    /// whatever the case.
    pub(super) fn nodes(&self, name: &str) -> Vec<PathBuf> {
        if name.starts_with('/') {
            let path = PathBuf::from(name);
            return if path.exists() { vec![path] } else { Vec::new() };
        }
        let name = name.to_lowercase();
        let mut found = self.all();
        found.retain(|node| {
            name.is_empty()
                || self.card(node).to_lowercase().contains(&name)
                || self
                    .links(node)
                    .iter()
                    .any(|link| file_name(link).to_lowercase().contains(&name))
        });
        found
    }

    /// All video nodes: the first of each device before its further ones, then by number.
    fn all(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.0.join("sys/class/video4linux")) else {
            return Vec::new();
        };
        let mut nodes: Vec<(u32, u32, PathBuf)> = entries
            .take(MOST)
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let number = name.strip_prefix("video")?.parse().ok()?;
                let index = fs::read_to_string(entry.path().join("index")).ok();
                let index = index.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
                let node = self.0.join("dev").join(name);
                node.exists().then_some((index, number, node))
            })
            .collect();
        nodes.sort();
        nodes.into_iter().map(|(.., node)| node).collect()
    }

    /// What the camera calls itself; empty if it does not.
    pub(super) fn card(&self, node: &Path) -> String {
        let node = node.canonicalize().unwrap_or_else(|_| node.to_owned());
        let folder = self.0.join("sys/class/video4linux").join(file_name(&node));
        let name = fs::read(folder.join("name")).unwrap_or_default();
        String::from_utf8_lossy(&name).trim().to_owned()
    }

    /// Names that udev gives a node and that stay the same when it is plugged in again.
    fn links(&self, node: &Path) -> Vec<PathBuf> {
        let mut links: Vec<PathBuf> = ["dev/v4l/by-id", "dev/v4l/by-path"]
            .iter()
            .filter_map(|folder| fs::read_dir(self.0.join(folder)).ok())
            .flat_map(|entries| entries.take(MOST).flatten().map(|entry| entry.path()))
            .filter(|link| same(link, node))
            .collect();
        // `by-id` sorts before `by-path`, which changes with the socket.
        links.sort();
        links
    }

    /// The name of a node that lasts longest.
    pub(super) fn stable(&self, node: &Path) -> PathBuf {
        self.links(node).into_iter().next().unwrap_or_else(|| node.to_owned())
    }

    /// Programs that have a node open, as `name (process)`; those of other users cannot be seen.
    pub(super) fn holders(&self, node: &Path) -> Vec<String> {
        let Ok(processes) = fs::read_dir(self.0.join("proc")) else { return Vec::new() };
        let node = node.canonicalize().unwrap_or_else(|_| node.to_owned());
        let mine = std::process::id().to_string();
        let holds = |folder: &Path| {
            let files = fs::read_dir(folder.join("fd")).ok();
            let mut files = files.into_iter().flat_map(|files| files.take(MOST).flatten());
            files.any(|file| fs::read_link(file.path()).is_ok_and(|target| target == node))
        };
        let mut holders = Vec::new();
        for process in processes.take(MOST).flatten() {
            let number = process.file_name().to_string_lossy().into_owned();
            if number.parse::<u32>().is_ok() && number != mine && holds(&process.path()) {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                holders.push(format!("{} (process {number})", name.trim()));
            }
        }
        holders
    }

    /// The group that may open a node, by its name where there is one.
    pub(super) fn group(&self, node: &Path) -> String {
        use std::os::unix::fs::MetadataExt;
        let number = fs::metadata(node).map_or(0, |about| about.gid());
        if number == 0 {
            return "video".to_owned();
        }
        let groups = fs::read_to_string(self.0.join("etc/group")).unwrap_or_default();
        let named = groups.lines().find_map(|line| {
            let mut parts = line.split(':');
            let name = parts.next()?;
            (parts.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
        });
        named.unwrap_or_else(|| number.to_string())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned()
}

fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A device with two cameras, the first of which has a node for metadata, too.
    fn device() -> (tempfile::TempDir, System) {
        let root = tempfile::tempdir().expect("a folder");
        let system = System(root.path().canonicalize().expect("a folder"));
        let below = |path: &str| system.0.join(path);
        for (node, index, name) in [
            ("video1", 1, "HD Webcam: metadata"),
            ("video0", 0, "HD Webcam"),
            ("video10", 0, "vi-output, imx219 9-0010"),
        ] {
            let folder = below("sys/class/video4linux").join(node);
            fs::create_dir_all(&folder).expect("made");
            fs::write(folder.join("index"), format!("{index}\n")).expect("written");
            fs::write(folder.join("name"), format!("{name}\n")).expect("written");
            fs::create_dir_all(below("dev/v4l/by-id")).expect("made");
            fs::write(below("dev").join(node), "").expect("written");
        }
        let link = below("dev/v4l/by-id/usb-Maker_HD_Webcam_A1-video-index0");
        symlink(below("dev/video0"), link).expect("linked");
        (root, system)
    }

    #[test]
    fn a_camera_is_found_by_nothing_by_path_and_by_a_part_of_its_name() {
        let (_root, system) = device();
        let names = |name: &str| -> Vec<String> {
            system.nodes(name).iter().map(|node| file_name(node)).collect()
        };
        assert_eq!(names(""), ["video0", "video10", "video1"], "first nodes first");
        assert_eq!(names("IMX219"), ["video10"]);
        assert_eq!(names("maker_hd"), ["video0"]);
        assert_eq!(names("webcam"), ["video0", "video1"]);
        assert!(names("telescope").is_empty());
        let link = system.0.join("dev/v4l/by-id/usb-Maker_HD_Webcam_A1-video-index0");
        assert_eq!(system.nodes(&link.to_string_lossy()), std::slice::from_ref(&link));
        assert!(system.nodes("/dev/v4l/by-id/none").is_empty());
        assert_eq!(system.card(&link), "HD Webcam");
        assert_eq!(system.stable(&system.0.join("dev/video0")), link);
        assert_eq!(system.stable(&system.0.join("dev/video10")), system.0.join("dev/video10"));
    }

    #[test]
    fn who_holds_a_camera_is_named() {
        let (_root, system) = device();
        let node = system.0.join("dev/video0");
        assert!(system.holders(&node).is_empty());
        let files = system.0.join("proc/4242/fd");
        fs::create_dir_all(&files).expect("made");
        fs::write(system.0.join("proc/4242/comm"), "cheese\n").expect("written");
        symlink(&node, files.join("7")).expect("linked");
        assert_eq!(system.holders(&node), ["cheese (process 4242)"]);
    }

    #[test]
    fn without_cameras_there_are_none() {
        let root = tempfile::tempdir().expect("a folder");
        let system = System(root.path().to_owned());
        assert!(system.nodes("").is_empty());
        assert_eq!(system.card(Path::new("/dev/video0")), "");
    }
}
