//! What does not belong in a store's place is told with its path, and neither followed nor waited for.

use std::os::unix::fs::symlink;

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;

fn error(dir: &Path) -> String {
    let policy = oldest();
    let opened = Store::open(&StoreSpec {
        dir,
        policy: &policy,
        capacity: 1 << 20,
        ttl: None,
    });
    match opened.expect_err("no store") {
        StoreError::Io { source, .. } => source.to_string(),
        other => panic!("{other}"),
    }
}

/// A store with an artifact, whose file of this name makes room for something else.
fn without(name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"one");
    store.verify().expect("written anew");
    drop(store);
    let path = dir.path().join(name);
    fs::remove_file(&path).expect("removed");
    (dir, path)
}

/// The file with the policy's state.
fn state_file() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"one");
    store.verify().expect("written anew");
    drop(store);
    let entries = fs::read_dir(dir.path()).expect("a directory").flatten();
    let mut paths = entries.map(|entry| entry.path());
    let path = paths
        .find(|path| path.to_string_lossy().contains("policy-"))
        .expect("a state");
    fs::remove_file(&path).expect("removed");
    (dir, path)
}

#[test]
fn a_damaged_beginning_of_the_log_costs_no_artifact_and_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    for n in 0..5 {
        put(&open(dir.path()), n, &[n; 100]);
    }
    let log = dir.path().join("log");
    let mut bytes = fs::read(&log).expect("a log");
    bytes[20] ^= 1;
    fs::write(&log, &bytes).expect("damaged");
    let found = open(dir.path()).verify().expect("verified");
    assert_eq!(
        (found.header, found.sound, found.damaged, found.orphans),
        (true, 5, 0, 0)
    );
    let found = open(dir.path()).verify().expect("verified");
    assert_eq!((found.header, found.sound), (false, 5));
    // A run that writes mends it, and says so.
    fs::write(&log, &bytes).expect("damaged");
    let store = open(dir.path());
    put(&store, 5, &[5; 100]);
    assert!(
        store.notes()[0].contains("the beginning of the log"),
        "{:?}",
        store.notes()
    );
    assert_eq!(open(dir.path()).verify().expect("verified").sound, 6);
}

#[test]
fn an_artifact_that_became_a_directory_is_damaged_and_the_directory_is_left() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    for n in 1..4 {
        put(&store, n, b"bytes");
    }
    let at = file(dir.path(), 1);
    fs::remove_file(&at).expect("removed");
    fs::create_dir_all(at.join("full")).expect("made");
    let found = store.verify().expect("verified");
    assert_eq!((found.sound, found.damaged, found.left.count), (2, 1, 1));
    assert_eq!(got(&store, 1), None);
    assert!(!store.put(name(1), b"bytes", COST, None));
    let notes = store.notes().join("\n");
    assert!(
        notes.contains("1 artifact could not be put") && notes.contains("is a directory"),
        "{notes}"
    );
    // Also those that are not even tried, after many that failed.
    for _ in 0..30 {
        assert!(!store.put(name(1), b"bytes", COST, None));
    }
    let notes = store.notes().join("\n");
    assert!(notes.contains("31 artifacts could not be put"), "{notes}");
    let found = store.verify().expect("verified");
    assert_eq!((found.sound, found.damaged, found.left.count), (2, 0, 1));
    assert!(at.join("full").exists());
}

#[test]
fn a_part_that_is_a_link_is_not_followed_out_of_the_store() {
    let (dir, path) = without("01/010101010101010101010101010101");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let part = path.parent().expect("a part");
    fs::remove_dir(part).expect("removed");
    fs::write(
        elsewhere.path().join(path.file_name().expect("a name")),
        b"one",
    )
    .expect("written");
    symlink(elsewhere.path(), part).expect("linked");
    let store = open(dir.path());
    assert_eq!(
        got(&store, 1),
        None,
        "what lies elsewhere is not the store's"
    );
    assert!(!store.put(name(1), b"one", COST, None));
    let notes = store.notes().join("\n");
    assert!(notes.contains("01 is a symbolic link"), "{notes}");
    assert_eq!(store.verify().expect("verified").left.count, 1);
    assert_eq!(content(elsewhere.path()).len(), 1);
}

#[test]
fn what_is_no_file_in_place_of_the_log_is_named_without_waiting() {
    type Make = fn(&Path);
    let kinds: [(&str, Make); 3] = [
        ("is a FIFO", |path| {
            mkfifoat(CWD, path, Mode::RWXU).expect("made")
        }),
        ("is a directory", |path| fs::create_dir(path).expect("made")),
        ("is a symbolic link", |path| {
            symlink("/dev/zero", path).expect("linked")
        }),
    ];
    for (told, make) in kinds {
        let (dir, path) = without("log");
        make(&path);
        let said = error(dir.path());
        assert!(said.contains("log ") && said.contains(told), "{said}");
        // The lock: nothing can be put in, and what is there is found.
        let (dir, path) = without("lock");
        make(&path);
        let store = open(dir.path());
        assert_eq!(got(&store, 1).as_deref(), Some(&b"one"[..]), "{told}");
        let notes = store.notes().join("\n");
        assert!(notes.contains("lock ") && notes.contains(told), "{notes}");
        // An artifact and the policy's state: a miss, and a policy that begins anew.
        let (dir, path) = without("01/010101010101010101010101010101");
        make(&path);
        assert_eq!(got(&open(dir.path()), 1), None, "{told}");
        let (dir, path) = state_file();
        make(&path);
        assert_eq!(
            got(&open(dir.path()), 1).as_deref(),
            Some(&b"one"[..]),
            "{told}"
        );
    }
}

#[test]
fn huge_files_are_not_read() {
    let long = |path: &Path| {
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path);
        // Takes no room on the disk.
        file.and_then(|file| file.set_len(1 << 42))
            .expect("a huge file");
    };
    let (dir, path) = without("log");
    long(&path);
    assert!(error(dir.path()).contains("log is larger than"));
    let (dir, path) = without("01/010101010101010101010101010101");
    long(&path);
    assert_eq!(got(&open(dir.path()), 1), None);
    let (dir, path) = state_file();
    long(&path);
    assert_eq!(got(&open(dir.path()), 1).as_deref(), Some(&b"one"[..]));
}

#[test]
fn a_slot_that_no_store_would_use_asks_for_no_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"one");
    store.verify().expect("written anew");
    drop(store);
    let log = dir.path().join("log");
    let mut bytes = fs::read(&log).expect("a log");
    // After the header and the totals.
    let third = 2 * RECORD..3 * RECORD;
    let record = bytes[third.clone()].try_into().expect("a record");
    let Some(Record::Kept {
        fingerprint,
        entry,
        hits,
        ..
    }) = Record::from_bytes(record)
    else {
        panic!("an artifact");
    };
    let far = Record::Kept {
        fingerprint,
        entry,
        slot: u32::MAX,
        hits,
    };
    bytes[third].copy_from_slice(&far.to_bytes());
    fs::write(&log, bytes).expect("written");
    assert_eq!(got(&open(dir.path()), 1).as_deref(), Some(&b"one"[..]));
}

#[test]
fn a_log_that_another_version_took_over_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"one");
    let header = Header {
        form: 9,
        ..Header::default()
    };
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend([7; 3 * RECORD]);
    let (new, log) = (dir.path().join("new"), dir.path().join("log"));
    fs::write(&new, &bytes).expect("written");
    fs::rename(&new, &log).expect("renamed");
    for _ in 0..3 {
        assert!(!store.put(name(2), b"two", COST, None));
    }
    let notes = store.notes().join("\n");
    assert!(
        notes.contains("another version of eyemap uses it now"),
        "{notes}"
    );
    drop(store);
    assert_eq!(fs::read(&log).expect("a log"), bytes);
}
