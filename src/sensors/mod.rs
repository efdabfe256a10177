//! How the device is: a sampler reads it once a second, a scrape only writes down what it found.

mod catalogue;
mod ledger;
mod sheet;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jetson_stats::{Jetson, Snapshot};
use prometheus::{
    core::{Collector, Desc},
    proto::MetricFamily,
};

pub use catalogue::{FAMILIES, Family, Kind};
use ledger::Ledger;
pub use ledger::Totals;

use crate::{
    config,
    flow::{Crew, Pulse, Pulses},
    metrics::Metrics,
};

/// After so many periods a value that was not read anew is no longer told.
const STALE_PERIODS: u32 = 3;

/// The running sampler.
#[derive(Debug)]
pub struct Sensors {
    crew: Crew,
    stop: Sender<()>,
    /// What was last read.
    pub latest: Latest,
}

impl Sensors {
    /// Starts the readers and the sampler, and adds their families to `metrics`.
    ///
    /// # Errors
    /// The system has no room for their threads.
    pub fn start(config: &config::Sensors, metrics: &Metrics) -> Result<Self> {
        let period = Duration::from_millis(config.period_ms.into());
        let jetson = open(&config.root, period)?;
        let latest = Latest::default();
        metrics.register(Box::new(Exposed::new(latest.clone())))?;
        let (stop, stop_asked) = bounded(0);
        let mut crew = Crew::default();
        let to = latest.clone();
        crew.spawn("sense", move |pulse| {
            sample(&pulse, jetson, period, &stop_asked, &to);
            Ok(())
        })?;
        Ok(Self { crew, stop, latest })
    }

    /// Whether the sampler waits or works.
    pub fn pulses(&self) -> Pulses {
        self.crew.pulses()
    }

    /// Stops the sampler. A reader that hangs in the kernel is left behind.
    ///
    /// # Errors
    /// The sampler is still busy after `grace`.
    pub fn stop(self, grace: Duration) -> Result<()> {
        drop(self.stop);
        self.crew.join(grace)
    }
}

/// The device below `root`, of which no reader may take longer than half a period.
fn open(root: &Path, period: Duration) -> Result<Jetson> {
    let deadline = (period / 2).min(Duration::from_millis(500));
    let jetson = Jetson::builder().root(root).deadline(deadline).open();
    jetson.context("failed to start the readers of the sensors")
}

/// Reads once a period until it is told to stop. A period that was missed is left out, not made up for.
fn sample(
    pulse: &Pulse,
    mut jetson: Jetson,
    period: Duration,
    stop: &Receiver<()>,
    latest: &Latest,
) {
    let mut ledger = Ledger::new(period);
    let mut due = Instant::now();
    loop {
        pulse.beat();
        let snapshot = jetson.sample();
        latest.set(ledger.enter(snapshot, Instant::now()));
        let now = Instant::now();
        while due <= now {
            due += period;
        }
        let waiting = pulse.waiting();
        let told = stop.recv_timeout(due - now);
        drop(waiting);
        if told != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// What was read at one moment, and what has added up until then. Never changed once it is published.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What was read.
    pub snapshot: Snapshot,
    /// What has added up.
    pub totals: Totals,
    /// When it is too old to be told.
    until: Instant,
}

/// The place of the latest sample.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    sample: Arc<Mutex<Option<Arc<Sample>>>>,
    count: Arc<AtomicU64>,
}

impl Latest {
    fn set(&self, sample: Sample) {
        *self.sample.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sample));
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// The latest sample, however old.
    pub fn get(&self) -> Option<Arc<Sample>> {
        self.sample.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many samples there have been.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// The families that a scrape sees.
struct Exposed {
    latest: Latest,
    descriptions: Vec<Desc>,
}

impl Exposed {
    fn new(latest: Latest) -> Self {
        let describe = |family: &&Family| {
            let labels = family.labels.iter().map(|label| (*label).to_owned()).collect();
            Desc::new(family.name.to_owned(), family.help.to_owned(), labels, HashMap::default())
                .expect("names and labels are literals")
        };
        Self { latest, descriptions: FAMILIES.iter().map(describe).collect() }
    }
}

impl Collector for Exposed {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(sample) = self.latest.get() else { return Vec::new() };
        sheet::write(&sample, Instant::now() >= sample.until)
    }
}

/// The families of one sample of the device below `root`, for tests that compare them.
///
/// # Errors
/// The system has no room for the readers' threads.
pub fn families_of(root: &Path) -> Result<Vec<MetricFamily>> {
    let period = Duration::from_secs(10);
    let snapshot = open(root, period)?.sample();
    let sample = Ledger::new(period).enter(snapshot, Instant::now());
    Ok(sheet::write(&sample, false))
}
