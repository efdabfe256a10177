//! What happens when the visitor speaks into an answer.

use std::time::Duration;

use linly_edge::{
    media::{Device, Press},
    metrics::End,
};

use crate::support::{Faults, Machine, Seen, check};

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

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn an_answer_gets_quieter_for_a_cough_and_goes_on() {
    let machine = Machine::start(ANSWERS, Faults::default());
    machine.say("what is this place?");
    machine.wait_heard("This is the museum.").expect("an answer");
    // 128 ms: longer than the onset, shorter than what interrupts.
    machine.cough(4);
    machine.wait(LIMIT, |seen| (seen == Seen::Quieter).then_some(())).expect("quieter");
    machine.wait(LIMIT, |seen| (seen == Seen::Louder).then_some(())).expect("louder");
    machine.wait_heard("It was built a long time ago by many hands.").expect("the rest");
    assert_eq!(machine.metrics.turns.of(End::Interrupted).get(), 0);
    assert_eq!(machine.metrics.false_interruptions.get(), 0);
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn what_noise_has_cut_off_is_said_after_it() {
    let machine = Machine::start(ANSWERS, Faults::default());
    machine.say("what is this place?");
    machine.wait_heard("This is the museum.").expect("an answer");
    machine.cough(13);
    machine.wait(LIMIT, |seen| matches!(seen, Seen::Flushed(_)).then_some(())).expect("silence");
    let metrics = &machine.metrics;
    machine.until("it is counted", || metrics.false_interruptions.get() == 1);
    machine.wait_heard("It was built a long time ago by many hands.").expect("the rest");
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn a_stop_word_silences_and_is_not_answered() {
    check(
        ANSWERS,
        "visitor says: what is this place?
         kiosk says: This is the museum.
         visitor interrupts: silence
         kiosk falls silent within 100 ms
         visitor says: stop
         history: what is this place? | This is the museum. | silence | stop
         kiosk says: Yes.",
    );
}

#[test]
fn a_key_silences() {
    let machine = Machine::start(ANSWERS, Faults::default());
    machine.say("what is this place?");
    machine.wait_heard("This is the museum.").expect("an answer");
    assert!(machine.kiosk.tell().pressed(Press::Stop), "it runs");
    machine.wait(LIMIT, |seen| matches!(seen, Seen::Flushed(_)).then_some(())).expect("silence");
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn a_muted_kiosk_hears_nothing_and_says_so() {
    let machine = Machine::start(ANSWERS, Faults::default());
    assert!(machine.kiosk.tell().pressed(Press::SetMute(true)), "it runs");
    let muted =
        |muted| move |seen| matches!(seen, Seen::Told(scene) if scene.muted == muted).then_some(());
    machine.wait(LIMIT, muted(true)).expect("it is shown");
    machine.say("what is this place?");
    machine.until_said();
    assert!(machine.kiosk.tell().pressed(Press::Mute), "it runs");
    machine.wait(LIMIT, muted(false)).expect("it is shown");
    machine.say("stop");
    let asked = machine.wait(LIMIT, |seen| match seen {
        Seen::Asked(history) => Some(history),
        _ => None,
    });
    assert_eq!(asked.expect("a question"), ["stop"]);
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn an_unplugged_loudspeaker_does_not_end_the_answer() {
    let faults = Faults::default();
    let away = faults.speaker_away.clone();
    let machine = Machine::start(ANSWERS, faults);
    away.set(true);
    machine.say("what is this place?");
    let told = |missing, said: &'static str| {
        move |seen| match seen {
            Seen::Told(scene) => {
                (scene.missing.speaker == missing && scene.said == said).then_some(())
            }
            _ => None,
        }
    };
    machine.wait(LIMIT, told(true, "This is the museum.")).expect("it can be read");
    assert!(!machine.metrics.works(Device::Speaker));
    away.set(false);
    let rest = "It was built a long time ago by many hands.";
    machine.wait(LIMIT, told(false, rest)).expect("it is back");
    assert!(machine.metrics.works(Device::Speaker));
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}

#[test]
fn an_unplugged_microphone_is_shown_and_heard_again_when_it_is_back() {
    let faults = Faults::default();
    let away = faults.microphone_away.clone();
    let machine = Machine::start(ANSWERS, faults);
    away.set(true);
    let missing = |missing| {
        move |seen| {
            matches!(seen, Seen::Told(scene) if scene.missing.microphone == missing).then_some(())
        }
    };
    machine.wait(LIMIT, missing(true)).expect("it is shown");
    away.set(false);
    machine.wait(LIMIT, missing(false)).expect("it is shown");
    machine.say("stop");
    machine.wait_heard("Yes.").expect("an answer");
    machine.kiosk.stop(LIMIT).expect("every thread ends");
}
