//! What does it cost that a plugin is contained, and how soon is it back after a crash?
//!
//! The same colour stage in this process and in a worker, by turns within one run. Targets: a batch of 1,000
//! values in at most 15 us; a crash noticed within 2 ms; started again and the batch done again within
//! 20 ms. Then whole runs of the command, 240 maps of 900 columns without caches, with none, one and all three
//! of the stages contained, by turns. This program is its own worker.

#![allow(clippy::print_stdout, missing_docs)]

use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput};
use eyemap_abi::job::{ColorJob, ColumnStatus, Statistics};
use eyemap_benches::{command::Eyemap, file, measure, table};
use eyemap_engine::{
    config::StageConfig,
    plugins::{Finder, Mode, WORKER_ARGUMENT, Workers, serve_worker},
    stage::{ColorStage, Scale},
};
use rustix::process::{Pid, Signal, kill_process};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
const MAPS: usize = 240;
const COLUMNS: usize = 900;
const ROUNDS: usize = 9;
/// Crashes that are provoked; a worker would be given up after three.
const CRASHES: u32 = 60;

fn ok<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

fn finder(mode: Mode) -> Finder {
    let mut workers = Workers::default();
    workers.limits.crashes = CRASHES + 1;
    Finder {
        force: Some(mode),
        workers,
        ..eyemap_benches::finder()
    }
}

fn stage(mode: Mode) -> ColorStage {
    let config = StageConfig {
        plugin: "binned-color".into(),
        ..StageConfig::default()
    };
    ok(ColorStage::load(&finder(mode), &config))
}

fn prepared(stage: &ColorStage) -> Scale<'_> {
    let statistics = Statistics {
        min: Some(0.0),
        max: Some(5000.0),
        ..Statistics::default()
    };
    ok(stage.prepare(&ColorJob {
        statistics,
        ..ColorJob::default()
    }))
}

fn batch(n: usize) -> (Vec<f64>, Vec<ColumnStatus>) {
    let values = (0..n).map(|i| (i * 37 % 5000) as f64).collect();
    (values, vec![ColumnStatus::HasData; n])
}

fn batches(criterion: &mut Criterion) {
    let (here, there) = (stage(Mode::Trusted), stage(Mode::Contained));
    let (here, there) = (prepared(&here), prepared(&there));
    let mut group = criterion.benchmark_group("contained");
    for n in SIZES {
        let (values, status) = batch(n);
        assert_eq!(
            ok(here.color(&values, &status)),
            ok(there.color(&values, &status))
        );
        group.throughput(Throughput::Elements(n as u64));
        for (name, scale) in [("in process", &here), ("worker", &there)] {
            group.bench_function(BenchmarkId::new(name, n), |bencher| {
                bencher.iter(|| black_box(ok(scale.color(black_box(&values), &status))));
            });
        }
        let (mut process, mut worker) = (Vec::new(), Vec::new());
        for _ in 0..2_000_000 / (n + 1_000) {
            process.push(timed(&here, &values, &status));
            worker.push(timed(&there, &values, &status));
        }
        let (process, worker) = (median(process), median(worker));
        println!("contained/{n}: median in a worker {worker:.2?}, in process {process:.2?}");
    }
    group.finish();
}

fn timed(scale: &Scale<'_>, values: &[f64], status: &[ColumnStatus]) -> Duration {
    let start = Instant::now();
    black_box(ok(scale.color(black_box(values), status)));
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Kills the worker between two batches and within one, and says how long it took.
fn crashes() {
    let stage = stage(Mode::Contained);
    let scale = prepared(&stage);
    let worker = stage.origin.plugin.worker().expect("a worker");
    // Not to be asked for while a call is under way.
    let process = || {
        let id = worker.processes().first().map(|&id| id as i32);
        id.and_then(Pid::from_raw).expect("a process")
    };
    let send = |id, signal| {
        let at = Instant::now();
        ok(kill_process(id, signal));
        at
    };
    let (values, status) = batch(1_000);
    let expected = ok(scale.color(&values, &status));
    let redone = (0..CRASHES / 2).map(|_| {
        let killed = send(process(), Signal::KILL);
        assert_eq!(ok(scale.color(&values, &status)), expected);
        killed.elapsed()
    });
    let redone = redone.collect();
    let noticed = (0..CRASHES / 2).map(|_| {
        // A worker that is stopped is one that is at work for long.
        let id = process();
        send(id, Signal::STOP);
        std::thread::scope(|scope| {
            let killer = scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(5));
                send(id, Signal::KILL)
            });
            let asked = Instant::now();
            assert_eq!(ok(scale.color(&values, &status)), expected);
            let killed = killer.join().expect("killed");
            let seen = worker.crashes().last().map(|crash| asked + crash.after);
            seen.expect("a crash").saturating_duration_since(killed)
        })
    });
    let noticed = noticed.collect();
    println!("contained/crash noticed: median {:.2?}", median(noticed));
    println!(
        "contained/restart and redo of 1000: median {:.2?}",
        median(redone)
    );
}

/// What containing costs a whole run.
fn runs() {
    const STAGES: [&str; 3] = ["binned-color", "hex-coordinates", "column-metadata"];
    let eyemap = Eyemap::built();
    let (kept, table) = file(&table(MAPS, COLUMNS));
    let configs = [0, 1, 3].map(|contained| {
        let tables = STAGES[..contained]
            .iter()
            .map(|id| format!("[plugins.by_id.{id}]\nmode = \"contained\"\n"));
        let text = format!("[cache]\nmode = \"off\"\n{}", tables.collect::<String>());
        let name = format!("{contained}.toml");
        ok(std::fs::write(kept.path().join(&name), text));
        (contained, name)
    });
    for jobs in ["1", "2"] {
        let mut times = configs.each_ref().map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for ((_, config), times) in configs.iter().zip(&mut times) {
                times.push(eyemap.render_ms(&table, kept.path(), config, jobs));
            }
        }
        let each = times.map(|times| MAPS as f64 / measure::median(times) * 1e3);
        for ((contained, _), speed) in configs.iter().zip(each) {
            println!(
                "contained/run, {jobs} threads: {contained} stages contained: {speed:.0} maps/s, {:.2} of them",
                speed / each[0]
            );
        }
    }
}

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == WORKER_ARGUMENT)
    {
        return serve_worker();
    }
    let mut criterion = Criterion::default().configure_from_args();
    batches(&mut criterion);
    if !std::env::args().any(|argument| argument == "--test") {
        crashes();
        runs();
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}
