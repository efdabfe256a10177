//! What the device offers on `/metrics`, for each board that there is a copy of.
//!
//! `UPDATE_GOLDEN=1 cargo nextest run -E 'test(sensors)'` writes `tests/golden/` anew; the change is reviewed.

use std::{
    env,
    fmt::Write,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jetson_stats::fixtures;
use linly_edge::{
    config,
    metrics::Metrics,
    sensors::{FAMILIES, Kind, Sensors, families_of},
};
use prometheus::{
    Encoder, TextEncoder,
    proto::{Metric, MetricFamily},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/jetson-stats-rs/tests/fixtures")
}

/// The names of all copies of boards.
fn boards() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn unpacked(name: &str) -> tempfile::TempDir {
    let tree = fs::read_to_string(folder().join(format!("{name}.tree"))).unwrap();
    let root = tempfile::tempdir().unwrap();
    fixtures::unpack(&tree, root.path()).unwrap();
    root
}

fn families(name: &str) -> Vec<MetricFamily> {
    let mut families = families_of(unpacked(name).path()).unwrap();
    families.sort_by(|a, b| a.name().cmp(b.name()));
    families
}

fn series(families: &[MetricFamily]) -> usize {
    families.iter().map(|family| family.get_metric().len()).sum()
}

/// The exposition without what changes from run to run.
fn text(families: &[MetricFamily]) -> String {
    let mut text = Vec::new();
    TextEncoder::new().encode(families, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let changes = ["collector_duration_seconds{", "sample_timestamp_seconds "];
    let stays =
        |line: &&str| !changes.iter().any(|name| line.starts_with(&format!("linly_talker_{name}")));
    text.lines().filter(stays).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn every_board_offers_what_it_offered() {
    for name in boards() {
        let now = text(&families(&name));
        let golden =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.prom"));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(golden, now).unwrap();
            continue;
        }
        let then = fs::read_to_string(&golden).unwrap_or_default();
        for (now, then) in now.lines().zip(then.lines()) {
            assert_eq!(now, then, "{name}.prom; UPDATE_GOLDEN=1 accepts it");
        }
        assert_eq!(now.lines().count(), then.lines().count(), "{name}.prom");
    }
}

#[test]
fn no_board_offers_too_many_series() {
    for name in boards() {
        let count = series(&families(&name));
        assert!(count <= 180, "{name}: {count}");
    }
}

#[test]
fn no_label_is_long_or_odd() {
    for name in boards() {
        for family in families(&name) {
            for label in family.get_metric().iter().flat_map(Metric::get_label) {
                let value = label.value();
                assert!(value.chars().count() <= 64, "{name} {}: {value:?}", family.name());
                assert!(
                    !value.chars().any(char::is_control),
                    "{name} {}: {value:?}",
                    family.name()
                );
            }
        }
    }
}

#[test]
fn ratios_are_ratios_and_nothing_stands_for_a_missing_value() {
    for name in boards() {
        for family in families(&name) {
            for metric in family.get_metric() {
                let value = metric.get_gauge().get_value();
                let is = |suffix: &str| family.name().ends_with(suffix);
                assert!(value.is_finite());
                assert!(!is("_ratio") || (0.0..=1.0).contains(&value), "{name} {}", family.name());
                assert!(!is("_celsius") || value > -100.0, "{name} {}: {value}", family.name());
            }
        }
    }
}

#[test]
fn a_machine_without_sensors_offers_what_every_linux_has() {
    let text = text(&families("generic-arm64"));
    assert!(text.contains("linly_talker_memory_size_bytes "));
    assert!(text.contains("linly_talker_collector_success{collector=\"thermal\"} 1"));
    for absent in ["temperature", "rail_", "gpu_", "power_mode"] {
        assert!(!text.contains(&format!("linly_talker_{absent}")), "{absent}");
    }
}

#[test]
fn names_help_and_kinds_go_together() {
    for family in FAMILIES {
        let name = family.name;
        assert_eq!(family.kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert!(family.help.ends_with('.') && !family.help.contains('\n'), "{name}");
        let twins = FAMILIES.iter().filter(|other| other.name == name).count();
        assert_eq!(twins, 1, "{name}");
        for part in name.split('_') {
            assert!(!["ms", "mw", "khz", "percent", "kb", "mb"].contains(&part), "{name}");
        }
    }
}

#[test]
fn the_reference_of_the_device_is_current() {
    let mut text = "<!-- Made from src/sensors/catalogue.rs by `make test`; edits are lost. -->\n\
        # Metrics of the device\n\n\
        `GET /metrics` offers these where the device has the sensor; their category is *resource*. They are \
        sampled in the background, once a second unless `sensors.period_ms` says otherwise; a value that \
        was not read for three periods is withdrawn.\n\n\
        | name | type | labels | what |\n|---|---|---|---|\n"
        .to_owned();
    for family in FAMILIES {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = if family.kind == Kind::Counter { "counter" } else { "gauge" };
        let (name, labels, help) = (family.name, labels.join(", "), family.help);
        writeln!(text, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
    }
    crate::reference::is_current("docs/device-metrics.md", &text);
}

/// Scrapes until `seen`, for at most ten seconds.
fn until(metrics: &Metrics, seen: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let text = String::from_utf8(metrics.expose(None, None).body).unwrap();
        if seen(&text) {
            return text;
        }
        assert!(Instant::now() < end, "not seen in\n{text}");
        std::thread::yield_now();
    }
}

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[test]
fn a_change_is_seen_energy_adds_up_and_a_dead_sampler_tells_nothing() {
    let root = unpacked("t234-nano-r36.4");
    let metrics = Metrics::default();
    let config = config::Sensors { enabled: true, period_ms: 100, root: root.path().to_owned() };
    let sensors = Sensors::start(&config, &metrics).unwrap();
    let cpu = "linly_talker_temperature_celsius{sensor=\"cpu\"}";
    until(&metrics, |text| value(text, cpu) == Some(47.5));

    fs::write(root.path().join("sys/class/thermal/thermal_zone0/temp"), "99500\n").unwrap();
    fs::write(root.path().join("sys/class/thermal/cooling_device0/cur_state"), "1\n").unwrap();
    let throttled = "linly_talker_throttled_seconds_total{device=\"cpu-throttle-alert\"}";
    let energy = "linly_talker_board_energy_joules_total";
    let text = until(&metrics, |text| {
        value(text, cpu) == Some(99.5)
            && value(text, throttled).is_some_and(|seconds| seconds >= 0.1)
            && value(text, energy).is_some_and(|joules| joules >= 1.0)
    });
    assert_eq!(value(&text, "linly_talker_thermal_sensor_readable{sensor=\"gpu\"}"), Some(0.0));
    assert_eq!(value(&text, "linly_talker_temperature_celsius{sensor=\"gpu\"}"), None);

    // The readers are gone; what they have left is withdrawn after three periods.
    sensors.stop(Duration::from_secs(5)).unwrap();
    let text = until(&metrics, |text| value(text, cpu).is_none());
    assert!(value(&text, "linly_talker_sample_timestamp_seconds").is_some());
    assert_eq!(value(&text, "linly_talker_collector_success{collector=\"thermal\"}"), Some(0.0));
    assert_eq!(value(&text, energy), None);
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linly-edge"));
    command.arg("sensors").args(arguments).stdin(Stdio::null());
    command
}

#[test]
fn the_table_says_in_words_what_has_no_value() {
    let root = unpacked("t234-nano-r36.4");
    let output = command(&["--root", root.path().to_str().unwrap()]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for line in [
        "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super · Jetson Orin Nano Developer Kit · tegra234 · serial 1421000000000",
        "L4T 36.4.4 (JetPack 6.2.1) · ubuntu 22.04 · kernel 5.15.148-tegra",
        "power mode MAXN_SUPER",
        "  17000000.gpu   43.7 % ████░░░░░░    306 MHz   306–1020 MHz",
        "  memory bus                        needs root",
        "  gpu   offline     slows down at 99.0 °C  off at 104.5 °C",
        "  cpu      47.5 °C  slows down at 99.0 °C  off at 104.5 °C",
        "  VDD_IN              9.25 W     4.984 V     1.856 A  limit 4.98 A",
        "  oc3  37 events since the start",
        "  fan1   29.8 % ███░░░░░░░    1636 rpm",
    ] {
        assert!(table.lines().any(|told| told == line), "{line:?} is not in\n{table}");
    }
    assert!(!table.contains('\x1b'), "colours are for terminals");
    assert!(!table.contains("not read"), "nothing failed");
}

#[test]
fn json_names_its_units_and_tells_the_absent_from_the_offline() {
    let root = unpacked("t234-nano-r36.4");
    let output = command(&["--json", "--root", root.path().to_str().unwrap()]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let zones = &told["thermal"]["zones"];
    assert_eq!(zones[0]["temperature"]["celsius"], 47.5);
    assert_eq!(zones[1]["temperature"], "offline");
    assert_eq!(told["emc"]["frequency"]["failed"], "needs root");
    assert!(told["memory"]["iram"].is_null());
}

#[test]
fn watching_ends_when_nobody_reads() {
    let root = unpacked("generic-arm64");
    let mut arguments = command(&["--watch", "--json", "--root", root.path().to_str().unwrap()]);
    let mut watching = arguments.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line = lines.next().expect("a line a second").unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
    }
    drop(lines);
    assert!(watching.wait().unwrap().success());
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let output = command(&["--root", "/nowhere/at/all"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no folder /nowhere/at/all"));
}
