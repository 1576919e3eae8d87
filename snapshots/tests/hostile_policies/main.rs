//! Cache policies that are wrong on purpose: values stay right, the cache stays within its capacity,
//! the fault names the plugin, and the oldest entry goes first from then on.

mod watched;

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use eyemap_engine::cache::{
    Cache, CacheSpec, Decides, Facts, Gone, Inserted, Manner, PolicySource, Shard,
};
use eyemap_snapshots::policies::{fixture, hostile};
use serde_json::json;

use watched::{Watched, keys, value_of, weight_of};

const MANNERS: [(usize, bool); 4] = [(1, false), (7, false), (64, false), (128, true)];

/// Uses a cache with a policy in every manner. Returns the faults.
fn faults(source: &PolicySource) -> Vec<Option<String>> {
    let lived = |(batch, ahead)| {
        let manner = Manner {
            batch,
            ahead,
            ..Manner::default()
        };
        let mut watched = Watched::new(source, 40, manner);
        watched.live();
        watched.shard.fault().map(str::to_owned)
    };
    MANNERS.map(lived).into()
}

/// The policy is found out in every manner, and the fault says who did what.
fn is_found_out(source: &PolicySource, library: &str, what: &[&str]) {
    for fault in faults(source) {
        let fault = fault.unwrap_or_else(|| panic!("{source:?} was not found out"));
        assert!(fault.contains(library), "{fault} does not name the plugin");
        assert!(
            what.iter().any(|what| fault.contains(what)),
            "{fault} is none of {what:?}"
        );
    }
}

#[test]
fn without_a_wrong_the_fixtures_are_first_in_first_out() {
    for source in [
        hostile("nothing"),
        fixture("failing_policy", &json!({})).expect("a policy"),
    ] {
        assert_eq!(faults(&source), vec![None; MANNERS.len()]);
    }
}

#[test]
fn a_policy_with_wrong_victims_is_found_out_and_the_oldest_goes_first() {
    for (does, what) in [
        ("not-resident", "which holds no entry"),
        ("beyond", "it named slot 4294967294, which holds no entry"),
        ("twice", "which holds no entry"),
        ("too-few", "it named no victim although"),
        ("none", "it named no victim although"),
        ("more-than-places", "it named 65 victims in 64 places"),
        ("refuses-to-shrink", "it named no victim although"),
        ("forgets-removals", "which holds no entry"),
        ("error", "its decide failed: asked to fail in decide"),
        (
            "error-in-resize",
            "its resize failed: asked to fail in resize",
        ),
        (
            "fails-at-zero",
            "its resize failed: there is nothing to share out",
        ),
    ] {
        is_found_out(&hostile(does), "hostile_policies", &[what]);
    }
}

#[test]
fn a_policy_that_panics_or_fails_in_any_call_is_found_out_and_the_oldest_goes_first() {
    for (at, after, what) in [
        (
            "insert",
            0,
            "its decide failed: panicked: asked to panic in insert",
        ),
        (
            "insert",
            100,
            "its decide failed: panicked: asked to panic in insert",
        ),
        (
            "decide",
            0,
            "its decide failed: panicked: asked to panic in decide",
        ),
        (
            "decide",
            5,
            "its decide failed: panicked: asked to panic in decide",
        ),
        (
            "resize",
            0,
            "its resize failed: panicked: asked to panic in resize",
        ),
        (
            "resize",
            3,
            "its resize failed: panicked: asked to panic in resize",
        ),
    ] {
        let source = fixture("failing_policy", &json!({ "at": at, "after": after }));
        is_found_out(&source.expect("a policy"), "failing_policy", &[what]);
    }
    let error = json!({ "at": "decide", "how": "error", "after": 5 });
    let source = fixture("failing_policy", &error).expect("a policy");
    is_found_out(
        &source,
        "failing_policy",
        &["its decide failed: asked to fail in decide"],
    );
    let quiet = json!({ "at": "drop" });
    let source = fixture("failing_policy", &quiet).expect("a policy");
    assert_eq!(
        faults(&source),
        vec![None; MANNERS.len()],
        "a panic in a destructor"
    );
}

#[test]
fn a_policy_that_panics_or_fails_at_its_start_is_refused() {
    for (how, what) in [
        ("panic", "panicked: asked to panic in create"),
        ("error", "asked to fail in create"),
    ] {
        let error = fixture("failing_policy", &json!({ "at": "create", "how": how }));
        let error = error.expect_err("a policy that cannot start").to_string();
        assert!(
            error.contains(what) && error.contains("failing_policy"),
            "{error}"
        );
    }
}

#[test]
fn a_slow_policy_is_asked_three_times_and_no_more() {
    let sleeps = json!({ "at": "decide", "how": "sleep" });
    for (source, library) in [
        (hostile("slow"), "hostile_policies"),
        (
            fixture("failing_policy", &sleeps).expect("a policy"),
            "failing_policy",
        ),
    ] {
        let mut watched = Watched::new(&source, 10, Manner::default());
        for key in 0..12 {
            watched.ask(key, 1);
        }
        // Two slow calls may be the machine's.
        assert_eq!(watched.shard.fault(), None);
        watched.ask(12, 1);
        let fault = watched.shard.fault().expect("a fault");
        assert!(
            fault.contains(library) && fault.contains("calls above 100 ms"),
            "{fault}"
        );
        let start = Instant::now();
        watched.live();
        let took = start.elapsed();
        assert!(took < Duration::from_secs(120), "it is still asked");
    }
}

#[test]
fn a_policy_that_only_refuses_is_no_fault_and_keeps_nothing() {
    let source = hostile("refuses");
    assert_eq!(faults(&source), vec![None; MANNERS.len()]);
    let mut watched = Watched::new(&source, 40, Manner::default());
    for key in 0..20 {
        assert_eq!(watched.ask(key, 1), Some(Inserted::Refused));
    }
    assert!(watched.shard.is_empty());
    assert_eq!(watched.shard.counts().refused, 20);
}

#[test]
fn after_a_fault_entries_leave_in_the_order_in_which_they_came() {
    let mut watched = Watched::new(&hostile("none"), 8, Manner::default());
    for key in 0..8 {
        watched.ask(key, 1);
    }
    // Hits change nothing; the fault comes with the ninth.
    watched.ask(0, 1);
    watched.ask(8, 1);
    assert!(watched.shard.fault().is_some());
    assert_eq!(watched.order, [1, 2, 3, 4, 5, 6, 7, 8]);
    watched.remove(2);
    watched.ask(1, 1);
    watched.ask(20, 4);
    assert_eq!(watched.order, [5, 6, 7, 8, 20]);
    watched.ask(21, 7);
    assert_eq!(watched.order, [21]);
}

#[test]
fn a_policy_without_a_state_costs_the_state_alone() {
    let panics = json!({ "at": "snapshot" });
    for (source, what) in [
        (hostile("error-in-snapshot"), "asked to fail in snapshot"),
        (
            fixture("failing_policy", &panics).expect("a policy"),
            "asked to panic in snapshot",
        ),
    ] {
        let mut watched = Watched::new(&source, 40, Manner::default());
        watched.live();
        let error = watched.shard.snapshot().expect_err("no state");
        assert!(error.contains(what), "{error}");
        watched.live();
    }
}

#[test]
fn a_state_that_its_policy_does_not_take_is_told_as_inserts() {
    let panics = json!({ "at": "restore" });
    for source in [
        fixture("failing_policy", &panics).expect("a policy"),
        hostile("nothing"),
    ] {
        let mut shard: Shard<u64, u64> =
            Shard::new(&source, 4, Manner::default()).expect("a shard");
        let kept = (0..4u32).map(|slot| {
            let key = u64::from(slot);
            (slot, key, value_of(key), Facts::new(1, 0), 0)
        });
        assert!(!shard.restore(kept, Some(b"no state"), 0));
        for key in 4..8 {
            let mut gone = Gone::new();
            shard.insert(key, value_of(key), Facts::new(1, 0), 0, &mut gone);
            assert_eq!(gone, [(key - 4, value_of(key - 4))], "{source:?}");
        }
        assert_eq!(shard.fault(), None);
    }
}

/// Four threads use one cache; fails when they do not come to an end.
fn used_by_threads(source: &PolicySource) -> eyemap_engine::cache::Statistics {
    let decides = Decides::Policy(source.clone());
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let spec = CacheSpec {
            cache: 3,
            decides: &decides,
            capacity: 120,
            ttl: None,
            shards: 2,
        };
        let cache: Cache<u64, u64> = Cache::new(&spec).expect("a cache");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let cache = &cache;
                scope.spawn(move || {
                    for key in keys().skip(thread * 100).take(1500) {
                        let computed = || Ok::<_, ()>((value_of(key), weight_of(key)));
                        let found = cache.get_or_try_insert_with(&key, computed);
                        assert_eq!(found, Ok(value_of(key)), "a wrong value");
                        if key.is_multiple_of(13) {
                            cache.remove(&key);
                        }
                    }
                    cache.resize(100 - thread as u64);
                });
            }
        });
        let _ = done.send(cache.statistics());
    });
    let ended = ended.recv_timeout(Duration::from_secs(60));
    ended.unwrap_or_else(|error| panic!("{source:?}: {error}"))
}

#[test]
fn threads_get_right_values_and_come_to_an_end_whatever_the_policy_does() {
    for does in [
        "nothing",
        "not-resident",
        "twice",
        "too-few",
        "none",
        "error",
        "refuses",
        "slow",
    ] {
        let statistics = used_by_threads(&hostile(does));
        assert!(
            statistics.bytes <= statistics.capacity,
            "{does}: {statistics:?}"
        );
        match (does, statistics.fault) {
            ("nothing" | "refuses", fault) => assert_eq!(fault, None, "{does}"),
            (_, fault) => assert!(
                fault.is_some_and(|fault| fault.contains("hostile_policies")),
                "{does}"
            ),
        }
    }
    for at in ["insert", "decide", "resize"] {
        let source = fixture("failing_policy", &json!({ "at": at, "after": 20 }));
        let statistics = used_by_threads(&source.expect("a policy"));
        assert!(
            statistics.bytes <= statistics.capacity,
            "{at}: {statistics:?}"
        );
    }
}

#[test]
fn a_cache_that_lost_its_policy_can_shrink_after_a_removal() {
    // 4 takes the slot of the oldest, so the slots at the end hold older entries, which go by name.
    let mut watched = Watched::new(&hostile("none"), 3, Manner::default());
    for key in [1, 2, 3, 4] {
        watched.ask(key, 1);
    }
    assert!(watched.shard.fault().is_some());
    watched.remove(2);
    watched.remove(3);
    watched.resize(2);
    watched.ask(5, 1);
    watched.ask(6, 1);
    assert_eq!(watched.order, [5, 6]);
}
