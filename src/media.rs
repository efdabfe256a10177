//! The plain data that travels between the stages. No behaviour beyond constructors and the geometry of
//! rectangles.

mod buffers;

pub use self::buffers::{Buffer, Buffers};

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::flow::{Item, Turn};

/// Samples a second of all sound inside the machine, from the microphone to the recogniser.
pub const SAMPLE_RATE: u32 = 16_000;

/// Pictures a second of an answer; a beat lasts one of them.
pub const PICTURE_RATE: u32 = 25;

/// A piece of a turn; an empty one is the turn's end.
#[derive(Clone, Debug)]
pub struct Part<T> {
    /// The turn that this belongs to.
    pub turn: Turn,
    /// The piece; `None` ends the turn.
    pub body: Option<T>,
}

impl<T> Part<T> {
    /// A piece of `turn`.
    pub fn of(turn: &Turn, body: T) -> Self {
        Self { turn: turn.clone(), body: Some(body) }
    }

    /// The end of `turn`.
    pub fn end(turn: &Turn) -> Self {
        Self { turn: turn.clone(), body: None }
    }
}

impl<T: Send> Item for Part<T> {
    fn is_live(&self) -> bool {
        self.turn.is_live()
    }
}

/// What the microphone delivers: 10 to 32 ms, mono, 16 kHz, from −1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// What tells speech from other sound. Where the kiosk's own voice was taken out, nothing is left of it,
    /// and not all of a visitor's who talked at the same time.
    pub samples: Vec<f32>,
    /// The same moment for the recogniser, if that hears something else: all of the visitor's voice, and
    /// perhaps a rest of the kiosk's. As long as `samples`.
    pub spoken: Option<Vec<f32>>,
}

impl Chunk {
    /// Sound that is the same for everybody.
    pub fn of(samples: Vec<f32>) -> Self {
        Self { samples, spoken: None }
    }

    /// What the recogniser hears.
    pub fn words(&self) -> &[f32] {
        self.spoken.as_deref().unwrap_or(&self.samples)
    }

    /// Leaves nothing of it.
    pub fn silence(&mut self) {
        self.samples.fill(0.0);
        self.spoken = None;
    }
}

impl Item for Chunk {}

/// A speakable piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence(pub String);

/// Sound of the answer, at the voice's sample rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Voice {
    /// Mono samples, −1 to 1.
    pub samples: Vec<f32>,
    /// The sentence that begins with these samples.
    pub begins: Option<Sentence>,
    /// The sentence that these samples complete.
    pub completes: Option<Sentence>,
}

/// The unit of performance: one picture's worth of sound and the mouth that goes with it.
///
/// It carries the mouth's shape and not the pixels: `show` draws only the pictures that are really
/// shown, and half a second of queued beats weighs kilobytes instead of 50 MB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beat {
    /// When the beat begins, counted from the first sound of the turn.
    pub at: Duration,
    /// Mono samples at the voice's rate; one picture long, less in the last beat.
    pub samples: Vec<f32>,
    /// The mouth while this sounds.
    pub mouth: Mouth,
    /// The sentence that begins with this beat.
    pub begins: Option<Sentence>,
    /// The sentence that this beat completes.
    pub completes: Option<Sentence>,
}

/// The shape of a mouth. Each part goes from 0 (at rest, closed) to 1 (as far as it goes).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mouth {
    /// How far the jaw is down.
    pub open: f32,
    /// How far the corners are apart, as in "see".
    pub wide: f32,
    /// How far the lips are pushed forward and together, as in "you".
    pub round: f32,
    /// How far the lower lip is under the upper teeth, as in "five".
    pub teeth: f32,
    /// How far the lips are pressed on each other, as in "map".
    pub press: f32,
    /// How far the tip of the tongue is at the upper teeth, as in "this".
    pub tongue: f32,
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// One with this upper left corner and this size.
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The first column to its right.
    pub const fn right(self) -> u32 {
        self.x + self.width
    }

    /// The first row below it.
    pub const fn bottom(self) -> u32 {
        self.y + self.height
    }

    /// Whether it holds no pixel.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Whether a pixel lies in it.
    pub const fn contains(self, x: u32, y: u32) -> bool {
        x >= self.x && y >= self.y && x < self.right() && y < self.bottom()
    }

    /// What lies in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let width = self.right().min(other.right()).saturating_sub(x);
        let height = self.bottom().min(other.bottom()).saturating_sub(y);
        if width == 0 || height == 0 { Self::default() } else { Self { x, y, width, height } }
    }

    /// The smallest one around both; an empty one adds nothing.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// A picture as it is shown: RGBA, 8 bits each, rows from the top without gaps.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `4 * width * height` bytes.
    pub pixels: Arc<Vec<u8>>,
    /// What differs from the picture that was drawn before this one.
    pub changed: Rect,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person in front of the box.
    Visitor,
    /// The box.
    Kiosk,
}

/// Something that was really said and heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// The words.
    pub text: String,
}

/// What has been said so far in this session, oldest first; the last one asks for the answer.
pub type History = Vec<Message>;

/// What `think` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// An answer to the last thing that was said.
    Answer(History),
    /// These words.
    Say(String),
    /// The rest of what was interrupted by nothing: the same again, without the sentences that have
    /// been heard.
    Resume {
        /// What was asked for.
        request: Box<Request>,
        /// The sentences that were heard to their end, in order.
        heard: Vec<String>,
    },
}

/// A whole recording of a visitor, 16 kHz mono, that is heard at once.
#[derive(Clone, Debug)]
pub struct Recording(pub Vec<f32>);

impl Item for Recording {}

/// What a visitor has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    /// The words; empty when there were none.
    pub text: String,
    /// When the speech ended.
    pub ended: Instant,
    /// How long it took to decide that it had ended.
    pub pause: Duration,
    /// How long the words took after that.
    pub asr: Duration,
    /// Whether the recogniser has failed, so that words are missing.
    pub failed: bool,
}

/// A step of a turn that runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Recognition.
    Asr,
    /// The language model.
    Llm,
    /// The voice.
    Tts,
    /// The face.
    Face,
}

impl Step {
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 4] = [Self::Asr, Self::Llm, Self::Tts, Self::Face];

    /// Its name in metrics and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asr => "asr",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Face => "face",
        }
    }
}

/// All that the conversation reacts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody stands in front of the box.
    VisitorCame,
    /// The machine has started and sees nobody come or leave: whoever has started it is greeted.
    Started,
    /// Nobody stands there any more.
    VisitorLeft,
    /// Somebody has begun to speak.
    SpeechBegan,
    /// Somebody goes on speaking: sent when the words change, and once when speech has lasted for
    /// [`crate::stage::endpoint::Limits::persist`].
    Speaking {
        /// What the recogniser makes of it so far; empty while it knows no word.
        text: String,
        /// How long there has been speech, without the pauses in it.
        lasted: Duration,
    },
    /// Somebody has spoken.
    Heard(Utterance),
    /// Somebody has typed this, at this time.
    Typed(String, Instant),
    /// This sentence of ours begins to sound.
    Saying {
        /// The turn that it belongs to.
        turn: Turn,
        /// The sentence.
        text: String,
    },
    /// The visitor has heard this sentence of ours to its end.
    Said {
        /// The turn that it belongs to.
        turn: Turn,
        /// The sentence.
        text: String,
    },
    /// The whole answer has sounded.
    Finished {
        /// The turn that has ended.
        turn: Turn,
    },
    /// A step could not do its part of the turn.
    Failed {
        /// The turn that has failed.
        turn: Turn,
        /// The step.
        step: Step,
    },
    /// Somebody has pressed something.
    Pressed(Press),
    /// A device has been lost, or is back.
    Device {
        /// Which one.
        device: Device,
        /// Whether it works.
        works: bool,
    },
    /// The machine is to stop.
    Stop,
}

impl Item for Event {}

/// What somebody may press: a key, a place on the touch screen, or a switch over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Be silent.
    Stop,
    /// Say the last answer again.
    Repeat,
    /// The screen's other language.
    Language,
    /// Switch the microphone on or off.
    Mute,
    /// Switch the microphone off (`true`) or on, whatever it was.
    SetMute(bool),
    /// The push-to-talk key went down (`true`) or up.
    Talk(bool),
}

/// The devices of a kiosk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// Where sound comes from.
    Microphone,
    /// Where sound goes.
    Speaker,
    /// What sees who is there.
    Camera,
    /// Where pictures go.
    Display,
}

impl Device {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Microphone, Self::Speaker, Self::Camera, Self::Display];

    /// Its name in metrics and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Camera => "camera",
            Self::Display => "display",
        }
    }
}

/// A grey picture of the camera. It is looked at and forgotten: nothing keeps it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` bytes of brightness, rows from the top without gaps.
    pub luma: Vec<u8>,
    /// When it was taken.
    pub taken: Instant,
}
