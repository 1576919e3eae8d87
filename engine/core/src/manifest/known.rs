//! What an output directory had when a run began: 64 bytes a map, to leave out what did not change.

use std::io;

use super::{
    Entry, JOURNAL_FILE, Key, MANIFEST_FILE, MOST_BYTES, ManifestError, Stamp, Status,
    journal::{self, journal_lines},
    lines, stamps,
    stream::Entries,
    unreadable,
};
use crate::{fingerprint::Fingerprint, sink::Dir};

/// One entry. The order of the first two fields is the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    place: u128,
    /// Rises with the time of writing: the manifest's entries have 0.
    line: u32,
    fingerprint: u128,
    /// [`Stamp::NONE`] if it is not known.
    stamp: Stamp,
    failed: bool,
    /// Whether it was written after the manifest.
    newer: bool,
}

/// What was there, by place.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<Record>);

impl Known {
    /// Reads manifest, journal and stamps, and so finds out whether they are sound.
    pub(super) fn read(dir: &Dir) -> Result<Self, ManifestError> {
        let mut records = Vec::new();
        records.reserve_exact(count(dir, MANIFEST_FILE)? + count(dir, JOURNAL_FILE)?);
        for entry in Entries::open(dir)?.into_iter().flatten() {
            records.push(Record::of(&entry?, None, 0));
        }
        let mut number: u32 = 0;
        journal_lines(dir, |read, _| {
            number = number.saturating_add(1);
            if let journal::Record::Map(line) = read {
                records.push(Record::of(&line.entry, line.stamp, number));
            }
            Ok(())
        })?;
        records.sort_unstable();
        let mut known = Self(records);
        known.fold();
        stamps::each(dir, |path, stamp| known.set_stamp(path, stamp));
        Ok(known)
    }

    /// Whether nothing was there.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves the last record of each place.
    fn fold(&mut self) {
        self.0.dedup_by(|later, earlier| {
            let same = later.place == earlier.place;
            if same {
                let keeps_file = later.failed && later.fingerprint == NO_FINGERPRINT;
                let newer = later.failed != earlier.failed
                    || !keeps_file && later.fingerprint != earlier.fingerprint;
                let fingerprint = if keeps_file {
                    earlier.fingerprint
                } else {
                    later.fingerprint
                };
                *earlier = Record {
                    fingerprint,
                    newer: newer || earlier.newer,
                    ..*later
                };
            }
            same
        });
    }

    /// What the file of stamps says of a map; the journal is newer.
    fn set_stamp(&mut self, path: &str, stamp: Stamp) {
        if let Some(found) = self.position(path)
            && self.0[found].stamp == Stamp::NONE
        {
            self.0[found].stamp = stamp;
        }
    }

    fn position(&self, path: &str) -> Option<usize> {
        let place = place(path);
        self.0
            .binary_search_by_key(&place, |record| record.place)
            .ok()
    }

    fn get(&self, path: &str) -> Option<&Record> {
        Some(&self.0[self.position(path)?])
    }

    /// The stamp of a map that was there with this fingerprint, in this archive or as a file.
    pub(super) fn sound(
        &self,
        path: &str,
        archive: Option<&str>,
        fingerprint: &str,
    ) -> Option<Stamp> {
        let record = self.get(path)?;
        let sound = !record.failed && record.fingerprint == digits(fingerprint, archive);
        (sound && record.stamp != Stamp::NONE).then_some(record.stamp)
    }

    /// The stamp of an entry's file, if it is the one that was there.
    pub(super) fn stamp(&self, entry: &Entry) -> Option<Stamp> {
        let record = self.get(&entry.path)?;
        let same = record.fingerprint == digits(&entry.fingerprint, entry.archive.as_deref());
        (same && record.stamp != Stamp::NONE).then_some(record.stamp)
    }

    /// Whether the manifest had the entry, as it is now, when the run began.
    pub(super) fn had(&self, entry: &Entry) -> bool {
        self.get(&entry.key.path()).is_some_and(|record| {
            !record.newer
                && record.failed == (entry.status == Status::Failed)
                && record.fingerprint == digits(&entry.fingerprint, entry.archive.as_deref())
        })
    }
}

impl Record {
    fn of(entry: &Entry, stamp: Option<Stamp>, line: u32) -> Self {
        Self {
            place: place(&entry.key.path()),
            line,
            fingerprint: digits(&entry.fingerprint, entry.archive.as_deref()),
            stamp: stamp.unwrap_or(Stamp::NONE),
            failed: entry.status == Status::Failed,
            newer: line > 0,
        }
    }
}

const NO_FINGERPRINT: u128 = 0;

/// A fingerprint, and where its bytes are, as a number.
fn digits(fingerprint: &str, archive: Option<&str>) -> u128 {
    if fingerprint.is_empty() {
        return NO_FINGERPRINT;
    }
    let own = match Fingerprint::parse(fingerprint) {
        Some(parsed) => u128::from_be_bytes(parsed.to_bytes()),
        None => digest(fingerprint.as_bytes()),
    };
    own ^ archive.map_or(0, |archive| digest(archive.as_bytes()))
}

/// A path as a number.
pub(super) fn place(path: &str) -> u128 {
    digest(path.as_bytes())
}

fn digest(bytes: &[u8]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    u128::from_be_bytes(half)
}

fn count(dir: &Dir, name: &str) -> Result<usize, ManifestError> {
    match dir.open_file(name, MOST_BYTES).and_then(lines::count) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        lines => lines.map_err(|error| unreadable(&dir.path().join(name), error)),
    }
}

/// A set of maps in formats, 16 bytes each.
#[derive(Debug, Default)]
pub struct Places(Vec<u128>);

impl Places {
    /// Takes in keys.
    pub fn of(keys: impl Iterator<Item = Key>) -> Self {
        let mut places: Vec<u128> = keys.map(|key| place(&key.path())).collect();
        places.sort_unstable();
        Self(places)
    }

    /// Whether a key is among them.
    pub fn has(&self, key: &Key) -> bool {
        self.0.binary_search(&place(&key.path())).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_is_known_takes_no_more_than_it_is_said_to() {
        assert!(size_of::<Record>() <= 64, "{}", size_of::<Record>());
    }
}
