//! How files looked when they were written, so that one that somebody changed is drawn again.
//!
//! As `make` and `git` do, a file is taken for unchanged by its place on the disk, its length and its
//! time of change; its bytes are not read. The stamps lie beside the manifest and not in it: the
//! manifest of the same maps is the same on every machine.

use std::{
    collections::HashMap,
    fs::Metadata,
    io,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::sink::write_atomically;

/// Name of the file with the stamps in the output directory.
pub(super) const STAMPS_FILE: &str = ".manifest.stamps";

/// How a file looked: its place on the disk, its length in bytes, and when it was last changed, in
/// nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp(u64, u64, u64);

impl Stamp {
    /// How a file looks now.
    pub fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        Self(place(metadata), metadata.len(), nanoseconds)
    }

    /// How the file of a path looks now; none if there is none.
    pub fn of_file(path: &Path) -> Option<Self> {
        let metadata = std::fs::symlink_metadata(path).ok()?;
        metadata.is_file().then(|| Self::of(&metadata))
    }
}

#[cfg(unix)]
fn place(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn place(_metadata: &Metadata) -> u64 {
    0
}

/// Stamps by the path of the file, relative to the output directory.
#[derive(Debug, Default)]
pub(crate) struct Stamps(HashMap<String, Stamp>);

impl Stamps {
    /// Reads the stamps of a directory. Without them, or damaged, every map is drawn again.
    pub(crate) fn read(dir: &Path) -> Self {
        let text = std::fs::read_to_string(dir.join(STAMPS_FILE)).unwrap_or_default();
        let line = |line: &str| {
            let (path, stamp) = line.split_once('\t')?;
            Some((path.to_owned(), serde_json::from_str(stamp).ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }

    pub(crate) fn get(&self, path: &str) -> Option<Stamp> {
        self.0.get(path).copied()
    }

    pub(super) fn set(&mut self, path: String, stamp: Stamp) {
        self.0.insert(path, stamp);
    }

    /// Writes the stamps of those paths that are kept.
    pub(super) fn write<'a>(
        &self,
        dir: &Path,
        paths: impl Iterator<Item = &'a str>,
    ) -> io::Result<()> {
        let mut text = String::new();
        for path in paths {
            if let Some(Stamp(place, len, changed)) = self.get(path) {
                text.push_str(&format!("{path}\t[{place},{len},{changed}]\n"));
            }
        }
        write_atomically(&dir.join(STAMPS_FILE), text.as_bytes())
    }
}
