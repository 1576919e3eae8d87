//! What the policy promises, and what it decides.
//!
//! `replay` asks the policy as the host does, and fails if a victim is not there, if room is not made, or
//! if batches of another size or a state that was saved and restored change a decision.

use std::collections::VecDeque;

use eyemap_sdk::{
    prelude::*,
    testing::{self, Request, Step, replay, replay_steps},
};
use two_queue_cache::{Options, TwoQueue};

/// Hits (`1`) and misses (`0`) of keys of weight 1.
fn bits(options: &Options, capacity: u64, keys: &[u64]) -> String {
    let requests: Vec<_> = keys.iter().map(|&key| Request::new(key, 1)).collect();
    replay::<TwoQueue>(options, capacity, &requests).bits
}

/// Keys as of a program that asks for few often and for many once, the same every time.
fn skewed(seed: u64, n: usize) -> Vec<u64> {
    let next = |state: &u64| {
        Some(
            state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        )
    };
    let random = std::iter::successors(Some(seed), next).map(|state| state >> 33);
    let key = |random: u64| match random % 4 {
        0 => 100 + random % 1000,
        _ => random % 25,
    };
    random.skip(1).take(n).map(key).collect()
}

/// The same, written as the paper has it, for entries of weight 1: lists that are searched.
fn model(options: &Options, capacity: usize, keys: &[u64]) -> String {
    let share = |fraction: f64| (capacity as f64 * fraction) as usize;
    let (most_in, most_out) = (share(options.in_fraction), share(options.out_fraction));
    let (mut a1in, mut a1out, mut am) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
    let mut bits = String::new();
    for &key in keys {
        let place = |list: &VecDeque<u64>| list.iter().position(|&other| other == key);
        if let Some(at) = place(&am) {
            am.remove(at);
            am.push_back(key);
            bits.push('1');
            continue;
        }
        if place(&a1in).is_some() {
            bits.push('1');
            continue;
        }
        bits.push('0');
        if a1in.len() + am.len() == capacity {
            if a1in.len() > most_in || am.is_empty() {
                a1out.extend(a1in.pop_front());
                if a1out.len() > most_out {
                    a1out.pop_front();
                }
            } else {
                am.pop_front();
            }
        }
        match place(&a1out) {
            Some(at) => {
                a1out.remove(at);
                am.push_back(key);
            }
            None => a1in.push_back(key),
        }
    }
    bits
}

#[test]
fn it_decides_as_the_paper_says() {
    let half = Options {
        in_fraction: 0.5,
        out_fraction: 2.0,
    };
    for options in [Options::default(), half] {
        for (seed, capacity) in [(1, 1), (2, 4), (3, 9), (4, 16), (5, 40)] {
            let keys = skewed(seed, 800);
            let expected = model(&options, capacity, &keys);
            assert!(expected.contains('1'), "capacity {capacity}");
            assert_eq!(
                bits(&options, capacity as u64, &keys),
                expected,
                "capacity {capacity}"
            );
        }
    }
}

#[test]
fn a_walk_over_many_entries_leaves_those_that_proved_themselves() {
    // 1 and 2 leave the queue and come back: from then on they are kept through a walk.
    let mut keys = vec![1, 2, 3, 4, 5, 6, 1, 2];
    keys.extend(100..120);
    keys.extend([1, 2]);
    let options = Options {
        out_fraction: 2.0,
        ..Default::default()
    };
    assert!(bits(&options, 4, &keys).ends_with("11"));
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
    // 2 is heavier than the cache; 3 leaves when the capacity is 0 and comes in again.
    let replayed = replay_steps::<TwoQueue>(&Options::default(), 20, &steps);
    assert_eq!(replayed.bits, "0000001");
}

#[test]
fn an_option_out_of_range_is_refused_with_its_key() {
    for (in_fraction, out_fraction, message) in [
        (0.0, 0.5, "0 is not between 0 and 1 (at in_fraction)"),
        (f64::NAN, 0.5, "NaN is not between 0 and 1 (at in_fraction)"),
        (0.5, -1.0, "-1 is not from 0 to 4 (at out_fraction)"),
    ] {
        let options = Options {
            in_fraction,
            out_fraction,
        };
        let refused = TwoQueue::create(options, 1).expect_err("refused");
        assert_eq!(refused.to_string(), message);
    }
}

#[test]
fn the_decisions_are_as_approved() {
    let mut text = String::new();
    for capacity in [1, 4, 16] {
        let bits = bits(&Options::default(), capacity, &skewed(7, 400));
        text.push_str(&format!("[capacity {capacity}]\n"));
        for (i, bits) in bits.as_bytes().chunks(50).enumerate() {
            let bits = String::from_utf8_lossy(bits);
            text.push_str(&format!("requests from {}: {bits}\n", i * 50));
        }
    }
    testing::golden("golden/decisions.txt", &text);
}
