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
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use files::{Files, checksum};
pub use log::Totals;
use log::{FORM, Header, Logged, RECORD, Record, half};

use super::{
    Facts, Gone, Inserted, Manner, PolicyError, PolicySource, Shard, Statistics, Ttl, TtlMode,
    memory::milliseconds,
};
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

#[derive(Debug)]
struct State {
    /// None when the directory cannot be written, and while it is held.
    lock: Option<File>,
    /// False when artifacts can only be read.
    writable: bool,
    log: File,
    /// How much of the log is in the shard.
    read: u64,
    header: Header,
    shard: Shard<Fingerprint, Logged>,
    /// Records in the log, and damaged ones among them.
    records: u64,
    damaged_records: u64,
    /// Records of this process that are not in the log yet.
    unwritten: Vec<u8>,
    /// What this process did since it last told the log.
    news: Totals,
    /// What the log says of all processes.
    totals: Totals,
    /// Writes that failed one after the other.
    failures: u32,
    failed_writes: u64,
}

/// Records of hits that wait to be written together.
const WAITING: usize = 256 * RECORD;
/// After so many failed writes in a row, a full disk or a lost directory is not tried again.
const GIVE_UP: u32 = 16;
/// A log with more records than this beyond four times its artifacts is written anew.
const SPARE_RECORDS: u64 = 4096;
/// More artifacts than a store can hold, so that a damaged slot number does not ask for memory.
const MAX_SLOT: u32 = 1 << 26;

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, milliseconds)
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

    /// The bytes of an artifact, if it is here and as it was.
    pub fn get(&self, fingerprint: Fingerprint) -> Option<Vec<u8>> {
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
            self.drop_files(&gone);
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
                Some(content)
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
            let record = Record::Put { fingerprint, entry };
            if let Err(error) = append(state, &record.to_bytes()) {
                let _ = self.files.remove(fingerprint);
                return Err(error);
            }
            let mut gone = Gone::new();
            let kept = self.apply(state, record, &mut gone);
            self.drop_files(&gone);
            state.news.puts += u64::from(kept);
            Ok(kept)
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
            found.orphans = self.rewrite(state)?;
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unusable(&self, source: io::Error) -> StoreError {
        StoreError::Io {
            path: self.spec.dir.clone(),
            source,
        }
    }

    fn new_shard(&self) -> io::Result<Shard<Fingerprint, Logged>> {
        Shard::new(&self.spec.policy, self.spec.capacity, Manner::default())
            .map_err(io::Error::other)
    }

    fn with_lock<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        let held = state.lock.as_ref().map(File::try_clone).transpose()?;
        if let Some(lock) = &held {
            hold(lock)?;
        }
        let done = work(&mut state);
        if let Some(lock) = &held {
            lock.unlock()?;
        }
        done
    }

    /// Runs a change alone among all processes, on top of all that they wrote before.
    fn locked<T>(
        &self,
        state: &mut State,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let lock = state.lock.take();
        let Some(lock) = lock else {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "the store can only be read",
            ));
        };
        let done = hold(&lock).and_then(|()| {
            let done = self.catch_up(state).and_then(|()| {
                self.write_waiting(state)?;
                let done = work(state)?;
                if state.records > 4 * state.shard.len() as u64 + SPARE_RECORDS {
                    self.rewrite(state)?;
                }
                Ok(done)
            });
            lock.unlock().and(done)
        });
        state.lock = Some(lock);
        done
    }

    /// Takes in what other processes wrote.
    fn catch_up(&self, state: &mut State) -> io::Result<()> {
        let at = std::fs::metadata(self.files.log())?;
        if !same_file(&at, &state.log.metadata()?) || at.len() < state.read {
            state.log = File::options()
                .read(true)
                .append(state.writable)
                .open(self.files.log())?;
            return self.reload(state);
        }
        self.take_in(state)
    }

    /// Reads the log from its beginning.
    fn reload(&self, state: &mut State) -> io::Result<()> {
        state.log.seek(SeekFrom::Start(0))?;
        let mut bytes = [0; RECORD];
        state.log.read_exact(&mut bytes)?;
        let damaged = || io::Error::new(ErrorKind::InvalidData, "its log is damaged");
        state.header = Header::from_bytes(&bytes).ok_or_else(damaged)?;
        state.shard = self.new_shard()?;
        state.read = RECORD as u64;
        (state.records, state.damaged_records) = (0, 0);
        state.totals = Totals::default();
        self.take_in(state)
    }

    /// Reads records from where it stopped.
    fn take_in(&self, state: &mut State) -> io::Result<()> {
        state.log.seek(SeekFrom::Start(state.read))?;
        let mut kept: HashMap<u32, (Fingerprint, Logged, u8)> = HashMap::new();
        let mut beginning = state.read == RECORD as u64;
        let mut block = vec![0; 1024 * RECORD];
        loop {
            let filled = fill(&mut state.log, &mut block)?;
            let whole = filled / RECORD * RECORD;
            for bytes in block[..whole].chunks_exact(RECORD) {
                let record = bytes.try_into().ok().and_then(Record::from_bytes);
                state.read += RECORD as u64;
                state.records += 1;
                match record {
                    None => state.damaged_records += 1,
                    Some(Record::Kept {
                        fingerprint,
                        entry,
                        slot,
                        hits,
                    }) if beginning && slot < MAX_SLOT && entry.bytes <= self.spec.capacity => {
                        kept.insert(slot, (fingerprint, entry, hits));
                    }
                    Some(record) => {
                        if beginning && !matches!(record, Record::Totals(_)) {
                            beginning = false;
                            self.restore(state, std::mem::take(&mut kept));
                        }
                        self.apply(state, record, &mut Gone::new());
                    }
                }
            }
            if filled < block.len() {
                break;
            }
        }
        if beginning && !kept.is_empty() {
            self.restore(state, kept);
        }
        Ok(())
    }

    /// Gives the shard the artifacts of the last rewriting, and the policy the state it had.
    fn restore(&self, state: &mut State, kept: HashMap<u32, (Fingerprint, Logged, u8)>) {
        let mut kept: Vec<_> = kept.into_iter().collect();
        kept.sort_unstable_by_key(|&(slot, _)| slot);
        let policy = std::fs::read(self.files.state(state.header.generation)).ok();
        let policy = policy.filter(|bytes| {
            state.damaged_records == 0
                && state.header.policy == policy_id(&self.spec.policy)
                && state.header.state == half(&blake3::hash(bytes))
        });
        let tick = kept
            .iter()
            .map(|(_, (_, entry, _))| entry.at_ms)
            .max()
            .unwrap_or(0);
        let entries = kept.into_iter().map(|(slot, (fingerprint, entry, hits))| {
            (slot, fingerprint, entry, self.facts(&entry), hits)
        });
        let mut shard = std::mem::replace(
            &mut state.shard,
            match self.new_shard() {
                Ok(shard) => shard,
                Err(_) => return,
            },
        );
        shard.restore(entries, policy.as_deref(), tick);
        // A smaller capacity than before is enforced now.
        let mut gone = Gone::new();
        if shard.occupied() > self.spec.capacity {
            shard.resize(self.spec.capacity, &mut gone);
        }
        state.shard = shard;
    }

    /// What a record changes. Returns whether a new artifact stays.
    fn apply(
        &self,
        state: &mut State,
        record: Record,
        gone: &mut Gone<Fingerprint, Logged>,
    ) -> bool {
        match record {
            Record::Put { fingerprint, entry }
            | Record::Kept {
                fingerprint, entry, ..
            } => {
                let facts = self.facts(&entry);
                let done = state
                    .shard
                    .insert(fingerprint, entry, facts, entry.at_ms, gone);
                done == Inserted::Stored
            }
            Record::Hit { fingerprint, at_ms } => {
                let renewed = self.renewed(at_ms);
                state
                    .shard
                    .get(&fingerprint, at_ms, renewed, gone)
                    .is_some()
            }
            Record::Removed { fingerprint, .. } => state.shard.remove(&fingerprint, gone),
            Record::Totals(totals) => {
                state.totals += totals;
                true
            }
        }
    }

    fn facts(&self, entry: &Logged) -> Facts {
        let ttl = self.spec.ttl.map(|ttl| milliseconds(ttl.time));
        Facts {
            expires_at: ttl.map_or(u64::MAX, |ttl| entry.at_ms.saturating_add(ttl)),
            ..Facts::new(entry.bytes, entry.cost_ns as u64)
        }
    }

    fn renewed(&self, at_ms: u64) -> Option<u64> {
        let ttl = self.spec.ttl.filter(|ttl| ttl.mode == TtlMode::Access)?;
        Some(at_ms.saturating_add(milliseconds(ttl.time)))
    }

    fn drop_files(&self, gone: &Gone<Fingerprint, Logged>) {
        for (fingerprint, _) in gone {
            // What cannot be removed now is swept when the log is written anew.
            let _ = self.files.remove(*fingerprint);
        }
    }

    /// Removes a damaged or superfluous artifact, unless another process has put it right meanwhile.
    fn forget(&self, state: &mut State, fingerprint: Fingerprint, check: [u8; 16]) {
        let done = self.locked(state, |state| {
            let known = state.shard.peek(&fingerprint).copied();
            match known {
                Some(entry) if entry.check == check => {
                    let sound = self.files.read(fingerprint, entry.bytes, check);
                    if matches!(sound, Ok(Some(_))) {
                        return Ok(());
                    }
                    state.news.damaged += 1;
                    self.discard(state, fingerprint)
                }
                _ => Ok(()),
            }
        });
        if done.is_err() {
            // It is a miss for this process at least.
            state.news.damaged += 1;
            state.shard.remove(&fingerprint, &mut Gone::new());
        }
    }

    fn discard(&self, state: &mut State, fingerprint: Fingerprint) -> io::Result<()> {
        let record = Record::Removed {
            fingerprint,
            at_ms: now_ms(),
        };
        append(state, &record.to_bytes())?;
        self.apply(state, record, &mut Gone::new());
        self.files.remove(fingerprint)
    }

    /// Writes hits and totals of this process.
    fn write_waiting(&self, state: &mut State) -> io::Result<()> {
        if state.unwritten.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut state.unwritten);
        append(state, &waiting)
    }

    fn write_news(&self, state: &mut State) -> io::Result<()> {
        let news = std::mem::take(&mut state.news);
        state.totals += news;
        append(state, &Record::Totals(news).to_bytes())
    }

    /// Writes the log anew: the artifacts in their slots and the state of the policy. Sweeps files
    /// that belong to nobody, and returns how many.
    fn rewrite(&self, state: &mut State) -> io::Result<u64> {
        let policy = state.shard.snapshot().unwrap_or_default();
        let generation = state.header.generation + 1;
        let mut totals = state.totals;
        totals.damaged += state.damaged_records;
        let header = Header {
            form: FORM,
            generation,
            policy: policy_id(&self.spec.policy),
            state: half(&blake3::hash(&policy)),
        };
        let mut text = header.to_bytes().to_vec();
        text.extend_from_slice(&Record::Totals(totals).to_bytes());
        let ttl = self.spec.ttl.map_or(0, |ttl| milliseconds(ttl.time));
        for entry in state.shard.entries() {
            // Where hits renew an artifact, its time is that of the last one.
            let at_ms = match entry.facts.expires_at {
                u64::MAX => entry.value.at_ms,
                expires_at => expires_at.saturating_sub(ttl),
            };
            let kept = Record::Kept {
                fingerprint: *entry.key,
                entry: Logged {
                    at_ms,
                    ..*entry.value
                },
                slot: entry.slot,
                hits: entry.hits,
            };
            text.extend_from_slice(&kept.to_bytes());
        }
        write_atomically(&self.files.state(generation), &policy)?;
        write_atomically(&self.files.log(), &text)?;
        state.log = File::options()
            .read(true)
            .append(true)
            .open(self.files.log())?;
        (state.header, state.totals) = (header, totals);
        state.read = text.len() as u64;
        state.records = state.read / RECORD as u64 - 1;
        state.damaged_records = 0;
        let shard = &state.shard;
        self.files
            .sweep(|fingerprint| shard.peek(&fingerprint).is_some(), generation)
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

/// A process that was stopped while it held the lock must not stop all others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the lock, or gives up: a change takes a fraction of a millisecond.
fn hold(lock: &File) -> io::Result<()> {
    let (start, mut pause) = (Instant::now(), Duration::from_micros(20));
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                let message = "another process has held its lock for long";
                return Err(io::Error::new(ErrorKind::TimedOut, message));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// Appends whole records, or none.
fn append(state: &mut State, bytes: &[u8]) -> io::Result<()> {
    // A record that a killed process left half is cut off: nobody else writes now.
    let len = state.log.metadata()?.len();
    let whole = len / RECORD as u64 * RECORD as u64;
    if whole != len {
        state.log.set_len(whole)?;
    }
    if let Err(error) = state.log.write_all(bytes) {
        let _ = state.log.set_len(whole);
        return Err(error);
    }
    // All that was there before is in the shard already.
    state.read = whole + bytes.len() as u64;
    state.records += (bytes.len() / RECORD) as u64;
    Ok(())
}

fn fill(file: &mut File, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match file.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn policy_id(source: &PolicySource) -> [u8; 16] {
    half(&blake3::hash(source.identity().as_bytes()))
}

#[cfg(unix)]
fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    a.created().ok() == b.created().ok()
}
