//! Devices without hardware: silence comes in, sound and pictures go nowhere, and time passes as in
//! life.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{DeviceError, Display, Microphone, Speaker};
use crate::media::{Chunk, Picture, SAMPLE_RATE};

/// Samples that a microphone delivers at once: 32 ms.
pub(super) const CHUNK: usize = 512;

/// A microphone that was not read for so long has lost sound.
const PATIENCE: Duration = Duration::from_secs(2);

/// Hands out chunks when their last sample would have been recorded.
///
/// The schedule is counted from the first chunk, so that late ones do not make later ones later.
#[derive(Debug, Default)]
pub(super) struct Pace {
    began: Option<Instant>,
    chunks: u64,
}

impl Pace {
    /// Waits for the next chunk.
    pub(super) fn wait(&mut self) -> Result<(), DeviceError> {
        let now = Instant::now();
        let began = *self.began.get_or_insert(now);
        self.chunks += 1;
        let due = began + samples(self.chunks * CHUNK as u64, SAMPLE_RATE);
        if now > due + PATIENCE {
            *self = Self::default();
            return Err(DeviceError::Xrun);
        }
        sleep_until(due);
        Ok(())
    }
}

/// How long so many samples last.
pub(super) fn samples(count: u64, rate: u32) -> Duration {
    Duration::from_nanos((u128::from(count) * 1_000_000_000 / u128::from(rate.max(1))) as u64)
}

/// Stands in for waiting on hardware, which only devices do.
fn sleep_until(due: Instant) {
    sleep(due.saturating_duration_since(Instant::now()));
}

/// A microphone in a quiet room.
#[derive(Debug, Default)]
pub struct HeadlessMicrophone {
    pace: Pace,
}

impl Microphone for HeadlessMicrophone {
    fn read(&mut self) -> Result<Chunk, DeviceError> {
        self.pace.wait()?;
        Ok(Chunk::of(vec![0.0; CHUNK]))
    }
}

/// A sound card that nobody hears: its buffer fills and is drained as a real one's.
#[derive(Debug)]
pub struct HeadlessSpeaker {
    rate: u32,
    /// Samples that fit into the buffer.
    room: u64,
    /// When the first sample of the present run sounded; a run ends when the buffer is empty.
    began: Instant,
    /// Samples written in the present run.
    written: u64,
}

impl HeadlessSpeaker {
    /// A card that plays `rate` samples a second and has a buffer of `buffer` (10 ms to 2 s).
    pub fn open(rate: u32, buffer: Duration) -> anyhow::Result<Self> {
        ensure!((1_000..=192_000).contains(&rate), "a speaker of {rate} samples a second");
        let (shortest, longest) = (Duration::from_millis(10), Duration::from_secs(2));
        ensure!((shortest..=longest).contains(&buffer), "a speaker's buffer of {buffer:?}");
        let room = (buffer.as_secs_f64() * f64::from(rate)) as u64;
        Ok(Self { rate, room, began: Instant::now(), written: 0 })
    }

    /// When the next sample to be written will sound.
    pub(super) fn end(&self) -> Instant {
        (self.began + samples(self.written, self.rate)).max(Instant::now())
    }

    /// Writes what there is room for, after waiting for some; when it begins to sound, and how many.
    pub(super) fn write_some(&mut self, count: usize) -> (Instant, usize) {
        let now = Instant::now();
        let waiting = self.waiting(now);
        if waiting == 0 {
            (self.began, self.written) = (now, 0);
        }
        // In pieces of a quarter, as cards do it, and not sample by sample.
        let wanted = (count as u64).min((self.room / 4).max(1));
        if waiting + wanted > self.room {
            let heard = self.written + wanted - self.room;
            sleep_until(self.began + samples(heard, self.rate));
        }
        let room = self.room.saturating_sub(self.waiting(Instant::now())).max(wanted);
        let count = room.min(count as u64);
        let at = self.began + samples(self.written, self.rate);
        self.written += count;
        (at, count as usize)
    }

    fn waiting(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.began).as_secs_f64();
        self.written.saturating_sub((passed * f64::from(self.rate)) as u64)
    }
}

impl Speaker for HeadlessSpeaker {
    fn sample_rate(&self) -> u32 {
        self.rate
    }

    fn write(&mut self, mut samples: &[f32]) -> Result<(), DeviceError> {
        while !samples.is_empty() {
            let (_, count) = self.write_some(samples.len());
            samples = &samples[count..];
        }
        Ok(())
    }

    fn delay(&self) -> Result<Duration, DeviceError> {
        Ok(self.end().saturating_duration_since(Instant::now()))
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        (self.began, self.written) = (Instant::now(), 0);
        Ok(())
    }
}

/// A screen that nobody sees; it counts its pictures.
#[derive(Debug)]
pub struct HeadlessDisplay {
    began: Instant,
    period: Duration,
    shown: u64,
}

impl HeadlessDisplay {
    /// A screen that can show `rate` pictures a second (1 to 240).
    pub fn open(rate: u32) -> anyhow::Result<Self> {
        ensure!(
            (1..=240).contains(&rate),
            "a display of {rate} pictures a second: 1 to 240 will do"
        );
        Ok(Self { began: Instant::now(), period: Duration::from_secs(1) / rate, shown: 0 })
    }

    /// How many pictures it has shown.
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// The beginning of the period that `now` lies in.
    fn latest(&self, now: Instant) -> Instant {
        let passed = now.saturating_duration_since(self.began).as_nanos();
        let periods = passed / self.period.as_nanos();
        self.began + Duration::from_nanos((periods * self.period.as_nanos()) as u64)
    }
}

impl Display for HeadlessDisplay {
    fn show(&mut self, _: &Picture) -> Result<Instant, DeviceError> {
        self.shown += 1;
        // Whoever waited for this moment has drawn for it.
        Ok(self.latest(Instant::now()))
    }

    fn wait(&mut self) -> Result<(), DeviceError> {
        sleep_until(self.latest(Instant::now()) + self.period);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::mp4::tests::{FORMAT, picture};

    fn near(duration: Duration, milliseconds: u64) -> bool {
        let off = duration.as_secs_f64() * 1e3 - milliseconds as f64;
        (-12.0..80.0).contains(&off)
    }

    #[test]
    fn microphone_keeps_its_schedule() {
        let mut microphone = HeadlessMicrophone::default();
        let began = Instant::now();
        microphone.read().unwrap();
        // Whoever comes late finds the chunks waiting.
        sleep(Duration::from_millis(90));
        for _ in 0..4 {
            assert_eq!(microphone.read().unwrap().samples.len(), CHUNK);
        }
        assert!(near(began.elapsed(), 160), "{:?}", began.elapsed());
    }

    #[test]
    fn microphone_that_was_forgotten_says_so_and_goes_on() {
        let began = Instant::now().checked_sub(PATIENCE * 2);
        let mut microphone = HeadlessMicrophone { pace: Pace { began, chunks: 0 } };
        assert!(matches!(microphone.read(), Err(DeviceError::Xrun)));
        assert!(microphone.read().is_ok());
    }

    #[test]
    fn speaker_waits_while_full_and_tells_its_delay() {
        let mut speaker = HeadlessSpeaker::open(16_000, Duration::from_millis(80)).unwrap();
        assert_eq!(speaker.delay().unwrap(), Duration::ZERO);
        let began = Instant::now();
        speaker.write(&[0.0; 640]).unwrap();
        assert!(began.elapsed() < Duration::from_millis(30), "there was room");
        assert!(speaker.delay().unwrap() <= Duration::from_millis(40));
        speaker.write(&[0.0; 3_200]).unwrap();
        // 240 ms written, 80 ms of them still in the buffer.
        assert!(near(began.elapsed(), 160), "{:?}", began.elapsed());
        assert!(speaker.delay().unwrap() <= Duration::from_millis(81));
        speaker.flush().unwrap();
        assert_eq!(speaker.delay().unwrap(), Duration::ZERO);
    }

    #[test]
    fn display_keeps_its_cadence() {
        let mut display = HeadlessDisplay::open(50).unwrap();
        let mut last = None;
        for _ in 0..5 {
            display.wait().unwrap();
            let shown = display.show(&picture(FORMAT, 0)).unwrap();
            if let Some(last) = last {
                let periods = shown.duration_since(last).as_secs_f64() / 0.020;
                assert!((periods - periods.round()).abs() < 1e-6 && periods > 0.5, "{periods}");
            }
            last = Some(shown);
        }
        assert_eq!(display.shown(), 5);
    }

    #[test]
    fn impossible_devices_are_refused() {
        assert!(HeadlessSpeaker::open(0, Duration::from_millis(80)).is_err());
        assert!(HeadlessSpeaker::open(16_000, Duration::ZERO).is_err());
        assert!(HeadlessDisplay::open(0).is_err());
    }
}
