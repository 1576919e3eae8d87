//! Runs test programs side by side.
//!
//! Cargo runs one after the other; many of ours wait for processes that they started, so that on two cores
//! two at a time take little more than half the time. What a program prints is shown when it failed.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::Instant,
};

use serde_json::Value;

use super::{HEAVY, outcome::Outcome};
use crate::{
    build::{Built, target_dir},
    process::{cargo, root},
};

/// Those that take longest, so that they begin first.
const LONG: [&str; 6] = [
    "plugin_examples",
    "cli",
    "documents",
    "plugin_calls",
    "policy",
    "verify",
];

/// A built test program.
#[derive(Debug)]
pub(super) struct Program {
    /// Name of the target: of the crate for units, else of the file in `tests/`.
    pub(super) name: String,
    package: String,
    /// `--lib`, `--bin NAME` or `--test NAME`.
    target: String,
    executable: PathBuf,
    /// Tests expect to run in the directory of their package.
    dir: PathBuf,
    /// Tests with this in their name are left out.
    pub(super) skip: Option<&'static str>,
}

impl Program {
    /// Reads a line of Cargo's messages; none if it tells of something else.
    fn read(message: &Value) -> Option<Self> {
        let is_test = message["profile"]["test"].as_bool()?;
        let executable = PathBuf::from(message["executable"].as_str()?);
        let name = message["target"]["name"].as_str()?.to_owned();
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let kinds = message["target"]["kind"].as_array()?;
        let is = |kind: &str| kinds.iter().any(|own| own == kind);
        let target = match () {
            () if is("test") => format!("--test {name}"),
            () if is("bin") => format!("--bin {name}"),
            () => "--lib".into(),
        };
        let package = message["package_id"].as_str()?;
        let package = package.rsplit(['/', '#']).next()?.split('@').next()?;
        is_test.then_some(Self {
            name,
            package: match package.starts_with(|c: char| c.is_ascii_digit()) {
                // The id of a package in a directory of its name ends in `DIRECTORY#VERSION`.
                true => manifest.parent()?.file_name()?.to_str()?.to_owned(),
                false => package.to_owned(),
            },
            target,
            executable,
            dir: manifest.parent()?.to_owned(),
            skip: None,
        })
    }

    /// The command that runs it again by itself: tests of the whole need what `cargo xtask test` builds.
    fn again(&self) -> String {
        if HEAVY.contains(&self.name.as_str()) {
            return format!("cargo xtask {}", self.name);
        }
        if self.package == "eyemap-snapshots" && self.target.starts_with("--test") {
            return format!("cargo xtask test --only {}", self.name);
        }
        format!("cargo test -p {} {}", self.package, self.target)
    }

    fn rank(&self) -> usize {
        let long = LONG.iter().position(|name| *name == self.name);
        long.unwrap_or(LONG.len())
    }
}

/// Builds test programs as Cargo's `test` would run them.
pub(super) fn compile(command: &mut Command) -> Result<Vec<Program>, String> {
    let shown = format!("{command:?}");
    let failed = |error: &dyn std::fmt::Display| format!("{shown}: {error}");
    command
        .args(["--no-run", "--message-format=json-render-diagnostics"])
        .stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let mut programs = Vec::new();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.map_err(|error| failed(&error))?;
            let message: Value = serde_json::from_str(&line).map_err(|error| failed(&error))?;
            programs.extend(Program::read(&message));
        }
    }
    let status = child.wait().map_err(|error| failed(&error))?;
    if !status.success() {
        return Err(failed(&status));
    }
    programs.sort_by_key(Program::rank);
    Ok(programs)
}

/// Where programs run, and with what.
pub(super) struct Runner {
    /// Where they look for other programs.
    pub(super) path: OsString,
    variables: Vec<(&'static str, OsString)>,
    /// The file in which tests note that they could not run.
    skipped: PathBuf,
}

impl Runner {
    /// For tests of a build.
    pub(super) fn new(built: &Built, strict: bool) -> Result<Self, String> {
        let skipped = target_dir().join("skipped-tests.txt");
        std::fs::write(&skipped, "").map_err(|error| format!("{}: {error}", skipped.display()))?;
        let mut runner = Self {
            path: std::env::var_os("PATH").unwrap_or_default(),
            variables: Vec::new(),
            skipped: skipped.clone(),
        };
        runner.set("EYEMAP_BIN", &built.command);
        runner.set("EYEMAP_BUILD_DIR", &built.dir);
        runner.set("EYEMAP_SKIPPED", &skipped);
        if strict {
            runner.set("EYEMAP_STRICT", Path::new("1"));
        }
        Ok(runner)
    }

    /// Sets a variable for the tests.
    pub(super) fn set(&mut self, name: &'static str, value: &Path) {
        self.variables.push((name, value.into()));
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // A strict run may be inside of another; what is not set here must not be.
        command.env_remove("EYEMAP_STRICT").env("PATH", &self.path);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)))
    }

    /// Runs programs, as many at a time as there are cores.
    pub(super) fn run(&self, programs: Vec<Program>) -> Result<Outcome, String> {
        let at_once = std::thread::available_parallelism().map_or(2, usize::from);
        let waiting = Mutex::new(programs.into_iter());
        let total = Mutex::new(Outcome::default());
        let next = || waiting.lock().ok().and_then(|mut programs| programs.next());
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    while let Some(program) = next() {
                        let outcome = self.run_one(&program);
                        if let Ok(mut total) = total.lock() {
                            total.add(outcome);
                        }
                    }
                });
            }
        });
        let mut outcome = total.into_inner().map_err(|error| error.to_string())?;
        let skipped = std::fs::read_to_string(&self.skipped);
        outcome.read_skipped(
            &skipped.map_err(|error| format!("{}: {error}", self.skipped.display()))?,
        );
        Ok(outcome)
    }

    fn run_one(&self, program: &Program) -> Outcome {
        let start = Instant::now();
        let mut command = Command::new(&program.executable);
        command
            .args(
                program
                    .skip
                    .map(|skip| ["--skip", skip])
                    .into_iter()
                    .flatten(),
            )
            .current_dir(&program.dir)
            .env("CARGO_MANIFEST_DIR", &program.dir);
        let output = self.prepare(&mut command).output();
        let mut outcome = Outcome::default();
        let what = format!("{} {}", program.package, program.target);
        let (text, passed) = match output {
            Ok(output) => {
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text).into_owned();
                text.lines().for_each(|line| {
                    outcome.read(line);
                });
                (text, output.status.success())
            }
            Err(error) => (format!("{}: {error}", program.executable.display()), false),
        };
        let seconds = start.elapsed().as_secs_f64();
        if passed {
            println!("{seconds:6.1} s  {what}: {}", outcome.words());
        } else {
            // One call, so that programs that end at once do not mix their words.
            println!(
                "{text}\n{seconds:6.1} s  {what}: FAILED, {}",
                outcome.words()
            );
            outcome.failed(program.again());
        }
        outcome
    }

    /// Runs the examples in the documentation of the crates.
    pub(super) fn documents(&self) -> Result<Outcome, String> {
        let mut command = cargo(&["test", "--workspace", "--doc", "--no-fail-fast", "--quiet"]);
        let output = self.prepare(&mut command).current_dir(root()).output();
        let output = output.map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut outcome = Outcome::default();
        text.lines().for_each(|line| {
            outcome.read(line);
        });
        if !output.status.success() {
            println!("{text}{}", String::from_utf8_lossy(&output.stderr));
            outcome.failed("cargo test --workspace --doc".into());
        }
        Ok(outcome)
    }
}
