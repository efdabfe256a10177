//! Plays a tone and hears it: whether a kiosk's ears and voice work, and how long sound takes.

use std::time::{Duration, Instant};

use crate::{
    device::{DeviceError, Microphone, Speaker},
    media::SAMPLE_RATE,
};

/// What is heard before the tone.
const BEFORE: Duration = Duration::from_millis(500);

/// The tone rises from one pitch to the other, in hertz, which every loudspeaker can play and which
/// tells when it was played better than a steady one.
const PITCH: (f64, f64) = (700.0, 1_800.0);

/// How long the tone lasts: less than a microphone's buffer holds.
const TONE: Duration = Duration::from_millis(250);

/// How loud it is: a quarter of full scale, as loud as a voice.
const LOUDNESS: f64 = 0.25;

/// The longest way from the program through both cards and the air that is looked for.
const LONGEST: Duration = Duration::from_millis(500);

/// What is heard early is no echo, but clocks are off by so much.
const EARLIEST: Duration = Duration::from_millis(50);

/// The tone was heard when the sound is so much like it, 0 to 1; noise reaches 0.1.
const ALIKE: f64 = 0.25;

/// A microphone is silent below this level, in decibels under full scale: even a quiet room is louder.
const SILENT_DB: f32 = -90.0;

/// A sample is clipped from here on.
const FULL: f32 = 0.985;

/// So large a part of clipped samples is heard.
const CLIPPED: f32 = 0.005;

/// Times that a device may lose sound or be away before it is given up.
const PATIENCE: u32 = 50;

/// What was found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Whether the microphone heard the tone.
    pub tone: bool,
    /// How much what was heard is like the tone, 0 to 1.
    pub likeness: f32,
    /// How loud it was in the microphone, in decibels under full scale.
    pub tone_db: f32,
    /// How loud the room is, in decibels under full scale.
    pub room_db: f32,
    /// From when the loudspeaker's card says that it plays to when the microphone's says that it hears:
    /// the air, and what the cards do not tell; `None` where the tone was not heard.
    pub delay: Option<Duration>,
    /// From writing to reading: the loudspeaker's buffer, the air, the microphone's.
    pub round_trip: Option<Duration>,
    /// What is wrong and what to do.
    pub problem: Option<&'static str>,
}

/// The tone at `rate` samples a second; its ends are soft.
pub(crate) fn tone(rate: u32) -> Vec<f32> {
    let count = (TONE.as_secs_f64() * f64::from(rate)) as usize;
    let (low, high) = PITCH;
    let length = TONE.as_secs_f64();
    let sample = |number: usize| {
        let time = number as f64 / f64::from(rate);
        let turns = low * time + (high - low) * time * time / (2.0 * length);
        let soft = (time.min(length - time) / 0.02).clamp(0.0, 1.0);
        (LOUDNESS * soft * (std::f64::consts::TAU * turns).sin()) as f32
    };
    (0..count).map(sample).collect()
}

/// Plays the tone through `speaker` and listens with `microphone`, about a second and a half.
///
/// # Errors
/// A device is gone, or stays away.
pub fn probe(
    microphone: &mut dyn Microphone,
    speaker: &mut dyn Speaker,
) -> Result<Heard, DeviceError> {
    let mut ear = Ear::default();
    ear.listen(microphone, None, BEFORE)?;
    let room = ear.samples.clone();
    let tone_out = tone(speaker.sample_rate());
    let (before, mut lost) = (Instant::now(), 0);
    for piece in tone_out.chunks((speaker.sample_rate() as usize / 100).max(1)) {
        match speaker.write(piece) {
            Ok(()) => {}
            Err(error) => forgive(error, &mut lost)?,
        }
    }
    let played = (Instant::now() + speaker.delay()?).checked_sub(TONE).unwrap_or(before);
    // What was recorded while the tone was written still waits in the microphone's buffer.
    ear.listen(microphone, Some(speaker), TONE + LONGEST + TONE)?;
    Ok(judge(&room, &ear, played, before))
}

fn forgive(error: DeviceError, lost: &mut u32) -> Result<(), DeviceError> {
    *lost += 1;
    match error {
        DeviceError::Xrun | DeviceError::Away if *lost < PATIENCE => Ok(()),
        error => Err(error),
    }
}

/// What was recorded, and when its last sample was.
#[derive(Debug, Default)]
struct Ear {
    samples: Vec<f32>,
    end: Option<Instant>,
}

impl Ear {
    /// Records for `time`; `speaker` is looked after meanwhile.
    fn listen(
        &mut self,
        microphone: &mut dyn Microphone,
        speaker: Option<&mut dyn Speaker>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        let count = (time.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize;
        let (mut heard, mut lost) = (0, 0);
        while heard < count {
            match microphone.read() {
                Ok(chunk) => {
                    self.end = Instant::now().checked_sub(microphone.delay());
                    heard += chunk.samples.len();
                    self.samples.extend_from_slice(&chunk.samples);
                }
                Err(error) => {
                    // What comes after a gap belongs to another time.
                    self.samples.clear();
                    forgive(error, &mut lost)?;
                }
            }
            if let Some(speaker) = &speaker {
                speaker.delay()?;
            }
        }
        Ok(())
    }
}

/// Finds the tone in what was recorded.
fn judge(room: &[f32], ear: &Ear, played: Instant, written: Instant) -> Heard {
    let wanted = tone(SAMPLE_RATE);
    let seconds = |count: usize| Duration::from_secs_f64(count as f64 / f64::from(SAMPLE_RATE));
    let all = &ear.samples;
    let began = ear.end.and_then(|end| end.checked_sub(seconds(all.len()))).unwrap_or(played);
    // The sample at which the tone would be heard if sound took no time.
    let expected = signed(played, began) * f64::from(SAMPLE_RATE);
    let from = (expected - EARLIEST.as_secs_f64() * f64::from(SAMPLE_RATE)).max(0.0) as usize;
    let span = ((EARLIEST + LONGEST).as_secs_f64() * f64::from(SAMPLE_RATE)) as usize;
    let best = (from..from + span)
        .filter_map(|at| Some((at, likeness(all.get(at..at + wanted.len())?, &wanted))))
        .max_by(|one, other| one.1.total_cmp(&other.1));
    let (at, alike) = best.unwrap_or((0, 0.0));
    let heard = all.get(at..at + wanted.len()).unwrap_or(&[]);
    let tone = alike >= ALIKE;
    let (tone_db, room_db) = (level(heard), level(room));
    let clipped = heard.iter().chain(room).filter(|sample| sample.abs() >= FULL).count();
    let clips = clipped as f32 > CLIPPED * (heard.len() + room.len()).max(1) as f32;
    let problem = if clips {
        Some("the microphone clips: lower its gain, or turn the loudspeaker down")
    } else if level(all) < SILENT_DB {
        Some(
            "the microphone gives nothing but silence: is it muted, or is another channel to be heard?",
        )
    } else if tone {
        None
    } else if alike > ALIKE / 2.0 {
        Some("the tone was hardly heard: turn the loudspeaker up, or bring the microphone nearer")
    } else {
        Some("the tone was not heard: is the loudspeaker on, and is it the right card?")
    };
    let heard_at = began + seconds(at);
    Heard {
        tone,
        likeness: alike as f32,
        tone_db,
        room_db,
        delay: tone.then(|| heard_at.saturating_duration_since(played)),
        round_trip: tone.then(|| heard_at.saturating_duration_since(written)),
        problem,
    }
}

/// Seconds from `from` to `to`, negative where it is earlier.
fn signed(to: Instant, from: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
        - from.saturating_duration_since(to).as_secs_f64()
}

/// How much one sound is like the other, whatever their loudness: the cosine of the angle between them.
fn likeness(one: &[f32], other: &[f32]) -> f64 {
    let (mut both, mut first, mut second) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in one.iter().zip(other) {
        both += a * b;
        first += a * a;
        second += b * b;
    }
    let size = f64::from(first).sqrt() * f64::from(second).sqrt();
    if size > 1e-9 { f64::from(both).abs() / size } else { 0.0 }
}

/// Loudness in decibels under full scale; silence is −120.
fn level(samples: &[f32]) -> f32 {
    let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
    let mean = sum / samples.len().max(1) as f32;
    10.0 * mean.max(1e-12).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = SAMPLE_RATE as f64;

    /// What a microphone records into which the tone is played `delay` seconds late.
    fn recorded(delay: f64, loud: f32, noise: f32) -> (Vec<f32>, Ear, Instant) {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise * (state as f32 / u32::MAX as f32 - 0.5)
        };
        let room: Vec<f32> = (0..8_000).map(|_| random()).collect();
        let mut samples: Vec<f32> = (0..24_000).map(|_| random()).collect();
        let at = 8_000 + (delay * RATE) as usize;
        for (sample, tone) in samples[at..].iter_mut().zip(tone(SAMPLE_RATE)) {
            *sample = (*sample + loud * tone).clamp(-1.0, 1.0);
        }
        let began = Instant::now();
        let end = Some(began + Duration::from_secs_f64(24_000.0 / RATE));
        (room, Ear { samples, end }, began + Duration::from_millis(500))
    }

    fn judged(delay: f64, loud: f32, noise: f32) -> Heard {
        let (room, ear, played) = recorded(delay, loud, noise);
        judge(&room, &ear, played, played)
    }

    #[test]
    fn the_tone_is_found_where_it_is() {
        for delay in [0.0, 0.0375, 0.3] {
            let heard = judged(delay, 0.3, 0.02);
            assert!(heard.tone && heard.problem.is_none(), "{heard:?}");
            let off = heard.delay.unwrap().as_secs_f64() - delay;
            assert!(off.abs() < 0.001, "{heard:?}");
        }
        assert!(judged(0.02, 0.01, 0.01).tone, "also in noise that is as loud");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let problem = |heard: Heard| heard.problem.unwrap_or_default();
        assert!(problem(judged(0.02, 0.0, 0.02)).contains("not heard"));
        assert!(problem(judged(0.02, 0.0, 0.0)).contains("nothing but silence"));
        assert!(problem(judged(0.02, 30.0, 0.02)).contains("clips"));
        assert!(!judged(0.02, 0.0, 0.5).tone);
    }

    #[test]
    fn the_whole_probe_runs_on_devices_that_stand_in() {
        use crate::device::headless::{HeadlessMicrophone, HeadlessSpeaker};
        let mut microphone = HeadlessMicrophone::default();
        let mut speaker = HeadlessSpeaker::open(16_000, Duration::from_millis(80)).unwrap();
        let heard = probe(&mut microphone, &mut speaker).unwrap();
        assert!(!heard.tone && heard.problem.unwrap().contains("silence"), "{heard:?}");
    }
}
