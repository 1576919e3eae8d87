//! Cases by hand; the queues are written oldest first.

use eyemap_sdk::{
    CachePolicy,
    testing::{Request, Step, replay, replay_steps},
};

use super::{Options, S3Fifo};

fn ask(key: u64, weight: u64) -> Step {
    Step::Ask(Request::new(key, weight))
}

fn bits(options: &Options, capacity_bytes: u64, keys: &[u64]) -> String {
    let requests: Vec<_> = keys.iter().map(|&key| Request::new(key, 1)).collect();
    replay::<S3Fifo>(options, capacity_bytes, &requests).bits
}

/// A small queue of 2 in a cache of 4.
fn halves(promote_at: u8) -> Options {
    Options {
        promote_at,
        small_fraction: 0.5,
    }
}

#[test]
fn one_hit_wonders_leave_by_the_small_queue_and_come_back_to_main() {
    // small 1 2, main 3 4 (small is full, nothing evicted). 5: main is not over its share, 1 dies
    // and is remembered: small 2 5. 6: 2 dies: small 5 6. 1 is remembered: 5 dies: small 6,
    // main 3 4 1. 7: main is over, 3 dies: small 6 7, main 4 1. 6, 7, 4 and 1 are there.
    let keys = [1, 2, 3, 4, 5, 6, 1, 7, 6, 7, 4, 1, 3];
    assert_eq!(bits(&halves(2), 4, &keys), "0000000011110");
}

#[test]
fn hits_in_the_small_queue_promote() {
    // small 1 2, main 3 4, 1 was hit once. 5: at 1 hit, 1 goes to main and 2 dies.
    let keys = [1, 2, 3, 4, 1, 5, 2, 1];
    assert_eq!(bits(&halves(1), 4, &keys), "00001001");
    // At 2 hits 1 dies, and 2 stays.
    assert_eq!(bits(&halves(2), 4, &keys), "00001010");
}

#[test]
fn main_gives_what_was_hit_another_round() {
    // small 1 2, main 3 4, 3 was hit. 5: 1 dies. 1 comes back to main: 2 dies, main 3 4 1.
    // 6: main is over: 3 starts again with no hit, 4 dies: main 1 3. 3 and 1 are there.
    let keys = [1, 2, 3, 4, 3, 5, 1, 6, 3, 1, 4];
    assert_eq!(bits(&halves(2), 4, &keys), "00001000110");
}

#[test]
fn heavy_newcomers_are_refused() {
    // The small queue takes 10. 2 is too heavy; 3, as heavy as it, evicts and then is refused.
    let steps = [ask(1, 9), ask(2, 11), ask(2, 11), ask(3, 10), ask(3, 10)];
    let replayed = replay_steps::<S3Fifo>(&Options::default(), 100, &steps);
    assert_eq!(replayed.bits, "00000");
    let full: Vec<_> = (1..=11).map(|key| ask(key, 9)).collect();
    // 99 of 100: 20 evicts the 1 and stays out.
    let steps = [full, vec![ask(20, 10), ask(20, 10), ask(2, 9), ask(1, 9)]].concat();
    let replayed = replay_steps::<S3Fifo>(&Options::default(), 100, &steps);
    assert_eq!(replayed.bits, "000000000000010");
}

#[test]
fn weights_removals_and_capacities_of_any_size_are_taken() {
    let mut steps: Vec<_> = (0..200).map(|key| ask(key, key % 7)).collect();
    steps.extend([
        Step::Remove(199),
        Step::Remove(198),
        Step::Reweigh(197, 90),
        Step::Reweigh(197, 0),
        Step::Resize(0),
        ask(1, 0),
    ]);
    steps.extend([Step::Resize(1000), ask(1, 5), ask(1, 5), Step::Resize(1)]);
    steps.extend((0..200).map(|key| ask(key, 0)));
    let replayed = replay_steps::<S3Fifo>(&Options::default(), 100, &steps);
    assert_eq!(&replayed.bits[200..203], "001");
}

#[test]
fn the_memory_is_bounded_by_bytes() {
    let mut policy = S3Fifo::create(Options::default(), 1000).expect("a policy");
    for key_hash in 0..10_000 {
        policy.remember(super::Entry {
            key_hash,
            weight: key_hash % 2,
        });
    }
    // Nine tenths of the capacity, whatever the number of slots, and nothing that weighs nothing.
    assert_eq!((policy.ghosts.len(), policy.ghosts.bytes()), (900, 900));
}

#[test]
fn options_out_of_range_are_errors() {
    let options = |promote_at, small_fraction| Options {
        promote_at,
        small_fraction,
    };
    for wrong in [
        options(0, 0.1),
        options(4, 0.1),
        options(2, 0.0),
        options(2, f64::NAN),
    ] {
        assert!(S3Fifo::create(wrong, 10).is_err());
    }
}
