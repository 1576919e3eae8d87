mod damage;
mod held;
mod place;

use std::{cell::Cell, fs, path::Path, thread, time::Duration};

use super::{
    super::{TtlMode, test_policy::oldest},
    log::{Header, RECORD},
    *,
};

const COST: Duration = Duration::from_millis(3);

thread_local! {
    /// How far the clock of this thread's stores is ahead of that of the system.
    pub(super) static PASSED_MS: Cell<u64> = const { Cell::new(0) };
}

fn let_pass(seconds: u64) {
    PASSED_MS.set(PASSED_MS.get() + 1000 * seconds);
}

fn open_with(dir: &Path, capacity: u64, ttl: Option<Ttl>) -> Store {
    let policy = oldest();
    let spec = StoreSpec {
        dir,
        policy: &policy,
        capacity,
        ttl,
    };
    Store::open(&spec).expect("a store")
}

fn open(dir: &Path) -> Store {
    open_with(dir, 1 << 20, None)
}

fn name(n: u8) -> Fingerprint {
    Fingerprint::from_bytes([n; 16])
}

fn put(store: &Store, n: u8, bytes: &[u8]) {
    assert!(store.put(name(n), bytes, COST, None), "artifact {n}");
}

/// The bytes of an artifact.
fn got(store: &Store, n: u8) -> Option<Vec<u8>> {
    store.get(name(n)).map(|(bytes, _)| bytes)
}

fn file(dir: &Path, n: u8) -> PathBuf {
    let name = name(n).to_string();
    dir.join(&name[..2]).join(&name[2..])
}

#[test]
fn artifacts_survive_the_process() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&open(dir.path()), 1, b"one");
    let store = open(dir.path());
    assert_eq!(got(&store, 1).as_deref(), Some(&b"one"[..]));
    assert_eq!(got(&store, 2), None);
    let found = store.statistics();
    assert_eq!(
        (
            found.entries,
            found.bytes,
            found.counts.hits,
            found.counts.misses
        ),
        (1, 3, 1, 1)
    );
    assert_eq!(found.counts.saved(), COST);
    drop(store);
    let totals = open(dir.path()).totals();
    assert_eq!(
        (totals.hits, totals.misses, totals.puts, totals.damaged),
        (1, 1, 1, 0)
    );
}

#[test]
fn two_processes_see_what_the_other_put_and_took() {
    let dir = tempfile::tempdir().expect("a directory");
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    put(&ours, 1, b"one");
    assert_eq!(got(&theirs, 1).as_deref(), Some(&b"one"[..]));
    put(&theirs, 2, b"two");
    put(&ours, 3, b"three");
    assert_eq!(got(&ours, 2).as_deref(), Some(&b"two"[..]));
    assert_eq!(theirs.clear().expect("cleared"), 3);
    assert_eq!((got(&ours, 1), got(&ours, 3)), (None, None));
    put(&ours, 4, b"four");
    assert_eq!(got(&theirs, 4).as_deref(), Some(&b"four"[..]));
}

#[test]
fn what_does_not_fit_leaves_with_its_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open_with(dir.path(), 25, None);
    for n in 0..10 {
        put(&store, n, &[n; 10]);
        assert!(store.statistics().bytes <= 25);
    }
    assert!(
        !store.put(name(99), &[0; 26], COST, None),
        "heavier than the store"
    );
    let there: Vec<u8> = (0..10).filter(|&n| file(dir.path(), n).exists()).collect();
    assert_eq!(there, [8, 9]);
    store.resize(10).expect("resized");
    assert!(!file(dir.path(), 8).exists());
    assert_eq!(
        open_with(dir.path(), 25, None)
            .get(name(9))
            .map(|(b, _)| b.len()),
        Some(10)
    );
}

#[test]
fn a_smaller_capacity_than_before_is_enforced_on_what_is_there() {
    let dir = tempfile::tempdir().expect("a directory");
    for n in 0..10 {
        put(&open(dir.path()), n, &[n; 10]);
    }
    let small = open_with(dir.path(), 35, None);
    assert_eq!(small.statistics().bytes, 30);
}

#[test]
fn an_artifact_that_is_damaged_is_a_miss_and_heals() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path));
    let damage: [Damage<'_>; 5] = [
        ("a flipped byte", &|path| {
            fs::write(path, b"onf").expect("written")
        }),
        ("cut short", &|path| {
            fs::write(path, b"on").expect("written")
        }),
        ("longer", &|path| fs::write(path, b"one!").expect("written")),
        ("gone", &|path| fs::remove_file(path).expect("removed")),
        ("a link elsewhere", &|path| {
            fs::remove_file(path).expect("removed");
            fs::write(path.with_extension("other"), b"one").expect("written");
            std::os::unix::fs::symlink(path.with_extension("other"), path).expect("linked");
        }),
    ];
    for (i, (what, damage)) in damage.into_iter().enumerate() {
        put(&store, 1, b"one");
        damage(&file(dir.path(), 1));
        assert_eq!(got(&store, 1), None, "{what}");
        assert_eq!(store.totals().damaged, i as u64 + 1, "{what}");
        put(&store, 1, b"one");
        assert_eq!(got(&store, 1).as_deref(), Some(&b"one"[..]), "{what}");
    }
}

#[test]
fn a_file_in_the_place_of_another_is_not_taken_for_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, 1, b"same size 1");
    put(&store, 2, b"same size 2");
    fs::copy(file(dir.path(), 2), file(dir.path(), 1)).expect("copied");
    assert_eq!(got(&store, 1), None);
}

#[test]
fn a_log_of_any_length_is_a_log() {
    let dir = tempfile::tempdir().expect("a directory");
    for n in 0..5 {
        put(&open(dir.path()), n, &[n; 100]);
    }
    let log = fs::read(dir.path().join("log")).expect("a log");
    for len in (0..log.len()).step_by(5) {
        let copy = tempfile::tempdir().expect("a directory");
        for n in 0..5 {
            let to = file(copy.path(), n);
            fs::create_dir_all(to.parent().expect("a part")).expect("made");
            fs::copy(file(dir.path(), n), to).expect("copied");
        }
        fs::copy(
            dir.path().join("CACHEDIR.TAG"),
            copy.path().join("CACHEDIR.TAG"),
        )
        .expect("copied");
        fs::write(copy.path().join("log"), &log[..len]).expect("a log");
        let store = open(copy.path());
        for n in 0..5 {
            let found = got(&store, n);
            assert!(
                found.is_none_or(|bytes| bytes == [n; 100]),
                "{len} bytes, artifact {n}"
            );
        }
        put(&store, 7, b"seven");
        assert_eq!(
            got(&open(copy.path()), 7).as_deref(),
            Some(&b"seven"[..]),
            "{len} bytes"
        );
    }
}

#[test]
fn a_store_of_another_form_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&open(dir.path()), 1, b"one");
    let log = dir.path().join("log");
    let mut bytes = fs::read(&log).expect("a log");
    let header = Header {
        form: 9,
        generation: 0,
        policy: [0; 16],
        state: [0; 16],
    };
    bytes[..RECORD].copy_from_slice(&header.to_bytes());
    fs::write(&log, &bytes).expect("written");
    let policy = oldest();
    let spec = StoreSpec {
        dir: dir.path(),
        policy: &policy,
        capacity: 9,
        ttl: None,
    };
    let error = Store::open(&spec).expect_err("another form");
    assert!(
        error
            .to_string()
            .ends_with("has form 9, this engine knows 1"),
        "{error}"
    );
    assert_eq!(fs::read(&log).expect("kept"), bytes);
}

#[test]
fn artifacts_expire_and_hits_renew_them_if_asked_to() {
    let dir = tempfile::tempdir().expect("a directory");
    let ttl = |mode| {
        Some(Ttl {
            time: Duration::from_secs(2000),
            mode,
        })
    };
    let store = open_with(dir.path(), 1 << 20, ttl(TtlMode::Write));
    put(&store, 1, b"one");
    assert!(got(&store, 1).is_some());
    let_pass(2001);
    assert_eq!(got(&store, 1), None);
    assert!(!file(dir.path(), 1).exists());
    assert_eq!(store.statistics().counts.expiries, 1);
    drop(store);
    let store = open_with(dir.path(), 1 << 20, ttl(TtlMode::Access));
    put(&store, 2, b"two");
    for _ in 0..4 {
        let_pass(800);
        assert!(got(&store, 2).is_some());
    }
    store.verify().expect("verified");
    let again = open_with(dir.path(), 1 << 20, ttl(TtlMode::Access));
    assert!(got(&again, 2).is_some(), "the last hit counts");
}

#[test]
fn a_log_is_written_anew_and_the_policy_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open_with(dir.path(), 100, None);
    for n in 0..10 {
        put(&store, n, &[n; 10]);
    }
    // Removals leave holes among the slots.
    store.verify().expect("written anew");
    fs::remove_file(file(dir.path(), 3)).expect("removed");
    assert_eq!(store.verify().expect("verified").damaged, 1);
    drop(store);
    let store = open_with(dir.path(), 100, None);
    assert_eq!(store.statistics().entries, 9);
    put(&store, 20, &[20; 30]);
    // 10 bytes were free: the two oldest go.
    let there: Vec<u8> = (0..10).filter(|&n| got(&store, n).is_some()).collect();
    assert_eq!(there, [2, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn the_dearest_for_their_size_are_warmed_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    for (n, bytes, ms) in [(1, 100, 1), (2, 100, 50), (3, 10, 4), (4, 100, 30)] {
        store.put(name(n), &vec![n; bytes], Duration::from_millis(ms), None);
    }
    let mut order = Vec::new();
    let warmed = store.warm(210, Duration::MAX, |fingerprint, _, _| {
        order.push(fingerprint)
    });
    assert_eq!(order, [name(2), name(3), name(4)]);
    assert_eq!((warmed.artifacts, warmed.bytes, warmed.left), (3, 210, 1));
    assert_eq!(warmed.cost_ns, 84_000_000);
}

#[test]
fn a_store_that_cannot_be_written_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    put(&open(dir.path()), 1, b"one");
    // A lock that cannot be opened stands for a directory that cannot be written, also for root.
    fs::remove_file(dir.path().join("lock")).expect("removed");
    fs::create_dir(dir.path().join("lock")).expect("made");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).expect("set");
    let store = open(dir.path());
    assert_eq!(got(&store, 1).as_deref(), Some(&b"one"[..]));
    assert!(!store.put(name(2), b"two", COST, None));
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("set");
}

#[test]
fn threads_share_a_store() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open_with(dir.path(), 2000, None);
    thread::scope(|scope| {
        for t in 0..4u8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..50u8 {
                    let n = (n.wrapping_mul(7) ^ t) % 40;
                    match got(store, n) {
                        Some(bytes) => assert_eq!(bytes, vec![n; 100]),
                        None => {
                            store.put(name(n), &[n; 100], COST, None);
                        }
                    }
                }
            });
        }
    });
    assert!(store.statistics().bytes <= 2000);
    assert_eq!(store.verify().expect("verified").damaged, 0);
}

/// Every file of a directory, by path.
fn content(dir: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(content(&path)),
            path => {
                found.insert(path.clone(), fs::read(path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn ten_thousand_flipped_bits_serve_no_wrong_byte() {
    let dir = tempfile::tempdir().expect("a directory");
    let bytes = |n: u8| vec![n; 40 + usize::from(n)];
    let store = open(dir.path());
    for n in 0..8 {
        put(&store, n, &bytes(n));
    }
    store
        .verify()
        .expect("written anew, with the state of the policy");
    for n in 8..16 {
        put(&store, n, &bytes(n));
    }
    drop(store);
    let sound = content(dir.path());
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as usize % below
    };
    let (mut served, mut lost) = (0, 0);
    for _ in 0..2000 {
        for (path, bytes) in &sound {
            fs::write(path, bytes).expect("restored");
        }
        for _ in 0..5 {
            let (path, _) = sound.iter().nth(next(sound.len())).expect("a file");
            let mut bytes = fs::read(path).expect("a file");
            if !bytes.is_empty() {
                let at = next(bytes.len() * 8);
                bytes[at / 8] ^= 1 << (at % 8);
                fs::write(path, bytes).expect("flipped");
            }
        }
        let policy = oldest();
        let spec = StoreSpec {
            dir: dir.path(),
            policy: &policy,
            capacity: 1 << 20,
            ttl: None,
        };
        // A flip in the header's form is a store of another version, which is left alone.
        let Ok(store) = Store::open(&spec) else {
            continue;
        };
        for n in 0..16 {
            match got(&store, n) {
                Some(found) => {
                    assert_eq!(found, bytes(n));
                    served += 1;
                }
                None => lost += 1,
            }
        }
    }
    assert!(served > lost && lost > 1000, "{served} served, {lost} lost");
}
