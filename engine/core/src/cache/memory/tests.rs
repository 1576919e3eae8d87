//! One computation a key, time to live, capacities and counts, on both backends.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
};

use super::{
    super::{stats::Counts, test_policy::oldest},
    *,
};

const ENTRY: u64 = 10;

fn backends() -> [Decides; 2] {
    [Decides::Policy(oldest()), Decides::Quick]
}

fn cache(decides: &Decides, capacity: u64, ttl: Option<(u64, TtlMode)>) -> Cache<u64, u64> {
    let ttl = ttl.map(|(ms, mode)| Ttl {
        time: Duration::from_millis(ms),
        mode,
    });
    Cache::new(&CacheSpec {
        cache: 3,
        decides,
        capacity,
        ttl,
        shards: 1,
    })
    .expect("a cache")
}

/// Lets threads ask for one key at a time; each says what it got.
fn ask_at_once<E: Send>(
    cache: &Cache<u64, u64>,
    threads: usize,
    compute: impl Fn() -> Result<(u64, u64), E> + Sync,
) -> Vec<thread::Result<Result<u64, E>>> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let ask = || {
            barrier.wait();
            cache.get_or_try_insert_with(&1, &compute)
        };
        let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
        asking
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    })
}

#[test]
fn threads_that_ask_for_one_key_at_a_time_compute_it_once() {
    for decides in backends() {
        for round in 0..20 {
            let (cache, computed) = (cache(&decides, 1000, None), AtomicU32::new(0));
            let answers = ask_at_once(&cache, 8, || {
                computed.fetch_add(1, Ordering::SeqCst);
                // In every other round it is over before the last has asked.
                thread::sleep(Duration::from_millis(round % 2 * 5));
                Ok::<_, ()>((7, ENTRY))
            });
            assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(7)))));
            assert_eq!(computed.into_inner(), 1, "{}", decides.name());
            let counts = cache.statistics().counts;
            assert_eq!(counts.hits + counts.misses, 8, "{counts:?}");
            assert_eq!(counts.insertions, 1);
        }
    }
}

#[test]
fn threads_that_ask_for_what_is_not_kept_compute_it_once_too() {
    for decides in backends() {
        let (cache, computed) = (cache(&decides, 5, None), AtomicU32::new(0));
        let answers = ask_at_once(&cache, 8, || {
            computed.fetch_add(1, Ordering::SeqCst);
            // It is over when the seven others wait for it.
            let waiting = || lock(&cache.flights).get(&1).map_or(8, Arc::strong_count);
            while waiting() < 8 {
                thread::yield_now();
            }
            Ok::<_, ()>((7, ENTRY))
        });
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(7)))));
        assert_eq!(computed.into_inner(), 1, "{}", decides.name());
        assert_eq!(cache.statistics().entries, 0);
    }
}

#[test]
fn after_a_computation_that_failed_one_that_waited_computes() {
    for decides in backends() {
        let (cache, computed) = (cache(&decides, 1000, None), AtomicU32::new(0));
        let answers = ask_at_once(&cache, 8, || {
            thread::sleep(Duration::from_millis(20));
            match computed.fetch_add(1, Ordering::SeqCst) {
                0 => Err("the first fails"),
                _ => Ok((7, ENTRY)),
            }
        });
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(
            (failed, computed.into_inner()),
            (1, 2),
            "{}",
            decides.name()
        );
    }
}

#[test]
fn after_a_computation_that_panicked_nobody_waits_for_ever() {
    for decides in backends() {
        let (cache, computed) = (cache(&decides, 1000, None), AtomicU32::new(0));
        let answers = ask_at_once(&cache, 8, || {
            thread::sleep(Duration::from_millis(20));
            assert_ne!(
                computed.fetch_add(1, Ordering::SeqCst),
                0,
                "the first panics"
            );
            Ok::<_, ()>((7, ENTRY))
        });
        let panicked = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(
            (panicked, computed.into_inner()),
            (1, 2),
            "{}",
            decides.name()
        );
        assert_eq!(cache.get(&1), Some(7));
    }
}

#[test]
fn entries_live_from_their_insert_or_from_their_last_hit() {
    for decides in backends() {
        for (mode, lives) in [(TtlMode::Write, false), (TtlMode::Access, true)] {
            let what = format!("{} {mode:?}", decides.name());
            // So long that what the test itself takes is nothing.
            let mut cache = cache(&decides, 1000, Some((400_000, mode)));
            // As if it had been made earlier.
            let pass = |cache: &mut Cache<u64, u64>, seconds| {
                cache.start -= Duration::from_secs(seconds);
            };
            cache.insert(1, 7, ENTRY, 0);
            assert_eq!(cache.get(&1), Some(7), "{what}");
            pass(&mut cache, 250);
            assert_eq!(cache.get(&1), Some(7), "{what}");
            pass(&mut cache, 250);
            assert_eq!(cache.get(&1), lives.then_some(7), "{what}");
            pass(&mut cache, 450);
            assert_eq!(cache.get(&1), None, "{what}");
            let statistics = cache.statistics();
            assert_eq!(
                (statistics.entries, statistics.counts.expiries),
                (0, 1),
                "{what}"
            );
        }
    }
}

#[test]
fn a_cache_shrinks_to_nothing_at_once_and_grows_again() {
    for decides in backends() {
        let cache = cache(&decides, 1000, None);
        let fill = || {
            for key in 0..50 {
                cache.insert(key, key, ENTRY, 0);
            }
        };
        fill();
        assert_eq!(cache.statistics().bytes, 500, "{}", decides.name());
        cache.resize(0);
        let statistics = cache.statistics();
        assert_eq!(
            (statistics.entries, statistics.bytes, statistics.capacity),
            (0, 0, 0)
        );
        fill();
        assert_eq!(cache.statistics().entries, 0, "{}", decides.name());
        cache.resize(1000);
        fill();
        assert_eq!(cache.statistics().bytes, 500, "{}", decides.name());
        assert_eq!(cache.get(&49), Some(49));
    }
}

/// Everything that happens to a cache; returns requests, and entries that left by name.
fn live(cache: &Cache<u64, u64>, thread: u64) -> (u64, u64) {
    let (mut state, mut requests, mut removed) = (thread, 0, 0);
    for _ in 0..3000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let key = (state >> 33) % 60;
        match (state >> 50) % 8 {
            0 => removed += u64::from(cache.remove(&key)),
            _ => {
                let computed = || Ok::<_, ()>((key + 1, key % 7));
                assert_eq!(cache.get_or_try_insert_with(&key, computed), Ok(key + 1));
                requests += 1;
            }
        }
    }
    (requests, removed)
}

fn adds_up(statistics: &Statistics, (requests, removed): (u64, u64), policy: bool) {
    let Counts {
        hits,
        misses,
        insertions,
        evictions,
        expiries,
        ..
    } = statistics.counts;
    assert_eq!(hits + misses, requests, "{statistics:?}");
    // `quick` counts removals by name as evictions.
    let removed = if policy { removed } else { 0 };
    assert_eq!(
        insertions - evictions - expiries - removed,
        statistics.entries,
        "{statistics:?}"
    );
    assert!(statistics.bytes <= statistics.capacity, "{statistics:?}");
    assert!(evictions > 0 && hits > 0, "{statistics:?}");
}

#[test]
fn statistics_add_up_on_one_thread_and_on_four() {
    for decides in backends() {
        let policy = matches!(decides, Decides::Policy(_));
        let cache_of_one = cache(&decides, 60, None);
        let did = live(&cache_of_one, 1);
        adds_up(&cache_of_one.statistics(), did, policy);
        let cache_of_four = cache(&decides, 60, None);
        let (requests, removed) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for thread in 0..4 {
                let (cache, requests, removed) = (&cache_of_four, &requests, &removed);
                scope.spawn(move || {
                    let did = live(cache, thread);
                    requests.fetch_add(did.0, Ordering::SeqCst);
                    removed.fetch_add(did.1, Ordering::SeqCst);
                });
            }
        });
        let did = (requests.into_inner(), removed.into_inner());
        adds_up(&cache_of_four.statistics(), did, policy);
    }
}
