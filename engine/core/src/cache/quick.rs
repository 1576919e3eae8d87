//! The built-in backend: the crate `quick_cache`, which cannot host a foreign policy.
//!
//! It stores what it is given under its own policy. Time to live is checked at every lookup; an
//! expired entry keeps its place until it is asked for or leaves.

use std::{
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering},
};

use quick_cache::{Weighter, sync};

use super::{
    shard::{Facts, Inserted},
    stats::{Counts, Statistics},
};

#[derive(Debug, Clone)]
struct Timed<V> {
    value: V,
    facts: Facts,
}

#[derive(Debug, Clone)]
struct ByFacts;

impl<K, V> Weighter<K, Timed<V>> for ByFacts {
    fn weight(&self, _key: &K, timed: &Timed<V>) -> u64 {
        // An entry without weight would never leave.
        timed.facts.weight.max(1)
    }
}

/// Counters that the crate does not keep.
#[derive(Debug, Default)]
struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    insertions: AtomicU64,
    expiries: AtomicU64,
    refused: AtomicU64,
    hit_bytes: AtomicU64,
    saved_ns: AtomicU64,
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

#[derive(Debug)]
pub(super) struct Quick<K, V> {
    cache: sync::Cache<K, Timed<V>, ByFacts>,
    tally: Tally,
}

impl<K: Clone + Eq + Hash, V: Clone> Quick<K, V> {
    pub(super) fn new(capacity: u64) -> Self {
        // A guess at the number of entries, from which the crate chooses its shards.
        let entries = usize::try_from(capacity / 4096)
            .unwrap_or(usize::MAX)
            .clamp(16, 1 << 20);
        Self {
            cache: sync::Cache::with_weighter(entries, capacity, ByFacts),
            tally: Tally::default(),
        }
    }

    pub(super) fn get(&self, key: &K, tick: u64, renewed: Option<u64>) -> Option<V> {
        let found = self.cache.get(key);
        let expired = found
            .as_ref()
            .is_some_and(|found| found.facts.expires_at <= tick);
        let Some(found) = found.filter(|_| !expired) else {
            add(&self.tally.misses, 1);
            if expired && self.cache.remove(key).is_some() {
                add(&self.tally.expiries, 1);
            }
            return None;
        };
        add(&self.tally.hits, 1);
        add(&self.tally.hit_bytes, found.facts.weight);
        add(&self.tally.saved_ns, found.facts.cost_ns);
        if let Some(expires_at) = renewed {
            let renewed = Timed {
                value: found.value.clone(),
                facts: Facts {
                    expires_at,
                    ..found.facts
                },
            };
            // It may have left meanwhile, which is no error.
            let _ = self.cache.replace(key.clone(), renewed, false);
        }
        Some(found.value)
    }

    /// As [`Self::get`], without counting.
    pub(super) fn peek(&self, key: &K, tick: u64) -> Option<V> {
        let found = self.cache.peek(key)?;
        (found.facts.expires_at > tick).then_some(found.value)
    }

    pub(super) fn insert(&self, key: K, value: V, facts: Facts) -> Inserted {
        if facts.weight > self.cache.capacity() {
            add(&self.tally.refused, 1);
            return Inserted::TooHeavy;
        }
        add(&self.tally.insertions, 1);
        self.cache.insert(key, Timed { value, facts });
        Inserted::Stored
    }

    pub(super) fn remove(&self, key: &K) -> bool {
        self.cache.remove(key).is_some()
    }

    pub(super) fn resize(&self, capacity: u64) {
        self.cache.set_capacity(capacity);
    }

    pub(super) fn describe(&self, statistics: &mut Statistics) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let tally = &self.tally;
        let entries = self.cache.len() as u64;
        let (insertions, expiries) = (load(&tally.insertions), load(&tally.expiries));
        statistics.counts = Counts {
            hits: load(&tally.hits),
            misses: load(&tally.misses),
            insertions,
            // Entries that were put in and are not there any more; removals by name are among them.
            evictions: insertions.saturating_sub(entries).saturating_sub(expiries),
            expiries,
            refused: load(&tally.refused),
            hit_bytes: load(&tally.hit_bytes),
            saved_ns: load(&tally.saved_ns),
        };
        statistics.entries = entries;
        statistics.bytes = self.cache.weight();
        statistics.capacity = self.cache.capacity();
    }
}
