//! The labels and all of their values: enums, so that nothing from outside becomes a series.

use std::marker::PhantomData;

use prometheus::{IntCounter, IntCounterVec};

use crate::media::Step;

/// A label whose values are known beforehand.
pub trait Label: Copy + 'static {
    /// The label.
    const NAME: &'static str;
    /// All of its values.
    const ALL: &'static [Self];
    /// How this value is written.
    fn value(self) -> &'static str;
}

/// An enum, its label's name, and how each variant is written: said once instead of four times.
macro_rules! label {
    ($(#[$doc:meta])* $enum:ident $name:literal { $($(#[$what:meta])* $variant:ident $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum { $($(#[$what])* $variant,)+ }

        impl Label for $enum {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn value(self) -> &'static str {
                match self { $(Self::$variant => $value,)+ }
            }
        }
    };
}

label! {
    /// Who does the work of a request.
    Model "model" {
        /// The recogniser.
        Asr "asr",
        /// The language model.
        Llm "llm",
        /// The voice.
        Tts "tts",
        /// The face.
        Face "face",
        /// All of them, from a question to its answer.
        Pipeline "pipeline",
    }
}

impl From<Step> for Model {
    fn from(step: Step) -> Self {
        match step {
            Step::Asr => Self::Asr,
            Step::Llm => Self::Llm,
            Step::Tts => Self::Tts,
            Step::Face => Self::Face,
        }
    }
}

label! {
    /// How a request to a model ended.
    Outcome "status" {
        /// With a result.
        Done "ok",
        /// With an error.
        Failed "failed",
        /// Nobody wanted the result any more.
        Stale "stale",
        /// Not begun, because the kiosk was busy or the input was no good.
        Refused "refused",
    }
}

label! {
    /// How a turn ended.
    End "end" {
        /// The whole answer has sounded.
        Finished "finished",
        /// The visitor spoke, or a newer request came.
        Interrupted "interrupted",
        /// A step failed.
        Failed "failed",
        /// Nothing was understood, so there was nothing to answer.
        Silent "silent",
    }
}

label! {
    /// How a session ended.
    Parting "end" {
        /// The camera saw the visitor leave.
        Left "left",
        /// Nobody said a word for a while.
        Silent "silent",
        /// The daemon stopped.
        Stopped "stopped",
    }
}

impl Label for crate::media::Device {
    const NAME: &'static str = "device";
    const ALL: &'static [Self] = &Self::ALL;
    fn value(self) -> &'static str {
        self.name()
    }
}

label! {
    /// A link between two stages.
    Link "link" {
        /// `hear` to `listen`.
        Chunks "chunks",
        /// All to `converse`.
        Events "events",
        /// `think` to `speak`.
        Sentences "sentences",
        /// `speak` to `animate`.
        Voices "voices",
        /// `animate` to `play`.
        Beats "beats",
        /// `play` to `show`.
        Faces "faces",
    }
}

impl Label for Step {
    const NAME: &'static str = "step";
    const ALL: &'static [Self] = &Step::ALL;
    fn value(self) -> &'static str {
        self.name()
    }
}

label! {
    /// What was wrong with something that came from outside.
    BadInput "reason" {
        /// Not HTTP, or more header than is allowed.
        Request "request",
        /// It did not come, or not to its end, in time.
        Slow "slow",
        /// A body larger than is allowed.
        Size "size",
        /// A body of a type that is not understood.
        Type "type",
        /// Not the JSON that is expected.
        Json "json",
        /// Text that is empty or too long.
        Text "text",
        /// A recording that is broken, empty, silent or too long.
        Sound "sound",
    }
}

label! {
    /// What was asked for over HTTP.
    Route "route" {
        /// The page for people.
        Page "/",
        /// These metrics.
        Metrics "/metrics",
        /// Whether the daemon must be restarted.
        Livez "/livez",
        /// Whether it can answer.
        Readyz "/readyz",
        /// How it is.
        Status "/status",
        /// One turn.
        Talk "/talk",
        /// A key, pressed from afar.
        Press "/press",
        /// The video of an answer.
        Video "/video",
        /// Anything else, or nothing that could be understood.
        Other "other",
    }
}

label! {
    /// Why somebody was turned away before being heard.
    Refused "reason" {
        /// The address is not in `admin.allow`.
        Address "address",
        /// Too many connections, in all or from one address.
        Connections "connections",
        /// No password, or a wrong one.
        Password "password",
        /// More requests, or more passwords to check, than are allowed.
        Rate "rate",
    }
}

label! {
    /// Why a TLS handshake failed.
    TlsFailure "kind" {
        /// The client speaks HTTP without TLS.
        PlainHttp "plain_http",
        /// The client speaks something else.
        NotTls "not_tls",
        /// The client did not go on, in time or at all.
        GaveUp "gave_up",
        /// No version, cipher suite or curve in common.
        Incompatible "incompatible",
        /// The client has no certificate.
        NoCertificate "no_certificate",
        /// The client's certificate is of another authority.
        UnknownCa "unknown_ca",
        /// The client's certificate is no longer valid, or not yet.
        Expired "expired",
        /// The client's certificate does not bear an allowed name.
        WrongName "wrong_name",
        /// The client's certificate is no good for another reason.
        BadCertificate "bad_certificate",
        /// The client does not accept our certificate, or gives another reason.
        Alert "alert",
        /// Anything else.
        Other "other",
    }
}

/// One metric for each value of a label; all of them exist from the start, so that rates do too.
pub struct By<L: Label, M> {
    children: Vec<M>,
    label: PhantomData<fn(L)>,
}

impl<L: Label, M> std::fmt::Debug for By<L, M> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "by {}", L::NAME)
    }
}

impl<L: Label, M> By<L, M> {
    pub(super) fn new(mut child: impl FnMut(&'static str) -> M) -> Self {
        let children = L::ALL.iter().map(|label| child(label.value())).collect();
        Self { children, label: PhantomData }
    }

    /// The one for `label`.
    pub fn of(&self, label: L) -> &M {
        let position = L::ALL.iter().position(|other| other.value() == label.value());
        &self.children[position.expect("ALL holds every variant")]
    }
}

/// Counters that appear when what they count has happened: there is not room for every fault that a kiosk
/// may never have.
pub struct Rare<L: Label> {
    counters: IntCounterVec,
    label: PhantomData<fn(L)>,
}

impl<L: Label> std::fmt::Debug for Rare<L> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "rarely by {}", L::NAME)
    }
}

impl<L: Label> Rare<L> {
    pub(super) fn new(counters: IntCounterVec) -> Self {
        Self { counters, label: PhantomData }
    }

    /// The one for `label`.
    pub fn of(&self, label: L) -> IntCounter {
        self.counters.with_label_values(&[label.value()])
    }
}
