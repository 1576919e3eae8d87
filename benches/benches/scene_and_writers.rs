//! What does one map cost, from a table in memory to the bytes of each format?
//!
//! One thread, 900 hexagons of 10 layers, the default plugins loaded as `eyemap` loads them. Prints
//! the size of each artifact, plain and as `gzip -6` leaves it, beside its target.

#![allow(clippy::print_stdout, missing_docs)]

use std::{hint::black_box, io::Write as _};

use criterion::{Criterion, criterion_group, criterion_main};
use eyemap_benches::{file, finder, interleaved, read, table};
use eyemap_engine::{
    Side,
    config::Config,
    draw::{DrawOptions, Format, draw},
    pipeline::{Maps, Pipeline, Request, Scene},
};

/// Targets: format, kilobytes, kilobytes after gzip; 0 where there is none.
const TARGETS: [(Format, u32, u32); 4] = [
    (Format::Svg, 90, 16),
    (Format::SvgStatic, 0, 0),
    (Format::Png, 32, 0),
    (Format::Json, 0, 0),
];
/// The same for a blank map.
const BLANK_TARGETS: [(Format, u32, u32); 1] = [(Format::Svg, 10, 1)];

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

fn sizes(scene: &Scene, what: &str, targets: &[(Format, u32, u32)]) {
    for &(format, plain, small) in targets {
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

/// The smallest of many times, which a busy machine disturbs least.
fn smallest(maps: &Maps<'_>, full: &Scene) {
    let both = |request, format| drop(black_box(bytes(&scene(maps, request), format)));
    let mut ways: [(&str, &mut dyn FnMut()); 7] = [
        ("scene", &mut || drop(black_box(scene(maps, FULL)))),
        ("svg alone", &mut || {
            drop(black_box(bytes(full, Format::Svg)))
        }),
        ("scene and svg (target 250)", &mut || {
            both(FULL, Format::Svg)
        }),
        ("scene and svg-static", &mut || {
            both(FULL, Format::SvgStatic)
        }),
        ("scene and png (target 5000)", &mut || {
            both(FULL, Format::Png)
        }),
        ("scene and json", &mut || both(FULL, Format::Json)),
        ("blank, scene and svg", &mut || both(BLANK, Format::Svg)),
    ];
    for (name, time) in interleaved(200, 1, &mut ways) {
        println!("{name}: {:.0} us at best", time.as_secs_f64() * 1e6);
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
    sizes(&full, "map", &TARGETS);
    sizes(&blank, "blank", &BLANK_TARGETS);

    smallest(&maps, &full);

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
}

criterion_group!(benches, maps);
criterion_main!(benches);
