//! Which process holds how much memory of the graphics processor.

use crate::{Collector, Files, reading::Reading, text, units::Bytes};

/// The most processes that are told: those that hold the most.
pub const MOST_PROCESSES: usize = 16;

/// A process that holds memory of the graphics processor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Process {
    /// Its number, perhaps in another container's count; absent for the kernel itself.
    pub pid: Option<u32>,
    /// Its name, cut by the kernel to 15 bytes; empty where only the number is known.
    pub name: String,
    /// What it holds.
    pub memory: Bytes,
}

/// Root only: debugfs.
#[derive(Debug, Default)]
pub(crate) struct Clients;

impl Collector for Clients {
    type Part = Reading<Vec<Process>>;
    const NAME: &'static str = "processes";

    fn read(&mut self, files: &Files) -> Reading<Vec<Process>> {
        files.text("sys/kernel/debug/nvmap/iovmm/clients").map(|text| clients(&text))
    }
}

/// Rows are read from the right, because the names in the middle may contain spaces.
fn clients(text: &str) -> Vec<Process> {
    let row = |line: &str| {
        let mut words = line.split_whitespace().rev();
        let memory = size(words.next()?)?;
        let pid: u32 = words.next()?.parse().ok()?;
        let mut name: Vec<&str> = words.collect();
        // The first word says who asked: a user's program or the kernel.
        let client = name.pop()?;
        name.reverse();
        let pid = (client != "kernel").then_some(pid);
        Some(Process { pid, name: text::name(&name.join(" ")), memory })
    };
    let mut all: Vec<Process> = text.lines().filter_map(row).collect();
    all.sort_by(|a, b| b.memory.cmp(&a.memory).then(a.pid.cmp(&b.pid)));
    all.truncate(MOST_PROCESSES);
    all
}

/// `5800K` → bytes.
fn size(word: &str) -> Option<Bytes> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &word[digits.len()..] {
        "" | "B" => 0,
        "K" | "kB" | "KB" => 10,
        "M" | "MB" => 20,
        "G" | "GB" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).map(Bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_read_from_the_right() {
        let text = "CLIENT                        PROCESS      PID        SIZE\n\
                    user                         gpu_burn     7979   23525644K\n\
                    user                  Web Content two     8119       5800K\n\
                    kernel                       swapper        0          1M\n\
                    total                                            23549320K\n";
        let found = clients(text);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].memory, Bytes(23_525_644 * 1024));
        assert_eq!((found[1].pid, found[1].name.as_str()), (Some(8119), "Web Content two"));
        assert_eq!((found[2].pid, found[2].memory), (None, Bytes(1 << 20)));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*|(user|total|[0-9KMG \n])*") {
            prop_assert!(clients(&text).len() <= MOST_PROCESSES);
        }
    }
}
