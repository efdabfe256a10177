//! The graphics processor, from sysfs.

use crate::{
    Collector, Files,
    reading::Reading,
    text,
    units::{Bytes, Celsius, Hertz, Ratio, Watts},
};

/// The most graphics processors that are told.
pub const MOST_GPUS: usize = 4;

/// A graphics processor.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Gpu {
    /// Its name: that of the device, or of the product.
    pub name: String,
    /// How busy it was in the driver's own window. Averages of this lie; integrate it.
    pub load: Reading<Ratio>,
    /// Its clock.
    pub frequency: Reading<Hertz>,
    /// The least that its clock may be.
    pub min_frequency: Reading<Hertz>,
    /// The most that its clock may be.
    pub max_frequency: Reading<Hertz>,
    /// Who sets the clock.
    pub governor: Reading<String>,
    /// Whether it has no power because nobody uses it; explains why its temperature is offline.
    pub suspended: Reading<bool>,
    /// Whether its power may be cut while nobody uses it.
    pub railgating: Reading<bool>,
    /// Clusters that the power mode has switched off, as a mask.
    pub tpc_mask: Reading<u64>,
    /// Whether its clock follows the load; gone with JetPack 7, where the governor says it.
    pub scaling: Reading<bool>,
    /// Memory of its own that is taken; absent where it shares that of the machine.
    pub memory_used: Reading<Bytes>,
    /// Memory of its own.
    pub memory_total: Reading<Bytes>,
    /// How warm it is, where its driver tells; on a Jetson see the thermal zones.
    pub temperature: Reading<Celsius>,
    /// What it takes, where its driver tells; on a Jetson see the rails.
    pub power: Reading<Watts>,
}

impl Gpu {
    /// Takes what is absent here from what another source says of the same device.
    pub(crate) fn complete(&mut self, other: &Self) {
        fn fill<T: Clone>(into: &mut Reading<T>, from: &Reading<T>) {
            if into.is_absent() {
                *into = from.clone();
            }
        }
        fill(&mut self.load, &other.load);
        fill(&mut self.frequency, &other.frequency);
        fill(&mut self.max_frequency, &other.max_frequency);
        fill(&mut self.memory_used, &other.memory_used);
        fill(&mut self.memory_total, &other.memory_total);
        fill(&mut self.temperature, &other.temperature);
        fill(&mut self.power, &other.power);
    }
}

/// Where one is: its clocks and, where known, its load.
#[derive(Debug)]
struct Place {
    name: String,
    clocks: String,
    device: String,
    load: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Gpus(Vec<Place>);

/// Names that NVIDIA's device trees give; any with `gpu` in it is one as well.
const NAMES: [&str; 4] = ["gv11b", "gp10b", "ga10b", "gb10b"];

/// Where the load is found by older programs.
const ALIASES: [&str; 3] =
    ["sys/devices/gpu.0", "sys/devices/platform/gpu.0", "sys/devices/platform/bus@0/gpu.0"];

/// Whether a devfreq device is a graphics processor; `gpu-nvd-0` of Thor is its video engine.
pub(crate) fn is_gpu(name: &str) -> bool {
    (name.contains("gpu") || NAMES.iter().any(|known| name.contains(known)))
        && !name.contains("nvd")
}

impl Collector for Gpus {
    type Part = Vec<Gpu>;
    const NAME: &'static str = "gpu";

    fn look(&mut self, files: &Files) -> bool {
        self.0.clear();
        for clocks in files.entries("sys/class/devfreq", "") {
            let folder = clocks.rsplit('/').next().unwrap_or_default().to_owned();
            let device = format!("{clocks}/device");
            let node = files.name(&format!("{device}/of_node/name")).value();
            if self.0.len() < MOST_GPUS && (is_gpu(&folder) || node.as_deref().is_some_and(is_gpu))
            {
                let own = [format!("{device}/load")];
                let aliases = ALIASES.iter().map(|alias| format!("{alias}/load"));
                let load = own.into_iter().chain(aliases).find(|path| files.exists(path));
                self.0.push(Place { name: text::name(&folder), clocks, device, load });
            }
        }
        !self.0.is_empty()
    }

    fn read(&mut self, files: &Files) -> Vec<Gpu> {
        self.0.iter().map(|place| read(files, place)).collect()
    }
}

fn read(files: &Files, place: &Place) -> Gpu {
    let clock = |name: &str| {
        let reading = files.count(&format!("{}/{name}", place.clocks));
        reading.map(|hertz| Hertz(hertz as f64))
    };
    let device = |name: &str| format!("{}/{name}", place.device);
    let suspended = files.text(&device("power/runtime_status")).map(|status| status == "suspended");
    let load = place.load.as_deref().map_or(Reading::Absent, |path| {
        files.check(path, files.must(path), |load| match load {
            0..=1000 => Ok(Ratio(load as f64 / 1000.0)),
            _ => Err(format!("a load of {load} of 1000")),
        })
    });
    let clocks = format!("{}/cur_freq", place.clocks);
    Gpu {
        name: place.name.clone(),
        load,
        frequency: files.check(&clocks, files.must(&clocks), |hertz| {
            u64::try_from(hertz).map(|hertz| Hertz(hertz as f64)).map_err(|e| e.to_string())
        }),
        min_frequency: clock("min_freq"),
        max_frequency: clock("max_freq"),
        governor: files.name(&format!("{}/governor", place.clocks)),
        suspended,
        railgating: files.number(&device("railgate_enable")).map(|flag| flag != 0),
        tpc_mask: files.count(&device("tpc_pg_mask")),
        scaling: files.number(&device("enable_3d_scaling")).map(|flag| flag != 0),
        ..Gpu::default()
    }
}
