//! What is drawn, and where it goes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Desk, TABLE, files_in, succeeds, words};

#[test]
fn every_map_of_a_table_is_drawn_and_listed() {
    let desk = Desk::new(TABLE);
    let output = desk.render(&["--format", "svg,json", "--index"]);
    succeeds(&output);
    // Two types; ME on both sides and LO on the left; two metrics.
    assert!(
        words(&output).contains("12 maps (4 blank)"),
        "{}",
        words(&output)
    );
    let manifest = manifest(&desk);
    let maps = manifest["maps"].as_array().expect("maps");
    assert_eq!(
        maps.len(),
        12 * 3,
        "svg, json, and svg-static for the index"
    );
    let files = desk.files();
    for map in maps {
        let path = map["path"].as_str().expect("a path");
        assert_eq!(
            files[path].len() as u64,
            map["bytes"].as_u64().expect("bytes"),
            "{path}"
        );
        assert_eq!(map["fingerprint"].as_str().map(str::len), Some(32));
        assert!(map["error"].is_null());
    }
    let blank = |map: &&Value| map["status"] == "blank";
    assert_eq!(maps.iter().filter(blank).count(), 4 * 3);
    assert!(
        files
            .keys()
            .all(|name| !name.ends_with(".tmp") && !name.contains("journal"))
    );
    assert!(String::from_utf8_lossy(&files["index.html"]).contains("12 eyemaps of 2 cell types"));
}

fn manifest(desk: &Desk) -> Value {
    serde_json::from_slice(&desk.files()["manifest.json"]).expect("a manifest")
}

#[test]
fn null_zero_and_absent_are_three_things() {
    let desk = Desk::new(&TABLE.replace("Mi1,ME,R,5,6,0,20,2", "Mi1,ME,R,5,6,0,0,2"));
    succeeds(&desk.render(&["--format", "json"]));
    let hexagons = |path: &str| {
        desk.scene(path)["hexagons"]
            .as_array()
            .cloned()
            .expect("hexagons")
    };
    let mi1 = hexagons("ME_R/synapses/Mi1.json");
    let status: Vec<_> = mi1
        .iter()
        .map(|h| (h["status"].clone(), h["value"].clone()))
        .collect();
    assert_eq!(
        status,
        [
            ("has_data".into(), 10.into()),
            ("has_data".into(), 0.into()),
            ("unknown".into(), Value::Null)
        ]
    );
    assert_eq!(
        mi1[2]["tooltip"],
        "Column: 6, 6\nSynapse count: unknown\nROI: ME (right)"
    );
    assert_eq!(mi1[2]["layers"], Value::Array(Vec::new()));
    let tm3 = hexagons("ME_R/synapses/Tm3.json");
    assert_eq!(tm3[1]["status"], "no_data");
    let left = hexagons("ME_L/synapses/Tm3.json");
    assert_eq!(left[1]["status"], "not_in_region");
    assert_eq!(
        left[1]["tooltip"],
        "Column: 5, 7\nColumn not identified in ME (left)"
    );
}

#[test]
fn filters_and_threads_do_not_change_a_byte() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&["--format", "svg,png,json", "--jobs", "1"]));
    let all = desk.files();
    for (out, arguments) in [
        ("two", &["--jobs", "2"][..]),
        (
            "some",
            &[
                "--type", "Mi*", "--region", "ME", "--side", "R", "--metric", "cells",
            ][..],
        ),
    ] {
        let mut command = eyemap_snapshots::eyemap();
        command.args(["render", "table.csv", "-o", out, "--format", "svg,png,json"]);
        let output = command
            .args(arguments)
            .current_dir(desk.dir.path())
            .output();
        succeeds(&output.expect("eyemap runs"));
        let mut some = files_in(&desk.path(out));
        if out == "two" {
            assert_eq!(some, all);
            continue;
        }
        let manifest = some.remove("manifest.json").expect("a manifest");
        assert_eq!(
            some.iter()
                .filter(|(name, _)| name.ends_with("svg"))
                .count(),
            1
        );
        some.iter()
            .for_each(|(name, bytes)| assert_eq!(bytes, &all[name], "{name}"));
        let lines = String::from_utf8_lossy(&manifest).into_owned();
        let all_lines = String::from_utf8_lossy(&all["manifest.json"]).into_owned();
        let known: BTreeSet<&str> = all_lines.lines().map(|l| l.trim_end_matches(',')).collect();
        assert!(
            lines
                .lines()
                .all(|l| known.contains(l.trim_end_matches(','))),
            "{lines}"
        );
    }
}

#[test]
fn a_later_run_merges_and_only_prune_deletes() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&["--type", "Mi1"]));
    let first = desk.files();
    succeeds(&desk.render(&["--type", "Tm3"]));
    let both = desk.files();
    assert!(first.keys().all(|name| both.contains_key(name)));
    assert_eq!(manifest(&desk)["maps"].as_array().map(Vec::len), Some(12));
    succeeds(&desk.render(&["--type", "Tm3", "--prune"]));
    let pruned = desk.files();
    assert!(
        pruned.keys().all(|name| !name.contains("Mi1")),
        "{:?}",
        pruned.keys()
    );
    assert_eq!(manifest(&desk)["maps"].as_array().map(Vec::len), Some(6));
}

#[test]
fn hostile_names_stay_inside_and_apart() {
    let names = [
        "../../etc/passwd",
        "R1&R6<script>alert(1)</script>",
        "🪰",
        "aMe17e",
        "AME17e",
        "con",
        "PEN_b(PEN2)",
        "PEN_b_PEN2",
        "]]>",
        "a\"b'c",
        "..",
        "-rf",
        "Tergopleural/Pleural promotor MN",
    ];
    let long = "x".repeat(300);
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for name in names.iter().copied().chain([long.as_str()]) {
        table += &format!("\"{}\",ME,R,1,1,5\n", name.replace('"', "\"\""));
    }
    let desk = Desk::new(&table);
    succeeds(&desk.render(&["--format", "svg,svg-static,json,png", "--index"]));
    let files = desk.files();
    let lower: BTreeSet<_> = files.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), files.len(), "two files differ only in case");
    let pictures = files
        .keys()
        .filter(|name| name.starts_with("ME_R/synapses/"))
        .count();
    assert_eq!(pictures, (names.len() + 1) * 4);
    assert_eq!(
        std::fs::read_dir(desk.dir.path()).expect("listed").count(),
        2,
        "table and out"
    );
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        if name.ends_with("svg") || name.ends_with("html") {
            assert!(!text.contains("<script>alert"), "{name}");
        }
        if let Some(scene) = name
            .ends_with(".json")
            .then(|| serde_json::from_slice::<Value>(bytes))
        {
            assert!(scene.is_ok(), "{name}");
        }
    }
    let encoded = "ME_R/synapses/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd~0.json";
    assert_eq!(desk.scene(encoded)["cell_type"], "../../etc/passwd");
}

#[test]
fn real_data_of_the_medulla_is_drawn() {
    let out = tempfile::tempdir().expect("a directory");
    let sample = eyemap_snapshots::project("examples/nern2024");
    let output = eyemap_snapshots::eyemap()
        .arg("render")
        .arg(sample.join("cells.csv"))
        .arg("--config")
        .arg(sample.join("eyemap.toml"))
        .args(["--format", "json", "-o"])
        .arg(out.path())
        .output()
        .expect("eyemap runs");
    succeeds(&output);
    let path = out.path().join("ME_R/cells/Mi1.json");
    let scene: Value = serde_json::from_slice(&std::fs::read(path).expect("Mi1")).expect("a scene");
    let hexagons = scene["hexagons"].as_array().expect("hexagons");
    let value = |h: &Value| h["value"].as_u64();
    assert_eq!(hexagons.len(), 892);
    assert_eq!(
        hexagons.iter().filter_map(value).sum::<u64>(),
        887,
        "cells of type Mi1"
    );
}

#[test]
fn a_summary_for_machines_is_json() {
    let desk = Desk::new(TABLE);
    let output = desk.render(&["--json"]);
    succeeds(&output);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&summary["rendered"], &summary["blank"], &summary["failed"]),
        (&8.into(), &4.into(), &0.into())
    );
    assert!(
        summary["memory_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 1_000_000)
    );
    assert!(output.stderr.is_empty(), "{}", crate::stderr(&output));
}

#[test]
fn two_runs_at_once_leave_a_manifest_that_is_true() {
    let desk = Desk::new(TABLE);
    for _ in 0..8 {
        let start = |range: &str| {
            let mut command = eyemap_snapshots::eyemap();
            command.args([
                "render",
                "table.csv",
                "-o",
                "out",
                "--format",
                "svg,json",
                "--range",
                range,
            ]);
            command
                .stderr(std::process::Stdio::null())
                .current_dir(desk.dir.path());
            command.spawn().expect("eyemap starts")
        };
        let runs = [start("synapses=0:100"), start("synapses=0:1000")];
        for mut run in runs {
            assert!(run.wait().expect("it ends").success());
        }
        let files = desk.files();
        for map in manifest(&desk)["maps"].as_array().expect("maps") {
            let path = map["path"].as_str().expect("a path");
            assert_eq!(
                Some(files[path].len() as u64),
                map["bytes"].as_u64(),
                "{path}"
            );
        }
        assert!(
            files
                .keys()
                .all(|name| !name.contains("journal") && !name.ends_with(".tmp"))
        );
    }
}
