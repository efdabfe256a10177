//! Dialogues on the whole machine, with fake models and devices.

use crate::support::check;

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
fn chinese_is_cut_at_its_own_full_stops() {
    check(
        ANSWERS,
        "visitor says: 你好
         kiosk says: 你好。
         kiosk says: 欢迎光临。",
    );
}
