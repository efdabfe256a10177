//! Prints temperatures and power of this machine once.

use jetson_stats::{Jetson, Reading};

fn main() -> std::io::Result<()> {
    let snapshot = Jetson::open()?.sample();
    println!("{}", snapshot.board.model);
    for zone in &snapshot.thermal.zones {
        match &zone.temperature {
            Reading::Value(celsius) => println!("{:16} {celsius}", zone.name),
            other => println!("{:16} {other}", zone.name),
        }
    }
    if let Some((watts, source)) = snapshot.power.board() {
        println!("{:16} {watts} ({source:?})", "board");
    }
    for report in snapshot.collectors.iter().filter(|report| !report.is_success()) {
        println!("{:16} {}", report.name, report.fault.as_deref().unwrap_or_default());
    }
    Ok(())
}
