//! What bad clients cannot do: no panic, no growth, and scrapes go on.

use linly_edge::metrics::{BadInput, Refused};

use super::*;

/// How much this process may grow under an attack, in bytes.
const GROWTH: u64 = 48 << 20;

/// Numbers without an order, the same each time (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[test]
fn five_hundred_slow_clients_hold_up_no_scrape() {
    let machine = plain();
    machine.scrapes();
    let before = resident_bytes();
    let mut slow = Vec::new();
    for number in 0..500 {
        let mut stream = machine.connect();
        // Whoever has already had to give way cannot write any more.
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ");
        slow.push(stream);
        if number % 50 == 0 {
            machine.scrapes();
        }
    }
    until("the limit holds", || machine.metrics.http_connections.get() <= 64);
    for _ in 0..10 {
        for stream in &mut slow {
            let _ = stream.write_all(b"y");
        }
        machine.scrapes();
    }
    assert!(machine.metrics.http_refused.of(Refused::Connections).get() >= 400);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
    drop(slow);
    until("they are gone", || machine.metrics.http_connections.get() <= 1);
}

#[test]
fn ten_megabytes_of_headers_are_refused_without_growth() {
    let machine = plain();
    machine.scrapes();
    let line = format!("X-Header: {}\r\n", "y".repeat(1_000));
    let huge = format!("GET /metrics HTTP/1.1\r\n{}\r\n", line.repeat(10_000));
    assert!(huge.len() > 10_000_000);
    let before = resident_bytes();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let reply = machine.send(&huge);
                // The reply may be lost with the connection, which is reset by what was not read.
                assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431 "), "{reply:.99}");
            });
        }
        machine.scrapes();
    });
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
    assert_eq!(machine.metrics.bad_input.of(BadInput::Request).get(), 8);
    machine.scrapes();
}

#[test]
fn nothing_is_smuggled() {
    let machine = plain();
    let inner = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
    let head = "POST /talk HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\n";
    let length = inner.len();
    for attack in [
        format!("{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!(
            "{head}Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!("{head}Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{inner}"),
        format!("{head}Content-Length: 0, {length}\r\n\r\n{inner}"),
        format!("{head}Content-Length: +{length}\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\n{inner}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n{inner}"),
        format!("GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{inner}"),
        format!(
            "GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!("GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n{inner}"),
        format!("POST /talk HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"),
    ] {
        let reply = machine.send(&attack);
        let replies = reply.matches("HTTP/1.1 ").count();
        assert_eq!(replies, 1, "{attack}\n{reply}");
        assert!(!reply.contains("\"state\""), "{attack}\n{reply}");
        assert!(reply.contains("Connection: close"), "{attack}\n{reply}");
    }
    // What is honest is answered, one after the other.
    let reply = machine.send(format!("{inner}{head}Content-Length: 4\r\n\r\ngood{inner}"));
    assert_eq!(reply.matches("HTTP/1.1 200 OK").count(), 3, "{reply}");
}

#[test]
fn hostile_bytes_change_nothing() {
    let machine = plain();
    machine.scrapes();
    let before = resident_bytes();
    let pieces: [&[u8]; 12] = [
        b"GET ",
        b"POST /talk",
        b" HTTP/1.1\r\n",
        b"\r\n",
        b"\n",
        b": ",
        b"Content-Length: 99\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"ffffffff\r\n",
        b"\x16\x03\x01\x02\x00",
        b"/video/",
        b"\0\xff",
    ];
    let mut numbers = Numbers(7);
    for _ in 0..300 {
        let mut bytes = Vec::new();
        for _ in 0..numbers.next() % 12 {
            if numbers.next().is_multiple_of(4) {
                bytes.extend((0..numbers.next() % 64).map(|_| numbers.next() as u8));
            } else {
                bytes.extend(pieces[(numbers.next() % 12) as usize]);
            }
        }
        machine.send(bytes);
    }
    machine.scrapes();
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
}

#[test]
fn a_turn_and_videos_do_not_stall_a_scrape() {
    let machine = plain();
    let ask = "POST /talk HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: 4\r\n\
        Connection: close\r\n\r\ngood";
    let told = machine.send(ask);
    let url = told.split("\"video_url\":\"").nth(1).unwrap().split('"').next().unwrap();
    let want = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
    // More than there are threads for videos, and none of them reads.
    let mut slow: Vec<_> = (0..6).map(|_| machine.connect()).collect();
    for stream in &mut slow {
        stream.write_all(want.as_bytes()).unwrap();
    }
    *machine.fake.takes.lock().unwrap() = Duration::from_secs(3);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..2).map(|_| scope.spawn(|| machine.send(ask))).collect();
        let begin = Instant::now();
        for _ in 0..10 {
            machine.scrapes();
            assert!(machine.send("GET /livez HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
        }
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        for thread in asking {
            let reply = thread.join().unwrap();
            assert!(reply.starts_with("HTTP/1.1 200 "), "{reply:.300}");
        }
    });
    // They leave in the middle, and the next one gets all of it.
    drop(slow);
    let mut stream = machine.connect();
    let wants_end = want.replace("Host: x", "Host: x\r\nConnection: close");
    stream.write_all(wants_end.as_bytes()).unwrap();
    let mut came = Vec::new();
    stream.read_to_end(&mut came).unwrap();
    let body = came.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    assert!(came[body..].iter().copied().eq((0..VIDEO).map(|at| at as u8)));
    let range = format!("Host: x\r\nConnection: close\r\nRange: bytes={}-", VIDEO - 3);
    let part = machine.send(want.replace("Host: x", &range));
    assert!(part.starts_with("HTTP/1.1 206 "), "{part:.99}");
    assert!(part.contains(&format!("Content-Range: bytes {}-{}/{VIDEO}", VIDEO - 3, VIDEO - 1)));
}
