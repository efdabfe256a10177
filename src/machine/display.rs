//! The screen of a configuration.

use anyhow::{Context, Result, bail};

use crate::{
    config::{Config, DisplayKind},
    device::{
        Display,
        drm::{DrmDisplay, Mode, Turn, Unusable, Wish},
        headless::HeadlessDisplay,
    },
    media::PICTURE_RATE,
};

/// An open screen.
#[expect(missing_debug_implementations, reason = "devices have none")]
pub struct Screen {
    /// It.
    pub display: Box<dyn Display>,
    /// The size of its pictures.
    pub size: (u32, u32),
    /// Whether people may see it, now or once a panel is connected.
    pub real: bool,
    /// Whether a panel is lit.
    pub lit: bool,
}

/// Opens it. A film of it is made elsewhere.
///
/// # Errors
/// It cannot be opened.
pub fn open(config: &Config) -> Result<Screen> {
    match config.devices.display {
        DisplayKind::File | DisplayKind::Headless => headless(config),
        DisplayKind::Drm => {
            let display = DrmDisplay::open(wish(config)?).context("the screen cannot be used")?;
            Ok(real(display))
        }
        DisplayKind::Auto => match DrmDisplay::open(wish(config)?) {
            Ok(display) => Ok(real(display)),
            Err(Unusable::NoCard(_)) => {
                tracing::info!("there is no graphics card: pictures go nowhere");
                headless(config)
            }
            Err(error @ Unusable::NoPanel(_)) => {
                tracing::warn!("{error}; one that is plugged in later will be used");
                let display = DrmDisplay::awaiting(wish(config)?);
                Ok(real(display))
            }
            Err(error @ (Unusable::Denied { .. } | Unusable::Busy { .. })) => {
                tracing::warn!("pictures go nowhere: {error}");
                headless(config)
            }
            Err(Unusable::Other(error)) => {
                tracing::warn!("pictures go nowhere: {error:#}");
                headless(config)
            }
        },
    }
}

fn headless(config: &Config) -> Result<Screen> {
    let display = Box::new(HeadlessDisplay::open(PICTURE_RATE)?);
    Ok(Screen {
        display,
        size: (config.screen.width, config.screen.height),
        real: false,
        lit: false,
    })
}

fn real(display: DrmDisplay) -> Screen {
    if let Some(about) = display.about() {
        tracing::info!(
            card = %about.card.display(),
            connector = %about.connector,
            panel = about.panel.as_deref().unwrap_or("unknown"),
            mode = %about.mode,
            rotation = about.turned,
            "the screen is lit"
        );
    }
    let lit = display.about().is_some();
    Screen { size: display.size(), display: Box::new(display), real: true, lit }
}

/// What the configuration wishes of a real screen.
///
/// # Errors
/// The mode or the rotation is none.
pub fn wish(config: &Config) -> Result<Wish> {
    let screen = &config.screen;
    let mode = if screen.mode.is_empty() {
        None
    } else {
        Some(screen.mode.parse::<Mode>().context("screen.mode cannot be used")?)
    };
    let Some(turn) = Turn::by(screen.rotation) else {
        bail!("screen.rotation is {}: 0, 90, 180 and 270 are possible", screen.rotation);
    };
    Ok(Wish {
        card: screen.card.clone(),
        connector: screen.connector.clone(),
        mode,
        turn,
        rate: screen.rate,
        size: (screen.width, screen.height),
    })
}
