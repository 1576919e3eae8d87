//! A process that holds the lock and does not go on stops nobody. A lock that another handle of this process
//! holds is as good as one of another process.

use std::fs::File;

use super::*;

fn held(dir: &Path) -> File {
    let lock = File::options()
        .append(true)
        .create(true)
        .open(dir.join("lock"))
        .expect("a lock");
    lock.lock().expect("held");
    lock
}

/// A store that has waited in vain already.
fn impatient(dir: &Path) -> Store {
    let store = open(dir);
    let mut state = store.state();
    let lock = state.lock.as_mut().expect("a lock");
    lock.patience = Duration::ZERO;
    drop(state);
    store
}

#[test]
fn waiting_in_vain_uses_the_patience_up_and_a_free_lock_is_taken_without_any() {
    let dir = tempfile::tempdir().expect("a directory");
    let theirs = held(dir.path());
    let file = File::options()
        .append(true)
        .open(dir.path().join("lock"))
        .expect("a lock");
    let mut lock = Lock::new(file);
    lock.patience = Duration::from_millis(20);
    assert!(!lock.take(Wait::Not).expect("asked"));
    assert!(!lock.take(Wait::Briefly).expect("asked"));
    assert_eq!(lock.patience, Duration::from_millis(20));
    assert!(!lock.take(Wait::Patiently).expect("asked"));
    assert_eq!(lock.patience, Duration::ZERO);
    drop(theirs);
    assert!(lock.take(Wait::Patiently).expect("asked"));
}

#[test]
fn what_is_stored_is_found_though_another_process_holds_the_lock_and_nobody_waits() {
    let dir = tempfile::tempdir().expect("a directory");
    for n in 0..200 {
        put(&open(dir.path()), n, &[n; 100]);
    }
    let _theirs = held(dir.path());
    let store = open(dir.path());
    for n in 0..200 {
        // More hits than are written at once.
        for _ in 0..2 {
            assert_eq!(got(&store, n), Some(vec![n; 100]));
        }
    }
    assert_eq!(got(&store, 201), None);
    let lock = store.state().lock.take().expect("a lock");
    assert_eq!(
        format!("{:?}", lock.patience),
        "5s",
        "nothing was waited for"
    );
}

#[test]
fn what_cannot_be_kept_because_of_the_lock_is_told_and_later_is_kept_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = impatient(dir.path());
    put(&store, 1, b"one");
    let theirs = held(dir.path());
    for n in 2..40 {
        assert!(!store.put(name(n), b"bytes", COST, None), "artifact {n}");
    }
    let notes = store.notes().join("\n");
    assert!(
        notes.contains("38 artifacts could not be put into it"),
        "{notes}"
    );
    assert!(notes.contains("lock` names it"), "{notes}");
    for result in [
        store.verify().map(drop),
        store.clear().map(drop),
        store.resize(9),
    ] {
        let error = result.expect_err("held");
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        assert!(error.help().contains("fuser"), "{}", error.help());
    }
    drop(theirs);
    put(&store, 2, b"two");
    assert_eq!(got(&open(dir.path()), 2).as_deref(), Some(&b"two"[..]));
}

#[test]
fn hits_that_cannot_be_noted_are_counted_later_and_take_no_end_of_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"one");
    let theirs = held(dir.path());
    for _ in 0..20_000 {
        assert!(got(&store, 1).is_some());
    }
    assert!(store.state().unwritten.len() <= 16 * WAITING);
    let notes = store.notes().join("\n");
    assert!(
        notes.contains("what this run found in it is not counted"),
        "{notes}"
    );
    drop(theirs);
    assert_eq!(store.notes(), Vec::<String>::new());
    assert_eq!(store.statistics().counts.hits, 20_000);
    assert_eq!(open(dir.path()).totals().hits, 20_000);
}

#[test]
fn what_another_process_put_in_anew_does_not_leave_when_its_old_time_is_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let ttl = Some(Ttl {
        time: Duration::from_secs(2000),
        mode: TtlMode::Write,
    });
    let (ours, theirs) = (
        open_with(dir.path(), 1 << 20, ttl),
        open_with(dir.path(), 1 << 20, ttl),
    );
    put(&ours, 1, b"old");
    assert!(got(&theirs, 1).is_some());
    let_pass(2001);
    assert_eq!(got(&theirs, 1), None);
    put(&theirs, 1, b"new");
    // Ours knows of the old one alone, whose time is over.
    let _ = got(&ours, 1);
    assert_eq!(got(&theirs, 1).as_deref(), Some(&b"new"[..]));
    assert_eq!(theirs.verify().expect("verified").sound, 1);
}
