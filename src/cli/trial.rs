//! `try`: one step alone, for integrators and for evaluation.

use std::{
    io::BufRead,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use serde_json::json;

use super::{ConfigFile, Engine, echo::Rehearsal};
use crate::{
    config::Config,
    device::mp4::{Format, Mp4},
    engine::load::{self, Loader},
    media::{Chunk, Message, PICTURE_RATE, Role, SAMPLE_RATE},
    report,
    sound::{self, Wav},
};

/// The longest recording that a step is tried on.
const LONGEST: Duration = Duration::from_mins(10);

#[derive(Debug, Subcommand)]
pub(super) enum Trial {
    /// Recognise recordings; prints path and text, separated by a tab, one a line.
    #[command(after_help = "Example:  linly-edge try asr *.wav --backend tract --json")]
    Asr {
        /// Recordings of any rate, width and channel count.
        #[arg(required = true, value_name = "FILE.wav")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Answer questions from standard input, one a line; prints one answer a line.
    #[command(
        after_help = "Example:  echo 'Where is the lift?' | linly-edge try llm --site site.toml"
    )]
    Llm {
        /// The facts of the place; without it the sample that is built in.
        #[arg(long, value_name = "FILE")]
        site: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Speak a text into a sound file.
    #[command(after_help = "Example:  linly-edge try tts --text 'Good morning!' --out hello.wav")]
    Tts {
        /// What is spoken.
        #[arg(long)]
        text: String,
        /// Where the sound goes.
        #[arg(long, value_name = "FILE.wav")]
        out: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Let the portrait speak a recording, into a video.
    #[command(after_help = "Example:  linly-edge try face hello.wav --out hello.mp4")]
    Face {
        /// A recording of any rate, width and channel count.
        #[arg(value_name = "FILE.wav")]
        file: PathBuf,
        /// Where the video goes.
        #[arg(long, value_name = "FILE.mp4")]
        out: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Cancel the kiosk's own voice in a simulated room; prints what is left of it, as JSON.
    #[command(hide = true)]
    Echo {
        #[command(flatten)]
        rehearsal: Rehearsal,
        #[command(flatten)]
        common: Common,
    },
    /// Look through the camera: what was negotiated, how fast and how bright its pictures are, who is there.
    #[command(after_help = "Example:  linly-edge try camera --seconds 3")]
    Camera {
        /// How long to look, once for the rate and once for people.
        #[arg(long, default_value_t = 3.0)]
        seconds: f32,
        #[command(flatten)]
        common: Common,
    },
    /// Look for faces in pictures, as the camera's are looked at.
    #[command(after_help = "Example:  linly-edge try faces visitors.jpg --json")]
    Faces {
        /// JPEG or PNG pictures.
        #[arg(required = true, value_name = "PICTURE")]
        files: Vec<PathBuf>,
        /// Look so many more times and tell the mean time.
        #[arg(long, value_name = "COUNT", default_value_t = 1)]
        times: u32,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    engine: Engine,
    /// Print timings, as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn config(&self) -> Result<Config> {
        let mut config = self.config.load()?;
        self.engine.apply(&mut config);
        Ok(config)
    }
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl Trial {
    pub(super) fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Asr { files, common } => asr(files, common),
            Self::Llm { site, common } => llm(site.as_deref(), common),
            Self::Tts { text, out, common } => tts(text, out, common),
            Self::Face { file, out, common } => face(file, out, common),
            Self::Echo { rehearsal, common } => rehearsal.run(&common.config()?),
            Self::Camera { seconds, common } => {
                super::eyes::camera(&common.config()?, *seconds, common.json)
            }
            Self::Faces { files, times, common } => {
                super::eyes::faces(files, &common.config()?, *times, common.json)
            }
        }
    }
}

fn asr(files: &[PathBuf], common: &Common) -> Result<ExitCode> {
    let mut asr = Loader::new(&common.config()?)?.asr()?;
    let mut failed = false;
    for file in files {
        // One file that cannot be read must not cost the others.
        let wav = match Wav::read(file, LONGEST) {
            Ok(wav) => wav,
            Err(error) => {
                report::error(&error.into());
                failed = true;
                continue;
            }
        };
        asr.reset();
        let began = Instant::now();
        // Room for the end of the last word, as a microphone would give it.
        let mut samples = wav.samples;
        samples.resize(samples.len() + SAMPLE_RATE as usize / 2, 0.0);
        for chunk in samples.chunks(SAMPLE_RATE as usize / 50) {
            asr.accept(&Chunk::of(chunk.to_vec()))?;
        }
        let ended = Instant::now();
        let text = asr.finish()?;
        if common.json {
            let line = json!({
                "path": file, "text": text, "seconds": wav.seconds, "took_ms": ms(began.elapsed()),
                "finish_ms": ms(ended.elapsed()),
                "real_time_factor": began.elapsed().as_secs_f64() / wav.seconds.max(1e-3),
            });
            report::print(&line.to_string());
        } else {
            report::print(&format!("{}\t{text}", file.display()));
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn llm(site: Option<&Path>, common: &Common) -> Result<ExitCode> {
    let mut config = common.config()?;
    if let Some(site) = site {
        site.clone_into(&mut config.converse.site);
    }
    let mut llm = Loader::new(&config)?.llm()?;
    for line in std::io::stdin().lock().lines() {
        let question = line.context("failed to read the questions")?;
        let history = [Message { role: Role::Visitor, text: question.trim().to_owned() }];
        let (mut answer, mut tokens, mut first) = (String::new(), 0_u32, None);
        let began = Instant::now();
        if !question.trim().is_empty() {
            llm.reply(&history, &mut |token| {
                first.get_or_insert_with(|| began.elapsed());
                tokens += 1;
                answer.push_str(token);
                ControlFlow::Continue(())
            })?;
        }
        let took = began.elapsed();
        let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        if common.json {
            let first = first.unwrap_or(took);
            let rest = took.saturating_sub(first).as_secs_f64();
            let rate = if rest > 0.0 { f64::from(tokens.saturating_sub(1)) / rest } else { 0.0 };
            let line = json!({
                "question": question, "answer": answer, "tokens": tokens,
                "first_token_ms": ms(first), "took_ms": ms(took), "tokens_per_second": rate,
            });
            report::print(&line.to_string());
        } else {
            report::print(&answer);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tts(text: &str, out: &Path, common: &Common) -> Result<ExitCode> {
    let mut tts = Loader::new(&common.config()?)?.tts()?;
    let (mut samples, mut first) = (Vec::new(), None);
    let began = Instant::now();
    tts.speak(text, &mut |piece| {
        first.get_or_insert_with(|| began.elapsed());
        samples.extend_from_slice(piece);
        ControlFlow::Continue(())
    })?;
    let took = began.elapsed();
    ensure!(!samples.is_empty(), "there is nothing speakable in {text:?}");
    sound::write_wav(out, &samples, tts.sample_rate())?;
    let seconds = samples.len() as f64 / f64::from(tts.sample_rate());
    if common.json {
        let line = json!({
            "seconds": seconds, "took_ms": ms(took), "first_sound_ms": ms(first.unwrap_or(took)),
            "sample_rate": tts.sample_rate(), "real_time_factor": took.as_secs_f64() / seconds,
        });
        report::print(&line.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

fn face(file: &Path, out: &Path, common: &Common) -> Result<ExitCode> {
    let config = common.config()?;
    let wav = Wav::read(file, LONGEST)?;
    let mut face = Loader::new(&config)?.face(SAMPLE_RATE)?;
    let mut portrait = load::portrait(&config)?;
    let progress = report::Progress::default();
    let mut mouths = Vec::new();
    let began = Instant::now();
    let beat = (SAMPLE_RATE / face.rate()) as usize;
    for sound in wav.samples.chunks(beat) {
        let mut sound = sound.to_vec();
        sound.resize(beat, 0.0);
        face.accept(&sound, &mut |mouth| mouths.push(mouth))?;
    }
    face.finish(&mut |mouth| mouths.push(mouth))?;
    let animated = began.elapsed();
    let (mut drawing, mut encoding) = (Duration::ZERO, Duration::ZERO);
    let format = Format {
        width: config.screen.width,
        height: config.screen.height,
        picture_rate: PICTURE_RATE,
        sample_rate: SAMPLE_RATE,
    };
    let mut video = Mp4::in_memory(format)?;
    video.sound(&wav.samples)?;
    for (number, mouth) in (0_u32..).zip(&mouths) {
        let at = Duration::from_secs(1) * number / PICTURE_RATE;
        let began = Instant::now();
        let picture = portrait.draw(at, *mouth);
        drawing += began.elapsed();
        video.picture(&picture, at)?;
        encoding += began.elapsed();
        progress.say(&format!("picture {number} of {}", mouths.len()));
    }
    sound::write_whole(out, &video.finish()?.into_inner())?;
    drop(progress);
    if common.json {
        let encoding = encoding.saturating_sub(drawing);
        let line = json!({
            "pictures": mouths.len(), "mouths_ms": ms(animated), "drawing_ms": ms(drawing),
            "encoding_ms": ms(encoding),
            "pictures_per_second": mouths.len() as f64 / drawing.as_secs_f64().max(1e-9),
        });
        report::print(&line.to_string());
    }
    Ok(ExitCode::SUCCESS)
}
