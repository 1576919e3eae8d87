//! `eyemap cache tune`: which policy and capacity save most, as TOML to paste.
//!
//! The caches in memory and the store are looked at by themselves: each has a capacity of its own, and
//! what is in memory does not outlive a run. Nothing here advises to switch a cache off: where a cache in
//! memory does not pay, the mode `auto` passes it by, and a store that is asked in vain costs little.

mod told;

use std::process::ExitCode;

use eyemap_engine::cache::{
    Answers, Asked, PolicySource, ReplayOptions, Swept, TraceFacts, Tuned, sweep, tune,
};

use super::{Bench, capacities};
use crate::{
    args::TuneArgs,
    failure::{Failure, USAGE},
    out,
};

pub(super) fn run(args: &TuneArgs) -> Result<ExitCode, Failure> {
    let bench = Bench::prepare(&args.sweep)?;
    let recorded = &bench.recorded;
    let mut parts = Vec::new();
    for (place, requests) in [
        (Place::Memory, recorded.of_memory()),
        (Place::Store, recorded.of_store()),
    ] {
        parts.extend(Part::of(place, &requests, args, &bench.policies)?);
    }
    let advice = Advice {
        args,
        bench: &bench,
        parts: &parts,
    };
    if args.sweep.json {
        return out::json(&advice.document()?);
    }
    out::text(&advice.words()?)
}

/// Where answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The three caches of the stages.
    Memory,
    /// The directory of `[cache.artifacts]`.
    Store,
}

/// The requests of one place, replayed.
struct Part {
    place: Place,
    facts: TraceFacts,
    capacities: Vec<u64>,
    /// Nothing if no key is asked for twice.
    swept: Vec<Swept>,
}

/// Fewer requests than this that ask for something again say little.
const FEW: u64 = 100;

impl Part {
    fn of(
        place: Place,
        requests: &[Asked],
        args: &TuneArgs,
        policies: &[PolicySource],
    ) -> Result<Option<Self>, Failure> {
        if requests.is_empty() {
            return Ok(None);
        }
        let facts = TraceFacts::of(requests);
        let capacities = match args.sweep.capacities.as_slice() {
            [] => powers_of_two(facts.footprint_bytes),
            asked => capacities(asked, &facts),
        };
        let mut replayed = capacities.clone();
        replayed.extend(capacities.iter().map(|capacity| capacity.saturating_mul(2)));
        replayed.sort_unstable();
        replayed.dedup();
        let swept = match facts.requests > facts.keys {
            true => sweep(requests, policies, &replayed, &ReplayOptions::new(0))?,
            false => Vec::new(),
        };
        Ok(Some(Self {
            place,
            facts,
            capacities,
            swept,
        }))
    }

    /// Requests for something that was asked for before.
    const fn repeated(&self) -> u64 {
        self.facts.requests - self.facts.keys
    }

    /// What the replays give; none where there was nothing to replay.
    fn tuned(&self) -> Result<Option<Tuned<'_>>, Failure> {
        if self.swept.is_empty() {
            return Ok(None);
        }
        let tuned = tune(&self.swept, &self.capacities, &self.facts);
        let failed = || {
            let message = "every policy failed, so none can be advised";
            Failure::new(USAGE, message).help("`eyemap cache simulate` says why")
        };
        tuned.ok_or_else(failed).map(Some)
    }
}

/// All that is said.
struct Advice<'a> {
    args: &'a TuneArgs,
    bench: &'a Bench,
    parts: &'a [Part],
}

impl Advice<'_> {
    /// What was saved already, so that nobody switches it off.
    fn saved(&self) -> [(&'static str, Answers); 2] {
        let recorded = &self.bench.recorded;
        [
            ("the output directory", recorded.output),
            ("the store", recorded.store),
        ]
    }
}

/// Capacities that people write, from about a hundredth of the footprint to all of it.
fn powers_of_two(footprint_bytes: u64) -> Vec<u64> {
    let first = (footprint_bytes / 100).max(1).next_power_of_two();
    let doubled = |capacity: &u64| capacity.checked_mul(2);
    std::iter::successors(Some(first), doubled)
        .take_while(|&capacity| capacity < footprint_bytes.saturating_mul(2).max(2))
        .collect()
}

/// Whether even the best at the largest capacity hits nothing.
fn saves_nothing(facts: &TraceFacts, tuned: &Tuned<'_>) -> bool {
    let most = tuned.choices.iter().map(|choice| choice.best.worth(facts));
    most.fold(0.0, f64::max) <= 0.0
}
