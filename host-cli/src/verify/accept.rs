//! `eyemap verify accept`: what was looked at becomes what is approved.

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use eyemap_engine::verify::{
    Decisions, FINDINGS_FILE, Finding, Findings, PENDING_DIR, accept, can_be_accepted,
    read_findings,
};
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde_json::json;

use super::{OUT, Places, join::scale, refuse_in_ci};
use crate::{
    args::AcceptArgs,
    failure::{Failure, USAGE},
    out,
};

pub(super) fn run(args: &AcceptArgs) -> Result<ExitCode, Failure> {
    refuse_in_ci("accept")?;
    let dir = &args.snapshots.snapshots;
    let (out_dir, pending) = match &args.pending {
        // Either the output directory of a comparison or the pending files in it.
        Some(given) if !given.join(FINDINGS_FILE).exists() && given.ends_with(PENDING_DIR) => {
            let above = given.parent().unwrap_or(Path::new(".")).to_owned();
            (above, given.clone())
        }
        Some(given) => (given.clone(), given.join(PENDING_DIR)),
        None => (dir.join(OUT), dir.clone()),
    };
    let mut findings = match &args.pending {
        Some(_) => read_findings(&out_dir)?,
        // What we named below the snapshot directory is no link that leads out of it.
        None => Places::new(dir, None)?.outputs(1.0).findings()?,
    };
    let wanted = Wanted::of(args, &findings)?;
    let done = accept(dir, &findings, &pending, &|finding| wanted.has(finding))?;
    if args.pending.is_none() {
        let settled = done.accepted.iter().chain(&done.removed);
        let settled: BTreeSet<String> = settled.cloned().collect();
        let places = Places::new(dir, None)?;
        places
            .outputs(scale(dir)?)
            .settle(&mut findings, &settled)?;
    }
    if args.snapshots.json {
        return out::json(&json!({
            "accepted": done.accepted,
            "removed": done.removed,
            "taken_in": done.taken_in,
            "left": done.left,
        }));
    }
    let mut line = format!("{} approved", out::artifacts(done.accepted.len()));
    if !done.removed.is_empty() {
        line += &format!(", {} removed", done.removed.len());
    }
    if done.taken_in > 0 {
        line += &format!(", {} accepted beside the manifest taken in", done.taken_in);
    }
    if done.left > 0 {
        line += &match done.left {
            1 => "; 1 finding is left as it is".to_owned(),
            n => format!("; {n} findings are left as they are"),
        };
    }
    out::note(&line);
    Ok(ExitCode::SUCCESS)
}

/// Which findings are accepted.
struct Wanted {
    only: Option<GlobSet>,
    listed: Option<BTreeSet<String>>,
    rejected: BTreeSet<String>,
}

impl Wanted {
    fn of(args: &AcceptArgs, findings: &Findings) -> Result<Self, Failure> {
        let mut wanted = Self {
            only: globs(&args.only)?,
            listed: None,
            rejected: BTreeSet::new(),
        };
        if let Some(path) = &args.from {
            let decisions = Decisions::read(path)?;
            check(path, &decisions, findings)?;
            wanted.listed = Some(decisions.accept.into_iter().collect());
            wanted.rejected = decisions.reject.into_iter().collect();
        }
        let chosen = findings.findings.iter().any(|finding| wanted.has(finding));
        if !chosen && !args.only.is_empty() {
            let message = format!(
                "{} match none of the {} findings, or none that can be approved",
                args.only.join(" "),
                findings.findings.len()
            );
            return Err(Failure::new(USAGE, message)
                .help("names are as in the report: ME_R/synapses/Tm3.svg"));
        }
        Ok(wanted)
    }

    fn has(&self, finding: &Finding) -> bool {
        let path = &finding.path;
        let matches = self.only.as_ref().is_none_or(|globs| globs.is_match(path));
        // Without a list all that can be accepted is meant; a list means what it says, so that what
        // cannot be accepted is an error.
        let listed = match &self.listed {
            Some(listed) => listed.contains(path),
            None => can_be_accepted(finding),
        };
        matches && listed && !self.rejected.contains(path)
    }
}

/// Decisions have to be about these findings.
fn check(path: &Path, decisions: &Decisions, findings: &Findings) -> Result<(), Failure> {
    let wrong = |what: String| {
        let message = format!("{}: {what}", path.display());
        Err(Failure::new(USAGE, message)
            .help("save accept.json from the report of the same comparison; name its directory with --pending"))
    };
    if decisions.manifest != findings.manifest {
        return wrong("it was made for another comparison".into());
    }
    let known: BTreeSet<&str> = findings
        .findings
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    match decisions
        .accept
        .iter()
        .find(|path| !known.contains(path.as_str()))
    {
        Some(unknown) => wrong(format!("{unknown:?} is not among the findings")),
        None => Ok(()),
    }
}

fn globs(only: &[String]) -> Result<Option<GlobSet>, Failure> {
    if only.is_empty() {
        return Ok(None);
    }
    let wrong = |error: globset::Error| {
        Failure::new(USAGE, format!("--only: {error}"))
            .help("use * for any letters, ? for one, [ab] for one of several")
    };
    let mut globs = GlobSetBuilder::new();
    for glob in only {
        globs.add(Glob::new(glob).map_err(wrong)?);
    }
    globs.build().map(Some).map_err(wrong)
}
