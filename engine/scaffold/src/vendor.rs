//! The SDK, as the command carries it: sources, and the versions of what they need.
//!
//! No registry has `eyemap-sdk` yet, and a plugin that needs a checkout of eyemap would be of one machine
//! only. So a new crate gets the sources in `vendor/`. There they are members of no workspace: what their
//! `Cargo.toml` inherits here is written out.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// Where the sources lie in a new crate.
pub(crate) const DIR: &str = "vendor";

/// The files of `eyemap-abi` and `eyemap-sdk`, by path below [`DIR`].
static SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

static WORKSPACE: &str = include_str!("../../../Cargo.toml");
static LOCK: &str = include_str!("../../../Cargo.lock");

/// What a new plugin depends on, besides what these need.
const NEEDED: [&str; 2] = ["criterion", "eyemap-sdk"];

/// The sources below `vendor/`.
pub(crate) fn files() -> Vec<(String, String)> {
    let workspace = parsed(WORKSPACE);
    let file = |&(path, text): &(&str, &str)| {
        let text = match path.ends_with("/Cargo.toml") {
            true => standalone(parsed(text), &workspace["workspace"]).to_string(),
            false => text.to_owned(),
        };
        (format!("{DIR}/{path}"), text)
    };
    SOURCES.iter().map(file).collect()
}

/// TOML of this workspace, which cargo has read before.
fn parsed(text: &str) -> Table {
    text.parse().expect("a manifest that cargo reads is TOML")
}

/// A manifest of the workspace as one that needs no workspace, and builds the library alone.
fn standalone(mut manifest: Table, workspace: &Value) -> Table {
    for section in ["dev-dependencies", "example", "lints"] {
        manifest.remove(section);
    }
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        for (key, value) in package {
            if inherits(value) {
                *value = workspace["package"][key].clone();
            }
        }
    }
    if let Some(Value::Table(dependencies)) = manifest.get_mut("dependencies") {
        for (name, value) in dependencies {
            if inherits(value) {
                *value = written_out(name, value, &workspace["dependencies"][name]);
            }
        }
    }
    manifest
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// A dependency with what the workspace says of it. Crates of ours lie beside each other.
fn written_out(name: &str, own: &Value, shared: &Value) -> Value {
    let mut all = match shared {
        Value::Table(shared) => shared.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    if all.contains_key("path") {
        all.insert("path".into(), format!("../{name}").into());
    }
    for (key, value) in own.as_table().into_iter().flatten() {
        match (key.as_str(), all.get_mut(key), value) {
            ("workspace", ..) => {}
            ("features", Some(Value::Array(features)), Value::Array(more)) => {
                features.extend(more.iter().cloned());
            }
            _ => drop(all.insert(key.clone(), value.clone())),
        }
    }
    Value::Table(all)
}

/// The `Cargo.lock` of a new crate: the versions that the SDK is built and tested with here.
///
/// Features that other crates of the workspace switch on may add packages; cargo leaves out what nothing
/// needs when it builds for the first time.
pub(crate) fn lock(name: &str, version: &str) -> String {
    let (head, packages) = packages(LOCK);
    let mut wanted: Vec<&str> = NEEDED.to_vec();
    let mut kept = BTreeSet::new();
    while let Some(package) = wanted.pop() {
        let named = |at: &&Package<'_>| package == at.name || package == at.name_and_version();
        for package in packages.iter().filter(named) {
            if kept.insert(package) {
                wanted.extend(&package.dependencies);
            }
        }
    }
    let own = own_package(name, version);
    let mut blocks: BTreeMap<_, _> = kept
        .iter()
        .map(|package| ((package.name, package.version), package.text))
        .collect();
    blocks.insert((name, version), &own);
    let blocks: Vec<&str> = blocks.into_values().map(str::trim_end).collect();
    format!("{head}{}\n", blocks.join("\n\n"))
}

fn own_package(name: &str, version: &str) -> String {
    let dependencies: Vec<_> = NEEDED
        .iter()
        .map(|name| format!(" \"{name}\",\n"))
        .collect();
    let dependencies = dependencies.concat();
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [\n{dependencies}]\n"
    )
}

/// One entry of a `Cargo.lock`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    /// `serde`, or `libloading 0.7.4` where there are several.
    dependencies: Vec<&'a str>,
    text: &'a str,
}

impl Package<'_> {
    fn name_and_version(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// What stands before the packages, and the packages.
fn packages(lock: &str) -> (&str, Vec<Package<'_>>) {
    const START: &str = "[[package]]\n";
    let mut starts = lock.match_indices(START).map(|(at, _)| at).peekable();
    let head = &lock[..starts.peek().copied().unwrap_or(lock.len())];
    let mut packages = Vec::new();
    while let Some(start) = starts.next() {
        let end = starts.peek().copied().unwrap_or(lock.len());
        packages.push(package(&lock[start..end]));
    }
    (head, packages)
}

fn package(text: &str) -> Package<'_> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.map_or("", |value| value.trim_matches('"'))
    };
    let listed = |line| str::strip_prefix(line, " \"")?.strip_suffix("\",");
    Package {
        name: value("name = "),
        version: value("version = "),
        dependencies: text.lines().filter_map(listed).collect(),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_whole_and_inherit_nothing() {
        let files = files();
        let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        for wanted in [
            "vendor/eyemap-abi/Cargo.toml",
            "vendor/eyemap-abi/LICENSE",
            "vendor/eyemap-abi/README.md",
            "vendor/eyemap-abi/src/lib.rs",
            "vendor/eyemap-sdk/build.rs",
            "vendor/eyemap-sdk/src/testing/replay.rs",
        ] {
            assert!(names.contains(&wanted), "{wanted}: {names:?}");
        }
        let manifest = |name: &str| {
            let path = format!("vendor/{name}/Cargo.toml");
            let (_, text) = files
                .iter()
                .find(|(at, _)| *at == path)
                .expect("a manifest");
            assert!(!text.contains("workspace"), "{text}");
            text.parse::<Table>().expect("TOML")
        };
        let (abi, sdk) = (manifest("eyemap-abi"), manifest("eyemap-sdk"));
        assert_eq!(
            sdk["package"]["version"].as_str(),
            Some(crate::cargo::VERSION)
        );
        assert_eq!(
            abi["dependencies"]["abi_stable"]["version"].as_str(),
            Some("=0.11.3")
        );
        let on_abi = &sdk["dependencies"]["eyemap-abi"];
        assert_eq!(on_abi["path"].as_str(), Some("../eyemap-abi"));
        assert_eq!(on_abi["version"], abi["package"]["version"]);
        assert_eq!(on_abi["features"], Value::Array(vec!["schemars".into()]));
        assert!(!sdk.contains_key("example"), "{sdk}");
    }

    #[test]
    fn a_registry_would_take_both_crates() {
        for name in ["eyemap-abi", "eyemap-sdk"] {
            let text = |file: &str| {
                let path = format!("{name}/{file}");
                let found = SOURCES.iter().find(|(at, _)| *at == path);
                found.unwrap_or_else(|| panic!("no {path}")).1
            };
            assert_eq!(text("LICENSE"), include_str!("../../../LICENSE"), "{name}");
            assert!(
                text("README.md").starts_with(&format!("# {name}\n")),
                "{name}"
            );
            let package = parsed(text("Cargo.toml"))["package"].clone();
            assert_eq!(package["publish"], Value::Boolean(true), "{name}");
            for key in ["description", "license", "readme", "keywords", "categories"] {
                assert!(package.get(key).is_some(), "{name}: {key}");
            }
        }
    }

    #[test]
    fn features_of_both_sides_count() {
        let own = parsed("x = { workspace = true, features = [\"b\"], optional = true }");
        let shared = parsed("x = { version = \"1\", features = [\"a\"] }");
        let both = written_out("x", &own["x"], &shared["x"]);
        let wanted = parsed("x = { version = \"1\", features = [\"a\", \"b\"], optional = true }");
        assert_eq!(both, wanted["x"]);
        let plain = written_out("x", &Value::Table(parsed("workspace = true")), &"1".into());
        assert_eq!(plain, Value::Table(parsed("version = \"1\"")));
    }

    #[test]
    fn a_lock_has_what_is_needed_once_and_nothing_of_the_engine() {
        let lock: Table = lock("rose-color", "0.1.0").parse().expect("TOML");
        let packages = lock["package"].as_array().expect("packages");
        let names: Vec<&str> = packages
            .iter()
            .filter_map(|package| package["name"].as_str())
            .collect();
        assert!(names.is_sorted(), "{names:?}");
        for wanted in [
            "abi_stable",
            "criterion",
            "eyemap-abi",
            "eyemap-sdk",
            "rose-color",
        ] {
            let count = names.iter().filter(|name| **name == wanted).count();
            assert_eq!(count, 1, "{wanted}");
        }
        for other in ["eyemap-engine", "parquet", "miette"] {
            assert!(!names.contains(&other), "{other}");
        }
        // Whatever an entry needs is there.
        for package in packages {
            for needed in package
                .get("dependencies")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let needed = needed.as_str().expect("a name");
                let name = needed.split(' ').next().expect("a word");
                assert!(names.contains(&name), "{needed}");
            }
        }
    }
}
