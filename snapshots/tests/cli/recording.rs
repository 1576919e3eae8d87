//! `eyemap render --record-trace` over several runs, and what `eyemap cache tune` makes of it: one run,
//! several runs with changes, a process that stays, a store.

use std::{process::Output, sync::Arc};

use eyemap_engine::{
    cache::{Answered, Asked, CacheMode, CacheName, Decides, Memo, Recorder, read_trace},
    config::{CacheConfig, Config, Source},
};
use serde_json::Value;

use crate::{Desk, fails, succeeds};

const TRACE: &str = "requests.csv.gz";

fn table(types: usize, salt: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        let salt = if cell_type == 0 { salt } else { 0 };
        for column in 0..30 {
            let value = column * (cell_type + 1) + salt;
            table += &format!("T{cell_type},ME,R,{},{},{value}\n", column / 6, column % 6);
        }
    }
    table
}

/// A desk with an explicit atlas, and a configuration in which nothing depends on measured time.
fn desk() -> Desk {
    desk_of(8)
}

fn desk_of(types: usize) -> Desk {
    let desk = Desk::new(&table(types, 0));
    let columns = (0..30).map(|column| format!("ME,R,{},{}\n", column / 6, column % 6));
    desk.write(
        "atlas.csv",
        "region,side,hex1,hex2\n".to_owned() + &columns.collect::<String>(),
    );
    desk.write(
        "eyemap.toml",
        "[atlas]\nfile = \"atlas.csv\"\n[cache]\nmode = \"on\"\n",
    );
    desk
}

fn record(desk: &Desk, more: &[&str]) -> Output {
    let usual = ["--config", "eyemap.toml", "--record-trace", TRACE];
    let output = desk.render(&[&usual[..], more].concat());
    succeeds(&output);
    output
}

fn recorded(desk: &Desk) -> Vec<Asked> {
    read_trace(&desk.path(TRACE)).expect("a recording")
}

/// Artifacts in a recording that were answered so.
fn answered(requests: &[Asked], run: u32, by: Answered) -> usize {
    let artifacts = requests
        .iter()
        .filter(|asked| asked.stage == Some(CacheName::Artifacts));
    artifacts
        .filter(|asked| asked.run == run && asked.answered == by)
        .count()
}

fn cache(desk: &Desk, arguments: &[&str]) -> Output {
    let mut command = eyemap_snapshots::eyemap();
    let output = command
        .arg("cache")
        .args(arguments)
        .args(["--trace", TRACE])
        .current_dir(desk.dir.path())
        .output()
        .expect("eyemap runs");
    succeeds(&output);
    output
}

/// The advice as data and in words. Whatever it is, it can be pasted, and switches nothing off.
fn tuned(desk: &Desk) -> (Value, String, CacheConfig) {
    let data = cache(desk, &["tune", "--json"]).stdout;
    let data: Value = serde_json::from_slice(&data).expect("JSON");
    let words = String::from_utf8(cache(desk, &["tune"]).stdout).expect("UTF-8");
    let (_, toml) = words.split_once("\n# ").expect("a block");
    assert!(
        toml.ends_with(data["toml"].as_str().expect("TOML")),
        "{words}"
    );
    assert!(!toml.contains("off"), "{words}");
    let source = Source {
        path: "tuned.toml".into(),
        text: format!("# {toml}"),
    };
    let config = Config::parse(&source).unwrap_or_else(|error| panic!("{error}\n{words}"));
    for name in CacheName::ALL {
        assert_ne!(config.cache.of(name).mode, CacheMode::Off);
    }
    (data, words, config.cache)
}

fn part<'a>(data: &'a Value, cache: &str) -> &'a Value {
    let parts = data["parts"].as_array().expect("parts");
    let found = parts.iter().find(|part| part["cache"] == cache);
    found.unwrap_or(&Value::Null)
}

#[test]
fn one_run_is_too_short_to_advise() {
    let desk = desk();
    record(&desk, &["--store", "store"]);
    assert_eq!(answered(&recorded(&desk), 1, Answered::Computed), 8);
    let (data, words, config) = tuned(&desk);
    for cache in ["memory", "artifacts"] {
        let cache = if cache == "artifacts" { "store" } else { cache };
        assert_eq!(part(&data, cache)["too_short"], true, "{data}");
        assert_eq!(part(&data, cache)["capacity_bytes"], Value::Null);
    }
    assert_eq!(
        (&data["toml"], config),
        (&"".into(), CacheConfig::default())
    );
    assert!(words.contains("too short to advise"), "{words}");
    assert!(words.contains("nothing to change"), "{words}");
}

#[test]
fn several_runs_with_changes_are_one_recording_in_which_the_output_directory_answers() {
    let desk = desk();
    for salt in [0, 7, 9] {
        desk.write("table.csv", table(8, salt));
        record(&desk, &[]);
    }
    // Nothing to do.
    record(&desk, &[]);
    let requests = recorded(&desk);
    let of = |run| [Answered::Computed, Answered::Output].map(|by| answered(&requests, run, by));
    assert_eq!(
        [of(1), of(2), of(3), of(4)],
        [[8, 0], [1, 7], [1, 7], [0, 8]]
    );
    // What a map costs is known from the run that drew it.
    assert!(
        requests
            .iter()
            .all(|asked| asked.size > 0 && asked.cost_ns > 0)
    );
    assert!(requests.windows(2).all(|two| two[0].tick <= two[1].tick));
    let (data, words, _) = tuned(&desk);
    assert_eq!(data["saved_by_output_directory"]["requests"], 22);
    assert!(
        words.contains("the output directory answered 22 requests, which saved"),
        "{words}"
    );
    // A store would have kept nothing that the output directory does not.
    assert_eq!(part(&data, "store")["too_short"], true, "{data}");
    assert_eq!(part(&data, "store")["requests"], 10, "{data}");
    // Memory is empty when a run begins, so that the places of columns are asked for anew in each.
    assert_eq!(part(&data, "memory")["too_short"], true, "{data}");
}

#[test]
fn what_a_store_saved_is_seen_and_its_capacity_advised() {
    let desk = desk_of(120);
    for _ in 0..2 {
        let _ = std::fs::remove_dir_all(desk.path("out"));
        record(&desk, &["--store", "store"]);
    }
    let requests = recorded(&desk);
    assert_eq!(answered(&requests, 1, Answered::Computed), 120);
    assert_eq!(answered(&requests, 2, Answered::Store), 120);
    let (data, words, config) = tuned(&desk);
    assert_eq!(data["saved_by_store"]["requests"], 120);
    assert!(
        words.contains("the store answered 120 requests, which saved"),
        "{words}"
    );
    let store = part(&data, "store");
    assert_eq!(store["too_short"], false);
    let advised = store["capacity_bytes"].as_u64().expect("a capacity");
    assert_eq!(config.artifacts.capacity.bytes(), advised);
    assert!(advised < 2 * store["footprint_bytes"].as_u64().expect("bytes"));
    assert_eq!(
        config.capacity,
        CacheConfig::default().capacity,
        "memory is another matter"
    );
    // A recording that begins when the store is full knows from it what it saves.
    std::fs::remove_file(desk.path(TRACE)).expect("removed");
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    record(&desk, &["--store", "store"]);
    let (data, words, _) = tuned(&desk);
    assert_eq!(part(&data, "store")["too_short"], true);
    assert!(
        data["saved_by_store"]["cost_ns"].as_u64() > Some(0),
        "{data}"
    );
    assert!(words.contains("leave it as it is"), "{words}");
}

#[test]
fn maps_that_are_drawn_again_in_other_directories_ask_for_a_store() {
    let desk = desk_of(120);
    for _ in 0..2 {
        let _ = std::fs::remove_dir_all(desk.path("out"));
        record(&desk, &[]);
    }
    let (data, words, config) = tuned(&desk);
    assert_eq!(part(&data, "store")["too_short"], false, "{data}");
    assert_eq!(data["saved_by_store"]["requests"], 0);
    assert!(
        words.contains("[cache.artifacts]") && words.contains("\n# store = "),
        "{words}"
    );
    assert!(config.artifacts.policy.is_some() && config.artifacts.mode.is_none());
}

#[test]
fn a_process_that_stays_is_advised_on_its_caches_in_memory() {
    let desk = desk();
    let recorder = Arc::new(Recorder::open(&desk.path(TRACE)).expect("opened"));
    let kept = (&Decides::Quick, 1 << 20, None);
    let memo = Memo::new(CacheName::Metadata, CacheMode::On, kept).expect("a memo");
    memo.record(Arc::clone(&recorder));
    for request in 0..600u64 {
        let compute = || {
            // Long enough for any clock to notice.
            std::thread::sleep(std::time::Duration::from_micros(50));
            Ok::<_, ()>((request, 1000))
        };
        memo.get_or_try(request % 20, compute).expect("a value");
    }
    drop(memo);
    Arc::into_inner(recorder)
        .expect("the last")
        .finish()
        .expect("finished");
    let requests = recorded(&desk);
    let by_memory = |asked: &&Asked| asked.answered == Answered::Memory;
    assert_eq!(requests.iter().filter(by_memory).count(), 580);
    let (data, _, config) = tuned(&desk);
    assert_eq!(part(&data, "memory")["too_short"], false);
    assert_eq!(part(&data, "store"), &Value::Null);
    // All 20 entries of 1,000 bytes, or fewer where the machine let one of them cost as much as all others.
    let advised = part(&data, "memory")["capacity_bytes"].as_u64();
    assert_eq!(advised, Some(config.capacity.bytes()));
    assert!(config.capacity.bytes() <= 32 << 10, "{data}");
}

#[test]
fn a_recording_whose_last_line_was_written_by_hand_goes_on() {
    let desk = desk();
    let plain = ["--config", "eyemap.toml", "--record-trace", "plain.csv"];
    succeeds(&desk.render(&plain));
    let text = std::fs::read_to_string(desk.path("plain.csv")).expect("text");
    desk.write("plain.csv", text.trim_end());
    succeeds(&desk.render(&[&plain[..], &["--force"]].concat()));
    let requests = read_trace(&desk.path("plain.csv")).expect("a recording");
    assert_eq!(answered(&requests, 1, Answered::Computed), 8);
    assert_eq!(answered(&requests, 2, Answered::Computed), 8);
}

#[test]
fn a_recording_has_the_form_of_its_ending_and_takes_no_other_file_s_place() {
    let desk = desk();
    let usual = ["--config", "eyemap.toml", "--record-trace"];
    succeeds(&desk.render(&[&usual[..], &["plain.csv"]].concat()));
    let plain = std::fs::read_to_string(desk.path("plain.csv")).expect("text");
    assert!(
        plain.starts_with("time,key,size,cost_ns,stage,run,answered\n"),
        "{plain}"
    );
    record(&desk, &[]);
    let packed = std::fs::read(desk.path(TRACE)).expect("bytes");
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    let before = std::fs::read(desk.path("table.csv")).expect("a table");
    desk.write("other.csv", &before);
    for (name, said) in [
        ("table.csv", "this command reads that file"),
        ("atlas.csv", "this command reads that file"),
        ("other.csv", "other.csv is there and is no recording"),
        ("notes.txt", "notes.txt ends in neither .csv nor .csv.gz"),
        ("none/requests.csv", "none/requests.csv cannot be used"),
    ] {
        fails(&desk.render(&[&usual[..], &[name]].concat()), 2, &[said]);
    }
    assert!(std::fs::read(desk.path("table.csv")).expect("a table") == before);
    assert!(!desk.path("notes.txt").exists());
}

#[test]
fn what_no_cache_was_asked_for_is_not_replayed() {
    let desk = desk();
    record(&desk, &[]);
    std::fs::remove_file(desk.path(TRACE)).expect("removed");
    desk.write(
        "eyemap.toml",
        "[atlas]\nfile = \"atlas.csv\"\n[cache]\nmode = \"off\"\n",
    );
    record(&desk, &[]);
    let requests = recorded(&desk);
    let artifacts = answered(&requests, 1, Answered::Output);
    assert_eq!(artifacts, 8);
    let output = cache(&desk, &["simulate", "--policy", "lru", "--json"]);
    let played: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(played["trace"]["left_in_place"], 8, "{played}");
    assert_eq!(played["trace"]["requests"], requests.len() - 8, "{played}");
}

#[test]
fn a_recording_can_be_replayed() {
    let desk = desk();
    record(&desk, &["--format", "svg,png"]);
    let output = cache(&desk, &["simulate", "--policy", "lru", "--json"]);
    let played: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // One grid, and for each type its texts, its colours and two artifacts.
    assert_eq!(played["trace"]["requests"], 1 + 8 * 4, "{played}");
}
