//! Space on disks, and how worn they are.

use crate::{
    Collector, Files,
    reading::Reading,
    text,
    thermal::temperature,
    units::{Bytes, Celsius, Ratio},
};

/// The most disks that are told.
pub const MOST_DISKS: usize = 4;

/// What is stored where.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Storage {
    /// File systems that hold what the machine needs.
    pub mounts: Vec<Mount>,
    /// Disks.
    pub disks: Vec<Disk>,
}

/// A file system.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Mount {
    /// Where it is mounted.
    pub path: String,
    /// Its size.
    pub size: Reading<Bytes>,
    /// What programs may still write.
    pub available: Reading<Bytes>,
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Disk {
    /// `mmcblk0`, `nvme0n1`, `sda`.
    pub name: String,
    /// Read since the machine started.
    pub read: Reading<Bytes>,
    /// Written since the machine started.
    pub written: Reading<Bytes>,
    /// What of the single-level cells of an eMMC is used up, in tenths, as the upper bound of the step.
    pub wear_a: Reading<Ratio>,
    /// The same for its multi-level cells.
    pub wear_b: Reading<Ratio>,
    /// What an eMMC says about its spare blocks: 1 normal, 2 most are used, 3 nearly all.
    pub end_of_life: Reading<u64>,
    /// How warm an NVMe disk is.
    pub temperature: Reading<Celsius>,
}

/// File systems that are looked for: the system, the data of an appliance, and what changes.
const MOUNTS: [&str; 3] = ["/", "/data", "/var"];

#[derive(Debug, Default)]
pub(crate) struct Disks {
    mounts: Vec<&'static str>,
    disks: Vec<(String, Option<String>)>,
}

impl Collector for Disks {
    type Part = Storage;
    const NAME: &'static str = "storage";

    fn look(&mut self, files: &Files) -> bool {
        let mounted = files.text("proc/self/mounts").or_else(|| files.text("proc/mounts"));
        let mounted = mounted.value().unwrap_or_default();
        self.mounts = MOUNTS
            .into_iter()
            .filter(|path| mounted.lines().any(|line| line.split_whitespace().nth(1) == Some(path)))
            .collect();
        let is_disk = |name: &String| {
            // `mmcblk0boot0` and `mmcblk0rpmb` are parts of their disk.
            let whole = !name.contains("boot") && !name.contains("rpmb");
            whole && ["mmcblk", "nvme", "sd", "vd"].iter().any(|kind| name.starts_with(kind))
        };
        let heat = |name: &str| {
            let controller = name.split_once('n').and_then(|(_, rest)| rest.split_once('n'));
            let number = controller?.0.strip_prefix("vme")?;
            thermometer(files, number)
        };
        let names = files.list("sys/block").into_iter().filter(is_disk).take(MOST_DISKS);
        self.disks = names.map(|name| (name.clone(), heat(&name))).collect();
        !self.disks.is_empty()
    }

    fn read(&mut self, files: &Files) -> Storage {
        let mount = |path: &&str| {
            let space = files.space(path);
            Mount {
                path: (*path).to_owned(),
                size: space.clone().map(|(size, _)| Bytes(size)),
                available: space.map(|(_, free)| Bytes(free)),
            }
        };
        Storage {
            mounts: self.mounts.iter().map(mount).collect(),
            disks: self
                .disks
                .iter()
                .map(|(name, heat)| disk(files, name, heat.as_deref()))
                .collect(),
        }
    }
}

/// The temperature of the NVMe controller with this number, through the device that both belong to.
fn thermometer(files: &Files, number: &str) -> Option<String> {
    let chips: Vec<String> = files
        .entries("sys/class/hwmon", "hwmon")
        .into_iter()
        .filter(|chip| files.text(&format!("{chip}/name")).value().as_deref() == Some("nvme"))
        .collect();
    let device = files.canonical(&format!("sys/class/nvme/nvme{number}"));
    let own = chips.iter().find(|chip| {
        let of = files.canonical(&format!("{chip}/device"));
        of == device || device.parent().is_some_and(|parent| of == parent)
    });
    // One disk and one chip belong together even where nothing says so.
    let chip = own.or(if chips.len() == 1 { chips.first() } else { None })?;
    Some(format!("{chip}/temp1_input"))
}

fn disk(files: &Files, name: &str, heat: Option<&str>) -> Disk {
    /// What the kernel counts in, whatever the disk's own sectors.
    const SECTOR: u64 = 512;
    let path = |file: &str| format!("sys/block/{name}/{file}");
    let counts = files.text(&path("stat")).map(|text| text::numbers(&text));
    let bytes = |column: usize| {
        let sectors = files.check(&path("stat"), counts.clone(), |counts| {
            counts.get(column).copied().ok_or_else(|| "too few columns".to_owned())
        });
        sectors.map(|sectors| Bytes(sectors.saturating_mul(SECTOR)))
    };
    let wear = |which: usize| {
        files.parse(&path("device/life_time"), |text| {
            match text::number(text.split_whitespace().nth(which)?.as_bytes())? {
                // JEDEC eMMC 5.0: step n means that up to n tenths are used; 11 is beyond the end.
                step @ 1..=11 => Some(Some(Ratio((step as f64 / 10.0).min(1.0)))),
                0 => Some(None),
                _ => None,
            }
        })
    };
    let some = |wear: Reading<Option<Ratio>>| match wear {
        Reading::Value(Some(wear)) => Reading::Value(wear),
        // 0 means that the disk does not say.
        Reading::Value(None) => Reading::Absent,
        other => other.map(|_| Ratio(0.0)),
    };
    Disk {
        name: text::name(name),
        read: bytes(2),
        written: bytes(6),
        wear_a: some(wear(0)),
        wear_b: some(wear(1)),
        end_of_life: files.count(&path("device/pre_eol_info")),
        temperature: heat.map_or(Reading::Absent, |path| temperature(files, path)),
    }
}
