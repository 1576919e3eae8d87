//! The layer, its bounds, and documents full of hostile names.

use std::{thread, time::Duration};

use tracing::{debug_span, info_span, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt as _};

use super::{
    report::{Outcome, Report, ReportFormat, Told},
    *,
};
use crate::render::Summary;

fn config(slow: &str) -> MonitorConfig {
    MonitorConfig {
        slow: slow.parse().expect("a limit"),
        ..MonitorConfig::default()
    }
}

fn monitor(slow: &str) -> Monitor {
    Monitor::new(&config(slow), MemoryWatch::start(), None)
}

fn watched(monitor: &Monitor, work: impl FnOnce()) {
    with_default(Registry::default().with(monitor.layer()), work);
}

fn report(monitor: &Monitor) -> Report {
    let told = Told {
        phases: Vec::new(),
        summary: &Summary {
            failures: vec![(HOSTILE.into(), HOSTILE.into())],
            ..Summary::default()
        },
        outcome: Outcome::SomeFailed,
        threads: 2,
        caches: serde_json::json!({ HOSTILE: { "policy": HOSTILE, "hits": 1 } }),
        notes: vec![HOSTILE.into()],
    };
    Report::new(monitor, monitor.figures(), &told)
}

const HOSTILE: &str = "</td></style><script>alert(1)</script>\"'&\u{1b}[31m\u{0}\n🪰\u{202e}";

#[test]
fn spans_are_counted_by_name_and_purpose_with_rows_and_bytes() {
    let monitor = monitor("1h");
    watched(&monitor, || {
        for _ in 0..3 {
            let _map = info_span!("map", map = "Mi1").entered();
            let draw = debug_span!(
                "draw",
                format = "svg",
                rows = 10_usize,
                bytes = tracing::field::Empty
            )
            .entered();
            thread::sleep(Duration::from_millis(2));
            draw.record("bytes", 7);
        }
        let _other = debug_span!(target: "eyemap_engineer", "map").entered();
        let _foreign = debug_span!(target: "elsewhere", "map").entered();
        tracing::error!("an event is no span");
    });
    let figures = monitor.figures();
    let found = |name: &str| {
        figures
            .operations
            .iter()
            .find(|done| done.name == name)
            .expect("found")
            .clone()
    };
    let (draw, map) = (found("draw"), found("map"));
    assert_eq!(
        (draw.of.as_str(), draw.count, draw.rows, draw.bytes),
        ("svg", 3, 30, 21)
    );
    assert_eq!((map.count, map.rows), (3, 0));
    assert!(draw.total_ns >= 6_000_000 && draw.own_ns == draw.total_ns);
    assert_eq!(
        map.own_ns,
        map.total_ns - draw.total_ns,
        "what is inside is not its own"
    );
    assert!(draw.p50_ns <= draw.p99_ns && draw.p99_ns <= draw.max_ns);
    assert_eq!(draw.ns_per_row, Some(draw.total_ns as f64 / 30.0));
    assert_eq!(figures.slowest_maps.len(), 3);
    assert_eq!(figures.operations.len(), 2);
}

#[test]
fn threads_that_ended_are_counted_too() {
    let monitor = monitor("1h");
    let subscriber = tracing::Dispatch::new(Registry::default().with(monitor.layer()));
    let work = move || {
        tracing::dispatcher::with_default(&subscriber, || {
            (0..1000).for_each(|_| drop(debug_span!("write", bytes = 1).entered()));
        });
    };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(work.clone())).collect();
    for thread in threads {
        thread.join().expect("it ends");
    }
    let operations = monitor.figures().operations;
    assert_eq!((operations[0].count, operations[0].bytes), (8000, 8000));
    let again = monitor.figures().operations;
    assert_eq!(again[0].count, 8000, "nothing is counted twice");
    assert!(
        lock(&monitor.0.buffers).is_empty(),
        "nobody keeps what ended threads had"
    );
}

#[test]
fn quantiles_have_three_digits() {
    let mut tally = Tally::default();
    let key = tally.key("draw", "svg");
    for ns in 1..=100_000 {
        tally.add(&Closed {
            key,
            ns: ns * 100,
            own_ns: 0,
            rows: 0,
            bytes: 0,
            memory: 0,
        });
    }
    let done = tally.operations().remove(0);
    for (found, exact) in [(done.p50_ns, 5_000_000.0), (done.p99_ns, 9_900_000.0)] {
        assert!(
            (found as f64 / exact - 1.0).abs() < 1e-3,
            "{found} for {exact}"
        );
    }
    assert_eq!((done.max_ns, done.mean_ns), (10_000_000, 5_000_050));
}

#[test]
fn hostile_plugins_cannot_make_keys_without_end() {
    let monitor = monitor("1h");
    watched(&monitor, || {
        for n in 0..1000 {
            let id = format!("{n}{}", "x".repeat(10_000));
            drop(debug_span!("colors", plugin = id.as_str(), rows = u64::MAX).entered());
        }
    });
    let operations = monitor.figures().operations;
    assert_eq!(operations.len(), MAX_KEYS);
    assert_eq!(operations.iter().map(|done| done.count).sum::<u64>(), 1000);
    let other = operations
        .iter()
        .find(|done| done.name == OTHER)
        .expect("other");
    assert_eq!(other.count, 1000 - (MAX_KEYS as u64 - 1));
    assert!(operations.iter().all(|done| done.of.len() < 300));
}

#[test]
fn spans_that_are_not_nested_do_no_harm() {
    let monitor = monitor("1h");
    watched(&monitor, || {
        let first = debug_span!("first");
        let second = debug_span!("second");
        drop(first);
        drop(second);
        let elsewhere = debug_span!("elsewhere");
        thread::spawn(move || drop(elsewhere))
            .join()
            .expect("it ends");
        drop(debug_span!("last").entered());
    });
    let operations = monitor.figures().operations;
    let names: Vec<_> = operations.iter().map(|done| done.name.as_str()).collect();
    assert!(
        names.contains(&"first") && names.contains(&"last"),
        "{names:?}"
    );
}

#[test]
fn what_is_slow_is_told_once_and_so_many_times_only() {
    let monitor = monitor("1us");
    watched(&monitor, || {
        for _ in 0..200 {
            let _map = info_span!("map", map = HOSTILE).entered();
            let _draw = debug_span!("draw", format = "png").entered();
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(200) {}
        }
        let _ingest = debug_span!("ingest").entered();
        thread::sleep(Duration::from_millis(1));
    });
    assert_eq!(monitor.untold().len(), TOLD);
    assert!(monitor.untold().is_empty(), "nobody is told twice");
    let figures = monitor.figures();
    let of_maps = |slow: &SlowOperation| slow.map == HOSTILE && slow.name != "ingest";
    assert!(figures.slow.iter().all(of_maps));
    assert_eq!(figures.slow.len(), LISTED_SLOW);
    // A map in which the system let others go first may be slow beside its only operation.
    assert!((200..=400).contains(&figures.slow_count));
    assert!(
        figures
            .slow
            .windows(2)
            .all(|two| two[0].time >= two[1].time)
    );
    assert_eq!(figures.slowest_maps.len(), SLOWEST_MAPS);
    assert!(
        figures
            .slowest_maps
            .windows(2)
            .all(|two| two[0].time >= two[1].time)
    );
}

#[test]
fn what_is_slow_because_of_what_is_inside_is_not_told_beside_it() {
    assert!(super::thread::is_blamed_inside(100, 100));
    assert!(super::thread::is_blamed_inside(100, 51));
    assert!(!super::thread::is_blamed_inside(100, 50));
    assert!(!super::thread::is_blamed_inside(100, 0));
}

#[test]
fn shares_add_up_and_the_sentence_follows_from_them() {
    let one = |name: &str, of: &str, own_ns| Operation {
        own_ns,
        ..operation(name, of)
    };
    let wall = Duration::from_nanos(1000);
    let busy = [
        one("draw", "svg", 1220),
        one("write", "", 80),
        one("map", "", 100),
    ];
    let found = shares(&busy, wall, 2);
    assert!((found.iter().map(|share| share.share).sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(
        bottleneck(&found, 2),
        "Drawing SVG takes 61 % of the time of 2 threads; the disk is not the limit (writes: 4 %)."
    );
    let disk = shares(&[one("write", "", 900), one("draw", "png", 50)], wall, 1);
    assert_eq!(
        bottleneck(&disk, 1),
        "Writing maps takes 90 % of the time of one thread; the disk is the limit (writes: 90 %)."
    );
    let waiting = shares(&[one("ingest", "", 900)], wall, 4);
    assert_eq!(
        bottleneck(&waiting, 4),
        "78 % of the time of 4 threads is idle; reading tables takes the largest part of the rest (22 %)."
    );
    assert_eq!(
        bottleneck(&shares(&[], wall, 4), 4),
        "Nothing was done that takes time."
    );
    let more_than_all = shares(&[one("map", "", 5000)], wall, 2);
    assert!((more_than_all[0].share - 1.0).abs() < 1e-12);
}

fn operation(name: &str, of: &str) -> Operation {
    let mut tally = Tally::default();
    let key = tally.key(name, of);
    tally.add(&Closed {
        key,
        ns: 1,
        own_ns: 1,
        rows: 0,
        bytes: 0,
        memory: 0,
    });
    tally.operations().remove(0)
}

#[test]
fn hostile_names_stay_words_in_the_page_and_in_the_document() {
    let monitor = monitor("1us");
    watched(&monitor, || {
        let _map = info_span!("map", map = HOSTILE).entered();
        let _colors = debug_span!("colors", plugin = HOSTILE, rows = 5).entered();
        thread::sleep(Duration::from_millis(1));
    });
    let report = report(&monitor);
    let page = page::page(&report);
    // Beside the declaration and void elements it is XML, so a reader of XML finds what is not closed.
    let markup = page
        .replace("<!DOCTYPE html>", "")
        .replace("<meta charset=\"utf-8\">", "");
    let (before, after) = markup.split_once("<meta http-equiv").expect("a policy");
    let (_, after) = after.split_once("<title>").expect("a title");
    let markup = format!("{before}<title>{after}");
    let document =
        roxmltree::Document::parse(&markup).unwrap_or_else(|error| panic!("{error}\n{page}"));
    let known = ["script", "img", "iframe", "link", "object", "a"];
    assert!(
        document
            .descendants()
            .all(|node| !known.contains(&node.tag_name().name()))
    );
    let attributes = document.descendants().flat_map(|node| node.attributes());
    assert!(
        attributes
            .into_iter()
            .all(|attribute| !attribute.name().starts_with("on") && attribute.name() != "style")
    );
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert!(page.contains("&lt;script&gt;alert(1)"));
    assert!(!page.contains('\u{1b}') && !page.contains('\u{0}'));
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["form"], report::FORM);
    assert_eq!(json["notes"][0], HOSTILE);
    // On a busy machine anything may have been slower than the map.
    let mut operations = json["slow"]["operations"].as_array().into_iter().flatten();
    assert!(
        operations.any(|operation| operation["of"] == HOSTILE),
        "{json}"
    );
}

#[test]
fn the_ending_of_a_file_says_what_is_written() {
    let of = |name: &str| ReportFormat::of(std::path::Path::new(name));
    assert_eq!(of("a/b.json"), Some(ReportFormat::Json));
    assert_eq!(of("b.HTML"), Some(ReportFormat::Html));
    for wrong in ["b", "b.txt", ".json", "json", "b.json.gz"] {
        assert_eq!(of(wrong), None, "{wrong}");
    }
}

/// Events of a file that must be JSON.
fn events(path: &std::path::Path) -> Vec<serde_json::Value> {
    let bytes = std::fs::read(path).expect("a file");
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// The events of a timeline whose end may be missing, with a part of a line before it.
fn whole_lines(text: &str) -> Vec<serde_json::Value> {
    let lines: Vec<&str> = text.lines().skip(1).filter(|line| *line != "]").collect();
    let parsed: Vec<serde_json::Value> = lines
        .iter()
        .map_while(|line| serde_json::from_str(line.trim_end_matches(',')).ok())
        .collect();
    assert!(parsed.len() + 1 >= lines.len(), "more than one line is cut");
    parsed
}

#[test]
fn a_timeline_has_whole_lines_at_any_time_and_its_spans_are_nested() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace.json");
    let trace = TraceFile::create(&path).expect("a file");
    assert_eq!(events(&path).len(), 1, "valid before anything is in it");
    let monitor = Monitor::new(&config("1h"), MemoryWatch::start(), Some(trace));
    let subscriber = tracing::Dispatch::new(Registry::default().with(monitor.layer()));
    let draw = |n: usize| {
        let _map = info_span!("map", map = format!("{HOSTILE}{n}")).entered();
        for format in ["svg", "png"] {
            let _draw = debug_span!("draw", format, rows = n, bytes = 3).entered();
            drop(debug_span!("write", bytes = 3).entered());
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&subscriber, || (0..500).for_each(draw))
            });
        }
        for _ in 0..50 {
            // As if the program had been killed now. What was read in pieces around a write is no moment of
            // the file: that is another one when it is read again.
            let read = || std::fs::read_to_string(&path).expect("a file");
            let (text, again) = (read(), read());
            if text == again {
                whole_lines(&text);
            }
        }
    });
    let traced = monitor.finish_trace().expect("a timeline");
    assert_eq!((traced.events, traced.cut), (4 * 500 * 5, false));
    assert!(traced.error.is_none());
    let events = events(&path);
    let of = |phase: &str| {
        events
            .iter()
            .filter(|event| event["ph"] == phase)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("X").len(), 4 * 500 * 5);
    assert_eq!(of("M").len(), 5);
    assert!(of("C").iter().all(|event| {
        event["args"]["bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0)
    }));
    assert!(!of("C").is_empty());
    for thread in 1..=4 {
        nested(&of("X"), thread);
    }
    let drawn = of("X")
        .into_iter()
        .find(|event| event["name"] == "write")
        .expect("a write");
    assert!(
        drawn["args"]["map"]
            .as_str()
            .is_some_and(|map| map.starts_with(HOSTILE))
    );
}

/// Of two spans of a thread, one is inside the other or they do not touch.
fn nested(events: &[&serde_json::Value], thread: u64) {
    let ns = |value: &serde_json::Value| (value.as_f64().expect("a number") * 1e3).round() as u64;
    let of_thread = events.iter().filter(|event| event["tid"] == thread);
    let mut spans: Vec<_> = of_thread
        .map(|event| (ns(&event["ts"]), ns(&event["ts"]) + ns(&event["dur"])))
        .collect();
    assert_eq!(spans.len(), 2500);
    spans.sort_by_key(|&(start, end)| (start, std::cmp::Reverse(end)));
    let mut open: Vec<u64> = Vec::new();
    for (start, end) in spans {
        while open.last().is_some_and(|&last| last <= start) {
            open.pop();
        }
        assert!(
            open.last().is_none_or(|&last| end <= last),
            "{start} to {end} ends after {open:?}"
        );
        open.push(end);
    }
}

#[test]
fn a_timeline_ends_at_its_bound_and_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace.json");
    let trace = TraceFile::with_limit(&path, 100).expect("a file");
    let monitor = Monitor::new(&config("1h"), MemoryWatch::start(), Some(trace));
    watched(&monitor, || {
        (0..1000).for_each(|_| drop(debug_span!("write").entered()))
    });
    let traced = monitor.finish_trace().expect("a timeline");
    assert_eq!((traced.events, traced.cut), (100, true));
    let events = events(&path);
    let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
    assert_eq!((count("X"), count("i")), (100, 1));
    assert_eq!(
        monitor.figures().operations[0].count,
        1000,
        "the report still has all"
    );
}
