//! The plugins of `examples/plugins`: built, tested, loaded and used as those of a stranger.

use std::{fs, path::PathBuf};

use eyemap_engine::{
    Rgba, Side,
    cache::{PolicySource, ReplayOptions, Replayed, read_trace, replay},
    scene::Legend,
    stage::StageName,
};
use eyemap_snapshots::{
    finder, project,
    stranger::{build, cargo, copy_of, empty_dir},
    trial::{Trial, row_of_values},
};

/// Copies an example to where nothing is around it, runs its tests, and builds it.
fn stranger(name: &str) -> (PathBuf, PathBuf) {
    let krate = empty_dir(&format!("example-{name}"));
    copy_of(&project("examples/plugins").join(name), &krate);
    let manifest = krate.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let sdk = project("engine/sdk").canonicalize().expect("the SDK");
    let sdk = sdk.to_str().expect("UTF-8");
    assert_eq!(text.matches("../../../engine/sdk").count(), 1, "{text}");
    fs::write(&manifest, text.replace("../../../engine/sdk", sdk)).expect("written");
    for arguments in [
        &["test"][..],
        &["clippy", "--all-targets", "--", "-D", "warnings"],
    ] {
        let ended = cargo(&krate, arguments);
        assert!(ended.success, "{arguments:?}: {}", ended.said);
    }
    let library = build(&krate, name);
    (krate, library)
}

#[test]
fn the_diverging_scale_draws_both_sides_of_its_reference() {
    let (_, library) = stranger("diverging-color");
    let mut trial = Trial::default();
    trial.finder.trust_file(&library).expect("a plugin");
    let color = trial.stage(StageName::Color);
    color.plugin = library.to_string_lossy().into_owned();
    let config = serde_json::json!({ "center": 20.0, "mid": "#ffffff", "high": "#ff0000", "low": "#0000ff" });
    color.config = serde_json::from_value(config).expect("a table");
    let table = row_of_values(&[0.0, 10.0, 20.0, 40.0, 60.0]);
    let scene = trial.draw(&table, Side::Right).expect("a scene");
    let fills: Vec<String> = scene.batch().fill.iter().map(Rgba::to_string).collect();
    // The farthest value is 40 above the reference; 255 * (1 - 1/2), 3/4 and 1/2 rounded.
    assert_eq!(
        fills,
        ["#8080ff", "#bfbfff", "#ffffff", "#ff8080", "#ff0000"]
    );
    let Some(Legend { ticks, .. }) = scene.head.legend else {
        panic!("no legend");
    };
    assert_eq!(ticks, [-20.0, 0.0, 20.0, 40.0, 60.0]);
    // A wrong colour is an error at its key.
    let color = trial.stage(StageName::Color);
    color.config = serde_json::from_value(serde_json::json!({ "low": "blue" })).expect("a table");
    let error = trial.pipeline().err().expect("refused");
    assert_eq!(
        error.config_key().as_deref(),
        Some("stages.color.config.low")
    );
}

#[test]
fn two_queues_decide_the_same_in_batches_of_any_size_and_keep_more_than_first_in_first_out() {
    let (krate, library) = stranger("two-queue-cache");
    let mut finder = finder();
    finder.trust_file(&library).expect("a plugin");
    let requests = read_trace(&krate.join("trace.csv")).expect("a trace");
    let play = |name: &str, batch: usize| -> Replayed {
        let source = PolicySource::load(&finder, name, "{}").expect("a policy");
        let options = ReplayOptions {
            batch,
            ..ReplayOptions::new(127)
        };
        let played = replay(&requests, &source, &options).expect("replayed");
        assert_eq!(played.fault, None);
        assert!(played.bytes <= 127);
        played
    };
    let name = library.to_string_lossy().into_owned();
    let first = play(&name, 1);
    for batch in [7, 64, 1024] {
        assert_eq!(
            play(&name, batch).hit_bits,
            first.hit_bits,
            "batches of {batch}"
        );
    }
    let fifo = play("fifo-policy", 1);
    assert!(
        first.hits > fifo.hits,
        "{} against {}",
        first.hits,
        fifo.hits
    );
}
