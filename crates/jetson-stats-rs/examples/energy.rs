//! Integrates what each rail takes, once a second, for ten seconds: `cargo run --example energy [ROOT]`

use std::{
    collections::BTreeMap,
    env, thread,
    time::{Duration, Instant},
};

use jetson_stats::{Jetson, Reading};

fn main() -> std::io::Result<()> {
    let mut jetson = Jetson::at(env::args().nth(1).unwrap_or_else(|| "/".into()))?;
    let mut joules: BTreeMap<String, f64> = BTreeMap::new();
    let mut before = Instant::now();
    for _ in 0..10 {
        thread::sleep(Duration::from_secs(1));
        let snapshot = jetson.sample();
        let seconds = before.elapsed().as_secs_f64();
        before = Instant::now();
        for rail in snapshot.power.rails {
            if let Reading::Value(watts) = rail.power {
                *joules.entry(rail.name).or_default() += watts.0 * seconds;
            }
        }
    }
    for (rail, joules) in joules {
        println!("{rail:20} {joules:8.2} J");
    }
    Ok(())
}
