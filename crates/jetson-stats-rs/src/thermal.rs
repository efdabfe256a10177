//! Thermal zones with their trip points, and what cools.

use crate::{
    Collector, Files,
    reading::{Failure, Reading},
    text,
    units::{Celsius, Ratio},
};

/// The most zones that are read; the richest board has 11.
pub const MOST_ZONES: usize = 16;
/// The most cooling devices that are told; those of equal type count as one.
pub const MOST_COOLERS: usize = 16;
/// The most trip points of a zone.
const MOST_TRIPS: usize = 12;

/// How warm the machine is, and what is done about it.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Thermal {
    /// Sensors, each with a name of its own.
    pub zones: Vec<Zone>,
    /// What cools: fans, and clocks that are lowered.
    pub coolers: Vec<Cooler>,
}

/// A thermal zone.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Zone {
    /// Its name without what releases change: `cpu` for `CPU-therm` and `cpu-thermal`.
    pub name: String,
    /// How warm it is; offline while the block that it measures has no power.
    pub temperature: Reading<Celsius>,
    /// Where the kernel acts, in the order of the kernel.
    pub trips: Vec<Trip>,
}

impl Zone {
    /// The lowest trip point of a kind.
    pub fn lowest(&self, kind: TripKind) -> Option<Celsius> {
        let of_kind = self.trips.iter().filter(|trip| trip.kind == kind);
        of_kind.map(|trip| trip.temperature).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// A temperature at which the kernel acts.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Trip {
    /// What it does.
    pub kind: TripKind,
    /// From where on.
    pub temperature: Celsius,
}

/// What the kernel does at a trip point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum TripKind {
    /// Turns a fan up.
    Active,
    /// Lowers clocks.
    Passive,
    /// Tells the firmware.
    Hot,
    /// Switches the machine off.
    Critical,
}

impl TripKind {
    /// How the kernel writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Hot => "hot",
            Self::Critical => "critical",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::Hot, Self::Critical]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Something that cools; devices of the same type are one, with the highest state of them.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cooler {
    /// Its type, such as `cpu-throttle-alert` or `pwm-fan`.
    pub name: String,
    /// How much it cools, from 0 (not at all) to [`Cooler::max`].
    pub state: Reading<u64>,
    /// The most it can cool.
    pub max: Reading<u64>,
}

impl Cooler {
    /// Whether it cools by making the machine slower, and not by moving air.
    pub fn throttles(&self) -> bool {
        !self.name.contains("fan")
    }

    /// How much it cools of what it can.
    pub fn ratio(&self) -> Option<Ratio> {
        match (&self.state, &self.max) {
            (Reading::Value(state), Reading::Value(max)) if *max > 0 => {
                Some(Ratio((*state as f64 / *max as f64).min(1.0)))
            }
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Thermometers {
    zones: Vec<(String, Zone)>,
    coolers: Vec<(String, Vec<String>)>,
}

const FOLDER: &str = "sys/class/thermal";

impl Collector for Thermometers {
    type Part = Thermal;
    const NAME: &'static str = "thermal";

    fn look(&mut self, files: &Files) -> bool {
        self.zones = files
            .entries(FOLDER, "thermal_zone")
            .into_iter()
            .filter_map(|path| {
                let kind = files.name(&format!("{path}/type")).value()?;
                // A constant of the power chip's driver, no measurement.
                let measures = !kind.eq_ignore_ascii_case("PMIC-Die");
                let zone = || Zone {
                    name: text::zone(&kind),
                    temperature: Reading::Absent,
                    trips: trips(files, &path),
                };
                measures.then(|| (path.clone(), zone()))
            })
            .take(MOST_ZONES)
            .collect();
        text::distinct(&mut self.zones, |(_, zone)| &mut zone.name);
        self.coolers.clear();
        for path in files.entries(FOLDER, "cooling_device") {
            let Some(kind) = files.name(&format!("{path}/type")).value() else { continue };
            let room = self.coolers.len() < MOST_COOLERS;
            match self.coolers.iter_mut().find(|(name, _)| *name == kind) {
                Some((_, paths)) => paths.push(path),
                None if room => self.coolers.push((kind, vec![path])),
                None => {}
            }
        }
        !self.zones.is_empty()
    }

    fn read(&mut self, files: &Files) -> Thermal {
        for (path, zone) in &mut self.zones {
            zone.temperature = temperature(files, &format!("{path}/temp"));
        }
        let highest = |paths: &[String], name: &str| {
            let states = paths.iter().map(|path| files.count(&format!("{path}/{name}")));
            states.max_by_key(|state| state.clone().value()).unwrap_or_default()
        };
        let coolers = self.coolers.iter().map(|(name, paths)| Cooler {
            name: name.clone(),
            state: highest(paths, "cur_state"),
            max: highest(&paths[..1], "max_state"),
        });
        Thermal {
            coolers: coolers.collect(),
            zones: self.zones.iter().map(|(_, zone)| zone.clone()).collect(),
        }
    }
}

fn trips(files: &Files, zone: &str) -> Vec<Trip> {
    let trip = |number: usize| {
        let kind = files.text(&format!("{zone}/trip_point_{number}_type")).value()?;
        let at = files.number(&format!("{zone}/trip_point_{number}_temp")).value()?;
        let kind = TripKind::from_name(&kind)?;
        // Trip points that are not used are 0, negative or enormous.
        (1..=200_000).contains(&at).then(|| Trip { kind, temperature: Celsius(at as f64 / 1000.0) })
    };
    (0..MOST_TRIPS).filter_map(trip).collect()
}

/// Reads a file in thousandths of a degree.
pub(crate) fn temperature(files: &Files, path: &str) -> Reading<Celsius> {
    /// `THERMAL_TEMP_INVALID` of the kernel's `thermal.h`, and what some drivers of NVIDIA say instead.
    const NOTHING: [i64; 2] = [-274_000, -256_000];
    match files.must(path) {
        Reading::Value(value) if NOTHING.contains(&value) => Reading::Offline,
        Reading::Value(value) if !(-100_000..=250_000).contains(&value) => {
            let failure = Failure::Malformed(format!("{value} m°C is no temperature"));
            files.judge(path, Reading::Failed(failure))
        }
        reading => reading.map(|value| Celsius(value as f64 / 1000.0)),
    }
}
