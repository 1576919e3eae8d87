//! Every document that crosses the boundary says its version, here and in a worker.

use eyemap_abi::{
    PluginError,
    abi_stable::std_types::{RResult, RSlice, RStr, RString},
    ids,
    job::{ColorJob, ColorNeeds, CoordinateJob, MetadataJob},
};
use eyemap_engine::{
    config::StageConfig,
    plugins::{Finder, Mode, Plugin},
    stage::{ColorStage, MetadataStage},
};
use serde_json::{Value, json};

fn finder(mode: Mode) -> Finder {
    Finder {
        force: Some(mode),
        ..eyemap_snapshots::finder()
    }
}

fn answer<T>(answer: RResult<T, PluginError>) -> T {
    answer.into_result().expect("an answer")
}

fn document(text: &RString) -> Value {
    serde_json::from_str(text.as_str()).expect("JSON")
}

/// The libraries of the bundle.
fn libraries() -> Vec<String> {
    let dir = eyemap_snapshots::build_dir().join("plugins");
    let entries = std::fs::read_dir(&dir).expect("the bundle").flatten();
    let paths = entries.map(|entry| entry.path());
    let libraries = paths.filter(|path| path.extension().is_some_and(|end| end == "so"));
    libraries
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

/// What a plugin says of its stages, as it says it, and to jobs of which versions: with none, as was sent
/// before forms said theirs, with 0, with ours and with one to come.
fn said(plugin: &Plugin) -> Vec<Value> {
    let nothing = RStr::from_str("{}");
    let jobs = |mut job: Value| {
        let mut jobs = vec![job.clone()];
        job.as_object_mut().expect("an object").remove("version");
        jobs.push(job.clone());
        for version in [0, 2] {
            job["version"] = json!(version);
            jobs.push(job.clone());
        }
        jobs.into_iter().map(|job| job.to_string())
    };
    let as_json = |job: serde_json::Result<Value>| job.expect("JSON");
    let mut said = Vec::new();
    for id in &plugin.manifest.extensions {
        match id.as_str() {
            ids::COORDINATE => {
                let created = plugin.create_coordinate(nothing, RSlice::EMPTY);
                let stage = answer(created.expect("a stage"));
                for job in jobs(as_json(serde_json::to_value(CoordinateJob::default()))) {
                    let prepared = answer(stage.prepare(RStr::from_str(&job)));
                    said.push(document(&answer(prepared.describe())));
                }
            }
            ids::COLOR => {
                let stage = answer(
                    plugin
                        .create_color(nothing, RSlice::EMPTY)
                        .expect("a stage"),
                );
                said.push(document(&answer(stage.needs())));
                for job in jobs(as_json(serde_json::to_value(ColorJob::default()))) {
                    let prepared = answer(stage.prepare(RStr::from_str(&job)));
                    said.push(document(&answer(prepared.describe())));
                }
            }
            ids::METADATA => {
                let created = plugin.create_metadata(nothing, RSlice::EMPTY);
                let stage = answer(created.expect("a stage"));
                for job in jobs(as_json(serde_json::to_value(MetadataJob::default()))) {
                    let prepared = answer(stage.prepare(RStr::from_str(&job)));
                    said.push(document(&answer(prepared.describe())));
                }
            }
            _ => {}
        }
    }
    said
}

#[test]
fn what_plugins_say_has_a_version_and_does_not_depend_on_the_jobs() {
    for mode in [Mode::Trusted, Mode::Contained] {
        let mut heard = 0;
        for library in libraries() {
            let plugin = finder(mode).load(&library).expect("a plugin");
            let said = said(plugin);
            for one in &said {
                assert_eq!(one["version"], 1, "{library} {mode:?}: {one}");
            }
            // Of the four versions of a job, whatever comes before them.
            for four in said.rchunks_exact(4) {
                assert!(four.iter().all(|one| *one == four[0]), "{library} {mode:?}");
            }
            heard += said.len();
        }
        assert!(heard >= 13, "{heard} documents were heard");
    }
}

#[test]
fn what_the_host_says_has_a_version() {
    for mode in [Mode::Trusted, Mode::Contained] {
        let finder = finder(mode);
        let config = |plugin: &str| StageConfig {
            plugin: plugin.into(),
            ..StageConfig::default()
        };
        let color = ColorStage::load(&finder, &config("binned-color")).expect("a stage");
        let metadata = MetadataStage::load(&finder, &config("column-metadata")).expect("a stage");
        let scale = color.prepare(&ColorJob::default()).expect("a scale");
        let texts = metadata.prepare(&MetadataJob::default()).expect("texts");
        for job in [&scale.job, &texts.job] {
            let job: Value = serde_json::from_str(job).expect("JSON");
            assert_eq!(job["version"], 1, "{mode:?}: {job}");
        }
        assert_ne!(color.needs, ColorNeeds::default(), "it was heard");
    }
}
