//! Layers: files are parsed one by one, for messages with a place, then merged as tables.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use serde_json::Value as Schema;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{Config, Place, Problem, Problems};

impl Config {
    /// Loads all layers of this machine; `file` takes the place of those under `/etc`.
    ///
    /// # Errors
    /// Everything that is wrong with any of the files, with its place.
    pub fn load(file: Option<&Path>) -> Result<Self, Problems> {
        Self::load_under(Path::new("/"), file)
    }

    /// Like [`Config::load`], with the system's folders under `root`.
    ///
    /// # Errors
    /// Everything that is wrong with any of the files, with its place.
    pub fn load_under(root: &Path, file: Option<&Path>) -> Result<Self, Problems> {
        let mut merged = Table::new();
        let mut problems = Vec::new();
        for path in layers(root, file) {
            match fs::read(&path) {
                Ok(bytes) => match parse(&path, &bytes) {
                    Ok(table) => merge(&mut merged, table),
                    Err(found) => problems.extend(found),
                },
                Err(error) => problems.push(unreadable(&path, &error)),
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        merged.try_into().map_err(|error: toml::de::Error| {
            let why = error.message().to_owned();
            Problems(vec![Problem { key: String::new(), why, place: None }])
        })
    }
}

/// The files that [`Config::load_under`] reads, from the weakest to the strongest.
pub fn layers(root: &Path, file: Option<&Path>) -> Vec<PathBuf> {
    let one = |path: &str| Some(root.join(path)).filter(|path| path.exists());
    let mut paths = Vec::from_iter(one("usr/lib/linly-edge/config.toml"));
    if let Some(file) = file {
        // Asked for by name, so that it is an error when it is not there.
        paths.push(file.to_owned());
    } else {
        paths.extend(one("etc/linly-edge/config.toml"));
        paths.extend(drop_ins(&root.join("etc/linly-edge/config.d")));
    }
    paths.extend(drop_ins(&root.join("run/linly-edge/config.d")));
    paths
}

fn drop_ins(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths
}

/// Tables are merged by key; anything else replaces.
fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let why = format!("cannot be read: {error}");
    let place = Place { file: path.to_owned(), line: 0, column: 0 };
    Problem { key: String::new(), why, place: Some(place) }
}

/// Parses one layer alone: after merging, an error would have lost its line.
fn parse(path: &Path, bytes: &[u8]) -> Result<Table, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let source = Source { path, text: &before };
        vec![source.problem("", "is not UTF-8 text from here on".to_owned(), before.len())]
    })?;
    let source = Source { path, text };
    let located = |error: &toml::de::Error, key: &str| {
        let at = error.span().unwrap_or(Range { start: 0, end: 0 }).start;
        source.problem(key, error.message().replace('\n', ", "), at)
    };
    let tree = DeTable::parse(text).map_err(|error| vec![located(&error, "")])?;
    let mut problems = Vec::new();
    walk(&source, tree.get_ref(), &Config::schema(), "", &mut problems);
    problems.sort_by_key(|problem| problem.place.as_ref().map(|at| (at.line, at.column)));
    if problems.is_empty() {
        // Types, of which serde tells the first that is wrong.
        if let Err(error) = toml::from_str::<Config>(text) {
            let at = error.span().map_or(0, |span| span.start);
            problems.push(located(&error, &key_at(tree.get_ref(), at, "")));
        }
    }
    if problems.is_empty() {
        text.parse().map_err(|error| vec![located(&error, "")])
    } else {
        Err(problems)
    }
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn problem(&self, key: &str, why: String, at: usize) -> Problem {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let place = Place { file: self.path.to_owned(), line, column };
        Problem { key: key.to_owned(), why, place: Some(place) }
    }
}

/// Finds unknown keys and numbers out of range, all of them at once.
fn walk(
    source: &Source<'_>,
    table: &DeTable<'_>,
    schema: &Schema,
    above: &str,
    found: &mut Vec<Problem>,
) {
    for (name, value) in table {
        let key = join(above, name.get_ref());
        let Some(expected) = schema["properties"].get(name.get_ref().as_ref()) else {
            found.push(source.problem(&key, unknown(name.get_ref(), schema), name.span().start));
            continue;
        };
        let range = (expected["minimum"].as_f64(), expected["maximum"].as_f64());
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::Table(inner) if expected["properties"].is_object() => {
                walk(source, inner, expected, &key, found);
                None
            }
            _ => None,
        };
        if let Some(number) = number.filter(|number| !within(*number, range)) {
            let why = format!("{number} is out of range; it must be {}", words(range));
            found.push(source.problem(&key, why, value.span().start));
        }
    }
}

fn within(number: f64, (least, most): (Option<f64>, Option<f64>)) -> bool {
    // Written so that NaN is out of every range.
    least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
}

fn words(range: (Option<f64>, Option<f64>)) -> String {
    match range {
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "a number".to_owned(),
    }
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

/// The key whose value stands at `at`.
fn key_at(table: &DeTable<'_>, at: usize, above: &str) -> String {
    for (name, value) in table {
        let key = join(above, name.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            let found = key_at(inner, at, &key);
            if !found.is_empty() {
                return found;
            }
        }
        if value.span().contains(&at) {
            return key;
        }
    }
    String::new()
}

fn unknown(name: &str, schema: &Schema) -> String {
    let known = schema["properties"].as_object();
    let mut known: Vec<_> = known.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    known.sort_unstable();
    let nearest = known.iter().min_by_key(|key| distance(name, key));
    match nearest.filter(|key| distance(name, key) <= 1 + name.len() / 4) {
        Some(key) => format!("is not known; did you mean \"{key}\"?"),
        None => format!("is not known; there are {}", known.join(", ")),
    }
}

/// How many letters must be added, removed or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_goes_by_key_and_is_idempotent() {
        let below: Table = "a = 1\n[t]\nx = 1\ny = 2".parse().unwrap();
        let above: Table = "a = 2\n[t]\ny = 3\nz = [4]".parse().unwrap();
        let mut merged = below;
        merge(&mut merged, above.clone());
        assert_eq!(merged, "a = 2\n[t]\nx = 1\ny = 3\nz = [4]".parse().unwrap());
        let once = merged.clone();
        merge(&mut merged, above);
        assert_eq!(merged, once);
    }

    #[test]
    fn distance_counts_letters() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("same", "same", 0),
            ("treshold", "threshold", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}
