//! What every cache policy has to keep to, tried with many cases on each policy of the bundle as a
//! loaded library. The numbers are those of the design's list; `deviants` shows that each property
//! can be broken and is then reported. What the host does with a policy that breaks one (9) is in
//! `hostile_policies`.

mod bounds;
mod checks;
mod deviants;
mod engine;
mod subject;

use proptest::strategy::Strategy as _;

use bounds::Scan;
use eyemap_check::policy::{driver, step};
use step::Step;
use subject::{Case, Subject, all_hold, anything, hold, sized, units};

#[test]
fn invariant_01_victims_are_resident_and_named_once() {
    all_hold(|| anything().boxed(), checks::names_residents_once);
}

#[test]
fn invariant_02_victims_cover_the_need_or_are_all_there_is() {
    all_hold(|| anything().boxed(), checks::covers_the_need);
}

#[test]
fn invariant_03_no_slot_is_named_after_its_entry_left() {
    all_hold(|| anything().boxed(), checks::forgets_what_left);
}

#[test]
fn invariant_04_the_same_log_gives_the_same_decisions() {
    all_hold(|| anything().boxed(), checks::decides_alike_twice);
}

#[test]
fn invariant_05_decisions_do_not_depend_on_how_events_and_victims_are_cut_into_calls() {
    all_hold(
        || anything().boxed(),
        checks::decides_alike_however_events_are_cut,
    );
}

#[test]
fn invariant_06_a_restored_policy_decides_as_if_nothing_had_happened() {
    all_hold(|| anything().boxed(), checks::decides_alike_when_restored);
}

#[test]
fn invariant_06_a_restored_cache_hits_as_if_nothing_had_happened() {
    all_hold(|| anything().boxed(), engine::restores);
}

#[test]
fn invariant_07_the_cache_never_holds_more_than_its_capacity() {
    all_hold(|| anything().boxed(), checks::stays_within_capacity);
}

#[test]
fn invariant_07_the_engine_finds_no_fault_and_serves_right_values() {
    all_hold(|| anything().boxed(), engine::is_content);
}

#[test]
fn invariant_08_the_state_is_bounded_by_slots_however_many_keys_there_were() {
    for subject in Subject::bundled() {
        for scan in Scan::ALL {
            bounds::keeps_little(&subject, scan, 12_000)
                .unwrap_or_else(|broken| panic!("{broken}"));
        }
        bounds::keeps_little(&subject, Scan::Units, 60_000)
            .unwrap_or_else(|broken| panic!("{broken}"));
    }
}

#[test]
fn invariant_08_a_request_takes_no_longer_after_many_keys() {
    for subject in Subject::bundled() {
        let slowdown = bounds::slowdown(&subject, 200_000);
        assert!(
            slowdown < 3.0,
            "{} {}: {slowdown:.1} times longer",
            subject.name,
            subject.options
        );
    }
}

#[test]
fn invariant_09_no_policy_of_the_bundle_fails_whatever_happens() {
    all_hold(|| anything().boxed(), checks::fails_never);
}

#[test]
fn invariant_10_a_cache_shrinks_to_nothing_and_works_when_it_has_grown_again() {
    all_hold(
        || anything().boxed(),
        checks::shrinks_to_nothing_and_grows_again,
    );
}

#[test]
fn invariant_10_what_cannot_fit_changes_nothing_for_what_is_there() {
    let heavy: Vec<_> = (0..10).map(|key| Step::ask(100 + key, 1001)).collect();
    let light: Vec<_> = (0..10).map(|key| Step::ask(key, 5)).collect();
    for subject in Subject::bundled() {
        let driver = driver::Driver::new(
            &subject.extension,
            &subject.options,
            1000,
            step::Shape::default(),
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let outcome = driver.run(&[&light[..], &heavy, &light].concat());
        let hits = outcome.bits[20..].iter().filter(|&&hit| hit).count();
        assert_eq!((hits, outcome.wrong.len()), (10, 0), "{}", subject.name);
    }
}

#[test]
fn invariant_11_every_hit_of_lru_is_one_in_a_larger_cache() {
    let lru = Subject::named("lru-policy");
    hold(&lru, units(), checks::includes_the_smaller).unwrap_or_else(|broken| panic!("{broken}"));
}

#[test]
fn invariant_11_no_policy_hits_more_than_whoever_knows_the_future() {
    all_hold(|| units().boxed(), checks::hits_no_more_than_the_best);
    all_hold(|| sized().boxed(), checks::hits_no_more_than_requests_again);
}

/// 4,000 keys, the small ones more often: enough that keys share counters of a sketch.
fn many_keys() -> Case {
    let mut state = 3u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 4000
    };
    let key = |_| next().min(next()).min(next());
    let steps = (0..12_000).map(key).map(|key| Step::ask(key, key % 7));
    Case {
        capacity: 600,
        steps: steps.collect(),
    }
}

#[test]
fn invariant_12_names_of_keys_mean_nothing_except_to_sketches() {
    let case = many_keys();
    for subject in Subject::bundled() {
        let has_sketch = subject.name == "w-tinylfu-policy";
        if !has_sketch {
            hold(&subject, anything(), checks::minds_no_names)
                .unwrap_or_else(|broken| panic!("{broken}"));
        }
        let minds = checks::minds_no_names(&subject, &case).is_err();
        assert_eq!(minds, has_sketch, "{} minds names", subject.name);
    }
}
