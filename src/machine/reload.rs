//! A configuration that takes the place of another while the kiosk runs.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{settings, status};
use crate::{
    admin::ModelStatus,
    config::{Config, Listen, Sound},
    engine::load::Loader,
    kiosk::Successors,
    metrics::Metrics,
    scene::Boards,
};

/// What a new configuration has changed.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// Keys that have taken effect, or do so at the next pause.
    pub live: Vec<String>,
    /// Keys that need a restart.
    pub restart: Vec<String>,
    /// What the kiosk goes by from now on.
    pub config: Config,
    /// The models that it takes at the next pause.
    pub models: Vec<ModelStatus>,
}

/// Lets what `new` says differently from `old` take effect, as far as that is possible. The site's facts and
/// the models are read anew in any case, because their files may have changed; `metrics` tells which they are.
///
/// # Errors
/// A model or the site's facts cannot be loaded; then nothing is changed.
pub fn reload(
    old: &Config,
    new: &Config,
    successors: &Successors,
    metrics: &Metrics,
) -> Result<Reloaded> {
    let config = running(old, new);
    let loader = Loader::new(&config)?;
    // All of them first: either everything is new, or nothing.
    let (tts, asr, llm) = (loader.tts()?, loader.asr()?, loader.llm()?);
    let (rate, before) = (tts.sample_rate(), successors.sample_rate);
    ensure!(
        rate == before,
        "the voice of the new pack makes {rate} samples a second instead of {before}: restart"
    );
    let face = loader.face(rate)?;
    let models = status(&loader, metrics)?;
    let boards: Arc<dyn Boards> = Arc::new(loader.site.clone());
    let settings = settings(&config, Some(boards));
    successors.asr.put(asr);
    successors.llm.put(llm);
    successors.tts.put(tts);
    successors.face.put(face);
    successors.limits.put(settings.limits);
    successors.manners.put(settings.manners);
    let (live, restart) = (compare(old, &config), compare(&config, new));
    Ok(Reloaded { live, restart, config, models })
}

/// `old` with what can change while the kiosk runs as `new` has it.
fn running(old: &Config, new: &Config) -> Config {
    Config {
        converse: new.converse.clone(),
        // Whether the microphone is off at first says only how the kiosk begins.
        listen: Listen { muted: old.listen.muted, ..new.listen.clone() },
        models: new.models.clone(),
        sound: Sound { speaker_gain_db: new.sound.speaker_gain_db, ..old.sound.clone() },
        ..old.clone()
    }
}

/// Which keys differ.
fn compare(old: &Config, new: &Config) -> Vec<String> {
    let written = |config| serde_json::to_value(config).unwrap_or_default();
    let mut keys = Vec::new();
    differences("", &written(old), &written(new), &mut keys);
    keys
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
        assert_eq!(running(&old, &new), old);
        new.converse.greeting = "Hello.".into();
        new.sound.speaker_gain_db = -6.0;
        new.listen.muted = true;
        new.screen.rotation = 90;
        let now = running(&old, &new);
        assert_eq!(compare(&old, &now), ["converse.greeting", "sound.speaker_gain_db"]);
        assert_eq!(compare(&now, &new), ["listen.muted", "screen.rotation"]);
    }
}
