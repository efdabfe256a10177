//! A graphics card: who may have it, what is plugged into it, and which of it is taken.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use drm::{
    Device as _, DriverCapability,
    control::{Device as _, Mode, ModeFlags, ModeTypeFlags, ResourceHandles, connector, crtc},
};
use thiserror::Error;

use super::{edid, mode::Timing};

/// Why there is no screen.
#[derive(Debug, Error)]
pub enum Unusable {
    /// The kernel knows no graphics card.
    #[error("there is no graphics card: {0} holds no card; is its driver loaded?")]
    NoCard(String),
    /// We may not use it.
    #[error(
        "{card} may not be used: add the daemon's user to the group {group} (for example \
         `usermod -aG {group} linly`) and start it again"
    )]
    Denied {
        /// The card.
        card: String,
        /// Who may.
        group: String,
    },
    /// Somebody else draws on it.
    #[error(
        "{card} is in use by {holder}; end it (on a box with a desktop: `systemctl set-default \
         multi-user.target`, then restart) and start again"
    )]
    Busy {
        /// The card.
        card: String,
        /// Its name and number, as far as we may know.
        holder: String,
    },
    /// Nothing is plugged in.
    #[error("no screen is connected ({0}); plug one in, or name its connector in screen.connector")]
    NoPanel(String),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// An open card that only we may draw on.
#[derive(Debug)]
pub(super) struct Card {
    file: File,
    /// `/dev/dri/card0`.
    pub(super) node: PathBuf,
}

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl drm::Device for Card {}
impl drm::control::Device for Card {}

/// A connector with a panel, and what it would be driven with.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) card: Card,
    pub(super) connector: connector::Handle,
    /// `HDMI-A-1`.
    pub(super) name: String,
    pub(super) modes: Vec<Mode>,
    pub(super) crtcs: Vec<crtc::Handle>,
    pub(super) panel: Option<String>,
}

/// The nodes of all cards below `folder`, in order.
pub(super) fn nodes(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut nodes: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.strip_prefix("card").is_some_and(|number| number.parse::<u32>().is_ok())
        })
        .collect();
    nodes.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    nodes
}

/// The first panel on the wished card and connector; empty wishes take any.
pub(super) fn find(card: &Path, connector: &str) -> Result<Found, Unusable> {
    let folder = Path::new(super::NODES);
    let nodes = if card.as_os_str().is_empty() { nodes(folder) } else { vec![card.to_owned()] };
    if nodes.is_empty() {
        return Err(Unusable::NoCard(folder.display().to_string()));
    }
    let mut wrong: Option<Unusable> = None;
    let mut seen = Vec::new();
    for node in nodes {
        let found = Card::open(&node).and_then(|card| {
            let told = card.panel(connector, &mut seen)?;
            Ok(told.map(|(info, modes, crtcs, panel)| Found {
                connector: info.handle(),
                name: info.to_string(),
                card,
                modes,
                crtcs,
                panel,
            }))
        });
        match found {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            // What one may not use says more than what is no screen at all.
            Err(error) => match wrong {
                Some(Unusable::Denied { .. } | Unusable::Busy { .. }) => {}
                _ => wrong = Some(error),
            },
        }
    }
    match wrong {
        Some(error) if seen.is_empty() => Err(error),
        _ => Err(Unusable::NoPanel(seen.join(", "))),
    }
}

type Panel = (connector::Info, Vec<Mode>, Vec<crtc::Handle>, Option<String>);

impl Card {
    fn open(node: &Path) -> Result<Self, Unusable> {
        let told = node.display().to_string();
        // Without waiting: a flip that never comes is looked for with a deadline.
        let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(node);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => {
                Unusable::Denied { card: told.clone(), group: group(node) }
            }
            _ => anyhow!(error).context(format!("{told} cannot be opened")).into(),
        })?;
        let card = Self { file, node: node.to_owned() };
        if card.get_driver_capability(DriverCapability::DumbBuffer).unwrap_or(0) == 0 {
            return Err(anyhow!("{told} draws for others only and has no screen of its own").into());
        }
        // The first to open a card owns it; asking again does no harm.
        card.acquire_master_lock().map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ResourceBusy => {
                Unusable::Busy { card: told.clone(), holder: holder(Path::new("/proc"), node) }
            }
            _ => anyhow!(error).context(format!("{told} cannot be taken")).into(),
        })?;
        Ok(card)
    }

    /// The panel to use, if there is one here; `seen` is told of all connectors.
    fn panel(&self, wished: &str, seen: &mut Vec<String>) -> Result<Option<Panel>> {
        let told = self.node.display();
        let resources =
            self.resource_handles().with_context(|| format!("{told} does not tell what it has"))?;
        let mut candidates = Vec::new();
        for &handle in resources.connectors() {
            let Ok(info) = self.get_connector(handle, true) else { continue };
            // Writing back to memory is no screen.
            if info.interface() == connector::Interface::Writeback {
                continue;
            }
            let card = self.node.file_name().unwrap_or_default().to_string_lossy();
            let name = info.to_string();
            let state = match info.state() {
                connector::State::Connected => "connected",
                connector::State::Disconnected => "disconnected",
                connector::State::Unknown => "unknown",
            };
            seen.push(format!("{card}-{name} {state}"));
            let named = wished == name || wished == format!("{card}-{name}");
            if !wished.is_empty() && !named {
                continue;
            }
            match info.state() {
                connector::State::Connected => candidates.insert(0, info),
                // Some panels cannot be felt; whoever names one knows that it is there.
                connector::State::Unknown if named || !info.modes().is_empty() => {
                    candidates.push(info);
                }
                _ => {}
            }
        }
        // The first in the kernel's order among those that are connected.
        let connected = |info: &connector::Info| info.state() == connector::State::Connected;
        let count = candidates.iter().filter(|info| connected(info)).count();
        candidates[..count].reverse();
        for info in candidates {
            let crtcs = self.crtcs(&info, &resources);
            if info.modes().is_empty() || crtcs.is_empty() {
                continue;
            }
            let panel = self.edid(info.handle()).and_then(|bytes| edid::name(&bytes));
            let modes = info.modes().to_vec();
            return Ok(Some((info, modes, crtcs, panel)));
        }
        Ok(None)
    }

    /// What can drive a connector: what does so already first.
    fn crtcs(&self, info: &connector::Info, resources: &ResourceHandles) -> Vec<crtc::Handle> {
        let current = info.current_encoder().and_then(|encoder| self.get_encoder(encoder).ok());
        let mut crtcs: Vec<_> = current.and_then(|encoder| encoder.crtc()).into_iter().collect();
        for &encoder in info.encoders() {
            let Ok(encoder) = self.get_encoder(encoder) else { continue };
            for crtc in resources.filter_crtcs(encoder.possible_crtcs()) {
                if !crtcs.contains(&crtc) {
                    crtcs.push(crtc);
                }
            }
        }
        crtcs
    }

    fn edid(&self, connector: connector::Handle) -> Option<Vec<u8>> {
        let properties = self.get_properties(connector).ok()?;
        for (&handle, &value) in &properties {
            let Ok(property) = self.get_property(handle) else { continue };
            if property.name().to_bytes() == b"EDID" && value != 0 {
                return self.get_property_blob(value).ok();
            }
        }
        None
    }

    /// Darkens what else this card lights, so that no console is seen there.
    pub(super) fn darken_others(&self, ours: crtc::Handle) {
        let Ok(resources) = self.resource_handles() else { return };
        for &other in resources.crtcs().iter().filter(|&&crtc| crtc != ours) {
            if self.get_crtc(other).is_ok_and(|info| info.mode().is_some()) {
                let _ = self.set_crtc(other, None, (0, 0), &[], None);
            }
        }
    }

    /// Hides the pointer.
    pub(super) fn hide_cursor(&self, crtc: crtc::Handle) {
        #[expect(deprecated, reason = "the plane that replaces it needs the atomic interface")]
        let _ = self.set_cursor(crtc, None::<&drm::control::dumbbuffer::DumbBuffer>);
    }
}

/// What a mode is, for choosing.
pub(super) fn timing(mode: &Mode) -> Timing {
    let (width, height) = mode.size();
    let total = u64::from(mode.hsync().2) * u64::from(mode.vsync().2);
    // The clock is in kilohertz; a driver may leave it out.
    let millihertz = match u64::from(mode.clock()) * 1_000_000 / total.max(1) {
        0 => mode.vrefresh().max(1) * 1000,
        found => found.min(1_000_000) as u32,
    };
    let interlaced = mode.flags().contains(ModeFlags::INTERLACE);
    Timing {
        width: width.into(),
        height: height.into(),
        // Both halves of the rows make one picture, but each is shown by itself.
        millihertz: if interlaced { millihertz * 2 } else { millihertz },
        preferred: mode.mode_type().contains(ModeTypeFlags::PREFERRED),
        interlaced,
    }
}

/// The name of the group that may use a device, `video` where it cannot be told.
pub(crate) fn group(node: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let id = fs::metadata(node).map(|about| about.gid()).unwrap_or_default();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let named = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse::<u32>().ok()? == id).then(|| name.to_owned())
    });
    named.filter(|name| name != "root").unwrap_or_else(|| "video".to_owned())
}

/// Who else has a device open: names and numbers of processes, as far as we may see them.
pub(super) fn holder(processes: &Path, node: &Path) -> String {
    let us = std::process::id();
    let mut found = Vec::new();
    for entry in fs::read_dir(processes).into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let open = fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        let has = |file: fs::DirEntry| fs::read_link(file.path()).is_ok_and(|at| at == node);
        if id != us && open.into_iter().any(has) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            found.push(format!("{} (process {id})", name.trim()));
        }
    }
    found.truncate(3);
    if found.is_empty() {
        "another program (root may see which: `fuser -v` the device)".to_owned()
    } else {
        found.join(", ")
    }
}

/// Whether the kernel says that a panel is connected: `name` as in `HDMI-A-1`, empty for any.
///
/// Reading this asks nobody: the kernel has noticed by itself, or has not.
pub(super) fn connected(classes: &Path, card: Option<&Path>, name: &str) -> bool {
    let card =
        card.and_then(|node| node.file_name()).map(|card| card.to_string_lossy().into_owned());
    let entries = fs::read_dir(classes).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let entry_name = entry.file_name().to_string_lossy().into_owned();
        let Some((its_card, connector)) = entry_name.split_once('-') else { return false };
        let wanted = name.is_empty() || name == connector || name == entry_name;
        let on_card = card.as_ref().is_none_or(|card| card == its_card);
        let status = || fs::read_to_string(entry.path().join("status"));
        wanted && on_card && status().is_ok_and(|status| status.trim() != "disconnected")
    })
}

/// Whether an error means that the panel, the card, or our right to it is gone, and may come back.
pub(super) fn lost(error: &io::Error) -> bool {
    // By number: the kernel's ENODEV and EIO have no names in std.
    const LOST: [rustix::io::Errno; 8] = {
        use rustix::io::Errno;
        [
            Errno::ACCESS,
            Errno::BUSY,
            Errno::INVAL,
            Errno::IO,
            Errno::NODEV,
            Errno::NOENT,
            Errno::NXIO,
            Errno::TIMEDOUT,
        ]
    };
    LOST.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
        || matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_are_looked_up_where_the_kernel_lists_them() {
        let root = tempfile::tempdir().unwrap();
        let add = |name: &str, status: &str| {
            let folder = root.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("status"), status).unwrap();
        };
        add("card0-HDMI-A-1", "disconnected\n");
        fs::create_dir_all(root.path().join("card0")).unwrap();
        let (card0, card1) = (Path::new("/dev/dri/card0"), Path::new("/dev/dri/card1"));
        assert!(!connected(root.path(), None, ""));
        add("card1-DP-2", "connected\n");
        add("card1-DPI-1", "unknown\n");
        assert!(connected(root.path(), None, ""));
        assert!(connected(root.path(), Some(card1), "DP-2"));
        assert!(connected(root.path(), None, "card1-DP-2"));
        assert!(connected(root.path(), None, "DPI-1"), "some panels cannot be felt");
        assert!(!connected(root.path(), Some(card0), "DP-2"));
        assert!(!connected(root.path(), None, "HDMI-A-1"));
        assert!(!connected(&root.path().join("none"), None, ""));
    }

    #[test]
    fn whoever_has_the_card_is_named() {
        let root = tempfile::tempdir().unwrap();
        let node = root.path().join("card0");
        let process = root.path().join("4711");
        fs::create_dir_all(process.join("fd")).unwrap();
        assert!(holder(root.path(), &node).contains("another program"));
        std::os::unix::fs::symlink(&node, process.join("fd/7")).unwrap();
        fs::write(process.join("comm"), "Xorg\n").unwrap();
        assert_eq!(holder(root.path(), &node), "Xorg (process 4711)");
    }

    #[test]
    fn cards_are_tried_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["card10", "card1", "renderD128", "card0", "by-path", "cardx"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<_> = nodes(folder.path())
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["card0", "card1", "card10"]);
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let denied = Unusable::Denied { card: "/dev/dri/card0".into(), group: "video".into() };
        assert!(denied.to_string().contains("usermod -aG video"), "{denied}");
        assert!(lost(&io::Error::from_raw_os_error(13)));
        assert!(!lost(&io::Error::from_raw_os_error(12)), "no memory is another matter");
    }
}
