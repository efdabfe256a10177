//! What adds up: energy, busy time, throttled time. A scrape every half a minute loses none of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jetson_stats::{Reading, Snapshot};

use super::{STALE_PERIODS, Sample};

/// The most names that something is added up for; devices have a quarter of that.
const MOST_NAMES: usize = 48;

/// What has added up since the daemon started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Energy of each rail, in joules.
    pub rail_joules: BTreeMap<String, f64>,
    /// Energy of the whole board, in joules.
    pub board_joules: f64,
    /// Seconds of work of the graphics processor.
    pub gpu_busy_seconds: f64,
    /// Seconds in which each cooling device slowed the machine down.
    pub throttled_seconds: BTreeMap<String, f64>,
}

/// What the last sample said of a quantity that is integrated.
#[derive(Clone, Debug, Default)]
struct Before {
    rail_watts: BTreeMap<String, f64>,
    board_watts: Option<f64>,
    gpu_load: Option<f64>,
}

/// Adds up sample by sample.
#[derive(Debug)]
pub(super) struct Ledger {
    keep: Duration,
    totals: Totals,
    before: Before,
    last: Option<(Instant, Snapshot)>,
    /// When each collector last told its group in time.
    told: BTreeMap<&'static str, Instant>,
}

impl Ledger {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            keep: period * STALE_PERIODS,
            totals: Totals::default(),
            before: Before::default(),
            last: None,
            told: BTreeMap::new(),
        }
    }

    /// Adds a snapshot that was read at `now`, and gives what is to be published.
    pub(super) fn enter(&mut self, mut snapshot: Snapshot, now: Instant) -> Sample {
        // A clock that stood still, as in a suspended machine, adds nothing.
        let seconds = self
            .last
            .as_ref()
            .map(|(last, _)| now.saturating_duration_since(*last))
            .filter(|since| *since <= self.keep)
            .map_or(0.0, |since| since.as_secs_f64());
        self.add(&snapshot, seconds);
        self.fill_gaps(&mut snapshot, now);
        self.last = Some((now, snapshot.clone()));
        Sample { snapshot, totals: self.totals.clone(), until: now + self.keep }
    }

    /// Between two samples a value counts as their mean; with only one of them, nothing is made up.
    fn add(&mut self, snapshot: &Snapshot, seconds: f64) {
        let area = |before: Option<f64>, now: f64| match before {
            // A small negative current is noise of the monitor, and energy never falls.
            Some(before) => f64::midpoint(before, now).max(0.0) * seconds,
            None => 0.0,
        };
        let Self { totals, before, .. } = self;
        let mut now = Before::default();
        for rail in &snapshot.power.rails {
            let Some(total) = entry(&mut totals.rail_joules, &rail.name) else { continue };
            if let Reading::Value(watts) = &rail.power {
                *total += area(before.rail_watts.get(&rail.name).copied(), watts.0);
                now.rail_watts.insert(rail.name.clone(), watts.0);
            }
        }
        if let Some((watts, _)) = snapshot.power.board() {
            totals.board_joules += area(before.board_watts, watts.0);
            now.board_watts = Some(watts.0);
        }
        if let Some(Reading::Value(load)) = snapshot.gpus.first().map(|gpu| &gpu.load) {
            totals.gpu_busy_seconds += area(before.gpu_load, load.0);
            now.gpu_load = Some(load.0);
        }
        for cooler in snapshot.thermal.coolers.iter().filter(|cooler| cooler.throttles()) {
            let Some(total) = entry(&mut totals.throttled_seconds, &cooler.name) else { continue };
            if matches!(cooler.state, Reading::Value(1..)) {
                *total += seconds;
            }
        }
        *before = now;
    }

    /// A collector that is late for a moment leaves its last values standing, but not for long.
    fn fill_gaps(&mut self, snapshot: &mut Snapshot, now: Instant) {
        let late: Vec<&'static str> =
            snapshot.collectors.iter().filter(|report| report.late).map(|r| r.name).collect();
        for report in snapshot.collectors.iter().filter(|report| !report.late) {
            self.told.insert(report.name, now);
        }
        let Some((_, earlier)) = &self.last else { return };
        for name in late {
            if self.told.get(name).is_some_and(|told| now.duration_since(*told) < self.keep) {
                snapshot.keep(name, earlier);
            }
        }
    }
}

/// The total of a name, which begins at 0; none when there are too many names already.
fn entry<'a>(totals: &'a mut BTreeMap<String, f64>, name: &str) -> Option<&'a mut f64> {
    if totals.len() >= MOST_NAMES && !totals.contains_key(name) {
        return None;
    }
    Some(totals.entry(name.to_owned()).or_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jetson_stats::{Jetson, fixtures};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn snapshot(changes: &str) -> Snapshot {
        let fixture = "crates/jetson-stats-rs/tests/fixtures/t234-agx-r36.4.tree";
        let tree = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture));
        let root = tempfile::tempdir().unwrap();
        fixtures::unpack(&tree.unwrap(), root.path()).unwrap();
        fixtures::unpack(changes, root.path()).unwrap();
        Jetson::at(root.path()).unwrap().sample()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn energy_is_the_area_under_the_power() {
        let (mut ledger, start) = (Ledger::new(SECOND), Instant::now());
        let full = snapshot("");
        let half = snapshot("sys/class/hwmon/hwmon1/curr1_input = 756\n");
        let first = ledger.enter(full.clone(), start);
        assert!(close(first.totals.rail_joules["VDD_GPU_SOC"], 0.0), "it begins at 0");
        ledger.enter(full, start + SECOND);
        let third = ledger.enter(half, start + 2 * SECOND).totals;
        let watts = 15.208 * 1.512;
        assert!(close(third.rail_joules["VDD_GPU_SOC"], watts + watts * 0.75), "{third:?}");
        assert!(third.board_joules > third.rail_joules["VDD_GPU_SOC"]);
        assert!(close(third.gpu_busy_seconds, 2.0 * 0.963));
        assert!(close(third.throttled_seconds["cpu-throttle-alert"], 2.0));
        assert!(close(third.throttled_seconds["gpu-throttle-alert"], 0.0));
        assert!(!third.throttled_seconds.contains_key("pwm-fan"), "a fan slows nothing down");
    }

    #[test]
    fn what_nobody_saw_is_not_made_up() {
        let (mut ledger, start) = (Ledger::new(SECOND), Instant::now());
        let seen = snapshot("");
        let unseen = snapshot("sys/class/hwmon/hwmon1/curr1_input ! EIO\n");
        ledger.enter(seen.clone(), start);
        ledger.enter(unseen, start + SECOND);
        let totals = ledger.enter(seen.clone(), start + 2 * SECOND).totals;
        assert!(close(totals.rail_joules["VDD_GPU_SOC"], 0.0));
        assert!(close(totals.board_joules, 0.0), "without a rail the sum is not known");
        let totals = ledger.enter(seen, start + 100 * SECOND).totals;
        assert!(close(totals.rail_joules["VDD_GPU_SOC"], 0.0), "the machine was suspended");
    }

    #[test]
    fn late_values_stand_for_three_periods() {
        let (mut ledger, start) = (Ledger::new(SECOND), Instant::now());
        let seen = snapshot("");
        let mut late = seen.clone();
        late.thermal = jetson_stats::Thermal::default();
        for report in late.collectors.iter_mut().filter(|report| report.name == "thermal") {
            report.late = true;
        }
        ledger.enter(seen, start);
        for second in 1..3 {
            let kept = ledger.enter(late.clone(), start + second * SECOND).snapshot;
            assert_eq!(kept.thermal.zones.len(), 11, "after {second} s");
        }
        let gone = ledger.enter(late, start + 3 * SECOND).snapshot;
        assert!(gone.thermal.zones.is_empty());
    }
}
