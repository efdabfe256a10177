//! Quantities with their unit in the type, always in base units.

use std::fmt;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $field:literal, $symbol:literal, $digits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            /// The number alone.
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digits = to.precision().unwrap_or($digits);
                write!(to, concat!("{:.*}", $symbol), digits, self.0)
            }
        }

        /// One key that names the unit, so that a reader of JSON need not guess.
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_map([($field, self.0)])
            }
        }
    };
}

unit!(
    /// A temperature in degrees Celsius.
    Celsius, "celsius", " °C", 1
);
unit!(
    /// A voltage in volts.
    Volts, "volts", " V", 3
);
unit!(
    /// An electric current in amperes.
    Amperes, "amperes", " A", 3
);
unit!(
    /// Power in watts.
    Watts, "watts", " W", 2
);
unit!(
    /// A resistance in ohms.
    Ohms, "ohms", " Ω", 4
);
unit!(
    /// A frequency in hertz.
    Hertz, "hertz", " Hz", 0
);
unit!(
    /// A time in seconds.
    Seconds, "seconds", " s", 1
);
unit!(
    /// A part of a whole, from 0 to 1.
    Ratio, "ratio", "", 3
);
unit!(
    /// Turns a minute: the one unit here that is no base unit, because every fan is sold by it.
    Rpm, "rpm", " rpm", 0
);

/// An amount of memory or storage in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The number alone.
    pub fn get(self) -> f64 {
        self.0 as f64
    }
}

impl fmt::Display for Bytes {
    /// In binary multiples, as memory is sold.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0 as f64;
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if left < 1024.0 {
                return write!(to, "{left:.*} {unit}", usize::from(unit != "B"));
            }
            left /= 1024.0;
        }
        write!(to, "{left:.1} TiB")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map([("bytes", self.0)])
    }
}

impl Watts {
    /// What a rail takes.
    pub fn of(volts: Volts, amperes: Amperes) -> Self {
        Self(volts.0 * amperes.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_tell_their_unit() {
        assert_eq!(Celsius(47.5).to_string(), "47.5 °C");
        assert_eq!(format!("{:.0}", Volts(4.984)), "5 V");
        assert_eq!(Bytes(805_068 * 1024).to_string(), "786.2 MiB");
        assert_eq!(Bytes(900).to_string(), "900 B");
        assert_eq!(Watts::of(Volts(5.0), Amperes(2.0)), Watts(10.0));
    }
}
