//! A file comes into its place and into the journal in one step, also where its run is killed in between.
//!
//! First the journal gets the line of the map without its end, then the file is renamed, then the line gets
//! its end. A killed run so leaves either nothing, or a line without an end; whoever takes the lock next
//! settles it. The line says how the file looks, and a rename changes nothing of that: if what is in the place
//! looks so, the rename was the last thing that was done and the line is ended, else it never came and the
//! line is cut off. An archive, which holds many maps, has a line of its own for that, before theirs.

use std::{
    fs::File,
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
};

use serde::{Deserialize, Serialize};

use super::{Entry, JOURNAL_FILE, Journal, Line, ManifestError, Stamp};
use crate::{
    manifest::{io_error, is_archive, lines::Lines, unreadable},
    sink::{Dir, Pending, Refused},
};

/// A line of the journal.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::manifest) enum Record {
    /// A map.
    Map(Box<Line<Entry>>),
    /// An archive was written anew.
    Put(Put),
}

/// An archive, and how it looks.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::manifest) struct Put {
    /// Relative to the output directory.
    pub(in crate::manifest) put: String,
    pub(in crate::manifest) stamp: Option<Stamp>,
}

impl Record {
    /// Reads a line; none if it is no record.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let map = serde_json::from_slice::<Line<Entry>>(text).ok();
        if let Some(line) = map.filter(|line| line.entry.is_in_place()) {
            return Some(Self::Map(Box::new(line)));
        }
        let put = serde_json::from_slice::<Put>(text).ok();
        put.filter(|put| is_archive(&put.put)).map(Self::Put)
    }

    /// Whether the file that it is about looks as it says.
    fn holds(&self, dir: &Dir) -> bool {
        let (file, stamp) = match self {
            Self::Map(line) => (line.entry.file(), line.stamp),
            Self::Put(put) => (put.put.as_str(), put.stamp),
        };
        stamp.is_some() && Stamp::of_file(dir, file) == stamp
    }
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Step {
    /// Its line has no end.
    Noted,
    /// It is in its place.
    Renamed,
}

impl Journal<'_> {
    /// Puts a file in its place and notes it. `after` is told of each step, and may end the run there.
    pub(in crate::manifest) fn put(
        &self,
        file: Option<Pending>,
        entries: &[Entry],
        after: &dyn Fn(Step),
    ) -> Result<(), ManifestError> {
        let failed = io_error(&self.dir.path().join(JOURNAL_FILE));
        self.locked(|| {
            let mut journal = self.dir.append(JOURNAL_FILE).map_err(&failed)?;
            let before = ended(&self.dir, &journal)?;
            let put = || {
                let Some(file) = file else {
                    let stamp = |entry: &Entry| self.stamp_there(entry);
                    return Ok(journal.write_all(&lines(entries, stamp))?);
                };
                let stamp = file.look().and_then(Stamp::of_look);
                let (first, rest) = intent(entries, stamp);
                journal.write_all(&first)?;
                after(Step::Noted);
                let moved = publish(file)?;
                after(Step::Renamed);
                journal.write_all(&rest)?;
                if !moved {
                    // A copy on another disk looks otherwise.
                    journal.write_all(&lines(entries, |entry| self.stamp_there(entry)))?;
                }
                Ok(())
            };
            put().map_err(|error: NotPut| {
                // Half a line would spoil the next one.
                let _ = journal.set_len(before);
                match error {
                    NotPut::InTheWay(error) => ManifestError::InTheWay(error),
                    NotPut::Disk(error) => failed(error),
                }
            })
        })
    }

    /// How the file of an entry looks that is in its place.
    fn stamp_there(&self, entry: &Entry) -> Option<Stamp> {
        match entry.file() {
            "" => None,
            file => Stamp::of_file(&self.dir, file),
        }
    }
}

/// Why a file did not come into its place.
enum NotPut {
    InTheWay(io::Error),
    Disk(io::Error),
}

impl From<io::Error> for NotPut {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

fn publish(file: Pending) -> Result<bool, NotPut> {
    file.publish().map_err(|error| match Refused::of(&error) {
        Some(_) => NotPut::InTheWay(error),
        None => NotPut::Disk(error),
    })
}

/// What is written before a file is renamed, and what after it.
fn intent(entries: &[Entry], stamp: Option<Stamp>) -> (Vec<u8>, Vec<u8>) {
    let archive = entries.iter().find_map(|entry| entry.archive.as_ref());
    let Some(archive) = archive else {
        let mut line = lines(entries, |_| stamp);
        line.pop();
        return (line, b"\n".to_vec());
    };
    let put = Put {
        put: archive.clone(),
        stamp,
    };
    let mut rest = b"\n".to_vec();
    rest.extend(lines(entries, |_| stamp));
    // Writing JSON of plain structs into memory cannot fail.
    (serde_json::to_vec(&put).unwrap_or_default(), rest)
}

fn lines(entries: &[Entry], stamp: impl Fn(&Entry) -> Option<Stamp>) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in entries {
        let stamp = stamp(entry);
        // Writing JSON of plain structs into memory cannot fail.
        let _ = serde_json::to_writer(&mut lines, &Line { entry, stamp });
        lines.push(b'\n');
    }
    lines
}

/// Settles what a killed run left in the journal of a directory, if it has one.
pub(super) fn settle(dir: &Dir) -> Result<(), ManifestError> {
    match dir.update(JOURNAL_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(&dir.path().join(JOURNAL_FILE))(error)),
        Ok(journal) => settle_line(dir, &journal).map(drop),
    }
}

/// The length of a journal whose last line has an end, or was given one.
fn ended(dir: &Dir, journal: &File) -> Result<u64, ManifestError> {
    let failed = io_error(&dir.path().join(JOURNAL_FILE));
    let length = journal.metadata().map_err(&failed)?.len();
    let mut last = [b'\n'];
    if length > 0 {
        journal
            .read_exact_at(&mut last, length - 1)
            .map_err(failed)?;
    }
    match last {
        [b'\n'] => Ok(length),
        _ => settle_line(dir, journal),
    }
}

/// Ends the last line or cuts it off; gives the length then.
fn settle_line(dir: &Dir, journal: &File) -> Result<u64, ManifestError> {
    let path = dir.path().join(JOURNAL_FILE);
    let mut lines = Lines::new(journal);
    while lines
        .next()
        .map_err(|error| unreadable(&path, error))?
        .is_some()
    {}
    let (whole, cut) = (lines.whole_bytes, lines.cut());
    let ended = match Record::read(cut) {
        _ if cut.is_empty() => return Ok(whole),
        Some(record) if record.holds(dir) => {
            let end = whole + cut.len() as u64;
            journal.write_all_at(b"\n", end).map(|()| end + 1)
        }
        _ => journal.set_len(whole).map(|()| whole),
    };
    ended.map_err(io_error(&path))
}
