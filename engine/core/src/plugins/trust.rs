//! Whether a plugin runs, and where: in this process, in a worker, or not at all.
//!
//! A lock says which bytes somebody has decided to run, and what they may do; TOML can say otherwise for one
//! plugin. What nobody vouched for as code of this process runs in a worker.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PluginError;

/// How a plugin runs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In this process, where native code can do all that its user can do.
    Trusted,
    /// In a worker process, which may compute and little else.
    Contained,
    /// Not at all.
    Deny,
}

impl Mode {
    /// The word in TOML.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Contained => "contained",
            Self::Deny => "deny",
        }
    }
}

/// The capability with which a locked plugin runs in this process; the others are ids of extensions.
pub const IN_PROCESS: &str = "in-process";

/// What was decided for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) mode: Mode,
    /// Extensions that it exports and that nobody accepted.
    pub(super) refused: Vec<String>,
    /// Whether a worker has to find it in order before it is loaded into this process.
    pub(super) met_in_a_worker: bool,
    /// What a file asked for that is for its user to say, and the command that says it.
    pub(super) lowered: Option<String>,
}

impl Grant {
    /// To be used for all that it exports.
    pub(super) const fn of(mode: Mode) -> Self {
        Self {
            mode,
            refused: Vec::new(),
            met_in_a_worker: false,
            lowered: None,
        }
    }
}

/// A file's bytes, and who else may have written them.
pub(crate) struct Opened {
    pub(crate) bytes: Vec<u8>,
    /// Why others than its user and the system's administrator could write to the very file that was read; a
    /// path may mean another file a moment later.
    pub(super) writers: Option<String>,
    /// The same, but for its owner: who names the file of a colleague knows whose it is.
    editors: Option<String>,
}

impl Opened {
    /// Refuses bytes that others may have written, or may have put at this path.
    ///
    /// # Errors
    /// [`PluginError::Writable`] with what is wrong and how to mend it.
    pub(super) fn check_writers(&self, path: &Path) -> Result<(), PluginError> {
        check_writers(self.writers.as_ref(), path)
    }

    /// Refuses bytes that others than the owner of the file may have written, or may have put at this path.
    ///
    /// # Errors
    /// As [`Self::check_writers`].
    pub(crate) fn check_editors(&self, path: &Path) -> Result<(), PluginError> {
        match &self.editors {
            Some(why) => Err(writable(path, why.clone())),
            None => check_place_of(path, editors),
        }
    }
}

/// The same for a file that was read earlier.
///
/// # Errors
/// [`PluginError::Writable`].
pub(super) fn check_writers(writers: Option<&String>, path: &Path) -> Result<(), PluginError> {
    match writers {
        Some(why) => Err(writable(path, why.clone())),
        None => check_place(path),
    }
}

fn writable(path: &Path, why: String) -> PluginError {
    PluginError::Writable {
        path: path.into(),
        why,
    }
}

/// Reads a file once.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> std::io::Result<Opened> {
    use std::io::Read as _;

    let mut file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let metadata = file.metadata()?;
    Ok(Opened {
        bytes,
        writers: writers(&metadata),
        editors: editors(&metadata),
    })
}

/// Refuses a file whose directory lets others than its user and the system's administrator put another in
/// its place. Where a path goes through a symbolic link, both ends count, and the link itself.
///
/// # Errors
/// [`PluginError::Writable`] with what is wrong and how to mend it. A file that is not there is no error.
pub(super) fn check_place(path: &Path) -> Result<(), PluginError> {
    check_place_of(path, writers)
}

fn check_place_of(
    path: &Path,
    writers: fn(&std::fs::Metadata) -> Option<String>,
) -> Result<(), PluginError> {
    if let Some(why) = path.symlink_metadata().ok().as_ref().and_then(writers) {
        return Err(writable(path, why));
    }
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for file in [path, &target] {
        let dir = match file.parent() {
            Some(dir) if dir.as_os_str().is_empty() => Path::new("."),
            Some(dir) => dir,
            None => continue,
        };
        if let Some(why) = dir.metadata().ok().as_ref().and_then(writers) {
            return Err(writable(dir, why));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn writers(metadata: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let user = rustix::process::geteuid().as_raw();
    match metadata.uid() {
        owner if owner != 0 && owner != user => Some(format!("it belongs to the user {owner}")),
        _ => editors(metadata),
    }
}

#[cfg(unix)]
fn editors(metadata: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let group = rustix::process::getegid().as_raw();
    let (owned_by, mode) = (metadata.gid(), metadata.mode());
    // In a directory with this bit nobody replaces a file of somebody else's; the file itself is looked at.
    let closed = metadata.is_symlink() || metadata.is_dir() && mode & 0o1000 != 0;
    if mode & 0o002 != 0 && !closed {
        Some("everybody may write to it".to_owned())
    } else if mode & 0o020 != 0 && owned_by != group && owned_by != 0 && !closed {
        Some(format!("the group {owned_by} may write to it"))
    } else {
        None
    }
}

#[cfg(not(unix))]
fn writers(_metadata: &std::fs::Metadata) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn editors(_metadata: &std::fs::Metadata) -> Option<String> {
    None
}
