//! A cache in memory for many threads: shards, time to live, and one computation a key.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    policy::{PolicyError, PolicySource},
    quick::Quick,
    shard::{CacheKey, Facts, Gone, Inserted, Manner, Shard, spread},
    stats::Statistics,
};

#[cfg(test)]
mod tests;

/// Who decides what leaves.
#[derive(Debug, Clone)]
pub enum Decides {
    /// A policy plugin.
    Policy(PolicySource),
    /// The built-in backend, `quick_cache`: no plugin, a fixed policy (S3-FIFO like).
    Quick,
}

impl Decides {
    /// What TOML calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Policy(source) => source.name(),
            Self::Quick => QUICK,
        }
    }
}

/// The name of the built-in backend in TOML.
pub const QUICK: &str = "quick";

/// What makes an entry's time start anew: `write` or `access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TtlMode {
    /// Its insert alone.
    #[default]
    Write,
    /// Every hit too.
    Access,
}

/// How long entries live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    /// How long.
    pub time: Duration,
    /// From when.
    pub mode: TtlMode,
}

/// What a cache is made of.
#[derive(Debug, Clone)]
pub struct CacheSpec<'a> {
    /// Which cache, as events say it: 0 coordinates, 1 colors, 2 metadata, 3 artifacts.
    pub cache: u8,
    /// Who decides.
    pub decides: &'a Decides,
    /// The most that entries may weigh together, in bytes.
    pub capacity: u64,
    /// How long entries live; none is for ever.
    pub ttl: Option<Ttl>,
    /// Parts that threads use side by side, rounded up to a power of two; 0 lets the cache choose.
    pub shards: usize,
}

/// A shard below this many bytes would refuse entries of usual size.
const SMALLEST_SHARD: u64 = 4 << 20;
/// Events that wait for the policy in each shard.
const BATCH: usize = 128;

/// Keys and values, shared between threads. Values are cloned on a hit: hold large ones in an `Arc`.
#[derive(Debug)]
pub struct Cache<K, V> {
    backend: Backend<K, V>,
    decides: String,
    start: Instant,
    ttl: Option<Ttl>,
    flights: Mutex<HashMap<K, Arc<Flight<V>>>>,
}

#[derive(Debug)]
enum Backend<K, V> {
    Shards(Box<[Padded<K, V>]>),
    Quick(Quick<K, V>),
}

/// Two locks on one cache line would slow each other down.
#[derive(Debug)]
#[repr(align(128))]
struct Padded<K, V>(Mutex<Shard<K, V>>);

/// What a request took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// Looking up.
    pub(super) lookup: Duration,
    /// Computing, and inserting with what it evicts; none for a hit.
    pub(super) computed: Option<(Duration, Duration)>,
}

/// A computation that is under way.
#[derive(Debug)]
struct Flight<V> {
    /// Its end: the value, or none when it failed.
    landed: Mutex<Option<Option<V>>>,
    signal: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic of a hasher or a destructor leaves a cache that may have lost entries, not wrong ones.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: CacheKey + Hash + Send + Sync, V: Clone + Send + Sync> Cache<K, V> {
    /// An empty cache.
    ///
    /// # Errors
    /// When the policy refuses its options.
    pub fn new(spec: &CacheSpec<'_>) -> Result<Self, PolicyError> {
        let backend = match spec.decides {
            Decides::Quick => Backend::Quick(Quick::new(spec.capacity)),
            Decides::Policy(source) => Backend::Shards(shards(source, spec)?),
        };
        Ok(Self {
            backend,
            decides: spec.decides.name().to_owned(),
            start: Instant::now(),
            ttl: spec.ttl,
            flights: Mutex::default(),
        })
    }

    /// The entry of a key, if it is in.
    pub fn get(&self, key: &K) -> Option<V> {
        let (tick, expires_at) = self.now();
        let renewed = self.ttl.filter(|ttl| ttl.mode == TtlMode::Access);
        let renewed = renewed.and(expires_at);
        match &self.backend {
            Backend::Quick(quick) => quick.get(key, tick, renewed),
            Backend::Shards(shards) => {
                let hash = spread(key.key_hash());
                // Without a time to live a hit lets nothing go, so this takes no memory.
                let mut gone = Gone::new();
                let found = lock(&pick(shards, hash).0)
                    .get_hashed(hash, key, (tick, renewed), &mut gone)
                    .cloned();
                drop(gone);
                found
            }
        }
    }

    /// Puts an entry in. Weight in bytes, cost of computing it again in nanoseconds.
    pub fn insert(&self, key: K, value: V, weight: u64, cost_ns: u64) -> Inserted {
        let (tick, expires_at) = self.now();
        let facts = Facts {
            expires_at: expires_at.unwrap_or(u64::MAX),
            ..Facts::new(weight, cost_ns)
        };
        match &self.backend {
            Backend::Quick(quick) => quick.insert(key, value, facts),
            Backend::Shards(shards) => {
                let mut gone = Gone::new();
                let shard = pick(shards, spread(key.key_hash()));
                let done = lock(&shard.0).insert(key, value, facts, tick, &mut gone);
                // Values are dropped here, where nobody waits for the lock.
                drop(gone);
                done
            }
        }
    }

    /// The entry of a key; if it is not in, computes it with its weight in bytes and puts it in. Two
    /// threads that ask for one key at a time compute it once, also when it is not kept. Of those that
    /// wait for a computation that fails, one computes anew.
    ///
    /// A request counts as a hit or a miss when it comes: who waits has missed.
    ///
    /// The computation must not ask this cache for the same key.
    ///
    /// # Errors
    /// That of the computation.
    pub fn get_or_try_insert_with<E>(
        &self,
        key: &K,
        compute: impl FnOnce() -> Result<(V, u64), E>,
    ) -> Result<V, E> {
        self.request(key, compute).map(|(value, _)| value)
    }

    /// As [`Self::get_or_try_insert_with`], and says what took how long.
    pub(super) fn request<E>(
        &self,
        key: &K,
        compute: impl FnOnce() -> Result<(V, u64), E>,
    ) -> Result<(V, Timing), E> {
        let start = Instant::now();
        let mut found = self.get(key);
        let mut timing = Timing {
            lookup: start.elapsed(),
            computed: None,
        };
        loop {
            if let Some(value) = found {
                return Ok((value, timing));
            }
            found = match self.take_off(key) {
                Err(flight) => flight.wait(),
                Ok(mut landing) => {
                    // Another may have landed since this one missed.
                    if let Some(value) = self.peek(key) {
                        landing.value = Some(value.clone());
                        return Ok((value, timing));
                    }
                    let start = Instant::now();
                    let (value, weight) = compute()?;
                    let cost = start.elapsed();
                    landing.value = Some(value.clone());
                    self.insert(key.clone(), value.clone(), weight, nanoseconds(cost));
                    timing.computed = Some((cost, start.elapsed() - cost));
                    return Ok((value, timing));
                }
            };
        }
    }

    /// The entry of a key, if it is in. Nobody asked for it: it is not counted, and the policy does
    /// not hear of it.
    fn peek(&self, key: &K) -> Option<V> {
        let (tick, _) = self.now();
        match &self.backend {
            Backend::Quick(quick) => quick.peek(key, tick),
            Backend::Shards(shards) => {
                let mut gone = Gone::new();
                let mut shard = lock(&pick(shards, spread(key.key_hash())).0);
                shard.advance(tick, &mut gone);
                let found = shard.peek(key).cloned();
                drop(shard);
                drop(gone);
                found
            }
        }
    }

    /// Takes an entry out; false when there was none.
    pub fn remove(&self, key: &K) -> bool {
        match &self.backend {
            Backend::Quick(quick) => quick.remove(key),
            Backend::Shards(shards) => {
                let mut gone = Gone::new();
                let shard = pick(shards, spread(key.key_hash()));
                let removed = lock(&shard.0).remove(key, &mut gone);
                drop(gone);
                removed
            }
        }
    }

    /// Gives it another capacity in bytes. What does not fit leaves before this returns, and its
    /// memory is free.
    pub fn resize(&self, capacity: u64) {
        match &self.backend {
            Backend::Quick(quick) => quick.resize(capacity),
            Backend::Shards(shards) => {
                for shard in shards {
                    let mut gone = Gone::new();
                    lock(&shard.0).resize(capacity / shards.len() as u64, &mut gone);
                    drop(gone);
                }
            }
        }
    }

    /// What is in it, and what it did.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics {
            policy: self.decides.clone(),
            ..Statistics::default()
        };
        match &self.backend {
            Backend::Quick(quick) => quick.describe(&mut statistics),
            Backend::Shards(shards) => {
                for shard in shards {
                    let shard = lock(&shard.0);
                    statistics.counts += shard.counts();
                    statistics.entries += shard.len() as u64;
                    statistics.bytes += shard.occupied();
                    statistics.capacity += shard.capacity();
                    let fault = shard.fault().map(str::to_owned);
                    statistics.fault = statistics.fault.take().or(fault);
                }
            }
        }
        statistics
    }

    /// Now and when an entry of now expires, in milliseconds. The clock is read for a time to live
    /// alone: it costs as much as a hit.
    fn now(&self) -> (u64, Option<u64>) {
        let Some(ttl) = self.ttl else {
            return (0, None);
        };
        let now = milliseconds(self.start.elapsed());
        (now, Some(now.saturating_add(milliseconds(ttl.time))))
    }

    /// Begins the computation of a key, or finds the one that is under way.
    fn take_off(&self, key: &K) -> Result<Landing<'_, K, V>, Arc<Flight<V>>> {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(key) {
            return Err(Arc::clone(flight));
        }
        flights.insert(key.clone(), Arc::default());
        Ok(Landing {
            flights: &self.flights,
            key: key.clone(),
            value: None,
        })
    }
}

/// Ends a computation, however it ended.
struct Landing<'a, K: Eq + Hash, V> {
    flights: &'a Mutex<HashMap<K, Arc<Flight<V>>>>,
    key: K,
    value: Option<V>,
}

impl<K: Eq + Hash, V> Drop for Landing<'_, K, V> {
    fn drop(&mut self) {
        if let Some(flight) = lock(self.flights).remove(&self.key) {
            *lock(&flight.landed) = Some(self.value.take());
            flight.signal.notify_all();
        }
    }
}

impl<V> Default for Flight<V> {
    fn default() -> Self {
        Self {
            landed: Mutex::new(None),
            signal: Condvar::new(),
        }
    }
}

impl<V: Clone> Flight<V> {
    /// The value, or none when the computation failed.
    fn wait(&self) -> Option<V> {
        let mut landed = lock(&self.landed);
        loop {
            if let Some(value) = &*landed {
                return value.clone();
            }
            landed = self
                .signal
                .wait(landed)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn shards<K: CacheKey, V>(
    source: &PolicySource,
    spec: &CacheSpec<'_>,
) -> Result<Box<[Padded<K, V>]>, PolicyError> {
    let n = match spec.shards {
        0 => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            let room = usize::try_from(spec.capacity / SMALLEST_SHARD).unwrap_or(usize::MAX);
            // Rounded down, so that no shard is smaller than that.
            let room = room.clamp(1, 4 * threads);
            1 << room.ilog2()
        }
        n => n.next_power_of_two(),
    };
    let manner = Manner {
        batch: BATCH,
        ahead: n > 1,
        lazy_expiry: false,
        cache: spec.cache,
    };
    let shard = |_| {
        let shard = Shard::new(source, spec.capacity / n as u64, manner)?;
        Ok(Padded(Mutex::new(shard)))
    };
    (0..n).map(shard).collect()
}

fn pick<K, V>(shards: &[Padded<K, V>], hash: u64) -> &Padded<K, V> {
    // The table takes the lowest bits and the seven highest.
    &shards[(hash >> 40) as usize & (shards.len() - 1)]
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
