//! `sensors`: how the device is, once or again and again.

mod table;

use std::{
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use jetson_stats::{Jetson, Snapshot};

use crate::report;

/// Load is a difference: so far apart are the two looks of a single table.
const BETWEEN: Duration = Duration::from_millis(250);
/// How often `--watch` looks.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Sensors {
    /// Look again every second and write over what was shown; ends with Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// Print JSON, with --watch one line a second.
    #[arg(long)]
    json: bool,
    /// Folder that is read in place of this device: a copy of the /proc, /sys and /etc of one.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

impl Sensors {
    pub(super) fn run(&self) -> Result<ExitCode> {
        ensure!(self.root.is_dir(), "--root: there is no folder {}", self.root.display());
        let jetson = Jetson::at(&self.root);
        let mut jetson = jetson.context("failed to start the readers of the sensors")?;
        let terminal = std::io::stdout().is_terminal();
        let mut before = None;
        if !self.json {
            before = Some(jetson.sample());
            thread::sleep(BETWEEN);
        }
        let mut due = Instant::now();
        loop {
            let snapshot = jetson.sample();
            let text = self.text(&snapshot, before.as_ref(), terminal)?;
            if !report::keep_printing(&text) || !self.watch {
                return Ok(ExitCode::SUCCESS);
            }
            before = Some(snapshot);
            due = (due + PERIOD).max(Instant::now());
            thread::sleep(due - Instant::now());
        }
    }

    fn text(&self, now: &Snapshot, before: Option<&Snapshot>, terminal: bool) -> Result<String> {
        if self.json {
            let json = if self.watch {
                serde_json::to_string(now)
            } else {
                serde_json::to_string_pretty(now)
            };
            return Ok(json? + "\n");
        }
        let table = table::write(now, before, terminal);
        Ok(match (self.watch, terminal) {
            // Line by line over the old picture, so that nothing flickers; what is below is wiped.
            (true, true) => format!("\x1b[H{}\x1b[J", table.replace('\n', "\x1b[K\n")),
            (true, false) => table + "\n",
            (false, _) => table,
        })
    }
}
