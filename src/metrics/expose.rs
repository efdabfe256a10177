//! A scrape: what is sent for a request's headers. Nothing is measured here; a scrape only encodes,
//! so it needs none of the time that `X-Prometheus-Scrape-Timeout-Seconds` allows.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use prometheus::{Encoder, TextEncoder};

use super::{Format, Metrics, accept, openmetrics};

/// What a scraper gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The `Content-Encoding`; `None` needs no header.
    pub content_encoding: Option<&'static str>,
    /// The metrics, compressed if `content_encoding` says so.
    pub body: Vec<u8>,
}

impl Exposed {
    /// The headers of the request that decide what is sent: the value of `Vary`.
    pub const VARY: &'static str = "Accept, Accept-Encoding";
}

impl Metrics {
    /// All metrics as they are now, in the form that the headers `Accept` and `Accept-Encoding` of a
    /// request ask for; text where they ask for nothing that we can write.
    pub fn expose(&self, accept: Option<&str>, accept_encoding: Option<&str>) -> Exposed {
        let format = Format::accepted(accept);
        let families = self.gather();
        let plain = match format {
            Format::OpenMetrics(_) => openmetrics::encode(&families).into_bytes(),
            Format::Text => {
                let mut text = Vec::with_capacity(64 << 10);
                if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
                    tracing::error!(%error, "metrics could not be written");
                }
                text
            }
        };
        let packed = accept::gzip(accept_encoding).then(|| gzip(&plain)).flatten();
        Exposed {
            content_type: format.content_type(),
            content_encoding: packed.is_some().then_some("gzip"),
            body: packed.unwrap_or(plain),
        }
    }
}

/// The first level that looks for better matches: a fifth smaller than the fastest, for a fifth of a millisecond.
const LEVEL: u32 = 4;

fn gzip(plain: &[u8]) -> Option<Vec<u8>> {
    let packed = Vec::with_capacity(plain.len() / 4);
    let mut packed = GzEncoder::new(packed, Compression::new(LEVEL));
    packed.write_all(plain).and_then(|()| packed.finish()).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::metrics::Label;

    #[test]
    fn both_formats_come_plain_and_packed() {
        let metrics = Metrics::default();
        let open = "application/openmetrics-text; version=1.0.0";
        for (accept, kind) in [(None, "text/plain"), (Some(open), "application/openmetrics-text")] {
            let plain = metrics.expose(accept, None);
            assert!(plain.content_type.starts_with(kind));
            assert_eq!(plain.content_encoding, None);
            let text = String::from_utf8(plain.body).unwrap();
            assert_eq!(text.ends_with("# EOF\n"), accept.is_some());
            let line = format!(
                "linly_talker_turns_total{{end=\"{}\"}} 0",
                crate::metrics::End::Finished.value()
            );
            assert!(text.contains(&line), "{text}");

            let packed = metrics.expose(accept, Some("gzip"));
            assert_eq!(packed.content_encoding, Some("gzip"));
            assert!(packed.body.len() * 4 < text.len());
            let mut unpacked = String::new();
            GzDecoder::new(packed.body.as_slice()).read_to_string(&mut unpacked).unwrap();
            assert!(unpacked.contains(&line));
        }
    }
}
