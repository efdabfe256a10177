//! `try echo`: what is left of the kiosk's own voice, in a simulated room.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    config::Config,
    engine::{Vad, load::Loader, vad::Earshot},
    machine,
    media::{Chunk, SAMPLE_RATE},
    report,
    sound::{
        self, Wav,
        echo::{
            Treatment,
            room::{Outcome, Room, power},
        },
    },
    stage::endpoint::{Endpointer, Verdict, is_complete},
};

/// The longest recording.
const LONGEST: Duration = Duration::from_mins(30);

/// The time after which the canceller must have learnt the room.
const LEARNT: usize = 3 * SAMPLE_RATE as usize;

#[derive(Debug, clap::Args)]
pub(super) struct Rehearsal {
    /// What the kiosk plays; any rate, width and channel count.
    #[arg(value_name = "FILE.wav")]
    played: PathBuf,
    /// What a visitor says into it.
    #[arg(long, value_name = "FILE.wav")]
    visitor: Option<PathBuf>,
    /// How the room sounds, recorded; without it one is made.
    #[arg(long, value_name = "FILE.wav")]
    response: Option<PathBuf>,
    /// Where the microphone's sound goes, as it is.
    #[arg(long, value_name = "FILE.wav")]
    heard: Option<PathBuf>,
    /// Where the microphone's sound goes, treated.
    #[arg(long, value_name = "FILE.wav")]
    out: Option<PathBuf>,
    /// Where what the recogniser hears goes.
    #[arg(long, value_name = "FILE.wav")]
    spoken: Option<PathBuf>,
    /// Which of the rooms is made.
    #[arg(long, default_value_t = 1)]
    room: u64,
    /// How long its echo takes to fall by 60 dB, in seconds.
    #[arg(long, default_value_t = 0.35)]
    decay: f64,
    /// How loud the kiosk's voice is in the microphone, in decibels under full scale.
    #[arg(long, default_value_t = -26.0, allow_negative_numbers = true)]
    echo_db: f32,
    /// How loud the visitor is in it.
    #[arg(long, default_value_t = -26.0, allow_negative_numbers = true)]
    visitor_db: f32,
    /// How hard the loudspeaker is driven; 0 is not at all.
    #[arg(long, default_value_t = 1.0)]
    drive: f32,
    /// How much faster the loudspeaker's clock runs, in parts per million.
    #[arg(long, default_value_t = 100.0, allow_negative_numbers = true)]
    drift: f64,
    /// How inexactly the cards tell their delays, in milliseconds.
    #[arg(long, default_value_t = 1.0)]
    jitter: f64,
    /// Leave the loudspeaker's sound out of the microphone, to compare.
    #[arg(long)]
    quiet: bool,
    /// Leave the microphone's sound as it is, to compare.
    #[arg(long)]
    untreated: bool,
    /// Count what the speech detector and the recogniser take for a visitor.
    #[arg(long)]
    listen: bool,
}

impl Rehearsal {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode> {
        let read = |path: &PathBuf| Wav::read(path, LONGEST).map(|wav| wav.samples);
        let played = read(&self.played)?;
        ensure!(played.len() > 2 * LEARNT, "the recording must last six seconds at least");
        let visitor = self.visitor.as_ref().map(read).transpose()?.unwrap_or_default();
        let room = Room {
            seed: self.room,
            decay_s: self.decay,
            response: self.response.as_ref().map(read).transpose()?,
            echo_db: self.echo_db,
            visitor_db: self.visitor_db,
            drive: self.drive,
            drift: self.drift * 1e-6,
            jitter_s: self.jitter * 1e-3,
            ..Room::default()
        };
        let mut scene = room.hear(&played, &visitor);
        if self.quiet {
            scene.echo.fill(0.0);
        }
        let heard: Vec<f32> = scene.echo.iter().zip(&scene.others).map(|(a, b)| a + b).collect();
        let treatment = if self.untreated {
            Treatment { echo: false, noise: None, gain: false }
        } else {
            machine::treatment(&config.sound)
        };
        let began = processor_time();
        let mut outcome = room.rehearse(&played, &heard, treatment)?;
        let worked = processor_time() - began;
        if self.untreated {
            // Not even the filter against rumble.
            outcome.treated = heard[..outcome.treated.len()].to_vec();
            outcome.spoken = outcome.treated.clone();
        }
        if let Some(path) = &self.heard {
            sound::write_wav(path, &heard, SAMPLE_RATE)?;
        }
        if let Some(path) = &self.out {
            sound::write_wav(path, &outcome.treated, SAMPLE_RATE)?;
        }
        if let Some(path) = &self.spoken {
            sound::write_wav(path, &outcome.spoken, SAMPLE_RATE)?;
        }
        let end = outcome.treated.len();
        let seconds = end as f64 / f64::from(SAMPLE_RATE);
        let reduction = |from: usize, to: usize| {
            let (before, after) = (power(&heard[from..to]), power(&outcome.treated[from..to]));
            10.0 * (before / after.max(1e-12)).log10()
        };
        let mut line = json!({
            "seconds": seconds,
            "reduction_db": reduction(LEARNT, end),
            "told_reduction_db": outcome.figures.reduction_db(),
            "told_drift_ppm": outcome.figures.drift() * 1e6,
            "resynchronised": outcome.figures.resynchronised(),
            "share_of_a_core": worked / seconds,
        });
        if self.listen {
            let found = listen(config, &outcome)?;
            line["speech_began"] = json!(found.began);
            line["texts"] = json!(found.texts);
        }
        report::print(&line.to_string());
        Ok(ExitCode::SUCCESS)
    }
}

/// Seconds that this thread has computed: other than a clock, this does not count what others computed on
/// the same processor meanwhile. 0 where the kernel does not tell.
fn processor_time() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// What was taken for a visitor.
struct Found {
    /// When speech began, in seconds.
    began: Vec<f64>,
    /// What was understood, one text for each.
    texts: Vec<String>,
}

fn listen(config: &Config, outcome: &Outcome) -> Result<Found> {
    let mut asr = Loader::new(config)?.asr()?;
    let mut vad = Earshot::default();
    let mut endpointer = Endpointer::new(machine::settings(config, None).limits);
    let mut found = Found { began: Vec::new(), texts: Vec::new() };
    let mut complete = false;
    let parts = outcome.treated.chunks(512).zip(outcome.spoken.chunks(512));
    for (number, (samples, spoken)) in parts.enumerate() {
        let chunk = Chunk { samples: samples.to_vec(), spoken: Some(spoken.to_vec()) };
        let probability = vad.probability(&chunk)?;
        let chunks = match endpointer.take(&chunk, probability, complete) {
            Verdict::Silence => continue,
            Verdict::Began(chunks) => {
                found.began.push(number as f64 * 512.0 / f64::from(SAMPLE_RATE));
                chunks
            }
            Verdict::Continues => vec![chunk],
            Verdict::Ended { .. } => {
                complete = false;
                found.texts.push(asr.finish()?);
                asr.reset();
                continue;
            }
        };
        for chunk in &chunks {
            complete = is_complete(asr.accept(chunk)?);
        }
    }
    if endpointer.is_speaking() {
        found.texts.push(asr.finish()?);
    }
    Ok(found)
}
