//! The table that `sensors` prints: groups, aligned columns, units, and words where there is no value.

use std::time::SystemTime;

use jetson_stats::{BoardSource, Bytes, Celsius, Hertz, Ratio, Reading, Snapshot, TripKind};

/// How a cell is shown on a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Quiet,
    Warm,
    Bad,
}

/// Text that knows how it is shown.
#[derive(Clone)]
struct Cell(String, Tone);

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(text, Tone::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(text.to_owned(), Tone::Plain)
    }
}

/// A value in words: its unit, or why there is none; nothing for a sensor that is not there.
fn cell<T: Clone>(reading: &Reading<T>, shown: impl FnOnce(T) -> String) -> Cell {
    match reading {
        Reading::Value(value) => Cell(shown(value.clone()), Tone::Plain),
        Reading::Absent => Cell(String::new(), Tone::Plain),
        Reading::Offline => Cell("offline".to_owned(), Tone::Quiet),
        Reading::Failed(jetson_stats::Failure::Denied) => {
            Cell("needs root".to_owned(), Tone::Quiet)
        }
        Reading::Failed(failure) => Cell(failure.to_string(), Tone::Bad),
    }
}

/// A reading that is shown as its unit says.
fn plain<T: Clone + std::fmt::Display>(reading: &Reading<T>) -> Cell {
    cell(reading, |value| format!("{value:>10}", value = value.to_string()))
}

fn percent(ratio: f64) -> String {
    format!("{:5.1} % {}", 100.0 * ratio, bar(ratio))
}

fn bar(ratio: f64) -> String {
    let full = (ratio.clamp(0.0, 1.0) * 10.0).round() as usize;
    "█".repeat(full) + &"░".repeat(10 - full)
}

fn mhz(hertz: Hertz) -> String {
    format!("{:>5.0} MHz", hertz.0 / 1e6)
}

/// `306–1020 MHz`.
fn range(min: &Reading<Hertz>, max: &Reading<Hertz>) -> Cell {
    match (min, max) {
        (Reading::Value(min), Reading::Value(max)) if min == max => "held".into(),
        (Reading::Value(min), Reading::Value(max)) => {
            format!("{:.0}–{:.0} MHz", min.0 / 1e6, max.0 / 1e6).into()
        }
        (_, max) => cell(max, |max| format!("up to {:.0} MHz", max.0 / 1e6)),
    }
}

fn part(used: u64, all: Bytes) -> String {
    let ratio = used as f64 / all.0.max(1) as f64;
    format!("{} of {} {}", Bytes(used), all, bar(ratio))
}

/// Builds the text.
struct Page {
    text: String,
    colours: bool,
}

impl Page {
    fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Quiet => "2",
            Tone::Warm => "33",
            Tone::Bad => "31",
        };
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&mut self, parts: &[String]) {
        let parts: Vec<&str> =
            parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            self.text.push_str(&parts.join(" · "));
            self.text.push('\n');
        }
    }

    /// A group with a title; nothing if it has no rows.
    fn group(&mut self, title: &str, rows: Vec<Vec<Cell>>) {
        if rows.is_empty() {
            return;
        }
        let title = if self.colours { format!("\x1b[1m{title}\x1b[0m") } else { title.to_owned() };
        self.text.push_str(&format!("\n{title}\n"));
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            // The last cell of a row may be as long as it likes.
            let cells = rows.iter().filter(|row| column + 1 < row.len());
            cells.map(|row| &row[column]).map(|cell| cell.0.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &rows {
            let mut line = String::from("  ");
            for (number, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line.push_str(&self.paint(&cell.0, cell.1));
                if number + 1 < row.len() {
                    let gap = width - cell.0.chars().count() + 2;
                    line.extend(std::iter::repeat_n(' ', gap));
                }
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

/// The whole table. What has changed since `before` tells how busy the cores were.
pub(super) fn write(now: &Snapshot, before: Option<&Snapshot>, colours: bool) -> String {
    let mut page = Page { text: String::new(), colours };
    head(&mut page, now);
    page.group("processor", processor(now, before));
    page.group("graphics", graphics(now));
    page.group("memory", memory(now));
    page.group("temperature", temperature(now));
    page.group("throttling", throttling(now));
    page.group("power", power(now));
    page.group("fans", fans(now));
    page.group("disks", disks(now));
    page.group("plugged in", peripherals(now));
    let failed = now.collectors.iter().filter_map(|report| {
        let fault = report.fault.as_ref()?;
        Some(vec![report.name.into(), Cell(fault.clone(), Tone::Bad)])
    });
    page.group("not read", failed.collect());
    page.text
}

fn word(before: &str, reading: &Reading<String>) -> String {
    if let Reading::Value(word) = reading { format!("{before}{word}") } else { String::new() }
}

fn head(page: &mut Page, now: &Snapshot) {
    let board = &now.board;
    let model = word("", &board.model);
    page.line(&[
        if model.is_empty() { "a machine without a name".to_owned() } else { model },
        word("", &board.module_name.clone().or_else(|| board.module.clone())),
        word("", &board.soc),
        word("serial ", &board.serial),
    ]);
    let l4t = match (&board.l4t, &board.jetpack) {
        (Reading::Value(l4t), Reading::Value(jetpack)) => format!("L4T {l4t} (JetPack {jetpack})"),
        (l4t, _) => word("L4T ", l4t),
    };
    let system = [word("", &board.os), word("", &board.os_version)].join(" ");
    page.line(&[l4t, system.trim().to_owned(), word("kernel ", &board.kernel)]);
    let slot = match &board.slot {
        Reading::Value(slot) => format!("slot {} ({})", slot.name, slot.state),
        _ => String::new(),
    };
    page.line(&[uptime(now), word("started by ", &board.reset_reason), slot]);
    let mode = &now.mode;
    let asked = match (&mode.asked, &mode.actual) {
        (Reading::Value(asked), Reading::Value(actual)) if asked == actual => {
            format!("power mode {}", actual.name)
        }
        (Reading::Value(asked), Reading::Value(actual)) => {
            let text = format!("power mode {} in force, but {} asked for", actual.name, asked.name);
            page.paint(&text, Tone::Warm)
        }
        (Reading::Value(asked), Reading::Offline) => {
            let text =
                format!("power mode {} asked for, but its limits are not in force", asked.name);
            page.paint(&text, Tone::Warm)
        }
        (Reading::Value(asked), _) => format!("power mode {} asked for", asked.name),
        _ => String::new(),
    };
    let locked = matches!(now.clocks_locked(), Reading::Value(true));
    let locked = if locked { "clocks held at one speed" } else { "" };
    page.line(&[asked, locked.to_owned()]);
}

fn uptime(now: &Snapshot) -> String {
    let since = now.taken.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let Reading::Value(booted) = &now.board.booted else { return String::new() };
    let minutes = ((since.as_secs_f64() - booted.0) / 60.0).max(0.0) as u64;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("up {minutes} min"),
        (0, hours, minutes) => format!("up {hours} h {minutes} min"),
        (days, hours, _) => format!("up {days} d {hours} h"),
    }
}

fn processor(now: &Snapshot, before: Option<&Snapshot>) -> Vec<Vec<Cell>> {
    let cpu = &now.cpu;
    let mut rows = Vec::new();
    let times = (&cpu.times, before.map(|before| &before.cpu.times));
    if let (Reading::Value(now), Some(Reading::Value(before))) = times
        && let Some(busy) = now.busy_since(before)
    {
        rows.push(vec!["busy".into(), percent(busy).into()]);
    }
    if let (Reading::Value(online), possible) = (&cpu.online, &cpu.possible) {
        let of = cell(possible, |all| format!(" of {all}")).0;
        rows.push(vec!["cores on".into(), format!("{}{of}", online.len()).into()]);
    }
    for policy in &cpu.policies {
        rows.push(vec![
            format!("core {}…", policy.name).into(),
            cell(&policy.frequency, mhz),
            range(&policy.min_frequency, &policy.max_frequency),
            cell(&policy.governor, |governor| governor),
        ]);
    }
    if let Reading::Value([one, five, fifteen]) = cpu.load {
        rows.push(vec!["load".into(), format!("{one:.2}  {five:.2}  {fifteen:.2}").into()]);
    }
    rows
}

fn graphics(now: &Snapshot) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for gpu in &now.gpus {
        let asleep = matches!(gpu.suspended, Reading::Value(true));
        rows.push(vec![
            gpu.name.as_str().into(),
            cell(&gpu.load, |load| percent(load.0)),
            cell(&gpu.frequency, mhz),
            range(&gpu.min_frequency, &gpu.max_frequency),
            if asleep { Cell("suspended".to_owned(), Tone::Quiet) } else { "".into() },
        ]);
        if let (Reading::Value(used), Reading::Value(all)) = (&gpu.memory_used, &gpu.memory_total) {
            rows.push(vec!["its memory".into(), part(used.0, *all).into()]);
        }
    }
    if !now.emc.frequency.is_absent() {
        let busy = cell(&now.emc.utilisation, |busy| percent(busy.0));
        let limit = range(&Reading::Absent, &now.emc.max_frequency);
        rows.push(vec!["memory bus".into(), busy, cell(&now.emc.frequency, mhz), limit]);
    }
    for engine in &now.engines {
        let power = match &engine.suspended {
            Reading::Value(true) => Cell("off".to_owned(), Tone::Quiet),
            Reading::Value(false) => "on".into(),
            other => cell(other, |_| String::new()),
        };
        let active = cell(&engine.active, |active| format!("on for {active:.0}"));
        rows.push(vec![engine.name.as_str().into(), power, cell(&engine.frequency, mhz), active]);
    }
    rows
}

fn memory(now: &Snapshot) -> Vec<Vec<Cell>> {
    let memory = &now.memory;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut taken = |name: &str, all: &Reading<Bytes>, free: &Reading<Bytes>| {
        if let (Reading::Value(all), Reading::Value(free)) = (all, free)
            && all.0 > 0
        {
            rows.push(vec![name.into(), part(all.0.saturating_sub(free.0), *all).into()]);
        }
    };
    taken("used", &memory.total, &memory.available);
    taken("contiguous", &memory.cma_total, &memory.cma_free);
    taken("swap", &memory.swap_total, &memory.swap_free);
    for (name, reading) in [
        ("nvmap (GPU)", &memory.nvmap_used),
        ("largest free", &memory.largest_free_block),
        ("compressed", &memory.zram_used),
    ] {
        if !reading.is_absent() {
            rows.push(vec![name.into(), cell(reading, |bytes| bytes.to_string())]);
        }
    }
    if let Reading::Value(kills @ 1..) = memory.oom_kills {
        let text = format!("{kills} programs killed for it");
        rows.push(vec!["exhausted".into(), Cell(text, Tone::Bad)]);
    }
    if let Reading::Value(processes) = &now.processes {
        for process in processes.iter().take(5) {
            let pid = process.pid.map_or_else(|| "kernel".to_owned(), |pid| format!("pid {pid}"));
            let who = format!("{} ({pid})", process.name);
            rows.push(vec!["".into(), format!("{} {}", process.memory, who.trim()).into()]);
        }
    }
    rows
}

fn temperature(now: &Snapshot) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for zone in &now.thermal.zones {
        let trip = |kind, what: &str| {
            let trip = zone.lowest(kind);
            trip.map_or_else(String::new, |trip| format!("{what} at {trip:.1}"))
        };
        let mut shown = cell(&zone.temperature, |celsius| format!("{:>10}", celsius.to_string()));
        let first = zone.lowest(TripKind::Passive).or(zone.lowest(TripKind::Critical));
        if let (Reading::Value(Celsius(now)), Some(Celsius(limit))) = (&zone.temperature, first) {
            shown.1 = match limit - now {
                left if left < 5.0 => Tone::Bad,
                left if left < 15.0 => Tone::Warm,
                _ => Tone::Plain,
            };
        }
        rows.push(vec![
            zone.name.as_str().into(),
            shown,
            trip(TripKind::Passive, "slows down").into(),
            trip(TripKind::Critical, "off").into(),
        ]);
    }
    for chip in &now.chip_temperatures {
        rows.push(vec![chip.name.as_str().into(), plain(&chip.temperature)]);
    }
    rows
}

/// Only what happens or has happened; a cool machine with a good supply has none of it.
fn throttling(now: &Snapshot) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for cooler in now.thermal.coolers.iter().filter(|cooler| cooler.throttles()) {
        if matches!(cooler.state, Reading::Value(1..)) || cooler.state.is_fault() {
            let max = cell(&cooler.max, |max| format!(" of {max}")).0;
            let state = cell(&cooler.state, |state| format!("now, step {state}{max}"));
            rows.push(vec![cooler.name.as_str().into(), Cell(state.0, Tone::Bad)]);
        }
    }
    for counter in &now.overcurrent {
        if !matches!(counter.events, Reading::Value(0)) {
            let events = cell(&counter.events, |events| format!("{events} events since the start"));
            rows.push(vec![counter.name.as_str().into(), Cell(events.0, Tone::Warm)]);
        }
    }
    rows
}

fn power(now: &Snapshot) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for rail in &now.power.rails {
        let alarmed = |alarm: &Reading<bool>| matches!(alarm, Reading::Value(true));
        let alarm = match (alarmed(&rail.warn_alarm), alarmed(&rail.critical_alarm)) {
            (_, true) => Cell("above its critical limit".to_owned(), Tone::Bad),
            (true, false) => Cell("above its limit".to_owned(), Tone::Warm),
            _ => "".into(),
        };
        rows.push(vec![
            rail.name.as_str().into(),
            plain(&rail.power),
            plain(&rail.voltage),
            plain(&rail.current),
            cell(&rail.warn_limit, |limit| format!("limit {limit:.2}")),
            alarm,
        ]);
    }
    if let Some((watts, source)) = now.power.board() {
        let from = match source {
            BoardSource::Input(rail) => format!("all of it, through {rail}"),
            BoardSource::Sum => "the sum of the rails; the input has no monitor".to_owned(),
        };
        let watts = format!("{:>10}", watts.to_string());
        rows.push(vec!["board".into(), watts.into(), from.into()]);
    }
    for supply in &now.power.supplies {
        let state = cell(&supply.online, |on| if on { "delivers" } else { "idle" }.to_owned());
        let (voltage, current) = (plain(&supply.voltage), plain(&supply.current));
        rows.push(vec![supply.name.as_str().into(), state, voltage, current]);
    }
    rows
}

fn fans(now: &Snapshot) -> Vec<Vec<Cell>> {
    let rows = now.fans.iter().map(|fan| {
        let still = if fan.stands_still() {
            Cell("is driven and stands still".to_owned(), Tone::Bad)
        } else {
            "".into()
        };
        let duty = cell(&fan.duty, |Ratio(duty)| percent(duty));
        vec![fan.name.as_str().into(), duty, plain(&fan.speed), still]
    });
    rows.collect()
}

fn disks(now: &Snapshot) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for mount in &now.storage.mounts {
        let used = match (&mount.size, &mount.available) {
            (Reading::Value(all), Reading::Value(free)) => {
                part(all.0.saturating_sub(free.0), *all).into()
            }
            (size, _) => cell(size, |size| size.to_string()),
        };
        rows.push(vec![mount.path.as_str().into(), used]);
    }
    for disk in &now.storage.disks {
        let wear = |cells: &str, wear: &Reading<Ratio>| match wear {
            Reading::Value(wear) => format!("up to {:.0} % of its {cells} used up", 100.0 * wear.0),
            Reading::Absent => String::new(),
            other => cell(other, |_| String::new()).0,
        };
        rows.push(vec![
            disk.name.as_str().into(),
            cell(&disk.written, |bytes| format!("{bytes} written since the start")),
            plain(&disk.temperature),
            wear("life", if disk.wear_b.is_value() { &disk.wear_b } else { &disk.wear_a }).into(),
        ]);
    }
    rows
}

fn peripherals(now: &Snapshot) -> Vec<Vec<Cell>> {
    let there = &now.peripherals;
    let kinds = [
        ("cameras", &there.cameras),
        ("microphones", &there.microphones),
        ("loudspeakers", &there.loudspeakers),
        ("displays", &there.displays),
    ];
    // Nothing at all is a machine in a rack, and no news.
    if kinds.iter().all(|(_, count)| **count == Reading::Value(0)) {
        return Vec::new();
    }
    kinds.map(|(kind, count)| vec![kind.into(), cell(count, |count| count.to_string())]).into()
}
