//! What a process knows of the store, and how it keeps up with the others.

use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{
    Store, StoreError, Totals,
    log::{FORM, Header, Logged, RECORD, Record, half},
};
use crate::{
    cache::{Facts, Gone, Inserted, Manner, PolicySource, Shard, TtlMode, memory::milliseconds},
    fingerprint::Fingerprint,
    sink::write_atomically,
};

#[derive(Debug)]
pub(super) struct State {
    /// None when the directory cannot be written, and while it is held.
    pub(super) lock: Option<File>,
    /// False when artifacts can only be read.
    pub(super) writable: bool,
    pub(super) log: File,
    /// How much of the log is in the shard.
    pub(super) read: u64,
    pub(super) header: Header,
    pub(super) shard: Shard<Fingerprint, Logged>,
    /// Records in the log, and damaged ones among them.
    pub(super) records: u64,
    pub(super) damaged_records: u64,
    /// Records of this process that are not in the log yet.
    pub(super) unwritten: Vec<u8>,
    /// What this process did since it last told the log.
    pub(super) news: Totals,
    /// What the log says of all processes.
    pub(super) totals: Totals,
    /// Writes that failed one after the other.
    pub(super) failures: u32,
    pub(super) failed_writes: u64,
}

/// Records of hits that wait to be written together.
pub(super) const WAITING: usize = 256 * RECORD;
/// After so many failed writes in a row, a full disk or a lost directory is not tried again.
pub(super) const GIVE_UP: u32 = 16;
/// A log with more records than this beyond four times its artifacts is written anew.
pub(super) const SPARE_RECORDS: u64 = 4096;
/// More artifacts than a store can hold, so that a damaged slot number does not ask for memory.
pub(super) const MAX_SLOT: u32 = 1 << 26;

pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, milliseconds);
    // Tests let time pass; they do not wait for it.
    #[cfg(test)]
    let now = now + super::tests::PASSED_MS.get();
    now
}

impl Store {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unusable(&self, source: io::Error) -> StoreError {
        StoreError::Io {
            path: self.spec.dir.clone(),
            source,
        }
    }

    pub(super) fn new_shard(&self) -> io::Result<Shard<Fingerprint, Logged>> {
        Shard::new(&self.spec.policy, self.spec.capacity, Manner::default())
            .map_err(io::Error::other)
    }

    pub(super) fn with_lock<T>(
        &self,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
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
    pub(super) fn locked<T>(
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
                    // The longer log is as good: what was done stays done.
                    let _ = self.rewrite(state);
                }
                Ok(done)
            });
            lock.unlock().and(done)
        });
        state.lock = Some(lock);
        done
    }

    /// Takes in what other processes wrote.
    pub(super) fn catch_up(&self, state: &mut State) -> io::Result<()> {
        let at = std::fs::metadata(self.files.log())?;
        if !same_file(&at, &state.log.metadata()?) || at.len() < state.read {
            state.log = File::options()
                .read(true)
                .append(state.writable)
                .open(self.files.log())?;
            return self.reload(state);
        }
        match at.len() == state.read {
            true => Ok(()),
            false => self.take_in(state),
        }
    }

    /// Reads the log from its beginning.
    pub(super) fn reload(&self, state: &mut State) -> io::Result<()> {
        state.log.seek(SeekFrom::Start(0))?;
        let mut bytes = [0; RECORD];
        state.log.read_exact(&mut bytes)?;
        let damaged = || io::Error::new(ErrorKind::InvalidData, "its log is damaged");
        let header = Header::from_bytes(&bytes);
        state.header = header
            .filter(|header| header.form == FORM)
            .ok_or_else(damaged)?;
        state.shard = self.new_shard()?;
        state.read = RECORD as u64;
        (state.records, state.damaged_records) = (0, 0);
        state.totals = Totals::default();
        self.take_in(state)
    }

    /// Reads records from where it stopped.
    pub(super) fn take_in(&self, state: &mut State) -> io::Result<()> {
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
    pub(super) fn restore(&self, state: &mut State, kept: HashMap<u32, (Fingerprint, Logged, u8)>) {
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
        // It is empty: the log is read from its beginning.
        let shard = &mut state.shard;
        shard.restore(entries, policy.as_deref(), tick);
        // A smaller capacity than before is enforced now.
        if shard.occupied() > self.spec.capacity {
            shard.resize(self.spec.capacity, &mut Gone::new());
        }
    }

    /// What a record changes. Returns whether a new artifact stays.
    pub(super) fn apply(
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

    pub(super) fn facts(&self, entry: &Logged) -> Facts {
        let ttl = self.spec.ttl.map(|ttl| milliseconds(ttl.time));
        Facts {
            expires_at: ttl.map_or(u64::MAX, |ttl| entry.at_ms.saturating_add(ttl)),
            ..Facts::new(entry.bytes, entry.cost_ns as u64)
        }
    }

    pub(super) fn renewed(&self, at_ms: u64) -> Option<u64> {
        let ttl = self.spec.ttl.filter(|ttl| ttl.mode == TtlMode::Access)?;
        Some(at_ms.saturating_add(milliseconds(ttl.time)))
    }

    /// Takes in a new artifact, and notes it with what has to leave for it in one step. Returns whether
    /// it stays.
    pub(super) fn take(&self, state: &mut State, record: Record) -> io::Result<bool> {
        let mut gone = Gone::new();
        let kept = self.apply(state, record, &mut gone);
        let at_ms = now_ms();
        // A policy may refuse a newcomer after it named victims: those are gone all the same.
        let mut records = match kept {
            true => record.to_bytes().to_vec(),
            false => Vec::new(),
        };
        for (fingerprint, _) in &gone {
            let fingerprint = *fingerprint;
            records.extend_from_slice(&Record::Removed { fingerprint, at_ms }.to_bytes());
        }
        if let Err(error) = append(state, &records) {
            // What the log does not say did not happen.
            self.reload(state)?;
            return Err(error);
        }
        self.drop_files(&gone);
        Ok(kept)
    }

    /// Notes artifacts whose time is over, and removes their files.
    pub(super) fn left(&self, state: &mut State, gone: &Gone<Fingerprint, Logged>, at_ms: u64) {
        for (fingerprint, _) in gone {
            let fingerprint = *fingerprint;
            let record = Record::Removed { fingerprint, at_ms };
            state.unwritten.extend_from_slice(&record.to_bytes());
        }
        self.drop_files(gone);
    }

    pub(super) fn drop_files(&self, gone: &Gone<Fingerprint, Logged>) {
        for (fingerprint, _) in gone {
            // What cannot be removed now is swept when the log is written anew.
            let _ = self.files.remove(*fingerprint);
        }
    }

    /// Removes a damaged or superfluous artifact, unless another process has put it right meanwhile.
    pub(super) fn forget(&self, state: &mut State, fingerprint: Fingerprint, check: [u8; 16]) {
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

    pub(super) fn discard(&self, state: &mut State, fingerprint: Fingerprint) -> io::Result<()> {
        let record = Record::Removed {
            fingerprint,
            at_ms: now_ms(),
        };
        append(state, &record.to_bytes())?;
        self.apply(state, record, &mut Gone::new());
        self.files.remove(fingerprint)
    }

    /// Writes hits and totals of this process.
    pub(super) fn write_waiting(&self, state: &mut State) -> io::Result<()> {
        if state.unwritten.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut state.unwritten);
        append(state, &waiting)
    }

    pub(super) fn write_news(&self, state: &mut State) -> io::Result<()> {
        let news = std::mem::take(&mut state.news);
        state.totals += news;
        append(state, &Record::Totals(news).to_bytes())
    }

    /// Writes the log anew: the artifacts in their slots and the state of the policy. Sweeps files
    /// that belong to nobody, and returns how many.
    pub(super) fn rewrite(&self, state: &mut State) -> io::Result<u64> {
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

/// A process that was stopped while it held the lock must not stop all others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the lock, or gives up: a change takes a fraction of a millisecond.
pub(super) fn hold(lock: &File) -> io::Result<()> {
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
pub(super) fn append(state: &mut State, bytes: &[u8]) -> io::Result<()> {
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

pub(super) fn fill(file: &mut File, block: &mut [u8]) -> io::Result<usize> {
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

pub(super) fn policy_id(source: &PolicySource) -> [u8; 16] {
    half(&blake3::hash(source.identity().as_bytes()))
}

#[cfg(unix)]
pub(super) fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
pub(super) fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    a.created().ok() == b.created().ok()
}
