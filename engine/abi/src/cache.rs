//! `eyemap.cache/1`: which cache entry dies first.
//!
//! A policy decides and never stores: it sees slots, hashes, weights, costs and host ticks, never
//! keys or values.

use std::sync::atomic::{AtomicU8, Ordering};

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, ROption, RResult, RSlice, RSliceMut, RStr, RVec},
};

use crate::PluginError;

/// An owned cache policy.
pub type CachePolicyBox = CachePolicy_TO<'static, RBox<()>>;

/// The policy reads hits in [`SlotMeta`].
pub const NEEDS_HIT_META: u32 = 1;
/// The policy wants every hit as an event, in order.
pub const NEEDS_HIT_ORDER: u32 = 1 << 1;
/// The policy wants misses as events.
pub const NEEDS_MISSES: u32 = 1 << 2;
/// The policy wants the cost in nanoseconds.
pub const NEEDS_COST: u32 = 1 << 3;
/// The policy wants to be asked about every newcomer, also when there is room for it. It is never
/// asked for more room than the newcomer needs.
pub const NEEDS_ADMISSION: u32 = 1 << 4;
/// The policy uses `next_use` where the host knows it.
pub const NEEDS_HINTS: u32 = 1 << 5;
/// The policy weighs a newcomer against those that would have to go: it is never asked for more room
/// than the newcomer needs.
pub const NEEDS_CANDIDATE: u32 = 1 << 6;

/// What happened.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A resident entry was asked for.
    Hit = 0,
    /// An entry that is not resident was asked for.
    Miss = 1,
    /// An entry became resident in its slot.
    Insert = 2,
    /// An entry left: it was a victim, or the host removed it.
    Remove = 3,
    /// An entry left because its time was over.
    Expire = 4,
    /// An entry changed its weight.
    Reweigh = 5,
}

/// One thing that happened in a cache, in order.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Which cache: 0 coordinates, 1 colors, 2 metadata, 3 artifacts.
    pub cache: u8,
    /// Reserved, 0.
    pub flags: u16,
    /// The slot, an index below the number of slots; `u32::MAX` for a miss.
    pub slot: u32,
    /// Which use of the slot it is: another number each time the slot is used anew.
    pub generation: u32,
    /// 64-bit hash of the key; in a replay the key itself.
    pub key_hash: u64,
    /// Weight of the entry in bytes; of a miss without a newcomer 0.
    pub weight: u64,
    /// Cost of computing it again, in nanoseconds; 0 if not known. Exact for a newcomer and an
    /// insert, to about five digits in later events of the entry.
    pub cost_ns: u64,
    /// The host's clock, in ticks; never falls.
    pub tick: u64,
    /// Tick at which the entry expires, after this event; `u64::MAX` is never.
    pub expires_at: u64,
    /// Tick of its next use; `u64::MAX` is unknown.
    pub next_use: u64,
}

/// The entry that wants in, as an [`Event`] of kind `Miss`, or none.
pub type Candidate = ROption<Event>;

/// What the host knows of a slot, kept where the policy can read it without a call.
///
/// The host writes it under its own lock, so it is never behind the events that were delivered
/// before a decision. A policy may read all of it and may set the number of hits.
///
/// It is small on purpose: a cache of small entries pays for it with each of them.
#[repr(C)]
#[derive(StableAbi, Debug, Default)]
pub struct SlotMeta {
    /// The lower 32 bits of the weight.
    weight_low: u32,
    /// The upper 16 bits of the weight.
    weight_high: u16,
    #[sabi(unsafe_opaque_field)]
    hits: AtomicU8,
    /// 1 when the slot holds an entry.
    resident: u8,
}

impl SlotMeta {
    /// The heaviest entry that a cache can hold, in bytes.
    pub const MAX_WEIGHT: u64 = (1 << 48) - 1;

    /// A slot that holds an entry of this weight in bytes (up to [`Self::MAX_WEIGHT`]).
    pub const fn resident(weight: u64) -> Self {
        Self {
            // The halves of the weight.
            weight_low: weight as u32,
            weight_high: (weight >> 32) as u16,
            hits: AtomicU8::new(0),
            resident: 1,
        }
    }

    /// Weight of the entry in bytes; 0 when the slot is free.
    #[inline]
    pub const fn weight(&self) -> u64 {
        (self.weight_high as u64) << 32 | self.weight_low as u64
    }

    /// Sets the weight, up to [`Self::MAX_WEIGHT`] (the host does).
    pub const fn set_weight(&mut self, weight: u64) {
        self.weight_low = weight as u32;
        self.weight_high = (weight >> 32) as u16;
    }

    /// Whether the slot holds an entry.
    #[inline]
    pub const fn is_resident(&self) -> bool {
        self.resident == 1
    }

    /// Where [`Self::hits`] stops counting: a hit of what is asked for often then writes nothing, and a
    /// cache line that nobody writes can be read by all threads at once.
    pub const MAX_HITS: u8 = 3;

    /// Hits since the entry was inserted or the policy last set them, up to [`Self::MAX_HITS`].
    #[inline]
    pub fn hits(&self) -> u8 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Sets the number of hits.
    #[inline]
    pub fn set_hits(&self, hits: u8) {
        self.hits.store(hits, Ordering::Relaxed);
    }

    /// Notes a hit (the host does).
    #[inline]
    pub fn touch(&self) {
        let hits = self.hits();
        if hits < Self::MAX_HITS {
            self.set_hits(hits + 1);
        }
    }
}

/// What a policy decided.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// How many victims were written.
    pub victims: u32,
    /// Whether the candidate may come in; legal together with victims.
    pub admit: bool,
}

/// Which entry dies first.
#[sabi_trait]
pub trait CachePolicy: Send {
    /// What the host has to provide, the `NEEDS_*` flags.
    fn needs(&self) -> u32;

    /// Takes events in order, and names victims until `need_weight` bytes are free.
    ///
    /// `slot_meta` has one entry a slot and is as of the last event. Without a candidate and with
    /// `need_weight` 0 the call only delivers events. With a candidate, the host lets it in unless
    /// the policy refuses it; a refusal together with victims is legal, and ends the decision.
    ///
    /// The host checks that victims are resident and distinct. It removes them, tells so with
    /// `Remove` events, and calls again with the rest of the need and the same candidate until the
    /// need is covered: `out_victims` may be too short for a decision. A refusal ends it, so whoever
    /// means to refuse after more victims than there is place for refuses in the last call.
    fn decide(
        &mut self,
        events: RSlice<'_, Event>,
        slot_meta: RSlice<'_, SlotMeta>,
        need_weight: u64,
        candidate: Candidate,
        out_victims: RSliceMut<'_, u32>,
    ) -> RResult<Decision, PluginError>;

    /// The cache has a new capacity in bytes.
    fn resize(&mut self, capacity_bytes: u64) -> RResult<(), PluginError>;

    /// The state as bytes, which `restore` takes.
    fn snapshot(&self) -> RResult<RVec<u8>, PluginError>;

    /// Replaces the state by one that `snapshot` gave.
    #[sabi(last_prefix_field)]
    fn restore(&mut self, bytes: RSlice<'_, u8>) -> RResult<(), PluginError>;
}

/// The struct behind [`crate::ids::CACHE`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct CacheExtension {
    /// Builds a policy from its options (canonical JSON) for a capacity in bytes.
    pub create: extern "C" fn(
        config: RStr<'_>,
        capacity_bytes: u64,
    ) -> RResult<CachePolicyBox, PluginError>,
}
