//! What happens to a cache under check: anything, from a seed, and what is made to do harm.

use super::step::Step;
use crate::seeded::Seeded;

/// What happens to a cache of a capacity.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    pub(super) name: &'static str,
    /// In bytes.
    pub(super) capacity: u64,
    pub(super) steps: Vec<Step>,
}

/// Steps of a trace.
const STEPS: usize = 240;

/// Few keys that come again, weights from nothing to more than fits, and everything else that can happen.
pub(super) fn ordinary(seed: u64) -> Vec<Trace> {
    let capacities = [
        ("the trace of 40 bytes", 40),
        ("the trace of 7 bytes", 7),
        ("the trace of 160 bytes", 160),
        ("the trace of 1 byte", 1),
    ];
    let mut traces: Vec<Trace> = capacities
        .into_iter()
        .map(|(name, capacity)| {
            let mut seeded = Seeded::new(seed, name);
            let steps = (0..STEPS).map(|_| anything(&mut seeded)).collect();
            Trace {
                name,
                capacity,
                steps,
            }
        })
        .collect();
    let mut seeded = Seeded::new(seed, "alike");
    let ask = |_| Step::ask(seeded.below(20).min(seeded.below(20)), 1);
    traces.push(Trace {
        name: "the trace of entries that weigh 1",
        capacity: 10,
        steps: (0..STEPS).map(ask).collect(),
    });
    traces
}

fn anything(seeded: &mut Seeded) -> Step {
    let key = seeded.below(24);
    match seeded.below(40) {
        0..=2 => Step::Remove(key),
        3 | 4 => Step::Reweigh(key, seeded.below(41)),
        5 => Step::Resize(seeded.below(61)),
        6..=8 => Step::Advance(seeded.below(12)),
        _ => Step::Ask {
            key,
            weight: match seeded.below(10) {
                0 => 0,
                1 => 13 + seeded.below(148),
                2..=5 => 1 + seeded.below(3),
                _ => 1 + seeded.below(12),
            },
            cost_ns: seeded.below(5000),
            ttl: (seeded.below(4) == 0).then(|| 1 + seeded.below(29)),
            renews: seeded.below(2) == 0,
        },
    }
}

fn asks(keys: impl IntoIterator<Item = u64>, weight: u64) -> Vec<Step> {
    keys.into_iter().map(|key| Step::ask(key, weight)).collect()
}

/// Traces that are made to do harm.
pub(super) fn hostile() -> Vec<Trace> {
    let trace = |name, capacity, steps| Trace {
        name,
        capacity,
        steps,
    };
    vec![
        trace("a cache of 0 bytes", 0, asks((0..200).map(|i| i % 7), 1)),
        trace(
            "a cache of 0 bytes and entries that weigh nothing",
            0,
            asks((0..300).map(|i| i % 90), 0),
        ),
        trace("a cache of 1 byte", 1, asks((0..300).map(|i| i % 5), 1)),
        trace(
            "entries that weigh nothing, then a full one",
            100,
            weightless(),
        ),
        trace(
            "one entry as large as the cache after many small ones",
            1000,
            giants(),
        ),
        trace("entries heavier than the cache", 10, asks(0..200, 11)),
        trace(
            "the heaviest entry that there can be",
            HEAVIEST,
            asks((0..40).map(|i| i % 4), HEAVIEST),
        ),
        trace(
            "a cache of the largest capacity",
            u64::MAX,
            asks((0..200).map(|i| i % 50), HEAVIEST),
        ),
        trace("everything expires at once", 500, expiring()),
        trace(
            "a capacity that shrinks to nothing and grows, again and again",
            300,
            resized(),
        ),
        trace("slots that are used again at once", 8, reused()),
        trace(
            "weights that change to nothing and to all",
            100,
            reweighed(),
        ),
        trace(
            "one key, asked for without end",
            10,
            asks(std::iter::repeat_n(1, 3000), 10),
        ),
        trace("a scan of keys that never come again", 64, asks(0..3000, 1)),
        trace("the longest times that there are", 50, far_ticks()),
    ]
}

/// What a slot can hold, in bytes.
const HEAVIEST: u64 = eyemap_abi::SlotMeta::MAX_WEIGHT;

fn weightless() -> Vec<Step> {
    let keys = |round: u64| asks(round * 100..round * 100 + 99, 0);
    (0..5)
        .flat_map(|round| [keys(round), asks([round * 100 + 99], 100)].concat())
        .collect()
}

fn giants() -> Vec<Step> {
    let small = |round: u64| asks(round * 500..round * 500 + 400, 2);
    (0..3)
        .flat_map(|round| [small(round), asks([9_000_000 + round], 1000)].concat())
        .collect()
}

fn expiring() -> Vec<Step> {
    let ask = |key| Step::Ask {
        key,
        weight: 1,
        cost_ns: 0,
        ttl: Some(5),
        renews: false,
    };
    let round = |_| {
        (0..300)
            .map(ask)
            .chain([Step::Advance(5), Step::Advance(0)])
    };
    (0..4).flat_map(round).collect()
}

fn resized() -> Vec<Step> {
    let round = |round: u64| {
        let ask = move |key| Step::ask(round * 7 + key, 1 + key % 9);
        [Step::Resize(300)]
            .into_iter()
            .chain((0..60).map(ask))
            .chain([1, 0, 0, 299, 5].map(Step::Resize))
    };
    (0..15).flat_map(round).collect()
}

fn reused() -> Vec<Step> {
    let round = |key: u64| {
        [
            Step::ask(key, 4),
            Step::Remove(key),
            Step::ask(key, 4),
            Step::ask(key + 1, 4),
            Step::Remove(key + 1),
            Step::Remove(key + 1),
        ]
    };
    (0..200).flat_map(round).collect()
}

fn reweighed() -> Vec<Step> {
    let round = |round: u64| {
        let key = round % 12;
        [
            Step::ask(key, 10),
            Step::Reweigh(key, 0),
            Step::ask(key + 1, 10),
            Step::Reweigh(key, 100),
            Step::Reweigh(key + 1, 101),
        ]
    };
    (0..100).flat_map(round).collect()
}

fn far_ticks() -> Vec<Step> {
    let ask = |key: u64| Step::Ask {
        key: key % 30,
        weight: 3,
        cost_ns: u64::MAX,
        ttl: Some(u64::MAX - 1),
        renews: true,
    };
    (0..100)
        .flat_map(|key| [ask(key), Step::Advance(u64::MAX / 150)])
        .collect()
}
