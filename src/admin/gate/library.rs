//! The HTTP library behind the gate. Nobody but the gate can reach it: its socket loses its name as soon
//! as the gate's own connections are made.
//!
//! Those connections are made once and carry one request at a time. So the library's weak points lie
//! idle while the daemon serves: no queue of its grows, and it never accepts when descriptors are short.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::{
        fd::AsRawFd,
        unix::{
            fs::{OpenOptionsExt, PermissionsExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;
use tiny_http::{Request, Response, Server};

/// What the library may take to accept its connections.
const START_TIME: Duration = Duration::from_secs(5);
/// The socket's name in its folder.
const NAME: &str = "http";

/// `O_PATH` of Linux: a name for a file that needs no right to read it.
const O_PATH: i32 = 0o10_000_000;

/// The running library; it ends with its last clone.
#[derive(Clone)]
pub(in crate::admin) struct Library(Arc<Inner>);

/// Its fields end in this order: the library must have been told to end before somebody knocks.
struct Inner {
    server: Server,
    _door: Door,
    closing: AtomicBool,
}

/// The library's socket, which can still be reached by who holds it when it has no name any more.
///
/// The library's accepting thread sleeps until somebody comes, and only then sees that it is to end; it would
/// look for the socket's name to come itself. Shutting the socket down would end it as well, with an error in
/// the log.
struct Door(File);

impl Door {
    fn of(socket: &Path) -> Result<Self> {
        let opened = OpenOptions::new().read(true).custom_flags(O_PATH).open(socket);
        Ok(Self(opened.context("failed to hold the private socket")?))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Where /proc is not mounted, the thread sleeps on until the program has ended.
        let _ = UnixStream::connect(format!("/proc/self/fd/{}", self.0.as_raw_fd()));
    }
}

impl Library {
    /// Starts it, with as many connections to it as asked for.
    ///
    /// # Errors
    /// No folder for the socket can be written, or the system has no room for it.
    pub(in crate::admin) fn start(connections: usize) -> Result<(Self, Vec<UnixStream>)> {
        let mut refused = Vec::new();
        for place in places() {
            match bind(&place) {
                Ok((listener, folder)) => return Self::serve(listener, folder, connections),
                Err(error) => refused.push(format!("{}: {error:#}", place.display())),
            }
        }
        Err(anyhow!(
            "failed to make a private socket for HTTP ({}); make one of these folders writable, or \
             set RuntimeDirectory= in the unit",
            refused.join("; ")
        ))
    }

    fn serve(
        listener: UnixListener,
        folder: TempDir,
        connections: usize,
    ) -> Result<(Self, Vec<UnixStream>)> {
        let server = Server::from_listener(listener, None)
            .map_err(|error| anyhow!("failed to start the HTTP library: {error}"))?;
        // One after the other: the library gives each connection a thread, and counts as idle one that
        // has not yet taken the connection before, so that of several at once some would never be served.
        let path = folder.path().join(NAME);
        let greeted = (0..connections).map(|_| greet(&path, &server));
        let streams = greeted.collect::<Result<Vec<_>>>()?;
        let door = Door::of(&path)?;
        folder.close().context("failed to remove the private socket")?;
        let inner = Inner { server, _door: door, closing: AtomicBool::new(false) };
        Ok((Self(Arc::new(inner)), streams))
    }

    /// The next request; `None` when the library was closed.
    ///
    /// # Errors
    /// The library has failed, which it does only when it can no longer accept.
    pub(in crate::admin) fn next(&self) -> Result<Option<Request>> {
        match self.0.server.recv() {
            Ok(request) => Ok(Some(request)),
            Err(_) if self.0.closing.load(Ordering::Acquire) => Ok(None),
            Err(error) => Err(error).context("the HTTP library has failed"),
        }
    }

    /// Tells whoever waits for a request that none will come any more.
    pub(in crate::admin) fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
        self.0.server.unblock();
    }
}

/// Where a socket may be made: the unit's own folder before the one that all programs share.
fn places() -> Vec<PathBuf> {
    let own = std::env::var_os("RUNTIME_DIRECTORY").unwrap_or_default();
    let mut places: Vec<_> =
        std::env::split_paths(&own).filter(|path| path.is_absolute()).take(1).collect();
    places.push(std::env::temp_dir());
    places
}

/// A listening socket in a folder of its own.
fn bind(place: &Path) -> Result<(UnixListener, TempDir)> {
    let folder = tempfile::Builder::new()
        .prefix("linly-edge-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(place)?;
    let listener = UnixListener::bind(folder.path().join(NAME))?;
    Ok((listener, folder))
}

/// A connection on which the library has shown that it answers.
fn greet(path: &Path, server: &Server) -> Result<UnixStream> {
    const SILENT: &str = "the HTTP library does not answer";
    let mut stream = UnixStream::connect(path).context("failed to reach the HTTP library")?;
    stream.write_all(b"HEAD / HTTP/1.1\r\n\r\n").context("failed to ask the HTTP library")?;
    let request = server.recv_timeout(START_TIME).context("the HTTP library has failed")?;
    let request = request.context("the HTTP library did not start in time")?;
    request.respond(Response::empty(204)).context(SILENT)?;
    stream.set_read_timeout(Some(START_TIME))?;
    let mut reply = Vec::new();
    while !reply.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).context(SILENT)?;
        reply.push(byte[0]);
    }
    stream.set_read_timeout(None)?;
    Ok(stream)
}
