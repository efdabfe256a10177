//! Where on the loudspeaker's clock a sample of the microphone belongs.

use crate::media::SAMPLE_RATE;

/// How exactly a device's delay is known, in samples: USB tells it by the millisecond.
const EXACT: f64 = 6.0;

/// How far the clocks of two cards may be expected to run apart (100 ppm), and those of one.
const APART: f64 = 100e-6;
const TOGETHER: f64 = 0.5e-6;

/// The most that they may, by any means.
const MOST: f64 = 1_000e-6;

/// By how much the drift of two cards changes in a second, as they warm up.
const WANDER: f64 = 0.3e-6;

/// How far cards wander about their drift in a second, in samples.
const JITTER: f64 = 0.02;

/// An observation that is further off, in samples (2 ms), counts as if it were only so far.
const CLIP: f64 = 32.0;

/// Observations that are further off than this, in samples (12 ms)...
const OFF: f64 = 192.0;

/// ...so many times in a row are true, and everything is begun anew.
const TIMES: u32 = 10;

/// How much of what is missing the reader makes up in a frame.
const FOLLOW: f64 = 0.02;

/// Learns how far the two clocks are apart, and how fast they drift, from noisy observations: a Kalman
/// filter whose state is the offset and the drift.
///
/// Positions are in samples at 16 kHz; the offset is the loudspeaker's minus the microphone's.
#[derive(Debug)]
pub struct Alignment {
    usual: f64,
    offset: f64,
    drift: f64,
    /// Uncertainty: of the offset, of both, of the drift.
    doubt: (f64, f64, f64),
    /// The microphone's position at the last observation; `None` before the first.
    at: Option<f64>,
    /// Observations that were far off, in a row.
    off: u32,
    resynchronised: u64,
    /// The offset that is read with, and the position at which it was.
    reader: Option<(f64, f64)>,
}

impl Alignment {
    /// Nothing is known but whether both devices have one clock.
    pub fn new(one_clock: bool) -> Self {
        let usual = if one_clock { TOGETHER } else { APART };
        Self {
            usual,
            offset: 0.0,
            drift: 0.0,
            doubt: (0.0, 0.0, usual * usual),
            at: None,
            off: 0,
            resynchronised: 0,
            reader: None,
        }
    }

    /// How much faster the loudspeaker's clock runs, as a part.
    pub fn drift(&self) -> f64 {
        self.drift
    }

    /// How often everything was begun anew.
    pub fn resynchronised(&self) -> u64 {
        self.resynchronised
    }

    /// The offset at a position of the microphone.
    pub fn offset(&self, at: f64) -> f64 {
        self.offset + self.at.map_or(0.0, |before| self.drift * (at - before))
    }

    /// At the microphone's position `at` the loudspeaker's was `offset` more.
    pub fn observe(&mut self, at: f64, offset: f64) {
        let Some(before) = self.at else { return self.begin(at, offset) };
        let step = (at - before).max(0.0);
        let missing = offset - self.offset(at);
        if missing.abs() > OFF {
            self.off += 1;
            if self.off >= TIMES {
                self.resynchronised += 1;
                self.begin(at, offset);
            }
            return;
        }
        self.off = 0;
        let seconds = step / f64::from(SAMPLE_RATE);
        let (offset_doubt, both, drift_doubt) = self.doubt;
        let drift_doubt = drift_doubt + WANDER * WANDER * seconds;
        let offset_doubt = offset_doubt
            + 2.0 * step * both
            + step * step * drift_doubt
            + JITTER * JITTER * seconds;
        let both = both + step * drift_doubt;
        let sum = offset_doubt + EXACT * EXACT;
        let (gain, drift_gain) = (offset_doubt / sum, both / sum);
        self.doubt =
            (offset_doubt * (1.0 - gain), both * (1.0 - gain), drift_doubt - drift_gain * both);
        self.offset = self.offset(at);
        self.at = Some(at);
        let missing = missing.clamp(-CLIP, CLIP);
        self.offset += gain * missing;
        self.drift = (self.drift + drift_gain * missing).clamp(-MOST, MOST);
    }

    fn begin(&mut self, at: f64, offset: f64) {
        (self.offset, self.at, self.off) = (offset, Some(at), 0);
        // The drift is a property of the cards and stays.
        self.doubt = (EXACT * EXACT, 0.0, self.usual * self.usual);
        self.reader = None;
    }

    /// The offset and drift to read with from the microphone's position `at` on: what is learnt, without
    /// jumps.
    pub fn follow(&mut self, at: f64) -> (f64, f64) {
        let wanted = self.offset(at);
        let Some((offset, before)) = self.reader else {
            self.reader = self.at.map(|_| (wanted, at));
            return (wanted, self.drift);
        };
        let step = (at - before).max(0.0);
        let due = offset + self.drift * step;
        // Early on what is learnt is worth more than calm.
        let follow = if self.doubt.0.sqrt() > 1.0 { 0.2 } else { FOLLOW };
        let next = due + follow * (wanted - due);
        self.reader = Some((next, at));
        let frame = f64::from(SAMPLE_RATE / 100);
        (next, self.drift + follow * (wanted - next) / frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Observes clocks that are `drift` apart every 10 ms for so many seconds, wrong by up to a
    /// millisecond; the offset's largest error in the last second.
    fn run(alignment: &mut Alignment, from: u32, seconds: u32, start: f64, drift: f64) -> f64 {
        let mut state = 7_u32;
        let mut worst = 0.0_f64;
        for step in from * 100..(from + seconds) * 100 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wrong = 16.0 * (f64::from(state) / f64::from(u32::MAX) - 0.5);
            let at = 160.0 * f64::from(step);
            alignment.observe(at, start + drift * at + wrong);
            let (offset, _) = alignment.follow(at);
            if step >= (from + seconds - 1) * 100 {
                worst = worst.max((offset - start - drift * at).abs());
            }
        }
        worst
    }

    #[test]
    fn one_clock_is_found_within_seconds() {
        let mut alignment = Alignment::new(true);
        let worst = run(&mut alignment, 0, 5, 1_234.5, 0.0);
        assert!(worst < 1.0, "{worst} samples");
        assert!(alignment.drift().abs() < 1e-6);
        assert_eq!(alignment.resynchronised(), 0);
    }

    #[test]
    fn two_clocks_are_followed() {
        for drift in [100e-6, -250e-6] {
            let mut alignment = Alignment::new(false);
            let worst = run(&mut alignment, 0, 30, -70.0, drift);
            assert!(worst < 1.5, "{worst} samples at {drift}");
            let off = alignment.drift() - drift;
            assert!(off.abs() < 5e-6, "{off}");
            // Through a silence of ten seconds.
            let at = 160.0 * 100.0 * 40.0;
            let error = alignment.offset(at) - (-70.0 + drift * at);
            assert!(error.abs() < 4.0, "{error} samples");
        }
    }

    #[test]
    fn reading_never_jumps_but_when_everything_has_moved() {
        let mut alignment = Alignment::new(false);
        run(&mut alignment, 0, 10, 0.0, 0.0);
        let (before, _) = alignment.follow(160_000.0);
        // One wild observation is nothing.
        alignment.observe(160_000.0, 5_000.0);
        let (after, _) = alignment.follow(160_160.0);
        assert!((before - after).abs() < 0.5, "{before} {after}");
        assert_eq!(alignment.resynchronised(), 0);
        let worst = run(&mut alignment, 11, 5, 5_000.0, 0.0);
        assert!(worst < 1.5, "{worst}");
        assert_eq!(alignment.resynchronised(), 1);
    }
}
