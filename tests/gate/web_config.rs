//! The format of `web-config.yml`: files that are good, and files that are not, with what is said of them.
//! A first line `# says: …` is what must be said; a good file may have one too, for its warning.

use std::time::{SystemTime, UNIX_EPOCH};

use linly_edge::admin;

use super::*;

fn cases(kind: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/web-config").join(kind);
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    cases.sort();
    cases
}

/// Problems and warnings of a file, beside which the certificates of a fleet lie.
fn check(folder: &Path, text: &str) -> (String, String) {
    let config =
        config::Admin { web_config: folder.join("web-config.yml"), ..config::Admin::default() };
    fs::write(&config.web_config, text).unwrap();
    let (problems, warnings) = admin::check(&config);
    (problems.to_string(), warnings.join("\n"))
}

fn says(text: &str) -> Option<&str> {
    text.lines().next().unwrap_or_default().strip_prefix("# says: ")
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    certificates::fleet(folder.path());
    fs::write(folder.path().join("empty.crt"), "no certificate\n").unwrap();
    fs::write(folder.path().join("nothing"), "").unwrap();
    folder
}

#[test]
fn good_files_are_taken() {
    let (folder, cases) = (folder(), cases("good"));
    assert!(cases.len() >= 8);
    for (name, text) in cases {
        let (problems, warnings) = check(folder.path(), &text);
        assert_eq!(problems, "", "{name}");
        match says(&text) {
            Some(warning) => assert!(warnings.contains(warning), "{name}: {warnings}"),
            None => assert_eq!(warnings, "", "{name}"),
        }
    }
}

#[test]
fn bad_files_are_refused_with_what_to_do() {
    let (folder, cases) = (folder(), cases("bad"));
    assert!(cases.len() >= 20);
    for (name, text) in cases {
        let (problems, _) = check(folder.path(), &text);
        let wanted = says(&text).unwrap_or_else(|| panic!("{name} does not say what is expected"));
        assert!(problems.contains(wanted), "{name}: {problems}");
        assert!(!problems.contains("hunter2"), "{name} shows a secret: {problems}");
    }
}

#[test]
fn inline_certificates_are_as_good_as_files() {
    let folder = folder();
    let indented = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().map(|line| format!("    {line}\n")).collect::<String>()
    };
    let text = format!(
        "tls_server_config:\n  cert: |\n{}  key: |\n{}  client_ca: |\n{}  client_auth_type: \
         RequireAndVerifyClientCert\n",
        indented("server.crt"),
        indented("server.key"),
        indented("clients-ca.crt"),
    );
    assert_eq!(check(folder.path(), &text), (String::new(), String::new()));
    let both = format!("{text}  cert_file: server.crt\n");
    assert!(check(folder.path(), &both).0.contains("has both cert and cert_file"));
    // A key that belongs to another certificate.
    let text = "tls_server_config: { cert_file: server.crt, key_file: central.key }";
    assert!(check(folder.path(), text).0.contains("does the key belong to the certificate?"));
}

#[test]
fn all_problems_are_told_at_once() {
    let folder = folder();
    let text = "tls_server_config: { cert_file: x.crt, key_file: y.key, min_version: TLS10 }\n\
                basic_auth_users: { alice: hunter2 }\nrate_limit: { interval: 1s }\n";
    let (problems, _) = check(folder.path(), text);
    for part in ["x.crt cannot be read", "y.key cannot be read", "TLS10", "alice", "burst"] {
        assert!(problems.contains(part), "{part} is not in\n{problems}");
    }
    assert!(!problems.contains("hunter2"));
}

#[test]
fn what_should_be_looked_at_is_told() {
    let folder = folder();
    let warnings = |address: &str, text: Option<&str>| {
        let mut config =
            config::Admin { address: address.parse().unwrap(), ..config::Admin::default() };
        if let Some(text) = text {
            config.web_config = folder.path().join("web-config.yml");
            fs::write(&config.web_config, text).unwrap();
        }
        let (problems, warnings) = admin::check(&config);
        assert_eq!(problems.to_string(), "");
        warnings.join("\n")
    };
    let hash = bcrypt::hash("x", 4).unwrap();
    let users = format!("basic_auth_users: {{ a: {hash} }}");
    assert_eq!(warnings("127.0.0.1:9090", None), "");
    assert!(warnings("0.0.0.0:9090", None).contains("nobody is asked who he is"));
    assert!(warnings("0.0.0.0:9090", Some(&users)).contains("in the clear"));
    let tls = "tls_server_config: { cert_file: server.crt, key_file: server.key }";
    assert!(warnings("[::]:9090", Some(tls)).contains("nobody is asked who he is"));
    assert_eq!(warnings("[::]:9090", Some(&format!("{tls}\n{users}"))), "");
    let old = tls.replace("server.", "late.");
    assert!(warnings("127.0.0.1:9090", Some(&old)).contains("has expired"));
    // One that ends this year or next is told only if it ends soon; this one ends within 30 days.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now > 1_700_000_000, "the clock is wrong");
}
