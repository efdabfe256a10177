//! A camera of the kernel's Video for Linux. Only brightness is kept, the newest picture wins, and a
//! camera that is unplugged, taken by somebody or silent is looked for until it is back.

mod find;
mod luma;
mod negotiate;
mod stream;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use v4l::{Device, Format, FourCC, Fraction, video::Capture};

use self::{
    find::System,
    luma::{Layout, Shape},
    negotiate::Choice,
    stream::{Next, Stream},
};
use super::{Camera, DeviceError};
use crate::media::Frame;

/// How often a camera that is away is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// The longest that one `read` waits for a picture, so that a stop is never late.
const WAIT: Duration = Duration::from_millis(1_200);

/// A camera that has sent nothing for so long, and for at least three of its pictures, has stalled.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is asked of a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its path (best one of those under `/dev/v4l`), or a part of its name; empty takes the first
    /// that will do.
    pub name: String,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures a second.
    pub rate: f32,
    /// The kernel's name of the only format that will do; empty takes the cheapest.
    pub format: String,
    /// Quarters of a circle by which its pictures are turned clockwise.
    pub quarters: u8,
}

impl Default for Wanted {
    fn default() -> Self {
        let (name, format) = (String::new(), String::new());
        Self { name, width: 640, height: 480, rate: 10.0, format, quarters: 0 }
    }
}

/// What a camera does.
#[derive(Clone, Debug, PartialEq)]
pub struct Negotiated {
    /// The name of its node that lasts longest.
    pub path: PathBuf,
    /// What it calls itself.
    pub card: String,
    /// The kernel's name of the format that it sends.
    pub format: String,
    /// Pixels a row, before it is turned.
    pub width: u32,
    /// Rows, before it is turned.
    pub height: u32,
    /// Pictures a second, if it says.
    pub rate: Option<f32>,
}

impl fmt::Display for Negotiated {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, card, format, width, height, rate } = self;
        write!(to, "{card} ({}): {format}, {width}×{height}", path.display())?;
        match rate {
            Some(rate) => write!(to, ", {rate:.3} pictures a second"),
            None => Ok(()),
        }
    }
}

/// Why a camera cannot be used now.
enum Trouble {
    /// It may come, or be free, later.
    Later(String),
    /// It stays so until somebody does something.
    Fault(anyhow::Error),
}

/// A camera.
#[derive(Debug)]
pub struct V4lCamera {
    wanted: Wanted,
    system: System,
    /// `None` while it is away.
    stream: Option<Stream>,
    negotiated: Option<Negotiated>,
    /// When the next picture is wanted, and the time from one to the next.
    due: Instant,
    period: Duration,
    /// When a camera that is away is looked for again.
    look: Instant,
    /// What was last said of why it is away, so that it is said once.
    told: String,
    /// Memory for turning pictures.
    spare: Vec<u8>,
}

impl V4lCamera {
    /// Whether there is a camera that `name` may mean: see [`Wanted::name`].
    pub fn exists(name: &str) -> bool {
        !System(PathBuf::from("/")).nodes(name).is_empty()
    }

    /// Opens a camera. One that is not there, or is used by another program, is waited for, with a
    /// warning that says so.
    ///
    /// # Errors
    /// It may not be opened, or sends nothing that can be read.
    pub fn open(wanted: Wanted) -> Result<Self> {
        let period = Duration::from_secs(1).div_f32(wanted.rate.clamp(0.1, 240.0));
        let now = Instant::now();
        let mut camera = Self {
            wanted,
            system: System(PathBuf::from("/")),
            stream: None,
            negotiated: None,
            due: now,
            period,
            look: now,
            told: String::new(),
            spare: Vec::new(),
        };
        match camera.start() {
            Ok(()) => Ok(camera),
            Err(Trouble::Later(why)) => {
                camera.away(&why);
                Ok(camera)
            }
            Err(Trouble::Fault(error)) => Err(error.context("the camera cannot be used")),
        }
    }

    /// What it does, or did before it went away; `None` if it was never there.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// Whether it works now.
    pub fn works(&self) -> bool {
        self.stream.is_some()
    }

    /// Says why it is away, once, and gives it up until the next look.
    fn away(&mut self, why: &str) {
        self.stream = None;
        self.look = Instant::now() + LOOK;
        if self.told != why {
            tracing::warn!(camera = self.wanted.name, "the camera is away: {why}");
            why.clone_into(&mut self.told);
        }
    }

    /// Starts the best of the nodes that are meant.
    fn start(&mut self) -> Result<(), Trouble> {
        let mut nodes = self.system.nodes(&self.wanted.name);
        // The one that was used before, if it is still there.
        if let Some(before) = &self.negotiated
            && self.wanted.name.is_empty()
            && before.path.exists()
        {
            nodes.insert(0, before.path.clone());
        }
        let (mut later, mut fault) = (None, None);
        for node in nodes {
            match self.start_node(&node) {
                Ok(()) => return Ok(()),
                Err(Trouble::Later(why)) => later = later.or(Some(why)),
                // The first counts: further nodes of the same camera only bring metadata.
                Err(Trouble::Fault(error)) => fault = fault.or(Some(error)),
            }
        }
        // A good camera that is busy is worth waiting for, whatever others there are.
        Err(match (later, fault) {
            (Some(why), _) => Trouble::Later(why),
            (None, Some(error)) => Trouble::Fault(error),
            (None, None) if self.wanted.name.is_empty() => {
                Trouble::Later("there is none; plug one in".to_owned())
            }
            (None, None) => {
                let name = &self.wanted.name;
                Trouble::Later(format!("there is no camera {name}; is it plugged in?"))
            }
        })
    }

    fn start_node(&mut self, node: &Path) -> Result<(), Trouble> {
        let path = self.system.stable(node);
        let named = || format!("{} ({})", path.display(), self.system.card(node));
        let explain = |error: io::Error| explain(&self.system, node, error, &named());
        let device = Device::with_path(node).map_err(explain)?;
        let (offers, others) = negotiate::offers(&device, &self.wanted).map_err(explain)?;
        let choice = negotiate::choose(&offers, &self.wanted).ok_or_else(|| {
            let mut offered: Vec<_> =
                offers.iter().map(|offer| name_of(offer.format)).chain(others).collect();
            offered.dedup();
            let offered = if offered.is_empty() { "no picture".into() } else { offered.join(", ") };
            Trouble::Fault(anyhow!(
                "{} offers {offered}; {} is needed. A raw sensor needs its image processor in front of \
                 it: see docs/hardware.md",
                named(),
                match self.wanted.format.as_str() {
                    "" => format!("one of {}", Layout::names()),
                    format => format!("{format}, which watch.format asks for,"),
                }
            ))
        })?;
        let (shape, interval) =
            configure(&device, &choice).map_err(|error| match error.downcast::<io::Error>() {
                Ok(error) => explain(error),
                Err(error) => Trouble::Fault(error.context(named())),
            })?;
        let rate = interval.map(negotiate::rate);
        let three = Duration::from_secs(3).div_f32(rate.unwrap_or(1.0).clamp(0.1, 240.0));
        let stream = Stream::start(&device, shape, PATIENCE.max(three)).map_err(explain)?;
        let negotiated = Negotiated {
            card: self.system.card(node),
            path,
            format: name_of(choice.format),
            width: shape.width,
            height: shape.height,
            rate,
        };
        self.stream = Some(stream);
        self.negotiated = Some(negotiated);
        Ok(())
    }

    /// Looks for a camera that is away, at its pace.
    fn return_of(&mut self) -> Result<(), DeviceError> {
        std::thread::sleep(self.look.saturating_duration_since(Instant::now()).min(WAIT));
        let why = match self.start() {
            Ok(()) => {
                self.told.clear();
                if let Some(negotiated) = &self.negotiated {
                    tracing::info!("the camera is back: {negotiated}");
                }
                return Ok(());
            }
            Err(Trouble::Later(why)) => why,
            // It was all right once: somebody may put it right again.
            Err(Trouble::Fault(error)) => format!("{error:#}"),
        };
        self.away(&why);
        Err(DeviceError::Away)
    }
}

impl Camera for V4lCamera {
    fn read(&mut self, frame: &mut Frame) -> Result<(), DeviceError> {
        if self.stream.is_none() {
            self.return_of()?;
        }
        let Some(stream) = self.stream.as_mut() else { return Err(DeviceError::Away) };
        match stream.next(self.due, Instant::now() + WAIT, frame) {
            Ok(Next::Picture) => {
                let now = Instant::now();
                // From the moment that was meant, so that waiting for the camera costs no pictures;
                // but what was missed is not made up for.
                self.due = (self.due + self.period).max(now);
                frame.taken = now;
                luma::turn(frame, self.wanted.quarters, &mut self.spare);
                Ok(())
            }
            Ok(Next::Bad | Next::Late) => Err(DeviceError::Xrun),
            Ok(Next::Stalled) => {
                self.away("it is there but sends no pictures");
                Err(DeviceError::Away)
            }
            Err(error) if gone(&error) => {
                self.away("it was unplugged");
                Err(DeviceError::Away)
            }
            Err(error) => {
                self.away(&format!("{error}; it is opened again"));
                Err(DeviceError::Away)
            }
        }
    }

    fn pace(&mut self, rate: f32) {
        self.period = Duration::from_secs(1).div_f32(rate.clamp(0.1, 240.0));
        self.due = self.due.min(Instant::now() + self.period);
    }
}

/// Numbers of the kernel's errors (`errno.h`), where they mean something about a camera.
const NO_SUCH_ADDRESS: i32 = 6;
const BUSY: i32 = 16;
const NO_DEVICE: i32 = 19;
const NO_SPACE: i32 = 28;

/// A format's name without the spaces that fill it up.
fn name_of(format: [u8; 4]) -> String {
    String::from_utf8_lossy(&format).trim().to_owned()
}

fn gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || matches!(error.raw_os_error(), Some(NO_SUCH_ADDRESS | NO_DEVICE))
}

/// What an error of the system means for whoever has mounted the camera.
fn explain(system: &System, node: &Path, error: io::Error, named: &str) -> Trouble {
    if gone(&error) {
        return Trouble::Later(format!("{named} is not there; is it plugged in?"));
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        let group = system.group(node);
        return Trouble::Fault(anyhow!(
            "{named} may not be opened: the user that runs the kiosk must be in the group {group} \
             (usermod -aG {group} USER, then log in again)"
        ));
    }
    match error.raw_os_error() {
        Some(BUSY) => {
            let holders = system.holders(node);
            let by = if holders.is_empty() { "another program".into() } else { holders.join(", ") };
            Trouble::Later(format!("{named} is used by {by}; end it"))
        }
        Some(NO_SPACE) => Trouble::Fault(anyhow!(
            "{named} finds no room on its USB bus; plug it into another socket, or ask for less with \
             watch.width and watch.height"
        )),
        _ => Trouble::Fault(anyhow::Error::new(error).context(named.to_owned())),
    }
}

/// Makes the camera send what was chosen; what it really does now.
fn configure(device: &Device, choice: &Choice) -> Result<(Shape, Option<(u32, u32)>)> {
    let format = Format::new(choice.width, choice.height, FourCC::new(&choice.format));
    let format = device.set_format(&format)?;
    let name = name_of(choice.format);
    if format.fourcc.repr != choice.format {
        bail!("it offers {name} and sends {}", format.fourcc);
    }
    let Format { width, height, stride, .. } = format;
    let (layout, _) = Layout::of(choice.format).context("a format that can be read")?;
    if !(16..=8_192).contains(&width) || !(16..=8_192).contains(&height) {
        bail!("it sends {name} of {width}×{height} pixels");
    }
    let shape = Shape { layout, width, height, stride: stride as usize };
    // Not every driver lets the rate be chosen; pictures that come too often are passed over.
    if let Some((numerator, denominator)) = choice.interval {
        let wanted = Fraction::new(numerator, denominator);
        let _ = device.set_params(&v4l::video::capture::Parameters::new(wanted));
    }
    let told = device.params().ok().map(|params| params.interval);
    let interval = told.map(|told| (told.numerator, told.denominator));
    Ok((shape, interval.filter(|(over, under)| *over > 0 && *under > 0)))
}
