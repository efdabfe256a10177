//! The card's own mixer: what it is set to.

use alsa::mixer::{Mixer, Selem};
use anyhow::{Result, bail};

use super::cards::Way;

/// What cards call what hears or speaks, the more fitting first.
const INPUTS: [&str; 5] = ["Capture", "Mic", "Microphone", "Headset", "Digital"];
const OUTPUTS: [&str; 6] = ["Master", "PCM", "Speaker", "Headphone", "Headset", "Digital"];

/// Sets the volume of card number `index` to `percent` of its range, and switches it on.
///
/// # Errors
/// The card has no mixer, or nothing in it that can be set.
pub(super) fn set(index: u32, way: Way, percent: u8) -> Result<()> {
    let mixer = Mixer::new(&format!("hw:{index}"), true)?;
    let has = |control: &Selem<'_>| match way {
        Way::In => control.has_capture_volume(),
        Way::Out => control.has_playback_volume(),
    };
    let controls: Vec<Selem<'_>> = mixer.iter().filter_map(Selem::new).filter(has).collect();
    let names = match way {
        Way::In => &INPUTS[..],
        Way::Out => &OUTPUTS[..],
    };
    let is = |control: &&Selem<'_>, name: &str| {
        control.get_id().get_name().is_ok_and(|given| given == name)
    };
    let known = names.iter().find_map(|name| controls.iter().find(|control| is(control, name)));
    let Some(control) = known.or(controls.first()) else {
        bail!("it has no volume for {}", way.name());
    };
    let part =
        |(least, most): (i64, i64)| least + (most - least) * i64::from(percent.min(100)) / 100;
    match way {
        Way::In => {
            control.set_capture_volume_all(part(control.get_capture_volume_range()))?;
            if control.has_capture_switch() {
                control.set_capture_switch_all(1)?;
            }
        }
        Way::Out => {
            control.set_playback_volume_all(part(control.get_playback_volume_range()))?;
            if control.has_playback_switch() {
                control.set_playback_switch_all(1)?;
            }
        }
    }
    Ok(())
}
