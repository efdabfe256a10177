//! The metrics a fresh daemon offers: names and units are as Prometheus expects them.

use linly_edge::metrics::{CONTENT_TYPE, Metrics, Model, Route};
use prometheus::proto::{MetricFamily, MetricType};

/// All families, including those that appear only once something happened.
fn families() -> Vec<MetricFamily> {
    let metrics = Metrics::default();
    metrics.http_request(Route::Metrics, 200);
    metrics.loaded(Model::Asr, "name", "int8", "tract");
    metrics.gather()
}

fn labels(family: &MetricFamily) -> Vec<String> {
    let metric = &family.get_metric()[0];
    metric.get_label().iter().map(|label| label.name().to_owned()).collect()
}

/// What is wrong with the name of a family, if anything.
fn lint(family: &MetricFamily) -> Vec<String> {
    let name = family.name();
    let kind = family.get_field_type();
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{name} {what}"));
        }
    };
    let word =
        |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    must(name.starts_with("linly_talker_") || name.starts_with("process_"), "needs our prefix");
    must(word(name) && !name.contains("__"), "must be words joined by _");
    let counts = kind == MetricType::COUNTER;
    must(counts == name.ends_with("_total"), "ends in _total exactly if it is a counter");
    let base = ["_seconds", "_bytes", "_celsius", "_watts", "_joules", "_ratio"];
    if kind == MetricType::HISTOGRAM {
        must(base.iter().any(|unit| name.ends_with(unit)), "must end with a base unit");
        for metric in family.get_metric() {
            let bounds: Vec<_> = metric
                .get_histogram()
                .get_bucket()
                .iter()
                .map(prometheus::proto::Bucket::upper_bound)
                .collect();
            must(bounds.len() >= 8 && bounds.is_sorted(), "needs at least 8 rising buckets");
        }
    }
    for scaled in
        ["ms", "milliseconds", "microseconds", "minutes", "percent", "kilobytes", "mb", "megabytes"]
    {
        must(!name.split('_').any(|part| part == scaled), "must be in base units");
    }
    for suffix in ["_count", "_sum", "_bucket"] {
        must(!name.ends_with(suffix), "ends like a part of a histogram");
    }
    if name.ends_with("_info") {
        let values = family.get_metric().iter().map(|metric| metric.get_gauge().get_value());
        must(values.into_iter().all(|value| value == 1.0), "is an _info and must be 1");
    }
    let help = family.help();
    must(
        help.ends_with('.') && help.starts_with(|c: char| c.is_uppercase()),
        "needs a help sentence",
    );
    for label in labels(family) {
        let reserved = ["le", "quantile", "job", "instance"].contains(&label.as_str());
        must(word(&label) && !reserved, &format!("has a label {label}"));
        let unit = name.split('_').any(|part| part == label);
        must(!unit || label == "model", &format!("repeats its label {label}"));
    }
    wrong
}

#[test]
fn names_and_units_follow_the_rules() {
    let wrong: Vec<_> = families().iter().flat_map(lint).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_metrics_that_were_promised_are_there_from_the_start() {
    let metrics = Metrics::default();
    metrics.http_request(Route::Metrics, 200);
    let text = String::from_utf8(metrics.encode()).unwrap();
    for name in [
        "linly_talker_requests_total{model=\"pipeline\",status=\"ok\"}",
        "linly_talker_request_latency_seconds_count{model=\"pipeline\"}",
        "linly_talker_asr_duration_seconds_count",
        "linly_talker_llm_first_token_seconds_count",
        "linly_talker_llm_duration_seconds_count",
        "linly_talker_tts_duration_seconds_count",
        "linly_talker_face_animator_duration_seconds_count",
        "linly_talker_face_animator_keypoints_per_frame",
        "linly_talker_concurrent_sessions",
        "linly_talker_turns_total{end=\"finished\"}",
        "linly_talker_hush_seconds_count",
        "linly_talker_speaker_underruns_total",
        "linly_talker_video_late_frames_total",
        "linly_talker_build_info{",
        "linly_talker_queue_depth{link=\"beats\"}",
        "linly_talker_dropped_total{link=\"chunks\"}",
        "linly_talker_engine_errors_total{step=\"llm\"}",
        "linly_talker_bad_input_total{reason=\"sound\"}",
        "linly_talker_http_requests_total{",
        "linly_talker_barge_ins_total",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing");
    }
    assert!(CONTENT_TYPE.starts_with(prometheus::TEXT_FORMAT));
}
