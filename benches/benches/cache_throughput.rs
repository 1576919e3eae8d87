//! How fast is a cache whose policy is a plugin?
//!
//! Requests by Zipf's law (s = 1.0) for one million keys, a capacity of 100,000 entries, one and two
//! threads; ours with `sieve` loaded from its library, beside quick_cache and moka, in turn within one
//! run. *Mixed*: ask, and put in what is missing. *Hits*: ask for what is there. Targets: at most 0.7
//! of the time of quick_cache mixed, and 1.0 on hits.
//!
//! The parts that make it fast can be taken out one by one: *one shard*, *victims one at a time* and
//! *told of every hit* (the policy `lru`) are measured beside it.

#![allow(clippy::print_stdout, missing_docs)]

use std::{hint::black_box, thread, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_benches::{finder, interleaved, zipf};
use eyemap_engine::cache::{Cache, CacheSpec, Decides, PolicySource};

const KEYS: u64 = 1_000_000;
const CAPACITY: u64 = 100_000;
const REQUESTS: usize = 400_000;
const ROUNDS: usize = 15;

/// What all caches can do.
trait Contender: Sync {
    fn get(&self, key: u64) -> Option<u64>;
    fn put(&self, key: u64);
}

impl Contender for Cache<u64, u64> {
    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, &key)
    }
    fn put(&self, key: u64) {
        self.insert(key, key, 1, 0);
    }
}

impl Contender for quick_cache::sync::Cache<u64, u64> {
    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, &key)
    }
    fn put(&self, key: u64) {
        self.insert(key, key);
    }
}

impl Contender for moka::sync::Cache<u64, u64> {
    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, &key)
    }
    fn put(&self, key: u64) {
        self.insert(key, key);
    }
}

fn ours(policy: &str, shards: usize) -> Cache<u64, u64> {
    let source = PolicySource::load(&finder(), policy, "{}");
    let decides = Decides::Policy(source.unwrap_or_else(|error| panic!("{error}")));
    let spec = CacheSpec {
        cache: 3,
        decides: &decides,
        capacity: CAPACITY,
        ttl: None,
        shards,
    };
    Cache::new(&spec).unwrap_or_else(|error| panic!("{error}"))
}

fn mixed(cache: &dyn Contender, keys: &[u64]) {
    for &key in keys {
        match cache.get(key) {
            Some(value) => {
                black_box(value);
            }
            None => cache.put(key),
        }
    }
}

/// The same work in every thread's own order.
fn in_threads(cache: &dyn Contender, streams: &[Vec<u64>], work: fn(&dyn Contender, &[u64])) {
    if let [stream] = streams {
        return work(cache, stream);
    }
    thread::scope(|scope| {
        for stream in streams {
            scope.spawn(move || work(cache, stream));
        }
    });
}

fn hits(cache: &dyn Contender, keys: &[u64]) {
    for &key in keys {
        black_box(cache.get(key));
    }
}

/// Keys of a stream that every cache holds, after all of them were asked for them alone.
fn resident(caches: &[&dyn Contender], stream: &[u64]) -> Vec<u64> {
    let mut wanted: Vec<u64> = stream.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    // Half of the capacity: shards are not equally full.
    wanted.truncate(CAPACITY as usize / 2);
    for cache in caches {
        for _ in 0..3 {
            mixed(*cache, &wanted);
        }
    }
    let there = |key: &u64| caches.iter().all(|cache| cache.get(*key).is_some());
    let kept: std::collections::HashSet<u64> = wanted.into_iter().filter(there).collect();
    stream
        .iter()
        .copied()
        .filter(|key| kept.contains(key))
        .collect()
}

fn compare(criterion: &mut Criterion) {
    let sieve = ours("sieve", 8);
    let one = ours("sieve", 1);
    let lru = ours("lru", 8);
    let quick = quick_cache::sync::Cache::<u64, u64>::new(CAPACITY as usize);
    let moka = moka::sync::Cache::<u64, u64>::new(CAPACITY);
    let contenders: [(&'static str, &dyn Contender); 5] = [
        ("sieve, a plugin", &sieve),
        ("quick_cache", &quick),
        ("moka", &moka),
        ("sieve, one shard, victims one at a time", &one),
        ("lru, told of every hit", &lru),
    ];
    for threads in [1, 2] {
        let streams: Vec<Vec<u64>> = (0..threads)
            .map(|seed| zipf(KEYS, 1.0, REQUESTS, seed + 1))
            .collect();
        // Filled before anything is timed.
        for (_, cache) in contenders {
            in_threads(cache, &streams, mixed);
        }
        report("mixed", &contenders, &streams, mixed);
        let caches = contenders.map(|(_, cache)| cache);
        let hit_streams: Vec<Vec<u64>> = streams
            .iter()
            .map(|stream| resident(&caches, stream))
            .collect();
        report("hits", &contenders, &hit_streams, hits);
    }
    let stream = zipf(KEYS, 1.0, REQUESTS, 9);
    let mut group = criterion.benchmark_group("cache_throughput/mixed");
    group.throughput(Throughput::Elements(REQUESTS as u64));
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    for (name, cache) in &contenders[..3] {
        group.bench_function(*name, |bencher| bencher.iter(|| mixed(*cache, &stream)));
    }
    group.finish();
}

fn report(
    what: &str,
    contenders: &[(&'static str, &dyn Contender)],
    streams: &[Vec<u64>],
    work: fn(&dyn Contender, &[u64]),
) {
    let runs: Vec<_> = contenders
        .iter()
        .map(|&(name, cache)| (name, move || in_threads(cache, streams, work)))
        .collect();
    let mut runs = runs;
    let mut ways: Vec<(&'static str, &mut dyn FnMut())> = runs
        .iter_mut()
        .map(|(name, run)| (*name, run as &mut dyn FnMut()))
        .collect();
    let best = interleaved(ROUNDS, 1, &mut ways);
    let requests = streams.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let floor = best["quick_cache"].as_secs_f64();
    println!(
        "{what}, {} threads, {requests} requests each",
        streams.len()
    );
    for (name, _) in contenders {
        let time = best[name].as_secs_f64();
        println!(
            "  {name:<42} {:6.1} ns a request  {:.2} of quick_cache",
            time * 1e9 / requests as f64,
            time / floor
        );
    }
}

criterion_group!(benches, compare);
criterion_main!(benches);
