//! What a scrape may hold: each family once, of a type that can be written, and not too many series.

use std::collections::HashSet;

use prometheus::proto::{MetricFamily, MetricType};

/// The most series that a process offers. A scraper that is told to refuse a device with more than 500
/// refuses all of it, so the device must stay below by itself.
pub const SERIES_LIMIT: usize = 350;

/// How many series a family makes at the scraper; a histogram has one for each bucket, the last of
/// which has no bound, and two more for the sum and the count.
pub fn series(family: &MetricFamily) -> usize {
    let of_one = |metric: &prometheus::proto::Metric| match family.get_field_type() {
        MetricType::HISTOGRAM => {
            let buckets = metric.get_histogram().get_bucket();
            let finite = buckets.iter().filter(|bucket| bucket.upper_bound() != f64::INFINITY);
            finite.count() + 3
        }
        MetricType::SUMMARY => metric.get_summary().get_quantile().len() + 2,
        _ => 1,
    };
    family.get_metric().iter().map(of_one).sum()
}

/// The name of a family in `OpenMetrics`, where `_total` and `_info` belong to its samples.
pub(super) fn base_name(family: &MetricFamily) -> &str {
    let name = family.name();
    let suffix = match family.get_field_type() {
        MetricType::COUNTER => "_total",
        MetricType::GAUGE if is_info(family) => "_info",
        _ => "",
    };
    name.strip_suffix(suffix).unwrap_or(name)
}

/// Whether a gauge tells with its labels what something is.
fn is_info(family: &MetricFamily) -> bool {
    family.get_metric().iter().all(|metric| metric.get_gauge().get_value() == 1.0)
}

/// What the lines of a family begin with, in either format.
fn sample_names(family: &MetricFamily) -> Vec<String> {
    let name = family.name();
    let suffixes: &[&str] = match family.get_field_type() {
        MetricType::HISTOGRAM => &["_bucket", "_sum", "_count"],
        MetricType::SUMMARY => &["_sum", "_count"],
        _ => &[],
    };
    let mut names = vec![base_name(family).to_owned()];
    if names[0] != name {
        names.push(name.to_owned());
    }
    names.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    names
}

/// What was left out of a scrape.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    /// How many series.
    pub(super) series: usize,
    /// The families that they belong to.
    pub(super) families: Vec<String>,
}

/// Keeps, of `families` with the most important first, those that fit into `limit` series. A family
/// is kept whole or not at all, and one that is far too large does not take the later ones with it.
pub(super) fn keep(families: Vec<MetricFamily>, limit: usize) -> (Vec<MetricFamily>, Dropped) {
    let mut names = HashSet::new();
    let mut room = limit;
    let mut dropped = Dropped::default();
    let mut kept = Vec::with_capacity(families.len());
    for family in families {
        let count = series(&family);
        if count == 0 {
            continue;
        }
        let writable = family.get_field_type() != MetricType::UNTYPED;
        // A second family of a name makes the scraper refuse everything.
        let own = sample_names(&family);
        let alone = own.iter().all(|name| !names.contains(name));
        if writable && alone && count <= room {
            room -= count;
            names.extend(own);
            kept.push(family);
        } else {
            dropped.series += count;
            dropped.families.push(family.name().to_owned());
        }
    }
    (kept, dropped)
}

#[cfg(test)]
mod tests {
    use prometheus::{
        Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, Opts, core::Collector,
    };

    use super::*;

    fn gauges(name: &str, count: usize) -> MetricFamily {
        let family = GaugeVec::new(Opts::new(name, "Help."), &["n"]).unwrap();
        for number in 0..count {
            family.with_label_values(&[&number.to_string()]).set(1.0);
        }
        family.collect().remove(0)
    }

    fn names(families: &[MetricFamily]) -> Vec<&str> {
        families.iter().map(MetricFamily::name).collect()
    }

    #[test]
    fn a_histogram_counts_its_buckets_and_two_more() {
        let options = HistogramOpts::new("h_seconds", "Help.").buckets(vec![0.1, 0.2, 0.5]);
        let histogram = Histogram::with_opts(options).unwrap();
        assert_eq!(series(&histogram.collect()[0]), 6, "0.1 0.2 0.5 +Inf, sum, count");
        assert_eq!(series(&gauges("g", 7)), 7);
        assert_eq!(series(&gauges("g", 0)), 0);
    }

    #[test]
    fn whole_families_go_and_the_important_ones_stay() {
        let families = vec![gauges("a", 4), gauges("b", 900), gauges("c", 5), gauges("d", 2)];
        let (kept, dropped) = keep(families, 10);
        assert_eq!(names(&kept), ["a", "c"]);
        assert_eq!(dropped, Dropped { series: 902, families: vec!["b".into(), "d".into()] });
    }

    #[test]
    fn a_name_is_used_once() {
        let counter = IntCounter::new("volts_total", "Help.").unwrap();
        let gauge = Gauge::new("volts", "Help.").unwrap();
        let families = vec![counter.collect().remove(0), gauge.collect().remove(0)];
        let (kept, dropped) = keep(families, 10);
        assert_eq!((names(&kept), dropped.series), (vec!["volts_total"], 1));
        let histogram = Histogram::with_opts(HistogramOpts::new("a", "Help.")).unwrap();
        let families = vec![histogram.collect().remove(0), gauges("a_count", 2)];
        assert_eq!(keep(families, 100).1.families, ["a_count"]);
    }
}
