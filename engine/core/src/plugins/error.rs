//! Why a plugin is not loaded: member, expected, found, remedy, in at most twelve lines.

use std::path::{Path, PathBuf};

use super::accepted::ACCEPTED_FILE;
use super::words::{command_word, few, place, short, told};

/// Why a plugin is not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// No file in the search path has this id.
    #[error("no plugin is called \"{}\"{}", short(.name), nearest(.similar))]
    NotFound {
        /// What was asked for.
        name: String,
        /// An id that is almost the same.
        similar: Option<String>,
        /// Directories that were searched.
        searched: Vec<PathBuf>,
        /// Files in them that could not be read as plugins, each with its reason.
        unreadable: Vec<String>,
    },
    /// Two files in one directory have one id.
    #[error("two files have the plugin id \"{}\": {} and {}", short(.id), place(.first), place(.second))]
    Duplicate {
        /// The id.
        id: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A short name fits several ids.
    #[error("the plugin name \"{}\" fits several ids: {}", short(.name), few(.ids))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The ids.
        ids: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read the plugin {}", place(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a shared library that is whole and for this machine.
    #[error("{} is not a plugin that can be loaded: {}", place(.path), told(.reason))]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file has no manifest, or one that cannot be read.
    #[error("{} has no usable plugin manifest: {}", place(.path), told(.reason))]
    NoManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No lock lists the file.
    #[error("the plugin {} is not trusted: no lock lists {}", short(.id), place(.path))]
    Untrusted {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// Its SHA-256.
        sha256: String,
        /// The lock to pin it into, if it is not the user's own.
        pin_into: Option<PathBuf>,
    },
    /// A lock lists the id with another hash.
    #[error("the plugin {} has changed since it was locked ({})", short(.id), place(.path))]
    Changed {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// The lock.
        lock: PathBuf,
        /// SHA-256 in the lock.
        expected: String,
        /// SHA-256 of the file.
        found: String,
        /// The lock to pin it into, if it is not the user's own.
        pin_into: Option<PathBuf>,
    },
    /// The configuration says that it shall not run.
    #[error("the plugin {} is denied by the configuration ({})", short(.id), place(.path))]
    Denied {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// Others could put another file in its place.
    #[error("{} is not used: {}", place(.path), told(.why))]
    Writable {
        /// The file or directory.
        path: PathBuf,
        /// Who may change it.
        why: String,
    },
    /// The lock does not let it do what it was asked for.
    #[error("the plugin {} may not be used as {}: its lock does not accept that ({})", short(.id), short(.wanted), place(.path))]
    NotAccepted {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// The extension.
        wanted: String,
    },
    /// The plugin would take the host down with its first panic.
    #[error("the plugin {} was built with panic = \"{}\", which would end the host ({})", short(.id), short(.found), place(.path))]
    PanicStrategy {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// Its panic strategy.
        found: String,
    },
    /// The system's loader refused it.
    #[error("the system cannot load {}: {}", place(.path), told(.reason))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// Something in it has another form than this host knows.
    #[error("the plugin {} does not fit this host ({})\n  member:   {}\n  expected: {}\n  found:    {}", short(.id), place(.path), short(.member), short(.expected), short(.found))]
    Abi {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// What differs.
        member: String,
        /// What this host has.
        expected: String,
        /// What the plugin has.
        found: String,
    },
    /// It does not do what it was asked for.
    #[error("the plugin {} is no {} ({})\n  exports: {}", short(.id), short(.wanted), place(.path), few(.exported))]
    MissingExtension {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// The extension that was wanted.
        wanted: String,
        /// What it exports.
        exported: Vec<String>,
    },
    /// Its own start-up failed.
    #[error("the plugin {} could not start: {} ({})", short(.id), told(.reason), place(.path))]
    Init {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// Its worker process cannot be started, refuses it or crashes while it is loaded.
    #[error("the plugin {} cannot run in a worker process: {} ({})", short(.id), told(.reason), place(.path))]
    Worker {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// What was asked for needs the plugin's functions in this process.
    #[error("the plugin {} runs in a worker process: its functions cannot be called from this one ({})", short(.id), place(.path))]
    NotHere {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// A lock does not list the id.
    #[error("the lock {} lists no plugin \"{}\"", place(.lock), short(.id))]
    NotLocked {
        /// The id, or its last segment.
        id: String,
        /// The lock.
        lock: PathBuf,
    },
    /// A lock cannot be read or written.
    #[error("the plugin lock {} is not usable: {}", place(.path), told(.reason))]
    Lock {
        /// The lock.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

fn nearest(similar: &Option<String>) -> String {
    similar.as_ref().map_or_else(String::new, |id| {
        format!("; did you mean \"{}\"?", short(id))
    })
}

impl PluginError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NotFound { searched, unreadable, .. } => not_found(searched, unreadable),
            Self::Duplicate { .. } => "remove one of the two, or name a file in place of the id".into(),
            Self::Ambiguous { ids, .. } => match ids.first() {
                Some(id) => format!("write the whole id, for example \"{}\"", short(id)),
                None => "write the whole id".into(),
            },
            Self::Read { path, source } if is_unbuilt(path, source) => {
                "build it in its crate: cargo build --release --target-dir target (with CARGO_TARGET_DIR set and \
                 without --target-dir, cargo builds elsewhere)"
                    .into()
            }
            Self::Read { .. } => "check that the file exists and can be read".into(),
            Self::NotALibrary { .. } => {
                "build or download the plugin again, for this operating system and processor".into()
            }
            Self::NoManifest { .. } => {
                "plugins export themselves with `eyemap_sdk::export_plugin!`; other libraries are not loaded".into()
            }
            Self::Untrusted { id, path, sha256, pin_into } => {
                untrusted(id, path, sha256, pin_into.as_deref())
            }
            Self::Changed { path, lock, expected, found, pin_into, .. } => format!(
                "locked {}\nfound  {}\nby {}\nif the change is yours: `{}`",
                short(expected),
                short(found),
                place(lock),
                pin(path, pin_into.as_deref())
            ),
            Self::Denied { id, .. } => format!(
                "choose another plugin, or change `mode` in [plugins.by_id.\"{}\"]",
                short(id)
            ),
            Self::Writable { path, .. } => format!(
                "whoever can write there decides what code runs here: `chmod go-w {}`, and see that it belongs to you",
                command_word(path)
            ),
            Self::NotAccepted { path, .. } => format!("accept it with `{}`", pin(path, None)),
            Self::PanicStrategy { .. } => {
                "build it with `panic = \"unwind\"` in its profile".into()
            }
            Self::Open { .. } => {
                "check the libraries it depends on with `ldd`, and the C library it was built for".into()
            }
            Self::Abi { .. } => format!(
                "build the plugin again with eyemap-sdk {}, or use the eyemap it was made for",
                env!("CARGO_PKG_VERSION")
            ),
            Self::MissingExtension { wanted, exported, .. } => missing_extension(wanted, exported),
            Self::Init { .. } => "report it to the plugin's author".into(),
            Self::NotLocked { .. } => "lock its library first: `eyemap plugin pin LIBRARY`".into(),
            Self::Worker { help, .. } if help.trim().is_empty() => "report it to the plugin's author".into(),
            Self::Worker { help, .. } => told(help),
            Self::NotHere { path, .. } => format!(
                "`{} --in-process` lets it run in this process",
                pin(path, None)
            ),
            Self::Lock { path, .. } if path.ends_with(ACCEPTED_FILE) => {
                "remove it, and accept locks again with `eyemap plugin trust LOCK`".into()
            }
            Self::Lock { path, .. } if is_out_of_reach(path) => {
                "this user may not look there: HOME or XDG_DATA_HOME names the directory; set XDG_DATA_HOME to one of their own".into()
            }
            Self::Lock { .. } => "write it anew with `eyemap plugin pin LIBRARY` or `eyemap plugin lock DIR`".into(),
        }
    }
}

/// Whether a directory above a file is closed to this user, as the home directory of somebody else is.
fn is_out_of_reach(path: &Path) -> bool {
    let looked = std::fs::symlink_metadata(path);
    looked.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// Whether a library that cargo builds is not there.
fn is_unbuilt(path: &Path, source: &std::io::Error) -> bool {
    let is_gone = source.kind() == std::io::ErrorKind::NotFound;
    is_gone && path.components().any(|part| part.as_os_str() == "target")
}

fn not_found(searched: &[PathBuf], unreadable: &[String]) -> String {
    let mut help = if searched.is_empty() {
        "there is no plugin directory: build the plugins, or set EYEMAP_PLUGIN_PATH".to_owned()
    } else {
        format!(
            "searched {}",
            few(&searched.iter().map(|dir| place(dir)).collect::<Vec<_>>())
        )
    };
    for file in unreadable.iter().take(3) {
        help.push_str("\nnot usable: ");
        help.push_str(&told(file));
    }
    help
}

/// The command that writes the bytes of a file into a lock.
pub(super) fn pin(path: &Path, lock: Option<&Path>) -> String {
    let lock = lock.map(|lock| format!(" --lock {}", command_word(lock)));
    let file = command_word(path);
    format!("eyemap plugin pin {file}{}", lock.unwrap_or_default())
}

fn untrusted(id: &str, path: &Path, sha256: &str, lock: Option<&Path>) -> String {
    format!(
        "look at it with `eyemap plugin check {}`, then let it run with `{}`;\n\
         while you are writing it, `trust = true` in [plugins.by_id.\"{}\"] lets every build of it run;\n\
         its SHA-256 is {}",
        command_word(path),
        pin(path, lock),
        short(id),
        short(sha256)
    )
}

/// A plugin that has the same stage under another version is too new or too old, not a wrong choice.
fn missing_extension(wanted: &str, exported: &[String]) -> String {
    let stage = |id: &str| id.rsplit_once('/').map(|(stage, _)| stage.to_owned());
    let version = |id: &str| {
        let number = id.rsplit('/').next();
        number.and_then(|text| text.parse::<u32>().ok())
    };
    let same = exported.iter().find(|id| stage(id) == stage(wanted));
    match same {
        Some(older) if version(older) < version(wanted) => format!(
            "it was made for {}, this host knows {}: build the plugin again with eyemap-sdk {}",
            short(older),
            short(wanted),
            env!("CARGO_PKG_VERSION")
        ),
        Some(other) => format!(
            "it was made for {0}, this host knows {1}: use a newer eyemap, or a build of the plugin for {1}",
            short(other),
            short(wanted)
        ),
        None => {
            "choose a plugin that exports it; `eyemap plugin list` shows what each exports".into()
        }
    }
}

#[cfg(test)]
mod tests;
