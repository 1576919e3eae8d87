//! The log written anew: the artifacts that are there, each in the slot that the policy knows, and the
//! policy's state beside it, so that the next process decides as the last one would have.

use std::{collections::HashMap, io};

use super::{
    Store,
    files::{LOG, state as state_file},
    log::{FORM, Header, Logged, RECORD, Record, half},
    replica::State,
    sweep::{Sweep, Swept},
};
use crate::{
    cache::{Gone, PolicySource, memory::milliseconds},
    fingerprint::Fingerprint,
};

/// The most bytes of a policy's state that are read: of one without artifacts, for each artifact, and in all.
const STATE_OF_NONE: u64 = 1 << 20;
const STATE_OF_ONE: u64 = 1 << 10;
const MAX_STATE: u64 = 1 << 28;

impl Store {
    /// Gives the shard the artifacts of the last rewriting, and the policy the state it had.
    pub(super) fn restore(&self, state: &mut State, kept: HashMap<u32, (Fingerprint, Logged, u8)>) {
        let mut kept: Vec<_> = kept.into_iter().collect();
        kept.sort_unstable_by_key(|&(slot, _)| slot);
        // Few artifacts in slots far apart are not what a store writes.
        let far = kept
            .last()
            .is_some_and(|&(slot, _)| slot as usize > 16 * kept.len() + 4096);
        let policy = self.policy_state(state, kept.len() as u64).filter(|_| !far);
        let tick = kept
            .iter()
            .map(|(_, (_, entry, _))| entry.at_ms)
            .max()
            .unwrap_or(0);
        let entries = kept
            .into_iter()
            .zip(0..)
            .map(|((slot, (fingerprint, entry, hits)), nth)| {
                let slot = if far { nth } else { slot };
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

    /// The state that the policy had when the log was written anew with so many artifacts.
    fn policy_state(&self, state: &State, artifacts: u64) -> Option<Vec<u8>> {
        let name = state_file(state.header.generation);
        let most = MAX_STATE.min(STATE_OF_NONE + STATE_OF_ONE * artifacts);
        let bytes = self.files.dir.read(name, most).ok()?;
        let fits = state.damaged_records == 0
            && state.header.policy == policy_id(&self.spec.policy)
            && state.header.state == half(&blake3::hash(&bytes));
        fits.then_some(bytes)
    }

    /// Writes the log anew: the artifacts in their slots and the state of the policy.
    pub(super) fn rewrite(&self, state: &mut State) -> io::Result<()> {
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
        let dir = &self.files.dir;
        dir.write(state_file(generation), &policy)?;
        dir.write(LOG, &text)?;
        state.log = self.files.open_log(true)?;
        let old = state_file(state.header.generation);
        (state.header, state.totals) = (header, totals);
        (state.read, state.len) = (text.len() as u64, text.len() as u64);
        state.records = state.read / RECORD as u64 - 1;
        (state.damaged_records, state.header_damaged) = (0, false);
        // Its name stood in the header. One that cannot be removed is swept.
        let _ = dir.remove(old);
        Ok(())
    }

    pub(super) fn sweep(&self, state: &State) -> io::Result<Swept> {
        let shard = &state.shard;
        let sweep = Sweep {
            dir: &self.files.dir,
            place: self.place,
            is_known: &|fingerprint| shard.peek(&fingerprint).is_some(),
            generation: state.header.generation,
        };
        sweep.run()
    }
}

pub(super) fn policy_id(source: &PolicySource) -> [u8; 16] {
    half(&blake3::hash(source.identity().as_bytes()))
}
