//! What can be asked for, and what comes back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Sender, TrySendError};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncBufRead, AsyncWrite, AsyncWriteExt},
    sync::{Semaphore, oneshot},
    time::timeout,
};

use super::{
    Ask, Decode, Front, Refusal, Told,
    http::{self, Head, Length, Reply},
    page,
    videos::Videos,
};
use crate::{
    config,
    metrics::{self, BadInput, Metrics, Route},
};

/// Bodies that are being received at a time; this bounds the memory, and no more can be answered.
const BODIES: usize = 4;
/// From the headers to the end of the body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Longest question in writing, in characters.
const TEXT_LIMIT: usize = 1_000;
const TYPES: &str = "application/json with {\"text\": …}, or audio/wav";

/// What all connections have in common.
pub(super) struct Shared {
    pub metrics: Arc<Metrics>,
    front: Arc<dyn Front>,
    videos: Arc<Videos>,
    bodies: Semaphore,
    body_limit: usize,
    jobs: Sender<Job>,
}

/// A turn to be made, and where its result goes.
pub(super) struct Job {
    question: Question,
    done: oneshot::Sender<Result<Told, Refusal>>,
}

enum Question {
    Text(String),
    Wav(Vec<u8>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBody {
    text: String,
}

impl Job {
    /// Makes the turn.
    pub(super) fn work(self, front: &dyn Front, decode: Decode) {
        let ask = match self.question {
            Question::Text(text) => Ok(Ask::Text(text)),
            Question::Wav(bytes) => decode(&bytes).map(Ask::Sound).map_err(Refusal::Bad),
        };
        // Whoever asked may have gone meanwhile.
        let _ = self.done.send(ask.and_then(|ask| front.talk(ask)));
    }
}

impl Shared {
    pub(super) fn new(
        config: &config::Admin,
        front: Arc<dyn Front>,
        metrics: Arc<Metrics>,
        jobs: Sender<Job>,
    ) -> Self {
        Self {
            metrics,
            front,
            videos: Arc::new(Videos::new(config)),
            bodies: Semaphore::new(BODIES),
            body_limit: config.body_limit_bytes,
            jobs,
        }
    }
}

/// What a path asks for.
pub(super) fn route(path: &str) -> Route {
    match path {
        "/" => Route::Page,
        "/metrics" => Route::Metrics,
        "/livez" => Route::Livez,
        "/readyz" => Route::Readyz,
        "/status" => Route::Status,
        "/talk" => Route::Talk,
        _ if path.starts_with("/video/") => Route::Video,
        _ => Route::Other,
    }
}

/// Answers; what is refused comes as an error, for the question mark's sake.
pub(super) async fn answer(
    shared: &Shared,
    route: Route,
    head: &Head,
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<Reply, Reply> {
    let methods: &[&str] = match route {
        Route::Talk => &["POST"],
        Route::Other => &[],
        _ => &["GET", "HEAD"],
    };
    if !methods.is_empty() && !methods.contains(&head.method.as_str()) {
        let (path, allow) = (&head.path, methods.join(", "));
        let error = format!("{path} does not take this method");
        return Err(Reply::error(405, error, format!("use {allow}")).with("Allow", allow));
    }
    Ok(match route {
        Route::Page => page::page(head.header("accept-language")),
        Route::Metrics => Reply::new(200, metrics::CONTENT_TYPE, shared.metrics.encode()),
        Route::Livez => livez(shared),
        Route::Readyz => readyz(shared)?,
        Route::Status => Reply::json(200, &shared.front.status()),
        Route::Talk => talk(shared, head, from, to).await?,
        Route::Video => video(shared, head)?,
        Route::Other => {
            let hint = "there are /, /metrics, /livez, /readyz, /status, /talk and /video/ID.mp4";
            return Err(Reply::error(404, "there is nothing at this path", hint));
        }
    })
}

fn livez(shared: &Shared) -> Reply {
    let stuck = shared.front.stuck();
    if stuck.is_empty() {
        return Reply::json(200, &json!({ "alive": true }));
    }
    let error = format!("{} worked on one thing for too long", stuck.join(", "));
    Reply::error(503, error, "restart the daemon")
}

fn readyz(shared: &Shared) -> Result<Reply, Reply> {
    let retry =
        |why: String| Reply::error(503, why, "wait, or see /status").with("Retry-After", "1");
    shared.front.ready().map_err(retry)?;
    Ok(Reply::json(200, &json!({ "ready": true })))
}

fn video(shared: &Shared, head: &Head) -> Result<Reply, Reply> {
    let id = head.path.strip_prefix("/video/").and_then(|name| name.strip_suffix(".mp4"));
    let whole = id.and_then(|id| shared.videos.get(id, Instant::now())).ok_or_else(|| {
        let hint = "videos are kept for a limited time; POST /talk again";
        Reply::error(404, "there is no such video any more", hint)
    })?;
    let length = whole.len();
    let asked = head.header("range");
    let Ok(part) = http::range(asked, length) else {
        return Err(Reply::error(416, format!("the video has {length} bytes"), "ask for less")
            .with("Content-Range", format!("bytes */{length}")));
    };
    let reply = match part {
        None => Reply::part(200, "video/mp4", whole, 0..length),
        Some(part) => {
            let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            Reply::part(206, "video/mp4", whole, part).with("Content-Range", range)
        }
    };
    Ok(reply.with("Accept-Ranges", "bytes"))
}

async fn talk(
    shared: &Shared,
    head: &Head,
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<Reply, Reply> {
    let kind = head.content_type();
    let is_json = kind == "application/json";
    let is_wav =
        ["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"].contains(&kind.as_str());
    if !is_json && !is_wav {
        let error = if kind.is_empty() {
            "the body has no type".into()
        } else {
            format!("{kind:?} is not understood")
        };
        return Err(Reply::error(415, error, format!("send {TYPES}")).bad(BadInput::Type));
    }
    let length = head.length()?;
    if matches!(length, Length::Exact(length) if length > shared.body_limit) {
        return Err(http::too_large(shared.body_limit));
    }
    let place = shared.bodies.try_acquire().map_err(|_| busy(1))?;
    if head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        let _ = to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    }
    let body = timeout(BODY_TIME, http::read_body(from, length, shared.body_limit)).await;
    let body = body.map_err(|_| http::slow(BODY_TIME))??;
    if body.is_empty() {
        let bad = if is_json { BadInput::Json } else { BadInput::Sound };
        return Err(Reply::error(400, "the request has no body", format!("send {TYPES}")).bad(bad));
    }
    let question = if is_json { Question::Text(text(&body)?) } else { Question::Wav(body) };

    let (done, result) = oneshot::channel();
    shared.jobs.try_send(Job { question, done }).map_err(|error| match error {
        TrySendError::Full(_) => busy(1),
        TrySendError::Disconnected(_) => stopping(),
    })?;
    drop(place);
    match result.await {
        Ok(Ok(told)) => Ok(told_reply(shared, told)),
        Ok(Err(Refusal::Busy { retry_after_s })) => Err(busy(retry_after_s)),
        Ok(Err(Refusal::Bad(why))) => {
            let reason = if is_json { BadInput::Text } else { BadInput::Sound };
            Err(Reply::error(400, why, format!("send {TYPES}")).bad(reason))
        }
        Ok(Err(Refusal::Failed(why))) => {
            Err(Reply::error(500, why, "try again; if it stays, see the log and /status"))
        }
        Ok(Err(Refusal::Stopping)) | Err(_) => Err(stopping()),
    }
}

fn busy(retry_after_s: u32) -> Reply {
    Reply::error(429, "somebody else is being answered", format!("ask again in {retry_after_s} s"))
        .with("Retry-After", retry_after_s.to_string())
}

fn stopping() -> Reply {
    Reply::error(503, "the daemon is about to end", "ask again when it is back")
        .with("Retry-After", "5")
}

fn text(body: &[u8]) -> Result<String, Reply> {
    let form = "send {\"text\": \"your question\"} in UTF-8";
    let bad = |error: String, reason| Reply::error(400, error, form).bad(reason);
    let body = std::str::from_utf8(body)
        .map_err(|_| bad("the body is not UTF-8".into(), BadInput::Json))?;
    let TextBody { text } = serde_json::from_str(body).map_err(|error| {
        bad(format!("the body is not the JSON that is expected: {error}"), BadInput::Json)
    })?;
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        return Err(bad("the text is empty".to_owned(), BadInput::Text));
    }
    if length > TEXT_LIMIT {
        let error =
            format!("the text has {length} characters; at most {TEXT_LIMIT} can be answered");
        return Err(Reply::error(413, error, "ask a shorter question").bad(BadInput::Text));
    }
    Ok(text.to_owned())
}

fn told_reply(shared: &Shared, told: Told) -> Reply {
    let id = shared.videos.put(told.video, Instant::now());
    if id.is_some() {
        let videos = Arc::clone(&shared.videos);
        tokio::spawn(async move {
            tokio::time::sleep(videos.keep).await;
            videos.expire(Instant::now());
        });
    }
    let round = |ms: f64| (ms * 10.0).round() / 10.0;
    let steps: std::collections::BTreeMap<_, _> =
        told.steps_ms.iter().map(|(step, ms)| (*step, round(*ms))).collect();
    Reply::json(
        200,
        &json!({
            "heard": told.heard,
            "answer": told.answer,
            "first_sound_ms": round(told.first_sound_ms),
            "steps": steps,
            "video_url": id.map(|id| format!("/video/{id}.mp4")),
        }),
    )
}
