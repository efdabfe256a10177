//! The clock says which mouth is due; the portrait is drawn with it and shown.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    device::{DeviceError, Display},
    flow::{AudioClock, Inbox, Polled, Pulse, Turn},
    media::{Beat, Device, Mouth, PICTURE_RATE, Part},
    metrics::Metrics,
    scene::Scene,
    screen::Painter,
};

/// Everything that showing needs.
#[expect(missing_debug_implementations, reason = "devices have none")]
pub struct Screen {
    /// Paints it.
    pub painter: Box<dyn Painter>,
    /// Shows it.
    pub display: Box<dyn Display>,
    /// How long after `Display::show` returns a picture is really seen.
    pub lead: Duration,
    /// Set once the first picture is on the screen.
    pub lit: std::sync::Arc<AtomicBool>,
}

/// A mouth whose every part is below this looks as it does at rest.
const MOVES: f32 = 0.05;

/// What has been seen of a turn.
#[derive(Default)]
struct SeenOf {
    turn: Option<Turn>,
    /// The beat whose mouth was shown last, by when it is due.
    beat: Option<Duration>,
    moved: bool,
}

impl SeenOf {
    /// The mouth of `beat` is seen since `seen`; pictures are measured when they are first seen.
    fn picture(
        &mut self,
        turn: &Turn,
        beat: &Beat,
        seen: Instant,
        clock: &AudioClock,
        metrics: &Metrics,
    ) {
        if self.turn.as_ref() != Some(turn) {
            *self = Self { turn: Some(turn.clone()), ..Self::default() };
        }
        if self.beat.replace(beat.at) == Some(beat.at) {
            return;
        }
        // Nothing is heard any more if the answer was interrupted while the picture was drawn.
        if let Some(heard) = clock.heard(turn, seen) {
            metrics.av_skew.observe(heard.abs_diff(beat.at).as_secs_f64());
        }
        if !self.moved && moves(&beat.mouth) {
            self.moved = true;
            let latency = seen.saturating_duration_since(turn.asked());
            metrics.first_lip_movement.observe(latency.as_secs_f64());
        }
    }
}

fn moves(mouth: &Mouth) -> bool {
    let Mouth { open, wide, round, teeth, press, tongue } = *mouth;
    [open, wide, round, teeth, press, tongue].into_iter().any(|part| part > MOVES)
}

/// Runs until nobody plays any more.
pub fn run(
    pulse: &Pulse,
    mut screen: Screen,
    faces: &Inbox<Part<Beat>>,
    scenes: &Inbox<Scene>,
    clock: &AudioClock,
    metrics: &Metrics,
) -> Result<()> {
    let started = Instant::now();
    metrics.face_keypoints.set(i64::try_from(screen.painter.key_points()).unwrap_or(i64::MAX));
    let mut turn: Option<Turn> = None;
    let mut beats: VecDeque<Beat> = VecDeque::new();
    let mut seen_of = SeenOf::default();
    let mut scene = Scene::default();
    let mut away = false;
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
        if let Polled::Item(newer) = scenes.look() {
            scene = newer;
        }
        let now = Instant::now() + screen.lead;
        let heard =
            turn.as_ref().filter(|turn| turn.is_live()).and_then(|turn| clock.heard(turn, now));
        let beat = if let Some(heard) = heard {
            let (beat, late) = pick(&mut beats, heard);
            metrics.late_frames.inc_by(late);
            beat
        } else {
            if turn.as_ref().is_some_and(|turn| !turn.is_live()) {
                beats.clear();
            }
            None
        };
        let began = Instant::now();
        let mouth = beat.as_ref().map(|beat| beat.mouth).unwrap_or_default();
        let picture = screen.painter.paint(now - started, mouth, &scene);
        metrics.picture_draw.observe(began.elapsed().as_secs_f64());
        let shown = screen.display.show(&picture);
        let is_away = matches!(shown, Err(DeviceError::Away));
        if is_away != away {
            away = is_away;
            metrics.device_works(Device::Display, !away);
        }
        let shown = passed(shown)?;
        metrics.pictures_shown.inc_by(u64::from(shown.is_some()));
        if let (Some(turn), Some(beat), Some(shown)) = (&turn, &beat, shown) {
            seen_of.picture(turn, beat, shown + screen.lead, clock, metrics);
        }
        screen.lit.store(true, Ordering::Release);
    }
}

/// What a display has said, unless it has only lost a picture.
fn passed<T>(result: Result<T, DeviceError>) -> Result<Option<T>> {
    match result {
        Ok(said) => Ok(Some(said)),
        Err(DeviceError::Xrun | DeviceError::Away) => Ok(None),
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
    fn a_picture_is_measured_against_its_sound_when_it_is_first_seen() {
        let ms = Duration::from_millis;
        let (clock, metrics, now) = (AudioClock::default(), Metrics::default(), Instant::now());
        let turn = crate::flow::Turns::default().begin(now);
        let mut seen_of = SeenOf::default();
        let mut see = |at, open, seen| {
            let mouth = Mouth { open, ..Mouth::default() };
            let beat = Beat { at: ms(at), mouth, ..Beat::default() };
            seen_of.picture(&turn, &beat, now + ms(seen), &clock, &metrics);
            let skew = metrics.av_skew.get_sample_sum();
            (metrics.av_skew.get_sample_count(), (skew * 1000.0).round())
        };
        // 500 ms after the question the answer begins to sound.
        clock.set(&turn, ms(1000), ms(1000), now + ms(500));
        assert_eq!(see(0, 0.0, 510), (1, 10.0));
        assert_eq!(see(0, 0.0, 530), (1, 10.0), "the same picture again");
        assert_eq!(metrics.first_lip_movement.get_sample_count(), 0, "the mouth rests");
        assert_eq!(see(40, 0.5, 570), (2, 40.0), "30 ms late");
        assert_eq!(see(120, 0.5, 600), (3, 60.0), "20 ms early");
        assert_eq!(metrics.first_lip_movement.get_sample_count(), 1);
        assert!((metrics.first_lip_movement.get_sample_sum() - 0.570).abs() < 1e-6);
        clock.stop();
        assert_eq!(see(160, 0.5, 700), (3, 60.0), "nothing sounds");
    }

    #[test]
    fn early_beats_wait() {
        let mut beats = beats(3);
        beats.pop_front();
        assert_eq!(pick(&mut beats, Duration::from_millis(20)), (None, 0));
        assert_eq!(beats.len(), 2);
    }
}
