//! What can be asked for, and what comes back: plain functions on the threads behind the gate.

use std::{io::Read, sync::Arc, time::Instant};

use serde::Deserialize;
use serde_json::json;
use tiny_http::Request;
use tokio::runtime::Handle;

use super::{
    Ask, Decode, Front, Refusal, Told,
    gate::{Head, Lane, too_large},
    http::{self, Reply},
    page,
    videos::Videos,
};
use crate::{
    config,
    media::Press,
    metrics::{BadInput, Exposed, Metrics, Route},
};

/// Longest question in writing, in characters.
const TEXT_LIMIT: usize = 1_000;
const TYPES: &str = "application/json with {\"text\": …}, or audio/wav";

/// What all requests have in common.
pub(super) struct Shared {
    pub metrics: Arc<Metrics>,
    front: Arc<dyn Front>,
    decode: Decode,
    videos: Arc<Videos>,
    body_limit: usize,
    /// Where time passes, for the videos.
    runtime: Handle,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBody {
    text: String,
}

impl Shared {
    pub(super) fn new(
        config: &config::Admin,
        front: Arc<dyn Front>,
        metrics: Arc<Metrics>,
        decode: Decode,
        runtime: Handle,
    ) -> Self {
        let videos = Arc::new(Videos::new(config));
        Self { metrics, front, decode, videos, body_limit: config.body_limit_bytes, runtime }
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
        _ if path.starts_with("/press/") => Route::Press,
        _ if path.starts_with("/video/") => Route::Video,
        _ => Route::Other,
    }
}

/// Which threads answer.
pub(super) fn lane(route: Route) -> Lane {
    match route {
        Route::Talk => Lane::Talk,
        Route::Video => Lane::Video,
        _ => Lane::Quick,
    }
}

/// Refuses what cannot be answered, before anybody waits for a body.
///
/// # Errors
/// Why not.
pub(super) fn admit(route: Route, head: &Head) -> Result<Lane, Reply> {
    let methods: &[&str] = match route {
        Route::Talk | Route::Press => &["POST"],
        Route::Other => {
            let hint = "there are /, /metrics, /livez, /readyz, /status, /talk, \
                        /press/KEY and /video/ID.mp4";
            return Err(Reply::error(404, "there is nothing at this path", hint));
        }
        _ => &["GET", "HEAD"],
    };
    if !methods.contains(&head.method.as_str()) {
        let (path, allow) = (head.path(), methods.join(", "));
        let error = format!("{path} does not take this method");
        return Err(Reply::error(405, error, format!("use {allow}")).with("Allow", allow));
    }
    // A page of somebody else's must not press keys through the browser of whoever looks at it.
    if let (Route::Press, Some(origin)) = (route, head.header("origin"))
        && origin.split_once("://").map(|(_, host)| host) != head.header("host")
    {
        let error = "the request comes from another site's page";
        return Err(Reply::error(403, error, "press it on the kiosk's own page"));
    }
    if route == Route::Talk && kind(&head.content_type()).is_none() {
        let kind = head.content_type();
        let error = if kind.is_empty() {
            "the body has no type".into()
        } else {
            format!("{kind:?} is not understood")
        };
        return Err(Reply::error(415, error, format!("send {TYPES}")).bad(BadInput::Type));
    }
    Ok(lane(route))
}

/// How a question comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Wav,
}

fn kind(content_type: &str) -> Option<Kind> {
    match content_type {
        "application/json" => Some(Kind::Json),
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some(Kind::Wav),
        _ => None,
    }
}

/// What the request asks for; the query does not matter.
pub(super) fn path(request: &Request) -> &str {
    request.url().split('?').next().unwrap_or_default()
}

fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    let named = |header: &&tiny_http::Header| header.field.equiv(name);
    request.headers().iter().find(named).map(|header| header.value.as_str())
}

/// Answers a request that the gate has let in.
pub(super) fn answer(shared: &Shared, mut request: Request) {
    let reply = reply(shared, &mut request).unwrap_or_else(|refused| refused);
    respond(shared, request, reply);
}

/// Sends a reply back to the gate.
pub(super) fn respond(shared: &Shared, request: Request, reply: Reply) {
    if let Some(reason) = reply.bad {
        shared.metrics.bad_input.of(reason).inc();
    }
    if let Err(error) = request.respond(reply.into_response()) {
        tracing::warn!(%error, "a reply was not taken");
    }
}

/// What is refused comes as an error, for the question mark's sake.
fn reply(shared: &Shared, request: &mut Request) -> Result<Reply, Reply> {
    Ok(match route(path(request)) {
        Route::Page => page::page(header(request, "Accept-Language")),
        Route::Metrics => scrape(shared, request),
        Route::Livez => livez(shared),
        Route::Readyz => readyz(shared)?,
        Route::Status => Reply::json(200, &shared.front.status()),
        Route::Talk => talk(shared, request)?,
        Route::Press => press(shared, request)?,
        Route::Video => video(shared, request)?,
        Route::Other => return Err(Reply::error(404, "there is nothing at this path", "")),
    })
}

fn scrape(shared: &Shared, request: &Request) -> Reply {
    let (accept, encoding) = (header(request, "Accept"), header(request, "Accept-Encoding"));
    let Exposed { content_type, content_encoding, body } = shared.metrics.expose(accept, encoding);
    let reply = Reply::new(200, content_type, body).with("Vary", Exposed::VARY);
    match content_encoding {
        Some(encoding) => reply.with("Content-Encoding", encoding),
        None => reply,
    }
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

/// The keys that can be pressed from afar.
const KEYS: [(&str, Press); 5] = [
    ("stop", Press::Stop),
    ("repeat", Press::Repeat),
    ("language", Press::Language),
    ("mute", Press::SetMute(true)),
    ("unmute", Press::SetMute(false)),
];

fn press(shared: &Shared, request: &Request) -> Result<Reply, Reply> {
    let name = path(request).strip_prefix("/press/").unwrap_or_default();
    let key = KEYS.iter().find(|(key, _)| *key == name);
    let Some((_, press)) = key else {
        let keys = KEYS.map(|(key, _)| key).join(", ");
        return Err(Reply::error(404, "there is no such key", format!("there are {keys}")));
    };
    if !shared.front.press(*press) {
        return Err(stopping());
    }
    Ok(Reply::json(200, &json!({ "pressed": name })))
}

fn video(shared: &Shared, request: &Request) -> Result<Reply, Reply> {
    let id = path(request).strip_prefix("/video/").and_then(|name| name.strip_suffix(".mp4"));
    let whole = id.and_then(|id| shared.videos.get(id, Instant::now())).ok_or_else(|| {
        let hint = "videos are kept for a limited time; POST /talk again";
        Reply::error(404, "there is no such video any more", hint)
    })?;
    let length = whole.len();
    let asked = header(request, "Range");
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

fn talk(shared: &Shared, request: &mut Request) -> Result<Reply, Reply> {
    let content_type = header(request, "Content-Type").unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    let is_json = kind(&content_type.to_ascii_lowercase()) == Some(Kind::Json);
    let mut body = Vec::new();
    // The gate has taken the body already, within the same limit.
    let came = request.as_reader().take(shared.body_limit as u64 + 1).read_to_end(&mut body);
    came.map_err(|error| Reply::error(500, format!("the body was lost: {error}"), "try again"))?;
    if body.len() > shared.body_limit {
        return Err(too_large(shared.body_limit));
    }
    if body.is_empty() {
        let bad = if is_json { BadInput::Json } else { BadInput::Sound };
        return Err(Reply::error(400, "the request has no body", format!("send {TYPES}")).bad(bad));
    }
    let ask = if is_json {
        Ok(Ask::Text(text(&body)?))
    } else {
        (shared.decode)(&body).map(Ask::Sound).map_err(Refusal::Bad)
    };
    drop(body);
    match ask.and_then(|ask| shared.front.talk(ask)) {
        Ok(told) => Ok(told_reply(shared, told)),
        Err(Refusal::Busy { retry_after_s }) => Err(busy(retry_after_s)),
        Err(Refusal::Bad(why)) => {
            let reason = if is_json { BadInput::Text } else { BadInput::Sound };
            Err(Reply::error(400, why, format!("send {TYPES}")).bad(reason))
        }
        Err(Refusal::Failed(why)) => {
            Err(Reply::error(500, why, "try again; if it stays, see the log and /status"))
        }
        Err(Refusal::Stopping) => Err(stopping()),
    }
}

/// What to say while another one is being answered.
pub(super) fn busy(retry_after_s: u32) -> Reply {
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
        shared.runtime.spawn(async move {
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
