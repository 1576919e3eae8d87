//! From `eyemap plugin new` to a map, as somebody who has nothing but the command and cargo.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use eyemap_snapshots::{
    desk::{fails, succeeds},
    eyemap, library, project,
    stranger::{cargo, empty_dir, share_target, shell},
};
use serde_json::Value;

fn new_in(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = eyemap();
    command.args(["plugin", "new"]).args(arguments);
    command.current_dir(dir).output().expect("eyemap runs")
}

/// A crate, and the commands that were needed so far.
struct Journey {
    krate: PathBuf,
    commands: usize,
}

impl Journey {
    /// `eyemap plugin new` in an empty directory, and what it says comes next, as it is printed and with
    /// nothing but the command and cargo: the crate has the SDK in it.
    fn begin(stage: &str) -> Self {
        let dir = empty_dir(&format!("new-{stage}"));
        let name = format!("iris-{stage}");
        let made = new_in(&dir, &[&name, "--stage", stage]);
        succeeds(&made);
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        let (_, next) = said.split_once("From here to a map:\n").expect("commands");
        let next: Vec<&str> = next.lines().take_while(|line| !line.is_empty()).collect();
        assert!(next.len() >= 4, "{said}");
        let krate = dir.join(&name);
        no_path_leads_out_of(&krate);
        share_target(&krate);
        let elsewhere = dir.join("elsewhere");
        let ended = shell(&dir, &next.join("\n"), &elsewhere);
        assert!(ended.success, "{said}\n{}", ended.said);
        assert!(krate.join("maps/ME_R/synapses/Tm3.svg").is_file());
        assert!(!elsewhere.exists(), "it was built where nobody looks");
        Self {
            krate,
            commands: 1 + next.len(),
        }
    }

    /// One more command of eyemap, inside the crate.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = eyemap();
        command.args(arguments).current_dir(&self.krate);
        let output = command.output().expect("eyemap runs");
        succeeds(&output);
        output
    }

    /// Draws the sample table, and returns the map of Tm3.
    fn map(&self) -> Value {
        assert!(self.commands <= 6, "{} commands", self.commands);
        let (table, out) = ("table.csv", "maps");
        self.run(&[
            "render",
            table,
            "--config",
            "eyemap.toml",
            "--out",
            out,
            "--format",
            "json,svg",
        ]);
        let svg = self.krate.join("maps/ME_R/synapses/Tm3.svg");
        assert!(fs::read_to_string(svg).expect("a map").starts_with("<svg"));
        let json = fs::read(self.krate.join("maps/ME_R/synapses/Tm3.json"));
        serde_json::from_slice(&json.expect("a map")).expect("JSON")
    }
}

/// A crate that is given to somebody else builds there too.
fn no_path_leads_out_of(krate: &Path) {
    for manifest in ["Cargo.toml", "vendor/eyemap-sdk/Cargo.toml"] {
        let text = fs::read_to_string(krate.join(manifest)).expect("a manifest");
        let paths = text.lines().filter_map(|line| line.split_once("path = \""));
        let paths: Vec<&str> = paths
            .filter_map(|(_, rest)| rest.split('"').next())
            .collect();
        assert_eq!(paths.len(), 1, "{text}");
        let to = krate.join(manifest).with_file_name(paths[0]);
        let to = to.canonicalize().expect("a directory");
        assert!(
            to.starts_with(krate.canonicalize().expect("a crate")),
            "{to:?}"
        );
    }
}

fn hexagons(map: &Value) -> &Vec<Value> {
    let hexagons = map["hexagons"].as_array().expect("hexagons");
    assert_eq!(hexagons.len(), 61);
    hexagons
}

#[test]
fn a_new_colour_plugin_draws_passes_its_tests_and_has_no_warnings() {
    let journey = Journey::begin("color");
    let map = journey.map();
    let mut dark = 0;
    for hexagon in hexagons(&map) {
        // `at = 30` in the eyemap.toml of the template.
        let is_dark = hexagon["value"].as_f64().expect("a value") > 30.0;
        let expected = if is_dark { "#a50f15" } else { "#fee5d9" };
        assert_eq!(hexagon["fill"], expected, "{hexagon}");
        dark += u32::from(is_dark);
    }
    assert!((10..50).contains(&dark), "{dark} are dark");
    for arguments in [
        &["test"][..],
        &["clippy", "--all-targets", "--", "-D", "warnings"],
    ] {
        let ended = cargo(&journey.krate, arguments);
        assert!(ended.success, "{arguments:?}: {}", ended.said);
    }
    // Its own tests can fail: another colour is another answer.
    let lib = journey.krate.join("src/lib.rs");
    let text = fs::read_to_string(&lib).expect("lib.rs");
    fs::write(&lib, text.replace("0xfe, 0xe5, 0xd9", "0xfe, 0xe5, 0xd8")).expect("written");
    let ended = cargo(&journey.krate, &["test"]);
    assert!(!ended.success);
    assert!(
        ended.said.contains("-2: value -1: #fee5d9"),
        "{}",
        ended.said
    );
}

#[test]
fn a_new_coordinate_plugin_turns_the_map() {
    let journey = Journey::begin("coordinate");
    let map = journey.map();
    let place = |hex1: i64, hex2: i64| {
        let found = hexagons(&map)
            .iter()
            .find(|hexagon| hexagon["hex1"] == hex1 && hexagon["hex2"] == hex2);
        let found = found.expect("a hexagon");
        [&found["x"], &found["y"]].map(|px| px.as_f64().expect("px"))
    };
    // Turned by 30 degrees, one step of hex2 leads straight to the right.
    let ([x0, y0], [x1, y1]) = (place(18, 18), place(18, 19));
    assert!((x1 - x0 - 11.43).abs() < 0.02, "{x0} to {x1}");
    assert!((y1 - y0).abs() < 0.02, "{y0} to {y1}");
}

#[test]
fn a_new_metadata_plugin_writes_title_and_tooltips() {
    let journey = Journey::begin("metadata");
    let map = journey.map();
    assert_eq!(map["title"], "synapses of Tm3");
    assert_eq!(map["legend"]["title"], "T-bars");
    for hexagon in hexagons(&map) {
        let (hex1, hex2, value) = (&hexagon["hex1"], &hexagon["hex2"], &hexagon["value"]);
        let large = value.as_f64().expect("a value") > 100.0;
        let end = if large { " (large)" } else { "" };
        assert_eq!(
            hexagon["tooltip"],
            format!("{hex1}, {hex2}: T-bars {value}{end}")
        );
    }
}

#[test]
fn a_new_cache_policy_is_used_by_a_run_and_by_a_replay() {
    let journey = Journey::begin("cache");
    journey.map();
    let policy = format!("./target/release/{}", library("iris-cache"));
    let output = journey.run(&[
        "cache",
        "simulate",
        "--trace",
        "trace.csv",
        "--config",
        "eyemap.toml",
        "--capacity",
        "10%",
        "--policy",
        &policy,
        "fifo-policy",
        "--json",
    ]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = told.to_string();
    let replayed = told["runs"].as_array().unwrap_or_else(|| panic!("{text}"));
    let hits = |i: usize| {
        replayed[i]["hits"]
            .as_u64()
            .unwrap_or_else(|| panic!("{text}"))
    };
    assert_eq!(replayed.len(), 2, "{text}");
    // What was asked for twice since its last round stays: more hits than first in, first out.
    assert!(hits(0) > hits(1) && hits(1) > 0, "{text}");
}

#[test]
fn a_directory_a_name_a_stage_and_an_sdk_that_will_not_do_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let refuses =
        |arguments: &[&str], parts: &[&str]| fails(&new_in(dir.path(), arguments), 2, parts);
    for name in [
        "../x",
        "a/b",
        "",
        "Rose",
        "fn",
        "a\u{202e}b",
        "a\nb",
        "<b>x</b>",
        "core",
    ] {
        refuses(
            &["--stage", "color", "--", name],
            &["a plugin cannot be called", "such as rose-color"],
        );
    }
    refuses(
        &["rose", "--stage", "colour"],
        &["stages are color, coordinate, metadata, cache"],
    );
    refuses(&["rose"], &["--stage"]);
    refuses(
        &["rose", "--stage", "color", "--id", "rose"],
        &["\"rose\" is no id of a plugin"],
    );
    refuses(
        &["rose", "--stage", "color", "--path", "no/such"],
        &["there is no directory no"],
    );
    refuses(
        &["rose", "--stage", "color", "--sdk-version", "latest"],
        &["\"latest\" is no version"],
    );
    let core = project("engine/core").to_string_lossy().into_owned();
    refuses(
        &["rose", "--stage", "color", "--sdk", &core],
        &["is not the crate eyemap-sdk", "\"eyemap-engine\""],
    );
    refuses(
        &["rose", "--stage", "color", "--sdk", "no-such"],
        &["is not the crate eyemap-sdk"],
    );
    let left = fs::read_dir(dir.path()).expect("a directory").count();
    assert_eq!(left, 0, "a refusal leaves nothing behind");

    succeeds(&new_in(dir.path(), &["rose", "--stage", "color"]));
    let made = fs::read_to_string(dir.path().join("rose/Cargo.toml")).expect("a manifest");
    let vendored = "eyemap-sdk = { path = \"vendor/eyemap-sdk\"";
    assert!(made.contains(vendored), "{made}");
    let mut unbuilt = eyemap();
    unbuilt
        .args([
            "render",
            "table.csv",
            "--config",
            "eyemap.toml",
            "-o",
            "maps",
        ])
        .current_dir(dir.path().join("rose"));
    let build = "cargo build --release --target-dir target";
    fails(
        &unbuilt.output().expect("eyemap runs"),
        2,
        &["cannot read the plugin", build],
    );
    refuses(
        &["rose", "--stage", "cache"],
        &["rose is there already, and is not empty"],
    );
    let kept = fs::read_to_string(dir.path().join("rose/Cargo.toml")).expect("a manifest");
    assert_eq!(made, kept);
}
