//! What a card offers and what is taken of it; samples as cards write them.

use std::fmt;

/// How a card writes a sample; all are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// 16 bits.
    S16,
    /// 24 bits in three bytes.
    S24In3,
    /// 24 bits in the lower three of four bytes.
    S24,
    /// 32 bits.
    S32,
    /// A float, −1 to 1.
    F32,
}

impl Sample {
    /// All of them, the preferred one first: no card resolves more than 24 bits, and floats need no
    /// conversion.
    pub const ALL: [Self; 5] = [Self::F32, Self::S32, Self::S24In3, Self::S24, Self::S16];

    /// Bytes of a sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::S16 => 2,
            Self::S24In3 => 3,
            Self::S24 | Self::S32 | Self::F32 => 4,
        }
    }

    /// How ALSA calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::S16 => "S16_LE",
            Self::S24In3 => "S24_3LE",
            Self::S24 => "S24_LE",
            Self::S32 => "S32_LE",
            Self::F32 => "FLOAT_LE",
        }
    }

    /// The value of a sample, −1 to 1; what is no number is silence. `bytes` has [`Self::bytes`] of them.
    pub fn read(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::S16, &[a, b, ..]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Self::S24In3 | Self::S24, &[a, b, c, ..]) => {
                (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0
            }
            (Self::S32, &[a, b, c, d, ..]) => {
                i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0
            }
            (Self::F32, &[a, b, c, d, ..]) => {
                let value = f32::from_le_bytes([a, b, c, d]);
                if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
            }
            _ => 0.0,
        }
    }

    /// Appends a sample; what is louder than 1 is clipped, what is no number is silence.
    pub fn write(self, value: f32, bytes: &mut Vec<u8>) {
        let value = if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 };
        let scaled = |full: f64| (f64::from(value) * full).round() as i32;
        match self {
            Self::S16 => bytes.extend_from_slice(&(scaled(32_767.0) as i16).to_le_bytes()),
            Self::S24In3 => bytes.extend_from_slice(&scaled(8_388_607.0).to_le_bytes()[..3]),
            Self::S24 => bytes.extend_from_slice(&scaled(8_388_607.0).to_le_bytes()),
            Self::S32 => bytes.extend_from_slice(&scaled(2_147_483_647.0).to_le_bytes()),
            Self::F32 => bytes.extend_from_slice(&value.to_le_bytes()),
        }
    }
}

/// What a card can do, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How it can write samples.
    pub samples: Vec<Sample>,
    /// Of the rates that were asked for, those that it has.
    pub rates: Vec<u32>,
    /// All of its rates lie between these.
    pub between: (u32, u32),
    /// The fewest and the most channels.
    pub channels: (u32, u32),
}

/// What is taken of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How samples are written.
    pub sample: Sample,
    /// Samples a second and channel.
    pub rate: u32,
    /// Channels of a frame.
    pub channels: u32,
}

/// The rates that are asked for when the machine's own is `rate`: that one, then what every converter
/// was built for, then the rest.
pub fn rates(rate: u32) -> Vec<u32> {
    let mut rates = vec![rate, 48_000, 32_000, 44_100, 96_000, 24_000, 22_050, 16_000, 8_000];
    let mut known = Vec::new();
    rates.retain(|rate| {
        !known.contains(rate) && {
            known.push(*rate);
            true
        }
    });
    rates
}

/// Chooses of an offer for a machine of `rate` samples a second that wants `channels`; why it cannot.
///
/// # Errors
/// The card has no format that is known here, or fewer channels than the one that was asked for.
pub fn choose(offer: &Offer, rate: u32, channels: u32) -> Result<Choice, String> {
    let Some(sample) = Sample::ALL.into_iter().find(|sample| offer.samples.contains(sample)) else {
        let known: Vec<_> = Sample::ALL.iter().map(|sample| sample.name()).collect();
        return Err(format!("it has none of the formats {}", known.join(", ")));
    };
    let (fewest, most) = offer.channels;
    if channels > most {
        return Err(format!(
            "it has {most} channels, and [sound] channel = {channels} asks for another; take 0 or one of \
             1 to {most}"
        ));
    }
    let known = rates(rate).into_iter().find(|rate| offer.rates.contains(rate));
    let rate = known.unwrap_or_else(|| rate.clamp(offer.between.0, offer.between.1.max(1)));
    Ok(Choice { sample, rate, channels: channels.clamp(fewest.max(1), most.max(1)) })
}

/// What was agreed on with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The card and its name for ALSA.
    pub card: String,
    /// How samples are written.
    pub sample: Sample,
    /// Samples a second and channel.
    pub rate: u32,
    /// Channels of a frame.
    pub channels: u32,
    /// Frames between two of the card's interrupts.
    pub period: u32,
    /// Frames that fit into its buffer.
    pub buffer: u32,
    /// Whether it goes on running in silence.
    pub continuous: bool,
}

impl Negotiated {
    /// So many frames in milliseconds.
    pub fn milliseconds(&self, frames: u32) -> f64 {
        f64::from(frames) * 1e3 / f64::from(self.rate.max(1))
    }
}

impl fmt::Display for Negotiated {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { card, sample, rate, channels, .. } = self;
        let (period, buffer) = (self.milliseconds(self.period), self.milliseconds(self.buffer));
        let channels = match channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            more => format!("{more} channels"),
        };
        let format = sample.name();
        write!(
            to,
            "{card}, {format}, {rate} Hz, {channels}, period {period:.1} ms, buffer {buffer:.1} ms"
        )
    }
}

/// Makes mono sound of frames: one channel (from 1), or the mean of all (0); appends it to `out`.
pub fn to_mono(bytes: &[u8], of: Choice, channel: u32, gain: f32, out: &mut Vec<f32>) {
    let (width, channels) = (of.sample.bytes(), of.channels as usize);
    for frame in bytes.chunks_exact(width * channels) {
        let value = match channel {
            0 => {
                let sum: f32 = frame.chunks_exact(width).map(|bytes| of.sample.read(bytes)).sum();
                sum / channels as f32
            }
            number => {
                let at = (number as usize - 1).min(channels - 1) * width;
                of.sample.read(&frame[at..])
            }
        };
        out.push((value * gain).clamp(-1.0, 1.0));
    }
}

/// Puts mono sound into all channels; appends the frames to `out`.
pub fn from_mono(samples: &[f32], of: Choice, gain: f32, out: &mut Vec<u8>) {
    for sample in samples {
        for _ in 0..of.channels {
            of.sample.write(sample * gain, out);
        }
    }
}

/// The factor of an amplitude for so many decibels.
pub fn factor(decibels: f32) -> f32 {
    10.0_f32.powf(decibels / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive_every_format_and_what_is_too_loud_is_clipped() {
        for sample in Sample::ALL {
            let mut bytes = Vec::new();
            for value in [0.5, -1.0, 3.0, f32::NAN, 0.0] {
                sample.write(value, &mut bytes);
            }
            let read: Vec<f32> = bytes.chunks(sample.bytes()).map(|b| sample.read(b)).collect();
            for (read, expected) in read.iter().zip([0.5, -1.0, 1.0, 0.0, 0.0]) {
                assert!((read - expected).abs() < 1e-4, "{read} is not {expected} in {sample:?}");
            }
        }
        assert_eq!(Sample::F32.read(&f32::NAN.to_le_bytes()), 0.0);
        assert_eq!(Sample::S24In3.read(&[0xff, 0xff, 0xff]), -1.0 / 8_388_608.0);
    }

    #[test]
    fn the_machines_own_rate_is_taken_before_others() {
        let offer = Offer {
            samples: vec![Sample::S16, Sample::S24In3],
            rates: vec![16_000, 44_100, 48_000],
            between: (8_000, 96_000),
            channels: (1, 2),
        };
        let chosen = choose(&offer, 16_000, 1).unwrap();
        assert_eq!(chosen, Choice { sample: Sample::S24In3, rate: 16_000, channels: 1 });
        let music = Offer { rates: vec![44_100, 48_000], channels: (2, 2), ..offer.clone() };
        let chosen = choose(&music, 16_000, 1).unwrap();
        assert_eq!((chosen.rate, chosen.channels), (48_000, 2));
        let odd = Offer { rates: vec![], between: (11_025, 11_025), ..offer.clone() };
        assert_eq!(choose(&odd, 16_000, 1).unwrap().rate, 11_025);
        let told = choose(&Offer { channels: (1, 4), ..offer.clone() }, 16_000, 6).unwrap_err();
        assert!(told.contains("4 channels") && told.contains("channel = 6"), "{told}");
        let told = choose(&Offer { samples: vec![], ..offer }, 16_000, 1).unwrap_err();
        assert!(told.contains("S16_LE"), "{told}");
    }

    #[test]
    fn a_channel_is_chosen_or_all_are_mixed() {
        let of = Choice { sample: Sample::F32, rate: 16_000, channels: 2 };
        let frames: Vec<u8> =
            [0.5_f32, -0.25, 1.0, 0.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let mono = |channel, gain| {
            let mut out = Vec::new();
            to_mono(&frames, of, channel, gain, &mut out);
            out
        };
        assert_eq!(mono(0, 1.0), [0.125, 0.5]);
        assert_eq!(mono(1, 2.0), [1.0, 1.0]);
        assert_eq!(mono(2, 1.0), [-0.25, 0.0]);
        let mut out = Vec::new();
        from_mono(&[0.25, 0.5], of, 0.5, &mut out);
        let back: Vec<f32> = out.chunks(4).map(|bytes| Sample::F32.read(bytes)).collect();
        assert_eq!(back, [0.125, 0.125, 0.25, 0.25]);
    }

    #[test]
    fn decibels_are_factors() {
        assert!((factor(-12.0) - 0.251).abs() < 0.001 && factor(0.0) == 1.0);
    }
}
