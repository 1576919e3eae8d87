//! Several manifests as one stream, rising by map, each map once.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{MergeError, name};
use crate::{
    manifest::{Entries, Entry, Key, Status},
    sink::Dir,
};

/// Manifests that are read in step.
pub(super) struct Streams<'a> {
    dirs: &'a [Dir],
    entries: Vec<Option<Entries>>,
    next: Vec<Option<Entry>>,
    heads: BinaryHeap<Reverse<(Key, usize)>>,
}

impl<'a> Streams<'a> {
    /// Opens the manifests of directories; some may have none.
    pub(super) fn open(dirs: &'a [Dir]) -> Result<Self, MergeError> {
        let entries = dirs.iter().map(Entries::open);
        let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
        let mut streams = Self {
            dirs,
            next: vec![None; entries.len()],
            entries,
            heads: BinaryHeap::new(),
        };
        for from in 0..dirs.len() {
            streams.refill(from)?;
        }
        Ok(streams)
    }

    /// The next map: the first directory that has it drawn, and what it says.
    pub(super) fn next(&mut self) -> Result<Option<(usize, Entry)>, MergeError> {
        let Some(Reverse((key, _))) = self.heads.peek() else {
            return Ok(None);
        };
        let key = key.clone();
        let mut chosen: Option<(usize, Entry)> = None;
        while let Some(Reverse((head, from))) = self.heads.peek()
            && *head == key
        {
            let from = *from;
            self.heads.pop();
            if let Some(entry) = self.next[from].take() {
                chosen = Some(self.choose(chosen, (from, entry))?);
            }
            self.refill(from)?;
        }
        Ok(chosen)
    }

    /// What was drawn wins over what failed; two drawings must be one.
    fn choose(
        &self,
        chosen: Option<(usize, Entry)>,
        other: (usize, Entry),
    ) -> Result<(usize, Entry), MergeError> {
        let Some(chosen) = chosen else {
            return Ok(other);
        };
        let failed = |entry: &Entry| entry.status == Status::Failed;
        match (failed(&chosen.1), failed(&other.1)) {
            (true, false) => return Ok(other),
            (_, true) => return Ok(chosen),
            (false, false) => {}
        }
        let said = |entry: &Entry| {
            (
                entry.fingerprint.clone(),
                entry.bytes,
                entry.archive.clone(),
            )
        };
        if said(&chosen.1) == said(&other.1) {
            return Ok(chosen);
        }
        Err(MergeError::Conflict {
            map: name(&chosen.1.key),
            first: self.dirs[chosen.0].path().into(),
            second: self.dirs[other.0].path().into(),
        })
    }

    fn refill(&mut self, from: usize) -> Result<(), MergeError> {
        let entry = self.entries[from].as_mut().and_then(Iterator::next);
        let entry = entry.transpose()?;
        if let Some(entry) = &entry {
            self.heads.push(Reverse((entry.key.clone(), from)));
        }
        self.next[from] = entry;
        Ok(())
    }
}
