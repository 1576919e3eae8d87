//! Every policy, loaded as a library, against its model on adversarial traces.

use eyemap_engine::cache::{Asked, PolicySource, ReplayOptions, Replayed, TraceFacts};
use sha2::{Digest as _, Sha256};

use crate::{
    BATCHES,
    adversary::{Adversary, Order, Sizes, capacities, walks_over_small_keys},
    models::{Arc, Gdsf, Model, Queue, S3Fifo, Sieve, Ttl},
    play, source,
    w_tinylfu::WTinyLfu,
};

/// How long entries live, by stage, where they do not live for ever.
const TTL: [Option<u64>; 4] = [Some(700), Some(40), None, Some(3)];

/// A model of a capacity.
type Make = fn(u64) -> Box<dyn Model>;

/// A policy with its options, and its model.
struct Case {
    plugin: &'static str,
    options: &'static str,
    source: PolicySource,
    ttl: [Option<u64>; 4],
    model: Make,
}

fn case(plugin: &'static str, options: &'static str, model: Make) -> Case {
    Case {
        plugin,
        options,
        source: source(plugin, options),
        ttl: [None; 4],
        model,
    }
}

fn cases() -> [Case; 10] {
    let once = r#"{"promote_at":1}"#;
    [
        case("lru-policy", "{}", |c| Box::new(Queue::new(c, true))),
        case("fifo-policy", "{}", |c| Box::new(Queue::new(c, false))),
        case("sieve-policy", "{}", |c| Box::new(Sieve::new(c))),
        case("s3-fifo-policy", "{}", |c| Box::new(S3Fifo::new(c, 2))),
        case("s3-fifo-policy", once, |c| Box::new(S3Fifo::new(c, 1))),
        case("arc-policy", "{}", |c| Box::new(Arc::new(c))),
        case("size-weighted-policy", "{}", |c| {
            Box::new(Gdsf::new(c, false))
        }),
        case("gdsf-cost-policy", "{}", |c| Box::new(Gdsf::new(c, true))),
        case("w-tinylfu-policy", "{}", |c| Box::new(WTinyLfu::new(c))),
        Case {
            ttl: TTL,
            ..case("ttl-policy", "{}", |c| Box::new(Ttl::new(c, TTL)))
        },
    ]
}

/// What a model gives for a trace: hits, the digest of one digit a request, entries and bytes at the end.
#[derive(Debug, PartialEq)]
struct Given {
    hits: u64,
    bits: String,
    held: (u64, u64),
}

impl Given {
    fn by(model: &mut dyn Model, requests: &[Asked]) -> Self {
        let (mut hits, mut bits) = (0, Sha256::new());
        for asked in requests {
            let hit = model.ask(asked);
            hits += u64::from(hit);
            bits.update(if hit { b"1" } else { b"0" });
        }
        let digest = bits.finalize();
        Self {
            hits,
            bits: digest[..8].iter().map(|b| format!("{b:02x}")).collect(),
            held: model.held(),
        }
    }

    fn of(played: &Replayed) -> Self {
        Self {
            hits: played.hits,
            bits: played.hit_bits.clone(),
            held: (played.entries, played.bytes),
        }
    }
}

/// A policy on a trace at a capacity, with its events in batches of one size.
struct Trial<'a> {
    case: &'a Case,
    requests: &'a [Asked],
    capacity: u64,
    batch: usize,
}

impl Trial<'_> {
    fn differs(&self, requests: &[Asked]) -> Option<(Given, Given)> {
        let options = ReplayOptions {
            batch: self.batch,
            ttl: self.case.ttl,
            ..ReplayOptions::new(self.capacity)
        };
        let played = Given::of(&play(requests, &self.case.source, &options));
        let expected = Given::by(&mut *(self.case.model)(self.capacity), requests);
        (played != expected).then_some((played, expected))
    }

    /// Requests that hit, if the policy decides as its model.
    fn hits(&self) -> Result<u64, String> {
        let Some((played, expected)) = self.differs(self.requests) else {
            return Ok(Given::by(&mut *(self.case.model)(self.capacity), self.requests).hits);
        };
        // What differed once differs from then on.
        let lengths: Vec<usize> = (0..self.requests.len()).collect();
        let first = lengths.partition_point(|&n| self.differs(&self.requests[..n]).is_none());
        Err(format!(
            "{} {} at {} bytes in batches of {}: {played:?} for {expected:?}, from request {first} on",
            self.case.plugin, self.case.options, self.capacity, self.batch
        ))
    }
}

#[test]
fn every_policy_decides_as_its_rules_on_adversarial_traces() {
    let (mut wrong, mut hits, mut trials) = (Vec::new(), 0, 0);
    let cases = cases();
    for (seed, sizes) in Sizes::ALL.into_iter().enumerate() {
        for (round, order) in Order::ALL.into_iter().enumerate() {
            let adversary = Adversary {
                sizes,
                order,
                keys: 1200,
                requests: 3000,
            };
            let requests = adversary.trace((10 * seed + round) as u64);
            let footprint = TraceFacts::of(&requests).footprint_bytes;
            for capacity in capacities(footprint) {
                for case in &cases {
                    trials += 1;
                    let trial = Trial {
                        case,
                        requests: &requests,
                        capacity,
                        batch: BATCHES[trials % BATCHES.len()],
                    };
                    match trial.hits() {
                        Ok(found) => hits += found,
                        Err(differs) => wrong.push(format!("{sizes:?} {order:?}: {differs}")),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(trials, 4 * 3 * 5 * cases.len());
    assert!(hits > 100_000, "{hits} hits in all tell little");
}

/// ARC on a trace of log-normal sizes and on one whose popular entries are large, each at a capacity where
/// many small entries pass: its hits, and those that it had with four ghosts a slot.
#[test]
fn arc_remembers_as_much_as_its_rules_say_and_not_four_keys_a_slot() {
    let arc = case("arc-policy", "{}", |c| Box::new(Arc::new(c)));
    for (sizes, share, hits, with_few_ghosts) in [
        (Sizes::LogNormal, 1000, 1742, 1798),
        (Sizes::BigPopular, 100, 2747, 2995),
    ] {
        let adversary = Adversary {
            sizes,
            order: Order::Popular,
            keys: 20_000,
            requests: 20_000,
        };
        let requests = adversary.trace(7);
        let capacity = TraceFacts::of(&requests).footprint_bytes / share + 1;
        let trial = Trial {
            case: &arc,
            requests: &requests,
            capacity,
            batch: 64,
        };
        let few = Given::by(&mut Arc::with_few_ghosts(capacity, 4), &requests);
        let found = (trial.hits(), few.hits);
        assert_eq!(found, (Ok(hits), with_few_ghosts), "{sizes:?}");
    }
}

/// S3-FIFO where more keys are remembered than four for each slot: its hits, and those with that bound.
#[test]
fn s3_fifo_remembers_as_much_as_its_rules_say_and_not_four_keys_a_slot() {
    let requests = walks_over_small_keys();
    let capacity = 2000;
    let trial = Trial {
        case: &case("s3-fifo-policy", "{}", |c| Box::new(S3Fifo::new(c, 2))),
        requests: &requests,
        capacity,
        batch: 64,
    };
    let few = Given::by(&mut S3Fifo::with_few_ghosts(capacity, 4), &requests);
    assert_eq!((trial.hits(), few.hits), (Ok(2137), 40));
}
