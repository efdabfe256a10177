//! Colours as people write them.

use anyhow::{Context, Result, ensure};

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Reads `#rrggbb`.
///
/// # Errors
/// It is written otherwise.
pub fn parse(text: &str) -> Result<Colour> {
    let shape = || format!("{text:?} is no colour; write it as #rrggbb, such as #3fd0c0");
    let digits = text.strip_prefix('#').with_context(shape)?;
    ensure!(digits.len() == 6 && digits.is_ascii(), shape());
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).with_context(shape);
    Ok([part(0)?, part(2)?, part(4)?])
}

/// A colour between two: `share` of the second, 0 to 1.
pub fn mix(one: Colour, two: Colour, share: f32) -> Colour {
    let part = |i: usize| {
        let (a, b) = (f32::from(one[i]), f32::from(two[i]));
        (a + (b - a) * share.clamp(0.0, 1.0)).round() as u8
    };
    [part(0), part(1), part(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_or_refused() {
        assert_eq!(parse("#0a10FF").unwrap(), [10, 16, 255]);
        for wrong in ["", "red", "#12345", "#1234567", "#12345g", "#ééé", "112233"] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains("#rrggbb"), "{error}");
        }
        assert_eq!(mix([0, 100, 255], [100, 100, 55], 0.5), [50, 100, 155]);
    }
}
