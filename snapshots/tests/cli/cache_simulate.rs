//! `eyemap cache simulate` and `eyemap cache tune`: exact counts, charts, TOML to paste, and refusals.

use std::process::Output;

use eyemap_engine::config::{Config, Size, Source};
use serde_json::Value;

use crate::{Desk, fails, succeeds, words};

/// Three keys of 10 bytes; dear ones are asked for rarely. LRU of 20 bytes hits requests 2, 5 and 8.
const TRACE: &str = "\
time,key,size,cost_ns,stage
0,1,10,100,meta
1,1,10,100,meta
2,2,10,100,meta
3,3,10,5000,svgz
4,2,10,100,meta
5,1,10,100,meta
6,3,10,5000,svgz
7,1,10,100,meta
";

fn cache(desk: &Desk, arguments: &[&str]) -> Output {
    let mut command = eyemap_snapshots::eyemap();
    command
        .arg("cache")
        .args(arguments)
        .current_dir(desk.dir.path())
        .env(
            "EYEMAP_PLUGIN_PATH",
            eyemap_snapshots::build_dir().join("plugins"),
        );
    command.output().expect("eyemap runs")
}

fn desk() -> Desk {
    let desk = Desk::new("");
    desk.write("t.csv", TRACE);
    desk
}

/// A desk with the same requests 60 times: as many as advice needs.
fn desk_of_many() -> Desk {
    let (head, rows) = TRACE.split_once('\n').expect("a header");
    let rows = rows.repeat(60);
    let many = rows.lines().enumerate().map(|(time, row)| {
        let (_, rest) = row.split_once(',').expect("cells");
        format!("{time},{rest}\n")
    });
    let desk = Desk::new("");
    desk.write("t.csv", format!("{head}\n{}", many.collect::<String>()));
    desk
}

fn simulate(desk: &Desk, more: &[&str]) -> Output {
    let mut arguments = vec!["simulate", "--trace", "t.csv"];
    arguments.extend(more);
    cache(desk, &arguments)
}

#[track_caller]
fn json(output: &Output) -> Value {
    succeeds(output);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(output: &Output) -> String {
    succeeds(output);
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn counts_are_those_of_the_trace() {
    let output = simulate(&desk(), &["--policy", "lru", "--capacity", "20", "--json"]);
    let document = json(&output);
    assert_eq!(document["trace"]["requests"], 8);
    assert_eq!(document["trace"]["footprint_bytes"], 30);
    assert_eq!(document["trace"]["cost_ns"], 10_600);
    let run = &document["runs"][0];
    assert_eq!(
        (&run["policy"], &run["capacity_bytes"]),
        (&"lru".into(), &20.into())
    );
    for (key, value) in [
        ("hits", 3),
        ("hit_bytes", 30),
        ("hit_cost_ns", 300),
        ("insertions", 5),
        ("evictions", 3),
        ("expiries", 0),
        ("final_objects", 2),
    ] {
        assert_eq!(run[key], value, "{key} in {run}");
    }
    assert_eq!(run["hit_ratio"], 0.375);
    assert_eq!(run["fault"], Value::Null);
    // SHA-256 of "01001001".
    assert_eq!(run["hit_bits_sha256_16"], "6fbec96d2ff6acd7");
}

#[test]
fn a_table_has_a_row_for_each_policy_and_capacity() {
    let shown = text(&simulate(
        &desk(),
        &["--policy", "lru,fifo", "--capacity", "20", "100%"],
    ));
    for part in [
        "t.csv: 8 requests for 3 keys of 30 B in all",
        "lru 20 B 3 37.5 % 30 B 0.3 us = 2.8 % 3 ",
        "fifo 30 B 5 62.5 % 50 B 5.4 us = 50.9 % 0 ",
    ] {
        assert!(
            words_of(&shown).contains(part),
            "{part:?} is not in:\n{shown}"
        );
    }
}

#[test]
fn all_policies_of_the_search_path_are_taken_unless_named() {
    let document = json(&simulate(&desk(), &["--capacity", "50%", "--json"]));
    let runs = document["runs"].as_array().expect("runs");
    let names: Vec<_> = runs
        .iter()
        .filter_map(|run| run["policy"].as_str())
        .collect();
    assert!(
        names.contains(&"lru") && names.contains(&"size-weighted"),
        "{names:?}"
    );
    assert!(!names.contains(&"binned-color"), "{names:?}");
    assert!(runs.iter().all(|run| run["capacity_bytes"] == 15));
}

#[test]
fn entries_expire_in_ticks_or_milliseconds() {
    let desk = desk();
    let ttl = ["--policy", "lru", "--capacity", "30", "--json", "--ttl"];
    let hits = |time, more: &[&str]| {
        let document = json(&simulate(&desk, &[&ttl, &[time][..], more].concat()));
        let run = document["runs"][0].clone();
        (run["hits"].as_u64(), run["expiries"].as_u64())
    };
    assert_eq!(hits("4", &[]), (Some(4), Some(3)));
    assert_eq!(hits("4ms", &[]), hits("4", &[]));
    assert_eq!(hits("1h", &[]), (Some(5), Some(0)));
    assert_eq!(hits("4", &["--ttl-mode", "access"]), (Some(4), Some(1)));
    assert_eq!(hits("4", &["--lazy"]).0, Some(4));
}

#[test]
fn a_chart_is_xml_and_names_every_policy() {
    let desk = desk();
    succeeds(&simulate(
        &desk,
        &["--policy", "lru", "sieve", "--chart", "c.svg"],
    ));
    let svg = std::fs::read_to_string(desk.path("c.svg")).expect("a chart");
    let document = roxmltree::Document::parse(&svg).expect("XML");
    for name in ["lru", "sieve"] {
        let named =
            |node: &roxmltree::Node<'_, '_>| node.has_tag_name("text") && node.text() == Some(name);
        // At the lines of two panels and in the legend.
        assert_eq!(document.descendants().filter(named).count(), 3, "{name}");
    }
    assert!(!svg.contains("script"));
}

#[test]
fn traces_that_are_none() {
    let desk = desk();
    for (text, parts) in [
        ("time,key,size\n", &["u.csv: the trace has no requests"][..]),
        (
            "time,key,size\n0,1,1\n0,x,1\n",
            &["u.csv, line 3: key is \"x\"", "no whole number"],
        ),
        (
            "time,key,size\n5,1,1\n4,1,1\n",
            &["u.csv, line 3: the time falls from 5 to 4"],
        ),
        ("key,size\n1,1\n", &["line 1: there is no column time"]),
        ("time,key,size\n0,1\n", &["u.csv, line 2: 2 cells"]),
    ] {
        desk.write("u.csv", text);
        fails(&cache(&desk, &["simulate", "--trace", "u.csv"]), 2, parts);
        fails(&cache(&desk, &["tune", "--trace", "u.csv"]), 2, parts);
    }
    let output = cache(&desk, &["simulate", "--trace", "none.csv.gz"]);
    fails(
        &output,
        2,
        &["none.csv.gz cannot be used", "No such file", "--trace"],
    );
    desk.write("u.csv.gz", "no gzip");
    let output = cache(&desk, &["simulate", "--trace", "u.csv.gz"]);
    fails(&output, 2, &["u.csv.gz"]);
}

#[test]
fn arguments_that_are_wrong_say_what_to_write() {
    let desk = desk();
    for (arguments, parts) in [
        (
            &["--policy", "siev"][..],
            &[
                "siev cannot be loaded",
                "did you mean \"org.eyemap.sieve-policy\"?",
            ][..],
        ),
        (
            &["--policy", "quick"],
            &["quick cannot be replayed", "s3-fifo"],
        ),
        (
            &["--policy", "binned-color"],
            &["binned-color cannot be loaded"],
        ),
        (
            &["--capacity", "0"],
            &["a cache of 0 bytes holds nothing", "64 MiB"],
        ),
        (&["--capacity", "many"], &["\"many\" is no size", "256 MiB"]),
        (&["--capacity=-1 MiB"], &["cannot be negative"]),
        (&["--capacity", "0%"], &["write a share above 0%"]),
        (&["--ttl", "soon"], &["\"soon\" is no time", "1h"]),
        (&["--ttl", "0"], &["never found"]),
        (&["--ttl-mode", "read"], &["`write` or `access`"]),
        (&["--batch", "0"], &["batch"]),
        (&["--options", "[1]"], &["write a JSON object"]),
        (
            &["--policy", "lru", "--options", "{\"size\": 1}"],
            &["lru refuses", "size"],
        ),
        (
            &["--chart", "no/where.svg"],
            &["cannot write the chart no/where.svg", "--chart"],
        ),
        (
            &["--chart", "t.csv/c.svg"],
            &["cannot write the chart t.csv/c.svg"],
        ),
    ] {
        fails(&simulate(&desk, arguments), 2, parts);
    }
    let output = simulate(&desk, &["--policy", "quick", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["error"]["exit_code"], 2);
}

#[test]
fn options_of_the_configuration_that_a_policy_refuses_are_shown_there() {
    let desk = desk();
    desk.write(
        "e.toml",
        "[cache]\npolicy = \"lru\"\n[cache.policy_options]\nsize = 1\n",
    );
    let output = simulate(&desk, &["--policy", "lru", "--config", "e.toml"]);
    fails(
        &output,
        2,
        &["cache.policy_options.size: ", "e.toml:4:1", "--schema"],
    );
    // They are for the policy of the configuration alone.
    succeeds(&simulate(
        &desk,
        &["--policy", "fifo", "--config", "e.toml"],
    ));
}

#[test]
fn names_from_outside_do_not_reach_the_terminal_as_they_are() {
    let desk = desk();
    desk.write("a\u{1b}[31m.csv", TRACE);
    for command in ["simulate", "tune"] {
        let output = cache(
            &desk,
            &[command, "--trace", "a\u{1b}[31m.csv", "--policy", "lru"],
        );
        succeeds(&output);
        assert!(!output.stdout.contains(&0x1b));
        let output = cache(
            &desk,
            &[command, "--trace", "t.csv", "--policy", "a\u{1b}[31m"],
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(!output.stderr.contains(&0x1b));
    }
}

#[test]
fn what_tune_prints_can_be_pasted() {
    let output = cache(&desk_of_many(), &["tune", "--trace", "t.csv"]);
    let shown = text(&output);
    let (_, toml) = shown.split_once("\n# ").expect("a block");
    let source = Source {
        path: "tuned.toml".into(),
        text: format!("# {toml}"),
    };
    let config = Config::parse(&source).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    // Two texts, and one map: each has a capacity of its own.
    assert_eq!(config.cache.capacity, Size::of_bytes(32), "{shown}");
    assert_eq!(
        config.cache.artifacts.capacity,
        Size::of_bytes(16),
        "{shown}"
    );
    let said = words_of(&shown);
    for part in [
        "time saved",
        "upper bounds for requests like those of the trace",
        "caches in memory: 360 requests for 2 keys of 20 B in all",
        "store: 120 requests for 1 keys of 10 B in all",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{shown}");
    }
}

#[test]
fn a_few_requests_are_shown_and_advise_nothing() {
    let shown = text(&cache(&desk(), &["tune", "--trace", "t.csv"]));
    let few = "caches in memory: only 4 requests ask for something again, too few to advise anything: record more.";
    assert!(words_of(&shown).contains(few), "{shown}");
    assert!(
        shown.contains("nothing to change") && !shown.contains("capacity = "),
        "{shown}"
    );
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn tune_says_the_same_as_data() {
    let desk = desk_of_many();
    let tune = [
        "tune", "--trace", "t.csv", "--json", "--policy", "lru", "fifo",
    ];
    let document = json(&cache(
        &desk,
        &[&tune[..], &["--capacity", "10", "20"]].concat(),
    ));
    let memory = &document["parts"][0];
    assert_eq!(memory["cache"], "memory");
    assert_eq!(memory["measure"], "share_of_cost_saved");
    assert_eq!(memory["choices"][1]["capacity_bytes"], 20);
    assert_eq!(memory["choices"][1]["best"], "lru");
    assert_eq!(memory["choices"][1]["next"], "fifo");
    assert_eq!(memory["capacity_bytes"], 20);
    assert_eq!(memory["doubling_still_pays"], false);
    let store = &document["parts"][1];
    assert_eq!(
        (&store["cache"], &store["capacity_bytes"]),
        (&"store".into(), &10.into())
    );
    let toml = document["toml"].as_str().expect("TOML");
    assert_eq!(
        toml,
        "[cache]  # [cache.artifacts] takes this policy too, unless it names its own\n\
         policy = \"lru\"\ncapacity = \"20 B\"\n\
         [cache.artifacts]  # what is in the store beyond the capacity goes when it is next used\n\
         # store = \".eyemap/cache\"  # its directory\npolicy = \"lru\"\ncapacity = \"10 B\"\n"
    );
    let document = json(&cache(&desk, &[&tune[..], &["--capacity", "10"]].concat()));
    assert_eq!(document["parts"][0]["doubling_still_pays"], true);

    desk.write("t.csv", "time,key,size\n0,1,10\n1,2,10\n");
    let document = json(&cache(&desk, &tune));
    assert_eq!(document["toml"], "");
    assert_eq!(document["parts"][0]["too_short"], true);
    desk.write("t.csv", "time,key,size\n0,1,10\n1,1,10\n");
    let document = json(&cache(&desk, &tune));
    assert_eq!(document["parts"][0]["measure"], "hit_ratio");
    assert!(
        document["notes"].to_string().contains("has no costs"),
        "{document}"
    );
    assert!(words(&cache(&desk, &["tune"])).contains("--trace"));
}
