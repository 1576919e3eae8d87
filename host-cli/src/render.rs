//! `eyemap render`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
    time::Duration,
};

use eyemap_engine::{
    cache::Store,
    caches::{Report, reports},
    clipped,
    config::{Config, Source},
    draw::DrawOptions,
    governor::{Governor, Pressure},
    index::INDEX_FILE,
    ingest::{Spooled, table_files},
    last_run::{Done, Inputs},
    manifest::MANIFEST_FILE,
    monitor::report::Outcome,
    pipeline::{Maps, Pipeline, Request},
    plan::plan,
    plugins::Plugin,
    render::{RenderError, RenderOptions, Summary, paths, render},
    stage::Origin,
};

use crate::{
    args::{MapArgs, RenderArgs},
    caches::{self, Caches},
    ending,
    failure::{Failure, INTERRUPTED, SOME_FAILED, USAGE},
    files::Files,
    governed::Steps,
    out,
    planned::{self, Shared},
    progress::Progress,
    report::{Ended, Watched},
    session::{self, Given},
};

pub(crate) fn run(args: &RenderArgs) -> Result<ExitCode, Failure> {
    let (mut args, shared) = planned::complete(args)?;
    let (mut config, source) = session::config(args.table.config.as_deref())?;
    shared.choose(&mut config);
    apply(&args, &mut config);
    shared.check_arguments(&config)?;
    if let Some((key, message)) = config.wrong_value() {
        return Err(Failure::new(USAGE, format!("{key}: {message}")));
    }
    check_outputs(&args, &config)?;
    let dir = config.memory.scratch.as_deref();
    let dir = dir.unwrap_or_else(|| scratch(&args.out)).to_owned();
    let _spooled = session::take_standard_input(&mut args.table.tables, &dir)?;
    let args = &args;
    let watched = Watched::start(args, &config)?;
    let done = draw((args, &shared), (&config, &source), &watched);
    if let Err(failure) = &done {
        let mut ended = Ended {
            summary: &Summary::default(),
            outcome: failure.outcome(),
            caches: serde_json::json!({}),
            notes: vec![failure.to_string()],
        };
        // What ended the run is told; that it cannot be written down either is not.
        let _ = watched.finish(args, &mut ended);
    }
    done
}

/// What is read is not written over, not even after hours of work.
fn check_outputs(args: &RenderArgs, config: &Config) -> Result<(), Failure> {
    let mut files = Files::of_table(&args.table, config);
    files.reads(args.plan.as_deref());
    let listed = [MANIFEST_FILE, INDEX_FILE].map(|name| args.out.join(name));
    files.writes("-o", listed.iter().map(PathBuf::as_path));
    files.writes("--record-trace", args.record_trace.as_deref());
    files.writes("--report", args.report.as_deref());
    files.writes("--trace", args.trace.as_deref());
    files.check()
}

fn draw(
    (args, shared): (&RenderArgs, &Shared),
    (config, source): (&Config, &Source),
    watched: &Watched,
) -> Result<ExitCode, Failure> {
    let cancel = session::stop_on_interrupt()?;
    let finder = session::finder(config, source, Given::locks(&args.trusted))?;
    shared.check(args, config, source, &finder)?;
    let loaded = Pipeline::load(config, &finder);
    if loaded.is_err() {
        // What fails in a worker may be what was asked for in vain: not to run in one.
        session::tell_lowered(&finder);
    }
    let mut pipeline = loaded.map_err(|error| Failure::stage(error, source))?;
    shared.check_loaded(config, &pipeline)?;
    let config = &held(config, &pipeline);
    let caches = Caches::open(args, (config, source), &finder, &mut pipeline)?;
    // Not kept for the next run: until then its user may have allowed what this one could not do.
    let lowered = finder.notes();
    if !args.table.json {
        tell_notes(&lowered);
    }
    let inputs = inputs(args, config, &pipeline).map(|inputs| inputs.with(&shared.name()));
    if let Some(mut done) = inputs
        .as_ref()
        .and_then(|inputs| inputs.are_done(&args.out))
    {
        if args.table.json {
            done.notes.extend(lowered);
        }
        return nothing_to_do((args, config), &pipeline, &done, watched);
    }
    let (pressure, steps) = (&watched.pressure, Steps::new(args.table.json));
    let governor = Governor {
        config: &config.memory,
        watch: &watched.memory,
        memos: &pipeline.memos,
        pressure,
        threads: watched.threads(),
        cancel: &cancel,
        tell: &|step| steps.tell(step),
    };
    let drawn = governor.during(|| {
        let run = Run {
            args,
            shared,
            config,
            pipeline: &pipeline,
            caches: &caches,
            watched,
            cancel: &cancel,
            pressure,
        };
        run.read_and_draw(inputs)
    });
    let (summary, mut notes) = match pressure.exceeded() {
        // The governor ended the run, not the user.
        Some(used) => {
            return Err(Failure::from(RenderError::Memory {
                used,
                limit: config.memory.limit.bytes(),
            }));
        }
        None => drawn?,
    };
    notes.extend(lowered);
    notes.extend(steps.note());
    let of_store = caches.store.as_ref().map(Store::notes);
    let of_store = of_store.unwrap_or_default();
    if !args.table.json {
        tell_notes(&of_store);
    }
    notes.extend(of_store);
    let reports = reports(&pipeline, caches.store.as_ref());
    let notes: Vec<&String> = notes.iter().collect();
    let code = report(
        (args, config),
        &pipeline,
        (&summary, &reports),
        &notes,
        watched,
    )?;
    caches.finish(&mut pipeline)?;
    Ok(code)
}

/// Columns are held whatever their number where a plugin wants all of them at once.
fn held(config: &Config, pipeline: &Pipeline) -> Config {
    let mut config = config.clone();
    if !pipeline.draws_in_batches() {
        config.memory.stream_above = 0;
    }
    config
}

/// What reading and drawing needs.
struct Run<'a> {
    args: &'a RenderArgs,
    shared: &'a Shared,
    config: &'a Config,
    pipeline: &'a Pipeline,
    caches: &'a Caches,
    watched: &'a Watched,
    cancel: &'a AtomicBool,
    pressure: &'a Pressure,
}

impl Run<'_> {
    /// Gives what was done, and what the user should know.
    fn read_and_draw(&self, inputs: Option<Inputs>) -> Result<(Summary, Vec<String>), Failure> {
        let (args, config) = (self.args, self.config);
        let room = (Some(scratch(&args.out)), Some(self.pressure));
        let dataset = session::dataset(&args.table, config, room, self.cancel)?;
        let mut plan = plan(&dataset, &config.select)?;
        let archive = self.shared.cut(&dataset, config, &mut plan.requests);
        let mut notes = dataset.notes.clone();
        notes.extend_from_slice(&plan.notes);
        notes.extend_from_slice(&self.caches.notes);
        if !args.table.json {
            tell_notes(&notes);
        }
        let maps = self.pipeline.maps(&dataset).under(self.pressure);
        let keeping = self.caches.keeping();
        let drawn_with = self.shared.drawn_with(config, self.pipeline);
        let options = RenderOptions {
            out: &args.out,
            formats: &config.output.formats,
            draw: DrawOptions::scaled(config.output.scale),
            jobs: config.run.jobs,
            archive,
            prune: args.prune,
            index: config.output.index,
            force: args.force,
            store: keeping.as_ref(),
            recorder: self.caches.recorder.as_deref(),
            pressure: Some(self.pressure),
            cancel: self.cancel,
            waiting: session::waiting(self.cancel),
            drawn_with: &drawn_with,
        };
        let summary = self.draw(&maps, &plan.requests, &options)?;
        let mut found = maps.coarse();
        found.extend(clipped::notes(&summary.clipped, &config.range));
        if !args.table.json {
            tell_notes(&found);
        }
        notes.extend(found);
        if let Some(inputs) = inputs.filter(|_| summary.failed == 0 && !summary.interrupted) {
            let n = plan.requests.len() as u64;
            let told: Vec<&String> = notes.iter().collect();
            let files = paths(&maps, &plan.requests, &options);
            // Without the note the next run looks at every map, and says so itself if it cannot write.
            let _ = inputs.note(&args.out, (n, &told), files);
        }
        Ok((summary, notes))
    }

    fn draw(
        &self,
        maps: &Maps<'_>,
        requests: &[Request],
        options: &RenderOptions<'_>,
    ) -> Result<Summary, Failure> {
        let quiet = self.args.table.json;
        let progress = Progress::of_things("drawing", requests.len() as u64, quiet);
        // On standard error as it happens; machines read it in the end.
        let tell = || {
            if !quiet {
                self.watched.tell(&progress);
            }
        };
        let summary = render(maps, requests, options, &|| {
            progress.step();
            tell();
        });
        progress.finish();
        tell();
        Ok(summary?)
    }
}

fn tell_notes(notes: &[String]) {
    notes
        .iter()
        .for_each(|note| out::note(&format!("note: {note}")));
}

/// The output directory, or the nearest above it that is there: nothing is made for a table that may be
/// refused.
fn scratch(out: &Path) -> &Path {
    let there = out.ancestors().find(|dir| dir.is_dir());
    there.unwrap_or(Path::new("."))
}

/// What the run depends on, unless it was asked to look at everything.
fn inputs(args: &RenderArgs, config: &Config, pipeline: &Pipeline) -> Option<Inputs> {
    let index = args.out.join(INDEX_FILE);
    if args.force
        || args.prune
        || args.record_trace.is_some()
        || config.output.index && !index.exists()
        || args.table.tables.iter().any(|table| Spooled::is_one(table))
    {
        return None;
    }
    let atlas = session::atlas(&args.table, config);
    let tables = table_files(&args.table.tables).ok()?;
    let files: Vec<&Path> = tables
        .iter()
        .map(|table| table.as_path())
        .chain(atlas)
        .collect();
    Inputs::of(config, pipeline, &files)
}

fn nothing_to_do(
    (args, config): (&RenderArgs, &Config),
    pipeline: &Pipeline,
    done: &Done,
    watched: &Watched,
) -> Result<ExitCode, Failure> {
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
    report((args, config), pipeline, (&summary, &[]), &notes, watched)
}

/// Arguments win over the configuration file.
fn apply(args: &RenderArgs, config: &mut Config) {
    apply_maps(&args.maps, config);
    config.run.jobs = args.jobs.unwrap_or(config.run.jobs);
    config.memory.governor &= !args.no_governor;
    if let Some(store) = &args.store {
        config.cache.artifacts.store = Some(store.clone());
    }
}

/// Those of them that say which maps are drawn, and in which form.
pub(crate) fn apply_maps(args: &MapArgs, config: &mut Config) {
    let pick = &args.pick;
    config.choose(&pick.select(), &pick.formats, pick.scale);
    config.output.index |= args.index;
    config.output.archive = args.archive.unwrap_or(config.output.archive);
    config.output.archive_maps = args.archive_maps.unwrap_or(config.output.archive_maps);
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
    (args, config): (&RenderArgs, &Config),
    pipeline: &Pipeline,
    (summary, caches): (&Summary, &[Report]),
    notes: &[&String],
    watched: &Watched,
) -> Result<ExitCode, Failure> {
    let mut ended = Ended {
        summary,
        outcome: match summary {
            _ if summary.interrupted => Outcome::Interrupted,
            _ if summary.failed > 0 => Outcome::SomeFailed,
            _ => Outcome::Complete,
        },
        caches: caches::document(caches),
        notes: notes.iter().map(|&note| note.clone()).collect(),
    };
    ended.notes.extend(workers(pipeline));
    let written = watched.finish(args, &mut ended);
    let told = &ended.notes[notes.len()..];
    if args.table.json {
        let mut document = document(args, (pipeline, watched), summary, &ended.notes);
        document["caches"] = ended.caches.clone();
        out::json(&document)?;
    } else {
        told.iter()
            .for_each(|note| out::note(&format!("note: {note}")));
        caches::faults(caches)
            .iter()
            .for_each(|fault| out::note(&format!("note: {fault}")));
        if args.verbose || args.report.is_some() {
            details(pipeline, watched, summary)
                .iter()
                .chain(&caches::lines(caches))
                .for_each(|line| out::note(line));
        }
        ending::failures(summary)
            .iter()
            .for_each(|line| out::fault(line));
        out::note(&ending::line(&args.out, config, summary));
    }
    written?;
    Ok(ExitCode::from(match summary {
        _ if summary.interrupted => INTERRUPTED,
        _ if summary.failed > 0 => SOME_FAILED,
        _ => 0,
    }))
}

/// What is to be said of the workers of contained plugins, each plugin once.
fn workers(pipeline: &Pipeline) -> Vec<String> {
    let stages = [
        pipeline.coordinate.origin.plugin,
        pipeline.color.origin.plugin,
        pipeline.metadata.origin.plugin,
    ];
    let mut notes: Vec<String> = Vec::new();
    for note in stages.into_iter().flat_map(Plugin::notes) {
        let note = out::plain(&note);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// What a run took and what limited it.
fn details(pipeline: &Pipeline, watched: &Watched, summary: &Summary) -> Vec<String> {
    let drawn = summary.rendered + summary.blank;
    if drawn == 0 {
        return Vec::new();
    }
    let seconds = summary.elapsed.as_secs_f64();
    let mut lines = vec![format!(
        "{drawn} maps in {seconds:.2} s, {:.0} maps/s",
        drawn as f64 / seconds.max(1e-9)
    )];
    lines.extend(match watched.lines() {
        // Nobody looked closer.
        found if found.is_empty() => vec![spent(pipeline, summary)],
        found => found,
    });
    lines
}

fn spent(pipeline: &Pipeline, summary: &Summary) -> String {
    let stages: Vec<String> = times(pipeline, summary)
        .iter()
        .map(|(name, time)| format!("{name} {:.1} ms", time.as_secs_f64() * 1e3))
        .collect();
    format!("time over all threads: {}", stages.join(", "))
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
    (pipeline, watched): (&Pipeline, &Watched),
    summary: &Summary,
    notes: &[String],
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
        "memory_bytes": watched.memory.sample(),
        "peak_memory_bytes": watched.memory.peak(),
        "predicted_memory_bytes": watched.predicted_memory(),
        "slow_operations": watched.slow_count(),
        "notes": notes,
    })
}
