//! Caches: what is dear is computed once, and a policy plugin decides what stays.
//!
//! The host stores, weighs, expires and counts; a [`eyemap_abi::CachePolicy`] decides and never sees a
//! key or a value. A policy that misbehaves costs hits, never a value or the run.
//!
//! [`Shard`] is the cache for one thread, exact in every event; [`Cache`] is made of shards for many
//! threads. A [`Recorder`] notes what is asked of them; [`replay`] runs a [trace](read_trace) through a policy, [`sweep`] through several at several
//! capacities, and [`tune`] says which to take.

mod chart;
mod memo;
mod memory;
mod policy;
mod quick;
mod recorded;
mod recorder;
mod replay;
mod shard;
mod stats;
mod store;
mod sweep;
#[cfg(test)]
pub(crate) mod test_policy;
mod trace;
mod wheel;

pub use chart::chart;
pub use memo::{CacheMode, Measured, Memo};
pub use memory::{Cache, CacheSpec, Decides, QUICK, Ttl, TtlMode};
pub use policy::{PolicyError, PolicySource};
pub use recorded::{Answers, Recorded};
pub use recorder::{Noted, Recorder};
pub use replay::{ReplayOptions, Replayed, replay};
pub use shard::{CacheKey, Facts, Gone, Inserted, Manner, Resident, Shard};
pub use stats::{Counts, Statistics};
pub use store::{Left, Store, StoreError, StoreSpec, Totals, Verified, Warmed};
pub use sweep::{Choice, Swept, TraceFacts, Tuned, WORTH_DOUBLING, sweep, tune};
pub use trace::{Answered, Asked, TraceError, read_trace};

/// Which cache, in the words of TOML, spans and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CacheName {
    /// Places of columns.
    Coordinates = 0,
    /// Colours of hexagons.
    Colors = 1,
    /// Texts of maps.
    Metadata = 2,
    /// Encoded maps.
    Artifacts = 3,
}

impl CacheName {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Coordinates,
        Self::Colors,
        Self::Metadata,
        Self::Artifacts,
    ];

    /// The word: `coordinates`, `colors`, `metadata`, `artifacts`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Coordinates => "coordinates",
            Self::Colors => "colors",
            Self::Metadata => "metadata",
            Self::Artifacts => "artifacts",
        }
    }

    /// The cache with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }
}
