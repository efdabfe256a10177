//! What is read of each fixture is what was read when it was last looked at.
//!
//! `UPDATE_GOLDEN=1 cargo test -p jetson-stats-rs` writes `tests/golden/` anew; the change is reviewed.

use std::{env, fs, path::Path};

use jetson_stats::{Jetson, Snapshot, fixtures};
use serde_json::Value;

/// What does not change from run to run, as text.
fn told(snapshot: &Snapshot) -> String {
    let mut told = serde_json::to_value(snapshot).expect("a snapshot is JSON");
    told.as_object_mut().expect("an object").remove("taken");
    for report in told["collectors"].as_array_mut().expect("a list") {
        report.as_object_mut().expect("an object").remove("took");
    }
    serde_json::to_string_pretty::<Value>(&told).expect("JSON") + "\n"
}

fn compare(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let tree = fs::read_to_string(folder.join(format!("fixtures/{name}.tree"))).expect("a fixture");
    let root = tempfile::tempdir().expect("a folder");
    fixtures::unpack(&tree, root.path()).expect("a fixture unpacks");
    let mut jetson = Jetson::at(root.path()).expect("readers");
    let now = told(&jetson.sample());
    let golden = folder.join(format!("golden/{name}.json"));
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(folder.join("golden")).expect("a folder");
        fs::write(golden, now).expect("written");
        return;
    }
    let then = fs::read_to_string(golden).expect("a golden file; UPDATE_GOLDEN=1 makes it");
    for (number, (now, then)) in now.lines().zip(then.lines()).enumerate() {
        assert_eq!(now, then, "{name}.json line {}; UPDATE_GOLDEN=1 accepts it", number + 1);
    }
    assert_eq!(now.lines().count(), then.lines().count(), "{name}");
}

macro_rules! golden {
    ($($test:ident $name:literal,)+) => {
        $(#[test] fn $test() { compare($name); })+

        #[test]
        fn every_fixture_is_compared() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
            let known = [$($name,)+];
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
                assert!(known.contains(&name.as_str()), "{name} has no test");
            }
        }
    };
}

golden! {
    nano "t210-r32.7",
    xavier_nx "t194-nx-r35.6",
    agx_orin_r35 "t234-agx-r35.4",
    orin_nano "t234-nano-r36.4",
    agx_orin_r36 "t234-agx-r36.4",
    orin_nx_r39 "t234-nx-r39.2",
    thor "t264-r38.4",
    another_arm_board "generic-arm64",
    pc "pc-x86",
    hostile "hostile",
}
