//! Opens a card: asks what it offers, chooses, and sets it.

use std::time::Duration;

use alsa::{
    Direction, ValueOr,
    pcm::{Access, Format, Frames, HwParams, PCM},
};
use anyhow::{Context, Result, anyhow};

use super::{
    cards::{Cards, Found, Way},
    format::{Choice, Negotiated, Offer, Sample, choose, rates},
    mixer,
    trouble::{Cure, cure, explain},
};

/// Between two of the card's interrupts: as long as the pieces in which the program works.
const PERIOD: Duration = Duration::from_millis(10);

/// A card that does nothing for so long, though it should, is stuck.
const STUCK: Duration = Duration::from_millis(800);

/// How often a card is woken after the machine slept, 10 ms apart, before it is started anew.
const WAKES: u32 = 50;

/// What is wanted of a card.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where it is looked for.
    pub cards: Cards,
    /// Its name, as `[sound]` has it.
    pub name: String,
    /// Samples a second that the machine works with.
    pub rate: u32,
    /// The channel that is heard; 0 means the mean of all.
    pub channel: u32,
    /// How much fits into its buffer.
    pub buffer: Duration,
    /// Factor of every sample.
    pub gain: f32,
    /// What its mixer is set to, 0 to 100; `None` leaves it.
    pub mixer_percent: Option<u8>,
}

/// A card that is open and set, not started.
pub(super) struct Opened {
    pub(super) pcm: PCM,
    pub(super) choice: Choice,
    pub(super) told: Negotiated,
}

/// Opens the card of a wish.
///
/// # Errors
/// It is not there, may not be opened, is in use, or offers nothing that is of use.
pub(super) fn open(wish: &Wish, way: Way) -> Result<Opened> {
    let found = wish.cards.find(&wish.name, way)?;
    let opened = set(&found, wish, way)?;
    if let (Some(percent), Some((card, _))) = (wish.mixer_percent, &found.card)
        && let Err(error) = mixer::set(card.index, way, percent)
    {
        // The sound may be too soft or too loud, which is better than none.
        tracing::warn!(card = %found, "the mixer cannot be set: {error:#}");
    }
    Ok(opened)
}

fn set(found: &Found, wish: &Wish, way: Way) -> Result<Opened> {
    let direction = match way {
        Way::In => Direction::Capture,
        Way::Out => Direction::Playback,
    };
    let trouble = |error| explain(&wish.cards, found, way, error);
    // Without waiting, so that a card in use is told and a card that is stuck stops nobody.
    let pcm = PCM::new(&found.pcm, direction, true).map_err(trouble)?;
    let offer = offer(&pcm, wish.rate).map_err(trouble)?;
    // All channels are read where one of them, or their mean, is to be heard: few drivers give fewer.
    let channels = match way {
        Way::In if wish.channel == 0 => offer.channels.1.min(2),
        Way::In => wish.channel,
        Way::Out => 1,
    };
    let mut choice = choose(&offer, wish.rate, channels)
        .map_err(|why| anyhow!("{found} is of no use: {why}"))?;
    let hard = HwParams::any(&pcm).map_err(trouble)?;
    let asked = || -> alsa::Result<(u32, Frames, Frames)> {
        hard.set_rate_resample(!found.is_direct())?;
        hard.set_access(Access::RWInterleaved)?;
        hard.set_format(format(choice.sample))?;
        hard.set_channels(choice.channels)?;
        let rate = hard.set_rate_near(choice.rate, ValueOr::Nearest)?;
        let frames = |time: Duration| (time.as_secs_f64() * f64::from(rate)) as Frames;
        hard.set_period_size_near(frames(PERIOD), ValueOr::Nearest)?;
        let buffer = match way {
            // What is read late is late, but not lost.
            Way::In => wish.buffer.max(PERIOD * 40),
            Way::Out => wish.buffer,
        };
        hard.set_buffer_size_near(frames(buffer))?;
        pcm.hw_params(&hard)?;
        Ok((rate, hard.get_period_size()?, hard.get_buffer_size()?))
    };
    let (rate, period, buffer) = asked()
        .map_err(trouble)
        .with_context(|| format!("{} Hz in {} channels", choice.rate, choice.channels))?;
    choice.rate = rate;
    drop(hard);
    let told = Negotiated {
        card: found.to_string(),
        sample: choice.sample,
        rate,
        channels: choice.channels,
        period: u32::try_from(period).unwrap_or(u32::MAX),
        buffer: u32::try_from(buffer).unwrap_or(u32::MAX),
        continuous: found.is_direct(),
    };
    Ok(Opened { pcm, choice, told })
}

fn offer(pcm: &PCM, rate: u32) -> alsa::Result<Offer> {
    let hard = HwParams::any(pcm)?;
    hard.test_access(Access::RWInterleaved)?;
    let samples =
        Sample::ALL.into_iter().filter(|sample| hard.test_format(format(*sample)).is_ok());
    Ok(Offer {
        samples: samples.collect(),
        rates: rates(rate).into_iter().filter(|rate| hard.test_rate(*rate).is_ok()).collect(),
        between: (hard.get_rate_min()?, hard.get_rate_max()?),
        channels: (hard.get_channels_min()?, hard.get_channels_max()?),
    })
}

fn format(sample: Sample) -> Format {
    match sample {
        Sample::S16 => Format::S16LE,
        Sample::S24In3 => Format::S243LE,
        Sample::S24 => Format::S24LE,
        Sample::S32 => Format::S32LE,
        Sample::F32 => Format::FloatLE,
    }
}

/// Waits until there is something to read, or room; false when the card is stuck.
///
/// # Errors
/// The card says so.
pub(super) fn wait(pcm: &PCM) -> alsa::Result<bool> {
    pcm.wait(Some(STUCK.as_millis() as u32))
}

/// Makes a card work again that has lost sound or slept; what was lost is known by the error.
///
/// # Errors
/// It is gone.
pub(super) fn revive(pcm: &PCM, error: alsa::Error) -> alsa::Result<()> {
    if cure(error) == Cure::Resume {
        for _ in 0..WAKES {
            match pcm.resume() {
                Ok(()) => return Ok(()),
                Err(error) if cure(error) == Cure::Wait => {
                    // Stands in for the card's own time to wake.
                    std::thread::sleep(Duration::from_millis(10));
                }
                // Many drivers cannot resume, and are started anew.
                Err(_) => break,
            }
        }
    }
    pcm.prepare()
}
