//! Plugins of another time than their host: older ones, and those of a time to come.

use std::{collections::BTreeMap, path::Path, process::Command};

use eyemap_snapshots::desk::{Desk, TABLE, succeeds};
use serde_json::Value;

use crate::collection::{Museum, PLUGINS, Told, answers};

/// Extension that only a time to come knows.
const DECORATION: &str = "eyemap.decoration/1";

/// A plugin that was used for all that it was built for.
fn works(told: &Told, time: &str, plugin: &str, id: &str) {
    let told = &told[&format!("{time}/{plugin}")];
    assert!(answers(told, id).is_some(), "{time}/{plugin}, {id}: {told}");
    assert!(
        answers(told, "eyemap.describe/1").is_some(),
        "{time}/{plugin}: {told}"
    );
    let stage = id.split(['.', '/']).nth(1).expect("a stage");
    let vectors = told["vectors"][format!("{stage}.default")].as_str();
    assert!(
        vectors.is_some_and(|text| text.lines().count() > 20),
        "{time}/{plugin}: {told}"
    );
}

#[test]
fn plugins_of_every_revision_that_git_has_work_in_this_host() {
    let museum = Museum::open();
    let told = museum.load("trusted", &museum.names());
    let times = museum.revisions();
    if times.is_empty() {
        eyemap_snapshots::skipped("this checkout has no history, so no plugins of before");
    }
    for time in times {
        for (plugin, id) in PLUGINS {
            works(&told, time, plugin, id);
        }
    }
}

#[test]
fn plugins_of_today_work() {
    let museum = Museum::open();
    let told = museum.load("trusted", &museum.names());
    for (plugin, id) in PLUGINS {
        works(&told, "today", plugin, id);
    }
}

#[test]
fn manifests_and_ids_of_a_time_to_come_do_not_hide_what_this_host_knows() {
    let museum = Museum::open();
    let told = museum.load("trusted", &museum.names());
    let two = &told["by hand/museum_two_colors"];
    let first = &told["by hand/museum_first_manifest"];
    for id in [DECORATION, "eyemap.color/2"] {
        assert_eq!(two["extensions"][id], "not known to this host");
    }
    let colors = answers(two, "eyemap.color/1").expect("colours");
    assert_eq!(colors["job"]["rgba"].as_array().expect("colours").len(), 7);
    // The stage is the same; what the manifests say differs.
    assert_eq!(answers(first, "eyemap.color/1"), Some(colors));
    assert_eq!((&two["sdk"], &first["sdk"]), (&"9.1.0".into(), &"".into()));
}

#[test]
fn this_command_draws_with_plugins_of_every_time() {
    let museum = Museum::open();
    let command = std::env::var_os("EYEMAP_BIN").expect("EYEMAP_BIN");
    let command = Path::new(&command);
    let today = drawn(&museum, command, "today");
    for time in museum.revisions() {
        alike(&drawn(&museum, command, time), &today);
    }
}

/// Maps by file.
type Maps = BTreeMap<String, Value>;

/// Whether the same columns were drawn, each with a colour and a tooltip. Which of them is the plugins' own
/// business: they may change from release to release.
fn alike(one: &Maps, other: &Maps) {
    assert!(one.keys().eq(other.keys()) && one.len() >= 6);
    for (file, one) in one {
        let (one, other) = (columns(one), columns(&other[file]));
        assert_eq!(one, other, "{file}");
        assert!(!one.is_empty(), "{file}");
    }
}

fn columns(map: &Value) -> Vec<(i64, i64)> {
    let hexagons = map["hexagons"].as_array().expect("hexagons").iter();
    hexagons
        .map(|hexagon| {
            let text = |key: &str| hexagon[key].as_str().unwrap_or_default();
            assert!(text("fill").starts_with('#') && !text("tooltip").is_empty());
            let number = |key: &str| hexagon[key].as_i64().expect("a number");
            (number("hex1"), number("hex2"))
        })
        .collect()
}

/// Draws a table with the three stages of a time.
fn drawn(museum: &Museum, command: &Path, time: &str) -> Maps {
    let desk = Desk::new(TABLE);
    let mut config = String::new();
    for (plugin, id) in &PLUGINS[..3] {
        let stage = id.split(['.', '/']).nth(1).expect("a stage");
        let path = museum.pieces[&format!("{time}/{plugin}")].display();
        config += &format!(
            "[plugins.by_id.\"org.eyemap.{plugin}\"]\ntrust = true\n\
             [stages.{stage}]\nplugin = \"{path}\"\n"
        );
    }
    desk.write("eyemap.toml", config);
    let output = Command::new(command)
        .args([
            "render",
            "table.csv",
            "-o",
            "out",
            "--config",
            "eyemap.toml",
        ])
        .args(["--format", "json"])
        .env("NO_COLOR", "1")
        .env_remove("EYEMAP_PLUGIN_PATH")
        .current_dir(desk.dir.path())
        .output()
        .expect("it runs");
    succeeds(&output);
    let files = desk.files().into_iter();
    files
        .filter(|(name, _)| name.ends_with(".json") && name.contains('/'))
        .map(|(name, bytes)| (name, serde_json::from_slice(&bytes).expect("a map")))
        .collect()
}
