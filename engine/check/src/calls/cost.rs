//! What a column costs, beside what the manifest says.

use std::time::{Duration, Instant};

use super::{
    asking::{Asked, each_stage},
    columns::Columns,
    fault, outcome,
};
use crate::{Fault, Outcome, Subject, seeded::Seeded};

/// How much dearer than stated a column may be: machines differ by less.
const TOLERATED: f64 = 10.0;
/// The same for a library that was built without optimisation, which is 10 to 50 times slower.
const TOLERATED_UNOPTIMISED: f64 = 500.0;
/// How much cheaper than stated a column may be. More is tolerated than in the other direction: what a column
/// costs depends on its value, and a host only keeps answers that it need not.
const TOLERATED_BELOW: f64 = 100.0;
/// A batch that takes this long is long enough to be measured.
const ENOUGH: Duration = Duration::from_millis(20);

pub(super) fn honest(subject: &Subject) -> Outcome {
    outcome(measured(subject))
}

fn measured(subject: &Subject) -> Result<String, Outcome> {
    let manifest = subject.plugin()?.manifest.clone();
    let unoptimised = has_line_tables(&subject.bytes);
    let columns = Columns::random(&mut Seeded::new(subject.seed, "cost"), 1_000_000);
    let mut costs = Vec::new();
    each_stage(subject, |asked| {
        costs.push((asked.case.kind.word(), cost_ns(asked, &columns)?));
        Ok(())
    })?;
    let dearest = costs.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    let (stage, cost) = dearest.unwrap_or(("", 0.0));
    let words: Vec<String> = costs
        .iter()
        .map(|(stage, ns)| format!("{stage} {ns:.1}"))
        .collect();
    let build = if unoptimised {
        ", built for debugging"
    } else {
        ""
    };
    let note = format!("ns a column: {}{build}", words.join(", "));
    let stated = f64::from(manifest.cost_hint_ns);
    if stated == 0.0 {
        return Ok(format!("{note}; none stated"));
    }
    let tolerated = if unoptimised {
        TOLERATED_UNOPTIMISED
    } else {
        TOLERATED
    };
    if cost > stated * tolerated {
        let spared = format!("up to {tolerated:.0} times are tolerated{build}");
        return Err(Outcome::Failed(too_dear(stage, cost, stated)).with([spared]));
    }
    // Less than a nanosecond cannot be stated.
    if stated > cost.max(1.0) * TOLERATED_BELOW {
        return Err(too_cheap(stage, cost, stated).into());
    }
    Ok(format!("{note}; {stated} stated"))
}

fn too_dear(stage: &str, cost: f64, stated: f64) -> Fault {
    fault(
        format!(
            "{stage} stage: a column costs {cost:.0} ns, {:.0} times what the manifest states (`cost_hint_ns` \
             {stated})",
            cost / stated
        ),
        format!(
            "state `cost_hint_ns: {:.0}` in `export_plugin!`, or make it faster; measure a release build",
            cost.ceil()
        ),
    )
}

fn too_cheap(stage: &str, cost: f64, stated: f64) -> Fault {
    fault(
        format!(
            "{stage} stage: a column costs {cost:.1} ns, and the manifest states {:.0} times as much (`cost_hint_ns` \
             {stated})",
            stated / cost.max(1.0)
        ),
        format!(
            "state `cost_hint_ns: {:.0}` in `export_plugin!`: it is in nanoseconds a column",
            cost.ceil().max(1.0)
        ),
    )
}

/// Nanoseconds a column in a long batch: the best of three, of as many columns as take long enough.
fn cost_ns(asked: &Asked<'_>, columns: &Columns) -> Result<f64, Fault> {
    let mut len = 1000;
    loop {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            best = best.min(time(asked, columns, len)?);
            // A dear one is asked once.
            if best > 10 * ENOUGH {
                break;
            }
        }
        if best >= ENOUGH || len >= columns.len() {
            return Ok(best.as_nanos() as f64 / len as f64);
        }
        len = (len * 10).min(columns.len());
    }
}

/// The call alone, without what the host does around it.
fn time(asked: &Asked<'_>, columns: &Columns, len: usize) -> Result<Duration, Fault> {
    let mut outputs = super::outputs::Outputs::zeroed(asked.prepared, len);
    let (taken, called) = asked.case.lend(columns, 0..len, |inputs| {
        let start = Instant::now();
        let called = asked.prepared.call(inputs, outputs.lend());
        (start.elapsed(), called)
    });
    match called {
        Ok(_) => Ok(taken),
        Err(_) => Err(asked.refused(len)),
    }
}

/// Whether the library says which line an instruction comes from: cargo takes that out of an optimised one
/// unless it is told otherwise.
fn has_line_tables(bytes: &[u8]) -> bool {
    use object::{Object as _, ObjectSection as _};
    let Ok(file) = object::File::parse(bytes) else {
        return false;
    };
    let lines = file.section_by_name(".debug_line");
    lines.is_some_and(|section| section.size() > 0)
}
