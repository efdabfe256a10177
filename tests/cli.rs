//! The program itself: exit codes, messages, files.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::support::pack;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linly-edge"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it and expects this exit code, and each of `told` in what it prints.
#[track_caller]
fn expect(arguments: &[&str], code: i32, told: &[&str]) -> Output {
    let output = run(arguments);
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?} printed:\n{printed}");
    for part in told {
        assert!(printed.contains(part), "{part:?} is missing in:\n{printed}");
    }
    output
}

fn visitor() -> String {
    format!("{}/tests/data/audio/visitor.wav", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn help_teaches_with_an_example_for_each_command() {
    for command in [
        &["run"][..],
        &["talk"],
        &["try", "asr"],
        &["try", "llm"],
        &["try", "tts"],
        &["try", "face"],
        &["check"],
        &["sensors"],
        &["models", "list"],
        &["models", "verify"],
        &["completions"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        expect(&arguments, 0, &["Example", "linly-edge"]);
    }
    expect(&["--version"], 0, &[env!("CARGO_PKG_VERSION")]);
    expect(&["completions", "bash"], 0, &["linly-edge"]);
}

#[test]
fn a_wrong_command_line_is_64() {
    expect(&["dance"], 64, &["unrecognized subcommand"]);
    expect(&["talk"], 64, &["--wav"]);
    expect(&["talk", "--text", "a", "--wav", "b"], 64, &["cannot be used with"]);
}

#[test]
fn check_passes_on_the_built_in_models_and_tells_where_it_looked() {
    let output = expect(&["check", "--backend", "tract"], 0, &["models/starter", "ok       asr"]);
    for step in ["llm", "tts", "face", "portrait", "devices"] {
        assert!(text(&output.stdout).contains(&format!("ok       {step}")), "{step}");
    }
}

#[test]
fn check_tells_all_problems_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    fs::write(&config, "[listen]\ntreshold = 0.5\n[models]\npack = \"/nowhere\"\n")
        .expect("written");
    let output = run(&["check", "--config", config.to_str().expect("text"), "--json"]);
    assert_eq!(output.status.code(), Some(78));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = found["problems"].to_string();
    assert!(problems.contains("treshold") && problems.contains("threshold"), "{problems}");
}

#[test]
fn a_damaged_pack_is_named_by_check_verify_and_every_step() {
    let pack = pack::copied();
    let folder = pack.path();
    let pack = folder.to_str().expect("text");
    fs::write(folder.join("face.onnx"), "not a model").expect("written");
    expect(&["models", "verify", "--pack", pack], 78, &["face.onnx", "damaged", "restore it"]);
    expect(&["check", "--pack", pack], 78, &["PROBLEM  face", "face.onnx"]);
    let out = folder.join("out.mp4");
    let arguments =
        ["try", "face", &visitor(), "--out", out.to_str().expect("text"), "--pack", pack];
    expect(&arguments, 1, &["face.onnx", "bytes instead of"]);
    fs::remove_file(folder.join("asr.onnx")).expect("removed");
    expect(&["try", "asr", &visitor(), "--pack", pack], 1, &["asr.onnx", "No such file"]);
}

#[test]
fn a_model_whose_inputs_differ_from_the_contract_is_refused() {
    let pack = pack::copied();
    let folder = pack.path();
    // The language model in the face's place, with the right hash for it.
    fs::copy(folder.join("llm.onnx"), folder.join("face.onnx")).expect("copied");
    let list = fs::read_to_string(folder.join("pack.toml")).expect("a list");
    let list: toml::Table = list.parse().expect("TOML");
    let mut list = list;
    let models = list["model"].as_array_mut().expect("models");
    let files = |model: &toml::Value| model["files"].as_array().expect("files").clone();
    let llm = models.iter().find(|model| model["kind"].as_str() == Some("llm")).expect("an llm");
    let mut file = files(llm)
        .into_iter()
        .find(|file| file["path"].as_str() == Some("llm.onnx"))
        .expect("its file");
    file.as_table_mut().expect("a table").insert("path".into(), "face.onnx".into());
    let face =
        models.iter_mut().find(|model| model["kind"].as_str() == Some("face")).expect("a face");
    face.as_table_mut().expect("a table").insert("files".into(), toml::Value::Array(vec![file]));
    fs::write(folder.join("pack.toml"), toml::to_string(&list).expect("TOML")).expect("written");
    let pack = folder.to_str().expect("text");
    expect(&["check", "--pack", pack], 78, &["face.onnx does not fit this engine", "input_ids"]);
}

#[test]
fn recordings_that_cannot_be_used_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let whole = fs::read(visitor()).expect("a recording");
    let mut silent = whole.clone();
    silent[44..].fill(0);
    // 60 minutes by its header, with nothing behind it.
    let mut long = whole[..44].to_vec();
    long[40..44].copy_from_slice(&(3600_u32 * 32_000).to_le_bytes());
    for (name, bytes, told) in [
        ("empty.wav", &b""[..], "empty.wav"),
        ("text.wav", b"this is a text and no sound at all", "text.wav"),
        ("silent.wav", &silent, "silent"),
        ("long.wav", &long, "long.wav"),
    ] {
        expect(&["talk", "--wav", &file(name, bytes)], 1, &[told]);
    }
    expect(&["talk", "--wav", "/no/such/file.wav"], 1, &["/no/such/file.wav"]);
    let good = visitor();
    // One bad file among several does not cost the good one.
    let output = expect(&["try", "asr", &file("bad.wav", b"RIFF"), &good], 1, &["bad.wav"]);
    assert!(text(&output.stdout).starts_with(&good));
}

#[test]
fn texts_that_cannot_be_used_are_refused_with_a_reason() {
    expect(&["talk", "--text", "  "], 1, &["the text is empty"]);
    expect(&["talk", "--text", &"a".repeat(10_000)], 1, &["10000 characters"]);
}

#[test]
fn an_unknown_key_in_the_site_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site.toml");
    fs::write(&site, "name = \"The Museum\"\ncolour = \"red\"\n").expect("written");
    let site = site.to_str().expect("text");
    expect(&["try", "llm", "--site", site], 1, &["site.toml", "colour"]);
}

#[test]
fn a_full_disk_at_the_output_is_told() {
    // /dev/full takes no byte, whatever the disk of the machine.
    let arguments = ["try", "tts", "--text", "Hello.", "--out", "/dev/full"];
    expect(&arguments, 1, &["/dev/full"]);
}

#[test]
fn a_spoken_question_is_answered_with_sound_and_moving_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("text");
    let output = expect(&["talk", "--wav", &visitor(), "--out", out, "--json"], 0, &[]);
    assert!(output.stderr.is_empty(), "no progress in a pipe: {}", text(&output.stderr));
    let turn: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let file = fs::read_to_string(folder.path().join("turn.json")).expect("turn.json");
    assert_eq!(turn, serde_json::from_str::<serde_json::Value>(&file).expect("JSON"));
    assert!(turn["heard"].as_str().is_some_and(|heard| heard.contains("training room")), "{turn}");
    assert!(turn["answer"].as_str().is_some_and(|answer| answer.len() > 5), "{turn}");
    assert!(turn["first_sound_ms"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 10_000.0), "{turn}");
    for step in ["asr", "llm_first_token", "llm", "tts", "face"] {
        assert!(turn["steps_ms"][step].as_f64().is_some(), "{step} in {turn}");
    }
    for kind in ["asr", "llm", "tts", "face"] {
        assert!(turn["models"][kind].as_str().is_some(), "{kind} in {turn}");
    }
    let sound = fs::read(folder.path().join("reply.wav")).expect("reply.wav");
    assert!(sound.len() > 16_000, "{} bytes", sound.len());
    assert!(sound[44..].iter().any(|byte| *byte > 40), "it is not silent");
    check_video(&folder.path().join("reply.mp4"));
}

/// The video has pictures of the right size and sound, and ffmpeg decodes both without a complaint.
fn check_video(path: &Path) {
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_name,width,height,nb_read_frames"])
        .args(["-count_frames", "-of", "json"])
        .arg(path)
        .output();
    let Ok(probe) = probe else {
        println!("skipped: ffprobe is not installed, so the video was not decoded");
        return;
    };
    let found: serde_json::Value = serde_json::from_slice(&probe.stdout).expect("JSON");
    let told = format!("{found} {}", text(&probe.stderr));
    assert!(probe.stderr.is_empty(), "{told}");
    let streams = found["streams"].as_array().expect("streams");
    assert!(
        streams.iter().any(|stream| stream["width"] == 720 && stream["height"] == 1280),
        "{told}"
    );
    assert!(streams.iter().any(|stream| stream["codec_name"] == "flac"), "{told}");
}

#[test]
fn the_daemon_serves_and_stops_on_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    fs::write(&config, "[admin]\naddress = \"127.0.0.1:0\"\n").expect("written");
    let mut daemon = program()
        .args(["run", "--headless", "--config", config.to_str().expect("text")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the daemon starts");
    let log = std::io::BufReader::new(daemon.stderr.take().expect("a pipe"));
    let mut log = std::io::BufRead::lines(log).map_while(Result::ok);
    let address = log
        .find_map(|line| {
            line.contains("ready").then(|| line.split("127.0.0.1:").nth(1).map(str::to_owned))
        })
        .flatten()
        .expect("it tells its address");
    let address = format!(
        "127.0.0.1:{}",
        address.split(|c: char| !c.is_ascii_digit()).next().expect("a port")
    );
    let metrics = get(&address, "/metrics");
    for name in [
        "linly_talker_requests_total{model=\"asr\",status=\"ok\"}",
        "linly_talker_request_latency_seconds_bucket{model=\"pipeline\"",
        "linly_talker_asr_duration_seconds_sum",
        "linly_talker_llm_first_token_seconds_sum",
        "linly_talker_llm_duration_seconds_sum",
        "linly_talker_tts_duration_seconds_sum",
        "linly_talker_face_animator_duration_seconds_sum",
        "linly_talker_face_animator_keypoints_per_frame",
        "linly_talker_concurrent_sessions 0",
        "linly_talker_turns_total{end=\"finished\"} 0",
        "linly_talker_hush_seconds_sum",
        "linly_talker_speaker_underruns_total 0",
        "linly_talker_video_late_frames_total",
        "linly_talker_build_info",
        "process_resident_memory_bytes",
    ] {
        assert!(metrics.contains(name), "{name} is missing in:\n{metrics}");
    }
    let until = Instant::now() + Duration::from_secs(10);
    while !get(&address, "/readyz").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "it never became ready");
    }
    let stopped = Command::new("kill").arg(daemon.id().to_string()).status().expect("kill");
    assert!(stopped.success());
    let told: Vec<String> = log.collect();
    assert_eq!(daemon.wait().expect("it ends").code(), Some(0));
    // To stop is no failure of anything.
    let bad = told.iter().find(|line| line.contains("ERROR") || line.contains("WARN"));
    assert_eq!(bad, None);
}

fn get(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: kiosk\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    reply
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    fs::write(&config, format!("[admin]\naddress = \"{address}\"\n")).expect("written");
    let config = config.to_str().expect("text");
    expect(&["run", "--headless", "--config", config], 1, &[&address, "another program"]);
}
