//! NVIDIA's management library, where it is installed: Thor, and PCs. Never asked for anything that
//! would create a context on the device.

use nvml_wrapper::{
    Nvml,
    enum_wrappers::device::{Clock, TemperatureSensor},
    enums::device::UsedGpuMemory,
    error::NvmlError,
};

use crate::{
    Collector, Files,
    gpu::{Gpu, MOST_GPUS},
    processes::{MOST_PROCESSES, Process},
    reading::{Failure, Reading},
    text,
    units::{Bytes, Celsius, Hertz, Ratio, Watts},
};

/// The name that is stable over drivers.
const LIBRARY: &str = "libnvidia-ml.so.1";

#[derive(Debug, Default)]
pub(crate) struct Library(Option<Nvml>);

/// What [`Library`] reads.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) gpus: Vec<Gpu>,
    pub(crate) processes: Vec<Process>,
}

impl Collector for Library {
    type Part = Told;
    const NAME: &'static str = "nvml";

    fn look(&mut self, files: &Files) -> bool {
        // A copy of another machine has no library that could be opened here.
        if self.0.is_none() && !files.is_copy() {
            // Not being installed is normal, and a driver that is still loading is asked again.
            self.0 = Nvml::builder().lib_path(LIBRARY.as_ref()).init().ok();
        }
        self.0.is_some()
    }

    fn read(&mut self, files: &Files) -> Told {
        let Some(nvml) = &self.0 else { return Told::default() };
        let count = nvml.device_count().unwrap_or(0).min(MOST_GPUS as u32);
        let mut told = Told::default();
        for index in 0..count {
            let device = match nvml.device_by_index(index) {
                Ok(device) => device,
                Err(error) => {
                    let _ = files.judge("NVML", reading::<()>(Err(error)));
                    continue;
                }
            };
            // Each answer may be refused alone: an integrated device knows neither memory nor load.
            let mhz =
                |result: Result<u32, _>| reading(result).map(|mhz| Hertz(f64::from(mhz) * 1e6));
            let memory = || reading(device.memory_info());
            told.gpus.push(Gpu {
                name: device
                    .name()
                    .map_or_else(|_| format!("gpu{index}"), |name| text::name(&name)),
                load: files.judge("NVML load", reading(device.utilization_rates())).try_map(
                    |rates| match rates.gpu {
                        0..=100 => Ok(Ratio(f64::from(rates.gpu) / 100.0)),
                        other => Err(format!("a load of {other} %")),
                    },
                ),
                frequency: mhz(device.clock_info(Clock::Graphics)),
                max_frequency: mhz(device.max_clock_info(Clock::Graphics)),
                memory_used: memory().map(|memory| Bytes(memory.used)),
                memory_total: memory().map(|memory| Bytes(memory.total)),
                temperature: reading(device.temperature(TemperatureSensor::Gpu))
                    .map(|celsius| Celsius(f64::from(celsius))),
                power: reading(device.power_usage()).map(|mw| Watts(f64::from(mw) / 1000.0)),
                ..Gpu::default()
            });
            let compute = device.running_compute_processes().unwrap_or_default();
            let graphics = device.running_graphics_processes().unwrap_or_default();
            for process in compute.into_iter().chain(graphics) {
                if let UsedGpuMemory::Used(bytes) = process.used_gpu_memory {
                    add(&mut told.processes, process.pid, bytes);
                }
            }
        }
        told.processes.sort_by_key(|process| std::cmp::Reverse(process.memory));
        told.processes.truncate(MOST_PROCESSES);
        told
    }
}

/// A process that computes and draws is told twice with the same memory, and once for each device.
fn add(all: &mut Vec<Process>, pid: u32, bytes: u64) {
    match all.iter_mut().find(|process| process.pid == Some(pid)) {
        Some(process) => process.memory = process.memory.max(Bytes(bytes)),
        None => all.push(Process { pid: Some(pid), name: String::new(), memory: Bytes(bytes) }),
    }
}

fn reading<T>(result: Result<T, NvmlError>) -> Reading<T> {
    match result {
        Ok(value) => Reading::Value(value),
        Err(NvmlError::NotSupported | NvmlError::FailedToLoadSymbol(_) | NvmlError::NotFound) => {
            Reading::Absent
        }
        Err(NvmlError::NoPermission) => Reading::Failed(Failure::Denied),
        Err(error) => Reading::Failed(Failure::System(error.to_string())),
    }
}
