//! What people read on the terminal: errors, the log, progress.

mod journal;

use std::io::{IsTerminal, Write};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

pub use self::journal::MESSAGES;

/// Prints an error, one cause a line.
pub fn error(error: &anyhow::Error) {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    // Nothing is left to be done when even this fails.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Starts the log on standard error, or in systemd's journal with all fields if that is where standard error
/// goes; the variable `RUST_LOG` goes before `filter`.
pub fn log(filter: &str) {
    let filter = EnvFilter::try_from_default_env()
        .or_else(|_| EnvFilter::try_new(filter))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    // The library that shapes captions writes their letters into its finer log: what visitors say is
    // never logged, whatever anybody asks for.
    let quiet =
        ["cosmic_text=error", "fontdb=error"].into_iter().filter_map(|text| text.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    let to = if journal::is_stderr() {
        journal::Journald.boxed()
    } else {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            // A log that nobody reads any more is no reason to end.
            .log_internal_errors(false)
            .boxed()
    };
    if tracing_subscriber::registry().with(to.with_filter(filter)).try_init().is_err() {
        tracing::debug!("the log was already started");
    }
}

/// One line of progress that is written over itself; nothing in a pipe.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self { shown: std::io::stderr().is_terminal() }
    }
}

impl Progress {
    /// Replaces the line.
    pub fn say(&self, text: &str) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}

/// Prints to standard output. A reader that has gone away is no error.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints to standard output again and again; false once nobody reads it any more.
pub fn keep_printing(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// A table with aligned columns; the first row is its head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |text: &str| text.chars().map(|c| if c as u32 >= 0x2e80 { 2 } else { 1 }).sum::<usize>();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', wide - width(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_in_both_scripts() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let text = table(&[row(&["heard", "x"]), row(&["听到", "y"]), row(&["a"])]);
        assert_eq!(text, "heard  x\n听到   y\na\n");
    }
}
