//! Programs that some tests drive: Chromium and cargo-insta. What is missing is installed where that is
//! allowed, and said; else the tests that need it skip themselves and are named at the end.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    Done,
    build::target_dir,
    process::{cargo, exists, run as run_to_end},
};

/// The version that tests of `eyemap verify` accept pending pictures with.
const INSTA: &str = "1.49.0";

/// Provides what is missing; gives the `PATH` for the tests.
pub(super) fn provide(quick: bool, install: bool) -> Result<OsString, String> {
    let tools = target_dir().join("tools");
    if !quick && install {
        browser();
        insta(&tools);
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = std::iter::once(tools.join("bin"))
        .chain(std::env::split_paths(&paths))
        .collect();
    std::env::join_paths(all).map_err(|error| format!("{}: {error}", tools.display()))
}

/// Headless Chromium, from Debian's packages, for whom may install them.
fn browser() {
    if exists("chromium") || !exists("apt-get") || !is_root() {
        return;
    }
    println!(
        "installing Debian's package chromium, for the browser tests (--no-install leaves it)"
    );
    let installed = apt(&["update", "-qq"]).and_then(|()| {
        apt(&[
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "chromium",
        ])
    });
    if let Err(error) = installed {
        println!("chromium was not installed: {error}");
    }
}

fn apt(arguments: &[&str]) -> Done {
    let mut apt = Command::new("apt-get");
    apt.args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    run_to_end(&mut apt)
}

/// Whether files of root belong to whom runs this.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}

/// cargo-insta, below the target directory.
fn insta(tools: &Path) {
    let own = tools.join("bin/cargo-insta");
    if is_version(&own) || is_version(Path::new("cargo-insta")) {
        return;
    }
    println!(
        "installing cargo-insta {INSTA} into {}, for the tests of `eyemap verify` (--no-install leaves it)",
        tools.display()
    );
    let mut install = cargo(&["install", "cargo-insta", "--version", INSTA, "--locked"]);
    // Built without speed: two tests call it.
    install
        .args(["--debug", "--quiet", "--force", "--root"])
        .arg(tools);
    install.env("CARGO_TARGET_DIR", tools.join("build"));
    if let Err(error) = run_to_end(&mut install) {
        println!("cargo-insta was not installed: {error}");
    }
}

fn is_version(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).trim() == format!("cargo-insta {INSTA}")
    })
}
