//! The log in systemd's journal: each event with its fields, as `journalctl -o json` shows them.

use std::{fmt, thread};

use rustix::fs::fstat;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// What the catalogue (`systemd/linly-edge.catalog`) explains: the message and its `MESSAGE_ID`.
pub const MESSAGES: &[(&str, &str)] = &[
    ("ready", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a01"),
    ("stopping", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a02"),
    ("the turn has ended", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a03"),
    ("the model is loaded", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a04"),
    ("the configuration was read", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a05"),
    ("the configuration stays as it was", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a06"),
    ("these keys need a restart", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a07"),
    ("the kiosk makes no progress", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a08"),
    ("the kiosk is out of order", "6d1a3f0c2b5e4c57a1f58e0d7c9b4a09"),
];

/// Whether standard error is connected with the journal, as systemd says by device and inode.
pub(super) fn is_stderr() -> bool {
    let Ok(told) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(file) = fstat(rustix::stdio::stderr()) else { return false };
    told == format!("{}:{}", file.st_dev, file.st_ino)
}

/// Sends events to the journal.
#[derive(Debug)]
pub(super) struct Journald;

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let fields = fields(event, thread::current().name());
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        // A journal that takes nothing any more is no reason to end.
        let _ = systemd::journal::send(&fields);
    }
}

/// The journal's fields of an event on the thread `stage`.
fn fields(event: &Event<'_>, stage: Option<&str>) -> Vec<String> {
    let about = event.metadata();
    let priority = match *about.level() {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    };
    let mut found = Found::default();
    event.record(&mut found);
    // People who read without fields see them all the same.
    let message = [found.message.as_str(), found.text.as_str()].concat();
    let mut fields = vec![format!("MESSAGE={message}"), format!("PRIORITY={priority}")];
    fields.extend(stage.map(|stage| format!("STAGE={stage}")));
    fields.push(format!("TARGET={}", about.target()));
    fields.extend(about.file().map(|file| format!("CODE_FILE={file}")));
    fields.extend(about.line().map(|line| format!("CODE_LINE={line}")));
    let id = MESSAGES.iter().find(|(message, _)| *message == found.message);
    fields.extend(id.map(|(_, id)| format!("MESSAGE_ID={id}")));
    fields.extend(found.fields);
    fields
}

/// The fields of an event.
#[derive(Default)]
struct Found {
    message: String,
    text: String,
    fields: Vec<String>,
}

impl Found {
    fn add(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
            return;
        }
        self.text.push_str(&format!(" {}={value}", field.name()));
        // The journal takes capitals, digits and underscores only, and none of the latter at first.
        let name: String = field
            .name()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        self.fields.push(format!("{}={value}", name.trim_start_matches('_')));
    }
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::Path,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().extend(fields(event, Some("converse")));
        }
    }

    #[test]
    fn an_event_has_its_fields_in_the_journal() {
        let kept = Kept::default();
        let lines = kept.0.clone();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(kept), || {
            tracing::warn!(turn = 7_u64, keys = "a, b", "these keys need a restart");
        });
        let lines = lines.lock().unwrap();
        for line in [
            "MESSAGE=these keys need a restart turn=7 keys=a, b",
            "PRIORITY=4",
            "STAGE=converse",
            "TURN=7",
            "KEYS=a, b",
            "MESSAGE_ID=6d1a3f0c2b5e4c57a1f58e0d7c9b4a07",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line} is not among {lines:?}");
        }
    }

    #[test]
    fn every_message_of_the_catalogue_is_logged_and_explained() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let catalogue = fs::read_to_string(root.join("systemd/linly-edge.catalog")).unwrap();
        let mut code = String::new();
        for file in ["cli/run.rs", "cli/serve.rs", "stage/converse.rs", "machine/mod.rs"] {
            code.push_str(&fs::read_to_string(root.join("src").join(file)).unwrap());
        }
        for (message, id) in MESSAGES {
            assert!(catalogue.contains(&format!("-- {id}")), "{message} is not explained");
            assert!(code.contains(&format!("\"{message}")), "{message} is not logged");
        }
        assert_eq!(catalogue.matches("\n-- ").count() + 1, MESSAGES.len());
    }
}
