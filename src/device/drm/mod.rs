//! A bare screen: the kernel's DRM/KMS, without any desktop.

mod card;
mod console;
mod copy;
mod edid;
mod mode;
mod output;
mod trial;

use std::{
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::anyhow;

pub use card::Unusable;
pub(crate) use card::group;
pub use copy::Turn;
pub use mode::{Timing, Wish as Mode};
pub use trial::{Tried, colour_bars};

use self::{console::Console, output::Output};
use super::{DeviceError, Display};
use crate::media::Picture;

/// Where the nodes of graphics cards are.
const NODES: &str = "/dev/dri";

/// Where the kernel lists connectors.
const CLASSES: &str = "/sys/class/drm";

/// Whether there is a graphics card, or that one, whoever may use it.
pub fn exists(card: &Path) -> bool {
    if card.as_os_str().is_empty() {
        !card::nodes(Path::new(NODES)).is_empty()
    } else {
        card.exists()
    }
}

/// How often it is looked whether the panel is still, or again, connected.
const LOOK: Duration = Duration::from_secs(1);

/// Which screen, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The card's node, such as `/dev/dri/card0`; empty takes the first with a panel.
    pub card: PathBuf,
    /// The connector, such as `HDMI-A-1`; empty takes the first with a panel.
    pub connector: String,
    /// The mode; `None` takes what the panel prefers.
    pub mode: Option<Mode>,
    /// How pictures are turned, clockwise, for a panel that hangs on its side.
    pub turn: Turn,
    /// The most pictures a second.
    pub rate: u32,
    /// Size of the pictures while no panel tells its own.
    pub size: (u32, u32),
}

/// What a screen was found to be.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// `/dev/dri/card0`.
    pub card: PathBuf,
    /// `HDMI-A-1`.
    pub connector: String,
    /// What the panel calls itself, if it does.
    pub panel: Option<String>,
    /// The mode.
    pub mode: Timing,
    /// Pictures a second, as measured by flips; `None` where flips do not wait for the panel.
    pub measured: Option<f32>,
    /// By how many degrees pictures are turned.
    pub turned: u32,
}

/// A bare screen.
pub struct DrmDisplay {
    // In this order they end: first the picture goes, then the console comes back.
    output: Option<Output>,
    console: Option<Console>,
    wish: Wish,
    /// Of the pictures, upright.
    size: (u32, u32),
    /// When it was last looked whether the panel is there.
    looked: Instant,
    /// When the last wait ended, and when the last picture became visible.
    begun: Instant,
    visible: Instant,
}

impl std::fmt::Debug for DrmDisplay {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("DrmDisplay").field("about", &self.about()).finish_non_exhaustive()
    }
}

impl DrmDisplay {
    /// Takes the screen and lights it.
    ///
    /// # Errors
    /// There is no card, no panel, no permission, or somebody else draws on it; the message says what
    /// to do.
    pub fn open(wish: Wish) -> Result<Self, Unusable> {
        let found = card::find(&wish.card, &wish.connector)?;
        let output = Output::light(found, wish.mode, None, wish.turn)?;
        let size = wish.turn.size((output.timing.width, output.timing.height));
        Ok(Self { console: Console::take(), ..Self::with(wish, Some(output), size) })
    }

    /// A screen that is not connected yet: it is looked for about once a second.
    pub fn awaiting(wish: Wish) -> Self {
        let size = wish.size;
        Self::with(wish, None, size)
    }

    fn with(wish: Wish, output: Option<Output>, size: (u32, u32)) -> Self {
        let now = Instant::now();
        Self { output, console: None, wish, size, looked: now, begun: now, visible: now }
    }

    /// The size that pictures must have: the panel's, turned upright.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// What the screen is; `None` while it is away.
    pub fn about(&self) -> Option<About> {
        let output = self.output.as_ref()?;
        let waits = output.waits();
        Some(About {
            card: output.card.node.clone(),
            connector: output.name.clone(),
            panel: output.panel.clone(),
            mode: output.timing,
            measured: waits.then(|| 1.0 / output.measured.as_secs_f32()),
            turned: self.wish.turn.degrees(),
        })
    }

    /// How long a picture lasts at the wished rate, in whole pictures of the panel.
    fn pace(&self) -> (Duration, u32) {
        let wished = Duration::from_secs(1) / self.wish.rate.max(1);
        match &self.output {
            Some(output) => {
                let period = output.period().max(Duration::from_millis(1));
                let count = (wished.as_secs_f64() / period.as_secs_f64() + 0.1).floor().max(1.0);
                (period, count as u32)
            }
            None => (wished, 1),
        }
    }

    /// Looks, about once a second, whether the panel is still there, or is there again.
    fn look(&mut self) -> Result<(), DeviceError> {
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        let classes = Path::new(CLASSES);
        if let Some(output) = &self.output {
            if !card::connected(classes, Some(&output.card.node), &output.name) {
                self.lose("it was unplugged or switched off");
            }
            return Ok(());
        }
        let card = Some(self.wish.card.as_path()).filter(|card| !card.as_os_str().is_empty());
        if !card::connected(classes, card, &self.wish.connector) {
            return Ok(());
        }
        let keep = self.wish.turn.size(self.size);
        let lit = card::find(&self.wish.card, &self.wish.connector).and_then(|found| {
            Ok(Output::light(found, self.wish.mode, Some(keep), self.wish.turn)?)
        });
        match lit {
            Ok(output) => {
                let size = self.wish.turn.size((output.timing.width, output.timing.height));
                if size != self.size {
                    let ((width, height), (w, h)) = (size, self.size);
                    return Err(DeviceError::Other(anyhow!(
                        "the screen that is connected now has {width}x{height} pixels, and pictures \
                         are painted with {w}x{h}: a restart paints them anew"
                    )));
                }
                tracing::info!(connector = %output.name, mode = %output.timing, "the screen is back");
                self.output = Some(output);
                if self.console.is_none() {
                    self.console = Console::take();
                }
            }
            Err(error) => tracing::debug!("the screen is not back yet: {error:#}"),
        }
        Ok(())
    }

    fn lose(&mut self, why: &str) {
        if let Some(output) = self.output.take() {
            tracing::warn!(connector = %output.name, "the screen is away: {why}");
        }
    }
}

impl Display for DrmDisplay {
    fn show(&mut self, picture: &Picture) -> Result<Instant, DeviceError> {
        let Some(output) = &mut self.output else { return Err(DeviceError::Away) };
        if (picture.width, picture.height) != self.size {
            let ((width, height), (w, h)) = (self.size, (picture.width, picture.height));
            return Err(DeviceError::Other(anyhow!(
                "a picture of {w}x{h} pixels does not fit the screen's {width}x{height}"
            )));
        }
        match output.show(picture, self.wish.turn) {
            Ok(visible) => {
                self.visible = visible;
                Ok(visible)
            }
            Err(error) if card::lost(&error) => {
                self.lose(&format!("it takes no pictures ({error})"));
                Err(DeviceError::Away)
            }
            Err(error) => {
                Err(DeviceError::Other(anyhow!(error).context("the screen takes no pictures")))
            }
        }
    }

    /// Waits for the moment after which a picture, painted at once, is shown at the wished rate.
    ///
    /// `show` has waited for the panel already, so at the panel's own rate there is nothing to do.
    fn wait(&mut self) -> Result<(), DeviceError> {
        let (period, count) = self.pace();
        let due = match &self.output {
            // What the panel shows next is `count` pictures after the last one.
            Some(output) if output.waits() => {
                let slack = period / 4;
                (self.visible + period * (count - 1))
                    .max(self.begun + (period * count).saturating_sub(slack))
            }
            _ => self.begun + period * count,
        };
        let now = Instant::now();
        // Clocks may jump while the machine sleeps; nobody waits longer than a picture lasts.
        sleep(due.saturating_duration_since(now).min(period * count));
        self.begun = if due + period < now { Instant::now() } else { due.max(now) };
        self.look()?;
        if self.output.is_some() { Ok(()) } else { Err(DeviceError::Away) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wish {
        Wish {
            card: PathBuf::from("/nowhere/card7"),
            connector: String::new(),
            mode: None,
            turn: Turn::Right,
            rate: 50,
            size: (720, 1280),
        }
    }

    #[test]
    fn a_screen_that_is_awaited_keeps_the_pace() {
        let mut display = DrmDisplay::awaiting(wish());
        assert_eq!(display.size(), (720, 1280));
        let began = Instant::now();
        let picture = Picture {
            width: 720,
            height: 1280,
            pixels: std::sync::Arc::default(),
            changed: crate::media::Rect::default(),
        };
        for _ in 0..5 {
            assert!(matches!(display.wait(), Err(DeviceError::Away)));
            assert!(matches!(display.show(&picture), Err(DeviceError::Away)));
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(95), "{took:?}");
    }

    #[test]
    fn a_card_that_is_not_there_is_named() {
        let error = DrmDisplay::open(wish()).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/card7"), "{error:#}");
    }
}
