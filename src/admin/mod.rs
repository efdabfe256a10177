//! What the daemon shows and takes over HTTP, and the signals that ask it to stop or to
//! read its configuration anew.
//!
//! One asynchronous runtime on one thread holds all connections, so that slow clients cost nothing: that
//! is the gate, and the only asynchronous code. What it lets in is answered by plain functions on a few
//! threads behind the HTTP library; those of a turn and of a video are their own.

mod gate;
mod http;
mod page;
mod routes;
mod videos;

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, TrySendError, bounded};
use serde::Serialize;
use tiny_http::Request;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};

use self::{
    gate::{Gate, Lane, Library},
    routes::Shared,
};
use crate::{
    config::{self, Problems},
    flow::Crew,
    media::Press,
    metrics::Metrics,
};

/// What a stop allows replies that are being written.
const LAST_REPLIES: Duration = Duration::from_millis(300);
/// What a stop allows the threads.
const GRACE: Duration = Duration::from_secs(2);

/// What the admin knows of the kiosk. All but `talk` answer at once.
pub trait Front: Send + Sync {
    /// Whether a visitor can be answered now.
    ///
    /// # Errors
    /// Why not.
    fn ready(&self) -> Result<(), String>;
    /// The stages that have worked on one thing for too long.
    fn stuck(&self) -> Vec<String>;
    /// How the kiosk is.
    fn status(&self) -> Status;
    /// Makes one turn.
    ///
    /// # Errors
    /// Why there is no answer.
    fn talk(&self, request: Ask) -> Result<Told, Refusal>;
    /// Presses a key; whether the kiosk still runs.
    fn press(&self, press: Press) -> bool;
}

/// What a program asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A question in writing; 1 to 1000 characters.
    Text(String),
    /// A question in sound, 16 kHz mono, −1 to 1.
    Sound(Vec<f32>),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// What was understood.
    pub heard: String,
    /// What was answered.
    pub answer: String,
    /// What each step took, in milliseconds.
    pub steps_ms: BTreeMap<&'static str, f64>,
    /// From the end of the question to the first sound of the answer, in milliseconds.
    pub first_sound_ms: f64,
    /// MP4; empty if there is none.
    pub video: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else is being answered.
    Busy {
        /// When it is worth asking again, in seconds.
        retry_after_s: u32,
    },
    /// The question is no good; why, and what to do.
    Bad(String),
    /// A step failed.
    Failed(String),
    /// The daemon is about to end.
    Stopping,
}

/// How the kiosk is, for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// `loading`, `alone`, `listening`, `answering` or `stopping`.
    pub state: String,
    /// Of this program.
    pub version: String,
    /// Seconds since the start.
    pub uptime_s: f64,
    /// What was loaded.
    pub models: Vec<ModelStatus>,
    /// Which device (`microphone`, …) is which kind (`file`, …).
    pub devices: BTreeMap<String, String>,
    /// Turns since the start.
    pub turns: u64,
    /// What the last turn took; what was said in it is nobody's business.
    pub last_turn: Option<TurnStatus>,
}

/// A model that was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModelStatus {
    /// `asr`, `llm`, `tts` or `face`.
    pub kind: String,
    /// Its name in the pack.
    pub name: String,
    /// How it was made small.
    pub quantisation: String,
    /// What runs it.
    pub backend: String,
}

/// What a turn took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TurnStatus {
    /// How it ended.
    pub end: String,
    /// From the end of speech to the first sound, in milliseconds.
    pub first_sound_ms: f64,
    /// What each step took, in milliseconds.
    pub steps_ms: BTreeMap<String, f64>,
}

/// Reads the bytes of a WAV file as 16 kHz mono; says what is wrong with it otherwise.
pub type Decode = fn(&[u8]) -> Result<Vec<f32>, String>;

/// What is wrong with who may read, and what should be looked at. Reads `admin.web_config` and what it names.
pub fn check(config: &config::Admin) -> (Problems, Vec<String>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    gate::check(config, now.as_secs() as i64)
}

/// The running server.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    stop_asked: Receiver<()>,
    reload_asked: Receiver<()>,
    crew: Crew,
}

impl Admin {
    /// Begins to listen, and to wait for SIGTERM, SIGINT and SIGHUP.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn start(
        config: &config::Admin,
        front: Arc<dyn Front>,
        metrics: Arc<Metrics>,
        decode: Decode,
    ) -> Result<Self> {
        let listener = gate::listen(config.address)?;
        let address = listener.local_addr().context("failed to read the address")?;
        // Here and not on the thread, so that no signal is lost once this has returned.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime of the admin")?;
        let (asking, stop_asked) = bounded(0);
        let (asking_anew, reload_asked) = bounded(1);
        let mut crew = Crew::default();
        let (library, streams) = Library::start(gate::CONNECTIONS)?;
        let (mut terminate, mut interrupt, mut hang_up, listener, gate) = {
            let _inside = runtime.enter();
            let terminate = signal(SignalKind::terminate()).context("failed to await SIGTERM")?;
            let interrupt = signal(SignalKind::interrupt()).context("failed to await SIGINT")?;
            let hang_up = signal(SignalKind::hangup()).context("failed to await SIGHUP")?;
            let listener = tokio::net::TcpListener::from_std(listener)
                .context("failed to listen asynchronously")?;
            let gate = Gate::new(config, Arc::clone(&metrics), streams, &mut crew)?;
            (terminate, interrupt, hang_up, listener, Arc::new(gate))
        };

        let shared = Shared::new(config, front, metrics, decode, runtime.handle().clone());
        answer_behind(&mut crew, &library, &Arc::new(shared))?;
        let (stop, stopping) = oneshot::channel();
        crew.spawn("admin", move |_| {
            runtime.block_on(async move {
                // Dropping `asking` is the message: it reaches whoever asks, however late.
                let signals = async move {
                    loop {
                        tokio::select! {
                            _ = terminate.recv() => break,
                            _ = interrupt.recv() => break,
                            // Who closes a terminal wants the end of what runs in it.
                            _ = hang_up.recv() => if std::io::stdin().is_terminal() { break },
                        }
                        // Two at once are one.
                        let _ = asking_anew.try_send(());
                    }
                    tracing::info!("asked to stop by a signal");
                    drop(asking);
                    std::future::pending::<()>().await;
                };
                let mut connections = JoinSet::new();
                tokio::select! {
                    () = signals => {}
                    _ = stopping => {}
                    () = gate::accept(&listener, &gate, &mut connections) => {}
                }
                drop(listener);
                let last = async { while connections.join_next().await.is_some() {} };
                let _ = timeout(LAST_REPLIES, last).await;
            });
            library.close();
            Ok(())
        })?;
        tracing::info!(%address, "the admin listens");
        Ok(Self { address, stop, stop_asked, reload_asked, crew })
    }

    /// Where it listens; of interest if the configured port was 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A channel that closes when the daemon is asked to stop.
    pub fn stop_asked(&self) -> Receiver<()> {
        self.stop_asked.clone()
    }

    /// A channel that says each time that the configuration is to be read anew.
    pub fn reload_asked(&self) -> Receiver<()> {
        self.reload_asked.clone()
    }

    /// Ends the server; replies that are being written get a moment.
    ///
    /// # Errors
    /// A thread is still busy: a turn did not end although the kiosk has stopped.
    pub fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        self.crew.join(GRACE)
    }
}

/// Starts the threads behind the HTTP library. The first takes every request and answers what is answered
/// at once; it never waits for the others.
fn answer_behind(crew: &mut Crew, library: &Library, shared: &Arc<Shared>) -> Result<()> {
    let mut worker = |names: &[&'static str]| {
        // Room for one each: a thread that is free may not have come back for the next one yet.
        let (out, requests) = bounded::<Request>(names.len());
        for name in names {
            let (shared, requests) = (Arc::clone(shared), requests.clone());
            crew.spawn(name, move |_| {
                requests.iter().for_each(|request| routes::answer(&shared, request));
                Ok(())
            })?;
        }
        anyhow::Ok(out)
    };
    // Two, so that the second is refused by the kiosk itself, which knows for how long.
    let talks = worker(&["talk-1", "talk-2"])?;
    // As many as there are connections for them, because each is as slow as its client.
    let videos = worker(&["video-1", "video-2", "video-3"])?;
    let (library, shared) = (library.clone(), Arc::clone(shared));
    crew.spawn("http", move |_| {
        while let Some(request) = library.next()? {
            let lane = match routes::lane(routes::route(routes::path(&request))) {
                Lane::Quick => {
                    routes::answer(&shared, request);
                    continue;
                }
                Lane::Talk => &talks,
                Lane::Video => &videos,
            };
            match lane.try_send(request) {
                Ok(()) => {}
                Err(TrySendError::Full(request) | TrySendError::Disconnected(request)) => {
                    routes::respond(&shared, request, routes::busy(1));
                }
            }
        }
        Ok(())
    })
}
