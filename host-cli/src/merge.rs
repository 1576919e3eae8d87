//! `eyemap merge`.

use std::process::ExitCode;

use eyemap_engine::{
    manifest::Key,
    merge::{MergeOptions, MergeSummary, Missing, merge, missing},
    plan::PlanFile,
};
use serde_json::json;

use crate::{
    args::MergeArgs,
    failure::{Failure, INTERRUPTED, MISSING},
    out, session,
};

pub(crate) fn run(args: &MergeArgs) -> Result<ExitCode, Failure> {
    // A plan that cannot be read is told before anything is written.
    let plan = args.plan.as_deref().map(PlanFile::read).transpose()?;
    let cancel = session::stop_on_interrupt()?;
    let summary = merge(&MergeOptions {
        sources: &args.sources,
        out: &args.out,
        index: args.index,
        plan: plan.as_ref(),
        cancel: &cancel,
        waiting: session::waiting(&cancel),
    })?;
    let missing = match plan.filter(|_| !summary.interrupted) {
        Some(plan) => {
            missing(&args.out, &plan.product).map_err(eyemap_engine::merge::MergeError::from)?
        }
        None => Missing::default(),
    };
    if args.json {
        out::json(&document(args, &summary, &missing))?;
    } else {
        lines(args, &summary, &missing)
            .iter()
            .for_each(|line| out::note(line));
    }
    Ok(ExitCode::from(match missing.maps {
        _ if summary.interrupted => INTERRUPTED,
        0 => 0,
        _ => MISSING,
    }))
}

fn lines(args: &MergeArgs, summary: &MergeSummary, missing: &Missing) -> Vec<String> {
    let mut lines = vec![format!(
        "{} files in {}: {} linked, {} copied, {}; {} maps were there",
        summary.linked + summary.copied,
        args.out.display(),
        summary.linked,
        summary.copied,
        out::bytes(summary.bytes),
        summary.unchanged
    )];
    if missing.maps > 0 {
        lines.push(format!("{} maps of the plan are missing:", missing.maps));
        lines.extend(missing.first.iter().map(|key| format!("  {}", name(key))));
        let listed = missing.first.len() as u64;
        if missing.maps > listed {
            lines.push(format!("  and {} more", missing.maps - listed));
        }
        for (first, last) in missing.cell_types.iter().take(SHOWN) {
            let (first, last) = (out::plain(first), out::plain(last));
            lines.push(format!("of the cell types {first} to {last}"));
        }
    }
    if summary.interrupted {
        lines.push("stopped; the same command goes on".into());
    }
    lines
}

/// More ranges of cell types than these are in the JSON alone.
const SHOWN: usize = 8;

fn name(key: &Key) -> String {
    let (cell_type, region) = (out::plain(&key.cell_type), out::plain(&key.region));
    let (metric, side) = (out::plain(&key.metric), key.side.letter());
    format!("{cell_type} {region} {side} {metric} {}", key.format.name())
}

fn document(args: &MergeArgs, summary: &MergeSummary, missing: &Missing) -> serde_json::Value {
    json!({
        "out": args.out.display().to_string(),
        "merged": summary.merged,
        "unchanged": summary.unchanged,
        "linked": summary.linked,
        "copied": summary.copied,
        "bytes": summary.bytes,
        "interrupted": summary.interrupted,
        "missing": missing.maps,
        "missing_first": missing.first,
        "missing_cell_types": missing.cell_types,
    })
}
