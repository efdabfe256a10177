//! HTTP through real sockets: what is answered, and what bad clients cannot do.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use linly_edge::{
    admin::{Admin, Ask, Front, Refusal, Status, Told},
    config,
    media::Press,
    metrics::{BadInput, Metrics},
};
use serde_json::Value;

/// A kiosk that answers what the test tells it to.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<Ask>>,
    pressed: Mutex<Vec<Press>>,
    unready: AtomicBool,
    stuck: AtomicBool,
    refusal: Mutex<Option<Refusal>>,
    takes: Mutex<Duration>,
}

impl Front for Fake {
    fn ready(&self) -> Result<(), String> {
        if self.unready.load(Ordering::Relaxed) {
            Err("the models are not warm".into())
        } else {
            Ok(())
        }
    }

    fn stuck(&self) -> Vec<String> {
        if self.stuck.load(Ordering::Relaxed) { vec!["think".into()] } else { Vec::new() }
    }

    fn status(&self) -> Status {
        Status { state: "alone".into(), version: "1.2.3".into(), turns: 7, ..Status::default() }
    }

    fn press(&self, press: Press) -> bool {
        self.pressed.lock().unwrap().push(press);
        true
    }

    fn talk(&self, request: Ask) -> Result<Told, Refusal> {
        std::thread::sleep(*self.takes.lock().unwrap());
        self.asked.lock().unwrap().push(request);
        match self.refusal.lock().unwrap().clone() {
            Some(refusal) => Err(refusal),
            None => Ok(Told {
                heard: "when do you open?".into(),
                answer: "At nine.".into(),
                steps_ms: BTreeMap::from([("llm", 12.345)]),
                first_sound_ms: 321.04,
                video: (0..100).collect(),
            }),
        }
    }
}

struct Machine {
    admin: Admin,
    fake: Arc<Fake>,
    metrics: Arc<Metrics>,
}

/// Stands for the WAV decoder: `good` is sound, anything else is not.
fn decode(bytes: &[u8]) -> Result<Vec<f32>, String> {
    if bytes == b"good" { Ok(vec![0.5; 4]) } else { Err("this is not a WAV file".into()) }
}

fn machine() -> Machine {
    let config = config::Admin {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        body_limit_bytes: 20_000,
        video_keep_s: 1,
        video_limit_bytes: 1_000,
        ..config::Admin::default()
    };
    let (fake, metrics) = (Arc::new(Fake::default()), Arc::new(Metrics::default()));
    let front: Arc<dyn Front> = fake.clone();
    let admin = Admin::start(&config, front, Arc::clone(&metrics), decode).unwrap();
    Machine { admin, fake, metrics }
}

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.to_lowercase().starts_with(&format!("{name}:"));
        let line = self.head.lines().find(named).unwrap_or_default();
        line.split_once(": ").map_or("", |(_, value)| value)
    }

    /// The reason, after checking that there is one.
    #[track_caller]
    fn error(&self) -> String {
        let json = self.json();
        assert!(json["hint"].is_string(), "{json}");
        json["error"].as_str().unwrap().to_owned()
    }
}

impl Machine {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.admin.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// Sends bytes as they are and reads the reply to its end.
    #[track_caller]
    fn send(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        // The server may answer, and close, before it has taken everything.
        let _ = stream.write_all(bytes.as_ref());
        read(&mut stream).expect("a reply")
    }

    #[track_caller]
    fn get(&self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    #[track_caller]
    fn post(&self, content_type: &str, body: &[u8]) -> Reply {
        let head = format!(
            "POST /talk HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.send([head.as_bytes(), body].concat())
    }

    fn bad(&self, reason: BadInput) -> u64 {
        self.metrics.bad_input.of(reason).get()
    }

    #[track_caller]
    fn still_serves(&self) {
        assert_eq!(self.get("/livez").status, 200);
    }
}

/// Reads a reply; `None` if the connection was closed without one.
fn read(stream: &mut TcpStream) -> Option<Reply> {
    // Nothing more will be asked, so that the server closes the connection after its reply.
    let _ = stream.shutdown(Shutdown::Write);
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, head, body: bytes[end + 4..].to_vec() })
}

#[test]
fn health_follows_the_kiosk() {
    let machine = machine();
    assert_eq!(machine.get("/livez").json()["alive"], true);
    assert_eq!(machine.get("/readyz").json()["ready"], true);
    machine.fake.unready.store(true, Ordering::Relaxed);
    machine.fake.stuck.store(true, Ordering::Relaxed);
    let ready = machine.get("/readyz");
    assert_eq!((ready.status, ready.error()), (503, "the models are not warm".into()));
    let live = machine.get("/livez");
    assert_eq!((live.status, live.error()), (503, "think worked on one thing for too long".into()));
    let status = machine.get("/status").json();
    assert_eq!((&status["state"], &status["turns"]), (&"alone".into(), &7.into()));
}

#[test]
fn metrics_count_requests() {
    let machine = machine();
    machine.get("/nowhere");
    let reply = machine.get("/metrics?x=y");
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    let text = String::from_utf8(reply.body).unwrap();
    let line = "linly_talker_http_requests_total{code=\"404\",route=\"other\"} 1";
    assert!(text.lines().any(|other| other == line), "{text}");
    assert!(!text.contains("nowhere"));
}

#[test]
fn a_question_in_writing_is_answered_with_a_video() {
    let machine = machine();
    let reply = machine
        .post("application/json; charset=utf-8", "{\"text\": \" 你们几点开门? \"}".as_bytes());
    assert_eq!(reply.status, 200);
    assert_eq!(*machine.fake.asked.lock().unwrap(), [Ask::Text("你们几点开门?".into())]);
    let told = reply.json();
    assert_eq!(told["heard"], "when do you open?");
    assert_eq!(told["answer"], "At nine.");
    assert_eq!((&told["steps"]["llm"], &told["first_sound_ms"]), (&12.3.into(), &321.0.into()));

    let url = told["video_url"].as_str().unwrap();
    let whole: Vec<u8> = (0..100).collect();
    let video = machine.get(url);
    assert_eq!(
        (video.status, video.header("content-type"), video.body.clone()),
        (200, "video/mp4", whole)
    );
    let range = |range: &str| {
        machine.send(format!("GET {url} HTTP/1.1\r\nHost: x\r\nRange: bytes={range}\r\n\r\n"))
    };
    let part = range("10-12");
    assert_eq!((part.status, part.body.as_slice()), (206, [10, 11, 12].as_slice()));
    assert_eq!(part.header("content-range"), "bytes 10-12/100");
    assert_eq!(range("-1").body, [99]);
    assert_eq!((range("100-").status, range("100-").header("content-range")), (416, "bytes */100"));
    let head = machine.send(format!("HEAD {url} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "100", 0));

    std::thread::sleep(Duration::from_millis(1_050));
    let gone = machine.get(url);
    assert_eq!((gone.status, gone.error()), (404, "there is no such video any more".into()));
}

#[test]
fn a_recording_is_decoded_before_the_kiosk_hears_it() {
    let machine = machine();
    assert_eq!(machine.post("audio/wav", b"good").status, 200);
    assert_eq!(*machine.fake.asked.lock().unwrap(), [Ask::Sound(vec![0.5; 4])]);
    let reply = machine.post("audio/x-wav", b"evil");
    assert_eq!((reply.status, reply.error()), (400, "this is not a WAV file".into()));
    assert_eq!(machine.bad(BadInput::Sound), 1);
    assert_eq!(machine.fake.asked.lock().unwrap().len(), 1);
}

#[test]
fn refusals_have_their_status() {
    let machine = machine();
    let refuse = |refusal| {
        *machine.fake.refusal.lock().unwrap() = Some(refusal);
        machine.post("application/json", b"{\"text\":\"hello\"}")
    };
    let busy = refuse(Refusal::Busy { retry_after_s: 3 });
    assert_eq!((busy.status, busy.header("retry-after")), (429, "3"));
    assert_eq!(busy.error(), "somebody else is being answered");
    assert_eq!(refuse(Refusal::Bad("this recording is silent".into())).status, 400);
    let failed = refuse(Refusal::Failed("the voice failed".into()));
    assert_eq!((failed.status, failed.error()), (500, "the voice failed".into()));
    assert_eq!(refuse(Refusal::Stopping).status, 503);
}

#[test]
fn questions_beyond_what_can_be_made_are_told_to_wait() {
    let machine = machine();
    *machine.fake.takes.lock().unwrap() = Duration::from_millis(400);
    let replies: Vec<u16> = std::thread::scope(|scope| {
        let ask = || machine.post("application/json", b"{\"text\":\"hello\"}").status;
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        let begin = Instant::now();
        assert_eq!(machine.get("/metrics").status, 200);
        assert!(begin.elapsed() < Duration::from_millis(300));
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let answered = replies.iter().filter(|status| **status == 200).count();
    let refused = replies.iter().filter(|status| **status == 429).count();
    assert!((1..=3).contains(&answered) && answered + refused == 8, "{replies:?}");
}

#[test]
fn bad_text_is_refused_with_its_reason() {
    let machine = machine();
    let long = format!("{{\"text\":\"{}\"}}", "é".repeat(1_001));
    let very_long = format!("{{\"text\":\"{}\"}}", "x".repeat(10_000));
    for (body, status, why) in [
        (b"".as_slice(), 400, "the request has no body"),
        (b"{\"text\":\"\xff\"}", 400, "the body is not UTF-8"),
        (b"{\"text\":", 400, "the body is not the JSON that is expected"),
        (b"{\"text\":3}", 400, "the body is not the JSON that is expected: invalid type"),
        (b"{}", 400, "the body is not the JSON that is expected: missing field `text`"),
        (
            b"{\"text\":\"a\",\"voice\":1}",
            400,
            "the body is not the JSON that is expected: unknown field `voice`",
        ),
        (b"{\"text\":\" \\n \"}", 400, "the text is empty"),
        (long.as_bytes(), 413, "the text has 1001 characters; at most 1000"),
        (very_long.as_bytes(), 413, "the text has 10000 characters; at most 1000"),
    ] {
        let reply = machine.post("application/json", body);
        assert_eq!(reply.status, status);
        assert!(reply.error().starts_with(why), "{}", reply.error());
    }
    assert_eq!((machine.bad(BadInput::Json), machine.bad(BadInput::Text)), (6, 3));
    assert!(machine.fake.asked.lock().unwrap().is_empty());
    assert_eq!(machine.post("application/json", b"{\"text\":\"hello\"}").status, 200);
}

#[test]
fn wrong_paths_methods_and_types_are_refused() {
    let machine = machine();
    for (request, status, header, value) in [
        ("GET /nowhere HTTP/1.1\r\n\r\n", 404, "", ""),
        ("GET /video/../../etc/passwd HTTP/1.1\r\n\r\n", 404, "", ""),
        ("POST /metrics HTTP/1.1\r\n\r\n", 405, "allow", "GET, HEAD"),
        ("GET /talk HTTP/1.1\r\n\r\n", 405, "allow", "POST"),
        ("BREW /talk HTTP/1.1\r\n\r\n", 405, "allow", "POST"),
        ("POST /talk HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 415, "", ""),
        (
            "POST /talk HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
            415,
            "",
            "",
        ),
        ("POST /talk HTTP/1.1\r\nContent-Type: application/json\r\n\r\n", 400, "", ""),
        ("GET / HTTP/3.0\r\n\r\n", 505, "", ""),
    ] {
        let reply = machine.send(request);
        assert_eq!(reply.status, status, "{request}");
        assert!(!reply.error().is_empty());
        if !header.is_empty() {
            assert_eq!(reply.header(header), value, "{request}");
        }
    }
}

#[test]
fn keys_can_be_pressed_from_afar_but_not_by_another_site_s_page() {
    let machine = machine();
    let post = |path: &str, headers: &str| {
        machine.send(format!(
            "POST {path} HTTP/1.1\r\nHost: kiosk:9090\r\n{headers}Content-Length: 0\r\n\r\n"
        ))
    };
    assert_eq!(post("/press/mute", "").status, 200);
    assert_eq!(post("/press/stop", "Origin: http://kiosk:9090\r\n").json()["pressed"], "stop");
    assert_eq!(post("/press/stop", "Origin: http://elsewhere\r\n").status, 403);
    assert_eq!(post("/press/shutdown", "").error(), "there is no such key");
    assert_eq!(machine.get("/press/stop").status, 405);
    assert_eq!(*machine.fake.pressed.lock().unwrap(), [Press::SetMute(true), Press::Stop]);
}

#[test]
fn garbage_is_refused() {
    let machine = machine();
    let noise: Vec<u8> = (0..=255).cycle().take(3_000).collect();
    let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(1_000_000));
    assert_eq!(machine.send(noise).status, 400);
    assert_eq!(machine.send("hello\r\n\r\n").status, 400);
    assert_eq!(machine.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n").status, 400);
    let reply = machine.send(huge);
    assert_eq!(
        (reply.status, reply.error()),
        (431, "the request's headers are larger than 16384 bytes".into())
    );
    assert_eq!(machine.bad(BadInput::Request), 4);
    // One that says nothing, and one that leaves in the middle.
    drop(machine.connect());
    machine.connect().write_all(b"GET /met").unwrap();
    machine.still_serves();
}

#[test]
fn bodies_are_limited_whatever_their_headers_say() {
    let machine = machine();
    let head = "POST /talk HTTP/1.1\r\nContent-Type: audio/wav\r\n";
    // Honest, but too large.
    let reply = machine.post("audio/wav", &vec![0; 200_000]);
    assert_eq!((reply.status, reply.error()), (413, "the body is larger than 20000 bytes".into()));
    // Promises that nobody could keep, answered without waiting for them.
    for length in ["999999999999999", "18446744073709551615", "99999999999999999999999999"] {
        assert_eq!(machine.send(format!("{head}Content-Length: {length}\r\n\r\nx")).status, 413);
    }
    // No length at all, and more than is allowed.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(50));
    assert_eq!(machine.send(chunked).status, 413);
    assert_eq!(machine.bad(BadInput::Size), 5);
    // Chunks that are fine.
    let chunked =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\ngo\r\n2\r\nod\r\n0\r\n\r\n");
    assert_eq!(machine.send(chunked).status, 200);
    // Longer than it says: the rest is nobody's. Shorter: the client is gone.
    assert_eq!(machine.send(format!("{head}Content-Length: 4\r\n\r\ngoodbye")).status, 200);
    let mut stream = machine.connect();
    write!(stream, "{head}Content-Length: 40\r\n\r\ngood").unwrap();
    assert_eq!(read(&mut stream).unwrap().status, 400);
    // Unclear: two lengths, or a length and chunks.
    for unclear in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    ] {
        assert_eq!(machine.send(format!("{head}{unclear}\r\ngood")).status, 400);
    }
    machine.still_serves();
}

#[test]
fn slow_clients_hold_up_nobody() {
    let machine = machine();
    let mut slow: Vec<_> = (0..20).map(|_| machine.connect()).collect();
    for (number, stream) in slow.iter_mut().enumerate() {
        stream.write_all(if number < 10 { b"GET /metr".as_slice() } else { b"" }).unwrap();
    }
    let bodies: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = machine.connect();
            let head =
                "POST /talk HTTP/1.1\r\nContent-Type: audio/wav\r\nContent-Length: 9999\r\n\r\nx";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let begin = Instant::now();
    assert_eq!(machine.get("/metrics").status, 200);
    assert_eq!(machine.post("application/json", b"{\"text\":\"hello\"}").status, 200);
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    // Nor do they hold up the end.
    let begin = Instant::now();
    machine.admin.stop().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    drop((slow, bodies));
}

#[test]
fn a_large_body_may_ask_first() {
    let machine = machine();
    let mut stream = machine.connect();
    let head = "POST /talk HTTP/1.1\r\nContent-Type: audio/wav\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut line = [0; 25];
    stream.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"good").unwrap();
    assert_eq!(read(&mut stream).unwrap().status, 200);
}

#[test]
fn the_page_speaks_two_languages() {
    let machine = machine();
    let page = |language: &str| {
        let reply = machine.send(format!("GET / HTTP/1.1\r\nAccept-Language: {language}\r\n\r\n"));
        assert!(reply.header("content-security-policy").contains("default-src 'none'"));
        String::from_utf8(reply.body).unwrap()
    };
    assert!(page("en").contains("lang=\"en\"") && page("en").contains("Heard"));
    assert!(page("zh-CN,zh;q=0.9").contains("lang=\"zh\"") && page("zh-CN").contains("听到"));
    assert!(!page("en").contains("http://") && !page("en").contains("https://"));
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let machine = machine();
    let config = config::Admin { address: machine.admin.address(), ..config::Admin::default() };
    let front: Arc<dyn Front> = machine.fake.clone();
    let error = Admin::start(&config, front, Arc::clone(&machine.metrics), decode).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("failed to listen on {}", config.address)), "{text}");
    assert!(text.contains("set admin.address to another port"), "{text}");
}
