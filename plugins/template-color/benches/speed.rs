//! What colouring a large map costs.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_sdk::prelude::*;
use template_color::TemplateColor;

/// Columns and layers of a large map.
const N: usize = 10_000;

fn colors(criterion: &mut Criterion) {
    let stage = TemplateColor::create(TemplateColor::default(), &Tables::NONE).expect("a stage");
    let scale = stage.prepare(&ColorJob::default()).expect("a scale");
    let values: Vec<f64> = (0..N).map(|i| ((i * 7919) % 100) as f64).collect();
    let status = vec![ColumnStatus::HasData; N];
    let mut out = vec![Rgba::default(); N];
    let mut group = criterion.benchmark_group("color");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("a large map", |bencher| {
        bencher.iter(|| scale.color(black_box(&values), &status, &mut out));
    });
    group.finish();
}

criterion_group!(benches, colors);
criterion_main!(benches);
