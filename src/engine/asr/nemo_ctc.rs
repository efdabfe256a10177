//! Recognisers in the form in which sherpa-onnx takes `NeMo`'s CTC models: log-mel energies in,
//! log-probabilities of tokens and, last, of the blank out.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::{
    beam::{Search, search},
    level::Level,
    words::{History, Words},
};
use crate::{
    engine::{
        Asr,
        mel::{LogMel, Recipe},
        onnx::{Contract, Kind, Model, Options, Tensor, port},
    },
    media::{Chunk, SAMPLE_RATE},
};

const SECOND: usize = SAMPLE_RATE as usize;
/// New sound after which the utterance is recognised once more while it goes on; …
const STEP: usize = SECOND * 32 / 100;
/// … a longer one after this part of its length, because every run begins at its beginning.
const STEP_PART: usize = 8;
/// A pause after which the text is made, so that nothing is left to do at the end of speech.
const PAUSE: usize = SECOND * 15 / 100;
/// Length from which a pause closes a stretch: its text no longer changes and its sound is let go.
const LONG: usize = 8 * SECOND;
/// Length at which a stretch is closed at its quietest place, so that a run stays short.
const MOST: usize = 12 * SECOND;
/// Shorter than this is no word.
const LEAST: usize = SECOND / 10;

/// A CTC recogniser with a word model.
#[derive(Debug)]
pub struct NemoCtc {
    model: Model,
    tokens: Vec<String>,
    words: Words,
    how: Search,
    mel: LogMel,
    level: Level,
    /// Sound of the stretch that may still change.
    samples: Vec<f32>,
    /// Log-mel energies of the windows that more sound does not change.
    energies: Vec<f32>,
    /// How much of `samples` the text covers.
    covered: usize,
    /// The text covers all but the pause that came after it.
    settled: bool,
    /// Text of the stretches before, and the words it ends with.
    closed: String,
    before: History,
    /// `closed` and what the current stretch says.
    text: String,
}

impl NemoCtc {
    /// Loads `model` with its `tokens` (a line each: token, number) and its word model.
    ///
    /// # Errors
    /// A file is missing or is not what it should be.
    pub fn load(model: &Path, tokens: &Path, words: &Path, options: &Options) -> Result<Self> {
        let contract = Contract {
            inputs: vec![
                port("audio_signal", Kind::F32, &[Some(1), Some(Recipe::NEMO.bands), None]),
                port("length", Kind::I64, &[Some(1)]),
            ],
            outputs: vec![port("logprobs", Kind::F32, &[Some(1), None, None])],
        };
        let list = std::fs::read_to_string(tokens)
            .with_context(|| format!("failed to read {}", tokens.display()))?;
        let tokens = parse_tokens(&list)
            .with_context(|| format!("{} is no list of tokens", tokens.display()))?;
        let words = Words::load(words)?;
        let before = words.start();
        Ok(Self {
            model: Model::load(model, &contract, options)?,
            tokens,
            words,
            how: Search::default(),
            mel: LogMel::new(Recipe::NEMO),
            level: Level::default(),
            samples: Vec::new(),
            energies: Vec::new(),
            covered: 0,
            settled: false,
            closed: String::new(),
            before,
            text: String::new(),
        })
    }

    /// Makes the words of `phrases`, such as the names of the site's people, likely to be heard.
    #[must_use]
    pub fn with_words(mut self, phrases: &[String]) -> Self {
        self.words.add_site(phrases);
        self
    }

    /// Weighs the search differently.
    #[must_use]
    pub fn with_search(mut self, how: Search) -> Self {
        self.how = how;
        self
    }

    /// Recognises the current stretch up to sample `end`; `ended` says that a sentence may end there.
    fn recognise(&mut self, end: usize, ended: bool) -> Result<History> {
        self.covered = self.samples.len();
        let (said, history) = if end < LEAST {
            (String::new(), self.before)
        } else {
            let logprobs = self.logprobs(end)?;
            // While the visitor goes on speaking, a look is enough.
            let beam = if ended { self.how.beam } else { self.how.beam / 4 };
            let how = Search { beam: beam.max(1), ..self.how };
            search(&logprobs, &self.tokens, &self.words, self.before, ended, &how)
        };
        self.text.clear();
        self.text.push_str(&self.closed);
        if !self.closed.is_empty() && !said.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&self.words.mend(&said));
        Ok(history)
    }

    fn logprobs(&mut self, end: usize) -> Result<Vec<f32>> {
        let bands = self.mel.recipe().bands;
        let known = self.energies.len() / bands;
        let sound = &self.samples[..end];
        // Windows that reach beyond the end are made of mirrored sound and do not stay.
        let (hop, window) = (self.mel.recipe().hop, self.mel.recipe().window);
        let lasting = (end + hop / 2).saturating_sub(window / 2) / hop;
        let count = self.mel.count(end);
        self.mel.windows(sound, known.min(count), &mut self.energies);
        let features = normalised(&self.energies[..count * bands], bands);
        self.energies.truncate(lasting * bands);
        let inputs = vec![
            ("audio_signal", Tensor::f32(&[1, bands, count], features)),
            ("length", Tensor::i64(&[1], vec![count as i64])),
        ];
        let outputs = self.model.run(inputs)?;
        let logprobs = outputs.first().context("the recogniser gave no output")?;
        ensure!(
            logprobs.shape().last() == Some(&(self.tokens.len() + 1)),
            "the recogniser knows {:?} tokens and its list has {}",
            logprobs.shape().last(),
            self.tokens.len() + 1
        );
        Ok(logprobs.as_f32()?.to_vec())
    }

    /// Fixes the text of the sound before `end` and lets that sound go.
    fn close(&mut self, end: usize) -> Result<()> {
        if end < self.samples.len() {
            self.energies.clear();
        }
        self.before = self.recognise(end, true)?;
        self.closed.clone_from(&self.text);
        self.samples.drain(..end);
        self.energies.clear();
        self.covered = 0;
        Ok(())
    }

    /// The middle of the quietest fifth of a second in the second half of the current stretch.
    fn quietest(&self) -> usize {
        let length = SECOND / 5;
        let half = self.samples.len() / 2;
        let power = |start: &usize| -> f32 {
            self.samples[*start..*start + length].iter().map(|x| x * x).sum()
        };
        (half..self.samples.len().saturating_sub(length))
            .step_by(length / 4)
            .min_by(|a, b| power(a).total_cmp(&power(b)))
            .map_or(self.samples.len(), |start| start + length / 2)
    }
}

impl Asr for NemoCtc {
    fn accept(&mut self, chunk: &Chunk) -> Result<&str> {
        self.samples.extend_from_slice(chunk.words());
        let pause = self.level.accept(&chunk.samples);
        if pause < PAUSE {
            self.settled &= pause > 0;
            if self.samples.len() >= MOST {
                self.close(self.quietest())?;
            } else if self.samples.len() - self.covered >= STEP.max(self.samples.len() / STEP_PART)
            {
                self.recognise(self.samples.len(), false)?;
            }
        } else if !self.settled {
            self.settled = true;
            if self.samples.len() >= LONG {
                self.close(self.samples.len())?;
            } else {
                self.recognise(self.samples.len(), true)?;
            }
        } else if self.samples.len() >= LONG {
            // Nobody speaks: keep what is needed to hear a soft beginning, and no more.
            self.close(self.samples.len() - PAUSE)?;
        }
        Ok(&self.text)
    }

    fn finish(&mut self) -> Result<String> {
        if !self.settled {
            self.recognise(self.samples.len(), true)?;
        }
        let text = std::mem::take(&mut self.text);
        self.reset();
        Ok(text)
    }

    fn reset(&mut self) {
        self.level = Level::default();
        self.samples.clear();
        self.energies.clear();
        self.covered = 0;
        self.settled = false;
        self.closed.clear();
        self.before = self.words.start();
        self.text.clear();
    }
}

/// Each band with mean 0 and deviation 1 over the windows; from rows of bands to rows of windows.
fn normalised(energies: &[f32], bands: usize) -> Vec<f32> {
    let count = energies.len() / bands;
    let mut rows = Vec::with_capacity(energies.len());
    for band in 0..bands {
        let row = energies.iter().skip(band).step_by(bands);
        let mean = row.clone().sum::<f32>() / count as f32;
        let variance = row.clone().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count as f32;
        // The small number is NeMo's.
        let scale = 1.0 / (variance.sqrt() + 1e-5);
        rows.extend(row.map(|x| (x - mean) * scale));
    }
    rows
}

/// Tokens in the order of their numbers; "▁" stands for a space, and the last one is the blank.
fn parse_tokens(list: &str) -> Result<Vec<String>> {
    let mut tokens = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        let (token, number) = line.rsplit_once(' ').context("a line needs a token and a number")?;
        let number: usize = number.parse().with_context(|| format!("{number} is no number"))?;
        ensure!(number == tokens.len(), "{token} has number {number}, expected {}", tokens.len());
        tokens.push(token.replace('▁', " "));
    }
    match tokens.pop().as_deref() {
        Some("<blk>" | "<blank>") => Ok(tokens),
        _ => bail!("the last token must be <blk>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_in_order() {
        assert_eq!(parse_tokens("▁ 0\na 1\n▁the 2\n<blk> 3\n").unwrap(), [" ", "a", " the"]);
        assert!(parse_tokens("a 0\nb 1\n").is_err());
        assert!(parse_tokens("a 1\n<blk> 0\n").is_err());
    }

    #[test]
    fn bands_are_normalised() {
        let rows = normalised(&[1.0, 5.0, 3.0, 5.0], 2);
        assert!((rows[0] + 1.0).abs() < 1e-4 && (rows[1] - 1.0).abs() < 1e-4);
        assert_eq!(rows[2..], [0.0, 0.0]);
    }
}
