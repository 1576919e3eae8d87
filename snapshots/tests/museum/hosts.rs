//! Plugins of another time than their host: an older plugin in a newer host, and the reverse.

use std::{collections::BTreeMap, path::Path, process::Command};

use eyemap_snapshots::desk::{Desk, TABLE, succeeds};
use serde_json::Value;

use crate::collection::{Museum, PLUGINS, Told, answers, refusal};

/// Extension that only the newer time knows.
const DECORATION: &str = "eyemap.decoration/1";
/// Times in which a cache policy exported a draft.
const CACHE_DRAFTS: [&str; 2] = ["abi-stages", "abi-cache-draft"];

/// Whether a plugin of a time exports its stage in the published form.
fn is_published(time: &str, id: &str) -> bool {
    id != "eyemap.cache/1" || !CACHE_DRAFTS.contains(&time)
}

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
    let told = museum.load("today", "trusted", &museum.names());
    let (times, left_out) = (museum.revisions(), &museum.left_out);
    assert!(times.len() + left_out.len() >= 3, "{times:?}, {left_out:?}");
    for time in times {
        for (plugin, id) in PLUGINS {
            if is_published(time, id) {
                works(&told, time, plugin, id);
            }
        }
    }
}

#[test]
fn plugins_of_a_newer_sdk_work_in_this_host_as_todays() {
    let museum = Museum::open();
    let told = museum.load("today", "trusted", &museum.names());
    for (plugin, id) in PLUGINS {
        works(&told, "today", plugin, id);
        works(&told, "newer", plugin, id);
        let (today, newer) = (
            &told[&format!("today/{plugin}")],
            &told[&format!("newer/{plugin}")],
        );
        assert_eq!(newer["extensions"][DECORATION], "not known to this host");
        assert_eq!(answers(newer, id), answers(today, id), "{plugin}");
        assert_eq!(newer["vectors"], today["vectors"], "{plugin}");
    }
}

#[test]
fn manifests_and_ids_of_a_time_to_come_do_not_hide_what_this_host_knows() {
    let museum = Museum::open();
    let told = museum.load("today", "trusted", &museum.names());
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
fn a_newer_host_gets_from_every_plugin_what_this_one_gets() {
    let museum = Museum::open();
    let today = museum.load("today", "trusted", &museum.names());
    let newer = museum.load("newer", "trusted", &museum.names());
    for (name, newer) in &newer {
        let today = &today[name];
        assert_eq!(newer["refused"].is_null(), today["refused"].is_null());
        let asked = today["extensions"].as_object().into_iter().flatten();
        for (id, told) in asked.filter(|(id, _)| *id != DECORATION) {
            assert_eq!(answers(newer, id), told.get("answers"), "{name}, {id}");
        }
        assert_eq!(newer["vectors"], today["vectors"], "{name}");
        assert_eq!(decorated(newer), name.starts_with("newer/"), "{name}");
    }
}

/// Whether the extension that only the newer time knows was found, and used.
fn decorated(told: &Value) -> bool {
    if let Some(answer) = answers(told, DECORATION) {
        assert_eq!(answer, "a frame");
        return true;
    }
    let text = refusal(told, DECORATION).expect("refused");
    // Another plugin's extension of that name has another layout.
    let expected = match told["id"] == "org.eyemap.museum.two-colors" {
        true => "does not fit this host",
        false => "is no eyemap.decoration/1",
    };
    assert!(
        text.contains(expected) || told["refused"].is_string(),
        "{text}"
    );
    false
}

#[test]
fn an_older_command_draws_with_plugins_of_today_and_of_a_time_to_come() {
    let museum = Museum::open();
    let commands: Vec<_> = museum
        .hosts
        .iter()
        .filter(|(_, path)| path.ends_with("eyemap"))
        .collect();
    assert!(
        !commands.is_empty() || !museum.left_out.is_empty(),
        "no older command"
    );
    for (time, command) in commands {
        let own = drawn(&museum, command, time);
        let today = drawn(&museum, command, "today");
        alike(&own, &today);
        // Sources of the plugins are the same; what they were built against is not.
        assert_eq!(today, drawn(&museum, command, "newer"), "{time}");
    }
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
    assert_eq!(drawn(&museum, command, "newer"), today);
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
