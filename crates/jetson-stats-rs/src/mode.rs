//! The power mode: what nvpmodel was asked for, and what is in force.

use crate::{Collector, Files, reading::Reading, text};

/// The most modes that are told; boards have up to 7.
pub const MOST_MODES: usize = 16;

/// The power mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PowerMode {
    /// What nvpmodel was last asked for.
    pub asked: Reading<Mode>,
    /// The mode whose limits are in force, read back from the kernel. Offline when no mode's limits
    /// are: somebody has changed them, or a restart is due.
    pub actual: Reading<Mode>,
    /// The mode after a fresh installation.
    pub default: Reading<Mode>,
    /// All modes of this machine.
    pub all: Vec<Mode>,
}

/// A power mode. Numbers change between releases, names do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Mode {
    /// Its number.
    pub id: u32,
    /// Its name, such as `MAXN` or `15W`.
    pub name: String,
}

/// A limit that a mode sets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit {
    path: String,
    value: i64,
    /// Whether it is a clock, which the kernel rounds to one that it can make.
    clock: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Modes {
    modes: Vec<(Mode, Vec<Limit>)>,
    default: Option<u32>,
}

impl Collector for Modes {
    type Part = PowerMode;
    const NAME: &'static str = "mode";

    fn look(&mut self, files: &Files) -> bool {
        let configuration = files.text("etc/nvpmodel.conf").value().unwrap_or_default();
        (self.modes, self.default) = modes(&configuration);
        !self.modes.is_empty()
    }

    fn read(&mut self, files: &Files) -> PowerMode {
        let named = |id: u32| {
            let known = self.modes.iter().find(|(mode, _)| mode.id == id);
            known.map_or_else(|| Mode { id, name: id.to_string() }, |(mode, _)| mode.clone())
        };
        let asked = files.parse("var/lib/nvpmodel/status", |status| {
            let word = status.split_whitespace().find_map(|word| word.strip_prefix("pmode:"))?;
            word.parse().ok().map(named)
        });
        PowerMode {
            actual: self.actual(files, asked.as_ref().value()),
            asked,
            default: self.default.map(named).into(),
            all: self.modes.iter().map(|(mode, _)| mode.clone()).collect(),
        }
    }
}

impl Modes {
    /// The mode all of whose limits are in force; of several, the one that was asked for.
    fn actual(&self, files: &Files, asked: Option<&Mode>) -> Reading<Mode> {
        let mut known: Vec<(String, Option<i64>)> = Vec::new();
        let mut now = |path: &str| {
            if let Some((_, value)) = known.iter().find(|(known, _)| known == path) {
                return *value;
            }
            let value = files.number(path).value();
            known.push((path.to_owned(), value));
            value
        };
        let mut compared = false;
        let mut fits = Vec::new();
        for (mode, limits) in &self.modes {
            let mut told = 0;
            let holds = limits.iter().all(|limit| {
                now(&limit.path).is_none_or(|value| {
                    told += 1;
                    limit.holds(value)
                })
            });
            compared |= told > 0;
            if holds && told > 0 {
                fits.push(mode);
            }
        }
        match fits.iter().find(|mode| Some(**mode) == asked).or(fits.first()) {
            Some(mode) => Reading::Value((*mode).clone()),
            None if compared => Reading::Offline,
            None => Reading::Absent,
        }
    }
}

impl Limit {
    fn holds(&self, value: i64) -> bool {
        if self.clock {
            // Up to a hundredth less, because the kernel takes the next clock that it can make.
            let least = self.value - self.value / 100;
            (least..=self.value).contains(&value)
        } else {
            self.value == value
        }
    }
}

/// Modes and the default of an `nvpmodel.conf`.
///
/// `< PARAM TYPE=FILE NAME=CPU_ONLINE >` is followed by lines `CORE_1 /sys/…/cpu1/online`, and
/// `< POWER_MODEL ID=1 NAME=15W >` by lines `CPU_ONLINE CORE_1 1`.
fn modes(text: &str) -> (Vec<(Mode, Vec<Limit>)>, Option<u32>) {
    let mut modes: Vec<(Mode, Vec<Limit>)> = Vec::new();
    let mut default = None;
    // (parameter, key, path, whether it is a clock)
    let mut places: Vec<(&str, &str, &str, bool)> = Vec::new();
    let mut parameter: Option<(&str, bool)> = None;
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let value =
            |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["<", "PM_CONFIG", ..] => {
                default = value("DEFAULT").and_then(|id| id.parse().ok());
                parameter = None;
            }
            ["<", "PARAM", ..] => {
                parameter = value("NAME").map(|name| (name, value("TYPE") == Some("CLOCK")));
            }
            ["<", "POWER_MODEL", ..] => {
                parameter = None;
                let id = value("ID").and_then(|id| id.parse().ok());
                if let (Some(id), true) = (id, modes.len() < MOST_MODES) {
                    let name = text::name(value("NAME").unwrap_or_default());
                    modes.push((Mode { id, name }, Vec::new()));
                }
            }
            [key, path] if path.starts_with("/sys/") && !path.contains("..") => {
                if let Some((name, clock)) = parameter {
                    places.push((name, key, path, clock));
                }
            }
            [name, key, value] => {
                let place = places.iter().find(|place| place.0 == *name && place.1 == *key);
                if let (Some((_, key, path, clock)), Some((_, limits)), Ok(value)) =
                    (place, modes.last_mut(), value.parse::<i64>())
                    // The least clocks are where locking starts, and -1 and the largest number mean
                    // that nothing is set.
                    && !key.starts_with("MIN_FREQ")
                    && value >= 0
                    && value < i64::from(i32::MAX)
                    && limits.len() < 64
                {
                    limits.push(Limit { path: (*path).to_owned(), value, clock: *clock });
                }
            }
            _ => {}
        }
    }
    (modes, default)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_belong_to_their_mode() {
        let text = "< PARAM TYPE=FILE NAME=CPU_ONLINE >\nCORE_4 /sys/devices/system/cpu/cpu4/online\n\
                    < PARAM TYPE=CLOCK NAME=GPU >\nMAX_FREQ /sys/class/devfreq/17000000.gpu/max_freq\n\
                    < POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_4 0\nGPU MAX_FREQ 624750000\n\
                    < POWER_MODEL ID=2 NAME=MAXN >\nCPU_ONLINE CORE_4 1\nGPU MAX_FREQ -1\n\
                    < PM_CONFIG DEFAULT=2 >\n";
        let (modes, default) = modes(text);
        assert_eq!(default, Some(2));
        assert_eq!(modes[0].0, Mode { id: 0, name: "15W".into() });
        assert_eq!(modes[0].1.len(), 2);
        assert!(modes[0].1[1].holds(620_000_000) && !modes[0].1[1].holds(306_000_000));
        assert_eq!(modes[1].1.len(), 1, "-1 sets nothing");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*|(< |PARAM |POWER_MODEL |ID=|NAME=|/sys/a|[0-9 \n>-])*") {
            let (modes, _) = modes(&text);
            prop_assert!(modes.len() <= MOST_MODES);
        }
    }
}
