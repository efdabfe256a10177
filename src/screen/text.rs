//! Writing: words become sprites, in any script for which a font is installed.

use std::collections::HashSet;

use cosmic_text::{
    Align, Attrs, Buffer, Color, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics,
    Shaping, SwashCache, Weight, Wrap, fontdb,
};

use super::{colour::Colour, sprite::Sprite};
use crate::media::Rect;

/// The best families that usual systems have, best first.
const FAMILIES: [&str; 8] = [
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "DejaVu Sans",
    "Liberation Sans",
];

/// Letters that are kept drawn; more are forgotten and drawn again.
const GLYPHS: usize = 2_000;

/// The longest text that is written, in letters; nobody reads more from a screen.
const LONGEST: usize = 1_000;

/// Steps by which writing is made smaller until it fits.
const SMALLER: [f32; 5] = [1.0, 0.9, 0.8, 0.7, 0.62];

/// Which end of a text goes when there is too much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The end goes.
    Begin,
    /// The beginning goes: somebody is still speaking.
    End,
}

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Height of the letters, in pixels.
    pub size: f32,
    /// Their colour.
    pub colour: Colour,
    /// Whether they are thick.
    pub bold: bool,
    /// Whether they stand in the middle, and not where reading begins.
    pub centred: bool,
    /// What goes when there is too much.
    pub keep: Keep,
}

/// Writes.
pub struct Writer {
    fonts: FontSystem,
    cache: SwashCache,
    /// Without any font nothing is written.
    family: Option<String>,
    /// Letters that no font has, once they were missed.
    missed: HashSet<char>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Writer").field("family", &self.family).finish_non_exhaustive()
    }
}

impl Writer {
    /// Writes with the fonts of the system, preferably of the family `wished`; empty takes the best.
    pub fn new(wished: &str) -> Self {
        let mut fonts = fontdb::Database::new();
        fonts.load_system_fonts();
        Self::with(fonts, wished)
    }

    /// Writes with these fonts.
    pub fn with(fonts: fontdb::Database, wished: &str) -> Self {
        let has = |family: &str| {
            fonts.faces().any(|face| face.families.iter().any(|(name, _)| name == family))
        };
        let first = || {
            let mut names = fonts.faces().filter(|face| !face.monospaced);
            names.find_map(|face| face.families.first().map(|(name, _)| name.clone()))
        };
        let any = || fonts.faces().find_map(|face| Some(face.families.first()?.0.clone()));
        let known = || FAMILIES.into_iter().find(|family| has(family)).map(str::to_owned);
        let family = if has(wished) {
            Some(wished.to_owned())
        } else {
            let family = known().or_else(first).or_else(any);
            match &family {
                None => tracing::warn!(
                    "no font is installed: the screen shows no writing; install fonts-noto-cjk"
                ),
                Some(other) if !wished.is_empty() => tracing::warn!(
                    wished,
                    "the font of screen.font is not installed; writing with {other}"
                ),
                Some(_) => {}
            }
            family
        };
        // The locale decides how characters look that Chinese and Japanese share.
        let fonts = FontSystem::new_with_locale_and_db("zh-CN".to_owned(), fonts);
        Self { fonts, cache: SwashCache::new(), family, missed: HashSet::new() }
    }

    /// The family that is written with; `None` where nothing can be written.
    pub fn family(&self) -> Option<&str> {
        self.family.as_deref()
    }

    /// Writes `text` into `place`: broken into lines, smaller if it must be, and shortened if that is
    /// not enough. What is written begins at the top of `place`; empty without a font.
    pub fn write(&mut self, text: &str, place: Rect, style: &Style) -> Sprite {
        let text = tidied(text, style.keep);
        if text.is_empty() || place.is_empty() || self.family.is_none() {
            return Sprite::default();
        }
        let (width, height) = (place.width as f32, place.height as f32);
        let mut size = style.size;
        for step in SMALLER {
            size = (style.size * step).max(6.0);
            let buffer = self.lay_out(&text, width, None, size, style);
            if lines_height(&buffer) <= height {
                return self.raster(&buffer, place, style);
            }
        }
        if style.keep == Keep::Begin {
            let buffer = self.lay_out(&text, width, Some(height), size, style);
            return self.raster(&buffer, place, style);
        }
        // Half, three quarters … of what is too much: a few tries find how much of the end fits.
        let letters: Vec<char> = text.chars().collect();
        let (mut fits, mut too_much) = (0, letters.len());
        let end = |count: usize| {
            let rest: String = letters[letters.len() - count..].iter().collect();
            format!("…{}", rest.trim_start())
        };
        while too_much - fits > 1 + letters.len() / 50 {
            let middle = usize::midpoint(fits, too_much);
            let buffer = self.lay_out(&end(middle), width, None, size, style);
            if lines_height(&buffer) <= height { fits = middle } else { too_much = middle }
        }
        let buffer = self.lay_out(&end(fits), width, Some(height), size, style);
        self.raster(&buffer, place, style)
    }

    fn lay_out(
        &mut self,
        text: &str,
        width: f32,
        height: Option<f32>,
        size: f32,
        style: &Style,
    ) -> Buffer {
        let mut buffer = Buffer::new_empty(Metrics::relative(size, 1.32));
        buffer.set_wrap(Wrap::WordOrGlyph);
        if let Some(height) = height {
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Height(height)));
        }
        buffer.set_size(Some(width), None);
        let family = self.family.as_deref().unwrap_or_default();
        let weight = if style.bold { Weight::BOLD } else { Weight::NORMAL };
        let attrs = Attrs::new().family(Family::Name(family)).weight(weight);
        let align = style.centred.then_some(Align::Center);
        buffer.set_text(text, &attrs, Shaping::Advanced, align);
        buffer.shape_until_scroll(&mut self.fonts, false);
        buffer
    }

    fn raster(&mut self, buffer: &Buffer, place: Rect, style: &Style) -> Sprite {
        self.miss(buffer);
        if self.cache.image_cache.len() > GLYPHS {
            self.cache.image_cache.clear();
        }
        let height = (lines_height(buffer).ceil() as u32).min(place.height);
        // Letters may hang over their lines and margins a little.
        let mut sprite = Sprite::clear(Rect { height, ..place });
        let [red, green, blue] = style.colour;
        let base = Color::rgb(red, green, blue);
        for run in buffer.layout_runs() {
            for glyph in run.glyphs {
                let physical = glyph.physical((0.0, run.line_y), 1.0);
                let colour = glyph.color_opt.unwrap_or(base);
                let draw = |x: i32, y: i32, colour: Color| {
                    let (Ok(x), Ok(y)) =
                        (u32::try_from(physical.x + x), u32::try_from(physical.y + y))
                    else {
                        return;
                    };
                    sprite.over(x, y, [colour.r(), colour.g(), colour.b()], colour.a());
                };
                self.cache.with_pixels(&mut self.fonts, physical.cache_key, colour, draw);
            }
        }
        sprite.trimmed()
    }

    /// Tells, once for each letter, that no font has it.
    fn miss(&mut self, buffer: &Buffer) {
        let before = self.missed.len();
        for run in buffer.layout_runs() {
            for glyph in run.glyphs.iter().filter(|glyph| glyph.glyph_id == 0) {
                let letters = run.text.get(glyph.start..glyph.end).unwrap_or_default().chars();
                // Spaces and marks that are not seen are missed by nobody.
                let seen = letters.filter(|letter| !letter.is_whitespace() && !letter.is_control());
                if self.missed.len() < GLYPHS {
                    self.missed.extend(seen);
                }
            }
        }
        if before == 0 && !self.missed.is_empty() {
            let letter = self.missed.iter().next().copied().unwrap_or_default();
            // Which letter it was may tell what was said; which script does not.
            tracing::warn!(
                script = %format!("U+{:04X}…", u32::from(letter) & !0xff),
                "no installed font has some letters; install fonts-noto-cjk, fonts-noto-core"
            );
        }
    }
}

/// On one line, without what cannot be seen, and not without end.
fn tidied(text: &str, keep: Keep) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|letter| !letter.is_control()).collect();
    let count = line.chars().count();
    if count <= LONGEST {
        return line;
    }
    match keep {
        Keep::Begin => line.chars().take(LONGEST).collect(),
        Keep::End => line.chars().skip(count - LONGEST).collect(),
    }
}

fn lines_height(buffer: &Buffer) -> f32 {
    buffer.layout_runs().map(|run| run.line_top + run.line_height).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Rect = Rect::new(40, 60, 900, 300);

    fn style() -> Style {
        Style { size: 48.0, colour: [255, 255, 255], bold: false, centred: true, keep: Keep::Begin }
    }

    /// A writer with the system's fonts; `None`, and a word about it, where there are none.
    fn writer() -> Option<Writer> {
        let writer = Writer::new("");
        if writer.family().is_none() {
            eprintln!("skipped: no font is installed; fonts-dejavu-core will do");
        }
        writer.family().is_some().then_some(writer)
    }

    #[test]
    fn every_text_stays_in_its_place() {
        let Some(mut writer) = writer() else { return };
        let long = "word ".repeat(300);
        let endless = "w".repeat(300);
        let texts = [
            "Good morning! You are welcome to look around.",
            "早上好！欢迎参观，请随便看看，有什么可以帮您的吗？我们今天营业到晚上八点。",
            "Room 3.07 在三楼, the third floor 🙂 👩‍🔬",
            "السلام عليكم، أين المصعد؟ שלום, איפה המעלית? Hello.",
            "é̂̃ ﷽ \u{202e}abc\u{202c} \u{0}\u{7}\u{feff} \u{10ffff}",
            "a\nb\r\nc\u{2028}d\te",
            &long,
            &endless,
        ];
        for text in texts {
            for keep in [Keep::Begin, Keep::End] {
                for size in [12.0, 48.0, 200.0] {
                    let style = Style { size, keep, ..style() };
                    let sprite = writer.write(text, PLACE, &style);
                    assert!(!sprite.place.is_empty(), "{text}");
                    assert_eq!(sprite.place.intersection(PLACE), sprite.place, "{text} at {size}");
                }
            }
        }
        assert!(writer.write(" \n\t ", PLACE, &style()).place.is_empty());
        assert!(writer.write("x", Rect::new(5, 5, 0, 9), &style()).place.is_empty());
        assert!(writer.write("xxxx", Rect::new(5, 5, 1, 1), &style()).place.width <= 1);
    }

    #[test]
    fn what_is_too_long_is_broken_into_lines() {
        let Some(mut writer) = writer() else { return };
        let height =
            |writer: &mut Writer, text: &str| writer.write(text, PLACE, &style()).place.height;
        let one = height(&mut writer, "Welcome");
        assert!(one > 20 && one < 80, "{one}");
        let two = height(&mut writer, "Welcome to our house, which is open until six every day");
        assert!(two > one + 40, "{two}");
        let chinese = height(&mut writer, &"欢迎光临".repeat(10));
        assert!(chinese > one + 40, "{chinese}: characters are broken without spaces");
        let word = height(&mut writer, &"m".repeat(80));
        assert!(word > one + 40, "{word}: a word without end is broken too");
    }

    #[test]
    fn whoever_is_still_speaking_sees_what_was_said_last() {
        let Some(mut writer) = writer() else { return };
        let style = Style { keep: Keep::End, ..style() };
        let place = Rect::new(0, 0, 700, 80);
        let before = "and then I said that ".repeat(30);
        let one = writer.write(&format!("{before} zebra"), place, &style);
        let two = writer.write(&format!("{before} igloo"), place, &style);
        assert_ne!(one.pixels, two.pixels, "the end is written");
    }

    #[test]
    fn without_fonts_there_is_no_writing_and_no_harm() {
        let mut writer = Writer::with(fontdb::Database::new(), "Noto Sans");
        assert_eq!(writer.family(), None);
        assert!(writer.write("Hello, 你好", PLACE, &style()).place.is_empty());
    }

    #[test]
    fn a_family_that_is_not_installed_is_replaced() {
        let Some(_) = writer() else { return };
        let writer = Writer::new("No Such Family");
        assert!(writer.family().is_some_and(|family| family != "No Such Family"));
    }
}
