//! What the screen shows while the kiosk cannot answer: that it is starting, or that it is out of order.

use std::{sync::Arc, time::Duration};

use super::{
    colour::mix,
    icons,
    look::Look,
    sprite::{Shape, Sprite},
    text::{Keep, Style},
    words::Words,
};
use crate::{
    media::{Picture, Rect},
    scene::Language,
};

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The kiosk is starting: how much is done, 0 to 1.
    Starting(f32),
    /// It cannot work; a code for whoever repairs it.
    OutOfOrder(String),
}

/// Paints it.
#[derive(Debug)]
pub struct Splash {
    look: Look,
    size: (u32, u32),
    ground: Vec<u8>,
    words: Vec<Sprite>,
    /// What the words say.
    told: Option<Told>,
    /// The part of the picture that moves.
    moving: Rect,
}

impl Splash {
    /// Paints pictures of `size`.
    pub fn new(look: Look, size: (u32, u32)) -> Self {
        let (width, height) = size;
        let deep = mix(look.ground, [0, 0, 0], 0.45);
        let light = mix(look.ground, look.accent, 0.14);
        let mut ground = Vec::with_capacity(4 * (width * height) as usize);
        for y in 0..height {
            let t = y as f32 / height.max(1) as f32;
            let colour = if t < 0.5 {
                mix(light, look.ground, 2.0 * t)
            } else {
                mix(look.ground, deep, 2.0 * t - 1.0)
            };
            for _ in 0..width {
                ground.extend([colour[0], colour[1], colour[2], 255]);
            }
        }
        Self { look, size, ground, words: Vec::new(), told: None, moving: Rect::default() }
    }

    /// The picture at a time; `changed` of it is always everything.
    pub fn paint(&mut self, told: &Told, at: Duration) -> Picture {
        let (width, height) = self.size;
        let unit = width.min(height) as f32 / 1080.0;
        let same = matches!((&self.told, told), (Some(Told::Starting(_)), Told::Starting(_)))
            || self.told.as_ref() == Some(told);
        if !same {
            self.write(told, unit);
        }
        self.told = Some(told.clone());
        let mut pixels = self.ground.clone();
        let all = Rect::new(0, 0, width, height);
        for sprite in &self.words {
            sprite.lay_on(&mut pixels, width, all);
        }
        if let Told::Starting(done) = told {
            self.progress(*done, at, unit).lay_on(&mut pixels, width, all);
        }
        Picture { width, height, pixels: Arc::new(pixels), changed: all }
    }

    fn write(&mut self, told: &Told, unit: f32) {
        let (width, height) = self.size;
        let middle = height as f32 * 0.46;
        let margin = (60.0 * unit) as u32;
        let accent = self.look.accent;
        let warning = self.look.warning;
        let mut words = Vec::new();
        let mut line = |look: &mut Look, text: &str, y: f32, size: f32, colour, bold| {
            let style = Style { size: size * unit, colour, bold, centred: true, keep: Keep::Begin };
            let room = Rect::new(
                margin.min(width),
                (y.max(0.0) as u32).min(height),
                width.saturating_sub(2 * margin),
                ((1.4 * size * unit) as u32).min(height.saturating_sub(y.max(0.0) as u32)),
            );
            words.push(look.writer.write(text, room, &style));
        };
        let (said, heard) = (self.look.said, self.look.heard);
        let (english, chinese) = (Language::English, Language::Chinese);
        let look = &mut self.look;
        let sign = 92.0 * unit;
        let place = |y: f32| {
            Rect::new(
                (width as f32 / 2.0 - sign).max(0.0) as u32,
                (y - sign).max(0.0) as u32,
                (2.0 * sign) as u32,
                (2.0 * sign) as u32,
            )
        };
        let mut icon;
        match told {
            Told::Starting(_) => {
                icon = Sprite::clear(place(middle - 250.0 * unit));
                let tall = [0.30, 0.62, 1.0, 0.62, 0.30].map(|tall: f32| (0.8 * tall, 1.0));
                let at = icon.place;
                icons::bars(&mut icon, at, accent, &tall);
                let words = Words::Starting;
                line(look, words.in_language(english), middle + 120.0 * unit, 44.0, said, false);
                line(look, words.in_language(chinese), middle + 196.0 * unit, 40.0, heard, false);
            }
            Told::OutOfOrder(code) => {
                icon = Sprite::clear(place(middle - 280.0 * unit));
                let at = icon.place;
                icons::alert(&mut icon, at, warning);
                let (state, ask) = (Words::OutOfOrder, Words::AskStaff);
                line(look, state.in_language(english), middle - 120.0 * unit, 84.0, said, true);
                line(look, state.in_language(chinese), middle + 10.0 * unit, 72.0, said, true);
                line(look, ask.in_language(english), middle + 170.0 * unit, 42.0, heard, false);
                line(look, ask.in_language(chinese), middle + 242.0 * unit, 40.0, heard, false);
                let faint = mix(look.ground, heard, 0.6);
                let low = height as f32 - 110.0 * unit;
                line(look, code, low, 30.0, faint, false);
            }
        }
        words.push(icon);
        words.retain(|sprite| !sprite.place.is_empty());
        self.words = words;
        let bar = 300.0 * unit;
        let left = (width as f32 / 2.0 - bar).max(0.0) as u32;
        self.moving =
            Rect::new(left, middle as u32, (2.0 * bar) as u32, (14.0 * unit).max(4.0) as u32)
                .intersection(Rect::new(0, 0, width, height));
    }

    /// The bar of progress, with a light that runs through it so that one sees that it is alive.
    fn progress(&self, done: f32, at: Duration, unit: f32) -> Sprite {
        let place = self.moving;
        let mut sprite = Sprite::clear(place);
        let [x0, y0, x1, y1] =
            [place.x, place.y, place.right(), place.bottom()].map(|at| at as f32);
        let round = (y1 - y0) / 2.0;
        sprite.draw(Shape::Round([x0, y0, x1, y1], round), self.look.said, 0.14);
        let end = x0 + (x1 - x0) * done.clamp(0.03, 1.0);
        sprite.draw(Shape::Round([x0, y0, end, y1], round), self.look.accent, 1.0);
        let run = (at.as_secs_f32() * 0.7).fract();
        let light = x0 + (end - x0) * run;
        let half = (26.0 * unit).min((end - x0) / 2.0);
        let (from, to) = ((light - half).max(x0), (light + half).min(end));
        if to - from > 2.0 {
            sprite.draw(Shape::Round([from, y0, to, y1], round), self.look.said, 0.35);
        }
        sprite
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Screen, screen::text::Writer};

    #[test]
    fn every_size_is_painted_with_and_without_fonts() {
        for size in [(1080, 1920), (1920, 1080), (64, 64), (800, 480)] {
            let fonts = cosmic_text::fontdb::Database::new();
            for writer in [Writer::new(""), Writer::with(fonts, "")] {
                let look = Look::with(&Screen::default(), writer).unwrap();
                let mut splash = Splash::new(look, size);
                let code = Told::OutOfOrder("E78 · models".into());
                let one = splash.paint(&Told::Starting(0.2), Duration::ZERO);
                let two = splash.paint(&Told::Starting(0.9), Duration::from_millis(100));
                let three = splash.paint(&code, Duration::from_millis(200));
                assert_eq!(one.pixels.len(), 4 * (size.0 * size.1) as usize);
                assert_ne!(one.pixels, two.pixels, "progress is seen");
                assert_ne!(two.pixels, three.pixels);
            }
        }
    }
}
