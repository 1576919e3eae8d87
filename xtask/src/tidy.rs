//! House rules that no compiler checks: which crate may depend on which, and what is written down.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{
    Done,
    process::{cargo, root},
};

/// Source files longer than this need a reason; there is none so far.
const MAX_LINES: usize = 600;

/// Checks all rules and reports every breach.
pub(crate) fn run() -> Done {
    let metadata = metadata()?;
    let mut breaches = arrows(&metadata);
    breaches.extend(undocumented(&metadata)?);
    breaches.extend(long_files(&root())?);
    if breaches.is_empty() {
        println!("tidy");
        return Ok(());
    }
    Err(format!(
        "{} breaches:\n  {}",
        breaches.len(),
        breaches.join("\n  ")
    ))
}

fn metadata() -> Result<Value, String> {
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// Dependencies of a package, as name and kind (`null`, `dev`, `build`).
fn dependencies(package: &Value) -> impl Iterator<Item = (&str, bool)> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter_map(|dependency| Some((dependency["name"].as_str()?, dependency["kind"].is_null())))
}

fn packages(metadata: &Value) -> BTreeMap<&str, &Value> {
    let all = metadata["packages"].as_array().into_iter().flatten();
    all.filter_map(|package| Some((package["name"].as_str()?, package)))
        .collect()
}

/// The arrows of ARCHITECTURE.md.
fn arrows(metadata: &Value) -> Vec<String> {
    let packages = packages(metadata);
    let is_plugin = |package: &Value| {
        let path = package["manifest_path"].as_str().unwrap_or_default();
        path.contains("/plugins/")
    };
    let mut breaches = Vec::new();
    for (&name, &package) in &packages {
        let ours: Vec<_> = dependencies(package)
            .filter(|(other, _)| packages.contains_key(other))
            .collect();
        for (other, normal) in ours {
            let to_plugin = is_plugin(packages[other]);
            let allowed = match name {
                // A crate's tests may see it with other features.
                _ if other == name => true,
                "eyemap-abi" => false,
                "eyemap-sdk" | "eyemap-worker" => other == "eyemap-abi",
                "eyemap-engine" => ["eyemap-abi", "eyemap-worker"].contains(&other),
                "eyemap-check" => ["eyemap-abi", "eyemap-engine", "eyemap-worker"].contains(&other),
                "eyemap-scaffold" => other == "eyemap-engine",
                "eyemap" => ["eyemap-engine", "eyemap-check", "eyemap-scaffold"].contains(&other),
                // A bench that compares static with dynamic links the plugin; tests read the ABI.
                "eyemap-benches" => true,
                "eyemap-snapshots" => !to_plugin,
                "eyemap-soak" => other == "eyemap-snapshots",
                "xtask" => false,
                _ if is_plugin(package) => other == "eyemap-sdk",
                _ => !to_plugin && normal,
            };
            if !allowed {
                breaches.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    breaches
}

/// Every dependency has a line in docs/dependencies.md.
fn undocumented(metadata: &Value) -> Result<Vec<String>, String> {
    let path = root().join("docs/dependencies.md");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let packages = packages(metadata);
    let mut missing: Vec<_> = packages
        .values()
        .flat_map(|package| dependencies(package))
        .map(|(name, _)| name)
        .filter(|name| !packages.contains_key(name) && !text.contains(&format!("`{name}`")))
        .map(|name| format!("docs/dependencies.md does not say why `{name}`"))
        .collect();
    missing.sort();
    missing.dedup();
    Ok(missing)
}

fn long_files(root: &Path) -> Result<Vec<String>, String> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "*.rs"])
        .current_dir(root)
        .output()
        .map_err(|error| error.to_string())?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut long = Vec::new();
    for name in names.lines() {
        let lines = std::fs::read_to_string(root.join(name)).map_or(0, |text| text.lines().count());
        if lines > MAX_LINES {
            long.push(format!("{name} has {lines} lines, more than {MAX_LINES}"));
        }
    }
    Ok(long)
}
