//! Locks of others that the user has accepted: whose word about the host's process counts.
//!
//! A lock that comes with a repository lets its plugins run in workers. That one of them runs in the host's
//! process is accepted by its user, once, for the bytes that the lock has then; they are written down in the
//! user's data directory. Other bytes are another lock.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Lock, Locked, PluginError, Standing,
    lock::{Guard, sha256_hex},
    trust, user_data_dir,
};

/// Name of the file in the user's data directory.
pub(super) const ACCEPTED_FILE: &str = "accepted-locks.toml";
const FORM: u32 = 1;

/// A lock that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct One {
    /// SHA-256 of its file, which decides.
    sha256: String,
    /// Where it was, which decides nothing: it tells a lock that has changed from one that is new.
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct File {
    form: u32,
    #[serde(default, rename = "lock")]
    locks: Vec<One>,
}

/// The locks that were accepted.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    locks: Vec<One>,
}

impl Accepted {
    /// Reads what the user has accepted so far.
    ///
    /// # Errors
    /// When it is there but cannot be read, or others may write to it.
    pub(super) fn read() -> Result<Self, PluginError> {
        user_data_dir().map_or_else(|| Ok(Self::default()), |dir| Self::at(&file_in(&dir)))
    }

    fn at(path: &Path) -> Result<Self, PluginError> {
        let opened = match trust::read(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(unusable(path, error.to_string())),
        };
        opened.check_writers(path)?;
        let text = String::from_utf8(opened.bytes);
        let text = text.map_err(|error| unusable(path, error.to_string()))?;
        let file: File =
            toml::from_str(&text).map_err(|error| unusable(path, error.message().to_owned()))?;
        if file.form != FORM {
            let reason = format!("it has form {}, this host knows form {FORM}", file.form);
            return Err(unusable(path, reason));
        }
        Ok(Self { locks: file.locks })
    }

    /// Reads a lock that nobody gave by hand, and looks what its word is worth.
    ///
    /// # Errors
    /// As [`Lock::read`].
    pub(super) fn lock(&self, path: &Path) -> Result<Lock, PluginError> {
        let lock = Lock::read(path)?;
        let standing = self.standing(&lock);
        Ok(Lock { standing, ..lock })
    }

    fn standing(&self, lock: &Lock) -> Standing {
        let place = whole(&lock.path);
        if lock.sha256.is_empty() {
            Standing::Found
        } else if self.locks.iter().any(|one| one.sha256 == lock.sha256) {
            Standing::User
        } else if self.locks.iter().any(|one| one.file == place) {
            Standing::Changed
        } else {
            Standing::Found
        }
    }

    fn write(&self, path: &Path) -> Result<(), PluginError> {
        let (form, locks) = (FORM, self.locks.clone());
        let text = toml::to_string(&File { form, locks });
        let text = text.map_err(|error| unusable(path, error.to_string()))?;
        let text = format!(
            "# Locks whose plugins may run in eyemap's own process. Written by `eyemap plugin trust`.\n{text}"
        );
        crate::sink::write_atomically(path, text.as_bytes())
            .map_err(|error| unusable(path, error.to_string()))
    }
}

/// Lets the word of a lock count, as long as it has the bytes that it has now. Gives what it lets run in the
/// host's process; where that is nothing, there is nothing to accept.
///
/// # Errors
/// When there is no such lock, it cannot be used, or it cannot be written down that it was accepted.
pub fn accept_lock(path: &Path) -> Result<Vec<Locked>, PluginError> {
    let lock = Lock::given(path)?;
    let here: Vec<Locked> = lock.in_process().cloned().collect();
    if !here.is_empty() {
        note(&lock.path, Some(lock.sha256))?;
    }
    Ok(here)
}

/// Takes back that a lock was accepted, whatever bytes it has now, in whatever copy of it.
///
/// # Errors
/// As [`accept_lock`].
pub fn forget_lock(path: &Path) -> Result<(), PluginError> {
    let lock = Lock::given(path)?;
    note(&lock.path, None)?;
    change(|accepted| accepted.locks.retain(|one| one.sha256 != lock.sha256))
}

/// Keeps the word of a lock that its user has changed with a command. It counts afterwards if it did before,
/// or if it lets nothing run in the host's process but what the user named just now.
///
/// # Errors
/// When it cannot be written down.
pub(super) fn follow(before: &Lock, after: &Lock, named: &[Locked]) -> Result<bool, PluginError> {
    let own = user_data_dir().is_some_and(|dir| whole(&after.path).starts_with(whole(&dir)));
    if own || after.in_process().next().is_none() {
        return Ok(true);
    }
    let counted = Accepted::read()?.standing(before).counts();
    if !counted && after.in_process().any(|locked| !named.contains(locked)) {
        return Ok(false);
    }
    note(&after.path, Some(sha256_hex(after.text()?.as_bytes())))?;
    Ok(true)
}

/// Writes down which bytes of a lock are accepted, in place of those of before.
fn note(path: &Path, sha256: Option<String>) -> Result<(), PluginError> {
    let file = whole(path);
    change(|accepted| {
        accepted.locks.retain(|one| one.file != file);
        accepted
            .locks
            .extend(sha256.map(|sha256| One { sha256, file }));
    })
}

fn change(change: impl FnOnce(&mut Accepted)) -> Result<(), PluginError> {
    let dir = user_data_dir().ok_or_else(|| {
        let reason = "there is no user data directory: set XDG_DATA_HOME or HOME";
        unusable(Path::new(ACCEPTED_FILE), reason.into())
    })?;
    let path = file_in(&dir);
    let _guard = Guard::of(&path)?;
    let mut accepted = Accepted::at(&path)?;
    change(&mut accepted);
    accepted.write(&path)
}

fn file_in(dir: &Path) -> PathBuf {
    dir.join(ACCEPTED_FILE)
}

/// A path by which the same file is known again.
fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let dir = absolute.parent().and_then(|dir| dir.canonicalize().ok());
    match (dir, absolute.file_name()) {
        (Some(dir), Some(name)) => dir.join(name),
        _ => absolute,
    }
}

fn unusable(path: &Path, reason: String) -> PluginError {
    PluginError::Lock {
        path: path.into(),
        reason,
    }
}
