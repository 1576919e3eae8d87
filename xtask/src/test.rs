//! Builds what tests need, runs them side by side, and closes with one summary.
//!
//! What compares builds, plugins of other times or random input is heavy and has a chore of its own
//! (`builds`, `museum`, `fuzz`), which `.ci/run` calls.

mod outcome;
mod runner;
mod tools;

use std::path::Path;

use crate::{
    Done, build,
    process::{cargo, run as run_to_end},
};
use runner::{Program, Runner};

/// Which tests, and how strictly.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// Units, cases and the command alone.
    quick: bool,
    /// A test that cannot run here fails.
    strict: bool,
    /// Nothing is installed.
    no_install: bool,
    /// One program of integration tests alone, by the name of its target.
    only: Option<String>,
}

impl Wish {
    /// Reads `--quick`, `--strict`, `--no-install` and `--only NAME`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut wish = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--quick" => wish.quick = true,
                "--strict" => wish.strict = true,
                "--no-install" => wish.no_install = true,
                "--only" => {
                    let name = words
                        .next()
                        .ok_or("--only wants the name of a test program")?;
                    wish.only = Some((*name).to_owned());
                }
                other => {
                    return Err(format!(
                        "`cargo xtask test` takes --quick, --strict, --no-install and \
                         --only NAME, not {other:?}"
                    ));
                }
            }
        }
        Ok(wish)
    }
}

/// Integration tests of [`Wish::quick`], beside the units.
const QUICK: [&str; 2] = ["cases", "cli"];

/// The fixtures that these load.
const QUICK_FIXTURES: [&str; 2] = ["failing_policy", "hostile_policies"];

/// Integration tests that a chore of their name builds for.
const HEAVY: [&str; 2] = ["builds", "museum"];

/// As `cargo xtask test`.
pub(crate) fn run(wish: Wish) -> Done {
    let path = tools::provide(wish.quick, !wish.no_install)?;
    let built = build::run_into(false)?;
    if wish.quick {
        build_examples(&QUICK_FIXTURES)?;
    } else {
        build_fixtures()?;
    }
    let mut runner = Runner::new(&built, wish.strict)?;
    runner.path = path;
    let programs = compiled(&wish)?;
    let mut outcome = runner.run(programs)?;
    if !wish.quick && wish.only.is_none() {
        outcome.add(runner.documents()?);
    }
    outcome.close()
}

/// Tries to break the command for as long as one likes.
pub(crate) fn soak(arguments: &[&str]) -> Done {
    let built = build::run_into(false)?;
    build_fixtures()?;
    let mut soak = cargo(&["run", "--quiet", "--package", "eyemap-soak", "--"]);
    soak.args(arguments)
        .env("EYEMAP_BIN", &built.command)
        .env("EYEMAP_BUILD_DIR", &built.dir);
    run_to_end(&mut soak)
}

/// Runs one heavy integration test, with variables of its own.
pub(crate) fn run_heavy(name: &str, variables: &[Variable<'_>]) -> Done {
    let built = build::run_into(false)?;
    build_fixtures()?;
    let mut runner = Runner::new(&built, false)?;
    for variable in variables {
        runner.set(variable.name, variable.value);
    }
    let mut build = cargo(&["test", "--package", "eyemap-snapshots", "--test", name]);
    let programs = runner::compile(&mut build)?;
    runner.run(programs)?.close()
}

/// A variable of the environment that a heavy test reads a path from.
pub(crate) struct Variable<'a> {
    /// Its name.
    pub(crate) name: &'static str,
    /// The path.
    pub(crate) value: &'a Path,
}

/// Plugins that tests load and nobody ships.
fn build_fixtures() -> Done {
    run_to_end(&mut cargo(&[
        "build",
        "--package",
        "eyemap-sdk",
        "--package",
        "eyemap-fixtures",
        "--examples",
    ]))
}

/// Builds some of the fixtures, by the names of their examples.
fn build_examples(names: &[&str]) -> Done {
    let mut build = cargo(&["build", "--package", "eyemap-fixtures"]);
    for name in names {
        build.args(["--example", name]);
    }
    run_to_end(&mut build)
}

/// Builds the test programs, and leaves out the heavy ones.
fn compiled(wish: &Wish) -> Result<Vec<Program>, String> {
    let mut build = cargo(&["test", "--workspace"]);
    if let Some(only) = &wish.only {
        if HEAVY.contains(&only.as_str()) {
            return Err(format!(
                "run it with `cargo xtask {only}`, which builds what it compares"
            ));
        }
        build.args(["--test", only]);
        return runner::compile(&mut build);
    }
    if wish.quick {
        build.args(["--lib", "--bins"]);
        for name in QUICK {
            build.args(["--test", name]);
        }
    }
    let mut programs = runner::compile(&mut build)?;
    programs.retain(|program| !HEAVY.contains(&program.name.as_str()));
    if wish.quick {
        // Runs that are killed again and again take as long as all other tests of the command.
        programs
            .iter_mut()
            .for_each(|program| program.skip = Some("kill"));
    }
    Ok(programs)
}
