//! As much of HTTP/1.1 as is needed: one request a connection, everything limited in size and time.
//!
//! Written here because a small blocking server cannot keep two promises: that a body which never
//! comes, or never ends, can be given up, and that a `Content-Length` is not believed before the
//! bytes are there.

use std::{io, ops::Range, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::metrics::BadInput;

const HEAD_LIMIT: u64 = 16 << 10;
const HEADERS_LIMIT: usize = 64;
/// The line before a chunk: its size in hexadecimal and perhaps an extension, which is ignored.
const CHUNK_LINE_LIMIT: u64 = 256;

/// The first lines of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub method: String,
    /// Without the query.
    pub path: String,
    headers: Vec<(String, String)>,
}

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Exact(usize),
    Chunked,
}

impl Head {
    /// The value of a header, of the first if it comes more than once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The part of `Content-Type` before any parameter, in lower case.
    pub(super) fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// How long the body is; without any sign of a body it is empty.
    pub(super) fn length(&self) -> Result<Length, Reply> {
        let every = |name: &str| {
            let named = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
            self.headers.iter().filter(named).map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        let lengths = every("content-length");
        match (every("transfer-encoding").as_slice(), lengths.as_slice()) {
            ([], []) => Ok(Length::Exact(0)),
            // More than one, or both kinds, is how requests are smuggled past a proxy.
            ([], [length]) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                // A number that does not fit is larger than any limit.
                Ok(Length::Exact(length.parse().unwrap_or(usize::MAX)))
            }
            ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
            _ => Err(malformed("the length of the body is not clear")),
        }
    }
}

/// What goes back.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
    /// What was wrong with what came, for the counter.
    pub bad: Option<BadInput>,
}

#[derive(Debug)]
enum Body {
    Bytes(Vec<u8>),
    Part(Arc<[u8]>, Range<usize>),
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

    /// Writes all of it, or only what stands before the body.
    pub(super) async fn write(
        &self,
        to: &mut (impl AsyncWrite + Unpin),
        with_body: bool,
    ) -> io::Result<()> {
        let body = match &self.body {
            Body::Bytes(bytes) => bytes,
            Body::Part(whole, part) => &whole[part.clone()],
        };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        head += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n";
        to.write_all(head.as_bytes()).await?;
        if with_body {
            to.write_all(body).await?;
        }
        to.flush().await
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        206 => "Partial Content",
        400 => "Bad Request",
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

fn malformed(what: &str) -> Reply {
    Reply::error(
        400,
        format!("this is not a request that can be understood: {what}"),
        "send HTTP/1.1",
    )
    .bad(BadInput::Request)
}

/// What to say to a client that has not sent everything in time.
pub(super) fn slow(limit: Duration) -> Reply {
    let error = format!("the request was not complete after {} s", limit.as_secs());
    Reply::error(408, error, "send it in one go").bad(BadInput::Slow)
}

/// What to say about a body that is larger than `limit` bytes.
pub(super) fn too_large(limit: usize) -> Reply {
    let error = format!("the body is larger than {limit} bytes");
    Reply::error(413, error, "send a shorter recording, or raise admin.body_limit_bytes")
        .bad(BadInput::Size)
}

/// Reads the first lines of a request; `None` if nobody is there to answer to.
pub(super) async fn read_head(
    from: &mut (impl AsyncBufRead + Unpin),
) -> Option<Result<Head, Reply>> {
    let mut from = from.take(HEAD_LIMIT);
    let mut text = Vec::new();
    loop {
        let begin = text.len();
        // A connection that fails is one that nobody reads from.
        from.read_until(b'\n', &mut text).await.ok()?;
        match &text[begin..] {
            b"\r\n" | b"\n" if begin == 0 => text.clear(),
            b"\r\n" | b"\n" => return Some(parse_head(&text)),
            // At once, and not when the time is up: whatever this is, no more of it will help.
            line if begin == 0 && line.ends_with(b"\n") && !is_request_line(line) => {
                return Some(Err(malformed("the first line is not METHOD PATH HTTP/1.1")));
            }
            line if line.ends_with(b"\n") => {}
            _ if from.limit() == 0 => {
                let error = format!("the request's headers are larger than {HEAD_LIMIT} bytes");
                return Some(Err(Reply::error(431, error, "send fewer").bad(BadInput::Request)));
            }
            _ if text.is_empty() => return None,
            _ => return Some(Err(malformed("it ends before its headers do"))),
        }
    }
}

fn is_request_line(line: &[u8]) -> bool {
    line.windows(6).any(|part| part == b" HTTP/")
}

fn parse_head(text: &[u8]) -> Result<Head, Reply> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("its headers are not text"))?;
    let mut lines = text.lines();
    let first: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = first.as_slice() else {
        return Err(malformed("the first line is not METHOD PATH HTTP/1.1"));
    };
    let is_token = |word: &str| !word.is_empty() && word.bytes().all(is_token_byte);
    if !is_token(method) {
        return Err(malformed("the method is not a word"));
    }
    match version.strip_prefix("HTTP/") {
        Some("1.1" | "1.0") => {}
        Some(_) => {
            return Err(
                Reply::error(505, "only HTTP/1.1 is spoken here", "").bad(BadInput::Request)
            );
        }
        None => return Err(malformed("the first line must end with the version")),
    }
    let mut headers = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        match line.split_once(':') {
            Some((name, value)) if is_token(name) && headers.len() < HEADERS_LIMIT => {
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
            Some((name, _)) if is_token(name) => {
                return Err(malformed("there are too many headers"));
            }
            _ => return Err(malformed("a header is not of the form name: value")),
        }
    }
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Ok(Head { method: (*method).to_owned(), path, headers })
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads a body of at most `limit` bytes. Memory grows with what came, not with what was promised.
pub(super) async fn read_body(
    from: &mut (impl AsyncBufRead + Unpin),
    length: Length,
    limit: usize,
) -> Result<Vec<u8>, Reply> {
    let mut body = Vec::new();
    match length {
        Length::Exact(length) if length > limit => return Err(too_large(limit)),
        Length::Exact(length) => append(from, length, &mut body).await?,
        Length::Chunked => loop {
            let line = read_line(from).await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !digits {
                return Err(malformed("a chunk does not begin with its size"));
            }
            let size = usize::from_str_radix(size, 16).unwrap_or(usize::MAX);
            if size > limit - body.len() {
                return Err(too_large(limit));
            }
            if size == 0 {
                for _ in 0..HEADERS_LIMIT {
                    if read_line(from).await?.is_empty() {
                        return Ok(body);
                    }
                }
                return Err(malformed("there are too many trailers"));
            }
            append(from, size, &mut body).await?;
            if !read_line(from).await?.is_empty() {
                return Err(malformed("a chunk is longer than its size"));
            }
        },
    }
    Ok(body)
}

async fn append(
    from: &mut (impl AsyncBufRead + Unpin),
    length: usize,
    to: &mut Vec<u8>,
) -> Result<(), Reply> {
    let came = from.take(length as u64).read_to_end(to).await.unwrap_or(0);
    if came == length { Ok(()) } else { Err(malformed("the body ends before its length")) }
}

async fn read_line(from: &mut (impl AsyncBufRead + Unpin)) -> Result<String, Reply> {
    let mut line = Vec::new();
    let _ = from.take(CHUNK_LINE_LIMIT).read_until(b'\n', &mut line).await;
    let text = String::from_utf8(line).ok();
    let text = text.as_deref().and_then(|line| line.strip_suffix('\n'));
    let text = text.ok_or_else(|| malformed("the body's chunks cannot be understood"))?;
    Ok(text.trim_end_matches('\r').to_owned())
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

    fn run<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(task)
    }

    fn head(text: &str) -> Option<Result<Head, u16>> {
        let mut bytes = text.as_bytes();
        run(read_head(&mut bytes)).map(|head| head.map_err(|reply| reply.status))
    }

    fn body(text: &str, length: Length, limit: usize) -> Result<String, u16> {
        let mut bytes = text.as_bytes();
        let body = run(read_body(&mut bytes, length, limit));
        body.map(|body| String::from_utf8(body).unwrap()).map_err(|reply| reply.status)
    }

    #[test]
    fn heads_are_read_or_refused() {
        let read = head("\r\nGET /a?b=c HTTP/1.1\r\nHost: x\r\nRange:  bytes=0- \r\n\r\nrest")
            .unwrap()
            .unwrap();
        assert_eq!((read.method.as_str(), read.path.as_str()), ("GET", "/a"));
        assert_eq!((read.header("range"), read.header("none")), (Some("bytes=0-"), None));
        assert_eq!(head("GET / HTTP/1.0\n\n").unwrap().unwrap().path, "/");
        assert!(head("").is_none());
        let long = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(20_000));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(65));
        for (text, status) in [
            ("GET / HTTP/1.1\r\nHost: x", 400),
            ("GET /\r\n\r\n", 400),
            ("G(T / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 505),
            ("GET / SPDY/1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
            (&long, 431),
            (&many, 400),
        ] {
            assert_eq!(head(text), Some(Err(status)), "{text:.60}");
        }
    }

    #[test]
    fn lengths_are_clear_or_refused() {
        let length = |headers: &str| {
            let head = head(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).unwrap().unwrap();
            head.length().map_err(|reply| reply.status)
        };
        assert_eq!(length(""), Ok(Length::Exact(0)));
        assert_eq!(length("Content-Length: 7\r\n"), Ok(Length::Exact(7)));
        assert_eq!(
            length("Content-Length: 99999999999999999999999\r\n"),
            Ok(Length::Exact(usize::MAX))
        );
        assert_eq!(length("Transfer-Encoding: Chunked\r\n"), Ok(Length::Chunked));
        for headers in [
            "Content-Length: -1\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\n",
        ] {
            assert_eq!(length(headers), Err(400), "{headers}");
        }
    }

    #[test]
    fn bodies_are_read_within_their_limit() {
        assert_eq!(body("hello, more", Length::Exact(5), 5), Ok("hello".into()));
        assert_eq!(body("hell", Length::Exact(5), 5), Err(400));
        assert_eq!(body("", Length::Exact(usize::MAX), 5), Err(413));
        let chunks = "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: z\r\n\r\n";
        assert_eq!(body(chunks, Length::Chunked, 5), Ok("abcde".into()));
        assert_eq!(body(chunks, Length::Chunked, 4), Err(413));
        for broken in ["", "x\r\n", "3\r\nabcd\r\n", "3\r\nab", "-1\r\n", "0\r\n"] {
            assert_eq!(body(broken, Length::Chunked, 9), Err(400), "{broken:?}");
        }
        assert_eq!(body("ffffffffffffffffff\r\n", Length::Chunked, 9), Err(413));
    }

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
