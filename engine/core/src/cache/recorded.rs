//! A trace as the caches met it: what reached them, what an output directory answered before, and what
//! of it a cache could have kept.

use std::collections::HashMap;

use super::{
    CacheName,
    trace::{Answered, Asked},
};

/// Requests of one kind, and what computing them would have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// How many.
    pub requests: u64,
    /// Their costs in nanoseconds, as far as they are known.
    pub cost_ns: u64,
}

impl Answers {
    fn add(&mut self, asked: &Asked) {
        self.requests += 1;
        self.cost_ns = self.cost_ns.saturating_add(asked.cost_ns);
    }
}

/// A trace, sorted out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// What was asked of a cache, in order.
    pub requests: Vec<Asked>,
    /// What the output directory answered, so that no cache was asked.
    pub output: Answers,
    /// What a store answered.
    pub store: Answers,
}

impl Recorded {
    /// Sorts out a trace. A request whose size or cost is not known takes those of another request of its
    /// key. What is in memory does not outlive a run, so a key of another run is another key there.
    pub fn of(mut requests: Vec<Asked>) -> Self {
        complete(&mut requests);
        let mut recorded = Self::default();
        for mut asked in requests {
            if asked.answered == Answered::Output {
                recorded.output.add(&asked);
                continue;
            }
            if asked.answered == Answered::Store {
                recorded.store.add(&asked);
            }
            if !is_artifact(&asked) {
                let run = u64::from(asked.run);
                asked.key ^= run.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            }
            recorded.requests.push(asked);
        }
        recorded
    }

    /// What was asked of the caches in memory, in order; of requests that name no cache, that is taken
    /// for granted.
    pub fn of_memory(&self) -> Vec<Asked> {
        let of_memory = |asked: &&Asked| !is_artifact(asked);
        self.requests.iter().filter(of_memory).copied().collect()
    }

    /// What was asked of the store, or would be if there were one, in order.
    pub fn of_store(&self) -> Vec<Asked> {
        let of_store = |asked: &&Asked| is_artifact(asked);
        self.requests.iter().filter(of_store).copied().collect()
    }
}

fn is_artifact(asked: &Asked) -> bool {
    asked.stage == Some(CacheName::Artifacts)
}

/// Fills in sizes and costs that are not known of some requests, and are of others with the same key.
fn complete(requests: &mut [Asked]) {
    let mut known: HashMap<u64, (u64, u64)> = HashMap::new();
    for asked in &*requests {
        let facts = known.entry(asked.key).or_default();
        *facts = (facts.0.max(asked.size), facts.1.max(asked.cost_ns));
    }
    for asked in requests {
        let facts = known.get(&asked.key).copied().unwrap_or_default();
        if asked.size == 0 {
            asked.size = facts.0;
        }
        if asked.cost_ns == 0 {
            asked.cost_ns = facts.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(run: u32, key: u64, stage: CacheName, answered: Answered) -> Asked {
        Asked {
            tick: u64::from(run),
            key,
            size: 10,
            cost_ns: 100,
            stage: Some(stage),
            run,
            answered,
        }
    }

    #[test]
    fn memory_forgets_between_runs_and_a_store_does_not() {
        let (colors, artifacts) = (CacheName::Colors, CacheName::Artifacts);
        let recorded = Recorded::of(vec![
            asked(1, 7, colors, Answered::Computed),
            asked(1, 7, colors, Answered::Memory),
            asked(1, 8, artifacts, Answered::Computed),
            asked(2, 7, colors, Answered::Computed),
            asked(2, 8, artifacts, Answered::Store),
            asked(3, 8, artifacts, Answered::Output),
        ]);
        let keys =
            |requests: Vec<Asked>| -> Vec<u64> { requests.iter().map(|asked| asked.key).collect() };
        let of_memory = keys(recorded.of_memory());
        assert_eq!(of_memory[0], of_memory[1]);
        assert_ne!(of_memory[0], of_memory[2]);
        assert_eq!(keys(recorded.of_store()), [8, 8]);
        let answers = Answers {
            requests: 1,
            cost_ns: 100,
        };
        assert_eq!((recorded.output, recorded.store), (answers, answers));
        let order: Vec<_> = recorded.requests.iter().map(|asked| asked.stage).collect();
        assert_eq!(
            order,
            [colors, colors, artifacts, colors, artifacts].map(Some)
        );
    }

    #[test]
    fn what_is_known_of_a_key_holds_for_all_its_requests() {
        let unknown = Asked {
            size: 0,
            cost_ns: 0,
            ..asked(2, 8, CacheName::Artifacts, Answered::Output)
        };
        let known = asked(3, 8, CacheName::Artifacts, Answered::Computed);
        let recorded = Recorded::of(vec![unknown, known]);
        assert_eq!(recorded.output.cost_ns, 100);
        // A trace without runs is of a process that stayed.
        let plain = Asked { run: 0, ..known };
        assert_eq!(Recorded::of(vec![plain]).requests, [plain]);
    }
}
