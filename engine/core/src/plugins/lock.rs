//! The lock: which files are trusted, by id, version and SHA-256.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PluginError;

/// Name of a lock file.
pub const LOCK_FILE: &str = "eyemap-plugins.lock";
const FORM: u32 = 1;

/// One trusted file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// The plugin's id.
    pub id: String,
    /// Its version when it was locked.
    pub version: String,
    /// SHA-256 of the file, as hexadecimal digits.
    pub sha256: String,
}

/// A lock as read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// Where it came from.
    pub path: PathBuf,
    /// What it trusts, by id.
    pub plugins: Vec<Locked>,
}

#[derive(Serialize, Deserialize)]
struct File {
    form: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Locked>,
}

impl Lock {
    /// Reads a lock; a file that does not exist is an empty lock.
    ///
    /// # Errors
    /// When it cannot be read or has another form.
    pub fn read(path: &Path) -> Result<Self, PluginError> {
        let unusable = |reason: String| PluginError::Lock {
            path: path.into(),
            reason,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unusable(error.to_string())),
        };
        if text.is_empty() {
            return Ok(Self {
                path: path.into(),
                plugins: Vec::new(),
            });
        }
        let file: File = toml::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        if file.form != FORM {
            let reason = format!("it has form {}, this host knows form {FORM}", file.form);
            return Err(unusable(reason));
        }
        Ok(Self {
            path: path.into(),
            plugins: file.plugins,
        })
    }

    /// Writes the lock, sorted by id, in place of the old file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), PluginError> {
        let unusable = |reason: String| PluginError::Lock {
            path: self.path.clone(),
            reason,
        };
        let mut plugins = self.plugins.clone();
        plugins.sort_by(|a, b| a.id.cmp(&b.id));
        let text = toml::to_string(&File {
            form: FORM,
            plugins,
        })
        .map_err(|error| unusable(error.to_string()))?;
        let text =
            format!("# Which plugin files are trusted. Written by `eyemap plugin lock`.\n{text}");
        crate::sink::write_atomically(&self.path, text.as_bytes())
            .map_err(|error| unusable(error.to_string()))
    }

    /// What the lock says of an id.
    pub fn find(&self, id: &str) -> Option<&Locked> {
        self.plugins.iter().find(|locked| locked.id == id)
    }
}

/// SHA-256 as 64 hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
