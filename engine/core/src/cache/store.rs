//! Encoded maps that survive the process: a directory that any number of processes share.
//!
//! Each artifact is a file named by its fingerprint. A log says which are there, with their checksums;
//! whoever changes it holds the lock of the directory. Every process replays the log into a [`Shard`], so
//! that the policy of `[cache.artifacts]` decides over files as it does over memory. An artifact is
//! believed after its bytes were checked, never before; one that is damaged is a miss, and removed.
//!
//! The store never fails a render: what cannot be read is a miss, what cannot be written is not kept.

mod care;
mod error;
mod files;
mod lock;
mod log;
mod notes;
mod place;
mod renew;
mod replica;
mod sweep;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

pub use care::{Verified, Warmed};
pub use error::StoreError;
use files::{Files, LOCK, LOG, MAX_ARTIFACT, checksum, read_header};
use lock::{Lock, Wait};
pub use log::Totals;
use log::{FORM, Header, Logged, Record};
use notes::Troubles;
use place::Place;
use replica::{GIVE_UP, State, WAITING, busy, is_busy, now_ms};
pub use sweep::Left;

use super::{Gone, Manner, PolicySource, Shard, Statistics, Ttl};
use crate::fingerprint::Fingerprint;

/// What a store is made of.
#[derive(Debug, Clone, Copy)]
pub struct StoreSpec<'a> {
    /// The directory; made if it is missing.
    pub dir: &'a Path,
    /// Who decides what leaves.
    pub policy: &'a PolicySource,
    /// The most that artifacts may weigh together, in bytes.
    pub capacity: u64,
    /// How long artifacts live; none is for ever.
    pub ttl: Option<Ttl>,
}

/// Encoded maps on disk.
#[derive(Debug)]
pub struct Store {
    spec: OwnedSpec,
    files: Files,
    place: Place,
    state: Mutex<State>,
}

#[derive(Debug)]
struct OwnedSpec {
    dir: PathBuf,
    policy: PolicySource,
    capacity: u64,
    ttl: Option<Ttl>,
}

impl OwnedSpec {
    fn of(spec: &StoreSpec<'_>) -> Self {
        Self {
            dir: spec.dir.into(),
            policy: spec.policy.clone(),
            capacity: spec.capacity,
            ttl: spec.ttl,
        }
    }
}

impl Store {
    /// Opens a store, or makes one in a directory that is missing or empty. What another process does
    /// with the store meanwhile is not waited for.
    ///
    /// # Errors
    /// When the directory can be neither written nor read, holds other things, or has another form.
    pub fn open(spec: &StoreSpec<'_>) -> Result<Self, StoreError> {
        let (files, place) = Files::claim(spec.dir)?;
        let io = |source| unusable(spec.dir, source);
        let is_begun = files.dir.look(LOG).map_err(io)?.is_some();
        let mut troubles = Troubles::default();
        let mut lock = match files.dir.append(LOCK) {
            Ok(lock) => Some(Lock::new(lock)),
            // Others may fill a store that we can only read.
            Err(error) if is_begun => {
                troubles.cannot_be_locked(&error);
                None
            }
            Err(error) => return Err(io(error)),
        };
        if let Some(lock) = lock.as_mut().filter(|_| !is_begun) {
            begin_log(&files, lock).map_err(io)?;
        }
        let mut log = files.open_log(lock.is_some()).map_err(io)?;
        if let Some(header) = read_header(&mut log.file).map_err(io)?
            && header.form != FORM
        {
            return Err(StoreError::OtherForm {
                path: spec.dir.into(),
                found: header.form,
            });
        }
        let shard = Shard::new(spec.policy, spec.capacity, Manner::default())?;
        let store = Self {
            spec: OwnedSpec::of(spec),
            files,
            place,
            state: Mutex::new(State::new(lock, log, shard, troubles)),
        };
        let loaded = store.reload(&mut store.state());
        loaded.map_err(io)?;
        Ok(store)
    }

    /// The bytes of an artifact and what drawing them cost, if it is here and as it was.
    pub fn get(&self, fingerprint: Fingerprint) -> Option<(Vec<u8>, Duration)> {
        let found = {
            let mut state = self.state();
            if state.shard.peek(&fingerprint).is_none() {
                // Another process may have put it in since.
                let _ = self.catch_up(&mut state);
            }
            let at_ms = now_ms();
            let renewed = self.renewed(at_ms);
            let mut gone = Gone::new();
            let found = state
                .shard
                .get(&fingerprint, at_ms, renewed, &mut gone)
                .copied();
            self.expired(&mut state, &gone);
            match found {
                None => {
                    state.news.misses += 1;
                    return None;
                }
                Some(entry) => {
                    state.note_hit(fingerprint, at_ms);
                    if state.unwritten.len() >= WAITING {
                        let _ = self.locked(&mut state, Wait::Not, |_| Ok(()));
                    }
                    entry
                }
            }
        };
        // Read without the lock: what is replaced meanwhile does not pass its check.
        let content = self.files.read(fingerprint, found.bytes, found.check);
        let mut state = self.state();
        match content {
            Ok(Some(content)) => {
                state.news.hits += 1;
                state.news.saved_ns = state.news.saved_ns.saturating_add(found.cost_ns as u64);
                Some((content, Duration::from_nanos(found.cost_ns as u64)))
            }
            Ok(None) => {
                state.news.misses += 1;
                self.forget(&mut state, fingerprint, found.check);
                None
            }
            // It may be sound, and it may be readable to others.
            Err(error) => {
                state.news.misses += 1;
                tracing::warn!(store = %self.spec.dir.display(), %error, "an artifact cannot be read");
                None
            }
        }
    }

    /// Keeps an artifact. `same` may name a complete file with the same bytes, to be shared in place of
    /// writing them twice. Returns whether it is kept now; when it is, a kill does not lose it.
    pub fn put(
        &self,
        fingerprint: Fingerprint,
        bytes: &[u8],
        cost: Duration,
        same: Option<&Path>,
    ) -> bool {
        let check = checksum(fingerprint, bytes);
        let mut state = self.state();
        if !state.writable || bytes.len() as u64 > self.most() {
            return false;
        }
        if state.failures >= GIVE_UP {
            state.troubles.failed_writes += 1;
            return false;
        }
        let entry = Logged {
            check,
            bytes: bytes.len() as u64,
            cost_ns: cost.as_nanos() as f32,
            at_ms: now_ms(),
        };
        let kept = self.locked(&mut state, Wait::Patiently, |state| {
            match state.shard.peek(&fingerprint) {
                Some(known) if known.check == check => return Ok(true),
                // Other bytes under the same fingerprint: the newer ones were asked for.
                Some(_) => self.discard(state, fingerprint)?,
                None => {}
            }
            self.files.put(fingerprint, bytes, same)?;
            let kept = self.take(state, Record::Put { fingerprint, entry });
            state.news.puts += u64::from(matches!(kept, Ok(true)));
            if !matches!(kept, Ok(true)) {
                let _ = self.files.remove(fingerprint);
            }
            kept
        });
        match kept {
            Ok(kept) => {
                state.failures = 0;
                kept
            }
            // The lock may be free for the next one.
            Err(error) if is_busy(&error) => {
                state.troubles.held += 1;
                false
            }
            Err(error) => {
                state.failures += 1;
                state.troubles.not_kept(&error);
                if state.troubles.failed_writes == 1 || state.failures == GIVE_UP {
                    tracing::warn!(store = %self.spec.dir.display(), %error, "an artifact could not be kept");
                }
                false
            }
        }
    }

    /// What is in it, and what this process did with it.
    pub fn statistics(&self) -> Statistics {
        let state = self.state();
        let mut counts = state.shard.counts();
        let mut ours = state.told;
        ours += state.news;
        (counts.hits, counts.misses) = (ours.hits, ours.misses);
        (counts.insertions, counts.saved_ns) = (ours.puts, ours.saved_ns);
        Statistics {
            counts,
            entries: state.shard.len() as u64,
            bytes: state.shard.occupied(),
            capacity: self.spec.capacity,
            policy: self.spec.policy.name().to_owned(),
            fault: state.shard.fault().map(str::to_owned),
        }
    }

    /// What all processes did since the store was made, as far as they have told the log.
    pub fn totals(&self) -> Totals {
        let state = self.state();
        let mut totals = state.totals;
        totals += state.news;
        totals.damaged += state.damaged_records;
        totals
    }

    /// The policy, as TOML names it.
    pub fn policy(&self) -> &str {
        self.spec.policy.name()
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.spec.dir
    }

    /// The most bytes of an artifact that is kept.
    fn most(&self) -> u64 {
        self.spec.capacity.min(MAX_ARTIFACT)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Losing counts of hits costs nothing but their report.
        self.settle(&mut self.state(), Wait::Not);
    }
}

fn unusable(dir: &Path, source: io::Error) -> StoreError {
    let path = dir.into();
    match is_busy(&source) {
        true => StoreError::Busy { path },
        false => StoreError::Io { path, source },
    }
}

/// Begins a log, unless another process has done it meanwhile.
fn begin_log(files: &Files, lock: &mut Lock) -> io::Result<()> {
    if !lock.take(Wait::Patiently)? {
        return Err(busy());
    }
    let header = Header {
        form: FORM,
        generation: now_ms(),
        ..Header::default()
    };
    let begun = files.dir.look(LOG).and_then(|found| match found {
        Some(_) => Ok(()),
        None => files.dir.write(LOG, &header.to_bytes()),
    });
    lock.release().and(begun)
}
