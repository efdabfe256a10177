//! What a machine that changes, or is only partly there, makes of the readings.

use std::{fs, path::Path, time::Duration};

use jetson_stats::{BoardSource, Celsius, Failure, Jetson, Ratio, Reading, fixtures};

fn machine(tree: &str) -> (tempfile::TempDir, Jetson) {
    let root = tempfile::tempdir().expect("a folder");
    fixtures::unpack(tree, root.path()).expect("a tree");
    let jetson = Jetson::at(root.path()).expect("readers");
    (root, jetson)
}

fn fixture(name: &str) -> (tempfile::TempDir, Jetson) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.tree"));
    machine(&fs::read_to_string(path).expect("a fixture"))
}

/// Samples until `seen` gives something, as often as a device may take to be found.
fn until<T>(
    jetson: &mut Jetson,
    mut seen: impl FnMut(&jetson_stats::Snapshot) -> Option<T>,
) -> Option<T> {
    (0..10).find_map(|_| seen(&jetson.sample()))
}

#[test]
fn gated_zones_are_offline_and_hide_nobody() {
    let (_root, mut jetson) = fixture("t234-nano-r36.4");
    let snapshot = jetson.sample();
    let zone = |name: &str| {
        let zones = &snapshot.thermal.zones;
        zones.iter().find(|zone| zone.name == name).expect("a zone").temperature.clone()
    };
    assert_eq!(zone("gpu"), Reading::Offline);
    assert_eq!(zone("cv2"), Reading::Offline);
    assert_eq!(zone("cpu"), Reading::Value(Celsius(47.5)));
    let thermal = snapshot.collectors.iter().find(|report| report.name == "thermal");
    assert!(thermal.expect("a report").is_success(), "offline is no fault");
}

#[test]
fn the_board_takes_what_its_input_takes_or_the_sum_of_its_rails() {
    let (_root, mut jetson) = fixture("t234-nano-r36.4");
    let (watts, source) = jetson.sample().power.board().expect("a power");
    assert!((watts.0 - 4.984 * 1.856).abs() < 1e-9);
    assert_eq!(source, BoardSource::Input("VDD_IN".into()));
    let (_root, mut jetson) = fixture("t234-agx-r36.4");
    let power = jetson.sample().power;
    let (watts, source) = power.board().expect("a power");
    assert_eq!((power.rails.len(), source), (4, BoardSource::Sum));
    assert!(
        (watts.0 - (15.208 * 1.512 + 15.184 * 1.037 + 5.032 * 1.34 + 1.8 * 0.441)).abs() < 1e-9
    );
}

#[test]
fn the_mode_in_force_is_read_back() {
    let (root, mut jetson) = fixture("t234-agx-r36.4");
    let mode = jetson.sample().mode;
    assert_eq!(mode.asked, mode.actual);
    assert_eq!(mode.actual.value().expect("a mode").name, "MODE_30W");
    // Somebody lifts the limit of the GPU behind nvpmodel's back: no mode fits any more.
    let clock = root.path().join("sys/class/devfreq/17000000.gpu/max_freq");
    fs::write(clock, "1300500000\n").expect("written");
    assert_eq!(jetson.sample().mode.actual, Reading::Offline);
}

#[test]
fn clocks_are_locked_when_nothing_may_change_them() {
    let (_root, mut jetson) = fixture("t234-agx-r35.4");
    assert_eq!(jetson.sample().clocks_locked(), Reading::Value(true));
    let (_root, mut jetson) = fixture("t234-nano-r36.4");
    assert_eq!(jetson.sample().clocks_locked(), Reading::Value(false));
    let (_root, mut jetson) = fixture("generic-arm64");
    assert_eq!(jetson.sample().clocks_locked(), Reading::Absent);
}

#[test]
fn a_gpu_that_comes_late_is_found() {
    let (root, mut jetson) = machine("proc/stat = cpu 1 2 3 4\n");
    assert!(jetson.sample().gpus.is_empty());
    let late = "sys/class/devfreq/17000000.gpu/cur_freq = 306000000\n\
                sys/class/devfreq/17000000.gpu/device/load = 250\n";
    fixtures::unpack(late, root.path()).expect("a tree");
    let load = until(&mut jetson, |snapshot| Some(snapshot.gpus.first()?.load.clone()));
    assert_eq!(load, Some(Reading::Value(Ratio(0.25))));
}

#[test]
fn what_vanishes_is_looked_for_anew() {
    let (root, mut jetson) = fixture("t234-nano-r36.4");
    assert_eq!(jetson.sample().power.rails.len(), 3);
    // The driver is loaded anew: the chip gets another number.
    let chips = root.path().join("sys/bus/i2c/drivers/ina3221/1-0040/hwmon");
    fs::rename(chips.join("hwmon1"), chips.join("hwmon9")).expect("renamed");
    let rail = &jetson.sample().power.rails[0];
    assert_eq!(rail.voltage, Reading::Absent, "never the old value");
    assert!(jetson.sample().power.rails[0].voltage.is_value());
}

#[test]
fn a_lack_of_rights_is_told_and_is_no_fault() {
    let (_root, mut jetson) = fixture("t234-nano-r36.4");
    let snapshot = jetson.sample();
    assert_eq!(snapshot.processes, Reading::Failed(Failure::Denied));
    assert_eq!(snapshot.emc.frequency, Reading::Failed(Failure::Denied));
    assert!(snapshot.collectors.iter().all(jetson_stats::CollectorReport::is_success));
}

#[test]
fn nonsense_is_a_fault_of_its_own_group() {
    let (_root, mut jetson) = fixture("hostile");
    let snapshot = jetson.sample();
    let failed: Vec<_> =
        snapshot.collectors.iter().filter(|r| !r.is_success()).map(|r| r.name).collect();
    assert_eq!(failed, ["cpu", "gpu", "thermal", "hwmon", "mode", "memory", "storage"]);
    assert!(snapshot.gpus[0].load.is_fault(), "1001 of 1000");
    for zone in &snapshot.thermal.zones {
        assert!(zone.name.chars().count() <= 64 && !zone.name.chars().any(char::is_control));
        assert!(!matches!(zone.temperature, Reading::Value(Celsius(-256.0 | 0.0))), "{zone:?}");
    }
}

#[test]
fn this_machine_can_be_read() {
    let mut jetson = Jetson::builder().deadline(Duration::from_secs(5)).open().expect("readers");
    let snapshot = jetson.sample();
    assert!(snapshot.cpu.times.is_value(), "{:?}", snapshot.cpu.times);
    assert!(snapshot.memory.total.is_value());
    assert!(snapshot.storage.mounts.iter().any(|mount| mount.path == "/" && mount.size.is_value()));
}
