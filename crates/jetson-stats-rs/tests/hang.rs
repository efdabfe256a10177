//! A sensor that never answers. Alone in its binary, because it counts the threads of the process.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use jetson_stats::{Jetson, Snapshot, fixtures};

const DEADLINE: Duration = Duration::from_millis(300);

fn fault(snapshot: &Snapshot, name: &str) -> Option<String> {
    let report = snapshot.collectors.iter().find(|report| report.name == name);
    report.expect("a report").fault.clone()
}

/// Threads of this process that read temperatures.
fn thermometers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("a list of threads");
    tasks
        .flatten()
        .filter(|task| {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            name.trim() == "sense-thermal"
        })
        .count()
}

#[test]
fn a_sensor_that_hangs_delays_nobody_and_piles_up_nothing() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/t234-nano-r36.4.tree");
    let root = tempfile::tempdir().expect("a folder");
    let tree = fs::read_to_string(tree).expect("a fixture");
    fixtures::unpack(&tree, root.path()).expect("a tree");
    let sensor = root.path().join("sys/class/thermal/thermal_zone5/temp");
    fs::remove_file(&sensor).expect("removed");
    // Opening a pipe that nobody writes to waits for ever, as a read of a broken bus does.
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mkfifoat(rustix::fs::CWD, &sensor, mode).expect("a pipe");

    let mut jetson =
        Jetson::builder().root(root.path()).deadline(DEADLINE).open().expect("readers");
    for _ in 0..3 {
        let began = Instant::now();
        let snapshot = jetson.sample();
        assert!(began.elapsed() < 5 * DEADLINE, "{:?}", began.elapsed());
        assert_eq!(fault(&snapshot, "thermal").as_deref(), Some("did not answer in time"));
        assert_eq!(fault(&snapshot, "power"), None);
        assert!(snapshot.thermal.zones.is_empty(), "what is late is not told");
        assert_eq!(snapshot.power.rails.len(), 3);
        assert_eq!(thermometers(), 1);
    }

    // The bus wakes up; from then on it is read again.
    let pipe = fs::OpenOptions::new().write(true).open(&sensor).expect("a reader waits");
    fs::remove_file(&sensor).expect("removed");
    fs::write(&sensor, "46000\n").expect("written");
    drop(pipe);
    let woken = (0..20).any(|_| fault(&jetson.sample(), "thermal").is_none());
    assert!(woken, "the reader is asked again");
}
