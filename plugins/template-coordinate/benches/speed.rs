//! What placing the columns of a large map costs.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_sdk::{coordinate::Places, prelude::*};
use template_coordinate::TemplateCoordinate;

/// Columns of a large map.
const N: usize = 10_000;

fn places(criterion: &mut Criterion) {
    let config = TemplateCoordinate::default();
    let stage = TemplateCoordinate::create(config, &Tables::NONE).expect("a stage");
    let grid = stage.prepare(&CoordinateJob::default()).expect("a grid");
    let hex1: Vec<i32> = (0..N as i32).map(|i| i % 100).collect();
    let hex2: Vec<i32> = (0..N as i32).map(|i| i / 100).collect();
    let (mut x, mut y, mut placed) = (vec![0.0; N], vec![0.0; N], vec![0; N]);
    let mut group = criterion.benchmark_group("coordinate");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("a large map", |bencher| {
        bencher.iter(|| {
            let out = Places {
                x: &mut x,
                y: &mut y,
                placed: &mut placed,
            };
            grid.place(black_box(&hex1), &hex2, out);
        });
    });
    group.finish();
}

criterion_group!(benches, places);
criterion_main!(benches);
