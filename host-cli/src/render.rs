//! `eyemap render`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use eyemap_engine::{
    caches::{Report, reports},
    config::Config,
    draw::DrawOptions,
    last_run::{Done, Inputs},
    pipeline::Pipeline,
    plan::plan,
    render::{RenderOptions, Summary, paths, render},
    stage::Origin,
};

use crate::{
    args::{MapArgs, RenderArgs},
    caches::{self, Caches},
    failure::{Failure, INTERRUPTED, SOME_FAILED, USAGE},
    out, planned,
    progress::Progress,
    session,
};

pub(crate) fn run(args: &RenderArgs) -> Result<ExitCode, Failure> {
    let (args, shared) = &planned::complete(args)?;
    let (mut config, source) = session::config(args.table.config.as_deref())?;
    shared.choose(&mut config);
    apply(args, &mut config);
    shared.check_arguments(&config)?;
    if let Some((key, message)) = config.wrong_value() {
        return Err(Failure::new(USAGE, format!("{key}: {message}")));
    }
    let cancel = session::stop_on_interrupt()?;
    let finder = session::finder(&config, &source)?;
    let mut pipeline =
        Pipeline::load(&config, &finder).map_err(|error| Failure::stage(error, &source))?;
    shared.check(args, (&config, &pipeline))?;
    let caches = Caches::open(args, (&config, &source), &finder, &mut pipeline)?;
    let inputs = inputs(args, &config, &pipeline).map(|inputs| inputs.with(&shared.name()));
    if let Some(done) = inputs
        .as_ref()
        .and_then(|inputs| inputs.are_done(&args.out))
    {
        return nothing_to_do(args, &pipeline, &done);
    }
    let dataset = session::dataset(&args.table, &config, &cancel)?;
    let mut plan = plan(&dataset, &config.select)?;
    shared.cut(&dataset, &config, &mut plan.requests);
    let notes: Vec<&String> = dataset
        .notes
        .iter()
        .chain(&plan.notes)
        .chain(&caches.notes)
        .collect();
    if !args.table.json {
        notes
            .iter()
            .for_each(|note| out::note(&format!("note: {note}")));
    }
    let progress = Progress::of_things("drawing", plan.requests.len() as u64, args.table.json);
    let keeping = caches.keeping();
    let options = RenderOptions {
        out: &args.out,
        formats: &config.output.formats,
        draw: DrawOptions::scaled(config.output.scale),
        jobs: config.run.jobs,
        prune: args.prune,
        index: config.output.index,
        force: args.force,
        store: keeping.as_ref(),
        recorder: caches.recorder.as_deref(),
        cancel: &cancel,
    };
    let maps = pipeline.maps(&dataset);
    let summary = render(&maps, &plan.requests, &options, &|| progress.step());
    progress.finish();
    let summary = summary?;
    if let Some(inputs) = inputs.filter(|_| summary.failed == 0 && !summary.interrupted) {
        let n = plan.requests.len() as u64;
        // Without the note the next run looks at every map, and says so itself if it cannot write.
        let _ = inputs.note(
            &args.out,
            (n, &notes),
            paths(&maps, &plan.requests, &options),
        );
    }
    let reports = reports(&pipeline, caches.store.as_ref());
    let code = report(args, &pipeline, (&summary, &reports), &notes)?;
    caches.finish(&mut pipeline)?;
    Ok(code)
}

/// What the run depends on, unless it was asked to look at everything.
fn inputs(args: &RenderArgs, config: &Config, pipeline: &Pipeline) -> Option<Inputs> {
    let index = args.out.join(eyemap_engine::index::INDEX_FILE);
    if args.force
        || args.prune
        || args.record_trace.is_some()
        || config.output.index && !index.exists()
    {
        return None;
    }
    let atlas = session::atlas(&args.table, config);
    let files: Vec<&Path> = args
        .table
        .tables
        .iter()
        .map(PathBuf::as_path)
        .chain(atlas)
        .collect();
    Inputs::of(config, pipeline, &files)
}

fn nothing_to_do(args: &RenderArgs, pipeline: &Pipeline, done: &Done) -> Result<ExitCode, Failure> {
    let notes: Vec<&String> = done.notes.iter().collect();
    if !args.table.json {
        notes
            .iter()
            .for_each(|note| out::note(&format!("note: {note}")));
    }
    let summary = Summary {
        unchanged: done.maps,
        ..Summary::default()
    };
    report(args, pipeline, (&summary, &[]), &notes)
}

/// Arguments win over the configuration file.
fn apply(args: &RenderArgs, config: &mut Config) {
    apply_maps(&args.maps, config);
    config.run.jobs = args.jobs.unwrap_or(config.run.jobs);
    if let Some(store) = &args.store {
        config.cache.artifacts.store = Some(store.clone());
    }
}

/// Those of them that say which maps are drawn, and in which form.
pub(crate) fn apply_maps(args: &MapArgs, config: &mut Config) {
    fn replace<T: Clone>(ours: &mut Vec<T>, theirs: &[T]) {
        if !theirs.is_empty() {
            *ours = theirs.to_vec();
        }
    }
    replace(&mut config.select.types, &args.types);
    replace(&mut config.select.regions, &args.regions);
    replace(&mut config.select.sides, &args.sides);
    replace(&mut config.select.metrics, &args.metrics);
    replace(&mut config.output.formats, &args.formats);
    config.output.scale = args.scale.unwrap_or(config.output.scale);
    config.output.index |= args.index;
    for range in &args.ranges {
        let ranges = config.range.entry(range.metric.clone()).or_default();
        let side = if range.layer {
            &mut ranges.layer
        } else {
            &mut ranges.whole
        };
        *side = Some(range.range);
    }
}

fn report(
    args: &RenderArgs,
    pipeline: &Pipeline,
    (summary, caches): (&Summary, &[Report]),
    notes: &[&String],
) -> Result<ExitCode, Failure> {
    if args.table.json {
        let mut document = document(args, pipeline, summary, notes);
        document["caches"] = caches::document(caches);
        out::json(&document)?;
    } else {
        lines(args, pipeline, summary)
            .iter()
            .chain(&caches::lines(caches))
            .for_each(|line| out::note(line));
    }
    Ok(ExitCode::from(match summary {
        _ if summary.interrupted => INTERRUPTED,
        _ if summary.failed > 0 => SOME_FAILED,
        _ => 0,
    }))
}

fn lines(args: &RenderArgs, pipeline: &Pipeline, summary: &Summary) -> Vec<String> {
    let drawn = summary.rendered + summary.blank;
    let seconds = summary.elapsed.as_secs_f64();
    let mut lines = Vec::new();
    if drawn > 0 || summary.unchanged == 0 {
        lines.push(format!(
            "{drawn} maps ({} blank) in {seconds:.2} s, {:.0} maps/s, {} in {}",
            summary.blank,
            drawn as f64 / seconds.max(1e-9),
            out::bytes(summary.bytes),
            args.out.display()
        ));
    }
    if summary.unchanged > 0 {
        let source = match summary.from_store {
            0 => String::new(),
            n => format!(" ({n} taken from the store)"),
        };
        lines.push(format!("{} maps unchanged{source}", summary.unchanged));
    }
    let stages: Vec<String> = times(pipeline, summary)
        .iter()
        .map(|(name, time)| format!("{name} {:.1} ms", time.as_secs_f64() * 1e3))
        .collect();
    if drawn > 0 {
        lines.push(format!("time over all threads: {}", stages.join(", ")));
    }
    if summary.unplaced > 0 {
        lines.push(format!(
            "{} columns have no place and are left out",
            summary.unplaced
        ));
    }
    for (map, reason) in &summary.failures {
        lines.push(format!(
            "failed: {}: {}",
            out::plain(map),
            out::plain(reason)
        ));
    }
    if summary.failed > summary.failures.len() as u64 {
        lines.push(format!(
            "{} maps failed in all; manifest.json lists them",
            summary.failed
        ));
    }
    if summary.interrupted {
        lines.push(
            "stopped; what is in the manifest is complete. The same command draws the rest.".into(),
        );
    }
    lines
}

fn times(pipeline: &Pipeline, summary: &Summary) -> [(&'static str, Duration); 6] {
    let spent = |origin: &Origin| origin.spent().1;
    [
        ("coordinates", spent(&pipeline.coordinate.origin)),
        ("colors", spent(&pipeline.color.origin)),
        ("metadata", spent(&pipeline.metadata.origin)),
        ("draw", summary.draw),
        ("write", summary.write),
        ("store", summary.store),
    ]
}

fn document(
    args: &RenderArgs,
    pipeline: &Pipeline,
    summary: &Summary,
    notes: &[&String],
) -> serde_json::Value {
    let failures = summary.failures.iter();
    let failures: Vec<_> = failures
        .map(|(map, reason)| serde_json::json!({ "map": map, "error": reason }))
        .collect();
    let times = times(pipeline, summary)
        .map(|(name, time)| (name.to_owned(), serde_json::json!(time.as_secs_f64() * 1e3)));
    serde_json::json!({
        "out": args.out.display().to_string(),
        "rendered": summary.rendered,
        "blank": summary.blank,
        "unchanged": summary.unchanged,
        "from_store": summary.from_store,
        "failed": summary.failed,
        "failures": failures,
        "bytes": summary.bytes,
        "unplaced_columns": summary.unplaced,
        "interrupted": summary.interrupted,
        "elapsed_ms": summary.elapsed.as_secs_f64() * 1e3,
        "time_ms": serde_json::Map::from_iter(times),
        "memory_bytes": memory(),
        "notes": notes,
    })
}

/// Memory of this process now, in bytes.
fn memory() -> Option<u64> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
    system.process(pid).map(sysinfo::Process::memory)
}
