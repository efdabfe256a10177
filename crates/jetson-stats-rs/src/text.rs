//! Parsers of the kernel's small text files. Pure, and safe for any bytes.

use std::io;

/// The most characters of a [`name`].
pub(crate) const LONGEST_NAME: usize = 96;

/// The most characters of a [`zone`], before a number that makes it unlike others.
const LONGEST_ZONE: usize = 60;

/// A short name that may be shown and used as a label: printable, on one line, at most 96 characters.
///
/// What is not UTF-8 was replaced before; control characters become spaces, and those that turn the
/// direction of writing are left out, so that a name cannot pretend to be another.
pub(crate) fn name(text: &str) -> String {
    let mut name = String::new();
    let shown = |c: &char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let clean = text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).chars().filter(shown);
    for c in clean.take(LONGEST_NAME) {
        name.push(if c.is_control() { ' ' } else { c });
    }
    name.trim().to_owned()
}

/// `CPU-therm` and `cpu-thermal` are both `cpu`, `Tboard_tegra` is `tboard`, `thermal-fan-est` is
/// `fan_est`: a zone keeps its name over releases.
pub(crate) fn zone(text: &str) -> String {
    let lower = name(text).to_ascii_lowercase();
    let short = ["-thermal", "-therm", "_thermal", "_therm", "_tegra"]
        .iter()
        .find_map(|suffix| lower.strip_suffix(suffix))
        .unwrap_or(&lower);
    let short = short.strip_prefix("thermal-").unwrap_or(short);
    let plain = |c: char| if c == '-' || c.is_whitespace() { '_' } else { c };
    let name: String = short.chars().take(LONGEST_ZONE).map(plain).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// A whole number at the beginning, with nothing but a unit after it: `32760 ma`, `0x01`.
pub(crate) fn number(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let word = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let word = word.split_whitespace().next()?;
    match word.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// All whole numbers among the words of a text.
pub(crate) fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Members of a list of CPUs such as `0-3,6`; nothing above 4095 is believed.
pub(crate) fn cpus(list: &str) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for part in list.trim().split([',', ' ']).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > 4095 {
            return None;
        }
        all.extend(first..=last);
    }
    all.sort_unstable();
    all.dedup();
    (!all.is_empty()).then_some(all)
}

/// The number after `key` on the line that begins with it, as `/proc/meminfo` and `/proc/vmstat` write.
pub(crate) fn field(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix([':', ' ']))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The value of `KEY=value` or `KEY="value"`.
pub(crate) fn assigned(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(name(line.trim().trim_matches('"'))).filter(|value| !value.is_empty())
}

/// `hwmon10` comes after `hwmon9`.
pub(crate) fn by_number(text: &str) -> (String, u64, &str) {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (head.to_owned(), text[head.len()..].parse().unwrap_or(0), text)
}

/// Makes names unique: the second `cpu` becomes `cpu_2`.
pub(crate) fn distinct<'a, T: 'a>(
    items: impl IntoIterator<Item = &'a mut T>,
    name: impl Fn(&mut T) -> &mut String,
) {
    let mut seen: Vec<String> = Vec::new();
    for item in items {
        let name = name(item);
        let mut number = 1;
        let mut candidate = name.clone();
        while seen.contains(&candidate) {
            number += 1;
            candidate = format!("{name}_{number}");
        }
        seen.push(candidate.clone());
        *name = candidate;
    }
}

/// The error that a side file names.
pub(crate) fn errno(name: &str) -> io::Error {
    use rustix::io::Errno;
    let code = match name {
        "EAGAIN" => Errno::AGAIN,
        "EINVAL" => Errno::INVAL,
        "ENODATA" => Errno::NODATA,
        "ENODEV" => Errno::NODEV,
        "ENXIO" => Errno::NXIO,
        "EIO" => Errno::IO,
        "ETIMEDOUT" => Errno::TIMEDOUT,
        "EREMOTEIO" => Errno::REMOTEIO,
        "EACCES" => Errno::ACCESS,
        "EPERM" => Errno::PERM,
        other => return io::Error::other(format!("a side file names the unknown error {other:?}")),
    };
    code.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zones_keep_their_name_over_releases() {
        for (given, wanted) in [
            ("CPU-therm", "cpu"),
            ("cpu-thermal", "cpu"),
            ("Tboard_tegra", "tboard"),
            ("tboard-thermal", "tboard"),
            ("thermal-fan-est", "fan_est"),
            ("soc012-thermal", "soc012"),
            ("x86_pkg_temp", "x86_pkg_temp"),
            ("-thermal", "unnamed"),
            ("\u{202e}gpu-thermal\n", "gpu"),
        ] {
            assert_eq!(zone(given), wanted);
        }
    }

    #[test]
    fn numbers_may_carry_a_unit() {
        assert_eq!(number(b"32760 ma\n"), Some(32760));
        assert_eq!(number(b"-5000\n"), Some(-5000));
        assert_eq!(number(b"0x02\n"), Some(2));
        assert_eq!(number(b"12x"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number(b"99999999999999999999"), None);
    }

    #[test]
    fn lists_of_cpus() {
        assert_eq!(cpus("0-3,6\n"), Some(vec![0, 1, 2, 3, 6]));
        assert_eq!(cpus("0 1 2 3"), Some(vec![0, 1, 2, 3]));
        assert_eq!(cpus("5-2"), None);
        assert_eq!(cpus("0-4294967295"), None);
        assert_eq!(cpus("\n"), None);
    }

    #[test]
    fn equal_names_are_told_apart() {
        let mut names = ["cpu", "cpu", "cpu_2", "gpu"].map(String::from);
        distinct(&mut names, |name| name);
        assert_eq!(names, ["cpu", "cpu_2", "cpu_2_2", "gpu"]);
    }

    #[test]
    fn a_key_is_a_whole_word() {
        let text = "SwapTotal:  5 kB\nSwap: 1 kB\n";
        assert_eq!(field(text, "Swap"), Some(1));
        assert_eq!(field("oom_kill 3\n", "oom_kill"), Some(3));
        assert_eq!(assigned("A=\"b c\"\n", "A").as_deref(), Some("b c"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = String::from_utf8_lossy(&bytes);
            let _ = (number(&bytes), numbers(&text), cpus(&text), field(&text, "a"));
            let shown = name(&text);
            prop_assert!(shown.chars().count() <= LONGEST_NAME);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(!zone(&text).is_empty());
        }

        #[test]
        fn a_number_is_read_as_it_was_written(value: i64, unit in "( ?[a-z]{0,3})?") {
            let text = format!("{value} {unit}\n");
            prop_assert_eq!(number(text.as_bytes()), Some(value));
        }

        #[test]
        fn lists_of_cpus_hold_what_they_say(first in 0u32..4000, more in 0u32..90) {
            let all = cpus(&format!("{first}-{}", first + more)).expect("a list");
            prop_assert_eq!(all.len() as u32, more + 1);
        }
    }
}
