//! What systemd is told: ready, what the kiosk does, that it lives, that it reloads, that it stops. Where no
//! systemd has started the process, nothing happens.

use std::time::Duration;

use ::systemd::daemon;
use rustix::time::{ClockId, clock_gettime};

/// Sends what belongs together in one datagram.
fn tell(fields: &[(&str, &str)]) {
    if let Err(error) = daemon::notify(fields.iter()) {
        tracing::debug!("systemd was not told: {error}");
    }
}

/// The kiosk works: whoever waits for it may go on.
pub fn ready(status: &str) {
    tell(&[("READY", "1"), ("STATUS", status)]);
}

/// The line that `systemctl status` shows.
pub fn status(text: &str) {
    tell(&[("STATUS", text)]);
}

/// The start may take so long from now on.
pub fn extend(time: Duration) {
    tell(&[("EXTEND_TIMEOUT_USEC", &time.as_micros().to_string())]);
}

/// The configuration is read anew; [`ready`] says when that is done.
pub fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let now = Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32);
    tell(&[("RELOADING", "1"), ("MONOTONIC_USEC", &now.as_micros().to_string())]);
}

/// The kiosk is about to end.
pub fn stopping() {
    tell(&[("STOPPING", "1"), ("STATUS", "stopping")]);
}

/// The kiosk makes progress, and does this.
pub fn alive(status: &str) {
    tell(&[("WATCHDOG", "1"), ("STATUS", status)]);
}

/// Whether systemd has started this process, and so starts it again.
pub fn present() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// How long systemd waits for [`alive`] before it ends the process; `None` if it does not.
pub fn watchdog() -> Option<Duration> {
    let limit = daemon::watchdog_enabled().ok().filter(|limit| *limit > 0)?;
    Some(Duration::from_micros(limit))
}
