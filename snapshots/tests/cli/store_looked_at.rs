//! Looking at a store, with and without its configuration.

use serde_json::Value;

use super::store::{desk, summary};
use crate::{Desk, fails, files_in, succeeds};

#[test]
fn looking_at_a_store_that_is_not_there_does_not_make_it() {
    let desk = desk(1);
    for what in ["stats", "verify", "clear", "warm"] {
        let mut command = eyemap_snapshots::eyemap();
        let output = command
            .args(["cache", what, "--store", "store"])
            .current_dir(desk.dir.path())
            .output()
            .expect("eyemap runs");
        fails(
            &output,
            2,
            &["there is no store in store", "`eyemap render` makes one"],
        );
    }
    assert!(!desk.path("store").exists());
}

/// `eyemap cache stats`, with nothing taken for granted.
fn stats(desk: &Desk, more: &[&str]) -> std::process::Output {
    let mut command = eyemap_snapshots::eyemap();
    command
        .args(["cache", "stats"])
        .args(more)
        .current_dir(desk.dir.path())
        .output()
        .expect("eyemap runs")
}

#[test]
fn a_store_is_known_without_its_configuration() {
    let desk = desk(6);
    fails(
        &stats(&desk, &[]),
        2,
        &[
            "no store is named, and there is none in .eyemap/cache",
            "--store DIR",
        ],
    );
    desk.write(
        "eyemap.toml",
        "[cache]\npolicy = \"lru\"\nttl = \"1h\"\n\
         [cache.artifacts]\nstore = \".eyemap/cache\"\nmode = \"on\"\ncapacity = \"300 KiB\"\n",
    );
    summary(&desk, &["--format", "png", "--config", "eyemap.toml"]);
    let store = files_in(&desk.path(".eyemap/cache"));
    let with = stats(&desk, &["--json", "--config", "eyemap.toml"]);
    succeeds(&with);
    for without in [&["--json"][..], &["--json", "--store", ".eyemap/cache"]] {
        let without = stats(&desk, without);
        succeeds(&without);
        assert_eq!(
            String::from_utf8_lossy(&without.stdout),
            String::from_utf8_lossy(&with.stdout)
        );
    }
    let found: Value = serde_json::from_slice(&with.stdout).expect("JSON");
    assert_eq!(found["policy"], "lru");
    assert_eq!(found["capacity_bytes"], 300 << 10);
    assert_eq!(found["artifacts"], 6);
    assert!(
        files_in(&desk.path(".eyemap/cache")) == store,
        "looking changes nothing"
    );
    // Another capacity is another from the next run on.
    desk.write(
        "eyemap.toml",
        "[cache.artifacts]\nstore = \".eyemap/cache\"\nmode = \"on\"\ncapacity = \"400 KiB\"\n",
    );
    summary(&desk, &["--format", "json", "--config", "eyemap.toml"]);
    let words = stats(&desk, &[]);
    succeeds(&words);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(
        words.contains("gdsf-cost") && words.contains("409.6 kB"),
        "{words}"
    );
}
