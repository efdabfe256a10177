//! The commands: `run`, `talk`, `try`, `check`, `models`, `sensors`, `completions`, and two for units and
//! packages.

mod check;
mod devices;
mod echo;
mod eyes;
mod models;
mod run;
mod sensors;
mod serve;
mod start;
mod talk;
mod trial;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::{
    config::{BackendKind, Config, Problems},
    engine::onnx::Library,
};

/// The configuration is wrong (`EX_CONFIG` of sysexits.h); systemd does not restart the daemon then.
const WRONG_CONFIG: u8 = 78;

/// A digital receptionist: it listens, answers, and shows its face, with no network.
#[derive(Debug, Parser)]
#[command(name = "linly-edge", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Try it:  linly-edge talk --text 'Where is the lift?' --out out\n\
                        Serve:   linly-edge run --config /etc/linly-edge/config.toml\n\
                        Look:    linly-edge check")]
struct Cli {
    /// How much is logged, for example `debug` or `linly_edge::stage=trace`; the variable `RUST_LOG`
    /// says the same.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon until it is told to stop.
    #[command(after_help = "Example:  linly-edge run --config kiosk.toml\n\
                            Without --config it reads /etc/linly-edge/config.toml and the folders \
                            beside it, and without those it runs on the defaults.")]
    Run(run::Run),
    /// Answer one question, write the answer as sound and video, and end.
    #[command(after_help = "Examples:\n  \
                            linly-edge talk --text 'When do you close?' --out out\n  \
                            linly-edge talk --wav question.wav --json | jq .first_sound_ms")]
    Talk(talk::Talk),
    /// Run one step alone: recognition, language model, voice or face.
    #[command(subcommand)]
    Try(trial::Trial),
    /// Check configuration, models and devices, and tell all problems at once; exits 0 or 78.
    #[command(after_help = "Examples:\n  \
                            linly-edge check --config kiosk.toml --json\n  \
                            linly-edge check --devices      (after mounting the box)\n  \
                            linly-edge check --devices --json | jq .devices.sound")]
    Check(check::Check),
    /// What is in the model pack.
    #[command(subcommand)]
    Models(models::Models),
    /// Print how the device is: temperatures, power, clocks, memory.
    #[command(after_help = "Examples:\n  \
                            linly-edge sensors\n  \
                            linly-edge sensors --watch\n  \
                            linly-edge sensors --json | \
                            jq '.thermal.zones[] | {name, celsius: .temperature.celsius?}'\n\
                            \nA sensor that the device does not have is left out. `offline` is one whose \
                            part of the chip has no power, `needs root` one that only root may read.")]
    Sensors(sensors::Sensors),
    /// Print what a shell needs to complete these commands.
    #[command(after_help = "Example:  linly-edge completions bash > \
                            /usr/share/bash-completion/completions/linly-edge")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Say on the screen that the kiosk is out of order, until told to end.
    #[command(hide = true)]
    OutOfOrder {
        #[command(flatten)]
        file: ConfigFile,
        /// What technicians are told.
        #[arg(long, value_name = "CODE", default_value = "E1")]
        code: String,
    },
    /// Write the pages of the manual into a folder.
    #[command(hide = true)]
    Manual {
        /// The folder.
        folder: PathBuf,
    },
}

/// Where the configuration is.
#[derive(Clone, Debug, Default, clap::Args)]
struct ConfigFile {
    /// Configuration file, in place of those under /etc/linly-edge.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The configuration, without problems.
    fn load(&self) -> Result<Config> {
        let config = Config::load(self.config.as_deref())?;
        let problems = config.problems();
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems).into()) }
    }
}

/// What computes the models of one command.
#[derive(Clone, Debug, clap::Args)]
struct Engine {
    /// What computes the models.
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Threads that each model may use; tract uses one.
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
    /// Folder of the model pack, in place of the one that is built in.
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// `libonnxruntime.so` for the backend ort.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Backend {
    /// ONNX Runtime where its library is found, else tract.
    Auto,
    /// Pure Rust, built in.
    Tract,
    /// ONNX Runtime.
    Ort,
}

impl Engine {
    /// Writes what the command line says over the configuration.
    fn apply(&self, config: &mut Config) {
        if let Some(backend) = self.backend {
            config.models.backend = match backend {
                Backend::Auto => BackendKind::Auto,
                Backend::Tract => BackendKind::Tract,
                Backend::Ort => BackendKind::Ort,
            };
        }
        if let Some(threads) = self.threads {
            config.models.threads = threads;
        }
        if let Some(pack) = &self.pack {
            config.models.pack.clone_from(pack);
        }
        if let Some(library) = &self.library {
            config.models.library.clone_from(library);
        }
    }
}

/// Runs the command that `arguments` name; errors are printed, one cause a line.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // 64 is EX_USAGE of sysexits.h; help and version are no errors.
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match dispatch(&cli) {
        Ok(code) => code,
        Err(error) => {
            crate::report::error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// With what an error ends the program.
fn exit_code(error: &anyhow::Error) -> u8 {
    let wrong_config = error.is::<Problems>() || error.downcast_ref::<WrongConfig>().is_some();
    if wrong_config { WRONG_CONFIG } else { 1 }
}

/// What the screen says of an error to whoever repairs the kiosk: how the program ends, and the name of
/// the first thing that is wrong. The log has the rest.
fn code_of(error: &anyhow::Error) -> String {
    let first: String =
        error.to_string().lines().next().unwrap_or_default().chars().take(70).collect();
    format!("E{} · {first}", exit_code(error))
}

/// Marks an error as one of the configuration, for the exit code.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be used")]
struct WrongConfig;

fn dispatch(cli: &Cli) -> Result<ExitCode> {
    let log = |default: &str| crate::report::log(cli.log.as_deref().unwrap_or(default));
    match &cli.command {
        Command::Run(run) => {
            let config = run.config()?;
            log(config.log.level.name());
            run::run(run, &config)
        }
        Command::Talk(talk) => {
            log("warn");
            talk.run()
        }
        Command::Try(trial) => {
            log("warn");
            trial.run()
        }
        Command::Check(check) => {
            log("error");
            check.run()
        }
        Command::Models(models) => {
            log("error");
            models.run()
        }
        Command::Sensors(sensors) => {
            log("error");
            sensors.run()
        }
        Command::Completions { shell } => {
            let name = "linly-edge";
            clap_complete::generate(*shell, &mut Cli::command(), name, &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::OutOfOrder { file, code } => {
            log("info");
            start::out_of_order(&file.load().unwrap_or_default(), code)
        }
        Command::Manual { folder } => {
            let written = clap_mangen::generate_to(Cli::command(), folder);
            written.with_context(|| format!("cannot write into {}", folder.display()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Where ONNX Runtime was looked for.
fn library_places() -> Vec<PathBuf> {
    Library::places()
}
