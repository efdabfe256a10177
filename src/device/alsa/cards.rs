//! Which sound cards there are, and which of them a configuration means.
//!
//! Read from `/proc/asound`, so that it needs no permission and no card has to be opened for it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

/// Where sound goes through a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the microphone.
    In,
    /// To the loudspeaker.
    Out,
}

impl Way {
    /// How the kernel calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::In => "capture",
            Self::Out => "playback",
        }
    }

    /// The last letter of the kernel's device names.
    pub(super) fn letter(self) -> char {
        match self {
            Self::In => 'c',
            Self::Out => 'p',
        }
    }

    fn does(self) -> &'static str {
        match self {
            Self::In => "hears",
            Self::Out => "speaks",
        }
    }
}

/// A sound card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its number, which may change when the machine starts again.
    pub index: u32,
    /// Its id, which does not.
    pub id: String,
    /// Its driver.
    pub driver: String,
    /// What people call it.
    pub name: String,
    /// The numbers of its devices that hear.
    pub inputs: Vec<u32>,
    /// The numbers of its devices that speak.
    pub outputs: Vec<u32>,
    /// Whether those that speak are HDMI.
    pub hdmi: bool,
}

impl Card {
    fn devices(&self, way: Way) -> &[u32] {
        match way {
            Way::In => &self.inputs,
            Way::Out => &self.outputs,
        }
    }

    /// How good a choice it is when nobody has chosen, less is better; `None` is never chosen.
    ///
    /// A card that hears and speaks has one clock for both, which the echo canceller likes.
    fn rank(&self, way: Way) -> Option<u32> {
        let driver = self.driver.to_lowercase();
        let both = u32::from(self.inputs.is_empty() || self.outputs.is_empty());
        if self.devices(way).is_empty() {
            return None;
        }
        // The routes through the board's own audio processor must be set first.
        if driver.contains("tegra") && driver.contains("ape") || self.id == "APE" {
            return None;
        }
        Some(match driver.as_str() {
            "loopback" | "dummy" => 8,
            _ if driver.contains("usb") => both,
            _ if way == Way::Out && self.hdmi => 6,
            _ => 2 + both,
        })
    }
}

impl fmt::Display for Card {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({})", self.id, self.name)
    }
}

/// What is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name for ALSA.
    pub pcm: String,
    /// The card and the number of its device, where they are known.
    pub card: Option<(Card, u32)>,
}

impl Found {
    /// Whether the program has the device for itself: then it may go on running in silence.
    pub fn is_direct(&self) -> bool {
        self.pcm.starts_with("hw:")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.card {
            Some((card, _)) => write!(to, "{card} as {}", self.pcm),
            None => to.write_str(&self.pcm),
        }
    }
}

/// The cards of a machine.
#[derive(Clone, Debug)]
pub struct Cards {
    root: PathBuf,
}

impl Default for Cards {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Cards {
    /// Those that the kernel of the machine lists whose `/proc` is below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder below which they are looked for.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// All of them, in the kernel's order; none where there is no sound driver.
    ///
    /// # Errors
    /// The kernel's lists cannot be read.
    pub fn list(&self) -> io::Result<Vec<Card>> {
        let read = |name: &str| match fs::read_to_string(self.root.join("proc/asound").join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            text => text,
        };
        Ok(parse(&read("cards")?, &read("pcm")?))
    }

    /// What `wanted` means: `auto`, a card's id or a part of its name, or a name that ALSA knows.
    ///
    /// # Errors
    /// There is no such card; the message lists those that there are.
    pub fn find(&self, wanted: &str, way: Way) -> Result<Found> {
        let cards = self.list()?;
        let direct = |card: &Card, device: u32| Found {
            pcm: format!("hw:CARD={},DEV={device}", card.id),
            card: Some((card.clone(), device)),
        };
        let usable = || cards.iter().filter(|card| !card.devices(way).is_empty());
        if wanted.contains(':') {
            // `hw:CARD=Device,DEV=0`: which card that is helps messages only.
            let named = wanted.split_once("CARD=").map(|(_, rest)| rest.split(',').next());
            let named = named.flatten();
            let device = wanted.rsplit_once("DEV=").and_then(|(_, number)| number.parse().ok());
            let card = cards.iter().find(|card| Some(card.id.as_str()) == named);
            if let (Some(named), None) = (named, card) {
                // Not left to ALSA's library, which would write to the log by itself.
                bail!("no sound card has the id {named:?}: {}", listed(usable()));
            }
            let card = card.map(|card| (card.clone(), device.unwrap_or(0)));
            return Ok(Found { pcm: wanted.to_owned(), card });
        }
        let chosen = if wanted == "auto" || wanted.is_empty() {
            let ranked = usable().filter_map(|card| Some((card.rank(way)?, card)));
            ranked.min_by_key(|(rank, card)| (*rank, card.index)).map(|(_, card)| card)
        } else {
            let lower = wanted.to_lowercase();
            usable()
                .find(|card| card.id == wanted)
                .or_else(|| usable().find(|card| card.name.to_lowercase().contains(&lower)))
                .or_else(|| usable().find(|card| card.id.to_lowercase().contains(&lower)))
        };
        if let Some(card) = chosen {
            return Ok(direct(card, card.devices(way)[0]));
        }
        if ["default", "sysdefault", "pulse", "pipewire", "null"].contains(&wanted) {
            return Ok(Found { pcm: wanted.to_owned(), card: None });
        }
        let there = listed(usable());
        let does = way.does();
        match wanted {
            "auto" | "" => bail!("no sound card {does} by itself: {there}"),
            _ => bail!("no sound card that {does} is called {wanted:?}: {there}"),
        }
    }
}

/// The cards as a part of a sentence.
fn listed<'a>(cards: impl Iterator<Item = &'a Card>) -> String {
    let there: Vec<String> = cards.map(ToString::to_string).collect();
    match there.as_slice() {
        [] => "there is none; is it plugged in?".to_owned(),
        there => format!("there is {}", there.join(", ")),
    }
}

/// Makes cards of `/proc/asound/cards` and `/proc/asound/pcm`.
fn parse(cards: &str, pcms: &str) -> Vec<Card> {
    let mut found: Vec<Card> = cards.lines().filter_map(card).collect();
    for line in pcms.lines() {
        let mut parts = line.split(':').map(str::trim);
        let Some((card, device)) = parts.next().and_then(|place| place.split_once('-')) else {
            continue;
        };
        let (Ok(index), Ok(device)) = (card.parse::<u32>(), device.parse::<u32>()) else {
            continue;
        };
        let Some(card) = found.iter_mut().find(|card| card.index == index) else { continue };
        let parts: Vec<&str> = parts.collect();
        let goes = |way: Way| parts.iter().any(|part| part.split(' ').next() == Some(way.name()));
        if goes(Way::In) {
            card.inputs.push(device);
        }
        if goes(Way::Out) {
            let hdmi = parts.first().is_some_and(|name| name.to_uppercase().contains("HDMI"));
            card.hdmi |= hdmi && card.outputs.is_empty();
            card.outputs.push(device);
        }
    }
    found
}

/// A card of a line like ` 0 [PCH            ]: HDA-Intel - HDA Intel PCH`.
fn card(line: &str) -> Option<Card> {
    let (index, rest) = line.split_once('[')?;
    let (id, rest) = rest.split_once(']')?;
    let (driver, name) = rest.trim_start_matches(':').split_once(" - ")?;
    Some(Card {
        index: index.trim().parse().ok()?,
        id: id.trim().to_owned(),
        driver: driver.trim().to_owned(),
        name: name.trim().to_owned(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        hdmi: false,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const CARDS: &str = "\
 0 [HDA            ]: tegra-hda - NVIDIA Jetson Orin NX HDA
                      NVIDIA Jetson Orin NX HDA at 0x3518000 irq 118
 1 [APE            ]: tegra-ape - NVIDIA Jetson Orin NX APE
                      Unknown
 2 [Camera         ]: USB-Audio - Some Camera
                      A camera at usb-3610000.usb-2.1, high speed
 3 [USB            ]: USB-Audio - Jabra SPEAK 510 USB
                      Jabra at usb-3610000.usb-2.2, full speed
";
    const PCMS: &str = "\
00-03: HDMI 0 : HDMI 0 : playback 1
00-07: HDMI 0 : HDMI 0 : playback 1
01-00: tegra-dlink-0 XBAR-ADMAIF1-0 :  : playback 1 : capture 1
02-00: USB Audio : USB Audio : capture 1
03-00: USB Audio : USB Audio : playback 1 : capture 1
";

    /// A machine with these lists.
    pub(in super::super) fn machine(cards: &str, pcms: &str) -> (tempfile::TempDir, Cards) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("proc/asound");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cards"), cards).unwrap();
        fs::write(folder.join("pcm"), pcms).unwrap();
        let cards = Cards::below(root.path());
        (root, cards)
    }

    #[test]
    fn a_card_is_found_by_id_or_name_or_chosen() {
        let (_root, cards) = machine(CARDS, PCMS);
        let pcm = |wanted: &str, way| cards.find(wanted, way).unwrap().pcm;
        assert_eq!(pcm("auto", Way::In), "hw:CARD=USB,DEV=0", "it hears and speaks");
        assert_eq!(pcm("auto", Way::Out), "hw:CARD=USB,DEV=0");
        assert_eq!(pcm("HDA", Way::Out), "hw:CARD=HDA,DEV=3");
        assert_eq!(pcm("jabra", Way::In), "hw:CARD=USB,DEV=0");
        assert_eq!(pcm("some camera", Way::In), "hw:CARD=Camera,DEV=0");
        assert_eq!(pcm("default", Way::Out), "default");
        assert_eq!(pcm("plughw:CARD=APE,DEV=0", Way::In), "plughw:CARD=APE,DEV=0");
        let named = cards.find("hw:CARD=HDA,DEV=7", Way::Out).unwrap();
        assert_eq!(named.card.map(|(card, device)| (card.index, device)), Some((0, 7)));
    }

    #[test]
    fn a_camera_hears_and_a_screen_speaks_when_there_is_nothing_better() {
        let without: Vec<&str> = CARDS.lines().take(6).collect();
        let (_root, cards) = machine(&without.join("\n"), PCMS);
        assert_eq!(cards.find("auto", Way::In).unwrap().pcm, "hw:CARD=Camera,DEV=0");
        assert_eq!(cards.find("auto", Way::Out).unwrap().pcm, "hw:CARD=HDA,DEV=3");
    }

    #[test]
    fn a_card_that_is_not_there_is_told_with_those_that_are() {
        let (_root, cards) = machine(CARDS, PCMS);
        let told = cards.find("Samson", Way::Out).unwrap_err().to_string();
        assert!(
            told.contains("\"Samson\"") && told.contains("USB (Jabra SPEAK 510 USB)"),
            "{told}"
        );
        assert!(!told.contains("Camera"), "it does not speak: {told}");
        let told = cards.find("hw:CARD=Gone,DEV=0", Way::Out).unwrap_err().to_string();
        assert!(told.contains("\"Gone\"") && told.contains("Jabra"), "{told}");
        let nowhere = Cards::below("/no/such/folder");
        let told = nowhere.find("auto", Way::In).unwrap_err().to_string();
        assert!(told.contains("plugged in"), "{told}");
    }

    #[test]
    fn nonsense_in_the_lists_is_no_card() {
        assert!(
            parse("hello\n [x]: \n x [a]: b - c\n--- no soundcards ---\n", "::\n1-2\n").is_empty()
        );
    }
}
