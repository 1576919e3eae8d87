//! A contained plugin gives the same answers, to the byte.

use eyemap_abi::abi_stable::std_types::RSlice;
use eyemap_engine::{
    plugins::{Finder, Mode},
    stage::StageName,
    verify::golden::vectors,
};
use eyemap_snapshots::trial::{Trial, example, row_of_values};
use serde_json::json;

fn finder(mode: Mode) -> Finder {
    Finder {
        force: Some(mode),
        ..eyemap_snapshots::finder()
    }
}

#[test]
fn golden_vectors_of_every_plugin_are_the_same_in_a_worker() {
    let dir = eyemap_snapshots::build_dir().join("plugins");
    let mut asked = 0;
    for entry in std::fs::read_dir(&dir).expect("the bundle").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "so") {
            continue;
        }
        let path = path.to_string_lossy();
        let here = vectors(&finder(Mode::Trusted), &path, &[]).expect("answers here");
        let there = vectors(&finder(Mode::Contained), &path, &[]).expect("answers in a worker");
        assert_eq!(here, there, "{path}");
        asked += here.len();
    }
    assert!(asked >= 12, "{asked} stages and policies were asked");
}

#[test]
fn a_worker_serves_all_three_stages_of_a_map() {
    let table = row_of_values(&[1.0, 20.0, 3e5]);
    let draw = |mode| {
        let mut trial = Trial::default();
        trial.finder.force = Some(mode);
        let scene = trial
            .draw(&table, eyemap_engine::Side::Right)
            .expect("a scene");
        format!("{scene:?}")
    };
    assert_eq!(draw(Mode::Trusted), draw(Mode::Contained));
}

#[test]
fn an_error_and_a_panic_are_told_in_the_same_words() {
    for config in [
        json!({ "at": "create", "how": "error" }),
        json!({ "at": "prepare" }),
        json!({ "at": "call" }),
        json!({ "unknown": 1 }),
    ] {
        let fail = |mode| {
            let mut trial = Trial::default().with(StageName::Color, "misbehaving", config.clone());
            trial.finder.force = Some(mode);
            let drawn = trial.draw(&row_of_values(&[1.0]), eyemap_engine::Side::Right);
            let error = drawn.expect_err("a failure");
            (error.to_string(), error.help(), error.config_key())
        };
        assert_eq!(fail(Mode::Trusted), fail(Mode::Contained), "{config}");
    }
}

#[test]
fn an_extension_of_another_layout_is_refused_alone_and_in_the_same_words() {
    let told = |mode| {
        let mut finder = finder(mode);
        let library = example("other_layout");
        finder.trust_file(&library).expect("a manifest");
        let plugin = finder.load(&library.to_string_lossy());
        let plugin = plugin.expect("it can be loaded");
        let described = plugin
            .describe()
            .map(|described| described.extensions.len());
        let refused = plugin.create_color("{}".into(), RSlice::EMPTY).err();
        (
            described.map_err(|error| error.to_string()),
            refused.expect("another layout").to_string(),
        )
    };
    let (described, refused) = told(Mode::Contained);
    assert_eq!(described, Ok(0));
    assert!(
        refused.contains("member:   eyemap.color/1 ColorExtension"),
        "{refused}"
    );
    assert_eq!(told(Mode::Trusted), (described, refused));
}
