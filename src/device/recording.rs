//! What was really heard and seen, as one film, whatever the devices are.
//!
//! A speaker and a display are wrapped, and tell when each sample sounds and each picture shows. The
//! speaker's thread only leaves its samples here; all encoding is done in the display's calls.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Cursor, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    DeviceError, Display, Speaker,
    mp4::{Format, Mp4},
};
use crate::{media::Picture, sound::cannot_write};

/// Sound that comes this much earlier or later than expected is taken as on time: a device's delay
/// is known to about a period.
const SNAP: Duration = Duration::from_millis(10);

/// Sound is taken up to this long ago, so that what its thread is just reporting is not too late.
const MARGIN: Duration = Duration::from_millis(100);

/// Sound that waits for a display; more is lost.
const WAITING: Duration = Duration::from_secs(10);

/// How long and how large a recording may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// It ends after this.
    pub time: Duration,
    /// It ends at about so many bytes.
    pub bytes: u64,
}

/// Sound by the time at which it is heard.
#[derive(Debug)]
pub(super) struct Timeline {
    rate: u32,
    /// The time of sample 0; `None` before the first sound.
    zero: Option<Instant>,
    /// Samples handed out.
    taken: u64,
    /// The number of the first sample that waits; not less than `taken`.
    start: u64,
    waiting: VecDeque<f32>,
}

impl Timeline {
    /// Begins at `zero`, or with the first sound.
    pub(super) fn new(rate: u32, zero: Option<Instant>) -> Self {
        Self { rate, zero, taken: 0, start: 0, waiting: VecDeque::new() }
    }

    fn number(&self, at: Instant) -> u64 {
        let since = self.zero.map_or(Duration::ZERO, |zero| at.saturating_duration_since(zero));
        (since.as_secs_f64() * f64::from(self.rate)).round() as u64
    }

    /// These samples are heard from `at` on.
    pub(super) fn heard(&mut self, at: Instant, samples: &[f32]) {
        if samples.is_empty() {
            return;
        }
        let zero = *self.zero.get_or_insert(at);
        let early =
            (zero.saturating_duration_since(at).as_secs_f64() * f64::from(self.rate)) as usize;
        let samples = samples.get(early..).unwrap_or_default();
        let most = (WAITING.as_secs_f64() * f64::from(self.rate)) as usize;
        let snap = (SNAP.as_secs_f64() * f64::from(self.rate)) as u64;
        let number = self.number(at).max(self.taken);
        if self.waiting.is_empty() {
            // Right behind what has been taken there is no gap either.
            self.start =
                if number <= self.taken + snap && self.taken > 0 { self.taken } else { number };
        }
        let end = self.start + self.waiting.len() as u64;
        if number > end + snap {
            let gap = (number - end) as usize;
            if self.waiting.len() + gap > most {
                self.waiting.clear();
                self.start = number;
            } else {
                self.waiting.extend(std::iter::repeat_n(0.0, gap));
            }
        }
        self.waiting.extend(samples);
        let lost = self.waiting.len().saturating_sub(most);
        self.waiting.drain(..lost);
        self.start += lost as u64;
    }

    /// What would be heard after `at` is not.
    pub(super) fn cut(&mut self, at: Instant) {
        let keep = self.number(at).saturating_sub(self.start) as usize;
        self.waiting.truncate(keep);
    }

    /// Takes what was heard before `until`, silence where there was none; without `until`, all.
    pub(super) fn take(&mut self, until: Option<Instant>) -> Vec<f32> {
        let end = self.start + self.waiting.len() as u64;
        let until = until
            .map_or(if self.waiting.is_empty() { self.taken } else { end }, |at| self.number(at));
        let until = until.max(self.taken);
        // Silence beyond what a display's rare calls explain is not worth its memory.
        let most = u64::from(self.rate) * 60;
        let until = until.min(self.taken + most);
        let silence = until.min(self.start).saturating_sub(self.taken);
        let mut taken = vec![0.0; silence as usize];
        let sound = until.saturating_sub(self.start).min(self.waiting.len() as u64);
        taken.extend(self.waiting.drain(..sound as usize));
        self.start += sound;
        taken.resize((until - self.taken) as usize, 0.0);
        self.taken = until;
        self.start = self.start.max(until);
        taken
    }
}

/// A recording that devices report to; clones are the same recording.
#[derive(Clone, Debug)]
pub struct Recording {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    format: Format,
    limit: Limit,
    /// `None` while nothing is recorded.
    sound: Mutex<Option<Timeline>>,
    film: Mutex<Film>,
}

#[derive(Debug, Default)]
struct Film {
    /// Where it goes, when not to memory.
    path: Option<PathBuf>,
    mp4: Option<Mp4<Place>>,
    problem: Option<anyhow::Error>,
}

#[derive(Debug)]
enum Place {
    File(File),
    Memory(Cursor<Vec<u8>>),
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Memory(memory) => memory.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        // Neither keeps anything back.
        Ok(())
    }
}

impl Seek for Place {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Memory(memory) => memory.seek(to),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a thread that panicked left is still a recording.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording {
    /// Records one turn after the other to memory, each between `start` and `finish`.
    pub fn to_memory(format: Format, limit: Limit) -> Self {
        let shared = Shared { format, limit, sound: Mutex::default(), film: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Records to a file from now on, until `finish` or the last clone is gone.
    pub fn to_file(path: &Path, format: Format, limit: Limit) -> Result<Self> {
        let file = File::create(path).with_context(|| cannot_write(path))?;
        let mp4 = Mp4::new(Place::File(file), format).with_context(|| cannot_write(path))?;
        let recording = Self::to_memory(format, limit);
        *lock(&recording.shared.film) =
            Film { path: Some(path.to_owned()), mp4: Some(mp4), problem: None };
        *lock(&recording.shared.sound) =
            Some(Timeline::new(format.sample_rate, Some(Instant::now())));
        Ok(recording)
    }

    /// Begins a film in memory, in place of one that was not finished; its first moment is the
    /// first sound from now on.
    pub fn start(&self) -> Result<()> {
        let shared = &self.shared;
        let mp4 = Mp4::new(Place::Memory(Cursor::default()), shared.format)?;
        let mut film = lock(&shared.film);
        *film = Film { path: None, mp4: Some(mp4), problem: None };
        *lock(&shared.sound) = Some(Timeline::new(shared.format.sample_rate, None));
        Ok(())
    }

    /// Ends the film; its bytes, or none where they went to a file.
    ///
    /// Tells what went wrong meanwhile, such as a full disk.
    pub fn finish(&self) -> Result<Vec<u8>> {
        self.shared.finish()
    }

    /// Records what `speaker` plays.
    pub fn speaker(&self, speaker: Box<dyn Speaker>) -> Result<RecordedSpeaker> {
        let (plays, records) = (speaker.sample_rate(), self.shared.format.sample_rate);
        ensure!(
            plays == records,
            "a speaker of {plays} samples a second cannot be recorded with {records}"
        );
        Ok(RecordedSpeaker { speaker, recording: self.clone() })
    }

    /// Records what `display` shows.
    pub fn display(&self, display: Box<dyn Display>) -> RecordedDisplay {
        RecordedDisplay { display, recording: self.clone() }
    }

    fn heard(&self, at: Instant, samples: &[f32]) {
        if let Some(sound) = &mut *lock(&self.shared.sound) {
            sound.heard(at, samples);
        }
    }

    fn cut(&self, at: Instant) {
        if let Some(sound) = &mut *lock(&self.shared.sound) {
            sound.cut(at);
        }
    }

    fn shown(&self, picture: &Picture, at: Instant) {
        let mut film = lock(&self.shared.film);
        let Some(mp4) = &mut film.mp4 else { return };
        let (time, sound) = {
            let mut sound = lock(&self.shared.sound);
            let Some(sound) = &mut *sound else { return };
            let Some(zero) = sound.zero else { return };
            // The picture that is there when the film begins belongs to it.
            let period = Duration::from_secs(1) / self.shared.format.picture_rate.max(1);
            if at + period <= zero {
                return;
            }
            let heard = at.checked_sub(MARGIN).map(|until| sound.take(Some(until)));
            (at.saturating_duration_since(zero), heard.unwrap_or_default())
        };
        let full = time > self.shared.limit.time || mp4.size() > self.shared.limit.bytes;
        let result = mp4.sound(&sound).and_then(|()| mp4.picture(picture, time));
        if result.is_ok() && !full {
            return;
        }
        *lock(&self.shared.sound) = None;
        if result.is_ok() {
            tracing::warn!(?time, "recording has reached its limit");
            // One in memory is fetched by whoever began it.
            if film.path.is_none() {
                return;
            }
        }
        let ended = film.end();
        if let Err(error) = result.and(ended.map(drop)) {
            let error = film.explain(error);
            tracing::error!("recording has failed: {error:#}");
            film.problem = Some(error);
        }
    }
}

impl Film {
    /// Gives the film its index, even where the disk was full.
    fn end(&mut self) -> Result<Vec<u8>> {
        match self.mp4.take().map(Mp4::finish).transpose()? {
            Some(Place::Memory(bytes)) => Ok(bytes.into_inner()),
            Some(Place::File(_)) | None => Ok(Vec::new()),
        }
    }

    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        match &self.path {
            Some(path) => error.context(cannot_write(path)),
            None => error.context("cannot record"),
        }
    }
}

impl Shared {
    fn finish(&self) -> Result<Vec<u8>> {
        let mut film = lock(&self.film);
        let sound = lock(&self.sound).take();
        if let Some(problem) = film.problem.take() {
            return Err(problem);
        }
        let rest = match (&mut film.mp4, sound) {
            (Some(mp4), Some(mut sound)) => mp4.sound(&sound.take(None)),
            _ => Ok(()),
        };
        let ended = film.end();
        rest.and(ended).map_err(|error| film.explain(error))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let film = lock(&self.film);
        let unfinished = film.path.is_some() && film.mp4.is_some();
        drop(film);
        if unfinished && let Err(error) = self.finish() {
            tracing::error!("recording has failed: {error:#}");
        }
    }
}

/// A speaker whose sound is recorded.
pub struct RecordedSpeaker {
    speaker: Box<dyn Speaker>,
    recording: Recording,
}

impl std::fmt::Debug for RecordedSpeaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedSpeaker").finish_non_exhaustive()
    }
}

impl Speaker for RecordedSpeaker {
    fn sample_rate(&self) -> u32 {
        self.speaker.sample_rate()
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        // Told beforehand: this may wait, and part of it sounds meanwhile.
        let at = Instant::now() + self.speaker.delay()?;
        self.recording.heard(at, samples);
        self.speaker.write(samples)
    }

    fn delay(&self) -> Result<Duration, DeviceError> {
        self.speaker.delay()
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        let flushed = self.speaker.flush();
        self.recording.cut(Instant::now());
        flushed
    }

    fn position(&self) -> Option<Duration> {
        self.speaker.position()
    }
}

/// A display whose pictures are recorded.
pub struct RecordedDisplay {
    display: Box<dyn Display>,
    recording: Recording,
}

impl std::fmt::Debug for RecordedDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedDisplay").finish_non_exhaustive()
    }
}

impl Display for RecordedDisplay {
    fn show(&mut self, picture: &Picture) -> Result<Instant, DeviceError> {
        let shown = self.display.show(picture);
        match &shown {
            Ok(at) => self.recording.shown(picture, *at),
            // A film goes on while no screen is connected.
            Err(DeviceError::Away) => self.recording.shown(picture, Instant::now()),
            Err(_) => {}
        }
        shown
    }

    fn wait(&mut self) -> Result<(), DeviceError> {
        self.display.wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{
        headless::{HeadlessDisplay, HeadlessSpeaker},
        mp4::tests::{FORMAT, boxes, picture},
    };

    const LIMIT: Limit = Limit { time: Duration::from_mins(1), bytes: 1 << 24 };

    fn devices(recording: &Recording) -> (RecordedSpeaker, RecordedDisplay) {
        let buffer = Duration::from_millis(80);
        let speaker = HeadlessSpeaker::open(FORMAT.sample_rate, buffer).unwrap();
        let display = HeadlessDisplay::open(FORMAT.picture_rate).unwrap();
        (recording.speaker(Box::new(speaker)).unwrap(), recording.display(Box::new(display)))
    }

    #[test]
    fn timeline_puts_silence_where_nothing_was_heard() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let mut timeline = Timeline::new(1_000, Some(zero));
        timeline.heard(at(100), &[1.0; 50]);
        timeline.heard(at(155), &[2.0; 50]); // 5 ms late is on time
        timeline.heard(at(300), &[3.0; 50]);
        assert_eq!(timeline.take(Some(at(120))), [vec![0.0; 100], vec![1.0; 20]].concat());
        timeline.cut(at(310));
        let rest = [vec![1.0; 30], vec![2.0; 50], vec![0.0; 100], vec![3.0; 10]].concat();
        assert_eq!(timeline.take(None), rest);
        assert_eq!(timeline.take(Some(at(330))), [0.0; 20]);
        assert!(timeline.take(Some(at(0))).is_empty());
        // Sound that nobody fetches does not grow without end.
        for second in 1..100 {
            timeline.heard(at(1_000 * second), &[1.0; 1_000]);
        }
        assert!(timeline.waiting.len() <= 10_000);
        assert_eq!(timeline.take(Some(at(100_000))).len(), 60_000);
    }

    #[test]
    fn timeline_may_begin_with_the_first_sound() {
        let mut timeline = Timeline::new(1_000, None);
        assert!(timeline.take(None).is_empty());
        timeline.heard(Instant::now(), &[1.0; 5]);
        assert_eq!(timeline.take(None), [1.0; 5]);
    }

    #[test]
    fn turn_is_cut_out_and_begins_with_its_sound() {
        let recording = Recording::to_memory(FORMAT, LIMIT);
        let (mut speaker, mut display) = devices(&recording);
        display.show(&picture(FORMAT, 1)).unwrap();
        assert!(recording.finish().unwrap().is_empty(), "nothing was begun");
        for _ in 0..2 {
            recording.start().unwrap();
            display.show(&picture(FORMAT, 2)).unwrap();
            speaker.write(&[0.5; 640]).unwrap();
            for level in 3..6 {
                display.wait().unwrap();
                display.show(&picture(FORMAT, level)).unwrap();
            }
            let film = recording.finish().unwrap();
            assert_eq!(boxes(&film), ["ftyp", "free", "mdat", "moov"]);
        }
        recording.start().unwrap();
        assert!(recording.finish().is_err(), "nothing was said");
    }

    /// Flashes while it beeps, for measuring with other programs how far they are apart.
    #[test]
    #[ignore = "takes five seconds; writes the film that FILM names"]
    fn flash_and_beep() {
        let recording = Recording::to_memory(FORMAT, LIMIT);
        let (mut speaker, mut display) = devices(&recording);
        recording.start().unwrap();
        let beeps = |sample: u64| sample / 4_000 % 4 == 2;
        let mut written = 0;
        while written < 16_000 * 5 {
            let sine = |i: u64| if beeps(i) { (i as f32 * 0.4).sin() * 0.5 } else { 0.0 };
            speaker.write(&(written..written + 640).map(sine).collect::<Vec<_>>()).unwrap();
            written += 640;
            display.wait().unwrap();
            let delay = (speaker.delay().unwrap().as_secs_f64() * 16_000.0) as u64;
            let light = if beeps(written - delay) { 250 } else { 0 };
            display.show(&picture(FORMAT, light)).unwrap();
        }
        let film = recording.finish().unwrap();
        if let Some(path) = std::env::var_os("FILM") {
            std::fs::write(path, film).unwrap();
        }
    }

    #[test]
    fn film_in_a_file_ends_with_its_devices() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reply.mp4");
        let recording = Recording::to_file(&path, FORMAT, LIMIT).unwrap();
        let (mut speaker, mut display) = devices(&recording);
        speaker.write(&[0.5; 1_280]).unwrap();
        display.show(&picture(FORMAT, 2)).unwrap();
        speaker.flush().unwrap();
        drop((speaker, display, recording));
        assert_eq!(boxes(&std::fs::read(&path).unwrap()).last().unwrap(), "moov");
    }

    #[test]
    fn limit_ends_a_film_and_not_the_devices() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reply.mp4");
        let limit = Limit { time: Duration::ZERO, bytes: 0 };
        let recording = Recording::to_file(&path, FORMAT, limit).unwrap();
        let (mut speaker, mut display) = devices(&recording);
        for level in 0..3 {
            speaker.write(&[0.5; 640]).unwrap();
            display.wait().unwrap();
            display.show(&picture(FORMAT, level)).unwrap();
        }
        assert_eq!(boxes(&std::fs::read(&path).unwrap()).last().unwrap(), "moov");
        recording.finish().unwrap();
    }

    #[test]
    fn full_disk_stops_the_recording_only_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("no/reply.mp4");
        let error = Recording::to_file(&nowhere, FORMAT, LIMIT).unwrap_err();
        assert!(format!("{error:#}").contains("no/reply.mp4"), "{error:#}");
        if Path::new("/dev/full").exists() {
            let error = Recording::to_file(Path::new("/dev/full"), FORMAT, LIMIT).unwrap_err();
            assert!(format!("{error:#}").contains("No space left"), "{error:#}");
        }
        // A picture of the wrong size fails in the same place as a disk that fills up.
        let recording = Recording::to_file(&folder.path().join("a.mp4"), FORMAT, LIMIT).unwrap();
        let (mut speaker, mut display) = devices(&recording);
        let wrong = picture(crate::device::mp4::Format { width: 32, ..FORMAT }, 1);
        display.show(&wrong).unwrap();
        display.show(&picture(FORMAT, 1)).unwrap();
        speaker.write(&[0.0; 10]).unwrap();
        let error = recording.finish().unwrap_err();
        assert!(format!("{error:#}").contains("a.mp4"), "{error:#}");
        recording.finish().unwrap();
    }
}
