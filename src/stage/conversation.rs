//! The conversation, without threads and without a clock of its own: events in, at most one request out.

use std::time::{Duration, Instant};

use super::{
    exchange::Exchange,
    manners::Manners,
    words::{after_wake_word, is_stop},
};
use crate::{
    flow::{Turn, Turns},
    journal::{Activity, End, Report},
    media::{Device, Event, History, Message, Part, Press, Request, Role, Step, Utterance},
    metrics::Parting,
    scene::{Board, Language, Missing, Mood, Scene},
};

/// What an event leads to.
#[derive(Debug, Default)]
pub struct Reaction {
    /// What is to be answered.
    pub request: Option<Part<Request>>,
    /// The exchange that has ended.
    pub ended: Option<Report>,
    /// Whether an answer turns out to have been cut off by sound without words.
    pub false_interruption: bool,
    /// Whether somebody was greeted.
    pub greeted: bool,
    /// How the session has ended, if it has.
    pub parting: Option<Parting>,
}

/// The conversation.
#[derive(Debug)]
pub struct Conversation {
    pub(super) turns: Turns,
    manners: Manners,
    state: State,
    history: History,
    /// When something was last said by anybody.
    last_word: Instant,
    /// Since when nobody is there.
    alone_since: Instant,
    /// Whether the camera sees somebody; `None` while nothing sees.
    seen: Option<bool>,
    greeted: Option<Instant>,
    /// Whether the wake word has been said in this session.
    awake: bool,
    muted: bool,
    /// Whether the talk key is held.
    talking: bool,
    /// The last answer, for who wants it again.
    answer: String,
    /// What the screen says beside the conversation's own state.
    heard: String,
    said: String,
    board: Option<Board>,
    missing: Missing,
    language: Language,
}

#[derive(Debug)]
enum State {
    Alone,
    Listening,
    Hearing {
        /// The answer that was cut off for it.
        cut: Option<Cut>,
    },
    Answering(Exchange),
}

/// An answer that was cut off.
#[derive(Debug)]
struct Cut {
    request: Request,
    sentences: Vec<String>,
    heard: String,
    apology: bool,
    /// Whether words cut it off, or a key: then it is not resumed.
    meant: bool,
}

impl Conversation {
    /// Nobody is there.
    pub fn new(turns: Turns, manners: Manners, now: Instant) -> Self {
        Self {
            turns,
            state: State::Alone,
            history: Vec::new(),
            last_word: now,
            alone_since: now,
            seen: None,
            greeted: None,
            awake: false,
            muted: manners.muted,
            talking: false,
            answer: String::new(),
            heard: String::new(),
            said: String::new(),
            board: None,
            missing: Missing::default(),
            language: manners.language,
            manners,
        }
    }

    /// From now on it behaves like this; whether it is muted, and the language that somebody has chosen, stay.
    pub(super) fn learn(&mut self, manners: Manners) {
        if manners.language != self.manners.language {
            self.language = manners.language;
        }
        self.manners = manners;
    }

    /// How loud the voice is when nobody speaks into it, as a factor of its samples.
    pub(super) fn loudness(&self) -> f32 {
        self.manners.loudness
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

    /// Whether an answer is to be quieter, because somebody may be speaking.
    pub fn is_ducked(&self) -> bool {
        matches!(&self.state, State::Answering(Exchange { ducked: Some(_), .. }))
    }

    /// Whether the microphone is off.
    pub fn is_muted(&self) -> bool {
        self.muted || (self.manners.push_to_talk && !self.talking)
    }

    /// When [`Conversation::quiet`] is to be asked again, if that is soon.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Answering(Exchange { ducked: Some(since), .. }) => {
                Some(*since + self.manners.duck)
            }
            _ => None,
        }
    }

    /// What the screen shows beside the face.
    pub fn scene(&self, now: Instant) -> Scene {
        let mood = match &self.state {
            State::Alone => Mood::Alone,
            State::Listening => Mood::Listening,
            State::Hearing { .. } => Mood::Hearing,
            State::Answering(exchange) if exchange.saying.is_empty() => Mood::Thinking,
            State::Answering(_) => Mood::Speaking,
        };
        let alone = now.saturating_duration_since(self.alone_since);
        Scene {
            mood,
            heard: self.heard.clone(),
            said: self.said.clone(),
            board: self.board.clone(),
            muted: self.is_muted(),
            missing: self.missing,
            dimmed: mood == Mood::Alone && alone >= self.manners.dim,
            language: self.language,
        }
    }

    /// Reacts to an event.
    pub fn on(&mut self, event: Event, now: Instant) -> Reaction {
        match event {
            Event::Started => self.welcome(now),
            Event::VisitorCame => {
                self.seen = Some(true);
                self.welcome(now)
            }
            Event::VisitorLeft => {
                self.seen = Some(false);
                self.farewell(Parting::Left, now)
            }
            Event::SpeechBegan => self.speech_began(now),
            Event::Speaking { text, lasted } => self.speaking(&text, lasted, now),
            Event::Heard(utterance) => self.hear(utterance, now),
            Event::Typed(text, when) => {
                let (pause, asr) = (Duration::ZERO, Duration::ZERO);
                self.awake = true;
                self.hear(Utterance { text, ended: when, pause, asr, failed: false }, now)
            }
            Event::Saying { turn, text } => {
                self.saying(&turn, text);
                Reaction::default()
            }
            Event::Said { turn, text } => {
                self.last_word = now;
                self.said(&turn, &text);
                Reaction::default()
            }
            Event::Finished { turn } => self.finished(&turn, End::Finished),
            Event::Failed { turn, step } => self.fail(&turn, step, now),
            Event::Pressed(press) => self.pressed(press, now),
            Event::Device { device, works } => {
                match device {
                    Device::Microphone => self.missing.microphone = !works,
                    Device::Speaker => self.missing.speaker = !works,
                    Device::Camera => self.missing.camera = !works,
                    Device::Display => {}
                }
                if device == Device::Camera && !works {
                    // Nobody can be seen to leave any more: the silence of the room has to tell.
                    self.seen = None;
                }
                Reaction::default()
            }
            Event::Stop => self.farewell(Parting::Stopped, now),
        }
    }

    /// Nothing has happened for a while.
    pub fn quiet(&mut self, now: Instant) -> Reaction {
        if let State::Answering(exchange) = &mut self.state
            && exchange
                .ducked
                .is_some_and(|since| now.saturating_duration_since(since) >= self.manners.duck)
        {
            exchange.ducked = None;
        }
        let silent = now.saturating_duration_since(self.last_word) > self.manners.forget;
        if silent && self.seen != Some(true) && matches!(self.state, State::Listening) {
            return self.farewell(Parting::Silent, now);
        }
        Reaction::default()
    }

    fn welcome(&mut self, now: Instant) -> Reaction {
        if !matches!(self.state, State::Alone) {
            return Reaction::default();
        }
        self.last_word = now;
        self.state = State::Listening;
        let lately =
            self.greeted.is_some_and(|at| now.saturating_duration_since(at) < self.manners.regreet);
        if self.manners.greeting.is_empty() || lately {
            return Reaction::default();
        }
        self.greeted = Some(now);
        let greeting = Request::Say(self.manners.greeting.clone());
        let mut reaction = self.begin(greeting, String::new(), now, true);
        reaction.greeted = true;
        reaction
    }

    fn farewell(&mut self, parting: Parting, now: Instant) -> Reaction {
        self.history.clear();
        if matches!(self.state, State::Alone) {
            return Reaction::default();
        }
        if self.seen == Some(false) && self.greeted.is_some() {
            // Who is back within a minute after having left is not a new visitor.
            self.greeted = Some(now);
        }
        for text in [&mut self.heard, &mut self.said, &mut self.answer] {
            text.clear();
        }
        self.board = None;
        self.awake = false;
        self.alone_since = now;
        let mut reaction = self.end(State::Alone);
        reaction.parting = Some(parting);
        reaction
    }

    /// Somebody may want to say something: an answer gets quieter until it is known what.
    fn speech_began(&mut self, now: Instant) -> Reaction {
        self.last_word = now;
        match &mut self.state {
            State::Answering(exchange) => {
                if self.manners.barge_in {
                    exchange.ducked = Some(now);
                }
            }
            State::Hearing { .. } => {}
            State::Alone if !self.manners.wake_word.is_empty() => {}
            State::Alone | State::Listening => {
                self.heard.clear();
                self.state = State::Hearing { cut: None };
            }
        }
        Reaction::default()
    }

    fn speaking(&mut self, text: &str, lasted: Duration, now: Instant) -> Reaction {
        self.last_word = now;
        let State::Answering(exchange) = &self.state else {
            if matches!(self.state, State::Hearing { .. }) && !text.is_empty() {
                text.clone_into(&mut self.heard);
            }
            return Reaction::default();
        };
        if !self.manners.barge_in {
            return Reaction::default();
        }
        let stop = is_stop(text, &self.manners.stop_words);
        let worded = stop || (!text.trim().is_empty() && !exchange.is_echo(text));
        let sounding = exchange.sounding_for(now);
        let long = lasted >= self.manners.persist
            && sounding.is_some_and(|sounding| sounding >= self.manners.guard);
        if !worded && !long {
            return Reaction::default();
        }
        text.clone_into(&mut self.heard);
        self.cut(worded)
    }

    /// Ends the answer, and hears what its interrupter has to say.
    fn cut(&mut self, meant: bool) -> Reaction {
        let cut = match &self.state {
            State::Answering(exchange) => Some(Cut {
                request: exchange.request.clone(),
                sentences: exchange.sentences.clone(),
                heard: exchange.heard.clone(),
                apology: exchange.apology,
                meant,
            }),
            _ => None,
        };
        self.end(State::Hearing { cut })
    }

    fn hear(&mut self, utterance: Utterance, now: Instant) -> Reaction {
        self.last_word = now;
        let text = utterance.text.trim();
        let echo = match &self.state {
            State::Answering(exchange) => exchange.is_echo(text),
            _ => false,
        };
        let stop = is_stop(text, &self.manners.stop_words);
        let text = if self.awake || stop {
            Some(text.to_owned())
        } else {
            after_wake_word(text, &self.manners.wake_word)
        };
        let Some(text) = text.filter(|text| stop || !(text.is_empty() || echo)) else {
            return self.nothing_heard(&utterance, now);
        };
        self.awake = true;
        if stop {
            let ended = self.end(State::Listening).ended;
            self.remember(Role::Visitor, &text);
            return Reaction { ended, ..Reaction::default() };
        }
        let ended = self.end(State::Listening).ended;
        self.remember(Role::Visitor, &text);
        self.heard.clone_from(&text);
        self.said.clear();
        self.board = None;
        let request = Request::Answer(self.history.clone());
        let mut reaction = self.begin(request, text, utterance.ended, false);
        if let State::Answering(exchange) = &self.state {
            let times = exchange.turn.times();
            times.pause.add(utterance.pause);
            times.asr.add(utterance.asr);
        }
        reaction.ended = ended;
        reaction
    }

    /// There was sound, but nothing to answer: an answer that made room for it goes on.
    fn nothing_heard(&mut self, utterance: &Utterance, now: Instant) -> Reaction {
        self.heard.clear();
        let mut report = Report::unheard(utterance.pause, utterance.asr);
        if utterance.failed {
            report.end = End::Failed(Step::Asr);
        }
        let cut = match &mut self.state {
            State::Answering(exchange) => {
                exchange.ducked = None;
                None
            }
            State::Hearing { cut } => {
                let cut = cut.take();
                self.state = State::Listening;
                cut
            }
            State::Alone | State::Listening => None,
        };
        let mut reaction = Reaction::default();
        // Of what a broken recogniser has missed nobody knows whether it was words.
        if let Some(cut) = cut.filter(|_| !utterance.failed) {
            reaction.false_interruption = true;
            if !cut.meant {
                let request = Box::new(match cut.request {
                    Request::Resume { request, .. } => *request,
                    request => request,
                });
                let request = Request::Resume { request, heard: cut.sentences };
                reaction.request = self.begin(request, cut.heard, now, cut.apology).request;
            }
        }
        reaction.ended = Some(report);
        reaction
    }

    fn begin(
        &mut self,
        request: Request,
        heard: String,
        asked: Instant,
        apology: bool,
    ) -> Reaction {
        let turn = self.turns.begin(asked);
        let sentences = match &request {
            Request::Resume { heard, .. } => heard.clone(),
            _ => Vec::new(),
        };
        let part = Part::of(&turn, request.clone());
        self.state = State::Answering(Exchange {
            turn,
            request,
            heard,
            said: String::new(),
            sentences,
            saying: String::new(),
            apology,
            ducked: None,
        });
        Reaction { request: Some(part), ..Reaction::default() }
    }

    fn saying(&mut self, turn: &Turn, text: String) {
        if let State::Answering(exchange) = &mut self.state
            && exchange.turn == *turn
        {
            if !exchange.apology && self.board.is_none() {
                self.board = self.manners.boards.as_ref().and_then(|boards| boards.board(&text));
            }
            self.said.clone_from(&text);
            exchange.saying = text;
        }
    }

    fn said(&mut self, turn: &Turn, text: &str) {
        // What was said of an answer that has been interrupted since was heard all the same.
        if let State::Answering(exchange) = &mut self.state
            && exchange.turn == *turn
        {
            append(&mut exchange.said, text);
            exchange.sentences.push(text.to_owned());
        }
        if matches!(self.state, State::Alone) {
            return;
        }
        match self.history.last_mut() {
            Some(Message { role: Role::Kiosk, text: so_far }) => append(so_far, text),
            _ => self.remember(Role::Kiosk, text),
        }
    }

    fn finished(&mut self, turn: &Turn, end: End) -> Reaction {
        match std::mem::replace(&mut self.state, State::Listening) {
            State::Answering(exchange) if exchange.turn == *turn => {
                self.answer = exchange.sentences.join(" ");
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
            self.begin(apology, String::new(), now, true)
        };
        reaction.ended = Some(report);
        reaction
    }

    fn pressed(&mut self, press: Press, now: Instant) -> Reaction {
        self.last_word = now;
        match press {
            Press::Stop => match self.state {
                State::Answering(_) => self.end(State::Listening),
                _ => Reaction::default(),
            },
            Press::Repeat => {
                if self.answer.is_empty() || matches!(self.state, State::Answering(_)) {
                    return Reaction::default();
                }
                let again = Request::Say(self.answer.clone());
                self.begin(again, String::new(), now, true)
            }
            Press::Language => {
                self.language = self.language.other();
                Reaction::default()
            }
            Press::Mute => self.pressed(Press::SetMute(!self.muted), now),
            Press::SetMute(muted) => {
                self.muted = muted;
                Reaction::default()
            }
            Press::Talk(down) => {
                self.talking = down;
                // A button always interrupts.
                if down && matches!(self.state, State::Answering(_)) {
                    self.awake = true;
                    return self.cut(true);
                }
                Reaction::default()
            }
        }
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

    const MS: Duration = Duration::from_millis(1);

    fn manners() -> Manners {
        Manners {
            apology: "Sorry.".into(),
            history: 8,
            stop_words: vec!["stop".into(), "停".into()],
            ..Manners::default()
        }
    }

    fn conversation() -> Conversation {
        Conversation::new(Turns::default(), manners(), Instant::now())
    }

    fn speaking(text: &str, lasted: u32) -> Event {
        Event::Speaking { text: text.into(), lasted: MS * lasted }
    }

    /// A conversation whose answer "The lift is on the left." has sounded since `now`.
    fn answering(now: Instant) -> (Conversation, Turn) {
        let mut conversation = conversation();
        let turn = turn_of(&conversation.on(Event::Typed("Where is the lift?".into(), now), now));
        turn.times().first_sound.add(MS);
        let text = "The lift is on the left.".to_owned();
        conversation.on(Event::Saying { turn: turn.clone(), text }, now);
        (conversation, turn)
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
        conversation.on(Event::SpeechBegan, now);
        let reaction = conversation.on(speaking("and when", 300), now);
        assert!(!turn.is_live());
        let report = reaction.ended.expect("a report");
        assert_eq!((report.end, report.answer.as_str()), (End::Interrupted, "A museum."));
        conversation.on(heard("and when do you close"), now);
        assert_eq!(texts(&conversation), ["What is this?", "A museum.", "and when do you close"]);
    }

    #[test]
    fn an_answer_gets_quieter_at_once_and_ends_for_words_only_in_its_first_part() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        conversation.on(Event::SpeechBegan, now + 500 * MS);
        assert!(conversation.is_ducked() && turn.is_live());
        conversation.on(speaking("", 450), now + 950 * MS);
        assert!(turn.is_live(), "mere speech does not interrupt so early");
        conversation.on(speaking("when", 480), now + 980 * MS);
        assert!(!turn.is_live(), "a word does");
        assert!(!conversation.is_ducked());
    }

    #[test]
    fn lasting_speech_interrupts_later_on() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        conversation.on(Event::SpeechBegan, now + 2500 * MS);
        conversation.on(speaking("", 399), now + 2700 * MS);
        assert!(turn.is_live());
        conversation.on(speaking("", 400), now + 2701 * MS);
        assert!(!turn.is_live());
    }

    #[test]
    fn an_answer_is_loud_again_when_nothing_was_said() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        conversation.on(Event::SpeechBegan, now);
        assert_eq!(conversation.deadline(), Some(now + 1500 * MS));
        conversation.quiet(now + 1499 * MS);
        assert!(conversation.is_ducked());
        conversation.quiet(now + 1500 * MS);
        assert!(!conversation.is_ducked() && turn.is_live());
        conversation.on(Event::SpeechBegan, now + 1600 * MS);
        let reaction = conversation.on(unheard(false), now + 1900 * MS);
        assert!(!conversation.is_ducked() && turn.is_live());
        assert!(!reaction.false_interruption, "nothing was cut off");
    }

    #[test]
    fn our_own_voice_does_not_interrupt_us() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        conversation.on(Event::SpeechBegan, now);
        conversation.on(speaking("the lift is", 390), now);
        conversation.on(heard("lift on the left"), now);
        assert!(turn.is_live());
        conversation.on(speaking("left or right", 390), now);
        assert!(!turn.is_live());
    }

    #[test]
    fn stop_always_silences_and_is_not_answered() {
        for text in ["stop", "停"] {
            let now = Instant::now();
            let (mut conversation, turn) = answering(now);
            conversation.on(Event::SpeechBegan, now);
            conversation.on(speaking(text, 250), now);
            assert!(!turn.is_live(), "{text}");
            assert!(conversation.on(heard(text), now).request.is_none());
            assert_eq!(conversation.activity(), Activity::Listening);
        }
    }

    #[test]
    fn what_was_cut_off_by_nothing_goes_on() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        let text = "The lift is on the left.".to_owned();
        conversation.on(Event::Said { turn: turn.clone(), text: text.clone() }, now);
        conversation.on(Event::SpeechBegan, now + 3000 * MS);
        conversation.on(speaking("", 400), now + 3200 * MS);
        assert!(!turn.is_live());
        let reaction = conversation.on(unheard(false), now + 3500 * MS);
        assert!(reaction.false_interruption);
        let part = reaction.request.expect("the rest");
        let Some(Request::Resume { request, heard }) = part.body else { panic!("{part:?}") };
        assert!(matches!(*request, Request::Answer(_)));
        assert_eq!(heard, [text]);
        assert!(!conversation.on(unheard(false), now).false_interruption, "it is counted once");
        assert!(part.turn.is_live());
    }

    #[test]
    fn nobody_interrupts_where_that_is_switched_off() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        conversation.manners.barge_in = false;
        conversation.on(Event::SpeechBegan, now + 3000 * MS);
        conversation.on(speaking("when do you", 900), now + 3000 * MS);
        assert!(turn.is_live() && !conversation.is_ducked());
    }

    #[test]
    fn the_wake_word_is_needed_once_a_session() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.manners.wake_word = "hello mira".into();
        let utterance = |text: &str| {
            let (pause, asr) = (Duration::ZERO, Duration::ZERO);
            let (text, ended) = (text.to_owned(), now);
            Event::Heard(Utterance { text, ended, pause, asr, failed: false })
        };
        conversation.on(Event::SpeechBegan, now);
        assert!(conversation.on(utterance("where is the lift"), now).request.is_none());
        assert_eq!(conversation.activity(), Activity::Alone);
        let reaction = conversation.on(utterance("hello mira where is the lift"), now);
        assert_eq!(texts(&conversation), ["where is the lift"]);
        conversation.on(Event::Finished { turn: turn_of(&reaction) }, now);
        assert!(conversation.on(utterance("and the stairs"), now).request.is_some());
        conversation.on(Event::VisitorLeft, now);
        assert!(conversation.on(utterance("and the stairs"), now).request.is_none());
    }

    #[test]
    fn who_comes_is_greeted_and_not_again_within_a_minute() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.manners.greeting = "Good morning.".into();
        assert!(conversation.on(Event::VisitorCame, now).greeted);
        let reaction = conversation.on(Event::VisitorLeft, now + 10_000 * MS);
        assert_eq!(reaction.parting, Some(Parting::Left));
        assert!(!conversation.on(Event::VisitorCame, now + 60_000 * MS).greeted, "50 s away");
        conversation.on(Event::VisitorLeft, now + 70_000 * MS);
        assert!(conversation.on(Event::VisitorCame, now + 131_000 * MS).greeted);
    }

    #[test]
    fn who_is_seen_is_not_forgotten_for_being_silent() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.on(Event::VisitorCame, now);
        conversation.quiet(now + 300_000 * MS);
        assert_eq!(conversation.activity(), Activity::Listening);
        conversation.on(Event::Device { device: Device::Camera, works: false }, now);
        let reaction = conversation.quiet(now + 300_000 * MS);
        assert_eq!(reaction.parting, Some(Parting::Silent));
    }

    #[test]
    fn where_nobody_can_be_seen_silence_ends_the_visit_that_began_with_the_start() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.on(Event::Started, now);
        assert_eq!(conversation.activity(), Activity::Listening);
        let reaction = conversation.quiet(now + 300_000 * MS);
        assert_eq!(reaction.parting, Some(Parting::Silent));
        assert_eq!(conversation.activity(), Activity::Alone);
    }

    #[test]
    fn keys_stop_repeat_mute_and_open_the_microphone() {
        let now = Instant::now();
        let (mut conversation, turn) = answering(now);
        let text = "The lift is on the left.".to_owned();
        conversation.on(Event::Said { turn: turn.clone(), text: text.clone() }, now);
        conversation.on(Event::Finished { turn }, now);
        let reaction = conversation.on(Event::Pressed(Press::Repeat), now);
        assert_eq!(
            reaction.request.as_ref().and_then(|part| part.body.clone()),
            Some(Request::Say(text))
        );
        let turn = turn_of(&reaction);
        conversation.on(Event::Pressed(Press::Stop), now);
        assert!(!turn.is_live());
        conversation.on(Event::Pressed(Press::Mute), now);
        assert!(conversation.is_muted() && conversation.scene(now).muted);
        conversation.on(Event::Pressed(Press::SetMute(false)), now);
        assert!(!conversation.is_muted());
        conversation.manners.push_to_talk = true;
        assert!(conversation.is_muted());
        conversation.on(Event::Pressed(Press::Talk(true)), now);
        assert!(!conversation.is_muted());
    }

    #[test]
    fn the_screen_tells_what_is_going_on() {
        let now = Instant::now();
        let mut conversation = conversation();
        assert!(!conversation.scene(now).dimmed);
        assert!(conversation.scene(now + 600_000 * MS).dimmed);
        conversation.on(Event::SpeechBegan, now);
        conversation.on(speaking("where is", 300), now);
        let scene = conversation.scene(now);
        assert_eq!((scene.mood, scene.heard.as_str()), (Mood::Hearing, "where is"));
        let turn = turn_of(&conversation.on(heard("where is the lift"), now));
        assert_eq!(conversation.scene(now).mood, Mood::Thinking);
        conversation.on(Event::Saying { turn: turn.clone(), text: "On the left.".into() }, now);
        let scene = conversation.scene(now);
        assert_eq!((scene.mood, scene.said.as_str()), (Mood::Speaking, "On the left."));
        conversation.on(Event::VisitorLeft, now);
        let scene = conversation.scene(now);
        assert_eq!((scene.mood, scene.said.as_str(), scene.heard.as_str()), (Mood::Alone, "", ""));
    }

    fn unheard(failed: bool) -> Event {
        let (pause, asr) = (Duration::ZERO, Duration::ZERO);
        Event::Heard(Utterance { text: String::new(), ended: Instant::now(), pause, asr, failed })
    }

    #[test]
    fn what_the_recogniser_could_not_take_has_failed() {
        let (mut conversation, now) = (conversation(), Instant::now());
        conversation.on(heard("Hello"), now);
        conversation.on(Event::SpeechBegan, now);
        conversation.on(speaking("what", 300), now);
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
        fn never_two_live_turns(choices in proptest::collection::vec((0_u8..14, 0_usize..4), 0..200)) {
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
                    8 => speaking("and", 300),
                    9 => speaking("", 500),
                    10 => Event::Saying { turn, text: "It is.".into() },
                    11 => Event::Pressed(Press::Repeat),
                    12 => Event::Pressed(Press::Stop),
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
