//! What a store was last used with, kept in its directory: whoever looks at it without the configuration
//! sees the policy and the capacity that it has, and changes neither.

use std::path::Path;

use crate::{
    config::{ArtifactsConfig, CacheConfig},
    sink::write_atomically,
};

/// Its name in the store.
const FILE: &str = "settings.toml";

/// Notes what holds for the store. One that can only be read keeps what it has.
pub(super) fn note(dir: &Path, settings: &ArtifactsConfig) {
    let Ok(text) = toml::to_string(settings) else {
        return;
    };
    let path = dir.join(FILE);
    if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        // They are for those who look; a store works without.
        let _ = write_atomically(&path, text.as_bytes());
    }
}

/// The configuration of a store that is looked at without one: what it was last used with, or the
/// defaults where that is not known.
pub fn settings_of(dir: &Path) -> CacheConfig {
    let text = std::fs::read_to_string(dir.join(FILE)).unwrap_or_default();
    CacheConfig {
        artifacts: toml::from_str(&text).unwrap_or_default(),
        ..CacheConfig::default()
    }
}
