//! A worker that is gone is started again, and what it was asked is done again with the same answer.

use std::{process::Command, time::Duration};

use eyemap_abi::job::ColumnStatus;
use eyemap_engine::{
    config::StageConfig,
    plugins::{Finder, Mode},
    stage::ColorStage,
};
use eyemap_snapshots::plugin;

/// `binned-color` in a worker of its own, which may crash so often.
fn stage(crashes: u32) -> ColorStage {
    let mut finder = Finder {
        force: Some(Mode::Contained),
        ..eyemap_snapshots::finder()
    };
    // Limits are part of what a worker is known by, so that no other test has the same.
    finder.workers.limits.crashes = crashes;
    finder.workers.limits.call = Duration::from_secs(20 + u64::from(crashes));
    let config = StageConfig {
        plugin: plugin("binned-color").to_string_lossy().into_owned(),
        ..StageConfig::default()
    };
    ColorStage::load(&finder, &config).expect("a stage")
}

fn kill(stage: &ColorStage) -> u32 {
    let worker = stage.origin.plugin.worker().expect("a worker");
    let id = *worker.processes().first().expect("a process");
    let killed = Command::new("kill").args(["-9", &id.to_string()]).status();
    assert!(killed.expect("kill runs").success());
    id
}

#[test]
fn a_batch_is_done_again_by_the_next_worker() {
    let stage = stage(100);
    let scale = stage.prepare(&Default::default()).expect("a scale");
    let status = [ColumnStatus::HasData; 100];
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let expected = scale.color(&values, &status).expect("colours");
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(kill(&stage));
        assert_eq!(scale.color(&values, &status).expect("colours"), expected);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20, "each is another process");
    // What is new is made in the worker that runs; what is old is not forgotten.
    let other = stage.prepare(&Default::default()).expect("a scale");
    kill(&stage);
    assert_eq!(other.color(&values, &status).expect("colours"), expected);
    assert_eq!(scale.color(&values, &status).expect("colours"), expected);
    let notes = stage.origin.plugin.notes().join("\n");
    assert!(
        notes.contains("the worker of org.eyemap.binned-color crashed 21 times"),
        "{notes}"
    );
}

#[test]
fn after_three_crashes_it_is_not_started_again() {
    let stage = stage(3);
    let scale = stage.prepare(&Default::default()).expect("a scale");
    let status = [ColumnStatus::HasData; 2];
    for _ in 0..2 {
        kill(&stage);
        scale.color(&[1.0, 2.0], &status).expect("done again");
    }
    kill(&stage);
    for _ in 0..2 {
        let error = scale
            .color(&[1.0, 2.0], &status)
            .expect_err("given up")
            .to_string();
        for part in [
            "color plugin org.eyemap.binned-color: its worker crashed 3 times and is not started again",
            "SIGKILL",
            "while colouring 2 values",
        ] {
            assert!(error.contains(part), "no {part:?} in {error}");
        }
    }
    let worker = stage.origin.plugin.worker().expect("a worker");
    assert_eq!((worker.processes(), worker.crashes().len()), (vec![], 3));
}
