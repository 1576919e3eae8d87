//! An archive for machines without Rust.

use std::path::PathBuf;

use crate::{
    Done, build,
    process::{cargo, root, run as run_to_end},
};

/// As `cargo xtask dist [--from DIR] [-o DIR]`: packs a release build, or what was built into a directory.
pub(crate) fn run(arguments: &[&str]) -> Done {
    let (mut from, mut out) = (None, build::target_dir().join("dist"));
    let mut words = arguments.iter();
    while let Some(&word) = words.next() {
        let value = words.next().map(PathBuf::from);
        match (word, value) {
            ("--from", Some(dir)) => from = Some(dir),
            ("-o", Some(dir)) => out = dir,
            _ => return Err("it is: cargo xtask dist [--from DIR] [-o DIR]".into()),
        }
    }
    let built = match from {
        Some(dir) => dir,
        None => build::run_into(true)?.dir,
    };
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let mut pack = cargo(&[
        "run",
        "--quiet",
        "--locked",
        "--package",
        "eyemap-dist",
        "--",
    ]);
    pack.arg(here.join(built)).arg(root()).arg(here.join(out));
    run_to_end(&mut pack)
}
