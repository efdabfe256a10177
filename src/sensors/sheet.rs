//! Turns a sample into metric families. Pure: a scrape does nothing but this.

use std::time::SystemTime;

use jetson_stats::{Bytes, Ratio, Reading, Snapshot, TripKind};
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use super::{
    Sample,
    catalogue::{self as of, Family, Kind},
};

/// The most series of the device; the richest board has 180. What comes first is kept.
const MOST_SERIES: usize = 200;
/// The most characters of a label's value.
const LONGEST_VALUE: usize = 64;

/// All families of a sample. Of one that is `stale`, nothing but its time and that nothing was read.
pub(super) fn write(sample: &Sample, stale: bool) -> Vec<MetricFamily> {
    let mut sheet = Sheet::default();
    let snapshot = &sample.snapshot;
    success(&mut sheet, snapshot, stale);
    if !stale {
        peripherals(&mut sheet, snapshot);
        identity(&mut sheet, snapshot);
        heat(&mut sheet, sample);
        power(&mut sheet, sample);
        gpu(&mut sheet, sample);
        cpu(&mut sheet, snapshot);
        memory(&mut sheet, snapshot);
        mode_and_fans(&mut sheet, snapshot);
        storage(&mut sheet, snapshot);
        durations(&mut sheet, snapshot);
    }
    sheet.families
}

#[derive(Default)]
struct Sheet {
    families: Vec<MetricFamily>,
    series: usize,
}

impl Sheet {
    /// Adds a series. The same one twice, or one too many, is left out.
    fn set(&mut self, family: &Family, labels: &[&str], value: f64) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        if !value.is_finite() || self.series >= MOST_SERIES {
            return;
        }
        let mut pairs: Vec<LabelPair> = family.labels.iter().zip(labels).map(pair).collect();
        pairs.sort_by(|a, b| a.name().cmp(b.name()));
        // From the end: what belongs to a family mostly comes in a row.
        let known = self.families.iter().rposition(|known| known.name() == family.name);
        let at = known.unwrap_or_else(|| {
            self.families.push(begin(family));
            self.families.len() - 1
        });
        let metrics = self.families[at].mut_metric();
        if metrics.iter().any(|metric| metric.get_label() == pairs) {
            return;
        }
        let mut metric = Metric::from_label(pairs);
        match family.kind {
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            Kind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        metrics.push(metric);
        self.series += 1;
    }

    /// Adds a series if there is a value.
    fn reading<T: Clone>(
        &mut self,
        family: &Family,
        labels: &[&str],
        reading: &Reading<T>,
        number: impl FnOnce(T) -> f64,
    ) {
        if let Reading::Value(value) = reading.clone() {
            self.set(family, labels, number(value));
        }
    }

    fn flag(&mut self, family: &Family, labels: &[&str], reading: &Reading<bool>) {
        self.reading(family, labels, reading, |flag| f64::from(u8::from(flag)));
    }

    fn bytes(&mut self, family: &Family, labels: &[&str], reading: &Reading<Bytes>) {
        self.reading(family, labels, reading, Bytes::get);
    }

    /// A series that is always 1 and has something to tell.
    fn info(&mut self, family: &Family, labels: &[&Reading<String>]) {
        let words: Vec<&str> = labels.iter().map(|label| word(label)).collect();
        if words.iter().any(|word| !word.is_empty()) {
            self.set(family, &words, 1.0);
        }
    }
}

fn begin(family: &Family) -> MetricFamily {
    let mut new = MetricFamily::default();
    new.set_name(family.name.to_owned());
    new.set_help(family.help.to_owned());
    new.set_field_type(match family.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Gauge => MetricType::GAUGE,
    });
    new
}

fn pair((name, value): (&&'static str, &&str)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name((*name).to_owned());
    pair.set_value(value.chars().filter(|c| !c.is_control()).take(LONGEST_VALUE).collect());
    pair
}

fn word(reading: &Reading<String>) -> &str {
    if let Reading::Value(word) = reading { word } else { "" }
}

fn success(sheet: &mut Sheet, snapshot: &Snapshot, stale: bool) {
    let since = snapshot.taken.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    sheet.set(&of::SAMPLE_TIMESTAMP, &[], since.as_secs_f64());
    for report in &snapshot.collectors {
        let success = report.is_success() && !stale;
        sheet.set(&of::COLLECTOR_SUCCESS, &[report.name], f64::from(u8::from(success)));
    }
}

/// Last, so that it is what goes first when there are too many series: no alert reads it.
fn durations(sheet: &mut Sheet, snapshot: &Snapshot) {
    for report in &snapshot.collectors {
        sheet.set(&of::COLLECTOR_DURATION, &[report.name], report.took.as_secs_f64());
    }
}

fn peripherals(sheet: &mut Sheet, snapshot: &Snapshot) {
    let there = &snapshot.peripherals;
    for (kind, count) in [
        ("camera", &there.cameras),
        ("microphone", &there.microphones),
        ("loudspeaker", &there.loudspeakers),
        ("display", &there.displays),
    ] {
        sheet.reading(&of::PERIPHERALS, &[kind], count, |count| count as f64);
    }
}

fn identity(sheet: &mut Sheet, snapshot: &Snapshot) {
    let board = &snapshot.board;
    let module = board.module_name.clone().or_else(|| board.module.clone());
    sheet.info(&of::DEVICE_INFO, &[&board.model, &module, &board.soc, &board.l4t, &board.serial]);
    sheet.info(&of::OS_INFO, &[&board.os, &board.os_version, &board.kernel]);
    sheet.reading(&of::BOOT_TIMESTAMP, &[], &board.booted, jetson_stats::Seconds::get);
    sheet.info(&of::LAST_RESET_INFO, &[&board.reset_reason, &board.reset_level]);
    if let Reading::Value(slot) = &board.slot {
        sheet.set(&of::BOOT_SLOT_INFO, &[&slot.name, &slot.state], 1.0);
    }
}

fn heat(sheet: &mut Sheet, sample: &Sample) {
    let Sample { snapshot, totals, .. } = sample;
    let thermal = &snapshot.thermal;
    let zones = thermal.zones.iter().map(|zone| (&zone.name, &zone.temperature));
    let chips = snapshot.chip_temperatures.iter().map(|chip| (&chip.name, &chip.temperature));
    for (name, temperature) in zones.chain(chips) {
        sheet.reading(&of::TEMPERATURE, &[name], temperature, jetson_stats::Celsius::get);
        let readable = f64::from(u8::from(temperature.is_value()));
        sheet.set(&of::THERMAL_SENSOR_READABLE, &[name], readable);
    }
    for zone in &thermal.zones {
        // The trip points of fans are many and no fault.
        for kind in [TripKind::Passive, TripKind::Hot, TripKind::Critical] {
            if let Some(temperature) = zone.lowest(kind) {
                sheet.set(&of::THERMAL_TRIP, &[&zone.name, kind.name()], temperature.get());
            }
        }
    }
    for cooler in &thermal.coolers {
        let state = |steps| steps as f64;
        sheet.reading(&of::COOLING_DEVICE_STATE, &[&cooler.name], &cooler.state, state);
        if let Some(seconds) = totals.throttled_seconds.get(&cooler.name) {
            sheet.set(&of::THROTTLED_SECONDS, &[&cooler.name], *seconds);
        }
    }
}

fn power(sheet: &mut Sheet, sample: &Sample) {
    let Sample { snapshot, totals, .. } = sample;
    let power = &snapshot.power;
    if !power.rails.is_empty() {
        sheet.set(&of::BOARD_ENERGY, &[], totals.board_joules);
    }
    if let Some((watts, _)) = power.board() {
        sheet.set(&of::BOARD_POWER, &[], watts.get());
    }
    for rail in &power.rails {
        let name = rail.name.as_str();
        sheet.reading(&of::RAIL_VOLTAGE, &[name], &rail.voltage, jetson_stats::Volts::get);
        let amperes = jetson_stats::Amperes::get;
        sheet.reading(&of::RAIL_CURRENT, &[name], &rail.current, amperes);
        if let Some(joules) = totals.rail_joules.get(name) {
            sheet.set(&of::RAIL_ENERGY, &[name], *joules);
        }
        sheet.reading(&of::RAIL_CURRENT_LIMIT, &[name, "warn"], &rail.warn_limit, amperes);
        sheet.reading(&of::RAIL_CURRENT_LIMIT, &[name, "critical"], &rail.critical_limit, amperes);
        sheet.flag(&of::RAIL_ALARM, &[name, "warn"], &rail.warn_alarm);
        sheet.flag(&of::RAIL_ALARM, &[name, "critical"], &rail.critical_alarm);
    }
    for counter in &snapshot.overcurrent {
        let name = counter.name.as_str();
        sheet.reading(&of::OVERCURRENT_EVENTS, &[name], &counter.events, |events| events as f64);
        sheet.flag(&of::OVERCURRENT_THROTTLING, &[name], &counter.throttles);
    }
}

fn gpu(sheet: &mut Sheet, sample: &Sample) {
    let Sample { snapshot, totals, .. } = sample;
    let hertz = jetson_stats::Hertz::get;
    if let Some(gpu) = snapshot.gpus.first() {
        if !gpu.load.is_absent() {
            sheet.set(&of::GPU_BUSY_SECONDS, &[], totals.gpu_busy_seconds);
        }
        sheet.reading(&of::GPU_BUSY_RATIO, &[], &gpu.load, Ratio::get);
        sheet.reading(&of::GPU_FREQUENCY, &[], &gpu.frequency, hertz);
        sheet.reading(&of::GPU_FREQUENCY_LIMIT, &["min"], &gpu.min_frequency, hertz);
        sheet.reading(&of::GPU_FREQUENCY_LIMIT, &["max"], &gpu.max_frequency, hertz);
        sheet.flag(&of::GPU_SUSPENDED, &[], &gpu.suspended);
        sheet.bytes(&of::GPU_MEMORY_USED, &[], &gpu.memory_used);
        sheet.bytes(&of::GPU_MEMORY_SIZE, &[], &gpu.memory_total);
    }
    sheet.reading(&of::EMC_FREQUENCY, &[], &snapshot.emc.frequency, hertz);
    sheet.reading(&of::EMC_BUSY_RATIO, &[], &snapshot.emc.utilisation, Ratio::get);
    if let Reading::Value(processes) = &snapshot.processes {
        let own = std::process::id();
        let sum = |ours: bool| {
            let of = processes.iter().filter(|process| (process.pid == Some(own)) == ours);
            of.fold(0.0, |sum, process| sum + process.memory.get())
        };
        sheet.set(&of::PROCESS_GPU_MEMORY, &["self"], sum(true));
        sheet.set(&of::PROCESS_GPU_MEMORY, &["others"], sum(false));
    }
}

fn cpu(sheet: &mut Sheet, snapshot: &Snapshot) {
    let cpu = &snapshot.cpu;
    if let Reading::Value(times) = &cpu.times {
        for (mode, seconds) in times.modes() {
            sheet.set(&of::CPU_SECONDS, &[mode], seconds.get());
        }
    }
    sheet.reading(&of::CPU_ONLINE, &[], &cpu.online, |cores| cores.len() as f64);
    let hertz = jetson_stats::Hertz::get;
    for policy in &cpu.policies {
        sheet.reading(&of::CPU_FREQUENCY, &[&policy.name], &policy.frequency, hertz);
        sheet.reading(&of::CPU_FREQUENCY_LIMIT, &[&policy.name], &policy.max_frequency, hertz);
    }
    let waited = jetson_stats::Seconds::get;
    sheet.reading(&of::PRESSURE_SECONDS, &["cpu"], &cpu.pressure.cpu, waited);
    sheet.reading(&of::PRESSURE_SECONDS, &["memory"], &cpu.pressure.memory, waited);
    sheet.reading(&of::PRESSURE_SECONDS, &["io"], &cpu.pressure.io, waited);
}

fn memory(sheet: &mut Sheet, snapshot: &Snapshot) {
    let memory = &snapshot.memory;
    for (family, reading) in [
        (&of::MEMORY_SIZE, &memory.total),
        (&of::MEMORY_AVAILABLE, &memory.available),
        (&of::MEMORY_NVMAP_USED, &memory.nvmap_used),
        (&of::MEMORY_LARGEST_BLOCK, &memory.largest_free_block),
        (&of::CMA_SIZE, &memory.cma_total),
        (&of::CMA_FREE, &memory.cma_free),
        (&of::SWAP_SIZE, &memory.swap_total),
        (&of::SWAP_FREE, &memory.swap_free),
    ] {
        sheet.bytes(family, &[], reading);
    }
    sheet.reading(&of::OOM_KILLS, &[], &memory.oom_kills, |kills| kills as f64);
}

fn mode_and_fans(sheet: &mut Sheet, snapshot: &Snapshot) {
    let mode = &snapshot.mode;
    if let Reading::Value(actual) = &mode.actual {
        sheet.set(&of::POWER_MODE_INFO, &[&actual.name], 1.0);
        sheet.set(&of::POWER_MODE_ID, &[], f64::from(actual.id));
    }
    sheet.reading(&of::POWER_MODE_DESIRED_ID, &[], &mode.asked, |asked| f64::from(asked.id));
    sheet.flag(&of::CLOCKS_LOCKED, &[], &snapshot.clocks_locked());
    for fan in &snapshot.fans {
        sheet.reading(&of::FAN_DUTY, &[&fan.name], &fan.duty, Ratio::get);
        sheet.reading(&of::FAN_SPEED, &[&fan.name], &fan.speed, jetson_stats::Rpm::get);
    }
}

fn storage(sheet: &mut Sheet, snapshot: &Snapshot) {
    for mount in &snapshot.storage.mounts {
        sheet.bytes(&of::FILESYSTEM_SIZE, &[&mount.path], &mount.size);
        sheet.bytes(&of::FILESYSTEM_AVAILABLE, &[&mount.path], &mount.available);
    }
    for disk in &snapshot.storage.disks {
        let name = disk.name.as_str();
        sheet.bytes(&of::DISK_WRITTEN, &[name], &disk.written);
        let celsius = jetson_stats::Celsius::get;
        sheet.reading(&of::DISK_TEMPERATURE, &[name], &disk.temperature, celsius);
        sheet.reading(&of::EMMC_WEAR, &[name, "a"], &disk.wear_a, Ratio::get);
        sheet.reading(&of::EMMC_WEAR, &[name, "b"], &disk.wear_b, Ratio::get);
    }
}
