//! The end of a run: the sorted journal goes into the manifest, both as streams.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
};

use super::{
    Counts, Entries, Entry, Journal, Key, Line, ManifestError, ManifestWriter, Stamp, Status,
    io_error,
    journal::{Put, Record, journal_lines},
    known::Known,
    remove,
    sort::{Sorted, Sorter},
    stamps::{InStep, STAMPS_FILE, StampWriter},
};
use crate::sink::{Dir, Refused, Scratch};

/// A manifest that was written just now.
#[derive(Debug)]
pub struct Listed<'a> {
    /// The output directory.
    pub dir: &'a Dir,
    /// Where files of the run wait until they are published.
    pub scratch: &'a Scratch,
    /// How much is listed.
    pub counts: Counts,
}

/// Merges a directory's journal into its manifest.
pub(super) fn merge<'a>(
    journal: &'a Journal<'_>,
    keep: impl Fn(&Key) -> bool,
) -> Result<Listed<'a>, ManifestError> {
    let (dir, scratch) = (&journal.dir, &journal.scratch);
    let mut sorter = Sorter::new(scratch);
    let mut archives = Archives::default();
    journal_lines(dir, |record, bytes| match record {
        Record::Put(put) => {
            archives.put(put);
            Ok(())
        }
        Record::Map(line) => {
            archives.written(&line);
            sorter.push(*line, bytes)
        }
    })?;
    let mut joined = Joined {
        known: &journal.known,
        old: Entries::open(dir)?.map(Iterator::peekable),
        new: sorter.finish()?,
        ahead: None,
        stamps: InStep::open(dir),
    };
    let failed = io_error(&dir.path().join(STAMPS_FILE));
    let mut manifest = ManifestWriter::begin(scratch)?;
    let mut stamps = StampWriter::begin(scratch).map_err(&failed)?;
    while let Some((old, line)) = joined.next()? {
        if let Some(old) = &old {
            archives.had(old);
        }
        let Some(Line { entry, stamp }) = archives.still_there(line) else {
            continue;
        };
        let stale = journal.known.had(&entry) && !keep(&entry.key);
        let moved = entry.archive.is_some() && old.is_some_and(|old| old.archive.is_none());
        if (stale && entry.archive.is_none() && !entry.path.is_empty()) || moved {
            forget(dir, &entry.key.path())?;
        }
        if !stale {
            archives.has(&entry);
            manifest.push(&entry)?;
            stamps.push(&entry.path, stamp).map_err(&failed)?;
        }
    }
    let counts = manifest.publish()?;
    // Before the journal goes: without stamps, maps are only drawn once more than needed.
    stamps.publish().map_err(&failed)?;
    archives.remove(dir)?;
    Ok(Listed {
        dir,
        scratch,
        counts,
    })
}

/// Removes a file that is listed no more. What lies behind a link is somebody else's and stays.
fn forget(dir: &Dir, path: &str) -> Result<(), ManifestError> {
    match remove(dir, path) {
        Err(ManifestError::Io { source, .. }) if Refused::of(&source).is_some() => {
            tracing::error!("not removed: {source}");
            Ok(())
        }
        removed => removed,
    }
}

/// Archives that were listed before and after; few, as each holds many maps.
#[derive(Debug, Default)]
struct Archives {
    before: BTreeSet<String>,
    after: BTreeSet<String>,
    /// Those that were written since the manifest, and how they looked the last time.
    written: BTreeMap<String, Option<Stamp>>,
}

impl Archives {
    fn written(&mut self, line: &Line<Entry>) {
        self.had(&line.entry);
        if let Some(archive) = &line.entry.archive {
            self.written.insert(archive.clone(), line.stamp);
        }
    }

    /// An archive was written; its lines follow, unless its run was killed just then.
    fn put(&mut self, put: Put) {
        self.before.insert(put.put.clone());
        self.written.insert(put.put, put.stamp);
    }

    /// A line, unless its archive was written again without the map.
    fn still_there(&self, mut line: Line<Entry>) -> Option<Line<Entry>> {
        let archive = line.entry.archive.as_ref();
        let now = archive.and_then(|archive| self.written.get(archive));
        if now.is_none_or(|now| *now == line.stamp) {
            return Some(line);
        }
        if line.entry.status != Status::Failed {
            return None;
        }
        line.stamp = None;
        line.entry.forget_file();
        Some(line)
    }

    fn had(&mut self, entry: &Entry) {
        Self::note(&mut self.before, entry);
    }

    fn has(&mut self, entry: &Entry) {
        Self::note(&mut self.after, entry);
    }

    fn note(set: &mut BTreeSet<String>, entry: &Entry) {
        if let Some(archive) = &entry.archive
            && !set.contains(archive)
        {
            set.insert(archive.clone());
        }
    }

    /// Removes those that no map is in any more.
    fn remove(self, dir: &Dir) -> Result<(), ManifestError> {
        let mut gone = self.before.difference(&self.after);
        gone.try_for_each(|archive| forget(dir, archive))
    }
}

/// A map: what the manifest said of it, and what it will say.
type Change = (Option<Entry>, Line<Entry>);

/// The old manifest and the sorted journal, map by map.
struct Joined<'a> {
    known: &'a Known,
    old: Option<Peekable<Entries>>,
    new: Sorted,
    /// The next line of the journal.
    ahead: Option<Line<Entry>>,
    stamps: InStep,
}

impl Joined<'_> {
    /// The next map.
    fn next(&mut self) -> Result<Option<Change>, ManifestError> {
        if self.ahead.is_none() {
            self.ahead = self.new.next()?;
        }
        let ahead = self.ahead.as_ref().map(|line| &line.entry.key);
        // An error comes first, so that it is told.
        let is_next = |old: &Result<Entry, _>| match (old, ahead) {
            (Ok(old), Some(ahead)) => old.key <= *ahead,
            _ => true,
        };
        let old = self.old.as_mut().and_then(|old| old.next_if(is_next));
        let Some(old) = old.transpose()? else {
            return Ok(self.ahead.take().map(|line| (None, line)));
        };
        let stamp = self.stamps.take(&old.path);
        let before = Line {
            stamp: stamp.or_else(|| self.known.stamp(&old)),
            entry: old.clone(),
        };
        let line = match self.ahead.take_if(|line| line.entry.key == old.key) {
            Some(line) => before.then(line),
            None => before,
        };
        Ok(Some((Some(old), line)))
    }
}
