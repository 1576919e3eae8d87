//! `eyemap.cache/0`: which cache entry dies first.
//!
//! A policy decides and never stores: it sees slots, hashes, weights, costs and host ticks, never
//! keys or values. The id stays a draft until every policy of the project runs on it.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, ROption, RResult, RSlice, RSliceMut, RStr, RVec},
};

use crate::PluginError;

/// An owned cache policy.
pub type CachePolicyBox = CachePolicy_TO<'static, RBox<()>>;

/// The policy wants [`SlotMeta`] to be kept by the host.
pub const NEEDS_HIT_META: u32 = 1;
/// The policy wants every hit as an event, in order.
pub const NEEDS_HIT_ORDER: u32 = 1 << 1;
/// The policy wants misses as events.
pub const NEEDS_MISSES: u32 = 1 << 2;
/// The policy wants the cost in nanoseconds.
pub const NEEDS_COST: u32 = 1 << 3;
/// The policy may refuse a newcomer.
pub const NEEDS_ADMISSION: u32 = 1 << 4;
/// The policy uses `next_use` where the host knows it.
pub const NEEDS_HINTS: u32 = 1 << 5;

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
    /// Rises by one each time the slot is used anew.
    pub generation: u32,
    /// 64-bit hash of the key.
    pub key_hash: u64,
    /// Weight in bytes.
    pub weight: u64,
    /// Cost of computing it again, in nanoseconds; 0 if not known.
    pub cost_ns: u64,
    /// The host's clock, in ticks; never falls.
    pub tick: u64,
    /// Tick at which it expires; `u64::MAX` is never.
    pub expires_at: u64,
    /// Tick of its next use; `u64::MAX` is unknown.
    pub next_use: u64,
}

/// The entry that wants in, as an [`Event`] of kind `Miss`, or none.
pub type Candidate = ROption<Event>;

/// What the host notes about a slot at each hit, without a call.
#[repr(C, align(8))]
#[derive(StableAbi, Debug, Default)]
pub struct SlotMeta {
    #[sabi(unsafe_opaque_field)]
    hits: AtomicU8,
    #[sabi(unsafe_opaque_field)]
    last_tick: AtomicU32,
}

impl SlotMeta {
    /// Hits since the policy last cleared it, saturating at 255.
    pub fn hits(&self) -> u8 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Tick of the last hit, the lower 32 bits.
    pub fn last_tick(&self) -> u32 {
        self.last_tick.load(Ordering::Relaxed)
    }

    /// Sets the number of hits.
    pub fn set_hits(&self, hits: u8) {
        self.hits.store(hits, Ordering::Relaxed);
    }

    /// Notes a hit at a tick (the host does).
    pub fn touch(&self, tick: u64) {
        let hits = self.hits();
        if hits < u8::MAX {
            self.set_hits(hits + 1);
        }
        // The lower half is what the field holds by definition.
        self.last_tick.store(tick as u32, Ordering::Relaxed);
    }

    /// Forgets all (the host does, at an insert).
    pub fn clear(&self) {
        self.set_hits(0);
        self.last_tick.store(0, Ordering::Relaxed);
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
    /// `slot_meta` has one entry a slot. With `need_weight` 0 the call only delivers events. The
    /// host checks that victims are resident, distinct and sufficient.
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
