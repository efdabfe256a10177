//! What lies where on a screen of any size: pure arithmetic, shared by whoever paints and whoever is
//! touched.

use crate::media::{Press, Rect};

/// A place to touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Silence.
    Stop,
    /// The other language.
    Language,
    /// The microphone off and on.
    Mute,
}

impl Button {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Language, Self::Stop, Self::Mute];

    /// What touching it does.
    pub fn press(self) -> Press {
        match self {
            Self::Stop => Press::Stop,
            Self::Language => Press::Language,
            Self::Mute => Press::Mute,
        }
    }
}

/// What lies where. Nothing that is written lies on the face.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The whole picture.
    pub all: Rect,
    /// A thousandth of what is the shorter side of most panels (1080): all lengths are made of it.
    pub unit: f32,
    /// The portrait's window.
    pub avatar: Rect,
    /// The size of the whole portrait, of which the window shows a part.
    pub portrait: (u32, u32),
    /// The part of the portrait that is seen.
    pub part: Rect,
    /// So many of the window's last rows fade into what lies below.
    pub fade: u32,
    /// So many of the window's columns at both sides fade into what lies beside.
    pub side: u32,
    /// What shows that the kiosk listens, thinks and speaks.
    pub status: Rect,
    /// What the visitor says.
    pub heard: Rect,
    /// What the kiosk says.
    pub said: Rect,
    /// What is better read than heard.
    pub board: Rect,
    /// What does not work.
    pub notice: Rect,
    /// The logo.
    pub logo: Rect,
    /// Where to touch, in the order of [`Button::ALL`].
    pub buttons: [Rect; 3],
    /// Height of the kiosk's words, in pixels.
    pub large: f32,
    /// Height of the visitor's words.
    pub small: f32,
}

/// Portraits are 9 wide and 16 high.
const PORTRAIT: (f32, f32) = (9.0, 16.0);

/// Where a portrait's chin is, as a share of its height, and how much of it is air above the head.
const CHIN: f32 = 0.575;
const AIR: f32 = 0.15;

impl Layout {
    /// The layout of a picture of this size, at least 64 pixels both ways; `text` makes writing larger.
    pub fn new(width: u32, height: u32, text: f32) -> Self {
        let unit = width.min(height) as f32 / 1080.0;
        let layout = if 5 * height >= 6 * width {
            Self::upright(width, height, unit)
        } else {
            Self::lying(width, height, unit)
        };
        // Of the shorter side, a 22nd: about 9 mm on the smallest usual panel, which is read from 2 m.
        Self { large: 49.0 * unit * text, small: 34.0 * unit * text, ..layout }
    }

    /// The portrait fills the width; below the chest is what is said.
    fn upright(width: u32, height: u32, unit: f32) -> Self {
        let (w, h) = (width as f32, height as f32);
        let portrait = covering(w, h);
        // On a squat screen some of the air above the head is left out, so that the chin is seen.
        let high = portrait.1 as f32;
        let above = ((CHIN * high - 0.575 * h) / high).clamp(0.0, AIR);
        let window = (0.74 * h) as u32;
        let at =
            |x: f32, y: f32, right: f32, bottom: f32| rect([x, y, right, bottom], width, height);
        let margin = 54.0 * unit;
        let buttons = 128.0 * unit;
        let button = |middle: f32| {
            let reach = 48.0 * unit;
            let y = h - buttons / 2.0 - 16.0 * unit;
            at(middle - reach, y - reach, middle + reach, y + reach)
        };
        let status = 0.735 * h;
        let words = status + 92.0 * unit;
        let end = h - buttons - 24.0 * unit;
        let heard = words + 0.26 * (end - words);
        Self {
            all: Rect::new(0, 0, width, height),
            unit,
            avatar: Rect::new(0, 0, width, window),
            portrait,
            part: centred(portrait, width, window, above),
            fade: (0.13 * h) as u32,
            side: 0,
            status: at(
                w / 2.0 - 150.0 * unit,
                status,
                w / 2.0 + 150.0 * unit,
                status + 80.0 * unit,
            ),
            heard: at(margin, words, w - margin, heard),
            said: at(margin, heard + 12.0 * unit, w - margin, end),
            board: at(margin, 0.578 * h, w - margin, 0.725 * h),
            notice: at(0.22 * w, 40.0 * unit, w - margin, 40.0 * unit + 110.0 * unit),
            logo: at(margin, 40.0 * unit, 0.2 * w, 40.0 * unit + 150.0 * unit),
            buttons: [
                button(margin + 48.0 * unit),
                button(w / 2.0),
                button(w - margin - 48.0 * unit),
            ],
            large: 0.0,
            small: 0.0,
        }
    }

    /// The portrait stands in the middle; below it is what is said, to its right what is shown.
    fn lying(width: u32, height: u32, unit: f32) -> Self {
        let (w, h) = (width as f32, height as f32);
        let at =
            |x: f32, y: f32, right: f32, bottom: f32| rect([x, y, right, bottom], width, height);
        // As wide as it takes for the head to fill most of the height above the words.
        let wide = (0.70 * h).min(w);
        let portrait = covering(wide, 0.0);
        let window = (0.76 * h) as u32;
        let left = ((w - wide) / 2.0) as u32;
        let margin = 48.0 * unit;
        let button = |middle: f32| {
            let reach = 44.0 * unit;
            let y = h - margin - reach;
            at(middle - reach, y - reach, middle + reach, y + reach)
        };
        let (inner, outer) = (margin + 88.0 * unit + 28.0 * unit, w - margin - 116.0 * unit);
        let words = 0.815 * h;
        let board = (w / 2.0 + 0.36 * h).min(w - 0.25 * w);
        Self {
            all: Rect::new(0, 0, width, height),
            unit,
            avatar: Rect::new(left, 0, (wide as u32).min(width - left), window),
            portrait,
            part: centred(portrait, wide as u32, window, 0.13),
            fade: (0.12 * h) as u32,
            side: (0.20 * wide) as u32,
            status: at(
                w / 2.0 - 150.0 * unit,
                0.735 * h,
                w / 2.0 + 150.0 * unit,
                0.735 * h + 76.0 * unit,
            ),
            heard: at(inner, words, outer, words + 50.0 * unit),
            said: at(inner, words + 56.0 * unit, outer, h - 20.0 * unit),
            board: at(board, 0.2 * h, w - margin, 0.7 * h),
            notice: at(0.66 * w, margin, w - margin, margin + 110.0 * unit),
            logo: at(margin, margin, margin + 0.2 * w, margin + 150.0 * unit),
            // Both ends of the bottom, and above the left one: the words need the middle.
            buttons: [
                button(margin + 44.0 * unit),
                {
                    let Rect { x, y, width: side, .. } = button(margin + 44.0 * unit);
                    Rect::new(x, y.saturating_sub(side + (24.0 * unit) as u32), side, side)
                },
                button(w - margin - 44.0 * unit),
            ],
            large: 0.0,
            small: 0.0,
        }
    }

    /// What a touch presses, if buttons are shown; places from 0 to 1 both ways.
    pub fn touched(&self, (x, y): (f32, f32)) -> Option<Button> {
        let x = (x * self.all.width as f32) as u32;
        let y = (y * self.all.height as f32) as u32;
        // Fingers are thicker than what they aim at.
        let slack = (20.0 * self.unit) as u32;
        Button::ALL.into_iter().zip(self.buttons).find_map(|(button, place)| {
            let wide = Rect::new(
                place.x.saturating_sub(slack),
                place.y.saturating_sub(slack),
                place.width + 2 * slack,
                place.height + 2 * slack,
            );
            wide.contains(x, y).then_some(button)
        })
    }
}

/// The smallest size with a portrait's shape that covers this one.
fn covering(width: f32, height: f32) -> (u32, u32) {
    let scale = (width / PORTRAIT.0).max(height / PORTRAIT.1);
    ((PORTRAIT.0 * scale).round() as u32, (PORTRAIT.1 * scale).round() as u32)
}

/// The part of a portrait that a window shows: in the middle, without `above` of its height.
fn centred((wide, high): (u32, u32), width: u32, height: u32, above: f32) -> Rect {
    let (width, height) = (width.min(wide), height.min(high));
    let top = ((above * high as f32) as u32).min(high - height);
    Rect::new((wide - width) / 2, top, width, height)
}

fn rect([left, top, right, bottom]: [f32; 4], width: u32, height: u32) -> Rect {
    let whole = |at: f32, most: u32| (at.max(0.0).round() as u32).min(most);
    let (x, y) = (whole(left, width), whole(top, height));
    Rect::new(x, y, whole(right, width).saturating_sub(x), whole(bottom, height).saturating_sub(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [(u32, u32); 12] = [
        (1080, 1920),
        (1920, 1080),
        (720, 1280),
        (1280, 720),
        (1024, 768),
        (768, 1024),
        (800, 480),
        (480, 800),
        (1920, 1200),
        (1200, 1920),
        (2160, 3840),
        (1080, 1080),
    ];

    #[test]
    fn nothing_overlaps_what_is_shown_with_it() {
        for (width, height) in SIZES {
            let layout = Layout::new(width, height, 1.0);
            let mut places = vec![
                ("status", layout.status),
                ("heard", layout.heard),
                ("said", layout.said),
                ("board", layout.board),
                ("notice", layout.notice),
                ("logo", layout.logo),
            ];
            places.extend(["language", "stop", "mute"].into_iter().zip(layout.buttons));
            for (i, (name, place)) in places.iter().enumerate() {
                assert!(!place.is_empty(), "{width}x{height}: {name} {place:?}");
                assert_eq!(place.intersection(layout.all), *place, "{width}x{height}: {name}");
                for (other, its) in &places[..i] {
                    let both = place.intersection(*its);
                    assert!(both.is_empty(), "{width}x{height}: {name} {place:?}, {other} {its:?}");
                }
            }
            // The built-in portrait's head: 23 % to 57 % of the portrait's width around its middle.
            let (wide, high) = layout.portrait;
            let face = Rect::new(
                layout.avatar.x + wide * 3 / 10 - layout.part.x,
                layout.avatar.y + high * 30 / 100 - layout.part.y,
                wide * 4 / 10,
                high * 27 / 100,
            );
            for (name, place) in &places {
                let both = place.intersection(face);
                assert!(both.is_empty(), "{width}x{height}: {name} {place:?} on the face {face:?}");
            }
            assert_eq!(
                face.intersection(layout.avatar),
                face,
                "{width}x{height}: the face is seen"
            );
        }
    }

    #[test]
    fn the_windows_fit_on_every_screen() {
        for (width, height) in SIZES.into_iter().chain([(64, 64), (3840, 64), (64, 3840), (66, 70)])
        {
            let layout = Layout::new(width, height, 2.0);
            assert_eq!(layout.avatar.intersection(layout.all), layout.avatar);
            let Rect { width: w, height: h, .. } = layout.part;
            assert!(w <= layout.avatar.width && h <= layout.avatar.height, "{width}x{height}");
            let (wide, high) = layout.portrait;
            assert!(layout.part.right() <= wide && layout.part.bottom() <= high);
        }
    }

    #[test]
    fn words_are_as_large_as_two_metres_take() {
        assert!(Layout::new(1080, 1920, 1.0).large >= 1920.0 / 40.0);
        assert!(Layout::new(1920, 1080, 1.0).large >= 1080.0 / 40.0);
        assert_eq!(Layout::new(540, 960, 2.0).large, Layout::new(1080, 1920, 1.0).large);
    }

    #[test]
    fn a_finger_finds_the_buttons() {
        for (width, height) in SIZES {
            let layout = Layout::new(width, height, 1.0);
            for (button, place) in Button::ALL.into_iter().zip(layout.buttons) {
                let x = (place.x + place.width / 2) as f32 / width as f32;
                let y = (place.y + place.height / 2) as f32 / height as f32;
                assert_eq!(layout.touched((x, y)), Some(button), "{width}x{height}");
            }
            assert_eq!(layout.touched((0.5, 0.3)), None, "the face is no button");
        }
    }
}
