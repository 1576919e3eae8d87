//! What happens to a cache, what its policy decides and what it does wrong.

use std::collections::BTreeMap;

/// One thing that happens to a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An entry is asked for, and put in where it is not there.
    Ask {
        /// Which.
        key: u64,
        /// In bytes.
        weight: u64,
        /// Of computing it, in nanoseconds.
        cost_ns: u64,
        /// Ticks to live.
        ttl: Option<u64>,
        /// Whether a hit gives that time anew.
        renews: bool,
    },
    /// The entry of a key leaves.
    Remove(u64),
    /// The entry of a key has another weight in bytes.
    Reweigh(u64, u64),
    /// The cache has another capacity in bytes.
    Resize(u64),
    /// So many ticks pass.
    Advance(u64),
    /// Takes the policy's state and gives it to another instance.
    Restore,
}

impl Step {
    /// Asks for an entry that lives for ever.
    pub const fn ask(key: u64, weight: u64) -> Self {
        Self::Ask {
            key,
            weight,
            cost_ns: 1000,
            ttl: None,
            renews: false,
        }
    }
}

/// What must not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Events a call.
    pub batch: usize,
    /// Victims a call.
    pub places: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            batch: 1,
            places: 64,
        }
    }
}

/// What a policy did wrong; what explains the others comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It panicked, and the panic was caught.
    Panicked,
    /// It returned an error, or more victims than there were places.
    Failed,
    /// It named a slot that never held an entry.
    NotResident,
    /// It named one entry twice in a decision.
    Twice,
    /// It named an entry that had left.
    Gone,
    /// It named too few although there were more.
    TooFew,
    /// More is in than fits.
    TooFull,
}

/// What a policy decided, in the words of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The entry was there.
    Hit(u64),
    /// The entry was a victim.
    Evicted(u64),
    /// The newcomer did not come in.
    Refused(u64),
}

/// What became of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every hit, victim and refusal in order.
    pub decided: Vec<Decided>,
    /// What went wrong, and the step and the words of the first time.
    pub wrong: BTreeMap<Wrong, String>,
    /// A `1` a hit and a `0` a miss.
    pub bits: Vec<bool>,
}
