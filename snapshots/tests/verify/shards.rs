//! Many machines find what one finds; what nothing draws any more is known when all are together.

use eyemap_snapshots::desk::Desk;
use serde_json::Value;

use crate::{
    approved, edit, fails, files_in, finding, json, listed, paths, succeeds, verify, words,
};

/// Types of which some will change, one comes and one goes.
fn table() -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..9 {
        for column in 0..4 {
            let n = 10 * column + cell_type;
            table += &format!("T{cell_type},ME,R,{column},2,{n}\n");
        }
    }
    table
}

/// Several things changed since it was approved.
fn changed() -> Desk {
    let desk = approved(&table(), &["--format", "svg,png", "--keep", "6"]);
    edit(&desk, "table.csv", "T3,ME,R,2,2,23", "T3,ME,R,2,2,13");
    edit(&desk, "table.csv", "T5,ME,R,1,2,15", "T5,ME,R,1,2,16");
    let gone = table();
    let gone: String = gone
        .lines()
        .filter(|row| row.starts_with("T7"))
        .map(|row| format!("{row}\n"))
        .collect();
    edit(&desk, "table.csv", &gone, "Tx,ME,R,1,2,5\n");
    desk.write("snapshots/references/stray.txt", "");
    desk
}

/// Compares all shards and gives the directories.
fn shards(desk: &Desk) -> Vec<Value> {
    let parts = (1..=3).map(|i| {
        let (shard, out) = (format!("{i}/3"), format!("part-{i}"));
        let output = verify(desk, &["--shard", &shard, "--out", &out, "--guard", "0"]);
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 1 | 3)),
            "{code:?} {}",
            words(&output)
        );
        json(desk, &format!("{out}/findings.json"))
    });
    parts.collect()
}

const MERGE: [&str; 6] = ["merge", "part-1", "part-2", "part-3", "--out", "joined"];

#[test]
fn shards_find_together_what_one_run_finds() {
    let desk = changed();
    let before = files_in(&desk.path("snapshots"));
    let output = verify(&desk, &["--out", "whole", "--guard", "0"]);
    assert_eq!(output.status.code(), Some(1));
    let whole = json(&desk, "whole/findings.json");
    let parts = shards(&desk);
    for part in &parts {
        let orphans = listed(part)
            .iter()
            .filter(|one| one["verdict"] == "orphaned");
        assert_eq!(orphans.count(), 0, "a shard knows of no orphans");
        assert!(part["amounts"]["compared"].as_u64().is_some_and(|n| n > 0));
    }
    let undecided = parts.iter().filter_map(|part| part["undecided"].as_array());
    assert_eq!(undecided.map(Vec::len).sum::<usize>(), 3);
    let output = verify(&desk, &MERGE);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(json(&desk, "joined/findings.json") == whole);
    assert_eq!(
        files_in(&desk.path("joined/pending")),
        files_in(&desk.path("whole/pending"))
    );
    assert_eq!(
        std::fs::read(desk.path("joined/junit.xml")).expect("it"),
        std::fs::read(desk.path("whole/junit.xml")).expect("it")
    );
    assert_eq!(
        finding(&whole, "ME_R/synapses/T7.svg")["verdict"],
        "orphaned"
    );
    assert_eq!(
        finding(&whole, "references/stray.txt")["verdict"],
        "orphaned"
    );
    assert!(
        files_in(&desk.path("snapshots")) == before,
        "shards write elsewhere"
    );
}

#[test]
fn what_shards_found_is_accepted_from_the_joined_directory() {
    let desk = changed();
    shards(&desk);
    assert_eq!(verify(&desk, &MERGE).status.code(), Some(1));
    let output = verify(&desk, &["accept", "--pending", "joined"]);
    succeeds(&output);
    assert_eq!(
        words(&output),
        format!(
            "{} artifacts approved, 3 removed",
            paths(&json(&desk, "joined/findings.json")).len() - 3
        )
    );
    succeeds(&verify(&desk, &[]));
    assert!(!desk.path("snapshots/references/stray.txt").exists());
    // Joined again, the parts are of references that are no more.
    fails(
        &verify(&desk, &MERGE),
        2,
        &["compared with other references"],
    );
}

#[test]
fn parts_that_do_not_go_together_are_refused() {
    let desk = changed();
    shards(&desk);
    let merge = |parts: &[&str]| verify(&desk, &[&["merge"], parts, &["--out", "joined"]].concat());
    let all = "compare all shards 1/n to n/n";
    fails(
        &merge(&["part-1", "part-3"]),
        2,
        &["shard 2/3 is missing", all],
    );
    fails(
        &merge(&["part-1", "part-2", "part-2", "part-3"]),
        2,
        &["shard 2/3 is there twice", all],
    );
    fails(
        &merge(&["part-1", "part-2", "nowhere"]),
        2,
        &["nowhere/findings.json"],
    );
    let output = verify(&desk, &["--shard", "1/2", "--out", "half", "--guard", "0"]);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)));
    fails(
        &merge(&["part-1", "part-2", "half"]),
        2,
        &["not all parts are of 3 shards"],
    );
    verify(
        &desk,
        &[
            "--shard",
            "3/3",
            "--out",
            "tolerant",
            "--tolerance-place",
            "0.1",
            "--guard",
            "0",
        ],
    );
    fails(
        &merge(&["part-1", "part-2", "tolerant"]),
        2,
        &["another tolerance"],
    );
    let output = verify(
        &desk,
        &["merge", "part-1", "part-2", "part-3", "--out", "part-1"],
    );
    fails(
        &output,
        2,
        &["part-1 is one of the parts", "another directory with --out"],
    );
    let mut other = json(&desk, "part-3/findings.json");
    other["manifest"] = "0".repeat(32).into();
    desk.write("part-3/findings.json", other.to_string());
    fails(
        &merge(&["part-1", "part-2", "part-3"]),
        2,
        &["compared with other references than shard"],
    );
    desk.write("part-3/findings.json", "{}");
    fails(
        &merge(&["part-1", "part-2", "part-3"]),
        5,
        &["part-3/findings.json", "cannot be understood"],
    );
    assert!(!desk.path("joined").exists());
}

#[test]
fn wrong_shards_are_refused() {
    let desk = approved(&table(), &[]);
    fails(&verify(&desk, &["--shard", "1/3"]), 2, &["--out"]);
    for shard in ["0/3", "4/3", "1/0", "x"] {
        fails(
            &verify(&desk, &["--shard", shard, "--out", "x"]),
            2,
            &["--shard"],
        );
    }
}
