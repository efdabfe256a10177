//! Each metric once: its category, name, help, labels and buckets.

use std::sync::{Mutex, Once, RwLock, atomic::AtomicU64};

use prometheus::Registry;

use crate::media::Device;

use super::{
    Category, Label, Link, Metrics, Model, Outcome, Route, TlsFailure,
    families::{Catalogue, FELT, Maker, PICTURE, PROMPT, REST, SKEW, STEP, WORK},
    process::Process,
};

/// Which state of the source this was built from, if whoever built it has said so.
const REVISION: &str = match option_env!("LINLY_EDGE_REVISION") {
    Some(revision) => revision,
    None => "",
};

impl Default for Metrics {
    fn default() -> Self {
        let maker = Maker::new();
        let business = maker.of(Category::Business);
        let performance = maker.of(Category::Performance);
        let resource = maker.of(Category::Resource);

        let requests = business.counters(
            "requests_total",
            "Requests to a model, or to the whole pipeline, by how they ended.",
            &[Model::NAME, Outcome::NAME],
        );
        // Those that can happen exist from the start; the recogniser is never too late, and only the
        // whole pipeline refuses.
        for model in Model::ALL {
            for outcome in Outcome::ALL {
                let happens = match outcome {
                    Outcome::Done | Outcome::Failed => true,
                    Outcome::Stale => *model != Model::Asr,
                    Outcome::Refused => *model == Model::Pipeline,
                };
                if happens {
                    requests.with_label_values(&[model.value(), outcome.value()]);
                }
            }
        }
        let request_latency = business.histograms(
            "request_latency_seconds",
            "From the end of the visitor's speech to the first sound of the answer.",
            &[Model::NAME],
            &FELT,
        );
        let dropped = performance.counters(
            "dropped_total",
            "Items that were lost because a link was full.",
            &[Link::NAME],
        );
        // Writers wait for room in all other links.
        for link in [Link::Chunks, Link::Faces] {
            dropped.with_label_values(&[link.value()]);
        }
        let build = resource.gauges(
            "build_info",
            "Always 1; the labels tell which program this is.",
            &["version", "revision", "arch"],
        );
        let (version, arch) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
        build.with_label_values(&[version, REVISION, arch]).set(1);
        resource.register(Process::default());

        let metrics = Self {
            requests,
            request_latency: request_latency.with_label_values(&[Model::Pipeline.value()]),
            first_lip_movement: business.histogram(
                "first_lip_movement_seconds",
                "From the end of the visitor's speech to the first picture whose mouth moves for the \
                 answer.",
                &FELT,
            ),
            av_skew: business.histogram(
                "av_skew_seconds",
                "How far pictures were off the sound they belong to when they were first seen, early or \
                 late.",
                &SKEW,
            ),
            hush: business.histogram(
                "hush_seconds",
                "From an interruption to the silence of the speaker.",
                &PROMPT,
            ),
            sessions: business
                .counter("sessions_total", "Visitors who came, or began to speak or to type."),
            sessions_ended: business.counters_by("sessions_ended_total", "Sessions, by how they ended."),
            greetings: business.counter("greetings_total", "Visitors who were greeted."),
            people_in_view: business
                .gauge("people_in_view", "People whom the camera sees in front of the kiosk."),
            camera_frames: performance
                .counter("camera_frames_total", "Pictures of the camera that were looked at."),
            camera_bad_frames: performance.counter(
                "camera_bad_frames_total",
                "Pictures of the camera that were damaged or came too late.",
            ),
            camera_last_frame: performance.gauge(
                "camera_last_frame_timestamp_seconds",
                "When the last picture of the camera was looked at, in seconds since 1970; 0 before the \
                 first.",
            ),
            face_detection: performance.seconds(
                "face_detection_seconds_total",
                "Computing time of looking for faces in the camera's pictures.",
            ),
            devices: resource.gauges(
                "device_up",
                "Whether a real device of the kiosk works (1) or is away (0).",
                &[Device::NAME],
            ),
            concurrent_sessions: business
                .gauge("concurrent_sessions", "Visitors who are being talked with."),
            turns: business.counters_by("turns_total", "Turns, by how they ended."),
            last_turn: business.gauges(
                "last_turn_timestamp_seconds",
                "When the last turn ended, in seconds since 1970; absent before the first.",
                &[],
            ),
            failed_turns: business.counters_by(
                "failed_turns_total",
                "Turns that got no answer, or not to its end, by the step that failed.",
            ),
            barge_ins: business.counter("barge_ins_total", "Answers that a visitor interrupted."),
            false_interruptions: business.counter(
                "false_interruptions_total",
                "Answers that were cut off by sound in which there were no words.",
            ),
            speaker_underruns: business.counter(
                "speaker_underruns_total",
                "Times that the speaker ran out of sound in the middle of an answer.",
            ),
            late_frames: business
                .counter("video_late_frames_total", "Pictures that came too late to be shown."),
            asr_duration: performance.histogram(
                "asr_duration_seconds",
                "Computing time of the recogniser for one utterance.",
                &WORK,
            ),
            asr_finish: performance.histogram(
                "asr_finish_seconds",
                "From the end of an utterance to its text.",
                &REST,
            ),
            llm_first_token: performance.histogram(
                "llm_first_token_seconds",
                "From a question to the first token of its answer.",
                &STEP,
            ),
            llm_duration: performance.histogram(
                "llm_duration_seconds",
                "From a question to the last token of its answer.",
                &WORK,
            ),
            llm_tokens: performance
                .counter("llm_tokens_total", "Tokens that the language model made."),
            tts_duration: performance.histogram(
                "tts_duration_seconds",
                "Computing time of the voice for one sentence.",
                &STEP,
            ),
            face_duration: performance.histogram(
                "face_animator_duration_seconds",
                "Computing time of the face model for one beat of 40 ms.",
                &PICTURE,
            ),
            face_keypoints: performance.gauge(
                "face_animator_keypoints_per_frame",
                "Key points that the face was last drawn from.",
            ),
            pictures_shown: performance
                .counter("pictures_shown_total", "Pictures that became visible on the display."),
            picture_draw: performance.histogram(
                "picture_draw_seconds",
                "Time to compose one picture of the screen, the face in it.",
                &PICTURE,
            ),
            queue_depth: performance.gauges_by("queue_depth", "Items that wait in a link."),
            depths: Mutex::default(),
            dropped,
            stuck_stages: performance.gauge(
                "stuck_stages",
                "Stages that have worked on one thing for longer than 10 s.",
            ),
            pulses: Mutex::default(),
            away: Mutex::default(),
            microphone_chunks: AtomicU64::default(),
            microphone_overruns: performance.counter(
                "microphone_overruns_total",
                "Times that sound from the microphone was lost before it was read.",
            ),
            echo_reduction: performance.number(
                "echo_reduction_ratio",
                "Power of the kiosk's own voice in the microphone over what the echo canceller leaves of \
                 it; 300 and more is good, 0 where it has not spoken or is not cancelled.",
            ),
            sound_drift: performance.number(
                "sound_drift_ratio",
                "How much faster the loudspeaker's clock runs than the microphone's; two cards are up to \
                 0.0003 apart.",
            ),
            echo_resynchronisations: performance.counter(
                "echo_resynchronisations_total",
                "Times that what is played had to be found anew in what is heard.",
            ),
            echo_work: performance.seconds(
                "sound_treatment_seconds_total",
                "Computing time of echo cancellation, noise suppression and gain control.",
            ),
            echo: Mutex::default(),
            bad_input: performance
                .rare("bad_input_total", "Things from outside that could not be used."),
            http_requests: performance.counters(
                "http_requests_total",
                "Requests over HTTP, by what was asked for and the status of the reply.",
                &[Route::NAME, "code"],
            ),
            replies: Mutex::default(),
            http_connections: performance
                .gauge("http_connections", "Open connections over HTTP."),
            http_refused: performance.rare(
                "http_refused_total",
                "Connections and requests that were turned away, by the reason.",
            ),
            // Most kiosks speak no TLS, or never fail: a kind appears when it has happened.
            tls_handshake_failures: performance.counters(
                "tls_handshake_failures_total",
                "TLS handshakes that failed, by what was wrong.",
                &[TlsFailure::NAME],
            ),
            certificate_expiry: resource.gauges(
                "tls_certificate_expiry_timestamp_seconds",
                "When a certificate ends, in seconds since 1970; the earliest of its file.",
                &["role"],
            ),
            config_reload_successful: performance.gauge(
                "config_last_reload_successful",
                "Whether the configuration was good when it was last read; else the one before stays.",
            ),
            update: resource.gauges(
                "update_timestamp_seconds",
                "When the last update of this device ended, in seconds since 1970, and how.",
                &["result", "version"],
            ),
            web_config_reloads: performance.counter(
                "web_config_reloads_total",
                "Times that a changed web configuration was taken over.",
            ),
            web_config_failures: performance.counter(
                "web_config_reload_failures_total",
                "Times that a changed web configuration was no good and the old one kept.",
            ),
            model_info: resource.gauges(
                "model_info",
                "Always 1; the labels tell which model of the pack does what, and what runs it.",
                &[Model::NAME, "name", "quantisation", "backend"],
            ),
            gpu_memory: resource.gauges(
                "gpu_memory_bytes",
                "Memory of the GPU that a model's weights and caches take; absent where its backend \
                 does not tell.",
                &[Model::NAME],
            ),
            memory_allocated: resource.gauge(
                "memory_allocated_bytes",
                "Memory that the program's own code has allocated and not released.",
            ),
            series_dropped: resource.counter(
                "series_dropped_total",
                "Series left out of scrapes because there were more than the process may offer.",
            ),
            warned: Once::new(),
            registered: RwLock::default(),
            registry: Registry::new(),
            catalogue: Catalogue::default(),
        };
        let (registry, catalogue) = maker.done();
        Self { registry, catalogue, ..metrics }
    }
}
