//! What happens to a cache, what its policy decides and what it does wrong.

use std::collections::BTreeMap;

/// One thing that happens to a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Ask {
        key: u64,
        weight: u64,
        cost_ns: u64,
        /// Ticks to live.
        ttl: Option<u64>,
        /// Whether a hit gives that time anew.
        renews: bool,
    },
    Remove(u64),
    Reweigh(u64, u64),
    Resize(u64),
    Advance(u64),
    /// Takes the policy's state and gives it to another instance.
    Restore,
}

impl Step {
    pub(crate) const fn ask(key: u64, weight: u64) -> Self {
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
pub(crate) struct Shape {
    /// Events a call.
    pub(crate) batch: usize,
    /// Victims a call.
    pub(crate) places: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            batch: 1,
            places: 64,
        }
    }
}

/// What a policy did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
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
    /// It returned an error, or more victims than there were places.
    Failed,
}

/// What a policy decided, in the words of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    Hit(u64),
    Evicted(u64),
    Refused(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Every hit, victim and refusal in order.
    pub(crate) decided: Vec<Decided>,
    /// What went wrong, and the step and the words of the first time.
    pub(crate) wrong: BTreeMap<Wrong, String>,
    /// A `1` a hit and a `0` a miss.
    pub(crate) bits: Vec<bool>,
}
