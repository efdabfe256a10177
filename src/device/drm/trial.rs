//! A colour bar for whoever mounts the box: is it the right screen, the right way up, complete, and how
//! fast is it really?

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::super::{DeviceError, Display};
use crate::media::{Picture, Rect};

/// The bars of a test picture: white, yellow, cyan, green, magenta, red, blue, black.
const BARS: [[u8; 3]; 8] = [
    [235, 235, 235],
    [235, 235, 16],
    [16, 235, 235],
    [16, 235, 16],
    [235, 16, 235],
    [235, 16, 16],
    [16, 16, 235],
    [16, 16, 16],
];

/// What a trial has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// Pictures that became visible.
    pub pictures: u32,
    /// Pictures a second.
    pub rate: f32,
    /// The longest that one of them was awaited.
    pub longest: Duration,
}

/// Shows colour bars, with a line that runs down, for `time`; counts what becomes visible.
///
/// # Errors
/// The display fails, or is away all the time.
pub fn colour_bars(
    display: &mut dyn Display,
    size: (u32, u32),
    time: Duration,
) -> Result<Tried, DeviceError> {
    let began = Instant::now();
    let mut last: Option<Instant> = None;
    let (mut pictures, mut longest) = (0_u32, Duration::ZERO);
    let mut first = None;
    while began.elapsed() < time {
        match display.wait() {
            Ok(()) | Err(DeviceError::Xrun | DeviceError::Away) => {}
            Err(error) => return Err(error),
        }
        let picture = bars(size, began.elapsed().as_secs_f32() / time.as_secs_f32().max(0.1));
        match display.show(&picture) {
            Ok(at) => {
                let waited = last.map_or(Duration::ZERO, |last| at.saturating_duration_since(last));
                longest = longest.max(waited);
                last = Some(at);
                first.get_or_insert(at);
                pictures += 1;
            }
            Err(DeviceError::Xrun | DeviceError::Away) => {}
            Err(error) => return Err(error),
        }
    }
    let (Some(first), Some(last)) = (first, last) else { return Err(DeviceError::Away) };
    let seconds = last.saturating_duration_since(first).as_secs_f32();
    let rate = pictures.saturating_sub(1) as f32 / seconds.max(1e-3);
    Ok(Tried { pictures, rate, longest })
}

/// The bars, a frame at the very edge, and a line of light that goes from the top to the bottom.
fn bars((width, height): (u32, u32), at: f32) -> Picture {
    let line = ((at.clamp(0.0, 1.0) * height as f32) as u32).min(height.saturating_sub(1));
    let mut pixels = Vec::with_capacity(4 * (width * height) as usize);
    for y in 0..height {
        for x in 0..width {
            let edge = x < 2 || y < 2 || x + 2 >= width || y + 2 >= height;
            let colour = if edge || y.abs_diff(line) < 3 {
                [255, 255, 255]
            } else {
                BARS[(x * 8 / width.max(1)) as usize % 8]
            };
            pixels.extend([colour[0], colour[1], colour[2], 255]);
        }
    }
    let changed = Rect::new(0, 0, width, height);
    Picture { width, height, pixels: Arc::new(pixels), changed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::headless::HeadlessDisplay;

    #[test]
    fn bars_are_shown_and_counted() {
        let mut display = HeadlessDisplay::open(50).unwrap();
        let tried = colour_bars(&mut display, (80, 60), Duration::from_millis(300)).unwrap();
        assert!(tried.pictures >= 5, "{tried:?}");
        assert!(tried.rate > 20.0 && tried.rate < 60.0, "{tried:?}");
        let picture = bars((80, 60), 0.5);
        let at = |x: usize, y: usize| picture.pixels[4 * (80 * y + x)..][..3].to_vec();
        assert_eq!(at(5, 10), BARS[0]);
        assert_eq!(at(75, 10), BARS[7]);
        assert_eq!(at(0, 10), [255; 3]);
        assert_eq!(at(40, 30), [255; 3], "the line");
    }

    #[test]
    fn a_display_that_is_away_is_told() {
        struct Gone;
        impl Display for Gone {
            fn show(&mut self, _: &Picture) -> Result<Instant, DeviceError> {
                Err(DeviceError::Away)
            }
            fn wait(&mut self) -> Result<(), DeviceError> {
                std::thread::sleep(Duration::from_millis(5));
                Err(DeviceError::Away)
            }
        }
        let tried = colour_bars(&mut Gone, (16, 16), Duration::from_millis(20));
        assert!(matches!(tried, Err(DeviceError::Away)));
    }
}
