//! What a process knows of the store, and how it keeps up with the others.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Seek as _, SeekFrom, Write as _},
    sync::{MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Lock, Store, Totals, Troubles, Wait,
    files::{LOG, Log, read_header},
    log::{FORM, Header, Logged, RECORD, Record},
};
use crate::{
    cache::{Facts, Gone, Inserted, Manner, Shard, TtlMode, memory::milliseconds},
    fingerprint::Fingerprint,
};

#[derive(Debug)]
pub(super) struct State {
    /// None when the directory cannot be written, and while it is held.
    pub(super) lock: Option<Lock>,
    /// False when artifacts can only be read.
    pub(super) writable: bool,
    pub(super) log: Log,
    /// How much of the log is in the shard.
    pub(super) read: u64,
    /// How long the log was when it was last looked at: more, if a record in it is half.
    pub(super) len: u64,
    pub(super) header: Header,
    /// The log does not begin with a header: it has to be written anew before anything is added to it.
    pub(super) header_damaged: bool,
    pub(super) shard: Shard<Fingerprint, Logged>,
    /// Records in the log, and damaged ones among them.
    pub(super) records: u64,
    pub(super) damaged_records: u64,
    /// Records of this process that are not in the log yet.
    pub(super) unwritten: Vec<u8>,
    /// What this process did since it last told the log.
    pub(super) news: Totals,
    /// What it told the log before.
    pub(super) told: Totals,
    /// What the log says of all processes.
    pub(super) totals: Totals,
    /// Writes that failed one after the other.
    pub(super) failures: u32,
    pub(super) troubles: Troubles,
}

impl State {
    pub(super) fn new(
        lock: Option<Lock>,
        log: Log,
        shard: Shard<Fingerprint, Logged>,
        troubles: Troubles,
    ) -> Self {
        Self {
            writable: lock.is_some(),
            lock,
            log,
            read: 0,
            len: 0,
            header: Header::default(),
            header_damaged: false,
            shard,
            records: 0,
            damaged_records: 0,
            unwritten: Vec::new(),
            news: Totals::default(),
            told: Totals::default(),
            totals: Totals::default(),
            failures: 0,
            troubles,
        }
    }

    /// Notes that an artifact was asked for. While the log cannot be written, only the first notes are
    /// held.
    pub(super) fn note_hit(&mut self, fingerprint: Fingerprint, at_ms: u64) {
        if self.unwritten.len() < 16 * WAITING {
            let hit = Record::Hit { fingerprint, at_ms };
            self.unwritten.extend_from_slice(&hit.to_bytes());
        }
    }
}

/// Records of hits that wait to be written together.
pub(super) const WAITING: usize = 256 * RECORD;
/// After so many failed writes in a row, a full disk or a lost directory is not tried again.
pub(super) const GIVE_UP: u32 = 16;
/// A log with more records than this beyond four times its artifacts is written anew.
pub(super) const SPARE_RECORDS: u64 = 4096;
/// The most records of a log: more are never read. They take a gigabyte.
pub(super) const MAX_RECORDS: u64 = 1 << 24;

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

    pub(super) fn new_shard(&self) -> io::Result<Shard<Fingerprint, Logged>> {
        Shard::new(&self.spec.policy, self.spec.capacity, Manner::default())
            .map_err(io::Error::other)
    }

    /// Runs a change alone among all processes, on top of all that they wrote before.
    ///
    /// # Errors
    /// Also when another process holds the lock for longer than is waited: see [`is_busy`].
    pub(super) fn locked<T>(
        &self,
        state: &mut State,
        wait: Wait,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(mut lock) = state.lock.take() else {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "the store can only be read",
            ));
        };
        let done = match lock.take(wait) {
            Ok(true) => {
                let done = self.change(state, work);
                lock.release().and(done)
            }
            Ok(false) => Err(busy()),
            Err(error) => Err(error),
        };
        state.lock = Some(lock);
        done
    }

    fn change<T>(
        &self,
        state: &mut State,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        self.catch_up(state)?;
        if state.header_damaged {
            self.rewrite(state)?;
        }
        if !state.len.is_multiple_of(RECORD as u64) {
            // A record that a killed process left half is cut off: nobody else writes now.
            state.log.file.set_len(state.read)?;
        }
        self.write_waiting(state)?;
        let done = work(state)?;
        let live = state.shard.len() as u64;
        let crowded = state.records > MAX_RECORDS / 2 && state.records > live + live / 4;
        if crowded || state.records > 4 * live + SPARE_RECORDS {
            // The longer log is as good: what was done stays done.
            let _ = self.tidy(state);
        }
        Ok(done)
    }

    /// Writes the hits and totals of this process, if the lock can be had.
    pub(super) fn settle(&self, state: &mut State, wait: Wait) {
        if !state.writable || (state.news == Totals::default() && state.unwritten.is_empty()) {
            return;
        }
        let written = self.locked(state, wait, |state| self.write_news(state));
        state.troubles.uncounted = written.is_err_and(|error| is_busy(&error));
    }

    /// Takes in what other processes wrote.
    pub(super) fn catch_up(&self, state: &mut State) -> io::Result<()> {
        let Some(found) = self.files.dir.look(LOG)? else {
            return Err(io::Error::new(ErrorKind::NotFound, "its log is gone"));
        };
        let same = (found.device, found.inode) == (state.log.device, state.log.inode);
        state.len = found.bytes;
        if !same || state.len < state.read {
            let log = self.files.open_log(state.writable)?;
            let old = std::mem::replace(&mut state.log, log);
            // Nothing must be added to a log that this engine cannot read.
            return self.reload(state).inspect_err(|_| state.log = old);
        }
        match state.len == state.read {
            true => Ok(()),
            false => self.take_in(state),
        }
    }

    /// Reads the log from its beginning. Without a sound header, its records are as good as with one.
    pub(super) fn reload(&self, state: &mut State) -> io::Result<()> {
        state.log.file.rewind()?;
        let header = read_header(&mut state.log.file)?;
        if header.is_some_and(|header| header.form != FORM) {
            let message = "another version of eyemap uses it now";
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        state.header_damaged = header.is_none();
        state.troubles.header |= header.is_none();
        state.header = header.unwrap_or_default();
        state.shard = self.new_shard()?;
        state.read = RECORD as u64;
        (state.records, state.damaged_records) = (0, 0);
        state.totals = Totals::default();
        self.take_in(state)
    }

    /// Reads records from where it stopped.
    pub(super) fn take_in(&self, state: &mut State) -> io::Result<()> {
        state.log.file.seek(SeekFrom::Start(state.read))?;
        let mut kept: HashMap<u32, (Fingerprint, Logged, u8)> = HashMap::new();
        let mut beginning = state.read == RECORD as u64;
        let mut block = vec![0; 1024 * RECORD];
        loop {
            if state.records > MAX_RECORDS {
                return Err(overgrown());
            }
            let filled = fill(&mut state.log.file, &mut block)?;
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
                    }) if beginning && entry.bytes <= self.most() => {
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
                if entry.bytes > self.most() {
                    return false;
                }
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

    /// Removes artifacts whose time is over, unless another process has put them in anew. Without the lock
    /// they stay where they are: every process knows by itself that their time is over.
    pub(super) fn expired(&self, state: &mut State, gone: &Gone<Fingerprint, Logged>) {
        if gone.is_empty() {
            return;
        }
        let _ = self.locked(state, Wait::Not, |state| {
            for &(fingerprint, _) in gone {
                if state.shard.peek(&fingerprint).is_none() {
                    self.discard(state, fingerprint)?;
                }
            }
            Ok(())
        });
    }

    pub(super) fn drop_files(&self, gone: &Gone<Fingerprint, Logged>) {
        for (fingerprint, _) in gone {
            // What cannot be removed now is swept when the log is written anew.
            let _ = self.files.remove(*fingerprint);
        }
    }

    /// Removes a damaged or superfluous artifact, unless another process has put it right meanwhile.
    pub(super) fn forget(&self, state: &mut State, fingerprint: Fingerprint, check: [u8; 16]) {
        let done = self.locked(state, Wait::Patiently, |state| {
            let known = state.shard.peek(&fingerprint).copied();
            match known {
                Some(entry) if entry.check == check => {
                    if self.files.read(fingerprint, entry.bytes, check)?.is_some() {
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
        // A directory in its place is not the store's; it is told when the store is checked.
        let _ = self.files.remove(fingerprint);
        Ok(())
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
        append(state, &Record::Totals(state.news).to_bytes())?;
        let news = std::mem::take(&mut state.news);
        state.totals += news;
        state.told += news;
        Ok(())
    }
}

/// Another process holds the lock.
pub(super) fn busy() -> io::Error {
    io::Error::new(ErrorKind::ResourceBusy, "another process holds its lock")
}

/// Whether something was not done because another process holds the lock.
pub(super) fn is_busy(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ResourceBusy && error.raw_os_error().is_none()
}

fn overgrown() -> io::Error {
    let message = format!("the log has more than {MAX_RECORDS} records");
    io::Error::new(ErrorKind::FileTooLarge, message)
}

/// Appends whole records, or none. The lock must be held, so that all that was there before is in the shard.
pub(super) fn append(state: &mut State, bytes: &[u8]) -> io::Result<()> {
    let more = (bytes.len() / RECORD) as u64;
    if state.records + more > MAX_RECORDS {
        return Err(overgrown());
    }
    if let Err(error) = state.log.file.write_all(bytes) {
        let _ = state.log.file.set_len(state.read);
        return Err(error);
    }
    state.read += bytes.len() as u64;
    state.len = state.read;
    state.records += more;
    Ok(())
}

pub(super) fn fill(file: &mut impl io::Read, block: &mut [u8]) -> io::Result<usize> {
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
