//! TLS and client certificates, with curl, openssl and a real Prometheus.

use std::process::Stdio;

use linly_edge::metrics::{Refused, TlsFailure};

use super::*;

const MTLS: &str = "
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_ca_file: clients-ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [central.example]
";

const TLS: &str = "
tls_server_config: { cert_file: server.crt, key_file: server.key }
http_server_config:
  headers: { Strict-Transport-Security: max-age=31536000, X-Frame-Options: deny }
";

fn mtls() -> Machine {
    machine_with(Some(MTLS), certificates::fleet, |_| {})
}

fn failures(machine: &Machine, kind: TlsFailure) -> u64 {
    machine.metrics.handshakes_failed(kind)
}

/// curl with the certificate of a client.
fn as_client(machine: &Machine, name: &str) -> (i32, u16, String) {
    let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
    let arguments = ["--cacert", "servers-ca.crt", "--cert", &certificate, "--key", &key];
    machine.curl("https", "/metrics", &arguments)
}

#[test]
fn only_clients_of_the_fleet_come_in() {
    if !has("curl", "curl") {
        return;
    }
    let machine = mtls();
    let (code, status, text) = as_client(&machine, "central");
    assert_eq!((code, status), (0, 200), "{text}");
    assert!(
        text.contains("linly_talker_tls_certificate_expiry_timestamp_seconds{role=\"server\"}")
    );
    for (name, kind) in [
        ("forged", TlsFailure::UnknownCa),
        ("late", TlsFailure::Expired),
        ("stranger", TlsFailure::WrongName),
    ] {
        let (code, status, _) = as_client(&machine, name);
        assert!(code != 0 && status == 0, "{name} came in: {code} {status}");
        until(name, || failures(&machine, kind) == 1);
    }
    let (code, status, _) = machine.curl("https", "/metrics", &["--cacert", "servers-ca.crt"]);
    assert!(code != 0 && status == 0);
    until("no certificate", || failures(&machine, TlsFailure::NoCertificate) == 1);
    // The other way round: a client that does not trust us says so.
    let (code, ..) = machine.curl("https", "/metrics", &["--cacert", "others-ca.crt"]);
    assert_eq!(code, 60);
    until("an alert", || failures(&machine, TlsFailure::Alert) == 1);
    assert_eq!(as_client(&machine, "central").1, 200);
}

#[test]
fn plain_http_on_a_tls_port_is_told_so() {
    let machine = mtls();
    let reply = machine.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(reply.starts_with("HTTP/1.1 400 ") && reply.contains("use https://"), "{reply}");
    assert!(!reply.contains("linly_talker"));
    assert_eq!(machine.send("\0\0\0\0"), "");
    until("both are counted", || {
        (failures(&machine, TlsFailure::PlainHttp), failures(&machine, TlsFailure::NotTls))
            == (1, 1)
    });
    if has("curl", "curl") {
        assert_eq!(as_client(&machine, "central").1, 200);
    }
}

#[test]
fn old_tls_is_not_spoken() {
    if !has("openssl", "openssl") || !has("curl", "curl") {
        return;
    }
    let machine = machine_with(Some(TLS), certificates::fleet, |_| {});
    let address = machine.address.to_string();
    let speak = |version: &str| {
        Command::new("openssl")
            .args(["s_client", "-connect", &address, version, "-cipher", "ALL:@SECLEVEL=0"])
            .stdin(Stdio::null())
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(speak("-tls1_2") && !speak("-tls1_1") && !speak("-tls1"));
    until("they are counted", || failures(&machine, TlsFailure::Incompatible) == 2);
    let (_, status, text) = machine.curl("https", "/livez", &["-i", "--cacert", "servers-ca.crt"]);
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("Strict-Transport-Security: max-age=31536000"), "{text}");
    assert!(text.contains("X-Frame-Options: deny") && !text.contains("tiny-http"), "{text}");
}

#[test]
fn a_handshake_serves_many_scrapes() {
    if !has("curl", "curl") {
        return;
    }
    let machine = machine_with(Some(TLS), certificates::fleet, |_| {});
    let url = format!("https://localhost:{}/metrics", machine.address.port());
    let output = Command::new("curl")
        .current_dir(machine.folder.path())
        .args(["-sS4", "--cacert", "servers-ca.crt", "-w", "%{num_connects} %{http_code}\n"])
        .args((0..20).flat_map(|_| ["-o", "/dev/null", &url]))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let expected: String = (0..20).map(|at| format!("{} 200\n", i32::from(at == 0))).collect();
    assert_eq!(text, expected);
}

#[test]
fn certificates_are_changed_while_running() {
    if !has("openssl", "openssl") || !has("curl", "curl") {
        return;
    }
    let machine = machine_with(Some(TLS), certificates::fleet, |_| {});
    let shown = || {
        let address = machine.address.to_string();
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &address, "-showcerts"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let begin = text.find("-----BEGIN").unwrap();
        text[begin..].split("-----END").next().unwrap().replace(char::is_whitespace, "")
    };
    let first = shown();
    // Half a change is no change: the key does not belong to the certificate.
    let metrics = &machine.metrics;
    let authority = certificates::Authority::new(machine.folder.path(), "new-ca");
    authority.sign(machine.folder.path(), "next", "localhost", 2098);
    fs::rename(machine.path("next.crt"), machine.path("server.crt")).unwrap();
    until("the failure is counted", || metrics.web_config_failures.get() == 1);
    assert_eq!(shown(), first);
    assert_eq!(machine.curl("https", "/livez", &["--cacert", "servers-ca.crt"]).1, 200);
    // The whole change is.
    fs::rename(machine.path("next.key"), machine.path("server.key")).unwrap();
    until("the change is counted", || metrics.web_config_reloads.get() == 1);
    assert_ne!(shown(), first);
    assert_eq!(machine.curl("https", "/livez", &["--cacert", "new-ca.crt"]).1, 200);
    let text = exposition(metrics);
    assert!(text.contains("expiry_timestamp_seconds{role=\"server\"} 40"), "of 2098");
    // And a wrong key in the file keeps what is there.
    fs::write(machine.path("web-config.yml"), format!("{TLS}nonsense: 1\n")).unwrap();
    until("the second failure", || metrics.web_config_failures.get() == 2);
    assert_eq!(machine.curl("https", "/livez", &["--cacert", "new-ca.crt"]).1, 200);
}

#[test]
fn only_allowed_networks_connect() {
    if !has("curl", "curl") {
        return;
    }
    let allow = |config: &mut config::Admin| {
        config.allow = vec!["127.0.0.2/32".parse().unwrap(), "::1/128".parse().unwrap()];
    };
    let machine = machine_with(None, |_| {}, allow);
    let (code, status, text) = machine.curl("http", "/metrics", &["--interface", "127.0.0.2"]);
    assert_eq!((code, status), (0, 200), "{text}");
    let (code, status, _) = machine.curl("http", "/livez", &[]);
    assert!(code != 0 && status == 0);
    assert_eq!(machine.metrics.http_refused.of(Refused::Address).get(), 1);
}

/// Two Prometheis, one with the right certificate and password and one without, scrape the same kiosk.
#[test]
fn prometheus_scrapes_over_mutual_tls_with_a_password() {
    if !has("prometheus", "prometheus") || !has("curl", "curl") {
        return;
    }
    let hash = bcrypt::hash("open sesame", 6).unwrap();
    let yaml = format!("{MTLS}basic_auth_users: {{ central: {hash} }}\n");
    let machine = machine_with(Some(&yaml), certificates::fleet, |_| {});
    let job = |name: &str, client: &str, password: &str| {
        format!(
            "  - job_name: {name}
    scheme: https
    basic_auth: {{ username: central, password: {password} }}
    tls_config: {{ ca_file: servers-ca.crt, cert_file: {client}.crt, key_file: {client}.key, server_name: localhost }}
    static_configs: [{{ targets: [\"{}\"] }}]
",
            machine.address
        )
    };
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n{}{}{}",
        job("good", "central", "open sesame"),
        job("wrong_password", "central", "guess"),
        job("wrong_client", "stranger", "open sesame"),
    );
    fs::write(machine.path("prometheus.yml"), config).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut prometheus = Command::new("prometheus")
        .current_dir(machine.folder.path())
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let query = |expression: &str| {
        let url = format!("http://127.0.0.1:{port}/api/v1/query");
        let output = Command::new("curl")
            .args(["-sS", "--get", "--data-urlencode", &format!("query={expression}"), &url])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let end = Instant::now() + Duration::from_mins(1);
    let good = loop {
        let text = query("up{job=\"good\"} == 1 and on() count(up == 0) == 2");
        if text.contains("\"good\"") || Instant::now() > end {
            break text;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let scrapes = query("count_over_time(up{job=\"good\"}[1m])");
    let _ = prometheus.kill();
    let _ = prometheus.wait();
    assert!(good.contains("\"good\""), "{good}\n{scrapes}");
    assert!(machine.metrics.http_refused.of(Refused::Password).get() >= 1);
    assert!(failures(&machine, TlsFailure::WrongName) >= 1);
}
