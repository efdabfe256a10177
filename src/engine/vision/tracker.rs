//! From faces in single pictures to people who come and go: arithmetic without a camera.

use std::time::{Duration, Instant};

use super::Spot;

/// When somebody counts as being here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// A face must have been seen for so long.
    pub arrive: Duration,
    /// A face that was not seen for so long is gone.
    pub leave: Duration,
    /// Smaller faces are ignored; part of the picture's height, 0 to 1.
    pub smallest: f32,
}

/// Follows people from picture to picture.
#[derive(Clone, Debug)]
pub struct Tracker {
    patience: Patience,
    people: Vec<Person>,
    /// Number of the next person.
    next: u64,
    /// Number of the person who is talked with.
    partner: Option<u64>,
}

/// A face that is followed; lengths in heights of the picture.
#[derive(Clone, Debug)]
struct Person {
    number: u64,
    place: Spot,
    since: Instant,
    seen: Instant,
    /// In how many pictures it was there, and in how many it could have been.
    hits: u32,
    looks: u32,
    /// Whether it has been there for long enough.
    here: bool,
    /// How much it looks at the screen, 0 to 1, over the last pictures.
    looking: Option<f32>,
}

/// How far a face may move from one picture to the next, in its own size.
const STRIDE: f32 = 1.2;

/// How much its size may change from one picture to the next.
const GROWTH: f32 = 2.0;

/// Somebody else must be so much nearer, or more central, to be talked with instead.
const AHEAD: f32 = 1.25;

/// What the tracker knows after a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) people: u32,
    pub(super) looking: Option<bool>,
}

impl Tracker {
    /// Nobody is here yet.
    pub fn new(patience: Patience) -> Self {
        Self { patience, people: Vec::new(), next: 0, partner: None }
    }

    /// Whether a face is followed, even one that does not count yet.
    pub fn follows(&self) -> bool {
        !self.people.is_empty()
    }

    /// Where the faces that are followed were last, in pixels of a picture of so many rows.
    pub(super) fn places(&self, height: u32) -> impl Iterator<Item = Spot> {
        self.people.iter().map(move |person| scaled(&person.place, height as f32))
    }

    /// Takes the faces of a picture of `width` by `height` pixels that was taken at `at`.
    pub(super) fn update(&mut self, at: Instant, spots: &[Spot], width: u32, height: u32) -> State {
        let scale = 1.0 / height.max(1) as f32;
        let mut faces: Vec<Spot> = spots
            .iter()
            .map(|spot| scaled(spot, scale))
            .filter(|face| {
                let numbers = [face.left, face.top, face.width, face.height];
                let sound = numbers.iter().all(|number| number.is_finite());
                sound && face.width > 0.0 && face.height >= self.patience.smallest.max(1e-3)
            })
            .collect();
        self.pair(at, &mut faces);
        let Patience { arrive, leave, .. } = self.patience;
        self.people.retain(|person| {
            let missed = at.saturating_duration_since(person.seen);
            if person.here {
                missed < leave
            } else {
                missed < arrive.max(Duration::from_millis(500))
            }
        });
        for place in faces {
            let number = self.next;
            self.next += 1;
            let looking = place.frontal().map(|yes| f32::from(u8::from(yes)));
            let (since, seen, hits, looks, here) = (at, at, 1, 1, false);
            self.people.push(Person { number, place, since, seen, hits, looks, here, looking });
        }
        for person in &mut self.people {
            let lasted = person.seen.saturating_duration_since(person.since);
            // Something that is there now and then is a pattern in the wallpaper.
            person.here |= lasted >= arrive && person.hits * 2 >= person.looks;
        }
        self.choose_partner(width as f32 * scale);
        let partner = self.people.iter().find(|person| Some(person.number) == self.partner);
        State {
            people: self.people.iter().filter(|person| person.here).count() as u32,
            looking: partner.and_then(|person| person.looking).map(|part| part >= 0.5),
        }
    }

    /// Gives each person the face that is nearest to where it was; takes those faces out of `faces`.
    fn pair(&mut self, at: Instant, faces: &mut Vec<Spot>) {
        let mut pairs = Vec::new();
        for (index, person) in self.people.iter().enumerate() {
            for (face, spot) in faces.iter().enumerate() {
                if let Some(distance) = distance(&person.place, spot) {
                    pairs.push((distance, index, face));
                }
            }
        }
        pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut taken = vec![false; faces.len()];
        let mut found = vec![None; self.people.len()];
        for (_, person, face) in pairs {
            if found[person].is_none() && !taken[face] {
                found[person] = Some(face);
                taken[face] = true;
            }
        }
        for (person, face) in self.people.iter_mut().zip(found) {
            person.looks = person.looks.saturating_add(1);
            let Some(face) = face.and_then(|face| faces.get(face)) else { continue };
            person.place = *face;
            person.seen = at;
            person.hits = person.hits.saturating_add(1);
            if let Some(yes) = face.frontal() {
                let now = f32::from(u8::from(yes));
                let before = person.looking.unwrap_or(now);
                person.looking = Some(0.6 * before + 0.4 * now);
            }
        }
        let mut taken = taken.into_iter();
        faces.retain(|_| !taken.next().unwrap_or(false));
    }

    /// Who is near and in the middle is talked with, and stays so until somebody is clearly nearer.
    fn choose_partner(&mut self, width: f32) {
        let worth = |person: &Person| {
            let aside = (person.place.centre()[0] - width / 2.0).abs() / (width / 2.0).max(1e-3);
            person.place.height * (1.0 - 0.5 * aside.min(1.0))
        };
        let here = || self.people.iter().filter(|person| person.here);
        let best = here().max_by(|one, other| worth(one).total_cmp(&worth(other)));
        let now = here().find(|person| Some(person.number) == self.partner);
        self.partner = match (now, best) {
            (Some(now), Some(best)) if worth(best) < AHEAD * worth(now) => Some(now.number),
            (_, best) => best.map(|person| person.number),
        };
    }
}

fn scaled(spot: &Spot, scale: f32) -> Spot {
    Spot {
        left: spot.left * scale,
        top: spot.top * scale,
        width: spot.width * scale,
        height: spot.height * scale,
        score: spot.score,
        marks: spot.marks.map(|marks| {
            let point = |[x, y]: [f32; 2]| [x * scale, y * scale];
            super::Marks {
                eyes: marks.eyes.map(point),
                nose: point(marks.nose),
                mouth: marks.mouth.map(point),
            }
        }),
    }
}

/// How far apart two places are, in their own size; `None` if they cannot be the same face.
fn distance(one: &Spot, other: &Spot) -> Option<f32> {
    let (large, small) = (one.height.max(other.height), one.height.min(other.height));
    let ([x1, y1], [x2, y2]) = (one.centre(), other.centre());
    let distance = (x1 - x2).hypot(y1 - y2) / large;
    (distance <= STRIDE && large <= GROWTH * small).then_some(distance)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::vision::Marks;

    const PATIENCE: Patience =
        Patience { arrive: Duration::from_secs(1), leave: Duration::from_secs(2), smallest: 0.1 };

    fn face(x: f32, size: f32) -> Spot {
        let (left, top) = (x - size / 2.0, 240.0 - size / 2.0);
        Spot { left, top, width: size, height: size, score: 1.0, marks: None }
    }

    /// Feeds one list of faces after the other, four a second; how many people there are after each.
    fn people(tracker: &mut Tracker, from: Instant, pictures: &[&[Spot]]) -> Vec<u32> {
        let at = |number: usize| from + Duration::from_millis(250) * number as u32;
        let feed =
            |(number, spots): (usize, &&[Spot])| tracker.update(at(number), spots, 640, 480).people;
        pictures.iter().enumerate().map(feed).collect()
    }

    #[test]
    fn somebody_is_here_after_a_second_and_gone_after_two() {
        let mut tracker = Tracker::new(PATIENCE);
        let someone: &[Spot] = &[face(320.0, 100.0)];
        let mut pictures = vec![someone; 8];
        pictures.extend([&[][..]; 12]);
        let counts = people(&mut tracker, Instant::now(), &pictures);
        // Seen from 0 s to 1.75 s: here from 1 s on, gone at 3.75 s.
        let expected: Vec<u32> =
            (0..20).map(|number| u32::from((4..15).contains(&number))).collect();
        assert_eq!(counts, expected);
    }

    #[test]
    fn a_face_that_is_missed_now_and_then_stays_and_one_that_flickers_never_comes() {
        let mut tracker = Tracker::new(PATIENCE);
        let (yes, no): (&[Spot], &[Spot]) = (&[face(320.0, 100.0)], &[]);
        let counts =
            people(&mut tracker, Instant::now(), &[yes, yes, no, yes, yes, no, no, yes, no]);
        assert_eq!(counts, [0, 0, 0, 0, 1, 1, 1, 1, 1]);
        let mut tracker = Tracker::new(PATIENCE);
        let flicker: Vec<&[Spot]> = (0..40).map(|n| if n % 3 == 0 { yes } else { no }).collect();
        assert!(people(&mut tracker, Instant::now(), &flicker).iter().all(|count| *count == 0));
    }

    #[test]
    fn people_in_the_back_do_not_count() {
        let mut tracker = Tracker::new(PATIENCE);
        let small: &[Spot] = &[face(320.0, 40.0)];
        assert_eq!(people(&mut tracker, Instant::now(), &[small; 12]), [0; 12]);
        assert!(!tracker.follows());
    }

    #[test]
    fn two_people_who_pass_one_another_stay_two() {
        let mut tracker = Tracker::new(PATIENCE);
        let walk: Vec<[Spot; 2]> = (0..24)
            .map(|n| [face(100.0 + 18.0 * n as f32, 80.0), face(540.0 - 18.0 * n as f32, 120.0)])
            .collect();
        let pictures: Vec<&[Spot]> = walk.iter().map(|pair| &pair[..]).collect();
        let counts = people(&mut tracker, Instant::now(), &pictures);
        assert!(counts[4..].iter().all(|count| *count == 2), "{counts:?}");
    }

    #[test]
    fn a_camera_that_was_away_finds_who_stayed() {
        let mut tracker = Tracker::new(PATIENCE);
        let start = Instant::now();
        let someone: &[Spot] = &[face(320.0, 100.0)];
        people(&mut tracker, start, &[someone; 6]);
        let late = start + Duration::from_mins(1);
        assert_eq!(tracker.update(late, someone, 640, 480).people, 1);
        let later = late + Duration::from_mins(1);
        assert_eq!(tracker.update(later, &[], 640, 480).people, 0);
    }

    #[test]
    fn the_nearest_is_talked_with_until_somebody_is_clearly_nearer() {
        let marks = |aside: f32| Marks {
            eyes: [[300.0, 220.0], [340.0, 220.0]],
            nose: [320.0 + aside, 240.0],
            mouth: [[305.0, 260.0], [335.0, 260.0]],
        };
        let looks =
            |x: f32, size: f32, aside: f32| Spot { marks: Some(marks(aside)), ..face(x, size) };
        let mut tracker = Tracker::new(PATIENCE);
        let start = Instant::now();
        let mut at = 0;
        let mut after = |spots: &[Spot]| {
            let mut last = State::default();
            for _ in 0..8 {
                at += 250;
                last = tracker.update(start + Duration::from_millis(at), spots, 640, 480);
            }
            last
        };
        // Who is near looks here, who is far looks away; then they change places, but only a little.
        let (near, far) = (looks(250.0, 100.0, 0.0), looks(450.0, 70.0, 30.0));
        assert_eq!(after(&[far, near]), State { people: 2, looking: Some(true) });
        let (near, far) = (looks(250.0, 95.0, 0.0), looks(450.0, 100.0, 30.0));
        assert_eq!(after(&[far, near]).looking, Some(true));
        let (near, far) = (looks(250.0, 95.0, 0.0), looks(450.0, 180.0, 30.0));
        assert_eq!(after(&[far, near]).looking, Some(false));
    }

    proptest! {
        #[test]
        fn nobody_is_here_whom_nobody_saw(
            pictures in proptest::collection::vec(
                proptest::collection::vec((0.0_f32..640.0, 10.0_f32..300.0), 0..4), 1..60,
            ),
            gap in 50_u64..1_500,
        ) {
            let mut tracker = Tracker::new(PATIENCE);
            let start = Instant::now();
            let mut counts: Vec<(u64, usize)> = Vec::new();
            for (number, faces) in pictures.iter().enumerate() {
                let now = gap * number as u64;
                let spots: Vec<Spot> = faces.iter().map(|(x, size)| face(*x, *size)).collect();
                let large = spots.iter().filter(|spot| spot.height >= 48.0).count();
                counts.push((now, large));
                let at = start + Duration::from_millis(now);
                let state = tracker.update(at, &spots, 640, 480);
                // Everybody who is here was seen in the last two seconds.
                let recent = counts.iter().filter(|(then, _)| now - then < 2_000);
                let most: usize = recent.map(|(_, count)| *count).sum();
                prop_assert!(state.people as usize <= most);
                prop_assert!(now >= 1_000 || state.people == 0);
                prop_assert_eq!(state.looking, None);
            }
        }

        #[test]
        fn the_order_of_the_faces_does_not_matter(
            faces in proptest::collection::vec((0.0_f32..640.0, 60.0_f32..200.0), 1..4),
        ) {
            let mut one = Tracker::new(PATIENCE);
            let mut other = Tracker::new(PATIENCE);
            let start = Instant::now();
            for number in 0..8_u32 {
                let at = start + Duration::from_millis(250) * number;
                let mut spots: Vec<Spot> = faces
                    .iter()
                    .map(|(x, size)| face(*x + number as f32 * 3.0, *size))
                    .collect();
                let first = one.update(at, &spots, 640, 480);
                spots.reverse();
                prop_assert_eq!(first.people, other.update(at, &spots, 640, 480).people);
            }
        }

        #[test]
        fn nonsense_is_no_person_and_no_panic(
            numbers in proptest::collection::vec(proptest::array::uniform4(any::<f32>()), 0..6),
            width in any::<u32>(),
            height in any::<u32>(),
        ) {
            let mut tracker = Tracker::new(PATIENCE);
            let spots: Vec<Spot> = numbers
                .iter()
                .map(|[left, top, width, height]| Spot {
                    left: *left, top: *top, width: *width, height: *height, ..Spot::default()
                })
                .collect();
            let start = Instant::now();
            for second in 0..4 {
                let at = start + Duration::from_secs(second);
                let state = tracker.update(at, &spots, width, height);
                prop_assert!(state.people as usize <= spots.len());
            }
        }
    }
}
