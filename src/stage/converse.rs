//! Events → requests: whose turn it is, what has been said, and who may interrupt.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    flow::{Inbox, Polled, Pulse, SlotWriter, Switch, Turn, Turns, Volume},
    journal::{Activity, End, Journal, Report},
    media::{Event, History, Message, Part, Request, Role, Step, Utterance},
    metrics::Metrics,
    scene::Scene,
};

/// How the kiosk behaves.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Said to somebody who has just come; empty says nothing.
    pub greeting: String,
    /// Said when the machine could not answer.
    pub apology: String,
    /// Speech in this first part of an answer does not interrupt it.
    pub guard: Duration,
    /// Messages that are remembered.
    pub history: usize,
    /// After this long without a word the visitor has left, and what was said is forgotten.
    pub forget: Duration,
}

/// What the conversation steers.
#[derive(Debug)]
pub struct Out {
    /// What `think` is asked for.
    pub requests: SlotWriter<Part<Request>>,
    /// What `show` shows beside the face.
    pub scenes: SlotWriter<Scene>,
    /// How loud `play` plays.
    pub volume: Volume,
    /// Whether `hear` lets nothing through.
    pub muted: Switch,
}

/// Runs until somebody sends [`Event::Stop`].
pub fn run(
    pulse: &Pulse,
    mut conversation: Conversation,
    events: &Inbox<Event>,
    out: &Out,
    journal: &Journal,
    metrics: &Metrics,
) -> Result<()> {
    let mut before = conversation.activity();
    loop {
        let reaction = match events.poll(pulse, Duration::from_secs(1)) {
            Polled::Closed | Polled::Item(Event::Stop) => {
                conversation.turns.cancel();
                return Ok(());
            }
            Polled::Item(event) => conversation.on(event, Instant::now()),
            Polled::Empty => conversation.quiet(Instant::now()),
        };
        if reaction.false_interruption {
            metrics.false_interruptions.inc();
        }
        if let Some(report) = reaction.ended {
            metrics.turn_ended(&report);
            journal.ended(report);
        }
        let activity = conversation.activity();
        metrics.concurrent_sessions.set(i64::from(activity != Activity::Alone));
        if before == Activity::Alone && activity != Activity::Alone {
            metrics.sessions.inc();
        }
        before = activity;
        journal.is(activity);
        if let Some(request) = reaction.request {
            out.requests.put(request);
        }
    }
}

/// What an event leads to.
#[derive(Debug, Default)]
pub struct Reaction {
    /// What is to be answered.
    pub request: Option<Part<Request>>,
    /// The exchange that has ended.
    pub ended: Option<Report>,
    /// Whether an answer turns out to have been cut off by sound without words.
    pub false_interruption: bool,
}

/// The conversation, without threads and without a clock of its own.
#[derive(Debug)]
pub struct Conversation {
    turns: Turns,
    manners: Manners,
    state: State,
    history: History,
    /// When something was last said by anybody.
    last_word: Instant,
}

#[derive(Debug)]
enum State {
    Alone,
    Listening,
    Hearing {
        /// Whether an answer was cut off for it.
        interrupts: bool,
    },
    Answering(Exchange),
}

#[derive(Debug)]
struct Exchange {
    turn: Turn,
    began: Instant,
    heard: String,
    said: String,
    /// Whether this answer is itself an apology, for which nobody apologises.
    apology: bool,
}

impl Conversation {
    /// Nobody is there.
    pub fn new(turns: Turns, manners: Manners, now: Instant) -> Self {
        Self { turns, manners, state: State::Alone, history: Vec::new(), last_word: now }
    }

    /// What the conversation is doing.
    pub fn activity(&self) -> Activity {
        match self.state {
            State::Alone => Activity::Alone,
            State::Listening => Activity::Listening,
            State::Hearing { .. } => Activity::Hearing,
            State::Answering(_) => Activity::Answering,
        }
    }

    /// What has been said in this session.
    pub fn history(&self) -> &[Message] {
        &self.history
    }

    /// Reacts to an event.
    pub fn on(&mut self, event: Event, now: Instant) -> Reaction {
        match event {
            Event::VisitorCame => self.welcome(now),
            Event::VisitorLeft => self.farewell(),
            Event::SpeechBegan => self.interrupt(now),
            Event::Heard(utterance) => self.hear(utterance, now),
            Event::Typed(text, when) => {
                let (pause, asr) = (Duration::ZERO, Duration::ZERO);
                self.hear(Utterance { text, ended: when, pause, asr, failed: false }, now)
            }
            Event::Said { turn, text } => {
                self.last_word = now;
                self.said(&turn, &text);
                Reaction::default()
            }
            Event::Finished { turn } => self.finished(&turn, End::Finished),
            Event::Failed { turn, step } => self.fail(&turn, step, now),
            Event::Stop => self.farewell(),
            Event::Speaking { .. }
            | Event::Saying { .. }
            | Event::Pressed(_)
            | Event::Device { .. } => Reaction::default(),
        }
    }

    /// Nothing has happened for a while.
    pub fn quiet(&mut self, now: Instant) -> Reaction {
        let silent = now.saturating_duration_since(self.last_word) > self.manners.forget;
        if silent && matches!(self.state, State::Listening) {
            return self.farewell();
        }
        Reaction::default()
    }

    fn welcome(&mut self, now: Instant) -> Reaction {
        if !matches!(self.state, State::Alone) {
            return Reaction::default();
        }
        self.last_word = now;
        self.state = State::Listening;
        if self.manners.greeting.is_empty() {
            return Reaction::default();
        }
        let greeting = Request::Say(self.manners.greeting.clone());
        self.begin(greeting, String::new(), now, now, true)
    }

    fn farewell(&mut self) -> Reaction {
        self.history.clear();
        self.end(State::Alone)
    }

    fn interrupt(&mut self, now: Instant) -> Reaction {
        self.last_word = now;
        if let State::Answering(exchange) = &self.state
            && now.saturating_duration_since(exchange.began) < self.manners.guard
        {
            return Reaction::default();
        }
        let interrupts =
            matches!(self.state, State::Answering(_) | State::Hearing { interrupts: true });
        self.end(State::Hearing { interrupts })
    }

    fn hear(&mut self, utterance: Utterance, now: Instant) -> Reaction {
        let text = utterance.text.trim();
        self.last_word = now;
        if text.is_empty() {
            let interrupts = matches!(self.state, State::Hearing { interrupts: true });
            let guarded = matches!(self.state, State::Answering(_));
            if !guarded {
                self.state = State::Listening;
            }
            let mut report = Report::unheard(utterance.pause, utterance.asr);
            if utterance.failed {
                report.end = End::Failed(Step::Asr);
            }
            // Of what a broken recogniser has missed nobody knows whether it was words.
            let false_interruption = interrupts && !utterance.failed;
            return Reaction { ended: Some(report), false_interruption, ..Reaction::default() };
        }
        let ended = self.end(State::Listening).ended;
        self.remember(Role::Visitor, text);
        let request = Request::Answer(self.history.clone());
        let mut reaction = self.begin(request, text.to_owned(), utterance.ended, now, false);
        if let State::Answering(exchange) = &self.state {
            let times = exchange.turn.times();
            times.pause.add(utterance.pause);
            times.asr.add(utterance.asr);
        }
        reaction.ended = ended;
        reaction
    }

    fn begin(
        &mut self,
        request: Request,
        heard: String,
        asked: Instant,
        now: Instant,
        apology: bool,
    ) -> Reaction {
        let turn = self.turns.begin(asked);
        let part = Part::of(&turn, request);
        self.state =
            State::Answering(Exchange { turn, began: now, heard, said: String::new(), apology });
        Reaction { request: Some(part), ..Reaction::default() }
    }

    fn said(&mut self, turn: &Turn, text: &str) {
        // What was said of an answer that has been interrupted since was heard all the same.
        if let State::Answering(exchange) = &mut self.state
            && exchange.turn == *turn
        {
            append(&mut exchange.said, text);
        }
        match self.history.last_mut() {
            Some(Message { role: Role::Kiosk, text: so_far }) => append(so_far, text),
            _ => self.remember(Role::Kiosk, text),
        }
    }

    fn finished(&mut self, turn: &Turn, end: End) -> Reaction {
        match std::mem::replace(&mut self.state, State::Listening) {
            State::Answering(exchange) if exchange.turn == *turn => {
                Reaction { ended: Some(exchange.report(end)), ..Reaction::default() }
            }
            other => {
                self.state = other;
                Reaction::default()
            }
        }
    }

    fn fail(&mut self, turn: &Turn, step: Step, now: Instant) -> Reaction {
        let ended = self.finished(turn, End::Failed(step)).ended;
        let Some(report) = ended else { return Reaction::default() };
        self.turns.cancel();
        // A voice that fails cannot apologise.
        let silent = matches!(step, Step::Tts | Step::Face) || self.manners.apology.is_empty();
        let mut reaction = if silent || report.apology {
            Reaction::default()
        } else {
            let apology = Request::Say(self.manners.apology.clone());
            self.begin(apology, String::new(), now, now, true)
        };
        reaction.ended = Some(report);
        reaction
    }

    /// Ends what is going on; an answer that had not sounded to its end was interrupted.
    fn end(&mut self, next: State) -> Reaction {
        match std::mem::replace(&mut self.state, next) {
            State::Answering(exchange) => {
                self.turns.cancel();
                let ended = Some(exchange.report(End::Interrupted));
                Reaction { ended, ..Reaction::default() }
            }
            _ => Reaction::default(),
        }
    }

    fn remember(&mut self, role: Role, text: &str) {
        self.history.push(Message { role, text: text.to_owned() });
        let excess = self.history.len().saturating_sub(self.manners.history.max(1));
        self.history.drain(..excess);
    }
}

impl Exchange {
    fn report(self, end: End) -> Report {
        let times = self.turn.times();
        Report {
            heard: self.heard,
            answer: self.said,
            end,
            steps: times.steps(),
            first_sound: times.first_sound.get(),
            apology: self.apology,
        }
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && text.is_ascii() {
        text.push(' ');
    }
    text.push_str(more.trim());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn conversation() -> Conversation {
        let manners = Manners {
            greeting: String::new(),
            apology: "Sorry.".into(),
            guard: Duration::ZERO,
            history: 8,
            forget: Duration::from_mins(1),
        };
        Conversation::new(Turns::default(), manners, Instant::now())
    }

    fn heard(text: &str) -> Event {
        Event::Typed(text.into(), Instant::now())
    }

    fn turn_of(reaction: &Reaction) -> Turn {
        reaction.request.as_ref().expect("a request").turn.clone()
    }

    fn texts(conversation: &Conversation) -> Vec<&str> {
        conversation.history().iter().map(|message| message.text.as_str()).collect()
    }

    #[test]
    fn only_what_was_heard_to_its_end_is_remembered() {
        let (mut conversation, now) = (conversation(), Instant::now());
        let turn = turn_of(&conversation.on(heard("What is this?"), now));
        let said = Event::Said { turn: turn.clone(), text: "A museum.".into() };
        conversation.on(said, now);
        let reaction = conversation.on(Event::SpeechBegan, now);
        assert!(!turn.is_live());
        let report = reaction.ended.expect("a report");
        assert_eq!((report.end, report.answer.as_str()), (End::Interrupted, "A museum."));
        conversation.on(heard("stop"), now);
        assert_eq!(texts(&conversation), ["What is this?", "A museum.", "stop"]);
    }

    #[test]
    fn a_guarded_answer_goes_on() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.manners.guard = Duration::from_secs(1);
        let turn = turn_of(&conversation.on(heard("Hello"), now));
        conversation.on(Event::SpeechBegan, now + Duration::from_millis(900));
        assert!(turn.is_live());
        conversation.on(Event::SpeechBegan, now + Duration::from_millis(1100));
        assert!(!turn.is_live());
    }

    fn unheard(failed: bool) -> Event {
        let (pause, asr) = (Duration::ZERO, Duration::ZERO);
        Event::Heard(Utterance { text: String::new(), ended: Instant::now(), pause, asr, failed })
    }

    #[test]
    fn an_interruption_without_words_was_false() {
        let (mut conversation, now) = (conversation(), Instant::now());
        assert!(!conversation.on(Event::SpeechBegan, now).false_interruption);
        assert!(!conversation.on(unheard(false), now).false_interruption, "nothing was cut off");
        conversation.on(heard("Hello"), now);
        conversation.on(Event::SpeechBegan, now);
        conversation.on(Event::SpeechBegan, now);
        assert!(conversation.on(unheard(false), now).false_interruption);
        assert!(!conversation.on(unheard(false), now).false_interruption, "it is counted once");
        conversation.on(heard("Hello"), now);
        conversation.on(Event::SpeechBegan, now);
        assert!(!conversation.on(heard("stop"), now).false_interruption);
    }

    #[test]
    fn what_the_recogniser_could_not_take_has_failed() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.on(heard("Hello"), now);
        conversation.on(Event::SpeechBegan, now);
        let reaction = conversation.on(unheard(true), now);
        assert_eq!(reaction.ended.map(|report| report.end), Some(End::Failed(Step::Asr)));
        assert!(!reaction.false_interruption);
    }

    #[test]
    fn a_failure_is_apologised_for_once() {
        let (mut conversation, now) = (conversation(), Instant::now());
        let turn = turn_of(&conversation.on(heard("Hello"), now));
        let reaction = conversation.on(Event::Failed { turn, step: Step::Llm }, now);
        let apology = turn_of(&reaction);
        assert_eq!(reaction.ended.map(|report| report.end), Some(End::Failed(Step::Llm)));
        let reaction = conversation.on(Event::Failed { turn: apology, step: Step::Llm }, now);
        assert!(reaction.request.is_none());
    }

    #[test]
    fn a_silent_visitor_is_forgotten() {
        let (mut conversation, now) = (conversation(), Instant::now());
        let turn = turn_of(&conversation.on(heard("Hello"), now));
        conversation.on(Event::Finished { turn }, now);
        conversation.quiet(now + Duration::from_secs(59));
        assert_eq!(conversation.history().len(), 1);
        conversation.quiet(now + Duration::from_secs(61));
        assert!(conversation.history().is_empty());
        assert_eq!(conversation.activity(), Activity::Alone);
    }

    proptest! {
        /// Whatever happens, at most one turn lives, and nothing is remembered once alone.
        #[test]
        fn never_two_live_turns(choices in proptest::collection::vec((0_u8..9, 0_usize..4), 0..200)) {
            let (mut conversation, mut now) = (conversation(), Instant::now());
            let mut turns: Vec<Turn> = vec![conversation.turns.begin(now)];
            for (choice, which) in choices {
                now += Duration::from_millis(300);
                let turn = turns[turns.len().saturating_sub(1 + which)].clone();
                let event = match choice {
                    0 => Event::VisitorCame,
                    1 => Event::VisitorLeft,
                    2 => Event::SpeechBegan,
                    3 => heard("what is this"),
                    4 => heard(" "),
                    5 => Event::Said { turn, text: "It is.".into() },
                    6 => Event::Finished { turn },
                    7 => Event::Failed { turn, step: Step::Llm },
                    _ => Event::Stop,
                };
                let left = matches!(event, Event::VisitorLeft | Event::Stop);
                let reaction = conversation.on(event, now);
                turns.extend(reaction.request.map(|part| part.turn));
                prop_assert!(turns.iter().filter(|turn| turn.is_live()).count() <= 1);
                prop_assert!(conversation.history().len() <= 8);
                if left {
                    prop_assert!(conversation.history().is_empty());
                    prop_assert_eq!(conversation.activity(), Activity::Alone);
                }
            }
        }
    }
}
