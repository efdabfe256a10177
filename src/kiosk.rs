//! The whole machine on one page: threads, links, stop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use crossbeam_channel::Receiver;

use crate::{
    device::{Camera, Display, Keys, Microphone, Speaker},
    engine::{Asr, Face, Llm, Tts, Vad, vision::Watcher},
    flow::{
        AudioClock, Crew, Outbox, Pulse, Pulses, Seat, SlotWriter, Successor, Switch, Turns,
        Volume, Woken, queue, slot,
    },
    journal::Journal,
    media::{Event, Press, Recording},
    metrics::{Link, Metrics},
    screen::Painter,
    stage::{
        animate,
        converse::{self, Conversation, Manners},
        endpoint::Limits,
        hear, listen, play, press, show, speak, think, watch,
    },
};

/// The models of the machine, warm.
#[expect(missing_debug_implementations, reason = "engines have none")]
pub struct Engines {
    /// Tells speech from other sound.
    pub vad: Box<dyn Vad>,
    /// Recognises it.
    pub asr: Box<dyn Asr>,
    /// Answers.
    pub llm: Box<dyn Llm>,
    /// Speaks.
    pub tts: Box<dyn Tts>,
    /// Moves the mouth.
    pub face: Box<dyn Face>,
    /// Paints the screen.
    pub painter: Box<dyn Painter>,
}

/// The hardware of the machine, open.
#[expect(missing_debug_implementations, reason = "devices have none")]
pub struct Devices {
    /// Where sound comes from.
    pub microphone: Box<dyn Microphone>,
    /// Where sound goes.
    pub speaker: Box<dyn Speaker>,
    /// Where pictures go.
    pub display: Box<dyn Display>,
    /// What sees who is there, and what makes sense of its pictures; without it whoever speaks is there.
    pub watch: Option<(Box<dyn Camera>, Box<dyn Watcher>)>,
    /// Keys, buttons and the touch screen, if there are any.
    pub keys: Option<Box<dyn Keys>>,
}

/// How the machine behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When speech begins and ends.
    pub limits: Limits,
    /// What the kiosk says when, and what it remembers.
    pub manners: Manners,
    /// How long after the display has taken a picture it is really seen.
    pub lead: Duration,
}

/// The running machine.
#[derive(Debug)]
pub struct Kiosk {
    crew: Crew,
    stop_sources: Arc<AtomicBool>,
    events: Outbox<Event>,
    recordings: SlotWriter<Recording>,
    /// What the machine is doing.
    pub journal: Arc<Journal>,
    /// Set once the first picture is on the screen.
    pub lit: Arc<AtomicBool>,
    /// Whether each stage waits or works.
    pub pulses: Pulses,
    /// What can be replaced while it runs.
    pub successors: Successors,
}

/// What of a running machine can be replaced: each part at its next pause.
#[derive(Clone, Debug)]
pub struct Successors {
    /// The recogniser.
    pub asr: Successor<Box<dyn Asr>>,
    /// The language model.
    pub llm: Successor<Box<dyn Llm>>,
    /// The voice; it must have the sample rate of the one before.
    pub tts: Successor<Box<dyn Tts>>,
    /// What moves the mouth.
    pub face: Successor<Box<dyn Face>>,
    /// When speech begins and ends.
    pub limits: Successor<Limits>,
    /// What the kiosk says when.
    pub manners: Successor<Manners>,
    /// Samples a second of the voice.
    pub sample_rate: u32,
}

impl Kiosk {
    /// Starts every thread.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn start(
        settings: Settings,
        engines: Engines,
        devices: Devices,
        metrics: &Arc<Metrics>,
    ) -> Result<Self> {
        let (chunks_out, chunks) = queue(64); // 2 s of sound
        let (recordings_out, recordings) = slot();
        let (events_out, events) = queue(64);
        let (requests_out, requests) = slot();
        let (scenes_out, scenes) = slot();
        let (sentences_out, sentences) = queue(4);
        let (voices_out, voices) = queue(16);
        let (beats_out, beats) = queue(12); // 0.5 s of performance
        let (faces_out, faces) = queue(32); // 1.3 s of performance

        let Engines { vad, asr, llm, tts, face, painter } = engines;
        let Devices { microphone, speaker, display, watch, keys } = devices;
        let sample_rate = tts.sample_rate();
        let turns = Turns::default();
        let clock = AudioClock::default();
        let (volume, muted) = (Volume::default(), Switch::default());
        let journal = Arc::new(Journal::default());
        let stop_sources = Arc::new(AtomicBool::new(false));
        let lit = Arc::new(AtomicBool::new(false));
        metrics.watch_depth(Link::Chunks, chunks_out.depth());
        metrics.watch_depth(Link::Events, events_out.depth());
        metrics.watch_depth(Link::Sentences, sentences_out.depth());
        metrics.watch_depth(Link::Voices, voices_out.depth());
        metrics.watch_depth(Link::Beats, beats_out.depth());
        metrics.watch_depth(Link::Faces, faces_out.depth());

        let limits = settings.limits;
        let (asr, llm, tts, face) =
            (Seat::from(asr), Seat::from(llm), Seat::from(tts), Seat::from(face));
        let (limits, manners) = (Seat::from(limits), Seat::from(settings.manners.clone()));
        let successors = Successors {
            asr: asr.successor(),
            llm: llm.successor(),
            tts: tts.successor(),
            face: face.successor(),
            limits: limits.successor(),
            manners: manners.successor(),
            sample_rate,
        };
        let ear = listen::Ear { vad, asr, limits, worked: Duration::ZERO, failed: false };
        let screen = show::Screen { painter, display, lead: settings.lead, lit: lit.clone() };
        let conversation = Conversation::new(turns, settings.manners, Instant::now());
        let mut crew = Crew::default();
        let (m, e, s) = (metrics.clone(), events_out.clone(), muted.clone());
        let stop = stop_sources.clone();
        crew.spawn("hear", move |p| hear::run(&p, microphone, &chunks_out, &e, &s, &stop, &m))?;
        if let Some((camera, watcher)) = watch {
            let (m, e, stop) = (metrics.clone(), events_out.clone(), stop_sources.clone());
            crew.spawn("watch", move |p| watch::run(&p, camera, watcher, &e, &stop, &m))?;
        }
        if let Some(keys) = keys {
            let (e, stop) = (events_out.clone(), stop_sources.clone());
            crew.spawn("press", move |p| press::run(&p, keys, &e, &stop))?;
        }
        let (m, e) = (metrics.clone(), events_out.clone());
        crew.spawn("listen", move |p| listen::run(&p, ear, &chunks, &recordings, &e, &m))?;
        let (m, j) = (metrics.clone(), journal.clone());
        let out = converse::Out {
            requests: requests_out,
            scenes: scenes_out,
            volume: volume.clone(),
            muted,
        };
        crew.spawn("converse", move |p| {
            converse::run(&p, conversation, manners, &events, &out, &j, &m)
        })?;
        let (m, e) = (metrics.clone(), events_out.clone());
        crew.spawn("think", move |p| think::run(&p, llm, &requests, &sentences_out, &e, &m))?;
        let (m, e) = (metrics.clone(), events_out.clone());
        crew.spawn("speak", move |p| speak::run(&p, tts, &sentences, &voices_out, &e, &m))?;
        let (m, e) = (metrics.clone(), events_out.clone());
        crew.spawn("animate", move |p| {
            animate::run(&p, face, sample_rate, &voices, &beats_out, &e, &m)
        })?;
        let (m, e, c) = (metrics.clone(), events_out.clone(), clock.clone());
        crew.spawn("play", move |p| {
            let stage = play::Stage {
                speaker,
                clock: &c,
                faces: &faces_out,
                events: &e,
                volume: &volume,
                works: true,
                gain: play::Gain::default(),
                metrics: &m,
            };
            play::run(&p, stage, &beats)
        })?;
        let m = metrics.clone();
        crew.spawn("show", move |p| show::run(&p, screen, &faces, &scenes, &clock, &m))?;

        let pulses = crew.pulses();
        metrics.watch_pulses(pulses.clone());
        let events = events_out;
        let recordings = recordings_out;
        Ok(Self { crew, stop_sources, events, recordings, journal, lit, pulses, successors })
    }

    /// A way to tell the conversation what has happened outside the machine.
    pub fn tell(&self) -> Teller {
        Teller { events: self.events.clone(), recordings: self.recordings.clone() }
    }

    /// Waits until somebody asks to stop.
    ///
    /// # Errors
    /// A stage ended by itself, which is a fault.
    pub fn wait(&mut self, stop_asked: &Receiver<()>) -> Result<()> {
        self.crew.wait(stop_asked)
    }

    /// Waits until somebody asks to stop or calls, or `time` has passed.
    ///
    /// # Errors
    /// A stage ended by itself, which is a fault.
    pub fn wake(
        &mut self,
        stop_asked: &Receiver<()>,
        calls: &Receiver<()>,
        time: Duration,
    ) -> Result<Woken> {
        self.crew.wake(stop_asked, calls, time)
    }

    /// Stops the sources; then every stage ends because its inbox closes, in the order of the flow.
    ///
    /// # Errors
    /// A stage failed, or is still busy after `grace`.
    pub fn stop(self, grace: Duration) -> Result<()> {
        self.journal.close();
        self.stop_sources.store(true, Ordering::Release);
        let _ = self.events.send(&Pulse::default(), Event::Stop);
        drop((self.events, self.recordings));
        self.crew.join(grace)
    }
}

/// Tells the conversation what has happened outside the machine.
#[derive(Clone, Debug)]
pub struct Teller {
    events: Outbox<Event>,
    recordings: SlotWriter<Recording>,
}

impl Teller {
    /// Whoever has started the machine is greeted; nobody can see him leave.
    pub fn started(&self) {
        let _ = self.events.send(&Pulse::default(), Event::Started);
    }

    /// Somebody has typed `text`. Whether the machine still runs.
    pub fn typed(&self, text: String) -> bool {
        self.events.send(&Pulse::default(), Event::Typed(text, Instant::now())).is_continue()
    }

    /// Somebody has pressed a key. Whether the machine still runs.
    pub fn pressed(&self, press: Press) -> bool {
        self.events.send(&Pulse::default(), Event::Pressed(press)).is_continue()
    }

    /// Somebody has recorded this, 16 kHz mono; it is heard at once.
    pub fn recorded(&self, samples: Vec<f32>) {
        self.recordings.put(Recording(samples));
    }
}
