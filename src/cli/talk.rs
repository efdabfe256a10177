//! `talk`: one turn on the whole machine, then the end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::{ConfigFile, Engine};
use crate::{
    config::{CameraKind, Config, DisplayKind, SoundKind},
    device::{DeviceError, Speaker},
    front::steps_ms,
    journal::{End, Report},
    kiosk::Kiosk,
    machine::{self, Assembly},
    metrics::Metrics,
    report::{self, Progress},
    sound::{self, Wav},
};

/// The longest recording of one question.
const LONGEST: Duration = Duration::from_mins(1);
/// What a text may have, in characters; as in `POST /talk`.
const MOST: usize = 1000;
/// The longest that an answer takes to begin, sound and end.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, clap::Args)]
pub(super) struct Talk {
    #[command(flatten)]
    question: Question,
    /// Folder for reply.wav, reply.mp4 and turn.json; it is made if it is missing.
    #[arg(long, value_name = "DIR", default_value = "out/talk")]
    out: PathBuf,
    /// Print turn.json instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    engine: Engine,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Question {
    /// A visitor's recording; it is played into the microphone in real time.
    #[arg(long, value_name = "FILE.wav")]
    wav: Option<PathBuf>,
    /// What the visitor types.
    #[arg(long)]
    text: Option<String>,
}

impl Talk {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let mut config = self.config.load()?;
        self.engine.apply(&mut config);
        self.look_at_the_question()?;
        fs::create_dir_all(&self.out)
            .with_context(|| format!("failed to make the folder {}", self.out.display()))?;
        self.use_simulated_devices(&mut config);
        let progress = Progress::default();
        progress.say("loading the models …");
        let metrics = Arc::new(Metrics::default());
        let Assembly { engines, mut devices, recording, models, .. } =
            machine::assemble(&config, &metrics)?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sample_rate = devices.speaker.sample_rate();
        devices.speaker = Box::new(Tap { speaker: devices.speaker, heard: heard.clone() });
        let kiosk = Kiosk::start(machine::settings(&config, None), engines, devices, &metrics)?;
        let reports =
            kiosk.journal.subscribe().map_err(|_| anyhow::anyhow!("the kiosk is busy"))?;
        recording.start()?;
        if let Some(text) = &self.question.text {
            ensure!(kiosk.tell().typed(text.clone()), "the kiosk has stopped");
            progress.say("answering …");
        } else {
            progress.say("the visitor speaks …");
        }
        let report = reports.next(Instant::now() + PATIENCE);
        drop(reports);
        progress.say("writing the video …");
        let video = recording.finish()?;
        kiosk.stop(machine::grace(&config))?;
        drop(progress);
        let Some(report) = report else { bail!("there was no answer within {PATIENCE:?}") };
        self.tell_failure(&report)?;
        sound::write_whole(&self.out.join("reply.mp4"), &video)?;
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        sound::write_wav(&self.out.join("reply.wav"), &heard, sample_rate)?;
        let names: serde_json::Map<String, serde_json::Value> = models
            .iter()
            .map(|model| {
                (model.kind.clone(), json!(format!("{} on {}", model.name, model.backend)))
            })
            .collect();
        let first = report.first_sound.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        let turn = json!({
            "heard": report.heard,
            "answer": report.answer,
            "first_sound_ms": (first * 10.0).round() / 10.0,
            "steps_ms": steps_ms(&report.steps),
            "models": names,
        });
        let text = serde_json::to_string_pretty(&turn)?;
        sound::write_whole(&self.out.join("turn.json"), format!("{text}\n").as_bytes())?;
        report::print(&if self.json { text } else { self.table(&report, first) });
        Ok(ExitCode::SUCCESS)
    }

    /// What can be wrong with a question is told before the models are loaded.
    fn look_at_the_question(&self) -> Result<()> {
        if let Some(text) = &self.question.text {
            ensure!(!text.trim().is_empty(), "the text is empty; say what the visitor asks");
            let length = text.chars().count();
            ensure!(
                length <= MOST,
                "the text has {length} characters; at most {MOST} are answered"
            );
        }
        if let Some(path) = &self.question.wav {
            let wav = Wav::read(path, LONGEST)?;
            ensure!(
                !wav.is_silent(),
                "{} is silent; record the visitor louder, or closer",
                path.display()
            );
            if wav.truncated {
                tracing::warn!(path = %path.display(), "the recording ends before its header says so");
            }
        }
        Ok(())
    }

    fn use_simulated_devices(&self, config: &mut Config) {
        let devices = &mut config.devices;
        devices.speaker = SoundKind::Headless;
        devices.display = DisplayKind::Headless;
        devices.camera = CameraKind::Off;
        devices.microphone = SoundKind::Headless;
        if let Some(path) = &self.question.wav {
            devices.microphone = SoundKind::File;
            devices.file.microphone = absolute(path);
            devices.file.repeat = false;
            // A recording is one question: a pause in it must not end it, and nothing may cut in.
            config.converse.barge_in = false;
        }
    }

    fn tell_failure(&self, report: &Report) -> Result<()> {
        match report.end {
            End::Finished => Ok(()),
            End::Unheard => {
                let path = self.question.wav.as_deref().unwrap_or(Path::new("the recording"));
                bail!("no words were understood in {}", path.display())
            }
            End::Interrupted => {
                bail!("the recording speaks into the answer; use one with one question")
            }
            End::Failed(step) => bail!("the step {} failed; run `linly-edge check`", step.name()),
        }
    }

    fn table(&self, report: &Report, first: f64) -> String {
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut rows =
            vec![row("heard", report.heard.clone()), row("answered", report.answer.clone())];
        for (step, time) in &report.steps {
            rows.push(row(step_name(step), format!("{:.0} ms", time.as_secs_f64() * 1e3)));
        }
        rows.push(row("end of speech to first sound", format!("{first:.0} ms")));
        let video = self.out.join("reply.mp4");
        format!("{}\n{}", report::table(&rows), video.display())
    }
}

/// A step for people.
fn step_name(step: &str) -> &str {
    match step {
        "pause" => "  deciding that the visitor has ended",
        "asr" => "  recognising, after that",
        "llm_first_token" => "  thinking, first token",
        "llm" => "  thinking, all",
        "tts_first" => "  speaking, first sound",
        "tts" => "  speaking, all",
        "face" => "  moving the mouth, all",
        other => other,
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A loudspeaker whose sound is kept.
struct Tap {
    speaker: Box<dyn Speaker>,
    heard: Arc<Mutex<Vec<f32>>>,
}

impl Speaker for Tap {
    fn sample_rate(&self) -> u32 {
        self.speaker.sample_rate()
    }
    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(samples);
        self.speaker.write(samples)
    }
    fn delay(&self) -> Result<Duration, DeviceError> {
        self.speaker.delay()
    }
    fn flush(&mut self) -> Result<(), DeviceError> {
        self.speaker.flush()
    }
}
