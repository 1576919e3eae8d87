//! Why a run ended early, and what to do about it.

use std::{io, path::PathBuf};

use crate::{manifest::ManifestError, room::TooLittle};

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The output directory cannot be used.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Drawing does not fit in the memory that the run may take.
    #[error(transparent)]
    TooLittle(#[from] TooLittle),
    /// The process took more memory than it may, and nothing was left to shrink.
    #[error("drawing takes {} MB of memory, more than the {} MB of [memory] limit", .used / 1_000_000, .limit / 1_000_000)]
    Memory {
        /// Resident memory of the process, in bytes.
        used: u64,
        /// What it may be, in bytes.
        limit: u64,
    },
}

impl RenderError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "the disk is full: free space and run the same command again; complete maps are kept".into()
            }
            Self::Write { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "choose another directory with -o, or make this one writable".into()
            }
            Self::Write { .. } => "choose another directory with -o".into(),
            Self::Manifest(error) => error.help(),
            Self::TooLittle(error) => error.help(),
            Self::Memory { .. } => "raise `limit` of [memory], or take less: fewer threads with --jobs, a smaller --scale, a smaller `stream_above`; complete maps are kept, and the same command draws the rest".into(),
        }
    }
}
