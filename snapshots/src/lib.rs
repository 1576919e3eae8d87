//! What the tests of the whole have in common. The tests themselves are in `tests/`.
//!
//! They run the built command and load real plugins, so `cargo xtask test` builds both first and
//! passes `EYEMAP_BIN` and `EYEMAP_BUILD_DIR`. Without them a test fails and says so.

pub mod broken;
pub mod case;
pub mod desk;
pub mod limits;
pub mod policies;
pub mod stranger;
pub mod trial;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Once, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

pub use eyemap_engine::testing::{has, skipped};

use eyemap_engine::plugins::{Finder, Lock, SearchDir, Workers};

const HOW: &str = "run the tests with `cargo xtask test`, which builds the command and its plugins";

fn from_environment(name: &str) -> PathBuf {
    match std::env::var_os(name) {
        Some(path) => PathBuf::from(path),
        None => panic!("{name} is not set: {HOW}"),
    }
}

/// By these variables `eyemap` knows that it runs in a CI system, where nobody can look at a picture.
const CI_VARIABLES: [&str; 3] = ["CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"];

/// Lets a command run as at somebody's desk, also where the tests themselves run in a CI system.
pub fn outside_ci(command: &mut Command) -> &mut Command {
    for name in CI_VARIABLES {
        command.env_remove(name);
    }
    command
}

/// Lets commands hear signals that whoever started the tests has ignored, as a shell does for what runs in the
/// background: a signal that is handled here is not ignored in a new program.
fn hear_signals() {
    static HEARD: Once = Once::new();
    HEARD.call_once(|| {
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            let always = Arc::new(AtomicBool::new(true));
            flag::register_conditional_default(signal, always)
                .unwrap_or_else(|error| panic!("signal {signal}: {error}"));
        }
    });
}

/// The `eyemap` command, outside of any CI system.
pub fn eyemap() -> Command {
    hear_signals();
    let mut command = Command::new(from_environment("EYEMAP_BIN"));
    outside_ci(&mut command)
        .env_remove("EYEMAP_LOG")
        .env_remove("EYEMAP_PLUGIN_PATH")
        .env("NO_COLOR", "1");
    command
}

/// Runs `eyemap` with arguments.
///
/// # Panics
/// When it cannot be started.
pub fn run(arguments: &[&str]) -> Output {
    eyemap()
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{error}: {HOW}"))
}

/// Where cargo put what it built.
pub fn build_dir() -> PathBuf {
    from_environment("EYEMAP_BUILD_DIR")
}

/// A plugin of the bundle, by package name.
pub fn plugin(package: &str) -> PathBuf {
    build_dir().join("plugins").join(library(package))
}

/// Name of a library file.
pub fn library(package: &str) -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}{}{suffix}", package.replace('-', "_"))
}

/// Finds the plugins of the bundle, which run in this process as they do in the command.
///
/// # Panics
/// When the bundle has no usable lock.
pub fn finder() -> Finder {
    let dir = build_dir().join("plugins");
    let lock = Lock::read(&dir.join(eyemap_engine::plugins::LOCK_FILE));
    Finder {
        locks: vec![
            lock.unwrap_or_else(|error| panic!("{error}: {HOW}"))
                .of_the_host(),
        ],
        dirs: vec![SearchDir {
            path: dir,
            origin: "the build",
        }],
        workers: workers(),
        ..Finder::default()
    }
}

/// Workers of contained plugins are the built command: a test is none.
pub fn workers() -> Workers {
    Workers {
        program: from_environment("EYEMAP_BIN"),
        ..Workers::default()
    }
}

/// A file of this project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A file of the reference material, by its path below `snapshots/material`.
pub fn material(path: &str) -> PathBuf {
    project("snapshots/material").join(path)
}

/// The text of a compressed file of the reference material.
///
/// # Panics
/// When it cannot be read.
pub fn material_text(path: &str) -> String {
    let file =
        std::fs::File::open(material(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    text
}
