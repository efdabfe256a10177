//! The voice that ships: two small graphs and a source-filter synthesiser.
//!
//! `reader` turns the sounds of a sentence into their lengths and into a path through a feature space
//! (a few knots for each sound). Sampled every 10 ms, the path goes through `mouth`, which tells what
//! the synthesiser needs every 5 ms. `mouth` hears little to its left and right, so it runs on windows
//! of a fixed length and the first sound leaves before the sentence is computed.

use std::{fs, ops::ControlFlow, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tracing::debug;

use super::{
    normalise::normalise,
    pronounce::{Pronouncer, Sound},
    synthesiser::{Frame, ORDER, Synthesiser, Tuning},
};
use crate::engine::{
    Tts,
    onnx::{Contract, Kind, Model, Options, Tensor, port},
};

/// Numbers in a frame: the mel-cepstrum, the logarithm of the pitch, the logit of being voiced.
const OUTPUTS: usize = ORDER + 2;
/// Frames of 5 ms in a step of `mouth`.
const STEP: usize = 2;
/// Numbers that tell where in its sound a step is.
const PLACE: usize = 4;
/// Steps in a window, and how many at either end only serve as surroundings.
const WINDOW: usize = 80;
const REACH: usize = 10;
/// Pauses at the two ends of a sentence, in frames of 5 ms.
const PAUSE_BEFORE: usize = 8;
const PAUSE_AFTER: usize = 36;
/// Frames after which a pause is quite silent.
const FADE: usize = 10;
/// By what share, as a logarithm, the melody of a question rises to its end, and over how many frames
/// at most. The teacher's questions fall like statements, which a listener takes for one.
const LIFT: f32 = 0.4;
const LIFT_FRAMES: f32 = 90.0;
/// Louder samples than this are bent towards, and never reach, `PEAK`.
const KNEE: f32 = 0.6;
const PEAK: f32 = 0.9;

/// What belongs to a voice beside its graphs: `tts.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// Samples a second that the voice makes.
    sample_rate: u32,
    /// Samples a second of the speech that the cepstra describe.
    described_rate: u32,
    /// The frequency axis of the cepstra.
    warp: f32,
    /// By what share formants are sharpened.
    sharpen: f32,
    /// What is added to the first coefficient so that speech comes out at −20 dBFS.
    loudness: f32,
    /// How much longer than learned everything lasts.
    pace: f32,
    /// Knots of a sound and features of a knot.
    knots: usize,
    path: usize,
    /// The sounds in the order of their numbers; the first four are pauses.
    sounds: Vec<String>,
    /// Above how many Hz each sound is breath when it is voiced.
    edges: Vec<f32>,
}

/// A voice of the kind `source-filter`.
pub struct SourceFilter {
    description: Description,
    pronouncer: Pronouncer,
    reader: Model,
    mouth: Model,
    synthesiser: Synthesiser,
}

impl std::fmt::Debug for SourceFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceFilter").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl SourceFilter {
    /// Loads `tts-reader.onnx`, `tts-mouth.onnx`, `tts.json`, `tts-lexicon.txt` and `tts-letters.txt`
    /// from `pack`.
    pub fn load(pack: &Path, options: &Options) -> Result<Self> {
        let file = pack.join("tts.json");
        let text = fs::read_to_string(&file)
            .with_context(|| format!("failed to read {}", file.display()))?;
        let description: Description = serde_json::from_str(&text)
            .with_context(|| format!("{} does not describe a voice", file.display()))?;
        check(&description).with_context(|| file.display().to_string())?;
        let pronouncer = Pronouncer::load(
            &pack.join("tts-lexicon.txt"),
            &pack.join("tts-letters.txt"),
            &description.sounds,
        )?;
        let knots = description.knots * description.path;
        let reader = Contract {
            inputs: vec![
                port("input", Kind::I64, &[Some(1), None]),
                port("marks", Kind::I64, &[Some(1), None]),
            ],
            outputs: vec![
                port("knots", Kind::F32, &[Some(1), None, Some(knots)]),
                port("durations", Kind::F32, &[Some(1), None]),
            ],
        };
        let mouth = Contract {
            inputs: vec![port(
                "path",
                Kind::F32,
                &[Some(1), Some(description.path + PLACE), Some(WINDOW)],
            )],
            outputs: vec![port(
                "output",
                Kind::F32,
                &[Some(1), Some(WINDOW), Some(STEP * OUTPUTS)],
            )],
        };
        let reader = Model::load(&pack.join("tts-reader.onnx"), &reader, options)?;
        let mouth = Model::load(&pack.join("tts-mouth.onnx"), &mouth, options)?;
        let synthesiser = Synthesiser::new(Tuning {
            rate: description.sample_rate,
            described_rate: description.described_rate,
            warp: description.warp,
            sharpen: description.sharpen,
        });
        Ok(Self { description, pronouncer, reader, mouth, synthesiser })
    }

    /// Speaks one sentence.
    fn sentence(
        &mut self,
        sounds: &[Sound],
        piece: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let shape = [1, sounds.len()];
        let read = self.reader.run(vec![
            ("input", Tensor::i64(&shape, sounds.iter().map(|sound| sound.id).collect())),
            ("marks", Tensor::i64(&shape, sounds.iter().map(|sound| sound.mark).collect())),
        ])?;
        let knots = read[0].as_f32()?;
        let lengths =
            read[1].as_f32()?.iter().map(|length| (length * self.description.pace).max(1.0));
        let timing = Timing::new(lengths.collect());
        ensure!(timing.ends.len() == sounds.len(), "the model lost some of the sounds");
        let first = timing.begin(1).saturating_sub(PAUSE_BEFORE);
        let spoken = timing.begin(sounds.len() - 1);
        let end = timing.frames().min(spoken + PAUSE_AFTER);

        let lift_from = self.lift_from(sounds, &timing);

        self.synthesiser.reset();
        let mut start = 0;
        while start * STEP < end {
            let shape = [1, self.description.path + PLACE, WINDOW];
            let path = self.window(&timing, knots, start);
            let output = self.mouth.run(vec![("path", Tensor::f32(&shape, path))])?;
            let output = output[0].as_f32()?;
            let next = start + WINDOW - 2 * REACH;
            let mut sound = Vec::new();
            for frame in (start * STEP).max(first)..(next * STEP).min(end) {
                let at = (frame + REACH * STEP - start * STEP) * OUTPUTS;
                let values = &output[at..at + OUTPUTS];
                let index = timing.sound_at(frame as f32 + 0.5);
                let silence =
                    if is_pause(sounds[index]) { timing.silence(index, frame) } else { 0.0 };
                let mut speech = self.frame(values, sounds[index], silence);
                if let Some(from) = lift_from {
                    let way = ((frame as f32 - from) / (spoken as f32 - from)).clamp(0.0, 1.0);
                    speech.pitch = speech.pitch.map(|pitch| pitch * (LIFT * way * way).exp());
                }
                self.synthesiser.render(&speech, &mut sound);
            }
            start = next;
            for sample in &mut sound {
                *sample = bend(*sample);
            }
            if !sound.is_empty() && piece(&sound).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let lack = (spoken + PAUSE_AFTER).saturating_sub(end);
        let silence = vec![0.0; lack * self.description.sample_rate as usize / 200];
        Ok(if lack > 0 { piece(&silence) } else { ControlFlow::Continue(()) })
    }

    /// Where the melody of a question begins to rise, in frames: at the last stressed vowel.
    fn lift_from(&self, sounds: &[Sound], timing: &Timing) -> Option<f32> {
        let name = |sound: &Sound| {
            usize::try_from(sound.id).ok().and_then(|id| self.description.sounds.get(id))
        };
        if name(sounds.last()?)? != "rise" {
            return None;
        }
        let stressed = sounds.iter().rposition(|s| name(s).is_some_and(|n| n.ends_with('1')))?;
        let end = timing.begin(sounds.len() - 1) as f32;
        Some((timing.begin(stressed) as f32).clamp(end - LIFT_FRAMES, end - 10.0))
    }

    /// The input of `mouth` for the window whose core begins at step `start`: features × steps.
    fn window(&self, timing: &Timing, knots: &[f32], start: usize) -> Vec<f32> {
        let (count, width) = (self.description.knots, self.description.path);
        let mut path = vec![0.0; (width + PLACE) * WINDOW];
        for column in 0..WINDOW {
            let Some(step) = (start + column).checked_sub(REACH).filter(|&s| s < timing.steps())
            else {
                continue;
            };
            let at = (step as f32 + 0.5) * STEP as f32;
            let index = timing.sound_at(at);
            let (since, length) = timing.place(index, at);
            let fraction = since / length;
            let along = fraction * (count - 1) as f32;
            let left = (along as usize).min(count - 2);
            let share = along - left as f32;
            let from = &knots[(index * count + left) * width..][..width];
            let to = &knots[(index * count + left + 1) * width..][..width];
            for (feature, (from, to)) in from.iter().zip(to).enumerate() {
                path[feature * WINDOW + column] = from + (to - from) * share;
            }
            let place = [fraction, length.ln() - 2.7, since / 20.0, (length - since) / 20.0];
            for (feature, value) in place.into_iter().enumerate() {
                path[(width + feature) * WINDOW + column] = value;
            }
        }
        path
    }

    /// What the synthesiser needs, from what `mouth` said; `silence` 0 to 1 takes the sound away.
    fn frame(&self, values: &[f32], sound: Sound, silence: f32) -> Frame {
        let mut cepstrum = [0.0; ORDER];
        cepstrum.copy_from_slice(&values[..ORDER]);
        cepstrum[0] += self.description.loudness - 8.0 * silence;
        let voiced = values[ORDER + 1] > 0.0;
        let edge = usize::try_from(sound.id).ok().and_then(|id| self.description.edges.get(id));
        Frame {
            cepstrum,
            pitch: voiced.then(|| values[ORDER].clamp(3.9, 6.2).exp()),
            edge: edge.copied().unwrap_or(4000.0),
        }
    }
}

impl Tts for SourceFilter {
    fn sample_rate(&self) -> u32 {
        self.description.sample_rate
    }

    fn speak(
        &mut self,
        text: &str,
        piece: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<()> {
        let said = normalise(text);
        if said.skipped > 0 {
            debug!(characters = said.skipped, "the voice left out what it cannot say");
        }
        for items in said.sentences {
            let sounds = self.pronouncer.sounds(&items);
            // Words may turn out to have no sound at all.
            if sounds.iter().all(|&sound| is_pause(sound)) {
                continue;
            }
            if self.sentence(&sounds, piece)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn check(description: &Description) -> Result<()> {
    let sounds = description.sounds.len();
    ensure!(
        description.edges.len() == sounds,
        "edges has {} numbers for {sounds} sounds",
        description.edges.len()
    );
    ensure!(
        description.sounds.iter().take(4).eq(["begin", "fall", "hold", "rise"]),
        "the first four sounds must be begin, fall, hold, rise"
    );
    ensure!(description.knots >= 2, "knots must be at least 2");
    ensure!((0.5..=2.0).contains(&description.pace), "pace must be from 0.5 to 2");
    ensure!(
        (8_000..=48_000).contains(&description.sample_rate)
            && description.sample_rate.is_multiple_of(200)
            && description.described_rate >= description.sample_rate,
        "sample_rate must be a multiple of 200 from 8000 to 48000, and at most described_rate"
    );
    Ok(())
}

fn is_pause(sound: Sound) -> bool {
    sound.id < 4
}

/// Bends what is too loud towards `PEAK`.
fn bend(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        return sample;
    }
    (KNEE + (PEAK - KNEE) * (over / (PEAK - KNEE)).tanh()).copysign(sample)
}

/// When each sound of a sentence ends, in frames of 5 ms.
struct Timing {
    ends: Vec<f32>,
}

impl Timing {
    fn new(mut lengths: Vec<f32>) -> Self {
        let mut end = 0.0;
        for length in &mut lengths {
            end += *length;
            *length = end;
        }
        Self { ends: lengths }
    }

    fn frames(&self) -> usize {
        self.ends.last().map_or(0, |end| end.ceil() as usize)
    }

    fn steps(&self) -> usize {
        self.frames().div_ceil(STEP)
    }

    /// The frame in which a sound begins.
    fn begin(&self, sound: usize) -> usize {
        sound.checked_sub(1).map_or(0, |before| self.ends[before].round() as usize)
    }

    /// The sound at a time.
    fn sound_at(&self, at: f32) -> usize {
        self.ends.partition_point(|&end| end <= at).min(self.ends.len() - 1)
    }

    /// How long a sound has lasted at a time, and how long it lasts in all.
    fn place(&self, sound: usize, at: f32) -> (f32, f32) {
        let begin = if sound == 0 { 0.0 } else { self.ends[sound - 1] };
        let length = self.ends[sound] - begin;
        ((at - begin).clamp(0.0, length), length)
    }

    /// How silent a pause is in one of its frames, 0 to 1: less so near speech.
    fn silence(&self, pause: usize, frame: usize) -> f32 {
        let (since, length) = self.place(pause, frame as f32 + 0.5);
        let before = if pause == 0 { f32::INFINITY } else { since };
        let after = if pause + 1 == self.ends.len() { f32::INFINITY } else { length - since };
        ((before.min(after) - 3.0) / FADE as f32).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice() -> SourceFilter {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter");
        SourceFilter::load(&pack, &Options::tract()).expect("the voice that ships loads")
    }

    fn spoken(voice: &mut SourceFilter, text: &str) -> Vec<f32> {
        let mut sound = Vec::new();
        voice
            .speak(text, &mut |piece| {
                sound.extend_from_slice(piece);
                ControlFlow::Continue(())
            })
            .expect("it speaks");
        sound
    }

    #[test]
    fn a_sentence_sounds_like_speech() {
        let mut voice = voice();
        let sound = spoken(&mut voice, "Good morning, the library is on the third floor.");
        let seconds = sound.len() as f32 / 16_000.0;
        assert!((2.0..6.0).contains(&seconds), "{seconds} s");
        assert!(sound.iter().all(|sample| sample.abs() <= PEAK), "it is too loud");
        let power = sound.iter().map(|x| x * x).sum::<f32>() / sound.len() as f32;
        assert!((-26.0..-17.0).contains(&(10.0 * power.log10())), "{} dB", 10.0 * power.log10());
        let mean = sound.iter().sum::<f32>() / sound.len() as f32;
        assert!(mean.abs() < 0.002, "offset {mean}");
        assert!(sound[..80].iter().all(|x| x.abs() < 0.01), "it begins with a click");
        assert!(sound[sound.len() - 80..].iter().all(|x| x.abs() < 0.01), "it ends with a click");
        assert_eq!(sound, spoken(&mut voice, "Good morning, the library is on the third floor."));
    }

    #[test]
    fn what_cannot_be_said_makes_no_sound() {
        let mut voice = voice();
        for text in ["", "   ", "你好", "😀", "…", "!?"] {
            assert!(spoken(&mut voice, text).is_empty(), "{text:?} sounds");
        }
        assert!(!spoken(&mut voice, "房间 room 5").is_empty());
    }

    #[test]
    fn speech_stops_when_nobody_listens() {
        let mut voice = voice();
        let mut pieces = 0;
        voice
            .speak(&"this has no end and no points ".repeat(350), &mut |_| {
                pieces += 1;
                ControlFlow::Break(())
            })
            .expect("it speaks");
        assert_eq!(pieces, 1);
    }

    #[test]
    fn loud_samples_are_bent_and_quiet_ones_are_not() {
        assert!((bend(0.5) - 0.5).abs() < 1e-6);
        assert!(bend(30.0) <= PEAK && bend(-30.0) >= -PEAK);
        assert!(bend(0.7) > bend(0.65));
    }

    #[test]
    fn times_are_looked_up() {
        let timing = Timing::new(vec![10.0, 5.5, 20.0]);
        assert_eq!((timing.frames(), timing.steps()), (36, 18));
        assert_eq!((timing.sound_at(0.0), timing.sound_at(10.0), timing.sound_at(99.0)), (0, 1, 2));
        assert_eq!((timing.begin(0), timing.begin(1), timing.begin(2)), (0, 10, 16));
        assert_eq!(timing.place(1, 12.0), (2.0, 5.5));
        assert!(timing.silence(0, 0) > 0.6 && timing.silence(0, 9) < 0.1);
    }
}
