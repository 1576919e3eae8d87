use eyemap_abi::job::Side;

use super::{sort::Sorter, *};
use crate::sink::{Pending, Scratch};

fn entry(cell_type: &str) -> Entry {
    let key = Key {
        cell_type: cell_type.into(),
        region: "ME".into(),
        side: Side::Right,
        metric: "cells".into(),
        format: Format::Svg,
    };
    Entry {
        path: key.path(),
        key,
        bytes: 1,
        fingerprint: "00".into(),
        status: Status::Rendered,
        error: None,
        archive: None,
    }
}

fn failed(cell_type: &str) -> Entry {
    Entry {
        path: String::new(),
        bytes: 0,
        fingerprint: String::new(),
        status: Status::Failed,
        error: Some("no".into()),
        ..entry(cell_type)
    }
}

fn names(manifest: &Manifest) -> Vec<&str> {
    manifest
        .entries
        .keys()
        .map(|key| key.cell_type.as_str())
        .collect()
}

/// Publishes a map as a run does.
fn draw(journal: &Journal, cell_type: &str) -> PathBuf {
    let path = journal.dir.join(entry(cell_type).path);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("created");
    let file = Pending::write(&path, b"x").expect("written");
    journal
        .publish(Some(file), &entry(cell_type))
        .expect("published");
    path
}

fn finish(journal: &Journal, keep: impl Fn(&Key) -> bool) -> Manifest {
    journal.finish(keep, |_| Ok(())).expect("merged");
    Manifest::read(&journal.dir).expect("read")
}

#[test]
fn a_second_run_merges_and_only_pruning_deletes() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut files = Vec::new();
    for name in ["b", "a"] {
        let journal = Journal::start(dir.path()).expect("a journal");
        files.push(draw(&journal, name));
        finish(&journal, |_| true);
    }
    assert_eq!(
        names(&Manifest::read(dir.path()).expect("read")),
        ["a", "b"]
    );
    let journal = Journal::start(dir.path()).expect("a journal");
    assert_eq!(names(&finish(&journal, |key| key.cell_type == "b")), ["b"]);
    assert!(files[0].exists() && !files[1].exists());
}

#[test]
fn pruning_spares_what_another_run_draws_meanwhile() {
    let dir = tempfile::tempdir().expect("a directory");
    let pruning = Journal::start(dir.path()).expect("a journal");
    let other = Journal::start(dir.path()).expect("a journal");
    let file = draw(&other, "theirs");
    draw(&pruning, "ours");
    assert_eq!(
        names(&finish(&pruning, |key| key.cell_type == "ours")),
        ["ours", "theirs"]
    );
    assert_eq!(names(&finish(&other, |_| true)), ["ours", "theirs"]);
    assert!(file.exists());
}

#[test]
fn the_journal_of_a_killed_run_is_taken_in_up_to_its_cut_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let left = dir.path().join(JOURNAL_FILE);
    let mut text = serde_json::to_vec(&entry("killed")).expect("json");
    text.extend_from_slice(b"\n{\"cell_type\":\"cut");
    std::fs::write(&left, text).expect("a journal");
    let journal = Journal::start(dir.path()).expect("a journal");
    assert_eq!(names(&finish(&journal, |_| true)), ["killed"]);
    assert!(!left.exists());
}

#[test]
fn a_journal_that_is_damaged_is_named_and_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let left = dir.path().join(JOURNAL_FILE);
    std::fs::write(&left, "{\"cell_type\":\n").expect("a journal");
    let error = Journal::start(dir.path()).expect_err("damaged").to_string();
    assert!(error.ends_with("line 1 is no entry"), "{error}");
    assert!(left.exists());
}

#[test]
fn a_map_that_fails_keeps_its_earlier_file_listed_until_it_is_pruned() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::start(dir.path()).expect("a journal");
    let file = draw(&journal, "a");
    journal.publish(None, &failed("a")).expect("noted");
    let listed = finish(&journal, |_| true);
    let found = listed.entries.values().next().expect("an entry");
    assert_eq!(
        (found.status, &found.path),
        (Status::Failed, &entry("a").path)
    );
    finish(&Journal::start(dir.path()).expect("a journal"), |_| false);
    assert!(!file.exists());
}

#[test]
fn a_damaged_or_hostile_manifest_is_refused_and_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(MANIFEST_FILE);
    let hostile = |path: &str| {
        let entry = Entry {
            path: path.into(),
            ..entry("x")
        };
        Manifest {
            entries: [(entry.key.clone(), entry)].into(),
        }
        .to_json()
    };
    for text in [
        b"{".to_vec(),
        b"{\"form\":9,\"maps\":[]}".to_vec(),
        hostile("../../x"),
        hostile(".git/config"),
        hostile("javascript:alert(1)"),
    ] {
        std::fs::write(&path, &text).expect("a manifest");
        let error = Manifest::read(dir.path()).expect_err("refused");
        assert!(matches!(error, ManifestError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(&path).expect("kept"), text);
    }
}

#[test]
fn what_a_cut_line_left_does_not_spoil_the_next_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let left = dir.path().join(JOURNAL_FILE);
    std::fs::write(&left, "{\"cell_type\":\"cut").expect("a journal");
    let journal = Journal::start(dir.path()).expect("a journal");
    draw(&journal, "a");
    assert_eq!(names(&finish(&journal, |_| true)), ["a"]);
}

#[test]
fn a_map_is_unchanged_while_its_file_looks_as_it_did() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::start(dir.path()).expect("a journal");
    let file = draw(&journal, "a");
    // Not yet: only what was there when the run began is known.
    assert!(!journal.unchanged(&entry("a").key, None, "00"));
    finish(&journal, |_| true);
    drop(journal);
    let next = Journal::start(dir.path()).expect("a journal");
    assert!(next.unchanged(&entry("a").key, None, "00"));
    assert!(!next.unchanged(&entry("a").key, None, "01"));
    assert!(!next.unchanged(&entry("a").key, Some("archives/maps-00000.tar"), "00"));
    std::fs::write(file, "changed by hand").expect("written");
    assert!(!next.unchanged(&entry("a").key, None, "00"));
    // Stamps outlive a run that draws something else.
    draw(&next, "b");
    finish(&next, |_| true);
    let last = Journal::start(dir.path()).expect("a journal");
    assert!(last.unchanged(&entry("b").key, None, "00"));
}

#[test]
fn a_manifest_that_is_cut_or_out_of_order_is_refused_before_a_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(MANIFEST_FILE);
    let whole = |names: &[&str]| {
        let entries = names.iter().map(|name| entry(name));
        Manifest {
            entries: entries.map(|entry| (entry.key.clone(), entry)).collect(),
        }
        .to_json()
    };
    let text = String::from_utf8(whole(&["a", "b"])).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let mut wrong: Vec<String> = (1..text.len()).map(|end| text[..end].to_owned()).collect();
    wrong.push(
        [
            lines[0],
            &format!("{},", lines[2]),
            lines[1].trim_end_matches(','),
            "]}\n",
        ]
        .join("\n"),
    );
    wrong.push(text.clone() + "x");
    wrong.push(text.replace(",\n", "\n"));
    for text in wrong {
        std::fs::write(&path, &text).expect("a manifest");
        let error = Journal::start(dir.path()).expect_err(&text);
        assert!(matches!(error, ManifestError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("kept"), text);
    }
    std::fs::write(&path, whole(&[])).expect("a manifest");
    assert_eq!(
        Manifest::read(dir.path()).expect("read"),
        Manifest::default()
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Sorting in pieces of any size gives what a map in memory gives.
    #[test]
    fn pieces_on_the_disk_sort_as_memory_does(
        lines in proptest::collection::vec((0..12_u8, proptest::bool::ANY, 0..4_u8), 0..60),
        run_bytes in 1..2000_usize,
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let scratch = Scratch::open(dir.path()).expect("a scratch");
        let mut sorter = Sorter::of_runs(&scratch, run_bytes);
        let mut model: BTreeMap<Key, Line<Entry>> = BTreeMap::new();
        for (name, fails, fingerprint) in lines {
            let name = name.to_string();
            let mut entry = if fails { failed(&name) } else { entry(&name) };
            if !fails {
                entry.fingerprint = fingerprint.to_string();
            }
            let line = Line { entry, stamp: None };
            sorter.push(line.clone(), 300).expect("taken");
            let line = match model.remove(&line.entry.key) {
                Some(earlier) => earlier.then(line),
                None => line,
            };
            model.insert(line.entry.key.clone(), line);
        }
        let mut sorted = sorter.finish().expect("sorted");
        for expected in model.into_values() {
            let found = sorted.next().expect("read").expect("a line");
            proptest::prop_assert_eq!(found.entry, expected.entry);
        }
        proptest::prop_assert!(sorted.next().expect("read").is_none());
    }
}

/// An archive as one run writes it.
fn archive(journal: &Journal, names: &[&str]) -> PathBuf {
    let name = format!("{ARCHIVES_DIR}/maps-00000.tar");
    let path = journal.dir.join(&name);
    let file = Pending::write_in(journal.scratch(), &path, names.concat().as_bytes());
    let entries: Vec<Entry> = names
        .iter()
        .map(|cell_type| Entry {
            archive: Some(name.clone()),
            ..entry(cell_type)
        })
        .collect();
    let published = journal.publish_all(Some(file.expect("written")), &entries);
    published.expect("published");
    path
}

#[test]
fn maps_that_an_archive_lost_are_listed_no_more_and_files_give_way_to_archives() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = || Journal::start(dir.path()).expect("a journal");
    let journal = run();
    let file = draw(&journal, "a");
    finish(&journal, |_| true);
    let journal = run();
    let path = archive(&journal, &["a", "b"]);
    assert_eq!(names(&finish(&journal, |_| true)), ["a", "b"]);
    assert!(!file.exists() && path.exists());
    let key = entry("b").key;
    assert!(run().unchanged(&key, Some("archives/maps-00000.tar"), "00"));
    let journal = run();
    archive(&journal, &["b", "c"]);
    journal.publish(None, &failed("a")).expect("noted");
    let listed = finish(&journal, |_| true);
    assert_eq!(names(&listed), ["a", "b", "c"]);
    assert_eq!(listed.entries[&entry("a").key], failed("a"));
    let journal = run();
    for name in ["a", "b", "c"] {
        draw(&journal, name);
    }
    finish(&journal, |_| true);
    assert!(!path.exists());
}
