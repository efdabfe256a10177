//! What became of reading one sensor.

use std::fmt;

/// One sensor, read once.
///
/// A sensor that cannot be read never becomes a number: there is no zero, no −256 and no NaN here
/// that means something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reading<T> {
    /// What it says.
    Value(T),
    /// This machine has no such sensor. Normal.
    #[default]
    Absent,
    /// The sensor is there, but what it measures is switched off: the zone of a gated GPU, a
    /// disabled channel of a power monitor. Normal.
    Offline,
    /// It should have answered and did not.
    Failed(Failure),
}

/// Why a sensor gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Only root may read it.
    Denied,
    /// It did not answer in time.
    Late,
    /// It answered with something that cannot be: not a number, or out of the range of its kind.
    Malformed(String),
    /// The system's error.
    System(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => to.write_str("needs root"),
            Self::Late => to.write_str("did not answer in time"),
            Self::Malformed(what) => write!(to, "cannot be understood: {what}"),
            Self::System(error) => to.write_str(error),
        }
    }
}

impl std::error::Error for Failure {}

impl<T> Reading<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Like [`Reading::value`], by reference.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Value(value) => Reading::Value(value),
            Self::Absent => Reading::Absent,
            Self::Offline => Reading::Offline,
            Self::Failed(failure) => Reading::Failed(failure.clone()),
        }
    }

    /// The same reading of something else.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Value(value) => Reading::Value(to(value)),
            Self::Absent => Reading::Absent,
            Self::Offline => Reading::Offline,
            Self::Failed(failure) => Reading::Failed(failure),
        }
    }

    /// Converts a value that may turn out to be impossible.
    pub fn try_map<U>(self, to: impl FnOnce(T) -> Result<U, String>) -> Reading<U> {
        match self.map(to) {
            Reading::Value(Ok(value)) => Reading::Value(value),
            Reading::Value(Err(why)) => Reading::Failed(Failure::Malformed(why)),
            Reading::Absent => Reading::Absent,
            Reading::Offline => Reading::Offline,
            Reading::Failed(failure) => Reading::Failed(failure),
        }
    }

    /// This reading unless there is no such sensor; then that of `other`.
    #[must_use]
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Absent => other(),
            found => found,
        }
    }

    /// Whether this machine has no such sensor.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether there is a value.
    pub fn is_value(&self) -> bool {
        matches!(self, Self::Value(_))
    }

    /// Whether something is wrong. A lack of rights is not: that is how the machine was set up.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Failed(failure) if *failure != Failure::Denied)
    }
}

impl<T> From<Option<T>> for Reading<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

impl<T: fmt::Display> fmt::Display for Reading<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(to),
            Self::Absent => to.write_str("absent"),
            Self::Offline => to.write_str("offline"),
            Self::Failed(failure) => failure.fmt(to),
        }
    }
}

/// A value as itself, an absent sensor as `null`, and the rest as `"offline"` or `{"failed": why}`.
#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for Reading<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(to),
            Self::Absent => to.serialize_none(),
            Self::Offline => to.serialize_str("offline"),
            Self::Failed(failure) => to.collect_map([("failed", failure.to_string())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_is_a_number() {
        let offline: Reading<f64> = Reading::Offline;
        assert_eq!(offline.clone().map(|value| value + 1.0), Reading::Offline);
        assert_eq!(offline.value(), None);
        let odd = Reading::Value(1001).try_map(|load| match load {
            0..=1000 => Ok(load),
            _ => Err(format!("{load} of 1000")),
        });
        assert!(odd.is_fault());
        assert_eq!(odd.to_string(), "cannot be understood: 1001 of 1000");
        assert!(!Reading::<u8>::Failed(Failure::Denied).is_fault());
    }

    #[test]
    fn an_absent_sensor_gives_way() {
        assert_eq!(Reading::Absent.or_else(|| Reading::Value(2)), Reading::Value(2));
        assert_eq!(Reading::Offline.or_else(|| Reading::Value(2)), Reading::Offline);
    }
}
