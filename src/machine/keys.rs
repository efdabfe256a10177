//! The keys of a configuration.

use anyhow::{Context, Result, bail};

use crate::{
    config::{Buttons, Config},
    device::{
        drm::Turn,
        evdev::{Action, EvdevKeys, Keymap, Wish},
    },
    media::Press,
    screen::Layout,
};

/// Opens them; `None` where none are wanted. `layout` is what is painted on a screen that people see.
///
/// # Errors
/// A key or a rotation of the configuration is none.
pub(super) fn open(config: &Config, layout: Option<&Layout>) -> Result<Option<EvdevKeys>> {
    let keys = &config.keys;
    let wish = wish(config, layout)?;
    // Without a screen of its own the kiosk would hear what is typed into somebody else's windows.
    if layout.is_none() && keys.devices.is_empty() {
        return Ok(None);
    }
    Ok(Some(EvdevKeys::open(wish)))
}

/// Which keys are wanted, and what a touch presses.
///
/// # Errors
/// A key or a rotation of the configuration is none.
pub fn wish(config: &Config, layout: Option<&Layout>) -> Result<Wish> {
    let keys = &config.keys;
    let mut map = Keymap::default();
    let lists = [
        ("stop", &keys.stop, Action::Once(Press::Stop)),
        ("repeat", &keys.repeat, Action::Once(Press::Repeat)),
        ("language", &keys.language, Action::Once(Press::Language)),
        ("mute", &keys.mute, Action::Once(Press::Mute)),
        ("talk", &keys.talk, Action::Talk),
    ];
    for (key, names, action) in lists {
        for name in names {
            map.add(name, action).with_context(|| format!("keys.{key} cannot be used"))?;
        }
    }
    let turn = |key: &str, degrees: u32| match Turn::by(degrees) {
        Some(turn) => Ok(turn),
        None => bail!("{key} is {degrees}: 0, 90, 180 and 270 are possible"),
    };
    let panel = turn("screen.rotation", config.screen.rotation)?;
    let touch = turn("keys.touch_rotation", keys.touch_rotation)?;
    let touched = layout
        .filter(|_| keys.touch && config.screen.buttons != Buttons::Off)
        .cloned()
        .map(|layout| -> crate::device::evdev::Touched {
            Box::new(move |x, y| {
                let upright = panel.back(touch.back((x, y)));
                layout.touched(upright).map(crate::screen::Button::press)
            })
        });
    Ok(Wish { devices: keys.devices.clone(), keys: map, touched, grab: keys.grab })
}

/// Whether places to touch are shown.
pub(super) fn buttons(config: &Config, keys: Option<&EvdevKeys>) -> bool {
    match config.screen.buttons {
        Buttons::Off => false,
        Buttons::On => true,
        Buttons::Auto => config.keys.touch && keys.is_some_and(EvdevKeys::touchable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_presses_what_is_painted_there_however_the_panel_hangs() {
        for rotation in [0, 90, 180, 270] {
            let mut config = Config::default();
            config.screen.rotation = rotation;
            let layout = Layout::new(1080, 1920, 1.0);
            let wish = wish(&config, Some(&layout)).unwrap();
            let touched = wish.touched.unwrap();
            let turn = Turn::by(rotation).unwrap();
            let panel = turn.size((1080, 1920));
            for (button, place) in crate::screen::Button::ALL.into_iter().zip(layout.buttons) {
                let place = turn.rect(place, (1080, 1920));
                let x = (place.x as f32 + place.width as f32 / 2.0) / panel.0 as f32;
                let y = (place.y as f32 + place.height as f32 / 2.0) / panel.1 as f32;
                assert_eq!(touched(x, y), Some(button.press()), "{rotation}: {button:?}");
            }
        }
    }

    #[test]
    fn the_keys_of_the_default_configuration_exist() {
        assert!(wish(&Config::default(), None).is_ok());
        let mut config = Config::default();
        config.keys.stop = vec!["KEY_NONE_SUCH".into()];
        let error = format!("{:#}", wish(&config, None).err().unwrap());
        assert!(error.contains("keys.stop") && error.contains("KEY_NONE_SUCH"), "{error}");
        config = Config { ..Config::default() };
        config.keys.touch_rotation = 45;
        assert!(wish(&config, None).is_err());
    }

    #[test]
    fn without_a_screen_nobody_listens_to_keys_unless_they_are_named() {
        assert!(open(&Config::default(), None).unwrap().is_none());
        let mut config = Config::default();
        config.keys.devices = vec!["gpio-keys".into()];
        assert!(open(&config, None).unwrap().is_some());
    }
}
