//! Replays a trace through a policy in exact mode: one thread, every event, nothing ahead of need.

use sha2::{Digest as _, Sha256};

use super::{
    memory::TtlMode,
    policy::{PolicyError, PolicySource},
    shard::{Facts, Gone, Manner, Shard},
    stats::Counts,
    trace::Asked,
};

/// How a trace is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Capacity in bytes.
    pub capacity: u64,
    /// Events in one call of the policy, at most.
    pub batch: usize,
    /// How long entries live, in ticks: of coordinates, colors, metadata and artifacts, in this
    /// order. Requests that name no stage take the last.
    pub ttl: [Option<u64>; 4],
    /// From when they live.
    pub ttl_mode: TtlMode,
    /// Whether expired entries stay until they are asked for, for comparison.
    pub lazy: bool,
}

impl ReplayOptions {
    /// A capacity in bytes; entries live for ever.
    pub const fn new(capacity: u64) -> Self {
        Self {
            capacity,
            batch: 64,
            ttl: [None; 4],
            ttl_mode: TtlMode::Write,
            lazy: false,
        }
    }
}

/// What a replay gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Requests that hit.
    pub hits: u64,
    /// Their sizes.
    pub hit_bytes: u64,
    /// Their costs.
    pub hit_cost_ns: u64,
    /// The first 16 hexadecimal digits of the SHA-256 of a text with `1` for each hit and `0` for
    /// each miss.
    pub hit_bits: String,
    /// What the cache counted.
    pub counts: Counts,
    /// Entries at the end.
    pub entries: u64,
    /// Their weight.
    pub bytes: u64,
    /// Why the policy was asked no more, if that is so.
    pub fault: Option<String>,
}

/// Replays a trace.
///
/// # Errors
/// When the policy refuses its options.
pub fn replay(
    requests: &[Asked],
    source: &PolicySource,
    options: &ReplayOptions,
) -> Result<Replayed, PolicyError> {
    let manner = Manner {
        batch: options.batch,
        lazy_expiry: options.lazy,
        ..Manner::default()
    };
    let mut shard: Shard<u64, ()> = Shard::new(source, options.capacity, manner)?;
    let (mut hits, mut hit_bytes, mut hit_cost_ns) = (0u64, 0u64, 0u64);
    let (mut bits, mut gone) = (Sha256::new(), Gone::new());
    for asked in requests {
        let ttl = options.ttl[asked.stage.map_or(3, |stage| stage as usize)];
        let expires_at = ttl.map_or(u64::MAX, |ttl| asked.tick.saturating_add(ttl));
        let renewed = (options.ttl_mode == TtlMode::Access).then_some(expires_at);
        let hit = shard
            .get(&asked.key, asked.tick, renewed, &mut gone)
            .is_some();
        bits.update(if hit { b"1" } else { b"0" });
        if hit {
            hits += 1;
            hit_bytes = hit_bytes.saturating_add(asked.size);
            hit_cost_ns = hit_cost_ns.saturating_add(asked.cost_ns);
        } else {
            let facts = Facts {
                expires_at,
                ..Facts::new(asked.size, asked.cost_ns)
            };
            shard.insert(asked.key, (), facts, asked.tick, &mut gone);
        }
        gone.clear();
    }
    let hash = bits.finalize();
    Ok(Replayed {
        hits,
        hit_bytes,
        hit_cost_ns,
        hit_bits: hash[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
        counts: shard.counts(),
        entries: shard.len() as u64,
        bytes: shard.occupied(),
        fault: shard.fault().map(str::to_owned),
    })
}
