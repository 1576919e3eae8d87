//! What caching of coordinates and colours is worth, measured.
//!
//! The document that this engine replaces claims 10x for repeated coordinate conversion (5,000
//! columns), 5.6x for repeated colours (10,000 values) and hit rates of 85 to 95 %. Here the same is
//! measured with the native stages: computing anew, a memo whose key is at hand, a memo whose key is a
//! hash of the inputs, and a lookup for each element, which is how the original caches. The mode
//! `auto` is asked what it makes of it.

#![allow(clippy::print_stdout, missing_docs)]

use std::{hint::black_box, sync::Arc, time::Duration};

use eyemap_abi::job::{ColorJob, ColumnStatus, CoordinateJob, Statistics};
use eyemap_benches::{columns, finder, interleaved, zipf};
use eyemap_engine::{
    cache::{Cache, CacheMode, CacheName, CacheSpec, Decides, Memo, PolicySource},
    config::StageConfig,
    draw::test_scene::Random,
    stage::{ColorStage, CoordinateStage},
};

const COLUMNS: usize = 5_000;
const VALUES: usize = 10_000;
const ROUNDS: usize = 40;

fn ok<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

fn stage(plugin: &str) -> StageConfig {
    StageConfig {
        plugin: plugin.into(),
        ..StageConfig::default()
    }
}

fn decides() -> Decides {
    Decides::Policy(ok(PolicySource::load(&finder(), "size-weighted", "{}")))
}

/// A key for inputs: half of their BLAKE3, as the engine makes it.
fn hashed(pieces: &[&[u8]]) -> u64 {
    let mut hash = blake3::Hasher::new();
    for piece in pieces {
        hash.update(piece);
    }
    let mut half = [0; 8];
    half.copy_from_slice(&hash.finalize().as_bytes()[..8]);
    u64::from_le_bytes(half)
}

fn bytes<T: Copy, const N: usize>(values: &[T], of: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| of(value)).collect()
}

fn per_element(n: usize) -> Cache<u64, [f64; 2]> {
    let cache = ok(Cache::new(&CacheSpec {
        cache: 0,
        decides: &decides(),
        capacity: 64 << 20,
        ttl: None,
        shards: 1,
    }));
    for key in 0..n as u64 {
        cache.insert(key, [0.0; 2], 16, 1);
    }
    cache
}

/// Compares, and asks `auto`.
fn compare<V: Clone + Send + Sync>(
    what: &str,
    claimed: &str,
    n: usize,
    (compute, inputs): (&dyn Fn() -> V, &[u8]),
) {
    let memo = |mode| {
        ok(Memo::new(
            CacheName::Colors,
            mode,
            (&decides(), 64 << 20, None),
        ))
    };
    let (at_hand, by_hash, auto) = (
        memo(CacheMode::On),
        memo(CacheMode::On),
        memo(CacheMode::Auto),
    );
    let ask = |memo: &Memo<u64, V>, key: u64| {
        ok(memo.get_or_try(key, || Ok::<_, ()>((compute(), n as u64 * 16))))
    };
    let elements = per_element(n);
    let best = interleaved(
        ROUNDS,
        20,
        &mut [
            ("compute", &mut || {
                black_box(compute());
            }),
            ("at hand", &mut || {
                black_box(ask(&at_hand, 1));
            }),
            ("hashed", &mut || {
                black_box(ask(&by_hash, hashed(&[inputs])));
            }),
            ("elements", &mut || {
                for key in 0..n as u64 {
                    black_box(elements.get(&key));
                }
            }),
        ],
    );
    for _ in 0..500 {
        ask(&auto, hashed(&[inputs]));
    }
    let compute = best["compute"];
    println!("{what} (claimed: {claimed})");
    let line = |name: &str, time: Duration| {
        let ratio = compute.as_secs_f64() / time.as_secs_f64();
        println!(
            "  {name:<44} {:>9.2} us  {ratio:>7.2}x",
            time.as_secs_f64() * 1e6
        );
    };
    line("computing anew, in the plugin", compute);
    line("memo of the batch, key at hand", best["at hand"]);
    line(
        "memo of the batch, key hashed from its inputs",
        best["hashed"],
    );
    line("a lookup for each element", best["elements"]);
    if let Some(measured) = auto.measured() {
        let verdict = if measured.bypassed {
            "bypasses the cache"
        } else {
            "keeps the cache"
        };
        println!("  auto, at 100 % hits, {verdict}");
    }
}

fn main() {
    let finder = finder();
    let coordinates = ok(CoordinateStage::load(&finder, &stage("hex-coordinates")));
    let placement = ok(coordinates.prepare(&CoordinateJob {
        region: "ME".into(),
        orientation: "peer".into(),
        hex_size_px: 6.0,
        spacing: 1.1,
        ..CoordinateJob::default()
    }));
    let (hex1, hex2): (Vec<i32>, Vec<i32>) = columns(COLUMNS).into_iter().unzip();
    let inputs = bytes(&[hex1.clone(), hex2.clone()].concat(), i32::to_le_bytes);
    let place = || Arc::new(ok(placement.place(&hex1, &hex2)));
    compare(
        &format!("coordinates of {COLUMNS} columns"),
        "10x for 5,000",
        COLUMNS,
        (&place, &inputs),
    );

    let color = ok(ColorStage::load(&finder, &stage("binned-color")));
    let scale = ok(color.prepare(&ColorJob {
        statistics: Statistics {
            min: Some(0.0),
            max: Some(5000.0),
            ..Statistics::default()
        },
        ..ColorJob::default()
    }));
    let mut random = Random(2);
    let values: Vec<f64> = (0..VALUES)
        .map(|_| (5.0 + 1.5 * random.normal()).exp().round())
        .collect();
    let status = vec![ColumnStatus::HasData; VALUES];
    let inputs = bytes(&values, f64::to_le_bytes);
    let paint = || Arc::new(ok(scale.color(&values, &status)));
    compare(
        &format!("colours of {VALUES} values"),
        "5.6x",
        VALUES,
        (&paint, &inputs),
    );
    hit_rates();
}

/// Hit rates depend on what is asked for, so here are three ways of asking.
fn hit_rates() {
    println!("hit rate (claimed: 85 to 95 %), of 10,000 maps of 100 kB");
    let cache = |maps: u64| {
        ok(Cache::<u64, ()>::new(&CacheSpec {
            cache: 3,
            decides: &decides(),
            capacity: maps * 100_000,
            ttl: None,
            shards: 1,
        }))
    };
    let ask = |cache: &Cache<u64, ()>, key: u64| {
        ok(cache.get_or_try_insert_with(&key, || Ok::<_, ()>(((), 100_000))));
    };
    let rate = |what: &str, cache: &Cache<u64, ()>| {
        let found = cache.statistics().counts;
        println!("  {what:<60} {:5.1} %", 100.0 * found.hit_rate());
    };
    let once = cache(10_000);
    (0..10_000).for_each(|key| ask(&once, key));
    rate("one run, each map once", &once);
    let again = cache(10_000);
    (0..10_000).for_each(|key| ask(&again, key));
    let before = again.statistics().counts.hits;
    // A new key stands for a map that changed.
    (0..10_000).for_each(|key| ask(&again, if key % 20 == 0 { key + 1_000_000 } else { key }));
    let second = (again.statistics().counts.hits - before) as f64 / 10_000.0;
    println!(
        "  {:<60} {:5.1} %",
        "a second run after 5 % of the types changed",
        100.0 * second
    );
    let browsing = cache(1_000);
    zipf(10_000, 1.0, 200_000, 3)
        .into_iter()
        .for_each(|key| ask(&browsing, key));
    rate(
        "readers who browse (Zipf 1.0), room for a tenth of the maps",
        &browsing,
    );
}
