//! `check --devices`: what a technician runs after mounting the box. Each device that the configuration
//! asks for is really used, for a moment.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    config::{CameraKind, Config, DisplayKind, SoundKind},
    device::{
        alsa::{AlsaMicrophone, AlsaSpeaker, probe::probe},
        drm::{DrmDisplay, colour_bars},
        evdev::EvdevKeys,
    },
    machine,
};

/// How long the colour bars are shown.
const BARS: Duration = Duration::from_secs(3);

/// How long the camera is looked through, once for its rate and once for who is there.
const LOOK: Duration = Duration::from_secs(3);

/// What was found out about a device.
pub(super) struct Finding {
    /// `sound`, `screen`, `camera`, `keys`.
    pub(super) device: &'static str,
    /// What it is and how it does, for people.
    pub(super) lines: Vec<String>,
    /// The same for scripts.
    pub(super) json: Value,
    /// What is wrong and what to do.
    pub(super) problems: Vec<String>,
    /// What was asked for by the configuration is a problem where it fails; what was merely looked for
    /// is not.
    pub(super) demanded: bool,
}

/// Uses every device of `config`; `rate` is what the voice makes, in samples a second.
pub(super) fn examine(config: &Config, rate: u32) -> Vec<Finding> {
    let devices = &config.devices;
    let real = |kind| matches!(kind, SoundKind::Auto | SoundKind::Alsa);
    let mut findings = Vec::new();
    if real(devices.microphone) || real(devices.speaker) {
        let demanded = [devices.microphone, devices.speaker].contains(&SoundKind::Alsa);
        findings.push(tell("sound", demanded, sound(config, rate)));
    }
    if matches!(devices.display, DisplayKind::Auto | DisplayKind::Drm) {
        let demanded = devices.display == DisplayKind::Drm;
        findings.push(tell("screen", demanded, screen(config)));
    }
    if devices.camera != CameraKind::Off {
        let demanded = devices.camera == CameraKind::V4l;
        findings.push(tell("camera", demanded, camera(config)));
    }
    findings.push(tell("keys", false, keys(config)));
    findings
}

/// What a device has to say for itself: lines, JSON, problems.
type Told = (Vec<String>, Value, Vec<String>);

fn tell(device: &'static str, demanded: bool, told: Result<Told>) -> Finding {
    let (lines, json, problems) = told.unwrap_or_else(|error| {
        let why = format!("{error:#}");
        (Vec::new(), json!({ "error": why }), vec![why])
    });
    Finding { device, lines, json, problems, demanded }
}

/// Plays a tone and hears it.
fn sound(config: &Config, rate: u32) -> Result<Told> {
    let mut microphone = AlsaMicrophone::open(machine::hearing(&config.sound))
        .context("the microphone cannot be opened")?;
    let mut speaker = AlsaSpeaker::open(machine::speaking(&config.sound, rate))
        .context("the loudspeaker cannot be opened")?;
    let (hears, speaks) = (microphone.negotiated().to_string(), speaker.negotiated().to_string());
    let heard = probe(&mut microphone, &mut speaker).context("the tone could not be played")?;
    let ms = |time: Option<Duration>| time.map(|time| (time.as_secs_f64() * 1e4).round() / 10.0);
    let (delay, round_trip) = (ms(heard.delay), ms(heard.round_trip));
    let mut lines = vec![format!("microphone: {hears}"), format!("loudspeaker: {speaks}")];
    lines.push(match round_trip {
        Some(round_trip) => format!(
            "the tone was heard at {:.0} dB over a room at {:.0} dB, {round_trip} ms after it was written",
            heard.tone_db, heard.room_db
        ),
        None => format!("the tone was not heard; the room is at {:.0} dB", heard.room_db),
    });
    let json = json!({
        "microphone": hears, "loudspeaker": speaks, "tone_heard": heard.tone,
        "likeness": heard.likeness, "tone_db": heard.tone_db, "room_db": heard.room_db,
        "delay_ms": delay, "round_trip_ms": round_trip,
    });
    Ok((lines, json, heard.problem.map(str::to_owned).into_iter().collect()))
}

/// Shows colour bars.
fn screen(config: &Config) -> Result<Told> {
    let mut display = DrmDisplay::open(machine::screen_wish(config)?)?;
    let size = display.size();
    let tried = colour_bars(&mut display, size, BARS).context("no picture could be shown")?;
    let Some(about) = display.about() else { bail!("the panel was unplugged meanwhile") };
    let panel = about.panel.as_deref().unwrap_or("a panel that does not tell its name");
    let lines = vec![
        format!("{} at {}, {}, turned by {}°", panel, about.connector, about.mode, about.turned),
        format!("colour bars: {} pictures, {:.1} a second", tried.pictures, tried.rate),
    ];
    let json = json!({
        "card": about.card, "connector": about.connector, "panel": about.panel,
        "mode": about.mode.to_string(), "turned": about.turned, "pictures": tried.pictures,
        "pictures_per_second": tried.rate, "longest_wait_ms": tried.longest.as_secs_f64() * 1e3,
    });
    let slow = (tried.rate < 20.0)
        .then(|| format!("only {:.1} pictures a second: lips need 25", tried.rate));
    Ok((lines, json, slow.into_iter().collect()))
}

/// Looks who is there.
fn camera(config: &Config) -> Result<Told> {
    let Some(sight) = machine::camera::try_out(config, LOOK)? else { bail!("there is no camera") };
    let lines = sight.to_string().lines().map(str::to_owned).collect();
    Ok((lines, sight.to_json(), sight.complaints()))
}

/// Lists what can be pressed and touched.
fn keys(config: &Config) -> Result<Told> {
    let keys = EvdevKeys::open(machine::keys_wish(config, None)?);
    let names: Vec<String> = keys.names().into_iter().map(str::to_owned).collect();
    let json = json!({ "devices": names, "touch": keys.touchable() });
    let lines = if names.is_empty() { vec!["none".to_owned()] } else { names };
    Ok((lines, json, Vec::new()))
}
