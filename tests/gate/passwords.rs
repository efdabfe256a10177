//! Passwords: who comes in, what a wrong one costs, and whom it does not hold up.

use linly_edge::metrics::Refused;

use super::*;

/// `alice:secret`, `bob:wrong`, and so on, as the header has them.
fn basic(credentials: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(credentials))
}

fn get(machine: &Machine, path: &str, headers: &str) -> String {
    machine.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n"))
}

#[track_caller]
fn status(reply: &str) -> u16 {
    reply.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
}

fn machine(cost: u32) -> Machine {
    let hash = bcrypt::hash("secret", cost).unwrap();
    let yaml = format!("basic_auth_users:\n  alice: {hash}\n");
    machine_with(Some(&yaml), |_| {}, |_| {})
}

#[test]
fn a_password_opens_and_its_lack_does_not() {
    let machine = machine(5);
    let good = basic("alice:secret");
    for path in ["/", "/metrics", "/status", "/talk", "/video/x.mp4", "/nowhere"] {
        let reply = get(&machine, path, "");
        assert_eq!(status(&reply), 401, "{path}");
        assert!(reply.contains("WWW-Authenticate: Basic"), "{reply}");
    }
    assert_eq!(status(&get(&machine, "/livez", "")), 200);
    assert_eq!(status(&get(&machine, "/readyz", "")), 200);
    assert_eq!(status(&get(&machine, "/metrics", &good)), 200);
    for wrong in ["alice:Secret", "bob:secret", ":", "alice:"] {
        assert_eq!(status(&get(&machine, "/metrics", &basic(wrong))), 401, "{wrong}");
    }
    let text = exposition(&machine.metrics);
    assert!(text.contains("http_refused_total{reason=\"password\"} 10"), "{text}");
    assert!(!text.contains("alice"));
}

#[test]
fn health_is_closed_if_asked_for() {
    let hash = bcrypt::hash("secret", 5).unwrap();
    let yaml = format!("basic_auth_users: {{ alice: {hash} }}");
    let machine = machine_with(Some(&yaml), |_| {}, |config| config.open_health = false);
    assert_eq!(status(&get(&machine, "/livez", "")), 401);
    assert_eq!(status(&get(&machine, "/livez", &basic("alice:secret"))), 200);
}

#[test]
fn wrong_passwords_cost_time_and_hold_up_nobody() {
    let machine = machine(9);
    let good = basic("alice:secret");
    assert_eq!(status(&get(&machine, "/metrics", &good)), 200);
    let begin = Instant::now();
    assert_eq!(status(&get(&machine, "/metrics", &basic("alice:guess 0"))), 401);
    assert_eq!(status(&get(&machine, "/metrics", &basic("alice:guess 1"))), 401);
    assert!(begin.elapsed() >= Duration::from_millis(750), "{:?}", begin.elapsed());
    std::thread::scope(|scope| {
        let guessing: Vec<_> = (2..22)
            .map(|number| {
                let machine = &machine;
                scope.spawn(move || {
                    status(&get(machine, "/metrics", &basic(&format!("alice:guess {number}"))))
                })
            })
            .collect();
        until("they guess", || machine.metrics.http_connections.get() >= 4);
        let mut longest = Duration::ZERO;
        for _ in 0..20 {
            let begin = Instant::now();
            assert_eq!(status(&get(&machine, "/metrics", &good)), 200);
            longest = longest.max(begin.elapsed());
        }
        assert!(longest < Duration::from_millis(500), "{longest:?}");
        let replies: Vec<_> = guessing.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(replies.iter().all(|code| [401, 429].contains(code)), "{replies:?}");
        assert!(replies.contains(&429) && replies.contains(&401), "{replies:?}");
    });
    let refused = |reason| machine.metrics.http_refused.of(reason).get();
    assert_eq!(refused(Refused::Password) + refused(Refused::Rate), 22);
}

#[test]
fn requests_beyond_the_rate_are_told_to_wait() {
    let yaml = "rate_limit: { interval: 1h, burst: 3 }";
    let machine = machine_with(Some(yaml), |_| {}, |_| {});
    let codes: Vec<_> = (0..5).map(|_| status(&get(&machine, "/metrics", ""))).collect();
    assert_eq!(codes, [200, 200, 200, 429, 429]);
    assert!(get(&machine, "/status", "").contains("Retry-After: 3600"));
    assert_eq!(status(&get(&machine, "/livez", "")), 200);
    assert_eq!(machine.metrics.http_refused.of(Refused::Rate).get(), 3);
}

#[test]
fn users_are_changed_while_running() {
    let machine = machine(5);
    let hash = bcrypt::hash("other", 5).unwrap();
    fs::write(machine.path("web-config.yml"), format!("basic_auth_users: {{ alice: {hash} }}"))
        .unwrap();
    until("the change", || machine.metrics.web_config_reloads.get() == 1);
    assert_eq!(status(&get(&machine, "/metrics", &basic("alice:secret"))), 401);
    assert_eq!(status(&get(&machine, "/metrics", &basic("alice:other"))), 200);
}
