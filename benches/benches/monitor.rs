//! What does the monitor cost?
//!
//! 1,000 maps of 900 columns and ten layers as SVG, through the command, on one thread and on two, with
//! and without the monitor in turn: the time of drawing and writing. Target: at most 1.02 of the time
//! without. Then a span alone, on threads that do nothing else: the worst case for what they share.

#![allow(clippy::print_stdout, missing_docs)]

use std::{path::Path, time::Instant};

use eyemap_benches::{command::Eyemap, file, table};
use eyemap_engine::{config::MonitorConfig, memory::MemoryWatch, monitor::Monitor};
use tracing::{Dispatch, debug_span, dispatcher::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt as _};

const MAPS: usize = 1_000;
const COLUMNS: usize = 900;
const ROUNDS: usize = 15;
const SPANS: usize = 200_000;

fn main() {
    let eyemap = Eyemap::built();
    for threads in [1, 2, 16, 64] {
        spans(threads);
    }
    let (kept, table) = file(&table(MAPS, COLUMNS));
    for enabled in [false, true] {
        let config = format!("[monitor]\nenabled = {enabled}\n");
        std::fs::write(kept.path().join(format!("{enabled}.toml")), config)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    for jobs in ["1", "2"] {
        compare(&eyemap, &table, kept.path(), jobs);
    }
}

fn compare(eyemap: &Eyemap, table: &Path, dir: &Path, jobs: &str) {
    let (mut without, mut with, mut ratios) = (f64::MAX, f64::MAX, Vec::new());
    for _ in 0..ROUNDS {
        let plain = eyemap.render_ms(table, dir, "false.toml", jobs);
        let timed = eyemap.render_ms(table, dir, "true.toml", jobs);
        (without, with) = (without.min(plain), with.min(timed));
        ratios.push(timed / plain);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "{jobs} threads: {without:7.1} ms without, {with:7.1} ms with: {:.3} (median of the ratios {:.3})",
        with / without,
        ratios[ROUNDS / 2]
    );
}

/// Opens and closes spans on some threads at once.
fn spans(threads: usize) {
    let monitor = Monitor::new(&MonitorConfig::default(), MemoryWatch::start(), None);
    let watched = Dispatch::new(Registry::default().with(monitor.layer()));
    let work = || {
        for rows in 0..SPANS {
            let name = "org.eyemap.binned-color";
            drop(debug_span!(target: "eyemap_engine", "colors", plugin = name, rows).entered());
        }
    };
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| with_default(&watched, work));
        }
    });
    let cores = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(threads);
    let each = start.elapsed().as_secs_f64() * 1e9 * cores as f64 / (threads * SPANS) as f64;
    println!("{threads:2} threads: {each:6.0} ns of a core for a span");
}
