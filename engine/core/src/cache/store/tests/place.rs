//! A store deletes what is its own, and nothing else.

use std::sync::Barrier;

use super::*;

fn try_open(dir: &Path) -> Result<Store, StoreError> {
    let policy = oldest();
    Store::open(&StoreSpec {
        dir,
        policy: &policy,
        capacity: 1 << 20,
        ttl: None,
    })
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("made");
    fs::write(path, text).expect("written");
}

/// The names that a check left, as text.
fn left(found: &Verified) -> Vec<String> {
    let paths = found.left.first.iter();
    paths.map(|path| path.display().to_string()).collect()
}

#[test]
fn a_directory_with_files_of_others_is_refused_and_stays_as_it_is() {
    // The last two are what other caches look like: files by the digits of a hash, and a log of something.
    for names in [
        &["notes.txt"][..],
        &["policy-7"],
        &[".gitignore"],
        &["CACHEDIR.TAG"],
        &["00/112233445566778899aabbccddeeff"],
        &["log", "00/112233445566778899aabbccddeeff"],
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        for name in names {
            write(&dir.path().join(name), "of somebody");
        }
        let before = content(dir.path());
        let error = try_open(dir.path()).expect_err("no store");
        assert!(
            matches!(error, StoreError::NotAStore { .. }),
            "{names:?}: {error}"
        );
        assert!(error.help().contains("empty or does not exist"), "{error}");
        assert_eq!(content(dir.path()), before, "{names:?}");
    }
}

#[test]
fn a_store_moves_into_a_directory_that_is_missing_or_empty_and_marks_it() {
    let dir = tempfile::tempdir().expect("a directory");
    for made in ["", "deep/down"] {
        let dir = dir.path().join(made);
        put(&try_open(&dir).expect("a store"), 1, b"one");
        let mark = fs::read_to_string(dir.join("CACHEDIR.TAG")).expect("a mark");
        assert!(mark.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
        assert_eq!(
            got(&try_open(&dir).expect("a store"), 1).as_deref(),
            Some(&b"one"[..])
        );
        // The second is made within the first, which is none of the first's business.
        fs::remove_file(file(&dir, 1)).expect("removed");
    }
}

#[test]
fn a_directory_that_a_process_was_killed_in_while_it_marked_it_is_taken() {
    let dir = tempfile::tempdir().expect("a directory");
    write(&dir.path().join(".eyemap-17-0.tmp"), "Signature");
    let store = try_open(dir.path()).expect("a store");
    assert_eq!(store.verify().expect("verified").orphans, 1);
}

#[test]
fn processes_that_make_a_store_at_once_all_get_it() {
    for _ in 0..50 {
        let dir = tempfile::tempdir().expect("a directory");
        let (dir, all) = (dir.path().join("store"), Barrier::new(4));
        thread::scope(|scope| {
            for n in 0..4 {
                let (dir, all) = (&dir, &all);
                scope.spawn(move || {
                    all.wait();
                    put(&try_open(dir).expect("a store"), n, b"bytes");
                });
            }
        });
        let found = try_open(&dir).expect("a store").verify().expect("verified");
        assert_eq!((found.sound, found.orphans, found.left.count), (4, 0, 0));
    }
}

#[test]
fn a_check_removes_what_a_killed_process_left_and_names_what_others_put_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"one");
    let path = |name: &str| dir.path().join(name);
    for own in [
        "02/02020202020202020202020202020202".to_owned(),
        format!("02/{}", "02".repeat(15)),
        "01/.eyemap-1-1.tmp".into(),
        ".eyemap-1-2.tmp".into(),
        "policy-12".into(),
    ] {
        write(&path(&own), "left by a killed process");
    }
    // One of them has two digits too many.
    let own = 4;
    for foreign in [
        "README",
        "01/README",
        "ab/AB0202020202020202020202020202",
        "AB/020202020202020202020202020202",
        "policy-of-the-house",
        "policy-1/state",
        "cd/010101010101010101010101010101/deeper",
    ] {
        write(&path(foreign), "of somebody");
    }
    let elsewhere = tempfile::tempdir().expect("a directory");
    write(
        &elsewhere.path().join("030303030303030303030303030303"),
        "of somebody",
    );
    std::os::unix::fs::symlink(elsewhere.path(), path("03")).expect("linked");
    std::os::unix::fs::symlink(path("README"), path("01/030303030303030303030303030303"))
        .expect("linked");
    let before = content(dir.path());
    let found = store.verify().expect("verified");
    assert_eq!((found.sound, found.damaged, found.orphans), (1, 0, own));
    assert_eq!(found.left.count, 10, "{found:?}");
    assert!(
        found.left.to_string().ends_with(" and 2 more"),
        "{}",
        found.left
    );
    assert!(left(&found).contains(&"01/README".to_owned()), "{found:?}");
    let after = content(dir.path());
    let gone = before
        .keys()
        .filter(|path| !after.contains_key(*path))
        .count();
    assert_eq!(gone as u64, own);
    assert_eq!(content(elsewhere.path()).len(), 1);
    let again = store.verify().expect("verified");
    assert_eq!((again.orphans, again.left), (0, found.left));
}

/// A store as it was made before there was a mark, in a directory with files of somebody else.
fn unmarked(dir: &Path) -> PathBuf {
    put(&open(dir), 1, b"one");
    fs::remove_file(dir.join("CACHEDIR.TAG")).expect("removed");
    fs::remove_file(dir.join(".gitignore")).expect("removed");
    let foreign = dir.join("00/112233445566778899aabbccddeeff");
    write(&foreign, "of somebody");
    write(&dir.join("policy-7"), "of somebody");
    foreign
}

#[test]
fn a_store_from_before_the_mark_is_used_and_what_no_record_speaks_of_is_left() {
    let dir = tempfile::tempdir().expect("a directory");
    let foreign = unmarked(dir.path());
    let store = open(dir.path());
    assert_eq!(got(&store, 1).as_deref(), Some(&b"one"[..]));
    put(&store, 2, b"two");
    let found = store.verify().expect("verified");
    assert_eq!((found.sound, found.orphans), (2, 0));
    assert_eq!(
        left(&found),
        ["00/112233445566778899aabbccddeeff", "policy-7"]
    );
    // So many hits that the log is written anew by itself.
    for _ in 0..5000 {
        assert!(got(&store, 2).is_some());
    }
    let notes = store.notes().join("\n");
    assert!(notes.contains("is left: \"00/112233"), "{notes}");
    assert_eq!(store.clear().expect("cleared"), 2);
    assert!(!file(dir.path(), 1).exists());
    assert!(foreign.exists() && dir.path().join("policy-7").exists());
    assert!(
        !dir.path().join("CACHEDIR.TAG").exists(),
        "it is not made a store after all"
    );
}

#[test]
fn without_mark_and_without_a_sound_log_a_directory_is_no_store() {
    let dir = tempfile::tempdir().expect("a directory");
    unmarked(dir.path());
    let log = dir.path().join("log");
    let mut bytes = fs::read(&log).expect("a log");
    bytes[3] ^= 1;
    fs::write(&log, bytes).expect("damaged");
    let before = content(dir.path());
    let error = try_open(dir.path()).expect_err("no store");
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert_eq!(content(dir.path()), before);
}
