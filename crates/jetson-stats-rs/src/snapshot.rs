//! Everything that was read at one moment.

use std::time::{Duration, SystemTime};

use crate::{
    board::Board,
    clocks::{Emc, Engine},
    cpu::Cpu,
    gpu::Gpu,
    hwmon::{ChipTemperature, Fan, OverCurrent},
    memory::Memory,
    mode::PowerMode,
    peripherals::Peripherals,
    power::Power,
    processes::Process,
    reading::Reading,
    storage::Storage,
    thermal::Thermal,
};

/// Everything that was read at one moment. What a late collector would have told is absent here.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Snapshot {
    /// When the round began.
    #[cfg_attr(feature = "serde", serde(serialize_with = "unix_time"))]
    pub taken: SystemTime,
    /// The machine.
    pub board: Board,
    /// Its processor.
    pub cpu: Cpu,
    /// Its graphics processors.
    pub gpus: Vec<Gpu>,
    /// Its memory controller.
    pub emc: Emc,
    /// Its engines for video and vision.
    pub engines: Vec<Engine>,
    /// How warm it is.
    pub thermal: Thermal,
    /// What its chips of the hwmon class say about their temperature; for PCs.
    pub chip_temperatures: Vec<ChipTemperature>,
    /// What it takes.
    pub power: Power,
    /// How often its supply was too weak.
    pub overcurrent: Vec<OverCurrent>,
    /// Its fans.
    pub fans: Vec<Fan>,
    /// How the fans are to run: `quiet`, `cool`.
    pub fan_profile: Reading<String>,
    /// Its power mode.
    pub mode: PowerMode,
    /// Its memory.
    pub memory: Memory,
    /// Who holds memory of the graphics processor.
    pub processes: Reading<Vec<Process>>,
    /// Its disks.
    pub storage: Storage,
    /// With what it sees, hears, speaks and shows.
    pub peripherals: Peripherals,
    /// How the reading itself went.
    pub collectors: Vec<CollectorReport>,
    /// What NVML says of the same devices.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) nvml: Vec<Gpu>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) nvml_processes: Vec<Process>,
}

/// How the reading of one group went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CollectorReport {
    /// Which group.
    pub name: &'static str,
    /// How long it took, or has taken so far.
    #[cfg_attr(feature = "serde", serde(serialize_with = "seconds"))]
    pub took: Duration,
    /// Whether it did not answer in time, so that its group is empty.
    pub late: bool,
    /// The first thing that went wrong, if any. An absent or offline sensor and a lack of rights are
    /// not wrong.
    pub fault: Option<String>,
}

impl CollectorReport {
    /// Whether nothing went wrong.
    pub fn is_success(&self) -> bool {
        self.fault.is_none()
    }
}

impl Snapshot {
    pub(crate) fn new(taken: SystemTime) -> Self {
        Self {
            taken,
            board: Board::default(),
            cpu: Cpu::default(),
            gpus: Vec::new(),
            emc: Emc::default(),
            engines: Vec::new(),
            thermal: Thermal::default(),
            chip_temperatures: Vec::new(),
            power: Power::default(),
            overcurrent: Vec::new(),
            fans: Vec::new(),
            fan_profile: Reading::Absent,
            mode: PowerMode::default(),
            memory: Memory::default(),
            processes: Reading::Absent,
            storage: Storage::default(),
            peripherals: Peripherals::default(),
            collectors: Vec::new(),
            nvml: Vec::new(),
            nvml_processes: Vec::new(),
        }
    }

    /// Joins what two sources say of the same thing.
    pub(crate) fn finish(&mut self) {
        let told = std::mem::take(&mut self.nvml);
        // An integrated device is the only one; where sysfs knows it too, NVML adds what is missing.
        match (&mut self.gpus[..], &told[..]) {
            ([], _) => self.gpus = told,
            ([gpu, ..], [other, ..]) => gpu.complete(other),
            _ => {}
        }
        let processes = std::mem::take(&mut self.nvml_processes);
        if !processes.is_empty() && !self.processes.is_value() {
            self.processes = Reading::Value(processes);
        }
    }

    /// Takes the group of a late collector from an earlier snapshot, for those who would rather show
    /// a value of a second ago than none.
    pub fn keep(&mut self, collector: &str, earlier: &Self) {
        match collector {
            "board" => self.board = earlier.board.clone(),
            "cpu" => self.cpu = earlier.cpu.clone(),
            "gpu" => self.gpus.clone_from(&earlier.gpus),
            "nvml" => {
                match (&mut self.gpus[..], &earlier.gpus[..]) {
                    ([], _) => self.gpus.clone_from(&earlier.gpus),
                    ([gpu, ..], [other, ..]) => gpu.complete(other),
                    _ => {}
                }
                if !self.processes.is_value() {
                    self.processes = earlier.processes.clone();
                }
            }
            "clocks" => {
                self.emc = earlier.emc.clone();
                self.engines.clone_from(&earlier.engines);
            }
            "thermal" => self.thermal = earlier.thermal.clone(),
            "power" => self.power = earlier.power.clone(),
            "hwmon" => {
                self.overcurrent.clone_from(&earlier.overcurrent);
                self.fans.clone_from(&earlier.fans);
                self.fan_profile = earlier.fan_profile.clone();
                self.chip_temperatures.clone_from(&earlier.chip_temperatures);
            }
            "mode" => self.mode = earlier.mode.clone(),
            "memory" => self.memory = earlier.memory.clone(),
            "processes" => self.processes = earlier.processes.clone(),
            "storage" => self.storage = earlier.storage.clone(),
            "peripherals" => self.peripherals = earlier.peripherals.clone(),
            _ => {}
        }
    }

    /// Whether all clocks are held at one speed, as `jetson_clocks` does; absent where no graphics
    /// processor has a clock that could be compared.
    pub fn clocks_locked(&self) -> Reading<bool> {
        let cpu =
            self.cpu.policies.iter().map(|policy| (&policy.min_frequency, &policy.max_frequency));
        let gpu: Vec<_> = self
            .gpus
            .iter()
            .filter(|gpu| gpu.min_frequency.is_value())
            .map(|gpu| (&gpu.min_frequency, &gpu.max_frequency))
            .collect();
        if gpu.is_empty() || self.cpu.policies.is_empty() {
            return Reading::Absent;
        }
        let mut locked = true;
        for (min, max) in cpu.chain(gpu) {
            match (min, max) {
                (Reading::Value(min), Reading::Value(max)) => locked &= min == max,
                _ => return Reading::Absent,
            }
        }
        if let (Reading::Value(now), Reading::Value(max)) =
            (&self.emc.frequency, &self.emc.max_frequency)
        {
            locked &= now == max;
        }
        Reading::Value(locked)
    }
}

#[cfg(feature = "serde")]
fn unix_time<S: serde::Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    to.serialize_f64(since.as_secs_f64())
}

#[cfg(feature = "serde")]
fn seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}
