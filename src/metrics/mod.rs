//! Every metric of the daemon, on a registry of its own; `docs/metrics.md` is generated from it.
//!
//! Label values are enums, so that nothing from outside becomes a series. The label `model` says
//! which kind of model; which pack it comes from is told once, by `linly_talker_model_info`.

mod accept;
mod cap;
mod declare;
mod expose;
mod families;
mod labels;
mod memory;
mod openmetrics;
mod process;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, Once, PoisonError, RwLock, atomic::AtomicU64},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus::{
    Counter, Gauge, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
    core::Collector, proto::MetricFamily,
};

use self::families::Catalogue;
pub use self::{
    accept::{Escaping, Format},
    cap::{SERIES_LIMIT, series},
    expose::Exposed,
    families::{Category, PREFIX},
    labels::{
        BadInput, By, End, Label, Link, Model, Outcome, Parting, Rare, Refused, Route, TlsFailure,
    },
    openmetrics::{UNITS, unit},
};
use crate::{
    flow::{Depth, Pulses},
    journal::{self, Report},
    media::{Device, Step},
    sound::echo::Figures,
    update::Update,
};

/// The most pairs of a route and a status that are counted by themselves. The daemon makes about ten;
/// who provokes more by nonsense shares one series.
const REPLIES: usize = 24;

/// All metrics. Its fields are what their help says.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    catalogue: Catalogue,
    /// What other parts of the program have registered, the most important first.
    registered: RwLock<Vec<Arc<Foreign>>>,
    requests: IntCounterVec,
    /// Only of the whole pipeline; the models' own times have names of their own.
    pub request_latency: Histogram,
    pub first_lip_movement: Histogram,
    pub av_skew: Histogram,
    pub asr_duration: Histogram,
    pub asr_finish: Histogram,
    pub llm_first_token: Histogram,
    pub llm_duration: Histogram,
    pub llm_tokens: IntCounter,
    pub tts_duration: Histogram,
    pub face_duration: Histogram,
    pub face_keypoints: IntGauge,
    pub pictures_shown: IntCounter,
    pub picture_draw: Histogram,
    pub sessions: IntCounter,
    pub sessions_ended: By<Parting, IntCounter>,
    pub greetings: IntCounter,
    pub people_in_view: IntGauge,
    pub camera_frames: IntCounter,
    pub camera_bad_frames: IntCounter,
    pub camera_last_frame: IntGauge,
    pub face_detection: Counter,
    devices: IntGaugeVec,
    away: Mutex<HashSet<Device>>,
    /// Chunks that the microphone has given; no series, but what shows that it lives.
    pub microphone_chunks: AtomicU64,
    pub concurrent_sessions: IntGauge,
    pub turns: By<End, IntCounter>,
    last_turn: IntGaugeVec,
    pub failed_turns: By<Step, IntCounter>,
    pub barge_ins: IntCounter,
    pub false_interruptions: IntCounter,
    pub hush: Histogram,
    pub speaker_underruns: IntCounter,
    pub late_frames: IntCounter,
    pub microphone_overruns: IntCounter,
    echo_reduction: Gauge,
    sound_drift: Gauge,
    echo_resynchronisations: IntCounter,
    echo_work: Counter,
    echo: Mutex<Option<Arc<Figures>>>,
    queue_depth: By<Link, IntGauge>,
    depths: Mutex<Vec<(Link, Depth)>>,
    dropped: IntCounterVec,
    stuck_stages: IntGauge,
    pulses: Mutex<Pulses>,
    pub bad_input: Rare<BadInput>,
    http_requests: IntCounterVec,
    replies: Mutex<HashSet<(Route, u16)>>,
    pub http_connections: IntGauge,
    pub http_refused: Rare<Refused>,
    tls_handshake_failures: IntCounterVec,
    certificate_expiry: IntGaugeVec,
    pub config_reload_successful: IntGauge,
    update: IntGaugeVec,
    pub web_config_reloads: IntCounter,
    pub web_config_failures: IntCounter,
    model_info: IntGaugeVec,
    gpu_memory: IntGaugeVec,
    memory_allocated: IntGauge,
    series_dropped: IntCounter,
    warned: Once,
}

/// What another part of the program has registered.
struct Foreign(Box<dyn Collector>);

impl Foreign {
    fn names(&self) -> Vec<&str> {
        self.0.desc().into_iter().map(|desc| desc.fq_name.as_str()).collect()
    }
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_list().entries(self.names()).finish()
    }
}

impl Metrics {
    /// From now on offers what `collector` collects, after all that is there already: when there are
    /// more series than [`SERIES_LIMIT`], the last families are left out first, and of one collector
    /// those that it returns last. `collect` is called at every scrape, by several threads at once,
    /// and should only copy.
    ///
    /// # Errors
    /// It describes a family that is there already, or whose name lacks [`PREFIX`].
    pub fn register(&self, collector: Box<dyn Collector>) -> prometheus::Result<()> {
        let new = Foreign(collector);
        let mut registered = self.registered.write().unwrap_or_else(PoisonError::into_inner);
        for name in new.names() {
            let taken = registered.iter().any(|other| other.names().contains(&name));
            if taken || self.catalogue.knows(name) {
                return Err(prometheus::Error::AlreadyReg);
            }
            if !name.starts_with(PREFIX) {
                let told = format!("{name} does not begin with {PREFIX}");
                return Err(prometheus::Error::Msg(told));
            }
        }
        registered.push(Arc::new(new));
        Ok(())
    }

    /// Forgets which models were loaded, because others are.
    pub fn unloaded(&self) {
        self.model_info.reset();
    }

    /// Tells which model was loaded.
    pub fn loaded(&self, model: Model, name: &str, quantisation: &str, backend: &str) {
        self.model_info.with_label_values(&[model.value(), name, quantisation, backend]).set(1);
    }

    /// Tells how much memory of the GPU a model takes; to be called only where that is known.
    pub fn gpu_memory(&self, model: Model, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.gpu_memory.with_label_values(&[model.value()]).set(bytes);
    }

    /// Tells how the last update of this device ended.
    pub fn updated(&self, update: &Update) {
        self.update.reset();
        let labels = [update.result, update.version.as_str()];
        self.update.with_label_values(&labels).set(update.unix_s);
    }

    /// Notes whether a real device works.
    pub fn device_works(&self, device: Device, works: bool) {
        self.devices.with_label_values(&[device.value()]).set(i64::from(works));
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if works {
            away.remove(&device);
        } else {
            away.insert(device);
        }
    }

    /// Whether a device was working when that was last noted; one of which nothing was ever noted works.
    pub fn works(&self, device: Device) -> bool {
        !self.away.lock().unwrap_or_else(PoisonError::into_inner).contains(&device)
    }

    /// Counts a request over HTTP. Codes come from our own replies, so they are few.
    pub fn http_request(&self, route: Route, code: u16) {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        let known = replies.contains(&(route, code));
        if known || replies.len() < REPLIES {
            replies.insert((route, code));
            self.http_requests.with_label_values(&[route.value(), &code.to_string()]).inc();
        } else {
            self.http_requests.with_label_values(&[Route::Other.value(), "other"]).inc();
        }
    }

    /// Counts a TLS handshake that failed.
    pub fn handshake_failed(&self, kind: TlsFailure) {
        self.tls_handshake_failures.with_label_values(&[kind.value()]).inc();
    }

    /// How many TLS handshakes have failed like this.
    pub fn handshakes_failed(&self, kind: TlsFailure) -> u64 {
        self.tls_handshake_failures.with_label_values(&[kind.value()]).get()
    }

    /// Tells when a certificate (`server` or `client_ca`) ends; `None` if there is none.
    pub fn certificate_ends(&self, certificate: &'static str, unix_s: Option<i64>) {
        match unix_s {
            Some(end) => self.certificate_expiry.with_label_values(&[certificate]).set(end),
            None => drop(self.certificate_expiry.remove_label_values(&[certificate])),
        }
    }

    /// From now on tells how many items wait in a link.
    pub fn watch_depth(&self, link: Link, depth: Depth) {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner).push((link, depth));
    }

    /// From now on tells how many of these stages are stuck.
    pub fn watch_pulses(&self, pulses: Pulses) {
        *self.pulses.lock().unwrap_or_else(PoisonError::into_inner) = pulses;
    }

    /// From now on tells how well the echo canceller does.
    pub fn watch_echo(&self, figures: Arc<Figures>) {
        *self.echo.lock().unwrap_or_else(PoisonError::into_inner) = Some(figures);
    }

    /// An item was lost because its link was full.
    pub fn dropped(&self, link: Link) {
        self.dropped.with_label_values(&[link.value()]).inc();
    }

    /// How often requests to a model, or to the whole pipeline, ended in this way.
    pub fn requests(&self, model: Model, outcome: Outcome) -> u64 {
        self.requests.with_label_values(&[model.value(), outcome.value()]).get()
    }

    /// The work of an engine for one request has ended.
    pub fn request(&self, step: Step, outcome: Outcome) {
        self.requested(step.into(), outcome);
    }

    fn requested(&self, model: Model, outcome: Outcome) {
        self.requests.with_label_values(&[model.value(), outcome.value()]).inc();
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
        if let journal::End::Failed(step) = report.end {
            self.failed_turns.of(step).inc();
        }
        self.turns.of(end).inc();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_turn.with_label_values::<&str>(&[]).set(now.as_secs() as i64);
        self.requested(Model::Pipeline, outcome);
    }

    /// All metrics as they are now, sorted by name; never more than [`SERIES_LIMIT`] series.
    pub fn gather(&self) -> Vec<MetricFamily> {
        for (link, depth) in &*self.depths.lock().unwrap_or_else(PoisonError::into_inner) {
            self.queue_depth.of(*link).set(i64::try_from(depth.get()).unwrap_or(i64::MAX));
        }
        let stuck = self.pulses.lock().unwrap_or_else(PoisonError::into_inner).stuck_now().len();
        self.stuck_stages.set(i64::try_from(stuck).unwrap_or(i64::MAX));
        self.memory_allocated.set(i64::try_from(memory::allocated()).unwrap_or(i64::MAX));

        if let Some(echo) = &*self.echo.lock().unwrap_or_else(PoisonError::into_inner) {
            self.echo_reduction.set(10.0_f64.powf(echo.reduction_db() / 10.0));
            self.sound_drift.set(echo.drift());
            let new = echo.resynchronised().saturating_sub(self.echo_resynchronisations.get());
            self.echo_resynchronisations.inc_by(new);
            self.echo_work.inc_by((echo.worked().as_secs_f64() - self.echo_work.get()).max(0.0));
        }

        let mut families = self.registry.gather();
        families.sort_by_cached_key(|family| self.category(family.name()));
        // Copied, so that a slow collector delays no registration.
        let registered = self.registered.read().unwrap_or_else(PoisonError::into_inner).clone();
        families.extend(registered.iter().flat_map(|collector| collector.0.collect()));

        let (mut kept, dropped) = cap::keep(families, SERIES_LIMIT);
        if dropped.series > 0 {
            self.series_dropped.inc_by(dropped.series as u64);
            let count = self.series_dropped.collect();
            for family in kept.iter_mut().filter(|kept| kept.name() == count[0].name()) {
                family.clone_from(&count[0]);
            }
            self.warned.call_once(|| {
                tracing::warn!(
                    families = ?dropped.families,
                    "{} series are left out of /metrics, in these families: at most {SERIES_LIMIT} \
                     are offered, and each name once; this is told only now",
                    dropped.series
                );
            });
        }
        kept.sort_by(|one, other| one.name().cmp(other.name()));
        kept
    }

    /// Whose question a family answers; what other parts of the program have registered is about the
    /// machine.
    pub fn category(&self, name: &str) -> Category {
        self.catalogue.category(name)
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
            of::<Refused>(),
            of::<TlsFailure>(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_leads_to_its_own_series() {
        let metrics = Metrics::default();
        metrics.turns.of(End::Interrupted).inc();
        metrics.request(Step::Llm, Outcome::Stale);
        metrics.request(Step::Llm, Outcome::Stale);
        metrics.http_request(Route::Talk, 429);
        metrics.loaded(Model::Tts, "starter-tts-en", "int8 dynamic", "tract");
        let text = String::from_utf8(metrics.expose(None, None).body).unwrap();
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

    /// Brings as many series as it is told to, in families of ten.
    struct Many(usize);

    impl Collector for Many {
        fn desc(&self) -> Vec<&prometheus::core::Desc> {
            Vec::new()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            let family = |number: usize| {
                let options = prometheus::Opts::new(format!("{PREFIX}pad_{number:03}"), "Padding.");
                let family = prometheus::GaugeVec::new(options, &["n"]).unwrap();
                for n in 0..10 {
                    family.with_label_values(&[&n.to_string()]).set(1.0);
                }
                family.collect().remove(0)
            };
            (0..self.0 / 10).map(family).collect()
        }
    }

    fn count(families: &[MetricFamily]) -> usize {
        families.iter().map(series).sum()
    }

    fn has(families: &[MetricFamily], name: &str) -> bool {
        families.iter().any(|family| family.name() == format!("{PREFIX}{name}"))
    }

    #[test]
    fn too_many_series_are_left_out_and_counted() {
        let metrics = Metrics::default();
        let own = count(&metrics.gather());
        metrics.register(Box::new(Many(1000))).unwrap();
        let families = metrics.gather();
        assert!((SERIES_LIMIT - 9..=SERIES_LIMIT).contains(&count(&families)));
        assert!(has(&families, "turns_total") && has(&families, "pad_000"));
        assert!(!has(&families, "pad_099"), "the least important goes first");
        let lost = (own + 1000 - count(&families)) as u64;
        let told = families.iter().find(|family| family.name().ends_with("series_dropped_total"));
        assert_eq!(told.unwrap().get_metric()[0].get_counter().get_value() as u64, lost);
        metrics.gather();
        assert_eq!(metrics.series_dropped.get(), 2 * lost);
    }

    #[test]
    fn a_name_is_registered_once() {
        let metrics = Metrics::default();
        let gauge = |name: &str| Box::new(prometheus::Gauge::new(name, "Help.").unwrap());
        metrics.register(gauge("linly_talker_fan_duty_ratio")).unwrap();
        assert!(has(&metrics.gather(), "fan_duty_ratio"));
        assert!(metrics.register(gauge("linly_talker_fan_duty_ratio")).is_err());
        assert!(metrics.register(gauge("linly_talker_hush_seconds")).is_err());
        assert!(metrics.register(gauge("fan_speed_rpm")).is_err());
    }

    #[test]
    fn nonsense_over_http_makes_few_series() {
        let metrics = Metrics::default();
        let before = count(&metrics.gather());
        for code in 100..600 {
            metrics.http_request(Route::Talk, code);
        }
        assert_eq!(count(&metrics.gather()), before + REPLIES + 1);
    }
}
