//! The first lines of a request, which are believed only after they were checked.

use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::{admin::http::Reply, metrics::BadInput};

/// Largest first lines, in bytes; browsers send less than 2 KiB.
const HEAD_LIMIT: u64 = 16 << 10;
/// Most headers of a request.
pub(super) const HEADERS_LIMIT: usize = 64;

/// The first lines of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::admin) struct Head {
    pub method: String,
    /// With the query.
    pub target: String,
    /// HTTP/1.1, and not 1.0.
    pub modern: bool,
    headers: Vec<(String, String)>,
}

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Length {
    Exact(usize),
    Chunked,
}

impl Head {
    /// Without the query.
    pub(in crate::admin) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a header, of the first if it comes more than once.
    pub(in crate::admin) fn header(&self, name: &str) -> Option<&str> {
        self.every(name).next()
    }

    fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// The part of `Content-Type` before any parameter, in lower case.
    pub(in crate::admin) fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the client wants to hear before it sends a body.
    pub(super) fn expects_continue(&self) -> bool {
        self.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// Whether the client wants to ask more on this connection.
    pub(super) fn keeps_alive(&self) -> bool {
        let said = |word: &str| {
            let mut words = self.every("connection").flat_map(|value| value.split(','));
            words.any(|other| other.trim().eq_ignore_ascii_case(word))
        };
        !said("close") && (self.modern || said("keep-alive"))
    }

    /// How long the body is; without any sign of a body it is empty.
    ///
    /// # Errors
    /// More than one length, or both kinds: that is how requests are smuggled past a proxy.
    pub(in crate::admin) fn length(&self) -> Result<Length, Reply> {
        let lengths: Vec<_> = self.every("content-length").collect();
        let codings: Vec<_> = self.every("transfer-encoding").collect();
        match (codings.as_slice(), lengths.as_slice()) {
            ([], []) => Ok(Length::Exact(0)),
            ([], [length]) if is_number(length) => {
                // A number that does not fit is larger than any limit.
                Ok(Length::Exact(length.parse().unwrap_or(usize::MAX)))
            }
            ([coding], []) if self.modern && coding.eq_ignore_ascii_case("chunked") => {
                Ok(Length::Chunked)
            }
            _ => Err(malformed("the length of the body is not clear")),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What to say to somebody who does not speak HTTP.
pub(super) fn malformed(what: &str) -> Reply {
    let error = format!("this is not a request that can be understood: {what}");
    Reply::error(400, error, "send HTTP/1.1").bad(BadInput::Request)
}

/// What to say to a client that has not sent everything in time.
pub(super) fn slow(limit: Duration) -> Reply {
    let error = format!("the request was not complete after {} s", limit.as_secs());
    Reply::error(408, error, "send it in one go").bad(BadInput::Slow)
}

/// Reads the first lines of a request; `None` if nobody is there to answer to.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Option<Result<Head, Reply>> {
    let mut from = from.take(HEAD_LIMIT);
    let mut text = Vec::new();
    loop {
        let begin = text.len();
        // A connection that fails is one that nobody reads from.
        from.read_until(b'\n', &mut text).await.ok()?;
        match &text[begin..] {
            b"\r\n" | b"\n" if begin == 0 => text.clear(),
            b"\r\n" | b"\n" => return Some(parse(&text)),
            // At once, and not when the time is up: whatever this is, no more of it will help.
            line if begin == 0 && line.ends_with(b"\n") => {
                if let Err(error) = httparse::Request::new(&mut []).parse(line)
                    && error != httparse::Error::TooManyHeaders
                {
                    return Some(Err(unlike(line, error)));
                }
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

/// Which of the rules was broken.
fn unlike(text: &[u8], error: httparse::Error) -> Reply {
    use httparse::Error::{HeaderName, HeaderValue, TooManyHeaders, Version};
    match error {
        Version if text.windows(6).any(|part| part == b" HTTP/") => {
            Reply::error(505, "only HTTP/1.1 is spoken here", "").bad(BadInput::Request)
        }
        TooManyHeaders => malformed("there are too many headers"),
        HeaderName | HeaderValue => malformed("a header is not of the form name: value"),
        _ => malformed("the first line is not METHOD PATH HTTP/1.1"),
    }
}

fn parse(text: &[u8]) -> Result<Head, Reply> {
    let mut room = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut request = httparse::Request::new(&mut room);
    let complete = request.parse(text).map_err(|error| unlike(text, error))?.is_complete();
    let (true, Some(method), Some(target), Some(version)) =
        (complete, request.method, request.path, request.version)
    else {
        return Err(malformed("it ends before its headers do"));
    };
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed("the path has letters that must be percent-encoded"));
    }
    let mut head = Head {
        method: method.to_owned(),
        target: target.to_owned(),
        modern: version == 1,
        headers: Vec::with_capacity(request.headers.len()),
    };
    for header in request.headers.iter() {
        let value = std::str::from_utf8(header.value)
            .map_err(|_| malformed("its headers are not text"))?
            .trim();
        head.headers.push((header.name.to_owned(), value.to_owned()));
    }
    if head.every("host").nth(1).is_some() {
        return Err(malformed("there is more than one Host"));
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(task)
    }

    fn head(text: impl AsRef<[u8]>) -> Option<Result<Head, u16>> {
        let mut bytes = text.as_ref();
        run(read(&mut bytes)).map(|head| head.map_err(|reply| reply.status))
    }

    #[test]
    fn heads_are_read_or_refused() {
        let read = head("\r\nGET /a?b=c HTTP/1.1\r\nHost: x\r\nRange:  bytes=0- \r\n\r\nrest")
            .unwrap()
            .unwrap();
        assert_eq!((read.method.as_str(), read.path()), ("GET", "/a"));
        assert_eq!((read.header("range"), read.header("none")), (Some("bytes=0-"), None));
        assert_eq!(head("GET / HTTP/1.0\n\n").unwrap().unwrap().path(), "/");
        assert!(head("").is_none());
        let long = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(20_000));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(65));
        for (text, status) in [
            ("GET / HTTP/1.1\r\nHost: x", 400),
            ("GET /\r\n\r\n", 400),
            ("G(T / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 505),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("GET / SPDY/1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", 400),
            ("GET /é HTTP/1.1\r\n\r\n", 400),
            (&long, 431),
            (&many, 400),
        ] {
            assert_eq!(head(text), Some(Err(status)), "{text:.60}");
        }
    }

    #[test]
    fn lengths_are_clear_or_refused() {
        let length = |headers: &str, version: &str| {
            let head = head(format!("POST / {version}\r\n{headers}\r\n")).unwrap().unwrap();
            head.length().map_err(|reply| reply.status)
        };
        let modern = |headers| length(headers, "HTTP/1.1");
        assert_eq!(modern(""), Ok(Length::Exact(0)));
        assert_eq!(modern("Content-Length: 7\r\n"), Ok(Length::Exact(7)));
        assert_eq!(
            modern("Content-Length: 99999999999999999999999\r\n"),
            Ok(Length::Exact(usize::MAX))
        );
        assert_eq!(modern("Transfer-Encoding: Chunked\r\n"), Ok(Length::Chunked));
        assert_eq!(length("Transfer-Encoding: chunked\r\n", "HTTP/1.0"), Err(400));
        for headers in [
            "Content-Length: -1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 0x1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: \r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: \x0bchunked\r\n",
        ] {
            if let Some(Ok(_)) = head(format!("POST / HTTP/1.1\r\n{headers}\r\n")) {
                assert_eq!(modern(headers), Err(400), "{headers}");
            }
        }
    }

    #[test]
    fn a_connection_is_kept_if_both_sides_want_it() {
        for (version, headers, kept) in [
            ("HTTP/1.1", "", true),
            ("HTTP/1.1", "Connection: close\r\n", false),
            ("HTTP/1.1", "Connection: TE, Close\r\n", false),
            ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ] {
            let head = head(format!("GET / {version}\r\n{headers}\r\n")).unwrap().unwrap();
            assert_eq!(head.keeps_alive(), kept, "{version} {headers}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            if let Some(Ok(head)) = head(&bytes) {
                let _ = (head.length().is_ok(), head.keeps_alive(), head.content_type());
            }
        }

        #[test]
        fn almost_requests_are_read_or_refused(
            method in "(GET|POST|P?OST|[A-Z]{0,9})",
            gap in "[ \t]{0,2}",
            target in "(/[a-z?=%]{0,20}|\\*|\\PC{0,9})",
            version in "HTTP/[0-9]\\.[0-9]",
            lines in prop::collection::vec(("[A-Za-z -]{0,12}", "[:= ]{0,2}", "\\PC{0,20}"), 0..9),
            ends in prop::collection::vec("(\r\n|\n|\r)", 12),
        ) {
            let mut text = format!("{method}{gap}{target} {version}{}", ends[0]);
            for ((name, colon, value), end) in lines.iter().zip(&ends[1..]) {
                text += &format!("{name}{colon}{value}{end}");
            }
            text += &ends[11];
            if let Some(Ok(head)) = head(&text) {
                prop_assert!(head.target.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!head.method.is_empty());
                let _ = head.length().is_ok();
            }
        }
    }
}
