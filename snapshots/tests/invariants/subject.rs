//! Policies under test, and how a property of them is tried.

use eyemap_abi::CacheExtension;
use eyemap_engine::{cache::PolicySource, plugins::Finder};
use eyemap_snapshots::{finder, policies, trial::example};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use crate::step::Step;

/// A policy as a library.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) options: String,
    pub(crate) extension: CacheExtension,
    pub(crate) source: PolicySource,
}

impl Subject {
    fn load(finder: &Finder, name: &str, options: &str) -> Self {
        let plugin = finder.load(name).unwrap_or_else(|error| panic!("{error}"));
        let extension = plugin.extension::<CacheExtension>();
        let source = PolicySource::load(finder, name, options);
        Self {
            name: name.rsplit('/').next().unwrap_or(name).into(),
            options: options.into(),
            extension: extension.unwrap_or_else(|error| panic!("{error}")),
            source: source.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// All of the bundle.
    pub(crate) fn bundled() -> Vec<Self> {
        let finder = finder();
        let load = |(name, options)| Self::load(&finder, name, options);
        policies::BUNDLED.into_iter().map(load).collect()
    }

    /// One of the bundle.
    pub(crate) fn named(name: &str) -> Self {
        Self::load(&finder(), name, "{}")
    }

    /// `hostile_policies` that does one wrong thing.
    pub(crate) fn hostile(does: &str) -> Self {
        let options = serde_json::json!({ "does": does }).to_string();
        let path = example("hostile_policies");
        let finder = policies::finder_with_fixture("hostile_policies");
        Self::load(&finder, &path.to_string_lossy(), &options)
    }

    /// `failing_policy` that panics in a step.
    pub(crate) fn panicking(at: &str) -> Self {
        let options = serde_json::json!({ "at": at, "after": 3 }).to_string();
        let path = example("failing_policy");
        let finder = policies::finder_with_fixture("failing_policy");
        Self::load(&finder, &path.to_string_lossy(), &options)
    }
}

/// What happens to a cache of a capacity.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) capacity: u64,
    pub(crate) steps: Vec<Step>,
}

fn ask() -> impl Strategy<Value = Step> {
    // Light ones as well: S3-FIFO takes nothing above a tenth of its capacity.
    let weight = prop_oneof![
        4 => 1..=3u64,
        4 => 1..=12u64,
        1 => Just(0),
        1 => 13..=160u64,
    ];
    let ttl = prop_oneof![3 => Just(None), 1 => (1..30u64).prop_map(Some)];
    (0..24u64, weight, 0..5000u64, ttl, any::<bool>()).prop_map(
        |(key, weight, cost_ns, ttl, renews)| Step::Ask {
            key,
            weight,
            cost_ns,
            ttl,
            renews,
        },
    )
}

fn capacity() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 1..=60u64, 1 => Just(0)]
}

/// Few keys, weights from nothing to more than fits, and everything else that can happen.
pub(crate) fn anything() -> impl Strategy<Value = Case> {
    let step = prop_oneof![
        30 => ask(),
        3 => (0..24u64).prop_map(Step::Remove),
        2 => (0..24u64, 0..=40u64).prop_map(|(key, weight)| Step::Reweigh(key, weight)),
        2 => capacity().prop_map(Step::Resize),
        4 => (0..12u64).prop_map(Step::Advance),
    ];
    let steps = prop::collection::vec(step, 1..200);
    (capacity(), steps).prop_map(|(capacity, steps)| Case { capacity, steps })
}

/// Requests alone, for entries that weigh 1.
pub(crate) fn units() -> impl Strategy<Value = Case> {
    let steps = prop::collection::vec((0..20u64).prop_map(|key| Step::ask(key, 1)), 1..200);
    (1..20u64, steps).prop_map(|(capacity, steps)| Case { capacity, steps })
}

/// Requests alone, for entries of any weight.
pub(crate) fn sized() -> impl Strategy<Value = Case> {
    let steps = prop::collection::vec(
        (0..20u64).prop_map(|key| Step::ask(key, key * key % 17)),
        1..200,
    );
    (0..60u64, steps).prop_map(|(capacity, steps)| Case { capacity, steps })
}

/// Says what is wrong.
pub(crate) type Check = fn(&Subject, &Case) -> Result<(), String>;

/// Tries a property with many cases; the smallest that breaks it is in the error. The cases are the
/// same in each run, unless `PROPTEST_CASES` asks for more and other ones.
pub(crate) fn hold(
    subject: &Subject,
    cases: impl Strategy<Value = Case>,
    check: Check,
) -> Result<(), String> {
    let more = std::env::var("PROPTEST_CASES").ok();
    let more = more.and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: more.unwrap_or(40),
        max_shrink_iters: 1000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match more {
        Some(_) => TestRunner::new(config),
        None => {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, rng)
        }
    };
    let done = runner.run(&cases, |case| {
        check(subject, &case).map_err(TestCaseError::fail)
    });
    done.map_err(|error| format!("{} {}: {error}", subject.name, subject.options))
}

/// A property that every policy of the bundle has.
pub(crate) fn all_hold(cases: impl Fn() -> BoxedStrategy<Case>, check: Check) {
    for subject in Subject::bundled() {
        hold(&subject, cases(), check).unwrap_or_else(|broken| panic!("{broken}"));
    }
}
