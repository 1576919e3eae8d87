//! What does an entry cost in memory beside its key and value?
//!
//! 100,000 entries of 8 + 8 bytes with `sieve`, linked so that its memory is counted too; beside
//! quick_cache and moka. Target: at most 40 bytes an entry.

#![allow(clippy::print_stdout, missing_docs, unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use eyemap_abi::CacheExtension;
use eyemap_engine::cache::{Cache, CacheSpec, Decides, PolicySource};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_add(size, Ordering::Relaxed);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ENTRIES: u64 = 100_000;
const KEY_AND_VALUE: usize = 16;

/// Fills a cache with twice as many entries as it holds, and returns the bytes beside key and value.
fn measure<C>(
    name: &str,
    make: impl FnOnce() -> C,
    fill: impl Fn(&C, u64),
    len: impl Fn(&C) -> u64,
) {
    let before = HELD.load(Ordering::Relaxed);
    let cache = make();
    for key in 0..2 * ENTRIES {
        fill(&cache, key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    let held = HELD.load(Ordering::Relaxed) - before;
    let entries = len(&cache) as usize;
    let beside = (held - entries * KEY_AND_VALUE) as f64 / entries as f64;
    println!("{name:<28} {entries} entries, {beside:5.1} bytes an entry beside key and value");
}

fn ours(shards: usize) -> Cache<u64, u64> {
    let extension = CacheExtension {
        create: eyemap_sdk::cache::create::<sieve_policy::Sieve>,
    };
    let spec = CacheSpec {
        cache: 3,
        decides: &Decides::Policy(PolicySource::linked("sieve", "{}", extension)),
        capacity: ENTRIES,
        ttl: None,
        shards,
    };
    Cache::new(&spec).unwrap_or_else(|error| panic!("{error}"))
}

fn main() {
    let fill = |cache: &Cache<u64, u64>, key| {
        cache.insert(key, key, 1, 1000);
    };
    let len = |cache: &Cache<u64, u64>| cache.statistics().entries;
    measure("ours with sieve, 8 shards", || ours(8), fill, len);
    measure("ours with sieve, one shard", || ours(1), fill, len);
    measure(
        "quick_cache",
        || quick_cache::sync::Cache::<u64, u64>::new(ENTRIES as usize),
        |cache, key| cache.insert(key, key),
        |cache| cache.len() as u64,
    );
    measure(
        "moka",
        || moka::sync::Cache::<u64, u64>::new(ENTRIES),
        |cache, key| cache.insert(key, key),
        |cache| {
            cache.run_pending_tasks();
            cache.entry_count()
        },
    );
}
