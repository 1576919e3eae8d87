//! Writing down whom to trust, and looking whether it still holds.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    Finder, IN_PROCESS, Lock, Locked, Manifest, PluginError, check_file, lock::sha256_hex,
    read_manifest, trust::check_writers,
};

/// A library as it is now.
struct Library {
    path: PathBuf,
    manifest: Manifest,
    sha256: String,
}

impl Library {
    /// Reads it once, without running it.
    fn read(path: &Path) -> Result<Self, PluginError> {
        let unreadable = |source| PluginError::Read {
            path: path.into(),
            source,
        };
        let path = &path.canonicalize().map_err(unreadable)?;
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let manifest = read_manifest(path, &bytes)?;
        check_file(path, &bytes)?;
        check_writers(path)?;
        Ok(Self {
            path: path.clone(),
            manifest,
            sha256: sha256_hex(&bytes),
        })
    }

    fn locked(&self, lock: &Path) -> Locked {
        Locked {
            file: Some(relative(&self.path, lock)),
            ..Locked::of(&self.manifest, self.sha256.clone())
        }
    }
}

/// The directory of a lock.
fn dir_of(lock: &Path) -> &Path {
    match lock.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// The file as a lock names it: below the lock's directory without that, else whole.
fn relative(file: &Path, lock: &Path) -> PathBuf {
    let dir = dir_of(lock).canonicalize().ok();
    let below = dir.and_then(|dir| file.strip_prefix(dir).ok().map(PathBuf::from));
    below.unwrap_or_else(|| file.to_owned())
}

/// Writes the bytes that a library has now into a lock, with every extension that it exports. What the lock
/// said of the same file, or of the same id when its file is gone, is replaced. A plugin that was accepted as
/// code of the host's process has to be accepted as such again.
///
/// # Errors
/// When the library cannot be read, is none, others may write to it, or the lock cannot be written.
pub fn pin(library: &Path, lock: &Path, in_process: bool) -> Result<Locked, PluginError> {
    let library = Library::read(library)?;
    Lock::update(lock, |lock| {
        let mut entry = library.locked(&lock.path);
        if in_process {
            entry
                .capabilities
                .get_or_insert_default()
                .push(IN_PROCESS.into());
        }
        let replaced = |old: &Locked| {
            old.id == entry.id
                && (old.sha256 == entry.sha256
                    || old.file == entry.file
                    || !is_there(old, &lock.path))
        };
        let kept: Vec<_> = lock
            .plugins
            .iter()
            .filter(|old| !replaced(old))
            .cloned()
            .collect();
        lock.plugins = kept;
        lock.plugins.push(entry.clone());
        Ok(entry)
    })
}

/// Lets what a lock lists of an id run in the host's process, or takes that back. Gives the entries that
/// changed.
///
/// # Errors
/// When the lock lists no such id or cannot be written.
pub fn set_in_process(id: &str, lock: &Path, in_process: bool) -> Result<Vec<Locked>, PluginError> {
    Lock::update(lock, |lock| {
        let mut changed = Vec::new();
        let answers = |locked: &&mut Locked| super::find::answers(&locked.id, id);
        for locked in lock.plugins.iter_mut().filter(answers) {
            // Without a list every extension was accepted; a list would accept no other.
            if locked.capabilities.is_none() {
                return Err(PluginError::Lock {
                    path: lock.path.clone(),
                    reason: format!("its entry of {} is of an older form", locked.id),
                });
            }
            let accepted = locked.capabilities.get_or_insert_default();
            accepted.retain(|capability| capability != IN_PROCESS);
            if in_process {
                accepted.push(IN_PROCESS.into());
            }
            changed.push(locked.clone());
        }
        if changed.is_empty() {
            return Err(PluginError::NotLocked {
                id: id.to_owned(),
                lock: lock.path.clone(),
            });
        }
        Ok(changed)
    })
}

fn file_of(locked: &Locked, lock: &Path) -> Option<PathBuf> {
    locked.file.as_ref().map(|file| dir_of(lock).join(file))
}

fn is_there(locked: &Locked, lock: &Path) -> bool {
    file_of(locked, lock).is_some_and(|file| file.exists())
}

/// What became of a file that a lock lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, with this hash.
    Ok,
    /// A file of this id is there, with another hash.
    Changed,
    /// No file of this id is there.
    Missing,
    /// It is there, but cannot be used.
    Unusable,
}

/// One entry of a lock, compared with the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The lock.
    pub lock: PathBuf,
    /// What it lists.
    pub locked: Locked,
    /// The file.
    pub file: Option<PathBuf>,
    /// What became of it.
    pub state: State,
    /// Why it cannot be used; empty otherwise.
    pub why: String,
}

impl Finder {
    /// Compares every entry of every lock with the files that it means: where the entry says, beside the
    /// lock, and along the search path.
    pub fn verify(&self) -> Vec<Verified> {
        let listed: Vec<PathBuf> = self.list().into_iter().map(|listed| listed.path).collect();
        let mut all = Vec::new();
        for lock in &self.locks {
            for locked in &lock.plugins {
                all.push(verified(lock, locked, &listed));
            }
        }
        all
    }
}

fn verified(lock: &Lock, locked: &Locked, listed: &[PathBuf]) -> Verified {
    let mut told = Verified {
        lock: lock.path.clone(),
        locked: locked.clone(),
        file: None,
        state: State::Missing,
        why: String::new(),
    };
    let named = file_of(locked, &lock.path);
    for path in named.iter().chain(listed) {
        let Some((state, why)) = look(path, locked) else {
            continue;
        };
        told = Verified {
            file: Some(path.clone()),
            state,
            why,
            ..told
        };
        // The file that the lock names decides; of others the first with these bytes.
        if named.as_ref() == Some(path) || told.state == State::Ok {
            break;
        }
    }
    told
}

/// What a file is to an entry; nothing if it is another plugin.
fn look(path: &Path, locked: &Locked) -> Option<(State, String)> {
    let bytes = std::fs::read(path).ok()?;
    let same = sha256_hex(&bytes) == locked.sha256;
    match read_manifest(path, &bytes) {
        Ok(manifest) if manifest.id != locked.id => None,
        Ok(_) if !same => Some((State::Changed, String::new())),
        Ok(_) => Some(
            match check_writers(path).and_then(|()| check_file(path, &bytes)) {
                Ok(()) => (State::Ok, String::new()),
                Err(error) => (State::Unusable, error.to_string()),
            },
        ),
        Err(error)
            if locked
                .file
                .as_ref()
                .is_some_and(|file| path.ends_with(file)) =>
        {
            Some((State::Unusable, error.to_string()))
        }
        Err(_) => None,
    }
}
