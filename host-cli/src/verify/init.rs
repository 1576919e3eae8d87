//! `eyemap verify init`: the first approval.

use std::{path::Path, process::ExitCode};

use eyemap_engine::{
    draw::DrawOptions,
    sink::write_atomically,
    verify::{
        Acceptance, CompareOptions, Findings, Keep, MANIFEST_FILE, References, SAMPLE_FILE,
        SETTINGS_FILE, Settings, Verdict, accept, compare, sample_table,
    },
};
use serde_json::json;

use super::{
    refuse_in_ci, snapshots_argument,
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
    check_new(dir)?;
    let settings = settings(args);
    let cancel = session::stop_on_interrupt()?;
    let making = Making {
        settings: &settings,
        dir,
        config: None,
        trusted: &args.trusted,
        jobs: None,
        json: args.snapshots.json,
        cancel: &cancel,
    };
    let subject = load(args, &making)?;
    write_new(&dir.join(".gitignore"), IGNORE)?;
    write_new(&dir.join(".gitattributes"), ATTRIBUTES)?;
    settings.write(dir)?;
    let compared = draw(args, &subject, (&settings, &cancel))?;
    if compared.interrupted {
        // The same command begins anew.
        let _ = std::fs::remove_file(dir.join(SETTINGS_FILE));
        out::note("stopped; nothing was approved");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let findings = &compared.findings;
    let done = accept(dir, findings, dir, &|finding| {
        finding.verdict == Verdict::Missing
    })?;
    tell(args, &done, findings)
}

/// A directory where something was approved, or is said to be, is nothing to begin with.
fn check_new(dir: &Path) -> Result<(), Failure> {
    if dir.join(MANIFEST_FILE).exists() {
        let message = format!("{} has approved pictures already", dir.display());
        return Err(Failure::new(USAGE, message)
            .help("`eyemap verify` compares with them, `eyemap verify accept` approves what changed; to begin anew remove the directory"));
    }
    if dir.join(SETTINGS_FILE).exists() {
        let message = format!("{} has settings and no approved pictures", dir.display());
        return Err(Failure::new(USAGE, message).help(format!(
            "take {MANIFEST_FILE} from version control; or, if an earlier `init` did not end or you begin anew, remove {SETTINGS_FILE} and run this again"
        )));
    }
    Ok(())
}

/// Loads what is drawn. Where that fails nothing stays behind.
fn load(args: &InitArgs, making: &Making<'_>) -> Result<Subject, Failure> {
    let dir = making.dir;
    // Paths are told from within the directory, so it has to be there.
    std::fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let sample = args.plugin.as_ref().map(|_| dir.join(SAMPLE_FILE));
    let sample = sample.filter(|sample| !sample.exists());
    if let Some(sample) = &sample {
        write_new(sample, &sample_table())?;
    }
    let subject = making.subject(args.plugin.as_deref());
    if subject.is_err() {
        let _ = sample.map(std::fs::remove_file);
        // It goes if it is empty, as a new one is.
        let _ = std::fs::remove_dir(dir);
    }
    subject
}

/// Says what was approved and what could not be drawn.
fn tell(args: &InitArgs, done: &Acceptance, findings: &Findings) -> Result<ExitCode, Failure> {
    let dir = &args.snapshots.snapshots;
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
            out::fault(&format!("failed: {path}: {why}"));
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
    let mut arguments = snapshots_argument(&args.snapshots.snapshots);
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
        select: pick.select(),
        keep: Keep {
            pictures: args.keep.unwrap_or(keep.pictures),
            ..keep
        },
        ..Settings::default()
    }
}

/// Writes a file, unless it is there.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    write_atomically(path, text.as_bytes()).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(USAGE, format!("cannot write {}: {error}", path.display()))
        .help("choose another directory with --snapshots, or make this one writable")
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
