//! The journal of an output directory, as one run writes to it.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    Entry, JOURNAL_FILE, Key, LOCK_FILE, Line, ManifestError, Stamp, damaged, io_error,
    known::Known,
    lines::Lines,
    merge::{self, Listed},
    unreadable,
};
use crate::sink::{Pending, Scratch};

/// The journal of an output directory, as one run writes to it.
#[derive(Debug)]
pub struct Journal {
    pub(super) dir: PathBuf,
    /// What manifest and journal listed when the run began.
    pub(super) known: Known,
    pub(super) scratch: Scratch,
    /// The directory's lock: held by one thread of one process at a time.
    lock: Mutex<File>,
}

impl Journal {
    /// Starts to write into a directory, which is created if missing.
    ///
    /// # Errors
    /// When the directory cannot be written, or its manifest or journal is damaged.
    pub fn start(dir: &Path) -> Result<Self, ManifestError> {
        let scratch = Scratch::open(dir).map_err(io_error(dir))?;
        let path = dir.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(io_error(&path))?;
        let mut journal = Self {
            dir: dir.into(),
            known: Known::default(),
            scratch,
            lock: Mutex::new(lock),
        };
        // Damage is found here, before hours of work, not after.
        journal.known = journal.locked(|| {
            mend(dir)?;
            Known::read(dir)
        })?;
        Ok(journal)
    }

    /// Whether a directory has a journal that is not in its manifest: a run goes on, or was killed.
    pub fn is_open(dir: &Path) -> bool {
        dir.join(JOURNAL_FILE).exists()
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
        stamp.is_some_and(|stamp| Stamp::of_file(&self.dir.join(file)) == Some(stamp))
    }

    /// Puts a map's file in its place and notes it, in one step for all runs.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn publish(&self, file: Option<Pending>, entry: &Entry) -> Result<(), ManifestError> {
        self.publish_all(file, std::slice::from_ref(entry))
    }

    /// As [`Journal::publish`], for several maps that are in one file.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn publish_all(
        &self,
        file: Option<Pending>,
        entries: &[Entry],
    ) -> Result<(), ManifestError> {
        let path = file.as_ref().and_then(Pending::path);
        let stamp = path.and_then(Stamp::of_file);
        let mut lines = Vec::new();
        for entry in entries {
            let stamp = match &entry.archive {
                // It was published before, with other maps.
                Some(archive) if file.is_none() => Stamp::of_file(&self.dir.join(archive)),
                _ => stamp,
            };
            // Writing JSON of plain structs into memory cannot fail.
            let _ = serde_json::to_writer(&mut lines, &Line { entry, stamp });
            lines.push(b'\n');
        }
        self.locked(|| {
            let path = self.dir.join(JOURNAL_FILE);
            let failed = io_error(&path);
            let mut journal = File::options()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(&failed)?;
            let before = journal.metadata().map_err(&failed)?.len();
            let renamed = file.map_or(Ok(()), Pending::publish);
            if let Err(source) = renamed.and_then(|()| journal.write_all(&lines)) {
                // Half a line would spoil the next one.
                let _ = journal.set_len(before);
                return Err(failed(source));
            }
            Ok(())
        })
    }

    fn locked<T>(
        &self,
        work: impl FnOnce() -> Result<T, ManifestError>,
    ) -> Result<T, ManifestError> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = io_error(&self.dir.join(LOCK_FILE));
        lock.lock().map_err(&failed)?;
        let done = work();
        lock.unlock().map_err(&failed)?;
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
            let listed = merge::merge(self, keep)?;
            super::remove(&self.dir.join(JOURNAL_FILE))?;
            and_then(&listed)
        })
    }
}

/// Removes the cut line that a killed run left at the end: it is no entry, and would spoil the line
/// that comes after it.
fn mend(dir: &Path) -> Result<(), ManifestError> {
    let path = dir.join(JOURNAL_FILE);
    let file = match File::options().read(true).write(true).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(io_error(&path))?,
    };
    let mut lines = Lines::new(&file);
    loop {
        match lines.next() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => return Err(unreadable(&path, error)),
        }
    }
    let cut = lines.is_cut().then_some(lines.whole_bytes);
    cut.map_or(Ok(()), |whole| file.set_len(whole))
        .map_err(io_error(&path))
}

/// Calls back for each line of a directory's journal, with its length. A last line that was cut by a
/// kill is no entry.
pub(super) fn journal_lines(
    dir: &Path,
    mut found: impl FnMut(Line<Entry>, usize) -> Result<(), ManifestError>,
) -> Result<(), ManifestError> {
    let path = dir.join(JOURNAL_FILE);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(io_error(&path))?,
    };
    let mut lines = Lines::new(file);
    while let Some(text) = lines.next().map_err(io_error(&path))? {
        if text.is_empty() {
            continue;
        }
        let length = text.len();
        let line = serde_json::from_slice::<Line<Entry>>(text);
        let line = line.ok().filter(|line| line.entry.is_in_place());
        let number = lines.number;
        let line = line.ok_or_else(|| damaged(&path, format!("line {number} is no entry")))?;
        found(line, length)?;
    }
    Ok(())
}
