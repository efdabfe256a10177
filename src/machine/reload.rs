//! A configuration that takes the place of another while the kiosk runs.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::settings;
use crate::{config::Config, engine::load::Loader, kiosk::Successors, scene::Boards};

/// Tables of which every key takes effect at once.
const LIVE_TABLES: &[&str] = &["converse", "listen", "models"];

/// Other keys that do.
const LIVE_KEYS: &[&str] = &["sound.speaker_gain_db"];

/// Keys of those tables that only say how the kiosk begins.
const AT_START: &[&str] = &["listen.muted"];

/// What a new configuration has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Keys that have taken effect, or do so at the next pause.
    pub live: Vec<String>,
    /// Keys that need a restart.
    pub restart: Vec<String>,
}

/// Lets what `new` says differently from `old` take effect, as far as that is possible. The site's facts and
/// the models are read anew in any case, because their files may have changed.
///
/// # Errors
/// A model or the site's facts cannot be loaded; then nothing is changed.
pub fn reload(old: &Config, new: &Config, successors: &Successors) -> Result<Reloaded> {
    let reloaded = compare(old, new);
    let loader = Loader::new(new)?;
    // All of them first: either everything is new, or nothing.
    let (tts, asr, llm) = (loader.tts()?, loader.asr()?, loader.llm()?);
    let (rate, before) = (tts.sample_rate(), successors.sample_rate);
    ensure!(
        rate == before,
        "the voice of the new pack makes {rate} samples a second instead of {before}: restart"
    );
    let face = loader.face(rate)?;
    let boards: Arc<dyn Boards> = Arc::new(loader.site.clone());
    let settings = settings(new, Some(boards));
    successors.asr.put(asr);
    successors.llm.put(llm);
    successors.tts.put(tts);
    successors.face.put(face);
    successors.limits.put(settings.limits);
    successors.manners.put(settings.manners);
    Ok(reloaded)
}

/// Which keys differ.
fn compare(old: &Config, new: &Config) -> Reloaded {
    let written = |config| serde_json::to_value(config).unwrap_or_default();
    let mut keys = Vec::new();
    differences("", &written(old), &written(new), &mut keys);
    let (live, restart) = keys.into_iter().partition(|key| is_live(key));
    Reloaded { live, restart }
}

fn is_live(key: &str) -> bool {
    let table = key.split('.').next().unwrap_or_default();
    LIVE_KEYS.contains(&key) || LIVE_TABLES.contains(&table) && !AT_START.contains(&key)
}

fn differences(at: &str, old: &Value, new: &Value, keys: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                differences(&at, old.get(key).unwrap_or(&Value::Null), value, keys);
            }
        }
        _ if old != new => keys.push(at.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_change_while_it_runs_is_told_from_what_needs_a_restart() {
        let old = Config::default();
        let mut new = old.clone();
        assert_eq!(compare(&old, &new), Reloaded::default());
        new.converse.greeting = "Hello.".into();
        new.sound.speaker_gain_db = -6.0;
        new.listen.muted = true;
        new.screen.rotation = 90;
        let reloaded = compare(&old, &new);
        assert_eq!(reloaded.live, ["converse.greeting", "sound.speaker_gain_db"]);
        assert_eq!(reloaded.restart, ["listen.muted", "screen.rotation"]);
    }
}
