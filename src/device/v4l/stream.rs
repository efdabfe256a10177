//! Mapped buffers that go round between the kernel and us: the newest picture, and nothing that waited.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use v4l::{
    Device,
    buffer::{Flags, Type},
    device::Handle,
    io::{
        mmap,
        traits::{CaptureStream, Stream as _},
    },
};

use super::luma::Shape;
use crate::media::Frame;

/// One is read, one is written, two wait.
const BUFFERS: u32 = 4;

/// `POLLIN` of `poll(2)`.
const READABLE: i16 = 1;

/// A picture that should be there, because the kernel has just said so, is waited for so long.
const SOON: Duration = Duration::from_millis(100);

/// What came of waiting for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A picture.
    Picture,
    /// A picture that cannot be used.
    Bad,
    /// Nothing in time.
    Late,
    /// Nothing for so long that something must be done.
    Stalled,
}

/// A camera that sends.
pub(super) struct Stream {
    buffers: mmap::Stream<'static>,
    handle: Arc<Handle>,
    shape: Shape,
    patience: Duration,
    /// Whether a buffer is ours at the moment, which goes back before the next one is taken.
    holds: bool,
    /// When the last picture came.
    seen: Instant,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Stream").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Stream {
    /// Lets the camera send; `patience` is how long it may send nothing.
    ///
    /// # Errors
    /// Another program uses it, or there is no room for its pictures.
    pub(super) fn start(device: &Device, shape: Shape, patience: Duration) -> io::Result<Self> {
        let mut buffers = mmap::Stream::with_buffers(device, Type::VideoCapture, BUFFERS)?;
        buffers.set_timeout(SOON);
        // A driver may give fewer buffers than it was asked for; two will do.
        for buffer in 0..BUFFERS as usize {
            match CaptureStream::queue(&mut buffers, buffer) {
                Err(error) if buffer < 2 => return Err(error),
                Err(_) => break,
                Ok(()) => {}
            }
        }
        buffers.start()?;
        let handle = device.handle();
        Ok(Self { buffers, handle, shape, patience, holds: false, seen: Instant::now() })
    }

    /// Puts the first picture that is taken at `due` or later into `frame`; waits no longer than until
    /// `end`. What came before is passed over.
    ///
    /// # Errors
    /// The camera is gone, or its driver has failed.
    pub(super) fn next(
        &mut self,
        due: Instant,
        end: Instant,
        frame: &mut Frame,
    ) -> io::Result<Next> {
        // What waits was taken while nobody looked.
        for _ in 0..BUFFERS {
            if !self.readable(Duration::ZERO)? {
                break;
            }
            self.take(None)?;
        }
        loop {
            let now = Instant::now();
            if !self.readable(end.saturating_duration_since(now))? {
                if self.seen.elapsed() >= self.patience {
                    return Ok(Next::Stalled);
                }
                if Instant::now() >= end {
                    return Ok(Next::Late);
                }
                continue;
            }
            // Near enough: the next one would be later than this one is early.
            let wanted = Instant::now() + Duration::from_millis(20) >= due.min(end);
            if let Some(next) = self.take(wanted.then_some(&mut *frame))? {
                return Ok(next);
            }
        }
    }

    /// Whether a picture, or bad news, is there within `wait`.
    fn readable(&self, wait: Duration) -> io::Result<bool> {
        // Rounded up, so that a wait of less than a millisecond does not spin.
        let wait = i32::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
        match self.handle.poll(READABLE, wait) {
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the next buffer and reads it into `frame`, if there is one; `None` if nothing was read.
    fn take(&mut self, frame: Option<&mut Frame>) -> io::Result<Option<Next>> {
        let (shape, held) = (self.shape, self.holds);
        if !held {
            // Only a buffer that is already ours can be exchanged, so that the first is passed over.
            self.holds = present(CaptureStream::dequeue(&mut self.buffers))?.is_some();
            self.seen = if self.holds { Instant::now() } else { self.seen };
            return Ok(None);
        }
        self.holds = false;
        let Some((bytes, about)) = present(CaptureStream::next(&mut self.buffers))? else {
            return Ok(None);
        };
        let read = frame.map(|frame| {
            let used = bytes.get(..about.bytesused as usize).unwrap_or(bytes);
            let broken = about.flags.contains(Flags::ERROR);
            if broken || shape.read(used, frame).is_err() { Next::Bad } else { Next::Picture }
        });
        self.holds = true;
        self.seen = Instant::now();
        Ok(read)
    }
}

/// Nothing, instead of an error that says that nothing is there yet.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => {
                Ok(None)
            }
            _ => Err(error),
        },
    }
}
