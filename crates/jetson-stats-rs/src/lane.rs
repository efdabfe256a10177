//! One reader thread for each collector, so that a slow bus delays nobody else.

use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    time::{Duration, Instant},
};

use crate::{Collector, Files, snapshot::Snapshot};

/// Rounds after which a collector looks over the machine again, although it has found what it reads.
const LOOK_AGAIN: u32 = 60;
/// Rounds after which it does so while it has found nothing: devices may come seconds after the start.
const LOOK_SOON: u32 = 5;
/// Enough for reading files of a few kilobytes.
const STACK: usize = 256 << 10;

/// What puts the part of a collector where it belongs.
pub(crate) type Put = Box<dyn FnOnce(&mut Snapshot) + Send>;

/// A collector has finished a round.
pub(crate) struct Done {
    pub(crate) lane: usize,
    pub(crate) round: u64,
    pub(crate) put: Put,
    pub(crate) took: Duration,
    pub(crate) fault: Option<String>,
}

/// The way to a reader thread.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    ask: SyncSender<u64>,
    /// The round that it has not yet finished, if any: it is not asked again before.
    pub(crate) busy: Option<u64>,
}

impl Lane {
    /// Starts the thread of a collector. It ends when its lane is dropped, after what it reads at the
    /// moment; a read that never returns keeps this one thread, and no other is started for it.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub(crate) fn start<C: Collector>(
        lane: usize,
        collector: C,
        files: Files,
        budget: Duration,
        done: SyncSender<Done>,
        place: fn(&mut Snapshot, C::Part),
    ) -> io::Result<Self> {
        let (ask, asked) = sync_channel(1);
        let reader = Reader { lane, collector, files, budget, done, place };
        std::thread::Builder::new()
            .name(format!("sense-{}", C::NAME))
            .stack_size(STACK)
            .spawn(move || reader.run(&asked))?;
        Ok(Self { name: C::NAME, ask, busy: None })
    }

    /// Asks for a round, unless one is still being worked on. Whether it was asked.
    pub(crate) fn ask(&mut self, round: u64) -> bool {
        if self.busy.is_some() {
            return false;
        }
        match self.ask.try_send(round) {
            Ok(()) => {
                self.busy = Some(round);
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

struct Reader<C: Collector> {
    lane: usize,
    collector: C,
    files: Files,
    budget: Duration,
    done: SyncSender<Done>,
    place: fn(&mut Snapshot, C::Part),
}

impl<C: Collector> Reader<C> {
    fn run(mut self, asked: &Receiver<u64>) {
        let mut rounds_left = 0;
        while let Ok(round) = asked.recv() {
            let began = Instant::now();
            self.files.begin(self.budget);
            if rounds_left == 0 {
                let found = self.collector.look(&self.files);
                rounds_left = if found { LOOK_AGAIN } else { LOOK_SOON };
            }
            rounds_left -= 1;
            let part = self.collector.read(&self.files);
            if self.files.vanished() {
                rounds_left = 0;
            }
            let place = self.place;
            let done = Done {
                lane: self.lane,
                round,
                put: Box::new(move |snapshot| place(snapshot, part)),
                took: began.elapsed(),
                fault: self.files.first_fault(),
            };
            if self.done.send(done).is_err() {
                break;
            }
        }
    }
}
