//! `eyemap cache tune`: which policy and capacity save most, as TOML to paste.

use std::process::ExitCode;

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use eyemap_engine::{
    cache::{Choice, ReplayOptions, TraceFacts, Tuned, WORTH_DOUBLING, tune},
    config::Size,
};
use serde_json::{Value, json};

use super::{Bench, lines, percent, title};
use crate::{
    args::TuneArgs,
    failure::{Failure, USAGE},
    out,
};

pub(super) fn run(args: &TuneArgs) -> Result<ExitCode, Failure> {
    let bench = Bench::prepare(&args.sweep)?;
    let capacities = match args.sweep.capacities.as_slice() {
        [] => powers_of_two(bench.facts.footprint_bytes),
        asked => bench.capacities(asked),
    };
    let mut replayed = capacities.clone();
    replayed.extend(capacities.iter().map(|capacity| capacity.saturating_mul(2)));
    replayed.sort_unstable();
    replayed.dedup();
    let swept = bench.sweep(&replayed, &ReplayOptions::new(0))?;
    let Some(tuned) = tune(&swept, &capacities, &bench.facts) else {
        let message = "every policy failed, so none can be advised";
        return Err(Failure::new(USAGE, message).help("`eyemap cache simulate` says why"));
    };
    if args.sweep.json {
        return out::json(&document(args, &bench, &tuned));
    }
    out::text(&words(args, &bench.facts, &tuned))
}

/// Capacities that people write, from about a hundredth of the footprint to all of it.
fn powers_of_two(footprint_bytes: u64) -> Vec<u64> {
    let first = (footprint_bytes / 100).max(1).next_power_of_two();
    let doubled = |capacity: &u64| capacity.checked_mul(2);
    std::iter::successors(Some(first), doubled)
        .take_while(|&capacity| capacity < footprint_bytes.saturating_mul(2).max(2))
        .collect()
}

/// What a share is a share of.
fn measure(facts: &TraceFacts) -> &'static str {
    match facts.has_costs() {
        true => "time saved",
        false => "hit ratio",
    }
}

fn words(args: &TuneArgs, facts: &TraceFacts, tuned: &Tuned<'_>) -> String {
    let chosen = &tuned.choices[tuned.advised];
    let mut text = format!(
        "{}\n{}\n",
        lines(&table(facts, tuned)),
        reason(facts, tuned)
    );
    for note in notes(facts) {
        text += &format!("{note}\n");
    }
    text += &format!(
        "\n# for requests like those of {}: {} up to {}\n{}",
        out::plain(&title(&args.sweep)),
        measure(facts),
        percent(chosen.best.worth(facts)),
        toml(facts, tuned)
    );
    text
}

/// Whether even the best at the largest capacity hits nothing.
fn saves_nothing(facts: &TraceFacts, tuned: &Tuned<'_>) -> bool {
    let most = tuned.choices.iter().map(|choice| choice.best.worth(facts));
    most.fold(0.0, f64::max) <= 0.0
}

fn table(facts: &TraceFacts, tuned: &Tuned<'_>) -> Table {
    let measure = measure(facts);
    let mut table = Table::new();
    let head = [
        "",
        "capacity",
        "best",
        measure,
        "doubling adds",
        "next",
        measure,
    ];
    table.load_style(NOTHING).set_header(head);
    for (i, choice) in tuned.choices.iter().enumerate() {
        let next = choice.next;
        table.add_row([
            if i == tuned.advised { "*" } else { "" }.to_owned(),
            Size::of_bytes(choice.capacity).short(),
            out::plain(&choice.best.policy),
            percent(choice.best.worth(facts)),
            percent(choice.doubling),
            next.map_or_else(|| "-".into(), |next| out::plain(&next.policy)),
            next.map_or_else(String::new, |next| percent(next.worth(facts))),
        ]);
    }
    for index in [1, 3, 4, 6] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn reason(facts: &TraceFacts, tuned: &Tuned<'_>) -> String {
    let worth = percent(WORTH_DOUBLING);
    if saves_nothing(facts, tuned) {
        return "* no capacity tried saves anything, so there is nothing to keep".into();
    }
    match tuned.open {
        true => format!(
            "* the largest capacity tried; twice of it would save {worth} more or above, so try larger ones"
        ),
        false => format!("* the smallest capacity from which on doubling adds less than {worth}"),
    }
}

/// What the figures do not say.
fn notes(facts: &TraceFacts) -> Vec<&'static str> {
    let mut notes = vec![
        "Figures are upper bounds for requests like those of the trace; others may save less.",
        "Looking up, storing and the policy's own work are not taken off.",
    ];
    if !facts.has_costs() {
        notes.push("The trace has no costs, so policies are judged by their hit ratio.");
    }
    if facts.mixed {
        notes.push(
            "Several caches were replayed as one; [cache] gives the capacity to each of them.",
        );
    }
    notes
}

fn toml(facts: &TraceFacts, tuned: &Tuned<'_>) -> String {
    if saves_nothing(facts, tuned) {
        return "[cache]\nmode = \"off\"\n".into();
    }
    let chosen = &tuned.choices[tuned.advised];
    format!(
        "[cache]\npolicy = {}\ncapacity = \"{}\"\n",
        toml_text(&chosen.best.policy),
        Size::of_bytes(chosen.capacity)
    )
}

/// A basic TOML string: that of JSON, with the controls escaped that JSON leaves as they are.
fn toml_text(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    Value::from(text).to_string().chars().map(escape).collect()
}

fn document(args: &TuneArgs, bench: &Bench, tuned: &Tuned<'_>) -> Value {
    let facts = &bench.facts;
    let chosen = &tuned.choices[tuned.advised];
    let choice = |choice: &Choice<'_>| {
        json!({
            "capacity_bytes": choice.capacity,
            "best": choice.best.policy,
            "worth": choice.best.worth(facts),
            "hits": choice.best.replayed.hits,
            "hit_cost_ns": facts.has_costs().then_some(choice.best.replayed.hit_cost_ns),
            "doubling_adds": choice.doubling,
            "next": choice.next.map(|next| &next.policy),
            "next_worth": choice.next.map(|next| next.worth(facts)),
        })
    };
    json!({
        "trace": bench.document(&args.sweep),
        "measure": if facts.has_costs() { "share_of_cost_saved" } else { "hit_ratio" },
        "choices": tuned.choices.iter().map(choice).collect::<Vec<_>>(),
        "policy": chosen.best.policy,
        "capacity_bytes": chosen.capacity,
        "doubling_still_pays": tuned.open,
        "toml": toml(facts, tuned),
        "notes": notes(facts),
    })
}
