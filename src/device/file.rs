//! Files in place of hardware: a recording as the microphone, and a file of what the speaker played.
//!
//! Pictures go to a file through `Recording::to_file` around a headless display.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    DeviceError, Microphone, Speaker,
    headless::{CHUNK, HeadlessSpeaker, Pace},
    recording::Timeline,
};
use crate::{
    media::{Chunk, SAMPLE_RATE},
    sound::{Wav, WavError, WavFile},
};

/// What a recording is followed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Silence of this length, and then the recording again.
    Again(Duration),
    /// Silence for ever.
    Silence,
    /// The end of the device.
    Gone,
}

/// A recording that is played into the machine at the speed of life.
#[derive(Debug)]
pub struct FileMicrophone {
    samples: Vec<f32>,
    after: After,
    /// The next sample.
    next: usize,
    /// Samples of silence before it.
    silence: u64,
    pace: Pace,
}

impl FileMicrophone {
    /// Plays a WAV file of at most `limit` after a silence of `before`.
    pub fn open(
        path: &Path,
        limit: Duration,
        before: Duration,
        after: After,
    ) -> Result<Self, WavError> {
        Ok(Self::new(Wav::read(path, limit)?.samples, before, after))
    }

    /// Plays samples, mono, 16 kHz, after a silence of `before`.
    pub fn new(samples: Vec<f32>, before: Duration, after: After) -> Self {
        Self { samples, after, next: 0, silence: count(before), pace: Pace::default() }
    }

    /// The next chunk without waiting for its time; `None` after the end.
    fn chunk(&mut self) -> Option<Vec<f32>> {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            let room = CHUNK - chunk.len();
            if self.silence > 0 {
                let silence = self.silence.min(room as u64);
                self.silence -= silence;
                chunk.resize(chunk.len() + silence as usize, 0.0);
            } else if self.next < self.samples.len() {
                let end = self.samples.len().min(self.next + room);
                chunk.extend_from_slice(&self.samples[self.next..end]);
                self.next = end;
            } else {
                match self.after {
                    After::Again(pause) => {
                        // Without a pause and without samples this would never end.
                        self.silence = count(pause).max(1);
                        self.next = 0;
                    }
                    After::Silence => self.silence = u64::MAX,
                    After::Gone if chunk.is_empty() => return None,
                    After::Gone => chunk.resize(CHUNK, 0.0),
                }
            }
        }
        Some(chunk)
    }
}

fn count(time: Duration) -> u64 {
    (time.as_secs_f64() * f64::from(SAMPLE_RATE)) as u64
}

impl Microphone for FileMicrophone {
    fn read(&mut self) -> Result<Chunk, DeviceError> {
        self.pace.wait()?;
        self.chunk().map(Chunk::of).ok_or(DeviceError::Gone)
    }
}

/// A simulated sound card; what was really heard goes to a WAV file, with silence in the gaps.
#[derive(Debug)]
pub struct FileSpeaker {
    card: HeadlessSpeaker,
    heard: Timeline,
    /// `None` once it has reached its limit or could not be written.
    wav: Option<WavFile>,
    began: Instant,
    limit: Duration,
}

impl FileSpeaker {
    /// Plays `rate` samples a second through a buffer of `buffer` (10 ms to 2 s), and writes at most
    /// `limit` of it to `path`.
    pub fn open(path: &Path, rate: u32, buffer: Duration, limit: Duration) -> Result<Self> {
        let card = HeadlessSpeaker::open(rate, buffer)?;
        let wav = Some(WavFile::create(path, rate)?);
        let began = Instant::now();
        Ok(Self { card, heard: Timeline::new(rate, Some(began)), wav, began, limit })
    }

    /// Writes what has been heard by now, or all that is going to be.
    fn keep(&mut self, until: Option<Instant>) {
        let samples = self.heard.take(until);
        let Some(wav) = &mut self.wav else { return };
        if self.began.elapsed() > self.limit {
            tracing::warn!(limit = ?self.limit, "recording has reached its limit");
            self.wav = None;
        } else if let Err(error) = wav.write(&samples) {
            // A full disk is no reason to fall silent.
            tracing::error!("recording has failed: {error:#}");
            self.wav = None;
        }
    }
}

impl Speaker for FileSpeaker {
    fn sample_rate(&self) -> u32 {
        self.card.sample_rate()
    }

    fn write(&mut self, mut samples: &[f32]) -> Result<(), DeviceError> {
        while !samples.is_empty() {
            let (at, count) = self.card.write_some(samples.len());
            self.heard.heard(at, &samples[..count]);
            samples = &samples[count..];
            self.keep(Some(Instant::now()));
        }
        Ok(())
    }

    fn delay(&self) -> Result<Duration, DeviceError> {
        self.card.delay()
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        self.card.flush()?;
        self.heard.cut(Instant::now());
        Ok(())
    }
}

impl Drop for FileSpeaker {
    fn drop(&mut self) {
        self.keep(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::write_wav;

    const MINUTE: Duration = Duration::from_mins(1);

    fn ramp(count: usize) -> Vec<f32> {
        (1..=count).map(|i| i as f32).collect()
    }

    fn chunks(microphone: &mut FileMicrophone, count: usize) -> Vec<f32> {
        (0..count).map_while(|_| microphone.chunk()).flatten().collect()
    }

    #[test]
    fn recording_is_played_whole_and_then_what_was_asked_for() {
        let before = Duration::from_millis(10);
        let mut once = FileMicrophone::new(ramp(700), before, After::Gone);
        let expected = [vec![0.0; 160], ramp(700), vec![0.0; 164]].concat();
        assert_eq!(chunks(&mut once, 9), expected);
        let mut quiet = FileMicrophone::new(ramp(700), Duration::ZERO, After::Silence);
        assert_eq!(chunks(&mut quiet, 40)[..], [ramp(700), vec![0.0; 40 * 512 - 700]].concat());
        let pause = After::Again(Duration::from_millis(5));
        let mut again = FileMicrophone::new(ramp(700), Duration::ZERO, pause);
        let round = [ramp(700), vec![0.0; 80]].concat();
        assert_eq!(chunks(&mut again, 6)[..], round.repeat(4)[..6 * 512]);
        let mut nothing = FileMicrophone::new(Vec::new(), before, After::Again(Duration::ZERO));
        assert_eq!(chunks(&mut nothing, 2), [0.0; 1_024]);
    }

    #[test]
    fn recording_comes_in_real_time_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("question.wav");
        write_wav(&path, &[0.25; 2_000], 22_050).unwrap();
        let mut microphone =
            FileMicrophone::open(&path, MINUTE, Duration::ZERO, After::Gone).unwrap();
        let began = Instant::now();
        let mut chunks = 0;
        while microphone.read().is_ok() {
            chunks += 1;
        }
        assert_eq!(chunks, 3);
        assert!(began.elapsed() >= Duration::from_millis(95));
        assert!(matches!(microphone.read(), Err(DeviceError::Gone)));
        let missing = FileMicrophone::open(Path::new("/no.wav"), MINUTE, MINUTE, After::Gone);
        assert!(missing.unwrap_err().to_string().contains("/no.wav"));
    }

    #[test]
    fn file_holds_what_was_heard_with_the_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reply.wav");
        let buffer = Duration::from_millis(80);
        let mut speaker = FileSpeaker::open(&path, 16_000, buffer, MINUTE).unwrap();
        speaker.write(&[0.5; 640]).unwrap();
        std::thread::sleep(Duration::from_millis(120));
        speaker.write(&[0.25; 1_280]).unwrap();
        speaker.flush().unwrap();
        drop(speaker);
        let heard = Wav::read(&path, MINUTE).unwrap().samples;
        let loud = |level: f32| heard.iter().filter(|x| (**x - level).abs() < 0.001).count();
        assert_eq!(loud(0.5), 640);
        assert!(loud(0.25) < 1_280, "what was flushed was not heard");
        assert!(heard.len() > 1_500, "the gap is there");
    }

    #[test]
    fn file_that_cannot_be_written_is_named_and_limits_are_kept() {
        let buffer = Duration::from_millis(80);
        let error =
            FileSpeaker::open(Path::new("/no/reply.wav"), 16_000, buffer, MINUTE).unwrap_err();
        assert!(format!("{error:#}").contains("/no/reply.wav"), "{error:#}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reply.wav");
        let mut speaker = FileSpeaker::open(&path, 16_000, buffer, Duration::ZERO).unwrap();
        speaker.write(&[0.5; 640]).unwrap();
        assert_eq!(speaker.sample_rate(), 16_000);
    }
}
