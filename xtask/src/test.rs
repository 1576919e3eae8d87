//! Runs every test, and closes with one summary.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use crate::{
    Done, build, fuzz, museum,
    process::{cargo, exists, run as run_to_end},
};

/// Seconds for each fuzz target.
const FUZZ_SECONDS: u32 = 10;

/// What the test runner counted.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Builds what tests need and runs them all.
fn run_all(count: &mut CountedRun) -> Done {
    find_browser()?;
    find_insta()?;
    let built = build::run_into(false)?;
    let optimized = build::optimized()?;
    run_to_end(&mut cargo(&[
        "build",
        "--package",
        "eyemap-sdk",
        "--package",
        "eyemap-fixtures",
        "--examples",
    ]))?;
    let museum = museum::collect()?;
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests
        .env("EYEMAP_MUSEUM", museum)
        .env("EYEMAP_BIN", &built.command)
        .env("EYEMAP_BUILD_DIR", &built.dir)
        .env("EYEMAP_OPTIMIZED_DIR", &optimized.dir);
    count.of(&mut tests)?;
    fuzz::run(FUZZ_SECONDS)
}

/// As `cargo xtask test`.
pub(crate) fn run() -> Done {
    let mut count = CountedRun::default();
    let done = run_all(&mut count);
    let Count {
        passed,
        failed,
        skipped,
    } = count.0;
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    done
}

/// Counts over several calls of `cargo test`.
#[derive(Default)]
struct CountedRun(Count);

impl CountedRun {
    /// Runs tests, shows what they print and adds up their summaries.
    fn of(&mut self, tests: &mut Command) -> Done {
        let failed = |error| format!("cannot start {tests:?}: {error}");
        let mut child = Command::new(tests.get_program());
        child
            .args(tests.get_args())
            .envs(tests.get_envs().filter_map(|(k, v)| Some((k, v?))));
        child
            .current_dir(crate::process::root())
            .stdout(Stdio::piped());
        let mut child = child.spawn().map_err(failed)?;
        if let Some(out) = child.stdout.take() {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                println!("{line}");
                self.add(&line);
            }
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("tests failed: {status}"))
        }
    }

    /// `test result: ok. 5 passed; 0 failed; 1 ignored; ...`
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result:") else {
            return;
        };
        let words: Vec<&str> = result
            .split([' ', ';'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.0.passed += number,
                "failed" => self.0.failed += number,
                "ignored" => self.0.skipped += number,
                _ => {}
            }
        }
    }
}

/// Browser tests need headless Chromium; it is installed where that is allowed.
fn find_browser() -> Done {
    if exists("chromium") || std::env::var_os("EYEMAP_SKIP_BROWSER").is_some() {
        return Ok(());
    }
    let can_install = exists("apt-get") && std::env::var("USER").is_ok_and(|user| user == "root")
        || exists("apt-get") && std::env::var("HOME").is_ok_and(|home| home == "/root");
    if can_install {
        println!("installing chromium for the browser tests");
        let update = run_to_end(Command::new("apt-get").args(["update", "-qq"]));
        let install = Command::new("apt-get")
            .args([
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                "chromium",
            ])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status();
        if update.is_ok() && install.is_ok_and(|status| status.success()) && exists("chromium") {
            return Ok(());
        }
    }
    Err(
        "the browser tests need `chromium` on the PATH (Debian: apt-get install chromium); \
         EYEMAP_SKIP_BROWSER=1 leaves them out"
            .into(),
    )
}

/// Tests of `eyemap verify` accept what is pending with the program that reviews snapshots.
fn find_insta() -> Done {
    let is_left_out = std::env::var_os("EYEMAP_SKIP_INSTA").is_some_and(|value| value == "1");
    if exists("cargo-insta") || is_left_out {
        return Ok(());
    }
    Err(
        "the tests of `eyemap verify` need `cargo-insta` on the PATH \
         (cargo install cargo-insta --version 1.49.0 --locked); EYEMAP_SKIP_INSTA=1 leaves them out"
            .into(),
    )
}
