//! Entries, their facts and their slots.

/// What a cache can be asked for.
pub trait CacheKey: Clone + Eq {
    /// 64 bits that policies know the key by. Two keys should not share them: a policy that remembers
    /// what is gone would take one for the other (which costs hits, never right values).
    fn key_hash(&self) -> u64;
}

impl CacheKey for u64 {
    fn key_hash(&self) -> u64 {
        *self
    }
}

/// Spreads hashes over the table, also those of a replay, which are small numbers.
pub(in crate::cache) const fn spread(hash: u64) -> u64 {
    let mixed = (hash ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// What is known of a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its weight in bytes.
    pub weight: u64,
    /// What computing it again costs, in nanoseconds; 0 if not known.
    pub cost_ns: u64,
    /// The tick at which it expires; `u64::MAX` is never.
    pub expires_at: u64,
    /// The tick of its next use, as far as the host knows; `u64::MAX` is unknown.
    pub next_use: u64,
}

impl Facts {
    /// A weight in bytes and a cost in nanoseconds; it never expires.
    pub const fn new(weight: u64, cost_ns: u64) -> Self {
        Self {
            weight,
            cost_ns,
            expires_at: u64::MAX,
            next_use: u64::MAX,
        }
    }
}

/// What became of a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is in.
    Stored,
    /// The policy did not want it.
    Refused,
    /// It is heavier than the cache.
    TooHeavy,
}

/// How a shard works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Events that are delivered in one call at most.
    pub batch: usize,
    /// Whether more room than needed is asked for, so that one call serves many newcomers.
    pub ahead: bool,
    /// Whether an expired entry stays until it is asked for (for comparison only).
    pub lazy_expiry: bool,
    /// Which cache, as events say it.
    pub cache: u8,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            batch: 64,
            ahead: false,
            lazy_expiry: false,
            cache: 3,
        }
    }
}

/// A place for an entry. The cost is a float without its last byte and the sign: five digits of it
/// are enough for a report, and the tag fits beside it.
#[derive(Debug)]
pub(super) enum Slot<K, V> {
    Free,
    Taken {
        cost: [u8; 3],
        /// The number of the insert, which tells one use of the slot from the next.
        number: u32,
        key: K,
        value: V,
    },
}

/// Cost in nanoseconds to 24 bits.
pub(super) fn pack(cost_ns: u64) -> [u8; 3] {
    let [a, b, c, _] = (cost_ns as f32).to_bits().to_be_bytes();
    [a, b, c]
}

pub(super) fn unpack([a, b, c]: [u8; 3]) -> u64 {
    f32::from_bits(u32::from_be_bytes([a, b, c, 0])) as u64
}

/// An entry as [`super::Shard::entries`] shows it.
#[derive(Debug)]
pub struct Resident<'a, K, V> {
    /// Its slot.
    pub slot: u32,
    /// Its key.
    pub key: &'a K,
    /// Its value.
    pub value: &'a V,
    /// Hits as the policy last saw or set them.
    pub hits: u8,
    /// Its weight, cost (to five digits) and expiry.
    pub facts: Facts,
}
