//! The museum: plugins of other times, built from source each on its own, for the host of today.
//!
//! Git keeps no binaries. What stands for another time is a tree of sources that git has: a tag `abi-*` or
//! `v*`, or the ABI as published. Each tree has a target directory of its own, because cargo took libraries
//! of one copy of a workspace for those of another when they shared one. What no revision can stand for, a
//! time to come above all, is written by hand in `snapshots/museum/pieces` and `snapshots/fixtures`.

mod trees;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    Done,
    build::{library, target_dir},
    process::{cargo, run as run_to_end},
    test,
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
/// Name of the tag that may stand for the ABI as published.
const FIRST: &str = "abi-1.0.0";
/// The commit at which version 1.0.0 of the ABI was complete.
pub(crate) const PUBLISHED: &str = "94863f6f50d8895ecda1f29e5c3f3d787af8081b";
/// As `cargo xtask museum`: builds the museum, and lets the host load it.
pub(crate) fn run() -> Done {
    let catalogue = collect()?;
    let variable = test::Variable {
        name: "EYEMAP_MUSEUM",
        value: &catalogue,
    };
    test::run_heavy("museum", &[variable])
}

/// Builds all trees and the pieces written by hand; gives the catalogue, a file of JSON.
fn collect() -> Result<PathBuf, String> {
    run_to_end(&mut cargo(&[
        "build",
        "--package",
        HOST,
        "--package",
        "eyemap-museum-pieces",
        "--bins",
        "--examples",
    ]))?;
    let mut catalogue = Catalogue {
        host: target_dir().join("debug").join(HOST),
        ..Catalogue::default()
    };
    for revision in revisions() {
        match trees::archived(&revision.name, &revision.commit)? {
            Some(tree) => catalogue.add(&tree)?,
            None => println!(
                "museum: {} is left out, because this checkout has no revision {}",
                revision.name, revision.commit
            ),
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

/// Sources of another time.
struct Revision {
    name: String,
    commit: String,
}

/// Tags, and the ABI as published while no tag has its name.
fn revisions() -> Vec<Revision> {
    let of = |name: String, commit: String| Revision { name, commit };
    let tags = trees::tags().into_iter();
    let mut all: Vec<_> = tags.map(|tag| of(tag.clone(), tag)).collect();
    if all.iter().all(|revision| revision.name != FIRST) {
        all.push(of(FIRST.into(), PUBLISHED.into()));
    }
    all
}

/// What was built, for the test.
#[derive(Default)]
struct Catalogue {
    host: PathBuf,
    pieces: serde_json::Map<String, Value>,
}

impl Catalogue {
    /// Builds the plugins of a tree, and lists them.
    fn add(&mut self, tree: &Tree) -> Done {
        tree.build(&PLUGINS)?;
        for plugin in PLUGINS {
            let path = tree.built(&library(plugin));
            let name = format!("{}/{plugin}", tree.name);
            self.pieces.insert(name, path.into_json());
        }
        Ok(())
    }

    fn write(self, path: &Path) -> Result<PathBuf, String> {
        let document = json!({
            "host": self.host.into_json(), "pieces": self.pieces
        });
        let dir = path.parent().unwrap_or(path);
        std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
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
