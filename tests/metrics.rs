//! The metrics a fresh daemon offers: names and units are as Prometheus expects them.

use std::time::Duration;

use linly_edge::{
    journal::Report,
    media::Device,
    metrics::{
        BadInput, Category, Metrics, Model, Refused, Route, SERIES_LIMIT, TlsFailure, series,
    },
    update::Update,
};
use prometheus::proto::MetricFamily;

use crate::lint::lint_all;

/// All families, including those that appear only once something happened.
pub(crate) fn families() -> Vec<MetricFamily> {
    let metrics = Metrics::default();
    metrics.http_request(Route::Metrics, 200);
    metrics.loaded(Model::Asr, "name", "int8", "tract");
    metrics.gpu_memory(Model::Asr, 0);
    metrics.certificate_ends("server", Some(0));
    metrics.handshake_failed(TlsFailure::Other);
    metrics.bad_input.of(BadInput::Request).inc();
    metrics.http_refused.of(Refused::Address).inc();
    metrics.device_works(Device::Camera, true);
    let version = "1.2.3".into();
    metrics.updated(&Update { result: "installed", version, unix_s: 1 });
    metrics.turn_ended(&Report::unheard(Duration::ZERO, Duration::ZERO));
    metrics.gather()
}

#[test]
fn names_and_units_follow_the_rules() {
    let wrong = lint_all(&families());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_process_leaves_room_for_the_board() {
    let metrics = Metrics::default();
    for model in [Model::Asr, Model::Llm, Model::Tts, Model::Face] {
        metrics.loaded(model, "name", "int8", "tract");
        metrics.gpu_memory(model, 0);
    }
    metrics.turn_ended(&Report::unheard(Duration::ZERO, Duration::ZERO));
    // A day in which everything was asked for, and two things in a wrong way.
    for (route, code) in [
        (Route::Metrics, 200),
        (Route::Livez, 200),
        (Route::Readyz, 200),
        (Route::Readyz, 503),
        (Route::Status, 200),
        (Route::Talk, 200),
        (Route::Talk, 429),
        (Route::Other, 404),
    ] {
        metrics.http_request(route, code);
    }
    let own: usize = metrics.gather().iter().map(series).sum();
    // The richest board that is known has 180 series.
    assert!(own + 180 <= SERIES_LIMIT, "{own} series of its own");
}

#[test]
fn the_categories_are_told() {
    let metrics = Metrics::default();
    for (name, category) in [
        ("linly_talker_request_latency_seconds", Category::Business),
        ("linly_talker_llm_duration_seconds", Category::Performance),
        ("process_resident_memory_bytes", Category::Resource),
        ("linly_talker_temperature_celsius", Category::Resource),
    ] {
        assert_eq!(metrics.category(name), category, "{name}");
    }
}

#[test]
fn all_metrics_that_were_promised_are_there_from_the_start() {
    let metrics = Metrics::default();
    metrics.http_request(Route::Metrics, 200);
    let text = String::from_utf8(metrics.expose(None, None).body).unwrap();
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
        "linly_talker_sessions_total",
        "linly_talker_first_lip_movement_seconds_count",
        "linly_talker_av_skew_seconds_count",
        "linly_talker_false_interruptions_total",
        "linly_talker_failed_turns_total{step=\"asr\"}",
        "linly_talker_memory_allocated_bytes",
        "linly_talker_series_dropped_total",
        "linly_talker_stuck_stages",
        "linly_talker_turns_total{end=\"finished\"}",
        "linly_talker_hush_seconds_count",
        "linly_talker_speaker_underruns_total",
        "linly_talker_video_late_frames_total",
        "linly_talker_build_info{",
        "linly_talker_queue_depth{link=\"beats\"}",
        "linly_talker_dropped_total{link=\"chunks\"}",
        "linly_talker_requests_total{model=\"llm\",status=\"failed\"}",
        "linly_talker_http_requests_total{",
        "linly_talker_barge_ins_total",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing");
    }
}
