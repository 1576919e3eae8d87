//! What the benches have in common: tables made from a seed, and the built plugins.
//!
//! The benches load real plugins, so `cargo xtask bench` builds them first and passes
//! `EYEMAP_BUILD_DIR`. Tables have the distributions of a real data set: synapses of a column
//! log-normal (mu 5, sigma 1.5), shares of its layers Dirichlet (0.35).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod command;
pub mod document;
pub mod measure;
pub mod scale;
pub mod workload;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use eyemap_engine::{
    config::Config,
    dataset::Dataset,
    draw::test_scene::Random,
    ingest::{IngestOptions, read_dataset},
    plugins::{Finder, Mode, SearchDir},
};

/// What fails in a chore is a disk, a program or an argument: the text says which.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Ends a chore: what failed is printed as people read it.
#[allow(
    clippy::print_stderr,
    reason = "the one place where a chore says why it failed"
)]
pub fn end(done: Result<()>) -> std::process::ExitCode {
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Finds the built plugins and trusts them whatever their hash: they were built for this run.
///
/// # Panics
/// When nothing was built.
pub fn finder() -> Finder {
    const HOW: &str = "run the benches with `cargo xtask bench`, or build with \
        `cargo xtask build --release` and set EYEMAP_BUILD_DIR to the directory of the build";
    let dir = std::env::var_os("EYEMAP_BUILD_DIR").map(PathBuf::from);
    let dir = dir.unwrap_or_else(|| panic!("EYEMAP_BUILD_DIR is not set: {HOW}"));
    // Cargo runs a bench in its package, the user names a directory from the root.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(dir).join("plugins");
    assert!(path.is_dir(), "{} is missing: {HOW}", path.display());
    let names = [
        "hex-coordinates",
        "binned-color",
        "column-metadata",
        "lru-policy",
        "sieve-policy",
        "size-weighted-policy",
    ];
    Finder {
        dirs: vec![SearchDir {
            path,
            origin: "the build",
        }],
        trusted: names.map(|name| format!("org.eyemap.{name}")).into(),
        force: Some(Mode::Trusted),
        ..Finder::default()
    }
}

/// Columns in the oval of an eye, by rising `hex1`, `hex2`.
pub fn columns(n: usize) -> Vec<(i32, i32)> {
    let mut near: Vec<(i32, i32, i32)> = Vec::new();
    for hex1 in 0..80 {
        for hex2 in 0..80 {
            let (x, y) = (hex2 - hex1, hex1 + hex2 - 60);
            near.push((9 * x * x + 4 * y * y, hex1, hex2));
        }
    }
    near.sort_unstable();
    let mut columns: Vec<_> = near.iter().take(n).map(|&(_, h1, h2)| (h1, h2)).collect();
    columns.sort_unstable();
    columns
}

/// Number of rows that [`table`] writes for each column.
pub const ROWS_PER_COLUMN: usize = 11;

/// A canonical table: types with data in every column of the right medulla, one row for the whole
/// column and one for each of ten layers; then the type `Zblank`, which has one row in the lobula.
pub fn table(n_types: usize, n_columns: usize) -> String {
    let mut random = Random(1);
    let mut text = String::from("cell_type,region,side,hex1,hex2,layer,synapses\n");
    let columns = columns(n_columns);
    for cell_type in 0..n_types {
        for &(hex1, hex2) in &columns {
            let total = (5.0 + 1.5 * random.normal()).exp();
            let shares: Vec<f64> = (0..10).map(|_| random.gamma(0.35)).collect();
            let sum: f64 = shares.iter().sum();
            let layers = shares.iter().map(|share| (total * share / sum).round());
            let whole: f64 = layers.clone().sum();
            for (layer, value) in std::iter::once(whole).chain(layers).enumerate() {
                // Writing into a String cannot fail.
                let _ = writeln!(text, "T{cell_type},ME,R,{hex1},{hex2},{layer},{value}");
            }
        }
    }
    text.push_str("Zblank,LO,R,30,30,0,1\n");
    text
}

/// Reads a table as `eyemap render` does, with the default configuration.
///
/// # Panics
/// When it is refused.
pub fn read(path: &Path) -> Dataset {
    let config = Config::default();
    read_dataset(&[path.to_owned()], &IngestOptions::of(&config))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A file with a text; it is removed with the directory that comes with it.
///
/// # Panics
/// When it cannot be written.
pub fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = dir.path().join("table.csv");
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{error}"));
    (dir, path)
}

/// Times of several ways to do one thing, called in turn so that a busy machine slows all alike.
/// Gives the smallest time of one call for each name.
pub fn interleaved(
    rounds: usize,
    calls: usize,
    ways: &mut [(&'static str, &mut dyn FnMut())],
) -> BTreeMap<&'static str, Duration> {
    let mut best = BTreeMap::new();
    for _ in 0..rounds {
        for (name, work) in &mut *ways {
            let start = Instant::now();
            (0..calls).for_each(|_| work());
            let time = start.elapsed() / calls as u32;
            let found = best.entry(*name).or_insert(time);
            *found = time.min(*found);
        }
    }
    best
}

/// Numbers from 0 up, each the rarer the larger it is: number k with a share of 1 / (k + 1)^s
/// (Zipf's law). The numbers are scrambled, so that what is asked for often does not lie together.
pub fn zipf(keys: u64, s: f64, requests: usize, seed: u64) -> Vec<u64> {
    let mut sums = Vec::with_capacity(keys as usize);
    let mut sum = 0.0;
    for k in 0..keys {
        sum += ((k + 1) as f64).powf(-s);
        sums.push(sum);
    }
    let mut random = Random(seed);
    let draw = |_| {
        // 53 bits are a number from 0 to 1.
        let at = (random.bits() >> 11) as f64 / (1u64 << 53) as f64 * sum;
        let key = sums.partition_point(|&sum| sum < at) as u64;
        key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    (0..requests).map(draw).collect()
}
