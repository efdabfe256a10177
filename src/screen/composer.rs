//! Composes the screen: the face in its window, and over and below it what is better shown than said.
//!
//! Only what differs is painted again: the part of the window in which the face has moved, and each layer
//! that has changed. Words are shaped and drawn once and laid on from then on.

use std::{mem, sync::Arc, time::Duration};

use super::{
    Painter,
    layers::{Layers, Shown},
    layout::Layout,
    look::Look,
};
use crate::{
    engine::Portrait,
    media::{Buffer, Buffers, Mouth, Picture, Rect},
    scene::Scene,
};

/// Buffers kept for reuse: one on the screen, one on its way there, one to paint on.
const BUFFERS: usize = 3;

/// The most areas that are kept apart; more are painted as one.
const AREAS: usize = 6;

/// How bright the screen is when nobody is there, in 256ths.
const DIM: u16 = 96;

/// By how much brightness changes in a picture.
const FADE: u16 = 8;

/// Composes the screen.
#[expect(missing_debug_implementations, reason = "a portrait has none")]
pub struct Composer {
    layout: Layout,
    portrait: Box<dyn Portrait>,
    layers: Layers,
    /// Everything that never changes, painted once.
    ground: Vec<u8>,
    /// How much of the window's pixels is seen, in 256ths: by row, and by column four times, once for each
    /// part of a colour.
    rows: Vec<u16>,
    columns: Vec<u16>,
    /// In 256ths.
    brightness: u16,
    /// Each knows which areas it has missed.
    buffers: Buffers<Areas, BUFFERS>,
}

/// A few areas.
#[derive(Clone, Debug, Default)]
struct Areas(Vec<Rect>);

impl Areas {
    fn add(&mut self, area: Rect) {
        if area.is_empty() {
            return;
        }
        // What touches is one.
        let mut area = area;
        while let Some(at) = self.0.iter().position(|other| !other.intersection(area).is_empty()) {
            area = area.union(self.0.swap_remove(at));
        }
        self.0.push(area);
        if self.0.len() > AREAS {
            let all = self.0.drain(..).fold(Rect::default(), Rect::union);
            self.0.push(all);
        }
    }

    fn union(&self) -> Rect {
        self.0.iter().copied().fold(Rect::default(), Rect::union)
    }
}

impl Composer {
    /// Composes pictures of the layout's size; `portrait` must draw the part that the layout wants.
    pub fn new(
        layout: Layout,
        mut portrait: Box<dyn Portrait>,
        mut look: Look,
        shown: Shown,
    ) -> Self {
        let first = portrait.draw(Duration::ZERO, Mouth::default());
        let ground = super::ground::paint(&layout, &first, &mut look);
        let rows = (0..layout.avatar.height)
            .map(|y| eased(layout.avatar.height - y, layout.fade))
            .collect();
        let columns = (0..layout.avatar.width)
            .flat_map(|x| [eased(x.min(layout.avatar.width - 1 - x) + 1, layout.side); 4])
            .collect();
        Self {
            layers: Layers::new(&layout, look, shown),
            layout,
            portrait,
            ground,
            rows,
            columns,
            brightness: 256,
            buffers: Buffers::default(),
        }
    }

    /// What has changed since the last picture.
    fn changes(&mut self, face: &Picture, at: Duration, mouth: &Mouth, scene: &Scene) -> Areas {
        let mut changed = Areas::default();
        let Rect { x, y, width, height } = face.changed;
        let window = self.layout.avatar;
        changed.add(Rect::new(x + window.x, y + window.y, width, height).intersection(window));
        self.layers.update(at, mouth, scene, &mut |area| changed.add(area));
        let wanted = if scene.dimmed { DIM } else { 256 };
        if self.brightness != wanted {
            self.brightness = if self.brightness > wanted {
                self.brightness.saturating_sub(FADE).max(wanted)
            } else {
                // Whoever comes is not kept waiting.
                (self.brightness + 4 * FADE).min(wanted)
            };
            changed.add(self.layout.all);
        }
        changed
    }
}

/// The share of a place `inside` an edge that is `width` wide, in 256ths: soft at both ends.
fn eased(inside: u32, width: u32) -> u16 {
    if inside >= width {
        return 256;
    }
    let t = inside as f32 / width.max(1) as f32;
    (256.0 * t * t * (3.0 - 2.0 * t)).round() as u16
}

/// Paints one area anew: ground, face, layers, brightness.
fn repaint(composer: &Composer, face: &Picture, area: Rect, pixels: &mut [u8]) {
    let Composer { layout, ground, rows, columns, brightness, .. } = composer;
    let width = layout.all.width;
    let window = layout.avatar.intersection(area);
    let soft = layout.side > 0;
    for y in area.y..area.bottom() {
        let at = |x: u32| 4 * (y * width + x) as usize;
        let copy = |pixels: &mut [u8], from: u32, to: u32| {
            if from < to {
                pixels[at(from)..at(to)].copy_from_slice(&ground[at(from)..at(to)]);
            }
        };
        if window.is_empty() || y < window.y || y >= window.bottom() {
            copy(pixels, area.x, area.right());
            continue;
        }
        copy(pixels, area.x, window.x);
        copy(pixels, window.right(), area.right());
        let row = rows[(y - layout.avatar.y) as usize];
        let left = window.x - layout.avatar.x;
        let begin = 4 * ((y - layout.avatar.y) * face.width + left) as usize;
        let from = &face.pixels[begin..begin + 4 * window.width as usize];
        let to = &mut pixels[at(window.x)..at(window.right())];
        if row == 256 && !soft {
            to.copy_from_slice(from);
            continue;
        }
        let under = &ground[at(window.x)..at(window.right())];
        let parts = to.iter_mut().zip(from).zip(under);
        if !soft {
            for ((to, from), under) in parts {
                *to = between(*under, *from, row);
            }
            continue;
        }
        let shares = &columns[4 * left as usize..4 * (left + window.width) as usize];
        for (((to, from), under), column) in parts.zip(shares) {
            let share = u32::from(row).wrapping_mul(u32::from(*column)) >> 8;
            *to = between(*under, *from, share as u16);
        }
    }
    composer.layers.lay_on(pixels, width, area);
    if *brightness < 256 {
        for y in area.y..area.bottom() {
            let at = |x: u32| 4 * (y * width + x) as usize;
            for part in &mut pixels[at(area.x)..at(area.right())] {
                *part = (u16::from(*part).wrapping_mul(*brightness) >> 8) as u8;
            }
        }
    }
}

/// A part of a colour between two: `share` of the second, in 256ths. Nothing here can overflow;
/// `wrapping` spares the checks in the loops that are run for millions of pixels.
#[inline]
fn between(one: u8, two: u8, share: u16) -> u8 {
    let one = u16::from(one).wrapping_mul(256_u16.wrapping_sub(share));
    (one.wrapping_add(u16::from(two).wrapping_mul(share)) >> 8) as u8
}

impl Painter for Composer {
    fn key_points(&self) -> usize {
        self.portrait.key_points()
    }

    fn paint(&mut self, at: Duration, mouth: Mouth, scene: &Scene) -> Picture {
        let first = self.buffers.is_empty();
        let face = self.portrait.draw(at, mouth);
        let changed = self.changes(&face, at, &mouth, scene);
        let mut buffers = mem::take(&mut self.buffers);
        for stale in buffers.states() {
            for &area in &changed.0 {
                stale.add(area);
            }
        }
        let buffer = buffers.next(|| Buffer {
            pixels: Arc::new(self.ground.clone()),
            state: Areas(vec![self.layout.all]),
        });
        let stale = mem::take(&mut buffer.state);
        if let Some(pixels) = Arc::get_mut(&mut buffer.pixels) {
            for area in stale.0 {
                repaint(self, &face, area, pixels);
            }
        }
        let pixels = Arc::clone(&buffer.pixels);
        self.buffers = buffers;
        let Rect { width, height, .. } = self.layout.all;
        let changed = if first { self.layout.all } else { changed.union() };
        Picture { width, height, pixels, changed }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::{
            splash::{Splash, Told},
            text::Writer,
        },
        *,
    };
    use crate::{
        config::{Config, Screen},
        engine::load,
        scene::{Board, Language, Missing, Mood},
    };

    fn composer(width: u32, height: u32, writer: Writer) -> Composer {
        let config = Config::default();
        let layout = Layout::new(width, height, 1.0);
        let portrait = load::portrait_part(&config, layout.portrait, layout.part).unwrap();
        let look = Look::with(&Screen::default(), writer).unwrap();
        Composer::new(layout, portrait, look, Shown { captions: true, buttons: true })
    }

    fn without_fonts() -> Writer {
        Writer::with(cosmic_text::fontdb::Database::new(), "")
    }

    fn scenes() -> Vec<Scene> {
        let text = |text: &str| text.to_owned();
        let rest = Scene::default();
        let listening = Scene { mood: Mood::Listening, ..Scene::default() };
        let hearing =
            Scene { mood: Mood::Hearing, heard: text("Where is the"), ..Scene::default() };
        let thinking = Scene {
            mood: Mood::Thinking,
            heard: text("Where is the lift, and when do you close?"),
            ..Scene::default()
        };
        let english = Scene {
            mood: Mood::Speaking,
            heard: text("Where is the reading room?"),
            said: text("The reading room is on the second floor: take the lift, then turn left."),
            board: Some(Board {
                title: text("Reading room"),
                lines: vec![
                    text("Second floor, room 2.14"),
                    text("Lift, then left"),
                    text("Open until 18:00"),
                ],
            }),
            ..Scene::default()
        };
        let chinese = Scene {
            mood: Mood::Speaking,
            heard: text("请问阅览室在哪里？"),
            said: text("阅览室在二楼，请乘电梯上楼后左转，今天开放到下午六点。"),
            board: Some(Board {
                title: text("阅览室"),
                lines: vec![text("二楼 2.14 室"), text("出电梯左转"), text("开放至 18:00")],
            }),
            language: Language::Chinese,
            ..Scene::default()
        };
        let muted = Scene { mood: Mood::Listening, muted: true, ..Scene::default() };
        let missing = Scene {
            mood: Mood::Listening,
            missing: Missing { microphone: true, speaker: true, camera: true },
            ..Scene::default()
        };
        let dimmed = Scene { dimmed: true, ..Scene::default() };
        vec![rest, listening, hearing, thinking, english, chinese, muted, missing, dimmed]
    }

    fn inside(area: Rect, width: u32, index: usize) -> bool {
        area.contains(index as u32 % width, index as u32 / width)
    }

    fn mouth(step: u32) -> Mouth {
        Mouth { open: (0.5 + 0.5 * (step as f32 * 0.9).sin()) * 0.6, ..Mouth::default() }
    }

    /// What a screen shows that copies only what has changed is what is painted, whatever happens.
    fn follow(mut composer: Composer) {
        let mut screen: Vec<u8> = Vec::new();
        let mut held: Vec<Picture> = Vec::new();
        for step in 0..90_u32 {
            let scene = &scenes()[(step / 10) as usize];
            let at = Duration::from_millis(40) * step;
            let picture = composer.paint(at, mouth(step), scene);
            if step == 0 {
                assert_eq!(picture.changed, Rect::new(0, 0, picture.width, picture.height));
                screen.clone_from(&picture.pixels);
            }
            let Rect { x, y, width, .. } = picture.changed;
            for row in y..picture.changed.bottom() {
                let at = 4 * (row * picture.width + x) as usize;
                let end = at + 4 * width as usize;
                screen[at..end].copy_from_slice(&picture.pixels[at..end]);
            }
            if screen != *picture.pixels {
                let pairs = screen.chunks_exact(4).zip(picture.pixels.chunks_exact(4));
                let off: Vec<usize> =
                    pairs.enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect();
                panic!("picture {step}: {} pixels differ, as at {}", off.len(), off[0]);
            }
            // Somebody holds some of the pictures for a while, as a recording may.
            held.push(picture);
            if held.len() > (step as usize / 20).min(4) {
                held.remove(0);
            }
        }
    }

    #[test]
    fn what_is_told_to_have_changed_is_all_that_has() {
        follow(composer(360, 640, Writer::new("")));
        follow(composer(640, 360, without_fonts()));
    }

    #[test]
    fn painting_on_what_was_there_gives_what_painting_afresh_gives() {
        for size in [(360, 640), (640, 360)] {
            let mut used = composer(size.0, size.1, Writer::new(""));
            for (step, scene) in (0..).zip(&scenes()[..8]) {
                let at = Duration::from_millis(200) * step;
                used.paint(at, mouth(step), scene);
                let again = used.paint(at, mouth(step), scene);
                let mut fresh = composer(size.0, size.1, Writer::new(""));
                // A portrait's nods depend on how it moved before; everything else must be the same.
                let fresh = fresh.paint(at, mouth(step), scene);
                let window = Layout::new(size.0, size.1, 1.0).avatar;
                let pairs = again.pixels.chunks_exact(4).zip(fresh.pixels.chunks_exact(4));
                let off = pairs
                    .enumerate()
                    .filter(|(i, (a, b))| a != b && !inside(window, size.0, *i))
                    .count();
                assert_eq!(off, 0, "scene {step} at {size:?}");
            }
        }
    }

    #[test]
    fn only_the_face_is_painted_when_only_the_face_moves() {
        let mut composer = composer(540, 960, without_fonts());
        let window = Layout::new(540, 960, 1.0).avatar;
        let scene = Scene::default();
        composer.paint(Duration::ZERO, Mouth::default(), &scene);
        for step in 1..20 {
            let picture = composer.paint(Duration::from_millis(40) * step, mouth(step), &scene);
            assert_eq!(picture.changed.intersection(window), picture.changed, "picture {step}");
        }
    }

    #[test]
    fn each_scene_looks_its_own_even_without_fonts() {
        let mut pictures: Vec<Arc<Vec<u8>>> = Vec::new();
        for scene in [&scenes()[1], &scenes()[3], &scenes()[4], &scenes()[6]] {
            let picture =
                composer(360, 640, without_fonts()).paint(Duration::from_secs(1), mouth(3), scene);
            assert!(pictures.iter().all(|other| **other != *picture.pixels), "{:?}", scene.mood);
            pictures.push(picture.pixels);
        }
    }

    #[test]
    fn a_screen_that_nobody_looks_at_gets_dark_and_light_again() {
        let mut composer = composer(360, 640, without_fonts());
        let light = |picture: &Picture| {
            let sum: u64 = picture.pixels.chunks_exact(4).map(|pixel| u64::from(pixel[1])).sum();
            sum / u64::from(picture.width * picture.height)
        };
        let mut last = 0;
        let mut shown = |dimmed: bool, count: u32| {
            let scene = Scene { dimmed, ..Scene::default() };
            for _ in 0..count {
                last = light(&composer.paint(Duration::from_secs(1), Mouth::default(), &scene));
            }
            last
        };
        let bright = shown(false, 1);
        let dark = shown(true, 40);
        assert!(dark < bright / 2, "{dark} of {bright}");
        assert_eq!(shown(false, 10), bright);
    }

    #[test]
    fn wrong_looks_are_told_by_their_key() {
        let mut screen = Screen::default();
        screen.colours.accent = "teal".into();
        let error = format!("{:#}", Look::with(&screen, without_fonts()).unwrap_err());
        assert!(error.contains("screen.colours.accent"), "{error}");
        screen = Screen { logo: "/none/logo.png".into(), ..Screen::default() };
        let error = format!("{:#}", Look::with(&screen, without_fonts()).unwrap_err());
        assert!(error.contains("/none/logo.png"), "{error}");
    }

    #[test]
    #[ignore = "writes pictures into the folder that PICTURES names, to be looked at"]
    fn pictures() {
        let folder = std::env::var("PICTURES").expect("the folder");
        let save = |picture: &Picture, name: &str| {
            let path = Path::new(&folder).join(format!("{name}.png"));
            let pixels = picture.pixels.as_ref().clone();
            let image = image::RgbaImage::from_raw(picture.width, picture.height, pixels).unwrap();
            image::DynamicImage::from(image).into_rgb8().save(path).unwrap();
        };
        let names =
            ["rest", "listening", "hearing", "thinking", "en", "zh", "muted", "missing", "dimmed"];
        for (shape, (width, height)) in [("portrait", (1080, 1920)), ("landscape", (1920, 1080))] {
            let mut composer = composer(width, height, Writer::new(""));
            for (name, scene) in names.iter().zip(scenes()) {
                let mut picture = composer.paint(Duration::from_millis(900), mouth(2), &scene);
                for step in 0..30 {
                    picture =
                        composer.paint(Duration::from_millis(4_000 + 40 * step), mouth(2), &scene);
                }
                save(&picture, &format!("{shape}-{name}"));
            }
            let look = Look::new(&Screen::default()).unwrap();
            let mut splash = Splash::new(look, (width, height));
            let picture = splash.paint(&Told::Starting(0.45), Duration::from_millis(900));
            save(&picture, &format!("{shape}-starting"));
            let code = Told::OutOfOrder("E78 · the model pack is missing".into());
            save(&splash.paint(&code, Duration::ZERO), &format!("{shape}-out-of-order"));
        }
    }

    /// Seconds that this thread has computed: other programs do not count.
    fn processor() -> f64 {
        let text =
            std::fs::read_to_string("/proc/thread-self/schedstat").expect("a kernel that tells");
        let first = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        first.expect("nanoseconds") / 1e9
    }

    #[test]
    #[ignore = "measures; run it alone, in a release build, with --no-capture"]
    fn pictures_per_second() {
        for (width, height) in [(1080, 1920), (1920, 1080)] {
            let measure = |what: &str, scene: &Scene, moves: bool| {
                let mut composer = composer(width, height, Writer::new(""));
                let paint = |composer: &mut Composer, step: u32| {
                    let mouth = if moves { mouth(step) } else { Mouth::default() };
                    drop(composer.paint(Duration::from_millis(40) * step, mouth, scene));
                };
                for step in 0..50 {
                    paint(&mut composer, step);
                }
                // The best of some runs: the others were disturbed by what else the machine did.
                let runs = (0..6_u32).map(|run| {
                    let began = processor();
                    for step in 50 + 50 * run..100 + 50 * run {
                        paint(&mut composer, step);
                    }
                    50.0 / (processor() - began)
                });
                let rate = runs.fold(0.0, f64::max);
                eprintln!("{width}x{height}, {what}: {rate:.0} pictures in a second of one core");
            };
            measure("at rest", &scenes()[0], false);
            measure("listening", &scenes()[1], false);
            measure("speaking, with words and a board", &scenes()[4], true);
            measure("only the face moves", &scenes()[0], true);
        }
    }
}
