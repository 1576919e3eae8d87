//! How files looked when they were written, so that one that somebody changed is drawn again.
//!
//! As `make` and `git` do, a file is taken for unchanged by its place on the disk, its length and its
//! time of change; its bytes are not read. The stamps lie beside the manifest and not in it: the
//! manifest of the same maps is the same on every machine.

use std::{
    fs::Metadata,
    io::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{MOST_BYTES, known::place, lines::Lines};
use crate::sink::{Bounded, Dir, Kind, Look, Pending, PendingWriter, Scratch};

/// Name of the file with the stamps in the output directory.
pub(super) const STAMPS_FILE: &str = ".manifest.stamps";

/// How a file looked: its place on the disk, its length in bytes, and when it was last changed, in
/// nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp(u64, u64, u64);

impl Stamp {
    /// That of no file.
    pub(super) const NONE: Self = Self(0, 0, 0);

    /// How a file looks now.
    pub fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        Self(inode(metadata), metadata.len(), nanoseconds)
    }

    /// How the file of a path below a directory looks now; none if there is none, or if a link is on its way.
    pub fn of_file(dir: &Dir, path: &str) -> Option<Self> {
        Self::of_look(dir.look(path).ok()??)
    }

    /// How something looks that is a file.
    pub(super) fn of_look(look: Look) -> Option<Self> {
        (look.kind == Kind::File).then_some(Self(look.inode, look.bytes, look.changed_ns))
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

/// Stamps by the path of the file, relative to the output directory: 40 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Stamps(Vec<(u128, Stamp)>);

impl Stamps {
    /// Reads the stamps of a directory. Without them, or damaged, every map is drawn again.
    pub(crate) fn read(dir: &Dir) -> Self {
        let mut stamps = Vec::new();
        each(dir, |path, stamp| stamps.push((place(path), stamp)));
        stamps.sort_unstable();
        Self(stamps)
    }

    pub(crate) fn get(&self, path: &str) -> Option<Stamp> {
        let place = place(path);
        let found = self.0.binary_search_by_key(&place, |(other, _)| *other);
        found.ok().map(|found| self.0[found].1)
    }
}

/// Calls back for each stamp of a directory. A line that is damaged is none.
pub(super) fn each(dir: &Dir, mut found: impl FnMut(&str, Stamp)) {
    let mut stamps = InStep::open(dir);
    while let Some((path, stamp)) = stamps.read() {
        found(&path, stamp);
    }
}

/// Stamps in the order of the manifest that they were written with.
#[derive(Debug)]
pub(super) struct InStep {
    /// None once they have ended, or were found to be damaged.
    lines: Option<Lines<Bounded>>,
    next: Option<(String, Stamp)>,
}

impl InStep {
    pub(super) fn open(dir: &Dir) -> Self {
        let file = dir.open_file(STAMPS_FILE, MOST_BYTES);
        Self {
            lines: file.ok().map(Lines::new),
            next: None,
        }
    }

    /// The stamp of the next path of the manifest, if it has one. Out of step nothing is found, and
    /// then maps are drawn once more than needed.
    pub(super) fn take(&mut self, path: &str) -> Option<Stamp> {
        if self.next.is_none() {
            self.next = self.read();
        }
        let (_, stamp) = self.next.take_if(|(next, _)| next == path)?;
        Some(stamp)
    }

    fn read(&mut self) -> Option<(String, Stamp)> {
        loop {
            let Ok(Some(line)) = self.lines.as_mut()?.next() else {
                self.lines = None;
                return None;
            };
            let parsed = std::str::from_utf8(line).ok().and_then(|line| {
                let (path, stamp) = line.split_once('\t')?;
                Some((path.to_owned(), serde_json::from_str(stamp).ok()?))
            });
            if parsed.is_some() {
                return parsed;
            }
        }
    }
}

/// Writes the stamps of a manifest beside it.
#[derive(Debug)]
pub(super) struct StampWriter(PendingWriter);

impl StampWriter {
    pub(super) fn begin(scratch: &Scratch) -> io::Result<Self> {
        Pending::begin(scratch, STAMPS_FILE).map(Self)
    }

    pub(super) fn push(&mut self, path: &str, stamp: Option<Stamp>) -> io::Result<()> {
        match stamp {
            Some(Stamp(place, len, changed)) => {
                writeln!(self.0, "{path}\t[{place},{len},{changed}]")
            }
            None => Ok(()),
        }
    }

    pub(super) fn publish(self) -> io::Result<()> {
        self.0.finish()?.publish().map(drop)
    }
}
