//! Who may read: TLS, client certificates, passwords and limits through real sockets, with the tools that
//! operators use.

mod certificates;
mod clients;
mod hostile;
mod passwords;
mod web_config;

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use linly_edge::{
    admin::{Admin, Ask, Front, Refusal, Status, Told},
    config,
    media::Press,
    metrics::Metrics,
};
use tempfile::TempDir;

/// Larger than what passes at once.
const VIDEO: usize = 16 << 20;

/// A kiosk whose answers take a moment, and whose videos are large.
struct Fake {
    takes: Mutex<Duration>,
}

impl Front for Fake {
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn stuck(&self) -> Vec<String> {
        Vec::new()
    }

    fn status(&self) -> Status {
        Status { state: "alone".into(), ..Status::default() }
    }

    fn press(&self, _press: Press) -> bool {
        true
    }

    fn talk(&self, _: Ask) -> Result<Told, Refusal> {
        std::thread::sleep(*self.takes.lock().unwrap());
        Ok(Told {
            heard: "when do you open?".into(),
            answer: "At nine.".into(),
            steps_ms: BTreeMap::new(),
            first_sound_ms: 321.0,
            video: (0..VIDEO).map(|at| at as u8).collect(),
        })
    }
}

/// A running admin with a folder for its files.
struct Machine {
    admin: Option<Admin>,
    address: SocketAddr,
    fake: Arc<Fake>,
    metrics: Arc<Metrics>,
    folder: TempDir,
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(admin) = self.admin.take() {
            let stopped = admin.stop();
            if !std::thread::panicking() {
                stopped.unwrap();
            }
        }
    }
}

/// A machine whose web configuration is `yaml`, beside the files that `fill` makes.
fn machine_with(
    yaml: Option<&str>,
    fill: impl FnOnce(&Path),
    change: impl FnOnce(&mut config::Admin),
) -> Machine {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let mut config = config::Admin {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        body_limit_bytes: 20_000,
        ..config::Admin::default()
    };
    if let Some(yaml) = yaml {
        config.web_config = folder.path().join("web-config.yml");
        fs::write(&config.web_config, yaml).unwrap();
    }
    change(&mut config);
    let fake = Arc::new(Fake { takes: Mutex::default() });
    let metrics = Arc::new(Metrics::default());
    let front: Arc<dyn Front> = fake.clone();
    let decode = |_: &[u8]| Ok(vec![0.5; 4]);
    let admin = Admin::start(&config, front, Arc::clone(&metrics), decode).unwrap();
    Machine { address: admin.address(), admin: Some(admin), fake, metrics, folder }
}

fn plain() -> Machine {
    machine_with(None, |_| {}, |_| {})
}

impl Machine {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs curl in the folder; its exit code, the status of the reply (0 without one), and its output.
    fn curl(&self, scheme: &str, path: &str, arguments: &[&str]) -> (i32, u16, String) {
        let url = format!("{scheme}://localhost:{}{path}", self.address.port());
        let output = Command::new("curl")
            .current_dir(self.folder.path())
            .args(["-sS4", "-m", "20", "-w", "\n%{http_code}"])
            .args(arguments)
            .arg(url)
            .output()
            .expect("curl");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
        let errors = String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap_or(-1), status.parse().unwrap_or(0), format!("{body}{errors}"))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// Sends bytes as they are, and reads everything that comes back.
    fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes.as_ref());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut came = Vec::new();
        let _ = stream.read_to_end(&mut came);
        String::from_utf8_lossy(&came).into_owned()
    }

    /// Fails unless a scrape is answered soon.
    #[track_caller]
    fn scrapes(&self) {
        let begin = Instant::now();
        let reply = self.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply:.200}");
        assert!(reply.contains("linly_talker_build_info"));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    }
}

/// The program, unless it is not installed; then the test says so and is over.
fn has(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        println!("skipped: install {package}, so that {program} can be run");
    }
    found
}

/// Waits for `holds`, and fails if it does not hold in time.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All metrics as text.
fn exposition(metrics: &Metrics) -> String {
    prometheus::TextEncoder::new().encode_to_string(&metrics.gather()).unwrap()
}

/// Resident memory of this process, in bytes.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}
