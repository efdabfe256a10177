#![doc = include_str!("../README.md")]

mod board;
mod clocks;
mod cpu;
mod files;
#[cfg(feature = "fixtures")]
pub mod fixtures;
mod gpu;
mod hwmon;
mod jetson;
mod lane;
mod memory;
mod mode;
#[cfg(feature = "nvml")]
mod nvml;
mod peripherals;
mod power;
mod processes;
mod reading;
mod snapshot;
mod storage;
mod text;
mod thermal;
mod units;

pub use board::{Board, Slot};
pub use clocks::{Emc, Engine, MOST_ENGINES};
pub use cpu::{Cpu, MOST_POLICIES, Policy, Pressure, Times};
pub use gpu::{Gpu, MOST_GPUS};
pub use hwmon::{ChipTemperature, Fan, MOST_COUNTERS, MOST_FANS, MOST_TEMPERATURES, OverCurrent};
pub use jetson::{Builder, Jetson};
pub use memory::Memory;
pub use mode::{MOST_MODES, Mode, PowerMode};
pub use peripherals::Peripherals;
pub use power::{BoardSource, MOST_RAILS, MOST_SUPPLIES, Power, Rail, Supply};
pub use processes::{MOST_PROCESSES, Process};
pub use reading::{Failure, Reading};
pub use snapshot::{CollectorReport, Snapshot};
pub use storage::{Disk, MOST_DISKS, Mount, Storage};
pub use thermal::{Cooler, MOST_COOLERS, MOST_ZONES, Thermal, Trip, TripKind, Zone};
pub use units::{Amperes, Bytes, Celsius, Hertz, Ohms, Ratio, Rpm, Seconds, Volts, Watts};

use files::Files;

/// Reads one group of sensors.
trait Collector: Send + 'static {
    /// What it tells.
    type Part: Send + 'static;
    /// Its name in reports.
    const NAME: &'static str;

    /// Looks over the machine for what there is to read, and reads what does not change. Whether
    /// anything was found.
    fn look(&mut self, _: &Files) -> bool {
        true
    }

    /// Reads it.
    fn read(&mut self, files: &Files) -> Self::Part;
}
