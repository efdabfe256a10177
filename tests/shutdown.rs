//! The machine stops when it is told to, whatever it is doing.

use std::time::{Duration, Instant};

use crate::support::{Faults, Machine, Seen};

const GRACE: Duration = Duration::from_secs(2);

fn stop(machine: Machine) {
    let began = Instant::now();
    machine.kiosk.stop(GRACE).expect("every thread ends");
    assert!(began.elapsed() < Duration::from_millis(500), "took {:?}", began.elapsed());
}

#[test]
fn an_idle_machine_stops() {
    let machine = Machine::start(&[], Faults::default());
    machine.wait(GRACE, |seen| matches!(seen, Seen::Shown(_)).then_some(())).expect("a picture");
    stop(machine);
}

#[test]
fn a_speaking_machine_stops() {
    let machine =
        Machine::start(&[("hello", "A long answer that nobody will hear.")], Faults::default());
    machine.say("hello");
    let speaks = |seen| matches!(seen, Seen::Shown(open) if open > 0.05).then_some(());
    machine.wait(GRACE, speaks).expect("it speaks");
    stop(machine);
}

#[test]
fn a_machine_that_hears_stops() {
    let machine = Machine::start(&[], Faults::default());
    machine.say("hello");
    stop(machine);
}
