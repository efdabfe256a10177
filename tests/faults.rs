//! What happens when a part of the machine fails.

use std::time::Duration;

use crate::support::{Faults, Machine, Seen};
use crossbeam_channel::bounded;
use linly_edge::{
    media::Step,
    metrics::{Model, Outcome},
};

const LIMIT: Duration = Duration::from_secs(5);
const ANSWERS: &[(&str, &str)] = &[("hello", "Good morning to you.")];

#[test]
fn a_failed_answer_is_apologised_for_and_the_next_one_works() {
    let machine = Machine::start(ANSWERS, Faults { llm_fails: 1, ..Faults::default() });
    machine.say("hello");
    machine.wait_heard("Sorry.").expect("an apology");
    assert_eq!(machine.metrics.requests(Model::Llm, Outcome::Failed), 1);
    assert_eq!(machine.metrics.failed_turns.of(Step::Llm).get(), 1);
    machine.say("hello");
    machine.wait_heard("Good morning to you.").expect("an answer");
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn an_engine_that_fails_three_times_in_a_row_ends_the_machine() {
    let mut machine = Machine::start(ANSWERS, Faults { tts_fails: 3, ..Faults::default() });
    for _ in 0..3 {
        machine.say("hello");
        machine.wait(LIMIT, |seen| matches!(seen, Seen::Asked(_)).then_some(())).expect("asked");
    }
    let (_keep, never) = bounded(0);
    let error = machine.kiosk.wait(&never).expect_err("a fault");
    let told = format!("{error:#}");
    assert!(told.starts_with("speak failed: the voice failed three times in a row"), "{told}");
}

#[test]
fn a_failed_recognition_is_counted_and_the_next_one_works() {
    let machine = Machine::start(ANSWERS, Faults { asr_fails: 1, ..Faults::default() });
    machine.say("hello");
    machine.wait_heard("Good morning to you.").expect("the rest of the speech was enough");
    assert_eq!(machine.metrics.requests(Model::Asr, Outcome::Failed), 1);
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn a_slow_face_costs_pictures_and_no_words() {
    let takes = Duration::from_millis(60);
    let machine = Machine::start(ANSWERS, Faults { face_takes: takes, ..Faults::default() });
    machine.say("hello");
    machine.wait(LIMIT, |seen| matches!(seen, Seen::Heard(_)).then_some(())).expect("something");
    machine.until("gaps are counted", || machine.metrics.speaker_underruns.get() > 0);
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn a_microphone_that_is_gone_is_named() {
    let mut machine =
        Machine::start(ANSWERS, Faults { microphone_ends: Some(3), ..Faults::default() });
    let (_keep, never) = bounded(0);
    let error = machine.kiosk.wait(&never).expect_err("a fault");
    assert_eq!(format!("{error:#}"), "hear failed: the microphone is gone: is it plugged in?");
}

#[test]
fn lost_sound_is_counted_and_survived() {
    let machine = Machine::start(ANSWERS, Faults { speaker_xruns: true, ..Faults::default() });
    machine.say("hello");
    machine.wait_heard("Good morning to you.").expect("an answer");
    machine.until("losses are counted", || machine.metrics.speaker_underruns.get() > 0);
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}
