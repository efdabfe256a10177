//! What goes back: replies with a status, a few headers and a body in memory.

use std::{io::Cursor, ops::Range, sync::Arc};

use serde::Serialize;
use serde_json::json;
use tiny_http::{Header, Response, StatusCode};

use crate::metrics::BadInput;

/// What goes back.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    body: Body,
    /// What was wrong with what came, for the counter.
    pub bad: Option<BadInput>,
}

#[derive(Debug)]
enum Body {
    Bytes(Vec<u8>),
    Part(Arc<[u8]>, Range<usize>),
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Part(whole, part) => &whole[part.clone()],
        }
    }
}

impl Reply {
    /// A reply of the given type.
    pub(super) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status, headers, body: Body::Bytes(body), bad: None }
    }

    /// A reply in JSON.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        let mut text = serde_json::to_vec(body).expect("our own types have string keys");
        text.push(b'\n');
        Self::new(status, "application/json", text)
    }

    /// Why not, and what to do.
    pub(super) fn error(status: u16, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::json(status, &json!({ "error": error.into(), "hint": hint.into() }))
    }

    /// A part of something large.
    pub(super) fn part(
        status: u16,
        content_type: &'static str,
        whole: Arc<[u8]>,
        part: Range<usize>,
    ) -> Self {
        Self { body: Body::Part(whole, part), ..Self::new(status, content_type, Vec::new()) }
    }

    /// The same with another header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, counted as bad input.
    pub(super) fn bad(mut self, reason: BadInput) -> Self {
        self.bad = Some(reason);
        self
    }

    /// What follows the headers.
    pub(super) fn body(&self) -> &[u8] {
        self.body.as_ref()
    }

    /// The same for the HTTP library.
    pub(super) fn into_response(self) -> Response<impl std::io::Read> {
        let length = self.body().len();
        let header = |(name, value): (&str, String)| Header::from_bytes(name, value).ok();
        let headers = self.headers.into_iter().filter_map(header).collect();
        Response::new(StatusCode(self.status), headers, Cursor::new(self.body), Some(length), None)
            // A length is known, so that it is told: a browser needs it to seek in a video.
            .with_chunked_threshold(usize::MAX)
    }
}

/// The words beside a status.
pub(super) fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        206 => "Partial Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}

/// The part of `length` bytes that a `Range` header asks for: `Ok(None)` is all of it.
///
/// # Errors
/// Nothing lies in that range.
pub(super) fn range(header: Option<&str>, length: usize) -> Result<Option<Range<usize>>, ()> {
    // More than one range, and what cannot be read, may be answered with everything.
    let Some((from, to)) = header
        .and_then(|value| value.trim().strip_prefix("bytes="))
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let part = match (from.parse::<usize>().ok(), to.parse::<usize>().ok()) {
        (Some(from), None) if to.is_empty() => from..length,
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(length),
        (None, Some(last)) if from.is_empty() => length.saturating_sub(last)..length,
        _ => return Ok(None),
    };
    if part.start < part.end { Ok(Some(part)) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_browsers() {
        for (header, part) in [
            (None, Ok(None)),
            (Some("bytes=0-"), Ok(Some(0..10))),
            (Some("bytes=2-4"), Ok(Some(2..5))),
            (Some("bytes=2-99"), Ok(Some(2..10))),
            (Some("bytes=-3"), Ok(Some(7..10))),
            (Some("bytes=-30"), Ok(Some(0..10))),
            (Some("bytes=10-"), Err(())),
            (Some("bytes=-0"), Err(())),
            (Some("bytes=4-2"), Ok(None)),
            (Some("bytes=0-1,3-4"), Ok(None)),
            (Some("lines=1-2"), Ok(None)),
            (Some("bytes=0-18446744073709551615"), Ok(Some(0..10))),
        ] {
            assert_eq!(range(header, 10), part, "{header:?}");
        }
    }
}
