//! What does it cost that a stage is a plugin?
//!
//! The same kernel, `binned-color`, linked into this program and called through the SDK's trait, and
//! loaded from its library and called through the ABI; then through the engine, which allocates and
//! checks as well. The ways are timed in turn within one run. Target: loaded / linked at most 1.05
//! at 1,000 elements.

#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;

use binned_color::{BinnedColor, BinnedConfig};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eyemap_abi::{
    ColorExtension,
    abi_stable::std_types::{RResult, RSlice, RSliceMut},
    job::{ColorJob, ColumnStatus, Rgba, Statistics},
};
use eyemap_benches::{finder, interleaved};
use eyemap_engine::{config::StageConfig, draw::test_scene::Random, stage};
use eyemap_sdk::{ColorScale as _, ColorStage as _, Tables};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

fn job() -> ColorJob {
    ColorJob {
        statistics: Statistics {
            min: Some(0.0),
            max: Some(5000.0),
            ..Statistics::default()
        },
        ..ColorJob::default()
    }
}

fn ok<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

fn answer<T, E: std::fmt::Debug>(result: RResult<T, E>) -> T {
    ok(result.into_result())
}

struct Batch {
    values: Vec<f64>,
    status: Vec<ColumnStatus>,
    numbers: Vec<u8>,
}

fn batch(n: usize) -> Batch {
    let mut random = Random(2);
    let statuses = ColumnStatus::ALL;
    let status: Vec<_> = (0..n)
        .map(|_| statuses[(random.bits() % 20).saturating_sub(16) as usize])
        .collect();
    Batch {
        values: (0..n)
            .map(|_| (5.0 + 1.5 * random.normal()).exp().round())
            .collect(),
        numbers: status.iter().map(|&status| status as u8).collect(),
        status,
    }
}

fn boundary(criterion: &mut Criterion) {
    let linked = ok(BinnedColor::create(BinnedConfig::default(), &Tables::NONE));
    let linked = ok(linked.prepare(&job()));
    let finder = finder();
    let plugin = ok(finder.load("binned-color"));
    let extension: ColorExtension = ok(plugin.extension());
    let loaded = answer((extension.create)("{}".into(), RSlice::from_slice(&[])));
    let loaded = answer(loaded.prepare(ok(serde_json::to_string(&job())).as_str().into()));
    let config = StageConfig {
        plugin: "binned-color".into(),
        ..StageConfig::default()
    };
    let engine = ok(stage::ColorStage::load(&finder, &config));
    let engine = ok(engine.prepare(&job()));

    for n in SIZES {
        let batch = batch(n);
        let (mut here, mut there) = (vec![Rgba(0); n], vec![0u32; n]);
        let mut call_linked = || linked.color(black_box(&batch.values), &batch.status, &mut here);
        let mut call_loaded = || {
            answer(loaded.color(
                RSlice::from_slice(black_box(&batch.values)),
                RSlice::from_slice(&batch.numbers),
                RSliceMut::from_mut_slice(&mut there),
            ))
        };
        let mut call_engine = || drop(ok(engine.color(black_box(&batch.values), &batch.status)));
        let times = interleaved(
            600,
            // Short turns: some of them pass without the scheduler taking the core away.
            (40_000 / n).max(1),
            &mut [
                ("linked", &mut call_linked),
                ("loaded", &mut call_loaded),
                ("engine", &mut call_engine),
            ],
        );
        let ns = |way: &str| times[way].as_secs_f64() * 1e9;
        println!(
            "{n:>6} elements: linked {:.0} ns, loaded {:.0} ns, ratio {:.3}, through the engine {:.0} ns",
            ns("linked"),
            ns("loaded"),
            ns("loaded") / ns("linked"),
            ns("engine"),
        );
        let mut group = criterion.benchmark_group("binned-color");
        group.throughput(Throughput::Elements(n as u64));
        group.bench_with_input(BenchmarkId::new("linked", n), &(), |b, ()| {
            b.iter(&mut call_linked)
        });
        group.bench_with_input(BenchmarkId::new("loaded", n), &(), |b, ()| {
            b.iter(&mut call_loaded)
        });
        group.finish();
        assert!(
            here.iter()
                .zip(&there)
                .all(|(here, there)| here.0 == *there)
        );
    }
}

criterion_group!(benches, boundary);
criterion_main!(benches);
