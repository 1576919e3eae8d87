//! Threads that ask a contained plugin at once do not wait for one another for long.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use eyemap_abi::job::{ColumnStatus, Rgba};
use eyemap_engine::{
    config::StageConfig,
    plugins::{Finder, Mode},
    stage::ColorStage,
};
use eyemap_snapshots::broken::broken;

/// Calls of each of the two threads.
const CALLS: usize = 200;

/// How often one and two processes are compared before two are said to gain nothing.
const ROUNDS: usize = 20;

/// A stage that takes some milliseconds a call, in at most so many processes.
fn stage(dir: &Path, workers: u32, program: Option<&Path>) -> ColorStage {
    let library = broken(dir, "doze@call");
    let mut finder = Finder {
        force: Some(Mode::Contained),
        ..eyemap_snapshots::finder()
    };
    finder.trust_file(&library).expect("a plugin");
    finder.workers.limits.workers = workers;
    if let Some(program) = program {
        finder.workers.program = program.into();
    }
    let config = StageConfig {
        plugin: library.to_string_lossy().into_owned(),
        ..StageConfig::default()
    };
    ColorStage::load(&finder, &config).expect("a stage")
}

fn ask(stage: &ColorStage) -> Vec<Vec<Rgba>> {
    let scale = stage.prepare(&Default::default()).expect("a scale");
    let answers = (0..CALLS).map(|call| {
        let values = [call as f64, 1.0, 2.0];
        let colors = scale.color(&values, &[ColumnStatus::HasData; 3]);
        colors.expect("colours")
    });
    answers.collect()
}

/// Lets two threads ask at once. How long it took, and what they were answered, which is the same.
fn two_threads(stage: &ColorStage) -> (Duration, Vec<Vec<Rgba>>) {
    let begin = Instant::now();
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| ask(stage));
        let other = scope.spawn(|| ask(stage));
        (one.join().expect("answers"), other.join().expect("answers"))
    });
    assert_eq!(one, other);
    (begin.elapsed(), one)
}

fn processes(stage: &ColorStage) -> Vec<u32> {
    let worker = stage.origin.plugin.worker().expect("a worker");
    worker.processes()
}

#[test]
fn two_threads_get_a_process_each_where_one_would_keep_them_waiting() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, two) = (stage(dir.path(), 1, None), stage(dir.path(), 2, None));
    let expected = two_threads(&one).1;
    // A busy machine may hide once what a second process gains, but does so not always.
    let gained = (0..ROUNDS).any(|_| {
        let (in_turn, _) = two_threads(&one);
        let (at_once, answers) = two_threads(&two);
        assert_eq!(answers, expected);
        at_once < in_turn.mul_f64(0.8)
    });
    assert!(gained, "two processes were never quicker than one");
    assert_eq!((processes(&one).len(), processes(&two).len()), (1, 2));
    // Both are started again.
    for id in processes(&two) {
        let killed = Command::new("kill").args(["-9", &id.to_string()]).status();
        assert!(killed.expect("kill runs").success());
    }
    assert_eq!(two_threads(&two).1, expected);
    let notes = two.origin.plugin.notes().join("\n");
    assert!(notes.contains("crashed 2 times"), "{notes}");
}

#[test]
fn one_thread_needs_one_process() {
    let dir = tempfile::tempdir().expect("a directory");
    let stage = stage(dir.path(), 7, None);
    let answers = ask(&stage);
    assert_eq!(
        std::thread::scope(|scope| scope.spawn(|| ask(&stage)).join()).expect("answers"),
        answers
    );
    assert_eq!(processes(&stage).len(), 1);
}

#[test]
fn a_second_process_that_cannot_be_started_is_done_without() {
    let dir = tempfile::tempdir().expect("a directory");
    let program = dir.path().join("eyemap");
    let original = eyemap_snapshots::workers().program;
    std::fs::copy(original, &program).expect("a copy");
    let stage = stage(dir.path(), 3, Some(&program));
    std::fs::remove_file(&program).expect("it can be removed");
    two_threads(&stage);
    assert_eq!(processes(&stage).len(), 1);
    assert!(stage.origin.plugin.notes().is_empty());
}
