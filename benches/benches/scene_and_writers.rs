//! What does one map cost, from a table in memory to the bytes of each format?
//!
//! One thread, 900 hexagons of 10 layers, the default plugins loaded as `eyemap` loads them. Prints
//! the size of each artifact, plain and as `gzip -6` leaves it, beside its target.

#![allow(clippy::print_stdout, missing_docs)]

use std::{hint::black_box, io::Write as _};

use criterion::{Criterion, criterion_group, criterion_main};
use eyemap_benches::{file, finder, read, table};
use eyemap_engine::{
    Side,
    config::Config,
    draw::{DrawOptions, Format, draw},
    pipeline::{Maps, Pipeline, Request, Scene},
};

/// Targets: format, microseconds, kilobytes, kilobytes after gzip; 0 where there is none.
const TARGETS: [(Format, u32, u32, u32); 4] = [
    (Format::Svg, 250, 90, 16),
    (Format::SvgStatic, 0, 0, 0),
    (Format::Png, 5000, 32, 0),
    (Format::Json, 0, 0, 0),
];

const FULL: Request = Request {
    cell_type: 0,
    region: 0,
    side: Side::Right,
    metric: 0,
};
const BLANK: Request = Request {
    cell_type: 1,
    ..FULL
};

fn scene(maps: &Maps<'_>, request: Request) -> Scene {
    maps.scene(request)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn bytes(scene: &Scene, format: Format) -> Vec<u8> {
    let drawn = draw(format, &scene.head, &scene.batch(), &DrawOptions::default());
    drawn.unwrap_or_else(|error| panic!("{error}"))
}

fn gzipped(bytes: &[u8]) -> usize {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    let done = to.write_all(bytes).and_then(|()| to.finish());
    done.map_or(0, |bytes| bytes.len())
}

fn sizes(scene: &Scene, what: &str) {
    for (format, _, plain, small) in TARGETS {
        let bytes = bytes(scene, format);
        let kb = |n: usize| n as f64 / 1000.0;
        let target = |limit: u32| match limit {
            0 => String::new(),
            limit => format!(" (target {limit})"),
        };
        println!(
            "{what} {}: {:.1} kB{}, gzip -6 {:.1} kB{}",
            format.name(),
            kb(bytes.len()),
            target(plain),
            kb(gzipped(&bytes)),
            target(small),
        );
    }
}

fn maps(criterion: &mut Criterion) {
    let (_dir, path) = file(&table(1, 900));
    let dataset = read(&path);
    let pipeline = Pipeline::load(&Config::default(), &finder());
    let pipeline = pipeline.unwrap_or_else(|error| panic!("{error}"));
    let maps = pipeline.maps(&dataset);
    let (full, blank) = (scene(&maps, FULL), scene(&maps, BLANK));
    assert_eq!((full.head.n_hexagons, full.head.n_layers), (900, 10));
    assert!(blank.head.blank);
    sizes(&full, "map");
    sizes(&blank, "blank (targets 10 and 1 for svg)");

    let mut group = criterion.benchmark_group("map");
    group.bench_function("scene, first of its table", |b| {
        b.iter(|| scene(&pipeline.maps(&dataset), black_box(FULL)))
    });
    group.bench_function("scene", |b| b.iter(|| scene(&maps, black_box(FULL))));
    for (format, ..) in TARGETS {
        group.bench_function(format!("{} alone", format.name()), |b| {
            b.iter(|| bytes(black_box(&full), format))
        });
        group.bench_function(format!("scene and {}", format.name()), |b| {
            b.iter(|| bytes(&scene(&maps, black_box(FULL)), format))
        });
    }
    group.bench_function("blank, scene and svg", |b| {
        b.iter(|| bytes(&scene(&maps, black_box(BLANK)), Format::Svg))
    });
    group.finish();
    println!(
        "targets: scene and svg {} us, png {} us",
        TARGETS[0].1, TARGETS[2].1
    );
}

criterion_group!(benches, maps);
criterion_main!(benches);
