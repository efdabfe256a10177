//! Families as `OpenMetrics` 1.0.0 text.
//!
//! The `prometheus` crate writes the older text format only. It has no exemplars either, so there are
//! none here; `_created` samples are left out because `process_start_time_seconds` tells the same once.

use std::fmt::Write;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::cap::base_name;

/// The units in which we measure: what comes last in the name of a family that has one. A name that
/// ends otherwise has no unit.
pub const UNITS: [&str; 12] = [
    "seconds", "bytes", "celsius", "volts", "amperes", "watts", "joules", "hertz", "ratio", "rpm",
    "metres", "grams",
];

/// The unit at the end of a family's name.
pub fn unit(family: &MetricFamily) -> Option<&'static str> {
    let (_, last) = base_name(family).rsplit_once('_')?;
    UNITS.into_iter().find(|unit| *unit == last)
}

/// Writes the families, and the mark behind the last that tells a whole scrape from a torn one.
pub(super) fn encode(families: &[MetricFamily]) -> String {
    let mut text = String::with_capacity(64 << 10);
    for family in families {
        Writer { to: &mut text, name: base_name(family) }.family(family);
    }
    text.push_str("# EOF\n");
    text
}

struct Writer<'a> {
    to: &'a mut String,
    name: &'a str,
}

impl Writer<'_> {
    fn family(&mut self, family: &MetricFamily) {
        let name = self.name;
        let kind = match family.get_field_type() {
            MetricType::COUNTER if name.len() == family.name().len() => "unknown",
            MetricType::COUNTER => "counter",
            MetricType::GAUGE if name.len() < family.name().len() => "info",
            MetricType::GAUGE => "gauge",
            MetricType::HISTOGRAM => "histogram",
            MetricType::SUMMARY => "summary",
            MetricType::UNTYPED => "unknown",
        };
        let _ = writeln!(self.to, "# TYPE {name} {kind}");
        if let Some(unit) = unit(family).filter(|_| kind != "info") {
            let _ = writeln!(self.to, "# UNIT {name} {unit}");
        }
        let _ = write!(self.to, "# HELP {name} ");
        escape(self.to, family.help());
        self.to.push('\n');
        for metric in family.get_metric() {
            self.metric(kind, family.get_field_type(), metric);
        }
    }

    fn metric(&mut self, kind: &str, of: MetricType, metric: &Metric) {
        match of {
            MetricType::COUNTER => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                self.sample(suffix, metric, None, metric.get_counter().get_value());
            }
            MetricType::GAUGE => {
                let suffix = if kind == "info" { "_info" } else { "" };
                self.sample(suffix, metric, None, metric.get_gauge().get_value());
            }
            // `cap::keep` lets none through: the crate cannot write them as text.
            MetricType::UNTYPED => {}
            MetricType::HISTOGRAM => {
                let histogram = metric.get_histogram();
                let all = histogram.get_sample_count();
                for bucket in histogram.get_bucket() {
                    let bound = bucket.upper_bound();
                    if bound < f64::INFINITY {
                        let bound = Some(("le", bound));
                        self.sample("_bucket", metric, bound, bucket.cumulative_count() as f64);
                    }
                }
                self.sample("_bucket", metric, Some(("le", f64::INFINITY)), all as f64);
                self.sample("_sum", metric, None, histogram.get_sample_sum());
                self.sample("_count", metric, None, all as f64);
            }
            MetricType::SUMMARY => {
                let summary = metric.get_summary();
                for quantile in summary.get_quantile() {
                    let which = Some(("quantile", quantile.quantile()));
                    self.sample("", metric, which, quantile.value());
                }
                self.sample("_sum", metric, None, summary.sample_sum());
                self.sample("_count", metric, None, summary.sample_count() as f64);
            }
        }
    }

    fn sample(&mut self, suffix: &str, metric: &Metric, more: Option<(&str, f64)>, value: f64) {
        self.to.push_str(self.name);
        self.to.push_str(suffix);
        self.labels(metric.get_label(), more);
        self.to.push(' ');
        number(self.to, value);
        self.to.push('\n');
    }

    fn labels(&mut self, labels: &[LabelPair], more: Option<(&str, f64)>) {
        if labels.is_empty() && more.is_none() {
            return;
        }
        self.to.push('{');
        for (position, label) in labels.iter().enumerate() {
            if position > 0 {
                self.to.push(',');
            }
            self.to.push_str(label.name());
            self.to.push_str("=\"");
            escape(self.to, label.value());
            self.to.push('"');
        }
        if let Some((name, value)) = more {
            if !labels.is_empty() {
                self.to.push(',');
            }
            self.to.push_str(name);
            self.to.push_str("=\"");
            number(self.to, value);
            self.to.push('"');
        }
        self.to.push('}');
    }
}

fn escape(to: &mut String, text: &str) {
    // Nearly always.
    if !text.contains(['\\', '"', '\n']) {
        return to.push_str(text);
    }
    for c in text.chars() {
        match c {
            '\\' => to.push_str("\\\\"),
            '"' => to.push_str("\\\""),
            '\n' => to.push_str("\\n"),
            c => to.push(c),
        }
    }
}

/// A number as `OpenMetrics` wants it, so that a bucket has one name everywhere: as short as is exact,
/// with a point or an exponent (1.0, 0.5, 1e+06, 2.5e-05).
fn number(to: &mut String, value: f64) {
    if value.is_nan() {
        to.push_str("NaN");
    } else if value.is_infinite() {
        to.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        let _ = write!(to, "{value:?}");
    } else {
        let from = to.len();
        let _ = write!(to, "{value:e}");
        let split = to[from..].find('e').map_or(to.len(), |at| from + at);
        let exponent: i32 = to[split + 1..].parse().unwrap_or_default();
        to.truncate(split);
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(to, "e{sign}{:02}", exponent.unsigned_abs());
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounter, Opts, core::Collector};

    use super::*;

    #[test]
    fn numbers_are_canonical() {
        for (value, told) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.0001, "0.0001"),
            (0.000_025, "2.5e-05"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1.1e23, "1.1e+23"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            let mut text = String::new();
            number(&mut text, value);
            assert_eq!(text, told);
            assert!(value.is_nan() || text.parse() == Ok(value), "{text}");
        }
    }

    #[test]
    fn every_type_is_written_as_the_format_wants_it() {
        let counter = IntCounter::new("sold_joules_total", "Energy\nsold.").unwrap();
        counter.inc_by(3);
        let info = GaugeVec::new(Opts::new("pie_info", "Which."), &["kind"]).unwrap();
        info.with_label_values(&["a \"b\" \\ c\n"]).set(1.0);
        let options = HistogramOpts::new("wait_seconds", "Wait.").buckets(vec![0.5, 1.0]);
        let histogram = Histogram::with_opts(options).unwrap();
        histogram.observe(0.75);
        let families: Vec<_> = [counter.collect(), info.collect(), histogram.collect()]
            .into_iter()
            .flatten()
            .collect();
        let expected = "# TYPE sold_joules counter\n# UNIT sold_joules joules\n\
            # HELP sold_joules Energy\\nsold.\nsold_joules_total 3.0\n\
            # TYPE pie info\n# HELP pie Which.\npie_info{kind=\"a \\\"b\\\" \\\\ c\\n\"} 1.0\n\
            # TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n# HELP wait_seconds Wait.\n\
            wait_seconds_bucket{le=\"0.5\"} 0.0\nwait_seconds_bucket{le=\"1.0\"} 1.0\n\
            wait_seconds_bucket{le=\"+Inf\"} 1.0\nwait_seconds_sum 0.75\nwait_seconds_count 1.0\n# EOF\n";
        assert_eq!(encode(&families), expected);
    }
}
