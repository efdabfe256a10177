//! Numbers as words.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const GROUPS: [(u64, &str); 3] =
    [(1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand")];
/// Beyond this, digits are read one by one.
const LARGEST: u64 = 999_999_999_999;

type Words = Vec<&'static str>;

/// 214 → two hundred fourteen.
pub(super) fn cardinal(number: u64) -> Words {
    let mut words = Words::new();
    let mut rest = number;
    for (size, name) in GROUPS {
        if rest >= size {
            words.extend(cardinal(rest / size));
            words.push(name);
            rest %= size;
        }
    }
    if rest >= 100 {
        words.extend([SMALL[(rest / 100) as usize], "hundred"]);
        rest %= 100;
    }
    if rest >= 20 {
        words.push(TENS[(rest / 10) as usize]);
        rest %= 10;
        if rest > 0 {
            words.push(SMALL[rest as usize]);
        }
    } else if rest > 0 || words.is_empty() {
        words.push(SMALL[rest as usize]);
    }
    words
}

/// 23 → twenty third.
pub(super) fn ordinal(number: u64) -> Vec<String> {
    let mut words: Vec<String> = cardinal(number).into_iter().map(str::to_owned).collect();
    if let Some(last) = words.last_mut() {
        *last = match last.as_str() {
            "one" => "first".into(),
            "two" => "second".into(),
            "three" => "third".into(),
            "five" => "fifth".into(),
            "eight" => "eighth".into(),
            "nine" => "ninth".into(),
            "twelve" => "twelfth".into(),
            tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
            other => format!("{other}th"),
        };
    }
    words
}

/// Two digits as they follow an hour or a century: 05 → oh five, 30 → thirty.
pub(super) fn pair(number: u64) -> Words {
    if number < 10 { vec!["oh", SMALL[number as usize]] } else { cardinal(number) }
}

/// 1987 → nineteen eighty seven, 2005 → two thousand five, 1900 → nineteen hundred.
pub(super) fn year(number: u64) -> Words {
    if !(1_000..10_000).contains(&number) || (number / 100).is_multiple_of(10) && number % 100 < 10
    {
        return cardinal(number);
    }
    let mut words = cardinal(number / 100);
    if number.is_multiple_of(100) {
        words.push("hundred");
    } else {
        words.extend(pair(number % 100));
    }
    words
}

/// 5550 → five five five zero.
pub(super) fn digits(text: &str) -> Words {
    text.chars().filter_map(|c| c.to_digit(10)).map(|digit| SMALL[digit as usize]).collect()
}

/// Digits, perhaps with thousands separated by commas, as a number. A number with a leading zero, or
/// too large to say, becomes its digits.
pub(super) fn read(text: &str) -> Words {
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    match plain.parse::<u64>() {
        Ok(number) if number <= LARGEST && (plain.len() == 1 || !plain.starts_with('0')) => {
            if plain.len() == 4 && !text.contains(',') { year(number) } else { cardinal(number) }
        }
        _ => digits(&plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said() {
        let said = |words: Words| words.join(" ");
        assert_eq!(said(cardinal(0)), "zero");
        assert_eq!(said(cardinal(1_214)), "one thousand two hundred fourteen");
        assert_eq!(said(cardinal(3_000_020)), "three million twenty");
        assert_eq!(said(year(1987)), "nineteen eighty seven");
        assert_eq!(said(year(1900)), "nineteen hundred");
        assert_eq!(said(year(2005)), "two thousand five");
        assert_eq!(said(year(2026)), "twenty twenty six");
        assert_eq!(said(year(1203)), "twelve oh three");
        assert_eq!(said(read("1,500")), "one thousand five hundred");
        assert_eq!(said(read("0049")), "zero zero four nine");
        assert_eq!(ordinal(23).join(" "), "twenty third");
        assert_eq!(ordinal(30).join(" "), "thirtieth");
        assert_eq!(said(read("99999999999999999999999")), vec!["nine"; 23].join(" "));
    }
}
