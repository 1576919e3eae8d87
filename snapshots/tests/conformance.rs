//! Every number that the original draws: positions, statuses, colours, values, legend ticks; and a canvas
//! that is no smaller.
//!
//! The expected tables are in `snapshots/material/conformance`; `conformance/rules.*.csv` are a smaller case
//! whose expectations were worked out by hand from the same rules.

// How much was compared is what this test has to show.
#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

/// Positions are given to a hundredth of a px.
const CLOSE_PX: f64 = 0.011;

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let file =
        std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text: Box<dyn std::io::Read> = match path.extension().is_some_and(|ending| ending == "gz") {
        true => Box::new(flate2::read::GzDecoder::new(file)),
        false => Box::new(file),
    };
    csv::Reader::from_reader(text)
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

/// The scene of each map of a case, drawn by the command with its default configuration.
struct Drawn {
    dir: tempfile::TempDir,
}

impl Drawn {
    fn of(counts: &Path, columns: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let output = eyemap_snapshots::eyemap()
            .arg("render")
            .arg(counts)
            .arg("--atlas")
            .arg(columns)
            .args(["--format", "json", "--out"])
            .arg(dir.path())
            .output()
            .expect("eyemap runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self { dir }
    }

    fn scene(&self, row: &Row) -> Value {
        let metric = match row["metric"].as_str() {
            "synapse_density" => "synapses",
            "cell_count" => "cells",
            other => other,
        };
        let stem = eyemap_engine::name::file_stem(&row["cell_type"]);
        let path = format!("{}_{}/{metric}/{stem}.json", row["region"], row["side"]);
        let bytes = std::fs::read(self.dir.path().join(&path)).expect(&path);
        serde_json::from_slice(&bytes).expect("a scene")
    }
}

fn map_of(row: &Row) -> [String; 4] {
    ["cell_type", "region", "side", "metric"].map(|key| row[key].clone())
}

/// Differences between a case and what is drawn, and how many things were compared.
fn compare(counts: &Path, columns: &Path, maps: &Path, hexagons: &Path) -> (Vec<String>, usize) {
    let drawn = Drawn::of(counts, columns);
    let mut expected: BTreeMap<[String; 4], Vec<Row>> = BTreeMap::new();
    for row in rows(hexagons) {
        expected.entry(map_of(&row)).or_default().push(row);
    }
    let (mut differences, mut compared) = (Vec::new(), 0);
    for map in rows(maps) {
        let scene = drawn.scene(&map);
        let name = map_of(&map).join(" ");
        let mut differ = |what: String| differences.push(format!("{name}: {what}"));
        compared += canvas(&map, &scene, &mut differ);
        let hexagons = expected.remove(&map_of(&map)).unwrap_or_default();
        let found = scene["hexagons"].as_array().expect("hexagons");
        if found.len() != hexagons.len() || map["hexagons"] != found.len().to_string() {
            differ(format!(
                "{} hexagons, expected {}",
                found.len(),
                hexagons.len()
            ));
        }
        for (row, hexagon) in hexagons.iter().zip(found) {
            compared += compare_hexagon(row, hexagon, &mut differ);
        }
    }
    assert!(
        expected.is_empty(),
        "hexagons of maps that are not listed: {:?}",
        expected.keys()
    );
    (differences, compared)
}

fn canvas(map: &Row, scene: &Value, differ: &mut dyn FnMut(String)) -> usize {
    for (key, column) in [("width", "width"), ("height", "height")] {
        let expected: f64 = map[column].parse().expect("a number");
        // What stands beside the map makes it larger, and never smaller.
        if scene[key].as_f64().expect("a number") < expected - CLOSE_PX {
            differ(format!("{key} {} for at least {expected}", scene[key]));
        }
    }
    let legend = &scene["legend"];
    for (key, column) in [
        ("ticks", "legend_ticks"),
        ("layer_ticks", "layer_legend_ticks"),
    ] {
        let found = rounded(&legend[key]);
        if found != map[column] {
            differ(format!("{key} {found:?} for {:?}", map[column]));
        }
    }
    if legend.is_null() != map["legend_ticks"].is_empty() {
        differ(format!("legend {legend}"));
    }
    4
}

/// Exact ticks, rounded half to even as pictures show them.
fn rounded(ticks: &Value) -> String {
    let tick = |tick: &Value| {
        tick.as_f64()
            .expect("a number")
            .round_ties_even()
            .to_string()
    };
    let ticks = ticks.as_array().map(Vec::as_slice).unwrap_or_default();
    ticks.iter().map(tick).collect::<Vec<_>>().join(" ")
}

fn compare_hexagon(row: &Row, hexagon: &Value, differ: &mut dyn FnMut(String)) -> usize {
    let column = format!("column {},{}", row["hex1"], row["hex2"]);
    let mut equal = |what: &str, found: String, expected: &str| {
        if found != expected {
            differ(format!("{column}: {what} {found} for {expected}"));
        }
    };
    equal("hex1", hexagon["hex1"].to_string(), &row["hex1"]);
    equal("hex2", hexagon["hex2"].to_string(), &row["hex2"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    equal("status", text(&hexagon["status"]), &row["status"]);
    equal("fill", text(&hexagon["fill"]), &row["fill"]);
    let has_data = row["status"] == "has_data";
    let value = if has_data {
        hexagon["value"].to_string()
    } else {
        String::new()
    };
    let expected = if has_data { row["value"].as_str() } else { "" };
    equal("value", value, expected);
    let layers = hexagon["layers"].as_array().expect("layers");
    let join = |key: &str| {
        let plain = |layer: &Value| layer[key].to_string().replace(['"', '#'], "");
        layers.iter().map(plain).collect::<Vec<_>>().join(" ")
    };
    equal(
        "layer fills",
        join("fill"),
        &row["layer_fills"].replace('#', ""),
    );
    equal("layer values", join("value"), &row["layer_values"]);
    for key in ["x", "y"] {
        let expected: f64 = row[key].parse().expect("a number");
        if (hexagon[key].as_f64().expect("a number") - expected).abs() > CLOSE_PX {
            equal(key, hexagon[key].to_string(), &row[key]);
        }
    }
    9
}

fn agree(case: &str, (differences, compared): (Vec<String>, usize), at_least: usize) {
    println!(
        "{case}: {} differences in {compared} comparisons",
        differences.len()
    );
    let first = differences
        .iter()
        .take(10)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{case}: {} differences\n{first}",
        differences.len()
    );
    assert!(compared >= at_least, "{case}: only {compared} comparisons");
}

fn as_the_original(case: &str, at_least: usize) {
    let dir = eyemap_snapshots::material("conformance").join(case);
    let file = |name: &str| dir.join(name);
    let found = compare(
        &file("counts.csv.gz"),
        &file("columns.csv.gz"),
        &file("expected_maps.csv.gz"),
        &file("expected_hexagons.csv.gz"),
    );
    agree(case, found, at_least);
}

#[test]
fn toy_maps_are_those_of_the_original() {
    as_the_original("toy", 5_000);
}

#[test]
fn degenerate_maps_are_those_of_the_original() {
    as_the_original("degenerate", 6_000);
}

#[test]
fn maps_of_the_whole_optic_lobe_are_those_of_the_original() {
    as_the_original("optic-lobe", 280_000);
}

#[test]
fn the_rules_worked_out_by_hand_hold() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let file = |name: &str| dir.join(format!("rules.{name}.csv"));
    let found = compare(
        &file("counts"),
        &file("columns"),
        &file("maps"),
        &file("hexagons"),
    );
    agree("rules", found, 250);
}

#[test]
fn the_comparison_notices_a_difference() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let wrong = tempfile::NamedTempFile::new().expect("a file");
    let hexagons = std::fs::read_to_string(dir.join("rules.hexagons.csv")).expect("hexagons");
    let changed = hexagons
        .replacen("#fc9272", "#ef6548", 1)
        .replacen("has_data", "no_data", 1);
    std::fs::write(wrong.path(), changed).expect("written");
    let file = |name: &str| dir.join(format!("rules.{name}.csv"));
    let (differences, _) = compare(
        &file("counts"),
        &file("columns"),
        &file("maps"),
        wrong.path(),
    );
    assert!(differences.len() >= 2, "{differences:?}");
}
