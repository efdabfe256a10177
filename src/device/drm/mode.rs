//! Which of a panel's modes is taken.

use std::{fmt, str::FromStr};

use anyhow::{Context, Result, ensure};

/// Pixels that a kiosk draws gladly: a little more than 1920×1080. A larger panel is used in a smaller
/// mode where it has one, and scales the picture up by itself.
const ENOUGH: u32 = 1920 * 1200;

/// What a mode is, as far as choosing goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures in a thousand seconds.
    pub millihertz: u32,
    /// Whether the panel says that this is its own.
    pub preferred: bool,
    /// Whether only every other row is shown at a time.
    pub interlaced: bool,
}

impl Timing {
    fn pixels(self) -> u32 {
        self.width * self.height
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hertz, rest) = (self.millihertz / 1000, self.millihertz % 1000 / 10);
        write!(to, "{}x{}@{hertz}.{rest:02}", self.width, self.height)
    }
}

/// A mode as people write it: `1920x1080` or `1080x1920@60`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wish {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures a second; `None` takes what the panel likes best.
    pub hertz: Option<f32>,
}

impl FromStr for Wish {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let shape = "write a mode as 1920x1080 or 1920x1080@60";
        let (size, hertz) = match text.split_once('@') {
            Some((size, hertz)) => (size, Some(hertz.parse::<f32>().context(shape)?)),
            None => (text, None),
        };
        let (width, height) = size.split_once('x').context(shape)?;
        let wish = Self {
            width: width.parse().context(shape)?,
            height: height.parse().context(shape)?,
            hertz,
        };
        let sensible = |length: u32| (16..=16_384).contains(&length);
        ensure!(sensible(wish.width) && sensible(wish.height), "{text} is no size of a panel");
        ensure!(hertz.is_none_or(|hertz| (1.0..=1000.0).contains(&hertz)), "{text} is no rate");
        Ok(wish)
    }
}

/// The numbers of `modes` in the order in which to try them, best first.
///
/// First come those of the wished size, nearest to the wished rate; then those of size `keep`, which is
/// what pictures are painted for already; then what the panel prefers, unless it is larger than what a
/// kiosk draws gladly and there is a smaller one; then the rest, large ones first.
pub(super) fn order(modes: &[Timing], wish: Option<Wish>, keep: Option<(u32, u32)>) -> Vec<usize> {
    let most = modes.iter().map(|mode| mode.pixels()).filter(|&pixels| pixels <= ENOUGH).max();
    let rank = |mode: &Timing| {
        let off = match wish {
            Some(wish) if (wish.width, wish.height) == (mode.width, mode.height) => wish
                .hertz
                .map_or(0, |hertz| (hertz * 1000.0 - mode.millihertz as f32).abs().round() as u32),
            _ => u32::MAX,
        };
        let kept = keep == Some((mode.width, mode.height));
        let large = most.is_some() && mode.pixels() > ENOUGH;
        // A movie's 24 pictures a second make a face jerk.
        let slow = mode.millihertz < 49_000;
        (off, !kept, mode.interlaced, large, !mode.preferred, u32::MAX - mode.pixels(), slow)
    };
    let mut numbers: Vec<usize> = (0..modes.len()).collect();
    // The kernel lists better modes first; the sort keeps that among equals.
    numbers.sort_by_key(|&number| rank(&modes[number]));
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(width: u32, height: u32, hertz: u32) -> Timing {
        Timing { width, height, millihertz: hertz * 1000, ..Timing::default() }
    }

    fn first(modes: &[Timing], wish: Option<&str>, keep: Option<(u32, u32)>) -> Timing {
        modes[order(modes, wish.map(|text| text.parse().unwrap()), keep)[0]]
    }

    #[test]
    fn the_panel_prefers_and_the_configuration_decides() {
        let native = Timing { preferred: true, ..mode(1920, 1080, 60) };
        let modes = [native, mode(1920, 1080, 50), mode(1280, 720, 60), mode(1280, 720, 50)];
        assert_eq!(first(&modes, None, None), native);
        assert_eq!(first(&modes, Some("1280x720"), None), modes[2]);
        assert_eq!(first(&modes, Some("1280x720@50"), None), modes[3]);
        assert_eq!(first(&modes, Some("1920x1080@49.9"), None), modes[1]);
        assert_eq!(
            first(&modes, Some("800x600"), None),
            native,
            "what is not there is passed over"
        );
        assert_eq!(first(&modes, None, Some((1280, 720))), modes[2], "pictures have that size");
        assert_eq!(order(&modes, None, None).len(), 4, "all may be tried");
    }

    #[test]
    fn a_large_television_is_used_in_a_size_that_can_be_drawn() {
        let native = Timing { preferred: true, ..mode(3840, 2160, 60) };
        let movie = mode(1920, 1080, 24);
        let lace = Timing { interlaced: true, ..mode(1920, 1080, 60) };
        let modes = [native, movie, lace, mode(1920, 1080, 60), mode(1280, 720, 60)];
        assert_eq!(first(&modes, None, None), modes[3]);
        assert_eq!(first(&modes, Some("3840x2160"), None), native);
        assert_eq!(first(&[native], None, None), native, "there is no other");
    }

    #[test]
    fn a_panel_that_tells_nothing_gets_the_largest() {
        let modes = [mode(1024, 768, 60), mode(800, 600, 60), mode(640, 480, 60)];
        assert_eq!(first(&modes, None, None), modes[0]);
        assert!(order(&[], None, None).is_empty());
    }

    #[test]
    fn modes_are_written_as_people_write_them() {
        let wish: Wish = "1080x1920@59.94".parse().unwrap();
        assert_eq!(wish, Wish { width: 1080, height: 1920, hertz: Some(59.94) });
        for wrong in ["", "big", "1920", "1920x", "1920x1080@", "1920x1080@fast", "1x1", "99x99@0"]
        {
            let error = wrong.parse::<Wish>().unwrap_err();
            assert!(!error.to_string().is_empty(), "{wrong}");
        }
        assert_eq!(mode(1920, 1080, 60).to_string(), "1920x1080@60.00");
    }
}
