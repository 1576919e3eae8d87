//! Encoded maps that survive the process: a directory that any number of processes share.
//!
//! Each artifact is a file named by its fingerprint. A log says which are there, with their checksums;
//! whoever changes it holds the lock of the directory. Every process replays the log into a [`Shard`], so
//! that the policy of `[cache.artifacts]` decides over files as it does over memory. An artifact is
//! believed after its bytes were checked, never before; one that is damaged is a miss, and removed.
//!
//! The store never fails a render: what cannot be read is a miss, what cannot be written is not kept.

mod files;
mod log;
mod replica;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use files::{Files, checksum};
pub use log::Totals;
use log::{FORM, Header, Logged, RECORD, Record};
use replica::{GIVE_UP, State, WAITING, hold, now_ms, policy_id};

use super::{Gone, Manner, PolicyError, PolicySource, Shard, Statistics, Ttl};
use crate::{fingerprint::Fingerprint, sink::write_atomically};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The directory or a file in it cannot be used.
    #[error("the store {} cannot be used", .path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was written by another version of the engine.
    #[error("the store {} has form {found}, this engine knows {FORM}", .path.display())]
    OtherForm {
        /// The directory.
        path: PathBuf,
        /// Its form.
        found: u32,
    },
    /// The policy refuses its options.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl StoreError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { path, .. } => format!(
                "check that {} is a directory that you can write, or name another in [cache.artifacts]",
                path.display()
            ),
            Self::OtherForm { path, .. } => format!(
                "delete {}, or name another store in [cache.artifacts]: artifacts can be drawn again",
                path.display()
            ),
            Self::Policy(_) => "choose another policy in [cache.artifacts]".into(),
        }
    }
}

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

/// What [`Store::verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Artifacts that are as they were.
    pub sound: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Artifacts that were damaged or missing, and are removed.
    pub damaged: u64,
    /// Records that were damaged and are passed over.
    pub records: u64,
    /// Files that no record speaks of, and are removed.
    pub orphans: u64,
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

/// Encoded maps on disk.
#[derive(Debug)]
pub struct Store {
    spec: OwnedSpec,
    files: Files,
    state: Mutex<State>,
}

#[derive(Debug)]
struct OwnedSpec {
    dir: PathBuf,
    policy: PolicySource,
    capacity: u64,
    ttl: Option<Ttl>,
}

impl Store {
    /// Opens a store, or makes one.
    ///
    /// # Errors
    /// When the directory can be neither written nor read, or has another form.
    pub fn open(spec: &StoreSpec<'_>) -> Result<Self, StoreError> {
        let files = Files::new(spec.dir);
        let io = |source| StoreError::Io {
            path: spec.dir.into(),
            source,
        };
        let lock = files
            .create()
            .and_then(|()| File::options().create(true).append(true).open(files.lock()));
        let lock = match lock {
            Ok(lock) => Some(lock),
            // Others may fill a store that we can only read.
            Err(_) if files.log().exists() => None,
            Err(error) => return Err(io(error)),
        };
        let shard = Shard::new(spec.policy, spec.capacity, Manner::default())?;
        if let Some(lock) = &lock {
            hold(lock).map_err(io)?;
        }
        let opened = Self::open_log(&files, lock.is_some(), spec);
        if let Some(lock) = &lock {
            lock.unlock().map_err(io)?;
        }
        let (log, header) = opened.map_err(io)?;
        if header.form != FORM {
            return Err(StoreError::OtherForm {
                path: spec.dir.into(),
                found: header.form,
            });
        }
        let store = Self {
            spec: OwnedSpec {
                dir: spec.dir.into(),
                policy: spec.policy.clone(),
                capacity: spec.capacity,
                ttl: spec.ttl,
            },
            files,
            state: Mutex::new(State {
                writable: lock.is_some(),
                lock,
                log,
                read: 0,
                header,
                shard,
                records: 0,
                damaged_records: 0,
                unwritten: Vec::new(),
                news: Totals::default(),
                totals: Totals::default(),
                failures: 0,
                failed_writes: 0,
            }),
        };
        let loaded = store.with_lock(|state| store.reload(state));
        loaded.map_err(io)?;
        Ok(store)
    }

    /// Opens the log; one that is not there or has no sound header is begun anew.
    fn open_log(files: &Files, writable: bool, spec: &StoreSpec<'_>) -> io::Result<(File, Header)> {
        let opened = File::options()
            .read(true)
            .append(writable)
            .open(files.log());
        if let Ok(mut log) = opened {
            let mut bytes = [0; RECORD];
            let header = log
                .read_exact(&mut bytes)
                .ok()
                .and_then(|()| Header::from_bytes(&bytes));
            if let Some(header) = header {
                return Ok((log, header));
            }
            tracing::warn!(store = %spec.dir.display(), "the log of the store is damaged; it is begun anew");
        }
        let header = Header {
            form: FORM,
            generation: now_ms(),
            policy: policy_id(spec.policy),
            state: [0; 16],
        };
        if !writable {
            return Err(io::Error::new(ErrorKind::InvalidData, "its log is damaged"));
        }
        write_atomically(&files.log(), &header.to_bytes())?;
        let log = File::options().read(true).append(true).open(files.log())?;
        Ok((log, header))
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
            self.left(&mut state, &gone, at_ms);
            match found {
                None => {
                    state.news.misses += 1;
                    return None;
                }
                Some(entry) => {
                    let hit = Record::Hit { fingerprint, at_ms };
                    state.unwritten.extend_from_slice(&hit.to_bytes());
                    if state.unwritten.len() >= WAITING {
                        let _ = self.locked(&mut state, |_| Ok(()));
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
            _ => {
                state.news.misses += 1;
                self.forget(&mut state, fingerprint, found.check);
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
        if !state.writable || state.failures >= GIVE_UP || bytes.len() as u64 > self.spec.capacity {
            return false;
        }
        let entry = Logged {
            check,
            bytes: bytes.len() as u64,
            cost_ns: cost.as_nanos() as f32,
            at_ms: now_ms(),
        };
        let kept = self.locked(&mut state, |state| {
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
            Err(error) => {
                state.failures += 1;
                state.failed_writes += 1;
                if state.failed_writes == 1 || state.failures == GIVE_UP {
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
        (counts.hits, counts.misses) = (state.news.hits, state.news.misses);
        (counts.insertions, counts.saved_ns) = (state.news.puts, state.news.saved_ns);
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

    /// Artifacts that this process could not keep: the disk is full, or the directory lost.
    pub fn failed_writes(&self) -> u64 {
        self.state().failed_writes
    }

    /// The policy, as TOML names it.
    pub fn policy(&self) -> &str {
        self.spec.policy.name()
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.spec.dir
    }

    /// Reads and checks everything, and removes what is damaged or belongs to nobody.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut state = self.state();
        let found = self.locked(&mut state, |state| {
            let entries: Vec<_> = state.shard.entries().map(|e| (*e.key, *e.value)).collect();
            let mut found = Verified {
                records: state.damaged_records,
                ..Verified::default()
            };
            for (fingerprint, entry) in entries {
                match self.files.read(fingerprint, entry.bytes, entry.check) {
                    Ok(Some(_)) => {
                        found.sound += 1;
                        found.bytes += entry.bytes;
                    }
                    _ => {
                        found.damaged += 1;
                        self.discard(state, fingerprint)?;
                    }
                }
            }
            state.news.damaged += found.damaged;
            // A disk that is full has no room for the log to be written anew, and the check stands.
            found.orphans = self.rewrite(state).unwrap_or(0);
            Ok(found)
        });
        found.map_err(|source| self.unusable(source))
    }

    /// Removes every artifact.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn clear(&self) -> Result<u64, StoreError> {
        let mut state = self.state();
        let cleared = self.locked(&mut state, |state| {
            let n = state.shard.len() as u64;
            state.shard = self.new_shard()?;
            state.totals = Totals::default();
            state.news = Totals::default();
            self.rewrite(state)?;
            Ok(n)
        });
        cleared.map_err(|source| self.unusable(source))
    }

    /// Reads and checks the artifacts that are dearest for their size first, until a budget is used
    /// up, so that the system holds them in memory. Each is given to `take`.
    pub fn warm(
        &self,
        (bytes, time): (u64, Duration),
        mut take: impl FnMut(Fingerprint, Vec<u8>, Duration),
    ) -> Warmed {
        let start = Instant::now();
        let mut entries: Vec<_> = {
            let state = self.state();
            state.shard.entries().map(|e| (*e.key, *e.value)).collect()
        };
        let density = |entry: &Logged| f64::from(entry.cost_ns) / entry.bytes.max(1) as f64;
        entries.sort_by(|(_, a), (_, b)| density(b).total_cmp(&density(a)));
        let mut warmed = Warmed::default();
        for (fingerprint, entry) in entries {
            if warmed.bytes + entry.bytes > bytes || start.elapsed() > time {
                warmed.left += 1;
                continue;
            }
            match self.files.read(fingerprint, entry.bytes, entry.check) {
                Ok(Some(content)) => {
                    warmed.artifacts += 1;
                    warmed.bytes += entry.bytes;
                    warmed.cost_ns += entry.cost_ns as u64;
                    take(
                        fingerprint,
                        content,
                        Duration::from_nanos(entry.cost_ns as u64),
                    );
                }
                _ => {
                    warmed.damaged += 1;
                    self.forget(&mut self.state(), fingerprint, entry.check);
                }
            }
        }
        warmed
    }

    /// Makes the store smaller (or larger) now, and removes the files that do not fit.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn resize(&self, capacity: u64) -> Result<(), StoreError> {
        let mut state = self.state();
        let resized = self.locked(&mut state, |state| {
            let mut gone = Gone::new();
            state.shard.resize(capacity, &mut gone);
            for (fingerprint, _) in gone {
                self.discard(state, fingerprint)?;
            }
            Ok(())
        });
        resized.map_err(|source| self.unusable(source))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let mut state = self.state();
        if state.writable && (state.news != Totals::default() || !state.unwritten.is_empty()) {
            // Losing counts of hits costs nothing but their report.
            let _ = self.locked(&mut state, |state| self.write_news(state));
        }
    }
}
