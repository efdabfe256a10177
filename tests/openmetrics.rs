//! Whatever the metrics hold, what is written of it can be read, and says the same.

use linly_edge::metrics::{Metrics, PREFIX};
use prometheus::{
    core::{Collector, Desc},
    proto::{
        Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
        Summary,
    },
};
use proptest::prelude::*;

use crate::support::openmetrics::parse;

const OPEN: &str = "application/openmetrics-text; version=1.0.0";

/// Brings the same families at every scrape.
struct Brings(Vec<MetricFamily>);

impl Collector for Brings {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.clone()
    }
}

fn exposed(families: Vec<MetricFamily>) -> String {
    let metrics = Metrics::default();
    metrics.register(Box::new(Brings(families))).unwrap();
    String::from_utf8(metrics.expose(Some(OPEN), None).body).unwrap()
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1e9..1e9,
        (0_u32..100).prop_map(f64::from),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
    ]
}

fn metric(kind: MetricType, value: f64, counts: &[u64], labels: &[(String, String)]) -> Metric {
    let pair = |(name, value): &(String, String)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.clone());
        pair.set_value(value.clone());
        pair
    };
    let mut metric = Metric::from_label(labels.iter().map(pair).collect());
    match kind {
        MetricType::COUNTER => {
            let mut counter = Counter::default();
            counter.set_value(if value.is_finite() { value.abs() } else { 0.0 });
            metric.set_counter(counter);
        }
        MetricType::GAUGE => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        MetricType::HISTOGRAM => {
            let mut histogram = Histogram::default();
            let mut sum = 0;
            let buckets = counts.iter().enumerate().map(|(number, count)| {
                sum += count;
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(0.000_01 * 7_f64.powi(number as i32));
                bucket.set_cumulative_count(sum);
                bucket
            });
            histogram.set_bucket(buckets.collect());
            histogram.set_sample_count(sum + 3);
            histogram.set_sample_sum(value);
            metric.set_histogram(histogram);
        }
        _ => {
            let mut summary = Summary::default();
            let mut quantile = Quantile::default();
            quantile.set_quantile(0.5);
            quantile.set_value(value);
            summary.set_quantile(vec![quantile]);
            summary.set_sample_count(counts.iter().sum());
            summary.set_sample_sum(value);
            metric.set_summary(summary);
        }
    }
    metric
}

prop_compose! {
    fn family()(
        name in "[a-z][a-z0-9_]{0,20}",
        ending in prop_oneof![
            Just(""), Just("_total"), Just("_info"), Just("_seconds"), Just("_seconds_total"), Just("_joules"),
        ],
        help in "\\PC{0,20}[\n\\\\\"]?\\PC{0,5}",
        kind in 0..4_usize,
        labels in proptest::collection::btree_map("[a-z][a-z0-9_]{0,8}", "\\PC{0,10}[\n\\\\\"]{0,2}", 0..3),
        given in proptest::collection::vec((values(), proptest::collection::vec(0..1_000_u64, 0..5)), 0..4),
    ) -> MetricFamily {
        let kind =
            [MetricType::COUNTER, MetricType::GAUGE, MetricType::HISTOGRAM, MetricType::SUMMARY][kind];
        let mut family = MetricFamily::default();
        family.set_name(format!("{PREFIX}{name}{ending}"));
        family.set_help(help);
        family.set_field_type(kind);
        let metrics = given.iter().enumerate().map(|(number, (value, counts))| {
            let mut labels: Vec<_> =
                labels.iter().map(|(name, value)| (format!("x{name}"), value.clone())).collect();
            labels.push(("n".into(), number.to_string()));
            metric(kind, *value, counts, &labels)
        });
        family.set_metric(metrics.collect());
        family
    }
}

fn same(one: f64, other: f64) -> bool {
    one == other || one.is_nan() && other.is_nan()
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(families in proptest::collection::vec(family(), 0..6)) {
        let text = exposed(families.clone());
        let read = parse(&text).map_err(|error| TestCaseError::fail(format!("{error} in\n{text}")))?;
        prop_assert!(read.contains_key("linly_talker_turns"), "ours are there, too");
        for family in &families {
            let stem = |suffix: &str| family.name().strip_suffix(suffix).unwrap_or(family.name());
            let base = match family.get_field_type() {
                MetricType::COUNTER => stem("_total"),
                MetricType::GAUGE if read.contains_key(family.name()) => family.name(),
                MetricType::GAUGE => stem("_info"),
                _ => family.name(),
            };
            // Names that two families share are given to the first.
            let alone = families.iter().filter(|other| other.name().contains(base)).count() == 1;
            if !alone || family.get_metric().is_empty() {
                continue;
            }
            let Some(found) = read.get(base) else { continue };
            prop_assert_eq!(found.help.as_deref(), Some(family.help()));
            for (number, metric) in family.get_metric().iter().enumerate() {
                let number = number.to_string();
                let samples: Vec<_> =
                    found.samples.iter().filter(|s| s.label("n") == Some(&number)).collect();
                for pair in metric.get_label() {
                    prop_assert!(samples.iter().all(|s| s.label(pair.name()) == Some(pair.value())));
                }
                let value = |suffix: &str| {
                    samples.iter().find(|s| s.suffix == suffix).map(|sample| sample.value)
                };
                let (told, meant) = match family.get_field_type() {
                    MetricType::COUNTER => (samples[0].value, metric.get_counter().get_value()),
                    MetricType::GAUGE => (samples[0].value, metric.get_gauge().get_value()),
                    MetricType::HISTOGRAM => {
                        let histogram = metric.get_histogram();
                        let count = value("_count").unwrap();
                        prop_assert_eq!(count, histogram.get_sample_count() as f64);
                        let buckets = samples.iter().filter(|s| s.suffix == "_bucket").count();
                        prop_assert_eq!(buckets, histogram.get_bucket().len() + 1);
                        (value("_sum").unwrap(), histogram.get_sample_sum())
                    }
                    _ => (value("_sum").unwrap(), metric.get_summary().sample_sum()),
                };
                prop_assert!(same(told, meant), "{} is not {}", told, meant);
            }
        }
    }
}

#[test]
fn the_reader_refuses_what_is_wrong() {
    let good = "# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n# HELP a_bytes Help.\n\
        a_bytes{x=\"\\\\\\n\\\"\"} 1.0\n# EOF\n";
    let read = parse(good).unwrap();
    assert_eq!(read["a_bytes"].samples[0].label("x"), Some("\\\n\""));
    for (from, to) in [
        ("# EOF\n", ""),
        ("# EOF\n", "# EOF\n\n"),
        ("# EOF\n", "\n# EOF\n"),
        ("gauge", "gage"),
        ("gauge", "counter"),
        ("gauge", "info"),
        ("UNIT a_bytes bytes", "UNIT a_bytes seconds"),
        ("1.0", "1"),
        ("1.0", "one"),
        ("1.0", ""),
        ("} 1.0", " 1.0"),
        ("\\n", "\\x"),
        ("x=", "9="),
        ("# EOF", "a_bytes{x=\"\\\\\\n\\\"\"} 2.0\n# EOF"),
        ("# EOF", "# TYPE b gauge\na_bytes 1.0\n# EOF"),
        ("# EOF", "# TYPE a_bytes gauge\n# EOF"),
        ("# EOF", "# TYPE h histogram\nh_bucket{le=\"1.0\"} 2.0\nh_sum 1.0\nh_count 2.0\n# EOF"),
        ("# EOF", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2.0\nh_sum 1.0\nh_count 3.0\n# EOF"),
        (
            "# EOF",
            "# TYPE h histogram\nh_bucket{le=\"1.0\"} 3.0\nh_bucket{le=\"+Inf\"} 2.0\nh_sum 1.0\n\
            h_count 2.0\n# EOF",
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(parse(&bad).is_err(), "{from:?} → {to:?} was not noticed in\n{bad}");
    }
}
