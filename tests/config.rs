//! Layers, and the texts of what can be wrong with a configuration.

use std::{fs, path::Path};

use linly_edge::config::{Config, SoundKind, layers};

/// Writes `files` (path, text) into a fresh root.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// What is wrong with `text` as the only file.
#[track_caller]
fn check(text: &str, expected: &str) {
    let root = root(&[("etc/linly-edge/config.toml", text)]);
    let problems = Config::load_under(root.path(), None).unwrap_err().to_string();
    let problems = problems.replace(&format!("{}/", root.path().display()), "/");
    assert_eq!(problems.replace("/etc/linly-edge/config.toml", "FILE"), expected);
}

#[test]
fn without_files_all_is_default_and_sound() {
    let config = Config::load_under(root(&[]).path(), None).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.problems(), []);
}

#[test]
fn later_layers_win_key_by_key() {
    let root = root(&[
        (
            "usr/lib/linly-edge/config.toml",
            "[screen]\nwidth = 100\nheight = 100\n[listen]\npause_ms = 1\n",
        ),
        ("etc/linly-edge/config.toml", "[screen]\nwidth = 200\n[models]\nthreads = 2\n"),
        ("etc/linly-edge/config.d/20-b.toml", "[models]\nthreads = 4\n"),
        ("etc/linly-edge/config.d/10-a.toml", "[models]\nthreads = 3\n"),
        ("etc/linly-edge/config.d/notes.txt", "not read"),
        ("run/linly-edge/config.d/x.toml", "[listen]\npause_ms = 9\n"),
        ("elsewhere.toml", "[screen]\nwidth = 300\n"),
    ]);
    let config = Config::load_under(root.path(), None).unwrap();
    assert_eq!((config.screen.width, config.screen.height), (200, 100));
    assert_eq!((config.models.threads.get(), config.listen.pause_ms.get()), (4, 9));
    assert_eq!(layers(root.path(), None).len(), 5);

    let file = root.path().join("elsewhere.toml");
    let config = Config::load_under(root.path(), Some(&file)).unwrap();
    assert_eq!((config.screen.width, config.screen.height), (300, 100));
    assert_eq!((config.models.threads.get(), config.listen.pause_ms.get()), (1, 9));
}

#[test]
fn every_layer_is_checked_alone_and_all_problems_are_told() {
    let root = root(&[
        ("usr/lib/linly-edge/config.toml", "[screan]\n"),
        ("etc/linly-edge/config.toml", "[screen]\nwith = 3\n\n[listen]\nthreshold = 1.5\n"),
    ]);
    let problems = Config::load_under(root.path(), None).unwrap_err().0;
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["screan", "screen.with", "listen.threshold"]);
}

#[test]
fn a_wrong_key_is_told_with_its_place_and_the_right_one() {
    check(
        "# hello\n[listen]\n  treshold = 0.4\n",
        "FILE:3:3: listen.treshold: is not known; did you mean \"threshold\"?",
    );
    check(
        "[devices.file]\nspoon = 1\n",
        "FILE:2:1: devices.file.spoon: is not known; there are display, microphone, pause_ms, repeat, speaker",
    );
}

#[test]
fn a_number_out_of_range_is_told_with_the_range() {
    check(
        "[listen]\nthreshold = 1.5\n",
        "FILE:2:13: listen.threshold: 1.5 is out of range; it must be from 0 to 1",
    );
    check(
        "listen = { pause_ms = 0 }\n",
        "FILE:1:23: listen.pause_ms: 0 is out of range; it must be from 1 to 10000",
    );
    check(
        "[models]\nthreads = -1\n",
        "FILE:2:11: models.threads: -1 is out of range; it must be from 1 to 64",
    );
}

#[test]
fn wrong_types_and_choices_are_told() {
    check(
        "[listen]\npause_ms = \"long\"\n",
        "FILE:2:12: listen.pause_ms: invalid type: string \"long\", expected a nonzero u32",
    );
    check(
        "[devices]\nmicrophone = \"jack\"\n",
        "FILE:2:14: devices.microphone: unknown variant `jack`, expected one of `auto`, `alsa`, `file`, \
         `headless`",
    );
    check(
        "[admin]\naddress = \"9090\"\n",
        "FILE:2:11: admin.address: invalid socket address syntax",
    );
    check("listen = 3\n", "FILE:1:10: listen: invalid type: integer `3`, expected struct Listen");
}

#[test]
fn broken_files_are_told_with_their_place() {
    let root = root(&[("etc/linly-edge/config.toml", "[listen]\npause_ms = \n")]);
    let problems = Config::load_under(root.path(), None).unwrap_err();
    let place = problems.0[0].place.clone().unwrap();
    assert_eq!((place.line, place.file.ends_with("config.toml")), (2, true), "{problems}");

    fs::write(root.path().join("etc/linly-edge/config.toml"), b"a = 1\nb = \"\xff\"").unwrap();
    let problems = Config::load_under(root.path(), None).unwrap_err().to_string();
    assert!(problems.ends_with("config.toml:2:6: is not UTF-8 text from here on"), "{problems}");

    let missing = Config::load_under(root.path(), Some(Path::new("/nowhere.toml"))).unwrap_err();
    assert!(missing.to_string().starts_with("/nowhere.toml: cannot be read: No such file"));
}

#[test]
fn relations_and_missing_files_are_told_all_at_once() {
    let mut config = Config::default();
    config.devices.microphone = SoundKind::File;
    config.devices.speaker = SoundKind::File;
    config.devices.file.speaker = "/no-such-folder/reply.wav".into();
    config.screen.width = 721;
    config.listen.short_pause_ms = 900.try_into().unwrap();
    config.converse.site = "/no-such/site.toml".into();
    config.models.pack = "/no-such/pack".into();
    let problems: Vec<_> = config.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "devices.file.microphone: is empty, but a device is of the kind \"file\"; name the file",
            "devices.file.speaker: there is no folder /no-such-folder to write to; make it",
            "screen.width: 721 is odd; videos need an even number",
            "listen.short_pause_ms: 900 is longer than listen.pause_ms = 500; make it at most 500",
            "converse.site: there is no file /no-such/site.toml",
            "models.pack: there is no folder /no-such/pack",
        ]
    );
}
