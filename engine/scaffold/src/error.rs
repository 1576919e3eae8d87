//! Why there is no new plugin.

use std::path::PathBuf;

/// Why there is no new plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScaffoldError {
    /// A crate cannot have this name.
    #[error("a plugin cannot be called {name:?}: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A plugin cannot have this id.
    #[error("{id:?} is no id of a plugin")]
    Id {
        /// The id.
        id: String,
    },
    /// There is something where the crate is to be.
    #[error("{} is there already, {what}", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The directory in which the crate is to be is not there.
    #[error("there is no directory {}", path.display())]
    NoParent {
        /// The directory.
        path: PathBuf,
    },
    /// A path does not lead to the SDK.
    #[error("{} is not the crate eyemap-sdk: {reason}", path.display())]
    Sdk {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The SDK has no such version.
    #[error("{version:?} is no version of eyemap-sdk")]
    Version {
        /// The version.
        version: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl ScaffoldError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Name { .. } => {
                "use 1 to 64 of a-z, 0-9, - and _ from a letter on, such as rose-color".into()
            }
            Self::Id { .. } => {
                "write a domain of yours backwards and a name, such as org.example.rose-color: \
                 2 or more parts of a-z, A-Z, 0-9, - and _, joined by dots, 200 letters at most"
                    .into()
            }
            Self::Occupied { .. } => "give another directory with --path, or another name".into(),
            Self::NoParent { path } => format!("make it first: mkdir -p {}", path.display()),
            Self::Sdk { .. } => {
                "give the directory engine/sdk of a copy of eyemap's source, or a version with \
                 --sdk-version"
                    .into()
            }
            Self::Version { .. } => format!(
                "write three numbers such as {}, which is the version of this eyemap",
                crate::cargo::VERSION
            ),
            Self::Write { .. } => {
                "look at permissions and free space; nothing was left there".into()
            }
        }
    }
}
