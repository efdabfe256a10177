//! Power rails, measured by INA3221 chips, and supplies.

use crate::{
    Collector, Files,
    reading::Reading,
    text,
    units::{Amperes, Ohms, Volts, Watts},
};

/// The most rails that are read; the richest board has 6.
pub const MOST_RAILS: usize = 12;
/// The most supplies that are read.
pub const MOST_SUPPLIES: usize = 8;

/// What the machine takes.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Power {
    /// Rails, each with a name of its own.
    pub rails: Vec<Rail>,
    /// Batteries, and supplies that tell about themselves.
    pub supplies: Vec<Supply>,
}

/// A rail that a power monitor measures.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Rail {
    /// What the board calls it.
    pub name: String,
    /// Its voltage.
    pub voltage: Reading<Volts>,
    /// Its current.
    pub current: Reading<Amperes>,
    /// What it takes: given by the chip, or the product of the two, which were read one after the other.
    pub power: Reading<Watts>,
    /// Above this average the chip warns.
    pub warn_limit: Reading<Amperes>,
    /// Above this the chip raises its critical alarm at once.
    pub critical_limit: Reading<Amperes>,
    /// Whether the chip warns now.
    pub warn_alarm: Reading<bool>,
    /// Whether it raises its critical alarm now.
    pub critical_alarm: Reading<bool>,
    /// The resistor that it measures with.
    pub shunt: Reading<Ohms>,
}

/// A battery or a supply that tells about itself.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Supply {
    /// Its name in `/sys/class/power_supply`.
    pub name: String,
    /// Whether it delivers.
    pub online: Reading<bool>,
    /// Its voltage.
    pub voltage: Reading<Volts>,
    /// Its current.
    pub current: Reading<Amperes>,
}

/// Where the power of the whole board comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum BoardSource {
    /// This rail, through which all the others are fed.
    Input(String),
    /// The sum of all rails, which is less than what the board takes: no rail measures the input.
    Sum,
}

impl Power {
    /// What the whole board takes, and how that is known; nothing if a rail that it needs gave no value.
    pub fn board(&self) -> Option<(Watts, BoardSource)> {
        let input = self.rails.iter().find(|rail| rail.feeds_all());
        if let Some(rail) = input {
            let power = rail.power.clone().value()?;
            return Some((power, BoardSource::Input(rail.name.clone())));
        }
        let mut sum = None;
        for rail in &self.rails {
            match &rail.power {
                Reading::Value(power) => sum = Some(sum.unwrap_or(0.0) + power.0),
                // A rail that is off takes nothing.
                Reading::Offline | Reading::Absent => {}
                Reading::Failed(_) => return None,
            }
        }
        sum.map(|sum| (Watts(sum), BoardSource::Sum))
    }
}

impl Rail {
    /// Whether the other rails are fed through this one, so that a sum with it counts twice.
    pub fn feeds_all(&self) -> bool {
        matches!(self.name.as_str(), "VDD_IN" | "POM_5V_IN")
    }
}

/// Paths of one channel of a chip.
#[derive(Debug, Default)]
struct Channel {
    voltage: String,
    current: String,
    power: Option<String>,
    warn_alarm: Option<String>,
    critical_alarm: Option<String>,
    enable: Option<String>,
    /// What does not change from one second to the next.
    rail: Rail,
}

#[derive(Debug, Default)]
pub(crate) struct Monitors {
    channels: Vec<Channel>,
    supplies: Vec<String>,
}

impl Collector for Monitors {
    type Part = Power;
    const NAME: &'static str = "power";

    fn look(&mut self, files: &Files) -> bool {
        let mut channels = hwmon_channels(files);
        channels.extend(iio_channels(files));
        channels.truncate(MOST_RAILS);
        text::distinct(&mut channels, |channel| &mut channel.rail.name);
        self.channels = channels;
        self.supplies = files.entries("sys/class/power_supply", "");
        self.supplies.truncate(MOST_SUPPLIES);
        !self.channels.is_empty()
    }

    fn read(&mut self, files: &Files) -> Power {
        Power {
            rails: self.channels.iter().map(|channel| rail(files, channel)).collect(),
            supplies: self.supplies.iter().map(|path| supply(files, path)).collect(),
        }
    }
}

/// Thousandths of a unit, as hwmon and IIO write.
fn milli(files: &Files, path: &str) -> Reading<f64> {
    files.number(path).map(|value| value as f64 / 1000.0)
}

fn micro(files: &Files, path: &str) -> Reading<f64> {
    files.number(path).map(|value| value as f64 / 1e6)
}

fn flag(files: &Files, path: &str) -> Reading<bool> {
    files.number(path).map(|value| value != 0)
}

fn rail(files: &Files, channel: &Channel) -> Rail {
    let mut rail = channel.rail.clone();
    let off = |path| matches!(files.number(path), Reading::Value(0));
    if channel.enable.as_deref().is_some_and(off) {
        (rail.voltage, rail.current, rail.power) =
            (Reading::Offline, Reading::Offline, Reading::Offline);
        return rail;
    }
    rail.voltage = files.must(&channel.voltage).map(|milli| Volts(milli as f64 / 1000.0));
    rail.current = milli(files, &channel.current).map(Amperes);
    let alarm =
        |path: &Option<String>| path.as_deref().map_or(Reading::Absent, |path| flag(files, path));
    rail.warn_alarm = alarm(&channel.warn_alarm);
    rail.critical_alarm = alarm(&channel.critical_alarm);
    let given = channel.power.as_deref().map_or(Reading::Absent, |path| milli(files, path));
    rail.power = given.map(Watts).or_else(|| match (&rail.voltage, &rail.current) {
        (Reading::Value(voltage), current) => {
            current.clone().map(|current| Watts::of(*voltage, current))
        }
        (voltage, _) => voltage.clone().map(|_| Watts(0.0)),
    });
    rail
}

/// Folders of chips under the mainline driver: by class, and by driver where the class has none.
fn hwmon_chips(files: &Files) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for path in files.entries("sys/class/hwmon", "hwmon") {
        let chip = files.name(&format!("{path}/name")).value();
        if chip.is_some_and(|name| name.contains("ina3221")) {
            let device = files.canonical(&format!("{path}/device"));
            let address = device.file_name().map(|name| text::name(&name.to_string_lossy()));
            found.push((address.unwrap_or_default(), path));
        }
    }
    let number = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    for address in files.list("sys/bus/i2c/drivers/ina3221") {
        let folder = format!("sys/bus/i2c/drivers/ina3221/{address}/hwmon");
        for path in files.entries(&folder, "hwmon") {
            // A hwmon number is given once in the whole system.
            if !found.iter().any(|(_, known)| number(known) == number(&path)) {
                found.push((text::name(&address), path));
            }
        }
    }
    // By address, because the numbers of hwmon change from boot to boot.
    found.sort();
    found
}

fn hwmon_channels(files: &Files) -> Vec<Channel> {
    let mut channels = Vec::new();
    for (address, chip) in hwmon_chips(files) {
        // in4 to in7 are shunt voltages, in microvolts, and no rails.
        for number in 1..=3 {
            let path = |name: &str| format!("{chip}/{name}");
            let voltage = path(&format!("in{number}_input"));
            if !files.exists(&voltage) {
                continue;
            }
            let label = files.name(&path(&format!("in{number}_label"))).value();
            let name = label.unwrap_or_else(|| format!("{address}_channel{number}"));
            if name == "NC" {
                continue;
            }
            let current = |kind: &str| path(&format!("curr{number}_{kind}"));
            channels.push(Channel {
                voltage,
                current: current("input"),
                power: None,
                warn_alarm: Some(current("max_alarm")),
                critical_alarm: Some(current("crit_alarm")),
                enable: Some(path(&format!("in{number}_enable"))),
                rail: Rail {
                    name,
                    warn_limit: milli(files, &current("max")).map(Amperes),
                    critical_limit: milli(files, &current("crit")).map(Amperes),
                    shunt: micro(files, &path(&format!("shunt{number}_resistor"))).map(Ohms),
                    ..Rail::default()
                },
            });
        }
    }
    channels
}

/// NVIDIA's own driver up to R32, whose channels count from 0.
fn iio_channels(files: &Files) -> Vec<Channel> {
    let mut channels = Vec::new();
    let driver = "sys/bus/i2c/drivers/ina3221x";
    for address in files.list(driver) {
        for device in files.entries(&format!("{driver}/{address}"), "iio:device") {
            for number in 0..=2 {
                let path = |name: &str| format!("{device}/{name}");
                let Some(name) = files.name(&path(&format!("rail_name_{number}"))).value() else {
                    continue;
                };
                if name == "NC" {
                    continue;
                }
                let limit = |kind: &str| {
                    milli(files, &path(&format!("{kind}_current_limit_{number}"))).map(Amperes)
                };
                channels.push(Channel {
                    voltage: path(&format!("in_voltage{number}_input")),
                    current: path(&format!("in_current{number}_input")),
                    power: Some(path(&format!("in_power{number}_input"))),
                    rail: Rail {
                        name,
                        warn_limit: limit("warn"),
                        critical_limit: limit("crit"),
                        ..Rail::default()
                    },
                    ..Channel::default()
                });
            }
        }
    }
    channels
}

fn supply(files: &Files, path: &str) -> Supply {
    let name = text::name(path.rsplit('/').next().unwrap_or_default());
    let file = |name: &str| format!("{path}/{name}");
    Supply {
        name,
        online: flag(files, &file("online")),
        voltage: micro(files, &file("voltage_now")).map(Volts),
        current: micro(files, &file("current_now")).map(Amperes),
    }
}
