//! What lies over the face and below it: words, signs, the board. Each layer is drawn when it changes.

use std::time::Duration;

use super::{
    colour::mix,
    ground, icons,
    layout::{Button, Layout},
    look::Look,
    sprite::{Shape, Sprite},
    status::{self, BARS, Bars},
    text::{Keep, Style},
    words::Words,
};
use crate::{
    media::{Mouth, Rect},
    scene::{Board, Language, Mood, Scene},
};

/// After so long without an answer the screen asks for patience.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is shown at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What is said.
    pub captions: bool,
    /// Where to touch.
    pub buttons: bool,
}

/// The layers, the lowest first.
#[derive(Clone, Copy, Debug)]
enum Layer {
    Logo,
    Heard,
    Said,
    Status,
    Board,
    Notice,
    Language,
    Stop,
    Mute,
}

/// How many layers there are.
const LAYERS: usize = 9;

/// What lies over the face and below it.
#[derive(Debug)]
pub(super) struct Layers {
    layout: Layout,
    look: Look,
    shown: Shown,
    sprites: [Sprite; LAYERS],
    /// What the sprites show; `None` before the first picture.
    scene: Option<Scene>,
    bars: Option<Bars>,
    notice: Vec<Words>,
    /// Since when the answer is awaited.
    thinking: Option<Duration>,
}

impl Layers {
    pub(super) fn new(layout: &Layout, mut look: Look, shown: Shown) -> Self {
        let mut sprites: [Sprite; LAYERS] = Default::default();
        sprites[Layer::Logo as usize] = ground::logo(layout, &mut look);
        Self {
            layout: layout.clone(),
            look,
            shown,
            sprites,
            scene: None,
            bars: None,
            notice: Vec::new(),
            thinking: None,
        }
    }

    /// Lays what is in `area` on a picture.
    pub(super) fn lay_on(&self, pixels: &mut [u8], width: u32, area: Rect) {
        for sprite in &self.sprites {
            sprite.lay_on(pixels, width, area);
        }
    }

    /// Draws the layers that have changed; tells where.
    pub(super) fn update(
        &mut self,
        at: Duration,
        mouth: &Mouth,
        scene: &Scene,
        changed: &mut dyn FnMut(Rect),
    ) {
        let bars = if scene.muted { None } else { status::bars(scene.mood, at, mouth) };
        let old = self.scene.take();
        let differs =
            |part: fn(&Scene, &Scene) -> bool| old.as_ref().is_none_or(|old| part(old, scene));
        if bars != self.bars || differs(|a, b| a.muted != b.muted) {
            self.bars = bars;
            self.put(Layer::Status, self.status(scene), changed);
        }
        if self.shown.captions && differs(|a, b| a.heard != b.heard) {
            let sprite = self.heard(&scene.heard);
            self.put(Layer::Heard, sprite, changed);
        }
        if self.shown.captions && differs(|a, b| a.said != b.said) {
            let sprite = self.said(&scene.said);
            self.put(Layer::Said, sprite, changed);
        }
        if differs(|a, b| a.board != b.board) {
            let sprite = scene.board.as_ref().map(|board| self.board(board)).unwrap_or_default();
            self.put(Layer::Board, sprite, changed);
        }
        let notice = self.notices(at, scene);
        if notice != self.notice || differs(|a, b| a.language != b.language) {
            let sprite = self.notice(&notice, scene.language);
            self.notice = notice;
            self.put(Layer::Notice, sprite, changed);
        }
        if self.shown.buttons {
            if differs(|a, b| a.language != b.language) {
                let sprite = self.button(Button::Language, scene);
                self.put(Layer::Language, sprite, changed);
            }
            if differs(|a, b| (a.mood == Mood::Speaking) != (b.mood == Mood::Speaking)) {
                let sprite = self.button(Button::Stop, scene);
                self.put(Layer::Stop, sprite, changed);
            }
            if differs(|a, b| a.muted != b.muted) {
                let sprite = self.button(Button::Mute, scene);
                self.put(Layer::Mute, sprite, changed);
            }
        }
        self.scene = Some(scene.clone());
    }

    fn put(&mut self, layer: Layer, sprite: Sprite, changed: &mut dyn FnMut(Rect)) {
        let old = std::mem::replace(&mut self.sprites[layer as usize], sprite);
        changed(old.place);
        changed(self.sprites[layer as usize].place);
    }

    fn status(&self, scene: &Scene) -> Sprite {
        let place = self.layout.status;
        let mut sprite = Sprite::clear(place);
        if scene.muted {
            icons::microphone(&mut sprite, place, self.look.warning, true);
        } else if let Some(bars) = &self.bars {
            let colour = match scene.mood {
                Mood::Hearing => self.look.said,
                _ => self.look.accent,
            };
            let shares: [(f32, f32); BARS] = status::shares(bars);
            icons::bars(&mut sprite, place, colour, &shares);
        } else {
            return Sprite::default();
        }
        sprite
    }

    fn heard(&mut self, text: &str) -> Sprite {
        let style = Style {
            size: self.layout.small,
            colour: self.look.heard,
            bold: false,
            centred: true,
            keep: Keep::End,
        };
        let quoted = if text.is_empty() { String::new() } else { format!("“{text}”") };
        self.look.writer.write(&quoted, self.layout.heard, &style)
    }

    fn said(&mut self, text: &str) -> Sprite {
        let style = Style {
            size: self.layout.large,
            colour: self.look.said,
            bold: false,
            centred: true,
            keep: Keep::Begin,
        };
        self.look.writer.write(text, self.layout.said, &style)
    }

    /// A card with the title and a line for each thing to know, as high as it must be.
    fn board(&mut self, board: &Board) -> Sprite {
        let place = self.layout.board;
        let unit = self.layout.unit;
        let pad = (30.0 * unit) as u32;
        let left = pad + (18.0 * unit) as u32;
        let inner = place.width.saturating_sub(left + pad);
        let (ink, pale) = ([19, 33, 54], [64, 80, 104]);
        let mut scale = 1.0_f32;
        loop {
            let mut sprites = Vec::new();
            let mut y = place.y + pad;
            let bottom = place.bottom().saturating_sub(pad);
            let mut fits = true;
            let lines = std::iter::once((&board.title, true))
                .chain(board.lines.iter().map(|line| (line, false)))
                .filter(|(text, _)| !text.trim().is_empty());
            for (text, title) in lines {
                let size =
                    scale * if title { 0.95 * self.layout.large } else { 1.12 * self.layout.small };
                let style = Style {
                    size,
                    colour: if title { ink } else { pale },
                    bold: title,
                    centred: false,
                    keep: Keep::Begin,
                };
                let room = Rect::new(place.x + left, y, inner, bottom.saturating_sub(y));
                // A line that was cut or shrunk to fit says that all of them are too large.
                let line = (1.32 * size) as u32;
                if room.height < line {
                    fits = false;
                    break;
                }
                let sprite = self.look.writer.write(text, room, &style);
                let low = sprite.place.bottom().max(y + line);
                fits &= low <= bottom + 2;
                y = low + (8.0 * unit) as u32;
                sprites.push(sprite);
            }
            if !fits && scale > 0.55 {
                scale -= 0.09;
                continue;
            }
            let high = (y + pad).min(place.bottom()) - place.y;
            // Upright it stands on what is said; beside the face it hangs.
            let upright = self.layout.side == 0;
            let drop = if upright { place.height - high } else { 0 };
            let card = Rect::new(place.x, place.y + drop, place.width, high);
            let mut whole = Sprite::clear(card);
            let [x0, y0, x1, y1] =
                [card.x, card.y, card.right(), card.bottom()].map(|at| at as f32);
            whole.draw(Shape::Round([x0, y0, x1, y1], 26.0 * unit), [250, 252, 255], 0.95);
            let bar = x0 + 22.0 * unit;
            let edges = [bar, y0 + 30.0 * unit, bar + 7.0 * unit, y1 - 30.0 * unit];
            whole.draw(Shape::Round(edges, 4.0 * unit), self.look.accent, 1.0);
            for mut sprite in sprites {
                sprite.place.y += drop;
                whole.lay(&sprite);
            }
            return whole;
        }
    }

    /// What does not work, and what takes long.
    fn notices(&mut self, at: Duration, scene: &Scene) -> Vec<Words> {
        let mut notices = Vec::new();
        if scene.missing.microphone {
            notices.push(Words::Deaf);
        } else if scene.muted {
            notices.push(Words::Muted);
        }
        if scene.missing.speaker {
            notices.push(Words::Dumb);
        }
        if scene.mood == Mood::Thinking {
            let since = *self.thinking.get_or_insert(at);
            if at.saturating_sub(since) > PATIENCE && notices.is_empty() {
                notices.push(Words::Wait);
            }
        } else {
            self.thinking = None;
        }
        notices
    }

    fn notice(&mut self, notices: &[Words], language: Language) -> Sprite {
        let Some(first) = notices.first() else { return Sprite::default() };
        let place = self.layout.notice;
        let colour = if *first == Words::Wait { self.look.accent } else { self.look.warning };
        let style = Style {
            size: 0.94 * self.layout.small,
            colour,
            bold: false,
            centred: false,
            keep: Keep::Begin,
        };
        let text: Vec<&str> = notices.iter().map(|words| words.in_language(language)).collect();
        let pad = (24.0 * self.layout.unit) as u32;
        let room = Rect::new(
            place.x + pad,
            place.y + pad / 2,
            place.width.saturating_sub(2 * pad),
            place.height.saturating_sub(pad),
        );
        let mut words = self.look.writer.write(&text.join(" · "), room, &style);
        if words.place.is_empty() {
            return Sprite::default();
        }
        // At the right end, where nothing else is.
        let shift = room.right() - words.place.right();
        words.place.x += shift;
        let Rect { x, y, width, height } = words.place;
        let pill = Rect::new(
            x.saturating_sub(pad),
            y.saturating_sub(pad / 2),
            width + 2 * pad,
            height + pad,
        )
        .intersection(self.layout.all);
        let mut sprite = Sprite::clear(pill);
        let edges = [pill.x, pill.y, pill.right(), pill.bottom()].map(|at| at as f32);
        sprite.draw(Shape::Round(edges, 0.5 * pill.height as f32), self.look.ground, 0.86);
        sprite.lay(&words);
        sprite
    }

    fn button(&mut self, button: Button, scene: &Scene) -> Sprite {
        let index = Button::ALL.iter().position(|other| *other == button).unwrap_or_default();
        let place = self.layout.buttons[index];
        let mut sprite = Sprite::clear(place);
        let Look { ground, said, warning, .. } = self.look;
        let plate = mix(ground, said, 0.16);
        match button {
            Button::Stop if scene.mood != Mood::Speaking => return Sprite::default(),
            Button::Stop => {
                icons::disc(&mut sprite, place, said, 0.92);
                icons::square(&mut sprite, place, ground);
            }
            Button::Mute => {
                icons::disc(&mut sprite, place, plate, 0.9);
                let colour = if scene.muted { warning } else { said };
                icons::microphone(&mut sprite, place, colour, scene.muted);
            }
            Button::Language => {
                icons::disc(&mut sprite, place, plate, 0.9);
                let word = Words::Other.in_language(scene.language);
                let size = 0.34 * place.height as f32;
                let style =
                    Style { size, colour: said, bold: true, centred: true, keep: Keep::Begin };
                let high = (1.32 * size) as u32;
                let room =
                    Rect::new(place.x, place.y + (place.height - high) / 2, place.width, high + 2);
                let word = self.look.writer.write(word, room, &style);
                if word.place.is_empty() {
                    icons::globe(&mut sprite, place, said);
                } else {
                    sprite.lay(&word);
                }
            }
        }
        sprite
    }
}
