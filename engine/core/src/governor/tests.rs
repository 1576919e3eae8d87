//! The governor on courses of memory that are made up, with caches that hold something.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    cache::{CacheMode, CacheName, Decides, Memo, test_policy::oldest},
    config::Size,
    pipeline::Fingerprint,
};

/// What the caches of colours and of texts may hold, each.
const CEILING: u64 = 100 << 20;

fn memo<V: Clone + Send + Sync>(name: CacheName, capacity: u64) -> Memo<Fingerprint, V> {
    let kept = (&Decides::Policy(oldest()), capacity, None);
    Memo::new(name, CacheMode::On, kept).expect("a memo")
}

/// Memos of which that of colours holds this much; places are not remembered.
fn filled(mebibytes: u16) -> Memos {
    let memos = Memos {
        colors: memo(CacheName::Colors, CEILING),
        metadata: memo(CacheName::Metadata, CEILING),
        ..Memos::default()
    };
    for n in 0..mebibytes * 16 {
        let key: Vec<u8> = n.to_le_bytes().repeat(8);
        let key = Fingerprint::from_bytes(key.try_into().expect("16 bytes"));
        let value = || Ok::<_, ()>((Arc::default(), 1 << 16));
        memos.colors.get_or_try(key, value).expect("a value");
    }
    assert_eq!(memos.held(), u64::from(mebibytes) << 20);
    memos
}

struct Bench {
    config: MemoryConfig,
    memos: Memos,
    pressure: Pressure,
    cancel: AtomicBool,
    steps: Mutex<Vec<Action>>,
}

impl Bench {
    fn new() -> Self {
        Self {
            config: MemoryConfig {
                limit: Size::of_bytes(1000 << 20),
                ..MemoryConfig::default()
            },
            memos: filled(64),
            pressure: Pressure::default(),
            cancel: AtomicBool::new(false),
            steps: Mutex::default(),
        }
    }

    /// Looks at a course of memory, in MiB, every 20 ms; gives what was done.
    fn run(&self, course: impl Iterator<Item = u64>) -> Vec<Action> {
        let watch = MemoryWatch::start();
        let governor = Governor {
            config: &self.config,
            watch: &watch,
            memos: &self.memos,
            pressure: &self.pressure,
            threads: 4,
            cancel: &self.cancel,
            tell: &|step| {
                // What is told has happened.
                if let Action::Caches(bytes) = step.action {
                    assert!(self.memos.held() <= bytes, "{step}");
                }
                self.steps.lock().expect("unlocked").push(step.action);
            },
        };
        let mut state = State::new(&governor);
        let mut now = state.start;
        for mebibytes in course {
            now += SAMPLES_APART;
            state.look(mebibytes << 20, now);
        }
        std::mem::take(&mut self.steps.lock().expect("unlocked"))
    }
}

fn caches_of(action: &Action) -> u64 {
    match action {
        Action::Caches(bytes) => *bytes,
        other => panic!("{other:?}"),
    }
}

fn for_seconds(mebibytes: u64, seconds: usize) -> impl Iterator<Item = u64> {
    std::iter::repeat_n(mebibytes, seconds * 50)
}

#[test]
fn with_room_nothing_happens() {
    let bench = Bench::new();
    assert_eq!(bench.run(for_seconds(690, 10)), []);
    assert_eq!(bench.pressure.shrunk(8192), 8192);
    assert_eq!(bench.memos.held(), 64 << 20);
}

#[test]
fn caches_shrink_before_batches_and_batches_before_threads() {
    let bench = Bench::new();
    let caches = bench.run(for_seconds(750, 10));
    let bytes: Vec<u64> = caches.iter().map(caches_of).collect();
    assert_eq!(bytes[0], 32 << 20, "half of what they held");
    let halved = bytes.windows(2).all(|two| two[1] <= two[0] / 2);
    assert!(halved && bytes.ends_with(&[0]), "{bytes:?}");
    assert_eq!(bench.memos.held(), 0);
    let all = bench.run(for_seconds(950, 10));
    let rank = |action: &Action| match action {
        Action::Caches(_) => 0,
        Action::Batches(_) => 1,
        Action::Threads(_) => 2,
        Action::GiveUp => 3,
    };
    assert!(all.is_sorted_by_key(rank), "{all:?}");
    assert_eq!(all.last(), Some(&Action::Threads(1)));
    assert_eq!(bench.pressure.shrunk(8192), 512);
    assert_eq!(bench.pressure.shrunk(3), 1);
    assert!(!bench.cancel.load(Ordering::Relaxed));
}

#[test]
fn caches_hold_what_they_are_left_with_and_get_back_what_they_were_given() {
    let bench = Bench::new();
    let course = for_seconds(750, 10).take(1).chain(for_seconds(300, 20));
    let steps = bench.run(course);
    let told = [32, 64, 128, 200].map(|mebibytes| Action::Caches(mebibytes << 20));
    assert_eq!(steps, told);
    assert!(bench.memos.held() > 16 << 20, "{}", bench.memos.held());
    for statistics in [
        bench.memos.colors.statistics(),
        bench.memos.metadata.statistics(),
    ] {
        assert_eq!(statistics.map(|found| found.capacity), Some(CEILING));
    }
    assert_eq!(bench.memos.coordinates.statistics(), None);
}

#[test]
fn small_caches_are_left_alone_until_memory_is_short_and_are_never_enlarged() {
    let bench = Bench {
        memos: Memos {
            colors: memo(CacheName::Colors, 64 << 10),
            ..Memos::default()
        },
        ..Bench::new()
    };
    let capacity = || bench.memos.colors.statistics().map(|found| found.capacity);
    assert_eq!(bench.run(for_seconds(300, 10)), []);
    assert_eq!(capacity(), Some(64 << 10));
    assert_eq!(bench.run(for_seconds(750, 1)), [Action::Caches(0)]);
    assert_eq!(capacity(), Some(0));
    let again = bench.run(for_seconds(750, 1).chain(for_seconds(300, 10)));
    assert_eq!(again, [Action::Caches(0), Action::Caches(64 << 10)]);
    assert_eq!(capacity(), Some(64 << 10));
}

#[test]
fn a_run_that_cannot_shrink_ends_and_says_at_which_memory() {
    let bench = Bench::new();
    let steps = bench.run(for_seconds(1100, 10));
    assert_eq!(
        steps.iter().filter(|&&step| step == Action::GiveUp).count(),
        1
    );
    assert!(bench.cancel.load(Ordering::Relaxed));
    assert_eq!(bench.pressure.exceeded(), Some(1100 << 20));
}

#[test]
fn a_short_peak_does_not_end_a_run() {
    let bench = Bench::new();
    let course =
        (0..20).flat_map(|_| std::iter::repeat_n(1100, 40).chain(std::iter::repeat_n(650, 5)));
    bench.run(course);
    assert!(!bench.cancel.load(Ordering::Relaxed));
}

#[test]
fn threads_batches_and_caches_come_back_when_there_is_room_again() {
    let bench = Bench::new();
    let steps = bench.run(for_seconds(950, 5).chain(for_seconds(300, 20)));
    let back = steps
        .iter()
        .skip_while(|step| **step != Action::Threads(1))
        .skip(1);
    let back: Vec<_> = back.copied().collect();
    assert_eq!(
        back,
        [
            Action::Threads(2),
            Action::Threads(4),
            Action::Batches(8),
            Action::Batches(4),
            Action::Batches(2),
            Action::Batches(1),
            // From the least that is worth having, and never above what was configured.
            Action::Caches(1 << 20),
            Action::Caches(2 << 20),
            Action::Caches(4 << 20),
            Action::Caches(8 << 20),
            Action::Caches(16 << 20),
            Action::Caches(32 << 20),
            Action::Caches(64 << 20),
            Action::Caches(128 << 20),
            Action::Caches(2 * CEILING),
        ]
    );
}

#[test]
fn a_thread_too_many_waits_until_the_run_ends_or_it_is_wanted() {
    let pressure = Pressure::default();
    let cancel = AtomicBool::new(false);
    pressure.wait_for_turn(3, &cancel, || true);
    pressure.threads.store(1, Ordering::Relaxed);
    pressure.wait_for_turn(0, &cancel, || true);
    pressure.wait_for_turn(1, &cancel, || false);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| pressure.wait_for_turn(1, &cancel, || true));
        std::thread::sleep(Duration::from_millis(60));
        assert!(!waiting.is_finished());
        cancel.store(true, Ordering::Relaxed);
    });
}
