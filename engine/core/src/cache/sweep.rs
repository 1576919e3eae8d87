//! Replays a trace through several policies at several capacities, and says which saves most.
//!
//! What comes out is a bound for requests like those of the trace; it foretells no others.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{
    policy::{PolicyError, PolicySource},
    replay::{ReplayOptions, Replayed, replay},
    trace::Asked,
};

/// What a trace asks for, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceFacts {
    /// Requests.
    pub requests: u64,
    /// Different keys.
    pub keys: u64,
    /// Bytes of all different keys: a cache that holds them all.
    pub footprint_bytes: u64,
    /// Bytes of all requests.
    pub requested_bytes: u64,
    /// Cost of all requests in nanoseconds if nothing were kept; 0 when the trace has no costs.
    pub cost_ns: u64,
    /// Whether requests name more than one stage.
    pub mixed: bool,
}

impl TraceFacts {
    /// Adds up a trace. A key whose size changes counts with its largest.
    pub fn of(requests: &[Asked]) -> Self {
        let mut facts = Self::default();
        let mut sizes: HashMap<u64, u64> = HashMap::new();
        for asked in requests {
            let size = sizes.entry(asked.key).or_default();
            *size = asked.size.max(*size);
            facts.requested_bytes = facts.requested_bytes.saturating_add(asked.size);
            facts.cost_ns = facts.cost_ns.saturating_add(asked.cost_ns);
        }
        facts.requests = requests.len() as u64;
        facts.keys = sizes.len() as u64;
        let add = |sum: u64, size: &u64| sum.saturating_add(*size);
        facts.footprint_bytes = sizes.values().fold(0, add);
        facts.mixed = requests.windows(2).any(|two| two[0].stage != two[1].stage);
        facts
    }

    /// Whether misses have a cost.
    pub const fn has_costs(&self) -> bool {
        self.cost_ns > 0
    }
}

/// One policy at one capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The policy, as it was asked for.
    pub policy: String,
    /// The capacity in bytes.
    pub capacity: u64,
    /// What the replay gave.
    pub replayed: Replayed,
}

impl Swept {
    /// Share of requests that hit, 0 to 1.
    pub fn hit_ratio(&self, facts: &TraceFacts) -> f64 {
        share(self.replayed.hits, facts.requests)
    }

    /// Share of the cost of all requests that hits saved, 0 to 1; none without costs.
    pub fn saved(&self, facts: &TraceFacts) -> Option<f64> {
        let saved = share(self.replayed.hit_cost_ns, facts.cost_ns);
        facts.has_costs().then_some(saved)
    }

    /// What policies are judged by: the share of the cost saved, else the hit ratio.
    pub fn worth(&self, facts: &TraceFacts) -> f64 {
        self.saved(facts).unwrap_or_else(|| self.hit_ratio(facts))
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// Replays a trace through every policy at every capacity, on all cores. The capacity of `base` is
/// not used. In the order of the policies, then of the capacities.
///
/// # Errors
/// When a policy refuses its options or a capacity.
pub fn sweep(
    requests: &[Asked],
    policies: &[PolicySource],
    capacities: &[u64],
    base: &ReplayOptions,
) -> Result<Vec<Swept>, PolicyError> {
    let pairs: Vec<_> = policies
        .iter()
        .flat_map(|policy| capacities.iter().map(move |&capacity| (policy, capacity)))
        .collect();
    let one = |(policy, capacity): (&PolicySource, u64)| {
        let options = ReplayOptions { capacity, ..*base };
        Ok(Swept {
            policy: policy.name().to_owned(),
            capacity,
            replayed: replay(requests, policy, &options)?,
        })
    };
    pairs.into_par_iter().map(one).collect()
}

/// The policies of one capacity against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    /// The capacity in bytes.
    pub capacity: u64,
    /// The one that saves most; of equals the best of the next smaller capacity, else the first.
    pub best: &'a Swept,
    /// The next one, if there are several policies.
    pub next: Option<&'a Swept>,
    /// What the best policy of twice the capacity saves more, as a share of the whole.
    pub doubling: f64,
}

/// What to use for requests like those of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned<'a> {
    /// The best of each capacity that was asked for, from the smallest up.
    pub choices: Vec<Choice<'a>>,
    /// The index of the one to use.
    pub advised: usize,
    /// Whether even the largest capacity is one whose doubling pays.
    pub open: bool,
}

/// Doubling a capacity that saves less than this share more does not pay.
pub const WORTH_DOUBLING: f64 = 0.02;

/// Chooses the best policy of each capacity, and the smallest capacity from which on doubling does not
/// pay. Of `swept`, which also has the double of each capacity. Policies that failed are passed over.
/// None when there is nothing to choose from.
pub fn tune<'a>(swept: &'a [Swept], capacities: &[u64], facts: &TraceFacts) -> Option<Tuned<'a>> {
    let mut capacities = capacities.to_vec();
    capacities.sort_unstable();
    capacities.dedup();
    let mut favourite = "";
    let choose = |&capacity| {
        let (best, next) = best_of(swept, capacity, facts, favourite)?;
        let (double, _) = best_of(swept, u64::saturating_mul(capacity, 2), facts, "")?;
        favourite = &best.policy;
        Some(Choice {
            capacity,
            best,
            next,
            doubling: double.worth(facts) - best.worth(facts),
        })
    };
    let choices: Vec<Choice<'a>> = capacities.iter().filter_map(choose).collect();
    // What is too small for any entry gains nothing from doubling either, so the last that does counts.
    let pays = |choice: &Choice<'_>| choice.doubling >= WORTH_DOUBLING;
    let advised = choices.iter().rposition(pays).map_or(0, |last| last + 1);
    let largest = choices.len().checked_sub(1)?;
    Some(Tuned {
        open: advised > largest,
        advised: advised.min(largest),
        choices,
    })
}

fn best_of<'a>(
    swept: &'a [Swept],
    capacity: u64,
    facts: &TraceFacts,
    favourite: &str,
) -> Option<(&'a Swept, Option<&'a Swept>)> {
    let mut rivals: Vec<_> = swept
        .iter()
        .filter(|one| one.capacity == capacity && one.replayed.fault.is_none())
        .collect();
    // Stable, so that of equals the first named stays first. Where all fits, all are equal, and the
    // one that was best with less room is the safer choice.
    rivals.sort_by(|a, b| {
        let favoured = |one: &Swept| one.policy == favourite;
        let worth = b.worth(facts).total_cmp(&a.worth(facts));
        worth.then(favoured(b).cmp(&favoured(a)))
    });
    let mut rivals = rivals.into_iter();
    Some((rivals.next()?, rivals.next()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Counts;

    const FACTS: TraceFacts = TraceFacts {
        requests: 100,
        keys: 10,
        footprint_bytes: 1000,
        requested_bytes: 10_000,
        cost_ns: 1000,
        mixed: false,
    };

    fn swept(policy: &str, capacity: u64, hits: u64, hit_cost_ns: u64) -> Swept {
        Swept {
            policy: policy.into(),
            capacity,
            replayed: Replayed {
                hits,
                hit_bytes: 0,
                hit_cost_ns,
                hit_bits: String::new(),
                counts: Counts::default(),
                entries: 0,
                bytes: 0,
                fault: None,
            },
        }
    }

    #[test]
    fn time_saved_decides_and_a_doubling_that_adds_little_is_not_advised() {
        let all = [
            swept("a", 10, 90, 100),
            swept("a", 20, 95, 290),
            swept("a", 40, 99, 300),
            swept("b", 10, 10, 200),
            swept("b", 20, 10, 280),
            swept("b", 40, 10, 305),
        ];
        let tuned = tune(&all, &[20, 10, 10], &FACTS).expect("a choice");
        let names: Vec<_> = tuned
            .choices
            .iter()
            .map(|c| c.best.policy.as_str())
            .collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(tuned.choices[1].next.map(|c| c.policy.as_str()), Some("b"));
        assert!((tuned.choices[0].doubling - 0.09).abs() < 1e-12);
        assert_eq!((tuned.advised, tuned.open), (1, false));
        let plateau = [
            swept("a", 5, 0, 0),
            swept("a", 10, 0, 0),
            swept("a", 20, 50, 500),
            swept("a", 40, 50, 500),
        ];
        let tuned = tune(&plateau, &[5, 10, 20], &FACTS).expect("a choice");
        assert_eq!((tuned.advised, tuned.open), (2, false));
        let equal = [
            swept("a", 10, 1, 100),
            swept("b", 10, 1, 200),
            swept("a", 20, 1, 500),
            swept("b", 20, 1, 500),
            swept("b", 40, 1, 500),
        ];
        let tuned = tune(&equal, &[10, 20], &FACTS).expect("a choice");
        assert_eq!(tuned.choices[1].best.policy, "b");
        let small = tune(&all, &[10], &FACTS).expect("a choice");
        assert_eq!((small.advised, small.open), (0, true));
    }

    #[test]
    fn without_costs_hits_decide() {
        let swept = [
            swept("a", 10, 90, 0),
            swept("b", 10, 91, 0),
            swept("a", 20, 90, 0),
        ];
        let facts = TraceFacts {
            cost_ns: 0,
            ..FACTS
        };
        let tuned = tune(&swept, &[10], &facts).expect("a choice");
        assert_eq!(tuned.choices[0].best.policy, "b");
    }

    #[test]
    fn a_policy_that_failed_is_never_the_best() {
        let mut broken = swept("broken", 10, 99, 999);
        broken.replayed.fault = Some("it erred".into());
        let all = [broken.clone(), swept("a", 10, 1, 1), swept("a", 20, 1, 1)];
        let tuned = tune(&all, &[10], &FACTS).expect("a choice");
        assert_eq!(tuned.choices[0].best.policy, "a");
        assert_eq!(tuned.choices[0].next, None);
        assert_eq!(tune(&[broken], &[10], &FACTS), None);
    }

    #[test]
    fn the_footprint_counts_each_key_once() {
        let asked = |key, size| Asked {
            tick: 0,
            key,
            size,
            cost_ns: 5,
            ..Asked::default()
        };
        let facts = TraceFacts::of(&[asked(1, 10), asked(2, 5), asked(1, 10)]);
        assert_eq!((facts.requests, facts.keys), (3, 2));
        assert_eq!((facts.footprint_bytes, facts.requested_bytes), (15, 25));
        assert_eq!((facts.cost_ns, facts.mixed), (15, false));
    }
}
