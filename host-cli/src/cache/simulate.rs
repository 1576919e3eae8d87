//! `eyemap cache simulate`: what each policy hits at each capacity.

use std::{path::Path, process::ExitCode};

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use eyemap_engine::{
    cache::{ReplayOptions, Swept, TraceFacts, TtlMode, chart, sweep},
    config::Size,
    sink::write_atomically,
};
use serde_json::{Value, json};

use super::{Bench, capacities, lines, percent, seconds, title};
use crate::{
    args::{Capacity, SimulateArgs},
    failure::{Failure, USAGE},
    files::Files,
    out,
};

/// The sizes of the reference counts.
const SHARES: [f64; 6] = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0];

pub(super) fn run(args: &SimulateArgs) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.chart {
        // Told before the work and not after it.
        check_writable(path)?;
        let mut files = Files::default();
        files.reads([&*args.sweep.trace]);
        files.reads(args.sweep.config.as_deref());
        files.writes("--chart", [&**path]);
        files.check()?;
    }
    let bench = Bench::prepare(&args.sweep)?;
    let asked = match args.sweep.capacities.as_slice() {
        [] => &SHARES.map(Capacity::Percent),
        asked => asked,
    };
    let base = ReplayOptions {
        batch: args.batch as usize,
        ttl: [args.ttl; 4],
        ttl_mode: args.ttl_mode,
        lazy: args.lazy,
        ..ReplayOptions::new(0)
    };
    let requests = &bench.recorded.requests;
    if requests.is_empty() {
        let message = format!(
            "{}: the output directory answered every request, and no cache was asked",
            args.sweep.trace.display()
        );
        return Err(Failure::new(USAGE, message)
            .help("record a run into another directory, or one with --force"));
    }
    let capacities = capacities(asked, &bench.facts);
    let swept = sweep(requests, &bench.policies, &capacities, &base)?;
    if let Some(path) = &args.chart {
        let svg = chart(&title(&args.sweep), &swept, &bench.facts);
        write_atomically(path, svg.as_bytes()).map_err(|error| unwritable(path, &error))?;
    }
    if args.sweep.json {
        return out::json(&document(args, &bench, &swept));
    }
    out::text(&words(args, &bench.facts, &swept))
}

fn check_writable(path: &Path) -> Result<(), Failure> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    match std::fs::metadata(dir) {
        Ok(found) if !found.is_dir() => {
            let error = format!("{} is no directory", dir.display());
            Err(unwritable(path, &std::io::Error::other(error)))
        }
        Ok(_) if path.is_dir() => Err(unwritable(
            path,
            &std::io::Error::other("it is a directory"),
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot write the chart {}: {error}", path.display());
    Failure::new(USAGE, message).help("choose a file in a directory that exists with --chart")
}

fn words(args: &SimulateArgs, facts: &TraceFacts, swept: &[Swept]) -> String {
    let mut text = format!(
        "{}: {} requests for {} keys of {} in all",
        out::plain(&title(&args.sweep)),
        facts.requests,
        facts.keys,
        Size::of_bytes(facts.footprint_bytes).short(),
    );
    if facts.has_costs() {
        text += &format!(", {} to compute without a cache", seconds(facts.cost_ns));
    }
    text += "\n\n";
    text += &lines(&table(args, facts, swept));
    let mut told = std::collections::BTreeSet::new();
    for one in swept {
        if let Some(fault) = &one.replayed.fault
            && told.insert(&one.policy)
        {
            let (policy, fault) = (out::plain(&one.policy), out::plain(fault));
            text += &format!("\n! {policy} failed, first in, first out from there on: {fault}\n");
        }
    }
    text
}

fn table(args: &SimulateArgs, facts: &TraceFacts, swept: &[Swept]) -> Table {
    let mut table = Table::new();
    let mut head = vec!["policy", "capacity", "hits", "hit ratio", "hit bytes"];
    head.extend(facts.has_costs().then_some("time saved"));
    head.push("evictions");
    head.extend(args.ttl.map(|_| "expiries"));
    head.push("hit bits");
    table.load_style(NOTHING).set_header(head.iter());
    for one in swept {
        let (replayed, failed) = (&one.replayed, one.replayed.fault.is_some());
        let mut row = vec![
            format!(
                "{}{}",
                out::plain(&one.policy),
                if failed { " !" } else { "" }
            ),
            Size::of_bytes(one.capacity).short(),
            replayed.hits.to_string(),
            percent(one.hit_ratio(facts)),
            Size::of_bytes(replayed.hit_bytes).short(),
        ];
        if let Some(saved) = one.saved(facts) {
            row.push(format!(
                "{} = {}",
                seconds(replayed.hit_cost_ns),
                percent(saved)
            ));
        }
        row.push(replayed.counts.evictions.to_string());
        row.extend(args.ttl.map(|_| replayed.counts.expiries.to_string()));
        row.push(replayed.hit_bits.clone());
        table.add_row(row);
    }
    for index in 1..head.len() - 1 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn document(args: &SimulateArgs, bench: &Bench, swept: &[Swept]) -> Value {
    let one = |one: &Swept| {
        let replayed = &one.replayed;
        json!({
            "policy": one.policy,
            "capacity_bytes": one.capacity,
            "hits": replayed.hits,
            "hit_ratio": one.hit_ratio(&bench.facts),
            "hit_bytes": replayed.hit_bytes,
            "hit_cost_ns": bench.facts.has_costs().then_some(replayed.hit_cost_ns),
            "share_of_cost_saved": one.saved(&bench.facts),
            "hit_bits_sha256_16": replayed.hit_bits,
            "insertions": replayed.counts.insertions,
            "evictions": replayed.counts.evictions,
            "expiries": replayed.counts.expiries,
            "refused": replayed.counts.refused,
            "final_objects": replayed.entries,
            "final_bytes": replayed.bytes,
            "fault": replayed.fault,
        })
    };
    let mode = match args.ttl_mode {
        TtlMode::Write => "write",
        TtlMode::Access => "access",
    };
    json!({
        "trace": bench.document(&args.sweep),
        "batch": args.batch,
        "ttl_ticks": args.ttl,
        "ttl_mode": mode,
        "lazy": args.lazy,
        "chart": args.chart.as_ref().map(|path| path.display().to_string()),
        "runs": swept.iter().map(one).collect::<Vec<_>>(),
    })
}
