//! What a stage answered before, where remembering pays.
//!
//! A cache costs time too: the lookup at every call, the insert at every miss. With compute cost C,
//! lookup K, insert with eviction I and hit rate h it pays while `h*C > K + (1-h)*I`; the rule here asks
//! for twice that, so that noise does not flip it. Where it does not pay, one key in a hundred still
//! goes through the cache: chosen by the key and not by time, so that the hit rate of the sample is that
//! of the whole (Waldspurger et al., "Efficient MRC construction with SHARDS", FAST '15).

use std::{
    hash::Hash,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Answered, Cache, CacheKey, CacheName, CacheSpec, Decides, Noted, PolicyError, Recorder,
    Statistics, Ttl,
    memory::{Timing, nanoseconds},
};

/// Whether a cache is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheMode {
    /// Where it was measured to save time.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// A memo of one stage.
#[derive(Debug)]
pub struct Memo<K, V> {
    name: CacheName,
    mode: CacheMode,
    /// The capacity it was made with, in bytes; it never has more.
    ceiling: u64,
    cache: Option<Cache<K, V>>,
    gauge: Gauge,
    recorder: OnceLock<Arc<Recorder>>,
}

impl<K, V> Memo<K, V> {
    /// A memo that remembers nothing.
    pub fn off(name: CacheName) -> Self {
        Self {
            name,
            mode: CacheMode::Off,
            ceiling: 0,
            cache: None,
            gauge: Gauge::default(),
            recorder: OnceLock::new(),
        }
    }
}

/// What the rule saw.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    /// Mean time of computing, of looking up, and of inserting with what it evicts.
    pub compute: Duration,
    /// See `compute`.
    pub lookup: Duration,
    /// See `compute`.
    pub insert: Duration,
    /// Share of lookups that hit, 0 to 1.
    pub hit_rate: f64,
    /// Whether calls pass by the cache now.
    pub bypassed: bool,
    /// Calls that passed it by so far.
    pub bypassed_calls: u64,
}

impl<K: CacheKey + Hash + Send + Sync, V: Clone + Send + Sync> Memo<K, V> {
    /// An empty memo.
    ///
    /// # Errors
    /// When the policy refuses its options.
    pub fn new(
        name: CacheName,
        mode: CacheMode,
        (decides, capacity, ttl): (&Decides, u64, Option<Ttl>),
    ) -> Result<Self, PolicyError> {
        let spec = CacheSpec {
            cache: name as u8,
            decides,
            capacity,
            ttl,
            shards: 0,
        };
        let cache = match mode {
            CacheMode::Off => None,
            _ if capacity == 0 => None,
            _ => Some(Cache::new(&spec)?),
        };
        Ok(Self {
            name,
            mode,
            ceiling: cache.as_ref().map_or(0, |_| capacity),
            cache,
            ..Self::off(name)
        })
    }

    /// Notes every request from now on.
    pub fn record(&self, recorder: Arc<Recorder>) {
        // A second recorder would split one run over two files.
        let _ = self.recorder.set(recorder);
    }

    /// The value of a key: remembered, or computed with its weight in bytes.
    ///
    /// # Errors
    /// That of the computation.
    pub fn get_or_try<E>(
        &self,
        key: K,
        compute: impl FnOnce() -> Result<(V, u64), E>,
    ) -> Result<V, E> {
        let Some(cache) = &self.cache else {
            return self.compute(&key, compute).map(|(value, ..)| value);
        };
        let automatic = self.mode == CacheMode::Auto;
        if automatic && self.gauge.bypasses(key.key_hash()) {
            return self.compute(&key, compute).map(|(value, ..)| value);
        }
        let (value, timing) = cache.request(&key, || self.compute(&key, compute))?;
        if timing.computed.is_none() {
            self.note_hit(&key);
        }
        if automatic {
            self.gauge.note(&timing);
        }
        Ok(value)
    }

    /// Gives the cache another capacity in bytes, at most that it was made with; what does not fit
    /// leaves at once.
    pub fn resize(&self, capacity: u64) {
        if let Some(cache) = &self.cache {
            cache.resize(capacity.min(self.ceiling));
        }
    }

    /// The capacity that it was made with, in bytes; 0 when it is off.
    pub const fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// Bytes that it holds now.
    pub fn held(&self) -> u64 {
        self.statistics().map_or(0, |statistics| statistics.bytes)
    }

    /// What the cache holds and did; none when it is off.
    pub fn statistics(&self) -> Option<Statistics> {
        self.cache.as_ref().map(Cache::statistics)
    }

    /// What the automatic rule saw; none when it does not decide.
    pub fn measured(&self) -> Option<Measured> {
        let automatic = self.cache.is_some() && self.mode == CacheMode::Auto;
        automatic.then(|| self.gauge.measured())
    }

    fn compute<E>(
        &self,
        key: &K,
        compute: impl FnOnce() -> Result<(V, u64), E>,
    ) -> Result<(V, u64), E> {
        let Some(recorder) = self.recorder.get() else {
            return compute();
        };
        let start = Instant::now();
        let (value, weight) = compute()?;
        let cost_ns = nanoseconds(start.elapsed());
        recorder.note(Noted {
            cache: self.name,
            key: key.key_hash(),
            size: Some(weight),
            cost_ns: Some(cost_ns),
            answered: Answered::Computed,
        });
        Ok((value, weight))
    }

    fn note_hit(&self, key: &K) {
        if let Some(recorder) = self.recorder.get() {
            recorder.note(Noted {
                cache: self.name,
                key: key.key_hash(),
                size: None,
                cost_ns: None,
                answered: Answered::Memory,
            });
        }
    }
}

/// Calls that go through the cache before the rule judges.
const TRIAL: u64 = 64;
/// Weight of a new measurement in the moving averages.
const NEWS: f64 = 0.02;
/// One key in so many goes through the cache while it is bypassed.
const SAMPLED: u64 = 100;

/// Moving averages, in nanoseconds and shares.
#[derive(Debug, Clone, Copy, Default)]
struct Averages {
    calls: u64,
    misses: u64,
    compute: f64,
    lookup: f64,
    insert: f64,
    hit: f64,
}

/// Measures whether the cache pays.
#[derive(Debug, Default)]
struct Gauge {
    bypass: AtomicBool,
    bypassed: AtomicU64,
    averages: Mutex<Averages>,
}

impl Gauge {
    fn bypasses(&self, key_hash: u64) -> bool {
        let bypasses = self.bypass.load(Ordering::Relaxed) && !key_hash.is_multiple_of(SAMPLED);
        if bypasses {
            self.bypassed.fetch_add(1, Ordering::Relaxed);
        }
        bypasses
    }

    fn note(&self, timing: &Timing) {
        let mut averages = self.averages.lock().unwrap_or_else(PoisonError::into_inner);
        averages.note(timing);
        if averages.calls >= TRIAL {
            self.bypass.store(!averages.pays(), Ordering::Relaxed);
        }
    }

    fn measured(&self) -> Measured {
        let averages = *self.averages.lock().unwrap_or_else(PoisonError::into_inner);
        let time = |ns: f64| Duration::from_nanos(ns as u64);
        Measured {
            compute: time(averages.compute),
            lookup: time(averages.lookup),
            insert: time(averages.insert),
            hit_rate: averages.hit,
            bypassed: self.bypass.load(Ordering::Relaxed),
            bypassed_calls: self.bypassed.load(Ordering::Relaxed),
        }
    }
}

impl Averages {
    fn note(&mut self, timing: &Timing) {
        self.calls += 1;
        let hit = if timing.computed.is_none() { 1.0 } else { 0.0 };
        self.lookup = moved(self.lookup, timing.lookup.as_nanos() as f64, self.calls);
        self.hit = moved(self.hit, hit, self.calls);
        if let Some((compute, insert)) = timing.computed {
            self.misses += 1;
            self.compute = moved(self.compute, compute.as_nanos() as f64, self.misses);
            self.insert = moved(self.insert, insert.as_nanos() as f64, self.misses);
        }
    }

    fn pays(&self) -> bool {
        self.hit * self.compute > 2.0 * (self.lookup + (1.0 - self.hit) * self.insert)
    }
}

/// The mean of the first measurements, and then a moving average.
fn moved(average: f64, new: f64, n: u64) -> f64 {
    average + (new - average) * NEWS.max(1.0 / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn averages(hit: f64, compute: f64, lookup: f64, insert: f64) -> Averages {
        Averages {
            calls: 100,
            misses: 100,
            compute,
            lookup,
            insert,
            hit,
        }
    }

    #[test]
    fn a_cache_pays_from_twice_its_cost_on() {
        assert!(averages(0.5, 1000.0, 50.0, 300.0).pays());
        assert!(!averages(0.5, 700.0, 50.0, 300.0).pays());
        assert!(!averages(0.0, 1e9, 50.0, 300.0).pays());
        assert!(averages(1.0, 101.0, 50.0, 1e9).pays());
    }

    #[test]
    fn a_memo_that_is_off_computes_each_time() {
        let memo: Memo<u64, u64> = Memo::off(CacheName::Colors);
        let mut calls = 0;
        for _ in 0..3 {
            let value = memo.get_or_try(1, || {
                Ok::<_, ()>({
                    calls += 1;
                    (calls, 8)
                })
            });
            assert_eq!(value, Ok(calls));
        }
        assert_eq!((calls, memo.statistics()), (3, None));
    }

    /// Lets the rule see calls of which one in `asked_again` misses.
    fn measure(memo: &Memo<u64, u64>, compute: Duration, asked_again: u64) {
        for call in 0..400 {
            let missed = call % asked_again == 0;
            memo.gauge.note(&Timing {
                lookup: Duration::from_nanos(50),
                computed: missed.then_some((compute, Duration::from_nanos(300))),
            });
        }
    }

    #[test]
    fn what_is_cheap_is_bypassed_and_what_is_dear_is_kept() {
        for (compute, asked_again, bypassed) in [
            // Cheap, though nearly every key comes again.
            (Duration::from_nanos(20), 50, true),
            // Dear and comes again.
            (Duration::from_micros(200), 50, false),
            // Dear, and never comes again.
            (Duration::from_micros(200), 1, true),
        ] {
            let kept = (&Decides::Quick, 1 << 20, None);
            let memo = Memo::new(CacheName::Colors, CacheMode::Auto, kept).expect("a memo");
            measure(&memo, compute, asked_again);
            let measured = memo.measured().expect("measured");
            assert_eq!(measured.bypassed, bypassed, "{compute:?}: {measured:?}");
            // One key in a hundred goes through all the same.
            let passed_by = (0..2 * SAMPLED).filter(|&key| memo.gauge.bypasses(key));
            let expected = if bypassed { 2 * SAMPLED - 2 } else { 0 };
            assert_eq!(passed_by.count() as u64, expected);
        }
    }

    #[test]
    fn what_passes_by_is_computed_and_not_kept() {
        let kept = (&Decides::Quick, 1 << 20, None);
        let memo = Memo::new(CacheName::Colors, CacheMode::Auto, kept).expect("a memo");
        measure(&memo, Duration::from_nanos(20), 1);
        let mut computed = 0;
        for key in 1..SAMPLED {
            let work = || {
                computed += 1;
                Ok::<_, ()>((key, 8))
            };
            assert_eq!(memo.get_or_try(key, work), Ok(key));
        }
        assert_eq!(computed, SAMPLED - 1);
        assert_eq!(memo.statistics().map(|found| found.entries), Some(0));
        let measured = memo.measured().expect("measured");
        assert_eq!(measured.bypassed_calls, SAMPLED - 1);
    }
}
