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
}

/// Refuses a file that others than its user and the system's administrator may change, or whose directory
/// lets them put another in its place. Where a path goes through a symbolic link, both ends count.
///
/// # Errors
/// [`PluginError::Writable`] with what is wrong and how to mend it. A file that is not there is no error.
pub(super) fn check_writers(path: &Path) -> Result<(), PluginError> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    writable_by_others(&target, false)?;
    for file in [path, &target] {
        let dir = match file.parent() {
            Some(dir) if dir.as_os_str().is_empty() => Path::new("."),
            Some(dir) => dir,
            None => continue,
        };
        writable_by_others(dir, true)?;
    }
    Ok(())
}

#[cfg(unix)]
fn writable_by_others(path: &Path, is_dir: bool) -> Result<(), PluginError> {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(());
    };
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    let (owner, owned_by, mode) = (metadata.uid(), metadata.gid(), metadata.mode());
    // In a directory with this bit nobody replaces a file of somebody else's; the file itself is looked at.
    let sticky = is_dir && mode & 0o1000 != 0;
    let why = if owner != 0 && owner != user {
        format!("it belongs to the user {owner}")
    } else if mode & 0o002 != 0 && !sticky {
        "everybody may write to it".to_owned()
    } else if mode & 0o020 != 0 && owned_by != group && owned_by != 0 && !sticky {
        format!("the group {owned_by} may write to it")
    } else {
        return Ok(());
    };
    Err(PluginError::Writable {
        path: path.into(),
        why,
    })
}

#[cfg(not(unix))]
fn writable_by_others(_path: &Path, _is_dir: bool) -> Result<(), PluginError> {
    Ok(())
}
