//! `eyemap cache`: what caches would do, and which to take.

mod policies;
mod simulate;
mod store;
mod tune;

use std::process::ExitCode;

use eyemap_engine::cache::{PolicySource, Recorded, TraceError, TraceFacts, read_trace};
use serde_json::{Value, json};

use crate::{
    args::{CacheCommand, Capacity, SweepArgs},
    failure::{Failure, USAGE},
    session::{self, Given},
};

pub(crate) fn run(command: &CacheCommand) -> Result<ExitCode, Failure> {
    match command {
        CacheCommand::Simulate(args) => simulate::run(args),
        CacheCommand::Tune(args) => tune::run(args),
        CacheCommand::Stats(args) => store::stats(args),
        CacheCommand::Clear(args) => store::clear(args),
        CacheCommand::Verify(args) => store::verify(args),
        CacheCommand::Warm(args) => store::warm(args),
    }
}

/// A trace and the policies that it goes through.
struct Bench {
    recorded: Recorded,
    /// Of all that was asked of a cache.
    facts: TraceFacts,
    policies: Vec<PolicySource>,
}

impl Bench {
    fn prepare(args: &SweepArgs) -> Result<Self, Failure> {
        let (config, source) = session::config(args.config.as_deref())?;
        let finder = session::finder(&config, &source, Given::locks(&args.trusted))?;
        let policies = policies::load(args, &finder, &config, &source)?;
        session::tell_lowered(&finder);
        let requests = read_trace(&args.trace)?;
        if requests.is_empty() {
            let message = format!("{}: the trace has no requests", args.trace.display());
            return Err(Failure::new(USAGE, message)
                .help("a trace has a header time,key,size and a row for each request"));
        }
        let recorded = Recorded::of(requests);
        Ok(Self {
            facts: TraceFacts::of(&recorded.requests),
            recorded,
            policies,
        })
    }

    fn document(&self, args: &SweepArgs) -> Value {
        json!({
            "file": args.trace.display().to_string(),
            "requests": self.facts.requests,
            "keys": self.facts.keys,
            "footprint_bytes": self.facts.footprint_bytes,
            "requested_bytes": self.facts.requested_bytes,
            "cost_ns": self.facts.has_costs().then_some(self.facts.cost_ns),
            "left_in_place": self.recorded.output.requests,
        })
    }
}

/// Capacities in bytes, in the order in which they were asked for, each once.
fn capacities(asked: &[Capacity], facts: &TraceFacts) -> Vec<u64> {
    let mut capacities = Vec::new();
    for capacity in asked {
        let bytes = capacity.of(facts.footprint_bytes);
        if !capacities.contains(&bytes) {
            capacities.push(bytes);
        }
    }
    capacities
}

/// The name of the trace, for a title.
fn title(args: &SweepArgs) -> String {
    let name = args.trace.file_name().unwrap_or(args.trace.as_os_str());
    name.to_string_lossy().into_owned()
}

/// A share as people read it.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Nanoseconds as people read them.
fn seconds(ns: u64) -> String {
    match ns as f64 / 1e9 {
        s if s >= 100.0 => format!("{s:.0} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        _ => format!("{:.1} us", ns as f64 / 1e3),
    }
}

/// A table as text, without blanks at the ends of lines.
fn lines(table: &comfy_table::Table) -> String {
    let lines = table.lines();
    lines
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        let help = error.help();
        Self::with_cause(USAGE, error).help(help)
    }
}
