//! The processor: time, clocks, load, pressure.

use crate::{
    Collector, Files,
    reading::{Failure, Reading},
    text,
    units::{Hertz, Seconds},
};

/// The most groups of cores with a clock of their own; the richest board has 4.
pub const MOST_POLICIES: usize = 8;

/// Ticks a second in `/proc/stat` (`USER_HZ`), which is part of the kernel's interface on every
/// architecture that Linux still supports.
const TICKS: f64 = 100.0;

/// The processor.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cpu {
    /// What all cores together have done since the machine started.
    pub times: Reading<Times>,
    /// Cores that the machine has.
    pub possible: Reading<u32>,
    /// Cores that are switched on, as a list.
    pub online: Reading<Vec<u32>>,
    /// Groups of cores that share a clock.
    pub policies: Vec<Policy>,
    /// Runnable threads, averaged over 1, 5 and 15 minutes by the kernel.
    pub load: Reading<[f64; 3]>,
    /// Time that something waited for a core, for memory, for a disk.
    pub pressure: Pressure,
}

/// Seconds of all cores by what they did, since the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(missing_docs, reason = "they have the names of /proc/stat")]
pub struct Times {
    pub user: Seconds,
    pub nice: Seconds,
    pub system: Seconds,
    pub idle: Seconds,
    pub iowait: Seconds,
    pub irq: Seconds,
    pub softirq: Seconds,
    pub steal: Seconds,
}

impl Times {
    /// Every mode with its name.
    pub fn modes(&self) -> [(&'static str, Seconds); 8] {
        [
            ("user", self.user),
            ("nice", self.nice),
            ("system", self.system),
            ("idle", self.idle),
            ("iowait", self.iowait),
            ("irq", self.irq),
            ("softirq", self.softirq),
            ("steal", self.steal),
        ]
    }

    /// The part of the time since `before` in which the cores were busy.
    pub fn busy_since(&self, before: &Self) -> Option<f64> {
        let sum = |times: &Self| times.modes().iter().map(|(_, time)| time.0).sum::<f64>();
        let idle = |times: &Self| times.idle.0 + times.iowait.0;
        let all = sum(self) - sum(before);
        (all > 0.0).then(|| (1.0 - (idle(self) - idle(before)) / all).clamp(0.0, 1.0))
    }
}

/// Cores that share a clock.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Policy {
    /// The number of its first core.
    pub name: String,
    /// Its cores, if the kernel says.
    pub cpus: Vec<u32>,
    /// Its clock as the governor asked for it.
    pub frequency: Reading<Hertz>,
    /// The least that the clock may be.
    pub min_frequency: Reading<Hertz>,
    /// The most that the clock may be, which throttling and the power mode lower.
    pub max_frequency: Reading<Hertz>,
    /// The most that the silicon can.
    pub hardware_max: Reading<Hertz>,
    /// Who sets the clock.
    pub governor: Reading<String>,
}

/// Seconds since the machine started in which at least one task waited (pressure stall information).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Pressure {
    /// For a core.
    pub cpu: Reading<Seconds>,
    /// For memory.
    pub memory: Reading<Seconds>,
    /// For a disk.
    pub io: Reading<Seconds>,
}

#[derive(Debug, Default)]
pub(crate) struct Processor {
    policies: Vec<(String, Policy)>,
}

impl Collector for Processor {
    type Part = Cpu;
    const NAME: &'static str = "cpu";

    fn look(&mut self, files: &Files) -> bool {
        let mut paths = files.entries("sys/devices/system/cpu/cpufreq", "policy");
        if paths.is_empty() {
            paths = files.entries("sys/devices/system/cpu", "cpu");
            paths.retain(|path| files.exists(&format!("{path}/cpufreq/scaling_cur_freq")));
            // Without policies nobody tells which cores share a clock; the first stands for all.
            paths = paths.first().map(|path| format!("{path}/cpufreq")).into_iter().collect();
        }
        // Where every core has a clock of its own, the first ones stand for the rest.
        paths.truncate(MOST_POLICIES);
        self.policies = paths.into_iter().map(|path| policy(files, path)).collect();
        !self.policies.is_empty()
    }

    fn read(&mut self, files: &Files) -> Cpu {
        let policies = self.policies.iter().map(|(path, known)| {
            let khz = |name: &str| khz(files, &format!("{path}/{name}"));
            Policy {
                frequency: khz("scaling_cur_freq"),
                min_frequency: khz("scaling_min_freq"),
                max_frequency: khz("scaling_max_freq"),
                governor: files.name(&format!("{path}/scaling_governor")),
                ..known.clone()
            }
        });
        let list = |name: &str| files.parse(&format!("sys/devices/system/cpu/{name}"), text::cpus);
        let stalled = |what: &str| files.parse(&format!("proc/pressure/{what}"), stalled);
        Cpu {
            times: files.parse("proc/stat", times),
            possible: list("possible").map(|cpus| cpus.len() as u32),
            online: list("online"),
            policies: policies.collect(),
            load: files.parse("proc/loadavg", load),
            pressure: Pressure {
                cpu: stalled("cpu"),
                memory: stalled("memory"),
                io: stalled("io"),
            },
        }
    }
}

fn policy(files: &Files, path: String) -> (String, Policy) {
    let cpus = files.text(&format!("{path}/related_cpus")).value();
    let cpus = cpus.and_then(|list| text::cpus(&list)).unwrap_or_default();
    let number = path.rsplit("policy").next().and_then(|number| number.parse().ok());
    let first: u32 = number.or_else(|| cpus.first().copied()).unwrap_or(0);
    let hardware_max = khz(files, &format!("{path}/cpuinfo_max_freq"));
    (path, Policy { name: first.to_string(), cpus, hardware_max, ..Policy::default() })
}

/// Reads thousands of hertz, as all files of cpufreq hold.
fn khz(files: &Files, path: &str) -> Reading<Hertz> {
    match files.text(path) {
        // What a driver says that does not know its clock.
        Reading::Value(text) if text == "<unknown>" => Reading::Offline,
        Reading::Value(text) => match text.parse::<u64>() {
            Ok(khz) => Reading::Value(Hertz(khz as f64 * 1000.0)),
            Err(error) => {
                let failure = Failure::Malformed(format!("{:?}: {error}", text::name(&text)));
                files.judge(path, Reading::Failed(failure))
            }
        },
        other => other.map(|_| Hertz(0.0)),
    }
}

/// The first line of `/proc/stat`.
fn times(text: &str) -> Option<Times> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks = text::numbers(line);
    let time = |mode: usize| ticks.get(mode).map(|ticks| Seconds(*ticks as f64 / TICKS));
    Some(Times {
        user: time(0)?,
        nice: time(1)?,
        system: time(2)?,
        idle: time(3)?,
        // Kernels from before 2.6 do not have these.
        iowait: time(4).unwrap_or_default(),
        irq: time(5).unwrap_or_default(),
        softirq: time(6).unwrap_or_default(),
        steal: time(7).unwrap_or_default(),
    })
}

fn load(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_whitespace().map(|word| word.parse::<f64>().ok());
    let mut next = || words.next().flatten().filter(|load| load.is_finite());
    Some([next()?, next()?, next()?])
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, in microseconds.
fn stalled(text: &str) -> Option<Seconds> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let (_, total) = line.rsplit_once("total=")?;
    Some(Seconds(total.trim().parse::<u64>().ok()? as f64 / 1e6))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_those_of_all_cores() {
        let text = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1\n";
        let now = times(text).unwrap();
        assert_eq!((now.user, now.idle, now.steal), (Seconds(1.0), Seconds(8.0), Seconds(0.0)));
        let busy = now.busy_since(&Times::default()).unwrap();
        assert!((busy - 0.15).abs() < 1e-9, "{busy}");
        assert_eq!(now.busy_since(&now), None);
        assert_eq!(times("cpu  1 2\n"), None);
    }

    #[test]
    fn pressure_is_a_total() {
        let text = "some avg10=0.00 avg60=0.12 avg300=0.05 total=2500000\nfull avg10=0 total=7\n";
        assert_eq!(stalled(text), Some(Seconds(2.5)));
        assert_eq!(stalled("full total=7"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*|(cpu |some |total=|[0-9 \n=.])*") {
            let _ = (times(&text), load(&text), stalled(&text));
        }
    }
}
