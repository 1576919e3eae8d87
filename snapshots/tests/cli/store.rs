//! The store of encoded maps and what is left alone: only what changed is drawn, whatever happens to
//! the store meanwhile.

use std::{process::Stdio, time::Duration};

use serde_json::Value;

use crate::{Desk, fails, files_in, stderr, succeeds, words};

/// Cell types in one region, each with a few columns; `salt` changes the values of the last one.
fn table(types: usize, salt: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        let salt = if cell_type + 1 == types { salt } else { 0 };
        for column in 0..30 {
            let value = column * (cell_type + 1) + salt;
            table += &format!("T{cell_type},ME,R,{},{},{value}\n", column / 6, column % 6);
        }
    }
    table
}

/// A desk with an explicit atlas: a derived one changes with any type.
pub(crate) fn desk(types: usize) -> Desk {
    let desk = Desk::new(&table(types, 0));
    let mut atlas = "region,side,hex1,hex2\n".to_owned();
    for column in 0..30 {
        atlas += &format!("ME,R,{},{}\n", column / 6, column % 6);
    }
    desk.write("atlas.csv", atlas);
    // What `auto` keeps depends on measured time, and so on how busy the machine is.
    desk.write("on.toml", "[cache.artifacts]\nmode = \"on\"\n");
    desk
}

pub(crate) const ATLAS: [&str; 2] = ["--atlas", "atlas.csv"];

/// Pictures, into a store that keeps all of them.
pub(crate) const STORED: [&str; 6] = ["--format", "png", "--store", "store", "--config", "on.toml"];

/// Renders, and returns the summary for machines.
pub(crate) fn summary(desk: &Desk, more: &[&str]) -> Value {
    let output = desk.render(&[&ATLAS[..], &["--json"], more].concat());
    succeeds(&output);
    serde_json::from_slice(&output.stdout).expect("a summary")
}

/// Drawn anew, left as they were, taken from the store.
pub(crate) fn counts(summary: &Value) -> [u64; 3] {
    let count = |name: &str| summary[name].as_u64().expect(name);
    [
        count("rendered") + count("blank"),
        count("unchanged"),
        count("from_store"),
    ]
}

fn cache(desk: &Desk, arguments: &[&str]) -> Value {
    let mut command = eyemap_snapshots::eyemap();
    let output = command
        .arg("cache")
        .args(arguments)
        .args(["--store", "store", "--json"])
        .current_dir(desk.dir.path())
        .output()
        .expect("eyemap runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn after_a_change_of_one_type_that_type_alone_is_drawn() {
    let desk = desk(20);
    assert_eq!(
        counts(&summary(&desk, &["--format", "svg,png"])),
        [20, 0, 0]
    );
    assert_eq!(
        counts(&summary(&desk, &["--format", "svg,png"])),
        [0, 20, 0]
    );
    desk.write("table.csv", table(20, 7));
    // The last of 20 types is 5 %.
    assert_eq!(
        counts(&summary(&desk, &["--format", "svg,png"])),
        [1, 19, 0]
    );
    let updated = desk.files();
    assert_eq!(
        counts(&summary(&desk, &["--format", "svg,png", "--force"])),
        [20, 0, 0]
    );
    assert!(
        desk.files() == updated,
        "drawing all again gives the same bytes"
    );
    let words = words(&desk.render(&[&ATLAS[..], &["--format", "svg,png"]].concat()));
    assert!(words.contains("20 maps unchanged"), "{words}");
}

#[test]
fn a_file_that_somebody_changed_or_removed_is_drawn_again() {
    let desk = desk(4);
    summary(&desk, &[]);
    let drawn = desk.files();
    let path = |name: &str| desk.path("out/ME_R/synapses").join(name);
    let mut edited = std::fs::read(path("T1.svg")).expect("a map");
    edited[100] ^= 1;
    std::fs::write(path("T1.svg"), &edited).expect("edited, with the same length");
    std::fs::remove_file(path("T2.svg")).expect("removed");
    assert_eq!(counts(&summary(&desk, &[])), [2, 2, 0]);
    assert!(desk.files() == drawn);
    // Without the stamps nothing is known of the files.
    std::fs::remove_file(desk.path("out/.manifest.stamps")).expect("removed");
    assert_eq!(counts(&summary(&desk, &[])), [4, 0, 0]);
    // Another scale is another picture, for PNG alone.
    assert_eq!(
        counts(&summary(&desk, &["--format", "svg", "--scale", "2"])),
        [0, 4, 0]
    );
}

#[test]
fn when_nothing_changed_not_even_the_table_is_read() {
    let desk = desk(3);
    // The first run is not noted if the table was written just before it.
    std::thread::sleep(Duration::from_millis(200));
    summary(&desk, &[]);
    let table = desk.path("table.csv");
    let written = std::fs::metadata(&table)
        .and_then(|file| file.modified())
        .expect("a time");
    // Spoilt in place, with its length and its time: only whoever reads it notices.
    let len = std::fs::metadata(&table).expect("a table").len();
    std::fs::write(&table, "x".repeat(usize::try_from(len).expect("small"))).expect("spoilt");
    let file = std::fs::File::options()
        .append(true)
        .open(&table)
        .expect("a table");
    file.set_modified(written).expect("set");
    assert_eq!(counts(&summary(&desk, &[])), [0, 3, 0]);
    // A picture that is gone, another configuration or `--force` lead back to the table.
    fails(
        &desk.render(&[&ATLAS[..], &["--force"]].concat()),
        2,
        &["table.csv"],
    );
    fails(
        &desk.render(&[&ATLAS[..], &["--scale", "2"]].concat()),
        2,
        &["table.csv"],
    );
    std::fs::remove_file(desk.path("out/ME_R/synapses/T1.svg")).expect("removed");
    fails(&desk.render(&ATLAS), 2, &["table.csv"]);
}

#[test]
fn another_directory_is_filled_from_the_store() {
    let desk = desk(10);
    let store = STORED;
    assert_eq!(counts(&summary(&desk, &store)), [10, 0, 0]);
    let drawn = desk.files();
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    desk.write("table.csv", table(10, 7));
    let found = summary(&desk, &store);
    assert_eq!(counts(&found), [1, 9, 9]);
    assert_eq!(found["caches"]["artifacts"]["hits"], 9);
    desk.write("table.csv", table(10, 0));
    assert_eq!(counts(&summary(&desk, &store)), [0, 10, 1]);
    assert!(desk.files() == drawn);
    let stats = cache(&desk, &["stats"]);
    assert_eq!(
        (&stats["artifacts"], &stats["hits"], &stats["puts"]),
        (&11.into(), &10.into(), &11.into())
    );
    assert_eq!(cache(&desk, &["warm", "--bytes", "1 MiB"])["artifacts"], 11);
    assert_eq!(cache(&desk, &["verify"])["sound"], 11);
    assert_eq!(cache(&desk, &["clear"])["removed"], 11);
    assert_eq!(cache(&desk, &["stats"])["artifacts"], 0);
}

pub(crate) const POLICIES: [&str; 10] = [
    "lru",
    "ttl",
    "size-weighted",
    "fifo",
    "sieve",
    "s3-fifo",
    "arc",
    "w-tinylfu",
    "gdsf-cost",
    "quick",
];

#[test]
fn the_policy_is_swapped_by_toml_alone_and_changes_no_picture() {
    let desk = desk(24);
    summary(&desk, &["--format", "svg,png,json"]);
    let drawn = desk.files();
    for policy in POLICIES {
        // So small that entries leave all the time.
        desk.write(
            "eyemap.toml",
            format!(
                "[cache]\npolicy = \"{policy}\"\nmode = \"on\"\ncapacity = \"32 KiB\"\nttl = \"1h\"\n\
                 [cache.artifacts]\nstore = \"store-{policy}\"\ncapacity = \"20 KiB\"\n"
            ),
        );
        for round in 0..2 {
            std::fs::remove_dir_all(desk.path("out")).expect("removed");
            let found = summary(
                &desk,
                &["--format", "svg,png,json", "--config", "eyemap.toml"],
            );
            assert!(desk.files() == drawn, "{policy}, round {round}");
            let caches = &found["caches"];
            assert_eq!(caches["colors"]["policy"], policy);
            assert_eq!(caches["colors"]["fault"], Value::Null, "{policy}");
            // `quick` is built into memory; a store then keeps its usual policy.
            let decides = if policy == "quick" {
                "gdsf-cost"
            } else {
                policy
            };
            assert_eq!(caches["artifacts"]["policy"], decides);
            let held = caches["artifacts"]["bytes"].as_u64().expect("bytes");
            assert!(held <= 20 << 10, "{policy}: {held} bytes");
            let count = |cache: &str, key: &str| caches[cache][key].as_u64().expect(key);
            // The second run takes what the store has, and asks for fewer texts.
            let left = count("colors", "evictions") + count("metadata", "evictions");
            assert!(left > 0 || round > 0, "{policy}, round {round}: {caches}");
            let left = count("artifacts", "evictions") + count("artifacts", "refused");
            assert!(left > 0, "{policy}, round {round}: {caches}");
            let told = found["notes"]
                .to_string()
                .contains("gdsf-cost decides in the store");
            assert_eq!(told, policy == "quick", "{found}");
        }
    }
}

/// A configuration with a fixture as the policy of every cache, also of the store.
fn misled_by(example: &str, options: &str) -> String {
    let library = eyemap_snapshots::trial::example(example);
    let bytes = std::fs::read(&library).expect("the fixture");
    let id = eyemap_engine::plugins::read_manifest(&library, &bytes)
        .expect("its manifest")
        .id;
    format!(
        "[plugins.by_id.\"{id}\"]\ntrust = true\n\
         [cache]\npolicy = \"{}\"\npolicy_options = {options}\nmode = \"on\"\ncapacity = \"8 KiB\"\n\
         [cache.artifacts]\nstore = \"store\"\ncapacity = \"16 KiB\"\n",
        library.display()
    )
}

#[test]
fn a_policy_that_misbehaves_costs_no_map_and_is_named() {
    // An interactive map needs the room of two others.
    const FORMATS: &str = "svg,png,json";
    let desk = desk(12);
    summary(&desk, &["--format", FORMATS]);
    let drawn = desk.files();
    let wrongs = [
        "not-resident",
        "beyond",
        "twice",
        "too-few",
        "none",
        "more-than-places",
        "error",
        "slow",
    ];
    let hostile = wrongs.map(|does| ("hostile_policies", format!("{{ does = \"{does}\" }}")));
    let failing = ["insert", "decide"]
        .map(|at| ("failing_policy", format!("{{ at = \"{at}\", after = 2 }}")));
    for (example, options) in hostile.into_iter().chain(failing) {
        desk.write("eyemap.toml", misled_by(example, &options));
        for left in ["out", "store"] {
            std::fs::remove_dir_all(desk.path(left)).ok();
        }
        let found = summary(&desk, &["--format", FORMATS, "--config", "eyemap.toml"]);
        assert!(desk.files() == drawn, "{options}");
        assert_eq!(found["failed"], 0, "{options}");
        let faults =
            ["colors", "metadata", "artifacts"].map(|cache| &found["caches"][cache]["fault"]);
        let named = faults
            .iter()
            .filter_map(|fault| fault.as_str())
            .all(|fault| fault.contains(example));
        assert!(
            named && faults.iter().any(|fault| fault.is_string()),
            "{options}: {faults:?}"
        );
        let held = found["caches"]["artifacts"]["bytes"].as_u64();
        assert!(held <= Some(16 << 10), "{options}: {held:?}");
        // The store that it left is sound, and another policy takes it over.
        assert_eq!(cache(&desk, &["verify"])["damaged"], 0, "{options}");
    }
    // In words, too.
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    let output = desk.render(&[&ATLAS[..], &["--config", "eyemap.toml"]].concat());
    let words = words(&output);
    assert!(
        words.contains("failed, and the oldest entry went first from then on"),
        "{words}"
    );
    assert!(words.contains("asked to panic in decide"), "{words}");
}

#[test]
fn quick_cannot_decide_over_files() {
    let desk = desk(1);
    desk.write(
        "eyemap.toml",
        "[cache.artifacts]\nstore = \"store\"\npolicy = \"quick\"\n",
    );
    let output = desk.render(&["--config", "eyemap.toml"]);
    fails(
        &output,
        2,
        &[
            "cache.artifacts.policy",
            "quick",
            "name a plugin, such as gdsf-cost",
            "eyemap.toml:3",
        ],
    );
}

#[test]
fn a_store_that_cannot_be_used_is_told_and_the_render_goes_on() {
    let desk = desk(3);
    summary(&desk, &[]);
    let drawn = desk.files();
    desk.write("store", "a file where the directory should be");
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    let output = desk.render(&[&ATLAS[..], &["--store", "store"]].concat());
    succeeds(&output);
    let words = words(&output);
    assert!(words.contains("the store store cannot be used"), "{words}");
    assert!(words.contains("nothing is stored"), "{words}");
    assert!(desk.files() == drawn);
}

#[test]
fn two_processes_share_a_store() {
    let desk = desk(150);
    let spawn = |out: &str| {
        let mut command = eyemap_snapshots::eyemap();
        command
            .args(["render", "table.csv", "-o", out])
            .args(STORED)
            .args(ATLAS)
            .current_dir(desk.dir.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("eyemap starts")
    };
    let mut children = [spawn("out"), spawn("other")];
    for child in &mut children {
        assert!(child.wait().expect("it ends").success());
    }
    assert!(files_in(&desk.path("out")) == files_in(&desk.path("other")));
    let found = cache(&desk, &["verify"]);
    assert_eq!(
        (&found["sound"], &found["damaged"], &found["orphans"]),
        (&150.into(), &0.into(), &0.into())
    );
}

/// Maps after which a run is killed: a sequence that looks random and is the same each time.
fn moments(types: usize) -> impl Iterator<Item = usize> {
    let mut state = 1u64;
    std::iter::from_fn(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        Some((state >> 33) as usize % types)
    })
}

#[test]
fn fifty_kills_lose_nothing_that_was_noted_and_serve_no_wrong_byte() {
    let desk = desk(400);
    let store = STORED;
    let mut kept = 0;
    let mut hit = 0;
    for (kill, after) in moments(400).take(50).enumerate() {
        let _ = std::fs::remove_dir_all(desk.path("out"));
        let mut command = eyemap_snapshots::eyemap();
        let child = command
            .args(["render", "table.csv", "-o", "out"])
            .args(ATLAS)
            .args(store)
            .current_dir(desk.dir.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("eyemap starts");
        // Not after a time, so that kills hit on any machine.
        hit += u32::from(super::kills::kill(&desk, child, after));
        // What the journal notes was in the store before: this and all earlier runs told so.
        let journal = std::fs::read_to_string(desk.path("out/.manifest.journal.jsonl"));
        let noted = journal.unwrap_or_default().matches('\n').count() as u64;
        kept = kept.max(noted);
        if kill % 10 == 9 && desk.path("store/log").exists() {
            let found = cache(&desk, &["verify"]);
            assert_eq!(found["damaged"], 0, "{found}");
            assert!(
                found["sound"].as_u64() >= Some(kept),
                "{found}, {kept} were noted"
            );
        }
        // Not everything, so that later runs have something to draw.
        if kill % 17 == 16 && desk.path("store/log").exists() {
            cache(&desk, &["clear"]);
            kept = 0;
        }
    }
    assert!(hit >= 40, "{hit} kills of 50 hit a run that was drawing");
    let _ = std::fs::remove_dir_all(desk.path("out"));
    let with_store = summary(&desk, &store);
    assert_eq!(counts(&with_store)[0] + counts(&with_store)[1], 400);
    assert!(counts(&with_store)[2] >= kept);
    let found = desk.files();
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    summary(&desk, &["--format", "png"]);
    assert!(desk.files() == found, "the same bytes as without a store");
}

#[test]
fn a_full_disk_under_the_store_costs_no_map() {
    let desk = desk(40);
    summary(&desk, &["--format", "png"]);
    let drawn = desk.files();
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    let script = "mkdir -p store && mount -t tmpfs -o size=60k none store && \
        \"$EYEMAP\" render table.csv -o out --atlas atlas.csv --format png --store store --config on.toml; code=$?; \
        \"$EYEMAP\" cache verify --store store --json > verified; exit $code";
    let Some(output) = crate::on_a_small_disk(&desk, script, "verified") else {
        return;
    };
    succeeds(&output);
    let told = words(&output);
    assert!(
        told.contains("artifacts could not be put into the store store: No space left"),
        "{told}"
    );
    assert!(desk.files() == drawn);
    let verified = std::fs::read(desk.path("verified")).expect("verified");
    let verified: Value = serde_json::from_slice(&verified).expect("JSON");
    assert_eq!(verified["damaged"], 0, "{verified}");
    assert!(verified["sound"].as_u64() > Some(0), "{verified}");
    assert!(
        verified["sound"].as_u64() < Some(40),
        "{verified}: the disk was not full"
    );
}
