//! Every metric of the daemon, on a registry of its own; `docs/metrics.md` is generated from it.
//!
//! Label values are enums, so that nothing from outside becomes a series. The label `model` says
//! which kind of model; which pack it comes from is told once, by `linly_talker_model_info`.

use std::{
    marker::PhantomData,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
    core::{Collector, MetricVec, MetricVecBuilder},
    process_collector::ProcessCollector,
    proto::MetricFamily,
};

use crate::{
    flow::Depth,
    journal::{self, Report},
    media::Step,
};

/// The `Content-Type` of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Steps of a turn, in seconds.
const STEP: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0];
/// Work per picture, of which there are 25 a second, in seconds.
const PICTURE: [f64; 10] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.1];
/// What a person must not notice, in seconds; the bars are 0.05 and 0.1.
const PROMPT: [f64; 9] = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];

/// A label whose values are known beforehand.
pub trait Label: Copy + 'static {
    /// The label.
    const NAME: &'static str;
    /// All of its values.
    const ALL: &'static [Self];
    /// How this value is written.
    fn value(self) -> &'static str;
}

/// An enum, its label's name, and how each variant is written: said once instead of four times.
macro_rules! label {
    ($(#[$doc:meta])* $enum:ident $name:literal { $($(#[$what:meta])* $variant:ident $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum { $($(#[$what])* $variant,)+ }

        impl Label for $enum {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn value(self) -> &'static str {
                match self { $(Self::$variant => $value,)+ }
            }
        }
    };
}

label! {
    /// Who does the work of a request.
    Model "model" {
        /// The recogniser.
        Asr "asr",
        /// The language model.
        Llm "llm",
        /// The voice.
        Tts "tts",
        /// The face.
        Face "face",
        /// All of them, from a question to its answer.
        Pipeline "pipeline",
    }
}

impl From<Step> for Model {
    fn from(step: Step) -> Self {
        match step {
            Step::Asr => Self::Asr,
            Step::Llm => Self::Llm,
            Step::Tts => Self::Tts,
            Step::Face => Self::Face,
        }
    }
}

label! {
    /// How a request to a model ended.
    Outcome "status" {
        /// With a result.
        Done "ok",
        /// With an error.
        Failed "failed",
        /// Nobody wanted the result any more.
        Stale "stale",
        /// Not begun, because the kiosk was busy or the input was no good.
        Refused "refused",
    }
}

label! {
    /// How a turn ended.
    End "end" {
        /// The whole answer has sounded.
        Finished "finished",
        /// The visitor spoke, or a newer request came.
        Interrupted "interrupted",
        /// A step failed.
        Failed "failed",
        /// Nothing was understood, so there was nothing to answer.
        Silent "silent",
    }
}

label! {
    /// A link between two stages.
    Link "link" {
        /// `hear` to `listen`.
        Chunks "chunks",
        /// All to `converse`.
        Events "events",
        /// `think` to `speak`.
        Sentences "sentences",
        /// `speak` to `animate`.
        Voices "voices",
        /// `animate` to `play`.
        Beats "beats",
        /// `play` to `show`.
        Faces "faces",
    }
}

impl Label for Step {
    const NAME: &'static str = "step";
    const ALL: &'static [Self] = &Step::ALL;
    fn value(self) -> &'static str {
        self.name()
    }
}

label! {
    /// What was wrong with something that came from outside.
    BadInput "reason" {
        /// Not HTTP, or more header than is allowed.
        Request "request",
        /// It did not come, or not to its end, in time.
        Slow "slow",
        /// A body larger than is allowed.
        Size "size",
        /// A body of a type that is not understood.
        Type "type",
        /// Not the JSON that is expected.
        Json "json",
        /// Text that is empty or too long.
        Text "text",
        /// A recording that is broken, empty, silent or too long.
        Sound "sound",
    }
}

label! {
    /// What was asked for over HTTP.
    Route "route" {
        /// The page for people.
        Page "/",
        /// These metrics.
        Metrics "/metrics",
        /// Whether the daemon must be restarted.
        Livez "/livez",
        /// Whether it can answer.
        Readyz "/readyz",
        /// How it is.
        Status "/status",
        /// One turn.
        Talk "/talk",
        /// The video of an answer.
        Video "/video",
        /// Anything else, or nothing that could be understood.
        Other "other",
    }
}

/// One metric for each value of a label; all of them exist from the start, so that rates do too.
pub struct By<L: Label, M> {
    children: Vec<M>,
    label: PhantomData<fn(L)>,
}

impl<L: Label, M> std::fmt::Debug for By<L, M> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "by {}", L::NAME)
    }
}

impl<L: Label, M> By<L, M> {
    fn new(mut child: impl FnMut(&'static str) -> M) -> Self {
        let children = L::ALL.iter().map(|label| child(label.value())).collect();
        Self { children, label: PhantomData }
    }

    /// The one for `label`.
    pub fn of(&self, label: L) -> &M {
        let position = L::ALL.iter().position(|other| other.value() == label.value());
        &self.children[position.expect("ALL holds every variant")]
    }
}

/// All metrics. Its fields are what their help says.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub requests: By<Model, By<Outcome, IntCounter>>,
    /// Only of the whole pipeline; the models' own times have names of their own.
    pub request_latency: Histogram,
    pub asr_duration: Histogram,
    pub asr_finish: Histogram,
    pub llm_first_token: Histogram,
    pub llm_duration: Histogram,
    pub llm_tokens: IntCounter,
    pub tts_duration: Histogram,
    pub face_duration: Histogram,
    pub face_keypoints: IntGauge,
    pub picture_draw: Histogram,
    pub concurrent_sessions: IntGauge,
    pub turns: By<End, IntCounter>,
    pub barge_ins: IntCounter,
    pub hush: Histogram,
    pub speaker_underruns: IntCounter,
    pub late_frames: IntCounter,
    pub microphone_overruns: IntCounter,
    queue_depth: By<Link, IntGauge>,
    depths: Mutex<Vec<(Link, Depth)>>,
    pub dropped: By<Link, IntCounter>,
    pub engine_errors: By<Step, IntCounter>,
    pub bad_input: By<BadInput, IntCounter>,
    http_requests: IntCounterVec,
    model_info: IntGaugeVec,
}

impl Default for Metrics {
    fn default() -> Self {
        let new = Maker(Registry::new());
        let http_requests = new.counters(
            "http_requests_total",
            "Requests over HTTP, by what was asked for and the status of the reply.",
            &[Route::NAME, "code"],
        );
        let requests = new.counters(
            "requests_total",
            "Requests to a model, or to the whole pipeline, by how they ended.",
            &[Model::NAME, Outcome::NAME],
        );
        let request_latency = new.histograms(
            "request_latency_seconds",
            "From the end of the visitor's speech to the first sound of the answer.",
            &[Model::NAME],
            &STEP,
        );
        let build = new.gauges(
            "build_info",
            "Always 1; the labels tell which program this is.",
            &["version", "arch"],
        );
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), std::env::consts::ARCH]).set(1);
        new.register(ProcessCollector::for_self());
        Self {
            requests: By::new(|model| {
                By::new(|outcome| requests.with_label_values(&[model, outcome]))
            }),
            request_latency: request_latency.with_label_values(&[Model::Pipeline.value()]),
            asr_duration: new.histogram(
                "asr_duration_seconds",
                "Computing time of the recogniser for one utterance.",
                &STEP,
            ),
            asr_finish: new.histogram(
                "asr_finish_seconds",
                "From the end of an utterance to its text.",
                &PROMPT,
            ),
            llm_first_token: new.histogram(
                "llm_first_token_seconds",
                "From a question to the first token of its answer.",
                &STEP,
            ),
            llm_duration: new.histogram(
                "llm_duration_seconds",
                "From a question to the last token of its answer.",
                &STEP,
            ),
            llm_tokens: new.counter("llm_tokens_total", "Tokens that the language model made."),
            tts_duration: new.histogram(
                "tts_duration_seconds",
                "Computing time of the voice for one sentence.",
                &STEP,
            ),
            face_duration: new.histogram(
                "face_animator_duration_seconds",
                "Computing time of the face model for one beat of 40 ms.",
                &PICTURE,
            ),
            face_keypoints: new.gauge(
                "face_animator_keypoints_per_frame",
                "Key points that the face was last drawn from.",
            ),
            picture_draw: new.histogram(
                "picture_draw_seconds",
                "Time to draw one picture of the face.",
                &PICTURE,
            ),
            concurrent_sessions: new
                .gauge("concurrent_sessions", "Visitors who are being talked with."),
            turns: new.counters_by("turns_total", "Turns, by how they ended."),
            barge_ins: new.counter("barge_ins_total", "Answers that a visitor interrupted."),
            hush: new.histogram(
                "hush_seconds",
                "From an interruption to the silence of the speaker.",
                &PROMPT,
            ),
            speaker_underruns: new.counter(
                "speaker_underruns_total",
                "Times that the speaker ran out of sound in the middle of an answer.",
            ),
            late_frames: new
                .counter("video_late_frames_total", "Pictures that came too late to be shown."),
            microphone_overruns: new.counter(
                "microphone_overruns_total",
                "Times that sound from the microphone was lost before it was read.",
            ),
            depths: Mutex::default(),
            queue_depth: new.gauges_by("queue_depth", "Items that wait in a link."),
            dropped: new
                .counters_by("dropped_total", "Items that were lost because a link was full."),
            engine_errors: new.counters_by("engine_errors_total", "Failures of an engine."),
            bad_input: new
                .counters_by("bad_input_total", "Things from outside that could not be used."),
            model_info: new.gauges(
                "model_info",
                "Always 1; the labels tell which model of the pack does what, and what runs it.",
                &[Model::NAME, "name", "quantisation", "backend"],
            ),
            http_requests,
            registry: new.0,
        }
    }
}

impl Metrics {
    /// Tells, once, which model was loaded.
    pub fn loaded(&self, model: Model, name: &str, quantisation: &str, backend: &str) {
        self.model_info.with_label_values(&[model.value(), name, quantisation, backend]).set(1);
    }

    /// Counts a request over HTTP. Codes come from our own replies, so they are few.
    pub fn http_request(&self, route: Route, code: u16) {
        self.http_requests.with_label_values(&[route.value(), &code.to_string()]).inc();
    }

    /// From now on tells how many items wait in a link.
    pub fn watch_depth(&self, link: Link, depth: Depth) {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner).push((link, depth));
    }

    /// The work of an engine for one request has ended.
    pub fn request(&self, step: Step, outcome: Outcome) {
        if outcome == Outcome::Failed {
            self.engine_errors.of(step).inc();
        }
        self.requests.of(step.into()).of(outcome).inc();
    }

    /// The visitor hears the first sound of an answer, `latency` after the end of speech.
    pub fn first_sound(&self, latency: Duration) {
        self.request_latency.observe(latency.as_secs_f64());
    }

    /// An exchange has ended.
    pub fn turn_ended(&self, report: &Report) {
        let (end, outcome) = match report.end {
            journal::End::Finished => (End::Finished, Outcome::Done),
            journal::End::Interrupted => (End::Interrupted, Outcome::Stale),
            journal::End::Failed(_) => (End::Failed, Outcome::Failed),
            journal::End::Unheard => (End::Silent, Outcome::Refused),
        };
        if end == End::Interrupted {
            self.barge_ins.inc();
        }
        self.turns.of(end).inc();
        self.requests.of(Model::Pipeline).of(outcome).inc();
    }

    /// All metrics as they are now, sorted by name.
    pub fn gather(&self) -> Vec<MetricFamily> {
        for (link, depth) in &*self.depths.lock().unwrap_or_else(PoisonError::into_inner) {
            self.queue_depth.of(*link).set(i64::try_from(depth.get()).unwrap_or(i64::MAX));
        }
        self.registry.gather()
    }

    /// All metrics in the text format of Prometheus; see [`CONTENT_TYPE`].
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be written");
        }
        text
    }

    /// Every label of the enums above with its values.
    pub fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        fn of<L: Label>() -> (&'static str, Vec<&'static str>) {
            (L::NAME, L::ALL.iter().map(|label| label.value()).collect())
        }
        vec![
            of::<Model>(),
            of::<Outcome>(),
            of::<End>(),
            of::<Link>(),
            of::<Step>(),
            of::<BadInput>(),
            of::<Route>(),
        ]
    }
}

/// Makes metrics and registers them. Names and labels are literals, so a mistake shows in every test.
struct Maker(Registry);

const SOUND: &str = "names are valid and given once";

impl Maker {
    fn register<C: Collector + 'static>(&self, collector: C) {
        self.0.register(Box::new(collector)).expect(SOUND);
    }

    fn registered<C: Collector + Clone + 'static>(&self, collector: prometheus::Result<C>) -> C {
        let collector = collector.expect(SOUND);
        self.register(collector.clone());
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.registered(IntCounter::with_opts(options(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.registered(IntCounterVec::new(options(name, help), labels))
    }

    fn counters_by<L: Label>(&self, name: &str, help: &str) -> By<L, IntCounter> {
        children(&self.counters(name, help, &[L::NAME]))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.registered(IntGauge::with_opts(options(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.registered(IntGaugeVec::new(options(name, help), labels))
    }

    fn gauges_by<L: Label>(&self, name: &str, help: &str) -> By<L, IntGauge> {
        children(&self.gauges(name, help, &[L::NAME]))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
        self.registered(Histogram::with_opts(options))
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
        self.registered(HistogramVec::new(options, labels))
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("linly_talker")
}

fn children<L: Label, T: MetricVecBuilder>(family: &MetricVec<T>) -> By<L, T::M> {
    By::new(|value| family.with_label_values(&[value]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_leads_to_its_own_series() {
        let metrics = Metrics::default();
        metrics.turns.of(End::Interrupted).inc();
        metrics.requests.of(Model::Llm).of(Outcome::Stale).inc_by(2);
        metrics.http_request(Route::Talk, 429);
        metrics.loaded(Model::Tts, "starter-tts-en", "int8 dynamic", "tract");
        let text = String::from_utf8(metrics.encode()).unwrap();
        for line in [
            "linly_talker_turns_total{end=\"interrupted\"} 1",
            "linly_talker_turns_total{end=\"finished\"} 0",
            "linly_talker_requests_total{model=\"llm\",status=\"stale\"} 2",
            "linly_talker_http_requests_total{code=\"429\",route=\"/talk\"} 1",
            "linly_talker_model_info{backend=\"tract\",model=\"tts\",name=\"starter-tts-en\",quantisation=\"int8 dynamic\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn two_sets_of_metrics_do_not_know_each_other() {
        let (one, other) = (Metrics::default(), Metrics::default());
        one.barge_ins.inc();
        assert_eq!((one.barge_ins.get(), other.barge_ins.get()), (1, 0));
    }
}
