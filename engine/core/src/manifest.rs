//! What is in an output directory: `manifest.json`, and the journal that becomes it.
//!
//! Each finished map is a line in the journal, written in one step with the renaming of its file, so
//! that the last line about a map is about the file that is there, whichever of several runs drew it: see
//! `journal/put.rs`.
//! At the end of a run the journal is merged by map into the manifest, which is sorted and replaced
//! as a whole. What a killed run left in the journal is taken in by the next one.
//!
//! No list of maps is held in memory: the manifest is read and written a line at a time, the journal is
//! sorted in pieces on the disk. While a run goes on it holds 64 bytes for each map that was there when
//! it began, by which it leaves out what did not change.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use eyemap_abi::job::Side;
use serde::{Deserialize, Serialize};

use crate::{
    draw::Format,
    name::{directory, file_stem},
    sink::{Dir, Refused},
};

mod drawn;
mod journal;
mod known;
mod lines;
mod merge;
mod sort;
mod stamps;
mod stream;
#[cfg(test)]
mod tests;
mod wait;

pub use drawn::drawn_with;
pub use journal::Journal;
pub use known::Places;
pub(crate) use lines::Lines;
pub use merge::Listed;
pub use stamps::Stamp;
pub(crate) use stamps::Stamps;
pub use stream::{Counts, Entries, ManifestWriter};
pub use wait::Waiting;

/// Name of the manifest in the output directory.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Directory of archives in the output directory.
pub const ARCHIVES_DIR: &str = "archives";
const LOCK_FILE: &str = ".manifest.lock";
const JOURNAL_FILE: &str = ".manifest.journal.jsonl";
const FORM: u32 = 1;
/// A larger list is none: it would have more than a hundred million maps.
const MOST_BYTES: u64 = 64 << 30;

/// What became of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has data and was drawn.
    Rendered,
    /// It was drawn, and no column has data.
    Blank,
    /// It was not drawn; `error` says why.
    Failed,
}

/// Names an entry: a map in a format.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Cell type.
    pub cell_type: String,
    /// Region.
    pub region: String,
    /// Side of the brain.
    pub side: Side,
    /// Metric.
    pub metric: String,
    /// Format.
    pub format: Format,
}

impl Key {
    /// Where its file is: `ME_R/synapses/Tm3.svg`. Depends on the key alone.
    pub fn path(&self) -> String {
        format!(
            "{}_{}/{}/{}.{}",
            directory(&self.region),
            self.side.letter(),
            directory(&self.metric),
            file_stem(&self.cell_type),
            self.format.extension()
        )
    }
}

impl Key {
    /// Whether it names the same map, whatever the format.
    pub fn is_same_map(&self, other: &Self) -> bool {
        self.side == other.side
            && self.cell_type == other.cell_type
            && self.region == other.region
            && self.metric == other.metric
    }
}

/// One map in one format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which map and format.
    #[serde(flatten)]
    pub key: Key,
    /// The file, relative to the output directory, with `/`. For a failed map it is what an earlier
    /// run drew, or empty.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// 32 hexadecimal digits over everything that the file depends on; empty without a file.
    pub fingerprint: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed.
    pub error: Option<String>,
    /// The archive that the file is in, relative to the output directory; `path` is then its name
    /// there. Absent for a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
}

/// A manifest as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Entries by map.
    pub entries: BTreeMap<Key, Entry>,
}

/// Why a manifest or journal is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It cannot be read or written.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is damaged or of another form.
    #[error("{} is damaged or of another version: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something else lies where a map belongs, or on the way there. The others are not concerned.
    #[error(transparent)]
    InTheWay(io::Error),
    /// Another run holds the directory, and the user asked to stop.
    #[error("stopped while another run held {}", .path.display())]
    Interrupted {
        /// The lock.
        path: PathBuf,
    },
    /// Another run holds the directory for longer than anything takes.
    #[error("another run has held {} for ten minutes", .path.display())]
    Held {
        /// The lock.
        path: PathBuf,
    },
}

impl ManifestError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { source, .. } if Refused::of(source).is_some() => {
                "nothing of it was read or written".into()
            }
            Self::Io { .. } => {
                "check that the output directory can be written and has space, or choose another directory with -o".into()
            }
            Self::InTheWay(_) => "then run the same command again".into(),
            Self::Interrupted { .. } => "the same command goes on where it stopped".into(),
            Self::Held { .. } => {
                "let that run go on or end it, then run the same command again; or write into another directory".into()
            }
            Self::Damaged { path, .. } => format!(
                "move {} away and render again: the maps are listed anew",
                path.display()
            ),
        }
    }
}

impl Manifest {
    /// Reads the manifest of a directory as a whole; one without is empty. For what may be large there
    /// is [`Entries`].
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has another form.
    pub fn read(dir: &Path) -> Result<Self, ManifestError> {
        let mut entries = BTreeMap::new();
        let dir = Dir::open(dir).map_err(io_error(dir))?;
        for entry in Entries::open(&dir)?.into_iter().flatten() {
            let entry = entry?;
            entries.insert(entry.key.clone(), entry);
        }
        Ok(Self { entries })
    }

    /// The manifest as JSON: one line a map, so that differences read well.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut writer = stream::Writer::default();
        // Writing JSON of plain structs into memory cannot fail.
        for entry in self.entries.values() {
            let _ = writer.push(&mut text, entry);
        }
        let _ = writer.end(&mut text);
        text
    }
}

impl Entry {
    /// The file that holds it: an archive, or its own.
    pub fn file(&self) -> &str {
        self.archive.as_deref().unwrap_or(&self.path)
    }

    /// Says that there is no file.
    fn forget_file(&mut self) {
        self.path.clear();
        self.bytes = 0;
        self.fingerprint.clear();
        self.archive = None;
    }

    /// Paths are deleted by pruning and linked to, so none but a map's own is believed.
    fn is_in_place(&self) -> bool {
        let own = self.path.is_empty() || self.path == self.key.path();
        own && self.archive.as_deref().is_none_or(is_archive)
    }
}

/// Whether a path is one that an archive can have: `archives/maps-00012.tar`.
fn is_archive(path: &str) -> bool {
    let name = path
        .strip_prefix(ARCHIVES_DIR)
        .and_then(|rest| rest.strip_prefix("/maps-"));
    let number = name.and_then(|name| name.strip_suffix(".tar").or(name.strip_suffix(".zip")));
    number.is_some_and(|n| (5..=20).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A line of the journal: a map, and how its file looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line<E> {
    #[serde(flatten)]
    entry: E,
    stamp: Option<Stamp>,
}

impl Line<Entry> {
    /// What a later line about the same map makes of this one. A map that fails keeps the file of an
    /// earlier run: listed, so that it can be pruned.
    fn then(self, mut later: Self) -> Self {
        if later.entry.status == Status::Failed && later.entry.path.is_empty() {
            later.entry.path = self.entry.path;
            later.entry.bytes = self.entry.bytes;
            later.entry.fingerprint = self.entry.fingerprint;
            later.entry.archive = self.entry.archive;
            later.stamp = self.stamp;
        }
        later
    }
}

/// Wraps an error about a file.
fn io_error(path: &Path) -> impl Fn(io::Error) -> ManifestError + use<> {
    let path = path.to_owned();
    move |source| ManifestError::Io {
        path: path.clone(),
        source,
    }
}

fn damaged(path: &Path, reason: String) -> ManifestError {
    ManifestError::Damaged {
        path: path.into(),
        reason,
    }
}

/// Wraps an error about a file that is read by lines.
fn unreadable(path: &Path, error: io::Error) -> ManifestError {
    match error.kind() {
        io::ErrorKind::InvalidData => damaged(path, error.to_string()),
        _ => io_error(path)(error),
    }
}

fn remove(dir: &Dir, name: &str) -> Result<(), ManifestError> {
    dir.remove(name).map_err(io_error(&dir.path().join(name)))
}
