//! What happens when somebody comes and goes.

use std::time::Duration;

use linly_edge::{media::Device, metrics::Parting};

use crate::support::{FakeEyes, Faults, Machine, Seen};

const ANSWERS: &[(&str, &str)] = &[("hello", "What can I do for you?")];
const LIMIT: Duration = Duration::from_secs(5);

fn machine(eyes: &FakeEyes) -> Machine {
    let eyes = eyes.clone();
    Machine::start_with(ANSWERS, Faults::default(), |settings, devices| {
        settings.manners.greeting = "Good morning.".into();
        devices.watch = Some((Box::new(eyes.clone()), Box::new(eyes)));
    })
}

#[test]
fn who_comes_is_greeted_and_who_leaves_is_forgotten() {
    let eyes = FakeEyes::default();
    let machine = machine(&eyes);
    eyes.present.set(true);
    machine.wait_heard("Good morning.").expect("a greeting");
    machine.say("hello");
    machine.wait_heard("What can I do for you?").expect("an answer");
    eyes.present.set(false);
    let metrics = &machine.metrics;
    machine.until("the session ends", || metrics.sessions_ended.of(Parting::Left).get() == 1);
    assert_eq!(metrics.greetings.get(), 1);
    machine.say("hello");
    let asked = machine.wait(LIMIT, |seen| match seen {
        Seen::Asked(history) => Some(history),
        _ => None,
    });
    assert_eq!(asked.expect("a question"), ["hello"], "nothing of before");
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn a_lost_camera_is_counted_and_comes_back() {
    let eyes = FakeEyes::default();
    let machine = machine(&eyes);
    eyes.away.set(true);
    let missing = |missing| {
        move |seen| {
            matches!(seen, Seen::Told(scene) if scene.missing.camera == missing).then_some(())
        }
    };
    machine.wait(LIMIT, missing(true)).expect("it is shown");
    assert!(!machine.metrics.works(Device::Camera));
    eyes.away.set(false);
    machine.wait(LIMIT, missing(false)).expect("it is shown");
    eyes.present.set(true);
    machine.wait_heard("Good morning.").expect("a greeting");
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}
