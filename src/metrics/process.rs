//! What the program itself takes, under the names that all programs have for it.
//!
//! The `prometheus` crate has such a collector, which counts processor time in whole seconds.

use std::{collections::HashMap, fs};

use prometheus::{
    core::{Collector, Desc},
    proto::{Counter, Gauge, Metric, MetricFamily, MetricType},
};

/// Ticks a second of what the kernel counts for programs, on every architecture that there is a kiosk of.
const TICKS: f64 = 100.0;

const CPU: usize = 0;
const NAMES: [(&str, &str); 6] = [
    ("process_cpu_seconds_total", "User and system processor time of the program in seconds."),
    ("process_resident_memory_bytes", "Memory of the program that is in the machine's, in bytes."),
    ("process_virtual_memory_bytes", "Addresses that the program has taken, in bytes."),
    ("process_start_time_seconds", "When the program started, in seconds since 1970."),
    ("process_open_fds", "Files, sockets and the like that the program holds open."),
    ("process_max_fds", "How many of them it may hold open."),
];

/// Reads `/proc/self` for each scrape: that waits for nothing.
#[derive(Debug)]
pub(super) struct Process {
    descriptions: Vec<Desc>,
    /// Does not change.
    start: Option<f64>,
    /// Is not changed.
    max_fds: Option<f64>,
}

impl Default for Process {
    fn default() -> Self {
        let describe = |(name, help): (&str, &str)| {
            Desc::new(name.to_owned(), help.to_owned(), Vec::new(), HashMap::default())
                .expect("the names are valid")
        };
        let booted = read("/proc/stat").and_then(|text| number_after(&text, "btime"));
        let start = booted.zip(stat().and_then(|stat| stat.started));
        Self {
            descriptions: NAMES.into_iter().map(describe).collect(),
            start: start.map(|(booted, since)| booted + since),
            max_fds: read("/proc/self/limits")
                .and_then(|text| number_after(&text, "Max open files")),
        }
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let status = read("/proc/self/status");
        let bytes = |key| {
            status.as_deref().and_then(|text| number_after(text, key)).map(|kib| 1024.0 * kib)
        };
        // Without the folder that is open to be counted.
        let open = fs::read_dir("/proc/self/fd")
            .ok()
            .map(|entries| entries.count().saturating_sub(1) as f64);
        let values = [
            stat().map(|stat| stat.worked),
            bytes("VmRSS:"),
            bytes("VmSize:"),
            self.start,
            open,
            self.max_fds,
        ];
        let told = NAMES.into_iter().zip(values).enumerate();
        told.filter_map(|(at, (name, value))| Some(family(name, value?, at == CPU))).collect()
    }
}

fn family((name, help): (&str, &str), value: f64, counts: bool) -> MetricFamily {
    let mut metric = Metric::default();
    let mut family = MetricFamily::default();
    if counts {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
        family.set_field_type(MetricType::COUNTER);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
        family.set_field_type(MetricType::GAUGE);
    }
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.mut_metric().push(metric);
    family
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The first number after the word at the beginning of a line.
fn number_after(text: &str, word: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Of `/proc/self/stat`, in seconds.
#[derive(Debug, PartialEq)]
struct Stat {
    worked: f64,
    /// After the machine.
    started: Option<f64>,
}

fn stat() -> Option<Stat> {
    parse(&read("/proc/self/stat")?)
}

/// The name of the program, in parentheses, may hold anything; what follows is numbers.
fn parse(text: &str) -> Option<Stat> {
    let (_, numbers) = text.rsplit_once(')')?;
    // The word after the name is the third of the line.
    let seconds = |number: usize| {
        let ticks: f64 = numbers.split_whitespace().nth(number - 3)?.parse().ok()?;
        Some(ticks / TICKS)
    };
    Some(Stat { worked: seconds(14)? + seconds(15)?, started: seconds(22) })
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_name_may_look_like_anything() {
        let text = "7 (a) S 1 (b)) S 1 7 7 0 -1 4194560 900 0 0 0 150 25 0 0 20 0 3 0 4200 1000 10";
        assert_eq!(parse(text), Some(Stat { worked: 1.75, started: Some(42.0) }));
        assert_eq!(parse("7 (a) S 1"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_program_tells_of_itself() {
        let families = Process::default().collect();
        let names: Vec<_> = families.iter().map(MetricFamily::name).collect();
        assert_eq!(names, NAMES.map(|(name, _)| name));
        let value = |name: &str| {
            let family = families.iter().find(|family| family.name() == name).unwrap();
            family.get_metric()[0].get_gauge().get_value()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - 3600.0..=now + 1.0).contains(&value("process_start_time_seconds")));
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!((3.0..=value("process_max_fds")).contains(&value("process_open_fds")));
        // Processor time has parts of a second.
        let before = stat().unwrap().worked;
        while stat().unwrap().worked == before {}
        assert!(stat().unwrap().worked < before + 0.5);
    }
}
