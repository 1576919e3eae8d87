//! What a cache did.

use std::{ops::AddAssign, time::Duration};

/// Counts of one cache, or of several added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests that found their entry.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Entries that came in.
    pub insertions: u64,
    /// Entries that left because room was wanted.
    pub evictions: u64,
    /// Entries that left because their time was over.
    pub expiries: u64,
    /// Newcomers that the policy refused, or that are heavier than the cache.
    pub refused: u64,
    /// Weight of what was found, in bytes.
    pub hit_bytes: u64,
    /// What computing it again would have cost, in nanoseconds (to five digits).
    pub saved_ns: u64,
}

impl Counts {
    /// Share of requests that found their entry, 0 to 1; 0 without requests.
    pub fn hit_rate(&self) -> f64 {
        let requests = self.hits + self.misses;
        if requests == 0 {
            return 0.0;
        }
        self.hits as f64 / requests as f64
    }

    /// What hits saved.
    pub const fn saved(&self) -> Duration {
        Duration::from_nanos(self.saved_ns)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.insertions += other.insertions;
        self.evictions += other.evictions;
        self.expiries += other.expiries;
        self.refused += other.refused;
        self.hit_bytes += other.hit_bytes;
        self.saved_ns += other.saved_ns;
    }
}

/// The state of a cache now, and what it did so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// What it did.
    pub counts: Counts,
    /// Entries in it.
    pub entries: u64,
    /// Their weight in bytes.
    pub bytes: u64,
    /// The most that they may weigh, in bytes.
    pub capacity: u64,
    /// The policy that decides, as TOML names it.
    pub policy: String,
    /// Why the policy decides no more and the oldest entry goes first, if that is so.
    pub fault: Option<String>,
}
