//! How families are made and registered, what kind of question each answers, and their buckets.

use std::{cell::RefCell, collections::BTreeMap};

use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};

use super::{By, Label, Rare};

/// What every name of ours begins with.
pub const PREFIX: &str = "linly_talker_";

/// Steps that an answer waits for, in seconds: it begins within 0.8 s if none takes much of that.
pub(super) const STEP: [f64; 4] = [0.1, 0.2, 0.5, 1.0];
/// Work that is done while the visitor or the kiosk speaks, in seconds; nobody waits for it. The last bound
/// is above what a large model takes for a long answer.
pub(super) const WORK: [f64; 4] = [0.1, 0.3, 1.0, 3.0];
/// What is left of a step when its input ends, in seconds: 0.02 where it kept up, half a second where it did not.
pub(super) const REST: [f64; 5] = [0.02, 0.05, 0.1, 0.2, 0.5];
/// What a visitor waits for, in seconds. The objectives are 0.8 (nearly always) and 1 (95 of 100);
/// 0.8 and four times that are what Apdex needs.
pub(super) const FELT: [f64; 6] = [0.4, 0.6, 0.8, 1.0, 1.6, 3.2];
/// What a person must not notice, in seconds; the bars are 0.05 and 0.1.
pub(super) const PROMPT: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];
/// Work per picture in seconds; at 25 pictures a second there are 0.04 for each.
pub(super) const PICTURE: [f64; 4] = [0.005, 0.01, 0.02, 0.04];
/// Pictures off their sound, in seconds. The bar is 0.04; people begin to see 0.045 of early sound
/// (ITU-R BT.1359), and 0.16 is plainly wrong.
pub(super) const SKEW: [f64; 4] = [0.02, 0.04, 0.08, 0.16];

/// Whose question a metric answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// What visitors get: sessions, turns, waiting.
    Business,
    /// How fast and how well each step works.
    Performance,
    /// What the machine spends and what it is.
    Resource,
}

impl Category {
    /// Its name in the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Performance => "performance",
            Self::Resource => "resource",
        }
    }
}

/// The category of each family by its name. What registered collectors bring is all about the
/// machine, and is not listed.
#[derive(Debug, Default)]
pub(super) struct Catalogue(BTreeMap<String, Category>);

impl Catalogue {
    pub(super) fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn category(&self, name: &str) -> Category {
        self.0.get(name).copied().unwrap_or(Category::Resource)
    }
}

/// Makes metrics and registers them. Names and labels are literals, so a mistake shows in every test.
pub(super) struct Maker {
    registry: Registry,
    categories: RefCell<Catalogue>,
}

/// Makes the metrics of one category.
#[derive(Clone, Copy)]
pub(super) struct New<'a> {
    maker: &'a Maker,
    category: Category,
}

const SOUND: &str = "names are valid and given once";

impl Maker {
    pub(super) fn new() -> Self {
        Self { registry: Registry::new(), categories: RefCell::default() }
    }

    pub(super) fn of(&self, category: Category) -> New<'_> {
        New { maker: self, category }
    }

    pub(super) fn done(self) -> (Registry, Catalogue) {
        (self.registry, self.categories.into_inner())
    }
}

impl New<'_> {
    pub(super) fn register<C: Collector + 'static>(self, collector: C) {
        for desc in collector.desc() {
            let name = desc.fq_name.clone();
            self.maker.categories.borrow_mut().0.insert(name, self.category);
        }
        self.maker.registry.register(Box::new(collector)).expect(SOUND);
    }

    fn registered<C: Collector + Clone + 'static>(self, collector: prometheus::Result<C>) -> C {
        let collector = collector.expect(SOUND);
        self.register(collector.clone());
        collector
    }

    pub(super) fn counter(self, name: &str, help: &str) -> IntCounter {
        self.registered(IntCounter::with_opts(options(name, help)))
    }

    pub(super) fn counters(self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.registered(IntCounterVec::new(options(name, help), labels))
    }

    pub(super) fn counters_by<L: Label>(self, name: &str, help: &str) -> By<L, IntCounter> {
        children(&self.counters(name, help, &[L::NAME]))
    }

    /// Counters of which most kiosks never need one: a series appears when its thing has happened.
    pub(super) fn rare<L: Label>(self, name: &str, help: &str) -> Rare<L> {
        Rare::new(self.counters(name, help, &[L::NAME]))
    }

    pub(super) fn gauge(self, name: &str, help: &str) -> IntGauge {
        self.registered(IntGauge::with_opts(options(name, help)))
    }

    pub(super) fn number(self, name: &str, help: &str) -> Gauge {
        self.registered(Gauge::with_opts(options(name, help)))
    }

    pub(super) fn seconds(self, name: &str, help: &str) -> Counter {
        self.registered(Counter::with_opts(options(name, help)))
    }

    pub(super) fn gauges(self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.registered(IntGaugeVec::new(options(name, help), labels))
    }

    pub(super) fn gauges_by<L: Label>(self, name: &str, help: &str) -> By<L, IntGauge> {
        children(&self.gauges(name, help, &[L::NAME]))
    }

    pub(super) fn histogram(self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
        self.registered(Histogram::with_opts(options))
    }

    pub(super) fn histograms(
        self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> HistogramVec {
        let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
        self.registered(HistogramVec::new(options, labels))
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(format!("{PREFIX}{name}"), help)
}

fn children<L: Label, T: MetricVecBuilder>(family: &MetricVec<T>) -> By<L, T::M> {
    By::new(|value| family.with_label_values(&[value]))
}
