//! Chores of the project, as `cargo xtask NAME`.

mod bench;
mod build;
mod demo;
mod dist;
mod fuzz;
mod museum;
mod process;
mod publish;
mod semver;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask demo            build, draw the sample data, say where to look
cargo xtask test [--quick] [--strict] [--no-install] [--only NAME]
                            build and run the tests; --quick: units, cases and the command alone,
                            --strict: a test that cannot run here fails, --no-install: fetch nothing,
                            --only: one program of integration tests, by its name in `tests`
cargo xtask build [--release]
                            build the command and its plugins, and lock the plugins
cargo xtask bench [FILTER]  build in release and run the benches, or those whose name has FILTER
cargo xtask bench-report [CASE...] [--quick]
                            measure whole runs at scale, into docs/performance.md
cargo xtask bench-peers [--quick]
                            draw the same maps with matplotlib and cairosvg, into docs/performance.md
cargo xtask workload --types N --seed S -o DIR
                            write a table of any size; --help says more
cargo xtask fuzz [SECONDS]  run each fuzz target for a while (default 20 s)
cargo xtask soak [--minutes N] [--seed S] [--only KIND[:N]]
                            try to break the command, in ways that can be had again
cargo xtask museum          build plugins of other times, and load them in shuffled orders
cargo xtask builds          build in release, and compare what both builds draw
cargo xtask dist [--from DIR] [-o DIR]
                            pack a release build, or what lies in a directory such as target/debug,
                            for machines without Rust
cargo xtask publish [--dry-run]
                            give SDK and ABI to the registry, or only try
cargo xtask semver          compare what SDK and ABI offer with what they offered before
cargo xtask tidy            check which crate may depend on which, and other house rules
";

/// What a chore gives: nothing, or why it failed.
type Done = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["demo"] => demo::run(),
        ["test", ref rest @ ..] => test::Wish::parse(rest).and_then(test::run),
        ["build"] => build::run(false).map(drop),
        ["build", "--release"] => build::run(true).map(drop),
        ["bench"] => bench::run(None),
        ["bench", filter] => bench::run(Some(filter)),
        ["bench-report", ref rest @ ..] => bench::report("bench_report", rest),
        ["bench-peers", ref rest @ ..] => bench::report("bench_peers", rest),
        ["workload", ref rest @ ..] => bench::workload(rest),
        ["fuzz"] => fuzz::run(20),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(seconds),
            Err(_) => Err(format!("{seconds:?} is no number of seconds")),
        },
        ["soak", ref rest @ ..] => test::soak(rest),
        ["museum"] => museum::run(),
        ["builds"] => builds(),
        ["dist", ref rest @ ..] => dist::run(rest),
        ["publish"] => publish::run(false),
        ["publish", "--dry-run"] => publish::run(true),
        ["semver"] => semver::run(),
        ["tidy"] => tidy::run(),
        [] | ["help"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such chore: {}\n\n{HELP}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Compares what a debug and a release build draw.
fn builds() -> Done {
    let release = build::run_into(true)?;
    let variable = test::Variable {
        name: "EYEMAP_RELEASE_DIR",
        value: &release.dir,
    };
    test::run_heavy("builds", &[variable])
}
