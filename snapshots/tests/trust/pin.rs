//! `eyemap plugin pin`: what it writes, and that a lock is whole whatever happens.

use eyemap_snapshots::desk::{fails, succeeds};

use super::*;

/// The words in a list of an entry.
fn capabilities(entry: &toml::Table) -> Vec<&str> {
    let words = entry["capabilities"].as_array().expect("capabilities");
    words
        .iter()
        .map(|word| word.as_str().expect("a word"))
        .collect()
}

/// No file that a command needed for a while.
fn nothing_left_in(dir: &Path) {
    let names = std::fs::read_dir(dir).expect("a directory");
    for name in names.map(|entry| entry.expect("an entry").file_name()) {
        let name = name.to_string_lossy().into_owned();
        assert!(
            !name.contains("busy") && !name.contains("tmp"),
            "{name} was left"
        );
    }
}

#[test]
fn it_writes_what_the_library_is_and_where() {
    let project = Project::new();
    let said = project.pin();
    let [entry] = &project.locked()[..] else {
        panic!("{:?}", project.locked())
    };
    assert_eq!(entry["id"].as_str(), Some(ID));
    assert_eq!(entry["version"].as_str(), Some("1.0.0"));
    assert_eq!(
        entry["sha256"].as_str(),
        Some(sha256_hex(&sound()).as_str())
    );
    assert_eq!(entry["file"].as_str(), Some("plugins/libstranger.so"));
    let all = ["coordinate", "color", "metadata", "cache", "describe"];
    assert_eq!(
        capabilities(entry),
        all.map(|stage| format!("eyemap.{stage}/1"))
    );
    assert!(said.contains("runs    in a worker process"), "{said}");
    nothing_left_in(project.dir.path());
}

#[test]
fn a_rebuilt_library_replaces_its_entry_and_another_file_is_added() {
    let project = Project::new();
    succeeds(&project.plugin(&["pin", "plugins/libstranger.so", "--in-process"]));
    assert!(capabilities(&project.locked()[0]).contains(&"in-process"));
    project.put("plugins/libstranger.so", &rebuilt(1));
    project.pin();
    let [entry] = &project.locked()[..] else {
        panic!("{:?}", project.locked())
    };
    assert_eq!(
        entry["sha256"].as_str(),
        Some(sha256_hex(&rebuilt(1)).as_str())
    );
    // Nobody looked at the new bytes as at code of this process.
    assert!(!capabilities(entry).contains(&"in-process"));
    project.put("second.so", &rebuilt(2));
    succeeds(&project.plugin(&["pin", "second.so"]));
    assert_eq!(project.locked().len(), 2);
    assert_eq!(project.runs(), "contained");
}

#[test]
fn the_lock_is_the_one_that_was_named_or_the_users() {
    let project = Project::new();
    succeeds(&project.run(&[
        "plugin",
        "pin",
        "plugins/libstranger.so",
        "--lock",
        "deep/er/my.lock",
    ]));
    assert_eq!(entries(&project.path("deep/er/my.lock")).len(), 1);
    nothing_left_in(&project.path("deep/er"));
    succeeds(&project.run(&["plugin", "pin", "plugins/libstranger.so"]));
    let own = project.path("data/eyemap").join(LOCK_FILE);
    assert_eq!(entries(&own).len(), 1);
    assert!(!project.lock().exists());
    assert_eq!(
        project.runs(),
        "contained",
        "the user's lock counts everywhere"
    );
}

#[test]
fn what_is_no_library_is_not_pinned() {
    let project = Project::new();
    project.put("words.so", b"#!/bin/sh\n");
    project.put("half.so", &sound()[..5000]);
    let cases = [
        ("words.so", "it is not an ELF file"),
        ("half.so", "truncated"),
        ("nowhere.so", "cannot read the plugin"),
        ("plugins", "cannot read the plugin"),
    ];
    for (file, said) in cases {
        let output = project.plugin(&["pin", file]);
        fails(&output, 2, &[said, "help:"]);
        assert!(!project.lock().exists(), "{file}");
        nothing_left_in(project.dir.path());
    }
    let output = project.run(&[
        "plugin",
        "pin",
        "plugins/libstranger.so",
        "--config",
        "none.toml",
    ]);
    fails(
        &output,
        2,
        &["there is no configuration none.toml", "help:"],
    );
}

#[test]
fn a_lock_that_cannot_be_used_stays_as_it_is() {
    let project = Project::new();
    let cases: [(&[u8], &str); 4] = [
        (b"form = 1\n[[plugin]\n", "line 2"),
        (b"form = 7\n", "it has form 7, this host knows form 1"),
        (b"\xff\xfe", "utf-8"),
        (b"form = 1\n[[plugin]]\nid = 3\n", "line 3"),
    ];
    for (damaged, said) in cases {
        project.put(LOCK_FILE, damaged);
        let output = project.plugin(&["pin", "plugins/libstranger.so"]);
        fails(
            &output,
            2,
            &["eyemap-plugins.lock is not usable", said, "help:"],
        );
        assert_eq!(std::fs::read(project.lock()).expect("the lock"), damaged);
        nothing_left_in(project.dir.path());
    }
    std::fs::remove_file(project.lock()).expect("removed");
    std::fs::create_dir(project.lock()).expect("a directory");
    fails(
        &project.plugin(&["pin", "plugins/libstranger.so"]),
        2,
        &["is not usable", "help:"],
    );
}

#[test]
fn a_directory_that_cannot_be_made_or_written_is_said() {
    let project = Project::new();
    for lock in ["table.csv/x.lock", "/proc/x.lock"] {
        let output = project.run(&["plugin", "pin", "plugins/libstranger.so", "--lock", lock]);
        fails(&output, 2, &["x.lock is not usable", "help:"]);
    }
}

#[test]
fn ten_processes_lose_nothing() {
    let project = Project::new();
    let files: Vec<_> = (0..10).map(|n| format!("build-{n}.so")).collect();
    for (n, file) in (0..).zip(&files) {
        project.put(file, &rebuilt(n));
    }
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| succeeds(&project.plugin(&["pin", file])));
        }
    });
    let locked = project.locked();
    let mut listed: Vec<_> = locked
        .iter()
        .filter_map(|entry| entry["file"].as_str())
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, files);
    nothing_left_in(project.dir.path());
}

#[test]
fn a_file_does_not_say_of_itself_where_it_runs() {
    let project = Project::new();
    let mut bytes = sound();
    let (from, to) = (b"\"eyemap.describe/1\"", b"\"in-process\"       ");
    let places: Vec<_> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| window == from)
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty(), "it has a manifest");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    project.put("plugins/libstranger.so", &bytes);
    fails(
        &project.plugin(&["pin", "plugins/libstranger.so"]),
        2,
        &["its extensions are no ids such as eyemap.color/1"],
    );
    assert!(!project.path(LOCK_FILE).exists());
}
