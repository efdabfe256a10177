//! Every metric family of the device: its name, its kind, its labels, and what it says.

/// Whether a family goes up only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up only, until the daemon or the machine starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says, in which unit, from where.
    pub help: &'static str,
}

macro_rules! families {
    ($($constant:ident $kind:ident $short:literal [$($label:literal),*] $help:literal;)+) => {
        $(pub(super) const $constant: Family = Family {
            name: concat!("linly_talker_", $short),
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        };)+

        /// All families; a device has those that it has sensors for.
        pub const FAMILIES: &[&Family] = &[$(&$constant),+];
    };
}

families! {
    SAMPLE_TIMESTAMP Gauge "sample_timestamp_seconds" []
        "When the sensors were last read, in seconds since 1970.";
    COLLECTOR_SUCCESS Gauge "collector_success" ["collector"]
        "Whether a group of sensors was read in time and without a fault: 1 or 0.";
    COLLECTOR_DURATION Gauge "collector_duration_seconds" ["collector"]
        "Seconds that reading a group of sensors took; of a late one, since when it has been waited for.";
    DEVICE_INFO Gauge "device_info" ["model", "module", "soc", "l4t", "serial"]
        "Always 1; the labels tell which device this is, from the device tree or DMI.";
    OS_INFO Gauge "os_info" ["image", "version", "kernel"]
        "Always 1; the labels tell what the device runs, from os-release.";
    BOOT_TIMESTAMP Gauge "boot_timestamp_seconds" []
        "When the device started, in seconds since 1970.";
    LAST_RESET_INFO Gauge "last_reset_info" ["reason", "level"]
        "Always 1; the labels tell why the device last started, in the words of its power controller.";
    BOOT_SLOT_INFO Gauge "boot_slot_info" ["slot", "state"]
        "Always 1; the labels tell which of two systems runs and what the firmware thinks of it.";
    TEMPERATURE Gauge "temperature_celsius" ["sensor"]
        "Temperature in degrees Celsius, sampled once a second; a sensor that is off has none.";
    THERMAL_SENSOR_READABLE Gauge "thermal_sensor_readable" ["sensor"]
        "Whether a temperature could be read: 0 while the block has no power, or on a fault.";
    THERMAL_TRIP Gauge "thermal_trip_celsius" ["sensor", "trip"]
        "The lowest temperature in degrees Celsius at which the kernel acts, by what it does.";
    COOLING_DEVICE_STATE Gauge "cooling_device_state" ["device"]
        "How much a cooling device cools, in steps of its own; 0 is not at all; sampled once a second.";
    THROTTLED_SECONDS Counter "throttled_seconds_total" ["device"]
        "Seconds in which a cooling device made the machine slower; added up once a second.";
    BOARD_POWER Gauge "board_power_watts" []
        "Power of the whole board in watts: of its input rail, else the sum of its rails, which is less.";
    BOARD_ENERGY Counter "board_energy_joules_total" []
        "Energy of the whole board in joules since the daemon started, from board_power_watts once a second.";
    RAIL_VOLTAGE Gauge "rail_voltage_volts" ["rail"]
        "Voltage of a power rail in volts, sampled once a second.";
    RAIL_CURRENT Gauge "rail_current_amperes" ["rail"]
        "Current of a power rail in amperes, sampled once a second.";
    RAIL_ENERGY Counter "rail_energy_joules_total" ["rail"]
        "Energy of a power rail in joules since the daemon started, added up once a second; an input rail holds the others.";
    RAIL_CURRENT_LIMIT Gauge "rail_current_limit_amperes" ["rail", "limit"]
        "Current in amperes above which the power monitor raises its alarm.";
    RAIL_ALARM Gauge "rail_alarm" ["rail", "limit"]
        "Whether the power monitor raises its alarm now: 1 or 0; sampled once a second.";
    OVERCURRENT_EVENTS Counter "overcurrent_events_total" ["event"]
        "Over-current and under-voltage events since the device started, counted by its firmware.";
    OVERCURRENT_THROTTLING Gauge "overcurrent_throttling_enabled" ["event"]
        "Whether such an event slows the device down: 1 or 0.";
    GPU_BUSY_SECONDS Counter "gpu_busy_seconds_total" []
        "Seconds of work of the graphics processor since the daemon started, from its load once a second.";
    GPU_BUSY_RATIO Gauge "gpu_busy_ratio" []
        "Load of the graphics processor from 0 to 1 in its driver's own window, sampled once a second.";
    GPU_FREQUENCY Gauge "gpu_frequency_hertz" []
        "Clock of the graphics processor in hertz, sampled once a second.";
    GPU_FREQUENCY_LIMIT Gauge "gpu_frequency_limit_hertz" ["limit"]
        "Least and most clock that the graphics processor may have now, in hertz.";
    GPU_SUSPENDED Gauge "gpu_suspended" []
        "Whether the graphics processor has no power because nobody uses it: 1 or 0.";
    GPU_MEMORY_USED Gauge "gpu_dedicated_memory_used_bytes" []
        "Memory of its own that a graphics processor has given out, in bytes; none where it shares the machine's.";
    GPU_MEMORY_SIZE Gauge "gpu_dedicated_memory_size_bytes" []
        "Memory of its own that a graphics processor has, in bytes.";
    EMC_FREQUENCY Gauge "emc_frequency_hertz" []
        "Clock of the memory controller in hertz, sampled once a second; root only before Thor.";
    EMC_BUSY_RATIO Gauge "emc_busy_ratio" []
        "Load of the memory controller from 0 to 1 by its activity monitor, not calibrated; root only.";
    CPU_SECONDS Counter "cpu_seconds_total" ["mode"]
        "Seconds of all cores by what they did since the device started, from /proc/stat.";
    CPU_ONLINE Gauge "cpu_online" []
        "Cores that are switched on.";
    CPU_FREQUENCY Gauge "cpu_frequency_hertz" ["policy"]
        "Clock of a group of cores in hertz, sampled once a second; the label is the group's first core.";
    CPU_FREQUENCY_LIMIT Gauge "cpu_frequency_limit_hertz" ["policy"]
        "The most clock that a group of cores may have now, in hertz; throttling and the power mode lower it.";
    PRESSURE_SECONDS Counter "pressure_waiting_seconds_total" ["resource"]
        "Seconds since the device started in which something waited for a resource (pressure stall information).";
    MEMORY_SIZE Gauge "memory_size_bytes" []
        "Memory of the machine in bytes, which a Jetson's graphics processor shares.";
    MEMORY_AVAILABLE Gauge "memory_available_bytes" []
        "Memory that programs can still get without swapping, in bytes.";
    MEMORY_NVMAP_USED Gauge "memory_nvmap_used_bytes" []
        "Memory that NVIDIA's allocator has given out, in bytes: an upper estimate of graphics memory.";
    MEMORY_LARGEST_BLOCK Gauge "memory_largest_free_block_bytes" []
        "The largest block of memory that is free in one piece, in bytes.";
    CMA_SIZE Gauge "cma_size_bytes" []
        "Contiguous memory for cameras and codecs, in bytes.";
    CMA_FREE Gauge "cma_free_bytes" []
        "What is left of the contiguous memory, in bytes.";
    SWAP_SIZE Gauge "swap_size_bytes" []
        "Swap space in bytes.";
    SWAP_FREE Gauge "swap_free_bytes" []
        "What is left of the swap space, in bytes.";
    OOM_KILLS Counter "oom_kills_total" []
        "Programs that the kernel has killed for their memory since the device started.";
    PROCESS_GPU_MEMORY Gauge "process_gpu_memory_bytes" ["process"]
        "Graphics memory of this daemon and of all other programs, in bytes; root only before Thor.";
    FAN_DUTY Gauge "fan_duty_ratio" ["fan"]
        "How much a fan is driven, from 0 to 1; sampled once a second.";
    FAN_SPEED Gauge "fan_speed_rpm" ["fan"]
        "How fast a fan turns, in turns a minute; sampled once a second.";
    POWER_MODE_INFO Gauge "power_mode_info" ["mode"]
        "Always 1; the label is the name of the power mode that is in force.";
    POWER_MODE_ID Gauge "power_mode_id" []
        "Number of the power mode in force, found by its limits; none if the limits are of no mode.";
    POWER_MODE_DESIRED_ID Gauge "power_mode_desired_id" []
        "Number of the power mode that nvpmodel was last asked for.";
    CLOCKS_LOCKED Gauge "clocks_locked" []
        "Whether all clocks are held at one speed, as jetson_clocks does: 1 or 0.";
    FILESYSTEM_SIZE Gauge "filesystem_size_bytes" ["mountpoint"]
        "Size of a file system in bytes.";
    FILESYSTEM_AVAILABLE Gauge "filesystem_available_bytes" ["mountpoint"]
        "What programs may still write to a file system, in bytes.";
    DISK_WRITTEN Counter "disk_written_bytes_total" ["disk"]
        "Bytes written to a disk since the device started.";
    DISK_TEMPERATURE Gauge "disk_temperature_celsius" ["disk"]
        "Temperature of an NVMe disk in degrees Celsius, sampled once a second.";
    PERIPHERALS Gauge "peripherals" ["kind"]
        "Cameras, microphones, loudspeakers and connected displays that the kernel lists.";
    EMMC_WEAR Gauge "emmc_wear_ratio" ["disk", "cells"]
        "What of an eMMC is used up, from 0 to 1, as the upper end of the tenth that it tells.";
}
