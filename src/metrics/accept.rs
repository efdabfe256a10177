//! What a scraper can read, from its `Accept` and `Accept-Encoding`.

/// How metrics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, version 0.0.4; it is what one gets who says nothing.
    #[default]
    Text,
    /// `OpenMetrics` 1.0.0; how names outside ASCII would be escaped, if the scraper has said so.
    OpenMetrics(Option<Escaping>),
}

/// How a scraper wants names that are not ASCII words. All of ours are, so that each way gives the
/// same names, and the scraper only wants to hear that it was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// As they are.
    AllowUtf8,
    /// With `_` for what is not allowed.
    Underscores,
    /// With `_dot_` for a full stop.
    Dots,
    /// With the number of each character that is not allowed.
    Values,
}

impl Escaping {
    fn named(name: &str) -> Option<Self> {
        match name {
            "allow-utf-8" => Some(Self::AllowUtf8),
            "underscores" => Some(Self::Underscores),
            "dots" => Some(Self::Dots),
            "values" => Some(Self::Values),
            _ => None,
        }
    }
}

impl Format {
    /// The `Content-Type`, which Prometheus 3 does not do without.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics(None) => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::OpenMetrics(Some(Escaping::AllowUtf8)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
            }
            Self::OpenMetrics(Some(Escaping::Underscores)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
            Self::OpenMetrics(Some(Escaping::Dots)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=dots"
            }
            Self::OpenMetrics(Some(Escaping::Values)) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values"
            }
        }
    }

    /// The format that suits `accept` best: `OpenMetrics` if it is named and wanted as much as text,
    /// else text, also where nothing suits, because a scraper can do more with it than with a refusal.
    pub fn accepted(accept: Option<&str>) -> Self {
        // How exactly a clause names a format, and how much it is wanted; the more exact one counts.
        let mut text = (0, 0.0);
        let mut open = (0, 0.0);
        let mut escaping = None;
        for clause in clauses(accept.unwrap_or_default()) {
            let version = clause.parameter("version");
            let exactly = |known: &str| match version {
                None => Some(3),
                Some(version) => (version == known).then_some(4),
            };
            let (format, exactness) = match clause.value.to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => (&mut open, exactly("1.0.0")),
                "text/plain" => (&mut text, exactly("0.0.4")),
                "text/*" => (&mut text, Some(2)),
                "*/*" => (&mut text, Some(1)),
                _ => continue,
            };
            let Some(exactness) = exactness else { continue };
            if (exactness, clause.quality) > *format {
                *format = (exactness, clause.quality);
                if exactness >= 3 && clause.value.starts_with(['a', 'A']) {
                    escaping = clause.parameter("escaping").and_then(Escaping::named);
                }
            }
        }
        if open.1 > 0.0 && open.1 >= text.1 { Self::OpenMetrics(escaping) } else { Self::Text }
    }
}

/// Whether the reply may be compressed with gzip.
pub(super) fn gzip(accept_encoding: Option<&str>) -> bool {
    let (mut named, mut any, mut plain) = (None, None, None);
    for clause in clauses(accept_encoding.unwrap_or_default()) {
        match clause.value.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => named = Some(clause.quality),
            "*" => any = Some(clause.quality),
            "identity" => plain = Some(clause.quality),
            _ => {}
        }
    }
    let wanted = named.or(any).unwrap_or(0.0);
    wanted > 0.0 && wanted >= plain.unwrap_or(0.0)
}

/// One of the things that a header lists.
struct Clause<'a> {
    value: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// How much it is wanted, 0 to 1.
    quality: f32,
}

impl<'a> Clause<'a> {
    fn parameter(&self, name: &str) -> Option<&'a str> {
        let found = self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }
}

/// The things that a header lists; those whose quality is no number from 0 to 1 are left out.
fn clauses(header: &str) -> impl Iterator<Item = Clause<'_>> {
    header.split(',').filter_map(|clause| {
        let mut parts = clause.split(';').map(str::trim);
        let value = parts.next().filter(|value| !value.is_empty())?;
        let parameters: Vec<_> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')))
            .collect();
        let mut clause = Clause { value, parameters, quality: 1.0 };
        if let Some(quality) = clause.parameter("q") {
            clause.quality = quality.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
        }
        Some(clause)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN: Format = Format::OpenMetrics(None);

    #[test]
    fn the_format_is_the_one_that_is_wanted_most() {
        // What Prometheus 3 and 2.42 send.
        let three = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;\
            escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let two = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            (three, Format::OpenMetrics(Some(Escaping::AllowUtf8))),
            (two, OPEN),
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/openmetrics-text", OPEN),
            ("Application/OpenMetrics-Text ; Version=1.0.0", OPEN),
            ("application/openmetrics-text; version=\"1.0.0\"", OPEN),
            (
                "application/openmetrics-text;version=1.0.0;escaping=dots;q=1",
                Format::OpenMetrics(Some(Escaping::Dots)),
            ),
            ("application/openmetrics-text;version=1.0.0;escaping=secret", OPEN),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.4", Format::Text),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.4", OPEN),
            ("application/openmetrics-text;q=0.4,text/plain;q=0,*/*;q=0.9", OPEN),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=x,text/plain;q=0.1", Format::Text),
            ("application/openmetrics-text;q=7", Format::Text),
            ("application/openmetrics-text;q=NaN", Format::Text),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
                Format::Text,
            ),
            (",,;;q=,=;", Format::Text),
        ] {
            assert_eq!(Format::accepted(Some(accept)), format, "{accept}");
        }
        assert_eq!(Format::accepted(None), Format::Text);
    }

    #[test]
    fn gzip_is_for_those_who_want_it() {
        for (accept, wanted) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, *", false),
            ("*", true),
            ("identity", false),
            ("gzip;q=0.5, identity;q=1", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(gzip(Some(accept)), wanted, "{accept}");
        }
        assert!(!gzip(None));
    }

    proptest! {
        /// Whatever is asked for, there is an answer of a type that Prometheus knows.
        #[test]
        fn every_header_has_an_answer(accept in "[a-z/*;,=.0-9q \"]{0,80}") {
            let told = Format::accepted(Some(&accept)).content_type();
            prop_assert!(told.contains("version="));
            gzip(Some(&accept));
        }
    }
}
