//! Measures whole runs at scale and writes the section "Scale" of docs/performance.md: `cargo xtask
//! bench-report`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore's report"
)]

mod cases;

use std::{collections::BTreeMap, path::Path};

use clap::Parser;
use eyemap_benches::{Result, document, measure, scale::Place};

use cases::{Bench, CASES};

/// Measures whole runs at scale, into docs/performance.md.
///
/// Cases: full, linear, huge, threads, limit, report, verify; without any, all of them.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench-report", max_term_width = 100)]
struct Args {
    /// What is measured
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// A tenth of everything, printed only
    #[arg(long)]
    quick: bool,
    /// Files that each table has; with 1, the command is given the file in place of the directory
    #[arg(long, default_value_t = 8, value_name = "P")]
    parts: usize,
}

fn main() -> std::process::ExitCode {
    eyemap_benches::end(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let names = CASES.map(|(name, _)| name);
    if let Some(unknown) = args
        .cases
        .iter()
        .find(|case| !names.contains(&case.as_str()))
    {
        return Err(format!("no case {unknown}; there are {}", names.join(", ")).into());
    }
    let place = Place::new("bench-report")?;
    std::fs::create_dir_all(&place.dir)?;
    let bench = Bench {
        place,
        parts: args.parts,
        shrink: if args.quick { 10 } else { 1 },
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut blocks = BTreeMap::new();
    for (name, case) in CASES {
        if !args.cases.is_empty() && !args.cases.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("{name} ...");
        let block = case(&bench).unwrap_or_else(|reason| {
            // Where the tables are is nobody's business but this machine's.
            let here = format!("{}/", bench.place.dir.display());
            not_measured(name, &reason.to_string().replace(&here, ""))
        });
        bench.place.forget()?;
        let block = format!("{block}\n*{}.*\n", measure::machine(&root));
        println!("{block}");
        blocks.insert(name, block);
    }
    if args.quick {
        return Ok(());
    }
    document::update(&root.join("docs/performance.md"), "scale", &names, &blocks)
}

/// A case that cannot run says why, and the others go on.
fn not_measured(name: &str, reason: &str) -> String {
    let lines = reason
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let reason: Vec<_> = lines.take(8).collect();
    format!(
        "### {name}\n\nNot measured:\n\n```text\n{}\n```\n",
        reason.join("\n")
    )
}
