//! Scrapes of the real daemon over HTTP, by ourselves and by the tools of Prometheus.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use linly_edge::{
    admin::{Admin, Ask, Front, Refusal, Status, Told},
    config,
    media::Press,
    metrics::{Metrics, PREFIX, SERIES_LIMIT, series},
};
use prometheus::{
    GaugeVec, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use serde_json::Value;

use crate::support::{
    daemon::{Daemon, get},
    openmetrics::parse,
};

const OPEN: &str = "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
    text/plain;version=0.0.4;q=0.2\r\n";

/// The Python that Debian's packages are for.
const PYTHON: &str = "/usr/bin/python3";

/// Whether a program is installed; says what to do if not.
fn installed(program: &str, package: &str, what: &str) -> bool {
    let runs = Command::new(program).arg("--version").output().is_ok();
    if !runs {
        println!("skipped: install {package} ({program} is missing), {what}");
    }
    runs
}

#[test]
fn both_formats_of_a_running_daemon_pass_the_checks() {
    let daemon = Daemon::start();
    let text = daemon.get("/metrics", "");
    assert_eq!(text.status, 200);
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(text.header("vary"), "Accept, Accept-Encoding");

    let open = daemon.get("/metrics", &format!("{OPEN}Accept-Encoding: gzip\r\n"));
    assert_eq!(
        open.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    );
    assert_eq!(open.header("content-encoding"), "gzip");
    let mut unpacked = String::new();
    GzDecoder::new(open.body.as_slice()).read_to_string(&mut unpacked).unwrap();
    let families = parse(&unpacked).unwrap_or_else(|error| panic!("{error} in\n{unpacked}"));
    let latency = &families["linly_talker_request_latency_seconds"];
    assert_eq!((latency.kind.as_str(), latency.unit.as_deref()), ("histogram", Some("seconds")));
    assert_eq!(families["linly_talker_model_info".trim_end_matches("_info")].kind, "info");
    let memory = families["linly_talker_memory_allocated_bytes"].samples[0].value;
    assert!((1e6..4e9).contains(&memory), "{memory} bytes");

    if installed("promtool", "prometheus", "so the names were only checked by our own lint") {
        let told = pipe(&["promtool", "check", "metrics", "--extended"], &text.body);
        assert!(told.0, "promtool found:\n{}\nin:\n{}", told.1, text.text());
    }
    let python = "from prometheus_client.openmetrics.parser import text_string_to_metric_families\n\
        import sys\nassert len(list(text_string_to_metric_families(sys.stdin.read()))) > 20";
    let import = ["-c", "import prometheus_client.openmetrics.parser"];
    let has = Command::new(PYTHON).args(import).output();
    if has.is_ok_and(|output| output.status.success()) {
        let told = pipe(&[PYTHON, "-c", python], unpacked.as_bytes());
        assert!(told.0, "Python's reader of OpenMetrics said:\n{}\nof:\n{unpacked}", told.1);
    } else {
        println!("skipped: install python3-prometheus-client to have OpenMetrics read by it, too");
    }
}

/// Runs a command on some input; whether it was content, and what it said.
fn pipe(command: &[&str], input: &[u8]) -> (bool, String) {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A Prometheus that scrapes one daemon every second.
struct Prometheus {
    process: Child,
    address: String,
}

impl Prometheus {
    fn start(daemon: &Daemon) -> Self {
        let folder = daemon.folder.path();
        let config = folder.join("prometheus.yml");
        let scrapes = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
            scrape_configs: [{{job_name: kiosk, sample_limit: {}, \
            static_configs: [{{targets: ['{}']}}]}}]\n",
            SERIES_LIMIT, daemon.address
        );
        fs::write(&config, scrapes).unwrap();
        // Prometheus does not tell which port it got for port 0.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, address }
    }

    /// The data of an answer; `None` while there is none.
    fn ask(&self, path: &str) -> Option<Value> {
        let got = get(&self.address, path, "").ok().filter(|got| got.status == 200)?;
        serde_json::from_slice::<Value>(&got.body).ok().map(|mut json| json["data"].take())
    }

    /// The value of the only series that a query finds.
    fn value(&self, query: &str) -> Option<f64> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let data = self.ask(&format!("/api/v1/query?query={encoded}"))?;
        let [only] = data["result"].as_array()?.as_slice() else { return None };
        only["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_real_prometheus_scrapes_the_daemon() {
    if !installed("prometheus", "prometheus", "so no real Prometheus has scraped the daemon") {
        return;
    }
    let daemon = Daemon::start();
    let prometheus = Prometheus::start(&daemon);
    let until = Instant::now() + Duration::from_mins(1);
    while prometheus.value("up{job=\"kiosk\"} == 1") != Some(1.0) {
        let targets = prometheus.ask("/api/v1/targets").unwrap_or_default();
        assert!(Instant::now() < until, "it is not scraped: {targets}");
        std::thread::sleep(Duration::from_millis(100));
    }
    for (query, value) in [
        ("linly_talker_turns_total{end=\"finished\"}", 0.0),
        ("linly_talker_build_info", 1.0),
        // This bound has its point only in OpenMetrics.
        ("linly_talker_request_latency_seconds_bucket{le=\"1.0\"}", 0.0),
        ("count({__name__=~\"linly_talker_request_latency_seconds_(bucket|sum|count)\"})", 9.0),
        ("linly_talker_series_dropped_total", 0.0),
    ] {
        assert_eq!(prometheus.value(query), Some(value), "{query}");
    }
    let about =
        prometheus.ask("/api/v1/targets/metadata?metric=linly_talker_hush_seconds").unwrap();
    assert_eq!((&about[0]["type"], &about[0]["unit"]), (&"histogram".into(), &"seconds".into()));
    let samples = prometheus.value("scrape_samples_scraped").unwrap();
    assert!((100.0..300.0).contains(&samples), "{samples} samples");
}

/// Series as a board has them.
struct Board(usize);

impl Collector for Board {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let family = |number: usize| {
            let name = format!("{PREFIX}board_{number}_celsius");
            let family =
                GaugeVec::new(Opts::new(name, "What a sensor says."), &["sensor"]).unwrap();
            for sensor in 0..6.min(self.0 - number * 6) {
                let value = 20.0 + (number * 7 + sensor) as f64 * 0.37;
                family.with_label_values(&[&format!("sensor-{sensor}")]).set(value);
            }
            family.collect().remove(0)
        };
        (0..self.0.div_ceil(6)).map(family).collect()
    }
}

struct Nobody;

impl Front for Nobody {
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
    fn stuck(&self) -> Vec<String> {
        Vec::new()
    }
    fn status(&self) -> Status {
        Status::default()
    }
    fn press(&self, _press: Press) -> bool {
        true
    }

    fn talk(&self, _: Ask) -> Result<Told, Refusal> {
        Err(Refusal::Stopping)
    }
}

#[test]
fn a_thousand_scrapes_of_300_series_are_quick_and_small() {
    const SCRAPES: usize = 1000;
    let metrics = Arc::new(Metrics::default());
    let own: usize = metrics.gather().iter().map(series).sum();
    metrics.register(Box::new(Board(300 - own - 1))).unwrap();
    let config = config::Admin {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..config::Admin::default()
    };
    let admin =
        Admin::start(&config, Arc::new(Nobody), Arc::clone(&metrics), |_| Err(String::new()))
            .unwrap();
    let address = admin.address().to_string();
    let plain = get(&address, "/metrics", OPEN).unwrap().body.len();
    let headers = format!("{OPEN}Accept-Encoding: gzip\r\n");
    let mut took = Vec::new();
    let mut packed = 0;
    for _ in 0..SCRAPES {
        let began = Instant::now();
        packed = get(&address, "/metrics", &headers).unwrap().body.len();
        took.push(began.elapsed());
    }
    took.sort();
    let count: usize = metrics.gather().iter().map(series).sum();
    let (median, slow) = (took[SCRAPES / 2], took[SCRAPES * 99 / 100]);
    println!("{count} series: p50 {median:?}, p99 {slow:?}, {plain} bytes, {packed} bytes gzipped");
    assert_eq!(count, 300);
    assert!(packed <= 8 << 10, "{packed} bytes gzipped");
    assert!(plain <= 40 << 10, "{plain} bytes");
    // The bar is a p99 of 5 ms on a machine with nothing else to do, which `make bench` measures; tests
    // run beside builds.
    assert!(median <= Duration::from_millis(200), "p50 {median:?}, p99 {slow:?}");
    admin.stop().unwrap();
}
