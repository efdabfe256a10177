//! Dialogues on the whole machine, with fake models and devices.

use std::time::Duration;

use linly_edge::metrics::End;

use crate::support::{Faults, Machine, check};

const ANSWERS: &[(&str, &str)] = &[
    ("what is this place?", "This is the museum. It is open until six."),
    ("and tomorrow?", "Until eight."),
    ("你好", "你好。欢迎光临。"),
];

#[test]
fn a_question_is_answered_and_remembered() {
    check(
        ANSWERS,
        "visitor says: what is this place?
         kiosk says: This is the museum.
         kiosk says: It is open until six.
         visitor says: and tomorrow?
         history: what is this place? | This is the museum. It is open until six. | and tomorrow?
         kiosk says: Until eight.",
    );
}

#[test]
fn what_is_typed_is_answered_like_what_is_said() {
    check(
        ANSWERS,
        "visitor types: and tomorrow?
         kiosk says: Until eight.",
    );
}

#[test]
fn a_whole_recording_is_heard_at_once() {
    check(
        ANSWERS,
        "visitor records: and tomorrow?
         kiosk says: Until eight.
         visitor says: what is this place?
         kiosk says: This is the museum.",
    );
}

#[test]
fn what_the_visitor_feels_is_measured() {
    let machine = Machine::start(ANSWERS, Faults::default());
    machine.say("and tomorrow?");
    machine.wait_heard("Until eight.").expect("an answer");
    let metrics = &machine.metrics;
    machine.until("the turn is counted", || metrics.turns.of(End::Finished).get() == 1);
    assert_eq!(metrics.sessions.get(), 1);
    assert_eq!(metrics.request_latency.get_sample_count(), 1);
    assert_eq!(metrics.first_lip_movement.get_sample_count(), 1);
    // The lips do not move before the sound by more than a picture, nor long after it.
    let lips = metrics.first_lip_movement.get_sample_sum();
    let sound = metrics.request_latency.get_sample_sum();
    assert!((-0.04..0.5).contains(&(lips - sound)), "lips after {lips} s, sound after {sound} s");
    // "Until eight." is 12 letters of 20 ms: six beats, and one for the end of the sentence.
    let pictures = metrics.av_skew.get_sample_count();
    assert!((1..=7).contains(&pictures), "{pictures} pictures");
    assert_eq!(metrics.false_interruptions.get(), 0);
    machine.kiosk.stop(Duration::from_secs(2)).expect("every thread ends");
}

#[test]
fn a_cough_into_an_answer_is_a_false_interruption() {
    let machine = Machine::start(ANSWERS, Faults::default());
    machine.say("what is this place?");
    machine.wait_heard("This is the museum.").expect("an answer");
    machine.say("");
    let metrics = &machine.metrics;
    machine.until("it is counted", || metrics.false_interruptions.get() == 1);
    assert_eq!(metrics.turns.of(End::Interrupted).get(), 1);
    machine.until("the silence is counted", || metrics.hush.get_sample_count() == 1);
    machine.kiosk.stop(Duration::from_secs(2)).expect("every thread ends");
}

#[test]
fn chinese_is_cut_at_its_own_full_stops() {
    check(
        ANSWERS,
        "visitor says: 你好
         kiosk says: 你好。
         kiosk says: 欢迎光临。",
    );
}
