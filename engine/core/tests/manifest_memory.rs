//! A manifest of many maps costs little memory: it is merged as a stream.

#![cfg(target_os = "linux")]
// What was measured is what this test has to show.
#![allow(clippy::print_stderr)]

use std::{path::Path, sync::atomic::AtomicBool};

use eyemap_engine::{
    Side,
    draw::Format,
    manifest::{Entry, Journal, Key, Status, Waiting},
};

const MAPS: u64 = 200_000;

fn entry(number: u64) -> Entry {
    let key = Key {
        // Out of order, as threads finish.
        cell_type: format!("T{:06}", number * 7919 % MAPS),
        region: "ME".into(),
        side: Side::Right,
        metric: "synapses".into(),
        format: Format::Svg,
    };
    Entry {
        path: key.path(),
        key,
        bytes: 3210,
        fingerprint: format!("{number:032x}"),
        status: Status::Rendered,
        error: None,
        archive: None,
    }
}

/// The most memory that this process has held, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("a number") * 1024
}

/// A whole run, without its files.
fn run(dir: &Path) -> u64 {
    let before = peak();
    let cancel = AtomicBool::new(false);
    let waiting = Waiting {
        cancel: &cancel,
        tell: &|_| (),
    };
    let journal = Journal::start(dir, waiting).expect("a journal");
    for chunk in 0..MAPS / 1000 {
        let entries: Vec<Entry> = (0..1000).map(|i| entry(chunk * 1000 + i)).collect();
        journal.publish_all(None, &entries).expect("published");
    }
    journal.finish(|_| true, |_| Ok(())).expect("merged");
    peak() - before
}

#[test]
fn two_hundred_thousand_maps_are_listed_in_little_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let (first, second) = (run(dir.path()), run(dir.path()));
    let listed = std::fs::metadata(dir.path().join("manifest.json"));
    let listed = listed.expect("a manifest").len();
    assert!(
        listed > 40_000_000,
        "{listed} bytes are too few for a trial"
    );
    // Pieces of the journal that are being sorted; the second run knows 64 bytes of each map too.
    assert!(first < 32_000_000, "{first} bytes in the first run");
    assert!(second < 32_000_000, "{second} bytes more in the second");
    eprintln!("manifest {listed} bytes; memory {first}, then {second} more");
}
