//! Plans, shards and merges: many machines leave what one leaves.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
};

use crate::{Desk, TABLE, fails, files_in, succeeds};

/// Types of very different sizes, so that shards are not cut by number.
fn table() -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..23_i32 {
        for column in 0..=(cell_type * 7 % 19) {
            let (hex1, hex2, n) = (column / 5, column % 5, column * cell_type + 1);
            table += &format!("T{cell_type},ME,R,{hex1},{hex2},{n}\n");
        }
    }
    table + "T3,LO,L,2,2,9\n"
}

fn eyemap(desk: &Desk, arguments: &[&str]) -> Output {
    let mut command = eyemap_snapshots::eyemap();
    command.args(arguments).current_dir(desk.dir.path());
    command.output().expect("eyemap runs")
}

/// All files whose names do not begin with a dot.
fn visible(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_in(dir);
    files.retain(|name, _| !name.starts_with('.'));
    files
}

fn plan(desk: &Desk) {
    let formats = ["--format", "svg,json", "--shard-size", "20 kB"];
    let arguments = [
        &["plan", "table.csv", "-o", "plan.json", "--index"],
        &formats[..],
    ];
    succeeds(&eyemap(desk, &arguments.concat()));
}

fn shard(desk: &Desk, shard: &str, out: &str) -> Output {
    let arguments = ["render", "--plan", "plan.json", "--shard", shard, "-o", out];
    eyemap(desk, &arguments)
}

#[test]
fn the_union_of_shards_is_one_run() {
    let desk = Desk::new(&table());
    plan(&desk);
    succeeds(&desk.render(&["--format", "svg,json", "--index"]));
    let whole = visible(&desk.path("out"));
    assert!(whole.len() > 100 && whole.contains_key("index.html"));
    for n in [1, 2, 3, 7, 40] {
        let dirs: Vec<String> = (1..=n).map(|i| format!("{n}/part-{i}")).collect();
        for (dir, i) in dirs.iter().zip(1..) {
            succeeds(&shard(&desk, &format!("{i}/{n}"), dir));
        }
        let joined = format!("joined-{n}");
        let merge = |more: &[&str]| {
            let mut arguments = vec!["merge", "--plan", "plan.json", "-o", joined.as_str()];
            arguments.extend(dirs.iter().map(String::as_str).chain(more.iter().copied()));
            eyemap(&desk, &arguments)
        };
        let before: Vec<_> = dirs.iter().map(|dir| files_in(&desk.path(dir))).collect();
        succeeds(&merge(&["--index"]));
        assert!(visible(&desk.path(&joined)) == whole, "{n} shards");
        let stamp = || {
            std::fs::metadata(desk.path(&joined).join("manifest.json"))
                .expect("it")
                .modified()
        };
        let first = stamp().expect("a time");
        succeeds(&merge(&["--index"]));
        assert_eq!(stamp().expect("a time"), first, "merging again is nothing");
        let after: Vec<_> = dirs.iter().map(|dir| files_in(&desk.path(dir))).collect();
        assert!(before == after, "sources stay");
    }
}

#[test]
fn shards_into_one_directory_at_once_are_one_run_and_can_be_drawn_again() {
    let desk = Desk::new(&table());
    plan(&desk);
    succeeds(&desk.render(&["--format", "svg,json", "--index"]));
    let start = |i: u32| {
        let mut command: Command = eyemap_snapshots::eyemap();
        let shard = format!("{i}/4");
        command
            .args([
                "render",
                "--plan",
                "plan.json",
                "-o",
                "shared",
                "--shard",
                &shard,
            ])
            .current_dir(desk.dir.path());
        command
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("eyemap starts")
    };
    let children: Vec<_> = (1..=4).map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    assert!(visible(&desk.path("shared")) == visible(&desk.path("out")));
    assert!(!desk.path("shared/.eyemap-tmp").exists());
    let again = shard(&desk, "2/4", "shared");
    succeeds(&again);
    assert!(
        crate::words(&again).contains("unchanged"),
        "{}",
        crate::words(&again)
    );
    assert!(visible(&desk.path("shared")) == visible(&desk.path("out")));
}

#[test]
fn a_shard_notices_what_changed_since_the_plan() {
    let desk = Desk::new(&table());
    desk.write("eyemap.toml", "[map]\nhex_size_px = 7\n");
    let arguments = [
        "plan",
        "table.csv",
        "--config",
        "eyemap.toml",
        "-o",
        "plan.json",
    ];
    succeeds(&eyemap(&desk, &arguments));
    let again = || shard(&desk, "1/2", "part");
    succeeds(&again());
    desk.write("eyemap.toml", "[map]\nhex_size_px = 8\n");
    fails(
        &again(),
        2,
        &["the configuration", "changed since the plan", "plan again"],
    );
    desk.write(
        "eyemap.toml",
        "[map]\nhex_size_px = 7\n[stages.color.config]\ncolors = 4\n",
    );
    fails(&again(), 2, &[]);
    desk.write("eyemap.toml", "[map]\nhex_size_px = 7\n");
    succeeds(&again());
    let text = std::fs::read_to_string(desk.path("table.csv")).expect("a table");
    desk.write(
        "table.csv",
        text.replacen("T3,LO,L,2,2,9", "T3,LO,L,2,2,8", 1),
    );
    fails(
        &again(),
        2,
        &[
            "the table",
            "table.csv changed since the plan",
            "plan again",
        ],
    );
    desk.write("table.csv", &text);
    let plan = std::fs::read_to_string(desk.path("plan.json")).expect("a plan");
    desk.write("plan.json", plan.replacen("\"form\": 1", "\"form\": 7", 1));
    fails(
        &again(),
        5,
        &["plan.json is no plan", "form 7", "eyemap plan"],
    );
}

#[test]
fn arguments_may_repeat_a_plan_and_not_contradict_it() {
    let desk = Desk::new(&table());
    plan(&desk);
    let render = |more: &[&str]| {
        let arguments = [
            &[
                "render",
                "--plan",
                "plan.json",
                "--shard",
                "1/2",
                "-o",
                "part",
            ],
            more,
        ];
        eyemap(&desk, &arguments.concat())
    };
    succeeds(&render(&["--format", "svg,json", "--index"]));
    for (more, what) in [
        (&["--format", "png"][..], "--format"),
        (&["--type", "T1"], "--type"),
        (&["--range", "synapses=0:9"], "--range"),
        (&["--config", "plan.json"], "--config"),
    ] {
        fails(&render(more), 2, &[what, "contradicts the plan"]);
    }
    desk.write("other.csv", TABLE);
    fails(
        &eyemap(
            &desk,
            &["render", "other.csv", "--plan", "plan.json", "-o", "part"],
        ),
        2,
        &["the table other.csv changed"],
    );
    let copy = std::fs::read(desk.path("table.csv")).expect("a table");
    desk.write("copy.csv", copy);
    succeeds(&eyemap(
        &desk,
        &["render", "copy.csv", "--plan", "plan.json", "-o", "part"],
    ));
    fails(&render(&["--prune"]), 2, &["--prune"]);
    fails(
        &eyemap(&desk, &["render", "table.csv", "--shard", "3/2", "-o", "x"]),
        2,
        &["i/n"],
    );
    fails(&eyemap(&desk, &["render", "-o", "x"]), 2, &["TABLE"]);
}

#[test]
fn a_plan_says_what_will_be_there() {
    let desk = Desk::new(&table());
    plan(&desk);
    succeeds(&desk.render(&["--format", "svg,json", "--index"]));
    let text = std::fs::read(desk.path("plan.json")).expect("a plan");
    let plan: serde_json::Value = serde_json::from_slice(&text).expect("a plan");
    let manifest = &desk.files()["manifest.json"];
    let manifest: serde_json::Value = serde_json::from_slice(manifest).expect("a manifest");
    let maps = manifest["maps"].as_array().expect("maps");
    let blank = maps.iter().filter(|map| map["status"] == "blank").count() as u64 / 3;
    let bytes: u64 = maps.iter().filter_map(|map| map["bytes"].as_u64()).sum();
    assert_eq!(plan["maps"].as_u64(), Some(maps.len() as u64 / 3));
    assert_eq!(plan["blank"].as_u64(), Some(blank));
    let estimated = plan["bytes"].as_u64().expect("bytes");
    assert!(
        estimated < 2 * bytes && bytes < 2 * estimated,
        "{estimated}, not {bytes}"
    );
    let shards = plan["shards"].as_array().expect("shards");
    assert!(shards.len() > 3, "{}", shards.len());
    let drawn: u64 = shards
        .iter()
        .filter_map(|shard| shard["maps"].as_u64())
        .sum();
    assert_eq!(Some(drawn), plan["maps"].as_u64());
    let to_terminal = eyemap(&desk, &["plan", "table.csv", "-o", "-"]);
    succeeds(&to_terminal);
    serde_json::from_slice::<serde_json::Value>(&to_terminal.stdout).expect("a plan");
}

#[test]
fn shards_that_are_missing_or_differ_are_named() {
    let desk = Desk::new(&table());
    plan(&desk);
    succeeds(&shard(&desk, "1/3", "a"));
    succeeds(&shard(&desk, "3/3", "c"));
    let merge = |arguments: &[&str]| eyemap(&desk, &[&["merge"], arguments].concat());
    let output = merge(&["a", "c", "-o", "joined", "--plan", "plan.json"]);
    fails(
        &output,
        3,
        &["maps of the plan are missing", "of the cell types"],
    );
    // Another table, so that a map has another fingerprint.
    let text = std::fs::read_to_string(desk.path("table.csv")).expect("a table");
    desk.write(
        "table.csv",
        text.replacen("T3,LO,L,2,2,9", "T3,LO,L,2,2,8", 1),
    );
    succeeds(&desk.render(&["--format", "svg"]));
    let before = files_in(&desk.path("joined"));
    fails(
        &merge(&["out", "-o", "joined"]),
        2,
        &["T3", "is not the same in joined and in out"],
    );
    assert!(
        before == files_in(&desk.path("joined")),
        "nothing was brought"
    );
    fails(
        &merge(&["c", "out", "-o", "new"]),
        2,
        &["is not the same in"],
    );
    std::fs::create_dir(desk.path("empty")).expect("created");
    fails(
        &merge(&["empty", "-o", "new"]),
        2,
        &["empty has no manifest.json"],
    );
    fails(&merge(&["nowhere", "-o", "new"]), 2, &["nowhere"]);
}

#[test]
fn a_shard_that_was_drawn_otherwise_than_the_plan_says_is_named_with_what_differs() {
    let desk = Desk::new(&table());
    desk.write("eyemap.toml", "[map]\nhex_size_px = 7\n");
    desk.write("other.toml", "[map]\nhex_size_px = 8\n");
    let planned = ["plan", "table.csv", "--config", "eyemap.toml"];
    let plan = |more: &[&str]| succeeds(&eyemap(&desk, &[&planned, more].concat()));
    plan(&["-o", "plan.json", "--format", "svg"]);
    succeeds(&shard(&desk, "1/2", "a"));
    let render = |more: &[&str]| {
        let usual = ["render", "table.csv", "--shard", "2/2", "--format", "svg"];
        succeeds(&eyemap(&desk, &[&usual, more].concat()));
    };
    let merge = |part: &str| {
        let arguments = ["merge", "a", part, "-o", "joined", "--plan", "plan.json"];
        eyemap(&desk, &arguments)
    };
    let other = |part: &str, what: &str| {
        let told = format!("{part} is no shard of the plan");
        fails(&merge(part), 2, &[&told, what, "--plan"]);
        assert!(!desk.path("joined").exists(), "{part}");
    };
    render(&["-o", "config", "--config", "other.toml"]);
    other("config", "the configuration");
    render(&[
        "-o",
        "range",
        "--config",
        "eyemap.toml",
        "--range",
        "synapses=0:9",
    ]);
    other("range", "a colour range");
    render(&["-o", "scale", "--config", "eyemap.toml", "--scale", "2"]);
    other("scale", "the scale of PNGs (2, not 1)");
    desk.write(
        "colors.toml",
        "[map]\nhex_size_px = 7\n[stages.color.config]\nbins = 4\n",
    );
    render(&["-o", "colors", "--config", "colors.toml"]);
    other("colors", "the color plugin");
    render(&["-o", "free", "--config", "eyemap.toml"]);
    other("free", "without a plan");
    // Some maps of the plan, and some of another configuration.
    render(&["-o", "mixed", "--config", "other.toml"]);
    succeeds(&shard(&desk, "1/2", "mixed"));
    other("mixed", "the configuration");
    // Once all of it was drawn by the plan, it is of the plan.
    let all = ["render", "--plan", "plan.json", "-o", "mixed"];
    succeeds(&eyemap(&desk, &all));
    succeeds(&merge("mixed"));
    std::fs::remove_file(desk.path("a/.manifest.drawn")).expect("removed");
    fails(
        &merge("mixed"),
        2,
        &["a is no shard of the plan", "does not say"],
    );
    // Without a plan nobody asks.
    succeeds(&eyemap(&desk, &["merge", "a", "mixed", "-o", "joined"]));
}

#[test]
fn hostile_sources_are_refused_and_nothing_leaves_them() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&[
        "--type", "Mi1", "--region", "ME", "--side", "R", "--metric", "cells",
    ]));
    let text = String::from_utf8(desk.files()["manifest.json"].clone()).expect("text");
    let path = "ME_R/cells/Mi1.svg";
    desk.write("secret.svg", "secret");
    let merge = || eyemap(&desk, &["merge", "out", "-o", "joined"]);
    for (hostile, word) in [
        (
            text.replace(path, "../secret.svg"),
            "not the path of its map",
        ),
        (text.replace(path, "/etc/passwd"), "not the path of its map"),
        (
            text.replace("}\n]", ",\"archive\":\"../secret.svg\"}\n]"),
            "not the path of its map",
        ),
        (text.replace("\"form\":1", "\"form\":2"), "form 2"),
        (text.replace("\n]}", ""), "damaged"),
    ] {
        assert_ne!(hostile, text);
        desk.write("out/manifest.json", &hostile);
        fails(&merge(), 5, &[word]);
    }
    desk.write("out/manifest.json", &text);
    let file = desk.path("out").join(path);
    let bytes = std::fs::read(&file).expect("a file");
    std::fs::write(&file, "short").expect("written");
    fails(&merge(), 5, &["is not what its manifest says", "5 bytes"]);
    std::fs::remove_file(&file).expect("removed");
    fails(&merge(), 5, &["it is not there"]);
    std::os::unix::fs::symlink(desk.path("secret.svg"), &file).expect("linked");
    fails(&merge(), 5, &["it is a link"]);
    std::fs::remove_file(&file).expect("removed");
    let elsewhere = desk.path("elsewhere");
    std::fs::rename(desk.path("out/ME_R/cells"), &elsewhere).expect("moved");
    std::fs::write(elsewhere.join("Mi1.svg"), &bytes).expect("written");
    std::os::unix::fs::symlink(&elsewhere, desk.path("out/ME_R/cells")).expect("linked");
    fails(&merge(), 5, &["out/ME_R/cells is a symbolic link"]);
    assert!(!desk.path("joined/ME_R").exists());
}
