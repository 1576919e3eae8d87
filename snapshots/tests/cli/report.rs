//! What a run says of itself: reports, timelines, warnings of what is slow.

use std::path::Path;

use serde_json::Value;

use crate::{Desk, TABLE, fails, stderr, succeeds};

fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The sum of a number over all operations of a name.
fn sum(report: &Value, name: &str, field: &str) -> u64 {
    let operations = report["operations"].as_array().expect("operations").iter();
    let named = operations.filter(|operation| operation["name"] == name);
    named
        .map(|operation| operation[field].as_u64().expect("a number"))
        .sum()
}

/// Sizes of the maps that lie below `out`, in bytes.
fn bytes_of_maps(desk: &Desk) -> u64 {
    let files = desk.files();
    let maps = files.iter().filter(|(name, _)| name.contains('/'));
    maps.map(|(_, bytes)| bytes.len() as u64).sum()
}

#[test]
fn the_figures_of_a_report_agree_with_what_was_written() {
    let desk = Desk::new(TABLE);
    let output = desk.render(&["--report", "run.json", "--format", "svg,json"]);
    succeeds(&output);
    let report = json(&desk.path("run.json"));
    assert_eq!(report["form"], 1);
    assert_eq!(report["run"]["outcome"], "complete");
    assert_eq!(report["maps"]["drawn"], 12);
    assert_eq!(report["maps"]["blank"], 4);
    assert_eq!(sum(&report, "map", "count"), 12);
    assert_eq!(sum(&report, "draw", "count"), 24);
    assert_eq!(sum(&report, "write", "count"), 24);
    let bytes = bytes_of_maps(&desk);
    assert_eq!(sum(&report, "write", "bytes"), bytes);
    assert_eq!(sum(&report, "draw", "bytes"), bytes);
    assert_eq!(report["output"]["bytes"], bytes);
    assert_eq!(report["input"]["rows"], 10);
    assert_eq!(report["input"]["bytes"], TABLE.len());
    let shares = report["shares"].as_array().expect("shares").iter();
    let whole: f64 = shares
        .map(|share| share["share"].as_f64().expect("a part"))
        .sum();
    assert!((whole - 1.0).abs() < 1e-9, "{whole}");
    let sentence = report["bottleneck"].as_str().expect("a sentence");
    assert!(stderr(&output).contains(sentence), "{}", stderr(&output));
    assert!(report["run"]["peak_memory_bytes"].as_u64() > Some(1_000_000));
    assert_eq!(report["slowest_maps"].as_array().map(Vec::len), Some(10));
}

#[test]
fn a_page_is_one_file_that_needs_nothing_else() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&["--report", "run.html"]));
    let page = std::fs::read_to_string(desk.path("run.html")).expect("a page");
    assert!(page.contains("default-src 'none'"));
    for part in ["<script", "http://", "https://", "src=", "url("] {
        assert!(!page.contains(part), "{part}");
    }
    for part in [
        "The run is complete",
        "Drawing SVG",
        "Slowest maps",
        "<svg class=\"chart\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn names_of_the_table_stay_words_in_the_page() {
    let table = "cell_type,region,side,hex1,hex2,synapses\n<script>alert(1)</script>,ME,R,5,5,1\n";
    let desk = Desk::new(table);
    desk.write("eyemap.toml", "[monitor]\nslow = \"1us\"\n");
    let more = [
        "--report",
        "run.html",
        "--trace",
        "trace.json",
        "--config",
        "eyemap.toml",
    ];
    succeeds(&desk.render(&more));
    let page = std::fs::read_to_string(desk.path("run.html")).expect("a page");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"));
    json(&desk.path("trace.json"));
}

#[test]
fn an_unknown_ending_is_refused_before_anything_is_done() {
    let desk = Desk::new(TABLE);
    fails(
        &desk.render(&["--report", "run.pdf"]),
        2,
        &["run.pdf", ".html", ".json"],
    );
    fails(
        &desk.render(&["--trace", "nowhere/trace.json"]),
        2,
        &["cannot write", "nowhere"],
    );
    fails(
        &desk.render(&["--report", "nowhere/run.json"]),
        2,
        &["cannot write", "nowhere"],
    );
    assert!(!desk.path("out").exists());
}

#[test]
fn a_report_tells_of_runs_with_nothing_to_do_and_of_runs_that_could_not_go_on() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&[]));
    // The note of a run is not trusted while its table is younger than a tenth of a second.
    std::thread::sleep(std::time::Duration::from_millis(200));
    succeeds(&desk.render(&[]));
    succeeds(&desk.render(&["--report", "run.json"]));
    let report = json(&desk.path("run.json"));
    assert_eq!(
        (&report["maps"]["drawn"], &report["maps"]["unchanged"]),
        (&0.into(), &12.into())
    );
    desk.write("table.csv", "no,table\n");
    fails(&desk.render(&["--report", "run.json"]), 2, &["table.csv"]);
    let report = json(&desk.path("run.json"));
    assert_eq!(report["run"]["outcome"], "failed");
    assert!(
        report["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("table.csv"))
    );
}

#[test]
fn a_timeline_shows_every_operation_inside_its_map() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&[
        "--trace",
        "trace.json",
        "--report",
        "run.json",
        "--jobs",
        "2",
    ]));
    let trace = json(&desk.path("trace.json"));
    let report = json(&desk.path("run.json"));
    let events = trace.as_array().expect("an array");
    let of = |name: &str| {
        let spans = events
            .iter()
            .filter(|event| event["ph"] == "X" && event["name"] == name);
        spans.collect::<Vec<_>>()
    };
    for name in [
        "map", "draw", "write", "colors", "metadata", "ingest", "finish",
    ] {
        assert_eq!(of(name).len() as u64, sum(&report, name, "count"), "{name}");
    }
    let number = |event: &Value, key: &str| event[key].as_f64().expect("a number");
    for draw in of("draw") {
        let inside = |map: &&&Value| {
            let end = |event: &Value| number(event, "ts") + number(event, "dur") + 1e-3;
            map["tid"] == draw["tid"]
                && map["args"]["map"] == draw["args"]["map"]
                && number(map, "ts") <= number(draw, "ts")
                && end(draw) <= end(map) + 1e-3
        };
        assert_eq!(of("map").iter().filter(inside).count(), 1, "{draw}");
    }
    assert!(
        events
            .iter()
            .any(|event| event["ph"] == "C" && event["name"] == "memory")
    );
    assert!(
        events
            .iter()
            .any(|event| event["ph"] == "M" && event["name"] == "thread_name")
    );
}

#[test]
fn what_is_slow_is_told_twenty_times_and_then_counted() {
    let desk = Desk::new(TABLE);
    desk.write(
        "eyemap.toml",
        "[monitor]\nslow = \"1us\"\nvery_slow = \"1h\"\n",
    );
    let more = [
        "--config",
        "eyemap.toml",
        "--format",
        "svg,json,png",
        "--report",
        "run.json",
    ];
    let output = desk.render(&more);
    succeeds(&output);
    let words = stderr(&output);
    let told = words
        .lines()
        .filter(|line| line.starts_with("slow: "))
        .count();
    assert_eq!(told, 20, "{words}");
    let report = json(&desk.path("run.json"));
    let count = report["slow"]["count"].as_u64().expect("a number");
    assert!(count > 20, "{count}");
    assert!(
        words.contains(&format!("{} operations more were slow", count - 20)),
        "{words}"
    );
    let wrong = "[monitor]\nslow = \"1s\"\nvery_slow = \"1ms\"\n";
    desk.write("eyemap.toml", wrong);
    fails(
        &desk.render(&["--config", "eyemap.toml"]),
        2,
        &["monitor.very_slow"],
    );
}

#[test]
fn without_the_monitor_the_sum_is_told_and_nothing_is_slow() {
    let desk = Desk::new(TABLE);
    desk.write(
        "eyemap.toml",
        "[monitor]\nenabled = false\nslow = \"1us\"\n",
    );
    let output = desk.render(&["--config", "eyemap.toml", "-v"]);
    succeeds(&output);
    let words = stderr(&output);
    assert!(
        words.contains("12 maps (4 blank)") && words.contains("time over all threads"),
        "{words}"
    );
    assert!(
        !words.contains("slow: ") && !words.contains("takes"),
        "{words}"
    );
}

#[test]
fn machines_are_told_of_memory_and_of_what_is_slow() {
    let desk = Desk::new(TABLE);
    let output = desk.render(&["--json"]);
    succeeds(&output);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |key: &str| summary[key].as_u64().expect("a number");
    assert!(number("peak_memory_bytes") >= number("memory_bytes"));
    assert_eq!(number("slow_operations"), 0);
}
