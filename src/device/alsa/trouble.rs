//! What went wrong with a card, in words that say what to do.

use std::{fs, path::Path};

use alsa::Error;
use anyhow::anyhow;
use rustix::io::Errno;

use super::cards::{Cards, Found, Way};

/// What is to be done about an error of a card that was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    /// There is nothing to read, or no room, yet.
    Wait,
    /// Sound was lost; begin again.
    Restart,
    /// The machine slept; wake the card.
    Resume,
    /// It is gone.
    Lost,
}

/// What is to be done about `error`.
pub(super) fn cure(error: Error) -> Cure {
    let is = |errno: Errno| error.errno() == errno.raw_os_error();
    if is(Errno::AGAIN) || is(Errno::INTR) {
        Cure::Wait
    } else if is(Errno::PIPE) {
        Cure::Restart
    } else if is(Errno::STRPIPE) {
        Cure::Resume
    } else {
        Cure::Lost
    }
}

/// Why `found` cannot be opened, and what to do.
pub(super) fn explain(cards: &Cards, found: &Found, way: Way, error: Error) -> anyhow::Error {
    let is = |errno: Errno| error.errno() == errno.raw_os_error();
    let name = found.to_string();
    if is(Errno::ACCESS) || is(Errno::PERM) {
        return anyhow!(
            "{name} may not be opened: add the user of this program to the group `audio` (sudo usermod -aG \
             audio USER), then start it anew"
        );
    }
    if is(Errno::BUSY) {
        let holder = holder(cards.root(), found, way);
        let holder = holder.unwrap_or_else(|| "another program".to_owned());
        return anyhow!(
            "{name} is in use by {holder}: end it, or share the card through a sound server with the name \
             `default`"
        );
    }
    if is(Errno::NOENT) || is(Errno::NODEV) || is(Errno::NXIO) {
        let there = cards.list().unwrap_or_default();
        let there: Vec<String> = there.iter().map(ToString::to_string).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        return anyhow!("{name} is not there: is it plugged in? The sound cards: {there}");
    }
    anyhow!("{name} cannot be used: {error}")
}

/// Who has the card open, as `aplay (process 1234)`.
fn holder(root: &Path, found: &Found, way: Way) -> Option<String> {
    let (card, device) = found.card.as_ref()?;
    let folder = format!("proc/asound/card{}/pcm{device}{}", card.index, way.letter());
    let entries = fs::read_dir(root.join(folder)).ok()?;
    entries.flatten().take(64).find_map(|entry| {
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let owner = status.lines().find_map(|line| line.strip_prefix("owner_pid"))?;
        let owner: u32 = owner.trim_start_matches([' ', ':']).trim().parse().ok()?;
        let process = root.join("proc").join(owner.to_string());
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        // The owner is a thread; people know its process.
        let about = fs::read_to_string(process.join("status")).unwrap_or_default();
        let group = about.lines().find_map(|line| line.strip_prefix("Tgid:"));
        let number = group.and_then(|group| group.trim().parse().ok()).unwrap_or(owner);
        match name.trim() {
            "" => Some(format!("process {number}")),
            name => Some(format!("{name} (process {number})")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::alsa::cards::tests::machine;

    const CARDS: &str = " 1 [USB            ]: USB-Audio - Jabra SPEAK 510 USB\n";
    const PCMS: &str = "01-00: USB Audio : USB Audio : playback 1 : capture 1\n";

    fn told(errno: Errno) -> String {
        let (root, cards) = machine(CARDS, PCMS);
        let folder = root.path().join("proc/asound/card1/pcm0p/sub0");
        fs::create_dir_all(&folder).unwrap();
        let status = "state: RUNNING\nowner_pid   : 4712\ntrigger_time: 1.2\n";
        fs::write(folder.join("status"), status).unwrap();
        let process = root.path().join("proc/4712");
        fs::create_dir_all(&process).unwrap();
        fs::write(process.join("comm"), "data-loop.0\n").unwrap();
        fs::write(process.join("status"), "Name:\tdata-loop.0\nTgid:\t4711\n").unwrap();
        let found = cards.find("USB", Way::Out).unwrap();
        let error = Error::new("snd_pcm_open", errno.raw_os_error());
        explain(&cards, &found, Way::Out, error).to_string()
    }

    #[test]
    fn messages_name_the_card_and_say_what_to_do() {
        let busy = told(Errno::BUSY);
        assert!(busy.contains("data-loop.0 (process 4711)") && busy.contains("Jabra"), "{busy}");
        assert!(told(Errno::ACCESS).contains("group `audio`"));
        let away = told(Errno::NODEV);
        assert!(
            away.contains("plugged in") && away.contains("USB (Jabra SPEAK 510 USB)"),
            "{away}"
        );
        assert!(told(Errno::IO).contains("cannot be used"));
    }

    #[test]
    fn a_holder_that_cannot_be_seen_is_another_program() {
        let (_root, cards) = machine(CARDS, PCMS);
        let found = cards.find("USB", Way::Out).unwrap();
        let error = Error::new("snd_pcm_open", Errno::BUSY.raw_os_error());
        let told = explain(&cards, &found, Way::Out, error).to_string();
        assert!(told.contains("in use by another program"), "{told}");
    }

    #[test]
    fn errors_have_their_cures() {
        let cured = |errno: Errno| cure(Error::new("snd_pcm_readi", errno.raw_os_error()));
        assert_eq!(cured(Errno::AGAIN), Cure::Wait);
        assert_eq!(cured(Errno::PIPE), Cure::Restart);
        assert_eq!(cured(Errno::STRPIPE), Cure::Resume);
        assert_eq!(cured(Errno::NODEV), Cure::Lost);
        assert_eq!(cured(Errno::BADFD), Cure::Lost);
    }
}
