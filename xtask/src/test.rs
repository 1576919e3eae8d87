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
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish {
    /// Units, cases and the command alone.
    quick: bool,
    /// A test that cannot run here fails.
    strict: bool,
    /// Nothing is installed.
    no_install: bool,
}

impl Wish {
    /// Reads `--quick`, `--strict` and `--no-install`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut wish = Self::default();
        for word in words {
            match *word {
                "--quick" => wish.quick = true,
                "--strict" => wish.strict = true,
                "--no-install" => wish.no_install = true,
                other => {
                    return Err(format!(
                        "`cargo xtask test` takes --quick, --strict and --no-install, not {other:?}"
                    ));
                }
            }
        }
        Ok(wish)
    }
}

/// Integration tests of [`Wish::quick`], beside the units.
const QUICK: [&str; 2] = ["cases", "cli"];

/// Integration tests that a chore of their own builds for.
const HEAVY: [&str; 2] = ["builds", "museum"];

/// As `cargo xtask test`.
pub(crate) fn run(wish: Wish) -> Done {
    let path = tools::provide(wish.quick, !wish.no_install)?;
    let built = build::run_into(false)?;
    if !wish.quick {
        build_fixtures()?;
    }
    let mut runner = Runner::new(&built, wish.strict)?;
    runner.path = path;
    let programs = compiled(wish.quick)?;
    let mut outcome = runner.run(programs)?;
    if !wish.quick {
        outcome.add(runner.documents()?);
    }
    outcome.close()
}

/// Runs one heavy integration test, with variables of its own.
pub(crate) fn run_heavy(name: &str, variables: &[Variable<'_>]) -> Done {
    let built = build::run_into(false)?;
    build_fixtures()?;
    let mut runner = Runner::new(&built, true)?;
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

/// Builds the test programs, and leaves out the heavy ones.
fn compiled(quick: bool) -> Result<Vec<Program>, String> {
    let mut build = cargo(&["test", "--workspace"]);
    if quick {
        build.args(["--lib", "--bins"]);
        for name in QUICK {
            build.args(["--test", name]);
        }
    }
    let mut programs = runner::compile(&mut build)?;
    programs.retain(|program| !HEAVY.contains(&program.name.as_str()));
    if quick {
        // Runs that are killed again and again take as long as all other tests of the command.
        programs
            .iter_mut()
            .for_each(|program| program.skip = Some("kill"));
    }
    Ok(programs)
}
