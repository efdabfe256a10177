//! The clock says which mouth is due; the portrait is drawn with it and shown.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    device::{DeviceError, Display},
    engine::Portrait,
    flow::{AudioClock, Inbox, Polled, Pulse, Turn},
    media::{Beat, PICTURE_RATE, Part},
    metrics::Metrics,
};

/// Everything that showing needs.
#[expect(missing_debug_implementations, reason = "devices have none")]
pub struct Screen {
    /// Draws the face.
    pub portrait: Box<dyn Portrait>,
    /// Shows it.
    pub display: Box<dyn Display>,
    /// How long after `Display::show` returns a picture is really seen.
    pub lead: Duration,
    /// Set once the first picture is on the screen.
    pub lit: std::sync::Arc<AtomicBool>,
}

/// Runs until nobody plays any more.
pub fn run(
    pulse: &Pulse,
    mut screen: Screen,
    faces: &Inbox<Part<Beat>>,
    clock: &AudioClock,
    metrics: &Metrics,
) -> Result<()> {
    let started = Instant::now();
    metrics.face_keypoints.set(i64::try_from(screen.portrait.key_points()).unwrap_or(i64::MAX));
    let mut turn: Option<Turn> = None;
    let mut beats: VecDeque<Beat> = VecDeque::new();
    loop {
        {
            let _waiting = pulse.waiting();
            passed(screen.display.wait())?;
        }
        loop {
            match faces.look() {
                Polled::Closed => return Ok(()),
                Polled::Empty => break,
                Polled::Item(part) => {
                    if turn.as_ref() != Some(&part.turn) {
                        beats.clear();
                        turn = Some(part.turn);
                    }
                    beats.extend(part.body);
                }
            }
        }
        let now = Instant::now() + screen.lead;
        let heard =
            turn.as_ref().filter(|turn| turn.is_live()).and_then(|turn| clock.heard(turn, now));
        let mouth = if let Some(heard) = heard {
            let (beat, late) = pick(&mut beats, heard);
            metrics.late_frames.inc_by(late);
            beat.map(|beat| beat.mouth)
        } else {
            if turn.as_ref().is_some_and(|turn| !turn.is_live()) {
                beats.clear();
            }
            None
        };
        let began = Instant::now();
        let picture = screen.portrait.draw(now - started, mouth.unwrap_or_default());
        metrics.picture_draw.observe(began.elapsed().as_secs_f64());
        passed(screen.display.show(&picture).map(drop))?;
        screen.lit.store(true, Ordering::Release);
    }
}

fn passed(result: Result<(), DeviceError>) -> Result<()> {
    match result {
        Ok(()) | Err(DeviceError::Xrun) => Ok(()),
        Err(DeviceError::Gone) => bail!("the display is gone: is it plugged in?"),
        Err(DeviceError::Other(error)) => Err(error.context("failed to show a picture")),
    }
}

/// Takes the beat to show while `now` is sounding, and drops those that came too late; also returns
/// how many those were.
///
/// The beat that was picked stays until the next one is due, because a display may be faster than the
/// beats are.
pub fn pick(beats: &mut VecDeque<Beat>, now: Duration) -> (Option<Beat>, u64) {
    let due = beats.iter().take_while(|beat| beat.at <= now).count();
    if due == 0 {
        return (None, 0);
    }
    let beat = Duration::from_secs(1) / PICTURE_RATE;
    // The first one that is dropped had its turn in an earlier call, if it was shown in time.
    let late = beats.iter().take(due - 1).skip(1).count() as u64;
    beats.drain(..due - 1);
    let current = beats.front().cloned().filter(|front| now < front.at + 2 * beat);
    (current, late)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(count: u32) -> VecDeque<Beat> {
        let beat = |number| Beat { at: Duration::from_millis(40) * number, ..Beat::default() };
        (0..count).map(beat).collect()
    }

    #[test]
    fn the_newest_beat_that_is_due_is_shown() {
        let ms = Duration::from_millis;
        let mut beats = beats(10);
        assert_eq!(pick(&mut beats, ms(10)).0.map(|beat| beat.at), Some(ms(0)));
        assert_eq!(pick(&mut beats, ms(39)).0.map(|beat| beat.at), Some(ms(0)));
        let (beat, late) = pick(&mut beats, ms(41));
        assert_eq!((beat.map(|beat| beat.at), late), (Some(ms(40)), 0));
        let (beat, late) = pick(&mut beats, ms(165));
        assert_eq!(
            (beat.map(|beat| beat.at), late),
            (Some(ms(160)), 2),
            "80 and 120 came too late"
        );
        assert_eq!(pick(&mut beats, ms(999)).0, None, "the answer is over: the face rests");
    }

    #[test]
    fn early_beats_wait() {
        let mut beats = beats(3);
        beats.pop_front();
        assert_eq!(pick(&mut beats, Duration::from_millis(20)), (None, 0));
        assert_eq!(beats.len(), 2);
    }
}
