//! Each property is broken by a policy made for it, and says so.

use proptest::strategy::{BoxedStrategy, Strategy as _};

use crate::{
    bounds::{self, Scan},
    checks, engine,
    subject::{Case, Check, Subject, anything, hold, units},
};

fn is_reported(subject: &Subject, check: Check, words: &str) {
    let cases: BoxedStrategy<Case> = anything().boxed();
    let broken = hold(subject, cases, check).expect_err(&subject.options);
    assert!(broken.contains(words), "no {words:?} in {broken}");
}

#[test]
fn wrong_victims_are_reported() {
    for (does, check, words) in [
        (
            "beyond",
            checks::names_residents_once as Check,
            "NotResident",
        ),
        ("twice", checks::names_residents_once, "Twice"),
        ("too-few", checks::covers_the_need, "TooFew"),
        ("none", checks::covers_the_need, "TooFew"),
        ("refuses-to-shrink", checks::covers_the_need, "TooFew"),
        ("forgets-removals", checks::forgets_what_left, "Gone"),
        ("not-resident", checks::forgets_what_left, "Gone"),
        ("none", checks::stays_within_capacity, "TooFull"),
        ("more-than-places", checks::fails_never, "victims in"),
        ("error", checks::fails_never, "asked to fail in decide"),
        (
            "error-in-resize",
            checks::fails_never,
            "asked to fail in resize",
        ),
    ] {
        is_reported(&Subject::hostile(does), check, words);
    }
    is_reported(
        &Subject::panicking("decide"),
        checks::fails_never,
        "asked to panic in decide",
    );
}

#[test]
fn decisions_that_depend_on_what_should_not_matter_are_reported() {
    for (does, check, words) in [
        (
            "whimsical",
            checks::decides_alike_twice as Check,
            "two runs",
        ),
        (
            "minds-calls",
            checks::decides_alike_however_events_are_cut,
            "Shape",
        ),
        (
            "minds-places",
            checks::decides_alike_however_events_are_cut,
            "places: 1 ",
        ),
        (
            "loses-order",
            checks::decides_alike_when_restored,
            "restored after",
        ),
        (
            "error-in-snapshot",
            checks::decides_alike_when_restored,
            "asked to fail in snapshot",
        ),
        ("loses-order", engine::restores, "restored after"),
        ("minds-keys", checks::minds_no_names, "renaming"),
    ] {
        is_reported(&Subject::hostile(does), check, words);
    }
}

#[test]
fn what_the_engine_finds_is_reported() {
    for (does, words) in [
        ("twice", "which holds no entry"),
        ("none", "it named no victim although"),
        ("fails-at-zero", "there is nothing to share out"),
    ] {
        is_reported(&Subject::hostile(does), engine::is_content, words);
    }
}

#[test]
fn a_policy_that_does_not_survive_a_capacity_of_nothing_is_reported() {
    is_reported(
        &Subject::hostile("fails-at-zero"),
        checks::shrinks_to_nothing_and_grows_again,
        "there is nothing to share out",
    );
    is_reported(
        &Subject::hostile("refuses"),
        checks::shrinks_to_nothing_and_grows_again,
        "0 of 20 entries are kept where all fit",
    );
}

#[test]
fn a_state_without_bound_is_reported() {
    let hoards = Subject::hostile("hoards");
    for scan in Scan::ALL {
        let broken = bounds::keeps_little(&hoards, scan, 24_000).expect_err("a bound");
        assert!(broken.contains("after"), "{broken}");
    }
    let huge = bounds::keeps_little(&Subject::hostile("huge-state"), Scan::Removed, 400);
    assert!(huge.is_err(), "a mebibyte a slot");
}

#[test]
fn a_policy_that_gets_slower_and_slower_is_reported() {
    assert!(bounds::slowdown(&Subject::hostile("dawdles"), 16_000) > 3.0);
}

#[test]
fn fifo_breaks_the_inclusion_that_lru_has() {
    // Belady, Nelson and Shedler 1969: with more room it hits less.
    let fifo = Subject::named("fifo-policy");
    let broken = hold(&fifo, units(), checks::includes_the_smaller).expect_err("an anomaly");
    assert!(broken.contains("bytes, not at"), "{broken}");
}

#[test]
fn the_best_is_what_was_published() {
    // Belady's string with three frames has seven faults, with four six.
    let keys = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5];
    assert_eq!(keys.len() - checks::most_hits(3, &keys), 7);
    assert_eq!(keys.len() - checks::most_hits(4, &keys), 6);
    // Whoever has more room than it should hits more than the best with what it should have.
    let lru = Subject::named("lru-policy");
    fn with_more_room(subject: &Subject, case: &Case) -> Result<(), String> {
        checks::hits_no_more_than_the_best_with(subject, case, case.capacity / 2)
    }
    hold(&lru, units(), with_more_room).expect_err("more hits than possible");
}

#[test]
fn cases_make_policies_choose() {
    fn chooses_rarely(subject: &Subject, case: &Case) -> Result<(), String> {
        match checks::evictions(subject, case) {
            0..10 => Ok(()),
            many => Err(format!("{many} victims")),
        }
    }
    for subject in Subject::bundled() {
        hold(&subject, anything(), chooses_rarely).expect_err(&subject.name);
    }
}
