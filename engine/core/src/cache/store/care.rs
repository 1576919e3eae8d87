//! What is done to a store as a whole: check it, empty it, read it into memory, change its size.

use std::time::{Duration, Instant};

use super::{
    Gone, Left, Logged, Store, StoreError, Totals, Wait, replica::State, sweep::Swept, unusable,
};
use crate::fingerprint::Fingerprint;

/// What [`Store::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Artifacts that are as they were.
    pub sound: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Artifacts that were damaged or missing, and are in the store no more.
    pub damaged: u64,
    /// Records that were damaged and are passed over.
    pub records: u64,
    /// The first record of the log, which says what the log is, was damaged; it is written anew.
    pub header: bool,
    /// Files that no record speaks of, and are removed.
    pub orphans: u64,
    /// What is not the store's, or not for certain, and is left.
    pub left: Left,
}

/// What [`Store::warm`] read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warmed {
    /// Artifacts that were read and are sound.
    pub artifacts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What drawing them again would cost, in nanoseconds.
    pub cost_ns: u64,
    /// Artifacts that were damaged, and are removed.
    pub damaged: u64,
    /// Artifacts that the budget left out.
    pub left: u64,
}

impl Store {
    /// Reads and checks everything, and removes what is damaged or belongs to nobody.
    ///
    /// # Errors
    /// When the directory or an artifact cannot be read, or the lock is held by another process.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut found = Verified {
            header: self.state().header_damaged,
            ..Verified::default()
        };
        // Read without the lock, for that takes as long as there are bytes.
        let mut doubtful = Vec::new();
        for (fingerprint, entry) in self.entries() {
            match self.is_sound(fingerprint, &entry)? {
                true => found.count(&entry),
                false => doubtful.push((fingerprint, entry)),
            }
        }
        let mut state = self.state();
        let swept = self.locked(&mut state, Wait::Patiently, |state| {
            found.records = state.damaged_records;
            for (fingerprint, entry) in doubtful {
                self.decide(state, fingerprint, &entry, &mut found)?;
            }
            state.news.damaged += found.damaged;
            // A disk that is full has no room for the log to be written anew, and the check stands.
            let _ = self.rewrite(state);
            self.sweep(state)
        });
        let swept = swept.map_err(|source| unusable(&self.spec.dir, source))?;
        (found.orphans, found.left) = (swept.removed, swept.left);
        Ok(found)
    }

    /// Looks again, with the lock, at an artifact that was not sound: it may have been on its way.
    fn decide(
        &self,
        state: &mut State,
        fingerprint: Fingerprint,
        entry: &Logged,
        found: &mut Verified,
    ) -> std::io::Result<()> {
        let Some(known) = state.shard.peek(&fingerprint).copied() else {
            return Ok(());
        };
        if known.check != entry.check {
            return Ok(());
        }
        match self.files.read(fingerprint, entry.bytes, entry.check)? {
            Some(_) => found.count(entry),
            None => {
                found.damaged += 1;
                self.discard(state, fingerprint)?;
            }
        }
        Ok(())
    }

    fn is_sound(&self, fingerprint: Fingerprint, entry: &Logged) -> Result<bool, StoreError> {
        let content = self.files.read(fingerprint, entry.bytes, entry.check);
        content
            .map(|content| content.is_some())
            .map_err(|source| unusable(&self.spec.dir, source))
    }

    /// What is in the store as far as this process knows.
    fn entries(&self) -> Vec<(Fingerprint, Logged)> {
        let state = self.state();
        state.shard.entries().map(|e| (*e.key, *e.value)).collect()
    }

    /// Writes the log anew and sweeps.
    pub(super) fn tidy(&self, state: &mut State) -> std::io::Result<Swept> {
        self.rewrite(state)?;
        let swept = self.sweep(state)?;
        state.troubles.left = swept.left.clone();
        Ok(swept)
    }

    /// Removes every artifact. Returns how many there were.
    ///
    /// # Errors
    /// When the directory cannot be used, or the lock is held by another process.
    pub fn clear(&self) -> Result<u64, StoreError> {
        let mut state = self.state();
        let cleared = self.locked(&mut state, Wait::Patiently, |state| {
            let there: Vec<_> = state.shard.entries().map(|e| *e.key).collect();
            state.shard = self.new_shard()?;
            state.totals = Totals::default();
            state.news = Totals::default();
            self.rewrite(state)?;
            for &fingerprint in &there {
                // What cannot be removed is told by the next check.
                let _ = self.files.remove(fingerprint);
            }
            self.sweep(state)?;
            Ok(there.len() as u64)
        });
        cleared.map_err(|source| unusable(&self.spec.dir, source))
    }

    /// Reads and checks the artifacts that are dearest for their size first, until a budget is used
    /// up, so that the system holds them in memory. Each is given to `take`.
    pub fn warm(
        &self,
        bytes: u64,
        time: Duration,
        mut take: impl FnMut(Fingerprint, Vec<u8>, Duration),
    ) -> Warmed {
        let start = Instant::now();
        let mut entries = self.entries();
        let density = |entry: &Logged| f64::from(entry.cost_ns) / entry.bytes.max(1) as f64;
        entries.sort_by(|(_, a), (_, b)| density(b).total_cmp(&density(a)));
        let mut warmed = Warmed::default();
        for (fingerprint, entry) in entries {
            if warmed.bytes + entry.bytes > bytes || start.elapsed() > time {
                warmed.left += 1;
                continue;
            }
            let cost = Duration::from_nanos(entry.cost_ns as u64);
            match self.files.read(fingerprint, entry.bytes, entry.check) {
                Ok(Some(content)) => {
                    warmed.artifacts += 1;
                    warmed.bytes += entry.bytes;
                    warmed.cost_ns += entry.cost_ns as u64;
                    take(fingerprint, content, cost);
                }
                Ok(None) => {
                    warmed.damaged += 1;
                    self.forget(&mut self.state(), fingerprint, entry.check);
                }
                Err(_) => warmed.left += 1,
            }
        }
        warmed
    }

    /// Makes the store smaller (or larger) now, and removes the files that do not fit.
    ///
    /// # Errors
    /// When the directory cannot be used, or the lock is held by another process.
    pub fn resize(&self, capacity: u64) -> Result<(), StoreError> {
        let mut state = self.state();
        let resized = self.locked(&mut state, Wait::Patiently, |state| {
            let mut gone = Gone::new();
            state.shard.resize(capacity, &mut gone);
            for (fingerprint, _) in gone {
                self.discard(state, fingerprint)?;
            }
            Ok(())
        });
        resized.map_err(|source| unusable(&self.spec.dir, source))
    }
}

impl Verified {
    fn count(&mut self, entry: &Logged) {
        self.sound += 1;
        self.bytes += entry.bytes;
    }
}
