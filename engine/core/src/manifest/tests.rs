use eyemap_abi::job::Side;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::AtomicBool,
};

use super::{journal::Step, sort::Sorter, *};
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

fn start(dir: &Path) -> Result<Journal<'static>, ManifestError> {
    static NEVER: AtomicBool = AtomicBool::new(false);
    let waiting = Waiting {
        cancel: &NEVER,
        tell: &|_| (),
    };
    Journal::start(dir, waiting)
}

fn names(manifest: &Manifest) -> Vec<&str> {
    manifest
        .entries
        .keys()
        .map(|key| key.cell_type.as_str())
        .collect()
}

/// A picture of a map that is not in its place.
fn picture(journal: &Journal<'_>, cell_type: &str, bytes: &str) -> Pending {
    let path = entry(cell_type).path;
    Pending::write_in(journal.scratch(), path, bytes.as_bytes()).expect("written")
}

/// Publishes a map as a run does.
fn draw(journal: &Journal<'_>, cell_type: &str) -> PathBuf {
    let file = picture(journal, cell_type, "x");
    journal
        .publish(Some(file), &entry(cell_type))
        .expect("published");
    journal.dir().path().join(entry(cell_type).path)
}

fn finish(journal: &Journal<'_>, keep: impl Fn(&Key) -> bool) -> Manifest {
    journal.finish(keep, |_| Ok(())).expect("merged");
    Manifest::read(journal.dir().path()).expect("read")
}

#[test]
fn a_second_run_merges_and_only_pruning_deletes() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut files = Vec::new();
    for name in ["b", "a"] {
        let journal = start(dir.path()).expect("a journal");
        files.push(draw(&journal, name));
        finish(&journal, |_| true);
    }
    assert_eq!(
        names(&Manifest::read(dir.path()).expect("read")),
        ["a", "b"]
    );
    let journal = start(dir.path()).expect("a journal");
    assert_eq!(names(&finish(&journal, |key| key.cell_type == "b")), ["b"]);
    assert!(files[0].exists() && !files[1].exists());
}

#[test]
fn pruning_spares_what_another_run_draws_meanwhile() {
    let dir = tempfile::tempdir().expect("a directory");
    let pruning = start(dir.path()).expect("a journal");
    let other = start(dir.path()).expect("a journal");
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
    let journal = start(dir.path()).expect("a journal");
    assert_eq!(names(&finish(&journal, |_| true)), ["killed"]);
    assert!(!left.exists());
}

#[test]
fn a_journal_that_is_damaged_is_named_and_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let left = dir.path().join(JOURNAL_FILE);
    std::fs::write(&left, "{\"cell_type\":\n").expect("a journal");
    let error = start(dir.path()).expect_err("damaged").to_string();
    assert!(error.ends_with("line 1 is no entry"), "{error}");
    assert!(left.exists());
}

#[test]
fn a_map_that_fails_keeps_its_earlier_file_listed_until_it_is_pruned() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = start(dir.path()).expect("a journal");
    let file = draw(&journal, "a");
    journal.publish(None, &failed("a")).expect("noted");
    let listed = finish(&journal, |_| true);
    let found = listed.entries.values().next().expect("an entry");
    assert_eq!(
        (found.status, &found.path),
        (Status::Failed, &entry("a").path)
    );
    finish(&start(dir.path()).expect("a journal"), |_| false);
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
    let journal = start(dir.path()).expect("a journal");
    draw(&journal, "a");
    assert_eq!(names(&finish(&journal, |_| true)), ["a"]);
}

#[test]
fn a_map_is_unchanged_while_its_file_looks_as_it_did() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = start(dir.path()).expect("a journal");
    let file = draw(&journal, "a");
    // Not yet: only what was there when the run began is known.
    assert!(!journal.unchanged(&entry("a").key, None, "00"));
    finish(&journal, |_| true);
    drop(journal);
    let next = start(dir.path()).expect("a journal");
    assert!(next.unchanged(&entry("a").key, None, "00"));
    assert!(!next.unchanged(&entry("a").key, None, "01"));
    assert!(!next.unchanged(&entry("a").key, Some("archives/maps-00000.tar"), "00"));
    std::fs::write(file, "changed by hand").expect("written");
    assert!(!next.unchanged(&entry("a").key, None, "00"));
    // Stamps outlive a run that draws something else.
    draw(&next, "b");
    finish(&next, |_| true);
    let last = start(dir.path()).expect("a journal");
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
        let error = start(dir.path()).expect_err(&text);
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
        let scratch = Scratch::open(&Dir::open(dir.path()).expect("it")).expect("a scratch");
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
fn archive(journal: &Journal<'_>, names: &[&str]) -> PathBuf {
    let name = format!("{ARCHIVES_DIR}/maps-00000.tar");
    let path = journal.dir().path().join(&name);
    let file = Pending::write_in(journal.scratch(), &name, names.concat().as_bytes());
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
    let run = || start(dir.path()).expect("a journal");
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

/// Ends a run within a step, as a kill does: nothing after it is done.
fn killed_after(step: Step, journal: Journal<'_>, file: Pending, entries: &[Entry]) {
    let stop = |now| assert_ne!(now, step, "killed");
    let put = catch_unwind(AssertUnwindSafe(|| {
        journal.put(Some(file), entries, &stop).expect("put");
    }));
    assert!(put.is_err());
}

#[test]
fn a_run_that_is_killed_while_it_renames_leaves_no_fingerprint_of_other_bytes() {
    let redrawn = Entry {
        fingerprint: "22".into(),
        bytes: 5,
        ..entry("a")
    };
    for (step, bytes, listed) in [
        (Step::Noted, "x", &entry("a")),
        (Step::Renamed, "other", &redrawn),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let journal = start(dir.path()).expect("a journal");
        let file = draw(&journal, "a");
        finish(&journal, |_| true);
        drop(journal);
        // One that goes on beside the killed run, and one that begins after it.
        let beside = start(dir.path()).expect("a journal");
        let killed = start(dir.path()).expect("a journal");
        let other = picture(&killed, "a", "other");
        killed_after(step, killed, other, std::slice::from_ref(&redrawn));
        draw(&beside, "b");
        let manifest = finish(&beside, |_| true);
        assert_eq!(names(&manifest), ["a", "b"], "{step:?}");
        assert_eq!(manifest.entries[&redrawn.key], *listed, "{step:?}");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), bytes);
        let next = start(dir.path()).expect("a journal");
        assert!(
            next.unchanged(&listed.key, None, &listed.fingerprint),
            "{step:?}"
        );
    }
}

#[test]
fn maps_of_an_archive_whose_run_was_killed_before_they_were_noted_are_listed_no_more() {
    for (step, listed) in [(Step::Noted, &["a", "b"][..]), (Step::Renamed, &[])] {
        let dir = tempfile::tempdir().expect("a directory");
        let journal = start(dir.path()).expect("a journal");
        archive(&journal, &["a", "b"]);
        finish(&journal, |_| true);
        drop(journal);
        let killed = start(dir.path()).expect("a journal");
        let name = format!("{ARCHIVES_DIR}/maps-00000.tar");
        let file = Pending::write_in(killed.scratch(), &name, b"other").expect("written");
        let entry = Entry {
            archive: Some(name),
            ..entry("c")
        };
        killed_after(step, killed, file, &[entry]);
        let next = start(dir.path()).expect("a journal");
        assert_eq!(names(&finish(&next, |_| true)), listed, "{step:?}");
    }
}

#[test]
fn what_lies_where_a_map_belongs_is_named_and_the_journal_stays_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = start(dir.path()).expect("a journal");
    draw(&journal, "a");
    let before = std::fs::read(dir.path().join(JOURNAL_FILE)).expect("a journal");
    std::fs::create_dir_all(dir.path().join(entry("b").path)).expect("created");
    let file = picture(&journal, "b", "x");
    let error = journal
        .publish(Some(file), &entry("b"))
        .expect_err("refused");
    assert!(matches!(error, ManifestError::InTheWay(_)), "{error:?}");
    assert!(error.to_string().contains("svg is a directory"), "{error}");
    let after = std::fs::read(dir.path().join(JOURNAL_FILE)).expect("a journal");
    assert_eq!(after, before);
    assert_eq!(names(&finish(&journal, |_| true)), ["a"]);
}

#[test]
fn lists_that_are_links_or_no_files_are_named_and_nothing_is_written_through_them() {
    for name in [JOURNAL_FILE, LOCK_FILE, MANIFEST_FILE] {
        let (dir, theirs) = (
            tempfile::tempdir().expect("a"),
            tempfile::NamedTempFile::new().expect("b"),
        );
        let path = dir.path().join(name);
        std::os::unix::fs::symlink(theirs.path(), &path).expect("linked");
        let error = start(dir.path()).expect_err(name);
        let error = crate::render::with_causes(&error);
        assert!(error.contains("is a symbolic link"), "{name}: {error}");
        std::fs::remove_file(&path).expect("removed");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).expect("a FIFO");
        let error = start(dir.path()).expect_err(name);
        let error = crate::render::with_causes(&error);
        assert!(error.contains("is a FIFO"), "{name}: {error}");
        assert_eq!(theirs.as_file().metadata().expect("it").len(), 0);
    }
}

#[test]
fn a_list_of_a_terabyte_of_nothing_is_refused_before_it_is_read() {
    for name in [JOURNAL_FILE, MANIFEST_FILE] {
        let dir = tempfile::tempdir().expect("a directory");
        for bytes in [1 << 40, 1 << 34] {
            let file = std::fs::File::create(dir.path().join(name)).expect("a file");
            file.set_len(bytes).expect("it is sparse");
            let error = start(dir.path()).expect_err(name);
            let error = crate::render::with_causes(&error);
            let told = error.contains("larger than") || error.contains("longer than");
            assert!(told, "{name}: {error}");
        }
    }
}

#[test]
fn a_directory_says_what_its_maps_were_drawn_with_until_one_run_drew_them_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |way: &str, names: &[&str]| {
        let journal = start(dir.path()).expect("a journal");
        journal.draws_with(way).expect("noted");
        for name in names {
            draw(&journal, name);
        }
        let wanted = || names.iter().map(|name| entry(name).key);
        let finished = journal.finish(|_| true, |listed| listed.is_drawn_with(way, wanted()));
        finished.expect("merged");
        drawn_with(journal.dir()).expect("read")
    };
    assert_eq!(run("one", &["a", "b"]), ["one"]);
    assert_eq!(run("two", &["a"]), ["one", "two"]);
    assert_eq!(run("two", &["a"]), ["one", "two"]);
    assert_eq!(run("two", &["a", "b"]), ["two"]);
    // Maps of which nobody noted anything stay unknown until they are drawn or looked at.
    std::fs::remove_file(dir.path().join(".manifest.drawn")).expect("removed");
    assert_eq!(run("two", &["a"]), ["unknown", "two"]);
    assert_eq!(run("two", &["a", "b"]), ["two"]);
}
