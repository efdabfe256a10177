//! The memory controller's clock, and the engines for video and vision.

use crate::{
    Collector, Files, gpu,
    reading::Reading,
    text,
    units::{Hertz, Ratio, Seconds},
};

/// The most engines that are told.
pub const MOST_ENGINES: usize = 12;

/// The memory controller.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Emc {
    /// Its clock; root only before Thor.
    pub frequency: Reading<Hertz>,
    /// The most that the clock can be.
    pub max_frequency: Reading<Hertz>,
    /// The most that the power mode allows; absent where it sets no limit.
    pub cap: Reading<Hertz>,
    /// How busy the controller is, by its activity monitor; root only, and not calibrated on a board.
    pub utilisation: Reading<Ratio>,
}

/// An engine beside the processor: video, pictures, vision.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Engine {
    /// `nvenc`, `nvdec`, `nvjpg`, `vic`, `ofa`, `nvdla0`, …
    pub name: String,
    /// Its clock.
    pub frequency: Reading<Hertz>,
    /// Whether it has no power because nobody uses it.
    pub suspended: Reading<bool>,
    /// How long it has had power since the machine started: somebody used it for at most that long.
    pub active: Reading<Seconds>,
}

/// What [`Clocks`] reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticking {
    pub(crate) emc: Emc,
    pub(crate) engines: Vec<Engine>,
}

#[derive(Debug, Default)]
pub(crate) struct Clocks {
    engines: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    name: String,
    frequency: String,
    device: Option<String>,
}

/// Engines by the beginning of their names.
const ENGINES: [&str; 11] =
    ["nvenc", "msenc", "nvdec", "nvjpg", "vic", "ofa", "nvdla", "dla", "pva", "gpu-nvd", "ape"];

impl Collector for Clocks {
    type Part = Ticking;
    const NAME: &'static str = "clocks";

    fn look(&mut self, files: &Files) -> bool {
        let mut engines: Vec<Place> = Vec::new();
        for path in files.entries("sys/class/devfreq", "") {
            // `15480000.nvdec`: its address, its name.
            let folder = path.rsplit('/').next().unwrap_or_default();
            let name = folder.split_once('.').map_or(folder, |(_, name)| name);
            if is_engine(name) && !gpu::is_gpu(name) {
                engines.push(Place {
                    name: text::name(name),
                    frequency: format!("{path}/cur_freq"),
                    device: Some(format!("{path}/device")),
                });
            }
        }
        // The clock tree of older releases; root only.
        for name in files.list("sys/kernel/debug/clk") {
            // Names with a dot are helper clocks.
            if is_engine(&name) && !name.contains('.') && engines.iter().all(|e| e.name != name) {
                engines.push(Place {
                    frequency: format!("sys/kernel/debug/clk/{name}/clk_rate"),
                    name: text::name(&name),
                    device: None,
                });
            }
        }
        engines.truncate(MOST_ENGINES);
        text::distinct(&mut engines, |engine| &mut engine.name);
        self.engines = engines;
        true
    }

    fn read(&mut self, files: &Files) -> Ticking {
        Ticking {
            emc: emc(files),
            engines: self.engines.iter().map(|e| engine(files, e)).collect(),
        }
    }
}

fn is_engine(name: &str) -> bool {
    ENGINES.iter().any(|known| name.starts_with(known))
}

fn engine(files: &Files, place: &Place) -> Engine {
    let device = |name: &str| place.device.as_ref().map(|device| format!("{device}/power/{name}"));
    let active = device("runtime_active_time").map_or(Reading::Absent, |path| files.count(&path));
    let status = device("runtime_status").map_or(Reading::Absent, |path| files.text(&path));
    Engine {
        name: place.name.clone(),
        frequency: hertz(files, &place.frequency),
        suspended: status.map(|status| status == "suspended"),
        active: active.map(|ms| Seconds(ms as f64 / 1000.0)),
    }
}

fn hertz(files: &Files, path: &str) -> Reading<Hertz> {
    files.count(path).map(|hertz| Hertz(hertz as f64))
}

/// The first of the paths that is there.
fn first<T>(paths: &[&str], read: impl Fn(&str) -> Reading<T>) -> Reading<T> {
    paths.iter().map(|path| read(path)).find(|reading| !reading.is_absent()).unwrap_or_default()
}

fn emc(files: &Files) -> Emc {
    let rate = |paths: &[&str]| first(paths, |path| hertz(files, path));
    let frequency = rate(&[
        "sys/class/devfreq/bwmgr/cur_freq",
        "sys/kernel/debug/bpmp/debug/clk/emc/rate",
        "sys/kernel/debug/clk/override.emc/clk_rate",
        "sys/kernel/debug/clk/emc/clk_rate",
    ]);
    let max_frequency = rate(&[
        "sys/class/devfreq/bwmgr/max_freq",
        "sys/kernel/debug/bpmp/debug/clk/emc/max_rate",
        "sys/kernel/tegra_bwmgr/emc_max_rate",
    ]);
    let cap = rate(&["sys/kernel/nvpmodel_clk_cap/emc", "sys/kernel/nvpmodel_emc_cap/emc_iso_cap"]);
    let activity = first(
        &[
            "sys/kernel/debug/cactmon/mc_all",
            "sys/kernel/debug/bpmp/debug/actmon/mc_all_avg_activity",
            "sys/kernel/actmon_avg_activity/mc_all",
        ],
        |path| files.count(path),
    );
    let utilisation = match (&frequency, activity) {
        (Reading::Value(Hertz(rate)), Reading::Value(activity)) if *rate > 0.0 => {
            // One step of the monitor stands for 10 Hz.
            match activity as f64 * 10.0 / rate {
                ratio if ratio <= 1.0 => Reading::Value(Ratio(ratio)),
                // It is averaged over a time in which the clock was higher.
                _ => Reading::Value(Ratio(1.0)),
            }
        }
        (_, activity) => match activity {
            Reading::Failed(failure) => Reading::Failed(failure),
            _ => Reading::Absent,
        },
    };
    // 0 and the largest number of 31 bits both mean that there is no cap.
    let cap = match cap {
        Reading::Value(Hertz(cap)) if cap <= 0.0 || cap == f64::from(i32::MAX) => Reading::Absent,
        cap => cap,
    };
    Emc { frequency, max_frequency, cap, utilisation }
}
