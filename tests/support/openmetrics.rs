//! A reader of `OpenMetrics` text that forgives nothing, written from the specification and not from
//! the encoder.

use std::collections::{BTreeMap, HashSet};

/// A family as it was read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) unit: Option<String>,
    pub(crate) help: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

/// Names and values in the order in which they were written.
pub(crate) type Labels = Vec<(String, String)>;

/// A line with a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// What follows the family's name.
    pub(crate) suffix: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The labels that tell one metric of a family from another.
    fn metric(&self) -> Labels {
        let own = |(name, _): &&(String, String)| name != "le" && name != "quantile";
        self.labels.iter().filter(own).cloned().collect()
    }
}

fn is_name(name: &str, colon: bool) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || (colon && c == ':');
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

/// Undoes `\\`, `\"` and `\n`; anything else behind a backslash, or a bare quotation mark, is wrong.
fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '"' => return Err(format!("a bare quotation mark in {text:?}")),
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some(escaped @ ('\\' | '"')) => escaped,
                other => return Err(format!("\\ before {other:?} in {text:?}")),
            },
            c => c,
        });
    }
    Ok(plain)
}

/// A number in the one way in which each is written.
fn number(text: &str) -> Result<f64, String> {
    let value = match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => {
            let digits = |c: char| c.is_ascii_digit() || "+-.e".contains(c);
            let canonical = text.chars().all(digits) && text.contains(['.', 'e']);
            canonical
                .then(|| text.parse().ok())
                .flatten()
                .filter(|value: &f64| value.is_finite())
                .ok_or_else(|| format!("{text:?} is no canonical number"))?
        }
    };
    Ok(value)
}

/// The labels between `{` and `}`, and what follows.
fn labels(text: &str) -> Result<(Labels, &str), String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        let mut escaped = false;
        let end = after.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let end = end.ok_or("a label value without an end")?;
        if !is_name(name, false) || found.iter().any(|(other, _)| other == name) {
            return Err(format!("{name:?} is no label, or there twice"));
        }
        found.push((name.to_owned(), unescape(&after[..end])?));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok((found, rest.strip_prefix('}').ok_or("no }")?)),
        }
    }
}

fn suffixes(kind: &str) -> Result<&'static [&'static str], String> {
    Ok(match kind {
        "counter" => &["_total"],
        "gauge" | "unknown" => &[""],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_count", "_sum"],
        "summary" => &["", "_count", "_sum"],
        _ => return Err(format!("the type {kind:?} does not exist")),
    })
}

fn sample(line: &str, name: &str, family: &Family) -> Result<Sample, String> {
    let rest = line.strip_prefix(name).ok_or_else(|| format!("{line:?} is not of {name}"))?;
    let end = rest.find(['{', ' ']).ok_or("a sample without a value")?;
    let (suffix, rest) = rest.split_at(end);
    if !suffixes(&family.kind)?.contains(&suffix) {
        return Err(format!("{suffix:?} does not belong to a {}", family.kind));
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = rest.strip_prefix(' ').ok_or_else(|| format!("no space in {line:?}"))?;
    Ok(Sample { suffix: suffix.to_owned(), labels, value: number(value)? })
}

/// What is wrong with a whole family, if anything.
fn check(name: &str, family: &Family) -> Result<(), String> {
    if !is_name(name, true) {
        return Err(format!("{name:?} is no name"));
    }
    if let Some(unit) = &family.unit
        && !name.ends_with(&format!("_{unit}"))
    {
        return Err(format!("{name} does not end in its unit {unit}"));
    }
    let mut seen = HashSet::new();
    let mut metrics: BTreeMap<_, Vec<&Sample>> = BTreeMap::new();
    let mut last = None;
    for sample in &family.samples {
        let (told, metric) = (format!("{sample:?}"), sample.metric());
        if !seen.insert((sample.suffix.clone(), sample.labels.clone())) {
            return Err(format!("{name} has {told} twice"));
        }
        if last.as_ref() != Some(&metric) && metrics.contains_key(&metric) {
            return Err(format!("{name}: {told} is not with its like"));
        }
        metrics.entry(metric.clone()).or_default().push(sample);
        last = Some(metric);
        let counts = family.kind == "counter" || ["_bucket", "_count"].contains(&&*sample.suffix);
        if counts && (sample.value < 0.0 || !sample.value.is_finite()) {
            return Err(format!("{name} counts {told}"));
        }
        if family.kind == "info" && sample.value != 1.0 {
            return Err(format!("{name} is an info with {told}"));
        }
    }
    if family.kind == "histogram" {
        for samples in metrics.values() {
            let of = |suffix| samples.iter().filter(move |sample| sample.suffix == suffix);
            let mut buckets = Vec::new();
            for bucket in of("_bucket") {
                let bound = bucket.label("le").ok_or("a bucket without a bound")?;
                buckets.push((number(bound)?, bucket.value));
            }
            let rising = buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1);
            let (bound, all) = *buckets.last().ok_or("a histogram without buckets")?;
            let counts: Vec<f64> = of("_count").map(|sample| sample.value).collect();
            if !rising || bound != f64::INFINITY || counts != [all] || of("_sum").count() != 1 {
                return Err(format!("the histogram {name} is not one: {samples:?}"));
            }
        }
    }
    Ok(())
}

/// Reads all of it, or says what is wrong.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Family>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("there is no # EOF at the end")?;
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in body.lines() {
        let Some(told) = line.strip_prefix("# ") else {
            let family = families.get_mut(&current).ok_or("a sample before its family")?;
            let sample = sample(line, &current, family)?;
            family.samples.push(sample);
            continue;
        };
        let mut words = told.splitn(3, ' ');
        let (what, name) = (words.next().unwrap_or(""), words.next().ok_or("no name")?);
        let value = words.next().ok_or("a comment that says nothing")?;
        if what == "TYPE" {
            if families.contains_key(name) {
                return Err(format!("the family {name} is there twice"));
            }
            name.clone_into(&mut current);
            suffixes(value)?;
        }
        let family = families.entry(current.clone()).or_default();
        if name != current || !family.samples.is_empty() {
            return Err(format!("{line:?} is not at the head of its family"));
        }
        match what {
            "TYPE" => value.clone_into(&mut family.kind),
            "UNIT" => family.unit = Some(value.to_owned()),
            "HELP" => family.help = Some(unescape(value)?),
            _ => return Err(format!("{line:?} is no comment that is known")),
        }
    }
    let mut samples = HashSet::new();
    for (name, family) in &families {
        check(name, family)?;
        for suffix in suffixes(&family.kind)? {
            if !samples.insert(format!("{name}{suffix}")) {
                return Err(format!("{name}{suffix} could be of two families"));
            }
        }
    }
    Ok(families)
}
