//! `check`: configuration, models and devices; all problems at once.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::Result;
use serde_json::json;

use super::{
    ConfigFile, Engine, WRONG_CONFIG,
    devices::{Finding, examine},
    library_places,
};
use crate::{
    admin,
    config::{Config, layers},
    engine::{
        load::{self, Loader},
        pack,
    },
    machine,
    metrics::Metrics,
    report,
};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    engine: Engine,
    /// Use every device for a moment: play a tone and hear it, show colour bars, count faces.
    #[arg(long)]
    devices: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Default)]
struct Findings {
    lines: Vec<String>,
    steps: serde_json::Map<String, serde_json::Value>,
    devices: serde_json::Map<String, serde_json::Value>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    /// Does `work` and notes how long it took, or what is wrong.
    fn try_step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        let began = Instant::now();
        let result = work();
        let took = began.elapsed().as_millis();
        let (ok, told) = match &result {
            Ok(_) => (true, format!("ok       {name} ({took} ms)")),
            Err(_) => (false, format!("PROBLEM  {name}")),
        };
        self.lines.push(told);
        self.steps.insert(name.to_owned(), json!({ "ok": ok, "took_ms": took as u64 }));
        result.map_err(|error| self.problems.push(format!("{name}: {error:#}"))).ok()
    }

    /// Uses the devices, and tells what each is and does.
    fn use_devices(&mut self, config: &Config, rate: u32) {
        for finding in examine(config, rate) {
            let Finding { device, lines, mut json, problems, demanded } = finding;
            json["problems"] = json!(problems);
            self.devices.insert(device.to_owned(), json);
            let mark = if problems.is_empty() { "ok      " } else { "PROBLEM " };
            self.lines.push(format!("{mark} {device}"));
            self.lines.extend(lines.into_iter().map(|line| format!("         {line}")));
            let told = problems.into_iter().map(|problem| format!("{device}: {problem}"));
            if demanded { self.problems.extend(told) } else { self.warnings.extend(told) }
        }
    }

    fn places(&mut self, what: &str, places: &[PathBuf], has: impl Fn(&PathBuf) -> bool) {
        self.lines.push(format!("{what} is looked for in"));
        let mut found = false;
        for place in places {
            let mark = if !found && has(place) { "->" } else { "  " };
            found |= has(place);
            self.lines.push(format!("  {mark} {}", place.display()));
        }
    }
}

impl Check {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let mut found = Findings::default();
        let file = self.config.config.as_deref();
        for layer in layers(std::path::Path::new("/"), file) {
            found.lines.push(format!("configuration: {}", layer.display()));
        }
        let mut config = match Config::load(file) {
            Ok(config) => config,
            Err(problems) => {
                found.problems.extend(problems.0.iter().map(ToString::to_string));
                // The rest is checked on the defaults, so that all is told at once.
                Config::default()
            }
        };
        self.engine.apply(&mut config);
        found.problems.extend(config.problems().iter().map(ToString::to_string));
        let (problems, warnings) = admin::check(&config.admin);
        found.problems.extend(problems.0.iter().map(ToString::to_string));
        found.warnings.extend(warnings);
        found.places("the model pack", &pack::places("models/starter"), |place| {
            place.join("pack.toml").is_file()
        });
        found.places("the portrait", &load::avatar_places(), |place| load::is_avatar(place));
        found.places("ONNX Runtime", &library_places(), |place| place.is_file());
        let rate = check_parts(&config, &mut found, !self.devices);
        if self.devices {
            found.use_devices(&config, rate);
        }

        if self.json {
            let text = json!({
                "checks": found.steps, "devices": found.devices, "problems": found.problems,
                "warnings": found.warnings
            });
            report::print(&serde_json::to_string_pretty(&text)?);
        } else {
            report::print(&found.lines.join("\n"));
            for warning in &found.warnings {
                report::print(&format!("\nwarning: {warning}"));
            }
            for problem in &found.problems {
                report::print(&format!("\n{problem}"));
            }
        }
        let good = found.problems.is_empty();
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(WRONG_CONFIG) })
    }
}

/// Models, portrait and, if that is asked for, devices: each is loaded, and computes once. Returns how
/// many samples a second the voice makes.
fn check_parts(config: &Config, found: &mut Findings, devices: bool) -> u32 {
    let mut rate = 16_000;
    if let Some(loader) = found.try_step("pack, site and runtime", || Loader::new(config)) {
        let backend = loader.options.backend();
        found.lines.push(format!("         {} on {backend}", loader.pack.folder.display()));
        found.try_step("asr", || loader.asr());
        found.try_step("llm", || loader.llm());
        found.try_step("tts", || {
            rate = loader.tts()?.sample_rate();
            Ok(())
        });
        found.try_step("face", || loader.face(rate));
    }
    found.try_step("portrait", || load::portrait(config));
    if devices {
        found.try_step("devices", || machine::devices(config, rate, &Metrics::default()));
    }
    rate
}
