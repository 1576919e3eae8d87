//! Writing down whom to trust, and looking whether it still holds.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    Finder, IN_PROCESS, Lock, Locked, Manifest, PluginError, accepted, check_file,
    lock::sha256_hex, read_manifest, trust,
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
        let opened = trust::read(path).map_err(unreadable)?;
        let bytes = &opened.bytes;
        let manifest = read_manifest(path, bytes)?;
        check_file(path, bytes)?;
        opened.check_writers(path)?;
        Ok(Self {
            path: path.clone(),
            manifest,
            sha256: sha256_hex(bytes),
        })
    }

    fn locked(&self, lock: &Path) -> Locked {
        Locked {
            file: Some(relative(&self.path, lock)),
            ..Locked::of(&self.manifest, self.sha256.clone())
        }
    }
}

/// The file as a lock names it: below the lock's directory without that, else whole.
fn relative(file: &Path, lock: &Path) -> PathBuf {
    let whole = std::path::absolute(lock).ok();
    let dir = whole.as_deref().and_then(Path::parent);
    let dir = dir.and_then(|dir| dir.canonicalize().ok());
    let below = dir.and_then(|dir| file.strip_prefix(dir).ok().map(PathBuf::from));
    below.unwrap_or_else(|| file.to_owned())
}

/// What a lock says of plugins now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The entries that were written.
    pub entries: Vec<Locked>,
    /// Whether the word of the lock counts where it lets plugins run in the host's process.
    pub counts: bool,
}

/// A lock before and after it was changed, and the entries that changed.
struct Change {
    before: Lock,
    after: Lock,
    entries: Vec<Locked>,
}

impl Change {
    fn written(self) -> Result<Written, PluginError> {
        Ok(Written {
            counts: accepted::follow(&self.before, &self.after, &self.entries)?,
            entries: self.entries,
        })
    }
}

/// Writes the bytes that a library has now into a lock, with every extension that it exports. What the lock
/// said of the same file, or of the same id when its file is gone, is replaced. A plugin that was accepted as
/// code of the host's process has to be accepted as such again.
///
/// # Errors
/// When the library cannot be read, is none, others may write to it, or the lock cannot be written.
pub fn pin(library: &Path, lock: &Path, in_process: bool) -> Result<Written, PluginError> {
    let library = Library::read(library)?;
    let change = Lock::update(lock, |lock| {
        let before = lock.clone();
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
        Ok(Change {
            before,
            after: lock.clone(),
            entries: vec![entry],
        })
    });
    change?.written()
}

/// Lets what a lock lists of an id run in the host's process, or takes that back.
///
/// # Errors
/// When the lock lists no such id, several that end with it, or cannot be written.
pub fn set_in_process(id: &str, lock: &Path, in_process: bool) -> Result<Written, PluginError> {
    let change = Lock::update(lock, |lock| {
        let id = whole_id(id, lock)?;
        let before = lock.clone();
        let mut entries = Vec::new();
        for locked in lock.plugins.iter_mut().filter(|locked| locked.id == id) {
            allow_in_process(locked, in_process);
            entries.push(locked.clone());
        }
        Ok(Change {
            before,
            after: lock.clone(),
            entries,
        })
    });
    change?.written()
}

fn allow_in_process(locked: &mut Locked, in_process: bool) {
    use eyemap_abi::ids::{CACHE, COLOR, COORDINATE, DESCRIBE, METADATA};

    // Without a list every extension was accepted, but never this; a list has to keep accepting them.
    let all = || [COORDINATE, COLOR, METADATA, CACHE, DESCRIBE].map(String::from);
    let accepted = match &mut locked.capabilities {
        None if !in_process => return,
        capabilities => capabilities.get_or_insert_with(|| all().into()),
    };
    accepted.retain(|capability| capability != IN_PROCESS);
    if in_process {
        accepted.push(IN_PROCESS.into());
    }
}

/// The one id of a lock that a name means.
fn whole_id(name: &str, lock: &Lock) -> Result<String, PluginError> {
    let answers = |id: &&str| super::find::answers(id, name);
    let listed = lock.plugins.iter().map(|locked| locked.id.as_str());
    let ids: BTreeSet<&str> = listed.filter(answers).collect();
    if let Some(exact) = ids.get(name) {
        return Ok((*exact).to_owned());
    }
    match Vec::from_iter(ids)[..] {
        [] => Err(PluginError::NotLocked {
            id: name.to_owned(),
            lock: lock.path.clone(),
        }),
        [id] => Ok(id.to_owned()),
        ref several => Err(PluginError::Ambiguous {
            name: name.to_owned(),
            ids: several.iter().map(|&id| id.to_owned()).collect(),
        }),
    }
}

fn file_of(locked: &Locked, lock: &Path) -> Option<PathBuf> {
    let dir = lock.parent().unwrap_or(Path::new("."));
    locked.file.as_ref().map(|file| dir.join(file))
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
        let (state, why) = match look(path, locked) {
            Some(found) => found,
            None => continue,
        };
        // The same bytes anywhere are better than others at the place that is named.
        if told.file.is_none() || state == State::Ok {
            told = Verified {
                file: Some(path.clone()),
                state,
                why,
                ..told
            };
        }
        if state == State::Ok {
            break;
        }
    }
    told
}

/// What a file is to an entry; nothing if it is another plugin.
fn look(path: &Path, locked: &Locked) -> Option<(State, String)> {
    let opened = trust::read(path).ok()?;
    let bytes = &opened.bytes;
    let same = sha256_hex(bytes) == locked.sha256;
    match read_manifest(path, bytes) {
        Ok(manifest) if manifest.id != locked.id => None,
        Ok(_) if !same => Some((State::Changed, String::new())),
        Ok(_) => Some(
            match opened
                .check_writers(path)
                .and_then(|()| check_file(path, bytes))
            {
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
