//! What the daemon shows and takes over HTTP, and the signals that ask it to stop.
//!
//! One asynchronous runtime on one thread serves all connections, so that slow clients cost
//! nothing; a turn is made on a thread of its own. This is the only asynchronous code.

mod http;
mod page;
mod routes;
mod videos;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, bounded};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

use self::routes::{Job, Shared};
use crate::{config, flow::Crew, metrics::Metrics, metrics::Route};

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 128;
/// From the connection to the end of the headers.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// To take the whole reply; a video over a slow line is the longest.
const WRITE_TIME: Duration = Duration::from_mins(1);
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

/// The running server.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    stop_asked: Receiver<()>,
    crew: Crew,
}

impl Admin {
    /// Begins to listen, and to wait for SIGTERM and SIGINT.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn start(
        config: &config::Admin,
        front: Arc<dyn Front>,
        metrics: Arc<Metrics>,
        decode: Decode,
    ) -> Result<Self> {
        let listener = listen(config.address)?;
        let address = listener.local_addr().context("failed to read the address")?;
        // Here and not on the thread, so that no signal is lost once this has returned.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime of the admin")?;
        let (asking, stop_asked) = bounded(0);
        let (mut terminate, mut interrupt, listener) = {
            let _inside = runtime.enter();
            let terminate = signal(SignalKind::terminate()).context("failed to await SIGTERM")?;
            let interrupt = signal(SignalKind::interrupt()).context("failed to await SIGINT")?;
            let listener = tokio::net::TcpListener::from_std(listener)
                .context("failed to listen asynchronously")?;
            (terminate, interrupt, listener)
        };

        let mut crew = Crew::default();
        let (jobs_out, jobs) = bounded::<Job>(1);
        // Two, so that the second is refused by the kiosk itself, which knows for how long.
        for name in ["talk-1", "talk-2"] {
            let (front, jobs) = (Arc::clone(&front), jobs.clone());
            crew.spawn(name, move |_| {
                jobs.iter().for_each(|job: Job| job.work(&*front, decode));
                Ok(())
            })?;
        }
        let (stop, stopping) = oneshot::channel();
        let shared = Arc::new(Shared::new(config, front, metrics, jobs_out));
        crew.spawn("admin", move |_| {
            runtime.block_on(async move {
                // Dropping `asking` is the message: it reaches whoever asks, however late.
                let signals = async move {
                    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                    tracing::info!("asked to stop by a signal");
                    drop(asking);
                    std::future::pending::<()>().await;
                };
                let mut connections = JoinSet::new();
                tokio::select! {
                    () = signals => {}
                    _ = stopping => {}
                    () = accept(&listener, &shared, &mut connections) => {}
                }
                drop(listener);
                let last = async { while connections.join_next().await.is_some() {} };
                let _ = timeout(LAST_REPLIES, last).await;
            });
            Ok(())
        })?;
        tracing::info!(%address, "the admin listens");
        Ok(Self { address, stop, stop_asked, crew })
    }

    /// Where it listens; of interest if the configured port was 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A channel that closes when the daemon is asked to stop.
    pub fn stop_asked(&self) -> Receiver<()> {
        self.stop_asked.clone()
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

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "failed to listen on {address}: another program (perhaps another linly-edge) has \
             that port; stop it, or set admin.address to another port"
        ),
        std::io::ErrorKind::PermissionDenied => anyhow!(
            "failed to listen on {address}: not allowed; set admin.address to a port above 1023"
        ),
        std::io::ErrorKind::AddrNotAvailable => anyhow!(
            "failed to listen on {address}: this machine does not have that address; set \
             admin.address to one of its own, or to 127.0.0.1"
        ),
        _ => anyhow!("failed to listen on {address}: {error}; check admin.address"),
    })?;
    listener.set_nonblocking(true).context("failed to listen without waiting")?;
    Ok(listener)
}

async fn accept(
    listener: &tokio::net::TcpListener,
    shared: &Arc<Shared>,
    connections: &mut JoinSet<()>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(shared);
                connections.spawn(async move {
                    serve(stream, &shared).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: some come back when a connection ends.
                tracing::warn!(%error, "a connection was not accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// One request and its reply.
async fn serve(mut stream: TcpStream, shared: &Shared) {
    let (from, mut to) = stream.split();
    let mut from = BufReader::new(from);
    let (route, reply, with_body) = match timeout(HEAD_TIME, http::read_head(&mut from)).await {
        Ok(Some(Ok(head))) => {
            let route = routes::route(&head.path);
            let reply = routes::answer(shared, route, &head, &mut from, &mut to).await;
            (route, reply.unwrap_or_else(|refused| refused), head.method != "HEAD")
        }
        Ok(Some(Err(refused))) => (Route::Other, refused, true),
        Ok(None) => return,
        Err(_) => (Route::Other, http::slow(HEAD_TIME), true),
    };
    shared.metrics.http_request(route, reply.status);
    if let Some(reason) = reply.bad {
        shared.metrics.bad_input.of(reason).inc();
    }
    let written = timeout(WRITE_TIME, reply.write(&mut to, with_body)).await;
    if matches!(written, Ok(Ok(()))) && to.shutdown().await.is_ok() {
        // Closing with unread bytes would reset the connection and take the reply with it.
        let rest = async { while matches!(from.read(&mut [0; 4096]).await, Ok(1..)) {} };
        let _ = timeout(Duration::from_secs(1), rest).await;
    }
}
