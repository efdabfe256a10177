//! Which machine this is, since when it runs, and why it started.

use crate::{Collector, Files, reading::Reading, text, units::Seconds};

/// The machine.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Board {
    /// What its maker calls it.
    pub model: Reading<String>,
    /// The module's part number, `p3767-0005`, from the device tree.
    pub module: Reading<String>,
    /// What the module is sold as, for the part numbers that are known.
    pub module_name: Reading<String>,
    /// The chip: `tegra234`, or the name of a PC's processor.
    pub soc: Reading<String>,
    /// The serial number.
    pub serial: Reading<String>,
    /// Release of Jetson Linux: `36.4.4`.
    pub l4t: Reading<String>,
    /// The JetPack that it belongs to, for the releases that are known.
    pub jetpack: Reading<String>,
    /// The kernel's release.
    pub kernel: Reading<String>,
    /// Name of the operating system, or of the image.
    pub os: Reading<String>,
    /// Its version.
    pub os_version: Reading<String>,
    /// One for each start of the machine.
    pub boot_id: Reading<String>,
    /// When the machine started, in seconds since 1970.
    pub booted: Reading<Seconds>,
    /// Why it started, in the words of the power controller: `SYS_RESET_N`, `WATCHDOG`.
    pub reset_reason: Reading<String>,
    /// How deep the reset went.
    pub reset_level: Reading<String>,
    /// Which of the two systems runs, where there are two.
    pub slot: Reading<Slot>,
}

/// One of two systems of which the other can be updated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Slot {
    /// `a` or `b`.
    pub name: String,
    /// Whether the firmware counts it as good; `unknown` where it does not say.
    pub state: String,
}

/// Part numbers of modules and what they are sold as.
const MODULES: &[(&str, &str)] = &[
    ("p3448-0000", "Jetson Nano"),
    ("p3448-0002", "Jetson Nano eMMC"),
    ("p3448-0003", "Jetson Nano 2GB"),
    ("p3668-0000", "Jetson Xavier NX"),
    ("p3668-0001", "Jetson Xavier NX"),
    ("p3668-0003", "Jetson Xavier NX 16GB"),
    ("p2888-0001", "Jetson AGX Xavier"),
    ("p2888-0004", "Jetson AGX Xavier"),
    ("p2888-0008", "Jetson AGX Xavier"),
    ("p3767-0000", "Jetson Orin NX 16GB"),
    ("p3767-0001", "Jetson Orin NX 8GB"),
    ("p3767-0003", "Jetson Orin Nano 8GB"),
    ("p3767-0004", "Jetson Orin Nano 4GB"),
    ("p3767-0005", "Jetson Orin Nano Developer Kit"),
    ("p3701-0000", "Jetson AGX Orin"),
    ("p3701-0004", "Jetson AGX Orin 32GB"),
    ("p3701-0005", "Jetson AGX Orin 64GB"),
    ("p3701-0008", "Jetson AGX Orin Industrial"),
    ("p3834-0008", "Jetson Thor T5000"),
];

/// Releases of Jetson Linux and the JetPack that each belongs to.
const JETPACKS: &[(&str, &str)] = &[
    ("32.7.6", "4.6.6"),
    ("35.4.1", "5.1.2"),
    ("35.6.4", "5.1.6"),
    ("36.3.0", "6.0"),
    ("36.4.0", "6.1"),
    ("36.4.3", "6.2"),
    ("36.4.4", "6.2.1"),
    ("36.4.7", "6.2.1"),
    ("36.5.0", "6.2.2"),
    ("38.2.0", "7.0"),
    ("38.2.1", "7.0"),
    ("38.2.2", "7.0"),
    ("38.4.0", "7.1"),
    ("39.2.0", "7.2"),
];

/// Reads once in a while, because none of it changes while the machine runs.
#[derive(Debug, Default)]
pub(crate) struct NamePlate(Board);

const TREE: &str = "proc/device-tree";
const DMI: &str = "sys/class/dmi/id";

impl Collector for NamePlate {
    type Part = Board;
    const NAME: &'static str = "board";

    fn look(&mut self, files: &Files) -> bool {
        let tree = |name: &str| {
            let twin = || files.name(&format!("sys/firmware/devicetree/base/{name}"));
            files.name(&format!("{TREE}/{name}")).or_else(twin)
        };
        let dmi = |name: &str| files.name(&format!("{DMI}/{name}"));
        let compatible = files.text(&format!("{TREE}/compatible")).value().unwrap_or_default();
        let module = module(&compatible);
        let sold_as = |number: &String| {
            let known = MODULES.iter().find(|(known, _)| known == number)?;
            Some(known.1.to_owned())
        };
        let l4t = files.text("etc/nv_tegra_release").value().and_then(|text| l4t(&text));
        let os_release = files
            .text("etc/os-release")
            .or_else(|| files.text("usr/lib/os-release"))
            .value()
            .unwrap_or_default();
        let cpu = || {
            let info = files.text("proc/cpuinfo").value()?;
            let line = info.lines().find(|line| line.starts_with("model name"))?;
            Some(text::name(line.split_once(':')?.1))
        };
        self.0 = Board {
            model: tree("model").or_else(|| dmi("product_name")),
            module_name: module.as_ref().and_then(sold_as).into(),
            module: module.into(),
            soc: soc(&compatible).or_else(cpu).into(),
            serial: tree("serial-number"),
            jetpack: l4t
                .as_ref()
                .and_then(|l4t| JETPACKS.iter().find(|(known, _)| known == l4t))
                .map(|(_, jetpack)| (*jetpack).to_owned())
                .into(),
            l4t: l4t.into(),
            kernel: files.name("proc/sys/kernel/osrelease"),
            os: text::assigned(&os_release, "ID").into(),
            os_version: text::assigned(&os_release, "VERSION_ID").into(),
            boot_id: files.name("proc/sys/kernel/random/boot_id"),
            booted: files
                .text("proc/stat")
                .value()
                .and_then(|text| text::field(&text, "btime"))
                .map(|seconds| Seconds(seconds as f64))
                .into(),
            reset_reason: reset(files, "reset_reason"),
            reset_level: reset(files, "reset_level"),
            slot: slot(files),
        };
        true
    }

    fn read(&mut self, _: &Files) -> Board {
        self.0.clone()
    }
}

/// The module among the part numbers: a known one, else the last, because a module follows its carrier.
fn module(compatible: &str) -> Option<String> {
    // `p3448-0000-b00` is revision b00 of `p3448-0000`.
    let number = |word: &str| {
        let number = word.get(..10)?;
        let (board, kind) = number.strip_prefix('p')?.split_once('-')?;
        let digits = |text: &str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        (digits(board) && digits(kind)).then(|| number.to_owned())
    };
    let mut numbers = compatible.split(['\0', '+', ',', ' ']).filter_map(number);
    let known = |number: &String| MODULES.iter().any(|(module, _)| module == number);
    numbers.clone().find(known).or_else(|| numbers.next_back())
}

fn soc(compatible: &str) -> Option<String> {
    let chip = |entry: &str| {
        let name = entry.strip_prefix("nvidia,")?;
        name.starts_with("tegra").then(|| text::name(name))
    };
    compatible.split('\0').find_map(chip)
}

/// `# R36 (release), REVISION: 4.4, …` → `36.4.4`.
fn l4t(text: &str) -> Option<String> {
    let line = text.lines().next()?;
    let (_, rest) = line.split_once('R')?;
    let major: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let (_, rest) = line.split_once("REVISION:")?;
    let minor: String =
        rest.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(16).collect();
    (!major.is_empty() && !minor.is_empty()).then(|| format!("{major}.{minor}"))
}

/// The power controller's folder lies at different places.
fn reset(files: &Files, name: &str) -> Reading<String> {
    for bus in ["sys/devices/platform/bus@0", "sys/devices/platform", "sys/devices"] {
        for folder in files.list(bus) {
            if folder.split_once('.').is_some_and(|(_, name)| name == "pmc") {
                let found = files.name(&format!("{bus}/{folder}/{name}"));
                if !found.is_absent() {
                    return found;
                }
            }
        }
    }
    Reading::Absent
}

/// From the firmware's variables, or from what the boot loader told the kernel.
fn slot(files: &Files) -> Reading<Slot> {
    const VARIABLES: &str = "sys/firmware/efi/efivars";
    const NVIDIA: &str = "781e084c-a330-417c-b678-38e696380cb9";
    let variable = |name: &str| files.word(&format!("{VARIABLES}/{name}-{NVIDIA}"));
    let command_line = files.text("proc/cmdline").value().unwrap_or_default();
    let told = command_line.split_whitespace().find_map(|word| {
        let (key, value) = word.split_once('=')?;
        let keys = ["boot.slot_suffix", "androidboot.slot_suffix", "rauc.slot"];
        let name = value.trim_start_matches('_').to_ascii_lowercase();
        (keys.contains(&key) && (name == "a" || name == "b")).then_some(name)
    });
    let chain = || match variable("BootChainOsCurrent").or_else(|| variable("BootChainFwCurrent")) {
        Reading::Value(0) => Some("a".to_owned()),
        Reading::Value(1) => Some("b".to_owned()),
        _ => None,
    };
    let Some(name) = told.or_else(chain) else { return Reading::Absent };
    let state = match variable(&format!("RootfsStatusSlot{}", name.to_ascii_uppercase())) {
        Reading::Value(0) => "normal",
        Reading::Value(0xff) => "unbootable",
        Reading::Value(_) => "other",
        _ => "unknown",
    };
    Reading::Value(Slot { name, state: state.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_module_is_found_behind_its_carrier() {
        let tree = "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0";
        assert_eq!(module(tree).as_deref(), Some("p3767-0005"));
        assert_eq!(soc(tree).as_deref(), Some("tegra234"));
        let tree = "nvidia,p3737-0000+p3701-0005\0nvidia,p3701-0005\0nvidia,tegra234\0";
        assert_eq!(module(tree).as_deref(), Some("p3701-0005"));
        let tree = "nvidia,p3449-0000-b00+p3448-0000-b00\0nvidia,jetson-nano\0nvidia,tegra210\0";
        assert_eq!(module(tree).as_deref(), Some("p3448-0000"));
        assert_eq!(module("raspberrypi,4-model-b\0brcm,bcm2711\0"), None);
    }

    #[test]
    fn the_release_is_read() {
        let line = "# R36 (release), REVISION: 4.4, GCID: 41062509, BOARD: generic";
        assert_eq!(l4t(line).as_deref(), Some("36.4.4"));
        assert_eq!(l4t("# R (release)"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*|(# R|REVISION:|nvidia,|p|[0-9.\0+-])*") {
            let _ = (module(&text), soc(&text), l4t(&text));
        }
    }
}
