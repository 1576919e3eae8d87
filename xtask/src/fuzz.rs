//! Runs the fuzz targets for a short time.
//!
//! `fuzz/` is a workspace of its own. Its targets are instrumented with flags that the stable
//! compiler knows, so neither a nightly toolchain nor cargo-fuzz is needed.

use std::process::Command;

use crate::{
    Done,
    process::{cargo, root, run as run_to_end},
};

/// The flags that cargo-fuzz passes with `--sanitizer none`.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
-Ccodegen-units=1";

/// Runs each target for so many seconds.
pub(crate) fn run(seconds: u32) -> Done {
    let fuzz = root().join("fuzz");
    if !fuzz.join("Cargo.toml").is_file() {
        return Err(format!("{} is missing", fuzz.display()));
    }
    let target = fuzz.join("target");
    let triple = host()?;
    let mut build = cargo(&["build", "--release", "--bins", "--target", &triple]);
    run_to_end(
        build
            .current_dir(&fuzz)
            .env("RUSTFLAGS", FLAGS)
            .env("CARGO_TARGET_DIR", &target),
    )?;
    let mut failed = Vec::new();
    for name in targets(&fuzz)? {
        println!("fuzzing {name} for {seconds} s");
        let corpus = fuzz.join("corpus").join(&name);
        let seeds = fuzz.join("seeds").join(&name);
        let artifacts = fuzz.join("artifacts").join(&name);
        for dir in [&corpus, &artifacts] {
            std::fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        }
        let mut command = Command::new(target.join(&triple).join("release").join(&name));
        command.arg(&corpus).arg(&seeds).current_dir(&fuzz);
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.args([
            "-rss_limit_mb=2048",
            "-timeout=10",
            "-max_len=4096",
            "-verbosity=0",
        ]);
        if run_to_end(&mut command).is_err() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} failed; the inputs are in fuzz/artifacts",
        failed.join(", ")
    ))
}

/// The targets, one file each.
fn targets(fuzz: &std::path::Path) -> Result<Vec<String>, String> {
    let dir = fuzz.join("fuzz_targets");
    let entries = std::fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// The compiler's own target: with an explicit one, flags do not reach build scripts.
fn host() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(ToOwned::to_owned)
        .ok_or_else(|| "rustc does not name its host".into())
}
