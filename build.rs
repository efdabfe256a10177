//! Finds the weights of the built-in face detector. They are part of the published source of the crate
//! `rustface` (BSD 2-Clause, `model/` in its folder), so that they are neither kept here nor downloaded.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const WEIGHTS: &str = "model/seeta_fd_frontal_v1.0.bin";
const NOTICE: &str = "LICENSE";

/// Names a folder with the crate's source, for builds that keep it in an unusual place.
const FOLDER: &str = "LINLY_RUSTFACE";

fn main() {
    for variable in [FOLDER, "CARGO_HOME"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    for file in ["build.rs", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let Some(folder) = folder() else {
        println!(
            "cargo::error=the source of the crate rustface was not found, which holds the weights of the \
             face detector; run `cargo fetch` or `cargo vendor`, or set {FOLDER} to its folder"
        );
        return;
    };
    for (variable, file) in [("LINLY_FACE_WEIGHTS", WEIGHTS), ("LINLY_FACE_NOTICE", NOTICE)] {
        println!("cargo::rustc-env={variable}={}", folder.join(file).display());
    }
}

fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER) {
        return Some(PathBuf::from(folder)).filter(|folder| is_it(folder));
    }
    asked().or_else(searched)
}

fn is_it(folder: &Path) -> bool {
    folder.join(WEIGHTS).is_file() && folder.join(NOTICE).is_file()
}

/// Asks cargo, which knows of vendored sources and patches.
fn asked() -> Option<PathBuf> {
    let platform = env::var("TARGET").ok()?;
    let output = Command::new(env::var_os("CARGO")?)
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .args(["--filter-platform", &platform])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // Paths are written as JSON strings; none of a sane build has a quote or a backslash in it.
    text.split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| Path::new(rest.split('"').next()?).parent().map(Path::to_owned))
        .find(|folder| is_it(folder))
}

/// Searches the places where cargo unpacks crates: `cargo metadata` wants every crate of the lock file,
/// also those that this build does not need.
fn searched() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    let mut found: Vec<PathBuf> = registries
        .flatten()
        .filter_map(|registry| fs::read_dir(registry.path()).ok())
        .flat_map(|crates| crates.flatten().map(|entry| entry.path()))
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rustface-0.1."))
        })
        .filter(|folder| is_it(folder))
        .collect();
    found.sort();
    found.pop()
}
