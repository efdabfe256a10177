//! `web-config.yml`: who may read, in the format of the Prometheus exporters.
//!
//! Everything that is wrong is told at once, and nothing that is secret is told.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use super::{
    passwords::Users,
    rate::Rate,
    tls::{self, Tls},
};

/// Largest file that is read, in bytes; certificates are a hundred times smaller.
const FILE_LIMIT: u64 = 1 << 20;
/// Headers that may be set, and the values of those that have few.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// What is asked of a connection and of a request.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub tls: Option<Tls>,
    pub users: Users,
    pub headers: Vec<(String, String)>,
    pub rate: Option<Rate>,
}

/// What came of reading the file.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Otherwise everything that is wrong with it.
    pub rules: Result<Rules, Vec<String>>,
    /// What is allowed, but should be looked at.
    pub warnings: Vec<String>,
    /// Every file that was read or should have been, as it was before that.
    pub files: Vec<(PathBuf, Mark)>,
}

/// What tells that a file has changed: when, how large, and which (a rename brings another one).
pub(super) type Mark = Option<(i64, i64, u64, u64)>;

/// How a file is now; `None` if it is not there.
pub(super) fn mark(path: &Path) -> Mark {
    let about = fs::metadata(path).ok()?;
    Some((about.mtime(), about.mtime_nsec(), about.len(), about.ino()))
}

/// A value that is never shown.
#[derive(Clone, Default)]
pub(super) struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("<secret>")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Secret;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(text.to_owned()))
            }
        }
        from.deserialize_str(Text)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    tls_server_config: Option<TlsSection>,
    http_server_config: Option<HttpSection>,
    basic_auth_users: UserSection,
    rate_limit: Option<RateSection>,
}

/// How TLS is spoken. Keys are those of the exporters.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsSection {
    pub cert: Option<String>,
    pub key: Option<Secret>,
    pub client_ca: Option<String>,
    pub cert_file: Option<String>,
    pub key_file: Option<String>,
    pub client_ca_file: Option<String>,
    pub client_auth_type: Option<String>,
    pub client_allowed_sans: Option<Vec<String>>,
    pub min_version: Option<String>,
    pub max_version: Option<String>,
    pub cipher_suites: Option<Vec<String>>,
    pub prefer_server_cipher_suites: Option<bool>,
    pub curve_preferences: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HttpSection {
    /// Read and not used: HTTP/1.1 is spoken either way, as it is with any client that has no HTTP/2.
    #[serde(rename = "http2")]
    _http2: Option<bool>,
    headers: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RateSection {
    interval: Option<String>,
    burst: Option<i64>,
}

/// Users and hashes; its errors do not show what was there instead.
#[derive(Debug, Default)]
struct UserSection(BTreeMap<String, Secret>);

impl<'de> Deserialize<'de> for UserSection {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = UserSection;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a map of user names and bcrypt hashes")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UserSection, A::Error> {
                let mut users = BTreeMap::new();
                while let Some((user, hash)) = map.next_entry::<String, Secret>()? {
                    users.insert(user, hash);
                }
                Ok(UserSection(users))
            }
            fn visit_unit<E>(self) -> Result<UserSection, E> {
                Ok(UserSection::default())
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<UserSection, E> {
                let empty = text.is_empty() || text == "~" || text == "null";
                if empty { self.visit_unit() } else { Err(E::custom("users are not a map")) }
            }
        }
        from.deserialize_any(Map)
    }
}

/// Reads the file and all that it names.
pub(super) fn load(path: &Path) -> Loaded {
    let files = vec![(path.to_owned(), mark(path))];
    let mut loaded = Loaded { rules: Ok(Rules::default()), warnings: Vec::new(), files };
    let mut problems = Vec::new();
    let file = match read(path).map_err(|error| format!("cannot be read: {error}")).and_then(parse)
    {
        Ok(file) => file,
        Err(why) => {
            loaded.rules = Err(vec![why]);
            return loaded;
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sources = Sources { folder, files: &mut loaded.files, problems: &mut problems };
    let tls = file
        .tls_server_config
        .filter(tls::is_wanted)
        .and_then(|section| tls::build(&section, &mut sources, &mut loaded.warnings));
    let headers = headers(file.http_server_config.unwrap_or_default(), &mut problems);
    let rate = rate(file.rate_limit.unwrap_or_default(), &mut problems);
    let users = Users::new(file.basic_auth_users.0, &mut problems);
    loaded.rules =
        if problems.is_empty() { Ok(Rules { tls, users, headers, rate }) } else { Err(problems) };
    loaded
}

fn parse(bytes: Vec<u8>) -> Result<File, String> {
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    // A snippet of the file might show a key or a hash.
    let options = serde_saphyr::options! { with_snippet: false };
    let file = serde_saphyr::from_str_with_options::<Option<File>>(&text, options);
    file.map(Option::unwrap_or_default).map_err(|error| {
        let why = error.without_snippet().to_string();
        why.lines().next().unwrap_or_default().to_owned()
    })
}

/// What a file named in the configuration holds.
pub(super) struct Sources<'a> {
    folder: &'a Path,
    files: &'a mut Vec<(PathBuf, Mark)>,
    pub problems: &'a mut Vec<String>,
}

impl Sources<'_> {
    /// The text that stands under `key`, or the content of the file that `key_file` names.
    pub(super) fn take(
        &mut self,
        key: &str,
        inline: Option<&str>,
        file: Option<&str>,
    ) -> Option<Vec<u8>> {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        match (given(inline), given(file)) {
            (Some(_), Some(_)) => {
                self.problem(format!("has both {key} and {key}_file; keep one of them"));
                None
            }
            (Some(text), None) => Some(text.into_bytes()),
            (None, Some(file)) => {
                let path = self.folder.join(&file);
                self.files.push((path.clone(), mark(&path)));
                let content = read(&path);
                content
                    .map_err(|error| {
                        self.problem(format!(
                            "{key}_file {} cannot be read: {error}",
                            path.display()
                        ));
                    })
                    .ok()
            }
            (None, None) => None,
        }
    }

    pub(super) fn problem(&mut self, why: String) {
        self.problems.push(format!("tls_server_config: {why}"));
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if about.len() > FILE_LIMIT {
        return Err(io::Error::other(format!("it is larger than {FILE_LIMIT} bytes")));
    }
    fs::read(path)
}

fn headers(section: HttpSection, problems: &mut Vec<String>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in section.headers.unwrap_or_default() {
        let mut problem =
            |why: String| problems.push(format!("http_server_config.headers: {name} {why}"));
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = HEADERS.iter().map(|(name, _)| *name).collect();
            problem(format!("cannot be set; only {} can", known.join(", ")));
            continue;
        };
        let value = value.trim().to_owned();
        if !values.is_empty() && !values.contains(&value.as_str()) {
            problem(format!("must be {}", values.join(" or ")));
        } else if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            problem("must be one line of ASCII".to_owned());
        } else if !value.is_empty() {
            headers.push((name, value));
        }
    }
    headers
}

fn rate(section: RateSection, problems: &mut Vec<String>) -> Option<Rate> {
    let mut problem = |why: &str| problems.push(format!("rate_limit: {why}"));
    let Some(interval) = section.interval.as_deref().map_or(Some(Duration::ZERO), duration) else {
        problem("interval is not a time such as 500ms, 1s or 1m30s");
        return None;
    };
    if interval.is_zero() {
        return None;
    }
    let burst =
        section.burst.and_then(|burst| u32::try_from(burst).ok()).filter(|burst| *burst > 0);
    if burst.is_none() {
        problem("burst must be at least 1, or nothing would be answered");
    }
    burst.map(|burst| Rate::new(interval, burst))
}

/// Times as Go writes them: `1m30s`, `1.5h`, `250ms`, `0`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[end..];
    }
    (!text.trim().is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_go() {
        for (text, ms) in
            [("1s", 1_000), ("250ms", 250), ("1m30s", 90_000), ("0", 0), ("1.5h", 5_400_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "1", "s", "-1s", "1 s", "1day", "1s2"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
