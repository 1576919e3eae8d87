//! `eyemap verify init`: the first approval.

use std::process::ExitCode;

use eyemap_engine::{
    config::SelectConfig,
    draw::DrawOptions,
    verify::{
        CompareOptions, Keep, MANIFEST_FILE, References, SAMPLE_FILE, Settings, Verdict, accept,
        compare, sample_table,
    },
};
use serde_json::json;

use super::{
    refuse_in_ci,
    subject::{Making, Subject, relative_to},
};
use crate::{
    args::InitArgs,
    failure::{Failure, INTERRUPTED, SOME_FAILED, USAGE},
    out,
    progress::Progress,
    session,
};

/// What version control should not keep.
const IGNORE: &str = "# What comparisons leave; what was approved is kept.\n/report/\n*.snap.new\n*.snap.new.*\n.verify.lock\n";
/// Approved bytes stay as they are on every system.
const ATTRIBUTES: &str = "manifest.txt -text\nreferences/** -text\n";

pub(super) fn run(args: &InitArgs) -> Result<ExitCode, Failure> {
    refuse_in_ci("init")?;
    let dir = &args.snapshots.snapshots;
    if dir.join(MANIFEST_FILE).exists() {
        let message = format!("{} has approved pictures already", dir.display());
        return Err(Failure::new(USAGE, message)
            .help("`eyemap verify` compares with them, `eyemap verify accept` approves what changed; to begin anew remove the directory"));
    }
    let settings = settings(args);
    let cancel = session::stop_on_interrupt()?;
    let making = Making {
        settings: &settings,
        dir,
        config: None,
        jobs: None,
        json: args.snapshots.json,
        cancel: &cancel,
    };
    let is_new = !dir.exists();
    write_files(args, &settings)?;
    let subject = making.subject(args.plugin.as_deref());
    if subject.is_err() && is_new {
        // What cannot be drawn leaves no directory behind that looks like one.
        let _ = std::fs::remove_dir_all(dir);
    }
    let subject = subject?;
    let compared = draw(args, &subject, (&settings, &cancel))?;
    if compared.interrupted {
        out::note("stopped; nothing was approved");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let findings = &compared.findings;
    let done = accept(dir, findings, dir, &|finding| {
        finding.verdict == Verdict::Missing
    })?;
    let failed: Vec<_> = findings
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Failed)
        .collect();
    if args.snapshots.json {
        let failures: Vec<_> = failed
            .iter()
            .map(|finding| json!({ "path": finding.path, "error": finding.message }))
            .collect();
        out::json(&json!({ "approved": done.accepted, "failed": failures }))?;
    } else {
        for finding in &failed {
            let (path, why) = (out::plain(&finding.path), out::plain(&finding.message));
            out::note(&format!("failed: {path}: {why}"));
        }
        out::note(&format!(
            "{} approved in {}; commit the directory, and run `eyemap verify{}`",
            out::artifacts(done.accepted.len()),
            dir.display(),
            arguments(args)
        ));
    }
    Ok(ExitCode::from(if failed.is_empty() {
        0
    } else {
        SOME_FAILED
    }))
}

/// The arguments that compare with what was approved.
fn arguments(args: &InitArgs) -> String {
    let dir = &args.snapshots.snapshots;
    let mut arguments = String::new();
    if dir.as_os_str() != "snapshots" {
        arguments += &format!(" --snapshots {}", dir.display());
    }
    if let Some(library) = &args.plugin {
        arguments += &format!(" --plugin {}", library.display());
    }
    arguments
}

fn settings(args: &InitArgs) -> Settings {
    let at = |path: &std::path::PathBuf| relative_to(&args.snapshots.snapshots, path);
    let keep = Keep::default();
    let pick = &args.pick;
    Settings {
        tables: match args.plugin {
            Some(_) => vec![SAMPLE_FILE.into()],
            None => args.tables.iter().map(at).collect(),
        },
        plugin: args.plugin.is_some(),
        atlas: args.atlas.as_ref().map(at),
        config: args.config.as_ref().map(at),
        formats: pick.formats.clone(),
        scale: pick.scale,
        select: SelectConfig {
            types: pick.types.clone(),
            regions: pick.regions.clone(),
            sides: pick.sides.clone(),
            metrics: pick.metrics.clone(),
        },
        keep: Keep {
            pictures: args.keep.unwrap_or(keep.pictures),
            ..keep
        },
        ..Settings::default()
    }
}

fn write_files(args: &InitArgs, settings: &Settings) -> Result<(), Failure> {
    let dir = args.snapshots.snapshots.as_path();
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        if path.exists() {
            return Ok(());
        }
        eyemap_engine::sink::write_atomically(&path, text.as_bytes())
    };
    std::fs::create_dir_all(dir)
        .and_then(|()| write(".gitignore", IGNORE))
        .and_then(|()| write(".gitattributes", ATTRIBUTES))
        .and_then(|()| match args.plugin {
            Some(_) => write(SAMPLE_FILE, &sample_table()),
            None => Ok(()),
        })
        .map_err(|error| {
            Failure::new(USAGE, format!("cannot write {}: {error}", dir.display()))
                .help("choose another directory with --snapshots, or make this one writable")
        })?;
    Ok(settings.write(dir)?)
}

fn draw(
    args: &InitArgs,
    subject: &Subject,
    (settings, cancel): (&Settings, &std::sync::atomic::AtomicBool),
) -> Result<eyemap_engine::verify::Compared, Failure> {
    let config = &subject.config;
    let dir = &args.snapshots.snapshots;
    let references = References::none(dir);
    let options = CompareOptions {
        references: &references,
        keep: &settings.keep,
        formats: &config.output.formats,
        draw: DrawOptions::scaled(config.output.scale),
        texts: &subject.texts,
        tolerance: None,
        shard: None,
        jobs: config.run.jobs,
        pending: dir,
        cancel,
    };
    let maps = subject.pipeline.maps(&subject.dataset);
    let total = subject.requests.len() as u64;
    let progress = Progress::of_things("drawing", total, args.snapshots.json);
    let drawn = compare(&maps, &subject.requests, &options, &|| progress.step());
    progress.finish();
    Ok(drawn?)
}
