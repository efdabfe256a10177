//! The real program as a daemon on a port of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A running daemon; it ends with this.
pub(crate) struct Daemon {
    process: Child,
    /// `127.0.0.1` and its port.
    pub(crate) address: String,
    /// A folder for whoever watches it.
    pub(crate) folder: TempDir,
}

/// What came back for a request.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.to_lowercase().starts_with(&format!("{name}: "));
        let line = self.head.lines().find(named).unwrap_or_default();
        line.split_once(": ").map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }
}

/// Asks whoever listens at `address`; `headers` end in line ends. HTTP 1.0, so that nothing is chunked.
pub(crate) fn get(address: &str, path: &str, headers: &str) -> std::io::Result<Got> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: kiosk\r\n{headers}\r\n").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| std::io::Error::other("the reply has no head"))?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Got { status, head, body: bytes[end + 4..].to_vec() })
}

impl Daemon {
    /// Starts it on the defaults and waits until it can answer.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("config.toml");
        fs::write(&config, "[admin]\naddress = \"127.0.0.1:0\"\n").expect("written");
        let mut process = Command::new(env!("CARGO_BIN_EXE_linly-edge"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["run", "--headless", "--config", config.to_str().expect("text")])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut port = None;
        let mut line = String::new();
        while port.is_none() && log.read_line(&mut line).expect("a log") > 0 {
            let ready = line.contains("ready").then(|| line.split("127.0.0.1:").nth(1)).flatten();
            let digits =
                |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned);
            port = ready.and_then(digits);
            line.clear();
        }
        // Somebody must go on reading, or the daemon waits at its log.
        std::thread::Builder::new()
            .spawn(move || std::io::copy(&mut log, &mut std::io::sink()))
            .expect("a thread");
        let address = format!("127.0.0.1:{}", port.expect("it tells its address"));
        let daemon = Self { process, address, folder };
        let until = Instant::now() + Duration::from_secs(20);
        while daemon.get("/readyz", "").status != 200 {
            assert!(Instant::now() < until, "it never became ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    pub(crate) fn get(&self, path: &str, headers: &str) -> Got {
        get(&self.address, path, headers).expect("a reply")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
