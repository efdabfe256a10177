//! Keys, buttons and the touch screen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keys, buttons and the touch screen. Keys have the names of the kernel's `input-event-codes.h`;
/// `evtest` prints them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Names or nodes of the devices that are listened to, such as `"gpio-keys"` or
    /// `"/dev/input/event3"`; empty takes all where the kiosk has a screen of its own, else none.
    pub devices: Vec<String>,
    /// Keep what is pressed from everybody else, such as a text console behind the pictures.
    pub grab: bool,
    /// Listen to touches on the screen.
    pub touch: bool,
    /// By how many degrees the touch screen is turned against the panel, clockwise: 0, 90, 180 or 270.
    #[schemars(range(max = 270))]
    pub touch_rotation: u32,
    /// What silences the kiosk.
    pub stop: Vec<String>,
    /// What lets it say the last answer again.
    pub repeat: Vec<String>,
    /// What switches the language of the screen.
    pub language: Vec<String>,
    /// What switches the microphone off and on.
    pub mute: Vec<String>,
    /// What is held down to talk, with `listen.push_to_talk`.
    pub talk: Vec<String>,
}

impl Default for Keys {
    fn default() -> Self {
        let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            devices: Vec::new(),
            grab: true,
            touch: true,
            touch_rotation: 0,
            stop: keys(&["KEY_ESC", "KEY_STOP", "KEY_CANCEL", "KEY_STOPCD"]),
            repeat: keys(&["KEY_R", "KEY_AGAIN", "KEY_REPLY"]),
            language: keys(&["KEY_L", "KEY_LANGUAGE"]),
            mute: keys(&["KEY_MICMUTE", "KEY_M"]),
            talk: keys(&["KEY_SPACE", "KEY_RECORD", "KEY_VOICECOMMAND"]),
        }
    }
}
