//! Do the shapes of the two inner loops pay?
//!
//! Colours: `binned-color`, which counts edges without a branch on data, against the plain divide,
//! ceil and index.
//! Coordinates: one call of `hex-coordinates` for a map against one call for each column.

#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;

use binned_color::{BinnedColor, BinnedConfig};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_abi::job::{ColorJob, ColumnStatus, CoordinateJob, Rgba, Statistics};
use eyemap_benches::{columns, finder};
use eyemap_engine::{config::StageConfig, draw::test_scene::Random, stage::CoordinateStage};
use eyemap_sdk::{ColorScale as _, ColorStage as _, Tables};

const N: usize = 9000;
const HIGH: f64 = 5000.0;
const REDS: [u32; 5] = [
    0xfee5_d9ff,
    0xfcbb_a1ff,
    0xfc92_72ff,
    0xef65_48ff,
    0xa50f_15ff,
];

/// What one writes first.
fn plain(values: &[f64], status: &[ColumnStatus], out: &mut [Rgba]) {
    for ((out, &value), &status) in out.iter_mut().zip(values).zip(status) {
        *out = match status {
            ColumnStatus::HasData => {
                let bin = (value / HIGH * 5.0).ceil() as usize;
                Rgba(REDS[bin.clamp(1, 5) - 1])
            }
            ColumnStatus::NotInRegion => Rgba(0x9999_99ff),
            ColumnStatus::NoData => Rgba::WHITE,
            ColumnStatus::Unknown => Rgba(0xd9d2_e9ff),
        };
    }
}

fn colors(criterion: &mut Criterion) {
    let mut random = Random(3);
    let values: Vec<f64> = (0..N)
        .map(|_| (5.0 + 1.5 * random.normal()).exp().round())
        .collect();
    let values: Vec<f64> = values.into_iter().map(|value| value.min(HIGH)).collect();
    let status: Vec<_> = (0..N)
        .map(|_| ColumnStatus::ALL[(random.bits() % 20).saturating_sub(16) as usize])
        .collect();
    let job = ColorJob {
        statistics: Statistics {
            min: Some(0.0),
            max: Some(HIGH),
            ..Statistics::default()
        },
        ..ColorJob::default()
    };
    let stage = BinnedColor::create(BinnedConfig::default(), &Tables::NONE);
    let scale = stage.and_then(|stage| stage.prepare(&job));
    let scale = scale.unwrap_or_else(|error| panic!("{error}"));
    let (mut counted, mut naive) = (vec![Rgba(0); N], vec![Rgba(0); N]);
    let mut group = criterion.benchmark_group("color");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("count of edges", |b| {
        b.iter(|| scale.color(black_box(&values), black_box(&status), &mut counted))
    });
    group.bench_function("divide, ceil, index", |b| {
        b.iter(|| plain(black_box(&values), black_box(&status), &mut naive))
    });
    group.finish();
    let differ = counted.iter().zip(&naive).filter(|(a, b)| a != b).count();
    println!("{differ} of {N} colours differ between the two");
}

fn coordinates(criterion: &mut Criterion) {
    let config = StageConfig {
        plugin: "hex-coordinates".into(),
        ..StageConfig::default()
    };
    let stage = CoordinateStage::load(&finder(), &config).unwrap_or_else(|e| panic!("{e}"));
    let placement = stage.prepare(&CoordinateJob::default());
    let placement = placement.unwrap_or_else(|error| panic!("{error}"));
    let (hex1, hex2): (Vec<_>, Vec<_>) = columns(900).into_iter().unzip();
    let mut group = criterion.benchmark_group("coordinates");
    group.throughput(Throughput::Elements(900));
    group.bench_function("one call a map", |b| {
        b.iter(|| placement.place(black_box(&hex1), black_box(&hex2)).is_ok())
    });
    group.bench_function("one call a column", |b| {
        b.iter(|| {
            let each = hex1.chunks(1).zip(hex2.chunks(1));
            each.filter(|(hex1, hex2)| placement.place(hex1, hex2).is_ok())
                .count()
        })
    });
    group.finish();
}

criterion_group!(benches, colors, coordinates);
criterion_main!(benches);
