//! The lock: which files are trusted, by id, version and SHA-256.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{IN_PROCESS, Manifest, PluginError, trust};

/// Name of a lock file.
pub const LOCK_FILE: &str = "eyemap-plugins.lock";
const FORM: u32 = 1;

/// One trusted file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Locked {
    /// The plugin's id.
    pub id: String,
    /// Its version when it was locked.
    pub version: String,
    /// SHA-256 of the file, as hexadecimal digits.
    pub sha256: String,
    /// What it may do: ids of extensions that it may be used for, and [`IN_PROCESS`] if it may run in the
    /// host's process. Words that this version does not know grant nothing. Without the key every extension
    /// is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// Where the file was when it was locked, relative to the lock's directory; says where to look, and
    /// decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl Locked {
    /// What a lock says of a file with this manifest and hash: every extension is accepted.
    pub fn of(manifest: &Manifest, sha256: String) -> Self {
        // A file does not say of itself where it may run.
        let accepted = manifest.extensions.iter().filter(|id| *id != IN_PROCESS);
        Self {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            sha256,
            capabilities: Some(accepted.cloned().collect()),
            file: None,
        }
    }

    /// Whether it may run in the host's process.
    pub fn in_process(&self) -> bool {
        let accepted = self.capabilities.iter().flatten();
        accepted
            .into_iter()
            .any(|capability| capability == IN_PROCESS)
    }

    /// Whether it may be used for an extension. What it says of itself is no ability.
    pub fn accepts(&self, extension: &str) -> bool {
        let describe = eyemap_abi::ids::DESCRIBE;
        match &self.capabilities {
            None => true,
            Some(accepted) => extension == describe || accepted.iter().any(|id| id == extension),
        }
    }
}

/// A lock as read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// Where it came from.
    pub path: PathBuf,
    /// What it trusts; an id may be there with several hashes.
    pub plugins: Vec<Locked>,
    /// What its word is worth.
    pub standing: Standing,
    /// SHA-256 of its file; empty when there is none.
    pub sha256: String,
}

/// What the word of a lock is worth. Every lock lets the files that it lists run in a worker; whether one may
/// run in the host's process is for its user to say, and not for a file that came along with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// A file that was found: beside a configuration, or because one names it.
    #[default]
    Found,
    /// The same, and its user accepted it when it had other bytes.
    Changed,
    /// Its user's own, given by hand, or accepted as it is now.
    User,
    /// That of the plugins that ship with the host, which run in its process.
    Shipped,
}

impl Standing {
    /// Whether it decides what may run in the host's process.
    pub const fn counts(self) -> bool {
        matches!(self, Self::User | Self::Shipped)
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    form: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Locked>,
}

impl Lock {
    /// One that lists nothing.
    fn at(path: &Path) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }

    /// Reads a lock; a file that does not exist is an empty lock.
    ///
    /// # Errors
    /// When it cannot be read or has another form.
    pub fn read(path: &Path) -> Result<Self, PluginError> {
        let unusable = |reason: String| PluginError::Lock {
            path: path.into(),
            reason,
        };
        let opened = match trust::read(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::at(path));
            }
            Err(error) => return Err(unusable(error.to_string())),
        };
        opened.check_writers(path)?;
        Self::parse(path, &opened.bytes)
    }

    /// Reads a lock that its user named by hand: it has to be there, and what it says is the user's word.
    ///
    /// # Errors
    /// As [`Lock::read`], and when there is none.
    pub fn given(path: &Path) -> Result<Self, PluginError> {
        match path.try_exists() {
            Ok(false) => Err(PluginError::Lock {
                path: path.into(),
                reason: "there is no such file".into(),
            }),
            _ => Self::read(path).map(Self::of_the_user),
        }
    }

    /// Reads a lock from the bytes of its file; an empty file is an empty lock.
    ///
    /// # Errors
    /// [`PluginError::Lock`] when it is damaged or has another form.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, PluginError> {
        let unusable = |reason: String| PluginError::Lock {
            path: path.into(),
            reason,
        };
        if bytes.is_empty() {
            return Ok(Self::at(path));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| unusable(error.to_string()))?;
        let damaged = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            unusable(format!("line {line}: {}", error.message()))
        };
        let file: File = toml::from_str(text).map_err(damaged)?;
        if file.form != FORM {
            let reason = format!("it has form {}, this host knows form {FORM}", file.form);
            return Err(unusable(reason));
        }
        Ok(Self {
            path: path.into(),
            plugins: file.plugins,
            standing: Standing::Found,
            sha256: sha256_hex(bytes),
        })
    }

    /// As the lock of what ships with the host.
    #[must_use]
    pub fn of_the_host(self) -> Self {
        Self {
            standing: Standing::Shipped,
            ..self
        }
    }

    /// As a lock whose word is its user's.
    #[must_use]
    pub fn of_the_user(self) -> Self {
        Self {
            standing: Standing::User,
            ..self
        }
    }

    /// What it lets run in the host's process, if its word counts.
    pub fn in_process(&self) -> impl Iterator<Item = &Locked> {
        self.plugins.iter().filter(|locked| locked.in_process())
    }

    /// Reads a lock, lets `change` change it and writes it, while no other process does the same.
    ///
    /// # Errors
    /// When it cannot be read, locked or written; the old file is whole then.
    pub fn update<R>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<R, PluginError>,
    ) -> Result<R, PluginError> {
        let _guard = Guard::of(path)?;
        let mut lock = Self::read(path)?;
        let changed = change(&mut lock)?;
        lock.write()?;
        Ok(changed)
    }

    /// The text of its file, sorted by id.
    ///
    /// # Errors
    /// [`PluginError::Lock`] when it holds what a file cannot.
    pub fn text(&self) -> Result<String, PluginError> {
        let mut plugins = self.plugins.clone();
        plugins.sort_by(|a, b| (&a.id, &a.sha256).cmp(&(&b.id, &b.sha256)));
        let text = toml::to_string(&File {
            form: FORM,
            plugins,
        });
        let text = text.map_err(|error| PluginError::Lock {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        Ok(format!(
            "# Which plugin files may run, and how. Written by `eyemap plugin`.\n{text}"
        ))
    }

    /// Writes the lock in place of the old file.
    ///
    /// # Errors
    /// When it cannot be written; the old file is whole then.
    pub fn write(&self) -> Result<(), PluginError> {
        let text = self.text()?;
        crate::sink::write_atomically(&self.path, text.as_bytes()).map_err(|error| {
            PluginError::Lock {
                path: self.path.clone(),
                reason: error.to_string(),
            }
        })
    }

    /// What the lock says of an id, whatever the hash.
    pub fn find<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Locked> {
        self.plugins.iter().filter(move |locked| locked.id == id)
    }
}

/// Keeps other processes from a lock, by a file beside it: the lock itself is replaced, and whoever waits for
/// it would wait for the old one. What a killed process leaves behind is used again and holds up nobody.
pub(super) struct Guard {
    path: PathBuf,
    _file: std::fs::File,
}

impl Guard {
    /// Makes the directory of a file that is about to be changed, and keeps others from changing it.
    pub(super) fn of(path: &Path) -> Result<Self, PluginError> {
        let unusable = |error: std::io::Error| PluginError::Lock {
            path: path.into(),
            reason: error.to_string(),
        };
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(unusable)?;
        }
        trust::check_place(path)?;
        Self::new(path.with_extension("lock.busy")).map_err(unusable)
    }

    fn new(path: PathBuf) -> std::io::Result<Self> {
        loop {
            let file = std::fs::File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            file.lock()?;
            // Whoever had it may have removed it meanwhile, and a third may have made another.
            if is_at(&file, &path) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before it is released, so that only the owner's own file is removed.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn is_at(file: &std::fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata().map(place).ok();
    open.is_some() && open == path.metadata().map(place).ok()
}

#[cfg(not(unix))]
fn is_at(_file: &std::fs::File, path: &Path) -> bool {
    path.exists()
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
