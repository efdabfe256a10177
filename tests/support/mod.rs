//! Fakes of the models and devices, and the language in which dialogues are written.
//!
//! A chunk of sound carries the number of what is said in it as its amplitude, so that the fakes know
//! the words without a model. The fake devices keep real time, as the real ones do.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod daemon;
pub(crate) mod openmetrics;
pub(crate) mod pack;

use std::{
    cell::RefCell,
    collections::VecDeque,
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use crossbeam_channel::{Receiver, Sender, bounded};
use linly_edge::{
    device::{Camera, DeviceError, Display, Microphone, Speaker},
    engine::{
        Asr, Face, Llm, Tts, Vad,
        vision::{Sight, Watcher},
    },
    flow::Switch,
    journal::Activity,
    kiosk::{Devices, Engines, Kiosk, Settings},
    media::{Chunk, Frame, Message, Mouth, Picture, Rect},
    metrics::Metrics,
    scene::Scene,
    screen::Painter,
    stage::{converse::Manners, endpoint::Limits},
};

/// Samples of the fake microphone's chunks: 32 ms.
const CHUNK: usize = 512;
const MS: Duration = Duration::from_millis(1);

/// What the fakes have seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    /// The language model was asked with this history.
    Asked(Vec<String>),
    /// The visitor has heard this sentence to its end.
    Heard(String),
    /// The loudspeaker was told to be silent; how much unheard sound it dropped.
    Flushed(Duration),
    /// A picture was shown with this opening of the mouth.
    Shown(f32),
    /// An answer got quieter.
    Quieter,
    /// It is as loud as before.
    Louder,
    /// The screen tells something else.
    Told(Scene),
}

/// Words by number; number 0 is silence.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Vec<String>>>);

impl Words {
    fn number(&self, text: &str) -> f32 {
        let mut words = self.0.lock().expect("no panic");
        words.push(text.to_owned());
        0.1 + words.len() as f32 / 1000.0
    }

    fn text(&self, amplitude: f32) -> Option<String> {
        let number = ((amplitude - 0.1) * 1000.0).round() as usize;
        self.0.lock().expect("no panic").get(number.checked_sub(1)?).cloned()
    }
}

/// How the fakes misbehave.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    /// The language model fails so often.
    pub(crate) llm_fails: u32,
    /// The voice fails so often.
    pub(crate) tts_fails: u32,
    /// The recogniser fails so often.
    pub(crate) asr_fails: u32,
    /// The face takes so long for each beat.
    pub(crate) face_takes: Duration,
    /// The voice takes so long for each sentence.
    pub(crate) tts_takes: Duration,
    /// The microphone is gone after so many chunks.
    pub(crate) microphone_ends: Option<usize>,
    /// The loudspeaker loses sound at every write.
    pub(crate) speaker_xruns: bool,
    /// While this is on, the microphone is unplugged.
    pub(crate) microphone_away: Switch,
    /// While this is on, the loudspeaker is unplugged.
    pub(crate) speaker_away: Switch,
}

/// The machine on fakes.
pub(crate) struct Machine {
    /// The machine.
    pub(crate) kiosk: Kiosk,
    /// What it counts.
    pub(crate) metrics: Arc<Metrics>,
    /// What the fakes have seen.
    pub(crate) seen: Receiver<Seen>,
    speech: Arc<Mutex<VecDeque<Chunk>>>,
    words: Words,
}

impl Machine {
    /// Starts it; `answers` are pairs of what is heard and what is answered.
    pub(crate) fn start(answers: &[(&str, &str)], faults: Faults) -> Self {
        Self::start_with(answers, faults, |_, _| {})
    }

    /// Starts it with other settings or devices.
    pub(crate) fn start_with(
        answers: &[(&str, &str)],
        faults: Faults,
        change: impl FnOnce(&mut Settings, &mut Devices),
    ) -> Self {
        let (see, seen) = bounded(100_000);
        let words = Words::default();
        let speech = Arc::new(Mutex::new(VecDeque::new()));
        let answers: Vec<(String, String)> =
            answers.iter().map(|(q, a)| ((*q).to_owned(), (*a).to_owned())).collect();
        let engines = Engines {
            vad: Box::new(FakeVad),
            asr: Box::new(FakeAsr {
                words: words.clone(),
                text: String::new(),
                fails: faults.asr_fails,
            }),
            llm: Box::new(FakeLlm { answers, see: see.clone(), fails: faults.llm_fails }),
            tts: Box::new(FakeTts {
                words: words.clone(),
                fails: faults.tts_fails,
                takes: faults.tts_takes,
            }),
            face: Box::new(FakeFace { takes: faults.face_takes }),
            painter: Box::new(FakePainter { see: see.clone(), scene: None }),
        };
        let mut devices = Devices {
            microphone: Box::new(FakeMicrophone {
                speech: speech.clone(),
                next: Instant::now(),
                chunks: 0,
                ends: faults.microphone_ends,
                away: faults.microphone_away,
            }),
            speaker: Box::new(FakeSpeaker {
                inside: RefCell::new(Inside {
                    words: words.clone(),
                    see: see.clone(),
                    written: VecDeque::new(),
                    since: Instant::now(),
                    heard: 0,
                    sounding: 0.0,
                    previous: 0.0,
                    quiet: false,
                }),
                xruns: faults.speaker_xruns,
                away: faults.speaker_away,
            }),
            display: Box::new(FakeDisplay { see, next: Instant::now() }),
            watch: None,
            keys: None,
        };
        let metrics = Arc::new(Metrics::default());
        let mut settings = settings();
        change(&mut settings, &mut devices);
        let kiosk = Kiosk::start(settings, engines, devices, &metrics).expect("threads");
        Self { kiosk, metrics, seen, speech, words }
    }

    /// The visitor says `text`, 400 ms long, and is silent.
    pub(crate) fn say(&self, text: &str) {
        let number = self.words.number(text);
        let mut speech = self.speech.lock().expect("no panic");
        speech.extend(std::iter::repeat_n(Chunk::of(vec![number; CHUNK]), 13));
        speech.extend(std::iter::repeat_n(Chunk::of(vec![0.0; CHUNK]), 12));
    }

    /// There is a sound like speech without any word in it, `chunks` of 32 ms long, and silence.
    pub(crate) fn cough(&self, chunks: usize) {
        let number = self.words.number("");
        let mut speech = self.speech.lock().expect("no panic");
        speech.extend(std::iter::repeat_n(Chunk::of(vec![number; CHUNK]), chunks));
        speech.extend(std::iter::repeat_n(Chunk::of(vec![0.0; CHUNK]), 12));
    }

    /// Waits until all that was said has gone into the microphone.
    pub(crate) fn until_said(&self) {
        self.until("all is said", || self.speech.lock().expect("no panic").is_empty());
    }

    /// Waits for the first thing seen for which `pick` returns something.
    pub(crate) fn wait<T>(
        &self,
        limit: Duration,
        pick: impl Fn(Seen) -> Option<T>,
    ) -> Result<T, String> {
        let until = Instant::now() + limit;
        let mut others = Vec::new();
        loop {
            match self.seen.recv_deadline(until) {
                Ok(seen) => match pick(seen.clone()) {
                    Some(found) => return Ok(found),
                    None if matches!(seen, Seen::Shown(_) | Seen::Told(_)) => {}
                    None => others.push(seen),
                },
                Err(_) => return Err(format!("not within {limit:?}; meanwhile: {others:?}")),
            }
        }
    }

    /// Waits until `reached` holds.
    pub(crate) fn until(&self, what: &str, reached: impl Fn() -> bool) {
        let limit = Instant::now() + 5000 * MS;
        while !reached() {
            assert!(Instant::now() < limit, "not within 5 s: {what}");
            std::thread::sleep(MS);
        }
    }

    /// Waits until this sentence has been heard.
    pub(crate) fn wait_heard(&self, sentence: &str) -> Result<(), String> {
        self.wait(5000 * MS, |seen| (seen == Seen::Heard(sentence.into())).then_some(()))
            .map_err(|error| format!("{sentence:?} was not heard: {error}"))
    }
}

/// How the fake kiosk behaves.
pub(crate) fn settings() -> Settings {
    Settings {
        limits: Limits {
            threshold: 0.5,
            onset: 96 * MS,
            preroll: 96 * MS,
            pause: 160 * MS,
            short_pause: 160 * MS,
            longest: 5000 * MS,
            persist: 200 * MS,
        },
        manners: Manners {
            apology: "Sorry.".into(),
            guard: Duration::ZERO,
            persist: 200 * MS,
            history: 8,
            stop_words: vec!["silence".into()],
            ..Manners::default()
        },
        lead: Duration::ZERO,
    }
}

struct FakeVad;

impl Vad for FakeVad {
    fn probability(&mut self, chunk: &Chunk) -> Result<f32> {
        Ok(if chunk.samples.iter().any(|sample| *sample > 0.05) { 0.9 } else { 0.0 })
    }
    fn reset(&mut self) {}
}

struct FakeAsr {
    words: Words,
    text: String,
    fails: u32,
}

impl Asr for FakeAsr {
    fn accept(&mut self, chunk: &Chunk) -> Result<&str> {
        if self.fails > 0 {
            self.fails -= 1;
            bail!("the recogniser was told to fail");
        }
        if let Some(text) = chunk.samples.first().and_then(|amplitude| self.words.text(*amplitude))
        {
            self.text = text;
        }
        Ok(&self.text)
    }
    fn finish(&mut self) -> Result<String> {
        Ok(std::mem::take(&mut self.text))
    }
    fn reset(&mut self) {
        self.text.clear();
    }
}

struct FakeLlm {
    answers: Vec<(String, String)>,
    see: Sender<Seen>,
    fails: u32,
}

impl Llm for FakeLlm {
    fn reply(
        &mut self,
        history: &[Message],
        token: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<()> {
        let texts: Vec<String> = history.iter().map(|message| message.text.clone()).collect();
        let question = texts.last().cloned().unwrap_or_default();
        let _ = self.see.try_send(Seen::Asked(texts));
        if self.fails > 0 {
            self.fails -= 1;
            bail!("the language model was told to fail");
        }
        let answer = self.answers.iter().find(|(heard, _)| *heard == question);
        for word in answer.map_or("I do not know.", |(_, answer)| answer).split_inclusive(' ') {
            if token(word).is_break() {
                break;
            }
        }
        Ok(())
    }
}

struct FakeTts {
    words: Words,
    fails: u32,
    takes: Duration,
}

impl Tts for FakeTts {
    fn sample_rate(&self) -> u32 {
        16_000
    }
    fn speak(
        &mut self,
        text: &str,
        piece: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<()> {
        std::thread::sleep(self.takes);
        if self.fails > 0 {
            self.fails -= 1;
            bail!("the voice was told to fail");
        }
        let number = self.words.number(text);
        for _ in 0..text.len() {
            // 20 ms a letter, as people speak.
            if piece(&[number; 320]).is_break() {
                break;
            }
        }
        Ok(())
    }
}

struct FakeFace {
    takes: Duration,
}

impl Face for FakeFace {
    fn rate(&self) -> u32 {
        25
    }
    fn accept(&mut self, sound: &[f32], mouth: &mut dyn FnMut(Mouth)) -> Result<()> {
        std::thread::sleep(self.takes);
        mouth(Mouth { open: sound[0], ..Mouth::default() });
        Ok(())
    }
    fn finish(&mut self, _mouth: &mut dyn FnMut(Mouth)) -> Result<()> {
        Ok(())
    }
    fn reset(&mut self) {}
}

/// Paints the opening of the mouth, as bytes.
struct FakePainter {
    see: Sender<Seen>,
    scene: Option<Scene>,
}

impl Painter for FakePainter {
    fn key_points(&self) -> usize {
        1
    }
    fn paint(&mut self, _at: Duration, mouth: Mouth, scene: &Scene) -> Picture {
        if self.scene.as_ref() != Some(scene) {
            let _ = self.see.try_send(Seen::Told(scene.clone()));
            self.scene = Some(scene.clone());
        }
        let bytes = mouth.open.to_le_bytes().to_vec();
        Picture { width: 1, height: 1, pixels: Arc::new(bytes), changed: Rect::default() }
    }
}

/// A camera that sees what the test says, and what makes sense of it.
#[derive(Clone, Default)]
pub(crate) struct FakeEyes {
    /// Whether somebody is there.
    pub(crate) present: Switch,
    /// Whether the camera is unplugged.
    pub(crate) away: Switch,
}

impl Camera for FakeEyes {
    fn read(&mut self, frame: &mut Frame) -> Result<(), DeviceError> {
        std::thread::sleep(20 * MS);
        if self.away.is_on() {
            return Err(DeviceError::Away);
        }
        *frame = Frame { width: 1, height: 1, luma: vec![0], taken: Instant::now() };
        Ok(())
    }
    fn pace(&mut self, _rate: f32) {}
}

impl Watcher for FakeEyes {
    fn look(&mut self, _frame: &Frame) -> Result<Sight> {
        let present = self.present.is_on();
        Ok(Sight { present, people: u32::from(present), ..Sight::default() })
    }
}

struct FakeMicrophone {
    speech: Arc<Mutex<VecDeque<Chunk>>>,
    next: Instant,
    chunks: usize,
    ends: Option<usize>,
    away: Switch,
}

impl Microphone for FakeMicrophone {
    fn read(&mut self) -> Result<Chunk, DeviceError> {
        if self.ends == Some(self.chunks) {
            return Err(DeviceError::Gone);
        }
        self.chunks += 1;
        self.next += 32 * MS;
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        if self.away.is_on() {
            return Err(DeviceError::Away);
        }
        let chunk = self.speech.lock().expect("no panic").pop_front();
        Ok(chunk.unwrap_or_else(|| Chunk::of(vec![0.0; CHUNK])))
    }
}

/// A loudspeaker with a buffer of 100 ms.
struct FakeSpeaker {
    inside: RefCell<Inside>,
    xruns: bool,
    away: Switch,
}

struct Inside {
    words: Words,
    see: Sender<Seen>,
    /// Written and not heard.
    written: VecDeque<f32>,
    /// Since when sound has been heard without a gap, and how many samples of it.
    since: Instant,
    heard: usize,
    /// The sentence that is being heard.
    sounding: f32,
    /// The sample before; two equal ones are no ramp.
    previous: f32,
    /// Whether the sentence is quieter than it was made.
    quiet: bool,
}

const RATE: u32 = 16_000;
const BUFFER: usize = 1600;

impl Inside {
    fn drain(&mut self) {
        let due = (self.since.elapsed().as_secs_f64() * f64::from(RATE)) as usize;
        while self.heard < due {
            let Some(sample) = self.written.pop_front() else { break };
            self.heard += 1;
            self.hear(sample);
        }
        if self.written.is_empty() {
            self.hear(0.0);
            (self.since, self.heard) = (Instant::now(), 0);
        }
    }

    /// A sentence has been heard to its end when another one, or silence, follows.
    fn hear(&mut self, sample: f32) {
        let steady = sample == 0.0 || sample == self.previous;
        self.previous = sample;
        if !steady {
            return;
        }
        let quiet = sample > 0.0 && sample < 0.1;
        if sample > 0.0 && quiet != self.quiet {
            self.quiet = quiet;
            let _ = self.see.try_send(if quiet { Seen::Quieter } else { Seen::Louder });
        }
        if quiet {
            return;
        }
        if sample != self.sounding {
            if let Some(text) = self.words.text(self.sounding) {
                let _ = self.see.try_send(Seen::Heard(text));
            }
            self.sounding = sample;
        }
    }
}

impl Speaker for FakeSpeaker {
    fn sample_rate(&self) -> u32 {
        RATE
    }
    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        let inside = self.inside.get_mut();
        inside.drain();
        while inside.written.len() + samples.len() > BUFFER {
            std::thread::sleep(MS);
            inside.drain();
        }
        inside.written.extend(samples);
        if self.away.is_on() {
            inside.written.clear();
            std::thread::sleep(Duration::from_secs(1) * samples.len() as u32 / RATE);
            return Err(DeviceError::Away);
        }
        if self.xruns { Err(DeviceError::Xrun) } else { Ok(()) }
    }
    fn delay(&self) -> Result<Duration, DeviceError> {
        let mut inside = self.inside.borrow_mut();
        inside.drain();
        Ok(Duration::from_secs(1) * inside.written.len() as u32 / RATE)
    }
    fn flush(&mut self) -> Result<(), DeviceError> {
        let inside = self.inside.get_mut();
        inside.drain();
        let dropped = Duration::from_secs(1) * inside.written.len() as u32 / RATE;
        inside.written.clear();
        inside.sounding = 0.0;
        let _ = inside.see.try_send(Seen::Flushed(dropped));
        Ok(())
    }
}

struct FakeDisplay {
    see: Sender<Seen>,
    next: Instant,
}

impl Display for FakeDisplay {
    fn show(&mut self, picture: &Picture) -> Result<Instant, DeviceError> {
        let bytes: [u8; 4] = picture.pixels[..4].try_into().expect("four bytes");
        let _ = self.see.try_send(Seen::Shown(f32::from_le_bytes(bytes)));
        Ok(Instant::now())
    }
    fn wait(&mut self) -> Result<(), DeviceError> {
        self.next = (self.next + 20 * MS).max(Instant::now());
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        Ok(())
    }
}

/// Plays a dialogue on the whole machine. Each line is one of
///
/// - `visitor says: TEXT` when the kiosk is silent, or `visitor interrupts: TEXT` at once
/// - `visitor types: TEXT`, or `visitor records: TEXT` (a whole recording, heard at once)
/// - `kiosk says: SENTENCE` waits until it has been heard to its end
/// - `kiosk begins to speak` waits for the first picture with an open mouth
/// - `kiosk falls silent within N ms` counted from the moment at which the turn became stale
/// - `history: A | B | …` is what the language model was asked with last
pub(crate) fn check(answers: &[(&str, &str)], script: &str) {
    let machine = Machine::start(answers, Faults::default());
    let mut asked: Vec<String> = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (verb, rest) = line.split_once(": ").unwrap_or((line, ""));
        let done = match verb {
            "visitor says" => {
                // Polite: what is being said is heard to its end first.
                machine.until("the kiosk is silent", || {
                    machine.kiosk.journal.activity() != Activity::Answering
                });
                machine.say(rest);
                Ok(())
            }
            "visitor interrupts" => {
                machine.say(rest);
                Ok(())
            }
            "visitor records" => {
                let number = machine.words.number(rest);
                machine.kiosk.tell().recorded(vec![number; CHUNK * 13]);
                Ok(())
            }
            "visitor types" => {
                assert!(machine.kiosk.tell().typed(rest.to_owned()), "the machine runs");
                Ok(())
            }
            "kiosk says" => machine
                .wait(5000 * MS, |seen| match seen {
                    Seen::Heard(text) => (text == rest).then_some(None),
                    Seen::Asked(history) => Some(Some(history)),
                    _ => None,
                })
                .and_then(|history| match history {
                    None => Ok(()),
                    Some(history) => {
                        asked = history;
                        machine.wait_heard(rest)
                    }
                }),
            "kiosk begins to speak" => machine.wait(5000 * MS, |seen| {
                matches!(seen, Seen::Shown(open) if open > 0.05).then_some(())
            }),
            "history" => {
                let expected: Vec<&str> = rest.split(" | ").collect();
                if asked != expected {
                    let newer = machine.wait(2000 * MS, |seen| match seen {
                        Seen::Asked(history) if history == expected => Some(history),
                        _ => None,
                    });
                    assert!(newer.is_ok(), "{line}: {newer:?}; asked with {asked:?}");
                }
                Ok(())
            }
            _ => {
                let limit = verb
                    .strip_prefix("kiosk falls silent within ")
                    .and_then(|rest| rest.strip_suffix(" ms"))
                    .and_then(|ms| ms.parse::<u32>().ok())
                    .unwrap_or_else(|| panic!("not a line of the script language: {line}"));
                let flushed =
                    machine.wait(5000 * MS, |seen| matches!(seen, Seen::Flushed(_)).then_some(()));
                flushed.map(|()| {
                    // The loudspeaker is silent a moment before that is counted.
                    machine.until("the silence is counted", || {
                        machine.metrics.hush.get_sample_count() == 1
                    });
                    let hush = machine.metrics.hush.get_sample_sum();
                    assert!(hush * 1000.0 <= f64::from(limit), "{line}: took {hush} s");
                })
            }
        };
        done.unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    machine.kiosk.stop(Duration::from_secs(2)).expect("every thread ends");
}
