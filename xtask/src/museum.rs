//! The museum: plugins of other times, built from source each on its own, for hosts of today, of before
//! and of a time to come.
//!
//! Git keeps no binaries. What stands for another time is a tree of sources: one that git has (a tag
//! `abi-*` or `v*`, or a revision in [`REVISIONS`]), or today's with the edits of [`edits`]. Each tree has a
//! target directory of its own, because cargo took libraries of one copy of a workspace for those of
//! another when they shared one.

mod edits;
mod trees;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    Done,
    build::{self, library, target_dir},
    process::{cargo, run as run_to_end},
};
use trees::Tree;

/// What every tree builds: the three stages that draw a map, and a cache policy.
const PLUGINS: [&str; 4] = [
    "binned-color",
    "column-metadata",
    "hex-coordinates",
    "lru-policy",
];
/// The small host of `snapshots/museum/host`.
const HOST: &str = "eyemap-museum-host";
/// The commit at which version 1.0.0 of the ABI was complete.
pub(crate) const PUBLISHED: &str = "94863f6f50d8895ecda1f29e5c3f3d787af8081b";
/// Revisions that stand for a time as long as no tag of that name does: name, commit, and whether its
/// command is built too, as the older host.
const REVISIONS: [(&str, &str, bool); 3] = [
    // Layouts and forms of the three stages were frozen; the cache was a draft, `eyemap.cache/0`.
    (
        "abi-stages",
        "0b01b2c2b87e4871c8eb0d767ead091583d8d52e",
        false,
    ),
    // `eyemap.cache/1` before it was published: a slot's facts took twelve bytes.
    (
        "abi-cache-draft",
        "8ce17f1af0b45d3b259e07d66eaa21e06515d407",
        false,
    ),
    // The ABI as published.
    ("abi-1.0.0", PUBLISHED, true),
];

/// As `cargo xtask museum`: builds the museum, and lets the hosts load it.
pub(crate) fn run() -> Done {
    let built = build::run_into(false)?;
    let catalogue = collect()?;
    run_to_end(&mut cargo(&[
        "build",
        "--package",
        "eyemap-fixtures",
        "--examples",
    ]))?;
    let mut tests = cargo(&["test", "--package", "eyemap-snapshots", "--test", "museum"]);
    tests
        .env("EYEMAP_BIN", &built.command)
        .env("EYEMAP_BUILD_DIR", &built.dir)
        .env("EYEMAP_MUSEUM", catalogue);
    run_to_end(&mut tests)
}

/// Builds all trees and the pieces written by hand; gives the catalogue, a file of JSON.
pub(crate) fn collect() -> Result<PathBuf, String> {
    run_to_end(&mut cargo(&[
        "build",
        "--package",
        HOST,
        "--package",
        "eyemap-museum-pieces",
        "--bins",
        "--examples",
    ]))?;
    let mut catalogue = Catalogue::default();
    catalogue.hosts.insert(
        "today".into(),
        target_dir().join("debug").join(HOST).into_json(),
    );
    for (name, edits, has_host) in edits::ALL {
        let tree = trees::edited(name, edits)?;
        catalogue.add(&tree, has_host.then_some(HOST))?;
    }
    for (name, revision, has_command) in revisions() {
        match trees::archived(&name, &revision)? {
            Some(tree) => catalogue.add(&tree, has_command.then_some("eyemap"))?,
            None => catalogue.left_out(&name, &revision),
        }
    }
    catalogue.write(&museum_dir().join("catalogue.json"))
}

fn museum_dir() -> PathBuf {
    target_dir().join("museum")
}

/// The newest release, by version.
pub(crate) fn newest_tag() -> Option<String> {
    let mut tags = trees::tags();
    tags.retain(|tag| tag.starts_with('v'));
    tags.pop()
}

/// Tags, and revisions of which no tag has the name.
fn revisions() -> Vec<(String, String, bool)> {
    let mut all: Vec<_> = trees::tags()
        .into_iter()
        .map(|tag| (tag.clone(), tag, true))
        .collect();
    for (name, revision, has_command) in REVISIONS {
        if all.iter().all(|(tag, ..)| tag != name) {
            all.push((name.into(), revision.into(), has_command));
        }
    }
    all
}

/// What was built, for the test.
#[derive(Default)]
struct Catalogue {
    hosts: serde_json::Map<String, Value>,
    pieces: serde_json::Map<String, Value>,
    left_out: Vec<Value>,
}

impl Catalogue {
    /// Builds the plugins of a tree, and a host if it has one, and lists them.
    fn add(&mut self, tree: &Tree, host: Option<&str>) -> Done {
        let packages: Vec<&str> = PLUGINS.into_iter().chain(host).collect();
        tree.build(&packages)?;
        for plugin in PLUGINS {
            let path = tree.built(&library(plugin));
            let name = format!("{}/{plugin}", tree.name);
            self.pieces.insert(name, path.into_json());
        }
        if let Some(host) = host {
            self.hosts
                .insert(tree.name.clone(), tree.built(host).into_json());
        }
        Ok(())
    }

    fn left_out(&mut self, name: &str, revision: &str) {
        println!("museum: {name} is left out, because this checkout has no revision {revision}");
        self.left_out.push(name.into());
    }

    fn write(self, path: &Path) -> Result<PathBuf, String> {
        let document = json!({
            "hosts": self.hosts, "pieces": self.pieces, "left_out": self.left_out
        });
        std::fs::write(path, format!("{document:#}\n"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path.to_owned())
    }
}

/// A path as JSON has it.
trait IntoJson {
    fn into_json(self) -> Value;
}

impl IntoJson for PathBuf {
    fn into_json(self) -> Value {
        self.to_string_lossy().into_owned().into()
    }
}
