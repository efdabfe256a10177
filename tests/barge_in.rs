//! What happens when the visitor speaks into an answer.

use crate::support::check;

const ANSWERS: &[(&str, &str)] = &[
    ("what is this place?", "This is the museum. It was built a long time ago by many hands."),
    ("stop", "Yes."),
];

#[test]
fn an_interrupted_answer_is_silent_at_once_and_forgotten() {
    check(
        ANSWERS,
        "visitor says: what is this place?
         kiosk says: This is the museum.
         visitor interrupts: stop
         kiosk falls silent within 100 ms
         history: what is this place? | This is the museum. | stop
         kiosk says: Yes.",
    );
}

#[test]
fn an_answer_can_be_interrupted_before_its_first_sentence_has_ended() {
    check(
        ANSWERS,
        "visitor says: what is this place?
         kiosk begins to speak
         visitor interrupts: stop
         kiosk falls silent within 100 ms
         history: what is this place? | stop
         kiosk says: Yes.",
    );
}
