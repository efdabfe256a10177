//! The machine that is read, once a second or once.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Collector, Files,
    board::NamePlate,
    clocks::Clocks,
    cpu::Processor,
    gpu::Gpus,
    hwmon::Chips,
    lane::{Done, Lane},
    memory::Banks,
    mode::Modes,
    peripherals::Plugged,
    power::Monitors,
    processes::Clients,
    snapshot::{CollectorReport, Snapshot},
    storage::Disks,
    thermal::Thermometers,
};

/// How long a round waits for its slowest reader.
const DEADLINE: Duration = Duration::from_millis(500);

/// A machine whose sensors are read.
///
/// One thread for each group of sensors reads it; they are started here and end when this is dropped.
#[derive(Debug)]
pub struct Jetson {
    lanes: Vec<Lane>,
    done: Receiver<Done>,
    deadline: Duration,
    round: u64,
    /// Since when a reader is busy with an old round.
    late_since: BTreeMap<usize, Instant>,
}

/// What a [`Jetson`] reads, and how long it may take.
#[derive(Clone, Debug)]
pub struct Builder {
    root: PathBuf,
    deadline: Duration,
    nvml: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), deadline: DEADLINE, nvml: true }
    }
}

impl Builder {
    /// Reads a copy of a machine below this folder in place of the machine itself.
    ///
    /// In a copy, a file `temp.errno` that holds `EAGAIN` stands for a `temp` that cannot be read, and
    /// `data.statvfs` holds size and free bytes of the file system at `data`. NVML is left out.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// How long a round waits for its slowest reader; half a second unless it is said here.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether NVIDIA's management library is opened where it is installed; it is unless it is said
    /// here. It needs `/dev/nvidiactl` and `/dev/nvidia0`.
    #[must_use]
    pub fn nvml(mut self, nvml: bool) -> Self {
        self.nvml = nvml;
        self
    }

    /// Starts the readers.
    ///
    /// # Errors
    /// The system has no room for their threads.
    pub fn open(self) -> io::Result<Jetson> {
        let (sender, done) = sync_channel(32);
        let mut starter = Starter { builder: &self, sender, lanes: Vec::new() };
        starter.start(NamePlate::default(), |to, part| to.board = part)?;
        starter.start(Processor::default(), |to, part| to.cpu = part)?;
        starter.start(Gpus::default(), |to, part| to.gpus = part)?;
        starter.start(Clocks::default(), |to, part| {
            (to.emc, to.engines) = (part.emc, part.engines);
        })?;
        starter.start(Thermometers::default(), |to, part| to.thermal = part)?;
        starter.start(Monitors::default(), |to, part| to.power = part)?;
        starter.start(Chips::default(), |to, part| {
            (to.overcurrent, to.fans) = (part.overcurrent, part.fans);
            (to.chip_temperatures, to.fan_profile) = (part.temperatures, part.fan_profile);
        })?;
        starter.start(Modes::default(), |to, part| to.mode = part)?;
        starter.start(Banks::default(), |to, part| to.memory = part)?;
        starter.start(Clients, |to, part| to.processes = part)?;
        starter.start(Disks::default(), |to, part| to.storage = part)?;
        starter.start(Plugged, |to, part| to.peripherals = part)?;
        #[cfg(feature = "nvml")]
        if self.nvml && self.root == Path::new("/") {
            starter.start(crate::nvml::Library::default(), |to, part| {
                (to.nvml, to.nvml_processes) = (part.gpus, part.processes);
            })?;
        }
        let lanes = starter.lanes;
        Ok(Jetson { lanes, done, deadline: self.deadline, round: 0, late_since: BTreeMap::new() })
    }
}

struct Starter<'a> {
    builder: &'a Builder,
    sender: SyncSender<Done>,
    lanes: Vec<Lane>,
}

impl Starter<'_> {
    fn start<C: Collector>(
        &mut self,
        collector: C,
        place: fn(&mut Snapshot, C::Part),
    ) -> io::Result<()> {
        let Builder { root, deadline, .. } = self.builder;
        let (number, files) = (self.lanes.len(), Files::new(root));
        // A slow bus ends by itself a little before nobody waits for it any more, so that what it
        // has given so far is not lost.
        let budget = deadline.mul_f64(0.8);
        let lane = Lane::start(number, collector, files, budget, self.sender.clone(), place)?;
        self.lanes.push(lane);
        Ok(())
    }
}

impl Jetson {
    /// The machine that this program runs on.
    ///
    /// # Errors
    /// The system has no room for the readers' threads.
    pub fn open() -> io::Result<Self> {
        Self::builder().open()
    }

    /// A copy of a machine below a folder; see [`Builder::root`].
    ///
    /// # Errors
    /// The system has no room for the readers' threads.
    pub fn at(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::builder().root(root).open()
    }

    /// For those who want to say more.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Reads everything once; returns when the last reader has finished, and after the deadline anyway.
    ///
    /// A reader that is late is reported among [`Snapshot::collectors`] and left alone until it has
    /// finished what it does.
    pub fn sample(&mut self) -> Snapshot {
        let began = Instant::now();
        let until = began + self.deadline;
        self.round += 1;
        while let Ok(done) = self.done.try_recv() {
            self.free(&done);
        }
        let mut snapshot = Snapshot::new(SystemTime::now());
        let mut waiting = 0;
        for lane in &mut self.lanes {
            waiting += usize::from(lane.ask(self.round));
        }
        let mut reports: Vec<Option<CollectorReport>> = vec![None; self.lanes.len()];
        while waiting > 0 {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(done) = self.done.recv_timeout(left) else { break };
            self.free(&done);
            // What was asked for in an earlier round is too old to be told.
            if done.round == self.round {
                waiting -= 1;
                let name = self.lanes[done.lane].name;
                let report =
                    CollectorReport { name, took: done.took, late: false, fault: done.fault };
                reports[done.lane] = Some(report);
                (done.put)(&mut snapshot);
            }
        }
        for (number, lane) in self.lanes.iter().enumerate() {
            let late = || {
                let since = *self.late_since.entry(number).or_insert(began);
                let fault = Some("did not answer in time".to_owned());
                CollectorReport { name: lane.name, took: since.elapsed(), late: true, fault }
            };
            snapshot.collectors.push(reports[number].take().unwrap_or_else(late));
        }
        snapshot.finish();
        snapshot
    }

    fn free(&mut self, done: &Done) {
        self.lanes[done.lane].busy = None;
        self.late_since.remove(&done.lane);
    }
}
