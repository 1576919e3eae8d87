//! What the policy costs a request, with the cache of its tests around it.
//!
//! The tests' cache repeats every replay in all the ways that must not matter, so times of two versions of
//! the policy can be compared with each other, not with those of a host.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_sdk::testing::{Request, replay};
use two_queue_cache::{Options, TwoQueue};

/// Requests of a replay.
const N: u64 = 2_000;

fn decisions(criterion: &mut Criterion) {
    let options = Options::default();
    let requests: Vec<_> = (0..N)
        .map(|i| Request::new(i * i % 509 % (1 + i % 97), 1))
        .collect();
    let mut group = criterion.benchmark_group("cache");
    group.throughput(Throughput::Elements(N));
    group.sample_size(20);
    group.bench_function("a replay", |bencher| {
        bencher.iter(|| replay::<TwoQueue>(&options, 30, black_box(&requests)));
    });
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
