//! What a store was last used with, kept in its directory: whoever looks at it without the configuration
//! sees the policy and the capacity that it has, and changes neither.

use std::path::Path;

use crate::{
    config::{ArtifactsConfig, CacheConfig, Size},
    sink::Dir,
};

/// Its name in the store.
const FILE: &str = "settings.toml";
/// More than anybody writes into a table of the configuration.
const MOST: u64 = 1 << 16;

/// Notes what holds for the store. One that can only be read keeps what it has.
pub(super) fn note(dir: &Path, settings: &ArtifactsConfig) {
    let Ok(text) = toml::to_string(settings) else {
        return;
    };
    let Ok(dir) = Dir::open(dir) else {
        return;
    };
    if dir.read(FILE, MOST).ok().as_deref() != Some(text.as_bytes()) {
        // They are for those who look; a store works without.
        let _ = dir.write(FILE, text.as_bytes());
    }
}

/// The configuration of a store that is looked at without one: what it was last used with. Where that is not
/// known it has room for whatever it holds, so that looking at it makes nothing go.
pub fn settings_of(dir: &Path) -> CacheConfig {
    let text = Dir::open(dir).and_then(|dir| dir.read(FILE, MOST));
    let known = text.ok().and_then(|text| toml::from_slice(&text).ok());
    CacheConfig {
        artifacts: known.unwrap_or_else(|| ArtifactsConfig {
            capacity: Size::of_bytes(u64::MAX),
            ..ArtifactsConfig::default()
        }),
        ..CacheConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn what_is_no_settings_file_is_neither_waited_for_nor_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE);
        mkfifoat(CWD, &path, Mode::RWXU).expect("a pipe");
        assert_eq!(
            settings_of(dir.path()).artifacts.capacity,
            Size::of_bytes(u64::MAX)
        );
        fs::remove_file(&path).expect("removed");
        let file = fs::File::create(&path).expect("a file");
        // Takes no room on the disk.
        file.set_len(1 << 42).expect("a huge file");
        assert_eq!(
            settings_of(dir.path()).artifacts.capacity,
            Size::of_bytes(u64::MAX)
        );
        let settings = ArtifactsConfig {
            policy: Some("lru".into()),
            ..ArtifactsConfig::default()
        };
        note(dir.path(), &settings);
        assert_eq!(settings_of(dir.path()).artifacts, settings);
    }
}
