//! What `[cache]` and `[memory]` say about sizes is what a run does, also while its memory is watched.

use serde_json::Value;

use crate::{Desk, succeeds};

/// Cell types of which two each have the same values, so that colours are asked for again.
fn table(types: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        for column in 0..12 {
            let value = column * (1 + cell_type % (types / 2));
            table += &format!("T{cell_type},ME,R,{},{},{value}\n", column / 6, column % 6);
        }
    }
    table
}

/// What caches did in a run with this configuration, anew.
fn caches(desk: &Desk, toml: &str) -> Value {
    let _ = std::fs::remove_dir_all(desk.path("out"));
    desk.write("eyemap.toml", toml);
    let output = desk.render(&["--json", "--config", "eyemap.toml"]);
    succeeds(&output);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    summary["caches"].clone()
}

fn count(cache: &Value, key: &str) -> u64 {
    cache[key].as_u64().expect(key)
}

#[test]
fn a_small_capacity_holds_under_every_policy_while_memory_is_watched() {
    let desk = Desk::new(&table(90));
    for policy in super::store::POLICIES {
        let toml =
            format!("[cache]\npolicy = \"{policy}\"\nmode = \"on\"\ncapacity = \"64 KiB\"\n");
        let caches = caches(&desk, &toml);
        let mut evictions = 0;
        for name in ["coordinates", "colors", "metadata"] {
            let cache = &caches[name];
            assert_eq!(cache["policy"], policy);
            assert_eq!(count(cache, "capacity_bytes"), 64 << 10, "{policy} {name}");
            assert!(
                count(cache, "bytes") <= 64 << 10,
                "{policy} {name}: {cache}"
            );
            assert_eq!(cache["fault"], Value::Null, "{policy} {name}");
            evictions += count(cache, "evictions");
        }
        assert!(evictions > 0, "{policy}: {caches}");
    }
}

#[test]
fn each_cache_keeps_its_own_capacity_and_mode() {
    let desk = Desk::new(&table(90));
    let caches = caches(
        &desk,
        "[cache]\ncapacity = \"64 KiB\"\n[cache.colors]\ncapacity = \"16 KiB\"\nmode = \"on\"\n\
         [cache.metadata]\ncapacity = \"512 MiB\"\n",
    );
    // In the mode `auto` what is held depends on the machine; what may be held does not.
    for (name, capacity) in [
        ("coordinates", 64 << 10),
        ("colors", 16 << 10),
        ("metadata", 512 << 20),
    ] {
        assert_eq!(count(&caches[name], "capacity_bytes"), capacity, "{name}");
        assert!(count(&caches[name], "bytes") <= capacity, "{name}");
    }
    assert!(count(&caches["colors"], "evictions") > 0, "{caches}");
}

#[test]
fn every_map_is_held_where_stream_above_says_so() {
    // More columns than are held unless a configuration says so; a map that is held is kept in the store.
    let columns = 66_000;
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for column in 0..columns {
        table += &format!(
            "Mi1,ME,R,{},{},{}\n",
            column / 300,
            column % 300,
            column % 90
        );
    }
    let desk = Desk::new(&table);
    let mut drawn = Vec::new();
    for (stream_above, kept) in [("65536", 0), ("0", 1), ("66000", 1), ("65999", 0)] {
        let _ = std::fs::remove_dir_all(desk.path("out"));
        desk.write(
            "eyemap.toml",
            format!(
                "[cache.artifacts]\nstore = \"store-{stream_above}\"\nmode = \"on\"\n\
                 [memory]\nlimit = \"4 GiB\"\nstream_above = {stream_above}\n"
            ),
        );
        let output = desk.render(&["--json", "--config", "eyemap.toml", "--format", "json"]);
        succeeds(&output);
        let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
        let caches = &summary["caches"];
        assert_eq!(
            count(&caches["artifacts"], "insertions"),
            kept,
            "{stream_above}"
        );
        drawn.push(std::fs::read(desk.path("out/ME_R/synapses/Mi1.json")).expect("a map"));
    }
    assert!(drawn.windows(2).all(|two| two[0] == two[1]));
}
