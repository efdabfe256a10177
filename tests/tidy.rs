//! The rules of the house, as far as a search can hold them.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// Path below the root and text without the tests at its end, of each source file.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join("src"), ".rs", &mut found);
    found.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        (path.strip_prefix(root()).expect("below the root").display().to_string(), code)
    };
    found.iter().map(read).collect()
}

/// Fails with every line of the files for which `here` holds that contains one of `words`.
fn forbid(here: impl Fn(&str) -> bool, words: &[&str], why: &str) {
    let mut found = String::new();
    for (path, code) in sources().iter().filter(|(path, _)| here(path)) {
        for (number, line) in code.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push_str(&format!("\n  {path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{why}{found}");
}

#[test]
fn stages_do_not_know_each_other() {
    let mut stages = Vec::new();
    files(&root().join("src/stage"), ".rs", &mut stages);
    let threads: Vec<String> = stages
        .iter()
        .filter(|path| fs::read_to_string(path).expect("text").contains("\npub fn run("))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(threads.len(), 10, "{threads:?}");
    let mut words = Vec::new();
    for name in threads.iter().filter(|name| *name != "think") {
        words.push(format!("super::{name}"));
        words.push(format!("stage::{name}"));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    forbid(|path| path.starts_with("src/stage/"), &words, "what two stages share is in media.rs:");
}

#[test]
fn engines_and_devices_know_no_threads_links_or_turns() {
    let here = |path: &str| path.starts_with("src/engine/") || path.starts_with("src/device/");
    let words =
        ["crate::flow", "crate::stage", "crate::kiosk", "crossbeam_channel", "thread::spawn"];
    forbid(here, &words, "engines and devices only compute:");
}

#[test]
fn flow_knows_nobody() {
    let words =
        ["crate::engine", "crate::device", "crate::stage", "crate::metrics", "crate::config"];
    forbid(|path| path.starts_with("src/flow/"), &words, "flow is below everything:");
}

#[test]
fn one_folder_knows_the_onnx_runtimes_and_one_the_async_runtime() {
    let words = ["tract_onnx", " ort::", "(ort::", "<ort::"];
    forbid(
        |path| !path.starts_with("src/engine/onnx/"),
        &words,
        "only engine/onnx names a runtime:",
    );
    let words = ["tokio::", "async fn", ".await;", ".await?"];
    forbid(|path| !path.starts_with("src/admin/"), &words, "only admin is asynchronous:");
}

#[test]
fn no_unsafe_no_unbounded_queue_no_exit() {
    let words = ["unbounded(", "mpsc::channel", "process::exit", "Command::new"];
    forbid(|_| true, &words, "see docs/architecture.md:");
    // Two ioctls of the text console, for which no library is at hand.
    let console = "src/device/drm/console.rs";
    forbid(|path| path != console, &["unsafe "], "only the console needs it:");
}

#[test]
fn nothing_is_printed_past_the_report() {
    let words = ["println!", "print!(", "eprintln!", "dbg!("];
    forbid(|path| path != "src/report.rs", &words, "report.rs alone prints:");
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for (path, code) in sources() {
        let lines = code.lines().count();
        assert!(lines <= 600, "{path} has {lines} lines without its tests: split it");
        assert!(code.starts_with("//! "), "{path} does not say what it is for");
    }
}

#[test]
fn the_starter_pack_is_small() {
    let folder = root().join("models/starter");
    let sizes = fs::read_dir(folder).expect("a pack").flatten();
    let bytes: u64 = sizes.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum();
    assert!(bytes <= 40 << 20, "{bytes} bytes");
}

#[test]
fn the_changelog_has_a_place_for_what_comes_next() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).expect("a changelog");
    assert!(text.contains("## [Unreleased]"));
}
