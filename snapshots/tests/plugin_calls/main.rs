//! The checks of `eyemap plugin check` that call a plugin: each passes for a sound one and fails for one
//! that is broken in the way that it looks for.
//!
//! They are asked by the command, in the confined process that its users have.

mod child;
mod faults;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use eyemap_check::{CHECKS, Check, Outcome};
use eyemap_snapshots::{
    broken::{broken, promising},
    plugin,
};
use libtest_mimic::{Arguments, Failed, Trial};

use child::{asked, asked_from};
use faults::{FAULTS, Fault, GOOD};

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = checks()
        .map(|check| {
            let name = format!("a_sound_plugin_passes::{}", check.id);
            Trial::test(name, move || sound(check))
        })
        .collect();
    trials.extend(GOOD.iter().map(|fault| {
        let name = format!("a_good_plugin_passes::{}::{}", fault.check, fault.fault);
        Trial::test(name, move || passes(fault))
    }));
    trials.push(Trial::test(
        "a_crash_for_few_numbers_is_found_from_any_seed",
        from_any_seed,
    ));
    trials.extend(FAULTS.iter().map(|fault| {
        let name = format!("a_broken_plugin_fails::{}::{}", fault.check, fault.fault);
        Trial::test(name, move || fails(fault))
    }));
    trials.extend(PLUGINS.iter().map(|&package| {
        let name = format!("the_bundle_passes::{package}");
        Trial::test(name, move || bundled(package))
    }));
    trials.push(Trial::test(
        "every_check_is_seen_to_fail",
        every_check_fails,
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Plugins of the project.
const PLUGINS: [&str; 12] = [
    "hex-coordinates",
    "binned-color",
    "column-metadata",
    "lru-policy",
    "fifo-policy",
    "ttl-policy",
    "sieve-policy",
    "s3-fifo-policy",
    "arc-policy",
    "w-tinylfu-policy",
    "size-weighted-policy",
    "gdsf-cost-policy",
];

/// Those that run a plugin's code on its stages and policies.
fn checks() -> impl Iterator<Item = &'static Check> {
    let of_calls = |check: &&Check| faults::NAMES.contains(&check.id);
    CHECKS.iter().copied().flatten().filter(of_calls)
}

fn find(id: &str) -> &'static Check {
    eyemap_check::find(id).unwrap_or_else(|| panic!("there is no check {id}"))
}

fn sound(check: &'static Check) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let outcome = asked(&broken(dir.path(), "none"), check);
    match outcome {
        Outcome::Passed { .. } => Ok(()),
        outcome => Err(format!("{outcome:?}").into()),
    }
}

fn library(fault: &Fault, dir: &Path) -> PathBuf {
    let [from, to] = fault.promise;
    promising(dir, fault.fault, from, to)
}

fn passes(good: &'static Fault) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    match asked(&library(good, dir.path()), find(good.check)) {
        Outcome::Passed { .. } => Ok(()),
        outcome => Err(format!("{outcome:?}").into()),
    }
}

fn from_any_seed() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let library = broken(dir.path(), "crashes-near-1001");
    for seed in 1..=5 {
        let outcome = asked_from(&library, find("batch-sizes-1-to-1M"), seed);
        if !matches!(outcome, Outcome::Failed(_)) {
            return Err(format!("seed {seed}: {outcome:?}").into());
        }
    }
    Ok(())
}

fn fails(fault: &'static Fault) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let outcome = asked(&library(fault, dir.path()), find(fault.check));
    let Outcome::Failed(found) = outcome else {
        return Err(format!("it passes: {outcome:?}").into());
    };
    let text = [&[found.what][..], &found.details, &[found.remedy]]
        .concat()
        .join("\n");
    if !text.contains(fault.words) {
        return Err(format!("no {:?} in {text}", fault.words).into());
    }
    // Its author asks, of a file with a name.
    for part in ["report it to", "/proc/self/fd/"] {
        if text.contains(part) {
            return Err(format!("{part:?} in {text}").into());
        }
    }
    if text.lines().count() > 12 {
        return Err(format!("more than 12 lines: {text}").into());
    }
    Ok(())
}

/// No check of a plugin of the project fails.
fn bundled(package: &str) -> Result<(), Failed> {
    let mut faults = Vec::new();
    for check in checks() {
        if let Outcome::Failed(fault) = asked(&plugin(package), check) {
            faults.push(format!("{}: {fault:?}", check.id));
        }
    }
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    Ok(())
}

fn every_check_fails() -> Result<(), Failed> {
    for id in faults::NAMES {
        if !FAULTS.iter().any(|fault| fault.check == *id) {
            return Err(format!("no fault makes {id} fail").into());
        }
    }
    Ok(())
}
