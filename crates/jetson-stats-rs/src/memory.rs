//! Memory, which the graphics processor of a Jetson shares with the rest of the machine.

use crate::{Collector, Files, reading::Reading, text, units::Bytes};

/// Memory of the machine.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Memory {
    /// All of it.
    pub total: Reading<Bytes>,
    /// What programs can still get without swapping.
    pub available: Reading<Bytes>,
    /// Handles of NVIDIA's allocator, pinned copies for the processor among them: an upper estimate
    /// of what would be called video memory elsewhere. Thor's driver does not count here.
    pub nvmap_used: Reading<Bytes>,
    /// What that allocator could still give.
    pub nvmap_free: Reading<Bytes>,
    /// Contiguous memory, for cameras and codecs.
    pub cma_total: Reading<Bytes>,
    /// What is left of it.
    pub cma_free: Reading<Bytes>,
    /// Swap.
    pub swap_total: Reading<Bytes>,
    /// What is left of it.
    pub swap_free: Reading<Bytes>,
    /// The largest block that is free in one piece.
    pub largest_free_block: Reading<Bytes>,
    /// Pages that came back from swap since the machine started.
    pub pages_swapped_in: Reading<u64>,
    /// Pages that went to swap since the machine started.
    pub pages_swapped_out: Reading<u64>,
    /// Programs that the kernel has killed for their memory since the machine started.
    pub oom_kills: Reading<u64>,
    /// What compressed swap in memory holds, before compression.
    pub zram_stored: Reading<Bytes>,
    /// The memory that it takes.
    pub zram_used: Reading<Bytes>,
    /// On-chip memory of the T210; root only.
    pub iram: Reading<Bytes>,
}

#[derive(Debug, Default)]
pub(crate) struct Banks {
    zram: Vec<String>,
}

impl Collector for Banks {
    type Part = Memory;
    const NAME: &'static str = "memory";

    fn look(&mut self, files: &Files) -> bool {
        self.zram = files.entries("sys/block", "zram");
        true
    }

    fn read(&mut self, files: &Files) -> Memory {
        let info = files.text("proc/meminfo");
        let of = |key: &str| match &info {
            Reading::Value(text) => {
                text::field(text, key).map(|kb| Bytes(kb.saturating_mul(1024))).into()
            }
            other => other.clone().map(|_| Bytes(0)),
        };
        let counts = files.text("proc/vmstat").value().unwrap_or_default();
        let count = |key: &str| text::field(&counts, key).into();
        let (mut stored, mut used) = (None, None);
        for path in &self.zram {
            let Reading::Value(text) = files.text(&format!("{path}/mm_stat")) else { continue };
            if let [original, _, memory, ..] = text::numbers(&text)[..] {
                stored = Some(stored.unwrap_or(0) + original);
                used = Some(used.unwrap_or(0) + memory);
            }
        }
        Memory {
            total: of("MemTotal"),
            available: of("MemAvailable"),
            nvmap_used: of("NvMapMemUsed"),
            nvmap_free: of("NvMapMemFree"),
            cma_total: of("CmaTotal"),
            cma_free: of("CmaFree"),
            swap_total: of("SwapTotal"),
            swap_free: of("SwapFree"),
            largest_free_block: files.parse("proc/buddyinfo", largest_block),
            pages_swapped_in: count("pswpin"),
            pages_swapped_out: count("pswpout"),
            oom_kills: count("oom_kill"),
            zram_stored: stored.map(Bytes).into(),
            zram_used: used.map(Bytes).into(),
            iram: files.parse("sys/kernel/debug/nvmap/iram/size", |text| {
                let digits = text.trim_start_matches("0x");
                u64::from_str_radix(digits, 16).ok().map(Bytes)
            }),
        }
    }
}

/// The largest order with a free block: each column of `/proc/buddyinfo` holds blocks of twice the pages.
fn largest_block(text: &str) -> Option<Bytes> {
    let order = |line: &str| {
        let (_, columns) = line.split_once("zone")?;
        text::numbers(columns).iter().rposition(|blocks| *blocks > 0)
    };
    let order = text.lines().filter_map(order).max()?;
    Some(Bytes(page_size()?.checked_shl(u32::try_from(order).ok()?)?))
}

/// The size of a page in bytes, which the kernel hands to every program: pairs of a kind and a value.
fn page_size() -> Option<u64> {
    /// `AT_PAGESZ` of `elf.h`.
    const PAGE_SIZE: usize = 6;
    const WORD: usize = size_of::<usize>();
    let handed = std::fs::read("/proc/self/auxv").ok()?;
    let word = |bytes: &[u8]| Some(usize::from_ne_bytes(bytes.try_into().ok()?));
    let mut pairs = handed.chunks_exact(2 * WORD);
    let pair = pairs.find(|pair| word(&pair[..WORD]) == Some(PAGE_SIZE))?;
    u64::try_from(word(&pair[WORD..])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_block_is_the_last_column_with_blocks() {
        let text = "Node 0, zone      DMA      5      3      0      0\n\
                    Node 0, zone   Normal     17      0      2      0\n";
        let page = page_size().expect("a size");
        assert!(page.is_power_of_two() && (4096..=65536).contains(&page), "{page}");
        assert_eq!(largest_block(text), Some(Bytes(4 * page)));
        assert_eq!(largest_block("Node 0, zone DMA 0 0"), None);
    }
}
