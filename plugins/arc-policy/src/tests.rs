//! Cases by hand; the lists are written oldest first.

use eyemap_sdk::{
    CachePolicy,
    testing::{Request, Step, replay, replay_steps},
};

use super::{Arc, NoOptions};

fn ask(key: u64, weight: u64) -> Step {
    Step::Ask(Request::new(key, weight))
}

fn bits(capacity_bytes: u64, keys: &[u64]) -> String {
    let requests: Vec<_> = keys.iter().map(|&key| Request::new(key, 1)).collect();
    replay::<Arc>(&NoOptions {}, capacity_bytes, &requests).bits
}

#[test]
fn what_was_asked_for_again_outlives_a_scan() {
    // T1 1 2 and a hit each: T2 1 2. 3: T1 3, T2 2, B2 1 (T1 is empty). 4: T1 is over p = 0:
    // T1 4, B1 3. 5: the same, B1 4. 2 is still there.
    assert_eq!(bits(2, &[1, 2, 1, 2, 3, 4, 5, 2]), "00110001");
}

#[test]
fn a_key_that_is_remembered_moves_the_share() {
    // T1 1 2; 1 is hit: T1 2, T2 1. 3: T1 is over p = 0: T1 3, T2 1, B1 2.
    // 2 is in B1: p = 1. T1 is not over it, so T2 gives 1: T1 3, T2 2, B2 1.
    // 3 is hit: T2 2 3. 1 is in B2: p = 0; T1 is empty, so T2 gives 2: T2 3 1, B2 2. 3 is there.
    assert_eq!(bits(2, &[1, 2, 1, 3, 2, 3, 1, 3, 2]), "001001010");
}

#[test]
fn without_keys_behind_the_oldest_dies_unremembered() {
    // T1 1 2 3 are all of the cache and B1 is empty, so nothing is kept of 1: asked for again it
    // comes into T1, and is gone after three others.
    assert_eq!(bits(3, &[1, 2, 3, 4, 1, 5, 6, 7, 1]), "000000000");
}

#[test]
fn weights_removals_and_capacities_of_any_size_are_taken() {
    let mut steps: Vec<_> = (0..300).map(|key| ask(key % 90, key % 90 % 7)).collect();
    steps.extend([
        Step::Remove(29),
        Step::Remove(28),
        Step::Reweigh(27, 90),
        Step::Reweigh(27, 0),
        Step::Resize(0),
        ask(1, 0),
    ]);
    steps.extend([Step::Resize(1000), ask(8, 5), ask(8, 5), Step::Resize(1)]);
    steps.extend((100..300).map(|key| ask(key, 0)));
    steps.extend([ask(400, 2), ask(401, 1), ask(401, 1)]);
    let replayed = replay_steps::<Arc>(&NoOptions {}, 100, &steps);
    assert_eq!(&replayed.bits[301..303], "01");
    assert_eq!(&replayed.bits[503..], "001");
}

#[test]
fn what_is_remembered_is_bounded_by_bytes_and_not_by_slots() {
    // One slot, through which entries pass that are never asked for again.
    let mut policy = Arc::create(NoOptions {}, 1000).expect("a policy");
    let mut entry = |slot: u32, key_hash, weight| {
        policy.entries.set(slot, super::Entry { key_hash, weight });
        policy.once.push_newest(slot, weight);
        policy.victim_for(super::Found::Nowhere, 1)
    };
    for key_hash in 0..10_000 {
        assert_eq!(entry(0, key_hash, 1), Some(0));
    }
    for key_hash in 20_000..30_000 {
        assert_eq!(entry(0, key_hash, 0), Some(0));
    }
    assert_eq!(policy.once_ghosts.len(), 999);
    assert_eq!(policy.once_ghosts.bytes(), 999);
}
