//! Whether the kiosk makes progress, and what it does, in a line: systemd's watchdog is fed by this, and not
//! by a timer that goes on when everything else hangs.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::{flow::Pulses, journal::Journal, media::Device, metrics::Metrics, sensors::Latest};

/// After this long without a picture, a chunk of sound or a reading of the sensors something hangs.
const PATIENCE: Duration = Duration::from_secs(15);

/// A count that must grow.
#[derive(Debug)]
struct Progress {
    what: &'static str,
    count: u64,
    since: Instant,
}

impl Progress {
    fn new(what: &'static str, now: Instant) -> Self {
        Self { what, count: 0, since: now }
    }

    /// Notes the count; whether it has stood still for too long. What is `excused` has a reason.
    fn stands(&mut self, count: u64, excused: bool, now: Instant) -> bool {
        if count != self.count || excused {
            (self.count, self.since) = (count, now);
        }
        now.saturating_duration_since(self.since) > PATIENCE
    }
}

/// Watches over a running kiosk.
#[derive(Debug)]
pub struct Vigil {
    pictures: Progress,
    sound: Progress,
    readings: Progress,
}

impl Vigil {
    /// Nothing has happened yet.
    pub fn new(now: Instant) -> Self {
        Self {
            pictures: Progress::new("the screen", now),
            sound: Progress::new("the microphone", now),
            readings: Progress::new("the sensors", now),
        }
    }

    /// What hangs; empty while all is well. A device that is unplugged does not hang, and neither does a model
    /// that nobody asks anything.
    pub fn hangs(
        &mut self,
        metrics: &Metrics,
        pulses: &Pulses,
        readings: Option<u64>,
        now: Instant,
    ) -> Vec<&'static str> {
        let mut hangs = pulses.stuck_now();
        let away = |device| !metrics.works(device);
        let counts = [
            (&mut self.pictures, metrics.pictures_shown.get(), away(Device::Display)),
            (
                &mut self.sound,
                metrics.microphone_chunks.load(Ordering::Relaxed),
                away(Device::Microphone),
            ),
            (&mut self.readings, readings.unwrap_or_default(), readings.is_none()),
        ];
        for (progress, count, excused) in counts {
            if progress.stands(count, excused, now) {
                hangs.push(progress.what);
            }
        }
        hangs
    }
}

/// The line that `systemctl status` shows, for example `listening · last answer 640 ms · 54 °C · 11.2 W`.
pub fn line(journal: &Journal, latest: Option<&Latest>) -> String {
    let mut parts = vec![journal.activity().name().to_owned()];
    let first_sound = journal.turns().1.and_then(|timing| timing.first_sound);
    if let Some(first_sound) = first_sound {
        parts.push(format!("last answer {} ms", first_sound.as_millis()));
    }
    if let Some(sample) = latest.and_then(Latest::get) {
        let zones = sample.snapshot.thermal.zones.iter();
        let hottest = zones.filter_map(|zone| Some(zone.temperature.as_ref().value()?.0));
        parts.extend(hottest.max_by(f64::total_cmp).map(|celsius| format!("{celsius:.0} °C")));
        let board = sample.snapshot.power.board();
        parts.extend(board.map(|(watts, _)| format!("{:.1} W", watts.0)));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Activity, End, Report};

    #[test]
    fn what_stands_still_hangs_unless_it_is_away() {
        let start = Instant::now();
        let later = |s| start + Duration::from_secs(s);
        let metrics = Metrics::default();
        let pulses = Pulses::default();
        let mut vigil = Vigil::new(start);
        metrics.pictures_shown.inc();
        metrics.microphone_chunks.fetch_add(1, Ordering::Relaxed);
        assert!(vigil.hangs(&metrics, &pulses, Some(1), later(10)).is_empty());
        metrics.pictures_shown.inc();
        let hangs = vigil.hangs(&metrics, &pulses, Some(1), later(26));
        assert_eq!(hangs, ["the microphone", "the sensors"]);
        metrics.device_works(Device::Microphone, false);
        assert_eq!(vigil.hangs(&metrics, &pulses, Some(2), later(27)), [""; 0]);
        assert_eq!(vigil.hangs(&metrics, &pulses, None, later(43)), ["the screen"]);
    }

    #[test]
    fn the_line_says_what_a_technician_wants_to_know() {
        let journal = Journal::default();
        assert_eq!(line(&journal, None), "idle");
        journal.is(Activity::Listening);
        let unheard = Report::unheard(Duration::ZERO, Duration::ZERO);
        let first_sound = Some(Duration::from_millis(640));
        journal.ended(Report { end: End::Finished, first_sound, ..unheard });
        assert_eq!(line(&journal, None), "listening · last answer 640 ms");
    }
}
