//! What the tooltips of a large map cost.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_sdk::prelude::*;
use template_metadata::TemplateMetadata;

/// Columns and layers of a large map.
const N: usize = 10_000;

fn tooltips(criterion: &mut Criterion) {
    let config = TemplateMetadata::default();
    let stage = TemplateMetadata::create(config, &Tables::NONE).expect("a stage");
    let texts = stage.prepare(&MetadataJob::default()).expect("texts");
    let hexes: Vec<i32> = (0..N as i32).collect();
    let values: Vec<f64> = (0..N).map(|i| ((i * 7919) % 200) as f64).collect();
    let status = vec![ColumnStatus::HasData; N];
    let columns = Columns::without_attributes(0, &hexes, &hexes, &values, &status);
    let mut group = criterion.benchmark_group("metadata");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("a large map", |bencher| {
        bencher.iter(|| texts.annotate(black_box(&columns)));
    });
    group.finish();
}

criterion_group!(benches, tooltips);
criterion_main!(benches);
