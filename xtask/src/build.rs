//! Builds the command and its plugins side by side, as they ship.

use std::path::{Path, PathBuf};

use crate::{
    Done,
    process::{cargo, root},
};

/// What was built.
pub(crate) struct Built {
    /// The `eyemap` command.
    pub(crate) command: PathBuf,
    /// The directory of its plugins, beside it.
    pub(crate) plugins: PathBuf,
    /// The directory that both are in.
    pub(crate) dir: PathBuf,
}

/// Builds and locks.
pub(crate) fn run_into(release: bool) -> Result<Built, String> {
    let mut arguments = vec!["build", "--package", "eyemap"];
    let plugins = plugins()?;
    plugins
        .iter()
        .for_each(|plugin| arguments.extend(["--package", plugin]));
    if release {
        arguments.push("--release");
    }
    crate::process::run(&mut cargo(&arguments))?;
    let dir = target_dir().join(if release { "release" } else { "debug" });
    let built = Built {
        command: dir.join("eyemap"),
        plugins: dir.join("plugins"),
        dir,
    };
    bundle(&built, &plugins)?;
    Ok(built)
}

/// As [`run_into`], and says where.
pub(crate) fn run(release: bool) -> Result<Built, String> {
    let built = self::run_into(release)?;
    println!("built {}", built.command.display());
    Ok(built)
}

/// Every package under `plugins/` that ships. Templates are what `eyemap plugin new` copies; they are built
/// and tested with the workspace and nobody draws with them.
fn plugins() -> Result<Vec<String>, String> {
    let dir = root().join("plugins");
    let entries = std::fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut names: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("template-"))
        .collect();
    names.sort();
    Ok(names)
}

/// Cargo's target directory. Of a relative one Cargo takes the directory that it was called in.
pub(crate) fn target_dir() -> PathBuf {
    let dir = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let dir = dir.and_then(|dir| std::path::absolute(dir).ok());
    dir.unwrap_or_else(|| root().join("target"))
}

/// Name of a plugin's library file.
pub(crate) fn library(package: &str) -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}{}{suffix}", package.replace('-', "_"))
}

fn bundle(built: &Built, plugins: &[String]) -> Done {
    let failed = |error| format!("{}: {error}", built.plugins.display());
    // Plugins that are no longer built must not stay in the bundle.
    if built.plugins.exists() {
        std::fs::remove_dir_all(&built.plugins).map_err(failed)?;
    }
    std::fs::create_dir_all(&built.plugins).map_err(failed)?;
    for plugin in plugins {
        let file = library(plugin);
        place(&built.dir.join(&file), &built.plugins.join(&file))?;
    }
    let mut lock = std::process::Command::new(&built.command);
    lock.args(["plugin", "lock"])
        .arg(&built.plugins)
        .stdout(std::process::Stdio::null());
    crate::process::run(&mut lock)
}

/// Copies a file without sharing it: cargo may write the original in place.
fn place(from: &Path, to: &Path) -> Done {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
