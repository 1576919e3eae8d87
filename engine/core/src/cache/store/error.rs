//! Why a store cannot be used, and what to do about it.

use std::{io, path::PathBuf};

use super::log::FORM;
use crate::cache::PolicyError;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The directory or a file in it cannot be used.
    #[error("the store {} cannot be used", .path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory holds files of others and was never a store.
    #[error("{} is not a store: it holds {found:?} and does not carry the mark of a store", .path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
        /// A name in it.
        found: String,
    },
    /// Another process holds its lock.
    #[error("the store {} is held by another process, which may have been stopped", .path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// It was written by another version of the engine.
    #[error("the store {} has form {found}, this engine knows {FORM}", .path.display())]
    OtherForm {
        /// The directory.
        path: PathBuf,
        /// Its form.
        found: u32,
    },
    /// The policy refuses its options.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl StoreError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { path, .. } => format!(
                "check that {} is a directory that you can write, or name another in [cache.artifacts]",
                path.display()
            ),
            Self::NotAStore { .. } => {
                "name a directory that is empty or does not exist yet, with --store or in [cache.artifacts]; a store deletes files, so it never shares a directory".into()
            }
            Self::Busy { path } => format!(
                "`fuser {}` names the process: let it go on or end it",
                path.join("lock").display()
            ),
            Self::OtherForm { .. } => {
                "name another store in [cache.artifacts]: artifacts can be drawn again".into()
            }
            Self::Policy(_) => "choose another policy in [cache.artifacts]".into(),
        }
    }
}
