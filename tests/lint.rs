//! What a person who knows Prometheus would say about a family.

use std::collections::HashSet;

use linly_edge::metrics::{PREFIX, UNITS, series, unit};
use prometheus::proto::{Metric, MetricFamily, MetricType};

/// What a gauge without a unit ends in: the things that it counts, a number that names something, or
/// what is so (1) or not (0).
const WITHOUT_UNIT: [&str; 20] = [
    "alarm",
    "connections",
    "depth",
    "enabled",
    "fds",
    "frame",
    "id",
    "locked",
    "online",
    "peripherals",
    "present",
    "readable",
    "sessions",
    "stages",
    "state",
    "success",
    "suspended",
    "successful",
    "up",
    "view",
];

/// Units that are not the base unit of what they measure.
const SCALED: [&str; 24] = [
    "days",
    "fahrenheit",
    "gb",
    "gigabytes",
    "hours",
    "kb",
    "khz",
    "kilobytes",
    "mb",
    "megabytes",
    "mhz",
    "microseconds",
    "milliamperes",
    "milliseconds",
    "millivolts",
    "milliwatts",
    "minutes",
    "ms",
    "nanoseconds",
    "percent",
    "percentage",
    "us",
    "weeks",
    "wh",
];

/// Labels that the scraper adds, or that fleets put on their targets.
const TAKEN: [&str; 17] = [
    "le",
    "quantile",
    "job",
    "instance",
    "type",
    "region",
    "zone",
    "cluster",
    "az",
    "datacenter",
    "dc",
    "owner",
    "customer",
    "stage",
    "service",
    "environment",
    "env",
];

fn is_words(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    text.split('_').all(word) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn value(kind: MetricType, metric: &Metric) -> f64 {
    match kind {
        MetricType::COUNTER => metric.get_counter().get_value(),
        MetricType::GAUGE => metric.get_gauge().get_value(),
        MetricType::HISTOGRAM => metric.get_histogram().get_sample_sum(),
        MetricType::SUMMARY => metric.get_summary().sample_sum(),
        MetricType::UNTYPED => f64::NAN,
    }
}

fn lint_name(family: &MetricFamily, must: &mut impl FnMut(bool, &str)) {
    let name = family.name();
    let kind = family.get_field_type();
    let of_process = name.strip_prefix("process_");
    let base = name.strip_prefix(PREFIX).or(of_process);
    must(base.is_some(), "needs our prefix");
    let base = base.unwrap_or(name);
    must(is_words(name), "must be lower-case words joined by _");
    must(kind != MetricType::UNTYPED, "needs a type");
    let counts = kind == MetricType::COUNTER;
    must(counts == name.ends_with("_total"), "ends in _total exactly if it is a counter");
    for suffix in ["_count", "_sum", "_bucket", "_created", "_gsum", "_gcount"] {
        must(!name.ends_with(suffix), "ends like a sample of another type");
    }
    let words: Vec<&str> = base.split('_').collect();
    must(!words.iter().any(|word| SCALED.contains(word)), "must be in base units");
    must(!words.contains(&"by"), "says by what it is labelled");
    let units = words.iter().filter(|word| UNITS.contains(word)).count();
    must(units == usize::from(unit(family).is_some()), "has its one unit at the end");
    if kind == MetricType::GAUGE && unit(family).is_none() && !name.ends_with("_info") {
        let known = words.last().is_some_and(|last| WITHOUT_UNIT.contains(last));
        must(known, "needs a unit, or an ending in the list of those that have none");
    }
    if kind == MetricType::HISTOGRAM {
        must(unit(family).is_some(), "needs a unit");
    }
    must(!name.ends_with("_ratio") || kind == MetricType::GAUGE, "is a ratio and must be a gauge");
}

fn lint_values(family: &MetricFamily, must: &mut impl FnMut(bool, &str)) {
    let (name, kind) = (family.name(), family.get_field_type());
    let mut seen = HashSet::new();
    let mut names = None;
    for metric in family.get_metric() {
        let value = value(kind, metric);
        must(!value.is_nan(), "has a value that is no number");
        must(metric.timestamp_ms() == 0, "has a timestamp");
        if kind == MetricType::COUNTER {
            must(value >= 0.0, "is a counter below 0");
        }
        if name.ends_with("_info") {
            must(value == 1.0, "is an _info and must be 1");
        }
        if name.ends_with("_ratio") {
            must((0.0..=1.0).contains(&value), "is a ratio and must be within 0 and 1");
        }
        let bounds: Vec<f64> = metric
            .get_histogram()
            .get_bucket()
            .iter()
            .map(prometheus::proto::Bucket::upper_bound)
            .collect();
        if kind == MetricType::HISTOGRAM {
            let rising = bounds.is_sorted_by(|one, next| one < next);
            must(bounds.len() >= 4 && rising, "needs at least 4 rising buckets");
        }
        let labels: Vec<_> =
            metric.get_label().iter().map(|label| (label.name(), label.value())).collect();
        let these: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
        must(*names.get_or_insert_with(|| these.clone()) == these, "has series with other labels");
        for (label, value) in &labels {
            must(is_words(label) && !TAKEN.contains(label), "has a label that is taken or no word");
            must(value.len() <= 64, "has a label value of more than 64 bytes");
        }
        must(seen.insert(labels), "has the same series twice");
    }
    must(series(family) <= 40, "has more than 40 series");
}

/// What is wrong with a family, if anything.
pub(crate) fn lint(family: &MetricFamily) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        let told = format!("{} {what}", family.name());
        if !holds && !wrong.contains(&told) {
            wrong.push(told);
        }
    };
    lint_name(family, &mut must);
    lint_values(family, &mut must);
    let help = family.help();
    let sentence = help.ends_with('.') && help.starts_with(|c: char| c.is_uppercase());
    must(
        sentence && help.len() <= 200 && !help.contains('\n'),
        "needs a help of one short sentence",
    );
    wrong
}

/// What is wrong with families together, or with one of them.
pub(crate) fn lint_all(families: &[MetricFamily]) -> Vec<String> {
    let mut wrong: Vec<String> = families.iter().flat_map(lint).collect();
    let mut names = HashSet::new();
    for family in families {
        let name = family.name();
        let base = ["_total", "_info"].iter().find_map(|suffix| name.strip_suffix(suffix));
        if !names.insert(base.unwrap_or(name)) {
            wrong.push(format!("{name} is there twice"));
        }
    }
    wrong
}

#[test]
fn the_lint_finds_what_is_wrong() {
    use prometheus::{Counter, Gauge, GaugeVec, Histogram, HistogramOpts, Opts, core::Collector};
    fn gauge(name: &str, help: &str, value: f64) -> MetricFamily {
        let gauge = Gauge::new(name, help).unwrap();
        gauge.set(value);
        gauge.collect().remove(0)
    }
    fn labelled(label: &str, values: &[&str]) -> MetricFamily {
        let gauges = GaugeVec::new(Opts::new("linly_talker_a_bytes", "Help."), &[label]).unwrap();
        for value in values {
            gauges.with_label_values(&[value]).set(0.0);
        }
        gauges.collect().remove(0)
    }
    fn histogram(name: &str, buckets: &[f64]) -> MetricFamily {
        let options = HistogramOpts::new(name, "Help.").buckets(buckets.to_vec());
        Histogram::with_opts(options).unwrap().collect().remove(0)
    }
    let many: Vec<String> = (0..41).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let steps = [0.1, 0.2, 0.3, 0.4];
    for (family, wrong) in [
        (gauge("linly_talker_a_bytes", "Help.", 1.0), ""),
        (gauge("linly_talker_a_info", "Help.", 1.0), ""),
        (gauge("linly_talker_a_ratio", "Help.", 0.5), ""),
        (gauge("process_open_fds", "Help.", 1.0), ""),
        (histogram("linly_talker_a_seconds", &steps), ""),
        (labelled("model", &["asr", "tts"]), ""),
        (gauge("talker_a_bytes", "Help.", 1.0), "prefix"),
        (gauge("linly_talker_A_bytes", "Help.", 1.0), "lower-case"),
        (gauge("linly_talker__a_bytes", "Help.", 1.0), "lower-case"),
        (gauge("linly_talker_a_total", "Help.", 1.0), "exactly if it is a counter"),
        (gauge("linly_talker_bytes_count", "Help.", 1.0), "another type"),
        (gauge("linly_talker_a_milliseconds", "Help.", 1.0), "base units"),
        (gauge("linly_talker_a_percent", "Help.", 1.0), "base units"),
        (gauge("linly_talker_bytes_a", "Help.", 1.0), "one unit at the end"),
        (gauge("linly_talker_bytes_seconds", "Help.", 1.0), "one unit at the end"),
        (gauge("linly_talker_a", "Help.", 1.0), "needs a unit"),
        (gauge("linly_talker_a_info", "Help.", 2.0), "must be 1"),
        (gauge("linly_talker_a_ratio", "Help.", 1.5), "within 0 and 1"),
        (gauge("linly_talker_a_bytes", "Help.", f64::NAN), "no number"),
        (gauge("linly_talker_a_bytes", "help.", 1.0), "help"),
        (gauge("linly_talker_a_bytes", "Help", 1.0), "help"),
        (histogram("linly_talker_a", &steps), "needs a unit"),
        (histogram("linly_talker_a_seconds", &[0.1]), "4 rising buckets"),
        (labelled("zone", &["a"]), "label that is taken"),
        (labelled("Upper", &["a"]), "label that is taken or no word"),
        (gauge("linly_talker_a_by_model_bytes", "Help.", 1.0), "by what it is labelled"),
        (labelled("n", &["x".repeat(65).as_str()]), "64 bytes"),
        (labelled("n", &many), "more than 40 series"),
        (
            Counter::new("linly_talker_a_bytes", "Help.").unwrap().collect().remove(0),
            "exactly if it is a counter",
        ),
    ] {
        let found = lint(&family).join("\n");
        assert_eq!(found.is_empty(), wrong.is_empty(), "{}: {found:?}", family.name());
        assert!(found.contains(wrong), "{}: {found:?} and not {wrong:?}", family.name());
    }
    let twice = [
        gauge("linly_talker_a_bytes", "Help.", 1.0),
        Counter::new("linly_talker_a_bytes_total", "Help.").unwrap().collect().remove(0),
    ];
    assert_eq!(lint_all(&twice), ["linly_talker_a_bytes_total is there twice"]);
}
