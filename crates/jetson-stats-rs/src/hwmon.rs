//! Chips of the kernel's hwmon class other than power monitors: over-current counters, fans, and the
//! temperature of a PC's processor.

use crate::{
    Collector, Files,
    reading::Reading,
    text,
    thermal::temperature,
    units::{Celsius, Ratio, Rpm},
};

/// The most over-current counters; boards have 3.
pub const MOST_COUNTERS: usize = 4;
/// The most fans that are told.
pub const MOST_FANS: usize = 4;
/// The most temperatures that are told.
pub const MOST_TEMPERATURES: usize = 6;

/// How often a supply gave too much or too little.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OverCurrent {
    /// `oc1`: the input's voltage was too low; `oc2`: the average current was too high; `oc3`: the
    /// current was too high for a moment. So on Orin; to be confirmed on a board of R39.
    pub name: String,
    /// Events since the machine started.
    pub events: Reading<u64>,
    /// Whether such an event slows the machine down.
    pub throttles: Reading<bool>,
}

/// A fan.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fan {
    /// `fan1`, `fan2`, …
    pub name: String,
    /// How much it is driven.
    pub duty: Reading<Ratio>,
    /// How fast it turns.
    pub speed: Reading<Rpm>,
}

impl Fan {
    /// Whether it is driven and stands still, as far as can be told.
    pub fn stands_still(&self) -> bool {
        matches!((&self.duty, &self.speed), (Reading::Value(duty), Reading::Value(speed))
            if duty.0 > 0.0 && speed.0 == 0.0)
    }
}

/// A temperature that a chip of a PC tells.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ChipTemperature {
    /// The driver, and which of its sensors.
    pub name: String,
    /// How warm it is.
    pub temperature: Reading<Celsius>,
}

/// What [`Chips`] reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) overcurrent: Vec<OverCurrent>,
    pub(crate) fans: Vec<Fan>,
    pub(crate) temperatures: Vec<ChipTemperature>,
    pub(crate) fan_profile: Reading<String>,
}

/// Paths of what the chips measure.
#[derive(Debug, Default)]
pub(crate) struct Chips {
    counters: Vec<(String, String, String)>,
    duties: Vec<String>,
    speeds: Vec<String>,
    temperatures: Vec<(String, String)>,
}

/// Drivers of processors that are no thermal zone, and of graphics.
const PROCESSORS: [&str; 5] = ["coretemp", "k10temp", "zenpower", "amdgpu", "nouveau"];
/// The fan of R32.
const OLD_FAN: &str = "sys/devices/pwm-fan";

impl Collector for Chips {
    type Part = Told;
    const NAME: &'static str = "hwmon";

    fn look(&mut self, files: &Files) -> bool {
        *self = Self::default();
        for chip in files.entries("sys/class/hwmon", "hwmon") {
            let Some(name) = files.name(&format!("{chip}/name")).value() else { continue };
            let names = files.list(&chip);
            let path = |name: &str| format!("{chip}/{name}");
            if name == "soctherm_oc" {
                for file in &names {
                    let Some(event) = file.strip_suffix("_event_cnt") else { continue };
                    let (count, enabled) = (path(file), path(&format!("{event}_throt_en")));
                    self.counters.push((text::name(event), count, enabled));
                }
            }
            let is = |file: &&String, prefix: &str, suffix: &str| {
                let middle = file.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
                middle.is_some_and(|middle| middle.bytes().all(|b| b.is_ascii_digit()))
            };
            let duties = names.iter().filter(|file| is(file, "pwm", "") && file.len() > 3);
            self.duties.extend(duties.map(|file| path(file)));
            let named = ["rpm", "rpm_measured"].map(str::to_owned);
            let speeds =
                names.iter().filter(|file| named.contains(file) || is(file, "fan", "_input"));
            self.speeds.extend(speeds.map(|file| path(file)));
            if PROCESSORS.contains(&name.as_str()) && files.exists(&path("temp1_input")) {
                self.temperatures.push((name.clone(), path("temp1_input")));
            }
        }
        if files.exists(&format!("{OLD_FAN}/cur_pwm")) {
            self.duties.push(format!("{OLD_FAN}/cur_pwm"));
            self.speeds.push(format!("{OLD_FAN}/rpm_measured"));
        }
        self.counters.truncate(MOST_COUNTERS);
        self.duties.truncate(MOST_FANS);
        self.speeds.truncate(MOST_FANS);
        self.temperatures.truncate(MOST_TEMPERATURES);
        text::distinct(&mut self.temperatures, |(name, _)| name);
        !(self.counters.is_empty() && self.duties.is_empty() && self.speeds.is_empty())
    }

    fn read(&mut self, files: &Files) -> Told {
        let counters = self.counters.iter().map(|(name, count, enabled)| OverCurrent {
            name: name.clone(),
            events: files.count(count),
            throttles: files.number(enabled).map(|flag| flag != 0),
        });
        let temperatures = self.temperatures.iter().map(|(name, path)| ChipTemperature {
            name: name.clone(),
            temperature: temperature(files, path),
        });
        Told {
            overcurrent: counters.collect(),
            fans: self.fans(files),
            temperatures: temperatures.collect(),
            fan_profile: files.text("var/lib/nvfancontrol/status").map(|status| profile(&status)),
        }
    }
}

impl Chips {
    /// What drives a fan and what counts its turns are often two chips, in the same order.
    fn fans(&self, files: &Files) -> Vec<Fan> {
        let fan = |number: usize| {
            let duty = self.duties.get(number).map_or(Reading::Absent, |path| {
                files.check(path, files.number(path), |duty| match duty {
                    0..=255 => Ok(Ratio(duty as f64 / 255.0)),
                    _ => Err(format!("a duty of {duty} of 255")),
                })
            });
            let speed = self
                .speeds
                .get(number)
                .map_or(Reading::Absent, |path| files.count(path).map(|turns| Rpm(turns as f64)));
            Fan { name: format!("fan{}", number + 1), duty, speed }
        };
        (0..self.duties.len().max(self.speeds.len())).map(fan).collect()
    }
}

/// `FAN1:FAN_PROFILE:cool` → `cool`.
fn profile(status: &str) -> String {
    let found = status.lines().find_map(|line| line.split_once("FAN_PROFILE:"));
    found.map_or_else(|| "unknown".to_owned(), |(_, profile)| text::name(profile))
}
