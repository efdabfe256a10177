//! Which of a camera's formats, sizes and rates is taken.

use v4l::{
    Device, FourCC, Fraction, frameinterval::FrameIntervalEnum, framesize::FrameSizeEnum,
    video::Capture,
};

use super::{Wanted, luma::Layout};

/// The most formats, sizes and rates of each that are looked at; cameras have some tens, the kernel's test
/// driver more than a hundred.
const MOST: usize = 256;

/// More than that does not pass USB 2.0 with some room left, in bytes a second.
const BUS: f32 = 24e6;

/// Something that the camera can send.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Offer {
    pub(super) format: [u8; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    /// Seconds a picture, as numerator and denominator; empty where the camera does not say.
    pub(super) intervals: Vec<(u32, u32)>,
}

/// What is taken of the offers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) format: [u8; 4],
    pub(super) layout: Layout,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Seconds a picture, as numerator and denominator; `None` leaves it to the camera.
    pub(super) interval: Option<(u32, u32)>,
}

/// Pictures a second of an interval.
pub(super) fn rate((numerator, denominator): (u32, u32)) -> f32 {
    denominator as f32 / numerator.max(1) as f32
}

/// The offer that comes nearest to what is wanted; `None` if none can be read.
pub(super) fn choose(offers: &[Offer], wanted: &Wanted) -> Option<Choice> {
    let mut best: Option<(f32, Choice)> = None;
    for offer in offers.iter().filter(|offer| offer.width >= 16 && offer.height >= 16) {
        let Some((layout, bits)) = Layout::of(offer.format) else { continue };
        if !wanted.format.is_empty() && super::name_of(offer.format) != wanted.format.trim() {
            continue;
        }
        let interval = nearest(&offer.intervals, wanted.rate);
        let cost = cost(offer, layout, bits, interval.map(rate), wanted);
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            let Offer { format, width, height, .. } = *offer;
            best = Some((cost, Choice { format, layout, width, height, interval }));
        }
    }
    best.map(|(_, choice)| choice)
}

/// The slowest interval that is fast enough, else the fastest.
fn nearest(intervals: &[(u32, u32)], wanted: f32) -> Option<(u32, u32)> {
    let sound = || intervals.iter().copied().filter(|(over, under)| *over > 0 && *under > 0);
    let enough = sound().filter(|interval| rate(*interval) > wanted * 0.99);
    enough
        .min_by(|one, other| rate(*one).total_cmp(&rate(*other)))
        .or_else(|| sound().max_by(|one, other| rate(*one).total_cmp(&rate(*other))))
}

/// How bad an offer is; 1 is about as bad as twice too many pixels.
fn cost(offer: &Offer, layout: Layout, bits: u32, rate: Option<f32>, wanted: &Wanted) -> f32 {
    let area = |width: u32, height: u32| width as f32 * height as f32;
    let pixels = area(offer.width, offer.height);
    let size = (pixels / area(wanted.width, wanted.height)).log2();
    // Too few pixels make faces disappear; too many only cost time.
    let size = if size < 0.0 { -2.0 * size } else { size };
    let speed = rate.map_or(0.5, |rate| match (rate / wanted.rate).log2() {
        slow if slow < 0.0 => -1.5 * slow,
        fast => 0.1 * fast,
    });
    let bytes = pixels * bits as f32 / 8.0 * rate.unwrap_or(wanted.rate);
    let crowded = if bytes > BUS { 1.0 } else { 0.0 };
    let work = match layout {
        Layout::Plane => 0.02 * bits as f32 / 8.0,
        Layout::Packed(_) | Layout::Words(_) => 0.1,
        Layout::Colours(..) => 0.2,
        Layout::Jpeg => 0.5,
    };
    size + speed + crowded + work
}

/// All that the camera offers and that can be read; and the names of what cannot.
pub(super) fn offers(
    device: &Device,
    wanted: &Wanted,
) -> std::io::Result<(Vec<Offer>, Vec<String>)> {
    let (mut offers, mut others) = (Vec::new(), Vec::new());
    for format in device.enum_formats()?.into_iter().take(MOST) {
        let fourcc = format.fourcc;
        if Layout::of(fourcc.repr).is_none() {
            others.push(String::from_utf8_lossy(&fourcc.repr).into_owned());
            continue;
        }
        // A driver that tells no sizes takes any and says what it has made of it.
        let sizes = device.enum_framesizes(fourcc).unwrap_or_default();
        let mut sizes: Vec<(u32, u32)> =
            sizes.into_iter().take(MOST).map(|size| fit(size.size, wanted)).collect();
        if sizes.is_empty() {
            sizes.push((wanted.width, wanted.height));
        }
        for (width, height) in sizes {
            let intervals = intervals(device, fourcc, width, height, wanted.rate);
            offers.push(Offer { format: fourcc.repr, width, height, intervals });
        }
    }
    Ok((offers, others))
}

/// The size that comes nearest to what is wanted.
fn fit(size: FrameSizeEnum, wanted: &Wanted) -> (u32, u32) {
    match size {
        FrameSizeEnum::Discrete(size) => (size.width, size.height),
        FrameSizeEnum::Stepwise(steps) => (
            step(wanted.width, steps.min_width, steps.max_width, steps.step_width),
            step(wanted.height, steps.min_height, steps.max_height, steps.step_height),
        ),
    }
}

/// `wanted`, if it lies on the steps, else the step above it.
fn step(wanted: u32, least: u32, most: u32, step: u32) -> u32 {
    let steps = wanted.saturating_sub(least).div_ceil(step.max(1));
    least.saturating_add(steps.saturating_mul(step.max(1))).min(most.max(least))
}

fn intervals(
    device: &Device,
    format: FourCC,
    width: u32,
    height: u32,
    want: f32,
) -> Vec<(u32, u32)> {
    let told = device.enum_frameintervals(format, width, height).unwrap_or_default();
    let plain = |fraction: Fraction| (fraction.numerator, fraction.denominator);
    told.into_iter()
        .take(MOST)
        .map(|told| match told.interval {
            FrameIntervalEnum::Discrete(interval) => plain(interval),
            FrameIntervalEnum::Stepwise(steps) => {
                let (shortest, longest) = (plain(steps.min), plain(steps.max));
                if want > rate(shortest) {
                    shortest
                } else if want < rate(longest) {
                    longest
                } else {
                    (1_000, (want * 1_000.0) as u32)
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(format: &[u8; 4], width: u32, height: u32, rates: &[u32]) -> Offer {
        let intervals = rates.iter().map(|rate| (1, *rate)).collect();
        Offer { format: *format, width, height, intervals }
    }

    fn chosen(offers: &[Offer]) -> (String, u32, u32, f32) {
        let choice = choose(offers, &Wanted::default()).expect("a choice");
        let name = String::from_utf8_lossy(&choice.format).into_owned();
        (name, choice.width, choice.height, choice.interval.map_or(0.0, rate))
    }

    #[test]
    fn the_cheapest_format_of_about_the_wanted_size_and_rate_is_taken() {
        // 640×480 at 10 pictures a second is the default.
        let webcam = [
            offer(b"YUYV", 640, 480, &[30, 24, 20, 15, 10, 5]),
            offer(b"YUYV", 1920, 1080, &[5]),
            offer(b"MJPG", 640, 480, &[30, 24, 20, 15, 10, 5]),
            offer(b"MJPG", 1920, 1080, &[30, 10]),
        ];
        assert_eq!(chosen(&webcam), ("YUYV".into(), 640, 480, 10.0));
        // Uncompressed pictures of a large sensor do not pass the bus fast enough.
        let large = [offer(b"YUYV", 1280, 720, &[5]), offer(b"MJPG", 1280, 720, &[30])];
        assert_eq!(chosen(&large), ("MJPG".into(), 1280, 720, 30.0));
        let asked = Wanted { format: "MJPG".into(), ..Wanted::default() };
        assert_eq!(choose(&webcam, &asked).map(|choice| choice.format), Some(*b"MJPG"));
        let infrared = [offer(b"GREY", 640, 480, &[15]), offer(b"YUYV", 640, 480, &[15])];
        assert_eq!(chosen(&infrared), ("GREY".into(), 640, 480, 15.0));
        let slow = [offer(b"YUYV", 640, 480, &[2]), offer(b"YUYV", 320, 240, &[30])];
        assert_eq!(chosen(&slow), ("YUYV".into(), 640, 480, 2.0));
        let silent = [offer(b"UYVY", 640, 480, &[])];
        assert_eq!(chosen(&silent), ("UYVY".into(), 640, 480, 0.0));
    }

    #[test]
    fn raw_sensors_and_nonsense_are_not_taken() {
        let wanted = Wanted::default();
        assert_eq!(choose(&[offer(b"RG10", 1920, 1080, &[30])], &wanted), None);
        assert_eq!(choose(&[offer(b"GREY", 0, 0, &[30])], &wanted), None);
        assert_eq!(choose(&[], &wanted), None);
        let broken = Offer { intervals: vec![(0, 0), (0, 30)], ..offer(b"GREY", 640, 480, &[]) };
        assert_eq!(choose(&[broken], &wanted).expect("a choice").interval, None);
    }

    #[test]
    fn a_size_on_the_steps_is_found() {
        assert_eq!(step(640, 320, 1920, 2), 640);
        assert_eq!(step(641, 320, 1920, 2), 642);
        assert_eq!(step(100, 320, 1920, 2), 320);
        assert_eq!(step(4_000, 320, 1920, 2), 1920);
        assert_eq!(step(640, 16, 1920, 0), 640);
        assert_eq!(step(640, 48, 48, 1), 48);
    }
}
