//! The watcher: motion in every picture, faces when that is worth it, people from both.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Detector, Motion, Patience, Sight, Spot, Tracker, Watcher, picture};
use crate::media::Frame;

/// After motion, somebody may be coming for so long.
const STIRRED: Duration = Duration::from_secs(3);

/// How often the whole picture is searched, which takes time: while something moves and nobody is here,
/// while somebody is here, and while nothing moves and nobody is here. Between that, only the places
/// where faces were are looked at.
const COMING: Duration = Duration::from_millis(500);
const HERE: Duration = Duration::from_secs(1);
const STILL: Duration = Duration::from_secs(2);

/// A face is looked for in a part of the picture that is so many times as large.
const AROUND: f32 = 2.2;

/// How often it looks, and when somebody counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habits {
    /// Looks a second while somebody is here, or something moves.
    pub rate: f32,
    /// Looks a second when nobody was here for `idle_after`.
    pub idle_rate: f32,
    /// See `idle_rate`.
    pub idle_after: Duration,
    /// When somebody counts as being here.
    pub patience: Patience,
}

/// Looks at pictures one after the other.
#[expect(missing_debug_implementations, reason = "detectors have none")]
pub struct Eyes {
    detector: Box<dyn Detector>,
    habits: Habits,
    tracker: Tracker,
    motion: Motion,
    /// When something has moved, or somebody was there; the first picture at first.
    stirred: Option<Instant>,
    moved: Option<Instant>,
    /// When the whole picture was searched.
    searched: Option<Instant>,
    /// The part of a picture in which faces are followed.
    part: Frame,
}

impl Eyes {
    /// Eyes that have seen nothing yet.
    pub fn new(detector: Box<dyn Detector>, habits: Habits) -> Self {
        Self {
            detector,
            habits,
            tracker: Tracker::new(habits.patience),
            motion: Motion::default(),
            stirred: None,
            moved: None,
            searched: None,
            part: Frame { width: 0, height: 0, luma: Vec::new(), taken: Instant::now() },
        }
    }

    /// Looks for the faces that are followed, about where they were.
    fn follow(&mut self, frame: &Frame) -> Result<Vec<Spot>> {
        let (wide, high) = (frame.width as f32, frame.height as f32);
        let (mut from, mut to) = ([wide, high], [0.0_f32, 0.0]);
        let mut smallest = high;
        for place in self.tracker.places(frame.height) {
            let [x, y] = place.centre();
            // Of the same shape as the picture, for detectors that squeeze it.
            let up = place.height * AROUND / 2.0;
            let aside = up * wide / high.max(1.0);
            from = [from[0].min(x - aside), from[1].min(y - up)];
            to = [to[0].max(x + aside), to[1].max(y + up)];
            smallest = smallest.min(0.6 * place.height);
        }
        let left = from[0].clamp(0.0, wide) as u32;
        let top = from[1].clamp(0.0, high) as u32;
        let right = (to[0].clamp(0.0, wide).ceil() as u32).min(frame.width);
        let bottom = (to[1].clamp(0.0, high).ceil() as u32).min(frame.height);
        picture::cut(frame, [left, top, right, bottom], &mut self.part);
        let smallest = smallest.max(self.habits.patience.smallest * high);
        let mut spots = self.detector.detect(&self.part, smallest)?;
        for spot in &mut spots {
            spot.shift(left as f32, top as f32);
        }
        Ok(spots)
    }
}

impl Watcher for Eyes {
    fn look(&mut self, frame: &Frame) -> Result<Sight> {
        let at = frame.taken;
        let within = |then: Option<Instant>, span: Duration| {
            then.is_some_and(|then| at.saturating_duration_since(then) < span)
        };
        if self.motion.moved(frame) {
            self.moved = Some(at);
        }
        let follows = self.tracker.follows();
        let every = match (follows, within(self.moved, STIRRED)) {
            (true, _) => HERE,
            (false, true) => COMING,
            (false, false) => STILL,
        };
        let all = !within(self.searched, every);
        let mut sight = Sight { searched: all || follows, ..Sight::default() };
        if sight.searched {
            let spots = if all {
                self.searched = Some(at);
                self.detector.detect(frame, self.habits.patience.smallest * frame.height as f32)?
            } else {
                self.follow(frame)?
            };
            let state = self.tracker.update(at, &spots, frame.width, frame.height);
            sight.people = state.people;
            sight.present = state.people > 0;
            sight.looking = state.looking;
        }
        if self.moved == Some(at) || self.tracker.follows() || self.stirred.is_none() {
            self.stirred = Some(at);
        }
        let Habits { rate, idle_rate, idle_after, .. } = self.habits;
        sight.pace = if within(self.stirred, idle_after) { rate } else { idle_rate.min(rate) };
        Ok(sight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::vision::Seeta;

    const HABITS: Habits = Habits {
        rate: 4.0,
        idle_rate: 1.0,
        idle_after: Duration::from_secs(30),
        patience: Patience {
            arrive: Duration::from_secs(1),
            leave: Duration::from_secs(2),
            smallest: 0.2,
        },
    };

    /// A wall with a bright box at `x`.
    fn picture(taken: Instant, x: u32) -> Frame {
        let (width, height) = (160, 120);
        let inside = |at: u32| (x..x + 30).contains(&(at % width)) && at / width > 50;
        let luma = (0..width * height).map(|at| if inside(at) { 200 } else { 90 }).collect();
        Frame { width, height, luma, taken }
    }

    #[test]
    fn an_empty_room_is_looked_at_slowly_until_something_moves() {
        let mut eyes = Eyes::new(Box::new(Seeta::new().expect("a detector")), HABITS);
        let start = Instant::now();
        let (mut at, mut paces, mut searched) = (start, Vec::new(), 0);
        for number in 0..80 {
            let x = if number < 70 { 20 } else { 60 - number % 2 * 40 };
            let sight = eyes.look(&picture(at, x)).expect("a look");
            assert!(!sight.present && sight.people == 0);
            paces.push(sight.pace);
            searched += u32::from(sight.searched && number < 70);
            at += Duration::from_secs(1);
        }
        assert_eq!(paces[..30], [4.0; 30]);
        assert_eq!(paces[30..70], [1.0; 40]);
        assert_eq!(paces[70..], [4.0; 10]);
        assert_eq!(searched, 35, "every two seconds while nothing moves");
    }

    #[test]
    fn without_a_detector_whatever_moves_is_somebody() {
        let patience = Patience { leave: Duration::from_secs(15), ..HABITS.patience };
        let habits = Habits { patience, ..HABITS };
        let mut eyes = Eyes::new(Box::new(Motion::default()), habits);
        let start = Instant::now();
        let mut came = None;
        let mut left = None;
        for number in 0..200_u32 {
            // Somebody walks about from 5 s to 10 s.
            let x = if (20..40).contains(&number) { 20 + number % 3 * 30 } else { 20 };
            let at = start + Duration::from_millis(250) * number;
            let sight = eyes.look(&picture(at, x)).expect("a look");
            if sight.present {
                came.get_or_insert(number);
            } else if came.is_some() {
                left.get_or_insert(number);
            }
        }
        let (came, left) = (came.expect("somebody came"), left.expect("and left"));
        assert!((24..=26).contains(&came), "{came}");
        assert!((99..=101).contains(&left), "{left}");
    }
}
