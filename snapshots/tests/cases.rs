//! The project's own snapshots: each file below `cases/` is one test.
//!
//! ```toml
//! title = "Zero, no data, another region's column and unknown look different"
//! table = """
//! cell_type,region,side,hex1,hex2,synapses
//! Mi1,ME,R,1,1,0
//! """
//! arguments = ["render", "table.csv", "-o", "out", "--format", "json"]
//! exit = 0                             # the default
//!
//! [expect]
//! scene = ["ME_R/synapses/Mi1.json"]   # also svg, svg-static, png, text; paths below `out`
//! stderr = true                        # also stdout, files
//! ```
//!
//! `src/case.rs` has all keys. The texts of `table`, `atlas` and `config` become `table.csv`,
//! `atlas.csv` and `eyemap.toml` in a directory of the case's own, in which the command runs; nothing
//! reads them unless `arguments` name them.
//!
//! **To add a case**, write the file, run `cargo xtask test` or, with `EYEMAP_BIN` and
//! `EYEMAP_BUILD_DIR` set as it sets them, `cargo test -p eyemap-snapshots --test cases color/`. The
//! case fails and leaves pending files; read them, look at pictures, and accept with
//! `cargo insta review`. With `CI` in the environment nothing is written.
//!
//! Scenes and SVGs are text snapshots, because they are made to be read line by line; that `insta`
//! takes no notice of how lines end hides nothing, as artifacts with other line ends are refused. PNGs
//! are binary snapshots and compared byte by byte.
//!
//! Whatever a case does not name must be unremarkable: the exit code is 0, standard output is empty,
//! standard error says no more than how many maps were drawn, and a failing call leaves no file below
//! `out`.

#[path = "cases/compare.rs"]
mod compare;
#[path = "cases/desk.rs"]
mod desk;
#[path = "cases/redact.rs"]
mod redact;

use std::{path::PathBuf, process::ExitCode};

use eyemap_snapshots::case::{Case, Redaction, breaches, cases_in};
use libtest_mimic::{Arguments, Failed, Trial};

use desk::{Desk, Ended};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (cases, errors) = match cases_in(&below("cases")) {
        Ok(found) => found,
        Err(error) => panic!("{error}"),
    };
    let all_are_read = errors.is_empty();
    let mut trials = vec![no_reference_is_orphaned(cases.clone(), all_are_read)];
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    trials.push(Trial::test("every_case_can_be_read", move || none(&errors)));
    let tests = cases.into_iter().map(|case| {
        let name = case.name.clone();
        Trial::test(name, move || plays(&case))
    });
    trials.extend(tests);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A directory of this crate.
fn below(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn no_reference_is_orphaned(cases: Vec<Case>, all_are_read: bool) -> Trial {
    Trial::test("no_reference_is_orphaned_or_missing", move || {
        if !all_are_read {
            return Err("unknown as long as there are cases that cannot be read".into());
        }
        let found = breaches(&cases, &below("references"))?;
        none(&found.iter().map(ToString::to_string).collect::<Vec<_>>())
    })
}

fn none(breaches: &[String]) -> Result<(), Failed> {
    match breaches.is_empty() {
        true => Ok(()),
        false => Err(breaches.join("\n").into()),
    }
}

/// Runs a case, and tells all that is not as approved, not only the first.
fn plays(case: &Case) -> Result<(), Failed> {
    let desk = Desk::of(case)?;
    for arguments in &case.before {
        let ended = desk.run(arguments, None)?;
        if ended.code != Some(0) {
            return Err(format!("before: {}", ended.told(arguments)).into());
        }
    }
    let ended = desk.run(&case.arguments, case.stdin.as_deref())?;
    if ended.code != Some(case.exit) {
        let told = ended.told(&case.arguments);
        return Err(format!("exit code {} was expected: {told}", case.exit).into());
    }
    let mut wrong = unnamed(case, &ended, &desk);
    wrong.extend(redact::unused(&case.redact, &ended, &desk));
    for (form, path) in case.expect.artifacts() {
        wrong.extend(compare::artifact(case, form, path, &desk).err());
    }
    wrong.extend(words(case, &ended, &desk));
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{}\n{}", case.title, wrong.join("\n")).into()),
    }
}

/// What was said although the case does not name it.
fn unnamed(case: &Case, ended: &Ended, desk: &Desk) -> Vec<String> {
    let mut wrong = Vec::new();
    if case.exit != 0 && !case.expect.files && !desk.files().is_empty() {
        let text = desk.listing();
        wrong.push(format!(
            "expect has no `files = true`, and there is\n{text}"
        ));
    }
    if !case.expect.stdout && !ended.stdout.is_empty() {
        let text = &ended.stdout;
        wrong.push(format!(
            "expect has no `stdout = true`, and there is\n{text}"
        ));
    }
    let lines = redact::remarkable(&ended.stderr, desk);
    if !case.expect.stderr && !lines.is_empty() {
        wrong.push(format!(
            "expect has no `stderr = true`, and there is\n{lines}"
        ));
    }
    wrong
}

/// What the command said, and which files it left.
fn words(case: &Case, ended: &Ended, desk: &Desk) -> Vec<String> {
    let expect = &case.expect;
    let files = desk.listing();
    let texts: [(&str, bool, &str, &[Redaction]); 3] = [
        ("stdout", expect.stdout, &ended.stdout, &case.redact),
        ("stderr", expect.stderr, &ended.stderr, &case.redact),
        ("files", expect.files, &files, &[]),
    ];
    let named = texts.into_iter().filter(|(_, is_named, ..)| *is_named);
    named
        .filter_map(|(name, _, text, hidden)| {
            compare::words(case, name, &redact::without(hidden, text, desk)).err()
        })
        .collect()
}
