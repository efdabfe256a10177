//! What the screen is like, and what it shows.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the screen is like, and what it shows.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Screen {
    /// Pixels a row where there is no panel that tells its own, as in films; an even number.
    #[schemars(range(min = 64, max = 3840))]
    pub width: u32,
    /// Rows where there is no panel that tells its own, as in films; an even number.
    #[schemars(range(min = 64, max = 3840))]
    pub height: u32,
    /// The graphics card, such as `/dev/dri/card0`; empty takes the first with a panel.
    pub card: PathBuf,
    /// The connector, such as `HDMI-A-1` (those that there are: `ls /sys/class/drm`); empty takes the
    /// first with a panel.
    pub connector: String,
    /// The panel's mode, such as `1920x1080` or `1080x1920@60`; empty takes what the panel prefers.
    pub mode: String,
    /// By how many degrees pictures are turned, clockwise, for a panel that hangs on its side: 0, 90,
    /// 180 or 270.
    #[schemars(range(max = 270))]
    pub rotation: u32,
    /// The most pictures a second on a real panel; the panel's own rate is never exceeded.
    #[schemars(range(min = 1, max = 240))]
    pub rate: u32,
    /// How long after a picture was handed to the panel it is really seen, in milliseconds: what the
    /// panel's electronics take. Lips are moved so much earlier.
    #[schemars(range(max = 500))]
    pub lead_ms: u32,
    /// Show what is said, by both sides.
    pub captions: bool,
    /// How large writing is; 1 can be read from two metres.
    #[schemars(range(min = 0.5, max = 2.0))]
    pub text_size: f32,
    /// The family of the writing, such as `Noto Sans`; empty takes the best that is installed.
    pub font: String,
    /// A PNG or JPEG in the upper corner; empty shows none.
    pub logo: PathBuf,
    /// A PNG or JPEG behind everything; empty takes the portrait's own surroundings, out of focus.
    pub background: PathBuf,
    /// Places to touch on the screen, for silence, for the other language, and for the microphone.
    pub buttons: Buttons,
    /// How long the screen says that the kiosk is out of order before the daemon ends, in seconds.
    #[schemars(range(max = 3_600))]
    pub fault_s: u32,
    pub colours: Colours,
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            width: 720,
            height: 1280,
            card: PathBuf::new(),
            connector: String::new(),
            mode: String::new(),
            rotation: 0,
            rate: 30,
            lead_ms: 0,
            captions: true,
            text_size: 1.0,
            font: String::new(),
            logo: PathBuf::new(),
            background: PathBuf::new(),
            buttons: Buttons::default(),
            fault_s: 30,
            colours: Colours::default(),
        }
    }
}

/// When places to touch are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Buttons {
    /// Where there is something to touch.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// The colours of the screen, each as `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Colours {
    /// Behind the writing.
    pub ground: String,
    /// What the kiosk says.
    pub said: String,
    /// What the visitor says.
    pub heard: String,
    /// What moves while the kiosk listens, thinks and speaks.
    pub accent: String,
    /// What does not work, and what is switched off.
    pub warning: String,
}

impl Default for Colours {
    fn default() -> Self {
        let colour = |text: &str| text.to_owned();
        Self {
            ground: colour("#0d1b2e"),
            said: colour("#ffffff"),
            heard: colour("#a9bdd6"),
            accent: colour("#3fd0c0"),
            warning: colour("#ffb454"),
        }
    }
}
