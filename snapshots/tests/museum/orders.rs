//! The order of loading decides nothing.

use crate::collection::{Museum, Told, answers, refusal};

/// Orders in which everything is loaded.
const ORDERS: u64 = 24;

/// A shuffle that is the same for a seed everywhere.
fn shuffled<'a>(names: &[&'a str], seed: u64) -> Vec<&'a str> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |n: usize| {
        // Xorshift; the few low numbers that it prefers do not matter here.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let mut order = names.to_vec();
    for last in (1..order.len()).rev() {
        order.swap(last, below(last + 1));
    }
    order
}

/// The first piece that fared otherwise, in both.
fn difference(expected: &Told, found: &Told) -> Option<String> {
    let name = expected
        .keys()
        .find(|name| expected.get(*name) != found.get(*name))?;
    Some(format!(
        "{name}: {}\nbecame {}",
        expected[name], found[name]
    ))
}

#[test]
fn every_piece_fares_alike_in_every_order_and_alone() {
    let museum = Museum::open();
    let names = museum.names();
    let first = museum.load("trusted", &names);
    let mut seen = std::collections::BTreeSet::from([names.clone()]);
    for seed in 1..=ORDERS {
        let order = shuffled(&names, seed);
        let told = museum.load("trusted", &order);
        let difference = difference(&first, &told);
        assert_eq!(difference, None, "seed {seed}: {order:?}");
        seen.insert(order);
    }
    assert_eq!(seen.len() as u64, ORDERS + 1, "orders that are the same");
    for name in names {
        let alone = museum.load("trusted", &[name]);
        assert_eq!(alone[name], first[name], "alone: {name}");
    }
}

#[test]
fn a_contained_piece_gives_the_answers_that_it_gives_in_the_process() {
    let museum = Museum::open();
    let order = shuffled(&museum.names(), 7);
    let here = museum.load("trusted", &order);
    let there = museum.load("contained", &order);
    let same = there
        .iter()
        .map(|(name, there)| same_answers(name, &here[name], there));
    let compared = same.filter(|same| *same).count();
    assert!(compared >= 8, "{compared} pieces were compared");
}

/// Whether a piece answered in a worker, with what it answers in the process: a worker refuses as a whole what
/// the process refuses as a whole, and an extension what it refuses for that.
fn same_answers(name: &str, here: &serde_json::Value, there: &serde_json::Value) -> bool {
    assert_eq!(
        there["refused"].is_string(),
        here["refused"].is_string(),
        "{name}: {there}"
    );
    if there["refused"].is_string() {
        return false;
    }
    for id in there["extensions"].as_object().expect("extensions").keys() {
        // A worker serves what the engine itself calls.
        if id != "eyemap.decoration/1" {
            assert_eq!(answers(there, id), answers(here, id), "{name}, {id}");
            assert_eq!(refusal(there, id), refusal(here, id), "{name}, {id}");
        }
    }
    assert_eq!(there["vectors"], here["vectors"], "{name}");
    true
}
