//! The gate's connections to the HTTP library, and one request on one of them.
//!
//! An exchange goes on to its end whether or not anybody still wants it, so that the connection is fit
//! for the next one.

use std::{
    io::{Error, ErrorKind, Result},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{Receiver, Sender, channel as bounded},
        oneshot,
    },
    time::timeout,
};

/// Replies up to this size are taken at once, so that a slow client holds nothing up.
const SMALL: usize = 256 << 10;
/// What is read at a time of a larger one; four of these are in flight.
const PART: usize = 16 << 10;
const PARTS: usize = 4;
/// Largest first lines of a reply of our own.
const HEAD_LIMIT: usize = 16 << 10;
/// How long a request may wait for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// Requests of one kind do not wait for those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Lane {
    /// What is answered at once from memory.
    Quick,
    /// What takes as long as a turn.
    Talk,
    /// What takes as long as the client.
    Video,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Quick, Self::Talk, Self::Video];

    /// Requests at a time. Of `Talk`, two are worked on and one is next.
    pub(in crate::admin) const fn connections(self) -> usize {
        match self {
            Self::Quick => 4,
            Self::Talk | Self::Video => 3,
        }
    }

    /// From a request to the first bytes of its reply.
    const fn patience(self) -> Duration {
        match self {
            Self::Quick | Self::Video => Duration::from_secs(10),
            Self::Talk => Duration::from_mins(2),
        }
    }
}

/// How many connections all lanes have together.
pub(in crate::admin) const CONNECTIONS: usize =
    Lane::Quick.connections() + Lane::Talk.connections() + Lane::Video.connections();

/// All connections to the library.
#[derive(Debug)]
pub(super) struct Wires {
    lanes: [Arc<Pool>; 3],
}

#[derive(Debug)]
struct Pool {
    free: Mutex<Vec<UnixStream>>,
    /// One for each free connection.
    places: Arc<Semaphore>,
}

/// A request for the library, checked and complete.
#[derive(Debug)]
pub(super) struct Asked {
    /// All lines before the body, with the length of the body.
    pub head: String,
    pub body: Vec<u8>,
    /// Whether a body follows the head of the reply.
    pub wants_body: bool,
}

/// What the library replied.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    /// Without those that are between the gate and the library.
    pub headers: Vec<(String, String)>,
    pub length: usize,
    pub body: AnswerBody,
}

#[derive(Debug)]
pub(super) enum AnswerBody {
    Whole(Vec<u8>),
    Parts(Receiver<Vec<u8>>),
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Every connection of that kind is taken.
    Busy,
    /// It took too long.
    Late,
    /// The library has failed.
    Lost,
}

impl Wires {
    /// As many connections as [`CONNECTIONS`], shared out.
    ///
    /// # Errors
    /// The system does not let them be used asynchronously.
    pub(super) fn new(streams: Vec<std::os::unix::net::UnixStream>) -> Result<Self> {
        let mut streams = streams.into_iter();
        let mut pool = |lane: Lane| {
            let mut free = Vec::new();
            for stream in streams.by_ref().take(lane.connections()) {
                stream.set_nonblocking(true)?;
                free.push(UnixStream::from_std(stream)?);
            }
            let places = Arc::new(Semaphore::new(free.len()));
            Ok::<_, Error>(Arc::new(Pool { free: Mutex::new(free), places }))
        };
        let [quick, talk, video] = Lane::ALL;
        Ok(Self { lanes: [pool(quick)?, pool(talk)?, pool(video)?] })
    }

    /// Asks the library. Whoever stops waiting for the reply leaves the connection in order.
    pub(super) async fn ask(
        &self,
        lane: Lane,
        asked: Asked,
    ) -> std::result::Result<Answer, Failure> {
        let pool = Arc::clone(&self.lanes[lane as usize]);
        let places = Arc::clone(&pool.places);
        let place = if lane == Lane::Talk {
            // A turn that cannot be begun is refused at once.
            places.try_acquire_owned().map_err(|_| Failure::Busy)?
        } else {
            let place = timeout(WAIT, places.acquire_owned()).await.map_err(|_| Failure::Busy)?;
            place.map_err(|_| Failure::Lost)?
        };
        let (tell, told) = oneshot::channel();
        tokio::spawn(pool.exchange(place, asked, tell));
        match timeout(lane.patience(), told).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Failure::Lost),
            Err(_) => Err(Failure::Late),
        }
    }
}

impl Pool {
    fn free(&self) -> std::sync::MutexGuard<'_, Vec<UnixStream>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(
        self: Arc<Self>,
        place: OwnedSemaphorePermit,
        asked: Asked,
        tell: oneshot::Sender<Answer>,
    ) {
        let stream = self.free().pop();
        let Some(mut stream) = stream else { return place.forget() };
        match exchange(&mut stream, asked, tell).await {
            // In this order: whoever gets the place finds the connection.
            Ok(()) => self.free().push(stream),
            Err(error) => {
                tracing::error!(%error, "a connection to the HTTP library was lost");
                place.forget();
                if self.places.available_permits() == 0 && self.free().is_empty() {
                    tracing::warn!("requests of this kind may be refused until a restart");
                }
            }
        }
    }
}

async fn exchange(
    stream: &mut UnixStream,
    asked: Asked,
    tell: oneshot::Sender<Answer>,
) -> Result<()> {
    stream.write_all(asked.head.as_bytes()).await?;
    stream.write_all(&asked.body).await?;
    drop(asked.body);
    // Reading goes on in whatever room there is: with little of it, in many small pieces.
    let mut came = Vec::with_capacity(HEAD_LIMIT);
    let (mut answer, begin) = loop {
        fill(stream, &mut came, HEAD_LIMIT).await?;
        if let Some(found) = parse(&came)? {
            break found;
        }
    };
    let mut part = came.split_off(begin);
    let length = if asked.wants_body { answer.length } else { 0 };
    if length <= SMALL {
        part.reserve_exact(length.saturating_sub(part.len()));
        while part.len() < length {
            fill(stream, &mut part, length).await?;
        }
        in_step(part.len() == length)?;
        answer.body = AnswerBody::Whole(part);
        let _ = tell.send(answer);
        return Ok(());
    }
    let (parts_out, parts) = bounded(PARTS);
    answer.body = AnswerBody::Parts(parts);
    let told = tell.send(answer).is_ok();
    pass_on(stream, part, length, told.then_some(parts_out)).await
}

/// Hands on `length` bytes, and reads the rest for nobody once nobody wants it.
async fn pass_on(
    stream: &mut UnixStream,
    mut part: Vec<u8>,
    length: usize,
    mut to: Option<Sender<Vec<u8>>>,
) -> Result<()> {
    let mut left = length;
    loop {
        left = left.checked_sub(part.len()).ok_or_else(out_of_step)?;
        if let Some(out) = &to
            && out.send(std::mem::take(&mut part)).await.is_err()
        {
            to = None;
        }
        if left == 0 {
            return Ok(());
        }
        part.clear();
        part.reserve(PART);
        fill(stream, &mut part, left.min(PART)).await?;
    }
}

/// Reads more, up to `limit` bytes in all.
async fn fill(stream: &mut UnixStream, into: &mut Vec<u8>, limit: usize) -> Result<()> {
    let room = limit.saturating_sub(into.len());
    in_step(room > 0)?;
    match stream.take(room as u64).read_buf(into).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn in_step(holds: bool) -> Result<()> {
    if holds { Ok(()) } else { Err(out_of_step()) }
}

fn out_of_step() -> Error {
    Error::new(ErrorKind::InvalidData, "the HTTP library sent something else than announced")
}

/// The head of a reply and where its body begins, once it is complete.
fn parse(came: &[u8]) -> Result<Option<(Answer, usize)>> {
    let mut room = [httparse::EMPTY_HEADER; 32];
    let mut reply = httparse::Response::new(&mut room);
    let parsed = reply.parse(came).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(begin) = parsed else { return Ok(None) };
    let mut answer = Answer {
        status: reply.code.unwrap_or(500),
        headers: Vec::new(),
        length: usize::MAX,
        body: AnswerBody::Whole(Vec::new()),
    };
    for header in reply.headers.iter() {
        let value = std::str::from_utf8(header.value).map_err(|_| out_of_step())?;
        match header.name {
            "Content-Length" => answer.length = value.parse().map_err(|_| out_of_step())?,
            "Server" | "Connection" | "Transfer-Encoding" => {}
            name => answer.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    in_step(answer.length != usize::MAX)?;
    Ok(Some((answer, begin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_the_library_are_read_without_its_own_headers() {
        let text = b"HTTP/1.1 206 Partial Content\r\nServer: x\r\nContent-Range: bytes 0-1/9\r\n\
            Content-Length: 2\r\n\r\nab";
        let (answer, begin) = parse(text).unwrap().unwrap();
        assert_eq!((answer.status, answer.length, &text[begin..]), (206, 2, b"ab".as_slice()));
        assert_eq!(answer.headers, [("Content-Range".into(), "bytes 0-1/9".into())]);
        assert!(parse(&text[..40]).unwrap().is_none());
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }
}
