//! What can be configured: one struct a table, one field a key, with its doc, default and range.
//!
//! `config/linly-edge.toml` and `docs/config.md` are generated from this file.

mod check;
mod converse;
mod keys;
mod load;
mod screen;
mod sound;
mod watch;

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use ipnet::IpNet;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

pub use check::{Place, Problem, Problems};
pub use converse::{Converse, ScreenLanguage};
pub use keys::Keys;
pub use load::layers;
pub use screen::{Buttons, Colours, Screen};
pub use sound::{NoiseSuppression, Sound};
pub use watch::Watch;

/// Everything that can be configured. It does not change while the process lives.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long the threads may take to end when the daemon stops, in milliseconds.
    #[schemars(range(min = 100, max = 60_000))]
    pub stop_grace_ms: u32,
    pub devices: Devices,
    pub sound: Sound,
    pub watch: Watch,
    pub screen: Screen,
    pub keys: Keys,
    pub listen: Listen,
    pub converse: Converse,
    pub models: Models,
    pub avatar: Avatar,
    pub admin: Admin,
    pub sensors: Sensors,
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stop_grace_ms: 2_000,
            devices: Devices::default(),
            sound: Sound::default(),
            watch: Watch::default(),
            screen: Screen::default(),
            keys: Keys::default(),
            listen: Listen::default(),
            converse: Converse::default(),
            models: Models::default(),
            avatar: Avatar::default(),
            admin: Admin::default(),
            sensors: Sensors::default(),
            log: Log::default(),
        }
    }
}

impl Config {
    /// The JSON schema of all tables, without references: the docs and the range checks read it.
    pub fn schema() -> serde_json::Value {
        let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<Self>().to_value()
    }
}

/// Which devices the kiosk hears, sees, speaks and shows with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Devices {
    /// Where sound comes from.
    pub microphone: SoundKind,
    /// Where sound goes.
    pub speaker: SoundKind,
    /// What sees who is there.
    pub camera: CameraKind,
    /// Where pictures go.
    pub display: DisplayKind,
    pub file: FileDevices,
}

/// What hears or speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SoundKind {
    /// A sound card where there is one, else nothing.
    #[default]
    Auto,
    /// The sound card that `[sound]` names.
    Alsa,
    /// The file that `[devices.file]` names.
    File,
    /// Nothing, at the pace of the real thing: silence comes in; what goes out is dropped.
    Headless,
}

/// What sees who is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CameraKind {
    /// A camera where there is one, else nothing.
    #[default]
    Auto,
    /// The camera that `[watch]` names.
    V4l,
    /// Nothing: whoever speaks is there.
    Off,
}

/// What shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DisplayKind {
    /// A screen where one is connected and nobody else uses it, else nothing.
    #[default]
    Auto,
    /// The screen that `[screen]` names, without any desktop.
    Drm,
    /// The file that `[devices.file]` names.
    File,
    /// Nothing, at the pace of the real thing.
    Headless,
}

/// The files that stand for devices whose kind is `file`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileDevices {
    /// WAV that is played into the microphone in real time; any rate, width and channel count.
    pub microphone: PathBuf,
    /// Play it again and again instead of once.
    pub repeat: bool,
    /// Silence after each playing of the file, in milliseconds.
    #[schemars(range(max = 3_600_000))]
    pub pause_ms: u32,
    /// WAV that takes what the kiosk says; overwritten at start.
    pub speaker: PathBuf,
    /// MP4 that takes what the kiosk shows; overwritten at start.
    pub display: PathBuf,
}

impl Default for FileDevices {
    fn default() -> Self {
        Self {
            microphone: PathBuf::new(),
            repeat: false,
            pause_ms: 2_000,
            speaker: PathBuf::new(),
            display: PathBuf::new(),
        }
    }
}

/// What counts as speech, and when it has ended.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Probability above which a chunk of sound counts as speech.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: f32,
    /// Speech that must have lasted so long before it counts, in milliseconds; coughs are shorter.
    #[schemars(range(max = 2_000))]
    pub onset_ms: u32,
    /// Sound from before the speech that is recognised with it, in milliseconds, so that no first
    /// syllable is lost.
    #[schemars(range(max = 2_000))]
    pub preroll_ms: u32,
    /// Silence that ends an utterance, in milliseconds.
    #[schemars(range(max = 10_000))]
    pub pause_ms: NonZeroU32,
    /// Silence that ends an utterance whose text is already a whole sentence, in milliseconds.
    #[schemars(range(max = 10_000))]
    pub short_pause_ms: NonZeroU32,
    /// Seconds after which an utterance is answered even though it goes on.
    #[schemars(range(max = 120))]
    pub longest_s: NonZeroU32,
    /// Switch the microphone off at first; a key, a touch or `POST /mute` switches it on.
    pub muted: bool,
    /// Listen only while the talk key is held: for very loud places.
    pub push_to_talk: bool,
}

impl Default for Listen {
    fn default() -> Self {
        const PAUSE: NonZeroU32 = NonZeroU32::new(500).expect("not zero");
        const SHORT_PAUSE: NonZeroU32 = NonZeroU32::new(300).expect("not zero");
        const LONGEST: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
        Self {
            threshold: 0.5,
            onset_ms: 200,
            preroll_ms: 300,
            pause_ms: PAUSE,
            short_pause_ms: SHORT_PAUSE,
            longest_s: LONGEST,
            muted: false,
            push_to_talk: false,
        }
    }
}

/// The models and what runs them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// Folder of the model pack; empty searches the places that `linly-edge check` prints.
    pub pack: PathBuf,
    /// What runs the models.
    pub backend: BackendKind,
    /// `libonnxruntime.so` for the backend `ort`; empty searches the usual places.
    pub library: PathBuf,
    /// Threads that each model may use.
    #[schemars(range(max = 64))]
    pub threads: NonZeroUsize,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            pack: PathBuf::new(),
            backend: BackendKind::default(),
            library: PathBuf::new(),
            threads: NonZeroUsize::MIN,
        }
    }
}

/// What runs the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// ONNX Runtime where its library is found, else tract.
    #[default]
    Auto,
    /// The runtime that is built in.
    Tract,
    /// ONNX Runtime; its library must be there.
    Ort,
}

/// The person on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Avatar {
    /// Folder of the portrait with its mask and key points; empty takes the one that is built in.
    pub path: PathBuf,
}

/// HTTP: metrics, health, and one turn at a time for programs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Address and port to listen on. Before opening it to other machines, say in `web_config` who
    /// may read it: see docs/security.md.
    #[schemars(with = "String")]
    pub address: SocketAddr,
    /// TLS, client certificates and passwords, in the format of the Prometheus exporters
    /// (`web-config.yml`); empty means plain HTTP without a password. Changes of this file take
    /// effect without a restart.
    pub web_config: PathBuf,
    /// Networks whose addresses may connect, such as `"10.0.0.0/8"` and `"::1/128"`; empty means all.
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<IpNet>,
    /// Whether `/livez` and `/readyz` are answered without a password and without a rate limit.
    pub open_health: bool,
    /// Largest body of a request, in bytes.
    #[schemars(range(min = 1_024, max = 268_435_456))]
    pub body_limit_bytes: usize,
    /// How long the video of an answer can be fetched, in seconds.
    #[schemars(range(min = 1, max = 86_400))]
    pub video_keep_s: u32,
    /// Memory for all videos together, in bytes; the oldest give way.
    pub video_limit_bytes: usize,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)),
            web_config: PathBuf::new(),
            allow: Vec::new(),
            open_health: true,
            body_limit_bytes: 16 << 20,
            video_keep_s: 600,
            video_limit_bytes: 64 << 20,
        }
    }
}

/// How the device is: temperatures, power, clocks, memory, read for `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sensors {
    /// Read them.
    pub enabled: bool,
    /// How often, in milliseconds; what is three periods old is not told any more.
    #[schemars(range(min = 100, max = 60_000))]
    pub period_ms: u32,
    /// Folder that is read in place of the device itself, for tests: a copy of its /proc, /sys and /etc.
    pub root: PathBuf,
}

impl Default for Sensors {
    fn default() -> Self {
        Self { enabled: true, period_ms: 1_000, root: PathBuf::from("/") }
    }
}

/// What is written to the log. What visitors say never is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How much is written; the variable `RUST_LOG` overrides it.
    pub level: Level,
}

/// How much is written to the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What has failed.
    Error,
    /// And what went wrong but was got over.
    Warn,
    /// And what happens once per turn.
    #[default]
    Info,
    /// And what happens once per sentence, picture or request.
    Debug,
    /// And all the rest.
    Trace,
}

impl Level {
    /// How the configuration writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
