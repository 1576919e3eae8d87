//! What the policy promises, and what it decides.
//!
//! `replay` asks the policy as the host does, and fails if a victim is not there, if room is not made, or
//! if batches of another size or a state that was saved and restored change a decision.

use eyemap_sdk::{
    prelude::*,
    testing::{self, Request, Step, replay, replay_steps},
};
use template_cache::{TemplateCache, TemplateCacheOptions};

fn keep_at(keep_at: u8) -> TemplateCacheOptions {
    TemplateCacheOptions { keep_at }
}

/// Hits (`1`) and misses (`0`) of keys of weight 1.
fn bits(options: &TemplateCacheOptions, capacity: u64, keys: &[u64]) -> String {
    let requests: Vec<_> = keys.iter().map(|&key| Request::new(key, 1)).collect();
    replay::<TemplateCache>(options, capacity, &requests).bits
}

/// Keys as of a program that asks for few often and for many once, the same every time.
fn skewed() -> Vec<u64> {
    let next = |state: &u64| {
        Some(
            state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        )
    };
    let random = std::iter::successors(Some(7_u64), next).map(|state| state >> 33);
    let key = |random: u64| match random % 4 {
        0 => 100 + random % 1000,
        _ => random % 12,
    };
    random.skip(1).take(400).map(key).collect()
}

#[test]
fn an_entry_that_was_hit_goes_round_once_more() {
    // 1 2 fill the cache; 1 is hit; 3 evicts 2, not the older 1; 1 is there, 2 is not.
    assert_eq!(bits(&keep_at(1), 2, &[1, 2, 1, 3, 1, 2]), "001010");
    // One hit is not enough: 3 evicts 1.
    assert_eq!(bits(&keep_at(2), 2, &[1, 2, 1, 3, 2, 1]), "001010");
}

#[test]
fn weights_removals_and_capacities_of_any_size_are_taken() {
    let ask = |key, weight| Step::Ask(Request::new(key, weight));
    let steps = [
        ask(1, 0),
        ask(2, 30),
        ask(3, 20),
        Step::Reweigh(3, 5),
        ask(4, 15),
        Step::Remove(4),
        Step::Resize(0),
        ask(3, 5),
        Step::Resize(40),
        ask(3, 5),
        ask(3, 5),
    ];
    // 2 is heavier than the cache; 3 is evicted when the capacity is 0 and comes in again.
    let replayed = replay_steps::<TemplateCache>(&keep_at(1), 20, &steps);
    assert_eq!(replayed.bits, "0000001");
}

#[test]
fn an_option_out_of_range_is_refused_with_its_key() {
    for wrong in [0, 4] {
        let refused = TemplateCache::create(keep_at(wrong), 1).expect_err("refused");
        assert_eq!(
            refused.to_string(),
            format!("{wrong} is not from 1 to 3 (at keep_at)")
        );
    }
}

#[test]
fn the_decisions_are_as_approved() {
    let mut text = String::new();
    for (keep, capacity) in [(1, 8), (2, 8), (3, 8), (1, 1)] {
        let bits = bits(&keep_at(keep), capacity, &skewed());
        text.push_str(&format!("[keep_at = {keep}, capacity {capacity}]\n"));
        for (i, bits) in bits.as_bytes().chunks(50).enumerate() {
            let bits = String::from_utf8_lossy(bits);
            text.push_str(&format!("requests from {}: {bits}\n", i * 50));
        }
    }
    testing::golden("golden/decisions.txt", &text);
}
