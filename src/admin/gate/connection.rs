//! One connection: its requests one after the other, each within its limits of size and time.

use std::{
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Gate, body,
    head::{self, Head, Length},
    passwords::Verdict,
    places::Place,
    tls::{self, Tls},
    web_config::Rules,
    wires::{Answer, AnswerBody, Asked, Failure, Lane},
};
use crate::{
    admin::{
        http::{self, Reply},
        routes,
    },
    metrics::{Label, Refused, Route, TlsFailure},
};

/// From the connection, or the first byte of a later request, to the end of the headers.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// From the headers to the end of the body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// To take the whole reply; a video over a slow line is the longest.
const WRITE_TIME: Duration = Duration::from_mins(1);
/// Between two requests; longer than the usual scrape interval, because handshakes cost.
const IDLE_TIME: Duration = Duration::from_secs(90);
/// How long a connection that was ended is read from, so that the client gets its last reply.
const LAST_TIME: Duration = Duration::from_secs(1);

/// The type of the record that a TLS client begins with (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What goes to the client.
enum Out {
    /// Of the gate itself.
    Own(Reply),
    /// Of the library.
    Answer(Answer),
}

impl Out {
    fn status(&self) -> u16 {
        match self {
            Self::Own(reply) => reply.status,
            Self::Answer(answer) => answer.status,
        }
    }
}

/// A request that was answered, one way or the other.
struct Served {
    route: Route,
    out: Out,
    with_body: bool,
    /// Whether another request may follow.
    keep: bool,
}

/// All that a client asks for.
pub(super) async fn serve(stream: TcpStream, address: IpAddr, gate: &Gate, place: &Place) {
    // Replies are written whole; without this the last piece of one may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let rules = gate.rules();
    let Some(tls) = &rules.tls else {
        return requests(stream, &rules, address, gate, place).await;
    };
    match timeout(HEAD_TIME, handshake(stream, tls)).await.unwrap_or(Err(TlsFailure::GaveUp)) {
        Ok(stream) => requests(stream, &rules, address, gate, place).await,
        Err(failure) => {
            tracing::debug!(%address, kind = failure.value(), "a TLS handshake failed");
            gate.metrics.handshake_failed(failure);
        }
    }
}

async fn handshake(mut stream: TcpStream, tls: &Tls) -> Result<TlsStream<TcpStream>, TlsFailure> {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return Err(TlsFailure::GaveUp);
    }
    if first[0].is_ascii_uppercase() {
        let hint = "use https:// instead of http://";
        let reply = Reply::error(400, "this port speaks HTTP only inside TLS", hint);
        let served =
            Served { route: Route::Other, out: Out::Own(reply), with_body: true, keep: false };
        let mut stream = BufReader::new(stream);
        if write(&mut stream, served, &[]).await.is_ok() {
            end(stream).await;
        }
        return Err(TlsFailure::PlainHttp);
    }
    // Without the first byte of a handshake, this is not the beginning of one.
    if first[0] != TLS_HANDSHAKE {
        let _ = stream.shutdown().await;
        return Err(TlsFailure::NotTls);
    }
    let accepted = TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream).await;
    accepted.map_err(|error| tls::failure(&error))
}

async fn requests<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    began_with: &Arc<Rules>,
    address: IpAddr,
    gate: &Gate,
    place: &Place,
) {
    let mut stream = BufReader::new(stream);
    let mut first = true;
    loop {
        place.waits(true);
        if !first && !matches!(timeout(IDLE_TIME, stream.fill_buf()).await, Ok(Ok([_, ..]))) {
            let _ = timeout(LAST_TIME, stream.shutdown()).await;
            return;
        }
        first = false;
        let head = timeout(HEAD_TIME, head::read(&mut stream)).await;
        place.waits(false);
        let refuse = |reply| Served {
            route: Route::Other,
            out: Out::Own(reply),
            with_body: true,
            keep: false,
        };
        let rules = gate.rules();
        let mut served = match head {
            Ok(Some(Ok(head))) => answer(gate, &rules, address, &head, &mut stream).await,
            Ok(Some(Err(refused))) => refuse(refused),
            Ok(None) => return,
            Err(_) => refuse(head::slow(HEAD_TIME)),
        };
        gate.metrics.http_request(served.route, served.out.status());
        // Whoever came in under other rules must come in again.
        served.keep &= Arc::ptr_eq(&rules, began_with);
        let keep = served.keep;
        if let Out::Own(Reply { bad: Some(reason), .. }) = &served.out {
            gate.metrics.bad_input.of(*reason).inc();
        }
        let written = timeout(WRITE_TIME, write(&mut stream, served, &rules.headers)).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
        if !keep {
            return end(stream).await;
        }
    }
}

/// Closing with unread bytes would reset the connection and take the reply with it.
async fn end<S: AsyncRead + AsyncWrite + Unpin>(mut stream: BufReader<S>) {
    let last = async {
        stream.shutdown().await?;
        while stream.read(&mut [0; 4096]).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = timeout(LAST_TIME, last).await;
}

/// One request, and what is replied.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    gate: &Gate,
    rules: &Rules,
    address: IpAddr,
    head: &Head,
    stream: &mut BufReader<S>,
) -> Served {
    let route = routes::route(head.path());
    let with_body = head.method != "HEAD";
    // A body that was not taken, or whose end is not known, is the end of the connection.
    let mut keep = head.keeps_alive() && matches!(head.length(), Ok(Length::Exact(0)));
    let answered = match let_in(gate, rules, route, head, address).await {
        Ok(()) => ask(gate, route, head, stream, &mut keep).await,
        Err(refused) => Err(refused),
    };
    let out = answered.map_or_else(Out::Own, Out::Answer);
    Served { route, out, with_body, keep }
}

/// Whether this client may ask this, and as often as this.
async fn let_in(
    gate: &Gate,
    rules: &Rules,
    route: Route,
    head: &Head,
    address: IpAddr,
) -> Result<(), Reply> {
    if gate.open_health && matches!(route, Route::Livez | Route::Readyz) {
        return Ok(());
    }
    let refused = |reason| gate.metrics.http_refused.of(reason).inc();
    let often = |retry_after_s: u64| {
        refused(Refused::Rate);
        Reply::error(429, "too many requests", format!("ask again in {retry_after_s} s"))
            .with("Retry-After", retry_after_s.to_string())
    };
    if let Some(rate) = rules.rate.as_ref().filter(|rate| !rate.takes(Instant::now())) {
        return Err(often(rate.retry_after_s()));
    }
    if rules.users.is_empty() {
        return Ok(());
    }
    match gate.passwords.check(&rules.users, head.header("authorization"), address).await {
        Verdict::Good => Ok(()),
        Verdict::Busy => Err(often(1)),
        Verdict::Wrong => {
            refused(Refused::Password);
            let hint = "send the name and password of a user in basic_auth_users";
            Err(Reply::error(401, "the name or the password is missing or wrong", hint)
                .with("WWW-Authenticate", "Basic realm=\"linly-edge\", charset=\"UTF-8\""))
        }
    }
}

/// Checks everything, and asks the library; what is refused comes as an error.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    gate: &Gate,
    route: Route,
    head: &Head,
    stream: &mut BufReader<S>,
    keep: &mut bool,
) -> Result<Answer, Reply> {
    let length = head.length()?;
    let lane = routes::admit(route, head)?;
    let body = if lane == Lane::Talk {
        let body = take_body(gate, head, length, stream).await?;
        *keep = head.keeps_alive();
        body
    } else {
        Vec::new()
    };
    let asked = Asked { head: forward(head, &body), body, wants_body: head.method != "HEAD" };
    gate.wires.ask(lane, asked).await.map_err(|failure| match failure {
        Failure::Busy if lane == Lane::Talk => routes::busy(1),
        Failure::Busy => Reply::error(503, "too many ask for this at a time", "ask again soon")
            .with("Retry-After", "1"),
        Failure::Late => Reply::error(503, "there was no reply in time", "see /livez and the log")
            .with("Retry-After", "5"),
        Failure::Lost => Reply::error(503, "HTTP is about to end or has failed", "see the log")
            .with("Retry-After", "5"),
    })
}

async fn take_body<S: AsyncRead + AsyncWrite + Unpin>(
    gate: &Gate,
    head: &Head,
    length: Length,
    stream: &mut BufReader<S>,
) -> Result<Vec<u8>, Reply> {
    if matches!(length, Length::Exact(length) if length > gate.body_limit) {
        return Err(body::too_large(gate.body_limit));
    }
    let _place = gate.bodies.try_acquire().map_err(|_| routes::busy(1))?;
    if head.expects_continue() {
        let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        let _ = stream.flush().await;
    }
    let body = timeout(BODY_TIME, body::read(stream, length, gate.body_limit)).await;
    body.map_err(|_| head::slow(BODY_TIME))?
}

/// The same request for the library: only what it needs, so that it cannot understand another one.
fn forward(head: &Head, body: &[u8]) -> String {
    let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.target);
    for name in ["Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Range"] {
        // The library takes only ASCII.
        if let Some(value) = head.header(name).filter(|value| value.is_ascii()) {
            text += &format!("{name}: {value}\r\n");
        }
    }
    text + &format!("Content-Length: {}\r\n\r\n", body.len())
}

/// Writes all of a reply, or only what stands before the body.
async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    to: &mut BufReader<S>,
    served: Served,
    more: &[(String, String)],
) -> io::Result<()> {
    let Served { out, with_body, keep, .. } = served;
    let mut text = format!("HTTP/1.1 {} {}\r\n", out.status(), http::phrase(out.status()));
    let length = match &out {
        Out::Own(reply) => {
            reply.headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
            reply.body().len()
        }
        Out::Answer(answer) => {
            answer.headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
            answer.length
        }
    };
    let connection = if keep { "keep-alive" } else { "close" };
    text += &format!("Content-Length: {length}\r\nConnection: {connection}\r\n");
    text += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    for (name, value) in more {
        // What a reply says of itself stays: the page would not work under another policy.
        if !text.contains(&format!("\n{name}: ")) {
            text += &format!("{name}: {value}\r\n");
        }
    }
    text += "\r\n";
    let mut bytes = text.into_bytes();
    if with_body {
        match out {
            Out::Own(reply) => bytes.extend_from_slice(reply.body()),
            Out::Answer(Answer { body: AnswerBody::Whole(body), .. }) => bytes.extend(body),
            Out::Answer(Answer { body: AnswerBody::Parts(mut parts), .. }) => {
                to.write_all(&bytes).await?;
                bytes.clear();
                let mut left = length;
                while let Some(part) = parts.recv().await {
                    left = left.saturating_sub(part.len());
                    to.write_all(&part).await?;
                }
                if left > 0 {
                    // Ended without the rest, so that nobody takes the part for the whole.
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
    to.write_all(&bytes).await?;
    to.flush().await
}
