//! Keys, buttons and touch screens, as the kernel reports them (evdev), without any desktop.

use std::{
    collections::{HashMap, VecDeque},
    fs, io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use evdev::{AbsoluteAxisCode, Device, EventSummary, KeyCode, SynchronizationCode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{DeviceError, Keys};
use crate::media::Press;

/// How often it is looked for devices that were plugged in.
const LOOK: Duration = Duration::from_secs(1);

/// The most devices that are listened to.
const MOST: usize = 32;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is pressed, and that is it.
    Once(Press),
    /// It matters how long it is held: push to talk.
    Talk,
}

/// Which keys do what; the names are those of the kernel's `input-event-codes.h`.
#[derive(Clone, Debug, Default)]
pub struct Keymap(HashMap<KeyCode, Action>);

impl Keymap {
    /// Lets the key of this name do this.
    ///
    /// # Errors
    /// There is no key of that name.
    pub fn add(&mut self, name: &str, action: Action) -> Result<()> {
        let code: KeyCode = name.parse().ok().with_context(|| {
            format!("there is no key {name:?}; names are like KEY_SPACE, `evtest` prints them")
        })?;
        self.0.insert(code, action);
        Ok(())
    }
}

/// What a touch at a place of the upright picture, from 0 to 1 both ways, presses.
pub type Touched = Box<dyn Fn(f32, f32) -> Option<Press> + Send>;

/// Which devices are listened to, and for what.
#[expect(missing_debug_implementations, reason = "functions have none")]
pub struct Wish {
    /// Names or nodes of the devices; empty takes all that have a wanted key or can be touched.
    pub devices: Vec<String>,
    /// What the keys do.
    pub keys: Keymap,
    /// What a touch presses; `None` leaves touch screens alone.
    pub touched: Option<Touched>,
    /// Keep what is pressed from everybody else, such as a console behind the pictures.
    pub grab: bool,
}

/// Keys, buttons and touch screens; they may come and go.
#[expect(missing_debug_implementations, reason = "functions have none")]
pub struct EvdevKeys {
    folder: PathBuf,
    wish: Wish,
    open: Vec<Open>,
    /// Nodes that are of no use, until they go.
    useless: Vec<PathBuf>,
    looked: Option<Instant>,
    waiting: VecDeque<Press>,
    denied: bool,
}

struct Open {
    node: PathBuf,
    name: String,
    device: Device,
    finger: Option<Finger>,
    talking: bool,
}

/// Where a touch screen is touched.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Finger {
    /// Lowest and highest values of both axes.
    range: [(i32, i32); 2],
    at: [i32; 2],
    down: bool,
    /// It went down since the last report.
    came: bool,
}

impl Finger {
    /// From 0 to 1 both ways.
    fn place(&self) -> (f32, f32) {
        let [x, y] = [0, 1].map(|axis| {
            let (low, high) = self.range[axis];
            let length = (high - low).max(1) as f32;
            ((self.at[axis] - low) as f32 / length).clamp(0.0, 1.0)
        });
        (x, y)
    }

    fn touch(&mut self, down: bool) {
        self.came |= down && !self.down;
        self.down = down;
    }
}

impl EvdevKeys {
    /// Opens the devices that are there; others are opened when they come.
    pub fn open(wish: Wish) -> Self {
        Self::below(Path::new("/dev/input"), wish)
    }

    fn below(folder: &Path, wish: Wish) -> Self {
        let mut keys = Self {
            folder: folder.to_owned(),
            wish,
            open: Vec::new(),
            useless: Vec::new(),
            looked: None,
            waiting: VecDeque::new(),
            denied: false,
        };
        keys.look();
        keys
    }

    /// Whether one of them can be touched.
    pub fn touchable(&self) -> bool {
        self.open.iter().any(|open| open.finger.is_some())
    }

    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.open.iter().map(|open| open.name.as_str()).collect()
    }

    /// Looks for devices, about once a second.
    fn look(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut nodes: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("event"))
            })
            .collect();
        nodes.sort();
        self.useless.retain(|node| nodes.contains(node));
        for node in nodes {
            let known =
                self.useless.contains(&node) || self.open.iter().any(|open| open.node == node);
            if known || self.open.len() >= MOST {
                continue;
            }
            match self.try_open(&node) {
                Ok(Some(open)) => {
                    let touch = open.finger.is_some();
                    tracing::info!(device = %open.name, node = %node.display(), touch, "keys are there");
                    self.open.push(open);
                }
                Ok(None) => self.useless.push(node),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    if !self.denied {
                        self.denied = true;
                        tracing::warn!(
                            "{} may not be read: add the daemon's user to the group {}",
                            node.display(),
                            super::drm::group(&node).replace("video", "input")
                        );
                    }
                    self.useless.push(node);
                }
                // It is just coming or going: the next look tells.
                Err(error) => tracing::debug!(%error, node = %node.display(), "no keys"),
            }
        }
    }

    fn try_open(&self, node: &Path) -> io::Result<Option<Open>> {
        let mut device = Device::open(node)?;
        let name = device.name().unwrap_or("a nameless device").to_owned();
        let named = |wished: &String| *wished == name || Path::new(wished) == node;
        if !self.wish.devices.is_empty() && !self.wish.devices.iter().any(named) {
            return Ok(None);
        }
        let wanted = device
            .supported_keys()
            .is_some_and(|keys| self.wish.keys.0.keys().any(|&key| keys.contains(key)));
        let finger = if self.wish.touched.is_some() { finger(&device)? } else { None };
        if !wanted && finger.is_none() {
            return Ok(None);
        }
        device.set_nonblocking(true)?;
        if self.wish.grab
            && let Err(error) = device.grab()
        {
            tracing::warn!(%error, device = %name, "others hear these keys too");
        }
        Ok(Some(Open { node: node.to_owned(), name, device, finger, talking: false }))
    }

    /// Waits until a device has something to tell.
    fn wait(&mut self, wait: Duration) -> io::Result<()> {
        if self.open.is_empty() {
            sleep(wait);
            return Ok(());
        }
        let timeout =
            Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let mut ready: Vec<PollFd<'_>> = self
            .open
            .iter()
            .map(|open| PollFd::from_borrowed_fd(open.device.as_fd(), PollFlags::IN))
            .collect();
        match poll(&mut ready, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what the devices tell; those that are gone are forgotten.
    fn take(&mut self) {
        let Self { open, wish, waiting, .. } = self;
        open.retain_mut(|open| match open.take(wish, waiting) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, device = %open.name, "keys are gone");
                if open.talking {
                    // Nobody holds a key that is not there.
                    waiting.push_back(Press::Talk(false));
                }
                false
            }
        });
    }
}

/// A device's axes, if it can be touched: a touch screen, or a tablet whose places are absolute.
fn finger(device: &Device) -> io::Result<Option<Finger>> {
    let axes = device.supported_absolute_axes();
    let has = |axis| axes.is_some_and(|axes| axes.contains(axis));
    let pressed = device
        .supported_keys()
        .is_some_and(|keys| keys.contains(KeyCode::BTN_TOUCH) || keys.contains(KeyCode::BTN_LEFT));
    let many = has(AbsoluteAxisCode::ABS_MT_TRACKING_ID);
    // A joystick has axes as well, but nothing to touch.
    if !(pressed || many) {
        return Ok(None);
    }
    let pair = if has(AbsoluteAxisCode::ABS_X) && has(AbsoluteAxisCode::ABS_Y) {
        [AbsoluteAxisCode::ABS_X, AbsoluteAxisCode::ABS_Y]
    } else if has(AbsoluteAxisCode::ABS_MT_POSITION_X) {
        [AbsoluteAxisCode::ABS_MT_POSITION_X, AbsoluteAxisCode::ABS_MT_POSITION_Y]
    } else {
        return Ok(None);
    };
    let mut finger = Finger::default();
    for (axis, info) in device.get_absinfo()? {
        for (number, wanted) in pair.into_iter().enumerate() {
            if axis == wanted {
                finger.range[number] = (info.minimum(), info.maximum());
            }
        }
    }
    Ok(Some(finger))
}

impl Open {
    fn take(&mut self, wish: &Wish, waiting: &mut VecDeque<Press>) -> io::Result<()> {
        let events = match self.device.fetch_events() {
            Ok(events) => events,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        for event in events {
            understand(event.destructure(), wish, &mut self.finger, &mut self.talking, waiting);
        }
        Ok(())
    }
}

/// What one report of the kernel means.
fn understand(
    event: EventSummary,
    wish: &Wish,
    finger: &mut Option<Finger>,
    talking: &mut bool,
    waiting: &mut VecDeque<Press>,
) {
    match event {
        EventSummary::Key(_, KeyCode::BTN_TOUCH | KeyCode::BTN_LEFT, value) if finger.is_some() => {
            if let Some(finger) = finger {
                finger.touch(value != 0);
            }
        }
        EventSummary::Key(_, key, value) => match (wish.keys.0.get(&key), value) {
            (Some(Action::Once(press)), 1) => waiting.push_back(*press),
            (Some(Action::Talk), 0 | 1) => {
                *talking = value == 1;
                waiting.push_back(Press::Talk(*talking));
            }
            // A key that is held repeats itself; once is enough.
            _ => {}
        },
        EventSummary::AbsoluteAxis(_, axis, value) => {
            let Some(finger) = finger else { return };
            match axis {
                AbsoluteAxisCode::ABS_X | AbsoluteAxisCode::ABS_MT_POSITION_X => {
                    finger.at[0] = value;
                }
                AbsoluteAxisCode::ABS_Y | AbsoluteAxisCode::ABS_MT_POSITION_Y => {
                    finger.at[1] = value;
                }
                AbsoluteAxisCode::ABS_MT_TRACKING_ID => finger.touch(value >= 0),
                _ => {}
            }
        }
        EventSummary::Synchronization(_, SynchronizationCode::SYN_REPORT, _) => {
            // A place is complete only now.
            let (Some(finger), Some(touched)) = (finger, &wish.touched) else { return };
            if std::mem::take(&mut finger.came) {
                let (x, y) = finger.place();
                waiting.extend(touched(x, y));
            }
        }
        _ => {}
    }
}

impl Keys for EvdevKeys {
    fn read(&mut self, wait: Duration) -> Result<Option<Press>, DeviceError> {
        if let Some(press) = self.waiting.pop_front() {
            return Ok(Some(press));
        }
        self.look();
        self.wait(wait).context("the keys cannot be waited for")?;
        self.take();
        Ok(self.waiting.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use evdev::{EventType, InputEvent};

    use super::*;

    fn wish() -> Wish {
        let mut keys = Keymap::default();
        keys.add("KEY_ESC", Action::Once(Press::Stop)).unwrap();
        keys.add("KEY_SPACE", Action::Talk).unwrap();
        let touched = |x, y| (x > 0.5 && y > 0.5).then_some(Press::Language);
        Wish { devices: Vec::new(), keys, touched: Some(Box::new(touched)), grab: false }
    }

    fn presses(events: &[(EventType, u16, i32)], finger: Option<Finger>) -> Vec<Press> {
        let (mut finger, mut talking, mut waiting) = (finger, false, VecDeque::new());
        for &(kind, code, value) in events {
            let event = InputEvent::new(kind.0, code, value).destructure();
            understand(event, &wish(), &mut finger, &mut talking, &mut waiting);
        }
        waiting.into()
    }

    #[test]
    fn keys_press_once_and_are_held() {
        let key = |code: KeyCode, value| (EventType::KEY, code.code(), value);
        let events = [
            key(KeyCode::KEY_ESC, 1),
            key(KeyCode::KEY_ESC, 2),
            key(KeyCode::KEY_ESC, 0),
            key(KeyCode::KEY_A, 1),
            key(KeyCode::KEY_SPACE, 1),
            key(KeyCode::KEY_SPACE, 2),
            key(KeyCode::KEY_SPACE, 0),
        ];
        let wanted = [Press::Stop, Press::Talk(true), Press::Talk(false)];
        assert_eq!(presses(&events, None), wanted);
    }

    #[test]
    fn a_touch_presses_what_lies_there_once() {
        let screen = Finger { range: [(0, 32_767), (0, 32_767)], ..Finger::default() };
        let report = (EventType::SYNCHRONIZATION, 0, 0);
        let axis = |code: AbsoluteAxisCode, value| (EventType::ABSOLUTE, code.0, value);
        let touch = |value| (EventType::KEY, KeyCode::BTN_TOUCH.code(), value);
        let (x, y) = (AbsoluteAxisCode::ABS_X, AbsoluteAxisCode::ABS_Y);
        let events = [
            // The finger comes before its place does.
            touch(1),
            axis(x, 30_000),
            axis(y, 30_000),
            report,
            axis(x, 31_000),
            report,
            touch(0),
            report,
            axis(x, 10),
            touch(1),
            report,
        ];
        assert_eq!(presses(&events, Some(screen)), [Press::Language]);
        let many = [
            axis(AbsoluteAxisCode::ABS_MT_TRACKING_ID, 5),
            axis(AbsoluteAxisCode::ABS_MT_POSITION_X, 32_000),
            axis(AbsoluteAxisCode::ABS_MT_POSITION_Y, 20_000),
            touch(1),
            report,
            axis(AbsoluteAxisCode::ABS_MT_TRACKING_ID, -1),
            report,
        ];
        assert_eq!(presses(&many, Some(screen)), [Press::Language], "told twice, pressed once");
    }

    #[test]
    fn keys_that_do_not_exist_are_told() {
        let error = Keymap::default().add("KEY_ANY_MORE", Action::Talk).unwrap_err();
        assert!(error.to_string().contains("KEY_ANY_MORE"), "{error}");
    }

    #[test]
    fn without_devices_nothing_is_pressed_and_time_passes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("event0"), "no device").unwrap();
        let mut keys = EvdevKeys::below(folder.path(), wish());
        let began = Instant::now();
        assert_eq!(keys.read(Duration::from_millis(30)).unwrap(), None);
        assert!(began.elapsed() >= Duration::from_millis(30));
        assert!(!keys.touchable());
        assert!(keys.names().is_empty());
    }
}
