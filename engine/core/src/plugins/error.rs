//! Why a plugin is not loaded: member, expected, found, remedy, in at most twelve lines.

use std::path::{Path, PathBuf};

/// Why a plugin is not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// No file in the search path has this id.
    #[error("no plugin is called {name:?}{}", nearest(.similar))]
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
    #[error("two files have the plugin id {id:?}: {} and {}", .first.display(), .second.display())]
    Duplicate {
        /// The id.
        id: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A short name fits several ids.
    #[error("the plugin name {name:?} fits several ids: {}", .ids.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The ids.
        ids: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read the plugin {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a shared library that is whole and for this machine.
    #[error("{} is not a plugin that can be loaded: {reason}", .path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file has no manifest, or one that cannot be read.
    #[error("{} has no usable plugin manifest: {reason}", .path.display())]
    NoManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No lock lists the file.
    #[error("the plugin {id} is not trusted: no lock lists {}", .path.display())]
    Untrusted {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// Its SHA-256.
        sha256: String,
    },
    /// A lock lists the id with another hash.
    #[error("the plugin {id} has changed since it was locked ({})", .path.display())]
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
    },
    /// The configuration says that it shall not run.
    #[error("the plugin {id} is denied by the configuration ({})", .path.display())]
    Denied {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// Others could put another file in its place.
    #[error("{} is not used: {why}", .path.display())]
    Writable {
        /// The file or directory.
        path: PathBuf,
        /// Who may change it.
        why: String,
    },
    /// The lock does not let it do what it was asked for.
    #[error("the plugin {id} may not be used as {wanted}: its lock does not accept that ({})", .path.display())]
    NotAccepted {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// The extension.
        wanted: String,
    },
    /// The plugin would take the host down with its first panic.
    #[error("the plugin {id} was built with panic = {found:?}, which would end the host ({})", .path.display())]
    PanicStrategy {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// Its panic strategy.
        found: String,
    },
    /// The system's loader refused it.
    #[error("the system cannot load {}: {reason}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// Something in it has another form than this host knows.
    #[error("the plugin {id} does not fit this host ({})\n  member:   {member}\n  expected: {expected}\n  found:    {found}", .path.display())]
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
    #[error("the plugin {id} is no {wanted} ({})\n  exports: {}", .path.display(), .exported.join(", "))]
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
    #[error("the plugin {id} could not start: {reason} ({})", .path.display())]
    Init {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// Its worker process cannot be started, refuses it or crashes while it is loaded.
    #[error("the plugin {id} cannot run in a worker process: {reason} ({})", .path.display())]
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
    #[error("the plugin {id} runs in a worker process: its functions cannot be called from this one ({})", .path.display())]
    NotHere {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// A lock does not list the id.
    #[error("the lock {} lists no plugin {id:?}", .lock.display())]
    NotLocked {
        /// The id, or its last segment.
        id: String,
        /// The lock.
        lock: PathBuf,
    },
    /// A lock cannot be read or written.
    #[error("the plugin lock {} is not usable: {reason}", .path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

fn nearest(similar: &Option<String>) -> String {
    similar
        .as_ref()
        .map_or_else(String::new, |id| format!("; did you mean {id:?}?"))
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

impl PluginError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NotFound { searched, unreadable, .. } => not_found(searched, unreadable),
            Self::Duplicate { .. } => "remove one of the two, or name a file in place of the id".into(),
            Self::Ambiguous { ids, .. } => format!("write the whole id, for example {:?}", ids[0]),
            Self::Read { .. } => "check that the file exists and can be read".into(),
            Self::NotALibrary { .. } => {
                "build or download the plugin again, for this operating system and processor".into()
            }
            Self::NoManifest { .. } => {
                "plugins export themselves with `eyemap_sdk::export_plugin!`; other libraries are not loaded".into()
            }
            Self::Untrusted { id, path, sha256 } => untrusted(id, path, sha256),
            Self::Changed { path, lock, expected, found, .. } => format!(
                "locked {expected}\nfound  {found}\nby {}\nif the change is yours: `eyemap plugin pin {}`",
                lock.display(),
                path.display()
            ),
            Self::Denied { id, .. } => format!(
                "choose another plugin, or change `mode` in [plugins.by_id.{id:?}]"
            ),
            Self::Writable { path, .. } => format!(
                "whoever can write there decides what code runs here: `chmod go-w {}`, and see that it belongs to you",
                path.display()
            ),
            Self::NotAccepted { path, .. } => format!(
                "accept it with `eyemap plugin pin {}`",
                path.display()
            ),
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
            Self::Worker { help, .. } => help.clone(),
            Self::NotHere { .. } => "load it with `mode = \"trusted\"`".into(),
            Self::Lock { .. } => "write it anew with `eyemap plugin pin LIBRARY` or `eyemap plugin lock DIR`".into(),
        }
    }
}

fn not_found(searched: &[PathBuf], unreadable: &[String]) -> String {
    let mut help = if searched.is_empty() {
        "there is no plugin directory: build the plugins, or set EYEMAP_PLUGIN_PATH".to_owned()
    } else {
        format!("searched {}", list(searched))
    };
    for file in unreadable.iter().take(3) {
        help.push_str("\nnot usable: ");
        help.push_str(file);
    }
    help
}

fn untrusted(id: &str, path: &Path, sha256: &str) -> String {
    format!(
        "look at it with `eyemap plugin check {0}`, then let it run with `eyemap plugin pin {0}`;\n\
         while you are writing it, `trust = true` in [plugins.by_id.{id:?}] lets every build of it run;\n\
         its SHA-256 is {sha256}",
        path.display()
    )
}

/// A plugin that has the same stage under another version is too new or too old, not a wrong choice.
fn missing_extension(wanted: &str, exported: &[String]) -> String {
    let stage = |id: &str| id.rsplit_once('/').map(|(stage, _)| stage.to_owned());
    let version = |id: &str| {
        id.rsplit('/')
            .next()
            .and_then(|text| text.parse::<u32>().ok())
    };
    let same = exported.iter().find(|id| stage(id) == stage(wanted));
    match same {
        Some(older) if version(older) < version(wanted) => format!(
            "it was made for {older}, this host knows {wanted}: build the plugin again with eyemap-sdk {}",
            env!("CARGO_PKG_VERSION")
        ),
        Some(newer) => format!(
            "it was made for {newer}, this host knows {wanted}: use a newer eyemap, or a build of the plugin for {wanted}"
        ),
        None => {
            "choose a plugin that exports it; `eyemap plugin list` shows what each exports".into()
        }
    }
}
