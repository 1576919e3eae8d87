//! The journal of an output directory, as one run writes to it.

mod put;

use std::{
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::{
    Entry, JOURNAL_FILE, Key, LOCK_FILE, Line, MOST_BYTES, ManifestError, Stamp, damaged, io_error,
    known::Known,
    lines::Lines,
    merge::{self, Listed},
    wait::{Lock, Waiting},
};
use crate::sink::{Dir, Pending, Scratch};
#[cfg(test)]
pub(super) use put::Step;
pub(super) use put::{Put, Record};

/// The journal of an output directory, as one run writes to it.
#[derive(Debug)]
pub struct Journal<'a> {
    pub(super) dir: Dir,
    /// What manifest and journal listed when the run began.
    pub(super) known: Known,
    pub(super) scratch: Scratch,
    /// The directory's lock: held by one thread of one process at a time.
    lock: Mutex<Lock<'a>>,
}

impl<'a> Journal<'a> {
    /// Starts to write into a directory, which is created if missing.
    ///
    /// # Errors
    /// When the directory cannot be written, another run holds it, or its manifest or journal is damaged.
    pub fn start(dir: &Path, waiting: Waiting<'a>) -> Result<Self, ManifestError> {
        let failed = io_error(dir);
        let dir = Dir::create(dir).map_err(&failed)?;
        let scratch = Scratch::open(&dir).map_err(&failed)?;
        let file = dir.append(LOCK_FILE);
        let lock = Lock {
            file: file.map_err(io_error(&dir.path().join(LOCK_FILE)))?,
            waiting,
            gave_up: false,
        };
        let mut journal = Self {
            lock: Mutex::new(lock),
            known: Known::default(),
            scratch,
            dir,
        };
        // Damage is found here, before hours of work, not after.
        journal.known = journal.locked(|| {
            put::settle(&journal.dir)?;
            Known::read(&journal.dir)
        })?;
        Ok(journal)
    }

    /// Whether a directory has a journal that is not in its manifest: a run goes on, or was killed.
    pub fn is_open(dir: &Dir) -> bool {
        !matches!(dir.look(JOURNAL_FILE), Ok(None))
    }

    /// Whether there is anything to merge, from this run or another.
    pub fn has_lines(&self) -> bool {
        Self::is_open(&self.dir)
    }

    /// Where the files of this run wait until they are published.
    pub const fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Whether a map was there with this fingerprint when the run began, in this archive or as a file
    /// of its own, and its file looks as it did when it was written.
    pub fn unchanged(&self, key: &Key, archive: Option<&str>, fingerprint: &str) -> bool {
        let path = key.path();
        let stamp = self.known.sound(&path, archive, fingerprint);
        let file = archive.unwrap_or(&path);
        stamp.is_some_and(|stamp| Stamp::of_file(&self.dir, file) == Some(stamp))
    }

    /// The output directory.
    pub const fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Puts a map's file in its place and notes it, in one step for all runs.
    ///
    /// # Errors
    /// When the disk is full, or something else lies [in the way](ManifestError::InTheWay).
    pub fn publish(&self, file: Option<Pending>, entry: &Entry) -> Result<(), ManifestError> {
        self.publish_all(file, std::slice::from_ref(entry))
    }

    /// As [`Journal::publish`], for several maps that are in one file.
    ///
    /// # Errors
    /// As [`Journal::publish`].
    pub fn publish_all(
        &self,
        file: Option<Pending>,
        entries: &[Entry],
    ) -> Result<(), ManifestError> {
        self.put(file, entries, &|_| ())
    }

    pub(super) fn locked<T>(
        &self,
        work: impl FnOnce() -> Result<T, ManifestError>,
    ) -> Result<T, ManifestError> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.dir.path().join(LOCK_FILE);
        lock.take(&path)?;
        let done = work();
        lock.file.unlock().map_err(io_error(&path))?;
        done
    }

    /// Merges the journal into the manifest and removes it. `keep` decides which entries stay of
    /// those that were there when the run began; the files of the others are deleted. `and_then` is
    /// called with the new manifest before another run can change it.
    ///
    /// # Errors
    /// When the manifest is damaged or cannot be written; the journal then stays.
    pub fn finish(
        &self,
        keep: impl Fn(&Key) -> bool,
        and_then: impl FnOnce(&Listed<'_>) -> Result<(), ManifestError>,
    ) -> Result<(), ManifestError> {
        self.locked(|| {
            put::settle(&self.dir)?;
            let listed = merge::merge(self, keep)?;
            super::remove(&self.dir, JOURNAL_FILE)?;
            and_then(&listed)
        })
    }
}

/// Calls back for each record of a directory's journal, with its length. A last line that was cut by a
/// kill is none.
pub(super) fn journal_lines(
    dir: &Dir,
    mut found: impl FnMut(Record, usize) -> Result<(), ManifestError>,
) -> Result<(), ManifestError> {
    let path = dir.path().join(JOURNAL_FILE);
    let file = match dir.open_file(JOURNAL_FILE, MOST_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(io_error(&path))?,
    };
    let mut lines = Lines::new(file);
    while let Some(text) = lines.next().map_err(io_error(&path))? {
        if text.is_empty() {
            continue;
        }
        let (record, length) = (Record::read(text), text.len());
        let number = lines.number;
        let record = record.ok_or_else(|| damaged(&path, format!("line {number} is no entry")))?;
        found(record, length)?;
    }
    Ok(())
}
