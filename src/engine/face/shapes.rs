//! The engine `mouth-shapes`: a small convolutional network from log-mel features to mouth shapes.

use std::{collections::VecDeque, path::Path};

use anyhow::{Context, Result, ensure};

use super::mel::{BANDS, Mel, silence};
use crate::{
    engine::{
        Face,
        onnx::{Contract, Kind, Model, Options, Tensor, port},
    },
    media::{Mouth, PICTURE_RATE},
};

/// Vectors of 10 ms that one shape depends on: 27 before, the 4 of its own 40 ms, 7 after.
const CONTEXT: usize = 38;
const BEFORE: usize = 27;
const OWN: usize = 4;

/// Numbers in a shape, in the order of `Mouth`'s fields.
const PARTS: usize = 6;

/// Below this a number is taken for rest: the network never says exactly 0.
const REST: f32 = 0.04;

/// Mouth shapes from sound, two beats (80 ms) behind it.
#[derive(Debug)]
pub struct MouthShapes {
    model: Model,
    mel: Mel,
    /// The features that the next shape needs, as far as they are there.
    vectors: VecDeque<[f32; BANDS]>,
    /// Beats accepted whose shapes are still owed.
    owed: usize,
    /// A beat of silence.
    quiet: Vec<f32>,
}

impl MouthShapes {
    /// Loads the network; `sample_rate` is that of the sound to come.
    ///
    /// # Errors
    /// The file is missing, or no network with input `mel` [1, 38, 40] and output `mouth`
    /// [1, 1, 6]; or the rate is below 16 kHz, where the highest bands would be empty.
    pub fn load(file: &Path, sample_rate: u32, options: &Options) -> Result<Self> {
        ensure!(
            (16_000..=192_000).contains(&sample_rate),
            "mouth shapes need sound of 16 to 192 kHz, not {sample_rate} Hz"
        );
        let contract = Contract {
            inputs: vec![port("mel", Kind::F32, &[Some(1), Some(CONTEXT), Some(BANDS)])],
            outputs: vec![port("mouth", Kind::F32, &[Some(1), Some(1), Some(PARTS)])],
        };
        let model = Model::load(file, &contract, options)?;
        let mut shapes = Self {
            model,
            mel: Mel::new(sample_rate),
            vectors: VecDeque::with_capacity(2 * CONTEXT),
            owed: 0,
            quiet: vec![0.0; (sample_rate / PICTURE_RATE) as usize],
        };
        shapes.reset();
        Ok(shapes)
    }

    fn take(&mut self, sound: &[f32]) {
        let vectors = &mut self.vectors;
        self.mel.accept(sound, &mut |vector| vectors.push_back(vector));
    }

    /// The next shape, if all that it depends on is there.
    fn next(&mut self) -> Result<Option<Mouth>> {
        if self.owed == 0 || self.vectors.len() < CONTEXT {
            return Ok(None);
        }
        let mel = self.vectors.iter().take(CONTEXT).flatten().copied().collect();
        let mel = Tensor::f32(&[1, CONTEXT, BANDS], mel);
        let outputs =
            self.model.run(vec![("mel", mel)]).context("failed to compute a mouth shape")?;
        let parts = outputs.first().context("the network has no output")?.as_f32()?;
        let &[open, wide, round, teeth, press, tongue] = parts else {
            anyhow::bail!("a mouth shape has {PARTS} numbers, not {}", parts.len());
        };
        self.vectors.drain(..OWN);
        self.owed -= 1;
        let mouth = Mouth { open, wide, round, teeth, press, tongue };
        Ok(Some(settled(mouth)))
    }
}

/// The shape without the network's last traces of doubt.
fn settled(mouth: Mouth) -> Mouth {
    let part = |part: f32| ((part - REST) / (1.0 - REST)).clamp(0.0, 1.0);
    Mouth {
        open: part(mouth.open),
        wide: part(mouth.wide),
        round: part(mouth.round),
        teeth: part(mouth.teeth),
        press: part(mouth.press),
        tongue: part(mouth.tongue),
    }
}

impl Face for MouthShapes {
    fn rate(&self) -> u32 {
        PICTURE_RATE
    }

    fn accept(&mut self, sound: &[f32], mouth: &mut dyn FnMut(Mouth)) -> Result<()> {
        self.owed += 1;
        self.take(sound);
        while let Some(shape) = self.next()? {
            mouth(shape);
        }
        Ok(())
    }

    fn finish(&mut self, mouth: &mut dyn FnMut(Mouth)) -> Result<()> {
        let quiet = std::mem::take(&mut self.quiet);
        let mut given = Ok(());
        while self.owed > 0 && given.is_ok() {
            self.take(&quiet);
            given = loop {
                match self.next() {
                    Ok(Some(shape)) => mouth(shape),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
        }
        self.quiet = quiet;
        self.reset();
        given
    }

    fn reset(&mut self) {
        self.mel.reset();
        self.vectors.clear();
        self.vectors.extend([silence(); BEFORE]);
        self.owed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(sample_rate: u32) -> MouthShapes {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter/face.onnx");
        MouthShapes::load(&file, sample_rate, &Options::tract()).unwrap()
    }

    fn shapes(face: &mut MouthShapes, sound: &[f32], beat: usize) -> Vec<Mouth> {
        let mut all = Vec::new();
        sound.chunks(beat).for_each(|beat| face.accept(beat, &mut |m| all.push(m)).unwrap());
        face.finish(&mut |m| all.push(m)).unwrap();
        all
    }

    /// Something like a voice: a buzz at 120 Hz with an open vowel's resonances.
    fn vowel(rate: u32, seconds: f32) -> Vec<f32> {
        let hertz = |f: f32, i: usize| (std::f32::consts::TAU * f * i as f32 / rate as f32).sin();
        let weight = |f: f32| {
            [(730.0, 1.0), (1090.0, 0.6), (2440.0, 0.2)]
                .iter()
                .map(|(peak, w): &(f32, f32)| w / (1.0 + ((f - peak) / 90.0).powi(2)))
                .sum::<f32>()
        };
        let count = (seconds * rate as f32) as usize;
        let partials: Vec<_> = (1..30).map(|n| 120.0 * n as f32).map(|f| (f, weight(f))).collect();
        (0..count).map(|i| partials.iter().map(|&(f, w)| 0.1 * w * hertz(f, i)).sum()).collect()
    }

    #[test]
    fn silence_keeps_the_mouth_at_rest() {
        let mut face = load(16_000);
        let all = shapes(&mut face, &[0.0; 16_000], 640);
        assert_eq!(all, vec![Mouth::default(); 25]);
    }

    #[test]
    fn there_is_one_shape_for_each_beat_two_beats_behind() {
        let mut face = load(22_050);
        let sound = vowel(22_050, 0.5);
        for (i, beat) in sound.chunks(882).enumerate() {
            let mut count = 0;
            face.accept(beat, &mut |_| count += 1).unwrap();
            assert_eq!(count, usize::from(i >= 2 && beat.len() == 882), "beat {i}");
        }
        let mut rest = 0;
        face.finish(&mut |_| rest += 1).unwrap();
        assert_eq!(rest + sound.len() / 882 - 2, sound.chunks(882).count());
    }

    #[test]
    fn a_vowel_opens_the_mouth_when_it_sounds_at_any_level_and_rate() {
        for rate in [16_000, 22_050, 24_000, 48_000] {
            let mut face = load(rate);
            for level in [0.1, 1.0, 3.0] {
                let beat = (rate / PICTURE_RATE) as usize;
                let mut sound = vec![0.0; 10 * beat];
                sound.extend(vowel(rate, 0.4).iter().map(|s| s * level));
                sound.extend(vec![0.0; 10 * beat]);
                let all = shapes(&mut face, &sound, beat);
                let open = |range: std::ops::Range<usize>| {
                    all[range.clone()].iter().map(|m| m.open).sum::<f32>() / range.len() as f32
                };
                assert!(open(12..18) > 0.4, "{rate} Hz, level {level}: {all:?}");
                assert!(open(0..8) < 0.05 && open(23..30) < 0.05, "{rate} Hz, level {level}");
            }
        }
    }

    #[test]
    fn the_mouth_is_in_time_with_the_sound() {
        let beat = 640;
        let voice = vowel(16_000, 8.0);
        // Syllables and pauses at no regular pace.
        let spoken = |beat: usize| (beat / 3 * (beat / 3) / 2) % 5 < 2;
        let sound: Vec<f32> = voice
            .iter()
            .enumerate()
            .map(|(i, sample)| if spoken(i / beat) { *sample } else { 0.0 })
            .collect();
        let mouths = shapes(&mut load(16_000), &sound, beat);
        let openings: Vec<f32> = mouths.iter().map(|mouth| mouth.open).collect();
        let late = crate::engine::face::lateness(&openings, &sound, 16_000).unwrap();
        assert!(late.abs() < 0.04, "the mouth is {late} s late");
    }

    #[test]
    fn a_rate_that_is_too_low_is_refused() {
        let file = Path::new("models/starter/face.onnx");
        let error = MouthShapes::load(file, 8_000, &Options::tract()).unwrap_err();
        assert!(error.to_string().contains("8000 Hz"), "{error}");
    }
}
