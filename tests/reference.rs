//! The references are generated: this test rewrites stale ones and fails; every TOML block in the
//! documentation parses.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use linly_edge::{
    config::Config,
    journal::Report,
    media::Device,
    metrics::{BadInput, Metrics, Model, Refused, Route, TlsFailure, series, unit},
};
use serde_json::Value;

/// Fails if the file differs from `text`, after having corrected it.
#[track_caller]
pub(crate) fn is_current(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if fs::read_to_string(&path).unwrap_or_default() != text {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        panic!("{} was stale and has been rewritten; commit it", path.display());
    }
}

/// A key or table of the configuration, as the schema describes it.
struct Entry<'a> {
    name: String,
    schema: &'a Value,
}

impl Entry<'_> {
    fn doc(&self) -> String {
        self.schema["description"].as_str().expect("every key has a doc").replace('\n', " ")
    }

    fn default(&self) -> String {
        // Of the values that TOML and JSON share, scalars are written alike.
        self.schema["default"].to_string()
    }

    fn choices(&self) -> Vec<(&str, &str)> {
        let choices = self.schema["oneOf"].as_array().into_iter().flatten();
        choices.filter_map(|c| Some((c["const"].as_str()?, c["description"].as_str()?))).collect()
    }

    fn range(&self) -> String {
        let number = |bound: &str| self.schema[bound].as_f64();
        match (number("minimum"), number("maximum")) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) if least > 0.0 => format!("from {least}"),
            (None, Some(most)) => format!("up to {most}"),
            _ => String::new(),
        }
    }
}

/// All tables (the nameless one first) with their keys, in alphabetical order.
fn tables<'a>(name: &str, schema: &'a Value, into: &mut Vec<(Entry<'a>, Vec<Entry<'a>>)>) {
    let properties = schema["properties"].as_object().unwrap();
    let entry = |(key, schema): (&String, &'a Value)| Entry { name: key.clone(), schema };
    let (inner, keys): (Vec<_>, Vec<_>) =
        properties.iter().map(entry).partition(|entry| entry.schema["properties"].is_object());
    into.push((Entry { name: name.to_owned(), schema }, keys));
    for table in inner {
        let path = if name.is_empty() { table.name } else { format!("{name}.{}", table.name) };
        tables(&path, table.schema, into);
    }
}

fn wrapped(text: &str, prefix: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.chars().count() + word.chars().count() > 90 {
            lines.push(word.to_owned());
        } else {
            let gap = if line.is_empty() { "" } else { " " };
            write!(line, "{gap}{word}").unwrap();
        }
    }
    lines.iter().map(|line| format!("{prefix}{line}\n")).collect()
}

fn sample(schema: &Value) -> String {
    let mut all = Vec::new();
    tables("", schema, &mut all);
    let mut text = wrapped(
        "Every key with its default. Copy what you change to /etc/linly-edge/config.toml or to a \
         file of its own in /etc/linly-edge/config.d/. Made from src/config/mod.rs by `make test`.",
        "# ",
    );
    for (table, keys) in all {
        if !table.name.is_empty() {
            write!(text, "\n{}[{}]\n", wrapped(&table.doc(), "# "), table.name).unwrap();
        }
        for key in keys {
            write!(text, "\n{}", wrapped(&key.doc(), "# ")).unwrap();
            for (choice, doc) in key.choices() {
                text += &wrapped(&format!("\"{choice}\": {doc}"), "#   ");
            }
            if !key.range().is_empty() {
                writeln!(text, "# {}", key.range()).unwrap();
            }
            writeln!(text, "#{} = {}", key.name, key.default()).unwrap();
        }
    }
    text
}

fn reference(schema: &Value) -> String {
    let mut all = Vec::new();
    tables("", schema, &mut all);
    let mut text = "<!-- Made from src/config/mod.rs by `make test`; edits are lost. -->\n\
        # Configuration\n\n\
        Files are merged key by key; later ones win:\n\n\
        1. the defaults below\n\
        2. `/usr/lib/linly-edge/config.toml` (the image)\n\
        3. `/etc/linly-edge/config.toml`, then `/etc/linly-edge/config.d/*.toml` by name; `--config FILE` \
        takes the place of both\n\
        4. `/run/linly-edge/config.d/*.toml` by name\n\n\
        `linly-edge check` shows everything that is wrong, with file, line and column. A change takes \
        effect with a restart.\n"
        .to_owned();
    for (table, keys) in all {
        let (title, doc) = match table.name.as_str() {
            "" => (
                "Before the tables".to_owned(),
                "These keys stand above the first table.".to_owned(),
            ),
            name => (format!("`[{name}]`"), table.doc()),
        };
        if keys.is_empty() {
            continue;
        }
        write!(
            text,
            "\n## {title}\n\n{doc}\n\n| key | default | range | what |\n|---|---|---|---|\n"
        )
        .unwrap();
        for key in keys {
            let choices = key.choices();
            let range = match choices.as_slice() {
                [] => key.range(),
                choices => {
                    choices.iter().map(|(c, _)| format!("`\"{c}\"`")).collect::<Vec<_>>().join(", ")
                }
            };
            let notes: String =
                choices.iter().map(|(c, doc)| format!("<br>`\"{c}\"`: {doc}")).collect();
            let (name, default, doc) = (&key.name, key.default(), key.doc());
            writeln!(text, "| `{name}` | `{default}` | {range} | {doc}{notes} |").unwrap();
        }
    }
    text
}

#[test]
fn sample_configuration_is_current() {
    is_current("config/linly-edge.toml", &sample(&Config::schema()));
}

#[test]
fn configuration_reference_is_current() {
    is_current("docs/config.md", &reference(&Config::schema()));
}

#[test]
fn the_sample_holds_every_key_with_its_default() {
    let keys = sample(&Config::schema());
    let keys: String = keys
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    assert_eq!(
        keys.parse::<toml::Table>().unwrap(),
        toml::Table::try_from(Config::default()).unwrap()
    );
    assert_eq!(toml::from_str::<Config>(&keys).unwrap(), Config::default());
}

/// All Markdown files of the repository that people read.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("docs")];
    let mut pages: Vec<_> = ["README.md", "README.zh-CN.md"].map(|name| root.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.retain(|page| page.exists());
    pages
}

#[test]
fn every_toml_block_in_the_documentation_parses() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("\n```toml").skip(1) {
            let (_, block) = block.split_once('\n').unwrap();
            let (block, _) = block.split_once("```").expect("the block ends");
            if let Err(error) = block.parse::<toml::Table>() {
                panic!("{}: {error}", page.display());
            }
        }
    }
}

fn metrics_reference() -> String {
    let metrics = Metrics::default();
    // Series of these appear only when something happened.
    metrics.http_request(Route::Metrics, 200);
    metrics.loaded(Model::Asr, "name", "quantisation", "backend");
    metrics.gpu_memory(Model::Asr, 0);
    metrics.certificate_ends("server", Some(0));
    metrics.handshake_failed(TlsFailure::Other);
    metrics.bad_input.of(BadInput::Request).inc();
    metrics.http_refused.of(Refused::Address).inc();
    metrics.device_works(Device::Camera, true);
    metrics.turn_ended(&Report::unheard(Duration::ZERO, Duration::ZERO));
    let mut families = metrics.gather();
    families.sort_by_key(|family| metrics.category(family.name()));
    let mut text = METRICS_HEAD.to_owned();
    for family in &families {
        let labels = family.get_metric()[0].get_label().iter();
        let labels: Vec<_> = labels.map(|label| format!("`{}`", label.name())).collect();
        let (name, help, labels) = (family.name(), family.help(), labels.join(", "));
        let kind = format!("{:?}", family.get_field_type()).to_lowercase();
        let (unit, category) = (unit(family).unwrap_or(""), metrics.category(name).name());
        writeln!(text, "| `{name}` | {kind} | {unit} | {labels} | {category} | {help} |").unwrap();
    }
    let own: usize = families.iter().map(series).sum();
    write!(text, "\nA fresh daemon has about {own} series of its own.\n").unwrap();
    text += "\n## Labels\n\n| label | values |\n|---|---|\n";
    for (label, values) in Metrics::labels() {
        writeln!(text, "| `{label}` | `{}` |", values.join("`, `")).unwrap();
    }
    text += "\n## Buckets\n\n| histogram | upper bounds |\n|---|---|\n";
    families.sort_by(|one, other| one.name().cmp(other.name()));
    for family in &families {
        let buckets = family.get_metric()[0].get_histogram().get_bucket();
        let bounds: Vec<_> =
            buckets.iter().map(|bucket| bucket.upper_bound().to_string()).collect();
        if !bounds.is_empty() {
            writeln!(text, "| `{}` | {} |", family.name(), bounds.join(" ")).unwrap();
        }
    }
    text
}

const METRICS_HEAD: &str = "<!-- Made from src/metrics/ by `make test`; edits are lost. -->\n\
# Metrics\n\n\
`GET /metrics` offers these, in the text format of Prometheus (0.0.4) or as OpenMetrics 1.0.0, as \
`Accept` asks, and gzipped where `Accept-Encoding` allows. Nothing that visitors say, and nothing that \
comes over the network, becomes a label.\n\n\
- *business*: what visitors get. *performance*: how fast and how well each step works. *resource*: what \
the machine spends and what it is.\n\
- A process offers at most 350 series. What is above is left out, whole families of the least important \
first (the board's before the daemon's own), counted by `linly_talker_series_dropped_total` and logged \
once.\n\
- `linly_talker_gpu_memory_bytes` is 0 for a model that runs on the CPU, as both backends that come with \
the daemon do, and absent where a backend does not tell.\n\
- `linly_talker_memory_allocated_bytes` rises in a line where there is a leak. The video encoder and ONNX \
Runtime allocate past it; `process_resident_memory_bytes` shows them, too.\n\
- In OpenMetrics a bucket's bound always has a point or an exponent (`le=\"1.0\"`), in text it may not \
(`le=\"1\"`). Prometheus 3 makes both the former; for Prometheus 2 the format that it asks for counts, \
which is OpenMetrics unless it was told otherwise.\n\
- There are no exemplars: the library that counts has none, and a turn's number would point at a \
visitor.\n\n\
| name | type | unit | labels | category | meaning |\n|---|---|---|---|---|---|\n";

#[test]
fn metrics_reference_is_current() {
    is_current("docs/metrics.md", &metrics_reference());
}
